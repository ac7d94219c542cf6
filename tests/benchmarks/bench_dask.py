"""Fits on a cluster of two processes: against the same fit in memory, and against dask-ml.

    python tests/benchmarks/bench_dask.py [speed] [bytes] [rivals] [memory]

`speed`: seconds at 2e6 x 50 against the fit in memory on two threads, in turn. `bytes`: what a pass
sends through the network, by the counters of the loopback interface, against the size of the
parameters. `rivals`: seconds until the objective is within 1e-6 of the minimum, against the solvers
of dask-ml, if it is installed. `memory`: data four times as large as what a worker may use.
"""

from __future__ import annotations

import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dask
import dask.array as da
import numpy as np
from distributed import Client, LocalCluster, wait

from skxent import SoftmaxClassifier
from skxent.inputs import partitions

PARTS = 8


@contextmanager
def cluster(**options: Any) -> Iterator[Client]:
    """Two processes of one thread each, which have imported what they need."""
    settings = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0"} | options
    with LocalCluster(**settings) as workers, Client(workers) as client:
        X = da.random.default_rng(0).normal(size=(1000, 2), chunks=(250, 2))
        SoftmaxClassifier().fit(X, np.arange(1000) % 2)
        yield client


def rows(part: int, n: int, d: int, raw: bool) -> tuple[np.ndarray, np.ndarray]:
    """Some samples of a logistic model; raw ones have columns of all scales, far from zero."""
    rng = np.random.default_rng(part)
    X = rng.normal(size=(n, d))
    y = (X @ np.linspace(-1, 1, d) * 2 / np.sqrt(d) + rng.logistic(size=n) > 0).astype(int)
    return (X * np.logspace(-3, 3, d) + 100 * np.logspace(-3, 3, d) if raw else X), y


