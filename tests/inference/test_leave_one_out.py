"""Leave-one-out from one fit, against fits without each sample."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.sparse
from scipy.special import logsumexp
from sklearn.datasets import load_iris, load_wine

from skxent.inference import leave_one_out
from skxent.inference.case_deletion import Fit, one_step
from skxent.inference.leave_one_out import LeaveOneOut
from skxent.inference.left_out_cases import LocalCases, Truth
from skxent.likelihood.optimise.solver import minimise
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.local_rows import LocalRows


def losses(Z, Y):
    """Cross-entropy of logits (n, K), or (n, 1) for two classes, with rows Y; written out."""
    Z = np.column_stack([np.zeros(len(Z)), Z]) if Z.shape[1] == 1 else Z
    wanted = np.where(Y > 0, Z, 0.0)
    return logsumexp(Z, axis=1) - (Y * wanted).sum(axis=1)


def rows_of(data):
    """Targets as distributions, (n, K)."""
    return data.target_block(slice(0, data.X.shape[0])).T


def leave_out(data, alpha, tol=1e-6, seed=0):
    """What the engine finds."""
    Y = rows_of(data)
    n = data.X.shape[0]
    importance = np.ones(n) if data.weight is None else data.weight
    rng = np.random.RandomState(seed)
    engine = LeaveOneOut(
        data,
        LocalCases(Truth(lambda rows, Z: np.minimum(losses(Z, Y[rows]), 36.0), importance)),
        tol=tol,
        max_iter=1000,
        rng=rng,
    )
    return engine.fit(Penalty(alpha))


def exact(data, alpha, rows=None):
    """Loss of each sample in a fit of the rows that are left when it is deleted."""
    Y, n = rows_of(data), data.X.shape[0]
    rows = np.arange(n) if rows is None else rows
    result = []
    for i in rows:
        keep = np.arange(n) != i
        weight = None if data.weight is None else data.weight[keep]
        rest = replace(data, X=data.X[keep], targets=data.targets[keep], weight=weight)
        fit = minimise(rest, penalty=Penalty(alpha), start=None, tol=1e-11, max_iter=1000)
        Z = data.X[[i]] @ fit.coef.T + fit.intercept
        result.append(losses(Z, Y[[i]])[0])
    return np.minimum(result, 36.0)


def make(K, n=60, d=3, seed=0, soft=False, weighted=False, fit_intercept=True, strength=2.0):
    """Samples of a softmax model, every class among them."""
    rng = np.random.default_rng([K, n, d, seed])
    X = rng.normal(size=(n, d)) + np.arange(d)
    Z = (X - np.arange(d)) @ rng.normal(size=(d, K)) * strength / np.sqrt(d)
    y = (Z + rng.gumbel(size=(n, K))).argmax(axis=1)
    y[: 2 * K] = np.arange(2 * K) % K
    targets = 0.8 * np.eye(K)[y] + 0.2 * rng.dirichlet(np.ones(K), size=n) if soft else y
    weight = rng.uniform(0.5, 2.0, size=n) if weighted else None
    return LocalRows(X, targets, weight, K, fit_intercept)


CASES = [
    dict(K=2),
    dict(K=2, soft=True, weighted=True, fit_intercept=False),
    dict(K=3, weighted=True),
    dict(K=3, d=1),
    dict(K=4, soft=True, fit_intercept=False),
    dict(K=6, d=2, n=90),
]


def loss_errors(found, truth):
    """Relative error of the mean, and the largest error of a sample in nats."""
    return abs(found.losses.mean() / truth.mean() - 1), np.abs(found.losses - truth).max()


class TestAgainstFitsWithout:
    @pytest.mark.parametrize("case", CASES, ids=str)
    @pytest.mark.parametrize("alpha", [10.0, 1.0, 0.01])
    @pytest.mark.thinned(3)
    def test_mean(self, case, alpha):
        data = make(**case)
        found = leave_out(data, alpha)
        truth = exact(data, alpha)
        relative, largest = loss_errors(found, truth)
        assert relative < 0.005
        assert largest < 0.1
        # Leaving out must matter, or agreement would be cheap.
        assert truth.mean() > found.fitted.mean() + 3 * abs(truth.mean() - found.losses.mean())

    @pytest.mark.parametrize("load", [load_iris, load_wine])
    @pytest.mark.parametrize("alpha", [1e-2, 1e-4])
    def test_nearly_separable(self, load, alpha, monkeypatch):
        """Where one step is wrong by a lot, fits of a few samples put the mean right."""
        X, y = load(return_X_y=True)
        data = LocalRows(X, y, None, 3)
        truth = exact(data, alpha)
        found = leave_out(data, alpha)
        assert abs(found.losses.mean() / truth.mean() - 1) < 0.005
        assert 0 < found.n_refits <= 24
        monkeypatch.setattr(leave_one_out, "REFITS", 0)
        one_step_only = leave_out(data, alpha)
        assert one_step_only.n_refits == 0
        assert abs(one_step_only.losses.mean() / truth.mean() - 1) > 0.05

    def test_a_fit_of_the_usual_kind_takes_over(self, monkeypatch):
        X, y = load_iris(return_X_y=True)
        data = LocalRows(X, y, None, 3)
        found = leave_out(data, 1e-4)
        calls = []

        def counted(*arguments, **settings):
            calls.append(settings["start"])
            return minimise(*arguments, **settings)

        monkeypatch.setattr(leave_one_out, "STAGE", 1)
        monkeypatch.setattr(leave_one_out, "STAGES", 1)
        monkeypatch.setattr(leave_one_out, "minimise", counted)
        other = leave_out(data, 1e-4)
        assert len(calls) > 8
        np.testing.assert_allclose(other.losses, found.losses, rtol=1e-3, atol=1e-4)

    def test_more_features_than_samples(self):
        rng = np.random.default_rng(0)
        X = rng.normal(size=(40, 120)) + 50.0
        y = ((X - 50) @ rng.normal(size=(120, 3)) / 4 + rng.gumbel(size=(40, 3))).argmax(axis=1)
        data = LocalRows(X, y, None, 3)
        for alpha in (1e4, 100.0, 1.0):
            truth = exact(data, alpha)
            found = leave_out(data, alpha)
            assert abs(found.losses.mean() / truth.mean() - 1) < 0.01
        assert found.solution.coef.shape == (3, 120)
        Z = X @ found.solution.coef.T + found.solution.intercept
        np.testing.assert_allclose(losses(Z, np.eye(3)[y]), found.fitted, rtol=1e-8)


class TestOneStep:
    """The formula, against dense algebra one sample at a time."""

    @pytest.mark.parametrize("K", [2, 3, 5])
    @pytest.mark.parametrize("fit_intercept", [True, False])
    @pytest.mark.parametrize("soft", [True, False])
    def test_is_newtons_step_without_the_sample(self, make_case, K, fit_intercept, soft):
        case = make_case(K, n=25, alpha=0.3, fit_intercept=fit_intercept, soft=soft)
        objective = case.objective()
        theta = case.theta(scale=0.4)
        solution = minimise_stub(objective, theta)
        Z, moves, *_ = step_of(Fit.of(objective, solution))
        R, p = theta.shape
        P, H = case.probabilities(theta), case.hessian(theta)
        for i, x in enumerate(case.samples):
            spread = np.kron(np.eye(R), x[:, None])
            S = np.diag(P[i]) - np.outer(P[i], P[i])
            rest = H - case.weight[i] * spread @ S[-R:, -R:] @ spread.T
            residual = case.weight[i] * (P[i] - case.Y[i])[-R:]
            # Directions without curvature have no gradient either.
            step = np.linalg.pinv(rest, rcond=1e-11) @ spread @ residual
            move = step.reshape(R, p) @ x
            move = move if R == 1 else move[:-1] - move[-1]
            np.testing.assert_allclose(moves[i], move, rtol=1e-7, atol=1e-10)
        np.testing.assert_allclose(Z, case.samples @ theta.T - shift_of(theta, case), atol=1e-10)

    def test_two_classes_with_a_row_each_are_the_same(self, make_case):
        """One logit with C and two rows with C / 2 for the penalty are one model."""
        case = make_case(2, n=25, alpha=0.6)
        theta = case.theta(scale=0.4)
        objective = case.objective()
        _, moves, *_ = step_of(Fit.of(objective, minimise_stub(objective, theta)))
        both = np.vstack([-theta, theta]) / 2
        twice = replace(case, alpha=2 * case.alpha)
        P, H = twice.probabilities(both), np.zeros((8, 8))
        for w, prob, x in zip(case.weight, P, case.samples, strict=True):
            H += w * np.kron(np.diag(prob) - np.outer(prob, prob), np.outer(x, x))
        H += np.kron(np.eye(2) - 0.5, np.diag([twice.alpha] * 3 + [0.0]))
        for i, x in enumerate(case.samples):
            spread = np.kron(np.eye(2), x[:, None])
            S = case.weight[i] * (np.diag(P[i]) - np.outer(P[i], P[i]))
            step = np.linalg.pinv(H - spread @ S @ spread.T, rcond=1e-11) @ spread
            move = (step @ (case.weight[i] * (P[i] - case.Y[i]))).reshape(2, 4) @ x
            np.testing.assert_allclose(moves[i], move[1] - move[0], rtol=1e-7, atol=1e-10)

    def test_error_is_of_second_order_in_the_influence(self, monkeypatch):
        """A tenth of the weight is a tenth of the move, and a hundredth of the error."""
        monkeypatch.setattr(leave_one_out, "REFITS", 0)
        data = make(3, n=30, strength=1.0)
        errors = []
        for weight in (0.5, 0.05):
            w = np.ones(30)
            w[4] = weight
            lighter = replace(data, weight=w)
            found = leave_out(lighter, 1.0, tol=1e-14)
            errors.append(found.losses[4] - exact(lighter, 1.0, rows=[4])[0])
        assert abs(errors[0]) > 1e-5
        assert 0.003 < errors[1] / errors[0] < 0.03


def step_of(fit):
    """The Newton steps of all 25 samples."""
    return one_step(fit.objective.rows, fit.theta, fit.half, np.arange(25))


def minimise_stub(objective, theta):
    """A solution at any point, so that the formula is tested away from a minimum too."""
    coef, intercept = objective.leave(theta)
    return SimpleNamespace(coef=coef, intercept=intercept, target=1e-6)


def shift_of(theta, case):
    """What the classes' logits have in common, which the engine takes out."""
    if len(theta) == 1:
        return 0.0
    return (case.samples @ theta.mean(axis=0))[:, None]


