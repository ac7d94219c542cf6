"""The methods of a fitted linear classifier that take new samples."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import accuracy_score

from skxent.classifiers.device_training import accuracy_at
from skxent.classifiers.partitioned_predictions import accuracy, by_partition
from skxent.classifiers.predictions import (
    labels_at,
    log_probabilities_at,
    logits_of,
    probabilities_at,
)
from skxent.inputs.class_names import check_default_names
from skxent.inputs.fit_targets import Floats, check_labels, check_target_shape, sample_weights
from skxent.inputs.labels import as_array
from skxent.inputs.namespaces import namespace_of, to_numpy
from skxent.inputs.partitions import is_dask
from skxent.metrics import categorical_cross_entropy


class LinearPredictions:
    """Mixin with predictions, accuracy and log-likelihood from `coef_` and `intercept_`.

    Predictions are a lazy Dask array for a Dask collection, and on the same device for an array of
    another library.
    """

    classes_: Any
    coef_: Any
    intercept_: Any

    @by_partition
    def decision_function(self, X: Any) -> Floats:
        """Logits of each sample.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, d)
            Samples.

        Returns
        -------
        ndarray of shape (n,) or (n, K)
            Logits; for two classes one, of the second class.
        """
        return logits_of(self, X, "decision_function")

    @by_partition
    def predict(self, X: Any) -> NDArray[Any]:
        """Most probable class of each sample.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, d)
            Samples.

        Returns
        -------
        ndarray of shape (n,)
            Labels.
        """
        return labels_at(logits_of(self, X, "predict"), self.classes_)

    @by_partition
    def predict_proba(self, X: Any) -> Floats:
        """Probability of each class.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, d)
            Samples.

        Returns
        -------
        ndarray of shape (n, K)
            Probabilities, columns in the order of `classes_`.
        """
        return probabilities_at(logits_of(self, X, "predict_proba"))

    @by_partition
    def predict_log_proba(self, X: Any) -> Floats:
        """Log-probability of each class, from the logits: exact where probabilities underflow.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, d)
            Samples.

        Returns
        -------
        ndarray of shape (n, K)
            Natural logarithms of the probabilities, columns in the order of `classes_`.
        """
        return log_probabilities_at(logits_of(self, X, "predict_log_proba"))

    def score(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Accuracy: the part of the samples whose label is predicted.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, d)
            Samples.
        y : array-like of shape (n,)
            Labels.
        sample_weight : array-like of shape (n,) or None, default=None
            Weights.

        Returns
        -------
        float
            Between 0 and 1. `log_likelihood` and `skxent.cce_scorer` tell more.
        """
        check_labels(y)
        if is_dask(X):
            return accuracy(self, X, y, sample_weight)
        if namespace_of(X) is not None:
            return accuracy_at(self.predict(X), y, sample_weight)
        predicted, truth = self.predict(X), as_array(y, "y")
        check_target_shape(truth.shape, len(predicted))
        weight = sample_weights(sample_weight, len(predicted))
        return float(accuracy_score(truth, predicted, sample_weight=weight))

    def log_likelihood(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Log-likelihood of samples, the negative sum of their cross-entropies, from the logits.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, d)
            Samples.
        y : array-like of shape (n,) or (n, K)
            Labels or soft targets, columns in the order of `classes_`.
        sample_weight : array-like of shape (n,) or None, default=None
            Weights.

        Returns
        -------
        float
            Weighted sum, in nats. On the training data with its weights and no class weights it is
            `log_likelihood_`.
        """
        logits = self.decision_function(X)
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
