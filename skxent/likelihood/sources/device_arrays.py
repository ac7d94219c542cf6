"""Rows, targets and weights of a fit as arrays on one device, of any array API library.

All computations use functions of the array API standard. Parameters are copied to the device and
sums are copied back; sums are float64 if the device supports it. Rows stay on the device and are
read in batches, which limits the memory needed in addition to X. Batches are large, because a
device is fast only on large arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from types import ModuleType
from typing import Self, TypeVar

import numpy as np

from skxent.inputs.features import AnyArray
from skxent.inputs.namespaces import library_of, moved, to_numpy, widest_float
from skxent.likelihood import tuning
from skxent.likelihood.sources.arrays import RowShape, balanced_offset
from skxent.likelihood.sources.blocks import add

Sum = TypeVar("Sum")


@dataclass(frozen=True)
class DeviceArrays(RowShape):
    """Rows, targets and weights as arrays of one library on one device.

    Parameters
    ----------
    X : (n, d) array
    targets : (n,) or (n, K) array
        Class codes of any integer type, or soft rows of type `dtype`.
    weight : (n,) array or None
        Of type `dtype`.
    n_classes : int
    fit_intercept : bool
    offset : (R, n) array or None
        As in `RowArrays`, of type `dtype`.
    """

    X: AnyArray
    targets: AnyArray
    weight: AnyArray | None
    n_classes: int
    fit_intercept: bool = True
    offset: AnyArray | None = None

    @property
    def n_rows(self) -> int:
        """Number of rows, n."""
        return int(self.X.shape[0])

    @property
    def n_features(self) -> int:
        """Number of columns of X, d."""
        return int(self.X.shape[1])

    @cached_property
    def xp(self) -> ModuleType:
        """Namespace of the arrays."""
        return library_of(self.X)

    @cached_property
    def dtype(self) -> object:
        """Floating-point type of the sums: the widest that the device supports."""
        return widest_float(self.xp, self.X.device)

    @property
    def eps(self) -> float:
        """Machine epsilon of `dtype`."""
        return float(self.xp.finfo(self.dtype).eps)

    def batches(self) -> list[slice]:
        """Slices of rows, one for each batch."""
        return batches(self.X.shape, self.n_outputs)

    def total_of(self, function: Callable[[slice], Sum]) -> Sum:
        """Sum of ``function(batch)`` over all batches."""
        return reduce(add, map(function, self.batches()))

    def read(self, rows: slice, centre: AnyArray | None) -> AnyArray:
        """Rows of a batch; if `centre` is given, converted to `dtype`, with `centre` subtracted."""
        x = self.X[rows, :]
        return x if centre is None else self.xp.astype(x, self.dtype, copy=False) - centre

    def target_block(self, rows: slice) -> AnyArray:
        """Targets of a batch as distributions over classes, class-major (K, m)."""
        targets = self.targets[rows, ...]
        if targets.ndim == 2:
            return (targets / self.xp.sum(targets, axis=1, keepdims=True)).T
        k = self.xp.arange(self.n_classes, dtype=targets.dtype, device=self.X.device)
        return self.xp.astype(targets[None, :] == k[:, None], self.dtype)

    def weigh(self, values: AnyArray, rows: slice) -> AnyArray:
        """Multiply by the weights of a batch; samples run along the last axis."""
        return values if self.weight is None else values * self.weight[rows]

    def with_offset(self, logits: AnyArray, rows: slice) -> AnyArray:
        """Add the offset of a batch to logits (R, m), if there is one."""
        return logits if self.offset is None else logits + self.offset[:, rows]

    def sent(self, values: np.ndarray) -> AnyArray:
        """Copy an array of numbers to the device."""
        return moved(np.ascontiguousarray(values), self.X)

    def index(self, places: np.ndarray) -> AnyArray:
        """Copy an array of indices to the device."""
        return self.xp.asarray(places.astype(np.int64), device=self.X.device)

    def with_classes(self, mask: np.ndarray) -> Self:
        """The same rows with only the classes in `mask`; rows of other classes must weigh zero."""
        xp, n_classes = self.xp, int(np.count_nonzero(mask))
        if self.targets.ndim == 1:
            codes = moved(np.maximum(np.cumsum(mask) - 1, 0), self.X)
            targets = xp.take(codes, xp.astype(self.targets, xp.int64))
        else:
            targets = xp.take(self.targets, moved(np.flatnonzero(mask), self.X), axis=1)
            empty = xp.max(targets, axis=1, keepdims=True) <= 0
            # These rows have weight zero: their target is not used, but must be a distribution.
            targets = xp.where(empty, xp.ones_like(targets), targets)
        offset = self.offset
        if offset is not None and not mask.all():
            offset = balanced_offset(xp.take(offset, self.index(np.flatnonzero(mask)), axis=0))
        return replace(self, targets=targets, n_classes=n_classes, offset=offset)

    def with_columns(self, columns: np.ndarray, exponents: np.ndarray | None = None) -> Self:
        """A copy with only the given columns, each multiplied by 2^exponent."""
        X = self.xp.take(self.X, self.index(columns), axis=1)
        if exponents is not None:
            half = exponents // 2  # 2^exponent in one factor may overflow or underflow
            X = self.xp.astype(X, self.dtype) * self.sent(np.ldexp(1.0, half))
            X = X * self.sent(np.ldexp(1.0, exponents - half))
        return replace(self, X=X)

    def scaled_columns(self, columns: np.ndarray, centre: np.ndarray, scale: np.ndarray) -> Self:
        """A copy of some columns, less `centre` and times `scale`."""
        X = self.with_columns(columns).read(slice(0, self.n_rows), self.sent(centre))
        return replace(self, X=X * self.sent(scale))

    def with_more_columns(self, others: DeviceArrays, columns: np.ndarray) -> Self:
        """A copy of these rows with some columns of other rows appended."""
        more = self.xp.astype(others.with_columns(columns).X, self.dtype, copy=False)
        return replace(self, X=self.xp.concat([self.X, more], axis=1))


def batches(shape: tuple[int, ...], n_outputs: int) -> list[slice]:
    """Cut rows of shape `shape` into batches; a row has `n_outputs` logits."""
    n, d = shape
    return runs(n, max(1, tuning.DEVICE_BATCH_ELEMENTS // (d + 2 * n_outputs)))


def runs(n: int, most: int) -> list[slice]:
    """Slices that cover range(n), of about equal length, with at most `most` entries each."""
    step = -(-n // -(-n // most))
    return [slice(a, min(a + step, n)) for a in range(0, n, step)]


def received(sums: AnyArray) -> np.ndarray:
    """Copy sums from the device to a float64 NumPy array."""
    return np.array(to_numpy(sums), dtype=np.float64)