class TestEquivalences:
    @pytest.mark.parametrize("K", [2, 3])
    def test_one_hot_is_labels(self, K):
        data = make(K, weighted=True)
        one_hot = replace(data, targets=np.eye(K)[data.targets])
        np.testing.assert_allclose(
            leave_out(one_hot, 0.1).losses, leave_out(data, 0.1).losses, rtol=1e-6
        )

    @pytest.mark.parametrize("form", [scipy.sparse.csr_array, scipy.sparse.csr_matrix])
    @pytest.mark.parametrize("K", [2, 3])
    def test_sparse_is_dense(self, form, K):
        data = make(K)
        X = np.where(np.abs(data.X) > 0.7, data.X, 0.0)
        dense = leave_out(replace(data, X=X), 0.1)
        sparse = leave_out(replace(data, X=form(X)), 0.1)
        np.testing.assert_allclose(sparse.losses, dense.losses, rtol=1e-6)

    def test_float32(self):
        data = make(3)
        X = data.X.astype(np.float32)
        narrow, wide = (leave_out(replace(data, X=x), 0.1) for x in (X, X.astype(np.float64)))
        np.testing.assert_allclose(narrow.losses, wide.losses, rtol=1e-6)

    def test_no_weight_is_no_sample(self):
        data = make(3, n=50)
        weight = np.r_[np.zeros(8), np.ones(42)]
        absent = replace(data, X=data.X[8:], targets=data.targets[8:])
        found = leave_out(replace(data, weight=weight), 0.1)
        assert found.rows.tolist() == list(range(8, 50))
        np.testing.assert_allclose(found.losses, leave_out(absent, 0.1).losses, rtol=1e-6)

    def test_a_weight_is_left_out_whole(self):
        """A sample of weight two goes with both of its copies; two samples go one by one."""
        data = make(2, n=40)
        twice = np.r_[2.0, np.ones(39)]
        heavy = leave_out(replace(data, weight=twice), 0.1).losses
        copied = replace(
            data, X=np.vstack([data.X[:1], data.X]), targets=np.r_[data.targets[0], data.targets]
        )
        one_by_one = leave_out(copied, 0.1).losses
        without_both = exact(data, 0.1, rows=[0])[0]
        assert heavy[0] == pytest.approx(without_both, rel=0.02)
        assert one_by_one[0] == pytest.approx(one_by_one[1], rel=1e-9)
        assert one_by_one[0] < 0.95 * without_both
        # Of the other samples both forms say the same: there a weight is copies.
        np.testing.assert_allclose(heavy[1:], one_by_one[2:], rtol=0.01)

    def test_threads_change_no_bit(self):
        data = make(3, n=12_000, d=40)
        one, two = (leave_out(replace(data, n_threads=n), 1.0) for n in (1, 2))
        assert np.array_equal(one.losses, two.losses)


