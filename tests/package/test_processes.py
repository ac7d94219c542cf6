"""Fits in forked and spawned processes and in sixteen threads, and pickles that were cut off."""

import io
import multiprocessing
import pickle
import struct
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
from sklearn.datasets import load_wine

import skxent
from skxent import LogisticClassifier, SoftmaxClassifier, SoftmaxClassifierCV

METHODS = [
    m for m in ("fork", "spawn", "forkserver") if m in multiprocessing.get_all_start_methods()
]


def problem(n, d, K, seed=0):
    rng = np.random.default_rng([seed, n, d, K])
    X = rng.normal(size=(n, d))
    return X, (X[:, :1] * np.arange(K) + rng.gumbel(size=(n, K))).argmax(axis=1)


def bits(clf):
    return clf.coef_.tobytes(), clf.intercept_.tobytes(), clf.objective_, clf.n_passes_


PROBLEMS = [problem(300, 8, 2), problem(300, 8, 3), problem(60_000, 8, 2)]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.thinned(2)
def test_fits_in_processes(method, process_unchanged):
    """Also in a fork while a fit of another thread is under way; bits are those of one alone."""
    expected = [bits(SoftmaxClassifier(n_jobs=1).fit(*p)) for p in PROBLEMS]
    stop = threading.Event()

    def fit_on():
        while not stop.is_set():
            SoftmaxClassifier(n_jobs=2).fit(*PROBLEMS[2])

    thread = threading.Thread(target=fit_on)
    thread.start()
    try:
        with warnings.catch_warnings():
            # Python 3.12 warns of forks in processes with threads (looked at 2026-11-26).
            warnings.simplefilter("ignore", DeprecationWarning)
            pool = multiprocessing.get_context(method).Pool(2)
        with pool:
            results = [
                pool.apply_async(SoftmaxClassifier(n_jobs=n_jobs).fit, p)
                for p in PROBLEMS
                for n_jobs in (1, 2)
            ]
            found = [bits(result.get(timeout=200)) for result in results]
    finally:
        stop.set()
        thread.join()
    assert found == [b for b in expected for _ in range(2)]
    process_unchanged()


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_sixteen_fits_at_once(n_jobs, process_unchanged):
    expected = [bits(SoftmaxClassifier(n_jobs=1).fit(*p)) for p in PROBLEMS]
    barrier = threading.Barrier(16)

    def work(i):
        barrier.wait()
        return bits(SoftmaxClassifier(n_jobs=n_jobs).fit(*PROBLEMS[i % 3]))

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(work, range(16))) == [expected[i % 3] for i in range(16)]
    process_unchanged()


# ------------------------------------------------------------------ pickles


def results():
    X, y = load_wine(return_X_y=True)
    X = X[:, :3]
    mle = SoftmaxClassifier(C=np.inf).fit(X, y)
    return {
        "SoftmaxClassifier": SoftmaxClassifier().fit(X, y),
        "LogisticClassifier": LogisticClassifier().fit(X, y > 0),
        "SoftmaxClassifierCV": SoftmaxClassifierCV(Cs=3).fit(X, y),
        "LikelihoodInference": skxent.infer(mle, X, y),
        "CrossEntropySum": skxent.CrossEntropySum.of(y, mle.predict_proba(X)),
        "report": skxent.cross_entropy_report(y, mle.predict_proba(X)),
        "scorer": skxent.make_cross_entropy_scorer(base=2),
    }


@pytest.fixture(scope="module")
def fitted():
    return results()


NAMES = [
    "SoftmaxClassifier",
    "LogisticClassifier",
    "SoftmaxClassifierCV",
    "LikelihoodInference",
    "CrossEntropySum",
    "report",
    "scorer",
]


@pytest.mark.parametrize("protocol", [2, 4, 5])
@pytest.mark.parametrize("name", NAMES)
def test_a_pickle_cut_off_anywhere_is_an_error(fitted, name, protocol):
    """Of pickle itself, which says what is wrong; no object is made from a part."""
    data = pickle.dumps(fitted[name], protocol)
    assert type(pickle.loads(data)) is type(fitted[name])
    for length in {*range(0, len(data), max(len(data) // 400, 1)), len(data) - 1}:
        with pytest.raises((EOFError, pickle.UnpicklingError), match=r"."):
            pickle.loads(data[:length])


# joblib uses the unpickler that is written in Python, whose errors are these.
CUT_OFF = (EOFError, pickle.UnpicklingError, ValueError, IndexError, struct.error)


@pytest.mark.parametrize("name", NAMES)
def test_a_joblib_file_cut_off_anywhere_is_an_error(fitted, name):
    file = io.BytesIO()
    joblib.dump(fitted[name], file)
    data = file.getvalue()
    assert type(joblib.load(io.BytesIO(data))) is type(fitted[name])
    for length in {*range(0, len(data), max(len(data) // 200, 1)), len(data) - 1}:
        with pytest.raises(CUT_OFF):
            joblib.load(io.BytesIO(data[:length]))
