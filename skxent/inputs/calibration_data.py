"""Predictions as log-probabilities, and the truth about them, as calibrators read them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import log_expit, log_softmax
from sklearn.utils.validation import validate_data

from skxent.inputs.array_arguments import as_array, on_host
from skxent.inputs.class_names import (
    check_distinct,
    check_order,
    column_names,
    columns_of,
    named_labels,
)
from skxent.inputs.errors import check_kind
from skxent.inputs.features import FLOATS
from skxent.inputs.fit_targets import FitTargets
from skxent.inputs.labels import Labels, as_labels, locate, shorten
from skxent.inputs.namespaces import Floats
from skxent.inputs.predictions import (
    read_logits,
    read_outcomes,
    read_probabilities,
    read_single_logits,
    row_blocks,
)

Reader = Callable[[Floats, slice], Floats]


def read_log_predictions(estimator: Any, X: Any, *, from_logits: bool, reset: bool) -> Floats:
    """Check predictions and return their log-probabilities, (n, K), -inf for probability 0.

    `reset` stores the columns of X in the estimator. Otherwise X must have these columns. Dask
    collections and arrays of other libraries are copied to NumPy arrays.
    """
    (X,) = on_host(X)
    check_kind(X, "X")
    X = X if hasattr(X, "shape") else np.asarray(X)
    if len(X.shape) == 1 and (reset or estimator.n_features_in_ == 1):
        X = np.asarray(X)[:, None]
    dtypes = [*FLOATS, np.dtype(np.float16)]  # the dtype sets how far from 1 rows may sum
    X = validate_data(estimator, X, dtype=dtypes, ensure_all_finite=False, reset=reset)
    single = X.shape[1] == 1
    read = READERS[from_logits, single]
    log_p = np.empty((len(X), 2 if single else X.shape[1]))
    with np.errstate(divide="ignore", over="ignore"):  # both end at -inf
        for rows in row_blocks(log_p.shape):
            log_p[rows] = read(X[:, 0] if single else X, rows)
    return log_p


def two_log_columns(z: Floats) -> Floats:
    """Return the log-probabilities of both classes, (n, 2), from logits of the second, (n,)."""
    return np.stack([log_expit(-z), log_expit(z)], axis=1)


def _logs_of_one(p: Floats, rows: slice) -> Floats:
    block = read_outcomes(p, rows, "X")
    return np.stack([np.log1p(-block), np.log(block)], axis=1)


READERS: dict[tuple[bool, bool], Reader] = {
    (False, False): lambda P, rows: np.log(read_probabilities(P, rows, "X")),
    (False, True): _logs_of_one,
    (True, False): lambda Z, rows: log_softmax(read_logits(Z, rows, "X"), axis=1),
    (True, True): lambda z, rows: two_log_columns(read_single_logits(z, rows, "X")),
}


def read_truth(y: Any, classes: ArrayLike | None, X: object, n: int, K: int) -> FitTargets:
    """Read the targets of n predictions with K columns, and the class of each column.

    The classes are named by `classes`, by the column names of X, or by those of soft targets. They
    are otherwise the distinct labels in ascending order, or 0 to K - 1 for soft targets.
    """
    names = column_names(X)
    (y,) = on_host(y)
    y = y if y is None or hasattr(y, "shape") else as_array(y, "y")
    if y is not None and len(y.shape) == 2 and y.shape[1] > 1:
        given: Any = names if classes is None and column_names(y) is None else classes
        targets = FitTargets.read(y, given, n)
        check_order("X", names, "classes", targets.classes.tolist())
    else:
        targets = _of_labels(FitTargets.read(y, None, n), classes, names)
    if len(targets.classes) != K:
        raise ValueError(
            f"X has predictions of {K} classes, but here are {len(targets.classes)} classes, "
            f"{shorten(targets.classes.tolist())}: pass one column for each class, and classes= to "
            "name the class of each column if y does not have them all."
        )
    return targets


def _of_labels(found: FitTargets, classes: ArrayLike | None, names: list[Any] | None) -> FitTargets:
    """Return labels as codes into the classes of the columns."""
    held = found.classes.tolist()
    if classes is not None:
        known = as_labels(classes, "classes")
        check_distinct(known)
        check_order("X", names, "classes", known.source.tolist())
        order: np.ndarray = np.asarray(classes)
    else:
        named = None if names is None else named_labels(names, held, "X")
        if named is None:
            return found
        order = np.asarray(named, dtype=found.classes.dtype if set(named) <= set(held) else None)
        known = as_labels(order, "the columns of X")
        check_distinct(known)
    return FitTargets(order, _codes(found, known, "X has no column for it"))


def truth_about(found: FitTargets, y: object, classes: Labels) -> FitTargets:
    """Return targets as codes or columns of the classes of a fitted classifier."""
    if len(classes) < 2:
        raise ValueError(
            f"the classifier knows only one class, {classes.source.tolist()[0]!r}: calibration "
            "needs at least two."
        )
    if found.values.ndim == 1:
        return FitTargets(classes.source, _codes(found, classes, "the classifier lacks it"))
    K = found.values.shape[1]
    columns = columns_of(classes, K, y)
    if len(columns) != K:
        raise ValueError(
            f"y has {K} columns but the classifier has {len(columns)} classes, "
            f"{shorten(classes.source.tolist())}: pass one column for each."
        )
    return FitTargets(
        classes.source, FitTargets(classes.source, found.values[:, columns]).distributions()
    )


def _codes(found: FitTargets, known: Labels, lack: str) -> np.ndarray:
    """Return the place of each label among the known classes."""
    codes = locate(as_labels(found.classes, "y"), known)[found.values]
    if (codes < 0).any():
        row = int((codes < 0).argmax())
        raise ValueError(
            f"y[{row}] is {found.classes.tolist()[found.values[row]]!r}, which is not in "
            f"{known.name}, {shorten(known.source.tolist())}: {lack}."
        )
    return codes
