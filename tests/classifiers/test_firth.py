"""Fits with Jeffreys' prior: R's numbers, equivalences, invariances, the gap, refusals."""

import warnings

import numpy as np
import pytest
from bias_reduction import ALLIGATORS, ENDOMETRIAL, alligators, endometrial, objective, separated
from scipy.sparse import csr_array
from sklearn.exceptions import ConvergenceWarning

from skxent import FirthClassifier, SoftmaxClassifier
from skxent.classifiers import firth

CLASSES = [2, 3, 5]


def fit(X, y, weight=None, *, offset=None, **settings):
    clf = FirthClassifier(**{"tol": 1e-16, **settings}).fit(X, y, weight, offset=offset)
    assert clf.converged_
    return clf


def contrasts(clf):
    """Coefficients and intercepts against the first class."""
    table = np.column_stack([clf.coef_, clf.intercept_])
    return table if len(table) == 1 else table[1:] - table[0]


def random_samples(K, n=60, d=3, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), rng.integers(0, K, n), rng.uniform(0.5, 2.0, n)


def test_two_classes_by_r():
    X, y = endometrial()
    clf, expected = fit(X, y), ENDOMETRIAL["brglm2"]
    np.testing.assert_allclose(contrasts(clf), expected["coef"], rtol=1e-7)
    assert clf.log_likelihood_ == pytest.approx(expected["log_likelihood"], rel=1e-9)
    penalised_deviance = ENDOMETRIAL["brglm"]["penalized_deviance"]
    assert 2.0 * clf.objective_ == pytest.approx(penalised_deviance, rel=1e-12)
    np.testing.assert_allclose(contrasts(clf), ENDOMETRIAL["logistf"]["coef"], rtol=1e-6)


def test_five_classes_by_r():
    clf, expected = fit(*alligators()), ALLIGATORS["brglm2"]
    np.testing.assert_allclose(contrasts(clf), expected["coef"], rtol=1e-7)
    assert clf.log_likelihood_ == pytest.approx(expected["log_likelihood"], rel=1e-9)


@pytest.mark.parametrize("counts", [[3, 7], [0, 6], [5, 0, 1], [2, 2, 3, 9]])
def test_intercepts_alone_add_a_half_to_each_count(counts):
    y = np.repeat(np.arange(len(counts)), counts)
    target = np.eye(len(counts))[y]
    clf = fit(np.zeros((len(y), 1)), target)
    counts = np.array(counts)
    expected = (counts + 0.5) / (counts.sum() + 0.5 * len(counts))
    np.testing.assert_allclose(clf.predict_proba([[0.0]])[0], expected, rtol=1e-6)


def test_two_groups_add_a_half_to_each_cell():
    """A saturated model: each group has the probabilities of its own counts."""
    X = np.repeat([[0.0], [1.0]], [8, 5], axis=0)
    y = np.repeat([0, 1, 1], [3, 5, 5])
    P = fit(X, y).predict_proba([[0.0], [1.0]])
    np.testing.assert_allclose(P[:, 1], [5.5 / 9, 5.5 / 6], rtol=1e-6)


@pytest.mark.parametrize("K", CLASSES)
def test_finite_under_separation(K):
    X, y = separated(50, 4, K)
    clf = fit(X, y)
    assert np.abs(clf.coef_).max() < 20
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        assert not SoftmaxClassifier(C=np.inf).fit(X, y).converged_


@pytest.mark.parametrize("K", CLASSES)
@pytest.mark.parametrize("intercept", [True, False])
def test_objective_is_least_near_the_fit(K, intercept):
    X, y, weight = random_samples(K)
    clf = fit(X, y, weight, fit_intercept=intercept)

    def value(coef, constant):
        return objective(coef, constant, X, y, weight, intercept)

    assert clf.objective_ == pytest.approx(value(clf.coef_, clf.intercept_), rel=1e-10)
    assert clf.objective_ == pytest.approx(-clf.log_likelihood_ - clf.log_prior_, rel=1e-14)
    rng = np.random.default_rng(1)
    for size in (1e-3, 1e-1, 1.0):
        step = size * rng.normal(size=clf.coef_.shape)
        shift = size * intercept * rng.normal(size=clf.intercept_.shape)
        assert value(clf.coef_ + step, clf.intercept_ + shift) > clf.objective_


