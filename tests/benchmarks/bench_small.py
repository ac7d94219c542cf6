"""Fits of small data, where the work around the minimisation counts, against LogisticRegression.

``--threads 2`` takes two threads; with one the clock is processor time. A line has the milliseconds
of a fit, those outside of `minimise` (checks), and the median ratio of the time of each solver, at
its loosest tolerance within 1e-6 of the optimum, to ours.
"""

import argparse
import time
import warnings
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
from bench_fits import objective
from problems import available, generated
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from skxent import SoftmaxClassifier
from skxent.classifiers import softmax

SOLVERS = "lbfgs", "newton-cg", "newton-cholesky", "sag", "saga", "liblinear"


def peers(X: Any, y: np.ndarray) -> Iterator[tuple[str, Any]]:
    """Name and model of each solver at its loosest tolerance that gets to the optimum."""
    exact = SoftmaxClassifier(tol=1e-12).fit(X, y).objective_
    for solver in SOLVERS if y.max() == 1 else SOLVERS[:-1]:
        model = LogisticRegression(solver=solver, max_iter=5000, intercept_scaling=1e3)  # liblinear
        for tol in 10.0 ** np.arange(1, -12, -0.5):
            model.set_params(tol=tol).fit(X, y)
            if objective(X, y, model.coef_, model.intercept_, 1.0) <= exact * (1 + 1e-6):
                yield f"{solver} {tol:.0e}", model
                break


def timed(function: Callable[..., Any], clock: Callable[[], float], seconds: list[float]) -> Any:
    """Return the function; it appends its time to `seconds`."""

    def run(*args: Any, **kwargs: Any) -> Any:
        begin, result = clock(), function(*args, **kwargs)
        seconds.append(clock() - begin)
        return result

    return run


def main() -> None:
    """Print a line for each problem."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    threads = parser.parse_args().threads
    clock = time.process_time if threads == 1 else time.perf_counter
    warnings.simplefilter("ignore")
    inside: list[float] = []
    softmax.minimise = timed(softmax.minimise, clock, inside)
    data = [(p.name, *xy) for name in ("iris", "wine", "breast") for p, *xy in available(name)]
    with threadpool_limits(threads):
        for name, X, y in [*data, ("100 x 5", *generated(100, 5, 2))]:
            models = {"ours": SoftmaxClassifier(), **dict(peers(X, y))}
            times = {key: [] for key in models}
            inside.clear()
            for turn, (key, model) in product(range(100), models.items()):
                if turn < 5 or min(times[key]) < 5 * min(times["ours"]):  # slow ones end early
                    timed(model.fit, clock, times[key])(X, y)
            ours = np.array(times.pop("ours"))
            parts = 1e3 * np.median(ours), 1e3 * np.median(ours - inside)
            print("{:19} fit {:.2f} ms, checks {:.2f};".format(name, *parts), end=" ")
            shown = sorted((np.median(t / ours[: len(t)]), key) for key, t in times.items())
            print(*(f"{key}: {ratio:.2f}" for ratio, key in shown), sep=", ", flush=True)


if __name__ == "__main__":
    main()
