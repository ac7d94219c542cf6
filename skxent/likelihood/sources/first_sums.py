"""Sums over rows that do not depend on parameters, and the moments computed from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from skxent.likelihood import tuning
from skxent.likelihood.sources import offset_sums
from skxent.likelihood.sources.arrays import RowArrays
from skxent.likelihood.sources.blocks import Matrix, product
from skxent.likelihood.sources.offset_sums import OffsetSums


@dataclass(frozen=True)
class Moments:
    """Class sums, and means and variances of the columns.

    Parameters
    ----------
    class_weight : (K,) array
        Total weight of each class.
    class_sums : (K, d) array
        Weighted sums of x - origin over each class.
    origin : (d,) array
        Subtracted from the columns so that sums do not cancel: zero, or a value near the middle of
        the column.
    mean, variance : (d,) arrays
        Weighted means and variances of the columns of X.
    offset : OffsetSums or None
        Sums of the offsets; None if there are none.
    """

    class_weight: np.ndarray
    class_sums: np.ndarray
    origin: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    offset: OffsetSums | None = None

    def centre(self, fit_intercept: bool) -> np.ndarray:
        """Values to subtract from the columns: their means, or zeros without an intercept, (d,)."""
        return self.mean if fit_intercept else np.zeros_like(self.mean)

    def mean_square(self, centre: np.ndarray | float = 0.0) -> np.ndarray:
        """Mean squared distance of each column from `centre`, (d,)."""
        result: np.ndarray = self.variance + (self.mean - centre) ** 2
        return result

    def of_columns(self, columns: np.ndarray) -> Moments:
        """The moments of some columns."""
        return Moments(
            self.class_weight,
            self.class_sums[:, columns],
            self.origin[columns],
            self.mean[columns],
            self.variance[columns],
            self.offset,
        )

    def after(self, centre: np.ndarray, scale: np.ndarray) -> Moments:
        """The moments of the columns less `centre` and times `scale`."""
        return Moments(
            self.class_weight,
            self.class_sums * scale,
            (self.origin - centre) * scale,
            (self.mean - centre) * scale,
            self.variance * scale**2,
        )

    def in_units(self, exponents: np.ndarray) -> Moments:
        """The moments of the columns times 2^exponents; variances may overflow or underflow."""
        with np.errstate(over="ignore"):
            return Moments(
                self.class_weight,
                np.ldexp(self.class_sums, exponents),
                np.ldexp(self.origin, exponents),
                np.ldexp(self.mean, exponents),
                np.ldexp(self.variance, 2 * exponents),
                self.offset,
            )


@dataclass(frozen=True)
class FirstSums:
    """Weighted sums over rows of x - origin and of (x - origin)^2.

    Parameters
    ----------
    origin : (d,) array
    class_weight : (K,) array
    class_sums : (K, d) array
    squares : (d,) array
    offset : OffsetSums or None
        Sums of the offsets; None if there are none.
    """

    origin: np.ndarray
    class_weight: np.ndarray
    class_sums: np.ndarray
    squares: np.ndarray
    offset: OffsetSums | None = None

    @classmethod
    def of(cls, data: RowArrays) -> Self:
        """Compute the sums, in one read of X."""
        origin = _origin(data)
        blocks = data.blocks(origin if origin.any() else None)

        def sums(segment: list[slice]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            buffer = blocks.buffer()
            space = None
            if not blocks.sparse:
                space = blocks.rows_space("squares", blocks.run_rows, blocks.n_features)
            class_weight = np.zeros(data.n_classes)
            class_sums = np.zeros((data.n_classes, blocks.n_features))
            squares = np.zeros(blocks.n_features)
            for rows in segment:
                x = blocks.read(rows, buffer)
                Y = data.target_block(rows)
                weight = np.ones(Y.shape[1])
                if data.weight is not None:
                    weight = data.weight[rows]
                    Y *= weight
                class_weight += Y.sum(axis=1)
                with np.errstate(over="ignore", invalid="ignore"):  # their squares overflow, too
                    class_sums += product(Y, x)
                squares += _sum_of_squares(x, weight, space)
            return class_weight, class_sums, squares

        try:
            parts = blocks.map(sums, data.n_classes * blocks.n_features)
        finally:
            blocks.close()
        weight, sums_of_classes, squares = (sum(part) for part in zip(*parts, strict=True))
        return cls(origin, weight, sums_of_classes, squares, OffsetSums.of(data))

    def __add__(self, other: FirstSums) -> FirstSums:
        """Add the sums over other rows; the origin is that of the sums with more weight."""
        if other.class_weight.sum() > self.class_weight.sum():
            return other + self
        shift = other.origin - self.origin
        moved = 2.0 * other.class_sums.sum(axis=0) + other.class_weight.sum() * shift
        return FirstSums(
            self.origin,
            self.class_weight + other.class_weight,
            self.class_sums + (other.class_sums + np.outer(other.class_weight, shift)),
            self.squares + (other.squares + shift * moved),
            offset_sums.add(self.offset, other.offset),
        )


def _sum_of_squares(x: Matrix, weight: np.ndarray, space: np.ndarray | None) -> np.ndarray:
    """Weighted sums of the squares of a block's columns, in float64."""
    total = _weighted_squares(x, weight, space)
    if not np.isfinite(total).all() and not weight.all():  # leave rows without weight out
        total = _weighted_squares(x[weight > 0], weight[weight > 0], space)
    return total


