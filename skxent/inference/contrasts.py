"""Contrasts: two values of columns, whose effect is a difference and not a slope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from skxent.inference.likelihood_estimate import SPACE
from skxent.inputs.features import AnyArray
from skxent.inputs.fit_targets import Floats

FIRST = 64  # rows of the first batch, after which most columns of other kinds are left out

Ends = tuple[float, float]  # the low and the high value of a column


@dataclass(frozen=True, eq=False)
class Contrast:
    """Values of columns, (c,), that are compared, and the name of the comparison."""

    columns: list[int]
    low: Floats
    high: Floats
    label: str

    @classmethod
    def of_column(cls, column: int, ends: Ends) -> Contrast:
        """Compare two values of one column."""
        low, high = ends
        return cls([column], np.array([low]), np.array([high]), f"{low:g} to {high:g}")


def two_valued(
    X: AnyArray, counted: NDArray[np.bool_], columns: Sequence[int]
) -> dict[int, tuple[float, float]]:
    """Return the columns that have exactly two values in the rows that are counted.

    Batches of rows grow, because most columns of more values are left out after few rows.
    """
    left = np.array(columns, dtype=np.intp)
    low, high = np.full((2, len(left)), np.nan)
    start, step = 0, FIRST
    while start < X.shape[0] and len(left):
        rows = slice(start, start + step)
        start, step = start + step, min(2 * step, max(FIRST, SPACE // X.shape[1]))
        x = X[rows][:, left]
        x = (x.toarray() if issparse(x) else x)[counted[rows]]
        if not len(x):
            continue
        least, most = np.fmin(low, x.min(axis=0)), np.fmax(high, x.max(axis=0))
        within = ((x == least) | (x == most)).all(axis=0)
        for known in (low, high):
            within &= np.isnan(known) | (known == least) | (known == most)
        left, low, high = left[within], least[within], most[within]
    ends = zip(left.tolist(), low.tolist(), high.tolist(), strict=True)
    return {j: (one, other) for j, one, other in ends if one < other}
