"""The last steps: coefficients that do not depend on the path, at the default tolerance."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_digits

from skxent import SoftmaxClassifier
from skxent.likelihood import tuning
from skxent.likelihood.objective import Objective, Point
from skxent.likelihood.optimise import last_steps, preconditioners
from skxent.likelihood.optimise.certificate import bound_after
from skxent.likelihood.optimise.last_steps import lowers, steadied
from skxent.likelihood.optimise.newton_cg import Accuracy, ModelError, conjugate_gradients
from skxent.likelihood.optimise.preconditioners import PreconditionedPoint
from skxent.likelihood.optimise.solver import minimise
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import compute_moments

SETTINGS = {"penalty": Penalty(1.0), "start": None, "tol": 1e-6, "max_iter": 1000}


def drawn(n, d, K, seed=0):
    """Columns of sizes between a tenth and ten, far from zero."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    W = rng.normal(size=(d, K)) * 2 / np.sqrt(d)
    y = (X @ W + rng.gumbel(size=(n, K))).argmax(axis=1)
    return X * np.logspace(-1, 1, d) + 3.0, y


def extended_objective(clf, X, y):
    """The objective of a fitted classifier, in extended precision."""
    Z = X.astype(np.longdouble) @ clf.coef_.T.astype(np.longdouble) + clf.intercept_
    Z -= Z.max(axis=1, keepdims=True)
    losses = np.log(np.exp(Z).sum(axis=1)) - Z[np.arange(len(y)), y]
    return losses.sum() + (clf.coef_.astype(np.longdouble) ** 2).sum() / (2 * clf.C)


def exact(X, y, start, C=1.0):
    """The minimum, by Newton steps with the whole Hessian from a fitted classifier."""
    n, K = len(y), len(start.classes_)
    A, T = np.column_stack([X - X.mean(axis=0), np.ones(n)]), np.eye(K)[y]
    p = A.shape[1]
    W = np.column_stack([start.coef_, start.intercept_ + start.coef_ @ X.mean(axis=0)])
    penalised = np.append(np.ones(p - 1), 0.0) / C
    for _ in range(3):
        Z = A @ W.T
        P = np.exp(Z - Z.max(axis=1, keepdims=True))
        P /= P.sum(axis=1, keepdims=True)
        g = (P - T).T @ A + W * penalised
        H = np.kron(np.eye(K), np.diag(penalised))
        for k in range(K):
            for j in range(K):
                block = (A * (P[:, k] * ((k == j) - P[:, j]))[:, None]).T @ A
                H[k * p : (k + 1) * p, j * p : (j + 1) * p] += block
        W = W - np.linalg.lstsq(H, g.ravel(), rcond=1e-13)[0].reshape(W.shape)
    return W[:, :-1] - W[:, :-1].mean(axis=0)


def error(coef, reference):
    return np.abs(coef - reference).max() / np.abs(reference).max()


def test_digits_are_at_their_minimum():
    """Before, the error was 9e-5."""
    X, y = load_digits(return_X_y=True)
    clf = SoftmaxClassifier().fit(X, y)
    assert clf.converged_
    assert error(clf.coef_, exact(X, y, clf)) < 1e-6


