"""Scorers: cross-entropy of a fitted classifier, wherever scikit-learn takes `scoring=`."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.metadata_routing import MetadataRequest

from skxent._collections import here
from skxent._namespaces import moved, namespace_of, to_numpy
from skxent._partitions import is_dask
from skxent.metrics._array_api.losses import costs_of, spread_on_device
from skxent.metrics._array_api.targets import array_of, has_rows, labels_of, numbers_of, reals_of
from skxent.metrics._costs import Losses
from skxent.metrics._dask.losses import PartitionedLosses
from skxent.metrics._dask.scorers import Answered
from skxent.metrics._dask.whole import all_labels, one_row
from skxent.metrics._labels import Labels, as_array, as_labels, locate, shorten
from skxent.metrics._names import columns_of
from skxent.metrics._options import is_one_of
from skxent.metrics._targets import ceiling, check_length, unit


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

        Notes
        -----
        Any of the arguments may be a Dask collection. Where the estimator predicts a Dask array,
        its partitions stay where they are and report sums.
        """
        if is_dask(X, y, sample_weight):
            return self._over_partitions(estimator, X, y, sample_weight)
        return self._score(estimator, X, y, sample_weight)

    def _score(self, estimator: Any, X: Any, y: Any, sample_weight: Any) -> Score:
        losses = self._losses(estimator, X, y)
        weights = losses.weights(sample_weight)
        losses.warn(self.eps)
        value = losses.sum(weights) if self.reduction == "sum" else losses.mean(weights)
        return Score(0.0 - value / unit(self.base))

    def _losses(self, estimator: Any, X: Any, y: Any) -> Losses:
        outcomes = array_of(y, "y_true")
        rows = has_rows(outcomes)
        if rows and self.loss == "binary":
            return _multilabel(estimator, X, outcomes, ceiling(self.eps))
        return self._multiclass(estimator, X, outcomes, y)

    def _over_partitions(self, estimator: Any, X: Any, y: Any, sample_weight: Any) -> Score:
        """Score Dask collections; where partitions are is up to what the estimator predicts."""
        rows = has_rows(one_row(y, "y_true"))
        logarithms = self._takes_logarithms(estimator) and not (rows and self.loss == "binary")
        prediction = _predict(estimator, X, logarithms)
        answered = Answered.by(estimator, logarithms)
        if isinstance(prediction, list) or not is_dask(prediction, y, sample_weight):
            prediction, y, sample_weight = here(prediction, y, sample_weight)
            return self._score(answered, prediction, y, sample_weight)
        if self.loss == "binary" and not rows:
            self._check_whole(y, answered)
        read = partial(_losses_of_answer, self, answered)
        losses = PartitionedLosses(read, y, prediction, sample_weight, self.eps, unit(self.base))
        return Score(0.0 - losses.reduced(self.reduction))

    def _check_whole(self, y: Any, answered: Answered) -> None:
        truth = all_labels(y)
        if truth is not None and answered.classes_ is not None:
            _check_binary(truth, as_labels(answered.classes_, "classes_"))

    def _takes_logarithms(self, estimator: Any) -> bool:
        return self.eps == 0 and hasattr(estimator, "predict_log_proba")

    def _multiclass(self, estimator: Any, X: Any, y: NDArray[Any], given: Any) -> Losses:
        """Losses of the truth `y`, which was `given` as a table perhaps, with column names."""
        logarithms = self._takes_logarithms(estimator)
        prediction, classes = predicted_columns(estimator, X, logarithms)
        cap = ceiling(self.eps)
        name = response_name(estimator, logarithms)
        if has_rows(y):
            target = numbers_of(y, "y_true")
            columns = columns_of(classes, target.shape[1], given)
            prediction = spread_columns(
                prediction, columns, target.shape[1], -np.inf if logarithms else 0.0
            )
        else:
            truth = labels_of(y, "y_true")
            target = locate(truth, classes)
            if self.loss == "binary":
                _check_binary(truth, classes)
        check_length("y_true", target.shape[0], prediction.shape[0])
        target = moved(target, prediction)
        losses = costs_of(prediction).predicted(
            prediction, target, cap=cap, logarithms=logarithms, name=name
        )
        if has_rows(y):
            order = dict(zip(columns, classes.source.tolist(), strict=False))
            return losses.named(lambda each: order.get(each.column, each.column))
        return losses.named(lambda each: _entry(truth.source, each.row))

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

    @property
    def __name__(self) -> str:
        """Return the name that LearningCurveDisplay and ValidationCurveDisplay write at axes.

        They turn the prefix "neg_" into "Negative", or leave it out with `negate_score`.
        """
        return self._label()

    def _label(self) -> str:
        of = {"mean": "", "sum": "sum_"}[self.reduction]
        unit_of_base = "" if self.base is None else f"_base_{self.base:g}"
        return f"neg_{of}{self.loss}_cross_entropy{unit_of_base}"

    def __getattr__(self, name: str) -> Any:
        """Explain why this scorer lacks what TunedThresholdClassifierCV reads from scorers."""
        if name in ("_score_func", "_sign", "_kwargs", "_response_method"):
            raise AttributeError(
                f"{self!r} has no {name}: it scores probabilities, which no decision threshold "
                "changes. To tune a threshold pass a score of predicted labels, such as "
                'scoring="balanced_accuracy"; score the tuned classifier with this scorer.'
            )
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

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
    if not is_one_of(loss, ("categorical", "binary")):
        raise ValueError(f'loss={loss!r}: pass "categorical" or "binary".')
    if not is_one_of(reduction, ("mean", "sum")):
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


