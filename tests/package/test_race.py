"""The race: its objective, its process that can be ended, and a whole run on a small problem."""

import importlib
import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.special import log_softmax, softmax
from sklearn.datasets import load_breast_cancer, load_iris

from skxent import SoftmaxClassifier

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))
try:
    bench_fits = importlib.import_module("bench_fits")
    fit_process = importlib.import_module("fit_process")
    race_results = importlib.import_module("race_results")
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
