"""Predictions of a classifier for held-out samples, and their calibration by other samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax
from sklearn.base import BaseEstimator, clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import cross_validate
from sklearn.pipeline import Pipeline
from sklearn.utils import Tags, get_tags
from sklearn.utils.metadata_routing import MetadataRequest
from sklearn.utils.validation import check_is_fitted

from skxent.classifiers.calibration_fit import Calibration
from skxent.inputs.array_arguments import reals_of
from skxent.inputs.calibration_data import two_log_columns
from skxent.inputs.fit_targets import Floats, class_codes
from skxent.inputs.labels import Labels, as_labels, locate, shorten
from skxent.inputs.namespaces import to_numpy
from skxent.inputs.predictions import check_distributions
from skxent.inputs.responses import predicted_columns, spread_columns
from skxent.inputs.splits import Indices, Split
from skxent.inputs.stand_ins import estimator_name
from skxent.metrics.scored_samples import MAX_LOSS

RESPONSES = ("predict_proba", "predict_log_proba", "decision_function")


def log_response(estimator: Any, X: Any, response_method: str) -> tuple[Floats, Labels]:
    """Return log-probabilities (n, K) that a fitted classifier predicts, and its classes.

    Probabilities have the floor of the losses. "auto" means `predict_proba` or, if the classifier
    lacks it, `decision_function`, whose values count as logits.
    """
    if response_method == "auto":
        response_method = _best_response(estimator)
    name = f"{estimator_name(estimator)}.{response_method}(X)"
    if not hasattr(estimator, response_method):
        raise TypeError(f"{name} does not exist: pass another response_method.")
    if response_method == "decision_function":
        return _of_decisions(estimator, X, name)
    logarithms = response_method == "predict_log_proba"
    rows, classes = predicted_columns(estimator, X, logarithms)
    if logarithms:
        return _checked_logarithms(to_numpy(rows).astype(np.float64), name), classes
    check_distributions(rows, name)
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(to_numpy(rows).astype(np.float64)), -MAX_LOSS), classes


def _best_response(estimator: Any) -> str:
    for name in ("predict_proba", "decision_function"):
        if hasattr(estimator, name):
            return name
    raise TypeError(
        f"{estimator_name(estimator)} has neither predict_proba nor decision_function: pass a "
        "classifier with one of them."
    )


def _checked_logarithms(log_p: Floats, name: str) -> Floats:
    bad = ~(log_p < np.inf).all(axis=1)
    if bad.any():
        raise ValueError(
            f"{name} has NaN or +infinity in row {int(bad.argmax())}: pass a classifier whose "
            "predictions are numbers."
        )
    return log_p


def _of_decisions(estimator: Any, X: Any, name: str) -> tuple[Floats, Labels]:
    """Return decision values as logits; two classes have one column."""
    values = to_numpy(reals_of(estimator.decision_function(X), name)).astype(np.float64)
    classes = classes_of(estimator)
    if not np.isfinite(values).all():
        raise ValueError(f"{name} has NaN or infinity: decision values are finite.")
    if len(classes) == 2 and (values.ndim == 1 or values.shape[1] == 1):
        return two_log_columns(values.ravel()), classes
    if values.shape[1:] != (len(classes),) or (len(classes) == 3 and _has_pairs(estimator)):
        raise ValueError(
            f"{name} has shape {values.shape} but classes_ names {len(classes)} classes, "
            f"{shorten(classes.source.tolist())}: calibration needs a column for each class, and "
            "not for each pair of classes."
        )
    return log_softmax(values, axis=1), classes


def _has_pairs(estimator: Any) -> bool:
    """Return whether decision values are of pairs of classes, which are as many as 3 classes."""
    if isinstance(estimator, FrozenEstimator):
        return _has_pairs(estimator.estimator)
    if isinstance(estimator, Pipeline):
        return _has_pairs(estimator.steps[-1][1])
    return getattr(estimator, "decision_function_shape", None) == "ovo"


def classes_of(estimator: Any) -> Labels:
    """Return the classes of a fitted classifier."""
    if getattr(estimator, "classes_", None) is None:
        if isinstance(estimator, FrozenEstimator):
            check_is_fitted(estimator, msg="%(name)s is not fitted: fit it before you freeze it.")
        raise TypeError(
            f"{estimator_name(estimator)} has no classes_, so the class of each column is unknown: "
            "pass a classifier."
        )
    return as_labels(estimator.classes_, "classes_")


def check_no_offset(estimator: Any, params: dict[str, Any]) -> None:
    """Refuse a classifier with an offset, which its predictions would need, too."""
    given = [params[name] for name in params if name.split("__")[-1] == "offset"]
    frozen = isinstance(estimator, FrozenEstimator) and getattr(estimator, "has_offset_", False)
    if frozen or any(value is not None for value in given):
        raise ValueError(
            f"{estimator_name(estimator)} is fitted with an offset, which CalibratedClassifier "
            "cannot pass to predictions: fit it without one, or fit a LogitCalibrator to its "
            "held-out predictions."
        )


class HeldOutFit(BaseEstimator):
    """Fits a classifier to training samples; `score` keeps its predictions for test samples."""

    def __init__(self, estimator: Any, response_method: str, requested: Sequence[str]) -> None:
        self.estimator = estimator
        self.response_method = response_method
        self.requested = requested

    def fit(self, X: Any, y: Any, **params: Any) -> Self:
        """Fit a clone of the classifier."""
        self.estimator_ = clone(self.estimator).fit(X, y, **params)
        return self

    def score(self, X: Any, y: Any = None) -> float:
        """Keep the predictions for X, and forget the classifier."""
        self.log_p_, self.classes_ = log_response(self.estimator_, X, self.response_method)
        del self.estimator_
        return 0.0

    def get_metadata_routing(self) -> MetadataRequest:
        """Return a request of the arguments of `fit`, by the names that the classifier's `fit` has.

        These may differ from the names that the classifier requests, which the user passes.
        """
        request = MetadataRequest(owner=self)
        for name in self.requested:
            request.fit.add_request(param=name, alias=True)
        return request

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        return tags


def fit_folds(
    template: HeldOutFit,
    X: Any,
    y: Any,
    splits: list[Split],
    params: dict[str, Any],
    n_jobs: int | None,
) -> list[HeldOutFit]:
    """Fit the classifier without each fold, and predict the fold."""
    options = {"n_jobs": n_jobs, "return_estimator": True, "error_score": "raise"}
    found = cross_validate(template, X, y, cv=splits, params=params, **options)
    return list(found["estimator"])


@dataclass(frozen=True)
class HeldOut:
    """Predictions for held-out samples, a row for each time that a sample was held out.

    Parameters
    ----------
    rows : (m,) array of int
        The sample of each prediction.
    folds : (m,) array of int
        The fold in which it was held out.
    log_p : (m, K) array
        Log-probabilities, all finite.
    known : (n_folds, K) array of bool
        The classes in the training samples of each fold. A soft target has all classes to which it
        gives a probability above 0.
    """

    rows: Indices
    folds: NDArray[np.intp]
    log_p: Floats
    known: NDArray[np.bool_]

    @classmethod
    def of_fits(
        cls,
        fits: Sequence[HeldOutFit],
        splits: Sequence[Split],
        classes: Labels,
        target: np.ndarray,
    ) -> Self:
        """Collect the predictions of the fits on the training samples of each fold."""
        log_p, known = [], np.zeros((len(fits), len(classes)), dtype=bool)
        for fold, fit in enumerate(fits):
            columns = _columns_among(classes, fit.classes_)
            known[fold, columns] = True
            if target.ndim == 2:
                known[fold] &= (target[splits[fold][0]] > 0).any(axis=0)
            log_p.append(spread_columns(fit.log_p_, columns, len(classes), -np.inf))
        return cls(*_places(splits), _floored(np.concatenate(log_p)), known)

    @classmethod
    def of_fitted(cls, log_p: Floats, splits: Sequence[Split], every: bool = False) -> Self:
        """Return the predictions of one fitted classifier for the test samples of all folds.

        `every` gives each sample once instead, in one fold.
        """
        rows, folds = _places([(np.empty(0, np.intp), np.arange(len(log_p)))] if every else splits)
        known = np.ones((folds.max() + 1, log_p.shape[1]), dtype=bool)
        return cls(rows, folds, _floored(log_p)[rows], known)

    @cached_property
    def counts(self) -> NDArray[np.intp]:
        """How often the sample of each row was held out, (m,)."""
        return np.bincount(self.rows)[self.rows]

    @property
    def repeats(self) -> bool:
        """Whether a sample was held out more than once."""
        return bool(self.counts.max() > 1)

    def is_known(self, target: np.ndarray) -> NDArray[np.bool_]:
        """Return whether the fit that predicted a row knows all classes of its target, (m,)."""
        if target.ndim == 2:
            return (self.known[self.folds] | (target[self.rows] == 0)).all(axis=1)
        return self.known[self.folds, target[self.rows]]

    def weights(self, target: np.ndarray, weight: Floats | None) -> Floats:
        """Return the weight of each row, (m,), from targets and weights of the n samples.

        It is 0 if the fit does not know the class. The rows of a sample share its weight.
        """
        own = np.ones(len(self.rows)) if weight is None else weight[self.rows]
        shared = np.where(self.is_known(target), own / self.counts, 0.0)
        if not shared.any():
            raise ValueError(
                "no held-out sample is left to calibrate with: the class of each is not among the "
                "training samples of its fold, or its weight is 0. Pass a stratified cv, or one "
                "that shuffles."
            )
        return shared

    def units(self, groups: np.ndarray | None) -> np.ndarray | None:
        """Return the independent unit of each row, given the groups of the n samples.

        None means that each row is one. Without groups the rows of a sample are a unit.
        """
        if groups is not None:
            return groups[self.rows]
        return self.rows if self.repeats else None


def _columns_among(classes: Labels, own: Labels) -> list[int]:
    """Return the place among all classes of each class of a fit on a fold."""
    columns = locate(own, classes)
    if (columns < 0).any():
        unknown = own.source.tolist()[int((columns < 0).argmax())]
        raise ValueError(f"a fit on a fold has the class {unknown!r}, which is not in classes_.")
    return columns.tolist()


def _floored(log_p: Floats) -> Floats:
    """Replace log-probabilities of minus infinity, of classes that a prediction rules out."""
    least = float(np.min(log_p, where=np.isfinite(log_p), initial=-MAX_LOSS))
    return np.where(log_p == -np.inf, least, log_p)


def _places(splits: Sequence[Split]) -> tuple[Indices, NDArray[np.intp]]:
    """Return the samples of all test parts, one part after the other, and the fold of each."""
    tests = [test for _, test in splits]
    return np.concatenate(tests), np.repeat(np.arange(len(tests)), list(map(len, tests)))


def cross_fitted(
    held_out: HeldOut,
    target: np.ndarray,
    weight: Floats,
    fit: Callable[[Floats, np.ndarray, Floats], Calibration],
) -> Floats:
    """Return calibrated logits of each row, from a map that was fitted without its sample.

    The map for a fold is fitted, by `fit`, to the other folds. A single fold is divided into five.
    """
    folds, logits = held_out.folds, np.empty_like(held_out.log_p)
    if folds.min() == folds.max():
        folds = _five_folds(target)
    for fold in np.unique(folds):
        test = folds == fold
        train = ~np.isin(held_out.rows, held_out.rows[test])
        if not weight[train].any():
            raise ValueError(
                f"without fold {fold} of cv no held-out sample with a weight is left: pass a cv "
                "with more folds."
            )
        found = fit(held_out.log_p[train], target[train], weight[train])
        logits[test] = found.logits(held_out.log_p[test])
    return logits


def _five_folds(target: np.ndarray) -> NDArray[np.intp]:
    """Divide samples into five folds, with every class in equal shares as far as possible."""
    codes = class_codes(target)
    folds = np.empty(len(codes), dtype=np.intp)
    order = np.argsort(codes, kind="stable")
    folds[order] = np.arange(len(codes)) % 5
    return folds
