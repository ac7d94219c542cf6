"""Scorers: cross-entropy of a fitted classifier, wherever scikit-learn takes `scoring=`."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.metadata_routing import MetadataRequest

from skxent.metrics import _costs
from skxent.metrics._costs import Losses
from skxent.metrics._labels import Labels, as_array, as_labels, locate, shorten
from skxent.metrics._targets import (
    as_numbers,
    as_reals,
    as_weights,
    ceiling,
    check_length,
    column_names,
    unit,
)
from skxent.metrics.losses import weighted_sum


class Score(float):
    """A float that also reads as the mapping {"score": value}.

    ``sklearn.callback.ScoringMonitor(scoring=scorer)`` updates a dict with whatever a scorer that
    is not scikit-learn's own returns (seen in 1.9.1), and a plain float ends the fit there. It has
    no `__iter__`, by which data frames would take it for a column.
    """

    def keys(self) -> tuple[str]:
        """Return the one key."""
        return ("score",)

    def __getitem__(self, key: str) -> float:
        """Return the value of the one key."""
        if key != "score":
            raise KeyError(key)
        return float(self)


@dataclass(frozen=True, repr=False)
class CrossEntropyScorer:
    """Negative cross-entropy of a fitted classifier: greater is better, 0 is perfect.

    Call it as ``scorer(estimator, X, y, sample_weight=None)``, or pass it as `scoring` wherever
    scikit-learn takes one. It is immutable, so one object can be shared.

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
    request : bool, str or None
        What metadata routing shall do with `sample_weight`; see `set_score_request`.

    See Also
    --------
    make_cross_entropy_scorer : The way to make one.

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
    request: bool | str | None = None

    def __call__(
        self, estimator: Any, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None
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

        Returns
        -------
        float
            The negative mean or sum of the losses.
        """
        outcomes = as_array(y, "y_true")
        rows = outcomes.ndim == 2 and outcomes.shape[1] > 1
        if rows and self.loss == "binary":
            losses = _multilabel(estimator, X, outcomes, ceiling(self.eps))
        else:
            losses = self._multiclass(estimator, X, outcomes, column_names(y) if rows else None)
        weights = as_weights(sample_weight, len(losses.values))
        losses.warn(self.eps, stacklevel=2)
        total, weight = weighted_sum(losses.values, weights)
        value = total if self.reduction == "sum" else total / weight
        return Score(0.0 - value / unit(self.base))

    def _multiclass(
        self, estimator: Any, X: Any, y: NDArray[Any], names: list[Any] | None
    ) -> Losses:
        logarithms = self.eps == 0 and hasattr(estimator, "predict_log_proba")
        prediction, classes = predicted_columns(estimator, X, logarithms)
        cap = ceiling(self.eps)
        name = response_name(estimator, logarithms)
        if y.ndim == 2 and y.shape[1] > 1:
            target = as_numbers(y, "y_true")
            columns = columns_of(classes, target.shape[1], names)
            prediction = spread_columns(
                prediction, columns, target.shape[1], -np.inf if logarithms else 0.0
            )
        else:
            truth = as_labels(y, "y_true")
            if self.loss == "binary":
                _check_binary(truth, classes)
            target = locate(truth, classes)
        check_length("y_true", len(target), len(prediction))
        return _costs.predicted(prediction, target, cap=cap, logarithms=logarithms, name=name)

    def set_score_request(self, *, sample_weight: bool | str | None) -> CrossEntropyScorer:
        """Return a scorer with this request for `sample_weight` under metadata routing.

        Unlike an estimator's, this scorer is not changed: use what is returned.

        Parameters
        ----------
        sample_weight : bool, str or None
            True: take `sample_weight` when it is passed. False: do not. None: raise if it is
            passed. A string: take the metadata of that name.

        Returns
        -------
        CrossEntropyScorer
            A new scorer.
        """
        return replace(self, request=sample_weight)

    def get_metadata_routing(self) -> MetadataRequest:
        """Return the metadata request of this scorer.

        Returns
        -------
        MetadataRequest
            What scikit-learn's routing asks every consumer for.
        """
        routing = MetadataRequest(owner=repr(self))
        routing.score.add_request(param="sample_weight", alias=self.request)
        return routing

    def _accept_sample_weight(self) -> bool:
        # Without metadata routing, scikit-learn asks each scorer of a dict this before it passes
        # weights.
        return True

    def __sklearn_clone__(self) -> CrossEntropyScorer:
        """Return itself, being immutable."""
        return self

    def __repr__(self) -> str:
        """Return the call that makes this scorer."""
        changed = [
            f"{field.name}={getattr(self, field.name)!r}"
            for field in fields(self)[:-1]
            if getattr(self, field.name) != field.default
        ]
        routed = (
            "" if self.request is None else f".set_score_request(sample_weight={self.request!r})"
        )
        return f"make_cross_entropy_scorer({', '.join(changed)}){routed}"


def make_cross_entropy_scorer(
    loss: Literal["categorical", "binary"] = "categorical",
    *,
    reduction: Literal["mean", "sum"] = "mean",
    base: float | None = None,
    eps: float | None = None,
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
        exact: an impossible event scores minus infinity, and `predict_log_proba` is preferred where
        there is one.

    Returns
    -------
    CrossEntropyScorer
        A callable ``scorer(estimator, X, y, sample_weight=None)`` for `scoring=`.

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
    estimator never saw has probability 0. So has every label in a row of zeros, which some
    classifiers return where they know nothing. Other rows that do not sum to 1 raise ValueError.

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
    if loss not in ("categorical", "binary"):
        raise ValueError(f'loss={loss!r}: pass "categorical" or "binary".')
    if reduction not in ("mean", "sum"):
        raise ValueError(f'reduction={reduction!r}: a score is a number, pass "mean" or "sum".')
    unit(base)
    ceiling(eps)
    return CrossEntropyScorer(loss, reduction, base, eps)


cce_scorer = make_cross_entropy_scorer("categorical")
bce_scorer = make_cross_entropy_scorer("binary")
cce_sum_scorer = make_cross_entropy_scorer("categorical", reduction="sum")
bce_sum_scorer = make_cross_entropy_scorer("binary", reduction="sum")


def _predict(estimator: Any, X: Any, logarithms: bool = False) -> Any:
    if not hasattr(estimator, "predict_proba"):
        raise TypeError(
            f"{type(estimator).__name__} has no predict_proba, and cross-entropy needs "
            "probabilities: wrap it in sklearn.calibration.CalibratedClassifierCV."
        )
    if not logarithms:
        return estimator.predict_proba(X)
    with np.errstate(divide="ignore"):  # many are log(predict_proba): -inf for 0 is meant
        return estimator.predict_log_proba(X)


def response_name(estimator: Any, logarithms: bool = False) -> str:
    """Name what the estimator predicts, for messages."""
    return f"{type(estimator).__name__}.{'predict_log_proba' if logarithms else 'predict_proba'}(X)"


def predicted_columns(estimator: Any, X: Any, logarithms: bool) -> tuple[NDArray[Any], Labels]:
    """Return the rows that the estimator predicts and the class of each column."""
    prediction, name = _predict(estimator, X, logarithms), response_name(estimator, logarithms)
    if isinstance(prediction, list):
        raise ValueError(
            f"{name} is a list, one array for each of several outputs: use bce_scorer with y of "
            "shape (n, m) for yes/no outcomes."
        )
    prediction = as_reals(prediction, name)
    if not hasattr(estimator, "classes_"):
        raise TypeError(
            f"{type(estimator).__name__} has no classes_, so there is no telling whose column is "
            "whose: pass a fitted classifier."
        )
    classes = as_labels(estimator.classes_, "classes_")
    # A binary learner fitted on one class may keep two columns: that class, and one without a name.
    width = 2 if len(classes) == 1 and prediction.shape[1:] == (2,) else len(classes)
    if prediction.shape[1:] != (width,):
        raise ValueError(
            f"{name} has shape {prediction.shape} but classes_ names {len(classes)} classes, "
            f"{shorten(classes.source.tolist())}: there is no telling whose column is whose."
        )
    return prediction, classes


def _check_binary(truth: Labels, classes: Labels) -> None:
    together = sorted({*truth.distinct.tolist(), *classes.distinct.tolist()}, key=repr)
    if len(together) > 2:
        raise ValueError(
            f"the binary loss takes two classes, but here are {len(together)}, {together[:10]}: "
            "use cce_scorer."
        )


def columns_of(classes: Labels, width: int, names: list[Any] | None) -> list[int]:
    """Return each class's column among the `width` of soft rows: by name, place or number."""
    known = classes.source.tolist()
    if names is not None and set(known) <= set(names):
        return [names.index(label) for label in known]
    if len(known) == width:
        return list(range(width))
    if classes.source.dtype.kind not in "biu" or min(known) < 0 or max(known) >= width:
        raise ValueError(
            f"y_true has {width} columns but classes_ is {shorten(known)}: soft rows have one "
            f"column for each of classes_, or classes_ is a part of 0, ..., {width - 1}, or a "
            "data frame names the columns."
        )
    return [int(label) for label in known]


def spread_columns(
    prediction: NDArray[Any], columns: list[int], width: int, absent: float
) -> NDArray[Any]:
    """Put the classes of a prediction in their columns among `width`."""
    if columns == list(range(width)):
        return prediction
    spread = np.full((len(prediction), width), absent, dtype=np.result_type(prediction, np.float32))
    spread[:, columns] = prediction[:, : len(columns)]
    return spread


def _multilabel(estimator: Any, X: Any, outcomes: NDArray[Any], cap: float) -> Losses:
    """Losses of m yes/no outcomes, from (n, m) probabilities or m arrays of (n, 2)."""
    prediction, name = _predict(estimator, X), response_name(estimator)
    if isinstance(prediction, list):
        prediction = np.column_stack(
            [
                _probability_of_yes(as_reals(columns, name), classes, name)
                for columns, classes in zip(prediction, estimator.classes_, strict=True)
            ]
        )
    prediction, target = as_reals(prediction, name), as_numbers(outcomes, "y_true")
    if prediction.shape != target.shape:
        raise ValueError(
            f"y_true has shape {target.shape} but {name} has shape {prediction.shape}: the "
            "binary loss takes one probability for each outcome. Soft rows over "
            "classes go to cce_scorer."
        )
    return _costs.binary(prediction, target, cap=cap, name=name)


def _probability_of_yes(columns: NDArray[Any], classes: ArrayLike, name: str) -> NDArray[Any]:
    """Return the column of class 1, or zeros if the estimator never saw a yes."""
    known = np.asarray(classes)
    if not np.isin(known, (0, 1)).all():
        raise ValueError(f"{name} is about classes {known.tolist()}: yes/no outcomes are 0 and 1.")
    yes = np.flatnonzero(known == 1)
    return columns[:, yes[0]] if yes.size else np.zeros(len(columns))
