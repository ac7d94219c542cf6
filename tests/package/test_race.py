"""The race: its objective, its process that can be ended, and a whole run on a small problem."""

import importlib
import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.special import log_softmax, softmax
from sklearn.datasets import load_breast_cancer, load_iris

from skxent import SoftmaxClassifier

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))
try:
    bench_fits = importlib.import_module("bench_fits")
    fit_process = importlib.import_module("fit_process")
    race_limits = importlib.import_module("race_limits")
    race_results = importlib.import_module("race_results")
    rivals = importlib.import_module("rivals")
finally:
    sys.path.remove(str(BENCHMARKS))


@pytest.fixture
def process(monkeypatch):
    """A process that is ended after the test."""
    monkeypatch.syspath_prepend(BENCHMARKS)  # the process has the same path
    for name in fit_process.THREADS:
        monkeypatch.setenv(name, "1")
    process = fit_process.FitProcess(1)
    yield process
    process.end()


@pytest.mark.parametrize("C", [0.5, np.inf])
def test_the_objective_is_that_of_the_classifier(C):
    rng = np.random.default_rng(0)
    X, coef, intercept = rng.normal(size=(50, 3)), rng.normal(size=(4, 3)), rng.normal(size=4)
    y = rng.integers(4, size=50)
    losses = -log_softmax(X @ coef.T + intercept, axis=1)[np.arange(50), y]
    expected = losses.sum() + (coef**2).sum() / (2 * C)
    assert bench_fits.objective(X, y, coef, intercept, C) == pytest.approx(expected, rel=1e-13)
    # One logit and two logits with a difference are the same model of two classes.
    two = np.where(y > 1, 1, 0)
    P = softmax(np.column_stack([np.zeros(50), X @ coef[0] + 0.3]), axis=1)
    expected = -np.log(P[np.arange(50), two]).sum() + (coef[0] ** 2).sum() / (2 * C)
    found = bench_fits.objective(X, two, coef[:1], np.array([0.3]), C)
    assert found == pytest.approx(expected, rel=1e-13)


class Ladders(bench_fits.Race):
    """A race of solvers whose seconds and distances are known; the optimum is 0."""

    def __init__(self, solvers, name="a problem"):
        super().__init__(bench_fits.Problem(name, lambda: None), None, None, None)
        self.solvers, self.allowed = solvers, {}

    def attempt(self, name, tol, limit):
        self.allowed.setdefault(name, []).append(limit)
        seconds, distance = self.solvers[name][tol]
        if seconds > limit:
            return bench_fits.Run(name, tol, np.inf, end="time up")
        return bench_fits.Run(name, tol, seconds, distance)

    def outcomes(self, names, limit=5.0):
        runs = self.ladders(names, 0.0, limit)
        for run in runs:
            run.distance = run.value
        plain = [[r.rival, r.tol, r.seconds, r.distance, None, r.end] for r in runs]
        plain = [[*run[:3], None if np.isnan(run[3]) else run[3], *run[4:]] for run in plain]
        return race_results.Raced({"runs": plain}).outcomes()


def climbing(*seconds, there=np.inf):
    """A solver that takes these seconds; it solves the problem from the tolerance `there` on."""
    return {
        tol: (s, 1e-7 if tol <= there else tol**0.25)
        for tol, s in zip(bench_fits.LADDER, seconds, strict=True)
    }


SOLVERS = {
    "stuck": climbing(4.0, 4.5, 4.9, 9.0, 9.0, there=0.0),
    "endless": climbing(9.0, 9.0, 9.0, 9.0, 9.0, there=0.0),
    "late": climbing(4.0, 4.4, 4.8, 5.0, 5.1, there=1e-6),
    "late too": climbing(3.0, 4.9, 5.0, 5.0, 5.1, there=1e-4),
}


@pytest.mark.parametrize("names", [list(SOLVERS), list(SOLVERS)[::-1]])
def test_a_rival_has_its_whole_limit_wherever_it_stands(names):
    race = Ladders(SOLVERS)
    found = race.outcomes(names)
    assert found["late"] == found["late too"] == "there"
    assert found["stuck"] == found["endless"] == "time up"
    for allowed in race.allowed.values():
        assert set(allowed) == {5.0}


def test_a_rival_is_ended_when_another_was_faster():
    race = Ladders(SOLVERS | {"fast": climbing(0.5, 1.0, 1.5, 2.0, 2.5, there=1e-4)})
    found = race.outcomes(["late", "fast", "late too", "endless"])
    assert found == {"late": "there", "fast": "there", "late too": "slower", "endless": "slower"}
    assert race.allowed["late"] == [5.0] * 3
    assert race.allowed["late too"] == [pytest.approx(1.2 * 1.0 + bench_fits.MARGIN)]
    # A rival whose limit ends it is not called slower.
    found = Ladders(SOLVERS).outcomes(["late", "endless"], limit=4.9)
    assert found == {"late": "there", "endless": "time up"}


