"""Seconds to the optimum, against whatever else a scikit-learn user can fit.

Run ``python tests/benchmarks/bench_fits.py`` with the extra `bench` installed; ``--only TEXT``
chooses problems by name, ``--quick`` leaves the slow ones out, ``--out NAME`` writes NAME.json and
NAME.png.

Every rival runs on the same data in the same process with the same threads, over a ladder of
tolerances with many iterations allowed, until it is within 1e-8 of the optimum (relative, or in
nats where that is below one) or its time for all of them is up. A run that fails or does not get
there is shown as such. The runs that decide, those of skxent, of the defaults and of the fastest
rivals, are repeated in turn and their medians taken.
"""

from __future__ import annotations

import argparse
import json
import signal
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import scipy.sparse as sp
from problems import Problem, available
from sklearn.linear_model import LogisticRegression

from skxent import SoftmaxClassifier

DISTANCES = (1e-2, 1e-4, 1e-6, 1e-8)
LADDER = (1e-2, 1e-4, 1e-6, 1e-8, 1e-10)
REPEATS = 15
PAUSE = 0.15  # seconds before a repeat: threads of BLAS wait busily for so long after the last fit
ENOUGH = 1.5  # seconds of repeats of one fit
NEAR = 3.0  # times as slow as the fastest rival that gets there, and still repeated


class TimeUpError(Exception):
    """A rival took too long."""


@dataclass
class Run:
    """One rival at one tolerance."""

    rival: str
    tol: float | None
    seconds: float
    value: float
    distance: float = np.nan


@dataclass
class Result:
    """What happened on one problem."""

    name: str
    n: int
    d: int
    K: int
    optimum: float
    passes: float
    gap: float
    true_gap: float
    warned: bool
    curve: list[list[float]]
    runs: list[Run] = field(default_factory=list)

    def seconds_to(self, rival: Callable[[str], bool], distance: float) -> float:
        """Seconds of the fastest run that is near enough, infinite if there is none."""
        times = [r.seconds for r in self.runs if rival(r.rival) and r.distance <= distance]
        return min(times, default=np.inf)


def objective(X: Any, y: np.ndarray, coef: np.ndarray, intercept: np.ndarray, C: float) -> float:
    """The penalised negative log-likelihood, written plainly."""
    total = 0.0
    for rows in (slice(i, i + 20_000) for i in range(0, X.shape[0], 20_000)):
        Z = X[rows] @ coef.T + intercept
        if Z.shape[1] == 1:
            total += np.logaddexp(0.0, np.where(y[rows] == 1, -Z[:, 0], Z[:, 0])).sum()
        else:
            top = Z.max(axis=1)
            lse = top + np.log(np.exp(Z - top[:, None]).sum(axis=1))
            total += (lse - Z[np.arange(len(Z)), y[rows]]).sum()
    return float(total) + float(np.sum(coef**2)) / (2 * C)


def rivals(X: Any, y: np.ndarray, C: float) -> Iterator[tuple[str, Callable[[float], Any]]]:
    """Name and function of a tolerance that fits, for all that apply."""
    n, d = X.shape
    K = int(y.max()) + 1
    width = d if K == 2 else d * K
    for solver in ("lbfgs", "newton-cg", "newton-cholesky", "sag", "saga"):
        if solver == "newton-cholesky" and (sp.issparse(X) or width > 6000):
            continue
        if solver in ("sag", "saga") and n * d * K > 5e7:
            continue
        many = 10_000 if solver == "lbfgs" else 1000

        def fit(tol: float, solver: str = solver, many: int = many) -> Any:
            return LogisticRegression(C=C, solver=solver, tol=tol, max_iter=many).fit(X, y)

        yield solver, fit
    try:
        from sklearnex.linear_model import LogisticRegression as IntelLogisticRegression

        yield (
            "intelex",
            lambda tol: IntelLogisticRegression(C=C, tol=tol, max_iter=10_000).fit(X, y),
        )
    except ImportError:
        pass
    if K == 2:
        try:
            from glum import GeneralizedLinearRegressor

            def glum(tol: float) -> Any:
                model = GeneralizedLinearRegressor(
                    family="binomial",
                    alpha=1 / (C * n),
                    l1_ratio=0,
                    gradient_tol=tol,
                    max_iter=1000,
                )
                model.fit(X, y.astype(float))
                model.coef_ = model.coef_[None]
                return model

            yield "glum", glum
        except ImportError:
            pass


