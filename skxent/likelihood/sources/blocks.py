"""Blocks of rows that fit in cache, processed by threads, with sums in a fixed order.

A **block** is a slice of consecutive rows. It is small enough to stay in cache while it is used, so
that a pass reads X from memory only once. It is large enough that threads seldom wait for the
interpreter's lock, which every NumPy call takes again when it ends. (For two classes, two threads
on blocks of two megabytes are no faster than one thread; on blocks of eight megabytes they take two
thirds of the time.) A **segment** is a list of consecutive blocks; one thread processes it and adds
up the results. A **run** is a part of a block, small enough for a dense copy. How rows are cut
depends on the data only, not on the number of threads, and results of segments are added in their
order. A sum is therefore bitwise equal for every number of threads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.sparse

from skxent.likelihood import tuning
from skxent.likelihood.sources.thread_limits import end_pool, new_pool

Matrix = Any  # an (n, d) NumPy array, or a SciPy CSR matrix, which has no types
Float = type[np.float64] | type[np.float32]

# Largest number of multiplications of a product that may hold the interpreter's lock: they take
# some ten microseconds, less than it takes to divide the rows.
LOCKED_OPERATIONS = 1 << 17


class Blocks:
    """The rows of X, read block by block.

    Parameters
    ----------
    X : (n, d) array or CSR matrix
        X is neither copied nor written to. Column indices in a row of a CSR matrix must be sorted
        and distinct.
    centre : (d,) array or None
        Subtracted from a block as it is read (dense X only).
    n_outputs : int
        Number of logits of a sample, one or K.
    n_threads : int
        Number of threads that process segments.
    dtype : type
        The floats that a dense block is read in, float64 or float32.
    """

    def __init__(
        self,
        X: Matrix,
        *,
        centre: np.ndarray | None = None,
        n_outputs: int,
        n_threads: int = 1,
        dtype: Float = np.float64,
    ) -> None:
        self.sparse = scipy.sparse.issparse(X)
        self.X: Matrix = X if self.sparse else np.asarray(X)
        self.n_rows, self.n_features = X.shape
        self.centre = None if centre is None else centre.astype(dtype, copy=False)
        self.dtype = dtype
        self._copied = not self.sparse and (centre is not None or self.X.dtype != dtype)
        self.n_outputs = n_outputs
        self.block_rows = self._rows_of_a_block()
        starts = range(0, self.n_rows, self.block_rows)
        self.all = [slice(a, min(a + self.block_rows, self.n_rows)) for a in starts]
        # scipy.sparse holds the interpreter's lock during its products, so that threads gain
        # nothing.
        self.n_threads = 1 if self.sparse else min(n_threads, len(self.all))
        self._pool: ThreadPoolExecutor | None = None
        self._spaces = threading.local()

    def _rows_of_a_block(self) -> int:
        if self.sparse:
            rows = tuning.SPARSE_BLOCK_ENTRIES * self.n_rows // max(self.X.nnz, 1)
            rows = max(min(tuning.SPARSE_BLOCK_LOGITS // self.n_outputs, rows), 4 * self.n_features)
        elif fit_one_block(self.n_rows, self.n_features, self.n_outputs):
            return self.n_rows
        else:
            elements = tuning.BLOCK_ELEMENTS // 2 if self._copied else tuning.BLOCK_ELEMENTS
            rows = max(elements // (self.n_features + 2 * self.n_outputs), 64)
        n_blocks = -(-self.n_rows // rows)
        if not self.sparse and n_blocks < tuning.EVEN_BLOCKS:
            n_blocks = -(-n_blocks // 4) * 4  # 1, 2 or 4 threads get equally many blocks
        return -(-self.n_rows // max(n_blocks, 1))

    def segments(self, sum_size: int) -> list[list[slice]]:
        """Divide the blocks into segments; with a large result (`sum_size` numbers), into fewer."""
        if len(self.all) == 1:
            return [self.all]
        n = max(tuning.FEW_SEGMENTS, min(tuning.SEGMENTS, tuning.SEGMENT_SUMS // sum_size))
        n = min(n, len(self.all))
        edges = [len(self.all) * i // n for i in range(n + 1)]
        return [self.all[a:b] for a, b in pairwise(edges)]

    def read(self, rows: slice, buffer: np.ndarray | None) -> Matrix:
        """Return a block in `dtype`, less the centre; `buffer` comes from `self.buffer`."""
        if self.n_rows == rows.stop - rows.start and self.sparse:
            return self.X
        if self.sparse:
            return _csr_rows(self.X, rows)
        if buffer is None:
            return self.X[rows]
        block = buffer[: rows.stop - rows.start]
        if self.centre is None:
            block[...] = self.X[rows]
            return block
        return np.subtract(self.X[rows], self.centre, out=block)

    def runs(self, segment: list[slice]) -> Iterator[slice]:
        """Slices of the rows of a segment, each small enough for a (dense) copy.

        The slices of a block have about the same size.
        """
        for rows in segment:
            n_rows = rows.stop - rows.start
            step = -(-n_rows // -(-n_rows // self.run_rows))
            for start in range(rows.start, rows.stop, step):
                yield slice(start, min(start + step, rows.stop))

    @property
    def run_rows(self) -> int:
        """Largest number of rows in a run; if dense X is a single block, all rows are one run."""
        if len(self.all) == 1 and not self.sparse:
            return self.block_rows
        return min(max(tuning.RUN_ELEMENTS // self.n_features, tuning.LEAST_RUN), self.block_rows)

    def buffer(self) -> np.ndarray | None:
        """Scratch array of this thread for `read`; None if blocks are not copied."""
        if not self._copied:
            return None
        return self.rows_space("block", self.block_rows, self.n_features)

    def space(self, key: Hashable, shape: tuple[int, ...]) -> np.ndarray:
        """Scratch array of this thread, kept under `key` and reused for every block.

        Some allocators return freed memory to the system at once. Allocating a new array for each
        block would then take as long as reading the block.
        """
        kept: dict[Any, np.ndarray] = self._spaces.__dict__
        if key not in kept:
            kept[key] = np.empty(shape, self.dtype)
        return kept[key]

    @property
    def by_column(self) -> bool:
        """Whether X is dense and the entries of a column are next to each other in memory."""
        return not self.sparse and abs(self.X.strides[0]) < abs(self.X.strides[1])

    def rows_space(self, key: Hashable, n: int, width: int) -> np.ndarray:
        """Scratch array (n, width) in the memory order of X, into which rows are copied faster."""
        return self.space(key, (width, n)).T if self.by_column else self.space(key, (n, width))

    def map(self, function: Callable[[list[slice]], Any], sum_size: int = 1) -> list[Any]:
        """Apply `function` to every segment; the results are in the order of the segments."""
        segments = self.segments(sum_size)
        if self.n_threads == 1:
            return [function(segment) for segment in segments]
        if self._pool is None:
            self._pool = new_pool(self.n_threads)
        return list(self._pool.map(function, segments))

    def close(self) -> None:
        """End the threads, and free their scratch arrays."""
        if self._pool is not None:
            end_pool(self._pool)
            self._pool = None
        self._spaces = threading.local()


def add(a: Any, b: Any) -> Any:
    """Return a + b; tuples are added element by element."""
    if isinstance(a, tuple):
        return tuple(add(*pair) for pair in zip(a, b, strict=True))
    return a + b


def fit_one_block(n_rows: int, width: int, n_outputs: int) -> bool:
    """Whether dense rows of this width are few enough to be one block."""
    return n_rows * (width + 2 * n_outputs) <= tuning.ONE_BLOCK_ELEMENTS


def write_logits(W: np.ndarray, x: Matrix, intercept: np.ndarray | None, out: np.ndarray) -> None:
    """Write the class-major logits W x + intercept of a block to `out`, (R, m)."""
    shift = 0.0 if intercept is None else intercept[:, None]
    if not isinstance(x, np.ndarray):
        np.add((x @ W.T).T, shift, out=out)
        return
    if out.dtype == np.float32 and len(W) > 1:
        # For a few rows of W, the product in this order takes half the time in float32.
        out[...] = np.matmul(x, W.T).T
    else:
        np.matmul(W, x.T, out=out)
    if intercept is not None:
        out += shift


def add_outer(total: np.ndarray, R: np.ndarray, x: Matrix) -> None:
    """Add the sum over samples of r x'; if x has no column of ones, add it for the intercept."""
    total[:, : x.shape[1]] += product(R, x)
    if x.shape[1] < total.shape[1]:
        total[:, -1] += R.sum(axis=1, dtype=total.dtype)


