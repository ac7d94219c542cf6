"""Sums over rows on a device of their offsets, the counterpart of `OffsetSums.of`."""

from __future__ import annotations

from skxent.inputs.features import AnyArray
from skxent.likelihood.sources.device_arrays import DeviceArrays
from skxent.likelihood.sources.device_kernels import losses_and_residuals
from skxent.likelihood.sources.offset_sums import OffsetSums


def offset_sums_of(data: DeviceArrays) -> OffsetSums | None:
    """Compute the sums; None if the rows have no offset."""
    if data.offset is None:
        return None
    xp, O = data.xp, data.offset
    one = O.shape[0] == 1

    def sums(rows: slice) -> tuple[AnyArray, AnyArray, AnyArray]:
        o, Y = O[:, rows], data.target_block(rows)
        Y = Y[1:, :] if one else Y
        linear = data.weigh(xp.sum((Y - 0.5 if one else Y) * o, axis=0), rows)
        losses, _ = losses_and_residuals(xp, o, Y)
        return xp.sum(linear), xp.sum(xp.abs(linear)), xp.sum(data.weigh(losses, rows))

    linear, size, losses = map(float, data.total_of(sums))
    width = xp.abs(O[0, :]) if one else xp.max(O, axis=0) - xp.min(O, axis=0)
    if data.weight is not None:
        width = xp.where(data.weight > 0, width, xp.zeros_like(width))
    return OffsetSums(linear, size, losses, float(xp.max(width)))
