"""The bound of self-concordance, against the function that it minimises, and bounds of gaps."""

import mpmath as mp
import numpy as np
import pytest

from skxent.likelihood import tuning
from skxent.likelihood.optimise import preconditioners
from skxent.likelihood.optimise.newton_cg import (
    Accuracy,
    conjugate_gradients,
    self_concordance_factor,
)
from skxent.likelihood.optimise.preconditioners import PreconditionedPoint
from skxent.likelihood.penalty import Penalty


def deepest(q):
    """Least of 2 [-t + (exp(-qt) + qt - 1) / q^2] over t > 0, with the sign changed, by mpmath."""
    with mp.workdps(40):
        q = mp.mpf(q)
        t = -mp.log(1 - q) / q  # where the slope 2 [-1 + (1 - exp(-qt)) / q] is zero
        slope = mp.diff(lambda s: -s + (mp.exp(-q * s) + q * s - 1) / q**2, t)
        assert abs(slope) < 1e-15
        return float(-2 * (-t + (mp.exp(-q * t) + q * t - 1) / q**2))


@pytest.mark.parametrize("q", [1e-3, 0.01, 0.1, 0.5, 0.9, 0.999, 1 - 1e-9])
def test_stretch_is_the_least_of_the_bound(q):
    assert self_concordance_factor(q) == pytest.approx(deepest(q), rel=1e-9)


@pytest.mark.parametrize("q", [0.0, 1e-300, 1e-9, 9.9e-5, 1e-4, 1.1e-4])
def test_stretch_of_small_moves_is_one(q):
    """It is 1 + q/3 + O(q^2), to the rounding of a difference of terms of q over q^2."""
    assert self_concordance_factor(q) == pytest.approx(1 + q / 3, abs=4e-5)


@pytest.mark.parametrize("q", [1.0, 1.5, 1e3])
def test_stretch_beyond_the_bound_is_twice_the_move(q):
    assert self_concordance_factor(q) == 2 * q
    assert self_concordance_factor(1 - 1e-12) == pytest.approx(2.0, rel=1e-9)


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize(
    "kind", [preconditioners.diagonal, preconditioners.class_blocks, preconditioners.full]
)
def test_a_point_without_slope_is_the_minimum(make_case, K, kind):
    case = make_case(K)
    objective = case.objective()
    point = objective(np.zeros(objective.shape))
    point = type(point)(point.theta, point.value, np.zeros(objective.shape), 0.0)
    here = PreconditionedPoint.of(kind(objective, point.theta), point)
    found = conjugate_gradients(objective, here, Accuracy(1.0, 0.0, tuning.CG_RESIDUAL, 10))
    assert found.gap == 0
    assert found.converged is True
    assert not found.step.any()


@pytest.mark.parametrize("K", [3, 5])
@pytest.mark.parametrize("alpha", [0.5, 30.0])
@pytest.mark.parametrize("kind", [preconditioners.diagonal, preconditioners.class_blocks])
def test_what_is_left_is_no_more_than_the_bound(make_case, K, alpha, kind):
    """Half r H^-1 r of a residual without a part in the intercepts, from the explicit Hessian."""
    case = make_case(K, alpha=alpha)
    objective, theta = case.objective(), case.theta()
    model = kind(objective, theta)
    residual = np.random.default_rng(0).normal(size=theta.shape)
    residual -= residual.mean(axis=0)
    bound = model.gap_bound(model.to_whitened(residual), Penalty(alpha), objective.n_features)
    features = residual[:, : objective.n_features]
    intercepts = np.linalg.norm(residual[:, -1] * own_scale(case, theta))
    expected = 0.5 * (np.sum(features**2) / alpha + intercepts**2 / tuning.INTERCEPT_CURVATURE)
    assert bound == pytest.approx(expected, rel=1e-9)
    residual[:, -1] = 0.0
    left = 0.5 * residual.ravel() @ np.linalg.pinv(case.hessian(theta)) @ residual.ravel()
    assert left <= model.gap_bound(
        model.to_whitened(residual), Penalty(alpha), objective.n_features
    )


def own_scale(case, theta):
    """One by the root of the curvature of each class's intercept."""
    P = case.probabilities(theta)
    return 1 / np.sqrt(case.weight @ (P * (1 - P)))


@pytest.mark.parametrize("K", [2, 4])
def test_nothing_is_known_without_a_penalty_or_of_a_block_of_several_classes(make_case, K):
    case = make_case(K)
    objective, theta = case.objective(), case.theta()
    for kind in (preconditioners.diagonal, preconditioners.class_blocks):
        model = kind(objective, theta)
        assert model.gap_bound(model.to_whitened(theta), Penalty(0.0), objective.n_features) is None
    model = preconditioners.full(objective, theta)
    assert model.gap_bound(model.to_whitened(theta), Penalty(0.5), objective.n_features) is None
