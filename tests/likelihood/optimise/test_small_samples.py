"""Few samples: value, gradient, Hessian and step against the engine's objective."""

import numpy as np
import pytest

from skxent.likelihood.optimise import preconditioners
from skxent.likelihood.optimise.preconditioners import PreconditionedPoint
from skxent.likelihood.optimise.small_samples import Declined, Factor, Samples, logit_range


@pytest.fixture(params=[(2, 4), (3, 4), (3, 30), (6, 3)], ids=str)
def both(request, make_case):
    """The samples, the engine's objective, and parameters, for some K and d."""
    K, d = request.param
    case = make_case(K, n=90, d=d, soft=True)
    objective = case.objective()
    samples = Samples.of(objective.data, objective.penalty)
    theta = np.random.default_rng(0).normal(size=objective.shape) / d
    return samples, objective, theta - (theta.mean(axis=0) if K > 2 else 0.0)


def test_value_and_gradient(both):
    samples, objective, theta = both
    here, point = samples.at(theta), objective(theta)
    assert here.value == pytest.approx(point.value, rel=1e-13)
    assert here.at_most == pytest.approx(point.at_most, rel=1e-13)
    np.testing.assert_allclose(samples.gradient(here), point.gradient, rtol=0, atol=1e-11)


def test_logits_may_be_given(both):
    samples, _, theta = both
    here = samples.at(theta)
    again = samples.at(2 * theta, 2 * here.logits)
    assert again.value == pytest.approx(samples.at(2 * theta).value, rel=1e-14)


def test_hessian_and_step(both):
    samples, objective, theta = both
    here = samples.at(theta)
    H = preconditioners.hessian(objective, theta)
    np.testing.assert_allclose(samples.hessian(here), H, rtol=0, atol=1e-11)
    there = PreconditionedPoint.of(preconditioners.full(objective, theta), objective(theta))
    step = Factor(samples, here).step(samples.gradient(here))
    np.testing.assert_allclose(step, there.newton_step, rtol=0, atol=1e-9)
    assert logit_range(step @ samples.x.T) == pytest.approx(objective.max_logit_range(step))


def test_parameters_for_the_rows_as_they_are(both):
    samples, objective, theta = both
    coef, intercept = samples.leave(theta)
    for found, known in zip((coef, intercept), objective.leave(theta), strict=True):
        np.testing.assert_allclose(found, known, rtol=0, atol=1e-12)
    np.testing.assert_allclose(samples.enter((coef, intercept)), theta, rtol=0, atol=1e-12)
    assert not samples.enter(None).any()


def test_losses_far_below_the_logits_are_declined(make_case):
    """Their sum would be rounding of the sums of the logits."""
    case = make_case(2, n=40, d=2)
    Y = np.eye(2)[(case.X[:, 0] > case.X[:, 0].mean()).astype(int)]
    objective = type(case)(case.X, Y, np.ones(40), 1e-30, True).objective()
    samples = Samples.of(objective.data, objective.penalty)
    direction = np.array([[1.0, 0.0, 0.0]])
    assert samples.at(10 * direction).value == pytest.approx(objective(10 * direction).value)
    with pytest.raises(Declined):
        samples.at(1e6 * direction)


def test_a_factor_of_rounding_is_declined(make_case):
    case = make_case(2, n=50, d=2)
    X = np.column_stack([case.X, case.X @ [1.0, 1e-9]])
    objective = type(case)(X, case.Y, case.weight, 1e-30, True).objective()
    samples = Samples.of(objective.data, objective.penalty)
    with pytest.raises(Declined):
        Factor(samples, samples.at(np.zeros((1, 4)))).check(samples, definite=True)


def test_a_floored_curvature_is_no_proof(make_case):
    """A column that only one sample has, whose probability is next to one."""
    case = make_case(2, n=50, d=2)
    X = np.column_stack([case.X, np.arange(50) == 7])
    objective = type(case)(X, case.Y, case.weight, 0.0, True).objective()
    samples = Samples.of(objective.data, objective.penalty)
    factor = Factor(samples, samples.at(np.zeros((1, 4))))
    factor.check(samples, definite=False)
    factor.diagonal = 1e-14 * samples.squares
    factor.L = np.diag(np.sqrt(factor.diagonal))
    factor.check(samples, definite=True)
    with pytest.raises(Declined):
        factor.check(samples, definite=False)
