"""The public losses by name: how each reads its arguments, and the form of its rows.

To add a loss, add an entry to `LOSSES` and a public function to `losses`. If no `RowForm` in
`row_forms` fits the loss, also add a form with its kernels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from skxent.inputs.array_arguments import as_array, numbers_of
from skxent.inputs.class_names import column_names
from skxent.inputs.ignored_labels import check_no_class
from skxent.inputs.namespaces import AnyArray, Array
from skxent.inputs.options import check_flag, check_keywords, max_loss
from skxent.inputs.partitioned_classes import known_classes, known_yes
from skxent.inputs.predictions import check_distributions
from skxent.inputs.roles import check_certainty, explain_roles
from skxent.inputs.row_order import warn_of_row_order
from skxent.inputs.shapes import check_same_shape
from skxent.inputs.targets import (
    Classes,
    binary_target,
    categorical_target,
    check_outcome_columns,
)
from skxent.metrics.block_sums import BlockSums
from skxent.metrics.floor_warning import FlooredSample
from skxent.metrics.loss_values import Losses
from skxent.metrics.row_forms import NO_AND_YES, OUTCOMES, RowForm, form_of


class LossOptions(NamedTuple):
    """The options of a public loss that determine the loss of a sample.

    Parameters
    ----------
    classes : object
        The option that says which class is which: `labels` or `pos_label`.
    from_logits : bool
    base, eps : float or None
    ignore_label : label or None
        The label of samples that do not count.
    """

    classes: Any = None
    from_logits: bool = False
    base: float | None = None
    eps: float | None = None
    ignore_label: Any = None


class Rows(NamedTuple):
    """The checked arguments of a loss.

    Parameters
    ----------
    form : RowForm
    target : array
        Codes, soft rows or outcomes, as the form reads them.
    class_of : callable or None
        Gives the class of a sample that the floor acted on, or None if it has no name.
    kept : (n,) array or None
        Which samples count; None if all do.
    """

    form: RowForm
    target: Array
    class_of: Callable[[FlooredSample], object] | None
    kept: AnyArray = None


@dataclass(frozen=True)
class Loss:
    """A public loss: its name, and how it reads its arguments.

    Parameters
    ----------
    name : str
        The name in `make_cross_entropy_scorer`; the public function is ``{name}_cross_entropy``.
    classes_option : str
        The argument of the public function that says which class is which.
    read : callable
        ``(y_true, y_pred, prediction, options)`` gives the `Rows`; `prediction` is `y_pred` as
        numbers.
    read_classes : callable
        ``(y_true, y_pred, classes, ignore_label)`` of Dask collections gives the classes for every
        partition.
    takes_outcomes : bool
        Whether rows of a target are independent yes/no outcomes, and not distributions over
        classes.
    """

    name: str
    classes_option: str
    read: Callable[[object, object, Array, LossOptions], Rows]
    read_classes: Callable[[object, object, Any, Any], object]
    takes_outcomes: bool = False

    def options(self, given: Mapping[str, Any]) -> LossOptions:
        """Return keyword arguments of the public function as options."""
        names = {name: name for name in LossOptions._fields if name != "classes"}
        names[self.classes_option] = "classes"
        check_keywords(given, names, f"{self.name}_cross_entropy")
        return LossOptions(**{names[name]: value for name, value in given.items()})


@explain_roles
def losses_of(
    y_true: object, y_pred: object, loss: Loss, options: LossOptions, sums: BlockSums | None = None
) -> Losses:
    """Read and check the arguments of a public loss; return the loss of each sample.

    If `sums` is given, the losses are added there, and `values` of the result is empty.
    """
    limit = max_loss(options.eps)
    check_flag(options.from_logits, "from_logits")
    warn_of_row_order(y_pred, "y_pred", y_true=y_true)
    prediction = numbers_of(y_pred, "y_pred")
    rows = loss.read(y_true, y_pred, prediction, options)
    losses = rows.form.losses(
        prediction,
        rows.target,
        max_loss=limit,
        from_logits=options.from_logits,
        kept=rows.kept,
        sums=sums,
    )
    if not options.from_logits:
        losses = replace(losses, probabilities=prediction)
    return losses.named(rows.class_of)


def _categorical_rows(
    y_true: object, y_pred: object, prediction: Array, options: LossOptions
) -> Rows:
    classes = Classes.of(y_pred, prediction, options.classes)
    target, kept = categorical_target(y_true, classes, prediction, options.ignore_label)

    def class_of(floored: FlooredSample) -> object:
        truth = as_array(y_true, "y_true")
        if truth.ndim == 1 or truth.shape[1] == 1:
            return truth.ravel()[[floored.row]].tolist()[0]
        known = classes.names if classes.labels is None else classes.labels.source.tolist()
        return floored.column if known is None else known[floored.column or 0]

    if prediction.ndim == 2:
        return Rows(form_of(target), target, class_of, kept)
    if target.ndim == 1:
        return Rows(OUTCOMES, target, class_of, kept)
    if not options.from_logits:  # an integer is a certain probability, but any logit
        check_certainty(prediction, target)
    check_distributions(target, "y_true")
    return Rows(OUTCOMES, target[:, 1], None)


def _binary_rows(y_true: object, y_pred: object, prediction: Array, options: LossOptions) -> Rows:
    outcomes, kept = binary_target(y_true, options.classes, prediction, options.ignore_label)
    check_outcome_columns(y_true, y_pred, outcomes, kept)
    check_no_class(options.ignore_label, column_names(y_pred), "the column names of y_pred")

    def class_of(floored: FlooredSample) -> object:
        truth = as_array(y_true, "y_true")
        is_label = outcomes.ndim == 1 and truth.dtype.kind != "f"
        return truth.ravel()[[floored.row]].tolist()[0] if is_label else None

    if outcomes.ndim == 1 and prediction.ndim == 2 and prediction.shape[1] == 2:
        return Rows(NO_AND_YES, outcomes, class_of, kept)
    check_same_shape(outcomes, prediction)
    return Rows(OUTCOMES, outcomes, class_of, kept)


CATEGORICAL = Loss("categorical", "labels", _categorical_rows, known_classes)
BINARY = Loss("binary", "pos_label", _binary_rows, known_yes, takes_outcomes=True)
LOSSES = {loss.name: loss for loss in (CATEGORICAL, BINARY)}