class TestInvariances:
    def test_order_of_samples(self):
        data = make(3, weighted=True)
        order = np.random.default_rng(1).permutation(60)
        moved = replace(
            data, X=data.X[order], targets=data.targets[order], weight=data.weight[order]
        )
        found, again = leave_out(data, 0.1, tol=1e-10), leave_out(moved, 0.1, tol=1e-10)
        np.testing.assert_allclose(again.losses, found.losses[order], rtol=1e-6)

    @pytest.mark.parametrize("K", [2, 4])
    def test_order_of_classes(self, K):
        data = make(K, weighted=True)
        names = np.random.default_rng(2).permutation(K)[::-1]
        renamed = replace(data, targets=names[data.targets])
        found, again = leave_out(data, 0.1, tol=1e-10), leave_out(renamed, 0.1, tol=1e-10)
        np.testing.assert_allclose(again.losses, found.losses, rtol=1e-6)

    def test_origin_of_features(self):
        data = make(3)
        moved = replace(data, X=data.X + np.array([1e3, -1e6, 1.7e9]))
        np.testing.assert_allclose(
            leave_out(moved, 0.1).losses, leave_out(data, 0.1).losses, rtol=1e-5
        )

    def test_units_of_features_without_penalty(self):
        data = make(3, n=200, strength=1.0)
        scaled = replace(data, X=data.X * [1e-6, 1.0, 1e6])
        np.testing.assert_allclose(
            leave_out(scaled, 0.0).losses, leave_out(data, 0.0).losses, rtol=1e-5
        )


