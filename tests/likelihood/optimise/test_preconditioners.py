"""The full curvature model is the Hessian: against an explicit loop over samples."""

import numpy as np
import pytest

from skxent.likelihood.objective import Objective
from skxent.likelihood.optimise import preconditioners
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.grams import unpacked
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import compute_moments


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("alpha", [0.0, 0.5, 1e3])
@pytest.mark.parametrize("K", [2, 3, 5])
def test_newton_step_of_the_full_model(make_case, K, alpha, fit_intercept, sparse):
    case = make_case(K, n=60, alpha=alpha, fit_intercept=fit_intercept)
    objective, theta = case.objective(sparse=sparse), case.theta()
    model = preconditioners.full(objective, theta)
    gradient = objective(theta).gradient
    v = model.to_whitened(gradient)
    step, H = -model.from_whitened(v), case.hessian(theta)
    # The Newton step solves H s = -g; for K >= 3 up to a shift of all classes, which H ignores.
    np.testing.assert_allclose(
        H @ step.ravel(), -gradient.ravel(), atol=1e-9 * np.abs(gradient).max()
    )
    decrement = 0.5 * gradient.ravel() @ np.linalg.pinv(H) @ gradient.ravel()
    assert 0.5 * float(v @ v) == pytest.approx(decrement, rel=1e-9)


@pytest.mark.parametrize("K", [2, 4])
def test_to_whitened_is_the_transpose_of_from_whitened(make_case, K):
    case = make_case(K)
    model = preconditioners.full(case.objective(), case.theta())
    rng = np.random.default_rng(0)
    gradient = rng.normal(size=case.theta().shape)
    gradient -= gradient.mean(axis=0) if K > 2 else 0
    v = rng.normal(size=len(model.to_whitened(gradient)))
    left, right = np.vdot(gradient, model.from_whitened(v)), model.to_whitened(gradient) @ v
    assert left == pytest.approx(right, rel=1e-12)


def test_units_do_not_matter(make_case):
    """Columns from 1e-6 to 1e6 give the same decrement as columns of size one."""
    case = make_case(3, d=4, alpha=0.0)
    theta = case.theta()
    units = np.logspace(-6, 6, 4)
    model = preconditioners.full(case.objective(), theta)
    plain = model.to_whitened(case.objective()(theta).gradient)
    case.X[:] *= units
    theta[:, :4] /= units
    objective = case.objective()
    scaled = preconditioners.full(objective, theta).to_whitened(objective(theta).gradient)
    assert scaled @ scaled == pytest.approx(plain @ plain, rel=1e-9)


def test_a_constant_column_stays_where_it_is(make_case):
    case = make_case(3, alpha=0.0)
    case.X[:, 1] = 0.1
    objective, theta = case.objective(), case.theta()
    model = preconditioners.full(objective, theta)
    step = model.from_whitened(model.to_whitened(objective(theta).gradient))
    assert np.isfinite(step).all()
    np.testing.assert_array_equal(step[:, 1], 0.0)


def test_a_column_twice_gives_a_finite_step(make_case):
    """The Hessian is singular; the model need only be usable."""
    case = make_case(3, alpha=0.0)
    case.X[:, 1] = 3 * case.X[:, 0] + 1
    objective, theta = case.objective(), case.theta()
    point = objective(theta)
    model = preconditioners.full(objective, theta)
    step = model.from_whitened(model.to_whitened(point.gradient))
    assert np.isfinite(step).all()
    # a tenth, since a whole Newton step may overshoot
    assert objective(theta - 0.1 * step).value < point.value


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("caution", [0.0, 0.1])
@pytest.mark.parametrize("K", [2, 4])
def test_rows_drawn_for_each_class(make_case, K, caution, sparse):
    """All of them give the class blocks, and some of them do on average."""
    case = make_case(K, n=60)
    theta = case.theta()
    exact = unpacked(case.objective().rows.class_block_grams(theta, caution), theta.shape[1])

    def drawn(per_leverage, part=0):
        objective = case.objective(sparse=sparse, part=part)
        return objective.rows.class_block_grams(theta, caution, per_leverage)

    np.testing.assert_allclose(drawn(np.full(theta.shape, 1e12)), exact, rtol=1e-12, atol=1e-12)
    scale = preconditioners.diagonal(case.objective(), theta, caution).scale
    some = [drawn(2 * scale**2, part) for part in range(200)]
    assert np.std(some, axis=0).max() > 0
    average = np.mean(some, axis=0) * scale[:, None] * scale[:, :, None]
    np.testing.assert_allclose(average, exact * scale[:, None] * scale[:, :, None], atol=0.1)


def test_drawn_class_blocks_of_many_rows(make_case):
    """They resemble the class blocks, and are the same on any number of threads."""
    case = make_case(5, n=20_000, d=20)
    theta = case.theta(scale=0.3)
    gradient = case.objective()(theta).gradient
    expected = preconditioners.class_blocks(case.objective(), theta).to_whitened(gradient)
    first, second = (
        preconditioners.drawn_class_blocks(case.objective(n_threads=n), theta).to_whitened(gradient)
        for n in (1, 3)
    )
    np.testing.assert_array_equal(first, second)
    assert 0.5 < (first @ first) / (expected @ expected) < 2


@pytest.mark.parametrize("model", [preconditioners.full, preconditioners.class_blocks])
def test_rare_categories_do_not_stand_for_the_intercept(model):
    """Less its centre, a category whose only sample is decided is constant over the others.

    If the intercept was held fixed and the category was not, a step of the intercept by one changed
    the decided sample by 64.
    """
    X = np.zeros((65, 2))
    X[:64, 1] = np.tile([-1.0, 1.0], 32)
    X[64, 0] = 1.0
    data = LocalRows(X, np.append(np.tile([0, 0, 1, 1], 16), 0), None, 2)
    objective = Objective(data, compute_moments(data), Penalty(), np.array([1 / 64, 0.0]))
    objective.has_flat = True
    (scale,) = model(objective, np.array([[-1024.0, 0.0, -16.0]])).scales
    np.testing.assert_array_equal(scale, [0.0, 0.25, 0.25])
    objective.close()
