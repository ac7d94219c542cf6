"""The solvers by name: what they plan, which steps they take, and that they end in one minimum."""

from itertools import pairwise

import numpy as np
import pytest
import scipy.sparse as sp

from skxent.inputs.parameters import SOLVERS
from skxent.likelihood import tuning
from skxent.likelihood.optimise import certificate, class_subspace, newton_lines, search
from skxent.likelihood.optimise.choices import Kind, plan
from skxent.likelihood.optimise.policies import POLICIES, plan_lbfgs, plan_newton
from skxent.likelihood.optimise.search import Search
from skxent.likelihood.optimise.solver import minimise
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.local_rows import LocalRows

SIZES = [(n, d, K) for n in (50, 2000, 10**5, 10**7) for d in (2, 40, 700) for K in (2, 5, 60)]
SETTINGS = {"penalty": Penalty(0.5), "start": None, "tol": 1e-9, "max_iter": 500}


def rows(n, d, K, sparse=False):
    X = sp.csr_array((n, d)) if sparse else np.broadcast_to(np.zeros(d), (n, d))
    return LocalRows(X, np.zeros(n, dtype=np.intp), None, K)


def drawn(n, d, K, seed=0, strength=2.0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * np.logspace(-1, 1, d) + 3.0
    W = rng.normal(size=(d, K)) * strength / np.sqrt(d) / np.logspace(-1, 1, d)[:, None]
    y = (X @ W - (X @ W).mean(axis=0) + rng.gumbel(size=(n, K))).argmax(axis=1)
    y[:K] = np.arange(K)
    return X, y


def refuse(*_, **__):
    raise AssertionError("a step of another solver")


def test_the_names_are_those_that_are_checked():
    assert tuple(POLICIES) == SOLVERS


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_lbfgs_has_the_preconditioners_of_auto_without_newton_steps(size):
    auto, lbfgs = plan(rows(*size)), plan_lbfgs(rows(*size))
    assert [(c.kind, c.rows) for c in lbfgs.choices] == [(c.kind, c.rows) for c in auto.choices]
    assert lbfgs.first_rows == auto.first_rows
    assert not any(choice.newton for choice in lbfgs.choices)


def test_lbfgs_has_long_stages_over_wide_sparse_rows():
    auto, lbfgs = plan(rows(5000, 40_000, 4, True)), plan_lbfgs(rows(5000, 40_000, 4, True))
    assert auto.cg_gap > 0
    assert lbfgs.cg_gap == 0
    assert lbfgs.choices[0].iterations > auto.choices[0].iterations


@pytest.mark.parametrize("size", [(50, 2, 2), (10**7, 700, 5), (1000, 2499, 2)], ids=str)
def test_newton_has_the_hessian_of_all_rows_only(size):
    found = plan_newton(rows(*size))
    (choice,) = found.choices
    assert (choice.kind, choice.rows, choice.newton) == (Kind.HESSIAN, None, True)
    assert not found.first_rows


@pytest.mark.parametrize(
    ("size", "width"), [((10, 5000, 2), 5001), ((10, 1250, 5), 5004), ((10, 99, 60), 5900)]
)
def test_newton_refuses_a_hessian_that_is_too_wide(size, width):
    d, K = size[1:]
    words = rf"Hessian, here of {width} parameters \({d} features, {K} classes\), and 5000 are"
    with pytest.raises(ValueError, match=words + '.*pass solver="auto"'):
        plan_newton(rows(*size))
    assert plan_newton(rows(10, 4999, 2)).choices


@pytest.mark.parametrize("size", [(60, 3, 2), (300, 6, 4), (3000, 30, 12), (80, 200, 3)], ids=str)
def test_lbfgs_takes_no_newton_step(size, monkeypatch):
    """Neither whole nor damped, nor those of conjugate gradients, nor to polish the end."""
    for name in ("newton_trial", "damped_trial", "polished"):
        monkeypatch.setattr(newton_lines, name, refuse)
    monkeypatch.setattr(class_subspace.ClassSubspace, "step", refuse)
    monkeypatch.setattr(Search, "_cg_step", refuse)
    X, y = drawn(*size)
    assert minimise(LocalRows(X, y, None, size[2]), **SETTINGS, solver="lbfgs").converged
    with pytest.raises(AssertionError, match="another solver"):
        minimise(LocalRows(X, y, None, size[2]), **SETTINGS, solver="newton")


@pytest.mark.parametrize("alpha", [0.5, 1e-9])
@pytest.mark.parametrize("size", [(60, 3, 2), (300, 6, 4)], ids=str)
def test_a_cheap_hessian_measures_the_gap_at_its_own_point(size, alpha, monkeypatch):
    """With a stale one, conjugate gradients missed directions of little curvature."""
    monkeypatch.setattr(search, "conjugate_gradients", refuse)
    X, y = drawn(*size)
    settings = SETTINGS | {"penalty": Penalty(alpha)}
    data = LocalRows(X, y, None, size[2])
    assert plan(data).choices[-1].is_cheap_hessian
    assert minimise(data, **settings, solver="lbfgs").converged


def test_lbfgs_takes_no_step_of_conjugate_gradients_over_sparse_rows(monkeypatch):
    rng = np.random.default_rng(0)
    X = sp.random_array((1500, 3000), density=0.01, rng=rng, format="csr")
    y = (X[:, :50].sum(axis=1) + 0.1 * rng.normal(size=1500) > 0.25).astype(int)
    data = LocalRows(X, y, None, 2)
    auto = minimise(data, **SETTINGS)
    monkeypatch.setattr(Search, "_cg_step", refuse)
    with pytest.raises(AssertionError, match="another solver"):
        minimise(data, **SETTINGS)
    lbfgs = minimise(data, **SETTINGS, solver="lbfgs")
    assert lbfgs.converged
    assert lbfgs.value == pytest.approx(auto.value, abs=2 * auto.target)


@pytest.mark.parametrize("strength", [2.0, 60.0])
@pytest.mark.parametrize("size", [(60, 3, 2), (300, 6, 4), (1500, 20, 12), (80, 200, 3)], ids=str)
def test_newton_makes_no_stage(size, strength, monkeypatch):
    monkeypatch.setattr(search, "Stage", refuse)
    X, y = drawn(*size, strength=strength)
    assert minimise(LocalRows(X, y, None, size[2]), **SETTINGS, solver="newton").converged


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("K", [2, 3, 6])
def test_all_end_where_the_plain_gradient_vanishes(make_case, solver, K, fit_intercept):
    case = make_case(K, fit_intercept=fit_intercept, soft=True)
    data = LocalRows(case.X, case.Y, case.weight, K, fit_intercept)
    solution = minimise(data, **SETTINGS, solver=solver)
    assert solution.converged
    theta = case.objective().enter(solution.coef, solution.intercept)
    assert solution.value == pytest.approx(case.value(theta), rel=1e-12)
    for index in np.ndindex(theta.shape):
        step = np.zeros_like(theta)
        step[index] = 1e-4
        slope = (case.value(theta + step) - case.value(theta - step)) / 2e-4
        assert slope == pytest.approx(0, abs=2e-4)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("K", [2, 3])
def test_separated_classes_have_no_minimum(solver, K):
    X, _ = drawn(200, 3, K)
    y = np.digitize(X[:, 0], np.quantile(X[:, 0], np.arange(1, K) / K))
    settings = SETTINGS | {"penalty": Penalty(0.0), "tol": 1e-6}
    found = minimise(LocalRows(X, y, None, K), **settings, solver=solver)
    assert found.unbounded
    assert not found.converged
    assert found.separation is not None


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("size", [(300, 4, 2), (600, 8, 3), (3000, 20, 9)], ids=str)
def test_without_penalty_a_finite_maximum_is_proved(solver, size):
    X, y = drawn(*size)
    data = LocalRows(X, y, None, size[2])
    settings = SETTINGS | {"penalty": Penalty(0.0)}
    auto, found = minimise(data, **settings), minimise(data, **settings, solver=solver)
    assert found.converged
    assert found.decided
    assert found.value == pytest.approx(auto.value, abs=auto.target + found.target)


@pytest.mark.parametrize("seed", [1, 4, 5, 6])
@pytest.mark.thinned(2)
def test_a_placeholder_is_no_silent_wrong_fit(seed):
    """Products with the Hessian lose the digits that its factor from the rows keeps."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(300, 8))
    y = (X @ rng.normal(size=(8, 3)) + rng.gumbel(size=(300, 3))).argmax(axis=1)
    X[5, :2] = 1e9
    settings = SETTINGS | {"penalty": Penalty(1e-6), "tol": 1e-6}
    auto = minimise(LocalRows(X, y, None, 3), **settings)
    assert auto.converged
    for solver in ("lbfgs", "newton"):
        found = minimise(LocalRows(X, y, None, 3), **settings, solver=solver)
        assert found.converged or solver == "lbfgs"
        assert found.value - auto.value <= (found.target if found.converged else found.gap)


def test_the_next_measurement_waits_for_the_ratio_of_the_last_one(monkeypatch):
    """A gap that was measured tells how far the guess of a poor preconditioner is off."""
    rng = np.random.default_rng(0)
    X = sp.random_array((1500, 3000), density=0.01, rng=rng, format="csr")
    y = (X[:, :50].sum(axis=1) + 0.1 * rng.normal(size=1500) > 0.25).astype(int)
    ratios = []

    class Certificate(certificate.Certificate):
        @classmethod
        def of(cls, objective, here, newton, **settings):
            ratios.append((newton.gap / here.decrement, here.decrement / settings["target"]))
            return super().of(objective, here, newton, **settings)

    monkeypatch.setattr(search, "Certificate", Certificate)
    settings = SETTINGS | {"penalty": Penalty(1e-3), "max_iter": 3000}
    assert minimise(LocalRows(X, y, None, 2), **settings, solver="lbfgs").converged
    assert ratios[0][0] > 1
    for (ratio, _), (_, decrement) in pairwise(ratios):
        assert decrement * max(ratio, 1.0) <= tuning.HINT
