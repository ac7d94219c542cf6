"""What a fitted classifier predicts: its columns, and the class of each column."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skxent.inputs.array_arguments import as_array, numbers_of, reals_of
from skxent.inputs.class_names import check_orders
from skxent.inputs.dask_arguments import computed
from skxent.inputs.labels import Labels, as_labels, shorten
from skxent.inputs.namespaces import A, AnyArray, Array, library_of, moved, namespace_of
from skxent.inputs.stand_ins import estimator_name


def predicted(estimator: Any, X: object, logarithms: bool = False) -> AnyArray:
    """Return the result of `predict_proba` or, for logarithms, of `predict_log_proba`."""
    if not hasattr(estimator, "predict_proba"):
        raise TypeError(
            f"{estimator_name(estimator)} has no predict_proba, and cross-entropy needs "
            "probabilities: wrap it in sklearn.calibration.CalibratedClassifierCV."
        )
    if not logarithms:
        return estimator.predict_proba(X)
    with np.errstate(divide="ignore"):  # many return log(predict_proba), with -inf for 0
        return estimator.predict_log_proba(X)


def response_name(estimator: object, logarithms: bool = False) -> str:
    """Name what the estimator predicts, for messages."""
    method = "predict_log_proba" if logarithms else "predict_proba"
    return f"{estimator_name(estimator)}.{method}(X)"


def predicted_columns(estimator: object, X: object, logarithms: bool) -> tuple[Array, Labels]:
    """Return the rows that the estimator predicts and the class of each column."""
    prediction, name = predicted(estimator, X, logarithms), response_name(estimator, logarithms)
    if isinstance(prediction, list):
        raise ValueError(
            f"{name} is a list, one array for each of several outputs: use bce_scorer with y of "
            "shape (n, m) for yes/no outcomes."
        )
    (table,) = computed(prediction)
    prediction = reals_of(table, name)
    known = getattr(estimator, "classes_", None)
    if known is None:
        raise TypeError(
            f"{estimator_name(estimator)} has no classes_, so the class of each column is "
            "unknown: pass a fitted classifier."
        )
    classes = as_labels(known, "classes_")
    # A binary classifier fitted on one class may predict two columns. The second has no class.
    width = 2 if len(classes) == 1 and prediction.shape[1:] == (2,) else len(classes)
    if prediction.shape[1:] != (width,):
        shape = tuple(prediction.shape)
        raise ValueError(
            f"{name} has shape {shape} but classes_ names {len(classes)} classes, "
            f"{shorten(classes.source.tolist())}: the class of each column is unknown."
        )
    check_orders(table, name, classes.source.tolist(), "classes_")
    return prediction, classes


def spread_columns(prediction: A, columns: list[int], width: int, absent: float) -> A:
    """Return `width` columns: class k of the prediction in `columns[k]`, `absent` in the others."""
    if columns == list(range(width)):
        return prediction
    if isinstance(prediction, np.ndarray):
        dtype = np.result_type(prediction, np.float32)
        spread = np.full((len(prediction), width), absent, dtype=dtype)
        spread[:, columns] = prediction[:, : len(columns)]
        return spread
    xp = library_of(prediction)
    empty = xp.full_like(prediction[:, 0], absent)
    place = {column: k for k, column in enumerate(columns)}
    parts = [prediction[:, place[k]] if k in place else empty for k in range(width)]
    return xp.stack(parts, axis=1)


def predicted_outcomes(estimator: Any, X: object, outcomes: object) -> tuple[Array, Array, str]:
    """Return probabilities of m yes/no outcomes, (n, m), the outcomes, and the prediction's name.

    The estimator predicts (n, m) probabilities, or m arrays of (n, 2).
    """
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
    return prediction, moved(target, prediction), name


def _probability_of_yes(columns: Array, classes: ArrayLike, name: str) -> Array:
    """Return the column of class 1, or zeros if the estimator never saw a yes."""
    known = as_array(classes, "classes_")
    if columns.ndim != 2 or columns.shape[1:] != known.shape:
        raise ValueError(
            f"{name} has an output of shape {tuple(columns.shape)} for classes_ "
            f"{known.tolist()}: it takes one column for each class."
        )
    if not np.isin(known, (0, 1)).all():
        raise ValueError(
            f"{name} predicts the classes {known.tolist()}, but yes/no outcomes are 0 and 1: "
            "fit the classifier to labels 0 and 1."
        )
    yes = np.flatnonzero(known == 1)
    if yes.size:
        return columns[:, int(yes[0])]
    return library_of(columns).zeros_like(columns[:, 0])


def check_two_classes(truth: Labels, classes: Labels) -> None:
    """Require that labels and the estimator's classes together are at most two."""
    together = sorted({*truth.distinct.tolist(), *classes.distinct.tolist()}, key=repr)
    if len(together) > 2:
        raise ValueError(
            f"the binary loss takes two classes, but here are {len(together)} in y_true and "
            f"classes_, {together[:10]}: use cce_scorer."
        )
