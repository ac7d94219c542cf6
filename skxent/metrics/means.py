r"""Weighted means and their standard errors.

A sum over samples consists of G independent pieces. Its variance is estimated as

.. math:: \frac{G}{G - 1} \sum_{g=1}^G \Bigl(\sum_{i \in g} c_i s_i (\ell_i - \bar\ell)\Bigr)^2,

where sample i has c_i copies of weight s_i each. A piece is a group of samples. Without groups each
copy is a piece, and the sum of squares is :math:`\sum_i c_i (s_i (\ell_i - \bar\ell))^2`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from skxent.inputs.namespaces import Codes, Floats

LARGEST_COUNT = 2**53  # float64 holds every whole number up to this one
WHOLE = 1e-3  # a weight farther than this from a whole number never counts as whole
SAFE = 1e150  # sums of products of numbers between 1 / SAFE and SAFE keep their digits
ROUNDING = 8 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class MeanEstimate:
    """A weighted sum and mean over samples, and the standard error of the mean.

    `n` is the number of samples, each counted as often as it has copies. `n_pieces` is the number
    of independent pieces of the sum: the groups, or the copies if there are no groups.
    """

    total: float
    weight: float
    mean: float
    standard_error: float
    n: int
    n_pieces: int

    @property
    def df(self) -> int:
        """Degrees of freedom of the standard error: independent pieces less one."""
        return self.n_pieces - 1


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
        return MeanEstimate(0.0, 0.0, np.nan, np.nan, 0, 0)
    mean = total / weight
    if not np.isfinite(mean):
        return MeanEstimate(total, weight, mean, np.nan, n, n)
    moved = values - mean
    largest = float(np.abs(values).max()) if size is None else size
    moved[np.abs(moved) <= ROUNDING * largest] = 0.0
    if groups is None:
        pieces, times, n_pieces = shares * moved, copies, n
    else:
        present, codes = np.unique(groups, return_inverse=True)
        n_pieces = len(present)
        pieces, times = np.bincount(codes, weights * moved).astype(np.float64), np.ones(n_pieces)
    error = np.nan
    if n_pieces > 1:
        scale = float(np.abs(pieces).max()) or 1.0  # so that squares neither over- nor underflow
        squares = float(times @ (pieces / scale) ** 2)
        error = scale * math.sqrt(n_pieces / (n_pieces - 1) * squares) / weight
    return MeanEstimate(total, weight, mean, error, n, n_pieces)


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
