"""`LocalRows`: the row source of rows in this process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from sys import float_info
from typing import ClassVar, Self, TypeVar, TypeVarTuple

import numpy as np

from skxent.likelihood import tuning
from skxent.likelihood.row_losses import target_losses
from skxent.likelihood.sources import column_products, row_space, sampling
from skxent.likelihood.sources.arrays import RowArrays
from skxent.likelihood.sources.first_sums import FirstSums, Moments
from skxent.likelihood.sources.local_sums import LocalSums
from skxent.likelihood.sources.row_space import AnyRowSpace
from skxent.likelihood.sources.single_sums import SingleSums
from skxent.likelihood.sources.sparse_single_sums import SparseSingleSums
from skxent.likelihood.sources.stored_sums import StoredSums

Answer = TypeVar("Answer")
Arguments = TypeVarTuple("Arguments")


class LocalRows(RowArrays):
    """Rows, targets and weights in this process, see `RowArrays`; implements `RowSource`."""

    can_sample: ClassVar[bool] = True
    eps: ClassVar[float] = float_info.epsilon

    def in_memory(self) -> Self:
        """Return these rows."""
        return self

    def sum(self, function: Callable[[LocalRows, *Arguments], Answer], *args: *Arguments) -> Answer:
        """Return ``function(self, *args)``, which `PartitionedRows.sum` adds up over partitions."""
        return function(self, *args)

    def first_sums(self) -> FirstSums:
        """Compute the sums that determine the moments, in one read of X."""
        return FirstSums.of(self)

    def weight_range(self) -> tuple[float, float]:
        """Smallest and largest positive weight."""
        if self.weight is None:
            return 1.0, 1.0
        above = self.weight[self.weight > 0]
        return float(above.min(initial=np.inf)), float(above.max(initial=0.0))

    def sum_of_losses(self, coef: np.ndarray, intercept: np.ndarray) -> float:
        """Weighted sum of losses without cancellation; parameters are those for uncentred rows."""
        blocks = self.blocks(None)

        def sums(segment: list[slice]) -> float:
            total, buffer = 0.0, blocks.buffer()
            for rows in segment:
                logits = np.asarray(blocks.read(rows, buffer) @ coef.T + intercept)
                self.add_offset(logits.T, rows)
                losses = target_losses(logits, self.targets[rows])
                if self.weight is not None:
                    weight = self.weight[rows]
                    losses = losses[weight > 0] * weight[weight > 0]
                total += float(losses.sum())
            return total

        try:
            return float(sum(blocks.map(sums)))
        finally:
            blocks.close()

    def largest_distance(self, columns: np.ndarray, origin: np.ndarray) -> np.ndarray:
        """Largest distance from `origin` in each given column, over rows with positive weight."""
        most = np.zeros(len(columns))
        for i, column in enumerate(columns):
            x = self._column(column)
            x = x if self.weight is None else x[self.weight > 0]
            most[i] = np.abs(x - origin[i]).max(initial=0.0)
        return most

    def column_products(
        self, centre: np.ndarray, scale: np.ndarray, V: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Weighted X' E and E' E for the centred and scaled X; E is X V, or X if V is None."""
        return column_products.column_products(self, centre, scale, V)

    def first_row(self, columns: np.ndarray) -> np.ndarray:
        """Entries of the first row in the given columns, in float64."""
        x = self.X[[0]][:, columns]
        return np.asarray(x.toarray() if self.sparse else x, dtype=np.float64)[0]

    def power_sums(
        self, columns: np.ndarray, origin: np.ndarray, shift: np.ndarray, power: int
    ) -> np.ndarray:
        """Weighted sum over rows of ((x - origin) - shift)^power, for each given column."""
        weight = np.ones(self.n_rows) if self.weight is None else self.weight
        result = np.empty(len(columns))
        for i, column in enumerate(columns):
            result[i] = weight @ ((self._column(column) - origin[i]) - shift[i]) ** power
        return result

    def without_row(self, part: int, row: int) -> Self:
        """The same rows; row `row` has weight zero if these are the rows of partition `part`."""
        if part != self.part:
            return self
        weight = np.ones(self.n_rows) if self.weight is None else self.weight.copy()
        weight[row] = 0.0
        return replace(self, weight=weight)

    def without_far_unweighted(self) -> Self:
        """These rows, with others for all rows of weight zero if squares in one of them overflow.

        Otherwise a weight of zero times an infinite square would be NaN. The others are zeros in a
        sparse X, and copies of the row of largest weight in a dense X, which are near after
        centring, too.
        """
        if self.weight is None or self.weight.all():
            return self
        rows = np.flatnonzero(self.weight == 0)
        heaviest = int(self.weight.argmax())
        checked = np.append(heaviest, rows)
        for start in range(0, len(checked), tuning.UNWEIGHTED_ROWS):
            some = self.X[checked[start : start + tuning.UNWEIGHTED_ROWS]]
            largest = float(np.abs(some.data if self.sparse else some).max(initial=0.0))
            if largest > tuning.OVERFLOWING:
                break
        else:
            return self
        X = self.X.copy()
        if self.sparse:
            X.data[np.repeat(self.weight == 0, np.diff(X.indptr))] = 0.0
        else:
            X[rows] = X[heaviest]
        return replace(self, X=X)

    def total_score(self, scores: np.ndarray) -> float:
        """Sum of the scores over all rows."""
        return float(scores.sum())

    def column_scores(
        self, columns: np.ndarray, centre: np.ndarray, moment: np.ndarray
    ) -> np.ndarray:
        """Return each row's part in the second moments of the given columns, (n,).

        See `sampling.column_scores`.
        """
        return sampling.column_scores(self, columns, centre, moment)

    def draw(self, centre: np.ndarray, rate: np.ndarray, *shares: float | np.ndarray) -> Self:
        """Draw rows, see `sampling.draw_rows`."""
        return sampling.draw_rows(self, centre, rate, *shares)

    def sample(
        self, moments: Moments, centre: np.ndarray, size: int, scores: np.ndarray | None = None
    ) -> LocalRows:
        """Draw about `size` rows, see `sampling.draw_sample`."""
        return sampling.draw_sample(self, moments, centre, size, scores)

    def row_space(
        self, moments: Moments, independent: bool, scale: np.ndarray | None = None
    ) -> AnyRowSpace[Self]:
        """The rows in coordinates of their row space, see `RowSource.row_space`."""
        if scale is not None:
            return row_space.scaled_row_space(self, moments, independent, scale)
        factor = row_space.independent_row_space if independent else row_space.row_space
        return factor(self, moments)

    def sums(self, centre: np.ndarray | None, far: bool) -> LocalSums:
        """Sums over the rows less `centre`, see `LocalSums`."""
        kind = StoredSums if self.are_one_block else LocalSums
        return kind(self, centre, far)

    def single_sums(
        self, moments: Moments, centre: np.ndarray | None, *, small: bool = False
    ) -> SingleSums | None:
        """Sums with products in float32, see `SingleSums` and `SparseSingleSums`."""
        kind = SparseSingleSums if self.sparse else SingleSums
        return kind.of(self, moments, centre, small)

    def _column(self, column: int) -> np.ndarray:
        x = self.X[:, [column]]
        return np.asarray(x.toarray() if self.sparse else x, dtype=np.float64)[:, 0]
