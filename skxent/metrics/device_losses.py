"""Losses of checked blocks of arrays of other libraries than NumPy.

The formulas and their reasons are those of `probability_losses` and, for logits, of
`likelihood.row_losses`. Here no array is changed in place, and none is transposed.
"""

from __future__ import annotations

import numpy as np

from skxent.inputs.namespaces import Array, library_of
from skxent.metrics.floor_warning import Floored

_EXP_IS_ZERO = -800.0  # exp of a smaller number is 0 in float64


# ------------------------------------------------------------------ losses from logits


def categorical_losses(Z: Array, codes: Array) -> Array:
    """Return the cross-entropy of each row's softmax at one class, (n,)."""
    top, log_rest = _partition(Z)
    return (top - _picked(Z, codes)) + log_rest


def soft_logit_losses(Z: Array, Y: Array) -> Array:
    """Return the cross-entropy of each row's softmax with a distribution over classes, (n,)."""
    xp = library_of(Z)
    top, log_rest = _partition(Z)
    shortfall = _where(Y != 0, (top[:, None] - Z) * Y, 0.0)
    return xp.sum(shortfall, axis=1) + log_rest * xp.sum(Y, axis=1)


def binary_losses(z: Array, y: Array) -> Array:
    """Return the cross-entropy of sigmoid(z) with outcomes y in [0, 1], the shape of z."""
    xp = library_of(z)
    size = xp.abs(z)
    denied = xp.where(z >= 0, 1.0 - y, y)
    return _where(denied != 0, size * denied, 0.0) + xp.log1p(xp.exp(-size))


def _partition(Z: Array) -> tuple[Array, Array]:
    """Return the maximum of each row, and log1p of the sum over its other classes."""
    xp = library_of(Z)
    top = xp.max(Z, axis=1)
    gap, lost = _two_difference(Z, top[:, None])
    lost = _where(gap >= _EXP_IS_ZERO, lost, 0.0)
    below = gap != 0
    rest = _where(below, xp.exp(gap) * (1.0 + lost), 0.0)
    ties = xp.sum(xp.astype(~below, Z.dtype), axis=1) - 1.0
    return top, xp.log1p(xp.sum(rest, axis=1) + ties)


def _two_difference(a: Array, b: Array) -> tuple[Array, Array]:
    """Return d = fl(a - b) and the part rounded away (Knuth)."""
    d = a - b
    minus_b = d - a
    return d, (a - (d - minus_b)) - (b + minus_b)


# ------------------------------------------------------------------ losses from probabilities


def label_losses(
    block: Array, codes: Array, max_loss: float, logarithms: bool = False
) -> tuple[Array, Floored]:
    """Return the loss of one class in each row.

    Code -1 stands for a class without a column, whose probability is 0.
    """
    seen = codes >= 0
    picked = _picked(block, _where(seen, codes, 0))
    losses = _where(seen, _minus_log(picked, logarithms), np.inf)
    return library_of(block).clip(losses, 0.0, max_loss), _count(losses > max_loss)


def soft_losses(
    block: Array, Y: Array, max_loss: float, logarithms: bool = False
) -> tuple[Array, Floored]:
    """Return the loss of each row, the classes weighted by the rows of Y."""
    xp, losses, wanted = library_of(block), _minus_log(block, logarithms), Y > 0
    floored = xp.any((losses > max_loss) & wanted, axis=1)
    terms = _where(wanted, xp.clip(losses, 0.0, max_loss) * Y, 0.0)
    return xp.sum(terms, axis=1), _count(floored)


def outcome_losses(block: Array, y: Array, max_loss: float) -> tuple[Array, Floored]:
    """Return the loss of yes/no outcomes, summed over the outcomes of a sample."""
    xp = library_of(block)
    losses, floored = xp.zeros_like(block), block < 0.0
    for side, share in (_minus_log(block, False), y), (0.0 - xp.log1p(-block), 1.0 - y):
        wanted = share > 0
        floored = floored | ((side > max_loss) & wanted)
        losses = losses + _where(wanted, xp.clip(side, 0.0, max_loss) * share, 0.0)
    if block.ndim == 1:
        return losses, _count(floored)
    return xp.sum(losses, axis=1), _count(xp.any(floored, axis=1))


def _minus_log(p: Array, logarithms: bool) -> Array:
    return 0.0 - (p if logarithms else library_of(p).log(p))


def _picked(rows: Array, codes: Array) -> Array:
    """Return the entry of each row in the column that its code names."""
    xp = library_of(rows)
    n, width = rows.shape
    starts = xp.arange(0, n * width, width, dtype=codes.dtype, device=rows.device)
    return xp.take(xp.reshape(rows, (-1,)), starts + codes, axis=0)


def _where(mask: Array, x: Array, other: float) -> Array:
    """Return x where the mask is True, and the number `other` elsewhere."""
    xp = library_of(x)
    return xp.where(mask, x, xp.full_like(x, other))


def _count(mask: Array) -> Floored:
    """Return how many samples the mask marks."""
    xp = library_of(mask)
    return Floored(int(xp.sum(xp.astype(mask, xp.int32))))
