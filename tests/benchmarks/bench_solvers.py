"""The solvers by name beside the default: gap, passes and seconds on every problem of the suite.

Run ``python tests/benchmarks/bench_solvers.py``; ``--only TEXT`` chooses problems by name and
``--quick`` leaves the slow ones out. Fits of the solvers are made in turn, so that other work on
the machine slows all of them. The columns of the table, which is Markdown:

* *gap*: distance of the objective from the lowest one known, in units of the target gap. The lowest
  is the best of all fits, among them a reference fit with a tolerance of 1e-10. Above 1, a fit that
  converged has ended too early. A fit that did not converge is marked by "not", with its gap;
* *passes*: number of passes over X;
* *seconds*: the median over the fits;
* *ratio*: the median of the ratios of seconds to the fit with "auto" of the same turn.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from problems import Problem, available
from sklearn.exceptions import ConvergenceWarning

from skxent import SoftmaxClassifier

SOLVERS = "auto", "lbfgs", "newton"
TURNS = 9
ENOUGH = 6.0  # seconds of all fits of a problem, after which no further turn begins
REFERENCE_TOL = 1e-10


@dataclass
class Fits:
    """The fits of one problem with one solver.

    Parameters
    ----------
    objective, target : float
        In nats.
    passes : float
    converged : bool
    seconds : list of float
        One for each turn.
    """

    objective: float
    target: float
    passes: float
    converged: bool
    seconds: list[float] = field(default_factory=list)


def fitted(problem: Problem, X: Any, y: np.ndarray, **settings: Any) -> tuple[Any, float]:
    """Fit once; return the classifier and the seconds."""
    clf = SoftmaxClassifier(C=problem.C, **settings)
    begin = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        clf.fit(X, y)
    return clf, time.perf_counter() - begin


def compare(problem: Problem, X: Any, y: np.ndarray) -> tuple[dict[str, Fits], float]:
    """Fit with each solver that fits in memory, in turns; return the fits and the lowest value."""
    found: dict[str, Fits] = {}
    begin = time.perf_counter()
    for turn in range(TURNS):
        for solver in SOLVERS if turn == 0 else tuple(found):
            try:
                clf, seconds = fitted(problem, X, y, solver=solver)
            except ValueError as error:
                if "are the most" not in str(error):
                    raise
                continue
            one = Fits(clf.objective_, clf.target_gap_, clf.n_passes_, bool(clf.converged_))
            found.setdefault(solver, one).seconds.append(seconds)
        if time.perf_counter() - begin > ENOUGH:
            break
    reference, _ = fitted(problem, X, y, tol=REFERENCE_TOL)
    return found, min(reference.objective_, *(fits.objective for fits in found.values()))


def cells(found: dict[str, Fits], solver: str, lowest: float) -> list[str]:
    """Return the cells of one solver in the row of a problem."""
    if solver not in found:
        return ["too wide", "", "", ""]
    fits, auto = found[solver], found["auto"]
    gap = f"{(fits.objective - lowest) / fits.target:.1g}"
    ratio = statistics.median(np.divide(fits.seconds, auto.seconds))
    return [
        gap if fits.converged else f"not, {gap}",
        f"{fits.passes:.0f}",
        f"{statistics.median(fits.seconds):.2g}",
        f"{ratio:.2f}",
    ]


def summary(found: dict[str, dict[str, Fits]], solver: str) -> str:
    """Return the geometric means of the ratios of passes and seconds, over all problems."""
    both = [fits for fits in found.values() if solver in fits]
    passes = [fits[solver].passes / fits["auto"].passes for fits in both]
    seconds = [
        statistics.median(np.divide(fits[solver].seconds, fits["auto"].seconds)) for fits in both
    ]
    less, faster = (np.exp(np.mean(np.log(ratios))) for ratios in (passes, seconds))
    return f"{solver}: {len(both)} problems, {less:.2f} of the passes, {faster:.2f} of the seconds"


def main() -> None:
    """Fit, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="")
    parser.add_argument("--quick", action="store_true")
    settings = parser.parse_args()
    print("| problem | passes | seconds |", end="")
    print("".join(f" {solver}: gap | passes | seconds | ratio |" for solver in SOLVERS[1:]))
    print("|---" * (3 + 4 * (len(SOLVERS) - 1)) + "|")
    everything: dict[str, dict[str, Fits]] = {}
    for problem, X, y in available(settings.only):
        if problem.slow and settings.quick:
            continue
        found, lowest = compare(problem, X, y)
        everything[problem.name] = found
        row = [problem.name, *cells(found, "auto", lowest)[1:3]]
        row += [cell for solver in SOLVERS[1:] for cell in cells(found, solver, lowest)]
        print("| " + " | ".join(row) + " |", flush=True)
    for solver in SOLVERS[1:]:
        print(summary(everything, solver))


if __name__ == "__main__":
    main()
