"""Predictions of a linear classifier for one array of samples: logits, labels, probabilities.

Predictions for NumPy arrays are computed with SciPy. Those for arrays of other libraries have the
same formulas in functions of the array API standard.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, log_expit, log_softmax
from sklearn.utils.validation import check_is_fitted

from skxent.classifiers.device_training import device_weights, read_device_X
from skxent.inference.fitted import FittedLinearModel
from skxent.inputs.features import AnyArray, place_of, read_rows
from skxent.inputs.fit_targets import check_target_shape
from skxent.inputs.labels import agreeing
from skxent.inputs.namespaces import Floats, library_of, moved, namespace_of, to_numpy, widened
from skxent.inputs.offsets import predicted_offset
from skxent.likelihood.sources.blocks import Blocks
from skxent.likelihood.sources.device_arrays import batches


def logits_of(
    estimator: FittedLinearModel, X: AnyArray, method: str, offset: ArrayLike | None = None
) -> AnyArray:
    """Return the logits of samples, (n,) for two classes or (n, K); errors name `method`."""
    check_is_fitted(estimator, "coef_")
    if _is_on_device(estimator, X, method):
        X = read_device_X(estimator, X, reset=False)
        known = predicted_offset(estimator, offset, X.shape[0], method, beside=X)
        logits = _device_logits(X, widened(estimator.coef_), widened(estimator.intercept_))
        logits = logits if known is None else logits + known
    else:
        X = read_rows(estimator, X, reset=False)
        known = predicted_offset(estimator, offset, X.shape[0], method)
        logits = host_logits(X, estimator.coef_, estimator.intercept_)
        if known is not None:
            logits += known
    return single(logits)


def _is_on_device(estimator: FittedLinearModel, X: AnyArray, method: str) -> bool:
    """Tell whether X is on a device; require the fitted arrays in the same library and place."""
    xp, coef = namespace_of(X), estimator.coef_
    on_host = isinstance(coef, np.ndarray)
    if xp is None and on_host:
        return False
    if xp is not None and not on_host and library_of(coef) is xp and coef.device == X.device:
        return True
    raise ValueError(
        f"Inputs passed to {type(estimator).__name__}.{method}() must use the same namespace and "
        f"the same device as those passed to fit(). The fitted arrays are {place_of(coef)}, but X "
        f"is {place_of(X)}. Pass X in the library and on the device of the fit, with the same "
        "array_api_dispatch, or move the estimator with move_estimator_to of "
        "sklearn.utils._array_api."
    )


def single(logits: AnyArray) -> AnyArray:
    """Return logits of shape (n, 1), those of two classes, as (n,), and others unchanged."""
    return logits[:, 0] if logits.shape[1] == 1 else logits


def host_logits(X: AnyArray, coef: np.ndarray, intercept: np.ndarray) -> np.ndarray:
    """Return the logits of a dense array or CSR matrix, (n, R)."""
    logits = np.empty((X.shape[0], len(coef)))
    blocks = Blocks(X, n_outputs=len(coef))
    # The product of float32 rows and float64 weights copies rows, so it is computed in blocks.
    for rows in [slice(0, len(logits))] if X.dtype == np.float64 else blocks.all:
        logits[rows] = blocks.read(rows, None) @ coef.T
    logits += intercept
    return logits


def _device_logits(X: AnyArray, coef: AnyArray, intercept: AnyArray) -> AnyArray:
    xp = library_of(X)
    if X.dtype == coef.dtype:
        return xp.matmul(X, coef.T) + intercept
    parts = [
        xp.matmul(xp.astype(X[rows, :], coef.dtype), coef.T) + intercept
        for rows in batches(X.shape, coef.shape[0])
    ]
    return xp.concat(parts, axis=0)


def labels_at(logits: AnyArray, classes: AnyArray) -> AnyArray:
    """Return the most probable classes, on the device of the logits; strings are in NumPy."""
    if isinstance(logits, np.ndarray):
        codes = (logits > 0).astype(np.intp) if logits.ndim == 1 else logits.argmax(axis=1)
        return to_numpy(classes)[codes]
    xp = library_of(logits)
    codes = xp.astype(logits > 0, xp.int64) if logits.ndim == 1 else xp.argmax(logits, axis=1)
    if isinstance(classes, np.ndarray) and classes.dtype.kind not in "biuf":
        return classes[to_numpy(codes)]
    return xp.take(moved(classes, logits), codes, axis=0)


def probabilities_at(logits: AnyArray) -> AnyArray:
    """Return the probabilities of the classes, (n, K)."""
    if isinstance(logits, np.ndarray) and logits.ndim == 1:
        return np.column_stack([expit(-logits), expit(logits)])
    xp = library_of(logits)
    if logits.ndim == 1:
        e = xp.exp(-xp.abs(logits))
        return _two_columns(logits, 1.0 / (1.0 + e), e / (1.0 + e))
    e = xp.exp(logits - xp.max(logits, axis=1, keepdims=True))
    return e / xp.sum(e, axis=1, keepdims=True)


def log_probabilities_at(logits: AnyArray) -> AnyArray:
    """Return the logarithms of the probabilities of the classes, (n, K)."""
    if isinstance(logits, np.ndarray):
        if logits.ndim == 1:
            return np.column_stack([log_expit(-logits), log_expit(logits)])
        return log_softmax(logits, axis=1)
    xp = library_of(logits)
    if logits.ndim == 1:
        size = xp.abs(logits)
        rest = xp.log1p(xp.exp(-size))
        return _two_columns(logits, -rest, -size - rest)
    z = logits - xp.max(logits, axis=1, keepdims=True)
    return z - xp.log(xp.sum(xp.exp(z), axis=1, keepdims=True))


def _two_columns(z: AnyArray, likely: AnyArray, unlikely: AnyArray) -> AnyArray:
    """Return one column for each of two classes; the second class is the likely one if z > 0."""
    xp = library_of(z)
    second = z > 0
    columns = xp.where(second, unlikely, likely), xp.where(second, likely, unlikely)
    return xp.stack(columns, axis=1)


def host_accuracy(
    classes: np.ndarray, predicted: np.ndarray, y: np.ndarray, weight: Floats | None
) -> float:
    """Return the weighted fraction of correct predictions.

    Arrays of one type are compared directly. Others are compared as labels, which refuses numbers
    beside text.
    """
    kind = y.dtype.kind
    if y.ndim == 1 and kind == predicted.dtype.kind and kind in "biuU":
        right = y == predicted
    else:
        right = agreeing(y, predicted, classes)
    return float(np.average(right, weights=weight))


def device_accuracy(
    classes: AnyArray, predicted: AnyArray, y: AnyArray, sample_weight: AnyArray
) -> float:
    """Return the weighted fraction of correct predictions, computed on their device."""
    y = np.asarray(y) if namespace_of(y) is None else y
    if any(isinstance(x, np.ndarray) and x.dtype.kind not in "biuf" for x in (predicted, y)):
        weight = None if sample_weight is None else to_numpy(sample_weight)
        return host_accuracy(to_numpy(classes), to_numpy(predicted), to_numpy(y), weight)
    check_target_shape(y.shape, predicted.shape[0])
    xp, weight = library_of(predicted), device_weights(sample_weight, predicted)
    right = widened(xp.reshape(moved(y, predicted), (-1,)) == predicted)
    if weight is None:
        return float(xp.mean(right))
    return float(xp.sum(weight * right) / xp.sum(weight))
