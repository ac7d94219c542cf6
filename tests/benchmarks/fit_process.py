"""Fits in a process of their own, which is ended if a fit takes too long or crashes.

Compiled solvers do not react to a signal, and some of them end the process on unusual data.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from rivals import Fitted, NotRaced, Rival, of_estimator, rivals
from sklearn.linear_model import LogisticRegression

from skxent import SoftmaxClassifier

GRACE = 5.0  # seconds beyond its limit until a fit that does not react to a signal is ended
START = 120.0  # seconds in which the process has read its data
LOOK = 0.02  # seconds between two looks at the time that a fit has taken
BEGUN = "begun"  # tells that the time of a fit begins; trials that measure a pace end before
TRIAL = 0.05  # part of the limit that a trial takes before its pace is believed
USED = 0.8  # part of the limit after which a fit that ran out of iterations has had its time
TRIES = 3  # fits with more iterations each, until USED
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class TimeUpError(Exception):
    """A fit took too long."""


class CrashedError(Exception):
    """A fit ended its process."""


class FitProcess:
    """A process that fits one problem at a time, started again when it was ended."""

    def __init__(self, threads: int = 1) -> None:
        for name in THREADS:
            os.environ[name] = str(threads)  # the process reads them when it starts
        self.threads = threads
        self._data: tuple | None = None
        self._process: Any = None
        self._connection: Any = None

    def load(self, X: Any, y: np.ndarray, C: float) -> list[NotRaced | str]:
        """Send the data. Return the names of the rivals, and those that are not raced."""
        self._data = (X, y, C, self.threads)
        return self._send_data()

    def fit(self, name: str, tol: float | None, limit: float) -> tuple[Fitted, float, dict]:
        """The end of a fit, its seconds, and more about a fit of skxent."""
        if self._connection is None:
            self._send_data()
        self._connection.send((name, tol, limit))
        answer = self._receive(limit)
        while isinstance(answer, str):  # BEGUN
            answer = self._receive(limit)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def end(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._connection.close()
        self._process = self._connection = None

    def _send_data(self) -> Any:
        if self._connection is None:
            context = multiprocessing.get_context("spawn")
            self._connection, other = context.Pipe()
            self._process = context.Process(target=_serve, args=(other,), daemon=True)
            self._process.start()
            other.close()
        self._connection.send(self._data)
        return self._receive(START)

    def _receive(self, limit: float) -> Any:
        """The next answer. A signal says that the time is up, and later the process is ended."""
        begin = self._seconds()
        try:
            while not self._connection.poll(LOOK):
                over = self._seconds() - begin - limit
                if over > GRACE:
                    self.end()
                    raise TimeUpError
                if over > 0:
                    os.kill(self._process.pid, signal.SIGALRM)
            return self._connection.recv()
        except (EOFError, ConnectionError, ProcessLookupError, FileNotFoundError):
            self.end()
            raise CrashedError from None

    def _seconds(self) -> float:
        """Processor time of the process if it has one thread, time by the clock otherwise."""
        if self.threads > 1 or sys.platform != "linux":
            return time.perf_counter()
        stat = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="utf-8")
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class _Alarm:
    """Raises TimeUpError on a signal, but only within a fit."""

    def __init__(self) -> None:
        self._fitting = False
        signal.signal(signal.SIGALRM, self._ring)

    def _ring(self, *_: Any) -> None:
        if self._fitting:
            self._fitting = False
            raise TimeUpError

    def __enter__(self) -> None:
        self._fitting = True

    def __exit__(self, *_: Any) -> None:
        self._fitting = False


def _serve(connection: Connection) -> None:
    """Read data or the order for a fit, and answer, until the other end is closed."""
    warnings.simplefilter("ignore")
    # A signal within a function that compiled code calls is reported, and has no effect.
    sys.unraisablehook = lambda _: None
    # What compiled solvers print would mix with the results.
    for output in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), output)
    fits: dict[str, Any] = {}
    threads, alarm = 1, _Alarm()
    with contextlib.suppress(EOFError):
        while True:
            order = connection.recv()
            if len(order) == 4:
                fits = {rival.name: rival for rival in _all(*order)}
                threads = order[3]
                connection.send(
                    [r if isinstance(r, NotRaced) else r.name for r in fits.values()][3:]
                )
                continue
            name, tol, limit = order
            try:
                begun = lambda: connection.send(BEGUN)  # noqa: E731
                connection.send(_timed(fits[name], tol, limit, threads, alarm, begun))
            except Exception as error:
                known = isinstance(error, TimeUpError)
                connection.send(error if known else RuntimeError(type(error).__name__))


def _all(X: Any, y: np.ndarray, C: float, threads: int) -> Iterator[Rival | NotRaced]:
    """Fits of skxent, of LogisticRegression at its defaults, and of the rivals."""
    last: list[SoftmaxClassifier] = []

    def ours(tol: float | None, most: int) -> Fitted:
        last[:] = [SoftmaxClassifier(C=C, **({} if tol is None else {"tol": tol})).fit(X, y)]
        return of_estimator(last[0])

    def details() -> dict[str, Any]:
        return {
            "passes": last[0].n_passes_,
            "gap": last[0].optimality_gap_,
            "converged": last[0].converged_,
            "curve": last[0].objective_curve_.tolist(),
        }

    def exact(tol: float | None, most: int) -> Fitted:
        model = SoftmaxClassifier(C=C, tol=1e-12, warm_start=True)
        model.coef_, model.intercept_ = last[0].coef_, last[0].intercept_
        return of_estimator(model.fit(X, y))

    yield Rival("skxent", ours, details=details)
    yield Rival("exact", exact)
    yield Rival("default", lambda tol, most: of_estimator(LogisticRegression(C=C).fit(X, y)))
    yield from rivals(X, y, C, threads)


def _timed(
    rival: Rival,
    tol: float | None,
    limit: float,
    threads: int,
    alarm: _Alarm,
    begun: Callable[[], None],
) -> tuple[Fitted, float, dict]:
    """A fit and its seconds, which other programs do not disturb if there is one thread.

    A compiled solver gets as many iterations as fit into the limit. If it has used them too early,
    the pace was too slow, and the fit is done again with more of them.
    """
    clock = time.process_time if threads == 1 else time.perf_counter
    most, before = rival.most, (0.0, 0.0)
    if rival.compiled:
        if not rival.pace:
            with alarm:
                before = _trials(rival, tol, limit, clock)
        most = _fitting(rival, limit)
    for _ in range(TRIES):
        begun()
        with alarm:
            begin = clock()
            fitted = rival.fit(tol, most)
            seconds = clock() - begin
        used = _used(rival, fitted, most)
        if not used or most == rival.most or seconds > USED * limit:
            break
        before = _learn(rival, before, (float(fitted.iterations), seconds))
        if _fitting(rival, limit) <= most:
            break
        most = _fitting(rival, limit)
    end = ""
    if used:
        end = "all iterations used" if most == rival.most else "time up"
    return fitted, seconds, rival.details() | {"end": end}


def _used(rival: Rival, fitted: Fitted, most: int) -> bool:
    """Whether a fit took all iterations that it had; cyanure counts in steps of five."""
    return fitted.iterations is not None and fitted.iterations > most - max(rival.compiled, 2)


def _fitting(rival: Rival, limit: float) -> int:
    """Iterations that a compiled solver has, a multiple of those of the first trial."""
    steps = int(max(limit - rival.start, 0.0) / rival.pace / rival.compiled)
    return int(np.clip(steps * rival.compiled, rival.compiled, rival.most))


def _trials(
    rival: Rival, tol: float | None, limit: float, clock: Callable[[], float]
) -> tuple[float, float]:
    """Measure the pace. Trials grow until they take a part of the limit."""
    most, before = rival.compiled, (0.0, 0.0)
    while True:
        begin = clock()
        fitted = rival.fit(tol, most)
        before = _learn(rival, before, (float(fitted.iterations or most), clock() - begin))
        if not _used(rival, fitted, most) or before[1] > TRIAL * limit or 3 * most > rival.most:
            return before
        most *= 3


def _learn(
    rival: Rival, before: tuple[float, float], last: tuple[float, float]
) -> tuple[float, float]:
    """The last (iterations, seconds), after setting the line through them and those before."""
    (few, early), (iterations, seconds) = before, last
    pace = seconds / max(iterations, 1.0)
    if iterations > few and seconds > early:
        pace = (seconds - early) / (iterations - few)
    rival.pace = max(pace, 1e-7)
    rival.start = max(seconds - rival.pace * iterations, 0.0)
    return last
