"""What each constant of the engine does: move it, and compare seconds, passes and gaps.

Run ``python tests/benchmarks/bench_tuning.py --quick``. Each constant of
`skxent.likelihood.tuning` is moved down and up: to a half and twice its value, or to a tenth and
ten times if it is a tolerance. Each problem is then fitted again. The table has one row for a move:

* *other fits*: problems whose coefficients are not the same bits as without the move;
* *seconds*, *passes*: geometric mean over these problems, relative to the fit without the move;
  seconds are those of the processor, in all threads;
* *worst*: the largest ratio of seconds, and its problem;
* *gap*: the largest distance from the lowest objective known, in units of the target gap.

``--only TEXT`` chooses constants by name, ``--unused`` lists those that change no fit.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from problems import Problem, available, generated, problems

from skxent import SoftmaxClassifier
from skxent.likelihood import tuning

QUICK = "iris", "iris, std", "wine", "breast_cancer", "digits", "smarket", "cells", "fertility"
TOLERANCE = 1e-5  # a smaller constant is moved by a factor of ten
REPEATS = 3
SLACK = 1e-3  # seconds; a fit that takes less is compared with this


@dataclass(frozen=True)
class Constant:
    """A number of `tuning`."""

    name: str

    @property
    def value(self) -> Any:
        return getattr(tuning, self.name)

    def moves(self) -> tuple[Any, Any]:
        """Smaller and larger values, of the same type."""
        factor = 10.0 if isinstance(self.value, float) and self.value < TOLERANCE else 2.0
        kind = type(self.value)
        return kind(self.value / factor), kind(self.value * factor)

    @contextmanager
    def moved(self, value: Any) -> Iterator[None]:
        before = self.value
        setattr(tuning, self.name, value)
        try:
            yield
        finally:
            setattr(tuning, self.name, before)


def constants(only: str) -> Iterator[Constant]:
    """All of them, in their order."""
    for name in vars(tuning):
        if name.isupper() and name != "EPS" and only in name:
            yield Constant(name)


def hard_problems() -> Iterator[Problem]:
    """Small data for what real data rarely needs: no penalty, extreme entries, sparse rows."""
    rng = np.random.default_rng(0)
    X, y = generated(300, 8, 3, strength=2.0)

    def placeholder() -> tuple[np.ndarray, np.ndarray]:
        Z = X.copy()
        Z[5, :2] = 1e9
        return Z, y

    def dependent() -> tuple[np.ndarray, np.ndarray]:
        return np.column_stack([X, X[:, 0] + X[:, 1]]), y

    def rare_words() -> tuple[Any, np.ndarray]:
        W = sp.random_array((2000, 3000), density=0.01, rng=rng, format="csr")
        return W, (W[:, :50].sum(axis=1) + 0.1 * rng.standard_normal(2000) > 0.25).astype(int)

    yield Problem("no penalty", lambda: (X, y), C=np.inf)
    yield Problem("separable, no penalty", lambda: (X, (X[:, 0] > 0).astype(int)), C=np.inf)
    yield Problem("dependent columns, no penalty", dependent, C=np.inf)
    yield Problem("placeholder", placeholder, C=1e6)
    yield Problem("placeholder, no penalty", placeholder, C=np.inf)
    yield Problem("nearly separable", lambda: generated(3000, 20, 4, strength=40.0), C=1e4)
    yield Problem("30 classes", lambda: generated(2000, 50, 30))
    yield Problem("wide", lambda: generated(100, 2000, 3))
    yield Problem("sparse", rare_words)
    yield Problem("raw", lambda: generated(20_000, 20, 2, raw=True))
    yield Problem("20k x 20, 6", lambda: generated(20_000, 20, 6))


def chosen(names: Sequence[str]) -> Iterator[tuple[Problem, Any, np.ndarray]]:
    """Problems of the suite by name, with their data."""
    for name in names:
        yield from (found for found in available(name) if found[0].name == name)


@dataclass(frozen=True)
class Fitted:
    """One fit."""

    coef: bytes
    objective: float
    target: float
    passes: float
    seconds: float


def fit(problem: Problem, X: Any, y: np.ndarray, repeats: int, **settings: Any) -> Fitted:
    """Fit, a few times for the seconds."""
    best = np.inf
    for _ in range(repeats):
        clf = SoftmaxClassifier(C=problem.C, **settings)
        begin = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            clf.fit(X, y)
        best = min(best, time.process_time() - begin)
    return Fitted(clf.coef_.tobytes(), clf.objective_, clf.target_gap_, clf.n_passes_, best)


def compare(constant: Constant, value: Any, data: list[Any]) -> str | None:
    """A row of the table; None if no fit is another one."""
    ratios, gaps = {}, [0.0]
    failures = []
    for problem, X, y, plain, lowest in data:
        with constant.moved(value):
            try:
                other = fit(problem, X, y, 1)
                if other.coef == plain.coef and other.passes == plain.passes:
                    continue
                other = fit(problem, X, y, REPEATS)
            except Exception as error:  # a move may break a fit, which is a result
                failures.append(f"{problem.name}: {type(error).__name__}")
                continue
        seconds = max(other.seconds, SLACK) / max(plain.seconds, SLACK)
        ratios[problem.name] = seconds, other.passes / plain.passes
        gaps.append((other.objective - lowest) / plain.target)
    if not ratios and not failures:
        return None
    row = f"| `{constant.name}` | {constant.value:g} | {value:g} | {len(ratios)} |"
    if ratios:
        seconds, passes = np.exp(np.mean(np.log(list(ratios.values())), axis=0))
        worst = max(ratios, key=lambda name: ratios[name][0])
        row += f" {seconds:.2f} | {passes:.2f} | {ratios[worst][0]:.2f}, {worst} |"
    else:
        row += " | | |"
    return f"{row} {max(gaps):.2g} | {'; '.join(failures)} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--unused", action="store_true")
    settings = parser.parse_args()
    data = []
    suite = QUICK if settings.quick else [problem.name for problem in problems()]
    for problem, X, y in [*chosen(suite), *((p, *p.load()) for p in hard_problems())]:
        plain = fit(problem, X, y, REPEATS)
        lowest = min(plain.objective, fit(problem, X, y, 1, tol=1e-10).objective)
        data.append((problem, X, y, plain, lowest))
        print(f"{problem.name}: {plain.seconds:.4f} s, {plain.passes:.4g} passes", flush=True)
    print("\n| constant | value | moved to | other fits | seconds | passes | worst | gap | fails |")
    print("|---|---|---|---|---|---|---|---|---|")
    unused = []
    for constant in constants(settings.only):
        rows = [compare(constant, value, data) for value in constant.moves()]
        for row in rows:
            if row is not None and not settings.unused:
                print(row, flush=True)
        if rows == [None, None]:
            unused.append(constant.name)
    print("\nNo fit changes with: " + ", ".join(f"`{name}`" for name in unused) + ".")


if __name__ == "__main__":
    main()
