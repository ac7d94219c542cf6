"""Fits side by side, in threads and in processes of joblib: bits, threads, the limit on BLAS."""

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from joblib import Parallel, delayed, parallel_config
from threadpoolctl import threadpool_info, threadpool_limits

from skxent import SoftmaxClassifier
from skxent.likelihood import kernels
from skxent.likelihood.sources.thread_limits import effective_threads, one_blas_thread


def blas_threads():
    return [lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"]


def own_threads():
    return [t.name for t in threading.enumerate() if t.name.startswith("skxent")]


def in_a_new_thread(function):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function).result()


@pytest.fixture
def two_blas_threads():
    """BLAS with two threads and nobody in charge, as it is after a start of Python on two cores.

    From threadpoolctl 3.8 on, the thread that sets a limit is the only one that can, for as long as
    it holds it or, without `with`, lives. So this one ends.
    """
    (before,) = set(blas_threads())
    in_a_new_thread(lambda: threadpool_limits(2, user_api="blas"))
    assert set(blas_threads()) == {2}
    yield
    in_a_new_thread(lambda: threadpool_limits(before, user_api="blas"))


@pytest.fixture(scope="module")
def problems(generate):
    """Of one block and of several; with two threads of BLAS the last one has other bits."""
    sizes = [(300, 8, 2), (300, 8, 3), (60_000, 8, 2), (60_000, 8, 3), (20_000, 20, 10)]
    return [generate(*size) for size in sizes]


def fit(X, y, n_jobs=None):
    return SoftmaxClassifier(n_jobs=n_jobs).fit(X, y)


def bits(clf):
    return clf.coef_.tobytes(), clf.intercept_.tobytes(), clf.objective_, clf.n_passes_


@pytest.fixture(scope="module")
def alone(problems):
    return [bits(fit(X, y, n_jobs=1)) for X, y in problems]


def at_once_in_threads(problems, n_jobs):
    with ThreadPoolExecutor(3) as pool:
        return list(pool.map(lambda problem: fit(*problem, n_jobs), problems))


def at_once_in_joblib_threads(problems, n_jobs):
    return Parallel(n_jobs=2, backend="threading")(delayed(fit)(*p, n_jobs) for p in problems)


# ------------------------------------------------------------------ threads of one process


@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize("at_once", [at_once_in_threads, at_once_in_joblib_threads])
def test_threads_at_once_give_the_bits_of_one_alone(
    problems, alone, at_once, n_jobs, two_blas_threads
):
    assert [bits(clf) for clf in at_once(problems * 2, n_jobs)] == alone * 2
    assert set(blas_threads()) == {2}
    assert not own_threads()


def test_bits_also_where_the_caller_holds_a_limit(problems, alone):
    with threadpool_limits(2, user_api="blas"):
        assert [bits(clf) for clf in at_once_in_threads(problems, None)] == alone
        assert set(blas_threads()) == {2}


def test_one_blas_thread_wherever_a_limit_was_set():
    def inside():
        with one_blas_thread():
            return blas_threads()

    with threadpool_limits(2, user_api="blas"):
        assert set(in_a_new_thread(inside)) == {1}
        assert set(blas_threads()) == {2}


def test_the_last_to_leave_need_not_have_come_first(two_blas_threads):
    """And the first one's thread lives on, as those of a pool do."""
    user = one_blas_thread()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(user.__enter__).result()
        with one_blas_thread():
            pool.submit(user.__exit__, None, None, None).result()
            assert set(blas_threads()) == {1}
            assert effective_threads(None) == 1
        assert set(blas_threads()) == {2}
        with threadpool_limits(1, user_api="blas"):
            assert set(blas_threads()) == {1}


def test_limits_come_back_when_some_fits_fail(problems, two_blas_threads):
    class Failing(SoftmaxClassifier):
        def _report(self, *arguments):
            raise RuntimeError("now")

    def attempt(clf, problem):
        try:
            return clf.fit(*problem)
        except RuntimeError:
            return None

    fits = [SoftmaxClassifier(), Failing(n_jobs=2), SoftmaxClassifier(n_jobs=2), Failing()] * 3
    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(attempt, fits, [problems[3]] * len(fits)))
    assert sum(clf is None for clf in results) == 6
    assert set(blas_threads()) == {2}


@pytest.fixture
def heard():
    """SIGINT raises, also where the process was started in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="no signal to a thread")
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_an_interrupt_from_the_keyboard(
    problems, alone, n_jobs, two_blas_threads, heard, monkeypatch
):
    """It comes while a pass is under way, and with n_jobs=2 finds the main thread waiting."""
    original = kernels.log_partition

    def interrupting(*arguments):
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        return original(*arguments)

    clf = SoftmaxClassifier(n_jobs=n_jobs)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(kernels, "log_partition", interrupting)
        clf.fit(*problems[3])
    assert not own_threads()
    assert set(blas_threads()) == {2}
    assert not hasattr(clf, "coef_")
    assert bits(clf.fit(*problems[3])) == alone[3]


# ------------------------------------------------------------------ joblib's processes


def test_fits_in_processes_of_joblib(problems, alone, two_blas_threads):
    """The bits of one alone, and no threads where joblib allows one for each process."""

    def fit_and_look(X, y, n_jobs):  # sent by value: a worker could not import this module
        names = set()

        class Watched(SoftmaxClassifier):
            def _report(self, *arguments):
                return lambda *point: names.update(t.name for t in threading.enumerate())

        allowed = effective_threads(None)
        clf = Watched(n_jobs=n_jobs).fit(X, y)
        found = clf.coef_.tobytes(), clf.intercept_.tobytes(), clf.objective_, clf.n_passes_
        return found, os.getpid(), allowed, any(name.startswith("skxent") for name in names)

    tasks = [(i, n_jobs) for i in range(len(problems)) for n_jobs in (None, 2)]
    with parallel_config(backend="loky", n_jobs=2, inner_max_num_threads=1):
        results = Parallel()(delayed(fit_and_look)(*problems[i], n_jobs) for i, n_jobs in tasks)
    for (i, n_jobs), (found, pid, allowed, threads_seen) in zip(tasks, results, strict=True):
        assert found == alone[i]
        assert pid != os.getpid()
        assert allowed == 1
        several_blocks = len(problems[i][0]) > 300
        # who asks for two threads gets them, so threads would be seen if there were any
        assert threads_seen == (n_jobs == 2 and several_blocks)
    assert set(blas_threads()) == {2}
