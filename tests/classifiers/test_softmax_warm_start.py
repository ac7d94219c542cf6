"""Fits that start from an earlier fit."""

import numpy as np
import pytest
from sklearn.datasets import load_wine

from skxent import SoftmaxClassifier


@pytest.mark.parametrize("K", [2, 3])
def test_warm_start(two_hundred_samples, K):
    X, y = two_hundred_samples[K]
    cold = SoftmaxClassifier().fit(X, y)
    warm = SoftmaxClassifier(warm_start=True).fit(X, y)
    assert np.array_equal(warm.coef_, cold.coef_)
    passes = warm.n_passes_
    warm.fit(X, y)
    assert warm.n_passes_ < passes / 2
    np.testing.assert_allclose(warm.coef_, cold.coef_, rtol=1e-8, atol=1e-9)
    warm.set_params(C=3.0).fit(X, y)
    np.testing.assert_allclose(
        warm.coef_, SoftmaxClassifier(C=3.0).fit(X, y).coef_, rtol=1e-6, atol=1e-7
    )


def test_warm_start_where_it_does_not_fit(two_hundred_samples):
    """Other columns, classes, or an intercept that is no more: begin anew or from what fits."""
    warm = SoftmaxClassifier(warm_start=True).fit(*two_hundred_samples[3])
    X, y = two_hundred_samples[2]
    np.testing.assert_allclose(warm.fit(X, y).coef_, SoftmaxClassifier().fit(X, y).coef_, atol=1e-7)
    X = X[:, :2]
    np.testing.assert_allclose(warm.fit(X, y).coef_, SoftmaxClassifier().fit(X, y).coef_, atol=1e-7)
    warm.set_params(fit_intercept=False).fit(X, y)
    plain = SoftmaxClassifier(fit_intercept=False).fit(X, y)
    np.testing.assert_allclose(warm.coef_, plain.coef_, atol=1e-7)
    assert (warm.intercept_ == 0).all()


def test_a_bad_start_is_only_slow(two_hundred_samples):
    X, y = two_hundred_samples[3]
    warm = SoftmaxClassifier(warm_start=True).fit(X, y)
    cold = warm.coef_
    warm.coef_ = 30.0 * np.random.default_rng(0).normal(size=cold.shape)
    np.testing.assert_allclose(warm.fit(X, y).coef_, cold, atol=1e-6)


def test_a_start_worse_than_zero_is_not_taken():
    """Units of the features changed between two fits."""
    X, y = load_wine(return_X_y=True)
    clf = SoftmaxClassifier(warm_start=True).fit(X, y)
    fresh = SoftmaxClassifier().fit(X * 1e6, y)
    assert clf.fit(X * 1e6, y).objective_ == pytest.approx(fresh.objective_, abs=1e-6)
    clf.coef_ = np.full_like(clf.coef_, np.nan)
    assert clf.fit(X, y).converged_


def test_what_classes_have_in_common_does_not_pile_up(two_hundred_samples):
    """A common part of the weights means nothing, but would cost the objective its digits."""
    X, y = two_hundred_samples[3]
    clf = SoftmaxClassifier(warm_start=True).fit(X, y)
    best = clf.objective_
    clf.coef_ = clf.coef_ + 1e8
    assert clf.fit(X, y).objective_ == pytest.approx(best, rel=1e-12)
