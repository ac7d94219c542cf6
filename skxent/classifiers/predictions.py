"""What a linear classifier says of samples: logits, labels, probabilities.

Arrays of NumPy go through SciPy; for others the same formulas are written in functions of the array
API standard.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit, log_expit, log_softmax, softmax
from sklearn.utils.validation import check_is_fitted

from skxent.classifiers.device_training import is_on_device, read_device_X
from skxent.inputs.features import read_rows
from skxent.inputs.namespaces import library_of, moved, to_numpy, widened
from skxent.likelihood.sources.blocks import Blocks
from skxent.likelihood.sources.device_arrays import batches

Array = Any  # of NumPy, or of the standard


def logits_of(estimator: Any, X: Any, method: str) -> Array:
    """Logits of samples, (n,) for two classes or (n, K), for `method` of a fitted estimator."""
    check_is_fitted(estimator, "coef_")
    if is_on_device(estimator, X, method):
        X = read_device_X(estimator, X, reset=False)
        logits = _device_logits(X, widened(estimator.coef_), widened(estimator.intercept_))
    else:
        X = read_rows(estimator, X, reset=False)
        logits = _host_logits(X, estimator.coef_, estimator.intercept_)
    return single(logits)


def single(logits: Array) -> Array:
    """Logits (n, R), as (n,) where there is one: for two classes."""
    return logits[:, 0] if logits.shape[1] == 1 else logits


def _host_logits(X: Any, coef: np.ndarray, intercept: np.ndarray) -> np.ndarray:
    logits = np.empty((X.shape[0], len(coef)))
    blocks = Blocks(X, n_outputs=len(coef))
    # A product with float64 copies what is float32, so one block after the other.
    for rows in [slice(0, len(logits))] if X.dtype == np.float64 else blocks.all:
        logits[rows] = blocks.read(rows, None) @ coef.T
    logits += intercept
    return logits


def _device_logits(X: Array, coef: Array, intercept: Array) -> Array:
    xp = library_of(X)
    if X.dtype == coef.dtype:
        return xp.matmul(X, coef.T) + intercept
    parts = [
        xp.matmul(xp.astype(X[rows, :], coef.dtype), coef.T) + intercept
        for rows in batches(X.shape, coef.shape[0])
    ]
    return xp.concat(parts, axis=0)


def labels_at(logits: Array, classes: Array) -> Array:
    """Most probable of the classes, where the logits are; strings on the host."""
    if isinstance(logits, np.ndarray):
        codes = (logits > 0).astype(np.intp) if logits.ndim == 1 else logits.argmax(axis=1)
        return to_numpy(classes)[codes]
    xp = library_of(logits)
    codes = xp.astype(logits > 0, xp.int64) if logits.ndim == 1 else xp.argmax(logits, axis=1)
    if isinstance(classes, np.ndarray) and classes.dtype.kind not in "biuf":
        return classes[to_numpy(codes)]
    return xp.take(moved(classes, logits), codes, axis=0)


def probabilities_at(logits: Array) -> Array:
    """Probabilities of the classes, (n, K)."""
    if isinstance(logits, np.ndarray):
        if logits.ndim == 1:
            return np.column_stack([expit(-logits), expit(logits)])
        return softmax(logits, axis=1)
    xp = library_of(logits)
    if logits.ndim == 1:
        e = xp.exp(-xp.abs(logits))
        return _two_columns(logits, 1.0 / (1.0 + e), e / (1.0 + e))
    e = xp.exp(logits - xp.max(logits, axis=1, keepdims=True))
    return e / xp.sum(e, axis=1, keepdims=True)


def log_probabilities_at(logits: Array) -> Array:
    """Their logarithms."""
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


def _two_columns(z: Array, likely: Array, unlikely: Array) -> Array:
    """One column for each of two classes, of which the second is the likely one where z > 0."""
    xp = library_of(z)
    second = z > 0
    columns = xp.where(second, unlikely, likely), xp.where(second, likely, unlikely)
    return xp.stack(columns, axis=1)
