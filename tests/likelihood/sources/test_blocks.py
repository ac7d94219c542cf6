"""Blocks: how rows are cut, threads, order of sums, the limit on BLAS threads."""

import threading

import numpy as np
import pytest
import scipy.sparse
from threadpoolctl import threadpool_info, threadpool_limits

from skxent.likelihood.sources.blocks import Blocks
from skxent.likelihood.sources.thread_limits import effective_threads, one_blas_thread

SHAPES = [(1, 1, 1), (63, 3, 1), (10_000, 3, 1), (70_001, 40, 5), (300, 3000, 20), (9, 4, 1000)]


def blas_threads():
    return [lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"]


def rows_of(blocks, sum_size=1):
    return [rows for segment in blocks.segments(sum_size) for rows in segment]


@pytest.mark.parametrize("n, d, R", SHAPES)
@pytest.mark.parametrize("sparse", [False, True])
def test_every_row_is_in_one_block(n, d, R, sparse):
    X = scipy.sparse.csr_array((n, d)) if sparse else np.broadcast_to(0.0, (n, d))
    blocks = Blocks(X, n_outputs=R)
    rows = rows_of(blocks)
    assert rows_of(blocks, 10**9) == rows
    assert [r.start for r in rows] == [0, *(r.stop for r in rows[:-1])]
    assert rows[-1].stop == n
    assert all(0 < r.stop - r.start <= blocks.block_rows for r in rows)


def test_the_cut_does_not_depend_on_threads():
    X = np.zeros((300_001, 40))
    cuts = [Blocks(X, n_outputs=5, n_threads=t).segments(200) for t in (1, 2, 7)]
    assert cuts[0] == cuts[1] == cuts[2]
    assert len(cuts[0]) > 4  # otherwise this shows nothing


def test_read_dense_gives_views():
    X = np.random.default_rng(0).normal(size=(50, 3))
    blocks = Blocks(X, n_outputs=1)
    x = blocks.read(slice(10, 20), blocks.buffer())
    assert np.shares_memory(x, X)
    np.testing.assert_array_equal(x, X[10:20])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_read_less_a_centre_in_float64(dtype):
    X = np.random.default_rng(0).normal(size=(50, 3)).astype(dtype)
    before = X.copy()
    centre = np.array([1e9, 0.1, -3])
    blocks = Blocks(X, centre=centre, n_outputs=1)
    x = blocks.read(slice(10, 20), blocks.buffer())
    assert x.dtype == np.float64
    np.testing.assert_array_equal(x, X[10:20].astype(np.float64) - centre)
    np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize("index", [np.int32, np.int64])
def test_read_sparse(index):
    dense = np.random.default_rng(0).poisson(0.3, size=(60, 7)).astype(float)
    X = scipy.sparse.csr_array(dense)
    X.indices, X.indptr = X.indices.astype(index), X.indptr.astype(index)
    blocks = Blocks(X, n_outputs=2)
    for rows in (slice(0, 60), slice(13, 40), slice(59, 60)):
        x = blocks.read(rows, None)
        np.testing.assert_array_equal(x.toarray(), dense[rows])
        assert x.indices.dtype == index


@pytest.mark.parametrize("n_threads", [1, 3])
def test_map_keeps_the_order_of_segments(n_threads):
    blocks = Blocks(np.zeros((70_001, 40)), n_outputs=5, n_threads=n_threads)
    # the first segments finish last
    gate = threading.Event()

    def first_row(segment):
        if segment[0].start == 0 and n_threads > 1:
            assert gate.wait(timeout=10)
        else:
            gate.set()
        return segment[0].start

    starts = blocks.map(first_row)
    blocks.close()
    assert len(starts) > 2
    assert starts == sorted(starts)


@pytest.mark.parametrize("n_threads", [1, 3])
def test_an_error_in_a_block_gets_out_and_leaves_nothing(n_threads):
    blocks = Blocks(np.zeros((70_001, 40)), n_outputs=5, n_threads=n_threads)
    threads, limits = threading.active_count(), blas_threads()

    def fail(segment):
        raise KeyError(segment[0].start)

    with pytest.raises(KeyError, match=r"^0$"):
        blocks.map(fail)
    blocks.close()
    assert threading.active_count() == threads
    assert blas_threads() == limits


def test_one_blas_thread_gives_the_limit_back():
    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        with one_blas_thread():
            assert set(blas_threads()) == {1}
            with one_blas_thread():
                pass
            assert set(blas_threads()) == {1}
        assert blas_threads() == before


def test_two_users_leave_in_any_order():
    """A enters, B enters, A leaves, B leaves: each restoring what it found would end at 1."""
    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        a, b = one_blas_thread(), one_blas_thread()
        a.__enter__()
        b.__enter__()
        a.__exit__(None, None, None)
        assert set(blas_threads()) == {1}
        b.__exit__(None, None, None)
        assert blas_threads() == before


def test_effective_threads_respects_limits():
    assert effective_threads(3) == 3
    assert effective_threads(-1) >= 1
    with threadpool_limits(2, user_api="blas"):
        expected = max(blas_threads())
        assert effective_threads(None) == expected
        # beside another fit it is a share of what was there before that fit
        with one_blas_thread():
            assert effective_threads(None) == max(1, expected // 2)
    with threadpool_limits(1, user_api="blas"):
        assert effective_threads(None) == 1
