"""Arrays of other libraries than NumPy, by the array API standard, and how to move them.

Such arrays stay in their library and on their device only if the user turns scikit-learn's switch
on, ``sklearn.set_config(array_api_dispatch=True)``. Everything else is read by NumPy;
`namespace_of` then returns None.
"""

from __future__ import annotations

from collections.abc import Hashable
from types import EllipsisType, ModuleType
from typing import Any, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn import get_config

Floats: TypeAlias = NDArray[np.float64]
Codes: TypeAlias = NDArray[np.intp]
Label: TypeAlias = Hashable  # a string, boolean, whole number or date


_Key: TypeAlias = int | slice | EllipsisType | np.ndarray | None
# An array of the same library, or a number. What NumPy's operators accept depends on the dtype, so
# no narrower type fits all of them.
_Operand: TypeAlias = Any


class Array(Protocol):
    """An array of NumPy, or of another library that follows the array API standard."""

    @property
    def dtype(self) -> object:
        """Return the type of the elements, an object of the library."""

    @property
    def device(self) -> object:
        """Return the device that holds the elements, an object of the library."""

    @property
    def ndim(self) -> int:
        """Return the number of axes."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the length of each axis."""

    @property
    def T(self) -> Array:
        """Return the transpose of a two-dimensional array."""

    def __getitem__(self, key: _Key | tuple[_Key, ...], /) -> Array: ...
    def __eq__(self, other: object, /) -> Any: ...
    def __ne__(self, other: object, /) -> Any: ...
    def __abs__(self) -> Array: ...
    def __neg__(self) -> Array: ...
    def __invert__(self) -> Array: ...
    def __add__(self, other: _Operand, /) -> Array: ...
    def __radd__(self, other: _Operand, /) -> Array: ...
    def __sub__(self, other: _Operand, /) -> Array: ...
    def __rsub__(self, other: _Operand, /) -> Array: ...
    def __mul__(self, other: _Operand, /) -> Array: ...
    def __rmul__(self, other: _Operand, /) -> Array: ...
    def __truediv__(self, other: _Operand, /) -> Array: ...
    def __pow__(self, other: _Operand, /) -> Array: ...
    def __lt__(self, other: _Operand, /) -> Array: ...
    def __le__(self, other: _Operand, /) -> Array: ...
    def __gt__(self, other: _Operand, /) -> Array: ...
    def __ge__(self, other: _Operand, /) -> Array: ...
    def __and__(self, other: _Operand, /) -> Array: ...
    def __or__(self, other: _Operand, /) -> Array: ...
    def __bool__(self) -> bool: ...
    def __float__(self) -> float: ...
    def __int__(self) -> int: ...


# A function with this type in its argument and its result returns an array of the library that it
# was given.
A = TypeVar("A", np.ndarray, Array)

# An array of any library, a sparse matrix, a data frame or a Dask collection. These types have no
# common base class that a type checker knows.
AnyArray: TypeAlias = Any

# The array API standard's names of kinds of dtypes -> NumPy's letters.
_KINDS = {"bool": "b", "integral": "i", "real floating": "f", "complex floating": "c"}

# Types that NumPy reads. The checks of other types take a microsecond in every call.
_NUMPY = (np.ndarray, np.generic, list, tuple, str, int, float, type(None))


def namespace_of(*arrays: object) -> ModuleType | None:
    """Return the array API namespace that the arrays have in common, or None.

    Parameters
    ----------
    *arrays : object
        Arrays of any kind, lists, data frames, None.

    Returns
    -------
    module or None
        None if scikit-learn's dispatch is off, or if NumPy, Dask or SciPy reads every argument.

    Raises
    ------
    ImportError
        If an argument is an array of another library and array-api-compat is not installed.
    TypeError
        If the arrays belong to several libraries.
    """
    for x in arrays:
        if not isinstance(x, _NUMPY):
            return _namespace_of(*arrays)
    return None


def _namespace_of(*arrays: object) -> ModuleType | None:
    others = [x for x in arrays if not isinstance(x, _NUMPY) and _is_dense(x)]
    if not others or not get_config()["array_api_dispatch"]:
        return None
    compat = _compat()
    found = [x for x in others if compat.is_array_api_obj(x)]
    return compat.array_namespace(*found) if found else None


def library_of(x: Array) -> ModuleType:
    """Return the namespace of one array, whatever scikit-learn's switch says."""
    return np if isinstance(x, np.ndarray) else _compat().array_namespace(x)


def dtype_kind(x: Array) -> str:
    """Return NumPy's letter for the kind of an array's elements, such as "f" for floats."""
    if isinstance(x, np.ndarray):
        return x.dtype.kind
    xp = library_of(x)
    return next((kind for name, kind in _KINDS.items() if xp.isdtype(x.dtype, name)), "V")


