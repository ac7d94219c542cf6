"""Points on the line of a Newton step, against the functions that they minimise or bound."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from skxent.likelihood.optimise import preconditioners
from skxent.likelihood.optimise.newton_lines import (
    after_known_step,
    damped_length,
    damped_trial,
    line_minimum,
    newton_trial,
    polished,
    serves_still,
    step_length,
)
from skxent.likelihood.optimise.preconditioners import PreconditionedPoint


@pytest.mark.parametrize("left", [-5.0, -0.3, -1e-9, 0.0, 1e-3, 0.1, 0.2, 0.2499])
def test_length_is_the_root_of_the_quadratic(left):
    """The first root of 1 - t + left t^2, on which the slope along a step is zero."""
    t = step_length(left)
    assert 0 < t <= 2
    assert 1 - t + left * t**2 == pytest.approx(0, abs=1e-12)
    assert t <= min(root for root in [*np.roots([left, -1, 1]).real, np.inf] if root > 0) + 1e-6


@pytest.mark.parametrize("left", [0.25, 0.3, 1.0, 7.0])
def test_length_without_a_root_is_two(left):
    assert step_length(left) == 2.0


@pytest.mark.parametrize("q", [1e-9, 1e-3, 0.5, 1.0, 7.0, 1e3, 1e9])
def test_damped_length_has_no_slope_in_the_bound(q):
    """The derivative of -t + (exp(qt) - qt - 1) / q^2 is -1 + (exp(qt) - 1) / q."""
    t = damped_length(q)
    assert 0 < t <= 1
    assert np.expm1(q * t) / q == pytest.approx(1.0, rel=1e-9)


def test_a_step_that_changes_no_logit_is_not_damped():
    assert damped_length(0.0) == 1.0


def here_of(case, theta, kind=preconditioners.full, residual_weight=0.0):
    objective = case.objective()
    model = kind(objective, theta, residual_weight)
    return objective, PreconditionedPoint.of(model, objective(theta))


@pytest.mark.parametrize("residual_weight", [0.0, 0.1])
@pytest.mark.parametrize("size", [1.0, 4.0, 12.0])
@pytest.mark.parametrize("K", [2, 3, 5])
def test_a_damped_step_falls_by_the_bound(make_case, K, size, residual_weight):
    """Far from the minimum a whole step may raise the objective; the damped one may not."""
    case = make_case(K)
    theta = size * case.theta()
    objective, here = here_of(case, theta, residual_weight=residual_weight)
    q = objective.max_logit_range(here.newton_step)
    fall = 2 * here.decrement * ((1 + q) * np.log1p(q) - q) / q**2
    trial = damped_trial(objective, here)
    assert trial.value <= here.point.value - fall * (1 - 1e-9)


def test_far_away_a_whole_newton_step_fails_and_its_line_does_not(make_case):
    """The first assertion also shows that the test above tells something."""
    case = make_case(3)
    objective, here = here_of(case, 12.0 * case.theta())
    assert objective(here.point.theta + here.newton_step).value > here.point.value
    tried = newton_trial(objective, here)
    assert tried.point.value < here.point.value - 0.05 * here.decrement
    assert tried.line_first


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("factor", [1e-2, 0.4, 1.0, 3.0, 50.0])
@pytest.mark.parametrize("K", [2, 3])
def test_the_minimum_on_a_line(make_case, monkeypatch, K, factor, kept):
    """Against SciPy's search; without kept logits the minimum comes from one round of slopes."""
    case = make_case(K)
    objective, here = here_of(case, 3.0 * case.theta())
    if not kept:
        monkeypatch.setattr(type(objective), "keeps_lines", False)
    step = factor * here.newton_step
    before = objective.n_passes
    found = line_minimum(objective, here.point, step, np.vdot(here.point.gradient, step))
    assert objective.n_passes == before + 1
    best = minimize_scalar(
        lambda t: objective(here.point.theta + t * step).value,
        bounds=(0, 8),
        options={"xatol": 1e-9},
        method="bounded",
    ).x
    assert found == pytest.approx(best, rel=0.05 if kept else 0.4)


def test_a_line_that_falls_further_ends_at_the_largest_length(make_case):
    case = make_case(3)
    objective, here = here_of(case, 3.0 * case.theta())
    step = 1e-3 * here.newton_step
    slope = np.vdot(here.point.gradient, step)
    assert line_minimum(objective, here.point, step, slope) == 8.0


def test_a_line_that_rises_has_length_zero(make_case):
    case = make_case(3)
    objective, here = here_of(case, case.theta())
    assert line_minimum(objective, here.point, -here.newton_step, 2 * here.decrement) == 0.0
    assert line_minimum(objective, here.point, 0 * here.newton_step, 0.0) == 0.0


