"""Seconds to the optimum, against whatever else a scikit-learn user can fit.

Run ``python tests/benchmarks/bench_fits.py`` with the extra `bench` installed; ``--only TEXT``
chooses problems by name, ``--quick`` leaves the slow ones out, ``--out NAME.json`` writes the
results, and ``--page`` writes docs/_static/speed.json and makes docs/speed.md of it.

Every rival runs on the same data in the same process with as many threads, over a ladder of
tolerances with many iterations allowed, until it is within 1e-6 of the optimum (relative, or in
nats where that is below one). Its objective is computed here, from its coefficients. A run that
fails or does not get there is shown as such. The runs that decide, those of skxent, of the defaults
and of the fastest rivals, are repeated in turn and their medians taken.

With one thread, seconds are processor time. Each run of a rival has a time limit, which depends on
the problem (race_limits.py). ``--minutes`` makes all limits longer or shorter, and is about the
length of a whole run. The fastest decides, so a run also ends when it is slower than the fastest
rival that has arrived. It does not on the problems of which the page shows curves.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import race_results
import scipy.sparse as sp
import speed_page
from fit_process import GRACE, CrashedError, FitProcess, TimeUpError
from problems import Problem, available, problems
from race_conditions import conditions
from race_limits import MINUTES, limit_rules, run_limit
from rivals import NotRaced

NEAR_ENOUGH = 1e-6  # distance from the optimum at which a problem counts as solved
LADDER = (1e-2, 1e-4, 1e-6, 1e-8, 1e-10)
OUR_LADDER = (1e2, 1.0, 1e-2, 1e-4, 1e-6, 1e-8)  # nats, for curves
CURVES = ("breast_cancer", "digits", "diamonds", "babynames")  # problems of which curves are drawn
REPEATS = 15
CURVE_REPEATS = 3
PAUSE = 0.15  # seconds before a repeat: threads of BLAS wait busily for so long after the last fit
ENOUGH = 3.0  # seconds of repeats of one problem
COMPARED = 1.5  # times as slow as the fastest rival that gets there, and still repeated
BEATEN = 1.2  # times as slow as the fastest rival that gets there, and ended,
MARGIN = 0.05  # after so many seconds more, so that short runs end by themselves
LATE = 1.05  # times its limit, and a run that could not be interrupted counts as ended by it
QUICK = 0.1  # seconds of a run that is done twice: the first fit of a library takes longer
DEFAULT = 10.0  # seconds that LogisticRegression at its defaults has
OURS = 900.0  # seconds that a fit of skxent may take


@dataclass
class Run:
    """One rival at one tolerance; `end` is empty, or says why the run has no value."""

    rival: str
    tol: float | None
    seconds: float
    value: float = np.nan
    iterations: float | None = None
    end: str = ""
    distance: float = np.nan
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, float | None]:
        """What is repeated."""
        return self.rival, self.tol


@dataclass
class Result:
    """What happened on one problem."""

    name: str
    n: int
    d: int
    K: int
    C: float
    sparse: bool
    optimum: float
    seconds: float
    passes: float
    gap: float
    distance: float
    converged: bool
    limit: float
    fastest: tuple[str, float] | None = None
    ratio: float | None = None
    repeats: int = 1
    runs: list[Run] = field(default_factory=list)
    not_raced: dict[str, str] = field(default_factory=dict)
    curve: list[tuple[float, float]] = field(default_factory=list)

    def plain(self) -> dict[str, Any]:
        """For JSON: numbers of four digits, and a list for each run."""
        found = asdict(self) | {
            "runs": [
                [r.rival, r.tol, _short(r.seconds), _short(r.distance), r.iterations, r.end]
                for r in self.runs
            ]
        }
        found["curve"] = [[_short(a), _short(b)] for a, b in self.curve]
        for name in ("seconds", "passes", "gap", "distance", "limit", "ratio", "C"):
            found[name] = _short(found[name])
        return found


def _short(x: float | None) -> float | None:
    return None if x is None or not np.isfinite(x) else float(f"{x:.4g}")


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


@dataclass
class Race:
    """One problem, and the process in which it is fitted."""

    problem: Problem
    X: Any
    y: np.ndarray
    process: FitProcess

    def attempt(self, name: str, tol: float | None, limit: float) -> Run:
        """One run; a failure has no value."""
        try:
            fitted, seconds, details = self.process.fit(name, tol, limit)
        except TimeUpError:
            return Run(name, tol, np.inf, end="time up")
        except CrashedError:
            return Run(name, tol, np.inf, end="crashed")
        except RuntimeError as error:
            return Run(name, tol, np.inf, end=f"failed: {error}")
        value = objective(self.X, self.y, fitted.coef, fitted.intercept, self.problem.C)
        end = details["end"] if np.isfinite(value) else "failed: not finite"
        if not end and seconds > LATE * limit:
            end = "time up"
        return Run(name, tol, seconds, value, fitted.iterations, end, details=details)

    def result(self, minutes: float) -> Result:
        """Run everything."""
        names = self.process.load(self.X, self.y, self.problem.C)
        first = self.attempt("skxent", None, OURS)
        if first.end:
            raise RuntimeError(f"the fit of skxent on {self.problem.name} ended with: {first.end}")
        exact = self.attempt("exact", None, OURS)
        classes = int(self.y.max()) + 1
        result = Result(
            self.problem.name, *self.X.shape, classes, self.problem.C,
            sp.issparse(self.X), 0.0, first.seconds, first.details["passes"], first.details["gap"],
            0.0, bool(first.details["converged"]),
            run_limit(self.problem.name, self.X, classes, first.seconds, minutes),
        )  # fmt: skip
        result.not_raced = {r.name: r.reason for r in names if isinstance(r, NotRaced)}
        optimum = np.nanmin([first.value, exact.value])
        default = self.attempt("default", None, max(DEFAULT, result.limit))
        raced = [name for name in names if isinstance(name, str)]
        runs = self.ladders(raced, optimum, result.limit)
        if self.problem.name in CURVES:
            runs = [self.attempt("skxent", tol, OURS) for tol in OUR_LADDER] + runs
            self.steady(runs)
        result.runs = [first, default, *runs]
        result.optimum = float(np.nanmin([optimum, *(r.value for r in result.runs)]))
        for run in result.runs:
            run.distance = (run.value - result.optimum) / max(abs(result.optimum), 1.0)
        result.distance = first.distance
        if self.problem.name in CURVES:
            above = [(p, (v - result.optimum) / result.optimum) for p, v in first.details["curve"]]
            result.curve = [point for point in above if point[1] > 0]
        self.repeat(result, first)
        return result

    def ladders(self, names: list[str], optimum: float, limit: float) -> list[Run]:
        """All rivals at all tolerances. Each run has the whole limit, whoever ran before."""
        whole = self.problem.name in CURVES
        fastest, runs = np.inf, []
        for name in names:
            last = None
            for tol in LADDER:
                allowed = limit if whole else min(limit, BEATEN * fastest + MARGIN)
                run = self.quick(self.attempt(name, tol, allowed), allowed)
                if run.end == "time up" and allowed < limit:
                    run.end = "slower"
                runs.append(run)
                distance = (run.value - optimum) / max(abs(optimum), 1.0)
                if distance <= NEAR_ENOUGH:
                    fastest = min(fastest, run.seconds)
                enough = 1e-8 if whole else NEAR_ENOUGH
                if run.end or distance <= enough or run.value == last:
                    break
                last = run.value
        return runs

    def quick(self, run: Run, limit: float) -> Run:
        """The run; if it was short, with its seconds when the library has run before."""
        if not run.end and run.seconds < QUICK:
            again = self.attempt(run.rival, run.tol, limit)
            if again.value == run.value:
                run.seconds = min(run.seconds, again.seconds)
        return run

    def steady(self, runs: list[Run]) -> None:
        """Medians of all runs that have an end, for curves; in turn, with skxent's among them."""
        runs = [r for r in runs if np.isfinite(r.seconds) and r.seconds < ENOUGH / 3]
        turns = [
            [self.attempt(r.rival, r.tol, 10 * r.seconds + 1).seconds for r in runs]
            for _ in range(CURVE_REPEATS)
        ]
        for run, *times in zip(runs, *turns, strict=True):
            run.seconds = statistics.median(times)

    def repeat(self, result: Result, first: Run) -> None:
        """Medians of runs in turn; the ratio is the median of the ratios within a turn."""
        there = [r for r in result.runs if r.rival not in ("skxent", "default")]
        there = [r for r in there if r.distance <= NEAR_ENOUGH]
        fastest = min((r.seconds for r in there), default=np.inf)
        near = [r for r in there if r.seconds <= COMPARED * fastest]
        default = [r for r in result.runs if r.rival == "default" and np.isfinite(r.seconds)]
        runs = [first, *near, *(r for r in default if r.seconds <= 3 * first.seconds)]
        turns = [{r.key: r.seconds for r in runs}]
        spent, turn = 0.0, sum(r.seconds for r in runs)
        while len(turns) <= REPEATS and spent + turn / 2 < ENOUGH:
            turns.append({})
            for run in runs:
                time.sleep(PAUSE if self.process.threads > 1 else 0.0)
                again = self.attempt(run.rival, run.tol, 10 * run.seconds + 1)
                turns[-1][run.key] = again.seconds
                spent += again.seconds
        turns = [t for t in turns if all(map(np.isfinite, t.values()))]
        # The first turn has what a library does only once.
        turns = turns[1:] if len(turns) > 3 else turns
        result.repeats = len(turns)
        for run in runs:
            run.seconds = statistics.median(t[run.key] for t in turns)
        result.seconds = first.seconds
        if near:
            best = min(near, key=lambda r: r.seconds)
            result.fastest = (best.rival, best.tol)
            result.ratio = statistics.median(t[best.key] / t[first.key] for t in turns)


