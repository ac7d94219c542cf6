"""Newton steps with and without a constraint, against SciPy's minimisers and plain Hessians."""

import numpy as np
import pytest
from bias_reduction import separated
from scipy.optimize import minimize

from skxent.likelihood.jeffreys.constrained_newton import NewtonStep, minimise, polish
from skxent.likelihood.jeffreys.jeffreys_objective import JeffreysObjective
from skxent.likelihood.sources.local_rows import LocalRows

CLASSES = [2, 3, 4]


def objective_of(K, n=40, d=3, apart=False):
    X, y = separated(n, d, K)
    y = y if apart else np.random.default_rng(1).integers(0, K, n)
    return JeffreysObjective.of(LocalRows(X, y, None, K))


def minimum(objective, gap=1e-10, **settings):
    start = objective(np.zeros(objective.shape))
    return minimise(start, lambda _: gap, 100, **settings)


def hessian(point):
    unit = np.eye(point.theta.size)
    return np.array([point.hessian_product(e.reshape(point.theta.shape)).ravel() for e in unit])


@pytest.mark.parametrize("K", CLASSES)
@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.thinned(3)
def test_minimum_is_that_of_another_minimiser(K, apart):
    objective = objective_of(K, apart=apart)
    found = minimum(objective)

    def value(x):
        point = objective(x.reshape(objective.shape))
        return 1e3 if point is None else point.value

    zero = np.zeros(found.point.theta.size)
    other = minimize(
        value,
        zero,
        method="Powell",
        options={"xtol": 1e-8, "ftol": 1e-14, "maxiter": 10**5, "maxfev": 10**6},
    )
    assert found.point.value <= other.fun + 1e-9
    assert found.point.value == pytest.approx(other.fun, abs=1e-6)
    assert found.step.gap <= 1e-10


@pytest.mark.parametrize("K", CLASSES)
def test_step_and_decrement_are_those_of_the_exact_hessian(K):
    point = minimum(objective_of(K), gap=1e-2).point
    step = NewtonStep.of(point)
    exact = -np.linalg.solve(hessian(point), point.gradient.ravel())
    assert step.certain
    np.testing.assert_allclose(step.direction.ravel(), exact, rtol=1e-6, atol=1e-8)
    assert step.decrement == pytest.approx(-0.5 * point.gradient.ravel() @ exact, rel=1e-7)


@pytest.mark.parametrize("K", CLASSES)
def test_gap_estimates_the_distance_to_the_minimum(K):
    found = minimum(objective_of(K), gap=1e-2)
    best = polish(minimum(objective_of(K)).step).point
    assert found.step.gap > 1e-9  # not converged by chance
    assert found.point.value - best.value == pytest.approx(found.step.gap, rel=0.2)


@pytest.mark.parametrize("K", CLASSES)
def test_polish_leads_to_rounding(K):
    step = polish(minimum(objective_of(K), gap=1e-2).step)
    assert step.decrement < 1e-24
    assert np.abs(step.point.gradient).max() < 1e-11


def test_negative_curvature_is_never_a_gap():
    objective = objective_of(2, apart=True)
    far = 4.0 * minimum(objective).point.theta
    point = objective(far)
    assert np.linalg.eigvalsh(hessian(point)).min() < 0  # else this point tests nothing
    step = NewtonStep.of(point)
    assert not step.certain or step.gap == np.inf
    assert np.vdot(point.gradient, step.direction) < 0
    again = minimise(point, lambda _: 1e-10, 100).point
    assert again.value == pytest.approx(minimum(objective).point.value, abs=1e-8)


@pytest.mark.parametrize("K", CLASSES)
def test_constraint_is_kept_and_its_minimum_found(K):
    objective = objective_of(K)
    rng = np.random.default_rng(5)
    q = objective.shape[0] * objective.shape[1]
    A = rng.normal(size=(q, 2))
    start = objective(0.3 * rng.normal(size=objective.shape))
    found = minimise(start, lambda _: 1e-12, 100, constraint=A).step
    point = polish(found, A).point
    np.testing.assert_allclose(point.theta.ravel() @ A, start.theta.ravel() @ A, atol=1e-12)
    free = np.linalg.qr(A, mode="complete")[0][:, 2:]
    assert np.abs(point.gradient.ravel() @ free).max() < 1e-9
    assert np.linalg.eigvalsh(free.T @ hessian(point) @ free).min() > 0


def test_a_search_ends_at_its_limit_and_reports_each_step():
    reported = []
    objective = objective_of(3, apart=True)
    found = minimise(
        objective(np.zeros(objective.shape)), lambda _: 1e-12, 2, report=reported.append
    )
    assert found.n_iterations == len(reported) == 2
    assert reported[-1] is found.point
    values = [objective(np.zeros(objective.shape)).value, *(point.value for point in reported)]
    assert np.all(np.diff(values) < 0)
