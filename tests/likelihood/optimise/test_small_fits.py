"""Fits of few dense rows: against exact Newton steps, against the search, and what they decline."""

import numpy as np
import pytest
import scipy.sparse as sp

from skxent.likelihood.optimise import small_fits, solver
from skxent.likelihood.optimise.small_fits import MOST_STEPS, fit_small
from skxent.likelihood.optimise.solver import minimise
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.local_rows import LocalRows


def rows_of(X, Y, weight=None, fit_intercept=True, **more):
    return LocalRows(np.asarray(X), Y, weight, Y.shape[1], fit_intercept, **more)


def small(rows, C=1.0, tol=1e-6, max_iter=1000, start=None, report=None, factors=None):
    return fit_small(rows, Penalty.of_C(C, factors), tol, max_iter, start, report)


def searched(rows, C=1.0, tol=1e-6):
    """The solution of the search: `fit_small` is off in the tests of this folder."""
    penalty = Penalty.of_C(C)
    return minimise(rows, penalty=penalty, start=None, tol=tol, max_iter=1000)


@pytest.fixture
def problem(generate):
    """X and one-hot targets."""

    def of(n, d, K, kind="normal", seed=0):
        X, y = generate(n, d, K, seed=seed, kind=kind)
        return X, np.eye(K)[y]

    return of


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weights", ["none", "some", "wide"])
@pytest.mark.parametrize("targets", ["hard", "soft"])
@pytest.mark.parametrize("C", [1e-3, 1.0, 100.0, np.inf])
@pytest.mark.parametrize(("n", "d", "K"), [(90, 3, 2), (200, 4, 3), (300, 3, 6)])
def test_ends_at_the_minimum(problem, optimum, n, d, K, C, targets, weights, fit_intercept):
    X, Y = problem(n, d, K)
    rng = np.random.default_rng(0)
    if targets == "soft":
        Y = 0.6 * Y + 0.4 * rng.dirichlet(np.ones(K), size=n)
    weight = {"none": None, "some": rng.uniform(0.5, 2, n), "wide": np.exp(2 * rng.normal(size=n))}
    weight = weight[weights]
    solution = small(rows_of(X, Y, weight, fit_intercept), C)
    exact = optimum(X, Y, C=C, weight=weight, fit_intercept=fit_intercept)
    coef, intercept = exact.parameters
    scale = float(np.abs(coef).max())
    np.testing.assert_allclose(solution.coef, coef, rtol=0, atol=1e-8 * scale)
    np.testing.assert_allclose(solution.intercept, intercept * fit_intercept, rtol=0, atol=1e-7)
    assert solution.value == pytest.approx(float(exact.value), rel=1e-13, abs=1e-12)
    assert solution.converged and solution.proved and solution.decided and not solution.stopped
    penalty = np.sum(solution.coef**2) / 2 / C
    assert solution.log_likelihood == pytest.approx(penalty - solution.value, rel=1e-12)


@pytest.mark.parametrize("tol", [1.0, 1e-2, 1e-4])
@pytest.mark.parametrize("kind", ["normal", "correlated"])
@pytest.mark.parametrize("K", [2, 4])
def test_the_gap_is_a_bound(problem, optimum, K, kind, tol):
    X, Y = problem(150, 4, K, kind)
    solution = small(rows_of(X, Y), tol=tol)
    exact = optimum(X, Y)
    left = float(exact.objective(solution.coef, solution.intercept) - exact.value)
    assert left <= solution.gap + 1e-12
    assert solution.gap <= solution.target


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("K", [2, 3, 5])
def test_equals_the_search_on_raw_columns(problem, K, seed):
    rng = np.random.default_rng(seed)
    X, Y = problem(120, 5, K, seed=seed)
    X = (X + 20 * rng.normal(size=5)) * 10.0 ** rng.integers(-3, 4, 5)
    rows, C = rows_of(X, Y), 10.0 ** rng.integers(-3, 4)
    found, other = small(rows, C), searched(rows, C)
    assert found is not None
    assert found.value == pytest.approx(other.value, rel=1e-12)
    scale = np.abs(other.coef).max(axis=0)
    np.testing.assert_allclose(found.coef / scale, other.coef / scale, rtol=0, atol=1e-7)
    assert found.target == pytest.approx(other.target)
    assert (found.unpenalised == other.unpenalised).all()