def line(r: Result) -> str:
    """One line of the table."""
    gap = f"{r.gap:.0e}/{r.distance:.0e}"
    shown, ratio = "none gets there", "inf"
    if r.fastest:
        run = next(x for x in r.runs if x.key == r.fastest)
        shown, ratio = f"{run.rival} {run.tol:.0e} {run.seconds:.4g} s", f"{r.ratio:.3g}"
    default = next(x for x in r.runs if x.rival == "default")
    return (
        f"{r.name:22s} {r.n:>8d} x {r.d:<6d} {r.K:>4d}  {r.seconds:8.4g} s {r.passes:6.1f} passes "
        f"gap/distance {gap:14s}{'' if r.converged else 'WARNED '}| {shown:34s} {ratio:>7s} | "
        f"default {default.seconds:.4g} s, {default.distance:.0e}"
    )


def summary(results: list[Result]) -> str:
    """Geometric mean of the ratios, over problems where a rival has one."""
    ratios = [r.ratio for r in results if r.ratio]
    if not ratios:
        return "no rival gets within 1e-6 of any optimum"
    return (
        f"fastest rival that gets within 1e-6: geometric mean "
        f"{np.exp(np.mean(np.log(ratios))):.3g} over {len(ratios)}, least {min(ratios):.3g}; "
        f"none gets there on {len(results) - len(ratios)} of {len(results)}"
    )