def timed(fit: Callable[[], Any], limit: float) -> tuple[Any, float]:
    """Fit with a limit on the time."""

    def ring(*_: Any) -> None:
        raise TimeUpError

    signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, limit)
    try:
        begin = time.perf_counter()
        model = fit()
        return model, time.perf_counter() - begin
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def measure(problem: Problem, X: Any, y: np.ndarray, limit: float) -> Result:
    """Run everything on one problem."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ours, seconds = timed(lambda: SoftmaxClassifier(C=problem.C).fit(X, y), 600)
    warned = bool(caught)
    limit = min(limit, max(5.0, 40 * seconds))

    def value(model: Any) -> float:
        return objective(X, y, np.atleast_2d(model.coef_), np.ravel(model.intercept_), problem.C)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exact = SoftmaxClassifier(C=problem.C, tol=1e-12, warm_start=True)
        exact.coef_, exact.intercept_ = ours.coef_, ours.intercept_
        optimum = value(exact.fit(X, y))
        mine = value(ours)
        result = Result(
            problem.name, *X.shape, int(y.max()) + 1, optimum, ours.n_passes_,
            ours.optimality_gap_, mine - optimum, warned, ours.objective_curve_.tolist(),
        )  # fmt: skip
        fits: list[tuple[str, float | None, Callable[[], Any]]] = [
            ("skxent", None, lambda: SoftmaxClassifier(C=problem.C).fit(X, y)),
            ("default", None, lambda: LogisticRegression(C=problem.C).fit(X, y)),
        ]
        for name, fit in rivals(X, y, problem.C):
            left = limit
            for tol in LADDER:
                run = attempt(name, tol, lambda fit=fit, tol=tol: fit(tol), value, left)
                result.runs.append(run)
                left -= run.seconds
                if not np.isfinite(run.value) or left <= 0:
                    break
                fits.append((name, tol, lambda fit=fit, tol=tol: fit(tol)))
                if (run.value - optimum) <= 1e-8 * abs(optimum):
                    break
        result.optimum = min([optimum, *(r.value for r in result.runs if np.isfinite(r.value))])
        repeat(result, fits, value, limit)
    for run in result.runs:
        run.distance = (run.value - result.optimum) / max(abs(result.optimum), 1.0)
    return result


def attempt(
    name: str, tol: float | None, fit: Callable[[], Any], value: Callable, limit: float
) -> Run:
    """One run; a failure has no value and no end."""
    try:
        model, seconds = timed(fit, limit)
        return Run(name, tol, seconds, value(model))
    except TimeUpError:
        return Run(f"{name} (time up)", tol, np.inf, np.nan)
    except Exception as error:
        return Run(f"{name} ({type(error).__name__})", tol, np.inf, np.nan)


def repeat(result: Result, fits: list, value: Callable, limit: float) -> None:
    """Medians of runs in turn, of all that are short and of the two that are always wanted."""
    seconds: dict[tuple[str, float | None], list[float]] = {}
    first = {(r.rival, r.tol): r.seconds for r in result.runs}
    close = result.optimum + 1e-6 * max(abs(result.optimum), 1.0)
    fastest = min((r.seconds for r in result.runs if r.value <= close), default=np.inf)
    fits = [fit for fit in fits if first.get(fit[:2], 0.0) <= NEAR * fastest]
    for _ in range(REPEATS):
        for name, tol, fit in fits:
            key = (name, tol)
            if sum(seconds.get(key, [first.get(key, 0.0)])) > ENOUGH:
                continue
            time.sleep(PAUSE)
            run = attempt(name, tol, fit, value, 600 if name == "skxent" else limit)
            seconds.setdefault(key, []).append(run.seconds)
            if key not in first:
                first[key] = 0.0
                result.runs.append(run)
    for run in result.runs:
        if (run.rival, run.tol) in seconds:
            run.seconds = statistics.median(seconds[run.rival, run.tol])


def line(r: Result) -> str:
    """One line of the table."""
    ours = r.seconds_to(lambda name: name == "skxent", 1e-6)
    peers = [x for x in r.runs if x.rival not in ("skxent", "default")]
    fastest = min((x for x in peers if x.distance <= 1e-6), key=lambda x: x.seconds, default=None)
    plain = next((x for x in r.runs if x.rival == "default"), None)
    shown = f"{fastest.rival} {fastest.seconds:.4g} s" if fastest else "none gets there"
    ratio = f"{fastest.seconds / ours:.3g}" if fastest else "inf"
    default = (
        f"{plain.seconds:.4g} s, {plain.distance:.0e}, {plain.seconds / ours:.3g}"
        if plain else "failed"
    )  # fmt: skip
    gap = f"{r.gap:.0e}/{r.true_gap:.0e}"
    return (
        f"{r.name:22s} {r.n:>8d} x {r.d:<6d} {r.K:>4d}  {ours:8.4g} s {r.passes:6.1f} passes "
        f"gap {gap:14s}{'WARNED ' if r.warned else ''}| {shown:28s} {ratio:>7s} | {default}"
    )


def summary(results: list[Result]) -> str:
    """Geometric means of the ratios, over problems where the rival has one."""

    def mean(ratios: list[float]) -> str:
        finite = [x for x in ratios if np.isfinite(x)]
        if not finite:
            return "no ratio"
        return f"{np.exp(np.mean(np.log(finite))):.3g} over {len(finite)}, least {min(finite):.3g}"

    def ratios(rival: Callable[[str], bool], distance: float) -> list[float]:
        return [
            r.seconds_to(rival, distance) / r.seconds_to(lambda name: name == "skxent", 1e-6)
            for r in results
        ]

    peers = ratios(lambda name: name not in ("skxent", "default"), 1e-6)
    return (
        f"fastest rival that gets within 1e-6: geometric mean {mean(peers)}; "
        f"none gets there on {sum(np.isinf(x) for x in peers)} of {len(peers)}\n"
        f"LogisticRegression at its defaults, wherever it ends: "
        f"{mean(ratios(lambda name: name == 'default', np.inf))}"
    )


def draw(results: list[Result], path: str) -> None:
    """Distance against seconds and against passes."""
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(len(results), 2, figsize=(10, 2.6 * len(results)), squeeze=False)
    for row, r in zip(axes, results, strict=True):
        for name in sorted({x.rival for x in r.runs}):
            runs = [x for x in r.runs if x.rival == name and x.distance > -1]
            row[0].loglog(
                [x.seconds for x in runs], [max(x.distance, 1e-14) for x in runs], "o-", label=name
            )
        curve = np.array(r.curve).reshape(-1, 2)
        gap = np.maximum((curve[:, 1] - r.optimum) / abs(r.optimum), 1e-14)
        row[1].semilogy(curve[:, 0], gap, "o-")
        row[0].set(title=r.name, xlabel="seconds", ylabel="relative distance")
        row[1].set(xlabel="passes over X")
        row[0].legend(fontsize=6)
    plt.tight_layout()
    plt.savefig(path, dpi=80)


def main() -> None:
    """Run the suite."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds a rival may take")
    parser.add_argument("--out", default="")
    options = parser.parse_args()
    results = []
    for problem, X, y in available(options.only):
        if options.quick and problem.slow:
            continue
        results.append(measure(problem, X, y, options.limit))
        print(line(results[-1]), flush=True)
        if options.out:
            with open(f"{options.out}.json", "w") as file:
                json.dump([asdict(r) for r in results], file, indent=1)
    print(summary(results))
    if options.out:
        draw(results, f"{options.out}.png")


if __name__ == "__main__":
    main()
