"""The damped diagonal: its formula, and that words that occur together need fewer products."""

import numpy as np
import pytest
import scipy.sparse as sp

from skxent.likelihood.objective import Objective
from skxent.likelihood.optimise.damped_diagonal import DAMPING, damped_diagonal
from skxent.likelihood.optimise.newton_cg import Accuracy, conjugate_gradients
from skxent.likelihood.optimise.preconditioners import PreconditionedPoint, diagonal
from skxent.likelihood.optimise.solver import minimise
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import compute_moments


@pytest.mark.parametrize("caution", [0.0, 0.3])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("alpha", [1e-3, 0.5, 1e9])
@pytest.mark.parametrize("K", [2, 3, 5])
def test_formula(make_case, K, alpha, fit_intercept, caution):
    case = make_case(K, alpha=alpha, fit_intercept=fit_intercept)
    theta, d = case.theta(), case.X.shape[1]
    P, Y = case.probabilities(theta)[:, -len(theta) :], case.Y[:, -len(theta) :]
    curvature = P * (1 - P) + caution * (P - Y) ** 2
    h = np.einsum("i,ik,ij->kj", case.weight, curvature, case.samples**2)
    expected = np.empty_like(h)
    for k in range(len(h)):
        for j in range(h.shape[1]):
            if j == d:
                expected[k, j] = DAMPING * h[k, d]
            elif fit_intercept and K > 2:
                mean = h[k, d] * h[:, j].sum() / h[:, d].sum()
                expected[k, j] = alpha + DAMPING * np.sqrt(h[k, j] * mean)
            else:
                expected[k, j] = alpha + DAMPING * h[k, j]
    found = damped_diagonal(case.objective(sparse=True), theta, caution)
    np.testing.assert_allclose(found.scale**-2, expected, rtol=1e-6 if alpha < 1 else 1e-3)
    assert found.certain
    assert found.least_pivot == 1


def test_each_feature_keeps_its_penalty(make_case):
    objective = make_case(4).objective(sparse=True)
    factors = np.array([1e6, 2e6, 0.5e6])
    strong = objective.with_penalty(Penalty.of_factors(1.0, factors))
    found = damped_diagonal(strong, make_case(4).theta()).scale[:, :3] ** -2
    np.testing.assert_allclose(found, np.tile(factors, (4, 1)), rtol=1e-3)


@pytest.mark.parametrize("plain", ["at zero", "no penalty", "unpenalised feature"])
def test_where_nothing_is_damped(make_case, plain):
    case = make_case(3, alpha=0.0 if plain == "no penalty" else 0.5)
    objective, theta = case.objective(sparse=True), case.theta()
    if plain == "unpenalised feature":
        factors = np.array([1.0, 0.0, 1.0])
        objective = objective.with_penalty(Penalty.of_factors(0.5, factors))
    if plain == "at zero":
        theta = np.zeros_like(theta)
    found, expected = damped_diagonal(objective, theta), diagonal(objective, theta)
    np.testing.assert_array_equal(found.scale, expected.scale)


def test_a_column_of_zeros(make_case):
    case = make_case(3, fit_intercept=False)
    case.X[:, 1] = 0.0
    found = damped_diagonal(case.objective(sparse=True), case.theta())
    np.testing.assert_allclose(found.scale[:, 1] ** -2, 0.5)


def texts(alpha=0.01, K=8, n=1500):
    """An objective of texts: each subject has words that occur together, and all share others."""
    rng = np.random.default_rng(0)
    subject = rng.integers(K, size=n)
    often = rng.random((n, 60)) < np.geomspace(0.6, 0.05, 60)
    own = rng.random((n, 40 * K)) < 0.02
    for k in range(K):
        rows = np.flatnonzero(subject == k)
        own[np.ix_(rows, np.arange(40 * k, 40 * k + 40))] |= rng.random((len(rows), 40)) < 0.25
    X = np.column_stack([often, own]).astype(float)
    X /= np.linalg.norm(X, axis=1, keepdims=True) + 1e-9
    y = np.where(rng.random(n) < 0.15, rng.integers(K, size=n), subject)
    data = LocalRows(sp.csr_array(X), y, None, K)
    moments = compute_moments(data)
    return Objective(data, moments, Penalty(alpha), moments.mean)


def near_minimum(objective, gap):
    """A point with about the given gap."""
    found = minimise(
        objective.data, penalty=objective.penalty, start=None, tol=1e-13, max_iter=2000
    )
    theta = objective.enter(found.coef, found.intercept)
    away = np.random.default_rng(1).normal(size=objective.shape)
    away -= away.mean(axis=0)
    curved = float(np.vdot(away, objective.hessian_product(theta, away)))
    return objective(theta + away * np.sqrt(2 * gap / curved))


def products(objective, point, model, accuracy):
    here = PreconditionedPoint.of(model(objective, point.theta), point)
    before = objective.n_passes
    newton = conjugate_gradients(objective, here, accuracy)
    return newton, objective.n_passes - before


def test_conjugate_gradients_need_fewer_products():
    objective = texts(alpha=0.001)
    point = near_minimum(objective, 1e-5)
    accuracy = Accuracy(1e-300, 0.0, 1e-4, 1000)
    damped, few = products(objective, point, damped_diagonal, accuracy)
    plain, many = products(objective, point, diagonal, accuracy)
    assert damped.converged
    assert plain.converged
    assert damped.gap == pytest.approx(plain.gap, rel=1e-3)
    assert few < 0.8 * many
