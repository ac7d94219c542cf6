"""Class sums, means and variances of any row source, from one read of X."""

from __future__ import annotations

import numpy as np

from skxent.likelihood import tuning
from skxent.likelihood.sources.base import RowSource
from skxent.likelihood.sources.first_sums import FirstSums, Moments


def compute_moments(data: RowSource) -> Moments:
    """Class sums, means and variances.

    Raises
    ------
    ValueError
        If the squares of a column overflow or underflow.
    """
    first = data.first_sums()
    check_overflow(data, first)
    if (vanished := out_of_range(data, first)).any():
        column = int(np.argmax(vanished))
        raise ValueError(
            f"X has numbers in column {column} whose squares underflow: rescale the column."
        )
    return moments_of(data, first)


def moments_of(data: RowSource, first: FirstSums) -> Moments:
    """Class sums, means and variances, from the first sums over rows."""
    class_sums, squares = first.class_sums, first.squares
    total = first.class_weight.sum()
    shift = class_sums.sum(axis=0) / total
    mean, variance = first.origin + shift, np.maximum(squares / total - shift**2, 0.0)
    if data.sparse:
        doubtful = np.flatnonzero((shift != 0) & (variance <= tuning.NEARLY_CONSTANT * shift**2))
        if len(doubtful):
            mean[doubtful], variance[doubtful] = _centred_moments(data, doubtful, total)
    return Moments(first.class_weight, class_sums, first.origin, mean, variance, first.offset)


def _squares(data: RowSource, first: FirstSums) -> np.ndarray:
    """Sums of squared distances from the origin, or from zero without an intercept, (d,)."""
    if data.fit_intercept:
        return first.squares
    with np.errstate(over="ignore"):
        squares: np.ndarray = first.squares + first.class_weight.sum() * first.origin**2
    return squares


def out_of_range(data: RowSource, first: FirstSums) -> np.ndarray:
    """Mask of the columns whose sum of squares overflowed or lost digits by underflow, (d,)."""
    squares = _squares(data, first)
    least = tuning.SUBNORMAL_SQUARES * first.class_weight.sum()
    if least < squares.min() and squares.max() < np.inf:
        return np.zeros(len(squares), dtype=bool)
    something = (first.class_sums != 0).any(axis=0)
    if not data.fit_intercept:
        something |= first.origin != 0
    lost = (squares <= least) & ((squares > 0) | something)
    return lost | ~np.isfinite(squares)


def check_overflow(data: RowSource, first: FirstSums, columns: np.ndarray | bool = True) -> None:
    """Raise ValueError if the squares of a column overflow, of all columns or those in a mask."""
    finite = np.isfinite(_squares(data, first)) | ~np.asarray(columns)
    if not finite.all():
        column = int(np.argmin(finite))
        raise ValueError(
            f"X has numbers in column {column} whose squares overflow: rescale the column."
        )


def _centred_moments(
    data: RowSource, columns: np.ndarray, total: float
) -> tuple[np.ndarray, np.ndarray]:
    """Means and variances of sparse columns that vary little; exact for constant columns."""
    some, zero = data.first_row(columns), np.zeros(len(columns))
    shift = data.power_sums(columns, some, zero, 1) / total
    return some + shift, data.power_sums(columns, some, shift, 2) / total