def write(path: str, made: dict[str, Any], results: list[Result]) -> None:
    """The results as JSON, one problem a line; problems without a result are named."""
    left_out = {p.name: None for p in problems()}.keys() - {r.name for r in results}
    made = made | {"left_out": sorted(left_out)}
    lines = ",\n".join(json.dumps(r.plain(), separators=(",", ":")) for r in results)
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'{{"made":{json.dumps(made)},\n"problems":[\n{lines}\n]}}\n')


def main() -> None:
    """Run the suite."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="problems whose names contain this text")
    parser.add_argument("--quick", action="store_true", help="leave out slow problems")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="about how long it may take")
    parser.add_argument("--threads", type=int, default=1, help="threads of each library")
    parser.add_argument("--out", default="", help="file of the results, JSON")
    parser.add_argument("--page", action="store_true", help="make docs/speed.md")
    options = parser.parse_args()
    if options.page and (options.only or options.quick):
        parser.error("--page is for a run of all problems, without --only and --quick")
    out = str(race_results.RESULTS) if options.page else options.out
    made = conditions(options.threads, options.minutes)
    made["rules"] = {
        "ladder": LADDER,
        "our_ladder": OUR_LADDER,
        "repeats": REPEATS,
        "beaten": BEATEN,
        "margin": MARGIN,
        "grace": GRACE,
        "limit": limit_rules(options.minutes),
    }
    process, begin = FitProcess(options.threads), time.perf_counter()
    results, failures = [], []
    for problem, X, y in available(options.only):
        if options.quick and problem.slow:
            continue
        try:
            results.append(Race(problem, X, y, process).result(options.minutes))
        except (RuntimeError, CrashedError, TimeUpError) as error:
            failures.append(f"{problem.name}: {error!r}")
            print(failures[-1], flush=True)
            continue
        print(line(results[-1]), flush=True)
        made["took"] = round((time.perf_counter() - begin) / 60)
        made["busy"] = max(made["busy"], round(os.getloadavg()[0], 1))
        if out:
            write(out, made, results)
    process.end()
    print(summary(results))
    if failures:
        raise SystemExit("\n".join(["No page was made. These problems failed:", *failures]))
    if options.page:
        speed_page.main()


if __name__ == "__main__":
    main()
