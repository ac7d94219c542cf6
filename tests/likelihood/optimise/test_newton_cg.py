"""Conjugate gradients: a gap that is never far from the true one, in any of three ends."""

import numpy as np
import pytest
import scipy.sparse as sp

from skxent.likelihood import tuning
from skxent.likelihood.objective import Objective
from skxent.likelihood.optimise import preconditioners
from skxent.likelihood.optimise.damped_diagonal import damped_diagonal
from skxent.likelihood.optimise.newton_cg import Accuracy, conjugate_gradients
from skxent.likelihood.optimise.preconditioners import PreconditionedPoint
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import compute_moments


def solved(objective, view, target, max_products=tuning.CG_PRODUCTS):
    return conjugate_gradients(
        objective, view, Accuracy(target, 0.0, tuning.CG_RESIDUAL, max_products)
    )


def objective_of(K, alpha, kind=""):
    """Words of uneven frequency, of which many may go together with another, or classes may."""
    rng = np.random.default_rng(0)
    X = (rng.random((400, 60)) < np.geomspace(0.5, 0.02, 60)).astype(float)
    if kind == "correlated":
        X[:, 30:] = np.maximum(X[:, 30:], X[:, :30] * (rng.random((400, 30)) < 0.95))
    y = (X @ rng.normal(size=(60, K)) + rng.gumbel(size=(400, K))).argmax(axis=1)
    if kind == "twins":  # what tells the first two from the others is certain, and nothing else is
        y = np.where(X[:, 0] > 0, rng.integers(2, size=400), rng.integers(2, K + 2, size=400))
        K += 2
    data = LocalRows(sp.csr_array(X), y, None, K)
    moments = compute_moments(data)
    return Objective(data, moments, Penalty(alpha), moments.mean)


def true_gap(objective, point):
    """Half g H^-1 g, from a Hessian made of products."""
    size = point.theta.size
    unit = np.eye(size).reshape(size, *point.theta.shape)
    H = np.array([objective.hessian_product(point.theta, e).ravel() for e in unit])
    g = point.gradient.ravel()
    return 0.5 * g @ np.linalg.lstsq(H, g, rcond=1e-12)[0]


@pytest.mark.parametrize("target", [1e-12, 1e-3, 1e3])
@pytest.mark.parametrize("alpha", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("kind", ["", "correlated", "twins"])
@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize(
    "model", [preconditioners.diagonal, preconditioners.class_blocks, damped_diagonal]
)
@pytest.mark.thinned(6)
def test_gap(model, K, kind, alpha, target):
    objective = objective_of(K, alpha, kind)
    theta = np.zeros(objective.shape)
    for _ in range(5):
        point = objective(theta)
        view = PreconditionedPoint.of(model(objective, theta), point)
        found = solved(objective, view, target)
        gap, step, told = found.gap, found.step, found.converged
        true = true_gap(objective, point)
        assert told
        assert 0.75 * true <= gap <= 5 * true
        if true > target:
            assert gap > target
        theta = theta + step


def products_after_a_step(objective, model):
    """How many conjugate gradients take to a target that is out of reach, and to an easy one."""
    start = objective(np.zeros(objective.shape))
    view = PreconditionedPoint.of(model(objective, start.theta), start)
    step = solved(objective, view, 1.0).step
    view = PreconditionedPoint.of(
        view.preconditioner, objective(step)
    )  # near enough for steps to be made with care
    products = []
    for target in (1e-12, 1e6):
        before = objective.n_passes
        solved(objective, view, target)
        products.append(objective.n_passes - before)
    return products


def test_the_penalty_ends_them_early():
    products = products_after_a_step(objective_of(2, 1.0), preconditioners.diagonal)
    assert products[1] == 1 < products[0]


def test_the_penalty_ends_them_early_with_class_blocks():
    products = products_after_a_step(objective_of(3, 1.0, "twins"), preconditioners.class_blocks)
    assert products[1] < products[0]


def test_without_a_penalty_the_residual_alone_ends_them():
    objective = objective_of(2, 0.0)
    point = objective(np.zeros(objective.shape))
    view = PreconditionedPoint.of(preconditioners.diagonal(objective, point.theta), point)
    gaps = [solved(objective, view, target).gap for target in (1e-12, 1e6)]
    assert gaps[0] == gaps[1] == pytest.approx(true_gap(objective, point), rel=0.01)


@pytest.mark.parametrize("alpha", [0.0, 1e-6])
def test_where_products_run_out_the_rest_is_estimated(alpha):
    objective = objective_of(3, alpha, "correlated")
    point = objective(np.zeros(objective.shape))
    view = PreconditionedPoint.of(preconditioners.diagonal(objective, point.theta), point)
    found = solved(objective, view, 1e-9, max_products=1)
    assert not found.converged
    seen = -0.5 * np.vdot(point.gradient, found.step)
    assert seen < true_gap(objective, point) < found.gap


def parts_of_the_gap(objective, view):
    """After each product: the measured part of the gap, and the whitened residual squared."""
    model, theta, n = view.preconditioner, view.point.theta, view.point.theta.size
    for k in range(1, n + 1):
        step = conjugate_gradients(objective, view, Accuracy(0.0, 0.0, 0.0, k)).step
        residual = -view.point.gradient - objective.hessian_product(theta, step)
        yield -0.5 * np.vdot(view.point.gradient, step), np.sum(model.to_whitened(residual) ** 2)


@pytest.mark.parametrize("excess", [1e-4, 0.1, 1.0])
def test_below_the_floor_the_residual_counts_a_hundredfold(excess):
    """The preconditioner may overrate the curvature by `OVERRATED`, and underrate the gap."""
    objective = objective_of(2, 0.0, "correlated")
    point = objective(np.zeros(objective.shape))
    view = PreconditionedPoint.of(preconditioners.diagonal(objective, point.theta), point)
    floor = (1.0 + excess) * true_gap(objective, point)
    expected = next(
        k
        for k, (gap, rr) in enumerate(parts_of_the_gap(objective, view), 1)
        if gap + tuning.OVERRATED * 0.5 * rr <= floor
    )
    before = objective.n_passes
    found = conjugate_gradients(objective, view, Accuracy(0.0, floor, 0.0, tuning.CG_PRODUCTS))
    assert found.converged
    assert objective.n_passes - before == expected > 1


@pytest.mark.parametrize("overrated", [1.0, 10.0, tuning.OVERRATED])
@pytest.mark.parametrize("K", [2, 3])
def test_a_floor_is_certified_only_above_the_gap(K, overrated):
    """Even if a preconditioner overrates the curvature of all directions by `OVERRATED`."""
    objective = objective_of(K, 0.0, "correlated")
    point = objective(np.zeros(objective.shape))
    model = preconditioners.diagonal(objective, point.theta)
    model = preconditioners.Diagonal(model.scale / np.sqrt(overrated))
    view = PreconditionedPoint.of(model, point)
    true = true_gap(objective, point)
    for floor in (0.5 * true, 0.9 * true, 1.1 * true):
        found = conjugate_gradients(objective, view, Accuracy(0.0, floor, 0.0, 40))
        assert found.converged == (floor > true)
