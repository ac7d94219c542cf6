"""The losses and scores of predictions on a device, from the arguments of public functions."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any

from numpy.typing import ArrayLike

from skxent.inputs.device_predictions import is_hard, read_probabilities
from skxent.inputs.device_targets import class_target, numbers_of, outcome_target
from skxent.inputs.namespaces import library_of, namespace_of, widened
from skxent.inputs.options import check_flag
from skxent.inputs.roles import explain_roles
from skxent.inputs.shapes import check_same_shape
from skxent.inputs.targets import Classes, ceiling
from skxent.metrics import device_losses, probability_losses
from skxent.metrics.device_losses import DeviceLosses
from skxent.metrics.probability_losses import Losses


def losses_of(values: Any) -> Losses:
    """Return the losses that a public function returned, with the methods of their place."""
    return Losses(values) if namespace_of(values) is None else DeviceLosses(values)


def costs_of(prediction: Any) -> ModuleType:
    """Return the module of costs for the place of a prediction."""
    return probability_losses if namespace_of(prediction) is None else device_losses


@explain_roles
def class_losses(
    y_true: Any, y_pred: Any, from_logits: bool, labels: ArrayLike | None, eps: float | None
) -> Losses:
    """Read and check the arguments of categorical_cross_entropy; return what each sample costs."""
    cap = ceiling(eps)
    check_flag(from_logits, "from_logits")
    prediction = numbers_of(y_pred, "y_pred")
    classes = Classes.of(y_pred, prediction, labels)
    target = class_target(y_true, classes, prediction)
    if prediction.ndim == 2:
        losses = device_losses.categorical(prediction, target, from_logits=from_logits, cap=cap)
        return _marked(losses, prediction, from_logits)
    if target.ndim == 2:
        target = read_probabilities(target, slice(0, None), "y_true")[:, 1]
    losses = device_losses.binary(prediction, target, from_logits=from_logits, cap=cap)
    return _marked(losses, prediction, from_logits)


@explain_roles
def outcome_losses(
    y_true: Any, y_pred: Any, from_logits: bool, pos_label: Any, eps: float | None
) -> Losses:
    """Read and check the arguments of binary_cross_entropy; return what each sample costs."""
    cap = ceiling(eps)
    check_flag(from_logits, "from_logits")
    prediction = numbers_of(y_pred, "y_pred")
    outcomes = outcome_target(y_true, pos_label, prediction)
    if outcomes.ndim == 1 and prediction.ndim == 2 and prediction.shape[1] == 2:
        yes = widened(outcomes)
        rows = library_of(yes).stack([1.0 - yes, yes], axis=1)
        losses = device_losses.categorical(prediction, rows, from_logits=from_logits, cap=cap)
        return _marked(losses, prediction, from_logits)
    check_same_shape(outcomes, prediction)
    losses = device_losses.binary(prediction, outcomes, from_logits=from_logits, cap=cap)
    return _marked(losses, prediction, from_logits)


def _marked(losses: Losses, prediction: Any, from_logits: bool) -> Losses:
    """Return the losses with a mark if the prediction consists of zeros and ones."""
    return losses if from_logits else replace(losses, hard=is_hard(prediction))


def spread_on_device(prediction: Any, columns: list[int], width: int, absent: float) -> Any:
    """Put the classes of a prediction in their columns among `width`."""
    xp = library_of(prediction)
    empty = xp.full_like(prediction[:, 0], absent)
    place = {column: k for k, column in enumerate(columns)}
    parts = [prediction[:, place[k]] if k in place else empty for k in range(width)]
    return xp.stack(parts, axis=1)
