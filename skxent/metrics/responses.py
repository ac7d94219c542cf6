"""What a fitted classifier predicts: its columns, and the class of each."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skxent.inputs.collections import here
from skxent.inputs.device_targets import numbers_of, reals_of
from skxent.inputs.labels import Labels, as_array, as_labels, shorten
from skxent.inputs.namespaces import moved, namespace_of
from skxent.metrics.device_sample_losses import costs_of, spread_on_device
from skxent.metrics.partitioned_scorers import Answered
from skxent.metrics.probability_losses import Losses
from skxent.metrics.shared_predictions import class_name


def predicted(estimator: Any, X: Any, logarithms: bool = False) -> Any:
    """Return what `predict_proba`, or `predict_log_proba`, returns."""
    if not hasattr(estimator, "predict_proba"):
        raise TypeError(
            f"{class_name(estimator)} has no predict_proba, and cross-entropy needs "
            "probabilities: wrap it in sklearn.calibration.CalibratedClassifierCV."
        )
    if not logarithms:
        return estimator.predict_proba(X)
    with np.errstate(divide="ignore"):  # many are log(predict_proba): -inf for 0 is meant
        return estimator.predict_log_proba(X)


def response_name(estimator: Any, logarithms: bool = False) -> str:
    """Name what the estimator predicts, for messages."""
    return f"{_name(estimator)}.{'predict_log_proba' if logarithms else 'predict_proba'}(X)"


def _name(estimator: Any) -> str:
    return estimator.name if isinstance(estimator, Answered) else class_name(estimator)


def predicted_columns(estimator: Any, X: Any, logarithms: bool) -> tuple[NDArray[Any], Labels]:
    """Return the rows that the estimator predicts and the class of each column."""
    prediction, name = predicted(estimator, X, logarithms), response_name(estimator, logarithms)
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


def multilabel_losses(estimator: Any, X: Any, outcomes: NDArray[Any], cap: float) -> Losses:
    """Losses of m yes/no outcomes, from (n, m) probabilities or m arrays of (n, 2)."""
    prediction, name = predicted(estimator, X), response_name(estimator)
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