@pytest.mark.parametrize("size", [(900, 30, 8), (30_000, 12, 3)], ids=str)
def test_neither_order_nor_partitions_of_rows_matter(size):
    """Class blocks of all rows, and the Hessian of a sample: before, 2e-5 and 1e-5."""
    da = pytest.importorskip("dask.array")
    X, y = drawn(*size)
    clf = SoftmaxClassifier().fit(X, y)
    reference = exact(X, y, clf)
    assert error(clf.coef_, reference) < 1e-6
    order = np.random.default_rng(1).permutation(len(y))
    assert error(SoftmaxClassifier().fit(X[order], y[order]).coef_, reference) < 1e-6
    for parts in (2, 5):
        rows = -(-len(y) // parts)
        there = da.from_array(X, chunks=(rows, -1)), da.from_array(y, chunks=rows)
        assert error(SoftmaxClassifier().fit(*there).coef_, reference) < 1e-6


def test_where_a_pass_is_dear_one_step_is_the_last(monkeypatch):
    X, y = drawn(900, 30, 8)
    cheap = SoftmaxClassifier().fit(X, y)
    monkeypatch.setattr(last_steps, "CHEAP_PASS", 0)
    dear = SoftmaxClassifier().fit(X, y)
    assert dear.converged_
    assert dear.n_passes_ < cheap.n_passes_
    assert dear.optimality_gap_ >= dear.objective_ - cheap.objective_
    assert error(dear.coef_, cheap.coef_) < 1e-5


def test_a_long_search_spends_a_twentieth_more_on_the_last_step(monkeypatch):
    X, y = load_digits(return_X_y=True)
    reference = exact(X, y, SoftmaxClassifier(tol=1e-10).fit(X, y))
    monkeypatch.setattr(last_steps, "CHEAP_PASS", 0)
    accurate = SoftmaxClassifier().fit(X, y)
    monkeypatch.setattr(last_steps, "SPARE_PASSES", 0.0)
    plain = SoftmaxClassifier().fit(X, y)
    assert plain.n_passes_ < accurate.n_passes_ <= 1.06 * plain.n_passes_
    assert error(accurate.coef_, reference) < error(plain.coef_, reference) / 1.5


def test_lbfgs_stays_where_it_certified():
    X, y = drawn(900, 30, 8)
    auto, lbfgs = (SoftmaxClassifier(solver=solver).fit(X, y) for solver in ("auto", "lbfgs"))
    reference = exact(X, y, auto)
    assert error(auto.coef_, reference) < 1e-6 < error(lbfgs.coef_, reference)


def test_every_read_counts(monkeypatch):
    """The last steps count in `n_passes`, and together as one iteration."""
    reads = []
    for name in ("log_partition", "hessian_product", "max_logit_range", "hessian_diagonal"):
        LocalSums = type(LocalRows(*drawn(20, 2, 3), None, 3).sums(None, False))
        method = getattr(LocalSums, name)

        def counted(self, *args, method=method, name=name):
            reads.append(name)
            return method(self, *args)

        monkeypatch.setattr(LocalSums, name, counted)
    for name in ("class_block_grams", "losses"):
        method = getattr(LocalSums, name)
        monkeypatch.setattr(
            LocalSums, name, lambda self, *a, m=method: (reads.append("other"), m(self, *a))[1]
        )
    X, y = drawn(900, 30, 8)
    found = minimise(LocalRows(X, y, None, 8), **SETTINGS)
    assert found.converged
    assert found.n_passes == len(reads) + tuning.FIRST_READ_PASSES
    assert found.curve[-1][0] == found.n_passes
    assert len(found.curve) == found.n_iterations


def test_no_step_follows_the_last_iteration_or_a_stop(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a step after the end")

    X, y = drawn(900, 30, 8)
    data = LocalRows(X, y, None, 8)
    full = minimise(data, **SETTINGS).n_iterations
    monkeypatch.setattr("skxent.likelihood.optimise.search.steadied", refuse)
    with pytest.raises(AssertionError, match="after the end"):
        minimise(data, **SETTINGS)
    for n in range(1, full):
        assert minimise(data, **SETTINGS | {"max_iter": n}).n_iterations <= n
        seen = []
        stop = lambda *a, seen=seen, n=n: seen.append(a) or len(seen) == n  # noqa: E731
        found = minimise(data, **SETTINGS, report=stop)
        assert found.stopped
        assert len(seen) == n


def test_the_last_report_has_the_returned_parameters():
    X, y = drawn(30_000, 12, 3)
    seen = []
    found = minimise(
        LocalRows(X, y, None, 3), **SETTINGS, report=lambda A, a, v: seen.append((A, a, v)) or False
    )
    np.testing.assert_array_equal(seen[-1][0], found.coef)
    assert seen[-1][2] == found.value
    assert len(seen) == found.n_iterations


def whole_hessian(distance=3e-8, seed=0):
    """An objective, and a point near its minimum with the Hessian of another point."""
    X, y = drawn(2000, 6, 3, seed)
    data = LocalRows(X, y, None, 3)
    moments = compute_moments(data)
    objective = Objective(data, moments, Penalty(1.0), moments.mean)
    theta = np.zeros(objective.shape)
    for _ in range(6):
        here = PreconditionedPoint.of(preconditioners.full(objective, theta), objective(theta))
        theta = theta + here.newton_step
    away = distance * np.random.default_rng(seed).normal(size=theta.shape)
    return objective, theta, PreconditionedPoint.of(here.preconditioner, objective(theta + away))


def test_a_free_step_costs_no_pass_and_its_value_is_right():
    objective, theta, here = whole_hessian()
    accuracy = Accuracy(
        1e-6, 0.0, tuning.CG_RESIDUAL, 100, steadying=tuning.LAST_CG_PRODUCTS, free=True
    )
    error_of_model = ModelError(1.0, 1e-3)
    assert accuracy.is_free(here, error_of_model)
    before = objective.n_passes
    point, gap = steadied(objective, here, 1e-6, accuracy, error_of_model)
    assert objective.n_passes == before
    assert (
        objective(theta).value
        <= here.point.value
        <= objective(theta).value + gap
        <= here.point.value + 1e-6
    )
    assert error(objective.leave(point.theta)[0], objective.leave(theta)[0]) < 1e-10
    there = objective(point.theta)
    assert abs(there.value - point.value) <= there.rounding


def test_a_free_step_needs_a_good_hessian():
    objective, theta, here = whole_hessian()
    accuracy = Accuracy(
        1e-6, 0.0, tuning.CG_RESIDUAL, 100, steadying=tuning.LAST_CG_PRODUCTS, free=True
    )
    far = PreconditionedPoint.of(here.preconditioner, objective(0.9 * theta))
    assert not accuracy.is_free(far, ModelError(1.0, 1e-3))
    assert not accuracy.is_free(here, ModelError())
    blocks = Accuracy(1e-6, 0.0, tuning.CG_RESIDUAL, 100, steadying=tuning.LAST_CG_PRODUCTS)
    assert not blocks.is_free(here, ModelError(1.0, 1e-3))


def test_a_step_that_rises_is_not_taken(monkeypatch):
    objective, _, here = whole_hessian()
    accuracy = Accuracy(1e-6, 0.0, tuning.CG_RESIDUAL, 100, steadying=tuning.LAST_CG_PRODUCTS)

    def wrong(*args):
        newton = conjugate_gradients(*args)
        return type(newton)(-1e3 * newton.step, newton.gap, False)

    monkeypatch.setattr(last_steps, "conjugate_gradients", wrong)
    accuracy = replace(accuracy, distance=0.0)
    point, gap = steadied(objective, here, 1e-6, accuracy, ModelError())
    assert point is here.point
    assert gap == 1e-6


def test_lower_is_by_value_or_where_rounding_hides_it_by_gradient():
    objective, theta, here = whole_hessian(1e-9)
    far = PreconditionedPoint.of(here.preconditioner, objective(0.5 * theta))
    end = PreconditionedPoint.of(here.preconditioner, objective(theta))
    assert abs(here.point.value - end.point.value) < here.point.rounding
    value, rounding = end.point.value, end.point.rounding  # those of `here` differ by rounding only
    here = replace(here, point=replace(here.point, value=value, rounding=rounding))
    assert lowers(far, here)
    assert lowers(here, end)
    assert not lowers(here, far)
    assert not lowers(end, here)


def test_a_bound_falls_with_the_objective():
    def at(value):
        return Point(np.zeros((1, 1)), value, np.zeros((1, 1)), rounding=1e-3)

    assert bound_after(1.0, at(5.0), at(4.5)) == pytest.approx(0.5 + 2e-3)
    assert bound_after(1.0, at(5.0), at(3.0)) == pytest.approx(2e-3)
    assert bound_after(1e-4, at(5.0), at(5.0)) == 1e-4


@pytest.mark.parametrize("C", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("size", [(900, 30, 8), (300, 40, 6), (30_000, 12, 3)], ids=str)
def test_the_gap_bounds_the_true_one(size, C):
    X, y = drawn(*size)
    for tol in (1e-2, 1e-4, 1e-6):
        clf = SoftmaxClassifier(C=C, tol=tol).fit(X, y)
        best = SoftmaxClassifier(C=C, tol=1e-12).fit(X, y)
        assert clf.converged_
        # In extended precision, because objectives of float64 differ by rounding errors.
        gap = extended_objective(clf, X, y) - extended_objective(best, X, y)
        rounding = 1e-14 * clf.objective_
        assert gap <= clf.optimality_gap_ + 0.1 * rounding
        assert clf.objective_ == pytest.approx(float(extended_objective(clf, X, y)), abs=rounding)
        assert clf.optimality_gap_ <= clf.target_gap_


@pytest.mark.parametrize(("seed", "C"), [(77, 100.0), (80, 100.0), (234, 1.0)])
def test_the_gap_after_newton_steps_bounds_the_true_one(seed, C):
    """The Hessian is that of another point: before, the decrement alone was up to 13 % too low."""
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(60, 20)) * np.logspace(-2, 2, 20), rng.integers(6, size=60)
    y[:6] = range(6)
    clf, best = (SoftmaxClassifier(C=C, tol=tol).fit(X, y) for tol in (0.1, 1e-12))
    assert clf.converged_
    assert clf.objective_ - best.objective_ <= clf.optimality_gap_ + 1e-13 * clf.objective_


@pytest.mark.parametrize("seed", [2, 11, 15])
def test_the_value_is_right_where_few_products_suffice(seed, monkeypatch):
    """With one parameter, one product suffices, and shows nothing of how the Hessian changes.

    Before, the objective was up to 8e-5 nats too high.
    """
    small = {"FEW_OPERATIONS": 1e3, "MOST_ROWS": 3, "MOST_ROWS_LEAST": 30, "CALL_OPERATIONS": 1}
    whole = {"START_PASSES": 1e9, "DIAGONAL_PASSES": 1e9, "LEAST_ROWS": 1}
    for name, value in (small | whole).items():
        monkeypatch.setattr(tuning, name, value)
    rng = np.random.default_rng(seed)
    X = rng.standard_t(4, size=(1000, 1))
    y = (X[:, 0] + rng.logistic(size=1000) > 0).astype(int)
    data = LocalRows(X, y, None, 2, fit_intercept=False)
    found = minimise(data, **SETTINGS | {"tol": 0.1})
    margins = (2 * y - 1) * (X @ found.coef[0])
    value = np.logaddexp(0, -margins).sum() + (found.coef**2).sum() / 2
    assert found.value == pytest.approx(value, rel=1e-12)


def test_products_that_end_at_once_show_no_perfect_hessian():
    here = whole_hessian(1e-4)[2]
    accuracy = Accuracy(
        1e-6, 0.0, tuning.CG_RESIDUAL, 100, steadying=tuning.LAST_CG_PRODUCTS, free=True
    )
    error_of_model = ModelError().after(0.5, 1e-15)
    assert error_of_model.contraction == 1.0
    assert not accuracy.is_free(here, error_of_model)
    assert not accuracy.is_free(here, ModelError().after(1.0, 1e-15))


def test_the_gap_is_not_below_that_of_a_poor_hessian():
    """The true gap was up to 1e5 times the decrement, and 100 times the gap that was reported."""
    objective, theta, here = whole_hessian(1e-6)
    poor = replace(here.preconditioner, scales=[1e-3 * s for s in here.preconditioner.scales])
    there = PreconditionedPoint.of(poor, here.point)
    accuracy = Accuracy(1e-6, 0.0, tuning.CG_RESIDUAL, 100, free=True)
    _, gap = steadied(objective, there, 1e-6, accuracy, ModelError(2.0, 0.5))
    true = here.point.value - objective(theta).value
    assert there.decrement < 1e-3 * true
    assert true <= gap
