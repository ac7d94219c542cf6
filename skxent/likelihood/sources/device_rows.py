"""`DeviceRows`: the row source of rows on a device."""

from __future__ import annotations

from typing import ClassVar, NoReturn, Self

import numpy as np

from skxent.inputs.features import AnyArray
from skxent.likelihood import tuning
from skxent.likelihood.sources.device_arrays import DeviceArrays, received
from skxent.likelihood.sources.device_kernels import log_partition
from skxent.likelihood.sources.device_offsets import offset_sums_of
from skxent.likelihood.sources.device_row_space import independent_row_space, row_space
from skxent.likelihood.sources.device_sums import DeviceSums
from skxent.likelihood.sources.first_sums import FirstSums, Moments, evenly_spaced_rows
from skxent.likelihood.sources.row_space import AnyRowSpace, scaled_row_space
from skxent.likelihood.sources.sampling import Scores


class DeviceRows(DeviceArrays):
    """Rows, targets and weights on a device, see `DeviceArrays`; implements `RowSource`."""

    can_sample: ClassVar[bool] = False
    sparse: ClassVar[bool] = False

    def in_memory(self) -> None:
        """Return None, because the rows are on the device."""

    def first_sums(self) -> FirstSums:
        """Compute the sums that determine the moments, in one read of X."""
        xp = self.xp
        few = xp.sort(xp.astype(self._few_rows(), self.dtype), axis=0)
        origin = few[few.shape[0] // 2, :]

        def sums(rows: slice) -> tuple[AnyArray, AnyArray, AnyArray]:
            x = self.read(rows, origin)
            Y = self.weigh(self.target_block(rows), rows)
            weight = xp.sum(Y, axis=0)
            if self.weight is not None:  # rows of weight zero must not overflow
                x = xp.where((weight > 0)[:, None], x, xp.zeros_like(x))
            return xp.sum(Y, axis=1), xp.matmul(Y, x), xp.matmul(weight, x * x)

        with np.errstate(over="ignore"):  # array-api-strict computes with NumPy
            class_weight, class_sums, squares = map(received, self.total_of(sums))
            known = offset_sums_of(self)
            return FirstSums(received(origin), class_weight, class_sums, squares, known)

    def _few_rows(self) -> AnyArray:
        """A few rows, evenly spaced in cumulative weight."""
        if self.weight is None:
            return self.X[evenly_spaced_rows(self.n_rows, None), :]
        xp = self.xp
        upto = xp.cumulative_sum(self.weight)
        evenly = self.sent((np.arange(tuning.MIDDLE_ROWS) + 0.5) / tuning.MIDDLE_ROWS)
        return xp.take(self.X, xp.searchsorted(upto, upto[-1] * evenly), axis=0)

    def weight_range(self) -> tuple[float, float]:
        """Smallest and largest positive weight."""
        if self.weight is None:
            return 1.0, 1.0
        xp, weight = self.xp, self.weight
        above = xp.where(weight > 0, weight, xp.full_like(weight, xp.inf))
        return float(xp.min(above)), float(xp.max(weight))

    def sum_of_losses(self, coef: np.ndarray, intercept: np.ndarray) -> float:
        """Weighted sum of losses without cancellation; parameters are those for uncentred rows."""
        xp, W, b = self.xp, self.sent(coef), self.sent(intercept)

        def losses(rows: slice) -> AnyArray:
            Z = xp.matmul(W, xp.astype(self.X[rows, :], self.dtype, copy=False).T) + b[:, None]
            Z = self.with_offset(Z, rows)
            Y = self.target_block(rows)
            if Z.shape[0] == 1:  # |z| times the target of the less probable class
                size = xp.abs(Z[0, :])
                denied = xp.where(Z[0, :] >= 0, Y[0, :], Y[1, :])
                loss = size * denied + xp.log1p(xp.exp(-size))
            else:
                short = xp.max(Z, axis=0) - Z
                loss = xp.sum(short * Y, axis=0) + log_partition(xp, -short)[0]
            if self.weight is not None:
                weight = self.weight[rows]
                loss = xp.where(weight > 0, loss * weight, xp.zeros_like(loss))
            return xp.sum(loss)

        return float(self.total_of(losses))

    def largest_distance(self, columns: np.ndarray, origin: np.ndarray) -> np.ndarray:
        """Largest distance from `origin` in each given column, over rows with positive weight."""
        xp, most = self.xp, np.zeros(len(columns))
        for i, column in enumerate(columns.tolist()):
            x = xp.abs(xp.astype(self.X[:, column], self.dtype) - float(origin[i]))
            if self.weight is not None:
                x = xp.where(self.weight > 0, x, xp.zeros_like(x))
            most[i] = float(xp.max(x))
        return most

    def column_products(
        self, centre: np.ndarray, scale: np.ndarray, V: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Weighted X' E and E' E for the centred and scaled X; E is X V, or X if V is None."""
        xp, unit, middle = self.xp, self.sent(scale), self.sent(centre)
        there = None if V is None else self.sent(V)

        def sums(rows: slice) -> tuple[AnyArray, AnyArray]:
            x = self.read(rows, middle) * unit
            E = x if there is None else xp.matmul(x, there)
            weighted = self.weigh(E.T, rows).T
            return xp.matmul(x.T, weighted), xp.matmul(E.T, weighted)

        with_X, own = self.total_of(sums)
        return received(with_X), received(own)

    def first_row(self, columns: np.ndarray) -> np.ndarray:
        """Entries of the first row in the given columns, in float64."""
        return received(self.X[0, :])[columns]

    def power_sums(
        self, columns: np.ndarray, origin: np.ndarray, shift: np.ndarray, power: int
    ) -> np.ndarray:
        """Weighted sum over rows of ((x - origin) - shift)^power, for each given column."""
        rows = slice(0, self.n_rows)
        x = self.with_columns(columns).read(rows, self.sent(origin)) - self.sent(shift)
        return received(self.xp.sum(self.weigh((x**power).T, rows), axis=1))

    def without_far_unweighted(self) -> Self:
        """Return these rows, because sums on a device skip rows of weight zero."""
        return self

    def sample(
        self, moments: Moments, centre: np.ndarray, size: int, scores: Scores | None = None
    ) -> NoReturn:
        """Raise NotImplementedError, because rows on a device cannot be sampled."""
        raise NotImplementedError("rows on a device cannot be sampled")

    def row_space(
        self, moments: Moments, independent: bool, scale: np.ndarray | None = None
    ) -> AnyRowSpace[Self]:
        """The rows in coordinates of their row space, on the device, see `RowSource.row_space`."""
        if scale is not None:
            return scaled_row_space(self, moments, independent, scale)
        return independent_row_space(self, moments) if independent else row_space(self, moments)

    def sums(self, centre: np.ndarray | None, far: bool) -> DeviceSums:
        """Sums over the rows less `centre`, see `DeviceSums`."""
        return DeviceSums(self, centre, far)
