"""Checks of shapes, the same for arrays of every library."""

from __future__ import annotations

import numpy as np

from skxent.inputs.namespaces import A, AnyArray, Array


def check_length(name: str, length: int, n: int, of: str = "y_pred") -> None:
    """Require one entry for each of the n samples of the argument `of`."""
    if length != n:
        raise ValueError(f"{name} has {length} samples but {of} has {n}: pass equal lengths.")


def check_partition_length(name: str, values: AnyArray, n: int) -> None:
    """Require one entry for each of the n samples of a partition of `y_pred`."""
    if values is not None and values.shape[0] != n:
        raise ValueError(
            f"{name} has {values.shape[0]} samples but y_pred has {n}: pass equal lengths, and "
            "equal partitions where their lengths are not known."
        )


def has_rows(array: Array) -> bool:
    """Tell whether an array has several columns, so that it does not hold labels."""
    return array.ndim == 2 and array.shape[1] > 1


def one_or_two_dimensional(array: A, name: str) -> A:
    """Return an array of shape (n,) or (n, K); a single column becomes (n,)."""
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim not in (1, 2):
        raise ValueError(f"{name} has shape {tuple(array.shape)}: pass (n,) or (n, K).")
    if 0 in array.shape:
        shape = tuple(array.shape)
        raise ValueError(f"{name} has shape {shape}, it is empty: pass at least one sample.")
    return array


def one_dimensional(source: A, name: str) -> A:
    """Return labels of shape (n,) with n above 0; a single column becomes (n,)."""
    if source.ndim == 2 and source.shape[1] == 1:
        source = source[:, 0]
    if source.ndim != 1:
        raise ValueError(
            f"{name} has shape {tuple(source.shape)}, but labels have shape (n,): "
            "pass one label for each sample."
        )
    if source.shape[0] == 0:
        raise ValueError(f"{name} is empty: pass at least one label.")
    return source


def check_same_shape(outcomes: Array, prediction: Array) -> None:
    """Require one outcome for each predicted probability."""
    if outcomes.shape != prediction.shape:
        raise ValueError(
            f"y_true has shape {tuple(outcomes.shape)} but y_pred has shape "
            f"{tuple(prediction.shape)}: pass equal shapes. For K classes of which one is true use "
            "categorical_cross_entropy."
        )


def check_last_axis(array: Array, name: str) -> None:
    """Require at least one probability along the last axis."""
    shape = tuple(array.shape)
    if 0 in shape or not shape:
        raise ValueError(f"{name} has shape {shape}: pass probabilities along the last axis.")


def check_broadcast(p: Array, q: Array) -> None:
    """Require the same number of classes and shapes that broadcast."""
    left, right = tuple(p.shape), tuple(q.shape)
    try:
        np.broadcast_shapes(left, right)
        fits = left[-1] == right[-1]
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(
            f"p has shape {left} and q has shape {right}: pass equal shapes, or shapes "
            "that broadcast, with one and the same number of classes on the last axis."
        )