def _weighted_squares(x: Matrix, weight: np.ndarray, space: np.ndarray | None) -> np.ndarray:
    """As `_sum_of_squares`, but infinite or NaN where squares overflow."""
    total = np.zeros(x.shape[1])
    step = (
        max(1, tuning.SQUARED_ENTRIES * x.shape[0] // max(x.nnz, 1))
        if space is None
        else len(space)
    )
    with np.errstate(over="ignore", invalid="ignore"):  # a weight of zero times infinity is NaN
        for rows in (slice(start, start + step) for start in range(0, x.shape[0], step)):
            some = x[rows]
            if space is None:
                squares = some.astype(np.float64).power(2)
            else:
                squares = np.square(some, out=space[: len(some)])
            total += product(weight[None, rows], squares)[0]
    return total


def middle(data: RowArrays) -> np.ndarray:
    """Upper median of a few rows, (d,); zero for a sparse X.

    For a constant column this is exactly its value, for other columns a value near the middle. Rows
    of weight zero are not used: if the result were a placeholder such as -1e9, subtracting it from
    other rows would cost nine digits.
    """
    few = _few_rows(data)
    return few[len(few) // 2]


def _origin(data: RowArrays) -> np.ndarray:
    """The middle of each column that is far from zero; zero for other columns, (d,)."""
    few = _few_rows(data)
    middle, spread = few[len(few) // 2], few[-1] - few[0]
    return np.where(np.abs(middle) > tuning.FAR_MIDDLE * spread, middle, 0.0)


def _few_rows(data: RowArrays) -> np.ndarray:
    """The entries of a few rows of X, each column sorted; one row of zeros for a sparse X."""
    if data.sparse:
        return np.zeros((1, data.n_features))
    few = np.array(data.X[evenly_spaced_rows(data.n_rows, data.weight)], dtype=np.float64)
    few.sort(axis=0)
    return few


def evenly_spaced_rows(n: int, weight: np.ndarray | None) -> np.ndarray | slice:
    """Indices of a few rows, evenly spaced in cumulative weight."""
    if weight is None:
        return slice(0, n, -(-n // tuning.MIDDLE_ROWS))
    upto = np.cumsum(weight)
    return np.searchsorted(
        upto, upto[-1] * (np.arange(tuning.MIDDLE_ROWS) + 0.5) / tuning.MIDDLE_ROWS
    )