def test_penalty_factors(problem, optimum):
    X, Y = problem(100, 4, 3)
    factors = np.array([0.1, 1.0, 5.0, 30.0])
    solution = small(rows_of(X, Y), 0.5, factors=factors)
    coef, _ = optimum(X, Y, C=0.5, factors=factors).parameters
    np.testing.assert_allclose(solution.coef, coef.astype(float), rtol=0, atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.int16, bool])
@pytest.mark.parametrize("order", ["C", "F"])
def test_other_types_of_x(problem, dtype, order):
    X, Y = problem(100, 4, 3)
    X = np.asarray(X > 0 if dtype is bool else (3 * X).astype(dtype), order=order)
    X.flags.writeable = False
    solution, wide = small(rows_of(X, Y)), small(rows_of(X.astype(float), Y))
    np.testing.assert_allclose(solution.coef, wide.coef, rtol=1e-9, atol=1e-12)


def test_starts_where_it_is_told(problem):
    X, Y = problem(150, 4, 3)
    rows = rows_of(X, Y)
    cold = small(rows)
    again = small(rows, start=(cold.coef, cold.intercept))
    assert again.n_iterations == 0 < cold.n_iterations
    np.testing.assert_allclose(again.coef, cold.coef, rtol=0, atol=1e-9)
    far = small(rows, start=(100 - 30 * cold.coef, cold.intercept))
    np.testing.assert_allclose(far.coef, cold.coef, rtol=0, atol=1e-9)
    lost = small(rows, start=(cold.coef, np.array([0.0, -np.inf, 0.0])))
    np.testing.assert_array_equal(lost.coef, cold.coef)


@pytest.mark.parametrize("most", range(6))
def test_few_iterations_are_kept(problem, most):
    X, Y = problem(150, 4, 3)
    solution = small(rows_of(X, Y), max_iter=most)
    assert solution is None or solution.n_iterations <= most
    assert (solution is None) == (most < small(rows_of(X, Y), tol=1e-6).n_iterations - 1)


def declined(X, Y, C=1.0, **more):
    return small(rows_of(X, Y, **more), C) is None


def test_declines_what_is_not_plain(problem):
    X, Y = problem(60, 3, 3)
    ones = np.ones(len(X))
    assert not declined(X, Y)
    sparse = LocalRows(sp.csr_array(X), Y, None, 3)
    assert small(sparse) is None
    assert declined(X, Y, offset=np.zeros((3, 60)))
    assert declined(X, np.column_stack([Y, 0 * ones]))  # a class without samples
    assert declined(np.column_stack([X, 1e9 + X[:, 0]]), Y)  # far from zero
    assert declined(np.column_stack([X, 3 * ones]), Y)  # constant
    assert declined(np.column_stack([X, 1e200 * X[:, 0]]), Y)
    assert declined(np.column_stack([X, 1e-200 * X[:, 0]]), Y)
    assert declined(np.column_stack([X, X[:, 0] + X[:, 1]]), Y, np.inf)  # dependent
    assert declined(np.column_stack([X, X[:, 0] + 1e-7 * X[:, 1]]), Y, 1e12)  # nearly
    assert declined(np.column_stack([X, 0 * ones]), Y, np.inf)
    assert not declined(np.column_stack([X, 0 * ones]), Y)
    factors = np.array([0.0, 1.0, 1.0])
    assert small(rows_of(X, Y), factors=factors) is None
    assert small(rows_of(np.tile(X, (1, 40)), Y)) is None  # too wide
    assert small(rows_of(np.tile(X, (60_000, 1)), np.tile(Y, (60_000, 1)))) is None


@pytest.mark.parametrize("C", [1e6, np.inf])
def test_declines_separated_classes(C):
    x = np.linspace(-3, 3, 40)[:, None]
    Y = np.eye(2)[(x[:, 0] > 0.1).astype(int)]
    assert declined(x, Y, C)


def test_declines_quasi_separation_without_a_penalty(problem):
    """A category in which one class is missing: its coefficient has no finite maximum."""
    X, Y = problem(80, 2, 2)
    flag = np.zeros(80)
    flag[np.flatnonzero(Y[:, 1])[:9]] = 1.0
    assert declined(np.column_stack([X, flag]), Y, np.inf)
    assert not declined(np.column_stack([X, flag]), Y, 1.0)


def test_a_placeholder_never_costs_the_minimum(problem, optimum):
    """Columns with 1e9 in one row: either declined, or at the minimum."""
    X, Y = problem(60, 3, 2)
    for columns in ([0], [0, 1], [0, 1, 2]):
        Z = X.copy()
        Z[7, columns] = -1e9
        solution = small(rows_of(Z, Y))
        assert solution is None or optimum(Z, Y).objective(
            solution.coef, solution.intercept
        ) == pytest.approx(float(optimum(Z, Y).value), abs=1e-6)