def to_numpy(x: AnyArray) -> np.ndarray:
    """Return an array of any library as a NumPy array, in the memory of the host."""
    if isinstance(x, np.ndarray):
        return x
    compat = _compat()
    if compat.is_cupy_array(x):  # CuPy allows only its own method of copying to the host
        return x.get()
    x = detached(x)
    if compat.is_torch_array(x):
        x = x.resolve_conj().resolve_neg().cpu()
        return (x.float() if str(x.dtype) == "torch.bfloat16" else x).numpy()
    xp = compat.array_namespace(x)
    return np.asarray(compat.to_device(x, xp.__array_namespace_info__().default_device()))


def moved(x: Array, like: A) -> A:
    """Return an array in the library and on the device of another array, by DLPack if possible."""
    if isinstance(like, np.ndarray):
        return to_numpy(x)
    compat = _compat()
    xp, device = compat.array_namespace(like), compat.device(like)
    if not isinstance(x, np.ndarray):
        x = detached(x)
        if compat.array_namespace(x) is xp and compat.device(x) == device:
            return x
    x = _narrowed(x, xp, device)
    try:
        return xp.from_dlpack(x, device=device)
    except (AttributeError, TypeError, NotImplementedError, BufferError, ValueError, RuntimeError):
        return xp.asarray(to_numpy(x), device=device)


def widened(x: A) -> A:
    """Return an array in float64, or in float32 on a device that has no float64."""
    if isinstance(x, np.ndarray):
        return x.astype(np.float64, copy=False)
    xp = library_of(x)
    return xp.astype(detached(x), widest_float(xp, _compat().device(x)), copy=False)


def widest_float(xp: ModuleType, device: object) -> object:
    """Return the dtype float64 if the device has it, else float32."""
    known = xp.__array_namespace_info__().dtypes(device=device, kind="real floating")
    return known["float64"] if "float64" in known else known["float32"]


def detached(x: AnyArray) -> AnyArray:
    """Return the array without the record of operations that some libraries keep for gradients."""
    return x.detach() if getattr(x, "requires_grad", False) else x


def first_true(mask: Array) -> int | None:
    """Return the index of the first True of an (n,) mask, or None."""
    if isinstance(mask, np.ndarray):
        first = int(mask.argmax()) if mask.size else 0
        return first if mask.size and mask[first] else None
    xp = library_of(mask)
    return int(xp.argmax(xp.astype(mask, xp.uint8))) if bool(xp.any(mask)) else None


def largest(x: Array) -> float:
    """Return the largest entry of an array, or NaN if any entry is NaN."""
    return float(x.max() if isinstance(x, np.ndarray) else library_of(x).max(x))


def smallest(x: Array) -> float:
    """Return the smallest entry of an array, or NaN if any entry is NaN."""
    return float(x.min() if isinstance(x, np.ndarray) else library_of(x).min(x))


def total(x: Array) -> float:
    """Return the sum of all entries of an array."""
    return float(x.sum() if isinstance(x, np.ndarray) else library_of(x).sum(x))


def take(table: np.ndarray, codes: A) -> A:
    """Return the entries of a NumPy table at the codes, in the library of the codes."""
    if isinstance(codes, np.ndarray):
        return table[codes]
    return library_of(codes).take(moved(table, codes), codes, axis=0)


def _compat() -> ModuleType:
    try:
        import array_api_compat
    except ImportError as error:
        raise ImportError(
            "arrays of other libraries than NumPy need array-api-compat: "
            "python -m pip install array-api-compat."
        ) from error
    return array_api_compat


def _is_dense(x: object) -> bool:
    """Tell whether an object exports its memory by DLPack, as arrays of the standard do.

    Sparse tensors have the method, but no memory that the method can export.
    """
    return hasattr(type(x), "__dlpack__") and "sparse" not in str(getattr(x, "layout", ""))


def _narrowed(x: Array, xp: ModuleType, device: object) -> Array:
    """Return an array in native memory, with floats that the target device has.

    torch requires native, writeable memory, and negative strides abort the process (seen in torch
    2.13). An array of another library that may have negative strides is therefore copied.
    """
    if isinstance(x, np.ndarray):
        x = np.require(x, x.dtype.newbyteorder("="), ["C", "W"])
    elif not _compat().is_torch_array(x):
        x = library_of(x).asarray(x, copy=True)
    short = "float64" not in xp.__array_namespace_info__().dtypes(device=device)
    if short and str(x.dtype).endswith("float64"):
        source = library_of(x)
        return source.astype(x, source.float32)
    return x
