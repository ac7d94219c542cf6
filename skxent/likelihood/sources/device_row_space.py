"""Coordinates of the row space of rows on a device; the device factors the rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from skxent.inputs.features import AnyArray
from skxent.likelihood.sources.device_arrays import DeviceArrays, received
from skxent.likelihood.sources.first_sums import Moments
from skxent.likelihood.sources.row_space import RowSpace, independent_rows, reciprocal

Rows = TypeVar("Rows", bound=DeviceArrays)


@dataclass(frozen=True)
class DeviceRotation:
    """A matrix Q with orthonormal columns, on the device of `data`."""

    data: DeviceArrays
    Q: AnyArray

    def times(self, parameters: np.ndarray, transposed: bool = False) -> np.ndarray:
        """Parameters times Q, or times Q' if `transposed`."""
        Q = self.Q.T if transposed else self.Q
        return received(self.data.xp.matmul(self.data.sent(parameters), Q))


def row_space(data: Rows, moments: Moments) -> RowSpace[Rows]:
    """Factor all rows, see `row_space.row_space`."""
    centre = moments.centre(data.fit_intercept)
    rows = data.read(slice(0, data.n_rows), data.sent(centre))
    Q, upper = data.xp.linalg.qr(rows.T, mode="reduced")
    size = data.xp.abs(upper)
    kept = data.xp.max(size, axis=1) > data.eps**2 * data.xp.max(size)
    L = upper.T * data.xp.astype(kept, data.dtype)
    return RowSpace(replace(data, X=L), DeviceRotation(data, Q), centre, np.arange(len(centre)))


def independent_row_space(data: Rows, moments: Moments) -> RowSpace[Rows]:
    """Factor independent rows only, see `row_space.independent_row_space`.

    The rank is that of the rows with positive weight.
    """
    xp, centre = data.xp, moments.centre(data.fit_intercept)
    size = np.sqrt(moments.mean_square())
    rows = data.read(slice(0, data.n_rows), data.sent(centre))
    weighted = rows
    if data.weight is not None:
        weighted = rows * xp.astype(data.weight > 0, data.dtype)[:, None]
    _, upper = xp.linalg.qr((weighted * data.sent(reciprocal(size))).T, mode="reduced")
    chosen, combinations = independent_rows(received(upper), max(data.X.shape), data.eps)
    order = np.argsort(-size, kind="stable")
    some = xp.take(rows, data.index(chosen), axis=0).T
    Q, upper = xp.linalg.qr(xp.take(some, data.index(order), axis=0), mode="reduced")
    L = data.sent(combinations @ received(upper).T)
    if data.weight is not None:
        projected = xp.matmul(xp.take(rows, data.index(order), axis=1), Q)
        L = xp.where(data.weight[:, None] > 0, L, projected)
    return RowSpace(replace(data, X=L), DeviceRotation(data, Q), centre, order)
