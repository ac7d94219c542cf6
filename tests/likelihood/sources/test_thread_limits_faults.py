"""The limit on BLAS threads, whatever interrupts its users, in threads and in forked children."""

import os
import random
import signal
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController

from skxent.likelihood.sources import thread_limits
from skxent.likelihood.sources.blocks import Blocks
from skxent.likelihood.sources.thread_limits import effective_threads, one_blas_thread

BLAS = ThreadpoolController().select(user_api="blas").lib_controllers


def blas_threads():
    return {library.num_threads for library in BLAS}


def once():
    with closing(one_blas_thread()) as limit, limit:
        assert blas_threads() == {1}


def nested():
    with closing(one_blas_thread()) as limit, limit:
        once()
        once()


def with_threads():
    """Blocks whose threads nobody ends but the limit."""
    with closing(one_blas_thread()) as limit, limit:
        blocks = Blocks(np.ones((200_000, 8)), n_outputs=1, n_threads=2)
        blocks.map(lambda segment: sum(rows.stop - rows.start for rows in segment))


def of_the_limit_or_a_user(frame):
    users = {once.__code__, nested.__code__}
    return frame.f_code in users or frame.f_code.co_filename == thread_limits.__file__


@pytest.fixture
def unchanged(process_unchanged):
    thread_limits._blas()  # found out once: threadpoolctl reads a file, which an error leaves open

    def check():
        process_unchanged()
        assert not thread_limits._users
        assert thread_limits._before is None

    return check


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize("function", [once, nested])
def test_an_error_at_any_place(function, error, sweep, unchanged):
    """Of the limit and of its user."""
    n = sweep(function, unchanged, error, after_calls=True, wanted=of_the_limit_or_a_user)
    assert n > 10  # 13 with Python 3.12, which inlines comprehensions; more before


@pytest.mark.parametrize("function", [once, nested])
def test_an_error_at_any_place_of_threadpoolctl(function, sweep, unchanged):
    n = sweep(
        function,
        unchanged,
        after_calls=True,
        wanted=lambda frame: "threadpoolctl" in frame.f_code.co_filename,
    )
    assert n > 20


def test_an_error_at_any_place_where_threads_are_made(sweep, unchanged):
    n = sweep(with_threads, unchanged, after_calls=True)
    assert n > 40


def test_an_error_in_a_second_user_leaves_the_first_its_limit(sweep, unchanged):
    def check():
        assert blas_threads() == {1}
        assert list(thread_limits._users) == [first]

    with one_blas_thread() as first, first:
        sweep(once, check, after_calls=True, wanted=of_the_limit_or_a_user)
    unchanged()


def test_interrupts_from_outside(unchanged):
    """Signals at any time, as from a keyboard, while the limit is entered and left."""
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    delays = random.Random(0)
    interrupted = 0
    try:
        for _ in range(300):
            try:
                signal.setitimer(signal.ITIMER_REAL, delays.uniform(1e-5, 3e-4))
                for _ in range(1000):
                    nested()
                raise AssertionError("no signal came")
            except KeyboardInterrupt:
                interrupted += 1
            assert not thread_limits._users
            assert blas_threads() == {2}
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert interrupted == 300
    unchanged()


def test_a_signal_handler_may_take_the_limit_itself(unchanged):
    """In the middle of entering or leaving: the lock is reentrant."""
    handled = []

    def handler(*arguments):
        handled.append(1)
        once()

    before = signal.signal(signal.SIGALRM, handler)
    delays = random.Random(0)
    try:
        for i in range(200):
            signal.setitimer(signal.ITIMER_REAL, delays.uniform(1e-5, 2e-4))
            while len(handled) == i:
                nested()
            unchanged()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("seed", range(3))
def test_sixteen_threads_of_which_some_fail(seed, unchanged):
    barrier = threading.Barrier(16)
    switch = sys.getswitchinterval()

    def work(i):
        chance = random.Random(f"{seed} {i}")
        barrier.wait()
        for _ in range(60):
            try:
                with closing(one_blas_thread()) as limit, limit:
                    assert blas_threads() == {1}
                    nested()
                    if chance.random() < 0.3:
                        raise RuntimeError("now")
            except RuntimeError:
                pass
        return i

    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(16) as pool:
            assert list(pool.map(work, range(16))) == list(range(16))
    finally:
        sys.setswitchinterval(switch)
    unchanged()


def in_a_child(function):
    """What `function` returns, a small number, in a child of this process; fails after a minute."""
    with warnings.catch_warnings():
        # Python 3.12 warns of forks in processes with threads (looked at 2026-11-26).
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        signal.alarm(60)
        try:
            os._exit(function())
        finally:
            os._exit(100)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")


@needs_fork
def test_a_child_has_not_the_users_of_other_threads(unchanged):
    """They do not run in the child, and would never leave."""
    entered, leave = threading.Event(), threading.Event()

    def other():
        with closing(one_blas_thread()) as limit, limit:
            entered.set()
            leave.wait()

    def child():
        right = blas_threads() == {2} and effective_threads(None) == 2
        once()
        return 10 * right + (blas_threads() == {2})

    thread = threading.Thread(target=other)
    thread.start()
    entered.wait()
    try:
        assert in_a_child(child) == 11
        assert blas_threads() == {1}
    finally:
        leave.set()
        thread.join()
    unchanged()


@needs_fork
def test_a_child_of_a_user_is_a_user(unchanged):
    limit = one_blas_thread()

    def child():
        inside = blas_threads() == {1}
        limit.__exit__(None, None, None)
        return 10 * inside + (blas_threads() == {2})

    with limit:
        assert in_a_child(child) == 11
        assert blas_threads() == {1}
    unchanged()


@needs_fork
@pytest.mark.slow
def test_children_while_threads_enter_and_leave(unchanged):
    """The lock may be in anybody's hands at the moment of a fork."""
    stop = threading.Event()

    def enter_and_leave():
        while not stop.is_set():
            once()

    def child():
        once()
        return int(blas_threads() == {2})

    threads = [threading.Thread(target=enter_and_leave) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        assert [in_a_child(child) for _ in range(40)] == [1] * 40
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    unchanged()
