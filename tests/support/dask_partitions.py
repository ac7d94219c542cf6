"""Samples in the partitions of Dask arrays, and the same samples in memory."""

import numpy as np
import pytest
import scipy.sparse

da = pytest.importorskip("dask.array")

# Warnings of distributed itself, from its threads and at its end; looked at on 2026-11-25.
CLUSTER_WARNINGS = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


CHUNKS = (7000, 0, 13_000, 1, 19_999)  # unequal, empty, of one sample
N = sum(CHUNKS)


def samples(K, sparse=False, d=6, n=N):
    """X, y and weights; labels are sorted, so that partitions lack classes."""
    rng = np.random.default_rng(K)
    X = rng.normal(size=(n, d)) * np.logspace(-2, 2, d)
    if sparse:
        X *= rng.random(X.shape) < 0.3
    Z = X @ (rng.normal(size=(d, K)) / np.logspace(-2, 2, d)[:, None])
    y = (Z + rng.gumbel(size=Z.shape)).argmax(axis=1)
    order = np.argsort(y, kind="stable")
    order[: n // 2] = rng.permutation(order[: n // 2])
    return X[order], y[order], rng.uniform(0, 2, size=n)


def collections(X, y, weight, sparse=False, chunks=CHUNKS):
    arrays = [da.from_array(a, chunks=(chunks, *a.shape[1:])) for a in (X, y, weight)]
    if sparse:
        arrays[0] = arrays[0].map_blocks(scipy.sparse.csr_array)
    return arrays


def assert_same(one, two, X):
    assert one.objective_ == pytest.approx(two.objective_, rel=1e-9)
    scale = X.std(axis=0)
    np.testing.assert_allclose(one.coef_ * scale, two.coef_ * scale, atol=1e-6)
    np.testing.assert_array_equal(one.classes_, two.classes_)
