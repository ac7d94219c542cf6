"""Base class of the softmax classifiers: predictions, fitted attributes, warnings, HTML link."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from copy import deepcopy
from functools import cache, wraps
from importlib.metadata import PackageNotFoundError, metadata
from typing import Self, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skxent.classifiers.callbacks import Attributes
from skxent.classifiers.device_training import converted
from skxent.classifiers.linear_predictions import (
    device_accuracy,
    host_accuracy,
    labels_at,
    log_probabilities_at,
    logits_of,
    probabilities_at,
)
from skxent.classifiers.messages import convergence_message, no_weight_message
from skxent.classifiers.partitioned_predictions import accuracy, by_partition
from skxent.inference.fitted import ClassWeight, LinearModel
from skxent.inputs.array_arguments import as_array
from skxent.inputs.class_names import check_default_names
from skxent.inputs.features import AnyArray
from skxent.inputs.fit_targets import Floats, check_labels, check_target_shape, sample_weights
from skxent.inputs.namespaces import namespace_of, to_numpy
from skxent.inputs.parameters import penalty_of
from skxent.inputs.partitions import is_dask
from skxent.inputs.stacklevel import users_stacklevel
from skxent.likelihood.solution import Solution
from skxent.metrics import categorical_cross_entropy

Fit = TypeVar("Fit", bound=Callable[..., object])


def restored_on_error(method: Fit) -> Fit:
    """Decorate a method `fit`: if it raises an error, the estimator is left unchanged.

    Errors include those of callbacks at the end of a fit, warnings turned into errors, and
    interrupts.
    """

    @wraps(method)
    def fit(estimator: LinearModel, *args: object, **kwargs: object) -> object:
        before = dict(vars(estimator))
        try:
            return method(estimator, *args, **kwargs)
        except BaseException:
            estimator.__dict__ = before
            raise

    return cast(Fit, fit)


class DocumentationLink:
    """Link from scikit-learn's HTML diagram of an estimator to its page in the documentation."""

    # The diagram reads these two attributes; it has no link if the template is "".
    _doc_link_module = "skxent"

    @property
    def _doc_link_template(self) -> str:
        site = documentation_site()
        return f"{site}/reference/generated/skxent.{{estimator_name}}.html" if site else ""


