r"""Weighted means and their standard errors.

A sum over samples consists of G independent pieces. Sample i has c_i copies of weight s_i each.
Without groups each copy is a piece, and the variance of the sum is estimated as

.. math:: \frac{G}{G - 1} \sum_i c_i (s_i (\ell_i - \bar\ell))^2,

with G - 1 degrees of freedom, if all s_i are equal. With groups a piece is a group of samples, and
if the s_i differ each sample is a group of its own; see `GroupShares`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from skxent.inputs.namespaces import Codes, Floats

LARGEST_COUNT = 2**53  # float64 holds every whole number up to this one
WHOLE = 1e-3  # a weight farther than this from a whole number never counts as whole
SAFE = 1e150  # sums of products of numbers between 1 / SAFE and SAFE keep their digits
ROUNDING = 8 * float(np.finfo(np.float64).eps)
TINY = float(np.finfo(np.float64).tiny)  # one divided by a smaller number may overflow


@dataclass(frozen=True)
class MeanEstimate:
    """A weighted sum and mean over samples, and the standard error of the mean.

    `n` is the number of samples, each counted as often as it has copies. `n_pieces` is the number
    of independent pieces of the sum: the groups, or the copies if there are no groups. `df` has the
    degrees of freedom of the standard error.
    """

    total: float
    weight: float
    mean: float
    standard_error: float
    n: int
    n_pieces: int
    df: float


@dataclass(frozen=True)
class GroupShares:
    r"""The share h_g of each group in the weight of all, for the variance of a mean.

    Group g has the weight M_g and the sum N_g, and the mean is R = sum N / sum M. Deviations
    :math:`e_g = N_g - R M_g` are smaller than the errors of N_g, because R follows the groups of
    large weight. If the errors of N_g are independent with variances :math:`\sigma^2 M_g`, then
    with :math:`h_g = M_g / \sum M`

    .. math:: \mathrm{E}\, e_g e_k = \sigma^2 \sum M \, (h_g 1_{g = k} - h_g h_k),

    because the three other products of :math:`e_g = \varepsilon_g - h_g \sum \varepsilon` each give
    :math:`h_g h_k` up to sign. Hence :math:`\sum_g e_g^2 / (1 - h_g)` has the expectation
    :math:`\sigma^2 \sum M`, the variance of sum N, without bias: this is CR2, the bias-reduced
    cluster-robust variance of Bell and McCaffrey (2002), of the regression of N_g / M_g on a
    constant with the weights M_g. Groups of equal weight have :math:`1 / (1 - h_g) = G / (G - 1)`.

    A quadratic form of normal errors with that mean E and the variance V is nearly a multiple of
    chi-square of :math:`2 E^2 / V` degrees of freedom (Satterthwaite). With
    :math:`V = 2 \sum_{gk} (\mathrm{E} e_g e_k)^2 / ((1 - h_g)(1 - h_k))` and
    :math:`t_g = h_g^2 / (1 - h_g)` they are

    .. math:: \Bigl(\sum_g h_g^2 + \sum_{g \ne k} t_g t_k\Bigr)^{-1},

    which is G - 1 for groups of equal weight, and less otherwise. A group may stand for several
    copies of itself, each of which is a group.
    """

    shares: Floats  # of one copy
    rest: Floats  # 1 - shares
    copies: Floats
    n: int  # number of groups, copies counted

    @classmethod
    def of(cls, weights: Floats, copies: Floats | None = None) -> Self:
        """Return the shares of groups of these weights (G,)."""
        copies = np.ones(len(weights)) if copies is None else copies
        whole, top = exact_sum(copies * weights), int(weights.argmax())
        shares = weights / whole
        rest = 1.0 - shares
        # The weight of the others may be too small to be seen in 1 - share.
        rest[top] = max(exact_sum(_less_one(copies, top) * weights) / whole, TINY)
        return cls(shares, rest, copies, round(copies.sum()))

    @property
    def df(self) -> float:
        """Degrees of freedom (Satterthwaite); 0 for one group."""
        if self.n < 2:
            return 0.0
        t, top = self.shares**2 / self.rest, int(self.shares.argmax())
        others = _less_one(self.copies, top)
        of_top, t, others = t[top], t[others > 0], others[others > 0]
        sum_of_others = others @ t
        pairs = 2.0 * of_top * sum_of_others + (sum_of_others**2 - others @ t**2)
        df = 1.0 / float(self.copies @ self.shares**2 + pairs)
        most = self.n - 1
        return float(most) if abs(df - most) <= 1e-9 * most else df

    def standard_error(self, deviations: Floats, weight: float) -> float:
        """Return the standard error of the mean from e_g (G,) and the weight of all groups.

        One group has none: NaN.
        """
        if self.n < 2:
            return np.nan
        top = int(self.shares.argmax())
        if (
            self.shares[top] > 0.5
        ):  # R is close to this group: its deviation may be lost in rounding
            deviations = deviations.copy()
            deviations[top] = -exact_sum(_less_one(self.copies, top) * deviations)
        corrected = deviations / np.sqrt(self.rest)
        scale = float(np.abs(corrected).max()) or 1.0  # squares neither over- nor underflow
        squares = float(self.copies @ (corrected / scale) ** 2)
        return scale * math.sqrt(squares) / weight


def _less_one(copies: Floats, row: int) -> Floats:
    """Return the numbers of copies with one copy of a row left out."""
    copies = copies.copy()
    copies[row] -= 1.0
    return copies


def copies_and_shares(weight: Floats | None, n: int) -> tuple[Floats, Floats]:
    """Return the number of copies of each sample, and the weight of one copy.

    If all weights are whole numbers, they are numbers of copies of weight 1. Otherwise each sample
    is one copy with its weight.
    """
    ones = np.ones(n)
    if weight is None:
        return ones, ones
    counts = np.rint(weight)
    if counts.sum() <= LARGEST_COUNT and (np.abs(weight - counts) <= _rounding(weight)).all():
        return counts, ones
    return (weight > 0).astype(np.float64), weight


def _rounding(weight: Floats) -> Floats:
    """Return the largest distance from a whole number at which a weight counts as whole.

    The distance is eight rounding errors of float32 if all weights are float32 numbers, and of
    float64 otherwise.
    """
    with np.errstate(over="ignore"):
        single = bool((weight == weight.astype(np.float32)).all())
    eps = float(np.finfo(np.float32 if single else np.float64).eps)
    return np.minimum(8.0 * eps * weight, WHOLE)


def estimate(
    values: Floats,
    copies: Floats,
    shares: Floats,
    groups: Codes | None = None,
    size: float | None = None,
) -> MeanEstimate:
    """Estimate the mean of values: of value i there are copies[i] copies, each of weight shares[i].

    If the values are differences, `size` is the largest number in any of the subtractions.
    Deviations from the mean within the rounding error of `size` count as 0.
    """
    weights = copies * shares
    kept = weights > 0  # a value of weight 0 is left out, even if infinite
    values, copies, shares, weights = values[kept], copies[kept], shares[kept], weights[kept]
    groups = None if groups is None else groups[kept]
    n = round(copies.sum())
    top = float(np.abs(values).max(initial=0.0))
    if 0.0 < top < np.inf and not 1.0 / SAFE <= top <= SAFE:
        exponent = math.frexp(top)[1]
        size = None if size is None else math.ldexp(size, -exponent)
        found = estimate(np.ldexp(values, -exponent), copies, shares, groups, size)
        with np.errstate(over="ignore"):
            figures = (found.total, found.mean, found.standard_error)
            total, mean, error = np.ldexp(figures, exponent).tolist()
        return replace(found, total=total, mean=mean, standard_error=error)
    total, weight = exact_sum(weights * values), exact_sum(weights)
    if not n:
        return MeanEstimate(0.0, 0.0, np.nan, np.nan, 0, 0, -1)
    mean = total / weight
    if not np.isfinite(mean):
        return MeanEstimate(total, weight, mean, np.nan, n, n, n - 1)
    moved = values - mean
    largest = float(np.abs(values).max()) if size is None else size
    moved[np.abs(moved) <= ROUNDING * largest] = 0.0
    if groups is None and (shares == shares[0]).all():
        error = np.nan
        if n > 1:
            pieces = shares * moved
            scale = float(np.abs(pieces).max()) or 1.0  # squares neither over- nor underflow
            squares = float(copies @ (pieces / scale) ** 2)
            error = scale * math.sqrt(n / (n - 1) * squares) / weight
        return MeanEstimate(total, weight, mean, error, n, n, n - 1)
    if groups is None:
        group, pieces = GroupShares.of(shares, copies), shares * moved
    else:
        codes = np.unique(groups, return_inverse=True)[1]
        group, pieces = GroupShares.of(_sums(codes, weights)), _sums(codes, weights * moved)
    error = group.standard_error(pieces, weight)
    return MeanEstimate(total, weight, mean, error, n, group.n, group.df)


def _sums(codes: Codes, values: Floats) -> Floats:
    """Return the sum of the values of each group."""
    return np.bincount(codes, values).astype(np.float64)


def exact_sum(values: Floats) -> float:
    """Return the exact sum of all values, rounded once."""
    try:
        return math.fsum(values.tolist())
    except OverflowError:
        return np.inf


def scaled_weights(weight: Floats | None) -> Floats | None:
    """Return weights, multiplied by a power of two if their sums would overflow or underflow.

    A common factor does not change a weighted mean, and weights of such sizes are not counts.
    """
    if weight is None or 1.0 / SAFE <= weight.max() <= SAFE:
        return weight
    return np.ldexp(weight, -math.frexp(weight.max())[1])
