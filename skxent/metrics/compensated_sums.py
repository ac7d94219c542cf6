"""Sums in twice the working precision, of arrays of any library.

Each addition of two floats rounds. TwoSum (Knuth) gives the sum and the rounding error, both
exactly, so that errors can be added up apart from the sums and added to the result at the end. The
relative error of a sum of numbers that are not negative is then that of one rounding, however many
there are.
"""

from __future__ import annotations

import math

import numpy as np

from skxent.inputs.namespaces import Array, library_of, to_numpy

SHORT = 256  # numbers; a shorter array is summed exactly by math.fsum, which is slow for more


class CompensatedSum:
    """A running sum with its rounding errors kept apart."""

    def __init__(self) -> None:
        self._high = self._low = 0.0

    @property
    def value(self) -> float:
        """The sum of all numbers so far, rounded once; infinite if it overflows."""
        return self._high + self._low if math.isfinite(self._high) else self._high

    def add(self, high: float, low: float = 0.0) -> None:
        """Add the number high + low."""
        total = self._high + high
        moved = total - self._high
        self._low += low + ((self._high - (total - moved)) + (high - moved))
        self._high = total

    def add_all(self, values: Array) -> None:
        """Add the entries of an array (n,)."""
        self.add(*two_part_sum(values))


def two_part_sum(values: Array) -> tuple[float, float]:
    """Return the sum of an array (n,) as two floats that are to be added.

    The second half of the array is added to the first until few numbers are left.
    """
    xp, errors = library_of(values), []
    with np.errstate(over="ignore", invalid="ignore"):
        while (n := values.shape[0]) > SHORT:
            half = n // 2
            a, b = values[:half], values[half : 2 * half]
            sums = a + b
            moved = sums - a
            errors.append(xp.sum((a - (sums - moved)) + (b - moved)))
            values = sums if n == 2 * half else xp.concat([sums, values[-1:]])
    try:
        high = math.fsum(to_numpy(values).tolist())
    except OverflowError:
        high = math.inf
    return high, sum(map(float, errors))
