"""The first read of X: what does not depend on parameters.

Class sums, from which the sufficient statistic follows for any centre, and the means and variances
of the columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from skxent.likelihood.sources.base import RowSource
from skxent.likelihood.sources.blocks import product
from skxent.likelihood.sources.local_rows import LocalRows

SQUARES = 1 << 18  # of sparse entries formed at a time
FEW = 15  # rows that tell where the middle is
FAR = 8.0  # times their range, that a middle is from zero before sums are taken from it
LEAST_SQUARES = 1e-292  # mean square of which all terms that matter are normal numbers
CONSTANT = 1e-9  # variance / mean^2 below which sums of squares have lost too many digits


@dataclass(frozen=True)
class Moments:
    """What the first read of X gives.

    Parameters
    ----------
    class_weight : (K,) array
        Total weight of each class.
    class_sums : (K, d) array
        Weighted sums of x - origin over each class.
    origin : (d,) array
        Zero, or a point near the middle where that is far from zero, so that sums of x - origin do
        not cancel.
    mean, variance : (d,) arrays
        Weighted, of the columns of X.
    """

    class_weight: np.ndarray
    class_sums: np.ndarray
    origin: np.ndarray
    mean: np.ndarray
    variance: np.ndarray

    def mean_square(self, centre: np.ndarray | float = 0.0) -> np.ndarray:
        """Mean squared distance of each column from `centre`, (d,)."""
        result: np.ndarray = self.variance + (self.mean - centre) ** 2
        return result

    def of_columns(self, columns: np.ndarray) -> Moments:
        """The same of some columns."""
        return Moments(
            self.class_weight,
            self.class_sums[:, columns],
            self.origin[columns],
            self.mean[columns],
            self.variance[columns],
        )

    def in_units(self, exponents: np.ndarray) -> Moments:
        """The same of columns times 2^exponents; variances may be infinite or zero then."""
        with np.errstate(over="ignore"):
            return Moments(
                self.class_weight,
                np.ldexp(self.class_sums, exponents),
                np.ldexp(self.origin, exponents),
                np.ldexp(self.mean, exponents),
                np.ldexp(self.variance, 2 * exponents),
            )


@dataclass(frozen=True)
class FirstSums:
    """Sums over rows of x - origin, see `Moments`.

    Parameters
    ----------
    origin : (d,) array
    class_weight : (K,) array
    class_sums : (K, d) array
        Weighted.
    squares : (d,) array
        Weighted sums of squares.
    """

    origin: np.ndarray
    class_weight: np.ndarray
    class_sums: np.ndarray
    squares: np.ndarray

    @classmethod
    def of(cls, data: LocalRows) -> Self:
        """Read rows."""
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
                class_sums += product(Y, x)
                squares += _sum_of_squares(x, weight, space)
            return class_weight, class_sums, squares

        try:
            parts = blocks.map(sums, data.n_classes * blocks.n_features)
        finally:
            blocks.close()
        return cls(origin, *(sum(part) for part in zip(*parts, strict=True)))

    def __add__(self, other: FirstSums) -> FirstSums:
        """Add what other rows gave, whose origin is their own: that of the heavier stays."""
        if other.class_weight.sum() > self.class_weight.sum():
            return other + self
        shift = other.origin - self.origin
        moved = 2.0 * other.class_sums.sum(axis=0) + other.class_weight.sum() * shift
        return FirstSums(
            self.origin,
            self.class_weight + other.class_weight,
            self.class_sums + (other.class_sums + np.outer(other.class_weight, shift)),
            self.squares + (other.squares + shift * moved),
        )


def first_read(data: RowSource) -> Moments:
    """Class sums, means and variances, from one read of X, of columns whose squares are numbers."""
    first: FirstSums = data.sum(FirstSums.of)
    check_overflow(data, first)
    if (vanished := out_of_range(data, first)).any():
        column = int(np.argmax(vanished))
        raise ValueError(f"X has numbers in column {column} whose squares underflow: scale it.")
    return moments_of(data, first)


def moments_of(data: RowSource, first: FirstSums) -> Moments:
    """Class sums, means and variances, from the first sums over rows."""
    class_sums, squares = first.class_sums, first.squares
    total = first.class_weight.sum()
    shift = class_sums.sum(axis=0) / total
    mean, variance = first.origin + shift, np.maximum(squares / total - shift**2, 0.0)
    if data.sparse:
        doubtful = np.flatnonzero((shift != 0) & (variance <= CONSTANT * shift**2))
        if len(doubtful):
            mean[doubtful], variance[doubtful] = _centred_moments(data, doubtful, total)
    return Moments(first.class_weight, class_sums, first.origin, mean, variance)


def _squares(data: RowSource, first: FirstSums) -> np.ndarray:
    """Sums of squares, (d,): from an origin near the columns, or from zero without an intercept."""
    if data.fit_intercept:
        return first.squares
    with np.errstate(over="ignore"):
        squares: np.ndarray = first.squares + first.class_weight.sum() * first.origin**2
    return squares


def out_of_range(data: RowSource, first: FirstSums) -> np.ndarray:
    """Columns whose sum of squares has overflowed, or has lost digits to underflow, (d,)."""
    squares = _squares(data, first)
    something = (first.class_sums != 0).any(axis=0)
    if not data.fit_intercept:
        something |= first.origin != 0
    least = LEAST_SQUARES * first.class_weight.sum()
    lost = (squares <= least) & ((squares > 0) | something)
    return lost | ~np.isfinite(squares)


def check_overflow(data: RowSource, first: FirstSums) -> None:
    """Refuse columns whose squares are beyond float64."""
    finite = np.isfinite(_squares(data, first))
    if not finite.all():
        column = int(np.argmin(finite))
        raise ValueError(f"X has numbers in column {column} whose squares overflow: scale it.")


def _centred_moments(
    data: RowSource, columns: np.ndarray, total: float
) -> tuple[np.ndarray, np.ndarray]:
    """Means and variances of sparse columns that vary little: exact where they do not vary."""
    some: np.ndarray = data.gather(data.map(_first_row, columns))[0]
    shift = data.sum(_powers, columns, some, 0.0, 1) / total
    return some + shift, data.sum(_powers, columns, some, shift, 2) / total


def _first_row(data: LocalRows, columns: np.ndarray) -> np.ndarray:
    return data.X[[0]][:, columns].toarray()[0].astype(np.float64)


def _powers(
    data: LocalRows, columns: np.ndarray, origin: np.ndarray, shift: Any, power: int
) -> np.ndarray:
    """Weighted sums of powers of x - origin - shift, column by column."""
    weight = np.ones(data.n_rows) if data.weight is None else data.weight
    result = np.empty(len(columns))
    for i, (x0, move) in enumerate(np.broadcast(origin, shift)):
        x = data.X[:, [columns[i]]].toarray()[:, 0].astype(np.float64)
        result[i] = weight @ ((x - x0) - move) ** power
    return result


def _sum_of_squares(x: Any, weight: np.ndarray, space: np.ndarray | None) -> np.ndarray:
    """Weighted squares of a block summed over its rows, some rows at a time, in float64."""
    total = _weighted_squares(x, weight, space)
    if not np.isfinite(total).all() and not weight.all():  # rows without weight do not overflow
        total = _weighted_squares(x[weight > 0], weight[weight > 0], space)
    return total


def _weighted_squares(x: Any, weight: np.ndarray, space: np.ndarray | None) -> np.ndarray:
    """`_sum_of_squares`, with infinity or NaN where squares overflow."""
    total = np.zeros(x.shape[1])
    step = max(1, SQUARES * x.shape[0] // max(x.nnz, 1)) if space is None else len(space)
    with np.errstate(over="ignore", invalid="ignore"):  # a weight of zero times infinity is NaN
        for rows in (slice(start, start + step) for start in range(0, x.shape[0], step)):
            some = x[rows]
            if space is None:
                squares = some.astype(np.float64).power(2)
            else:
                squares = np.square(some, out=space[: len(some)])
            total += product(weight[None, rows], squares)[0]
    return total


def middle(data: LocalRows) -> np.ndarray:
    """Upper median of a few rows: a constant column exactly, the middle of others nearly.

    They are rows that weigh. A placeholder of -1e9 in rows without weight would cost nine digits.
    Zero for a sparse X.
    """
    few = _few_rows(data)
    return few[len(few) // 2]


def _origin(data: LocalRows) -> np.ndarray:
    """The middle where that is far from zero, else zero, so that most X can be read as they are."""
    few = _few_rows(data)
    middle, spread = few[len(few) // 2], few[-1] - few[0]
    return np.where(np.abs(middle) > FAR * spread, middle, 0.0)


def _few_rows(data: LocalRows) -> np.ndarray:
    """Columns of a few rows, sorted."""
    if data.sparse:
        return np.zeros((1, data.n_features))
    few = np.array(data.X[some_rows(data.n_rows, data.weight)], dtype=np.float64)
    few.sort(axis=0)
    return few


def some_rows(n: int, weight: np.ndarray | None) -> Any:
    """A few rows, evenly spaced by weight."""
    if weight is None:
        return slice(0, n, -(-n // FEW))
    upto = np.cumsum(weight)
    return np.searchsorted(upto, upto[-1] * (np.arange(FEW) + 0.5) / FEW)
