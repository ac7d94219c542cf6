"""Many fits in a row take no more memory than a few."""

import gc
import os
import threading
import tracemalloc
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.exceptions import ConvergenceWarning

from skxent import SoftmaxClassifier, SoftmaxClassifierCV, infer

PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 0
STATM = "/proc/self/statm"


def resident():
    """Resident memory of this process, in bytes."""
    gc.collect()
    with open(STATM, encoding="ascii") as file:
        return int(file.read().split()[1]) * PAGE


def dense(rng):
    X = rng.normal(size=(100, 4))
    return SoftmaxClassifier(C=10.0).fit(X, rng.integers(0, 3, 100))


def threads(rng):
    X = rng.normal(size=(9000, 20)).astype(np.float32)
    return SoftmaxClassifier(n_jobs=2, max_iter=3).fit(X, rng.integers(0, 20, 9000))


def sparse(rng):
    X = sp.random_array((200, 50), density=0.1, format="csr", rng=rng)
    return SoftmaxClassifier().fit(X, rng.integers(0, 2, 200))


def wide(rng):
    return SoftmaxClassifier().fit(rng.normal(size=(30, 100)), rng.integers(0, 2, 30))


def selection(rng):
    X = rng.normal(size=(60, 3))
    return SoftmaxClassifierCV(Cs=[1.0]).fit(X, rng.integers(0, 2, 60))


def inference(rng):
    X, y = rng.normal(size=(100, 3)), rng.integers(0, 2, 100)
    return infer(SoftmaxClassifier(C=np.inf).fit(X, y), X, y)


def failing(rng):
    with pytest.raises(ValueError, match="X"):
        SoftmaxClassifier().fit(np.full((1000, 50), np.nan), rng.integers(0, 2, 1000))


@pytest.mark.skipif(not os.path.exists(STATM), reason="no figure for resident memory")
@pytest.mark.parametrize("n", [50, pytest.param(10_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "kind", [dense, threads, sparse, wide, selection, inference, failing], ids=lambda f: f.__name__
)
@pytest.mark.thinned(50)
def test_memory_does_not_grow(kind, n):
    """What is kept grows in each of five rounds; what is used again does not.

    Memory of NumPy and Python is counted exactly, that of libraries as far as pages show it.
    """
    total = n
    if kind is threads:
        n //= 10
    elif kind is not dense:
        n //= 5
    rng, n_threads = np.random.default_rng(0), threading.active_count()
    figures = []
    tracemalloc.start()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            for _ in range(6):
                for _ in range(n // 5):
                    kind(rng)
                pages = resident()
                figures.append((tracemalloc.get_traced_memory()[0], pages))
    finally:
        tracemalloc.stop()
    counted, pages = np.diff(figures, axis=0).min(axis=0)
    assert counted < min(1e4, 100 * total)
    assert pages < 1e6
    assert threading.active_count() == n_threads


@pytest.mark.skipif(not os.path.exists(STATM), reason="no figure for resident memory")
def test_growth_would_be_seen():
    kept = []
    with pytest.raises(AssertionError, match="5000"):
        test_memory_does_not_grow(lambda rng: kept.append(rng.normal(size=2000)), 50)
