"""Bounds of the gap, the value next to zero, and sums over blocks of any size."""

import numpy as np
import pytest
from scipy.special import expit

from skxent.likelihood import tuning
from skxent.likelihood.objective import Objective, Point
from skxent.likelihood.optimise import preconditioners
from skxent.likelihood.optimise.newton_cg import Accuracy, conjugate_gradients
from skxent.likelihood.optimise.preconditioners import PreconditionedPoint
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import compute_moments


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("alpha", [0.0, 0.5, 1e3])
@pytest.mark.parametrize("K", [2, 3])
def test_gap_bound(make_case, K, alpha, fit_intercept):
    """The value and its rounding; without intercept the squared gradient by twice the penalty."""
    objective = make_case(K, alpha=alpha, fit_intercept=fit_intercept).objective()
    gradient = np.ones(objective.shape)
    by_slope = np.inf if fit_intercept or not alpha else 0.5 * gradient.size / alpha
    for value, rounding in ((5.0, 0.25), (0.3, 0.0), (-2.0, 0.125)):
        point = Point(np.zeros(objective.shape), value, gradient, rounding)
        expected = min(max(value, 0.0) + rounding, by_slope)
        assert objective.gap_bound(point) == expected


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_coefficients_of_integers_enter(make_case, K, fit_intercept):
    """Coefficients of any numeric dtype enter as float64 and are not changed in place."""
    objective = make_case(K, fit_intercept=fit_intercept).objective()
    coef = np.arange(3 * objective.shape[0]).reshape(-1, 3)
    before = coef.copy()
    theta = objective.enter(coef, np.zeros(len(coef)))
    assert theta.dtype == np.float64
    again = objective.leave(theta)[0]
    expected = coef - coef.mean(axis=0) if K > 2 else coef
    np.testing.assert_allclose(again, expected, rtol=1e-14)
    np.testing.assert_array_equal(coef, before)


@pytest.mark.parametrize("size", [1e-3, 1.0, 20.0, 40.0, 300.0])
def test_the_value_next_to_zero_keeps_its_digits(size):
    """Sums of exp(-z) for long logits: the difference of two sums of z has none of them."""
    X = np.array([[1.0], [-1.0], [2.0], [-3.0]])
    data = LocalRows(X, np.array([1, 0, 1, 0]), None, 2, False)
    objective = Objective(data, compute_moments(data), Penalty(0.0), None)
    z = size * np.abs(X[:, 0])
    point = objective(np.array([[size]]))
    assert point.value == pytest.approx(np.log1p(np.exp(-z)).sum(), rel=1e-9, abs=0)
    slope = -(np.abs(X[:, 0]) * expit(-z)).sum()
    assert point.gradient[0, 0] == pytest.approx(slope, rel=1e-9, abs=0)
    assert abs(point.value - np.log1p(np.exp(-z)).sum()) <= point.rounding


def test_no_curvature_is_an_end():
    """Where all probabilities are 0 or 1, products with the Hessian are zero, and a gap unknown."""
    X = np.array([[1.0], [-1.0], [2.0], [-3.0]])
    data = LocalRows(X, np.array([0, 1, 1, 0]), None, 2, False)
    objective = Objective(data, compute_moments(data), Penalty(0.0), None)
    point = objective(np.array([[1e5]]))
    view = PreconditionedPoint.of(preconditioners.full(objective, point.theta), point)
    assert not objective.hessian_product(point.theta, np.ones((1, 1))).any()
    accuracy = Accuracy(1e-6, 0.0, tuning.CG_RESIDUAL, tuning.CG_PRODUCTS)
    found = conjugate_gradients(objective, view, accuracy)
    gap, step, told = found.gap, found.step, found.converged
    assert not told
    assert not step.any()
    assert gap == pytest.approx(0.5 * view.gradient @ view.gradient)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("K", [2, 4])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_blocks_of_few_rows_change_nothing(make_case, K, fit_intercept, sparse, monkeypatch):
    """Value, gradient, curvature and products of a fit that is read in many blocks."""
    case = make_case(K, n=300, fit_intercept=fit_intercept)
    theta, one = case.theta(), case.objective(sparse=sparse)
    for name, few in (("ONE_BLOCK_ELEMENTS", 0), ("BLOCK_ELEMENTS", 64), ("RUN_ELEMENTS", 64)):
        monkeypatch.setattr(tuning, name, few)
    monkeypatch.setattr(tuning, "LEAST_RUN", 16)
    monkeypatch.setattr(tuning, "SPARSE_BLOCK_LOGITS", 64)
    many = case.objective(sparse=sparse)
    assert len(one.rows.blocks.all) == 1
    assert len(many.rows.blocks.all) > 1
    assert not many.rows.written_out
    for caution in (0.0, 0.1):
        H = case.free_hessian(theta, caution)
        for objective in (one, many):
            found = preconditioners.hessian(objective, theta, caution)
            np.testing.assert_allclose(found, H, rtol=1e-10, atol=1e-10)
        there, here = (
            [
                *preconditioners.class_blocks(o, theta, caution).factors,
                preconditioners.diagonal(o, theta).scale,
            ]
            for o in (many, one)
        )
        for a, b in zip(there, here, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-10)
    assert many(theta).value == pytest.approx(one(theta).value, rel=1e-13)
    np.testing.assert_allclose(many(theta).gradient, one(theta).gradient, rtol=1e-9, atol=1e-9)
    direction = case.theta(1)
    products = [o.hessian_product(theta, direction) for o in (many, one)]
    np.testing.assert_allclose(*products, rtol=1e-9, atol=1e-9)
    assert many.max_logit_range(direction) == pytest.approx(
        one.max_logit_range(direction), rel=1e-12
    )
    many.sample_by_sample = one.sample_by_sample = True
    assert many(theta).value == pytest.approx(one(theta).value, rel=1e-13)
    np.testing.assert_allclose(many(theta).gradient, one(theta).gradient, rtol=1e-9, atol=1e-9)
