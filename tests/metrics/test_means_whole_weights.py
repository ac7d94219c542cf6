"""Weights that are whole but for rounding are counts; others are importances."""

import numpy as np
import pytest
from scipy.special import expit

from skxent import LogisticClassifier, infer
from skxent.metrics import (
    compare,
    cross_entropy_report,
    decompose_cross_entropy,
    mean_loss_interval,
)

ROUNDED = {
    "times a tenth": lambda counts: counts * 0.1 / 0.1,
    "thirds": lambda counts: counts / 3 * 3,
    "shares": lambda counts: counts / counts.sum() * counts.sum(),
    "float32": lambda counts: counts.astype(np.float32) * np.float32(0.1) / np.float32(0.1),
    "float32 shares": lambda counts: counts.astype(np.float32) / np.float32(7) * np.float32(7),
}


def problem(seed, n=60):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 2))
    y = (rng.random(n) < expit(X[:, 0])).astype(int)
    return X, y, rng.integers(1, 9, size=n).astype(float), rng.uniform(0.1, 0.9, n)


@pytest.mark.parametrize("rounded", ROUNDED)
@pytest.mark.parametrize("seed", range(5))
def test_rounding_changes_no_standard_error(rounded, seed):
    X, y, counts, p = problem(seed)
    near = ROUNDED[rounded](counts)
    clf = LogisticClassifier(C=np.inf, tol=1e-12).fit(X, y, counts)
    for covariance in "observed", "robust":
        expected = infer(clf, X, y, sample_weight=counts, covariance=covariance)
        found = infer(clf, X, y, sample_weight=near, covariance=covariance)
        np.testing.assert_allclose(found.standard_errors, expected.standard_errors, rtol=1e-5)
    for function in (
        lambda w: mean_loss_interval(p, sample_weight=w),
        lambda w: compare(y, {"p": p, "q": p**2}, baseline="q", sample_weight=w),
        lambda w: decompose_cross_entropy(y, p, sample_weight=w),
    ):
        assert function(near).n == function(counts).n == counts.sum()
    found = cross_entropy_report(y, p, sample_weight=near)
    expected = cross_entropy_report(y, p, sample_weight=counts)
    np.testing.assert_array_equal(found.n, expected.n)
    np.testing.assert_allclose(found.standard_error, expected.standard_error, rtol=1e-5)


@pytest.mark.parametrize(
    "weight", [1e-20, 0.5, 1.001, 1 + 1e-5, 3 + 1e-12, 1e9 + 0.25, 1e13 + 0.25]
)
def test_other_weights_are_importances(weight):
    n = 8
    assert mean_loss_interval(np.arange(n), sample_weight=np.full(n, weight)).n == n


def test_whole_weights_of_any_size_are_counts():
    for count in 2.0, 1e6, 1e13, 2.0**50:
        w = np.full(4, count)
        assert mean_loss_interval(np.arange(4), sample_weight=w).n == 4 * count
