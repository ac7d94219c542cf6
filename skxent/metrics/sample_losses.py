"""What each sample costs, from the arguments of a public loss."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from numpy.typing import ArrayLike

from skxent.inputs.labels import as_array
from skxent.inputs.options import check_flag
from skxent.inputs.roles import check_certainty, explain_roles, is_hard
from skxent.inputs.shapes import check_same_shape
from skxent.inputs.targets import (
    Classes,
    as_numbers,
    binary_target,
    categorical_target,
    ceiling,
    check_outcome_columns,
    read_probabilities,
    row_blocks,
)
from skxent.metrics import probability_losses
from skxent.metrics.block_sums import BlockSums
from skxent.metrics.probability_losses import Floored, Losses


@explain_roles
def class_losses(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    from_logits: bool,
    labels: ArrayLike | None,
    eps: float | None,
    sums: BlockSums | None = None,
) -> Losses:
    """Read and check the arguments of a public function; return what each sample costs.

    `sums` takes the losses, if given; the result then holds none.
    """
    options: dict[str, Any] = {"from_logits": from_logits, "cap": ceiling(eps), "sums": sums}
    check_flag(from_logits, "from_logits")
    prediction = as_numbers(y_pred, "y_pred")
    classes = Classes.of(y_pred, prediction, labels)
    target = categorical_target(y_true, classes, len(prediction))
    if prediction.ndim == 2:
        losses = _marked(
            probability_losses.categorical(prediction, target, **options), prediction, from_logits
        )
        return losses.named(lambda each: _class_of(each, y_true, classes))
    soft = target.ndim == 2
    if soft:
        check_certainty(prediction, target)
        for rows in row_blocks(target.shape):
            read_probabilities(target, rows, "y_true")
        target = target[:, 1]
    losses = _marked(
        probability_losses.binary(prediction, target, **options), prediction, from_logits
    )
    return losses if soft else losses.named(lambda each: _class_of(each, y_true, classes))


def _marked(losses: Losses, prediction: Any, from_logits: bool) -> Losses:
    """Return the losses with a mark if the prediction consists of zeros and ones."""
    return losses if from_logits else replace(losses, hard=is_hard(prediction))


def _class_of(floored: Floored, y_true: Any, classes: Classes) -> Any:
    """Return the class of a sample that the floor acted on."""
    truth = as_array(y_true, "y_true")
    if truth.ndim == 1 or truth.shape[1] == 1:
        return truth.ravel()[[floored.row]].tolist()[0]
    known = classes.names if classes.labels is None else classes.labels.source.tolist()
    return floored.column if known is None else known[floored.column or 0]


@explain_roles
def outcome_losses(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    from_logits: bool,
    pos_label: Any,
    eps: float | None,
    sums: BlockSums | None = None,
) -> Losses:
    """Read and check the arguments of binary_cross_entropy; see `class_losses`."""
    options: dict[str, Any] = {"from_logits": from_logits, "cap": ceiling(eps), "sums": sums}
    check_flag(from_logits, "from_logits")
    prediction = as_numbers(y_pred, "y_pred")
    outcomes = binary_target(y_true, pos_label, len(prediction))
    check_outcome_columns(y_true, y_pred, outcomes)
    if outcomes.ndim == 1 and prediction.ndim == 2 and prediction.shape[1] == 2:
        # the two columns of a classifier; a label is a row with all its weight on one of them
        losses = probability_losses.binary_in_two_columns(prediction, outcomes, **options)
    else:
        check_same_shape(outcomes, prediction)
        losses = probability_losses.binary(prediction, outcomes, **options)
    losses = _marked(losses, prediction, from_logits)
    if not losses.floored or outcomes.ndim == 2 or as_array(y_true, "y_true").dtype.kind == "f":
        return losses
    return losses.named(lambda each: as_array(y_true, "y_true").ravel()[[each.row]].tolist()[0])
