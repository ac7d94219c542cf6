"""The minimiser itself: what it reports, where it starts and stops. How well it does is tested
with the classifiers."""

import threading

import numpy as np
import pytest

from skxent.likelihood.optimise.solver import minimise
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.local_rows import LocalRows

SETTINGS = {"penalty": Penalty(0.5), "start": None, "tol": 1e-9, "max_iter": 200}


def data_of(case):
    return LocalRows(case.X, case.Y, case.weight, case.Y.shape[1], case.fit_intercept)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("K", [2, 3, 6])
def test_gradient_vanishes_at_the_solution(make_case, K, fit_intercept):
    """The plain gradient, by differences of the plain formula."""
    case = make_case(K, fit_intercept=fit_intercept, soft=True)
    solution = minimise(data_of(case), **SETTINGS)
    theta = case.objective().enter(solution.coef, solution.intercept)
    assert solution.value == pytest.approx(case.value(theta), rel=1e-12)
    for index in np.ndindex(theta.shape):
        step = np.zeros_like(theta)
        step[index] = 1e-4
        slope = (case.value(theta + step) - case.value(theta - step)) / 2e-4
        assert slope == pytest.approx(0, abs=1e-6)
    assert solution.converged
    assert not solution.unbounded


def test_value_is_penalty_less_log_likelihood(make_case):
    solution = minimise(data_of(make_case(3)), **SETTINGS)
    penalty = 0.25 * np.sum(solution.coef**2)
    assert solution.value == pytest.approx(penalty - solution.log_likelihood, rel=1e-13)


def test_report_sees_every_iteration_and_the_curve(make_case):
    case, seen = make_case(4, n=200, d=6), []

    def report(coef, intercept, value):
        seen.append((coef.copy(), intercept.copy(), value))
        return False

    solution = minimise(data_of(case), **SETTINGS, report=report)
    assert len(seen) == solution.n_iterations == len(solution.curve)
    values = [value for _, _, value in seen]
    assert values == [value for _, value in solution.curve]
    assert values == sorted(values, reverse=True)
    for coef, intercept, value in seen:
        assert value == pytest.approx(case.value(case.objective().enter(coef, intercept)))


@pytest.mark.parametrize("after", [1, 2])
def test_report_ends_the_fit(make_case, after):
    calls = []
    solution = minimise(
        data_of(make_case(4, n=200, d=6)),
        **SETTINGS,
        report=lambda *_: calls.append(0) or len(calls) >= after,
    )
    assert len(calls) == solution.n_iterations == after
    assert solution.stopped
    assert not solution.converged


@pytest.mark.parametrize("max_iter", [1, 2, 3])
def test_max_iter(make_case, max_iter):
    settings = SETTINGS | {"max_iter": max_iter, "tol": 1e-15}
    solution = minimise(data_of(make_case(4, n=200, d=6)), **settings)
    assert solution.n_iterations == max_iter
    assert not solution.stopped


@pytest.mark.parametrize("n", [60, 90_000])
def test_start_at_the_minimum(make_case, n):
    """Nothing is left to do, and reading X a few times tells so."""
    data = data_of(make_case(3, n=n))
    first = minimise(data, **SETTINGS)
    again = minimise(data, **SETTINGS | {"start": (first.coef, first.intercept)})
    assert again.n_iterations <= 1
    assert again.n_passes < first.n_passes
    np.testing.assert_allclose(again.coef, first.coef, rtol=1e-6, atol=1e-8)


def test_data_that_separates_has_no_minimum(make_case):
    case = make_case(2)
    case.Y[:] = np.eye(2)[(case.X[:, 0] > 0).astype(int)]
    assert minimise(data_of(case), **SETTINGS | {"penalty": Penalty(0.0), "tol": 1e-6}).unbounded
    assert not minimise(data_of(case), **SETTINGS).unbounded


def test_threads_end_also_after_an_error():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40_000, 10)), rng.integers(3, size=40_000)
    before = threading.active_count()

    def fail(*_):
        raise KeyError("now")

    with pytest.raises(KeyError, match="now"):
        minimise(LocalRows(X, y, None, 3, True, 4), **SETTINGS, report=fail)
    assert threading.active_count() == before


@pytest.mark.parametrize("exponent", [-40, -100, -900])
def test_small_weights_change_nothing_but_the_unit(make_case, exponent):
    """SciPy limits the first step of L-BFGS to 1e10 times the gradient, here a tiny one."""
    case, small = make_case(3, n=200, d=6), 2.0**exponent
    settings = SETTINGS | {"solver": "lbfgs"}
    weight = np.ones(len(case.X))
    found, scaled = [
        minimise(
            LocalRows(case.X, case.Y, scale * weight, case.Y.shape[1], case.fit_intercept),
            **settings | {"penalty": Penalty(0.5 * scale)},
        )
        for scale in (1.0, small)
    ]
    assert scaled.converged
    assert scaled.n_iterations <= found.n_iterations + 1
    assert scaled.value / small == pytest.approx(found.value, rel=1e-9)
    np.testing.assert_allclose(scaled.coef, found.coef, rtol=1e-3, atol=1e-4)
