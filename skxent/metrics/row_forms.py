"""Losses of rows of one form, computed block by block.

A form says how a block of predictions and a block of targets are read and which kernels turn them
into losses. Arrays of NumPy and of other libraries differ in the kernels alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from skxent.inputs.namespaces import AnyArray, Array, library_of, to_numpy
from skxent.inputs.predictions import (
    blocks_of,
    read_log_probabilities,
    read_logits,
    read_outcomes,
    read_outcomes_as_rows,
    read_probabilities,
    read_single_logits,
    row_blocks,
)
from skxent.likelihood import row_losses as logit_losses
from skxent.metrics import device_losses, probability_losses
from skxent.metrics.block_sums import BlockSums
from skxent.metrics.floor_warning import NONE_FLOORED, Floored
from skxent.metrics.loss_values import Losses

# An array and a slice of its rows -> the checked rows.
Reader = Callable[..., Array]
# A block of predictions and the block of its targets -> losses, and where the floor acted.
Kernel = Callable[[Array, Array], tuple[Array, Floored]]


@dataclass(frozen=True)
class Kernels:
    """The kernels of a form for one kind of array.

    Parameters
    ----------
    of_probabilities : callable
        ``(block, target, max_loss)`` gives losses (n,) and where the floor acted.
    of_logits : callable
        ``(block, target)`` gives losses, (n,) or one for each outcome.
    """

    of_probabilities: Callable[..., tuple[Array, Floored]]
    of_logits: Callable[..., Array]


@dataclass(frozen=True)
class RowForm:
    """How rows of one form are read, and the kernels of their losses.

    Parameters
    ----------
    read_probabilities, read_logits : callable
        ``(prediction, rows, name=...)`` gives a checked block of the prediction.
    read_target : callable
        ``(target, rows)`` gives a checked block of the target.
    on_host, on_device : Kernels
        For arrays of NumPy and of other libraries.
    """

    read_probabilities: Reader
    read_logits: Reader
    read_target: Reader
    on_host: Kernels
    on_device: Kernels

    def kernels(self, prediction: Array) -> Kernels:
        """Return the kernels for the library of a prediction."""
        return self.on_host if isinstance(prediction, np.ndarray) else self.on_device

    def losses(
        self,
        prediction: Array,
        target: Array,
        *,
        max_loss: float,
        from_logits: bool = False,
        name: str = "y_pred",
        kept: AnyArray = None,
        sums: BlockSums | None = None,
    ) -> Losses:
        """Return the loss of each row, 0 for those that do not count.

        If `sums` is given, the losses of the rows that count are added there.
        """
        kernels = self.kernels(prediction)
        if from_logits:
            read, kernel = self.read_logits, partial(_unfloored, kernels.of_logits)
        else:
            read = self.read_probabilities
            kernel = partial(kernels.of_probabilities, max_loss=max_loss)
        read = partial(read, name=name)
        return _by_blocks(prediction, target, read, self.read_target, kernel, kept, sums)


def _read_codes(codes: Array, rows: slice) -> Array:
    return codes[rows]


LABELS = RowForm(
    read_probabilities,
    read_logits,
    _read_codes,
    Kernels(probability_losses.label_losses, logit_losses.categorical_losses),
    Kernels(device_losses.label_losses, device_losses.categorical_losses),
)
SOFT_ROWS = RowForm(
    read_probabilities,
    read_logits,
    partial(read_probabilities, name="y_true"),
    Kernels(probability_losses.soft_losses, logit_losses.soft_losses),
    Kernels(device_losses.soft_losses, device_losses.soft_logit_losses),
)
# Labels of two classes or outcomes (n,), and predictions with a column for no and one for yes.
NO_AND_YES = RowForm(
    read_probabilities,
    read_logits,
    partial(read_outcomes_as_rows, name="y_true"),
    SOFT_ROWS.on_host,
    SOFT_ROWS.on_device,
)
OUTCOMES = RowForm(
    read_outcomes,
    read_single_logits,
    partial(read_outcomes, name="y_true"),
    Kernels(probability_losses.outcome_losses, logit_losses.binary_losses),
    Kernels(device_losses.outcome_losses, device_losses.binary_losses),
)


def form_of(target: Array) -> RowForm:
    """Return the form of rows of K columns for a target of codes (n,) or soft rows (n, K)."""
    return SOFT_ROWS if target.ndim == 2 else LABELS


def predicted_losses(
    prediction: Array,
    target: Array,
    *,
    max_loss: float,
    logarithms: bool,
    name: str,
    kept: AnyArray = None,
) -> Losses:
    """Return the losses of an estimator's predictions, 0 for rows that do not count.

    Rows of zeros are allowed, and code -1 stands for a class without a column. `logarithms` says
    that the prediction holds log-probabilities.
    """
    form = form_of(target)
    read = read_log_probabilities if logarithms else read_probabilities
    kernel = partial(
        form.kernels(prediction).of_probabilities, max_loss=max_loss, logarithms=logarithms
    )
    read = partial(read, name=name, empty_rows=True)
    return _by_blocks(prediction, target, read, form.read_target, kernel, kept)


def _unfloored(kernel: Callable[..., Array], block: Array, target: Array) -> tuple[Array, Floored]:
    """Return the losses of logits, summed over the outcomes of a sample; logits have no floor."""
    losses = kernel(block, target)
    return library_of(losses).sum(losses, axis=1) if losses.ndim == 2 else losses, NONE_FLOORED


def _by_blocks(
    prediction: Array,
    target: Array,
    read: Reader,
    read_target: Reader,
    kernel: Kernel,
    kept: AnyArray = None,
    sums: BlockSums | None = None,
) -> Losses:
    """Compute losses block by block.

    If `sums` is given, the losses are added there, and kept here only if some rows do not count.
    """
    n, on_host = prediction.shape[0], isinstance(prediction, np.ndarray)
    add_at_once = sums is not None and kept is None
    values, parts, floored = np.empty(0 if add_at_once or not on_host else n), [], NONE_FLOORED
    if sums is not None:
        sums.begin(n, kept)
    with np.errstate(all="ignore"):  # NumPy and array-api-strict warn of infinite losses
        for rows in blocks_of(prediction):
            block, truth = read(prediction, rows), read_target(target, rows)
            if kept is None:
                losses, some = kernel(block, truth)
            else:
                losses, some = _of_kept(kernel, block, truth, kept[rows])
            if sums is not None and add_at_once:
                sums.add(rows, losses)
            elif on_host:
                values[rows] = losses
            else:
                parts.append(losses)
            floored = floored.plus(some.placed(rows.start))
        if sums is not None and kept is not None:
            # The blocks are those of the rows that count, so that the sum has the bits that it has
            # if the other rows are left out.
            counted = values[kept]
            for rows in row_blocks((counted.size, *prediction.shape[1:])):
                sums.add(rows, counted[rows])
    values = library_of(parts[0]).concat(parts) if parts else values
    return Losses(values, floored, kept=kept)


def _of_kept(kernel: Kernel, block: Array, target: Array, kept: AnyArray) -> tuple[Array, Floored]:
    """Return the losses of a block whose rows count where `kept` is True, and 0 elsewhere."""
    xp = library_of(block)
    (rows,) = xp.nonzero(kept)
    zeros = xp.zeros_like(block[:, 0] if block.ndim == 2 else block)
    if not rows.shape[0]:
        return zeros, NONE_FLOORED
    losses, some = kernel(xp.take(block, rows, axis=0), xp.take(target, rows, axis=0))
    places = xp.cumulative_sum(xp.astype(kept, xp.int64)) - 1
    places = xp.where(kept, places, xp.zeros_like(places))
    if some.samples:
        some = some.among(to_numpy(rows))
    return xp.where(kept, xp.take(losses, places, axis=0), zeros), some