@pytest.mark.parametrize("K", CLASSES)
def test_gap_is_the_distance_to_the_minimum(K):
    X, y = separated(60, 4, K)
    least = fit(X, y).objective_
    for max_iter in range(20):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            clf = FirthClassifier(max_iter=max_iter, tol=1e-3).fit(X, y)
        excess = clf.objective_ - least
        if clf.converged_:
            assert clf.optimality_gap_ <= clf.target_gap_
            assert excess == pytest.approx(clf.optimality_gap_, rel=0.2, abs=1e-9)
            break
        assert excess <= clf.optimality_gap_
        assert "raise max_iter" in str(caught[0].message)
    assert clf.converged_
    assert max_iter > 1


def test_curve_and_counts():
    X, y, _ = random_samples(3)
    clf = fit(X, y)
    assert len(clf.objective_curve_) == clf.n_iter_
    assert clf.objective_curve_[-1, 1] == clf.objective_
    assert np.all(np.diff(clf.objective_curve_[:, 0]) > 0)
    assert np.all(np.diff(clf.objective_curve_[:, 1]) < 0)
    assert clf.n_passes_ >= clf.objective_curve_[-1, 0]


@pytest.mark.parametrize("K", CLASSES)
def test_weights_are_copies(K):
    X, y, _ = random_samples(K)
    weight = np.arange(60) % 3
    again = np.repeat(np.arange(60), weight)
    a, b = fit(X, y, weight), fit(X[again], y[again])
    np.testing.assert_allclose(a.coef_, b.coef_, rtol=1e-6, atol=1e-6)
    assert a.objective_ == pytest.approx(b.objective_, rel=1e-11)


@pytest.mark.parametrize("K", CLASSES)
def test_labels_are_one_hot_rows_and_classes_in_another_order_are_the_same(K):
    X, y, weight = random_samples(K)
    clf, order = fit(X, y, weight), np.roll(np.arange(K), 1)
    soft = fit(X, np.eye(K)[y], weight)
    np.testing.assert_allclose(soft.coef_, clf.coef_, atol=1e-9)
    rolled = fit(X, order[y], weight)
    np.testing.assert_allclose(
        rolled.predict_proba(X)[:, order], clf.predict_proba(X), rtol=1e-6, atol=1e-6
    )
    assert rolled.objective_ == pytest.approx(clf.objective_, rel=1e-11)


def test_class_weights_multiply_weights():
    X, y, weight = random_samples(3)
    factors = {0: 1.0, 1: 3.0, 2: 0.5}
    a = fit(X, y, weight, class_weight=factors)
    b = fit(X, y, weight * np.array([1.0, 3.0, 0.5])[y])
    np.testing.assert_allclose(a.coef_, b.coef_, atol=1e-9)


@pytest.mark.parametrize("K", CLASSES)
def test_units_and_means_of_features_change_no_probability(K):
    X, y, weight = random_samples(K)
    A = np.random.default_rng(3).normal(size=(3, 3)) * [1e-3, 1.0, 1e4]
    a, b = fit(X, y, weight), fit(X @ A + [5.0, 1e3, -1e5], y, weight)
    np.testing.assert_allclose(b.coef_ @ A.T, a.coef_, rtol=1e-6, atol=1e-6)
    change = (K - 1) * np.linalg.slogdet(A)[1]
    assert b.log_prior_ == pytest.approx(a.log_prior_ + change, rel=1e-9)


@pytest.mark.parametrize("K", CLASSES)
def test_offset_of_a_feature_moves_its_coefficient(K):
    """An offset that is a linear function of the features is part of the parameters."""
    X, y, weight = random_samples(K)
    known = np.random.default_rng(4).normal(size=(3, K))
    a, b = fit(X, y, weight), fit(X, y, weight, offset=X @ known)
    known = (known[:, 1:] - known[:, :1] if K == 2 else known - known.mean(axis=1)[:, None]).T
    np.testing.assert_allclose(b.coef_ + known, a.coef_, rtol=1e-6, atol=1e-6)
    assert b.has_offset_
    np.testing.assert_allclose(
        b.predict_proba(X, offset=X @ np.atleast_2d(known).T if K > 2 else X @ known[0]),
        a.predict_proba(X),
        atol=1e-6,
    )


def test_sparse_and_float32_samples():
    X, y, weight = random_samples(3)
    X = X.astype(np.float32)
    expected = fit(X.astype(float), y, weight).coef_
    np.testing.assert_allclose(fit(X, y, weight).coef_, expected, rtol=1e-8)
    np.testing.assert_allclose(fit(csr_array(X), y, weight).coef_, expected, rtol=1e-8)