def in_order(terms: Iterable[np.ndarray]) -> np.ndarray:
    """Sum of arrays in the given order, so that the result is bitwise reproducible."""
    total = None
    for term in terms:
        total = term if total is None else np.add(total, term, out=total)
    assert total is not None
    return total


def product(a: np.ndarray, x: Matrix) -> np.ndarray:
    """Matrix product of a (k, m) and x (m, d), computed without holding the interpreter's lock.

    `np.matmul` holds the lock if its result is small, however long it takes. Unless x is small, its
    rows are therefore divided into parts, whose products are stacked into one large result and then
    added.
    """
    if not isinstance(x, np.ndarray):
        result: np.ndarray = (view(scipy.sparse.csc_array, x, x.indptr, x.shape[::-1]) @ a.T).T
        return result
    if a.shape[0] * x.size <= LOCKED_OPERATIONS:
        return np.matmul(a, x)
    (k, m), d = a.shape, x.shape[1]
    n_parts = min(tuning.UNLOCKED_ELEMENTS // (k * d) + 1, m // tuning.UNLOCKED_ELEMENTS)
    if n_parts <= 1:
        return np.matmul(a, x)
    whole = m - m % n_parts
    parts = a[:, :whole].reshape(k, n_parts, -1).swapaxes(0, 1), x[:whole].reshape(n_parts, -1, d)
    total: np.ndarray = np.matmul(*parts).sum(axis=0)
    return total if whole == m else total + np.matmul(a[:, whole:], x[whole:])


def _csr_rows(X: Matrix, rows: slice) -> Matrix:
    """CSR matrix of the given rows, which shares the values and indices of X."""
    first, last = X.indptr[rows.start], X.indptr[rows.stop]
    indptr = X.indptr[rows.start : rows.stop + 1] - first
    shape = rows.stop - rows.start, X.shape[1]
    return view(scipy.sparse.csr_array, X, indptr, shape, slice(first, last))


def view(
    kind: type, X: Matrix, indptr: np.ndarray, shape: tuple[int, int], entries: slice = slice(None)
) -> Matrix:
    """A sparse matrix that shares entries of X.

    The entries are assigned after construction, because the constructor copies an array that is a
    view of less than half of another one. The flag tells SciPy that the entries are sorted;
    otherwise SciPy would sort them, and thereby change X.
    """
    x = kind(shape, dtype=X.dtype)
    x.data, x.indices, x.indptr = X.data[entries], X.indices[entries], indptr
    x.has_canonical_format = True
    return x
