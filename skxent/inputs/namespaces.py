"""Arrays of other libraries than NumPy, by the array API standard: where they are, and ways there.

scikit-learn's switch decides: only with ``sklearn.set_config(array_api_dispatch=True)`` are such
arrays worked on where they are. Everything else is NumPy's, for which `namespace_of` says None.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import get_config

# Types that are NumPy's without a question; the question would cost every call a microsecond.
_NUMPY = (np.ndarray, np.generic, list, tuple, str, int, float, type(None))


def namespace_of(*arrays: Any) -> ModuleType | None:
    """Return the array API namespace that the arrays have in common, or None.

    Parameters
    ----------
    *arrays : object
        Arrays of any kind, lists, data frames, None.

    Returns
    -------
    module or None
        None where dispatch is off or all are NumPy's, lists, data frames, lazy or sparse.

    Raises
    ------
    ImportError
        If there is such an array, but no array-api-compat.
    TypeError
        If the arrays are of several libraries.
    """
    for x in arrays:
        if not isinstance(x, _NUMPY):
            return _namespace_of(*arrays)
    return None


def _namespace_of(*arrays: Any) -> ModuleType | None:
    others = [x for x in arrays if not isinstance(x, _NUMPY) and _is_dense(x)]
    if not others or not get_config()["array_api_dispatch"]:
        return None
    compat = _compat()
    found = [x for x in others if compat.is_array_api_obj(x)]
    return compat.array_namespace(*found) if found else None


def library_of(x: Any) -> ModuleType:
    """Return the namespace of one array, whatever the switch says."""
    return _compat().array_namespace(x)


def to_numpy(x: Any) -> NDArray[Any]:
    """Bring an array to the host's memory, as NumPy's."""
    if isinstance(x, np.ndarray):
        return x
    compat = _compat()
    if compat.is_cupy_array(x):  # it refuses to be converted but by its own method
        return x.get()
    x = detached(x)
    if compat.is_torch_array(x):
        x = x.resolve_conj().resolve_neg().cpu()
        return (x.float() if str(x.dtype) == "torch.bfloat16" else x).numpy()
    xp = compat.array_namespace(x)
    return np.asarray(compat.to_device(x, xp.__array_namespace_info__().default_device()))


def moved(x: Any, like: Any) -> Any:
    """Bring an array to the namespace and device of another one, by DLPack where that works."""
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


def widened(x: Any) -> Any:
    """Return an array in float64, or in float32 on a device without."""
    xp = library_of(x)
    return xp.astype(detached(x), widest_float(xp, _compat().device(x)), copy=False)


def widest_float(xp: ModuleType, device: Any) -> Any:
    """Return float64 where the device has it, else float32."""
    known = xp.__array_namespace_info__().dtypes(device=device, kind="real floating")
    return known["float64"] if "float64" in known else known["float32"]


def detached(x: Any) -> Any:
    """Return the array without the record of its origin that some libraries keep for gradients."""
    return x.detach() if getattr(x, "requires_grad", False) else x


def first_true(mask: Any) -> int | None:
    """Return the place of the first True of an (n,) mask, or None; of any library."""
    if isinstance(mask, np.ndarray):
        first = int(mask.argmax()) if mask.size else 0
        return first if mask.size and mask[first] else None
    xp = library_of(mask)
    return int(xp.argmax(xp.astype(mask, xp.uint8))) if bool(xp.any(mask)) else None


def _compat() -> ModuleType:
    try:
        import array_api_compat
    except ImportError as error:
        raise ImportError(
            "arrays of other libraries than NumPy need array-api-compat: "
            "python -m pip install array-api-compat."
        ) from error
    return array_api_compat


def _is_dense(x: Any) -> bool:
    """Whether an object can be an array of the standard: one exports its memory by DLPack.

    Sparse tensors, which have the method but no such memory, cannot.
    """
    return hasattr(type(x), "__dlpack__") and "sparse" not in str(getattr(x, "layout", ""))


def _narrowed(x: Any, xp: ModuleType, device: Any) -> Any:
    """Make an array ready for a device: plain memory, and floats that the device has.

    torch takes native, writeable memory; negative strides make it abort the process (seen in 2.13),
    so an array that may have them is copied.
    """
    if isinstance(x, np.ndarray):
        x = np.require(x, x.dtype.newbyteorder("="), ["C", "W"])
    elif not _compat().is_torch_array(x):
        x = library_of(x).asarray(x, copy=True)
    short = "float64" not in xp.__array_namespace_info__().dtypes(device=device)
    if short and str(x.dtype).endswith("float64"):
        here = library_of(x)
        return here.astype(x, here.float32)
    return x
