"""Rows that are arrays of another library than NumPy, on a device of theirs: a place of one part.

What a fit asks of its rows, `rows`, `grams` and `moments` answer for arrays of NumPy. Here and in
`device_grams` are the same sums, by functions of the array API standard alone; `ANSWERS` has one
for each question. Parameters go to the device and sums come back, as large as parameters or their
curvature. Rows stay, and no sample of them is drawn. Sums are of float64 where the device has it.

Rows are taken in batches, which bound what there is besides X. They are large: a device wants much
to do at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property, reduce
from types import ModuleType
from typing import Any, Self

import numpy as np

from skxent.inputs.namespaces import library_of, moved, to_numpy, widest_float
from skxent.likelihood.coordinates.rank import (
    centre_of,
    column_products,
    independent_rows,
    reciprocal,
)
from skxent.likelihood.coordinates.row_space import RowSpace
from skxent.likelihood.coordinates.units import largest_of
from skxent.likelihood.optimise.returned import sum_of_losses
from skxent.likelihood.sources import device_columns, device_grams, local_grams
from skxent.likelihood.sources.base import Add, Function, Here, add
from skxent.likelihood.sources.device_grams import runs
from skxent.likelihood.sources.device_kernels import (
    log_partition,
    losses_and_residuals,
    moved_probabilities,
)
from skxent.likelihood.sources.local_rows import LocalRows, weight_range
from skxent.likelihood.sources.local_sums import LocalSums
from skxent.likelihood.sources.moments import FEW, FirstSums, Moments, some_rows

ELEMENTS = 1 << 21  # rows and logits of one batch: 16 megabytes of float64

Array = Any  # of the standard


class OnDevice(Here):
    """Whoever is asked for something gives what `ANSWERS` has for it."""

    def prepared(self, kind: Function, *args: Any) -> Any:
        """What stands for `kind` on a device."""
        return ANSWERS[kind](self, *args)

    def map(self, function: Function, *args: Any) -> Any:
        """Call what stands for `function` on a device."""
        return ANSWERS[function](self, *args)

    def sum(self, function: Function, *args: Any, add: Add = add) -> Any:
        """Call what stands for `function` on a device."""
        return ANSWERS[function](self, *args)


class DeviceRows(OnDevice, LocalRows):
    """`LocalRows` whose arrays are of one library, on one device.

    Targets are codes, whole numbers of any width, or soft rows. Soft rows and weights are in the
    widest floats that the device has.
    """

    immovable = True

    @cached_property
    def xp(self) -> ModuleType:
        """Namespace of the arrays."""
        return library_of(self.X)

    @cached_property
    def dtype(self) -> Any:
        """Floats of sums."""
        return widest_float(self.xp, self.X.device)

    @property
    def eps(self) -> float:  # type: ignore[override]
        """Rounding of sums, relative."""
        return float(self.xp.finfo(self.dtype).eps)

    def with_columns(self, columns: np.ndarray, exponents: np.ndarray | None = None) -> Self:
        """These rows with some of their columns, times powers of two, in a copy."""
        X = self.xp.take(self.X, _index(self, columns), axis=1)
        if exponents is not None:
            half = exponents // 2  # the whole power may be beyond the floats
            X = self.xp.astype(X, self.dtype) * self.sent(np.ldexp(1.0, half))
            X = X * self.sent(np.ldexp(1.0, exponents - half))
        return replace(self, X=X)

    def batches(self) -> list[slice]:
        """Slices of rows."""
        return batches(self.X.shape, self.n_outputs)

    def total_of(self, function: Callable[[slice], Any]) -> Any:
        """Sums over batches, of which a function tells those of one."""
        return reduce(add, map(function, self.batches()))

    def read(self, rows: slice, offset: Array) -> Array:
        """A batch in the floats of sums, less `offset` if there is one."""
        x = self.X[rows, :]
        return x if offset is None else self.xp.astype(x, self.dtype, copy=False) - offset

    def of_classes(self, mask: np.ndarray) -> Self:
        """The same rows for some of the classes; those of the others have no weight."""
        xp, n_classes = self.xp, int(np.count_nonzero(mask))
        if self.targets.ndim == 1:
            codes = moved(np.maximum(np.cumsum(mask) - 1, 0), self.X)
            targets = xp.take(codes, xp.astype(self.targets, xp.int64))
        else:
            targets = xp.take(self.targets, moved(np.flatnonzero(mask), self.X), axis=1)
            empty = xp.max(targets, axis=1, keepdims=True) <= 0
            targets = xp.where(empty, xp.ones_like(targets), targets)  # any distribution will do
        return replace(self, targets=targets, n_classes=n_classes)

    def target_block(self, rows: slice) -> Array:
        """Targets of a batch as distributions, class-major (K, m)."""
        targets = self.targets[rows, ...]
        if targets.ndim == 2:
            return (targets / self.xp.sum(targets, axis=1, keepdims=True)).T
        k = self.xp.arange(self.n_classes, dtype=targets.dtype, device=self.X.device)
        return self.xp.astype(targets[None, :] == k[:, None], self.dtype)

    def weigh(self, values: Array, rows: slice) -> Array:
        """Multiply by the weights of a batch; samples run along the last axis."""
        return values if self.weight is None else values * self.weight[rows]

    def sent(self, values: np.ndarray) -> Array:
        """Parameters on the device."""
        return moved(np.ascontiguousarray(values), self.X)


def batches(shape: tuple[int, int], n_outputs: int) -> list[slice]:
    """Slices of the rows of X, where each has so many logits."""
    n, d = shape
    return runs(n, max(1, ELEMENTS // (d + 2 * n_outputs)))


def received(sums: Array) -> np.ndarray:
    """Sums from the device, in float64."""
    return np.array(to_numpy(sums), dtype=np.float64)


def device_weight_range(data: DeviceRows) -> tuple[float, float]:
    """The smallest weight above zero, and the largest, see `weight_range`."""
    if data.weight is None:
        return 1.0, 1.0
    xp, weight = data.xp, data.weight
    above = xp.where(weight > 0, weight, xp.full_like(weight, xp.inf))
    return float(xp.min(above)), float(xp.max(weight))


def first_sums(data: DeviceRows) -> FirstSums:
    """Sums of x - origin and of their squares, see `FirstSums`."""
    xp = data.xp
    few = xp.sort(xp.astype(_some_rows(data), data.dtype), axis=0)
    origin = few[few.shape[0] // 2, :]

    def sums(rows: slice) -> tuple[Array, Array, Array]:
        x = data.read(rows, origin)
        Y = data.weigh(data.target_block(rows), rows)
        weight = xp.sum(Y, axis=0)
        if data.weight is not None:  # rows without weight do not overflow
            x = xp.where((weight > 0)[:, None], x, xp.zeros_like(x))
        return xp.sum(Y, axis=1), xp.matmul(Y, x), xp.matmul(weight, x * x)

    with np.errstate(over="ignore"):  # array-api-strict computes with NumPy
        return FirstSums(received(origin), *map(received, data.total_of(sums)))


def _some_rows(data: DeviceRows) -> Array:
    """A few rows, evenly spaced by weight, see `moments.some_rows`."""
    if data.weight is None:
        return data.X[some_rows(data.n_rows, None), :]
    xp = data.xp
    upto = xp.cumulative_sum(data.weight)
    evenly = data.sent((np.arange(FEW) + 0.5) / FEW)
    return xp.take(data.X, xp.searchsorted(upto, upto[-1] * evenly), axis=0)


def _index(data: DeviceRows, places: np.ndarray) -> Array:
    return data.xp.asarray(places.astype(np.int64), device=data.X.device)


class DeviceRowSpace(RowSpace):
    """`RowSpace` with its arrays on the device, where the rows are factored too."""

    @classmethod
    def of(cls, data: LocalRows, moments: Moments) -> Self:
        """Factor the rows, see `RowSpace.of`."""
        assert isinstance(data, DeviceRows)
        centre = centre_of(data, moments)
        rows = data.read(slice(0, data.n_rows), data.sent(centre))
        Q, upper = data.xp.linalg.qr(rows.T, mode="reduced")
        size = data.xp.abs(upper)
        kept = data.xp.max(size, axis=1) > data.eps**2 * data.xp.max(size)
        L = upper.T * data.xp.astype(kept, data.dtype)
        return cls(replace(data, X=L), Q, centre, np.arange(len(centre)))

    @classmethod
    def identified(cls, data: LocalRows, moments: Moments) -> Self:
        """Factor independent rows alone, see `RowSpace.identified`.

        Rows without weight are zero where the rank is found.
        """
        assert isinstance(data, DeviceRows)
        xp, centre, size = data.xp, centre_of(data, moments), np.sqrt(moments.mean_square())
        rows = data.read(slice(0, data.n_rows), data.sent(centre))
        weighty = rows
        if data.weight is not None:
            weighty = rows * xp.astype(data.weight > 0, data.dtype)[:, None]
        _, upper = xp.linalg.qr((weighty * data.sent(reciprocal(size))).T, mode="reduced")
        chosen, combinations = independent_rows(received(upper), max(data.X.shape), data.eps)
        order = np.argsort(-size, kind="stable")
        some = xp.take(rows, _index(data, chosen), axis=0).T
        Q, upper = xp.linalg.qr(xp.take(some, _index(data, order), axis=0), mode="reduced")
        L = data.sent(combinations @ received(upper).T)
        if data.weight is not None:
            projected = xp.matmul(xp.take(rows, _index(data, order), axis=1), Q)
            L = xp.where(data.weight[:, None] > 0, L, projected)
        return cls(replace(data, X=L), Q, centre, order)

    def times(self, parameters: np.ndarray, transposed: bool = False) -> np.ndarray:
        """Parameters times Q, or its transpose."""
        data = self.data
        assert isinstance(data, DeviceRows)
        Q = self.Q.T if transposed else self.Q
        return received(data.xp.matmul(data.sent(parameters), Q))


class DeviceSums(OnDevice):
    """Samples measured from a centre, and sums over them, as `LocalSums` has them.

    Where rows must be copied, because they are of other floats or logits would cancel, the copy is
    centred, and kept if all rows are of one batch.
    """

    def __init__(self, data: DeviceRows, centre: np.ndarray | None, far: bool) -> None:
        self.data, self.xp = data, data.xp
        self.centre, self._offset, self._kept = centre, None, None
        if far or data.X.dtype != data.dtype or data.eps > LocalRows.eps:
            self.centre = None
            self._offset = data.sent(np.zeros(data.n_features) if centre is None else centre)
            if len(batches := data.batches()) == 1:
                self._kept = self.read(batches[0])

    def read(self, rows: slice) -> Array:
        """A batch, (m, d), less the centre if `centre` is None."""
        return self.data.read(rows, self._offset) if self._kept is None else self._kept

    def for_batches(self, theta: np.ndarray) -> Array:
        """Parameters on the device, that give the logits from batches as they are read."""
        if self.centre is not None:
            theta = theta.copy()
            theta[:, -1] -= theta[:, :-1] @ self.centre
        return self.data.sent(theta)

    def logits(self, parameters: Array, x: Array) -> Array:
        """Logits of a batch, (R, m)."""
        d = self.data.n_features
        Z = self.xp.matmul(parameters[:, :d], x.T)
        return Z + parameters[:, d:] if self.data.fit_intercept else Z

    def probabilities(self, parameters: Array, x: Array) -> Array:
        """Probabilities of a batch, (R, m); of the second class where there are two."""
        P = log_partition(self.xp, self.logits(parameters, x))[1]
        return P + 0.5 if P.shape[0] == 1 else P

    def log_partition(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Sum of the weighted log-partition A, and its gradient."""
        parameters, weigh = self.for_batches(theta), self.data.weigh

        def sums(rows: slice) -> tuple[Array, Array]:
            x = self.read(rows)
            A, P = log_partition(self.xp, self.logits(parameters, x))
            return self.xp.sum(weigh(A, rows)), self._outer(weigh(P, rows), x)

        partition, gradient = self.data.total_of(sums)
        return float(partition), self._recentred(gradient)

    def losses(self, theta: np.ndarray) -> tuple[float, float, np.ndarray]:
        """Sums sample by sample, see `LocalSums.losses`."""
        parameters, weigh = self.for_batches(theta), self.data.weigh

        def sums(rows: slice) -> tuple[Array, Array, Array]:
            x, Y = self.read(rows), self.data.target_block(rows)
            Z = self.logits(parameters, x)
            losses, R = losses_and_residuals(self.xp, Z, Y[1:, :] if Z.shape[0] == 1 else Y)
            R = weigh(R, rows)
            sensitivity = self.xp.sum(self.xp.abs(R * Z))
            return self.xp.sum(weigh(losses, rows)), sensitivity, self._outer(R, x)

        loss, sensitivity, gradient = self.data.total_of(sums)
        return float(loss), float(sensitivity), self._recentred(gradient)

    def moved(self, theta: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """Move of the gradient of A along `direction`."""
        at, along = self.for_batches(theta), self.for_batches(direction)

        def sums(rows: slice) -> Array:
            x = self.read(rows)
            Q = moved_probabilities(self.xp, self.logits(at, x), self.logits(along, x))
            return self._outer(self.data.weigh(Q, rows), x)

        return self._recentred(self.data.total_of(sums))

    def largest_move(self, direction: np.ndarray) -> float:
        """Largest change of a logit relative to the others of its sample, along `direction`."""
        xp, along, most = self.xp, self.for_batches(direction), 0.0
        for rows in self.data.batches():
            Q = self.logits(along, self.read(rows))
            moves = xp.max(Q, axis=0) - xp.min(Q, axis=0) if Q.shape[0] > 1 else xp.abs(Q[0, :])
            if self.data.weight is not None:
                moves = xp.where(self.data.weight[rows] > 0, moves, xp.zeros_like(moves))
            most = max(most, float(xp.max(moves)))
        return most

    def _outer(self, R: Array, x: Array) -> Array:
        """Sums over samples of r x', for rows as they are read; an intercept is a one they lack."""
        sums = self.xp.matmul(R, x)
        if not self.data.fit_intercept:
            return sums
        return self.xp.concat([sums, self.xp.sum(R, axis=1, keepdims=True)], axis=1)

    def _recentred(self, sums: Array) -> np.ndarray:
        """Sums over x, turned to sums over x less the centre."""
        result = received(sums)
        if self.centre is not None:
            result[:, :-1] -= np.outer(result[:, -1], self.centre)
        return result


ANSWERS: dict[Function, Function] = {
    FirstSums.of: first_sums,
    weight_range: device_weight_range,
    RowSpace.of: DeviceRowSpace.of,
    RowSpace.identified: DeviceRowSpace.identified,
    column_products: device_columns.column_products,
    sum_of_losses: device_columns.sum_of_losses,
    largest_of: device_columns.largest_of,
    LocalSums: DeviceSums,
    LocalSums.log_partition: DeviceSums.log_partition,
    LocalSums.losses: DeviceSums.losses,
    LocalSums.moved: DeviceSums.moved,
    LocalSums.largest_move: DeviceSums.largest_move,
    local_grams.pair_gram: device_grams.pair_gram,
    local_grams.own_gram: device_grams.own_gram,
    local_grams.own_squares: device_grams.own_squares,
}
