"""Threads and memory: many fits at once, what is left behind, what is copied."""

import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import scipy.sparse as sp
from threadpoolctl import threadpool_info, threadpool_limits

from skxent import SoftmaxClassifier


def blas_threads():
    return [lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"]


@pytest.fixture(scope="module")
def large(generate):
    """Enough rows for several segments."""
    return generate(40_000, 10, 3)


@pytest.mark.parametrize("C", [1.0, np.inf])
def test_bits_do_not_depend_on_n_jobs(large, C):
    fits = [SoftmaxClassifier(C=C, n_jobs=n).fit(*large) for n in (1, 2, 4, -1)]
    for clf in fits[1:]:
        assert np.array_equal(clf.coef_, fits[0].coef_)
        assert np.array_equal(clf.intercept_, fits[0].intercept_)
        assert clf.objective_ == fits[0].objective_
        assert clf.n_passes_ == fits[0].n_passes_


def test_bits_do_not_depend_on_blas_limits(large):
    coefs = []
    for limit in (1, 2):
        with threadpool_limits(limit, user_api="blas"):
            coefs.append(SoftmaxClassifier().fit(*large).coef_)
    assert np.array_equal(*coefs)


def test_fits_in_several_threads(generate):
    """All right, limits as before, though the fits begin and end in any order."""
    problems = [generate(n, 8, K, seed=n) for n in (300, 60_000) for K in (2, 3, 4)]
    alone = [SoftmaxClassifier().fit(*problem).coef_ for problem in problems]
    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        with ThreadPoolExecutor(4) as pool:
            fits = list(pool.map(lambda p: SoftmaxClassifier(n_jobs=2).fit(*p), problems * 3))
        assert blas_threads() == before
    for clf, coef in zip(fits, alone * 3, strict=True):
        # not the same bits: threadpoolctl lets one thread set the limits of OpenBLAS, and the fits
        # of others run with two threads of BLAS each
        np.testing.assert_allclose(clf.coef_, coef, rtol=1e-12, atol=1e-13)


def test_nothing_is_left_behind(large):
    before, limits = threading.active_count(), blas_threads()
    SoftmaxClassifier(n_jobs=4).fit(*large)
    assert threading.active_count() == before
    assert blas_threads() == limits


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_nothing_is_left_behind_by_an_error(large, error, monkeypatch):
    """An interrupt in the middle of a fit, as from the user's keyboard."""

    class Interrupted(SoftmaxClassifier):
        def _report(self, *arguments):
            def report(coef, intercept, value):
                raise error("now")

            return report

    with threadpool_limits(2, user_api="blas"):
        before, limits = threading.active_count(), blas_threads()
        clf = Interrupted(n_jobs=2)
        with pytest.raises(error, match="now"):
            clf.fit(*large)
        assert threading.active_count() == before
        assert blas_threads() == limits
    assert not hasattr(clf, "coef_")
    assert not hasattr(clf, "n_features_in_")


def peak_of_fit(X, y, **settings):
    """Peak of the memory that a fit takes beyond its input, in bytes."""
    SoftmaxClassifier(n_jobs=1, **settings).fit(X[:200], y[:200])  # what is imported once
    tracemalloc.start()
    clf = SoftmaxClassifier(n_jobs=1, **settings).fit(X, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak, clf


FORMS = {
    "float64": np.asarray,
    "float32": lambda X: X.astype(np.float32),
    "Fortran": np.asfortranarray,
    "sparse": sp.csr_array,
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_x_is_not_copied(form):
    """64 MB of samples: a copy of any kind, even in float32, would be 32 MB.

    The sample of rows that the curvature is made from has 16 MB, and comes out of a sparse X of
    48 MB by way of as many sparse ones.
    """
    rng = np.random.default_rng(0)
    X = rng.standard_normal((80_000, 100))
    y = (X[:, 0] + rng.logistic(size=len(X)) > 0).astype(int)
    if form is sp.csr_array:
        X[X < 0] = 0.0
    peak, clf = peak_of_fit(form(X), y)
    assert clf.converged_
    assert peak < (40e6 if form is sp.csr_array else 31e6)


def test_memory_mapped_x_is_not_read_into_memory(tmp_path):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((80_000, 100)).astype(np.float32)
    y = (X[:, 0] + rng.logistic(size=len(X)) > 0).astype(int)
    np.save(tmp_path / "X.npy", X)
    peak, clf = peak_of_fit(np.load(tmp_path / "X.npy", mmap_mode="r"), y)
    assert clf.converged_
    assert peak < 31e6  # the file has 32 MB, the sample of rows for the curvature 16 MB
