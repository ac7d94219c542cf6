"""Truth and prediction of n samples, read and checked once, with the loss of each sample."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from skxent.inputs.array_arguments import as_array, as_numbers, on_host
from skxent.inputs.class_names import classes_named, column_names, name_array
from skxent.inputs.ignored_labels import raise_none_counts, without
from skxent.inputs.labels import as_labels
from skxent.inputs.namespaces import Codes, Floats, Label
from skxent.inputs.options import max_loss
from skxent.inputs.roles import explain_roles
from skxent.inputs.targets import Classes, categorical_target, classes_from
from skxent.inputs.weights import as_weights, check_weight_range, weights_where_counted
from skxent.metrics.loss_registry import CATEGORICAL, LossOptions, losses_of
from skxent.metrics.loss_values import Losses
from skxent.metrics.probability_losses import label_losses
from skxent.metrics.row_forms import LABELS, OUTCOMES

MAX_LOSS = max_loss(None)  # nats; the largest loss with the default floor; logits have no floor


@dataclass(frozen=True)
class ScoredSamples:
    """Targets, predictions, losses and weights of n samples of K classes.

    Parameters
    ----------
    names : (K,) array
        The class of each column.
    target : (n,) or (n, K) array
        Codes into `names`, or soft rows.
    prediction : (n, K) or (n,) array
        Probabilities or logits as they were given; (n,) holds those of the second of two classes.
    losses : Losses
        In nats.
    weight : (n,) array or None
        0 for samples that do not count, whose code is 0.
    from_logits : bool
    """

    names: np.ndarray
    target: Codes | np.ndarray
    prediction: np.ndarray
    losses: Losses
    weight: Floats | None
    from_logits: bool = False

    @classmethod
    def of(
        cls,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        labels: ArrayLike | None,
        sample_weight: ArrayLike | None,
        from_logits: bool,
        ignore_label: Label = None,
    ) -> Self:
        """Read the arguments of a public function, after one copy of them to NumPy arrays."""
        y_true, y_pred, sample_weight = on_host(y_true, y_pred, sample_weight)
        prediction, names = _read(y_true, y_pred, labels, ignore_label)
        options = LossOptions(names, from_logits, ignore_label=ignore_label)
        losses = losses_of(y_true, y_pred, CATEGORICAL, options)
        weight = as_weights(sample_weight, len(prediction))
        weight = weights_where_counted(weight, losses.kept)
        if weight is not None:
            check_weight_range(weight.max())
        classes = Classes.of(y_pred, prediction, names)
        return cls(
            np.asarray(names),
            categorical_target(y_true, classes, prediction, ignore_label)[0],
            prediction,
            losses,
            weight,
            from_logits,
        )

    @property
    def importance(self) -> Floats:
        """Return the weights (n,), which are 1 if the user gave none."""
        return np.ones(len(self.target)) if self.weight is None else self.weight

    @cached_property
    def base_rates(self) -> Floats:
        """Return the share of each class in the truth, (K,): the best constant prediction."""
        if self.target.ndim == 2:
            totals = self.importance @ self.target
        else:
            counts = np.bincount(self.target, self.importance, minlength=len(self.names))
            totals = counts.astype(np.float64)
        return totals / totals.sum()

    def cost_of(self, k: int) -> Floats:
        """Return the loss of each row if class k were true, (n,), in nats."""
        if self.prediction.ndim == 1:
            outcome = np.full(len(self.target), float(k))
            return OUTCOMES.losses(
                self.prediction, outcome, from_logits=self.from_logits, max_loss=MAX_LOSS
            ).values
        if self.from_logits:
            # log sum_j exp z_j - z_k = (top - z_k) + (log sum_j exp z_j - top), both at least 0
            top, rest = self._top
            with np.errstate(over="ignore"):
                return (top - self.prediction[:, k]) + rest
        column = self.prediction[:, [k]].astype(np.float64)
        with np.errstate(divide="ignore"):
            return label_losses(column, np.zeros(len(column), dtype=np.intp), MAX_LOSS)[0]

    @cached_property
    def _top(self) -> tuple[Floats, Floats]:
        """Return the largest logit of each row, and the loss if its class were true."""
        Z = self.prediction
        codes = Z.argmax(axis=1)
        rest = LABELS.losses(Z, codes, from_logits=True, max_loss=MAX_LOSS)
        return Z[np.arange(len(Z)), codes].astype(np.float64), rest.values


@explain_roles
def _read(
    y_true: ArrayLike, y_pred: ArrayLike, labels: ArrayLike | None, ignore_label: Label
) -> tuple[np.ndarray, np.ndarray]:
    """Read a prediction, and the class of each of its columns."""
    prediction = as_numbers(y_pred, "y_pred")
    return prediction, _names(y_true, Classes.of(y_pred, prediction, labels), ignore_label)


def _names(y_true: object, classes: Classes, ignore_label: Label) -> np.ndarray:
    """Name the columns: by `labels`, by a data frame, by the labels found, or by their numbers."""
    if classes.labels is not None:
        return classes.labels.source
    array = as_array(y_true, "y_true")
    if array.ndim == 2 and array.shape[1] > 1:
        for names, name in ((classes.names, "y_pred"), (column_names(y_true), "y_true")):
            if names is not None:
                return name_array(classes_named(names, name))
        return np.arange(classes.count)
    truth = without(as_labels(array, "y_true"), ignore_label)[0]
    if not len(truth.distinct):
        raise_none_counts()
    return name_array(classes_from(truth, classes))
