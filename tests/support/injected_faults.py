"""Faults at chosen moments: an exception raised at the n-th event that Python's tracing reports."""

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dis import opname
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController, threadpool_limits

import skxent

SIGNAL_OPCODES = {"CALL", "CALL_FUNCTION_EX", "CALL_KW", "JUMP_BACKWARD"}
PACKAGE = str(Path(skxent.__file__).parent)


def in_package(frame):
    return frame.f_code.co_filename.startswith(PACKAGE)


class Fault:
    """Raises `error` at event number `position` in the frames that `wanted` chooses.

    Events are the places where CPython looks for signals, so that an interrupt from the keyboard
    can arrive there: the begin of a function, and with `after_calls` also the end of each call and
    of each round of a loop. Only the first thread is traced, or with `threads` all that start
    meanwhile.
    """

    def __init__(self, position, error, *, wanted=in_package, after_calls=False, threads=False):
        self.position, self.error = position, error
        self.wanted, self.after_calls, self.threads = wanted, after_calls, threads
        self.numbers = count()
        self.n_events = 0
        self.place = "no event"
        self.last = {}  # of a frame, the last opcode

    def __call__(self, frame, event, argument):
        if not self.wanted(frame):
            return None
        if self.after_calls:
            frame.f_trace_opcodes = True
        if event == "call" or (event == "opcode" and self.looks_for_signals(frame)):
            number = next(self.numbers)
            self.n_events = number + 1
            if number == self.position:
                self.place = f"{frame.f_code.co_qualname}, line {frame.f_lineno}, {event}"
                raise self.error("now")
        return self if self.after_calls else None

    def looks_for_signals(self, frame):
        """Whether the opcode before this one in the frame was a call or a jump back.

        Where a return follows, the place of the call is in a try statement and that of the return
        is not: an error raised at the return would not be one raised at the call.
        """
        opcode = opname[frame.f_code.co_code[frame.f_lasti]]
        before, self.last[frame] = self.last.get(frame), opcode
        return before in SIGNAL_OPCODES and opcode != "RETURN_VALUE"

    @contextmanager
    def active(self):
        before = sys.gettrace()
        try:
            if self.threads:
                threading.settrace(self)
            sys.settrace(self)
            yield
        finally:
            sys.settrace(before)
            threading.settrace(None)


def positions(n, most):
    """At most `most` numbers below n: the first and last ones, and others evenly between."""
    if n <= most:
        return list(range(n))
    ends = [*range(min(n, most // 4)), *range(max(n - most // 4, 0), n)]
    between = np.linspace(0, n - 1, most - most // 4 * 2).astype(int).tolist()
    return sorted({*ends, *between})


@pytest.fixture(scope="session")
def sweep():
    """Return a function that runs `function` again and again, each time with a fault elsewhere.

    After each run `check` is called. Not every run must raise: a fault in a thread may come after
    the last event. With `raises` each does.
    """

    def run(function, check, error=KeyboardInterrupt, most=10**9, raises=True, **settings):
        counter = Fault(None, error, **settings)
        with counter.active():
            function()
        raised = 0
        chosen = positions(counter.n_events, most)
        for position in chosen:
            fault = Fault(position, error, **settings)
            try:
                with fault.active():
                    function()
            except error as caught:
                assert "now" in str(caught)
                raised += 1
            try:
                check()
            except AssertionError as failed:
                failed.add_note(f"after a fault at {fault.place}")
                raise
        assert raised == len(chosen) if raises else raised > 0
        return len(chosen)

    return run


BLAS = ThreadpoolController().select(user_api="blas").lib_controllers


def blas_threads():
    return {library.num_threads for library in BLAS}


def own_threads():
    return [t.name for t in threading.enumerate() if t.name.startswith("skxent")]


def no_threads_left(seconds=5.0):
    """Whether the threads of fits have ended; one that was being started may take a moment."""
    end = time.monotonic() + seconds
    while own_threads() and time.monotonic() < end:
        time.sleep(0.01)
    return not own_threads()


@pytest.fixture
def process_unchanged():
    """Return a function that asserts two threads of BLAS, as at the beginning, and none of ours.

    threadpoolctl lets the thread that set a limit first keep it for as long as it lives, so a
    thread that ends sets it here.
    """
    (before,) = blas_threads()

    def set_limit(limit):
        with ThreadPoolExecutor(1) as pool:
            pool.submit(threadpool_limits, limit, user_api="blas").result()

    def check():
        assert blas_threads() == {2}
        assert no_threads_left()

    set_limit(2)
    check()
    yield check
    set_limit(before)
