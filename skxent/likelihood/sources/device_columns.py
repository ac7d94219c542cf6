"""Sums over rows on a device that are no part of a search: see `rank`, `returned`, `units`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from skxent.inputs.namespaces import to_numpy
from skxent.likelihood.sources.device_kernels import log_partition

if TYPE_CHECKING:
    from skxent.likelihood.sources.device_rows import DeviceRows

Array = Any  # of the standard


def column_products(
    data: DeviceRows, centre: np.ndarray, scale: np.ndarray, V: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Weighted X' E and E' E of E = X V, see `rank.column_products`."""
    xp, unit, middle = data.xp, data.sent(scale), data.sent(centre)
    there = None if V is None else data.sent(V)

    def sums(rows: slice) -> tuple[Array, Array]:
        x = data.read(rows, middle) * unit
        E = x if there is None else xp.matmul(x, there)
        weighted = data.weigh(E.T, rows).T
        return xp.matmul(x.T, weighted), xp.matmul(E.T, weighted)

    with_X, own = data.total_of(sums)
    return _received(with_X), _received(own)


def sum_of_losses(data: DeviceRows, coef: np.ndarray, intercept: np.ndarray) -> float:
    """Weighted sum of the losses, see `returned.sum_of_losses`."""
    xp, W, b = data.xp, data.sent(coef), data.sent(intercept)

    def losses(rows: slice) -> Array:
        Z = xp.matmul(W, xp.astype(data.X[rows, :], data.dtype, copy=False).T) + b[:, None]
        Y = data.target_block(rows)
        if Z.shape[0] == 1:  # |z| for the part of the target that the logit denies
            size = xp.abs(Z[0, :])
            denied = xp.where(Z[0, :] >= 0, Y[0, :], Y[1, :])
            loss = size * denied + xp.log1p(xp.exp(-size))
        else:
            short = xp.max(Z, axis=0) - Z
            loss = xp.sum(short * Y, axis=0) + log_partition(xp, -short)[0]
        if data.weight is not None:
            loss = xp.where(data.weight[rows] > 0, loss * data.weight[rows], xp.zeros_like(loss))
        return xp.sum(loss)

    return float(data.total_of(losses))


def largest_of(data: DeviceRows, columns: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """Largest distance from `origin` in some columns, see `units.largest_of`."""
    xp, most = data.xp, np.zeros(len(columns))
    for i, column in enumerate(columns.tolist()):
        x = xp.abs(xp.astype(data.X[:, column], data.dtype) - float(origin[i]))
        if data.weight is not None:
            x = xp.where(data.weight > 0, x, xp.zeros_like(x))
        most[i] = float(xp.max(x))
    return most


def _received(sums: Array) -> np.ndarray:
    return np.array(to_numpy(sums), dtype=np.float64)