class LinearClassifier(DocumentationLink, ClassifierMixin, BaseEstimator):
    """Base of the classifiers that minimise the cross-entropy of a linear softmax model.

    If X is a Dask collection, predictions are a lazy Dask array. If X is an array of another
    library than NumPy, predictions are arrays of this library on the device of X.
    """

    classes_: AnyArray
    coef_: AnyArray
    intercept_: AnyArray
    n_features_in_: int
    n_iter_: int
    has_offset_: bool
    fit_intercept: bool
    class_weight: ClassWeight | None
    max_iter: int

    @by_partition
    def decision_function(self, X: AnyArray, *, offset: ArrayLike | None = None) -> Floats:
        """Logits of each sample.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, d)
            Samples.
        offset : array-like of shape (n,) or (n, K), 0, or None, default=None
            Known parts of the logits, which are added, as in :meth:`SoftmaxClassifier.fit`. A model
            fitted with an offset needs one; 0 gives the logits without one.

        Returns
        -------
        ndarray of shape (n,) or (n, K)
            Logits. Two classes have one logit, of the second class.
        """
        return logits_of(self, X, "decision_function", offset)

    @by_partition
    def predict(self, X: AnyArray, *, offset: ArrayLike | None = None) -> np.ndarray:
        """Most probable class of each sample.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, d)
            Samples.
        offset : array-like of shape (n,) or (n, K), 0, or None, default=None
            Known parts of the logits, see `decision_function`.

        Returns
        -------
        ndarray of shape (n,)
            Labels.
        """
        return labels_at(logits_of(self, X, "predict", offset), self.classes_)

    @by_partition
    def predict_proba(self, X: AnyArray, *, offset: ArrayLike | None = None) -> Floats:
        """Probability of each class.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, d)
            Samples.
        offset : array-like of shape (n,) or (n, K), 0, or None, default=None
            Known parts of the logits, see `decision_function`.

        Returns
        -------
        ndarray of shape (n, K)
            Probabilities, columns in the order of `classes_`.
        """
        return probabilities_at(logits_of(self, X, "predict_proba", offset))

    @by_partition
    def predict_log_proba(self, X: AnyArray, *, offset: ArrayLike | None = None) -> Floats:
        """Log-probability of each class, computed from the logits.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, d)
            Samples.
        offset : array-like of shape (n,) or (n, K), 0, or None, default=None
            Known parts of the logits, see `decision_function`.

        Returns
        -------
        ndarray of shape (n, K)
            Natural logarithms of the probabilities, columns in the order of `classes_`. They are
            exact also where a probability underflows.
        """
        return log_probabilities_at(logits_of(self, X, "predict_log_proba", offset))

    def score(
        self,
        X: AnyArray,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        offset: ArrayLike | None = None,
    ) -> float:
        """Accuracy: the weighted fraction of samples whose label is predicted.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, d)
            Samples.
        y : array-like of shape (n,)
            Labels.
        sample_weight : array-like of shape (n,) or None, default=None
            Weights.
        offset : array-like of shape (n,) or (n, K), 0, or None, default=None
            Known parts of the logits, see `decision_function`.

        Returns
        -------
        float
            Between 0 and 1. To evaluate probabilities instead of labels, use `log_likelihood` or
            `skxent.cce_scorer`.
        """
        check_labels(y)
        if is_dask(X):
            return accuracy(self, X, y, sample_weight, offset)
        if namespace_of(X) is not None:
            predicted = self.predict(X, offset=offset)
            return device_accuracy(self.classes_, predicted, y, sample_weight)
        predicted, truth = self.predict(X, offset=offset), as_array(y, "y")
        check_target_shape(truth.shape, len(predicted))
        weight = sample_weights(sample_weight, len(predicted))
        return host_accuracy(self.classes_, predicted, truth, weight)

    def log_likelihood(
        self,
        X: AnyArray,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        offset: ArrayLike | None = None,
    ) -> float:
        """Log-likelihood of samples: the negative sum of their cross-entropies.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, d)
            Samples.
        y : array-like of shape (n,) or (n, K)
            Labels or soft targets, columns in the order of `classes_`.
        sample_weight : array-like of shape (n,) or None, default=None
            Weights.
        offset : array-like of shape (n,) or (n, K), 0, or None, default=None
            Known parts of the logits, see `decision_function`.

        Returns
        -------
        float
            Weighted sum, in nats. For the training data and its weights it equals
            `log_likelihood_`, if there are no class weights.
        """
        logits = self.decision_function(X, offset=offset)
        check_default_names(y, to_numpy(self.classes_).tolist(), "y")
        loss = categorical_cross_entropy(
            y,
            logits,
            from_logits=True,
            labels=self.classes_,
            sample_weight=sample_weight,
            reduction="sum",
        )
        return -float(loss)

    def to_sklearn(self) -> LogisticRegression:
        """Return the same model as a fitted `sklearn.linear_model.LogisticRegression`.

        Returns
        -------
        LogisticRegression
            A classifier with copies of the parameters. Its `C` is `C_` if cross-validation chose
            the penalty. It has no penalty factors, which a new fit of it would need.

        Raises
        ------
        ValueError
            If the model was fitted with an offset, because LogisticRegression has none.
        """
        check_is_fitted(self, "coef_")
        if getattr(self, "has_offset_", False):
            raise ValueError(
                f"this {type(self).__name__} was fitted with an offset, which LogisticRegression "
                "does not have: use this classifier for predictions."
            )
        model = LogisticRegression(
            C=penalty_of(self), fit_intercept=self.fit_intercept, class_weight=self.class_weight
        )
        for name in ("classes_", "coef_", "intercept_", "feature_names_in_"):
            if hasattr(self, name):
                setattr(model, name, deepcopy(getattr(self, name)))
        model.n_features_in_ = self.n_features_in_
        model.n_iter_ = np.array([self.n_iter_], dtype=np.int32)
        return model

    def _attributes(
        self, solution: Solution, classes: np.ndarray, has_offset: bool = False
    ) -> Attributes:
        """Return the fitted attributes of a solution."""
        curve = np.array(solution.curve).reshape(-1, 2)
        curve[-1:, 1] = solution.value  # the objective of the returned parameters
        return {
            "classes_": classes,
            "coef_": solution.coef,
            "intercept_": solution.intercept,
            "n_iter_": max(solution.n_iterations, min(1, self.max_iter)),
            "n_passes_": solution.n_passes,
            "converged_": bool(solution.converged),
            "objective_": solution.value,
            "log_likelihood_": solution.log_likelihood,
            "optimality_gap_": float(solution.gap),
            "target_gap_": float(solution.target),
            "objective_curve_": curve,
            "has_offset_": has_offset,
        }

    def _warn_of(self, solution: Solution) -> None:
        """Warn if the fit did not converge, and if classes have no weight."""
        messages = {
            ConvergenceWarning: convergence_message(self, solution),
            UserWarning: no_weight_message(self, solution),
        }
        for category, message in messages.items():
            if message:
                text = f"{type(self).__name__}{message}"
                warnings.warn(text, category, stacklevel=users_stacklevel())

    def __sklearn_array_api_convert__(self, converter: Callable[[AnyArray], AnyArray]) -> Self:
        return converted(self, converter)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


@cache
def documentation_site() -> str:
    """Return the address of the documentation in the metadata of the installed package, or ""."""
    try:
        urls = metadata("skxent").get_all("Project-URL") or []
    except PackageNotFoundError:
        return ""
    named = dict(url.split(", ", 1) for url in urls)
    sites = (address for name, address in named.items() if name.lower() == "documentation")
    return next(sites, "").rstrip("/")
