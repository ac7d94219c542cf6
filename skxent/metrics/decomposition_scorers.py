"""Scorers of the parts of a cross-entropy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from skxent.inputs.array_arguments import as_array, as_numbers
from skxent.inputs.class_names import columns_of
from skxent.inputs.dask_arguments import computed
from skxent.inputs.labels import Labels, as_labels, locate
from skxent.inputs.responses import predicted_columns, response_name, spread_columns
from skxent.inputs.shapes import check_length
from skxent.inputs.stand_ins import with_offset
from skxent.inputs.weights import as_weights, check_weight_range
from skxent.metrics.decomposition import decompose
from skxent.metrics.row_forms import predicted_losses
from skxent.metrics.scored_samples import MAX_LOSS, ScoredSamples
from skxent.metrics.scorers import CrossEntropyScorer


@dataclass(frozen=True, repr=False)
class DecompositionScorer(CrossEntropyScorer):
    """One part of the cross-entropy of a fitted classifier: greater is better.

    `miscalibration_scorer` is the negative miscalibration, at most 0; `discrimination_scorer` the
    discrimination, at least 0; both in nats. Use them like `cce_scorer`; columns are aligned by
    `classes_` in the same way.

    See Also
    --------
    decompose_cross_entropy : What the parts are, and how small samples exaggerate them.

    Notes
    -----
    A label that the estimator never saw is a class of probability 0. If the estimator knows two
    classes and the fold has a third, the map is "scaling".

    Examples
    --------
    >>> from skxent import discrimination_scorer, miscalibration_scorer
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.model_selection import cross_validate
    >>> from sklearn.naive_bayes import GaussianNB
    >>> X, y = load_wine(return_X_y=True)
    >>> parts = {"calibration": miscalibration_scorer, "discrimination": discrimination_scorer}
    >>> result = cross_validate(GaussianNB(), X, y, scoring=parts)
    >>> print(result["test_calibration"].mean().round(2))
    -0.16
    >>> print(result["test_discrimination"].mean().round(2))
    1.06
    """

    part: str = "miscalibration"

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
            Labels, or soft rows, as `cce_scorer` takes them.
        sample_weight : array-like of shape (n,), default=None
            Weight w_i counts sample i that many times.
        offset : array-like of shape (n,) or (n, K), 0, or None, default=None
            Passed to the prediction method of the estimator, if it is not None.

        Returns
        -------
        float
            Miscalibration times -1, or discrimination: greater is better.
        """
        estimator = with_offset(estimator, offset)
        prediction, classes = predicted_columns(estimator, X, logarithms=False)
        y, sample_weight = computed(y, sample_weight)
        name = response_name(estimator)
        prediction, target = _with_all_classes(as_array(prediction, name), classes, y)
        check_length("y_true", len(target), len(prediction))
        losses = predicted_losses(
            prediction, target, max_loss=MAX_LOSS, logarithms=False, name=name
        )
        if target.ndim == 1:
            truth = as_labels(y, "y_true").source
            losses = losses.named(lambda each: truth[[each.row]].tolist()[0])
        losses.warn(None)
        weight = as_weights(sample_weight, len(target))
        if weight is not None:
            check_weight_range(weight.max())
        samples = ScoredSamples(np.arange(prediction.shape[1]), target, prediction, losses, weight)
        parts = decompose(samples, None, None)
        if self.part == "miscalibration":
            return float(0.0 - parts.miscalibration)
        return float(parts.discrimination)

    def _label(self) -> str:
        return "neg_miscalibration" if self.part == "miscalibration" else self.part

    def __repr__(self) -> str:
        return f"{self.part}_scorer{self._routed()}"


def _with_all_classes(
    prediction: np.ndarray, classes: Labels, y: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Return prediction and target with a column for each class in either of them."""
    truth = as_array(y, "y_true")
    if truth.ndim == 2 and truth.shape[1] > 1:
        target = as_numbers(truth, "y_true")
        columns = columns_of(classes, target.shape[1], y)
        return spread_columns(prediction, columns, target.shape[1], 0.0), target
    labels = as_labels(truth, "y_true")
    codes, width = locate(labels, classes).copy(), prediction.shape[1]
    unseen = codes < 0
    distinct, places = np.unique(labels.codes[unseen], return_inverse=True)
    codes[unseen] = width + places
    return spread_columns(prediction, list(range(width)), width + len(distinct), 0.0), codes
