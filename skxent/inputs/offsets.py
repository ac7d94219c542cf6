"""Offsets: known parts of the logits of samples, which a model adds to its own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from skxent.inputs.array_arguments import array_beside, as_array, checked_reals
from skxent.inputs.class_names import check_default_names, check_order, column_names
from skxent.inputs.namespaces import (
    A,
    AnyArray,
    first_true,
    library_of,
    moved,
    to_numpy,
    widened,
)

LARGEST = 1e100  # sums of squares of offsets of this size are far from overflow
LARGEST_NARROW = 1e15  # the same for sums in float32


def read_offset(
    offset: Any, n: int, classes: AnyArray, beside: AnyArray | None = None
) -> AnyArray | None:
    """Read and check the offsets of `n` samples; return them as logits, (n, R), or None.

    R is K, or one for two classes: two columns are replaced by their difference. The result is in
    the library and on the device of `beside`, or in NumPy if that is None.
    """
    if offset is None:
        return None
    check_offset_names(offset, classes)
    return as_logits(read_values(offset, beside), n, classes.shape[0])


def read_values(offset: Any, beside: AnyArray | None = None) -> AnyArray:
    """Read offsets and check that they are finite numbers; see `read_offset`."""
    if beside is None:
        values = widened(checked_reals(as_array(offset, "offset"), "offset"))
    else:
        given = array_beside(offset, "offset", beside)
        values = moved(widened(checked_reals(given, "offset")), beside)
    if values.ndim:
        _check_values(values)
    return values


def check_offset_names(offset: Any, classes: AnyArray) -> None:
    """Require that the columns of a data frame are named as the classes, in their order."""
    labels = to_numpy(classes).tolist()
    check_default_names(offset, labels, "offset")
    check_order("offset", column_names(offset), "classes_", labels)


def check_offset_shape(shape: tuple[int, ...], K: int) -> None:
    """Require one offset for each sample and class; two classes may have one or two."""
    fits = shape[1:] == (K,) if K > 2 else shape[1:] in {(), (1,), (2,)}
    if len(shape) == 0 or not fits:
        form = f"(n, {K}), one column for each class" if K > 2 else "(n,), or (n, 2)"
        raise ValueError(f"offset has shape {shape}, and there are {K} classes: pass {form}.")


def as_logits(values: A, n: int, K: int) -> A:
    """Return the offsets of `n` samples as logits, (n, R); requires that their shape fits."""
    check_offset_shape(tuple(values.shape), K)
    if values.shape[0] != n:
        length = values.shape[0]
        raise ValueError(f"X has {n} samples but offset has {length}: pass equal lengths.")
    if K > 2:
        return values
    two = values.ndim == 2 and values.shape[1] == 2
    one = values[:, 1] - values[:, 0] if two else values
    return library_of(one).reshape(one, (n, 1))


def fitted_offset(model: Any, offset: Any, n: int) -> Any:
    """Return the offsets of the `n` samples of a fit, (n, R), or None if it had none."""
    if getattr(model, "has_offset_", False) == (offset is not None):
        return read_offset(offset, n, model.classes_)
    if offset is None:
        raise ValueError("clf was fitted with an offset, and infer got none: pass the offset.")
    raise ValueError("clf was fitted without an offset: pass none, or fit clf with it.")


def predicted_offset(
    model: Any,
    offset: Any,
    n: int,
    method: str,
    beside: AnyArray | None = None,
    *,
    routed: bool = True,
) -> AnyArray | None:
    """Return the offsets of `n` samples to predict, (n, R), or None for logits without one.

    A model that was fitted with an offset needs one for its predictions. The number 0 stands for
    logits without an offset. The result is in the library and on the device of `beside`. `routed`
    tells whether metadata routing can pass an offset to the method.
    """
    if offset is None and getattr(model, "has_offset_", False):
        routes = (
            f" With metadata routing a pipeline passes the offset on after set_{method}_request("
            "offset=True); for predictions of the fitted model of a search use its best_estimator_."
        )
        raise ValueError(
            f"this {type(model).__name__} was fitted with an offset, and {method}() got none: pass "
            "the offset of these samples, or offset=0 for logits without one."
            + (routes if routed else "")
        )
    return None if is_zero(offset) else read_offset(offset, n, model.classes_, beside)


def is_zero(offset: Any) -> bool:
    """Tell whether the offset of a prediction is the number 0."""
    return isinstance(offset, int | float | np.number) and bool(offset == 0)


def _check_values(values: AnyArray) -> None:
    """Require finite numbers whose squares do not overflow when they are added up."""
    xp = library_of(values)
    most = LARGEST if values.dtype == xp.float64 else LARGEST_NARROW
    place = first_true(xp.reshape(~(xp.abs(values) <= most), (-1,)))  # also at NaN
    if place is None:
        return
    value = float(xp.reshape(values, (-1,))[place])
    row = place // math.prod(values.shape[1:])
    if math.isfinite(value):
        cure = f"offsets are logits, of size {most:.0e} at most."
    else:
        cure = "offsets are finite numbers. A large negative number makes a class improbable."
    raise ValueError(f"offset has {value:.6g} in row {row}: {cure}")
