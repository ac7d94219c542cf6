"""Arguments as arrays: NumPy arrays (`as_...`), or arrays of their own library (`..._of`).

An array of another library keeps its library and its device only if scikit-learn's switch
`array_api_dispatch` is on.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from skxent.inputs.dask_arguments import computed
from skxent.inputs.errors import check_kind
from skxent.inputs.namespaces import (
    A,
    AnyArray,
    Array,
    detached,
    dtype_kind,
    moved,
    namespace_of,
    to_numpy,
)
from skxent.inputs.shapes import one_or_two_dimensional


def as_array(values: object, name: str) -> np.ndarray:
    """Return an argument as a NumPy array; the error says why that is impossible."""
    if type(values) is np.ndarray:
        return values if values.dtype.kind != "T" else values.astype(object)
    (values,) = computed(values)
    if hasattr(values, "toarray"):
        raise TypeError(f"{name} is a sparse matrix: pass a dense array, {name}.toarray().")
    check_kind(values, name)
    try:
        array = np.asarray(values)
        if array.dtype.kind == "T" or (array.dtype.kind == "U" and _is_mixed(values)):
            return np.asarray(values, dtype=object)  # NumPy would convert numbers to text
        return array
    except ValueError as error:
        raise ValueError(f"{name} is not a rectangular array: {error}") from error
    except (TypeError, RuntimeError) as error:
        return _host_copy(values, name, error)


def on_host(*values: object) -> list[AnyArray]:
    """Return all arguments in host memory: Dask collections computed, arrays as NumPy arrays."""
    found = computed(*values)
    return [value if namespace_of(value) is None else to_numpy(value) for value in found]


def array_of(values: AnyArray, name: str) -> Array:
    """Return an argument as an array of its own library."""
    return as_array(values, name) if namespace_of(values) is None else values


def array_beside(values: AnyArray, name: str, like: Array) -> Array:
    """Return an argument as an array of NumPy, or of the library of `like`.

    The result is a NumPy array if NumPy reads the argument or `like`. Otherwise it is in the
    library and on the device of `like`.
    """
    if isinstance(like, np.ndarray) or namespace_of(values) is None:
        return as_array(values, name)
    return moved(values, like)


def as_reals(values: object, name: str) -> np.ndarray:
    """Return an argument as a NumPy array of real numbers, any shape, at most eight bytes each."""
    return checked_reals(as_array(values, name), name)


def as_numbers(values: object, name: str) -> np.ndarray:
    """Return an argument as a NumPy array of real numbers of shape (n,) or (n, K)."""
    return one_or_two_dimensional(as_reals(values, name), name)


def reals_of(values: object, name: str) -> Array:
    """Return an argument as an array of real numbers of any shape."""
    return checked_reals(array_of(values, name), name)


def checked_reals(array: A, name: str) -> A:
    """Return an array as real numbers, at most eight bytes each in NumPy; refuse other entries."""
    kind = dtype_kind(array)
    if kind == "c":
        raise ValueError(f"{name} is complex: pass real numbers.")
    if kind in "biuf":
        if not isinstance(array, np.ndarray):
            return detached(array)
        return array if array.dtype.itemsize <= 8 else array.astype(np.float64)
    if kind == "O" and isinstance(array, np.ndarray):
        return np.fromiter(_floats(array, name), np.float64, array.size).reshape(array.shape)
    raise ValueError(f"{name} does not hold numbers only: its dtype is {array.dtype}.")


def numbers_of(values: object, name: str) -> Array:
    """Return an argument as an array of real numbers of shape (n,) or (n, K)."""
    return one_or_two_dimensional(reals_of(values, name), name)


def _floats(array: np.ndarray, name: str) -> Iterator[float]:
    """Read objects one by one; the error names the first object that is not a number."""
    for place, value in np.ndenumerate(array):
        try:
            if isinstance(value, str | bytes):
                raise TypeError("text is no number")
            yield float(value)
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueError(
                f"{name} does not hold numbers only: {value!r} at {list(place)}: {error}."
            ) from error


def _is_mixed(values: object) -> bool:
    """Tell whether a list that NumPy reads as text has entries of other types."""
    if not isinstance(values, list | tuple):
        return False
    return not all(issubclass(kind, str | list | tuple) for kind in set(map(type, values)))


def _host_copy(values: object, name: str, error: Exception) -> np.ndarray:
    """Copy an array that NumPy cannot read to the host, if `array_api_dispatch` is on."""
    if namespace_of(values) is not None:
        return to_numpy(values)
    if not hasattr(values, "__dlpack__"):
        raise error
    reason = str(error).rstrip(".")
    raise TypeError(
        f"{name} cannot be read as a NumPy array: {reason}. Turn the array API on, "
        "sklearn.set_config(array_api_dispatch=True), or pass a copy on the host, such as "
        f"{name}.detach().cpu()."
    ) from error