def test_a_step_that_raises_the_objective_is_declined(problem, monkeypatch):
    X, Y = problem(60, 3, 3)
    step = small_fits.Factor.step
    monkeypatch.setattr(small_fits.Factor, "step", lambda self, g: 40.0 * step(self, g))
    assert declined(X, Y)


def test_never_takes_more_steps_than_are_allowed(problem, monkeypatch):
    X, Y = problem(60, 3, 3)
    step = small_fits.Factor.step
    monkeypatch.setattr(small_fits.Factor, "step", lambda self, g: 0.01 * step(self, g))
    taken = []
    descend = small_fits.SmallFit._descend
    monkeypatch.setattr(
        small_fits.SmallFit, "_descend", lambda self: (taken.append(1), descend(self))
    )
    monkeypatch.setattr(small_fits, "step_length", lambda slope: 1.0)
    assert declined(X, Y) and len(taken) <= MOST_STEPS + 1


@pytest.mark.parametrize("K", [2, 3])
def test_rows_of_weight_zero_do_not_count(problem, K):
    X, Y = problem(90, 3, K)
    X[:10] *= 100.0
    weight = np.ones(90)
    weight[:10] = 0.0
    solution, less = small(rows_of(X, Y, weight)), small(rows_of(X[10:], Y[10:]))
    np.testing.assert_allclose(solution.coef, less.coef, rtol=0, atol=1e-9)
    assert solution.value == pytest.approx(less.value, rel=1e-12)


def test_a_fit_goes_through_here_by_default(problem, monkeypatch):
    X, Y = problem(120, 4, 3)
    rows = rows_of(X, Y)
    monkeypatch.setattr(solver, "fit_small", fit_small)
    found = searched(rows)
    assert found.curve == small(rows).curve
    np.testing.assert_array_equal(found.coef, small(rows).coef)


def test_reports_every_step(problem):
    X, Y = problem(150, 4, 3)
    seen = []
    solution = small(rows_of(X, Y), report=lambda *step: seen.append(step) or False)
    assert len(seen) == solution.n_iterations == len(solution.curve)
    assert [value for *_, value in seen] == [value for _, value in solution.curve]
    np.testing.assert_array_equal(seen[-1][0], solution.coef)
    silent = small(rows_of(X, Y))
    np.testing.assert_array_equal(silent.coef, solution.coef)


def test_a_report_has_the_errors_of_its_caller(problem):
    X, Y = problem(150, 4, 3)

    def report(*step):
        return bool(np.log(np.zeros(1))[0] > 0)

    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        small(rows_of(X, Y), report=report)


def test_without_iterations_the_fit_stays_where_it_begins():
    """Here zero is the minimum, and better than the start."""
    X, Y = np.array([[1.0], [1.0], [-1.0], [-1.0]]), np.tile(np.eye(2), (2, 1))
    solution = small(rows_of(X, Y), max_iter=0, start=(np.array([[3.0]]), np.zeros(1)))
    assert solution is None
    assert not small(rows_of(X, Y), start=(np.array([[3.0]]), np.zeros(1))).coef.any()


def test_a_fit_that_is_declined_reports_nothing(problem):
    X, Y = problem(60, 3, 2)
    Y = np.eye(2)[(X[:, 0] > 0).astype(int)]
    seen = []
    assert small(rows_of(X, Y), 1e9, report=lambda *step: seen.append(step) or False) is None
    assert not seen


@pytest.mark.parametrize("after", [1, 2, "last"])
def test_a_report_ends_the_fit(problem, optimum, after):
    X, Y = problem(150, 4, 3)
    rows, seen = rows_of(X, Y), []
    whole = small(rows).n_iterations
    after = whole if after == "last" else after

    def report(coef, intercept, value):
        seen.append((coef, intercept, value))
        return len(seen) == after

    solution = small(rows, report=report)
    assert solution.stopped and len(seen) == solution.n_iterations == len(solution.curve) == after
    np.testing.assert_array_equal(solution.coef, seen[-1][0])
    exact = optimum(X, Y)
    assert exact.objective(solution.coef, solution.intercept) == pytest.approx(solution.value)
    assert solution.value - float(exact.value) <= solution.gap + 1e-12
    assert solution.converged is (after == whole)
