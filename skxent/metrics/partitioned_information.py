"""Functions of distributions in the rows of Dask collections."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np


def by_rows(function: Callable[..., Any], *values: Any, base: float | None) -> Any:
    """Return ``function(*values, base=base)`` of distributions along the last axis, lazily."""
    from dask import array

    arrays = [each.to_dask_array() if hasattr(each, "to_dask_array") else each for each in values]
    if len(arrays) > 1:  # what has no known shape cannot be broadcast
        arrays = [_of_known_shape(each) for each in arrays]
    signature = ",".join(["(k)"] * len(arrays)) + "->()"
    asked = partial(_unless_empty, function)
    return array.apply_gufunc(
        asked, signature, *arrays, base=base, output_dtypes=np.float64, allow_rechunk=True
    )


def _unless_empty(function: Callable[..., Any], *values: Any, base: float | None) -> Any:
    shape = np.broadcast_shapes(*[each.shape[:-1] for each in values])
    return function(*values, base=base) if 0 not in shape else np.empty(shape)


def _of_known_shape(array: Any) -> Any:
    unknown = any(n != n for n in getattr(array, "shape", ()))
    return array.copy().compute_chunk_sizes() if unknown else array
