"""Contrasts: values of columns that are compared, where an effect is a difference and no slope."""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from skxent.inference.evaluation import column_index
from skxent.inference.likelihood_estimate import SPACE
from skxent.inputs.features import AnyArray
from skxent.inputs.fit_targets import Floats

FIRST = 64  # rows of the first batch, after which most columns of other kinds are left out

Ends = tuple[float, float]  # the low and the high value of a column
Mask = NDArray[np.bool_]


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


def contrasts_of(
    discrete: object, names: Sequence[str], X: AnyArray, counted: Mask
) -> dict[int, Contrast]:
    """Return the columns whose effect is a difference, with the values that are compared."""
    if discrete is None:
        return {}
    if isinstance(discrete, str) and discrete == "auto":
        found = two_valued(X, counted, range(len(names)))
        return {j: Contrast.of_column(j, ends) for j, ends in found.items() if ends == (0.0, 1.0)}
    if isinstance(discrete, str | Mapping) or not isinstance(discrete, Iterable):
        raise ValueError(f"discrete is {discrete!r}: pass 'auto', None, or a list of columns.")
    columns = sorted({column_index(key, names, "discrete") for key in discrete})
    found = two_valued(X, counted, columns)
    for j in columns:
        if j not in found:
            raise ValueError(
                f"discrete has {names[j]!r}, which does not have exactly two values in the "
                "training samples: leave it out, or compare two values with adjusted_predictions."
            )
    return {j: Contrast.of_column(j, ends) for j, ends in found.items()}


def two_valued(X: AnyArray, counted: Mask, columns: Sequence[int]) -> dict[int, Ends]:
    """Return the columns that have exactly two values in the rows that are counted.

    Batches of rows grow, because most columns of more values are left out after few rows.
    """
    left = np.array(columns, dtype=np.intp)
    low, high = np.full((2, len(left)), np.nan)
    for rows in _growing(X):
        if not len(left):
            break
        x = _dense(X, rows, left)[counted[rows]]
        if not len(x):
            continue
        least, most = np.fmin(low, x.min(axis=0)), np.fmax(high, x.max(axis=0))
        within = ((x == least) | (x == most)).all(axis=0)
        for known in (low, high):
            within &= np.isnan(known) | (known == least) | (known == most)
        left, low, high = left[within], least[within], most[within]
    ends = zip(left.tolist(), low.tolist(), high.tolist(), strict=True)
    return {j: (one, other) for j, one, other in ends if one < other}


def level_contrasts(
    X: AnyArray, counted: Mask, columns: Sequence[int], names: Sequence[str], entries: np.ndarray
) -> dict[int, Contrast]:
    """Return the contrasts of the levels of a category with its base level.

    Parameters
    ----------
    X : (n, d) array or CSR matrix
    counted : (n,) array of bool
        Rows with weight.
    columns : sequence of int
        All columns that are computed from the category.
    names : sequence of str
        Names of the columns of X, for levels that have several entries.
    entries : (n,) array of object
        The category of each row, for the names of the levels.

    Returns
    -------
    dict of int -> Contrast
        Empty if these columns are not indicators: if some of them have more than two values, or
        several of them are high in one row, or if a single column has numbers other than 0 and 1.
        The base level is the one without a column, or that of the first column if there is none.
    """
    ends = two_valued(X, counted, columns)
    if len(ends) < len(columns):
        return {}
    low, high = np.array([ends[j] for j in columns]).T
    level = _levels(X, columns, high)
    if (level[counted] == len(columns)).any():
        return {}
    base = -1 if (level[counted] == -1).any() else 0
    others = [names[j] for j in columns] + ["other levels"]
    labels = [
        _label(entries[counted & (level == i)], others[i]) for i in (*range(len(columns)), -1)
    ]
    off = np.where(np.arange(len(columns)) == base, high, low)
    found = {}
    for i, j in enumerate(columns):
        on = np.where(np.arange(len(columns)) == i, high, low)
        found[j] = Contrast(list(columns), off, on, f"{labels[base]} to {labels[i]}")
    if len(found) == 1 and _are_numbers(entries) and found[columns[0]].label != "0 to 1":
        return {}
    return found


def _levels(X: AnyArray, columns: Sequence[int], high: Floats) -> NDArray[np.intp]:
    """Return the place of the high column of each row; -1 for none, len(columns) for several."""
    levels = np.empty(X.shape[0], dtype=np.intp)
    for rows in _growing(X):
        is_high = _dense(X, rows, columns) == high
        number = is_high.sum(axis=1)
        levels[rows] = np.where(number == 1, is_high.argmax(axis=1), -1)
        levels[rows][number > 1] = len(columns)
    return levels


def _label(entries: np.ndarray, otherwise: str) -> str:
    """Return the entry as text if all are equal."""
    if len(entries) and bool(np.all(entries == entries[0])):
        return f"{entries[0]:g}" if _are_numbers(entries) else str(entries[0])
    return otherwise


def _are_numbers(entries: np.ndarray) -> bool:
    """Tell whether the first entry is a number."""
    return isinstance(entries[0], numbers.Real) and not isinstance(entries[0], bool)


def _growing(X: AnyArray) -> Iterator[slice]:
    """Yield slices of rows, small ones first."""
    start, step, largest = 0, FIRST, max(FIRST, SPACE // max(X.shape[1], 1))
    while start < X.shape[0]:
        yield slice(start, start + step)
        start, step = start + step, min(2 * step, largest)


def _dense(X: AnyArray, rows: slice, columns: Sequence[int] | NDArray[np.intp]) -> np.ndarray:
    x = X[rows][:, columns]
    dense: np.ndarray = x.toarray() if issparse(x) else x
    return dense