class TestExtremes:
    @pytest.mark.parametrize("K", [2, 3])
    def test_the_only_sample_of_a_class(self, K):
        data = make(K)
        codes = np.r_[K - 1, np.arange(59) % (K - 1)]
        found = leave_out(replace(data, targets=codes), 0.1)
        assert found.losses[0] == 36.0
        assert (found.losses[1:] < 36.0).all()

    def test_the_only_sample_of_a_class_among_soft_rows(self):
        Y = np.eye(3)[np.arange(60) % 2]
        Y[0] = [0.5, 0.25, 0.25]
        found = leave_out(replace(make(3), targets=Y), 0.1)
        assert found.losses[0] == 36.0  # a quarter of infinity
        assert (found.losses[1:] < 36.0).all()

    def test_a_sample_that_decides_a_parameter_alone(self):
        """Its indicator is on nowhere else: without it there is no telling what it does."""
        data = make(2, n=50, d=2)
        X = np.column_stack([data.X, np.arange(50) == 7])
        data = replace(data, X=X)
        for alpha in (1.0, 1e-3):
            found, truth = leave_out(data, alpha), exact(data, alpha)
            assert abs(found.losses.mean() / truth.mean() - 1) < 0.005
            assert found.losses[7] == pytest.approx(truth[7], rel=0.03)

    def test_a_constant_column_changes_nothing(self):
        data = make(3)
        wider = replace(data, X=np.column_stack([data.X, np.full(60, 7.0)]))
        np.testing.assert_allclose(
            leave_out(wider, 0.1).losses, leave_out(data, 0.1).losses, rtol=1e-6
        )

    def test_no_finite_minimum(self):
        X, y = load_iris(return_X_y=True)
        found = leave_out(LocalRows(X, y, None, 3), 0.0)
        assert found.solution.unbounded
        assert (found.losses == np.inf).all()

    def test_too_wide(self):
        X = scipy.sparse.random_array((50, 5000), density=0.01, format="csr", rng=0)
        with pytest.raises(ValueError, match=r"10002 parameters, and 4000 are the most: pass cv=5"):
            leave_out(LocalRows(X, np.arange(50) % 3, None, 3), 1.0)

    def test_one_sample_of_some_weight(self):
        weight = np.zeros(60)
        weight[3] = 1.0
        with pytest.raises(ValueError, match="needs two or more"):
            leave_out(replace(make(3), weight=weight), 1.0)


class TestSampleOfRows:
    def test_rows_are_drawn_where_there_are_too_many(self, monkeypatch):
        monkeypatch.setattr(leave_one_out, "LEAST", 100)
        monkeypatch.setattr(leave_one_out, "WORK", 1.0)
        data = make(3, n=400)
        all_rows = np.arange(400)
        few, same, other = (leave_out(data, 1.0, seed=seed) for seed in (0, 0, 1))
        assert len(few.rows) == 100
        assert (np.diff(few.rows) > 0).all()
        assert np.array_equal(few.rows, same.rows)
        assert not np.array_equal(few.rows, other.rows)
        monkeypatch.undo()
        whole = leave_out(data, 1.0)
        assert np.array_equal(whole.rows, all_rows)
        np.testing.assert_allclose(few.losses, whole.losses[few.rows], rtol=1e-9)
        np.testing.assert_allclose(few.fitted, whole.fitted[few.rows], rtol=1e-12)
        assert few.fitted_mean == pytest.approx(whole.fitted.mean(), rel=1e-12)

    def test_a_path_begins_where_the_last_fit_ended(self):
        data = make(3, n=300)
        Y = rows_of(data)
        engine = LeaveOneOut(
            data,
            LocalCases(Truth(lambda rows, Z: losses(Z, Y[rows]), np.ones(300))),
            tol=1e-6,
            max_iter=1000,
            rng=np.random.RandomState(0),
        )
        first = engine.fit(Penalty(0.1)).solution
        assert engine.start[0] is first.coef
        again = engine.fit(Penalty(0.1)).solution
        assert again.n_iterations == 0 < first.n_iterations
