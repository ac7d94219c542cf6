"""Truth and prediction of n samples, read and checked once, with what each sample costs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skxent.inputs.class_names import classes_named, column_names, name_array
from skxent.inputs.collections import here
from skxent.inputs.labels import Codes, as_array, as_labels
from skxent.inputs.roles import explain_roles
from skxent.inputs.targets import (
    Classes,
    Floats,
    as_numbers,
    as_weights,
    categorical_target,
    ceiling,
    check_weight_range,
    classes_from,
)
from skxent.metrics import probability_losses
from skxent.metrics.probability_losses import Losses
from skxent.metrics.sample_losses import class_losses

CAP = ceiling(None)  # nats; the most that a class can cost, but for logits


@dataclass(frozen=True)
class ScoredSamples:
    """Samples of K classes.

    Parameters
    ----------
    names : (K,) array
        The class of each column.
    target : (n,) or (n, K) array
        Codes into `names`, or soft rows.
    prediction : (n, K) or (n,) array
        Probabilities or logits as they were given, of the second of two classes where it is (n,).
    losses : Losses
        In nats.
    weight : (n,) array or None
    from_logits : bool
    """

    names: NDArray[Any]
    target: Codes | NDArray[Any]
    prediction: NDArray[Any]
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
    ) -> Self:
        """Read the arguments of a public function; what is lazy comes here once."""
        y_true, y_pred, sample_weight = here(y_true, y_pred, sample_weight)
        prediction, names = _read(y_true, y_pred, labels)
        losses = class_losses(y_true, y_pred, from_logits, names, None)
        weight = as_weights(sample_weight, len(prediction))
        if weight is not None:
            check_weight_range(weight.max())
        return cls(
            np.asarray(names),
            categorical_target(y_true, Classes.of(y_pred, prediction, names), len(prediction)),
            prediction,
            losses,
            weight,
            from_logits,
        )

    @property
    def importance(self) -> Floats:
        """Weights, ones where there are none, (n,)."""
        return np.ones(len(self.target)) if self.weight is None else self.weight

    @cached_property
    def base_rates(self) -> Floats:
        """Share of each class in the truth, (K,), which a constant prediction would best be."""
        if self.target.ndim == 2:
            totals = self.importance @ self.target
        else:
            counts = np.bincount(self.target, self.importance, minlength=len(self.names))
            totals = counts.astype(np.float64)
        return totals / totals.sum()

    def cost_of(self, k: int) -> Floats:
        """What class k would cost in each row, (n,), in nats."""
        if self.prediction.ndim == 1:
            outcome = np.full(len(self.target), float(k))
            return probability_losses.binary(
                self.prediction, outcome, from_logits=self.from_logits, cap=CAP
            ).values
        if self.from_logits:
            # log sum_j exp z_j - z_k, from the largest logit on so that nothing cancels
            top, rest = self._top
            with np.errstate(over="ignore"):
                return (top - self.prediction[:, k]) + rest
        column = self.prediction[:, [k]].astype(np.float64)
        with np.errstate(divide="ignore"):
            return probability_losses.label_costs(
                column, np.zeros(len(column), dtype=np.intp), CAP
            )[0]

    @cached_property
    def _top(self) -> tuple[Floats, Floats]:
        """The largest logit of each row, and what its class costs."""
        Z = self.prediction
        codes = Z.argmax(axis=1)
        rest = probability_losses.categorical(Z, codes, from_logits=True, cap=CAP)
        return Z[np.arange(len(Z)), codes].astype(np.float64), rest.values


@explain_roles
def _read(
    y_true: ArrayLike, y_pred: ArrayLike, labels: ArrayLike | None
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Read a prediction, and the class of each of its columns."""
    prediction = as_numbers(y_pred, "y_pred")
    return prediction, _names(y_true, Classes.of(y_pred, prediction, labels))


def _names(y_true: Any, classes: Classes) -> NDArray[Any]:
    """Name the columns: by `labels`, by a data frame, by the labels found, or by their numbers."""
    if classes.labels is not None:
        return classes.labels.source
    array = as_array(y_true, "y_true")
    if array.ndim == 2 and array.shape[1] > 1:
        for names, name in ((classes.names, "y_pred"), (column_names(y_true), "y_true")):
            if names is not None:
                return name_array(classes_named(names, name))
        return np.arange(classes.count)
    return name_array(classes_from(as_labels(array, "y_true"), classes))
