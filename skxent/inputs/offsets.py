"""Offsets: known parts of the logits of samples, which a model adds to its own."""

from __future__ import annotations

from typing import Any

import numpy as np

from skxent.inputs.array_arguments import as_reals
from skxent.inputs.class_names import check_default_names, check_order, column_names
from skxent.inputs.namespaces import Floats

LARGEST = 1e100  # sums of squares of offsets of this size are far from overflow


def read_offset(offset: Any, n: int, classes: np.ndarray) -> Floats | None:
    """Read and check the offsets of `n` samples; return them as logits, (n, R), or None.

    R is K, or one for two classes: two columns are replaced by their difference.
    """
    if offset is None:
        return None
    K = len(classes)
    labels = classes.tolist()
    check_default_names(offset, labels, "offset")
    check_order("offset", column_names(offset), "classes_", labels)
    values = as_reals(offset, "offset").astype(np.float64)
    _check_shape(values.shape, n, K)
    _check_values(values)
    if K > 2:
        return values
    two = values.ndim == 2 and values.shape[1] == 2
    return values[:, 1:] - values[:, :1] if two else values.reshape(n, 1)


def predicted_offset(model: Any, offset: Any, n: int, method: str) -> Floats | None:
    """Return the offsets of `n` samples to predict, (n, R), or None for logits without one.

    A model that was fitted with an offset needs one for its predictions. The number 0 stands for
    logits without an offset.
    """
    if offset is None and getattr(model, "has_offset_", False):
        raise ValueError(
            f"this {type(model).__name__} was fitted with an offset, and {method}() got none: pass "
            "the offset of these samples, or offset=0 for logits without one. With metadata "
            f"routing a pipeline passes the offset on after set_{method}_request(offset=True); for "
            "predictions of the fitted model of a search use its best_estimator_."
        )
    return None if is_zero(offset) else read_offset(offset, n, model.classes_)


def is_zero(offset: Any) -> bool:
    """Tell whether the offset of a prediction is the number 0."""
    return isinstance(offset, int | float | np.number) and bool(offset == 0)


def refuse_offset(offset: Any, what: str) -> None:
    """Raise an error if there is an offset where none is supported."""
    if offset is not None:
        raise ValueError(f"offset is not supported for {what}: pass X as an array in memory.")


def _check_shape(shape: tuple[int, ...], n: int, K: int) -> None:
    fits = shape[1:] == (K,) if K > 2 else shape[1:] in {(), (1,), (2,)}
    if len(shape) == 0 or not fits:
        form = f"(n, {K}), one column for each class" if K > 2 else "(n,), or (n, 2)"
        raise ValueError(f"offset has shape {shape}, and there are {K} classes: pass {form}.")
    if shape[0] != n:
        raise ValueError(f"X has {n} samples but offset has {shape[0]}: pass equal lengths.")


def _check_values(values: Floats) -> None:
    good = np.abs(values) <= LARGEST  # False for NaN
    if good.all():
        return
    place = tuple(np.argwhere(~good)[0])
    if np.isfinite(values[place]):
        cure = f"offsets are logits, of size {LARGEST:.0e} at most."
    else:
        cure = "offsets are finite numbers. A large negative number makes a class improbable."
    raise ValueError(f"offset has {values[place]:.6g} in row {place[0]}: {cure}")
