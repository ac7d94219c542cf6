"""Rows cut into blocks that stay in cache, mapped over threads, summed in a fixed order.

A **block** is a run of rows small enough that everything done with it happens in cache, so that one
pass reads X from memory once; and large enough that threads seldom wait for the interpreter's lock,
which each call wants back when it is done. (Two threads on blocks of two megabytes are no faster
than one where there are two classes; on blocks of eight they take two thirds of its time.) A
**segment** is a run of blocks that one thread works through; its results are added up as it goes.
How rows are cut depends on the data alone, never on the number of threads, and the segments'
results are added in their order, so a sum has the same bits on any number of threads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.sparse

from skxent.likelihood.sources.thread_limits import end_pool, new_pool

Matrix = Any  # an (n, d) NumPy array, or a SciPy CSR matrix, which has no types

BLOCK_ELEMENTS = 1 << 20  # rows and logits of one block: eight megabytes of float64
RUN_ELEMENTS = 1 << 18  # of a run of rows, of which there may be two copies
LEAST_RUN = 512  # rows of one
ALONE = 1 << 19  # elements up to which one block is all: four megabytes
SPARSE_LOGITS = 1 << 20  # a sparse product writes d x K numbers, so its blocks are larger
SPARSE_ENTRIES = 1 << 21  # and float32 is copied to float64 in it
UNLOCKED = 500  # elements of a result above which NumPy lets go of the interpreter's lock
EVEN = 16  # blocks below which a last odd one would keep threads waiting
SEGMENTS = 64  # enough to keep many threads busy
FEW_SEGMENTS = 4  # however large their sums
SEGMENT_SUMS = 1 << 23  # elements that the sums of more segments than that have together


class Blocks:
    """The rows of X, read block by block.

    Parameters
    ----------
    X : (n, d) array or CSR matrix
        Never copied, never written to. Indices of a row are sorted and differ.
    offset : (d,) array or None
        Subtracted from a block as it is read (dense X only).
    n_outputs : int
        Rows of logits that go with a sample, one or K.
    n_threads : int
        Threads that share the segments.
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
        # scipy.sparse holds the interpreter lock in its products: threads gain nothing there.
        self.n_threads = 1 if self.sparse else min(n_threads, len(self.all))
        self._pool: ThreadPoolExecutor | None = None
        self._spaces = threading.local()

    def _rows_of_a_block(self) -> int:
        if self.sparse:
            rows = SPARSE_ENTRIES * self.n_rows // max(self.X.nnz, 1)
            rows = max(min(SPARSE_LOGITS // self.n_outputs, rows), 4 * self.n_features)
        elif fit_one_block(self.n_rows, self.n_features, self.n_outputs):
            return self.n_rows
        else:
            elements = BLOCK_ELEMENTS // 2 if self._copied else BLOCK_ELEMENTS
            rows = max(elements // (self.n_features + 2 * self.n_outputs), 64)
        n_blocks = -(-self.n_rows // rows)
        if not self.sparse and n_blocks < EVEN:
            n_blocks = -(-n_blocks // 4) * 4  # few blocks, as many for every thread
        return -(-self.n_rows // max(n_blocks, 1))

    def segments(self, sum_size: int) -> list[list[slice]]:
        """Cut the blocks into segments whose results have `sum_size` elements each."""
        if len(self.all) == 1:
            return [self.all]
        n = max(FEW_SEGMENTS, min(SEGMENTS, SEGMENT_SUMS // sum_size))
        n = min(n, len(self.all))
        edges = [len(self.all) * i // n for i in range(n + 1)]
        return [self.all[a:b] for a, b in pairwise(edges)]

    def read(self, rows: slice, buffer: np.ndarray | None) -> Any:
        """Return a block in float64 and less the offset; `buffer` is what `self.buffer` gave."""
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
        """Blocks of a segment, cut to what may be copied for a moment, and dense if it is not."""
        for rows in segment:
            step = self.run_rows
            for start in range(rows.start, rows.stop, step):
                yield slice(start, min(start + step, rows.stop))

    @property
    def run_rows(self) -> int:
        """Rows of a run, at most; a block that is alone is one."""
        if len(self.all) == 1 and not self.sparse:
            return self.block_rows
        return min(max(RUN_ELEMENTS // self.n_features, LEAST_RUN), self.block_rows)

    def buffer(self) -> np.ndarray | None:
        """Space for `read`, one for every thread at work."""
        if not self._copied:
            return None
        return self.rows_space("block", self.block_rows, self.n_features)

    def space(self, key: Hashable, shape: tuple[int, ...]) -> np.ndarray:
        """Space that this thread keeps, by a key of its own for each.

        Memory that is new for each block or segment costs as much as the reading, where the process
        gives back at once what it does not use.
        """
        kept: dict[Any, np.ndarray] = self._spaces.__dict__
        if key not in kept:
            kept[key] = np.empty(shape)
        return kept[key]

    def rows_space(self, key: Hashable, n: int, width: int) -> np.ndarray:
        """Such space for rows, (n, width), in the order of X: copies are far faster that way."""
        if self.sparse or abs(self.X.strides[0]) >= abs(self.X.strides[1]):
            return self.space(key, (n, width))
        return self.space(key, (width, n)).T

    def map(self, function: Callable[[list[slice]], Any], sum_size: int = 1) -> list[Any]:
        """Apply `function` to every segment; results in the order of the segments."""
        segments = self.segments(sum_size)
        if self.n_threads == 1:
            return [function(segment) for segment in segments]
        if self._pool is None:
            self._pool = new_pool(self.n_threads)
        return list(self._pool.map(function, segments))

    def close(self) -> None:
        """End the threads."""
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
    """Whether dense rows are so few that cutting them would gain nothing."""
    return n_rows * (width + 2 * n_outputs) <= ALONE


def product(a: np.ndarray, x: Any) -> np.ndarray:
    """Sums over the rows of a block, a x of (k, m) and (m, d), while other threads go on.

    `np.matmul` holds the interpreter's lock where its result is small, however long it takes. A
    stack of products of some of the rows each is not small.
    """
    if not isinstance(x, np.ndarray):
        result: np.ndarray = (_view(scipy.sparse.csc_array, x, x.indptr, x.shape[::-1]) @ a.T).T
        return result
    (k, m), d = a.shape, x.shape[1]
    n_parts = min(UNLOCKED // (k * d) + 1, m // UNLOCKED)
    if n_parts <= 1:
        return np.matmul(a, x)
    whole = m - m % n_parts
    parts = a[:, :whole].reshape(k, n_parts, -1).swapaxes(0, 1), x[:whole].reshape(n_parts, -1, d)
    total: np.ndarray = np.matmul(*parts).sum(axis=0)
    return total if whole == m else total + np.matmul(a[:, whole:], x[whole:])


def _csr_rows(X: Any, rows: slice) -> Any:
    """Some rows of a CSR matrix, whose values and indices are views."""
    first, last = X.indptr[rows.start], X.indptr[rows.stop]
    indptr = X.indptr[rows.start : rows.stop + 1] - first
    shape = rows.stop - rows.start, X.shape[1]
    return _view(scipy.sparse.csr_array, X, indptr, shape, slice(first, last))


def _view(kind: Any, X: Any, indptr: np.ndarray, shape: Any, entries: slice = slice(None)) -> Any:
    """A sparse matrix that shares entries of X.

    Past the constructor, which copies what is less than half of the array that it is a view of. Nor
    must SciPy sort entries where it shares memory with X: they are sorted.
    """
    x = kind(shape, dtype=X.dtype)
    x.data, x.indices, x.indptr = X.data[entries], X.indices[entries], indptr
    x.has_canonical_format = True
    return x
