"""Predictions of a fitted classifier for Dask collections, block by block on the workers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from functools import partial, wraps
from typing import Concatenate, Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from skxent.classifiers.partitioned_training import learn_columns
from skxent.inference.fitted import FittedLinearModel
from skxent.inputs.dask_arguments import match, row_counts
from skxent.inputs.errors import raise_no_weight
from skxent.inputs.features import AnyArray
from skxent.inputs.labels import agreeing
from skxent.inputs.offsets import check_offset_names, is_zero
from skxent.inputs.partitions import compute, is_dask, map_partitions, tree_reduce
from skxent.inputs.weights import as_weights
from skxent.likelihood.sources.blocks import add

# A prediction method of a classifier, without the classifier bound to it.
Model = TypeVar("Model", bound=FittedLinearModel)
Predict = Callable[Concatenate[Model, AnyArray, ...], AnyArray]


class Predictor(Protocol):
    """A fitted classifier that predicts labels."""

    classes_: AnyArray

    def predict(self, X: AnyArray, *, offset: ArrayLike | None = None) -> AnyArray:
        """Return the most probable class of each sample."""
        ...


def by_partition(method: Predict[Model]) -> Callable[..., AnyArray]:
    """Decorate a prediction method: for a Dask collection it returns a lazy Dask array."""

    @wraps(method)
    def predict(model: Model, X: AnyArray, *, offset: ArrayLike | None = None) -> AnyArray:
        if not is_dask(X):
            return method(model, X, offset=offset)
        check_is_fitted(model)
        learn_columns(model, X, reset=False)
        nameless = _nameless(model)
        known = offset is not None and not is_zero(offset)
        first = np.zeros((1, model.n_features_in_))
        empty = method(nameless, first, offset=0 if known else offset)[:0]
        if known:
            names = model if hasattr(X, "columns") else nameless
            return _with_offset(method, copy(names), empty, X, offset)
        if hasattr(X, "columns"):
            function = partial(_predict, method, copy(model), empty, offset)
            return X.map_partitions(function, meta=empty)
        # The names of columns are checked above, and blocks of an array have no names.
        function, X = partial(_predict, method, nameless, empty, offset), X.rechunk({1: -1})
        if empty.ndim == 1:
            return X.map_blocks(function, drop_axis=1, dtype=empty.dtype, meta=empty)
        chunks = (X.chunks[0], empty.shape[1:])
        return X.map_blocks(function, chunks=chunks, dtype=empty.dtype, meta=empty)

    return predict


def _nameless(model: Model) -> Model:
    """Return a copy of a classifier without the names of the features."""
    model = copy(model)
    model.__dict__.pop("feature_names_in_", None)
    return model


def _predict(
    method: Predict[Model],
    model: Model,
    empty: np.ndarray,
    offset: AnyArray,
    x: AnyArray,
) -> AnyArray:
    """Return the predictions of a block, or `empty` if the block has no rows."""
    return method(model, x, offset=offset) if x.shape[0] else empty


def _with_offset(
    method: Predict[Model], model: Model, empty: np.ndarray, X: AnyArray, offset: AnyArray
) -> AnyArray:
    """Return the predictions of samples with offsets, which are cut into the blocks of X."""
    from dask import array

    check_offset_names(offset, model.classes_)
    blocks, offsets = match(X=X, offset=offset)
    lengths: Sequence[float] = row_counts(X) or [np.nan] * len(blocks)
    found = map_partitions(blocks, _predict_block, offsets, method, model, empty)
    shapes = [(n, *empty.shape[1:]) for n in lengths]
    pieces = zip(found, shapes, strict=True)
    return array.concatenate([array.from_delayed(*piece, meta=empty) for piece in pieces])


def _predict_block(
    index: int,
    x: AnyArray,
    offset: AnyArray,
    method: Predict[Model],
    model: Model,
    empty: np.ndarray,
) -> AnyArray:
    """Call `_predict` in a task."""
    return _predict(method, model, empty, offset, x)


def accuracy(
    model: Predictor,
    X: AnyArray,
    y: AnyArray,
    sample_weight: AnyArray,
    offset: ArrayLike | None,
) -> float:
    """Return the weighted fraction of correct predictions for Dask collections."""
    if y is None:
        raise ValueError("score requires y to be passed, but the target y is None.")
    matched = match(prediction=model.predict(X, offset=offset), y=y, sample_weight=sample_weight)
    parts = list(zip(*matched, strict=True))
    right, weight = compute(parts, tree_reduce(map_partitions(parts, _right, model.classes_), add))
    if not weight:
        raise_no_weight()
    return float(right / weight)


def _right(index: int, part: tuple[AnyArray, ...], classes: np.ndarray) -> tuple[float, float]:
    """Return the weight of the correct predictions of a partition, and of all its samples."""
    prediction, y, weight = part
    n = len(prediction)
    if len(y) != n:
        raise ValueError(f"X has {n} samples but y has {len(y)}: pass equal lengths.")
    weight = as_weights(weight, n, zero=True)
    if n == 0:
        return 0.0, 0.0
    right = agreeing(y, prediction, classes)
    if weight is None:
        return float(right.sum()), float(n)
    return float(weight[right].sum()), float(weight.sum())
