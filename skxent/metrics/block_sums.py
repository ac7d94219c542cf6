"""Sums of losses that arrive block by block, so that no array of all losses is needed."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from skxent.inputs.namespaces import AnyArray, Array, largest, library_of, total
from skxent.inputs.weights import as_weights, weights_of_counted

SAFE = 1e-290  # a larger sum of losses has not lost digits to underflow


class BlockSums:
    """The sum of weighted losses, the sum of weights, and the largest loss.

    Parameters
    ----------
    sample_weight : array-like of shape (n,) or None
        Checked in `begin`, when the number of samples is known.
    """

    def __init__(self, sample_weight: ArrayLike | None) -> None:
        self.sample_weight = sample_weight
        self.n = 0

    def begin(self, n: int, kept: AnyArray = None) -> None:
        """Check the weights of n samples, of which those in `kept` count, and start from zero."""
        self.n = n if kept is None else int(kept.sum())
        weights = as_weights(self.sample_weight, n)
        self._weights = weights_of_counted(weights, kept)
        self._total, self._weight, self._largest = _RunningSum(), _RunningSum(), 0.0

    def add(self, rows: slice, losses: Array) -> None:
        """Add the losses of a block of rows to the sums."""
        weights = None if self._weights is None else self._weights[rows]
        total, weight = weighted_sum(losses, weights)
        self._total.add(total)
        self._weight.add(weight)
        kept = losses if weights is None else losses[weights > 0]
        if kept.shape[0]:
            self._largest = max(self._largest, largest(kept))

    def reduced(self, reduction: str) -> float | None:
        """Return the sum or the mean, or None if a sum is so large or small that it lost digits.

        The result can then only be computed from the array of all losses.
        """
        total, weight = self._total.value, self._weight.value
        if self._largest in (0.0, np.inf):  # 0 or infinity is then the mean and the sum
            return self._largest
        if SAFE < total < np.inf and weight < np.inf:
            return total if reduction == "sum" else total / weight
        return None


class _RunningSum:
    """A sum of numbers that are not negative, with the rounding errors kept apart (Neumaier)."""

    def __init__(self) -> None:
        self._sum = self._lost = 0.0

    @property
    def value(self) -> float:
        return self._sum + self._lost if self._sum < np.inf else self._sum

    def add(self, number: float) -> None:
        total = self._sum + number
        large, small = max(self._sum, number), min(self._sum, number)
        self._lost += (large - total) + small
        self._sum = total


def weighted_sum(losses: Array, weights: Array | None) -> tuple[float, float]:
    """Return the sum of weighted losses (n,) and the sum of weights."""
    with np.errstate(over="ignore", invalid="ignore"):
        if weights is None:
            return total(losses), float(losses.shape[0])
        # A sample of weight 0 is absent, even if its loss is infinite.
        terms = weights * losses
        xp = library_of(terms)
        terms = xp.where(weights > 0, terms, xp.zeros_like(terms))
        return total(terms), total(weights)
