"""Losses of checked blocks of probabilities, in NumPy.

A probability p costs -log p, at most `max_loss` = -log(eps): a floor under the probability is a
limit of the loss. A class to which the target gives no probability costs nothing, however
improbable the prediction makes that class. Each function returns the losses (n,) and the samples
that the floor acted on.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skxent.inputs.namespaces import Codes, Floats
from skxent.metrics.floor_warning import N_NAMED, NONE_FLOORED, Floored, FlooredSample


def label_losses(
    block: Floats, codes: Codes, max_loss: float, logarithms: bool = False
) -> tuple[Floats, Floored]:
    """Return the loss of one class in each row.

    Code -1 stands for a class without a column, whose probability is 0. `logarithms` says that the
    block holds log-probabilities.
    """
    n, width = block.shape
    picked = block.ravel().take(np.arange(0, n * width, width) + codes)
    losses = _minus_log(picked, logarithms)
    if codes.min() < 0:
        losses[codes < 0] = np.inf
    if losses.max() <= max_loss:
        return losses, NONE_FLOORED
    rows = np.flatnonzero(losses > max_loss)
    floored = _first_floored(rows, losses[rows], codes[rows])
    return np.minimum(losses, max_loss, out=losses), floored


def soft_losses(
    block: Floats, Y: Floats, max_loss: float, logarithms: bool = False
) -> tuple[Floats, Floored]:
    """Return the loss of each row, the classes weighted by the rows of Y."""
    losses, wanted = _minus_log(block, logarithms), Y > 0
    floored = _floored((losses > max_loss) & wanted, losses)
    np.minimum(losses, max_loss, out=losses)
    losses[~wanted] = 0.0
    losses *= Y
    return losses.sum(axis=1), floored


def outcome_losses(block: Floats, y: Floats, max_loss: float) -> tuple[Floats, Floored]:
    """Return the loss of yes/no outcomes, summed over the outcomes of a sample.

    If all outcomes are certain, only the side that happened has a loss.
    """
    against = 1.0 - y
    certain = not (y * against).any()
    sides: list[tuple[Any, Any]] = [(against, 1.0)] if certain else [(0.0, y), (1.0, against)]
    losses, exact = np.zeros_like(block), np.zeros_like(block)
    for no, share in sides:
        side = _minus_log_of_outcome(block, no)
        if not certain:
            side[~(share > 0)] = 0.0
        np.maximum(exact, side, out=exact)
        np.minimum(side, max_loss, out=side)
        side *= share
        losses += side
    return losses.sum(axis=1) if losses.ndim == 2 else losses, _floored(exact > max_loss, exact)


def _minus_log_of_outcome(p: Floats, no: Floats | float) -> Floats:
    """Return -log p where `no` is 0, and -log(1 - p) where `no` is 1.

    The part of p that rounds away in 1 - p is a small p's only part: log(1 - p) is the logarithm of
    the rounded difference plus this part, to first order, and to full relative accuracy.
    """
    p = np.minimum(p, 1.0)  # above 1 by rounding
    difference = no - p
    logs = (no - difference) - p  # the lost part
    np.abs(difference, out=difference)
    logs += np.log(difference, out=difference)
    return np.subtract(0.0, logs, out=logs)


def _minus_log(p: Floats, logarithms: bool) -> Floats:
    """Return -log p; a p above 1 by rounding costs 0, and p = 1 costs 0 and not -0."""
    losses = np.subtract(0.0, p) if logarithms else np.log(p)
    if not logarithms:
        np.subtract(0.0, losses, out=losses)
    return np.maximum(losses, 0.0, out=losses)


def _floored(mask: NDArray[np.bool_], losses: Floats) -> Floored:
    """Return the samples that the mask marks, each with its marked column of largest loss."""
    if not mask.any():
        return NONE_FLOORED
    if mask.ndim == 1:
        rows = np.flatnonzero(mask)
        return _first_floored(rows, losses[rows], None)
    rows = np.flatnonzero(mask.any(axis=1))
    few = np.where(mask[rows], losses[rows], 0.0)
    return _first_floored(rows, few.max(axis=1), few.argmax(axis=1))


def _first_floored(rows: Codes, losses: Floats, columns: Codes | None) -> Floored:
    """Return the number of floored samples, and the first few with their rows in the block."""
    few = zip(
        rows[:N_NAMED].tolist(),
        losses[:N_NAMED].tolist(),
        [None] * N_NAMED if columns is None else columns[:N_NAMED].tolist(),
        strict=False,
    )
    return Floored(len(rows), tuple(FlooredSample(*each) for each in few))
