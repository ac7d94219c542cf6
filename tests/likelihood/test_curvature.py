"""The full curvature model is the Hessian: against an explicit loop over samples."""

import numpy as np
import pytest

from skxent.likelihood import curvature


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("alpha", [0.0, 0.5, 1e3])
@pytest.mark.parametrize("K", [2, 3, 5])
def test_newton_step_of_the_full_model(make_case, K, alpha, fit_intercept, sparse):
    case = make_case(K, n=60, alpha=alpha, fit_intercept=fit_intercept)
    objective, theta = case.objective(sparse=sparse), case.theta()
    model = curvature.full(objective, theta)
    gradient = objective(theta).gradient
    v = model.to_v(gradient)
    step, H = -model.to_theta(v), case.hessian(theta)
    # The Newton step solves H s = -g; for K >= 3 up to a shift of all classes, which H ignores.
    np.testing.assert_allclose(
        H @ step.ravel(), -gradient.ravel(), atol=1e-9 * np.abs(gradient).max()
    )
    decrement = 0.5 * gradient.ravel() @ np.linalg.pinv(H) @ gradient.ravel()
    assert 0.5 * float(v @ v) == pytest.approx(decrement, rel=1e-9)


@pytest.mark.parametrize("K", [2, 4])
def test_to_v_is_the_transpose_of_to_theta(make_case, K):
    case = make_case(K)
    model = curvature.full(case.objective(), case.theta())
    rng = np.random.default_rng(0)
    gradient = rng.normal(size=case.theta().shape)
    gradient -= gradient.mean(axis=0) if K > 2 else 0
    v = rng.normal(size=len(model.to_v(gradient)))
    left, right = np.vdot(gradient, model.to_theta(v)), model.to_v(gradient) @ v
    assert left == pytest.approx(right, rel=1e-12)


def test_units_do_not_matter(make_case):
    """Columns from 1e-6 to 1e6 give the same decrement as columns of size one."""
    case = make_case(3, d=4, alpha=0.0)
    theta = case.theta()
    units = np.logspace(-6, 6, 4)
    model = curvature.full(case.objective(), theta)
    plain = model.to_v(case.objective()(theta).gradient)
    case.X[:] *= units
    theta[:, :4] /= units
    objective = case.objective()
    scaled = curvature.full(objective, theta).to_v(objective(theta).gradient)
    assert scaled @ scaled == pytest.approx(plain @ plain, rel=1e-9)


def test_a_constant_column_stays_where_it_is(make_case):
    case = make_case(3, alpha=0.0)
    case.X[:, 1] = 0.1
    objective, theta = case.objective(), case.theta()
    model = curvature.full(objective, theta)
    step = model.to_theta(model.to_v(objective(theta).gradient))
    assert np.isfinite(step).all()
    np.testing.assert_array_equal(step[:, 1], 0.0)


def test_a_column_twice_gives_a_finite_step(make_case):
    """The Hessian is singular; the model need only be usable."""
    case = make_case(3, alpha=0.0)
    case.X[:, 1] = 3 * case.X[:, 0] + 1
    objective, theta = case.objective(), case.theta()
    point = objective(theta)
    model = curvature.full(objective, theta)
    step = model.to_theta(model.to_v(point.gradient))
    assert np.isfinite(step).all()
    # a tenth, since a whole Newton step may overshoot
    assert objective(theta - 0.1 * step).value < point.value
