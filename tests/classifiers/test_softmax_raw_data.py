"""Raw data: every constructor default but C, no scaling, no warning, at the minimum.

Warnings are errors here, so a fit that only warns fails.
"""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine

from skxent import SoftmaxClassifier
from skxent.likelihood import tuning

LOADERS = [load_breast_cancer, load_wine, load_digits, load_iris]


@pytest.mark.parametrize("load", LOADERS, ids=lambda load: load.__name__)
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("form", [np.asarray, sp.csr_array], ids=["dense", "sparse"])
def test_data_of_scikit_learn(optimum, load, fit_intercept, form):
    X, y = load(return_X_y=True)
    clf = SoftmaxClassifier(fit_intercept=fit_intercept).fit(form(X), y)
    optimum(X, y, fit_intercept=fit_intercept).assert_reached(clf)


def scaled_down(X):
    return X * 1e-4


def far_column(X):
    return X + np.array([0, 0, 1e4, 0, 0])


def timestamp(X):
    return X + np.array([0, 0, 1.7e9, 0, 0])


def timestamp_in_seconds_of_a_year(X):
    return X * [1, 1, 1e7, 1, 1] + [0, 0, 1.7e9, 0, 0]


def twelve_orders(X):
    return X * np.logspace(-6, 6, 5)


SILENT_FAILURES = [
    scaled_down,
    far_column,
    timestamp,
    timestamp_in_seconds_of_a_year,
    twelve_orders,
]


@pytest.mark.parametrize("K", [2, 3, 5])
@pytest.mark.parametrize("C", [1.0, np.inf])
@pytest.mark.parametrize("change", SILENT_FAILURES)
def test_silent_failures_of_others(optimum, generate, change, C, K):
    X, y = generate(1000, 5, K)
    X = change(X)
    clf = SoftmaxClassifier(C=C).fit(X, y)
    optimum(X, y, C=C).assert_reached(clf)


@pytest.mark.parametrize("change", [far_column, timestamp, twelve_orders])
@pytest.mark.parametrize("K", [2, 3])
def test_float32(optimum, generate, change, K):
    """The problem is that of the rounded numbers, whatever they have become."""
    X, y = generate(1000, 5, K)
    X = change(X).astype(np.float32)
    clf = SoftmaxClassifier().fit(X, y)
    optimum(X, y).assert_reached(clf)


@pytest.mark.parametrize("C", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("kind", ["correlated", "heavy", "lognormal", "rare", "outlier"])
@pytest.mark.parametrize("K", [2, 4])
def test_data_that_is_not_normal(optimum, generate, kind, K, C):
    X, y = generate(600, 8, K, kind=kind)
    clf = SoftmaxClassifier(C=C).fit(X, y)
    optimum(X, y, C=C).assert_reached(clf)


@pytest.mark.parametrize("shape", [(60, 100, 2), (40, 90, 3), (1, 3, 2), (2, 1, 2)], ids=str)
def test_more_features_than_samples(optimum, shape):
    n, d, K = shape
    X = np.random.default_rng(0).normal(size=(K * n, d)) * np.logspace(-2, 2, d)
    y = np.arange(K * n) % K
    clf = SoftmaxClassifier().fit(X, y)
    optimum(X, y).assert_reached(clf)


def test_many_classes_with_two_samples_each(optimum):
    X = np.random.default_rng(0).normal(size=(80, 6))
    y = np.arange(80) // 2
    optimum(X, y).assert_reached(SoftmaxClassifier().fit(X, y))


@pytest.mark.parametrize("kind", ["normal", "correlated", "rare", "outlier", "mostly zero"])
@pytest.mark.parametrize("shape", [(40_000, 6, 2), (30_000, 8, 3)], ids=str)
def test_many_samples(optimum, generate, shape, kind, monkeypatch):
    """Where the curvature comes from a sample of the rows, and these are cut into blocks."""
    monkeypatch.setattr(tuning, "ONE_BLOCK_ELEMENTS", 0)
    X, y = generate(*shape, kind=kind, rarer=0.5)
    clf = SoftmaxClassifier().fit(X, y)
    optimum(X, y).assert_reached(clf)
    if kind == "mostly zero":
        optimum(X, y).assert_reached(SoftmaxClassifier().fit(sp.csr_array(X), y))


def test_columns_seen_in_few_rows_without_penalty(optimum, generate):
    """Indicators of 8 and of 32 rows in 30,000; the sample that lost one never came back."""
    X, y = generate(30_000, 6, 3, kind="rare", seed=2)
    for column in (0, 1):  # every class is there, so the maximum is finite
        rows = np.flatnonzero(X[:, column])
        y[rows] = np.arange(len(rows)) % 3
    clf = SoftmaxClassifier(C=np.inf).fit(X, y)
    optimum(X, y, C=np.inf).assert_reached(clf)


@pytest.mark.parametrize("placeholder", [-9999, -999_999, -1e8, -999_999_999])
def test_a_placeholder_in_several_columns(placeholder):
    """The columns differ in a part of 1e-18 of their squares, which no sum of squares can tell.

    Their difference is a column that can be, with as good as the same penalty.
    """
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 2))
    y = X[:, 0] - X[:, 1] + rng.logistic(size=2000) > 0
    X[:500] = placeholder
    clf = SoftmaxClassifier(C=1e3).fit(X, y)
    turned = SoftmaxClassifier(C=1e3).fit(np.column_stack([X[:, 0] - X[:, 1], X.sum(axis=1)]), y)
    assert clf.converged_
    assert clf.objective_ == pytest.approx(turned.objective_, abs=0.05)


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
@pytest.mark.parametrize("C", [1.0, np.inf])
@pytest.mark.parametrize("placeholder", [1e9, 1e200, -1e300])
def test_a_placeholder_in_a_row_without_weight(placeholder, C, form):
    """It is as if the row were not there, also where its square is beyond float64."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    y = (X[:, 0] + rng.logistic(size=60) > 0).astype(int)
    expected = SoftmaxClassifier(C=C).fit(X[1:], y[1:])
    X[0, 1] = placeholder
    clf = SoftmaxClassifier(C=C).fit(form(X), y, np.append(0.0, np.ones(59)))
    np.testing.assert_allclose(clf.coef_, expected.coef_, rtol=1e-6)
    assert clf.converged_
