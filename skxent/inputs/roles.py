"""Hints that errors add if truth and prediction were swapped, or labels passed as a prediction."""

from __future__ import annotations

import numbers
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike

from skxent.inputs.namespaces import Array, dtype_kind, library_of, widened
from skxent.inputs.predictions import blocks_of

_CURE = "pass probabilities, as predict_proba gives them."
HARD = f"y_pred holds labels: {_CURE}"
SWAPPED = (
    "y_pred holds labels and y_true holds fractions: the truth comes first and the prediction "
    "second, and a prediction is made of probabilities, as predict_proba gives them."
)


P = ParamSpec("P")
R = TypeVar("R")


def explain_roles(read: Callable[P, R]) -> Callable[P, R]:
    """Add a hint to errors of ``read(y_true, y_pred, ...)`` if `y_pred` seems to hold labels."""

    @wraps(read)
    def explaining(*args: P.args, **options: P.kwargs) -> R:
        try:
            return read(*args, **options)
        except (TypeError, ValueError) as error:
            y_true, y_pred = cast(tuple[ArrayLike, ArrayLike], args[:2])
            hint = _hint(y_true, y_pred)
            about_weights = str(error).startswith("sample_weight")
            if hint and hint not in str(error) and not about_weights:
                error.args = (f"{error} {hint}",)
            raise

    return explaining


def is_hard(prediction: Array) -> bool:
    """Tell whether every entry of a prediction is exactly 0 or 1."""
    if dtype_kind(prediction) == "b":
        return True
    xp = library_of(prediction)
    blocks = (prediction[rows, ...] for rows in blocks_of(prediction))
    return all(bool(xp.all((block == 0) | (block == 1))) for block in blocks)


def hard_advice(name: str) -> str:
    """Return the advice for a prediction whose entries are all 0 or 1."""
    return f"Every entry of {name} is 0 or 1. These look like hard predictions: {_CURE}"


def check_certainty(prediction: Array, target: Array) -> None:
    """Raise if predictions have an integer or boolean dtype and some target is a soft row.

    A predicted probability of 0 or 1 gives one of the two classes probability 0. A soft row gives
    that class a positive probability, so the floor under the probability would determine the loss.
    """
    if dtype_kind(prediction) not in "biu":
        return
    rows = widened(target)
    if bool(library_of(rows).any((rows > 0) & (rows < 1))):
        raise ValueError(
            "y_pred holds whole numbers and y_true holds soft rows of two classes: predictions "
            "of 0 and 1 are not probabilities. Pass probabilities, as predict_proba gives them."
        )


def _hint(y_true: ArrayLike, y_pred: ArrayLike) -> str | None:
    prediction, truth = _flat(y_pred), _flat(y_true)
    if prediction is None or not _is_whole(prediction):
        return None
    if truth is not None and truth.dtype.kind == "f" and not _is_whole(truth):
        return SWAPPED
    if np.ndim(y_pred) != 1 and np.shape(y_pred)[1:] != (1,):
        return None
    certain = prediction.dtype.kind in "biufO" and ((prediction == 0) | (prediction == 1)).all()
    return HARD if not certain or _has_many_classes(y_true) else None


def _has_many_classes(y_true: ArrayLike) -> bool:
    """Tell whether the truth has more than two classes, so that one column cannot predict it."""
    if np.ndim(y_true) == 2 and np.shape(y_true)[1] > 1:
        return np.shape(y_true)[1] > 2
    truth = _flat(y_true)
    return truth is not None and len(set(truth.tolist())) > 2


def _flat(values: ArrayLike) -> np.ndarray | None:
    """Return the entries of an argument, or None where NumPy cannot read it."""
    try:
        array = np.asarray(values).ravel()
    except Exception:  # the error to be explained is a different one
        return None
    return array if array.size else None


def _is_whole(array: np.ndarray) -> bool:
    """Tell whether an array may hold labels: text, booleans or whole numbers."""
    if array.dtype.kind in "biuUST":
        return True
    if array.dtype.kind == "f":
        return bool(np.isfinite(array).all() and (array == np.floor(array)).all())
    if array.dtype.kind != "O" or all(isinstance(value, str) for value in array):
        return array.dtype.kind == "O"
    return all(isinstance(value, numbers.Real) and value == value // 1 for value in array)
