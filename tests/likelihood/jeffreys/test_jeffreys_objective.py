"""The objective with Jeffreys' prior: values against plain sums, derivatives, bounds."""

import mpmath
import numpy as np
import pytest
from bias_reduction import log_prior, probabilities
from bias_reduction import objective as plain_objective

from skxent.likelihood.jeffreys import jeffreys_objective
from skxent.likelihood.jeffreys.jeffreys_objective import JeffreysObjective
from skxent.likelihood.sources.arrays import balanced_offset
from skxent.likelihood.sources.local_rows import LocalRows

CLASSES = [2, 3, 5]
N = 25


def rows(K, *, soft=False, offset=None, fit_intercept=True, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, 3)) * [1.0, 1e3, 1e-3] + [0.0, 1e4, 2.0]
    targets = rng.dirichlet(np.ones(K), N) if soft else rng.integers(0, K, N)
    weight = rng.uniform(0.5, 2.0, N)
    return LocalRows(X, targets, weight, K, fit_intercept=fit_intercept, offset=offset)


def theta_of(objective, size=0.7, seed=1):
    return size * np.random.default_rng(seed).normal(size=objective.shape)


@pytest.mark.parametrize("K", CLASSES)
@pytest.mark.parametrize("intercept", [True, False])
def test_value_is_that_of_plain_sums(K, intercept):
    data = rows(K, fit_intercept=intercept)
    objective = JeffreysObjective.of(data)
    theta = theta_of(objective)
    coef, constant = objective.leave(theta)
    expected = plain_objective(coef, constant, data.X, data.targets, data.weight, intercept)
    assert objective(theta).value == pytest.approx(expected, rel=1e-9)
    np.testing.assert_allclose(objective.enter(coef, constant), theta, atol=1e-9)


def test_value_in_50_digits():
    x, y, theta = [-2.0, 0.5, 1.0, 4.0], [0, 1, 0, 1], np.array([[3.0, -1.0]])
    objective = JeffreysObjective.of(LocalRows(np.array(x)[:, None], np.array(y), None, 2))
    coef, intercept = objective.leave(theta)
    with mpmath.workdps(50):
        a, b = mpmath.mpf(coef[0, 0]), mpmath.mpf(intercept[0])
        p = [1 / (1 + mpmath.exp(-(a * v + b))) for v in x]
        w = [q * (1 - q) for q in p]
        S = [
            mpmath.fsum(wi * mpmath.mpf(v) ** k for wi, v in zip(w, x, strict=True))
            for k in range(3)
        ]
        loss = -mpmath.fsum(mpmath.log(q if t else 1 - q) for q, t in zip(p, y, strict=True))
        expected = float(loss - mpmath.log(S[2] * S[0] - S[1] ** 2) / 2)
    assert objective(theta).value == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("K", CLASSES)
@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("with_offset", [False, True])
def test_derivatives_by_central_differences(K, soft, with_offset):
    R = 1 if K == 2 else K
    offset = np.random.default_rng(3).normal(size=(R, N)) if with_offset else None
    offset = None if offset is None else balanced_offset(offset)
    objective = JeffreysObjective.of(rows(K, soft=soft, offset=offset))
    theta = theta_of(objective)
    point, h = objective(theta), 1e-5
    for seed in range(3):
        along = np.random.default_rng(seed).normal(size=objective.shape)
        high, low = objective(theta + h * along), objective(theta - h * along)
        slope = (high.value - low.value) / (2 * h)
        assert slope == pytest.approx(np.vdot(point.gradient, along), rel=1e-7, abs=1e-7)
        change = (high.gradient - low.gradient) / (2 * h)
        np.testing.assert_allclose(point.hessian_product(along), change, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("K", CLASSES)
def test_hessian_is_symmetric(K):
    objective = JeffreysObjective.of(rows(K))
    point = objective(theta_of(objective))
    unit = np.eye(objective.shape[0] * objective.shape[1])
    H = np.array([point.hessian_product(e.reshape(objective.shape)).ravel() for e in unit])
    np.testing.assert_allclose(H, H.T, atol=1e-11 * np.abs(H).max())


def test_batches_add_up(monkeypatch):
    whole = JeffreysObjective.of(rows(3))
    monkeypatch.setattr(jeffreys_objective, "SPACE", 7 * 8)  # seven samples a batch
    parts = JeffreysObjective.of(rows(3))
    theta = theta_of(whole)
    a, b = whole(theta), parts(theta)
    assert a.value == pytest.approx(b.value, rel=1e-14)
    np.testing.assert_allclose(a.gradient, b.gradient, rtol=1e-10, atol=1e-12)
    along = theta_of(whole, seed=2)
    np.testing.assert_allclose(a.hessian_product(along), b.hessian_product(along), atol=1e-11)


def test_offset_shifts_the_logits():
    K, offset = 3, np.random.default_rng(3).normal(size=(N, 3))
    data = rows(K, offset=balanced_offset(offset.T))
    objective = JeffreysObjective.of(data)
    theta = theta_of(objective)
    P = probabilities(*objective.leave(theta), data.X, offset)
    assert objective(theta).log_prior == pytest.approx(log_prior(P, data.X, data.weight), rel=1e-9)


@pytest.mark.parametrize("K", CLASSES)
def test_no_value_is_below_the_bound(K):
    objective = JeffreysObjective.of(rows(K))
    least = objective.least_value()
    for size in (0.0, 0.1, 1.0, 5.0):
        point = objective(theta_of(objective, size))
        assert point.value >= least + point.losses - 1e-9
    if K == 2:  # the bound of the prior is attained at equal probabilities
        zero = objective(np.zeros(objective.shape))
        assert -zero.log_prior == pytest.approx(least, rel=1e-12)


@pytest.mark.parametrize("K", CLASSES)
def test_value_grows_along_every_ray(K):
    objective = JeffreysObjective.of(rows(K))
    along = theta_of(objective, 1.0)
    values = [objective(t * along) for t in (1.0, 2.0, 4.0, 8.0)]
    assert np.all(np.diff([point.value for point in values if point is not None]) > 0)


def test_singular_information_has_no_value():
    objective = JeffreysObjective.of(rows(3))
    assert objective(theta_of(objective, 1e4)) is None
