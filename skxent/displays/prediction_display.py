"""Base classes of the displays, checks of estimators, and the predictions to draw."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from skxent.displays.cell import Artist, Axes
from skxent.inputs.array_arguments import as_array
from skxent.inputs.class_names import check_default_names
from skxent.inputs.dask_arguments import computed
from skxent.inputs.features import AnyArray
from skxent.inputs.labels import as_labels
from skxent.inputs.namespaces import Label


class ProbabilisticClassifier(Protocol):
    """A fitted classifier that predicts probabilities."""

    classes_: AnyArray

    def predict_proba(self, X: AnyArray, /, **offset: ArrayLike) -> AnyArray:
        """Return the probability of each class."""
        ...


class Display:
    """The axes and the figure of a display, once it is drawn."""

    ax_: Axes
    figure_: Artist


class PredictionDisplay(Display, ABC):
    """A display of predictions, given as an array or made by a classifier."""

    @classmethod
    def from_estimator(
        cls,
        estimator: ProbabilisticClassifier,
        X: AnyArray,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        offset: ArrayLike | None = None,
        **options: object,
    ) -> Self:
        """Draw the predictions of a fitted classifier.

        Parameters
        ----------
        estimator : classifier
            Fitted, with `predict_proba` and `classes_`.
        X : array-like of shape (n, d)
            Samples, preferably not the training samples.
        y : array-like of shape (n,) or (n, K)
            Labels, or soft rows with columns in the order of `classes_`. A class that is not in
            `classes_` has probability 0.
        sample_weight : array-like of shape (n,), default=None
            Weights.
        offset : array-like of shape (n,) or (n, K), 0, or None, default=None
            Passed to `predict_proba` of the classifier, if it is not None.
        **options : dict
            Options of :meth:`from_predictions`, except `labels` and `from_logits`.

        Returns
        -------
        Self
            The display, drawn.
        """
        require_matplotlib(cls.__name__)
        y, sample_weight = computed(y, sample_weight)
        P, labels = predicted_probabilities(estimator, X, y, offset)
        return cls.from_predictions(y, P, labels=labels, sample_weight=sample_weight, **options)

    @classmethod
    @abstractmethod
    def from_predictions(cls, *args: Any, **kwargs: Any) -> Self:
        """Draw predictions."""


def index_of(y: AnyArray) -> Sequence[Label] | None:
    """Return the index of a series or data frame of pandas, or None."""
    if not hasattr(y, "iloc"):
        return None
    index: list[Label] = y.index.tolist()
    return index


def require_matplotlib(display: str) -> None:
    """Raise an error that says how to install matplotlib if it is missing."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"{display} draws with matplotlib, which is not installed: python -m pip install "
            "matplotlib"
        ) from error


def check_fitted(
    estimator: object, attribute: str, *wanted: type, takes_pipeline: bool = False
) -> None:
    """Raise an error unless an estimator is fitted and has the attribute of `wanted` classes.

    `takes_pipeline` tells whether the display takes a pipeline as well, whose `final_estimator` is
    checked here.
    """
    if isinstance(estimator, wanted):
        check_is_fitted(estimator, attribute)
    elif not hasattr(estimator, attribute):
        cure = "; in a pipeline it is the last step, pipeline[-1]."
        if takes_pipeline:
            cure = ", or a pipeline that ends in one."
        raise TypeError(
            f"{type(estimator).__name__} has no {attribute}: pass a fitted {wanted[0].__name__}"
            f"{cure}"
        )


def final_estimator(model: Any) -> Any:
    """Return the last step of a pipeline, or of the best estimator of a fitted search.

    A model of another kind is its own final estimator.
    """
    while hasattr(model, "steps") or hasattr(model, "best_estimator_"):
        model = model.steps[-1][1] if hasattr(model, "steps") else model.best_estimator_
    return model


def predicted_probabilities(
    estimator: ProbabilisticClassifier,
    X: AnyArray,
    y: ArrayLike,
    offset: ArrayLike | None = None,
) -> tuple[np.ndarray, list[Label]]:
    """Return the probabilities that a classifier predicts, and the class of each column.

    Labels of `y` that are not in `classes_` get a column of zeros, as in `cce_scorer`.
    """
    name = type(estimator).__name__
    predicts, knows_classes = (hasattr(estimator, has) for has in ("predict_proba", "classes_"))
    if predicts and hasattr(estimator, "fit") and not knows_classes:
        check_is_fitted(estimator)
    if not (predicts and knows_classes):
        raise TypeError(
            f"{name} has no predict_proba or no classes_: pass a fitted classifier that predicts "
            "probabilities, or wrap it in sklearn.calibration.CalibratedClassifierCV."
        )
    known = {} if offset is None else {"offset": offset}
    P = as_array(estimator.predict_proba(X, **known), "predict_proba(X)")
    if P.ndim != 2:
        raise ValueError(
            f"{name} predicts several outputs: pass the probabilities of one output to "
            "from_predictions."
        )
    classes = list(as_array(estimator.classes_, "classes_"))
    if np.ndim(y) == 2 and np.shape(y)[1] > 1:
        check_default_names(y, classes, "y")
        return P, classes
    new = [label for label in as_labels(y, "y").distinct.tolist() if label not in classes]
    return np.hstack([P, np.zeros((len(P), len(new)), dtype=P.dtype)]), classes + new
