"""Scorers for `scoring=` of scikit-learn: the cross-entropy of a fitted classifier."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.metadata_routing import UNCHANGED, MetadataRequest

from skxent.inputs.array_arguments import array_of, numbers_of
from skxent.inputs.class_names import columns_of
from skxent.inputs.dask_arguments import computed
from skxent.inputs.ignored_labels import as_ignored, check_no_class, check_no_rows, without
from skxent.inputs.labels import as_labels, labels_of, locate
from skxent.inputs.namespaces import Array, moved, to_numpy
from skxent.inputs.options import check_option, max_loss, unit
from skxent.inputs.partitioned_classes import all_labels, one_row
from skxent.inputs.partitions import is_dask
from skxent.inputs.responses import (
    check_two_classes,
    predicted,
    predicted_columns,
    predicted_outcomes,
    response_name,
    spread_columns,
)
from skxent.inputs.row_order import warn_of_row_order
from skxent.inputs.shapes import check_length, has_rows
from skxent.inputs.stand_ins import GivenPredictions, with_offset
from skxent.metrics.loss_registry import LOSSES
from skxent.metrics.loss_values import Losses
from skxent.metrics.partitioned_losses import PartitionedLosses
from skxent.metrics.row_forms import OUTCOMES, predicted_losses


@dataclass(frozen=True, repr=False)
class CrossEntropyScorer:
    """Negative cross-entropy of a fitted classifier: greater is better, 0 is perfect.

    Call it as ``scorer(estimator, X, y, sample_weight=None, *, offset=None)``, or pass it as
    `scoring` wherever scikit-learn takes one. It is immutable, so one object can be shared.

    Parameters
    ----------
    loss : {"categorical", "binary"}
        Which cross-entropy.
    reduction : {"mean", "sum"}
        Mean over samples, or the sum, whose negative is the log-likelihood of the fold.
    base : float or None
        Base of the logarithm; None gives nats.
    eps : float or None
        Floor under the probability of a target; None is the machine epsilon of float64, 0 is exact.
    ignore_label : label or None
        Label of samples that do not count.
    request, offset_request : bool, str or None
        What metadata routing does with `sample_weight` and `offset`; see `set_score_request`.

    See Also
    --------
    make_cross_entropy_scorer : Checks the options and makes a scorer.

    Examples
    --------
    >>> from skxent import cce_scorer
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.model_selection import cross_val_score
    >>> from sklearn.naive_bayes import GaussianNB
    >>> X, y = load_wine(return_X_y=True)
    >>> cross_val_score(GaussianNB(), X, y, scoring=cce_scorer).round(3)
    array([-0.114, -0.078, -0.288, -0.436, -0.008])
    """

    loss: Literal["categorical", "binary"] = "categorical"
    reduction: Literal["mean", "sum"] = "mean"
    base: float | None = None
    eps: float | None = None
    ignore_label: Any = None
    request: bool | str | None = None
    offset_request: bool | str | None = None

    def __call__(
        self,
        estimator: object,
        X: object,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        offset: ArrayLike | None = None,
    ) -> float:
        """Score a fitted classifier.

        Parameters
        ----------
        estimator : classifier
            Fitted, with `predict_proba` and `classes_`.
        X : array-like
            Samples to predict.
        y : array-like of shape (n,) or (n, K)
            Labels; one-hot or soft rows for the categorical loss, with columns in the order of the
            estimator's `classes_`, or a data frame that names them; rows of m yes/no outcomes for
            the binary loss.
        sample_weight : array-like of shape (n,), default=None
            Weight w_i counts sample i that many times.
        offset : array-like of shape (n,) or (n, K), 0, or None, default=None
            Passed to the prediction method of the estimator, if it is not None. See
            :meth:`SoftmaxClassifier.fit`.

        Returns
        -------
        float
            The negative mean or sum of the losses.

        Notes
        -----
        Any of the arguments may be a Dask collection. If the estimator predicts a Dask array, each
        partition is scored by its own worker, which returns sums.
        """
        estimator = with_offset(estimator, offset)
        warn_of_row_order(X, "X", y=y, sample_weight=sample_weight, offset=offset)
        if is_dask(X, y, sample_weight):
            return self._over_partitions(estimator, X, y, sample_weight)
        return self._value(estimator, X, y, sample_weight)

    def _value(self, estimator: object, X: object, y: object, sample_weight: object) -> float:
        losses = self._losses(estimator, X, y)
        weights = losses.weights(sample_weight)
        losses.warn(self.eps)
        value = losses.sum(weights) if self.reduction == "sum" else losses.mean(weights)
        return float(0.0 - value / unit(self.base))

    def _losses(self, estimator: object, X: object, y: object) -> Losses:
        truth = array_of(y, "y_true")
        takes_outcomes = self._takes_outcomes(truth)
        check_no_rows(truth, self.ignore_label, takes_outcomes)
        if not takes_outcomes:
            return self._multiclass(estimator, X, truth, y)
        prediction, target, name = predicted_outcomes(estimator, X, truth)
        return OUTCOMES.losses(prediction, target, max_loss=max_loss(self.eps), name=name)

    def _takes_outcomes(self, truth: Array) -> bool:
        """Tell whether the truth is rows of independent yes/no outcomes."""
        return LOSSES[self.loss].takes_outcomes and has_rows(truth)

    def _over_partitions(
        self, estimator: object, X: object, y: object, sample_weight: object
    ) -> float:
        """Score Dask collections: by partitions if the estimator predicts a Dask array."""
        row = one_row(y, "y_true")
        logarithms = self._takes_logarithms(estimator) and not self._takes_outcomes(row)
        prediction = predicted(estimator, X, logarithms)
        given = GivenPredictions.of(estimator, logarithms)
        if isinstance(prediction, list) or not is_dask(prediction, y, sample_weight):
            prediction, y, sample_weight = computed(prediction, y, sample_weight)
            return self._value(given, prediction, y, sample_weight)
        if LOSSES[self.loss].takes_outcomes and not has_rows(row):
            truth = all_labels(y, self.ignore_label)
            if truth is not None and given.classes_ is not None:
                check_two_classes(truth, as_labels(given.classes_, "classes_"))
        read = partial(_losses_of_partition, self, given)
        losses = PartitionedLosses(read, y, prediction, sample_weight, self.eps, unit(self.base))
        return float(0.0 - losses.reduced(self.reduction))

    def _takes_logarithms(self, estimator: object) -> bool:
        return self.eps == 0 and hasattr(estimator, "predict_log_proba")

    def _multiclass(self, estimator: object, X: object, truth: Array, y: object) -> Losses:
        """Return the losses; `truth` is `y` as an array, and a table `y` names its columns."""
        logarithms = self._takes_logarithms(estimator)
        prediction, classes = predicted_columns(estimator, X, logarithms)
        limit, name, kept = max_loss(self.eps), response_name(estimator, logarithms), None
        if has_rows(truth):
            target = numbers_of(truth, "y_true")
            width = target.shape[1]
            columns = columns_of(classes, width, y)
            absent = -np.inf if logarithms else 0.0
            prediction = spread_columns(prediction, columns, width, absent)
        else:
            check_no_class(self.ignore_label, classes.source.tolist(), "classes_")
            labels, kept = without(labels_of(truth, "y_true"), self.ignore_label)
            target = locate(labels, classes) if len(labels.distinct) else labels.codes
            if LOSSES[self.loss].takes_outcomes:
                check_two_classes(labels, classes)
        check_length("y_true", target.shape[0], prediction.shape[0])
        losses = predicted_losses(
            prediction,
            moved(target, prediction),
            max_loss=limit,
            logarithms=logarithms,
            name=name,
            kept=None if kept is None else moved(kept, prediction),
        )
        if has_rows(truth):
            order = dict(zip(columns, classes.source.tolist(), strict=False))
            return losses.named(lambda each: order.get(each.column or 0, each.column))
        return losses.named(
            lambda each: to_numpy(labels.source[each.row : each.row + 1]).tolist()[0]
        )

    def set_score_request(
        self,
        *,
        sample_weight: bool | str | None = UNCHANGED,
        offset: bool | str | None = UNCHANGED,
    ) -> CrossEntropyScorer:
        """Return a scorer with these requests for `sample_weight` and `offset`.

        The requests matter under metadata routing. A request that is not given stays as it is.

        Unlike the method of an estimator, this one does not change its object: use the new scorer.

        Parameters
        ----------
        sample_weight, offset : bool, str or None
            True: take the argument when it is passed. False: do not. None: raise if it is passed.
            A string: take the metadata of that name.

        Returns
        -------
        CrossEntropyScorer
            A new scorer.
        """
        return replace(
            self,
            request=self.request if sample_weight == UNCHANGED else sample_weight,
            offset_request=self.offset_request if offset == UNCHANGED else offset,
        )

    def get_metadata_routing(self) -> MetadataRequest:
        """Return the metadata request of this scorer.

        Returns
        -------
        MetadataRequest
            The requests for `sample_weight` and `offset` in `score`.
        """
        routing = MetadataRequest(owner=repr(self))
        routing.score.add_request(param="sample_weight", alias=self.request)
        routing.score.add_request(param="offset", alias=self.offset_request)
        return routing

    def _accept_sample_weight(self) -> bool:
        # Without metadata routing, scikit-learn calls this method of each scorer in a dict before
        # it passes weights.
        return True

    @property
    def __name__(self) -> str:
        """Return the name that LearningCurveDisplay and ValidationCurveDisplay write on an axis.

        They turn the prefix "neg_" into "Negative", or leave it out with `negate_score`.
        """
        return self._label()

    def _label(self) -> str:
        of = {"mean": "", "sum": "sum_"}[self.reduction]
        unit_of_base = "" if self.base is None else f"_base_{self.base:g}"
        return f"neg_{of}{self.loss}_cross_entropy{unit_of_base}"

    def __getattr__(self, name: str) -> Any:
        """Explain why the attributes that TunedThresholdClassifierCV reads are missing."""
        if name in ("_score_func", "_sign", "_kwargs"):
            raise AttributeError(
                f"{self!r} has no {name}: it scores probabilities, which no decision threshold "
                "changes. To tune a threshold pass a score of predicted labels, such as "
                'scoring="balanced_accuracy"; score the tuned classifier with this scorer.'
            )
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __sklearn_clone__(self) -> CrossEntropyScorer:
        """Return the scorer itself, because it is immutable."""
        return self

    def __repr__(self) -> str:
        """Return the call that makes this scorer."""
        changed = [
            f"{field.name}={getattr(self, field.name)!r}"
            for field in fields(self)[:5]
            if getattr(self, field.name) != field.default
        ]
        return f"make_cross_entropy_scorer({', '.join(changed)}){self._routed()}"

    def _routed(self) -> str:
        """Return the call that makes the requests of this scorer."""
        requests = {"sample_weight": self.request, "offset": self.offset_request}
        given = [f"{name}={value!r}" for name, value in requests.items() if value is not None]
        return f".set_score_request({', '.join(given)})" if given else ""


def make_cross_entropy_scorer(
    loss: Literal["categorical", "binary"] = "categorical",
    *,
    reduction: Literal["mean", "sum"] = "mean",
    base: float | None = None,
    eps: float | None = None,
    ignore_label: object = None,
) -> CrossEntropyScorer:
    """Make a scorer of cross-entropy: greater is better, 0 is perfect.

    Parameters
    ----------
    loss : {"categorical", "binary"}, default="categorical"
        "categorical" takes labels of any number of classes and soft rows. "binary" takes labels
        of two classes, and rows of m independent yes/no outcomes (multilabel).
    reduction : {"mean", "sum"}, default="mean"
        Negative mean per sample, or negative sum, the log-likelihood of the samples.
    base : float, default=None
        Base of the logarithm. None gives nats, 2 gives bits.
    eps : float, default=None
        Floor under the probability of a target. None takes the machine epsilon of float64. 0 is
        exact: an impossible event scores minus infinity, and `predict_log_proba` is used if the
        estimator has it.
    ignore_label : label, default=None
        Label of samples that do not count, such as -1 for samples without a label in
        `sklearn.semi_supervised`. The estimator must not have learned it as a class.

    Returns
    -------
    CrossEntropyScorer
        A callable ``scorer(estimator, X, y, sample_weight=None, *, offset=None)`` for `scoring=`.

    Raises
    ------
    ValueError
        If an option is none of the above.

    See Also
    --------
    categorical_cross_entropy : The loss and its formula.
    binary_cross_entropy : The loss and its formula.

    Notes
    -----
    The columns of `predict_proba` are aligned by the estimator's `classes_`. A label that the
    estimator never saw has probability 0. In a row of zeros, which some classifiers return for
    samples that they cannot predict, every label has probability 0. Other rows that do not sum to 1
    raise ValueError.

    Examples
    --------
    >>> from skxent import make_cross_entropy_scorer
    >>> from sklearn.dummy import DummyClassifier
    >>> coin = DummyClassifier(strategy="uniform").fit([[0], [0]], ["heads", "tails"])
    >>> bits = make_cross_entropy_scorer(reduction="sum", base=2)
    >>> bits
    make_cross_entropy_scorer(reduction='sum', base=2)
    >>> bits(coin, [[0], [0], [0]], ["tails", "heads", "heads"])
    -3.0
    """
    check_option("loss", loss, tuple(LOSSES))
    cure = 'a score is a number, pass "mean" or "sum"'
    check_option("reduction", reduction, ("mean", "sum"), cure)
    unit(base)
    max_loss(eps)
    if ignore_label is not None:
        as_ignored(ignore_label)
    return CrossEntropyScorer(loss, reduction, base, eps, ignore_label)


def _losses_of_partition(
    scorer: CrossEntropyScorer, given: GivenPredictions, y: object, P: object
) -> Losses:
    return scorer._losses(given, P, y)
