"""The last Newton steps before inference, and the samples that leave-one-out fits without."""

import numpy as np
import pytest

from skxent.inference import information_matrix
from skxent.inference.leave_one_out import LeaveOneOut
from skxent.inference.left_out_cases import LocalCases, Truth
from skxent.likelihood.objective import Objective
from skxent.likelihood.optimise.preconditioners import PreconditionedPoint
from skxent.likelihood.optimise.solver import minimise
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import compute_moments


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("alpha", [0.0, 0.5])
@pytest.mark.parametrize("tol", [1e-1, 1e-4])
def test_newton_steps_end_at_the_minimum(make_case, K, alpha, tol):
    case = make_case(K, n=80, alpha=alpha)
    objective = case.objective()
    rough = minimise(objective.data, penalty=Penalty(alpha), start=None, tol=tol, max_iter=100)
    start = objective(objective.enter(rough.coef, rough.intercept))
    model = information_matrix.information(objective, start.theta)
    point, there = information_matrix.newton(objective, start, model)
    H, g = case.hessian(point.theta), point.gradient.ravel()
    assert 0.5 * g @ np.linalg.pinv(H) @ g <= 1e-20 * point.value
    assert point.value - point.rounding <= start.at_most
    q = max(K - 1, 1) * point.theta.shape[1]
    np.testing.assert_allclose(information_matrix.inverse(there) @ H[:q, :q], np.eye(q), atol=1e-8)
    assert information_matrix.still(objective, point, there)
    again, same = information_matrix.newton(objective, point, there)
    assert (
        PreconditionedPoint.of(same, again).decrement
        <= PreconditionedPoint.of(there, point).decrement
    )


@pytest.mark.parametrize(("move", "still"), [(0.9e-3, True), (1.1e-3, False)])
def test_still_is_a_step_that_moves_no_logit_by_a_thousandth(make_case, move, still):
    """A start that is so far away, in logits, from where Newton's step leads."""
    case = make_case(2, n=80)
    objective = case.objective()
    fit = minimise(objective.data, penalty=Penalty(case.alpha), start=None, tol=1e-12, max_iter=100)
    theta = objective.enter(fit.coef, fit.intercept)
    direction = case.theta(1)
    away = objective(theta + direction * move / objective.max_logit_range(direction))
    model = information_matrix.information(objective, away.theta)
    assert information_matrix.still(objective, away, model) == still


def test_newton_ends_where_the_decrement_does_not_fall():
    """On separable data each step is as long as the last, and there is a last one with a factor."""
    X = np.column_stack([np.linspace(-1, 1, 20)])
    data = LocalRows(X, (X[:, 0] > 0).astype(int), None, 2)
    objective = Objective(data, compute_moments(data), Penalty(0.0), compute_moments(data).mean)
    start = objective(np.array([[5.0, 0.0]]))
    model = information_matrix.information(objective, start.theta)
    point, there = information_matrix.newton(objective, start, model)
    assert point.value < start.value
    assert not information_matrix.still(objective, point, there)


def engine(data, importance, cost):
    cases = LocalCases(Truth(cost, importance))
    return LeaveOneOut(data, cases, tol=1e-8, max_iter=100, rng=np.random.RandomState(0))


def cost_of(data):
    """Cross-entropy of two classes, 36 nats at most."""

    def cost(rows, Z):
        sign = 1 - 2 * data.targets[rows]
        return np.minimum(np.logaddexp(0, sign * Z[:, 0]), 36.0)

    return cost


def test_two_samples_are_enough():
    data = LocalRows(np.array([[1.0], [2.0]]), np.array([0, 1]), None, 2)
    found = engine(data, np.ones(2), cost_of(data)).fit(Penalty(1.0))
    assert found.losses.tolist() == [36.0, 36.0]  # each is all there is of its class
    one = LocalRows(data.X, data.targets, np.array([0.0, 1.0]), 2)
    with pytest.raises(ValueError, match="leave only one sample with some weight"):
        engine(one, np.ones(2), cost_of(one))


@pytest.mark.parametrize("heavy", [1e-3, 1.0, 1e3])
def test_bounds_count_by_importance(heavy, monkeypatch):
    """What is left out first is what the mean may be wrong by most for."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 2))
    y = (X[:, 0] + rng.logistic(size=30) > 0).astype(int)
    data, bounds = LocalRows(X, y, None, 2), []

    def refit(self, fit, found):
        bounds.append(found.bound.copy())
        return 0

    monkeypatch.setattr(LeaveOneOut, "_refit", refit)
    importance = np.ones(30)
    for importance[4] in (1.0, heavy):
        engine(data, importance, cost_of(data)).fit(Penalty(1.0))
    one, other = bounds
    assert one[4] > 0
    np.testing.assert_allclose(other / one, importance, rtol=1e-12)
