"""Fits with a factor of the penalty for each feature, against Newton steps and scaled columns."""

import warnings

import array_api_strict as strict
import dask.array as da
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from scipy.special import expit
from sklearn import clone, config_context
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.exceptions import ConvergenceWarning

from skxent import LogisticClassifier, SoftmaxClassifier
from skxent.inputs.namespaces import to_numpy

EXACT = dict(tol=1e-12)


def on_device(X):
    return strict.asarray(X)


def in_partitions(X):
    return da.from_array(X, chunks=(-(-len(X) // 3), *X.shape[1:]))


FORMS = [np.asarray, scipy.sparse.csr_array, on_device, in_partitions]


def fit(form, X, y, **parameters):
    """The classifier of X in a form, fitted."""
    rest = form if form in (on_device, in_partitions) else np.asarray
    with config_context(array_api_dispatch=form is on_device):
        return SoftmaxClassifier(**parameters).fit(form(X), rest(y))


def drawn(n=120, d=6, K=3, seed=0):
    """Samples of a softmax model in columns of different sizes, far from zero, and factors."""
    rng = np.random.default_rng([seed, n, d, K])
    X = rng.normal(size=(n, d))
    Z = X @ rng.normal(size=(d, K)) + rng.gumbel(size=(n, K))
    X = X * np.exp(rng.normal(size=d)) + 3 * rng.normal(size=d)
    return X, Z.argmax(axis=1), np.exp(rng.normal(size=d))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("C", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("zeros", [[], [1, 4]], ids=str)
@pytest.mark.parametrize("d", [6, 150], ids=["few columns", "more columns than rows"])
@pytest.mark.thinned(3)
def test_minimum(optimum, d, zeros, K, C, fit_intercept, form):
    X, y, factors = drawn(d=d, K=K)
    factors[zeros] = 0.0
    clf = fit(form, X, y, C=C, penalty_factor=factors, fit_intercept=fit_intercept)
    exact = optimum(X, y, C=C, factors=factors, fit_intercept=fit_intercept)
    coef, intercept = to_numpy(clf.coef_), to_numpy(clf.intercept_)
    gap = float(exact.objective(coef, intercept) - exact.value)
    assert clf.converged_
    assert -1e-9 < gap <= clf.target_gap_
    assert gap <= 5 * clf.optimality_gap_ + 1e-9
    assert clf.objective_ == pytest.approx(float(exact.objective(coef, intercept)), rel=1e-9)


@pytest.mark.parametrize("load", [load_wine, load_breast_cancer])
@pytest.mark.parametrize("wide", [False, True])
def test_positive_factors_are_a_fit_of_scaled_columns(load, wide):
    X, y = load(return_X_y=True)
    rng = np.random.default_rng(0)
    if wide:
        X, y = np.hstack([X, rng.normal(size=(len(X), 400))])[::3], y[::3]
    root = np.exp(rng.normal(size=X.shape[1]) / 2)
    clf = SoftmaxClassifier(penalty_factor=root**2, **EXACT).fit(X, y)
    scaled = SoftmaxClassifier(**EXACT).fit(X / root, y)
    assert clf.objective_ == pytest.approx(scaled.objective_, rel=1e-12)
    scale = np.abs(scaled.coef_).max()
    np.testing.assert_allclose(clf.coef_ * root, scaled.coef_, rtol=1e-8, atol=1e-8 * scale)


@pytest.mark.parametrize("factors", [np.ones(13), np.ones(13, dtype=int).tolist()], ids=type)
def test_factors_of_one_change_no_bit(factors):
    X, y = load_wine(return_X_y=True)
    clf, plain = (SoftmaxClassifier(penalty_factor=f).fit(X, y) for f in (factors, None))
    np.testing.assert_array_equal(clf.coef_, plain.coef_)
    np.testing.assert_array_equal(clf.intercept_, plain.intercept_)
    assert clf.optimality_gap_ == plain.optimality_gap_


@pytest.mark.parametrize("c", [0.25, 3.0])
def test_a_common_factor_is_another_C(c):
    X, y = load_wine(return_X_y=True)
    clf = SoftmaxClassifier(C=0.5, penalty_factor=np.full(13, c), **EXACT).fit(X, y)
    other = SoftmaxClassifier(C=0.5 / c, **EXACT).fit(X, y)
    np.testing.assert_allclose(clf.coef_, other.coef_, rtol=1e-9)


@pytest.mark.parametrize("factors", [np.zeros(6), np.array([0, 1e300, 1, 2, 3, 0.0])], ids=str)
def test_no_penalty_ignores_factors(factors):
    X, y, _ = drawn()
    C = 1.0 if not factors.any() else np.inf
    clf = SoftmaxClassifier(C=C, penalty_factor=factors).fit(X, y)
    plain = SoftmaxClassifier(C=np.inf).fit(X, y)
    np.testing.assert_array_equal(clf.coef_, plain.coef_)


def test_the_factor_zero_is_the_profile_over_its_coefficient():
    """Minima over the other coefficients, with the slope of one feature held, are higher."""
    X, y, factors = drawn(K=2)
    factors[2] = 0.0
    clf = LogisticClassifier(penalty_factor=factors, **EXACT).fit(X, y)
    slopes = clf.coef_[0, 2] + np.array([0.0, -0.1, -1e-2, 1e-2, 0.1])
    held = [minimum_at(slope, 2, X, y, factors) for slope in slopes]
    assert held[0] == pytest.approx(clf.objective_, rel=1e-10)
    assert all(held[1:] > held[0] + np.array([5e-3, 5e-5, 5e-5, 5e-3]))


def minimum_at(slope, j, X, y, factors):
    """The minimum for two classes with the coefficient of feature j held, by Newton steps."""
    X = X - X.mean(axis=0)
    known, signed = slope * X[:, j], np.where(y == 1, 1.0, -1.0)
    S = np.column_stack([np.delete(X, j, axis=1), np.ones(len(X))])
    ridge, theta = np.append(np.delete(factors, j), 0.0), np.zeros(X.shape[1])
    for _ in range(30):
        q = expit(-signed * (S @ theta + known))
        H = (S * (q * (1 - q))[:, None]).T @ S + np.diag(ridge)
        theta -= np.linalg.solve(H, ridge * theta - S.T @ (signed * q))
    losses = np.logaddexp(0, -signed * (S @ theta + known))
    return losses.sum() + 0.5 * ridge @ theta**2


def test_an_unpenalised_feature_reaches_the_slope_without_a_penalty():
    """With all other features shrunk to zero, what is left is a fit of one feature."""
    X, y, _ = drawn()
    factors = np.ones(6)
    factors[3] = 0.0
    clf = SoftmaxClassifier(C=1e-12, penalty_factor=factors, **EXACT).fit(X, y)
    alone = SoftmaxClassifier(C=np.inf, **EXACT).fit(X[:, [3]], y)
    np.testing.assert_allclose(clf.coef_[:, 3], alone.coef_[:, 0], rtol=1e-6)
    assert np.abs(np.delete(clf.coef_, 3, axis=1)).max() < 1e-8


def test_names():
    X, y, _ = drawn()
    frame = pd.DataFrame(X, columns=list("abcdef"))
    named = SoftmaxClassifier(penalty_factor={"e": 0.0, "b": 2.5}).fit(frame, y)
    listed = SoftmaxClassifier(penalty_factor=[1, 2.5, 1, 1, 0, 1]).fit(X, y)
    np.testing.assert_allclose(named.coef_, listed.coef_, rtol=1e-9)
    with pytest.raises(ValueError, match="the key 'z', which is no feature of X"):
        SoftmaxClassifier(penalty_factor={"z": 0.0}).fit(frame, y)
    with pytest.raises(ValueError, match="X has no feature names"):
        SoftmaxClassifier(penalty_factor={"a": 0.0}).fit(X, y)


@pytest.mark.parametrize("K", [2, 3])
def test_weights_and_soft_targets(optimum, K):
    X, y, factors = drawn(K=K)
    factors[0] = 0.0
    rng = np.random.default_rng(1)
    Y = 0.7 * np.eye(K)[y] + 0.3 * rng.dirichlet(np.ones(K), size=len(y))
    weight = rng.integers(0, 4, size=len(y)).astype(float)
    clf = SoftmaxClassifier(penalty_factor=factors).fit(X, Y, weight)
    optimum(X, Y, weight=weight, factors=factors).assert_reached(clf)


def test_a_class_without_weight():
    """The penalty of two classes of three is half of that of two classes with one logit."""
    X, y, factors = drawn(K=2)
    factors[0] = 0.0
    X3, y3 = np.vstack([X, X[:1]]), np.append(y, 2)
    weight = np.append(np.ones(len(y)), 0.0)
    with pytest.warns(UserWarning, match="class 2 has no weight"):
        clf = SoftmaxClassifier(penalty_factor=factors, **EXACT).fit(X3, y3, weight)
    two = SoftmaxClassifier(penalty_factor=factors / 2, **EXACT).fit(X, y)
    np.testing.assert_allclose(clf.coef_[1] - clf.coef_[0], two.coef_[0], rtol=1e-7)


def test_warm_start():
    X, y, factors = drawn()
    clf = SoftmaxClassifier(penalty_factor=factors, warm_start=True).fit(X, y)
    clf.fit(X, y)
    assert clf.n_iter_ <= 1
    wide, labels, factors = drawn(d=150)
    factors[:2] = 0.0
    clf = SoftmaxClassifier(penalty_factor=factors, warm_start=True).fit(wide, labels)
    first = clf.n_iter_
    clf.fit(wide, labels)
    assert clf.n_iter_ <= min(2, first - 1)


class TestDependentColumns:
    """Unpenalised columns that depend on each other, on the intercept, or on penalised ones."""

    @pytest.mark.parametrize("form", FORMS)
    def test_two_unpenalised_copies_share_a_slope(self, form):
        X, y, factors = drawn()
        factors[:2] = 0.0
        plain = SoftmaxClassifier(penalty_factor=factors, **EXACT).fit(X, y)
        twice = np.column_stack([X[:, 0], np.full(len(X), 7.0), X])
        clf = fit(form, twice, y, penalty_factor=np.append([0.0, 0.0], factors), **EXACT)
        coef = to_numpy(clf.coef_)
        assert clf.converged_
        assert clf.objective_ == pytest.approx(plain.objective_, rel=1e-10)
        np.testing.assert_allclose(coef[:, 0], plain.coef_[:, 0] / 2, atol=1e-7)
        np.testing.assert_allclose(coef[:, 2], plain.coef_[:, 0] / 2, atol=1e-7)
        np.testing.assert_allclose(coef[:, 1], 0.0, atol=1e-7)
        np.testing.assert_allclose(coef[:, 3:], plain.coef_[:, 1:], atol=1e-7)

    def test_a_penalised_copy_of_an_unpenalised_column_gets_nothing(self):
        X, y, factors = drawn()
        factors[0] = 0.0
        plain = SoftmaxClassifier(penalty_factor=factors, **EXACT).fit(X, y)
        clf = SoftmaxClassifier(penalty_factor=np.append(factors, 1e-3), **EXACT)
        clf.fit(np.column_stack([X, X[:, 0]]), y)
        np.testing.assert_allclose(clf.coef_[:, :-1], plain.coef_, atol=1e-7)
        np.testing.assert_allclose(clf.coef_[:, -1], 0.0, atol=1e-7)

    @pytest.mark.parametrize("wide", [False, True])
    def test_a_nearly_dependent_pair(self, wide):
        """The pair spans the same space as two columns of one size: the same logits and penalty."""
        X, y, factors = drawn(d=150 if wide else 6)
        factors[:2] = 0.0
        near = X.copy()
        near[:, 1] = X[:, 0] + 1e-7 * X[:, 1]
        clf = SoftmaxClassifier(penalty_factor=factors, **EXACT).fit(near, y)
        plain = SoftmaxClassifier(penalty_factor=factors, **EXACT).fit(X, y)
        assert clf.objective_ == pytest.approx(plain.objective_, rel=1e-7)
        np.testing.assert_allclose(clf.coef_[:, 2:], plain.coef_[:, 2:], atol=1e-5)

    @pytest.mark.parametrize("solver", ["auto", "lbfgs", "newton"])
    @pytest.mark.parametrize("weakest", [1e-8, 1e-14, 1e-20, 1e-30])
    def test_copies_with_very_weak_factors(self, weakest, solver):
        """A penalised pair of copies acts as one column with half the factor, however weak."""
        X, y, factors = drawn()
        factors[1] = weakest
        twice = np.column_stack([X, X[:, 1]])
        clf = SoftmaxClassifier(solver=solver, tol=1e-10)
        clf.set_params(penalty_factor=np.append(factors, weakest)).fit(twice, y)
        factors[1] /= 2
        plain = clone(clf).set_params(penalty_factor=factors).fit(X, y)
        assert clf.converged_ and plain.converged_
        assert clf.objective_ == pytest.approx(plain.objective_, rel=1e-9)
        together = clf.coef_[:, 1] + clf.coef_[:, -1]
        np.testing.assert_allclose(together, plain.coef_[:, 1], atol=1e-4)

    @pytest.mark.parametrize("form", FORMS)
    def test_more_unpenalised_columns_than_rows(self, form):
        """Repeated rows with different labels: frequencies, by the least-norm coefficients."""
        rng = np.random.default_rng(0)
        X, y = np.repeat(rng.normal(size=(6, 60)), 5, axis=0), np.tile([0, 0, 0, 1, 1], 6)
        factors = np.append(np.zeros(40), np.ones(20))
        X[:, :40] += np.repeat(np.arange(6.0), 5)[:, None]
        y[:5] = 1, 1, 1, 1, 0
        clf = fit(form, X, y, penalty_factor=factors, **EXACT)
        alone = SoftmaxClassifier(C=np.inf, **EXACT).fit(X[:, :40], y)
        assert clf.converged_
        np.testing.assert_allclose(to_numpy(clf.coef_)[:, 40:], 0.0, atol=1e-6)
        np.testing.assert_allclose(to_numpy(clf.coef_)[:, :40], alone.coef_, atol=1e-6)


class TestSeparation:
    """An unpenalised direction can separate classes; a penalised one cannot."""

    def separated(self, d=4):
        rng = np.random.default_rng(0)
        X, y = rng.normal(size=(60, d)), np.arange(60) % 2
        X[:, 1] = np.abs(X[:, 1]) * np.where(y == 1, 1, -1) + 0.1 * y
        return X, y

    @pytest.mark.parametrize("form", [np.asarray, scipy.sparse.csr_array])
    @pytest.mark.parametrize("d", [4, 100])
    def test_of_an_unpenalised_column(self, d, form):
        X, y = self.separated(d)
        factors = np.ones(d)
        factors[1] = 0.0
        with pytest.warns(ConvergenceWarning, match="because x1 separates 0 from 1") as caught:
            clf = fit(form, X, y, penalty_factor=factors)
        assert not clf.converged_
        assert "Pass a penalty_factor above 0 for these features" in str(caught[0].message)

    @pytest.mark.parametrize("solver", ["lbfgs", "newton"])
    @pytest.mark.parametrize("offset", [0.0, 1.0, 100.0])
    def test_with_every_solver_and_an_offset(self, solver, offset):
        """An offset is finite, and so never keeps a direction from separating."""
        X, y = self.separated()
        known = offset * np.random.default_rng(0).normal(size=len(y))
        clf = SoftmaxClassifier(penalty_factor=[1.0, 0.0, 1.0, 1.0], solver=solver)
        with pytest.warns(ConvergenceWarning, match="because x1 separates 0 from 1"):
            clf.fit(X, y, offset=known)
        X[:2, 1] *= -1  # now the classes overlap
        assert clf.fit(X, y, offset=known).converged_

    def test_factors_lost_in_rounding_are_no_cure(self):
        """Beside weights of 1e128 no penalty is seen, whatever its factors."""
        X, y = self.separated()
        clf = SoftmaxClassifier(penalty_factor=[0.0, 2.0, 1.0, 1.0])
        with pytest.warns(ConvergenceWarning, match="Pass a smaller C, or drop"):
            clf.fit(X, y, np.full(len(y), 1e128))

    def test_it_names_the_column_of_a_data_frame(self):
        X, y = self.separated()
        frame = pd.DataFrame(X, columns=list("abcd"))
        with pytest.warns(ConvergenceWarning, match="because b separates"):
            SoftmaxClassifier(penalty_factor={"b": 0, "c": 0}).fit(frame, y)

    @pytest.mark.parametrize("form", [on_device, in_partitions])
    def test_elsewhere_it_is_seen_but_not_named(self, form):
        X, y = self.separated()
        with pytest.warns(ConvergenceWarning, match="no finite maximum"):
            clf = fit(form, X, y, penalty_factor=[1.0, 0.0, 1.0, 1.0])
        assert not clf.converged_

    @pytest.mark.parametrize("form", FORMS)
    def test_of_a_penalised_column(self, optimum, form):
        X, y = self.separated()
        factors = np.array([0.0, 1e-3, 1.0, 1.0])
        clf = fit(form, X, y, penalty_factor=factors)
        exact = optimum(X, y, factors=factors)
        gap = exact.objective(to_numpy(clf.coef_), to_numpy(clf.intercept_)) - exact.value
        assert clf.converged_
        assert gap <= clf.target_gap_

    def test_quasi_complete_separation_by_a_rare_indicator(self):
        """A dummy column that is 1 only in samples of one class, beside penalised controls."""
        X, y, _ = drawn(n=200)
        rare = ((y == 2) & (np.arange(200) % 7 == 0)).astype(float)
        X = np.column_stack([rare, X])
        factors = np.append(0.0, np.ones(6))
        with pytest.warns(ConvergenceWarning, match="because x0 separates 2 from"):
            SoftmaxClassifier(penalty_factor=factors).fit(X, y)
        factors[0] = 1e-6
        assert SoftmaxClassifier(penalty_factor=factors).fit(X, y).converged_


class TestUnits:
    """Columns whose squares overflow or underflow."""

    @pytest.mark.parametrize("unit", [1e200, 1e-200])
    def test_unpenalised_columns_have_any_unit(self, unit):
        X, y, factors = drawn()
        factors[2] = 0.0
        plain = SoftmaxClassifier(penalty_factor=factors, **EXACT).fit(X, y)
        scale = np.where(np.arange(6) == 2, unit, 1.0)
        clf = SoftmaxClassifier(penalty_factor=factors, **EXACT).fit(X * scale, y)
        np.testing.assert_allclose(clf.coef_ * scale, plain.coef_, rtol=1e-6)
        assert clf.objective_ == pytest.approx(plain.objective_, rel=1e-10)

    @pytest.mark.parametrize("n_free", [2, 30])
    def test_squares_of_penalised_columns_may_underflow(self, n_free):
        """Beside dependent unpenalised columns, few and more than rows; labels that overlap."""
        rng = np.random.default_rng(0)
        free = np.repeat(rng.normal(size=(4, n_free)), 4, axis=0)
        free[:, 1] = 2 * free[:, 0]
        held, y = rng.normal(size=(16, 4)), np.tile([0, 1, 1, 0], 4)
        factors = np.append(np.zeros(n_free), [1.0, 2.0, 1.0, 0.5])
        clf = SoftmaxClassifier(penalty_factor=factors, **EXACT)
        samples = [np.column_stack([free, held * [1, unit, 1, 1]]) for unit in (1e-165, 0.0)]
        tiny, zero = (clone(clf).fit(X, y) for X in samples)
        assert tiny.converged_
        assert tiny.objective_ == pytest.approx(zero.objective_, rel=1e-10)
        np.testing.assert_allclose(tiny.coef_, zero.coef_, atol=1e-7)

    def test_penalised_columns_have_not(self):
        X, y, factors = drawn()
        with pytest.raises(ValueError, match="column 2 whose squares overflow"):
            SoftmaxClassifier(penalty_factor=factors).fit(X * [1, 1, 1e200, 1, 1, 1], y)


@pytest.mark.parametrize("seed", range(4))
def test_no_silent_wrong_fit(optimum, seed):
    """Factors over twelve orders of magnitude, zeros among them, and any C."""
    rng = np.random.default_rng(seed)
    for _ in range(10):
        n, d, K = int(rng.integers(20, 80)), int(rng.integers(1, 30)), int(rng.integers(2, 5))
        X, y, _ = drawn(n, d, K, seed=int(rng.integers(1000)))
        _, y = np.unique(y, return_inverse=True)
        factors = 10.0 ** rng.uniform(-8, 4, size=d) * (rng.random(d) > 0.1)
        C = 10.0 ** rng.uniform(-3, 3)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ConvergenceWarning)
            clf = SoftmaxClassifier(C=C, penalty_factor=factors).fit(X, y)
        assert clf.converged_ == (not caught)
        if clf.converged_:
            gap = optimum(X, y, C=C, factors=factors).gap_of(clf)
            assert gap <= clf.target_gap_ + 1e-9


@pytest.mark.parametrize("d", [6, 150])
def test_with_an_offset_the_gradient_is_zero(d):
    X, y, factors = drawn(d=d)
    factors[[1, 4]] = 0.0
    offset = 3 * np.random.default_rng(1).normal(size=(len(y), 3))
    clf = SoftmaxClassifier(penalty_factor=factors, **EXACT).fit(X, y, offset=offset)
    residual = clf.predict_proba(X, offset=offset) - np.eye(3)[y]
    gradient = residual.T @ (X - X.mean(axis=0)) + factors * clf.coef_
    assert max(np.abs(gradient).max(), np.abs(residual.sum(axis=0)).max()) < 1e-4
    assert np.abs(factors * clf.coef_).max() > 0.1
