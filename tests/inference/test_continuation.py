"""Minima along a path of penalties, by Newton steps with the curvature of the last minimum."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_iris

from skxent import SoftmaxClassifier, SoftmaxClassifierCV
from skxent.inference import continuation, leave_one_out
from skxent.inference.continuation import Curvature, continued
from skxent.likelihood.objective import Objective
from skxent.likelihood.optimise import preconditioners
from skxent.likelihood.optimise.solver import minimise
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import compute_moments


def make(K=3, n=300, d=4, seed=0):
    rng = np.random.default_rng([K, seed])
    X = rng.normal(size=(n, d)) + np.arange(d)
    Z = (X - np.arange(d)) @ rng.normal(size=(d, K))
    return LocalRows(X, (Z + rng.gumbel(size=Z.shape)).argmax(axis=1), None, K)


def at_minimum(data, penalty):
    """The objective, and its exact minimum."""
    moments = compute_moments(data)
    objective = Objective(data, moments, penalty, moments.mean)
    fit = minimise(data, penalty=penalty, start=None, tol=1e-14, max_iter=1000)
    return objective, objective(objective.enter(fit.coef, fit.intercept))


@pytest.mark.parametrize("factors", [None, np.array([0.5, 1.0, 2.0, 3.0])], ids=["", "factors"])
@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("ratio", [1e-3, 0.1, 1.0, 10.0])
def test_is_the_minimum_of_a_search(K, ratio, factors):
    data = make(K)
    old, new = (Penalty.of_C(C, factors) for C in (1.0, ratio))
    objective, point = at_minimum(data, old)
    other = objective.with_penalty(new)
    start = other.moved_penalty(objective, point)
    again = other(point.theta)
    assert start.value == pytest.approx(again.value, rel=1e-13)
    np.testing.assert_allclose(start.gradient, again.gradient, atol=1e-10)
    curvature = Curvature.of(objective, point.theta)
    found = continued(
        other, compute_moments(data), start, curvature, 1e-6, lambda change: change < 1e-3
    )
    truth, lowest = at_minimum(data, new)
    assert found.solution.converged
    gap = found.point.value - lowest.value
    assert gap <= max(2 * found.solution.gap, 1e-12)
    assert found.solution.gap <= found.solution.target
    coef, intercept = truth.leave(lowest.theta)
    np.testing.assert_allclose(found.solution.coef, coef, atol=1e-4)
    np.testing.assert_allclose(found.solution.intercept, intercept, atol=1e-4)
    moved = truth.max_logit_range(found.curvature.theta - found.point.theta)
    assert moved < 1e-3
    H = preconditioners.hessian(truth, found.point.theta)
    own = found.curvature.factored(other)
    L = own.factors[0] / own.scales[0][:, None]
    np.testing.assert_allclose(L @ L.T, H, rtol=2e-3, atol=1e-3 * np.abs(H).max())


def test_rounding_and_no_penalty_are_left_to_a_search():
    data = make()
    objective, point = at_minimum(data, Penalty(1.0))
    curvature, moments = Curvature.of(objective, point.theta), compute_moments(data)
    for penalty in (Penalty(0.0), Penalty(1e-14), Penalty.of_factors(1.0, np.array([0, 1, 1, 1]))):
        other = objective.with_penalty(penalty)
        start = other.moved_penalty(objective, point)
        assert continued(other, moments, start, curvature, 1e-6, lambda _: True) is None


def test_too_many_steps_are_left_to_a_search(monkeypatch):
    monkeypatch.setattr(continuation, "STEPS", 1)
    X, y = load_iris(return_X_y=True)
    clf = SoftmaxClassifierCV([1e-3, 1e3]).fit(X, y)
    plain = SoftmaxClassifier(clf.C_).fit(X, y)
    assert clf.objective_ == pytest.approx(plain.objective_, rel=1e-6)


@pytest.mark.parametrize("load", [load_iris, load_breast_cancer])
def test_losses_do_not_depend_on_the_way_to_the_minimum(load, monkeypatch):
    X, y = load(return_X_y=True)
    clf = SoftmaxClassifierCV().fit(X, y)
    monkeypatch.setattr(leave_one_out, "continued", lambda *arguments: None)
    searched = SoftmaxClassifierCV().fit(X, y)
    np.testing.assert_allclose(clf.loo_loss_, searched.loo_loss_, rtol=3e-3)
    assert clf.C_ == searched.C_
    np.testing.assert_allclose(clf.coef_, searched.coef_, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("solver", ["lbfgs", "newton"])
def test_a_solver_by_name_takes_its_own_steps(solver, monkeypatch):
    def never(*arguments):
        raise AssertionError("continuation is not a step of this solver")

    monkeypatch.setattr(leave_one_out, "continued", never)
    X, y = load_iris(return_X_y=True)
    assert SoftmaxClassifierCV([0.1, 1.0], solver=solver).fit(X, y).converged_


def test_curvature_from_before_the_last_step_hardly_changes_the_losses(monkeypatch):
    """On many samples the increase of the loss is small, and so is what its error may be."""
    data = make(n=4000, d=6)
    Cs = np.logspace(-3, 3, 7)
    clf = SoftmaxClassifierCV(Cs).fit(data.X, data.targets)
    made = []
    plain = Curvature.of.__func__

    def of(cls, objective, theta):
        made.append(theta)
        return plain(cls, objective, theta)

    monkeypatch.setattr(Curvature, "of", classmethod(of))
    SoftmaxClassifierCV(Cs).fit(data.X, data.targets)
    reused = len(made)
    monkeypatch.setattr(leave_one_out, "LARGEST_STALE", 0.0)
    fresh = SoftmaxClassifierCV(Cs).fit(data.X, data.targets)
    assert reused < len(made) - reused
    np.testing.assert_allclose(clf.loo_loss_, fresh.loo_loss_, rtol=1e-4)