@pytest.mark.parametrize("n", [8, 60])
def test_dependent_columns_have_the_shortest_coefficients(n):
    X, y, _ = random_samples(3, n=n)
    both = np.hstack([X, X @ np.random.default_rng(5).normal(size=(3, 7))])
    a, b = fit(X, y), fit(both, y)
    np.testing.assert_allclose(b.predict_proba(both), a.predict_proba(X), atol=1e-6)
    centred = both - both.mean(axis=0)
    shortest = np.linalg.pinv(centred, rcond=1e-10) @ (centred @ b.coef_.T)
    np.testing.assert_allclose(b.coef_.T, shortest, atol=1e-8)


def test_a_class_without_weight_has_finite_coefficients():
    X, y, _ = random_samples(3)
    clf = fit(X, y, (y < 2).astype(float))
    assert np.isfinite(clf.intercept_).all()
    assert 0 < clf.predict_proba(X)[:, 2].max() < 0.1


def test_bias_is_smaller_than_that_of_maximum_likelihood():
    rng = np.random.default_rng(6)
    X = rng.normal(size=(60, 2))
    p = 1 / (1 + np.exp(-(X @ [1.5, 0.0])))
    slopes = []
    for _ in range(300):
        y = (rng.random(60) < p).astype(int)
        slopes.append([fit(X, y).coef_[0, 0], SoftmaxClassifier(C=np.inf).fit(X, y).coef_[0, 0]])
    slopes = np.array(slopes)
    bias, error = slopes.mean(axis=0) - 1.5, slopes.std(axis=0) / np.sqrt(300)
    assert abs(bias[0]) < 3 * error[0]
    assert bias[1] > 3 * error[1]


def test_refused_arguments(monkeypatch):
    X, y, _ = random_samples(3)
    with pytest.raises(ValueError, match="there is nothing to fit"):
        FirthClassifier(fit_intercept=False).fit(np.zeros((60, 2)), y)
    with pytest.raises(ValueError, match="offsets are so large"):
        FirthClassifier().fit(X, y, offset=1e5 * np.eye(3)[y])
    with pytest.raises(ValueError, match="max_iter is -1"):
        FirthClassifier(max_iter=-1).fit(X, y)
    with pytest.raises(ValueError, match="tol is 0"):
        FirthClassifier(tol=0).fit(X, y)
    monkeypatch.setattr(firth, "WIDEST", 7)
    with pytest.raises(ValueError, match="here of 8 parameters, and 7 are the most"):
        FirthClassifier().fit(X, y)
    monkeypatch.setattr(firth, "WIDEST", 8)
    monkeypatch.setattr(firth, "DENSEST", 179)
    with pytest.raises(ValueError, match="60 rows of 3 features, more than 179 entries"):
        FirthClassifier().fit(csr_array(X), y)
    assert FirthClassifier().fit(X, y).converged_


def test_dask_is_refused():
    da = pytest.importorskip("dask.array")
    with pytest.raises(TypeError, match="fits samples in memory"):
        FirthClassifier().fit(da.ones((4, 1)), [0, 1, 0, 1])


def test_a_failed_fit_leaves_the_estimator_as_it_was():
    X, y, _ = random_samples(3)
    clf = fit(X, y)
    before = clf.coef_.copy()
    with pytest.raises(ValueError, match="equal lengths"):
        clf.fit(X, y[:-1])
    np.testing.assert_array_equal(clf.coef_, before)


def test_to_sklearn_predicts_the_same():
    X, y, _ = random_samples(3)
    clf = fit(X, y)
    np.testing.assert_allclose(clf.to_sklearn().predict_proba(X), clf.predict_proba(X), rtol=1e-12)


def test_an_information_that_nearly_vanishes_counts_as_singular():
    # The probabilities at zero are about 1e-300, and the inverse of the information overflows.
    offset = np.array([-690.0, 690.0, -691.0, -690.5])
    X = np.array([[0.0], [1.0], [2.0], [4.0]])
    for size in (1.0, 0.7, 0.5):
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            with pytest.raises(ValueError, match="pass smaller offsets"):
                FirthClassifier().fit(X, [0, 1, 0, 1], offset=size * offset)
    FirthClassifier().fit(X, [0, 1, 0, 1], offset=0.01 * offset)
