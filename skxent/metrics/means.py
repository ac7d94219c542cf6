r"""Weighted means and their standard errors.

A sum over samples has G independent pieces, and its variance is that of G numbers,

.. math:: \frac{G}{G - 1} \sum_{g=1}^G \Bigl(\sum_{i \in g} c_i s_i (\ell_i - \bar\ell)\Bigr)^2,

for c_i copies of sample i with the share s_i each. Without groups each copy is a piece, of which
sample i has c_i: the sum of squares is then :math:`\sum_i c_i (s_i (\ell_i - \bar\ell))^2`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from skxent.inputs.namespaces import Codes, Floats

LARGEST_COUNT = 2**53  # of what float64 can count
WHOLE = 1e-3  # largest difference from a whole number with which a weight counts as whole
SAFE = 1e150  # sums of products of numbers between 1 / SAFE and SAFE keep their digits
ROUNDING = 8 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class MeanEstimate:
    """A sum and a mean over n samples, copies counted; `n_pieces` of them are independent."""

    total: float
    weight: float
    mean: float
    standard_error: float
    n: int
    n_pieces: int

    @property
    def df(self) -> int:
        """Degrees of freedom of the standard error."""
        return self.n_pieces - 1


def copies_and_shares(weight: Floats | None, n: int) -> tuple[Floats, Floats]:
    """Return how many copies of each sample there are, and the share that each has in sums.

    Whole weights are counts. Others cannot be: a sample is there once, with its weight for a share.
    """
    ones = np.ones(n)
    if weight is None:
        return ones, ones
    counts = np.rint(weight)
    if counts.sum() <= LARGEST_COUNT and (np.abs(weight - counts) <= _rounding(weight)).all():
        return counts, ones
    return (weight > 0).astype(np.float64), weight


def _rounding(weight: Floats) -> Floats:
    """Return how far weights may be from whole numbers and still count as whole.

    That is eight rounding errors of float32 if all weights are float32 numbers, and of float64
    otherwise.
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
    """Estimate the mean of values, weighted by copies and shares.

    `size` is the largest number that the values were computed from, where they are differences:
    what deviates from the mean by no more than its rounding does not deviate.
    """
    weights = copies * shares
    kept = weights > 0  # what has no weight is absent, even where it is infinite
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
    """Return the sum with one rounding, of the exact sum of all values."""
    try:
        return math.fsum(values.tolist())
    except OverflowError:
        return np.inf


def scaled_weights(weight: Floats | None) -> Floats | None:
    """Return weights for means: multiplied by a power of two where sums overflow or underflow.

    Weights of that size are no counts, and their mean stays the same.
    """
    if weight is None or 1.0 / SAFE <= weight.max() <= SAFE:
        return weight
    return np.ldexp(weight, -math.frexp(weight.max())[1])