def test_no_rival_is_ended_early_where_curves_are_drawn():
    race = Ladders(SOLVERS | {"fast": climbing(0.5, 1.0, 1.5, 2.0, 2.5, there=1e-4)}, "digits")
    found = race.outcomes(["fast", "late"])
    assert found == {"fast": "there", "late": "there"}
    assert set(race.allowed["late"]) == {5.0}


def test_a_short_run_has_the_seconds_of_a_second_one():
    class Warm(Ladders):
        def attempt(self, name, tol, limit):
            run = super().attempt(name, tol, limit)
            run.seconds *= 1 if len(self.allowed[name]) % 2 else 0.5
            return run

    runs = Warm({"a": climbing(0.02, 0.04, 0.2, 0.3, 0.3, there=1e-6)}).ladders(["a"], 0.0, 5.0)
    assert [run.seconds for run in runs] == [0.01, 0.02, 0.2]


@pytest.mark.parametrize(("seconds", "end"), [(1.9, ""), (2.05, ""), (2.5, "time up")])
def test_a_run_that_could_not_be_interrupted_is_late(seconds, end):
    class Process:
        def fit(self, name, tol, limit):
            return rivals.Fitted(np.zeros((1, 2)), np.zeros(1), 3.0), seconds, {"end": ""}

    problem = bench_fits.Problem("a problem", lambda: None)
    race = bench_fits.Race(problem, np.ones((4, 2)), np.array([0, 1, 0, 1]), Process())
    run = race.attempt("a solver", 1e-2, 2.0)
    assert (run.end, run.seconds) == (end, seconds)
    # A late run has a value, and it counts if it solves the problem.
    assert run.value == pytest.approx(4 * np.log(2))


def test_no_problem_is_too_large_for_a_solver_that_has_a_time_limit():
    y = np.arange(2_000_000) % 4
    large = np.broadcast_to(np.float64(0.0), (len(y), 40))
    found = rivals._scikit_learn(large, y, 1.0, ("lbfgs", "sag", "saga"))
    assert [type(r) for r in found] == [rivals.Rival] * 3


def test_limits_follow_from_the_size_of_the_problem():
    X = np.zeros((1000, 500))
    X[:, 0] = 1.0
    small = race_limits.run_limit("a problem", X, 2, 1e-3)
    assert small == pytest.approx(race_limits.FLOOR + 5e5 / race_limits.DENSE)
    # Of two classes one column of coefficients is fitted, of ten classes all.
    many = race_limits.run_limit("a problem", X, 10, 1e-3)
    assert many == pytest.approx(race_limits.FLOOR + 5e6 / race_limits.DENSE)
    sparse = race_limits.run_limit("a problem", sp.csr_matrix(X), 10, 1e-3)
    assert sparse == pytest.approx(race_limits.FLOOR + 1e4 / race_limits.SPARSE)


@pytest.mark.parametrize("name", ["a problem", *race_limits.HARD])
def test_limits_do_not_shrink_when_skxent_becomes_faster(name):
    X = np.zeros((1000, 500))
    limits = [race_limits.run_limit(name, X, 2, ours) for ours in (1.0, 0.1, 1e-3)]
    assert len(set(limits)) == 1
    assert limits[0] >= race_limits.FLOOR
    assert race_limits.run_limit(name, X, 2, 50.0) == race_limits.OURS * 50.0
    half = race_limits.run_limit(name, X, 2, 1e-3, race_limits.MINUTES / 2)
    assert half == pytest.approx(limits[0] / 2)


def test_the_rules_of_the_page_are_those_of_the_limits():
    X = np.zeros((1000, 500))
    for minutes in (race_limits.MINUTES, 10.0):
        rules = race_limits.limit_rules(minutes)
        found = race_limits.run_limit("a problem", X, 2, 1e-3, minutes)
        assert found == pytest.approx(rules["floor"] + 5e5 / rules["dense"])
        found = race_limits.run_limit("a problem", sp.csr_matrix(X + 1), 2, 1e-3, minutes)
        assert found == pytest.approx(rules["floor"] + 5e5 / rules["sparse"])
        for name, seconds in rules["hard"].items():
            assert race_limits.run_limit(name, X, 2, 1e-3, minutes) == pytest.approx(seconds)


def test_hard_problems_are_in_the_race():
    assert set(race_limits.HARD) <= {p.name for p in bench_fits.problems()}


