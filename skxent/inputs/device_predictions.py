"""Blocks of predictions and of soft targets, each checked before its losses are computed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from skxent.inputs.errors import (
    raise_distribution,
    raise_logits,
    raise_nan_logit,
    raise_outcome,
)
from skxent.inputs.namespaces import first_true, library_of, to_numpy, widened
from skxent.inputs.targets import row_blocks

# Numbers in a block of rows, 8 MB: it bounds the work space, and is long enough for a device with
# thousands of threads; a processor's caches would like less.
BLOCK_SIZE = 1 << 20


def tolerance(array: Any) -> float:
    """Return how far from 1 a row of probabilities may sum: sqrt of the machine epsilon."""
    xp = library_of(array)
    is_float = xp.isdtype(array.dtype, "real floating")
    return math.sqrt((xp if is_float else np).finfo(array.dtype if is_float else np.float64).eps)


def is_hard(prediction: Any) -> bool:
    """Tell whether every entry of a prediction is exactly 0 or 1."""
    xp = library_of(prediction)
    blocks = (_block(prediction, rows) for rows in row_blocks(prediction.shape, BLOCK_SIZE))
    return all(bool(xp.all((block == 0.0) | (block == 1.0))) for block in blocks)


def _block(array: Any, rows: slice) -> Any:
    return widened(array[rows, ...])


def read_probabilities(P: Any, rows: slice, name: str = "y_pred", empty_rows: bool = False) -> Any:
    """Return a block of rows, each checked to be a distribution over classes."""
    block = _block(P, rows)
    _check_rows(block, tolerance(P), rows.start, name, empty_rows)
    return block


def read_log_probabilities(
    L: Any, rows: slice, name: str = "y_pred", empty_rows: bool = False
) -> Any:
    """Return a block of logarithms, each row checked to be that of a distribution."""
    block = _block(L, rows)
    _check_rows(library_of(L).exp(block), tolerance(L), rows.start, name, empty_rows)
    return block


def _check_rows(block: Any, limit: float, start: int, name: str, empty_rows: bool) -> None:
    xp = library_of(block)
    sums = xp.sum(block, axis=1)
    fine = xp.abs(sums - 1.0) <= limit
    if empty_rows:
        fine = fine | (sums == 0.0)
    if bool(xp.all(fine)) and float(xp.min(block)) >= 0.0:
        return
    row = first_true(~(fine & xp.all(block >= 0.0, axis=1)))
    if row is not None:
        raise_distribution(_row(block, row), start + row, limit, name)


def read_outcomes(p: Any, rows: slice, name: str = "y_pred") -> Any:
    """Return a block of probabilities of yes/no outcomes, each in [0, 1]."""
    block, limit = _block(p, rows), 1.0 + tolerance(p)
    row = _first_row(~((block >= 0.0) & (block <= limit)))
    if row is not None:
        values = _row(block, row)
        bad = values[~((values >= 0.0) & (values <= limit))]
        raise_outcome(bad[0], rows.start + row, name)
    return library_of(p).clip(block, 0.0, 1.0)


def read_logits(Z: Any, rows: slice, name: str = "y_pred") -> Any:
    """Return a block of rows of logits, each with a finite maximum and no NaN."""
    block, xp = _block(Z, rows), library_of(Z)
    top = xp.max(block, axis=1)
    row = first_true(~xp.isfinite(top))
    if row is not None:
        raise_logits(float(top[row]), rows.start + row, name)
    return block


def read_single_logits(z: Any, rows: slice, name: str = "y_pred") -> Any:
    """Return a block of logits of yes/no outcomes; infinite ones are certain."""
    block = _block(z, rows)
    row = _first_row(library_of(z).isnan(block))
    if row is not None:
        raise_nan_logit(rows.start + row, name)
    return block


def _first_row(mask: Any) -> int | None:
    """Return the first row with a True, or None."""
    return first_true(mask if mask.ndim == 1 else library_of(mask).any(mask, axis=1))


def _row(block: Any, row: int) -> Any:
    """Bring one row to the host."""
    return to_numpy(block[row : row + 1, ...]).astype(np.float64).ravel()