@pytest.mark.parametrize("K", [2, 3])
def test_a_line_with_infinite_logits_ends_before_them(make_case, K):
    case = make_case(K)
    objective, here = here_of(case, case.theta())
    step = 1e300 * here.newton_step
    assert line_minimum(objective, here.point, step, -np.inf) == 0.0


def test_a_line_whose_minimum_is_near_its_start_is_given_up(make_case):
    """A stage of L-BFGS follows, because the direction is wrong."""
    case = make_case(3)
    objective, here = here_of(case, 3.0 * case.theta())
    far = PreconditionedPoint(
        here.preconditioner, here.point, 1e3 * here.gradient, 1e6 * here.decrement
    )  # as if the curvature were lost
    assert newton_trial(objective, far).point is None


def test_the_next_step_begins_with_its_line_after_a_short_step(make_case):
    """Then the whole step is not evaluated: one pass for the slopes, one for the point."""
    case = make_case(3)
    objective, here = here_of(case, 12.0 * case.theta())
    before = objective.n_passes
    assert newton_trial(objective, here, line_first=True).point is not None
    assert objective.n_passes == before + 2
    before = objective.n_passes
    newton_trial(objective, here)
    assert objective.n_passes == before + 3


def test_no_point_is_better_than_the_minimum(make_case):
    """At the minimum in float64 rounding hides any fall."""
    case = make_case(3)
    objective = case.objective()
    theta = np.zeros(objective.shape)
    for _ in range(30):
        objective, here = here_of(case, theta)
        theta = theta + here.newton_step
    assert damped_trial(objective, here) is None


class Decrement:
    def __init__(self, decrement):
        self.decrement = decrement


@pytest.mark.parametrize(
    ("before", "after", "passes", "measures", "expected"),
    [
        (1.0, 1e-2, 1.0, True, False),  # one more step leaves 1e-4
        (1.0, 1e-2, 2.0, True, True),  # two more steps for the price of a Hessian leave 1e-6
        (1.0, 3e-6, 9.0, True, True),  # near the target conjugate gradients measure the gap
        (1.0, 3e-6, 2.0, True, False),  # unless a new Hessian costs less
        (1.0, 3e-6, 9.0, False, False),  # or unless they may miss a direction
        (1.0, 2.0, 9.0, True, False),
        (1e-6, 2e-6, 9.0, True, False),  # the step made the decrement larger
        (1e-9, 1e9, 1e3, True, False),  # the ratio to this power would overflow
    ],
)
def test_a_hessian_serves_as_long_as_it_is_cheaper_than_a_new_one(
    before, after, passes, measures, expected
):
    target = 1e-6 * (1 + 1e-12)
    found = serves_still(Decrement(before), Decrement(after), target, passes, measures=measures)
    assert found is expected


@pytest.mark.parametrize("K", [2, 3])
def test_the_value_after_a_known_step_is_that_of_an_evaluation(make_case, K):
    case = make_case(K=K, n=60, d=4)
    theta = np.zeros(case.objective().shape)
    for _ in range(12):
        objective, here = here_of(case, theta)
        known = after_known_step(here, 0.05)
        if known is not None:
            break
        theta = theta + here.newton_step
    assert 0.05 * here.decrement <= here.point.rounding
    exact = objective(known.theta)
    assert abs(known.value - exact.value) <= 2 * here.point.rounding
    assert np.linalg.norm(exact.gradient) < 0.2 * np.linalg.norm(here.point.gradient)
    passes = objective.n_passes
    point, gap = polished(objective, here, 1e-9, np.log1p(0.05))
    assert objective.n_passes == passes
    assert gap == 1e-9  # a bound at the start of the step is one at its end
    np.testing.assert_array_equal(point.theta, known.theta)


def test_a_step_far_from_the_minimum_is_not_known(make_case):
    case = make_case(K=3, n=60, d=4)
    _, here = here_of(case, np.zeros(case.objective().shape))
    assert after_known_step(here, 0.05) is None
    assert after_known_step(here, 1.0) is None


@pytest.mark.parametrize(("change", "most"), [(0.6, 3), (0.8, 2)])
def test_few_steps_follow_where_they_may_not_contract(make_case, change, most):
    """With a Hessian of half the curvature every step overshoots, and none is known."""
    case = make_case(K=3, n=60, d=4)
    objective = case.objective()
    theta = np.zeros(objective.shape)
    model = preconditioners.full(objective, theta)
    loose = replace(model, factors=[L * 0.8 for L in model.factors])
    here = PreconditionedPoint.of(loose, objective(theta))
    before = objective.n_passes
    polished(objective, here, np.inf, change)
    assert objective.n_passes - before == most
