"""Blocks of predictions and of soft targets, checked one by one while they are in cache.

A large array is never checked as a whole. Each reader takes an array of any library and a slice of
its rows. The reader returns these rows in float64 (float32 on a device without float64) after it
has checked them. The error of a bad value names the argument and the first bad row.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from types import ModuleType

import numpy as np

from skxent.inputs.errors import (
    raise_distribution,
    raise_logits,
    raise_nan_logit,
    raise_outcome,
)
from skxent.inputs.namespaces import (
    A,
    Array,
    Floats,
    dtype_kind,
    first_true,
    largest,
    library_of,
    smallest,
    to_numpy,
    widened,
)

# Numbers in a block of rows: 256 kB, so that a block and its temporaries stay in the L2 cache.
BLOCK_SIZE = 1 << 15
# Numbers in a block of rows on a device, 8 MB: enough to occupy thousands of threads, while the
# work space stays bounded.
DEVICE_BLOCK_SIZE = 1 << 20


def row_blocks(shape: tuple[int, ...], size: int = BLOCK_SIZE) -> Iterator[slice]:
    """Cut the rows of an array into slices of about `size` numbers."""
    n, width = shape[0], math.prod(shape[1:])
    step = max(1, size // max(1, width))
    return (slice(start, min(start + step, n)) for start in range(0, n, step))


def blocks_of(array: Array) -> Iterator[slice]:
    """Cut the rows of an array into slices whose size suits the memory that holds the array."""
    on_host = isinstance(array, np.ndarray)
    return row_blocks(array.shape, BLOCK_SIZE if on_host else DEVICE_BLOCK_SIZE)


def check_distributions(array: Array, name: str) -> None:
    """Require every row of an (n, K) array to be a distribution over classes."""
    for rows in blocks_of(array):
        read_probabilities(array, rows, name)


def tolerance(array: Array) -> float:
    """Return how far from 1 the sum of a row may be: sqrt of the machine epsilon of its dtype."""
    if dtype_kind(array) != "f":
        return _root_of_epsilon(np, np.float64)
    return _root_of_epsilon(library_of(array), array.dtype)


@cache
def _root_of_epsilon(xp: ModuleType, dtype: object) -> float:
    return math.sqrt(float(xp.finfo(dtype).eps))


def _block(array: A, rows: slice) -> A:
    if isinstance(array, np.ndarray):
        return np.ascontiguousarray(array[rows], dtype=np.float64)
    return widened(array[rows, ...])


def read_probabilities(P: A, rows: slice, name: str = "y_pred", empty_rows: bool = False) -> A:
    """Return a block of rows, each a distribution over classes.

    `empty_rows` also allows rows of zeros.
    """
    block = _block(P, rows)
    _check_rows(block, tolerance(P), rows.start, name, empty_rows)
    return block


def read_log_probabilities(L: A, rows: slice, name: str = "y_pred", empty_rows: bool = False) -> A:
    """Return a block of rows, each the logarithms of a distribution over classes."""
    block = _block(L, rows)
    _check_rows(library_of(L).exp(block), tolerance(L), rows.start, name, empty_rows)
    return block


def _check_rows(block: Array, limit: float, start: int, name: str, empty_rows: bool) -> None:
    """Raise for the first row that is not a distribution.

    The row sums reveal NaN and infinity. Where no value is negative and no sum exceeds 1, no value
    exceeds 1. Two sweeps over the block therefore check everything.
    """
    xp = library_of(block)
    with np.errstate(invalid="ignore", over="ignore"):
        if isinstance(block, np.ndarray):
            sums = block @ np.ones(block.shape[1])  # NumPy's fastest sum of rows
        else:
            sums = xp.sum(block, axis=1)
    off = xp.abs(sums - 1.0)
    if empty_rows:
        off = xp.where(sums == 0.0, xp.zeros_like(off), off)
    if largest(off) <= limit and smallest(block) >= 0.0:
        return
    row = first_true(~(off <= limit) | xp.any(block < 0.0, axis=1))
    if row is not None:
        raise_distribution(_row(block, row), start + row, limit, name)


def read_outcomes(p: A, rows: slice, name: str = "y_pred") -> A:
    """Return a block of probabilities of yes/no outcomes, each in [0, 1]."""
    block, xp, limit = _block(p, rows), library_of(p), 1.0 + tolerance(p)
    if not (smallest(block) >= 0.0 and largest(block) <= limit):
        row = _first_row(~((block >= 0.0) & (block <= limit)))
        if row is not None:
            values = _row(block, row)
            bad = values[~((values >= 0.0) & (values <= limit))]
            raise_outcome(bad[0], rows.start + row, name)
    if isinstance(block, np.ndarray):
        return np.minimum(block, 1.0)
    return xp.clip(block, 0.0, 1.0)


def read_outcomes_as_rows(p: A, rows: slice, name: str = "y_pred") -> A:
    """Return a block of probabilities of yes, (m,), as rows of two columns: no, then yes."""
    yes = read_outcomes(p, rows, name)
    return library_of(yes).stack([1.0 - yes, yes], axis=1)


def read_logits(Z: A, rows: slice, name: str = "y_pred") -> A:
    """Return a block of rows of logits, each with a finite maximum and without NaN."""
    block, xp = _block(Z, rows), library_of(Z)
    if largest(block) < np.inf and smallest(block) > -np.inf:
        return block
    top = xp.max(block, axis=1)
    row = first_true(~xp.isfinite(top))
    if row is not None:
        raise_logits(float(top[row]), rows.start + row, name)
    return block


def read_single_logits(z: A, rows: slice, name: str = "y_pred") -> A:
    """Return a block of logits of yes/no outcomes; an infinite logit is a certain outcome."""
    block, xp = _block(z, rows), library_of(z)
    if math.isnan(smallest(block)):
        row = _first_row(xp.isnan(block))
        if row is not None:
            raise_nan_logit(rows.start + row, name)
    return block


def _first_row(mask: Array) -> int | None:
    """Return the first row with a True, or None."""
    return first_true(mask if mask.ndim == 1 else library_of(mask).any(mask, axis=1))


def _row(block: Array, row: int) -> Floats:
    """Return one row as a NumPy array."""
    return to_numpy(block[row : row + 1, ...]).astype(np.float64).ravel()
