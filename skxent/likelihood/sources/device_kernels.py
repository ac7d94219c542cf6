"""The functions of `kernels` for arrays on devices, written with the array API standard.

Logits Z are class-major, (R, m), R = 1 for two classes. Inputs are not changed.
"""

from __future__ import annotations

from types import ModuleType

from skxent.inputs.features import AnyArray
from skxent.likelihood import tuning


def log_partition(xp: ModuleType, Z: AnyArray) -> tuple[AnyArray, AnyArray]:
    """Log-partition A of each column of logits and its gradient, see `kernels.log_partition`.

    For one logit it is log(2 cosh(z / 2)) = |z| / 2 + log(1 + exp(-|z|)), whose gradient is
    tanh(z / 2) / 2.
    """
    if Z.shape[0] == 1:
        size = xp.abs(Z[0, :])
        return 0.5 * size + xp.log1p(xp.exp(-size)), 0.5 * xp.tanh(0.5 * Z)
    top = xp.max(Z, axis=0)
    P = xp.exp(Z - top)
    total = xp.sum(P, axis=0)
    return top + xp.log(total), P / total


def losses_and_residuals(xp: ModuleType, Z: AnyArray, Y: AnyArray) -> tuple[AnyArray, AnyArray]:
    """Losses and residuals without cancellation, see `kernels.losses_and_residuals`."""
    if Z.shape[0] == 1:
        z, y = Z[0, :], Y[0, :]
        size = xp.abs(z)
        e = xp.exp(-size)
        unlikely, right = e / (1.0 + e), z >= 0
        losses = size * xp.where(right, 1.0 - y, y) + xp.log1p(e)
        return losses, xp.where(right, (1.0 - y) - unlikely, unlikely - y)[None, :]
    top = xp.max(Z, axis=0)
    behind = top - Z
    E = xp.exp(-behind)
    total = xp.sum(E, axis=0)
    P = E / total
    ahead = behind == 0
    ties = xp.sum(xp.astype(ahead, Z.dtype), axis=0) - 1.0
    rest = xp.sum(xp.where(ahead, xp.zeros_like(E), E), axis=0) + ties
    losses = xp.sum(Y * behind, axis=0) + xp.log1p(rest) * xp.sum(Y, axis=0)
    sure = Y == 1
    others = xp.sum(xp.where(sure, xp.zeros_like(P), P), axis=0)
    return losses, xp.where(sure, -others[None, :], P - Y)


def moved_probabilities(xp: ModuleType, Z: AnyArray, Q: AnyArray) -> AnyArray:
    """First-order changes of the probabilities if the logits Z change by Q.

    See `kernels.move_probabilities`.
    """
    if Z.shape[0] == 1:
        E = xp.exp(-xp.abs(Z))
        return Q * E / (1.0 + E) ** 2
    P = log_partition(xp, Z)[1]
    return P * (Q - xp.sum(P * Q, axis=0))


def undecided_range(xp: ModuleType, Z: AnyArray, Q: AnyArray) -> AnyArray:
    """Largest difference of changes of logits in reach, see `kernels.undecided_range`."""
    if Z.shape[0] == 1:
        change, margin = xp.abs(Q[0, :]), xp.abs(Z[0, :])
        decided = (margin > tuning.DECIDED_MARGIN) & (margin > 2.0 * change)
        return xp.where(decided, xp.zeros_like(change), change)
    most, least = xp.max(Q, axis=0), xp.min(Q, axis=0)
    margin = xp.max(Z, axis=0) - Z
    near = (margin <= tuning.DECIDED_MARGIN) | (margin <= 2.0 * (most - least))
    return xp.max(xp.where(near, Q, least), axis=0) - xp.min(xp.where(near, Q, most), axis=0)
