"""The fused kernels of a fit, see `kernels`, in functions of the array API standard.

Logits Z are class-major, (R, m), R = 1 for two classes. Nothing is written in place.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

Array = Any  # of the standard


def log_partition(xp: ModuleType, Z: Array) -> tuple[Array, Array]:
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


def moved_probabilities(xp: ModuleType, Z: Array, Q: Array) -> Array:
    """Moves of the probabilities where logits Z move by Q, see `kernels.move_probabilities`."""
    if Z.shape[0] == 1:
        E = xp.exp(-xp.abs(Z))
        return Q * E / (1.0 + E) ** 2
    P = log_partition(xp, Z)[1]
    return P * (Q - xp.sum(P * Q, axis=0))
