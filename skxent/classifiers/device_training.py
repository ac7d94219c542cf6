"""Reading the samples of a fit if X is an array of another library than NumPy, on any device.

As in scikit-learn, X determines the library and the device: targets, weights and the fitted arrays
are moved there. Only `classes_` is in the library of y, or in NumPy if the labels are strings.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import assert_all_finite, column_or_1d
from sklearn.utils.validation import validate_data

from skxent.classifiers.callbacks import Attributes
from skxent.inference.fitted import ClassWeight, LinearModel
from skxent.inputs.array_arguments import numbers_of
from skxent.inputs.features import AnyArray
from skxent.inputs.fit_targets import (
    FitTargets,
    check_target_shape,
    check_weight_shape,
    class_factors,
    require_two_classes,
    sample_weights,
)
from skxent.inputs.labels import labels_of
from skxent.inputs.namespaces import (
    detached,
    library_of,
    moved,
    namespace_of,
    widened,
    widest_float,
)
from skxent.inputs.offsets import read_offset
from skxent.inputs.predictions import check_distributions
from skxent.inputs.shapes import has_rows
from skxent.inputs.weights import check_weight_range, weights_beside
from skxent.likelihood.sources.arrays import balanced_offset
from skxent.likelihood.sources.device_arrays import received
from skxent.likelihood.sources.device_rows import DeviceRows

Estimator = TypeVar("Estimator")


def read_on_device(
    estimator: LinearModel,
    X: AnyArray,
    y: AnyArray,
    sample_weight: AnyArray,
    classes: ArrayLike | None,
    offset: AnyArray = None,
) -> tuple[DeviceRows, np.ndarray]:
    """Read and check the samples of a fit of `estimator`; return its rows and classes."""
    X = read_device_X(estimator, X, reset=True)
    names, targets = _targets(y, classes, X)
    require_two_classes(names)
    logits = read_offset(offset, X.shape[0], names, beside=X)
    data = DeviceRows(
        X=X,
        targets=targets,
        weight=device_weights(sample_weight, X),
        n_classes=len(names),
        fit_intercept=bool(estimator.fit_intercept),
        offset=None if logits is None else balanced_offset(logits.T),
    )
    return _with_class_weight(data, estimator.class_weight, names), names


def read_device_X(estimator: LinearModel, X: AnyArray, *, reset: bool) -> AnyArray:
    """Check X and return it unchanged; `reset` stores the number of columns in the estimator."""
    xp = library_of(X)
    floats = [widest_float(xp, X.device), xp.float32]
    return validate_data(estimator, detached(X), dtype=floats, reset=reset)


def _targets(y: AnyArray, classes: ArrayLike | None, X: AnyArray) -> tuple[np.ndarray, AnyArray]:
    """Return the classes, and codes (n,) or soft rows (n, K) in the library of X."""
    if namespace_of(y) is None:
        targets = FitTargets.read(y, classes, X.shape[0])
        names, values = targets.classes, targets.values
    else:
        check_target_shape(y.shape, X.shape[0])
        names, values = (_rows if has_rows(y) else _codes)(y, classes)
    values = moved(values, X)
    return names, widened(values) if values.ndim == 2 else values


def _codes(y: AnyArray, classes: ArrayLike | None) -> tuple[np.ndarray, AnyArray]:
    """Return the distinct labels, and the code of each sample: the index of its label."""
    if classes is not None:
        raise ValueError(
            "classes names the columns of soft targets, but y holds labels: leave classes out."
        )
    y = detached(column_or_1d(y, warn=True))
    if library_of(y).isdtype(y.dtype, "real floating"):
        assert_all_finite(y, input_name="y")
    labels = labels_of(y, "y")
    return labels.distinct, labels.codes


def _rows(y: AnyArray, classes: ArrayLike | None) -> tuple[np.ndarray, AnyArray]:
    """Check that soft rows are distributions; return the names of their columns, and the rows."""
    rows = numbers_of(y, "y")
    check_distributions(rows, "y")
    K = rows.shape[1]
    return np.arange(K) if classes is None else FitTargets.names(classes, K, None), rows


def device_weights(sample_weight: AnyArray, X: AnyArray) -> AnyArray | None:
    """Read and check the weights of samples, and move them to the device of X."""
    if sample_weight is None:
        return None
    if namespace_of(sample_weight) is None:
        sample_weight = sample_weights(sample_weight, X.shape[0])
    else:
        check_weight_shape(sample_weight.shape, X.shape[0])
    weight = weights_beside(sample_weight, X)
    xp = library_of(weight)
    check_weight_range(float(xp.max(weight)), wide=weight.dtype == xp.float64)
    return weight


def _with_class_weight(
    data: DeviceRows, class_weight: ClassWeight | None, names: np.ndarray
) -> DeviceRows:
    """Multiply class weights into sample weights, see `FitTargets.times`."""
    if class_weight is None:
        return data
    xp, targets, weight = data.xp, data.targets, data.weight
    factors = data.sent(class_factors(class_weight, names, _totals(data)))
    if targets.ndim == 1:
        share = xp.take(factors, targets, axis=0)
    else:
        rows = targets / xp.sum(targets, axis=1, keepdims=True) * factors
        share = xp.sum(rows, axis=1)
        rows = xp.where(share[:, None] > 0, rows, targets)
        targets = rows / xp.sum(rows, axis=1, keepdims=True)
    return replace(data, targets=targets, weight=share if weight is None else share * weight)


def _totals(data: DeviceRows) -> NDArray[np.float64]:
    """Return the total weight of each class, (K,)."""

    def sums(rows: slice) -> AnyArray:
        Y = data.target_block(rows)
        return data.xp.sum(data.weigh(Y, rows), axis=1)

    return received(data.total_of(sums))


def to_namespace_of(X: AnyArray, y: AnyArray, fitted: Attributes) -> Attributes:
    """Return fitted attributes with arrays in the library and on the device of X.

    `classes_` is in the library of y, or in NumPy if the labels are strings.
    """
    result = dict(fitted)
    if namespace_of(X) is not None:
        for name in fitted.keys() & {"coef_", "intercept_", "objective_curve_"}:
            result[name] = moved(fitted[name], X)
    if namespace_of(y) is not None and fitted["classes_"].dtype.kind in "biuf":
        classes = moved(fitted["classes_"], y)
        result["classes_"] = classes if has_rows(y) else library_of(y).astype(classes, y.dtype)
    return result


def converted(estimator: Estimator, converter: Callable[[AnyArray], AnyArray]) -> Estimator:
    """Return a copy of a fitted estimator, with `converter` applied to its arrays of numbers."""
    result = copy(estimator)
    for name in ("classes_", "coef_", "intercept_", "objective_curve_"):
        values = getattr(estimator, name)
        if not isinstance(values, np.ndarray) or values.dtype.kind in "biuf":
            setattr(result, name, converter(values))
    return result