def data(n: int, d: int, raw: bool = False) -> tuple[Any, Any]:
    """X and y on the workers."""
    make = dask.delayed(rows, nout=2)
    parts = [make(i, n // PARTS, d, raw) for i in range(PARTS)]
    X = da.concatenate([da.from_delayed(x, (n // PARTS, d), float) for x, _ in parts])
    y = da.concatenate([da.from_delayed(y, (n // PARTS,), int) for _, y in parts])
    X, y = dask.persist(X, y)
    wait([X, y])
    return X, y


def seconds(function: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def speed(n: int = 2_000_000, d: int = 50, repeats: int = 5) -> None:
    """Against the fit in memory."""
    trips: list[int] = []
    fetch = partitions.compute
    partitions.compute = lambda *args: trips.append(1) or fetch(*args)  # type: ignore[func-returns-value]
    try:
        with cluster():
            X, y = data(n, d)
            # Made here, not brought here: that would leave copies of partitions on one worker.
            parts = [rows(i, n // PARTS, d, False) for i in range(PARTS)]
            here = [np.concatenate(each) for each in zip(*parts, strict=True)]
            ratios = []
            for _ in range(repeats):
                trips.clear()
                there_s, there = seconds(lambda: SoftmaxClassifier().fit(X, y))
                here_s, same = seconds(lambda: SoftmaxClassifier(n_jobs=2).fit(*here))
                ratios.append(there_s / here_s)
                print(f"cluster {there_s:.2f} s, memory {here_s:.2f} s, ratio {ratios[-1]:.2f}")
    finally:
        partitions.compute = fetch
    print(
        f"{n} x {d}: median ratio {np.median(ratios):.2f}, {len(trips)} round trips and one look, "
        f"objectives differ by {there.objective_ / same.objective_ - 1:.1e}"
    )


def loopback() -> int:
    """Bytes sent through the loopback interface so far."""
    line = next(line for line in Path("/proc/net/dev").read_text().splitlines() if "lo:" in line)
    return int(line.split()[9])


def network(passes: int = 20) -> None:
    """Bytes of a pass."""
    from skxent.classifiers.training import read_training

    with cluster():
        for d, K in ((50, 2), (200, 10), (500, 50)):
            X, _ = data(16_000, d)
            y = np.arange(16_000) % K
            rows_there = read_training(SoftmaxClassifier(), X, y, None, None).rows
            sums = rows_there.sums(np.zeros(d), False)
            theta = np.zeros(rows_there.theta_shape)
            sums.log_partition(theta)
            before, start = loopback(), time.perf_counter()
            for _ in range(passes):
                sums.log_partition(theta)
            busy, took = loopback() - before, time.perf_counter() - start
            before = loopback()
            time.sleep(took)  # what the cluster says when it has nothing to do
            idle = loopback() - before
            print(
                f"d={d}, K={K}: {(busy - idle) / passes / 1e3:.1f} kB a pass of "
                f"{took / passes * 1e3:.0f} ms; parameters {theta.nbytes / 1e3:.1f} kB, "
                f"X {X.nbytes / 1e6:.0f} MB"
            )


def rivals(n: int = 1_000_000, d: int = 20) -> None:
    """Seconds until the objective is within 1e-6 of its minimum."""
    warnings.simplefilter("ignore")
    for raw in (False, True):
        with cluster():
            X, y = data(n, d, raw)
            SoftmaxClassifier().fit(X, y)
            ours, clf = seconds(lambda X=X, y=y: SoftmaxClassifier().fit(X, y))
            print(f"{n} x {d}, {'raw' if raw else 'standard'}: skxent {ours:.2f} s")
            for solver in ("newton", "lbfgs", "gradient_descent", "admm", "proximal_grad"):
                ladder(solver, X, y, ours, clf.objective_)


def ladder(solver: str, X: Any, y: Any, ours: float, best: float) -> None:
    """A solver of dask-ml with one tolerance after the other, until it gets there."""
    from dask_ml.linear_model import LogisticRegression

    for tol in (1e-2, 1e-4, 1e-8):
        # By default it penalises the weights of standardised columns: another objective.
        same = {"normalize": False}
        clf = LogisticRegression(solver=solver, tol=tol, max_iter=100, solver_kwargs=same)
        try:
            took, _ = seconds(lambda clf=clf: clf.fit(X, y))
        except Exception as error:
            print(f"  {solver}, tol {tol}: {type(error).__name__}: {error}")
            return
        w, z = np.ravel(clf.coef_), X @ np.ravel(clf.coef_) + float(np.ravel(clf.intercept_)[0])
        value = float((da.logaddexp(0, z) - y * z).sum() + w @ w / 2)
        distance = value / best - 1
        print(f"  {solver}, tol {tol}: {took:.2f} s, {took / ours:.1f} x, at {distance:.1e}")
        if abs(distance) < 1e-6 or took > 60:
            return


def memory(limit: int = 512 << 20, d: int = 50) -> None:
    """Data in files, four times as large as what each worker may use."""
    n = 4 * limit // (8 * d) // 64
    peaks: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        for i in range(64):
            x, y = rows(i, n, d, False)
            np.save(f"{folder}/x{i}.npy", x)
            np.save(f"{folder}/y{i}.npy", y)

        def read(name: str) -> np.ndarray:
            return np.load(f"{folder}/{name}.npy")

        def files(letter: str, *shape: int) -> Any:
            parts = [dask.delayed(read)(f"{letter}{i}") for i in range(64)]
            dtype = float if letter == "x" else int
            return da.concatenate([da.from_delayed(p, (n, *shape), dtype) for p in parts])

        with cluster(memory_limit=limit) as client:
            from distributed.diagnostics import MemorySampler

            sampler = MemorySampler()
            with sampler.sample("fit", measure="process", interval=0.2):
                took, clf = seconds(lambda: SoftmaxClassifier().fit(files("x", d), files("y")))
            peaks = sampler.to_pandas()["fit"].tolist()
            restarts = len(client.get_events("worker-restart") or ())
    print(
        f"{64 * n} x {d}, {64 * n * d * 8 / 2**20:.0f} MB, 2 workers of {limit / 2**20:.0f} MB: "
        f"{took:.1f} s, {clf.n_passes_:.1f} passes, converged {clf.converged_}, "
        f"{max(peaks) / 2**20:.0f} MB of both at most, {restarts} restarts"
    )


if __name__ == "__main__":
    chosen = sys.argv[1:] or ["speed", "bytes", "rivals", "memory"]
    parts = {"speed": speed, "bytes": network, "rivals": rivals, "memory": memory}
    for name in chosen:
        parts[name]()