def _losses_of_answer(scorer: CrossEntropyScorer, answered: Answered, y: Any, P: Any) -> Losses:
    """Losses of one partition."""
    return scorer._losses(answered, P, y)


def _entry(values: Any, row: int) -> Any:
    """Return one entry of an array of any library as a Python object."""
    entry = values[row : row + 1]
    return (entry if namespace_of(entry) is None else to_numpy(entry)).tolist()[0]


def response_name(estimator: Any, logarithms: bool = False) -> str:
    """Name what the estimator predicts, for messages."""
    return f"{_name(estimator)}.{'predict_log_proba' if logarithms else 'predict_proba'}(X)"


def _name(estimator: Any) -> str:
    return estimator.name if isinstance(estimator, Answered) else type(estimator).__name__


def predicted_columns(estimator: Any, X: Any, logarithms: bool) -> tuple[NDArray[Any], Labels]:
    """Return the rows that the estimator predicts and the class of each column."""
    prediction, name = _predict(estimator, X, logarithms), response_name(estimator, logarithms)
    if isinstance(prediction, list):
        raise ValueError(
            f"{name} is a list, one array for each of several outputs: use bce_scorer with y of "
            "shape (n, m) for yes/no outcomes."
        )
    prediction = reals_of(here(prediction)[0], name)
    if getattr(estimator, "classes_", None) is None:
        raise TypeError(
            f"{_name(estimator)} has no classes_, so there is no telling whose column is "
            "whose: pass a fitted classifier."
        )
    classes = as_labels(estimator.classes_, "classes_")
    # A binary learner fitted on one class may keep two columns: that class, and one without a name.
    width = 2 if len(classes) == 1 and prediction.shape[1:] == (2,) else len(classes)
    if prediction.shape[1:] != (width,):
        shape = tuple(prediction.shape)
        raise ValueError(
            f"{name} has shape {shape} but classes_ names {len(classes)} classes, "
            f"{shorten(classes.source.tolist())}: there is no telling whose column is whose."
        )
    return prediction, classes


def _check_binary(truth: Labels, classes: Labels) -> None:
    together = sorted({*truth.distinct.tolist(), *classes.distinct.tolist()}, key=repr)
    if len(together) > 2:
        raise ValueError(
            f"the binary loss takes two classes, but here are {len(together)} in y_true and "
            f"classes_, {together[:10]}: use cce_scorer."
        )


def spread_columns(
    prediction: NDArray[Any], columns: list[int], width: int, absent: float
) -> NDArray[Any]:
    """Put the classes of a prediction in their columns among `width`."""
    if columns == list(range(width)):
        return prediction
    if namespace_of(prediction) is not None:
        return spread_on_device(prediction, columns, width, absent)
    spread = np.full((len(prediction), width), absent, dtype=np.result_type(prediction, np.float32))
    spread[:, columns] = prediction[:, : len(columns)]
    return spread


def _multilabel(estimator: Any, X: Any, outcomes: NDArray[Any], cap: float) -> Losses:
    """Losses of m yes/no outcomes, from (n, m) probabilities or m arrays of (n, 2)."""
    prediction, name = _predict(estimator, X), response_name(estimator)
    if isinstance(prediction, list):
        yes = [
            _probability_of_yes(reals_of(columns, name), classes, name)
            for columns, classes in zip(prediction, estimator.classes_, strict=True)
        ]
        prediction = (namespace_of(*yes) or np).stack(yes, axis=1)
    prediction, target = reals_of(prediction, name), numbers_of(outcomes, "y_true")
    if prediction.shape != target.shape:
        raise ValueError(
            f"y_true has shape {tuple(target.shape)} but {name} has shape "
            f"{tuple(prediction.shape)}: the binary loss takes one probability for each outcome. "
            "Soft rows over classes go to cce_scorer."
        )
    target = moved(target, prediction)
    return costs_of(prediction).binary(prediction, target, cap=cap, name=name)


def _probability_of_yes(columns: NDArray[Any], classes: ArrayLike, name: str) -> NDArray[Any]:
    """Return the column of class 1, or zeros if the estimator never saw a yes."""
    known = as_array(classes, "classes_")
    if columns.ndim != 2 or columns.shape[1:] != known.shape:
        raise ValueError(
            f"{name} has an output of shape {tuple(columns.shape)} for classes_ "
            f"{known.tolist()}: it takes one column for each class."
        )
    if not np.isin(known, (0, 1)).all():
        raise ValueError(f"{name} is about classes {known.tolist()}: yes/no outcomes are 0 and 1.")
    yes = np.flatnonzero(known == 1)
    if yes.size:
        return columns[:, int(yes[0])]
    return (namespace_of(columns) or np).zeros_like(columns[:, 0])
