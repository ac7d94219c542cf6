"""Rows cut into blocks that stay in cache, mapped over threads, summed in a fixed order.

A **block** is a run of rows. It is small enough to stay in cache while it is used, so that a pass
reads X from memory once. It is large enough that threads seldom wait for the interpreter's lock,
which each call takes back at its end. (For two classes, two threads on blocks of two megabytes are
no faster than one thread; on blocks of eight megabytes they take two thirds of the time.) A
**segment** is a run of blocks for one thread, which adds up their results. How rows are cut depends
on the data only, never on the number of threads, and the results of segments are added in their
order. A sum therefore has the same bits on any number of threads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.sparse

from skxent.likelihood import tuning
from skxent.likelihood.sources.thread_limits import end_pool, new_pool

Matrix = Any  # an (n, d) NumPy array, or a SciPy CSR matrix, which has no types


class Blocks:
    """The rows of X, read block by block.

    Parameters
    ----------
    X : (n, d) array or CSR matrix
        It is never copied and never written to. Column indices of a row are sorted and distinct.
    offset : (d,) array or None
        Subtracted from a block as it is read (dense X only).
    n_outputs : int
        Logits of a sample, one or K.
    n_threads : int
        Threads among which segments are shared.
    """

    def __init__(
        self, X: Any, *, offset: np.ndarray | None = None, n_outputs: int, n_threads: int = 1
    ) -> None:
        self.sparse = scipy.sparse.issparse(X)
        self.X: Any = X if self.sparse else np.asarray(X)
        self.n_rows, self.n_features = X.shape
        self.offset = offset
        self._copied = not self.sparse and (offset is not None or self.X.dtype != np.float64)
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
            n_blocks = -(-n_blocks // 4) * 4  # as many blocks for every thread
        return -(-self.n_rows // max(n_blocks, 1))

    def segments(self, sum_size: int) -> list[list[slice]]:
        """Cut the blocks into segments whose results have `sum_size` numbers each."""
        if len(self.all) == 1:
            return [self.all]
        n = max(tuning.FEW_SEGMENTS, min(tuning.SEGMENTS, tuning.SEGMENT_SUMS // sum_size))
        n = min(n, len(self.all))
        edges = [len(self.all) * i // n for i in range(n + 1)]
        return [self.all[a:b] for a, b in pairwise(edges)]

    def read(self, rows: slice, buffer: np.ndarray | None) -> Any:
        """Return a block in float64, less the offset; `buffer` comes from `self.buffer`."""
        if self.n_rows == rows.stop - rows.start and self.sparse:
            return self.X
        if self.sparse:
            return _csr_rows(self.X, rows)
        if buffer is None:
            return self.X[rows]
        block = buffer[: rows.stop - rows.start]
        if self.offset is None:
            block[...] = self.X[rows]
            return block
        return np.subtract(self.X[rows], self.offset, out=block)

    def runs(self, segment: list[slice]) -> Iterator[slice]:
        """Runs of rows of a segment, each small enough for a copy, or a dense copy."""
        for rows in segment:
            step = self.run_rows
            for start in range(rows.start, rows.stop, step):
                yield slice(start, min(start + step, rows.stop))

    @property
    def run_rows(self) -> int:
        """Largest number of rows of a run; a single block is one run."""
        if len(self.all) == 1 and not self.sparse:
            return self.block_rows
        return min(max(tuning.RUN_ELEMENTS // self.n_features, tuning.LEAST_RUN), self.block_rows)

    def buffer(self) -> np.ndarray | None:
        """Space for `read`, one for each thread; None if blocks are not copied."""
        if not self._copied:
            return None
        return self.rows_space("block", self.block_rows, self.n_features)

    def space(self, key: Hashable, shape: tuple[int, ...]) -> np.ndarray:
        """Space that this thread keeps under a key.

        If the allocator returns memory to the system at once, new memory for each block would cost
        as much as reading the block.
        """
        kept: dict[Any, np.ndarray] = self._spaces.__dict__
        if key not in kept:
            kept[key] = np.empty(shape)
        return kept[key]

    def rows_space(self, key: Hashable, n: int, width: int) -> np.ndarray:
        """Space for rows, (n, width), in the memory order of X, which makes copies far faster."""
        if self.sparse or abs(self.X.strides[0]) >= abs(self.X.strides[1]):
            return self.space(key, (n, width))
        return self.space(key, (width, n)).T

    def map(self, function: Callable[[list[slice]], Any], sum_size: int = 1) -> list[Any]:
        """Apply `function` to every segment; the results are in the order of the segments."""
        segments = self.segments(sum_size)
        if self.n_threads == 1:
            return [function(segment) for segment in segments]
        if self._pool is None:
            self._pool = new_pool(self.n_threads)
        return list(self._pool.map(function, segments))

    def close(self) -> None:
        """End the threads, and free the space that they keep."""
        if self._pool is not None:
            end_pool(self._pool)
            self._pool = None
        self._spaces = threading.local()


def add(a: Any, b: Any) -> Any:
    """The sum of two sums, tuples of sums element by element."""
    if isinstance(a, tuple):
        return tuple(add(*pair) for pair in zip(a, b, strict=True))
    return a + b


def fit_one_block(n_rows: int, width: int, n_outputs: int) -> bool:
    """Whether dense rows are so few that they make one block."""
    return n_rows * (width + 2 * n_outputs) <= tuning.ONE_BLOCK_ELEMENTS


def product(a: np.ndarray, x: Any) -> np.ndarray:
    """The product a x of (k, m) and (m, d), without the interpreter's lock.

    `np.matmul` holds the lock if its result is small, however long it takes. A stack of products of
    parts of the rows is a large result.
    """
    if not isinstance(x, np.ndarray):
        result: np.ndarray = (_view(scipy.sparse.csc_array, x, x.indptr, x.shape[::-1]) @ a.T).T
        return result
    (k, m), d = a.shape, x.shape[1]
    n_parts = min(tuning.UNLOCKED_ELEMENTS // (k * d) + 1, m // tuning.UNLOCKED_ELEMENTS)
    if n_parts <= 1:
        return np.matmul(a, x)
    whole = m - m % n_parts
    parts = a[:, :whole].reshape(k, n_parts, -1).swapaxes(0, 1), x[:whole].reshape(n_parts, -1, d)
    total: np.ndarray = np.matmul(*parts).sum(axis=0)
    return total if whole == m else total + np.matmul(a[:, whole:], x[whole:])


def _csr_rows(X: Any, rows: slice) -> Any:
    """Some rows of a CSR matrix, as views of its values and indices."""
    first, last = X.indptr[rows.start], X.indptr[rows.stop]
    indptr = X.indptr[rows.start : rows.stop + 1] - first
    shape = rows.stop - rows.start, X.shape[1]
    return _view(scipy.sparse.csr_array, X, indptr, shape, slice(first, last))


def _view(kind: Any, X: Any, indptr: np.ndarray, shape: Any, entries: slice = slice(None)) -> Any:
    """A sparse matrix that shares entries of X.

    The entries are set after the construction: the constructor copies a view of less than half of
    an array. The flag tells SciPy that entries are sorted, so that it does not sort X.
    """
    x = kind(shape, dtype=X.dtype)
    x.data, x.indices, x.indptr = X.data[entries], X.indices[entries], indptr
    x.has_canonical_format = True
    return x
