"""Losses that others have computed: an array, or a list of arrays, one for each document or batch.

Entries of weight 0 are absent: they may be NaN, infinite or negative. All others are checked, and
an error names the first bad entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import numpy as np

from skxent.inputs.array_arguments import array_beside, array_of, checked_reals
from skxent.inputs.namespaces import (
    A,
    AnyArray,
    Array,
    dtype_kind,
    first_true,
    largest,
    library_of,
    moved,
    smallest,
    to_numpy,
    widened,
)

# Nats. A loss this little below 0 is the rounding of a probability near 1 in single precision, and
# counts as 0. In half precision the machine epsilon takes its place.
ROUNDING = 1e-6
BLOCK = 1 << 16  # losses that are widened and summed at once; 0.5 MB fit in the processor's cache
DEVICE_BLOCK = 1 << 22  # the same on a device, where each block waits for the result

Place = Callable[[int], str]


def is_list_of_arrays(values: object) -> bool:
    """Tell whether an argument is a list of arrays or lists, rather than of numbers."""
    if not isinstance(values, list | tuple) or not values:
        return False
    first = values[0]
    if hasattr(first, "ndim"):
        return bool(first.ndim)
    return hasattr(first, "__len__") and not isinstance(first, str | bytes)


def check_not_nested(values: Any, name: str) -> None:
    """Raise for a column of a data frame whose entries are lists or arrays."""
    if hasattr(values, "to_list") and is_list_of_arrays(list(values[:1])):
        raise TypeError(
            f"{name} is a column of lists: pass {name}.to_list(), a list with one array for each "
            "document."
        )


def check_parts(values: AnyArray, n: int, name: str, of: str) -> list[AnyArray]:
    """Return a list of n arrays; None stands for n times None."""
    if values is None:
        return [None] * n
    if not hasattr(values, "__len__") or isinstance(values, str | bytes):
        raise TypeError(f"{name} is a {type(values).__name__}: pass a list of {n} arrays.")
    found = list(values)
    if len(found) != n:
        raise ValueError(f"{name} has {len(found)} entries but {of} has {n} arrays: pass one each.")
    return found


def arrays_of(losses: object, weight: object, names: tuple[str, str]) -> tuple[Array, Array | None]:
    """Return losses and weights of one shape, as arrays of one library, not yet checked."""
    if isinstance(losses, Iterator):
        raise TypeError(
            f"{names[0]} is a {type(losses).__name__}: pass a list, or add up the sums of the "
            "parts, sum(CrossEntropySum.of_losses(part) for part in parts)."
        )
    check_not_nested(losses, names[0])
    values = _column(checked_reals(array_of(losses, names[0]), names[0]))
    if not values.ndim:
        raise ValueError(f"{names[0]} has shape (): pass an array of losses.")
    if weight is None:
        return values, None
    weights = _column(checked_reals(array_beside(weight, names[1], values), names[1]))
    if tuple(weights.shape) != tuple(values.shape):
        raise ValueError(
            f"{names[1]} has shape {tuple(weights.shape)} but {names[0]} has shape "
            f"{tuple(values.shape)}: pass one weight for each loss."
        )
    return values, moved(weights, values)


def _column(array: Array) -> Array:
    """Return (n,) for a single column (n, 1), as data frames have it."""
    return array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array


def blocks_of(values: Array, weight: Array | None) -> Iterator[tuple[int, Array, Array | None]]:
    """Yield the first index of each block of entries, its losses and its weights, all in float64.

    Entries come in the order of the last axis. The blocks of NumPy arrays of any layout, dtype or
    byte order are buffers, which the next block overwrites.
    """
    n = int(np.prod(values.shape))
    if not n:
        return
    if not isinstance(values, np.ndarray):
        xp = library_of(values)
        values = xp.reshape(values, (-1,))
        weight = None if weight is None else xp.reshape(weight, (-1,))
        for start in range(0, n, DEVICE_BLOCK):
            rows = slice(start, min(start + DEVICE_BLOCK, n))
            yield start, widened(values[rows]), None if weight is None else widened(weight[rows])
        return
    yield from _host_blocks(values, None if weight is None else to_numpy(weight))


def _host_blocks(
    values: np.ndarray, weight: np.ndarray | None
) -> Iterator[tuple[int, np.ndarray, np.ndarray | None]]:
    operands = [values] if weight is None else [values, weight]
    blocks = np.nditer(
        operands,
        flags=["external_loop", "buffered"],
        op_flags=[["readonly"]] * len(operands),
        op_dtypes=[np.dtype(np.float64)] * len(operands),
        order="C",
        casting="unsafe",
        buffersize=BLOCK,
    )
    start = 0
    with blocks:
        for block in blocks:
            losses, own = (np.asarray(block), None) if weight is None else block
            yield start, losses, own
            start += len(losses)


def place_in(name: str, shape: tuple[int, ...], start: int = 0) -> Place:
    """Return a function that names an entry by its position, counted along the last axis first."""

    def place(i: int) -> str:
        index = np.unravel_index(start + i, shape)
        return f"{name}[{', '.join(str(int(k)) for k in index)}]"

    return place


def rounding_of(values: Array) -> float:
    """Return how far below 0 a loss may be by rounding, in nats."""
    if dtype_kind(values) != "f":
        return ROUNDING
    return max(ROUNDING, float(library_of(values).finfo(values.dtype).eps))


def counted_losses(values: A, weight: A | None, rounding: float, place: Place) -> A:
    """Return losses (n,) with 0 for entries that have no weight; refuse NaN and negative losses."""
    xp = library_of(values)
    if weight is not None:
        values = xp.where(weight > 0, values, xp.zeros_like(values))
    with np.errstate(invalid="ignore"):
        if values.shape[0] and not smallest(values) >= 0:
            row = first_true(~(values >= -rounding))
            if row is not None:
                raise_loss(float(values[row]), place(row))
            values = xp.where(values > 0, values, xp.zeros_like(values))
    return values


def check_weights(weight: Array, place: Place) -> None:
    """Require finite weights (n,), none negative."""
    if weight.shape[0] and not (smallest(weight) >= 0 and largest(weight) < np.inf):
        row = first_true(~((weight >= 0) & (weight < np.inf)))
        if row is not None:
            value = float(weight[row])
            raise ValueError(f"{place(row)} is {value}: weights are finite and not negative.")


def raise_loss(value: float, place: str) -> NoReturn:
    """Say why a number is not a loss."""
    if value != value:
        raise ValueError(f"{place} is nan: give it weight 0, or leave it out.")
    raise ValueError(
        f"{place} is {value:.6g}: a cross-entropy is not negative. Pass minus the logarithms of "
        "probabilities. Losses from densities, which may be negative, are not cross-entropies."
    )
