"""How far coefficients at the default tolerance are from the minimum, and what that costs.

Run ``python tests/benchmarks/bench_steady.py``. With ``--before PATH``, the root of another version
of the package, each problem is fitted by both versions in turn, so that other work on the machine
slows both. ``--only TEXT`` chooses problems by name, ``--quick`` leaves the slow ones out, and
``--forms`` also fits the rows in Dask partitions, by the array API and in other orders. The columns
of the table, which is Markdown:

* *error*: largest difference of a coefficient from the reference, as a fraction of the largest
  coefficient. The reference is a fit of this version with a tolerance of 1e-12;
* *passes*: number of passes over X;
* *seconds*: median processor time of one fit, on one thread;
* *ratio*: median of the ratios of seconds to those of the other version, in the same turn;
* *spread*: largest error of a fit of another form of the same data.
"""

from __future__ import annotations

import argparse
import os
import pickle
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ["SCIPY_ARRAY_API"] = "1"  # scikit-learn asks for it, before SciPy is imported
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
import scipy.sparse as sp

HERE = Path(__file__).resolve()
REFERENCE_TOL = 1e-12
TURNS = 15
LEAST_TURNS = 3
ENOUGH = 4.0  # seconds of all fits of a problem, after which no further turn begins
SMALL = 3_000_000  # numbers of X; larger problems are not fitted in other forms
STRICT = 200_000  # the same for the array API, whose strict library is slow

Fitted = tuple[np.ndarray, float, float]  # coefficients, passes and seconds


class Worker:
    """A process that fits with one version of the package."""

    def __init__(self, root: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(HERE), "--serve"],
            env=os.environ | {"PYTHONPATH": str(root)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def __call__(self, *request: Any) -> Any:
        """Call a function of `serve` in the process."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        pickle.dump(request, self.process.stdin)
        self.process.stdin.flush()
        return pickle.load(self.process.stdout)


def serve() -> None:
    """Answer requests until the pipe ends."""
    from problems import available

    replies, sys.stdout = sys.stdout.buffer, sys.stderr
    found = iter(())  # problems that are still to come
    problem = X = y = None
    while True:
        try:
            name, *values = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        answer: Any = None
        if name == "begin":
            found = available(values[0])
        elif name == "next":
            problem, X, y = next(found, (None, None, None))
            answer = problem and (problem.name, problem.slow)
        elif name == "fit":
            answer = fitted(problem.C, X, y, **values[0])
        elif name == "forms":
            answer = [(form, fitted(problem.C, *data)[0]) for form, data in forms(X, y)]
        pickle.dump(answer, replies)
        replies.flush()


def fitted(C: float, X: Any, y: Any, **settings: Any) -> Fitted:
    """Fit once."""
    import sklearn

    from skxent import SoftmaxClassifier
    from skxent.inputs.namespaces import to_numpy

    clf = SoftmaxClassifier(C=C, n_jobs=1, **settings)
    on_device = type(X).__module__.startswith("array_api_strict")
    with warnings.catch_warnings(), sklearn.config_context(array_api_dispatch=on_device):
        warnings.simplefilter("ignore")
        begin = time.process_time()
        clf.fit(X, y)
        seconds = time.process_time() - begin
    return np.asarray(to_numpy(clf.coef_)), clf.n_passes_, seconds


def forms(X: Any, y: np.ndarray) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Yield the same data in other forms and other orders of the rows."""
    for seed in range(2):
        order = np.random.default_rng(seed).permutation(len(y))
        yield "shuffled", (X[order], y[order])
    size = X.shape[0] * X.shape[1]
    if size > SMALL or sp.issparse(X):
        return
    import dask.array as da

    for parts in (3, 7):
        rows = -(-len(y) // parts)
        yield "Dask", (da.from_array(X, chunks=(rows, -1)), da.from_array(y, chunks=rows))
    if size <= STRICT:
        import array_api_strict as xp

        yield "array API", (xp.asarray(np.asarray(X, dtype=np.float64)), xp.asarray(y))


def error(coef: np.ndarray, reference: np.ndarray) -> float:
    """Return the largest difference, as a fraction of the largest coefficient."""
    return float(np.abs(coef - reference).max() / np.abs(reference).max())


def in_turns(workers: list[Worker]) -> tuple[list[Fitted], float]:
    """Fit with each version in turn; return the last fits, and the median ratio of seconds."""
    seconds: list[list[float]] = []
    begin = time.perf_counter()
    for worker in workers:
        worker("fit", {})  # the first fit reads modules
    while len(seconds) < TURNS and (
        len(seconds) < LEAST_TURNS or time.perf_counter() - begin < ENOUGH
    ):
        order = workers if len(seconds) % 2 else workers[::-1]
        fits = {id(worker): worker("fit", {}) for worker in order}
        last = [fits[id(worker)] for worker in workers]
        seconds.append([one[2] for one in last])
    medians = np.median(seconds, axis=0)
    ratio = statistics.median(after / before for before, *_, after in seconds)
    return [(coef, passes, m) for (coef, passes, _), m in zip(last, medians, strict=True)], ratio


def row(name: str, workers: list[Worker], with_forms: bool) -> list[str]:
    """Return the cells of one problem."""
    fits, ratio = in_turns(workers)
    reference = workers[-1]("fit", {"tol": REFERENCE_TOL, "max_iter": 5000})[0]
    cells = [name]
    for coef, passes, seconds in fits:
        cells += [f"{error(coef, reference):.1e}", f"{passes:.0f}", f"{seconds:.3g}"]
    if len(workers) > 1:
        cells.append(f"{ratio:.2f}")
    if with_forms:
        for worker in workers:
            found = worker("forms")
            cells.append(f"{max(error(coef, reference) for _, coef in found):.1e}")
    return cells


def main() -> None:
    """Fit, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--before", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--forms", action="store_true")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    settings = parser.parse_args()
    if settings.serve:
        return serve()
    roots = [settings.before] if settings.before else []
    workers = [Worker(root) for root in [*roots, HERE.parents[2]]]
    names = ["before: ", "after: "] if settings.before else [""]
    heads = ["problem"]
    heads += [f"{who}{what}" for who in names for what in ("error", "passes", "seconds")]
    heads += ["ratio"] * bool(settings.before)
    heads += [f"{who}spread" for who in names] * settings.forms
    print("| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|", flush=True)
    for worker in workers:
        worker("begin", settings.only)
    while True:
        found = [worker("next") for worker in workers][-1]
        if found is None:
            return None
        name, slow = found
        if not (slow and settings.quick):
            print("| " + " | ".join(row(name, workers, settings.forms)) + " |", flush=True)


if __name__ == "__main__":
    main()