class Compiled:
    """A solver with a clock of its own: so many seconds at the start, and for each iteration."""

    def __init__(self, start, each, needs=10**9, step=1):
        self.now, self.start, self.each, self.needs, self.step = 0.0, start, each, needs, step
        self.asked, self.began = [], []

    def fit(self, tol, most):
        iterations = min(most // self.step * self.step, self.needs)
        self.now += self.start + self.each * iterations
        self.asked.append(most)
        return rivals.Fitted(np.zeros((1, 1)), np.zeros(1), float(iterations))

    def timed(self, monkeypatch, limit, most=5000, compiled=5):
        monkeypatch.setattr(fit_process.time, "process_time", lambda: self.now)
        monkeypatch.setattr(fit_process.signal, "signal", lambda *_: None)
        rival = rivals.Rival("a solver", self.fit, most, compiled)
        begun = lambda: self.began.append(self.now)  # noqa: E731
        return fit_process._timed(rival, 1e-2, limit, 1, fit_process._Alarm(), begun)


@pytest.mark.parametrize(("start", "each"), [(0.0, 0.01), (0.5, 0.01), (0.02, 1e-3), (0.1, 0.15)])
def test_a_compiled_solver_has_the_iterations_that_fit_into_its_limit(monkeypatch, start, each):
    solver = Compiled(start, each, step=5)
    fitted, seconds, details = solver.timed(monkeypatch, 2.0)
    assert details["end"] == "time up"
    assert fitted.iterations == solver.asked[-1]
    assert seconds <= 2.0 + 1e-9
    assert seconds > fit_process.USED * 2.0 or seconds + 5 * each > 2.0
    # The trials that measure the pace are over when the time begins.
    assert solver.began[-1] == pytest.approx(solver.now - seconds)


def test_a_compiled_solver_whose_first_iterations_are_slow_has_more_of_them(monkeypatch):
    class Slow(Compiled):
        def fit(self, tol, most):
            fitted = super().fit(tol, most)
            self.now += 0.02 * min(most, 100)
            return fitted

    solver = Slow(0.0, 1e-3)
    _, seconds, details = solver.timed(monkeypatch, 3.0)
    assert details["end"] == "time up"
    assert fit_process.USED * 3.0 < seconds <= 3.0 + 1e-9
    assert len(solver.began) > 1


def test_a_compiled_solver_that_ends_by_itself_or_has_no_iterations_left(monkeypatch):
    fitted, _, details = Compiled(0.1, 1e-3, needs=600).timed(monkeypatch, 2.0)
    assert (fitted.iterations, details["end"]) == (600, "")
    fitted, _, details = Compiled(0.1, 1e-3).timed(monkeypatch, 20.0)
    assert (fitted.iterations, details["end"]) == (5000, "all iterations used")


@pytest.mark.slow
def test_fits_that_take_too_long_or_crash_are_ended(process):
    X, y = load_breast_cancer(return_X_y=True)
    assert "lbfgs" in process.load(X, y, 1.0)
    with pytest.raises(fit_process.TimeUpError):
        process.fit("lbfgs", 1e-12, 0.02)
    # A signal was enough: the process is the same, and it fits.
    pid = process._process.pid
    fitted, seconds, _ = process.fit("newton-cholesky", 1e-8, 60)
    assert process._process.pid == pid
    assert seconds > 0
    optimum = SoftmaxClassifier().fit(X, y).objective_
    value = bench_fits.objective(X, y, fitted.coef, fitted.intercept, 1.0)
    assert value == pytest.approx(optimum, rel=1e-6)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(fit_process.CrashedError):
        process.fit("newton-cholesky", 1e-8, 60)
    # The next fit starts another process, with the same data.
    again, _, _ = process.fit("newton-cholesky", 1e-8, 60)
    assert process._process.pid != pid
    np.testing.assert_array_equal(again.coef, fitted.coef)


@pytest.mark.slow
def test_a_run_on_a_small_problem(process):
    X, y = load_iris(return_X_y=True)
    problem = bench_fits.Problem("iris", lambda: (X, y))
    result = bench_fits.Race(problem, X, y, process).result(minutes=1.0)
    raced = race_results.Raced(result.plain())
    assert raced.solved
    assert raced.fastest.there
    assert raced.ratio > 0
    outcomes = raced.outcomes()
    assert "there" in outcomes.values()
    assert set(outcomes) >= {"lbfgs", "newton-cg", "newton-cholesky"}
    assert raced.data["not_raced"]["statsmodels"].startswith("not the same problem") or (
        raced.data["not_raced"]["statsmodels"] == "is not installed"
    )
    assert min(r.distance for r in raced.runs if r.distance is not None) == 0.0
    assert raced.data["limit"] >= race_limits.FLOOR / race_limits.MINUTES
