"""The bound of the gap by duality, against exact minima, and fits that only it can certify."""

import numpy as np
import pytest

from skxent import SoftmaxClassifier
from skxent.likelihood.objective import Objective
from skxent.likelihood.optimise.dual_bound import dual_gap_bound
from skxent.likelihood.optimise.solver import minimise
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import compute_moments

FACTORS = np.array([0.5, 1.0, 2.0])


def objective_of(case, penalty, **changes):
    data = case.objective(**changes).data
    moments = compute_moments(data)
    return Objective(data, moments, penalty, moments.mean if data.fit_intercept else None)


@pytest.mark.parametrize("penalty", [Penalty(0.5), Penalty(0.5, FACTORS)])
@pytest.mark.parametrize("K", [2, 3, 5])
@pytest.mark.parametrize("distance", [1e-1, 1e-3, 1e-5, 0.0])
def test_the_bound_is_above_the_gap(make_case, K, penalty, distance):
    """At any point, and near the minimum it is not far above: about the distance to it."""
    case = make_case(K)
    objective = objective_of(case, penalty)
    settings = {"penalty": penalty, "start": None, "tol": 1e-14, "max_iter": 100}
    best = minimise(objective.data, **settings)
    theta = objective.enter(best.coef, best.intercept)
    theta = theta + distance * case.theta(seed=5)
    point = objective(theta)
    bound = dual_gap_bound(objective, point)
    assert bound >= (point.value - best.value) * (1 - 1e-9) - 1e-11 * best.value
    assert bound < 1e3 * distance * best.value + 1e-6


def saturated(K, C, seed, n=31, d=3):
    """Offsets of thousands, so that the predicted classes do not depend on the parameters.

    With q one for the predicted class, the minimum has the coefficients C sum (y - q) x. It needs
    no intercept if every class is predicted as often as it occurs.
    """
    rng = np.random.default_rng(seed)
    y = np.arange(n) % K
    y[np.arange(n) % 5 == 0] = 0
    predicted = rng.permutation(y)
    X = rng.normal(size=(n, d))
    offset = 1e4 * (np.eye(K)[predicted] + 0.2 * rng.random((n, K)))
    coef = C * (np.eye(K)[y] - np.eye(K)[predicted]).T @ X
    return X, y, offset, coef


@pytest.mark.parametrize("K", [2, 3, 4])
@pytest.mark.parametrize("C", [0.01, 1.0, 10.0])
@pytest.mark.parametrize("seed", range(3))
def test_fits_whose_samples_are_all_decided(K, C, seed):
    X, y, offset, coef = saturated(K, C, seed)
    passed = offset[:, 1] - offset[:, 0] if K == 2 else offset
    clf = SoftmaxClassifier(C=C).fit(X, y, offset=passed)
    if K == 2:  # one logit, whose penalty is that of one vector
        coef = coef[1:]
    Z = X @ coef.T + (passed[:, None] if K == 2 else passed)
    Z = np.column_stack([0 * Z, Z]) if K == 2 else Z
    losses = Z.max(axis=1) - Z[np.arange(len(y)), y]
    value = losses.sum() + (coef**2).sum() / (2 * C)
    assert clf.converged_
    assert clf.optimality_gap_ <= clf.target_gap_
    assert clf.objective_ == pytest.approx(value, abs=clf.target_gap_)
    np.testing.assert_allclose(clf.coef_, coef, rtol=0, atol=1e-6 * np.abs(coef).max())


def test_a_point_beside_the_minimum_is_not_certified(make_case):
    """With other coefficients the bound is their penalty, whatever the curvature."""
    X, y, offset, coef = saturated(3, 1.0, 0)
    data = LocalRows(X, y, None, 3, offset=np.ascontiguousarray(offset.T))
    solution = minimise(
        data, penalty=Penalty(1.0), start=(2 * coef, np.zeros(3)), tol=1e-6, max_iter=0
    )
    assert not solution.converged
    assert solution.gap > 0.4 * (coef**2).sum()


def test_no_bound_without_intercepts_or_with_free_features(make_case):
    case = make_case(3)
    free = objective_of(case, Penalty(0.5, np.array([1.0, 0.0, 1.0])))
    through_zero = objective_of(make_case(3, fit_intercept=False), Penalty(0.5))
    for objective in (free, through_zero):
        assert dual_gap_bound(objective, objective(np.zeros(objective.shape))) is None
