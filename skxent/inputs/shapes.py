"""Shapes of arguments, of arrays of any library: what they must be, and what is said if not."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def check_length(name: str, length: int, n: int) -> None:
    """Require one entry per sample."""
    if length != n:
        raise ValueError(f"{name} has {length} samples but y_pred has {n}: pass equal lengths.")


def one_or_two_dimensional(array: NDArray[Any], name: str) -> NDArray[Any]:
    """Return an array of samples, which it must be, a single column as one dimension."""
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim not in (1, 2):
        raise ValueError(f"{name} has shape {tuple(array.shape)}: pass (n,) or (n, K).")
    if 0 in array.shape:
        shape = tuple(array.shape)
        raise ValueError(f"{name} has shape {shape}, it is empty: pass at least one sample.")
    return array


def check_same_shape(outcomes: NDArray[Any], prediction: NDArray[Any]) -> None:
    """Require one outcome for each prediction."""
    if outcomes.shape != prediction.shape:
        raise ValueError(
            f"y_true has shape {tuple(outcomes.shape)} but y_pred has shape "
            f"{tuple(prediction.shape)}: pass equal shapes. For K classes of which one is true use "
            "categorical_cross_entropy."
        )


def check_last_axis(array: NDArray[Any], name: str) -> None:
    """Require probabilities along the last axis."""
    shape = tuple(array.shape)
    if 0 in shape or not shape:
        raise ValueError(f"{name} has shape {shape}: pass probabilities along the last axis.")


def check_broadcast(p: NDArray[Any], q: NDArray[Any]) -> None:
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
