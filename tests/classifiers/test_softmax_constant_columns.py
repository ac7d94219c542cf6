"""Columns that do not vary, in fits without an intercept: they take its place, with a penalty."""

import dask.array as da
import numpy as np
import pytest
import scipy.sparse
from sklearn.linear_model import LogisticRegression

from skxent import SoftmaxClassifier


def in_partitions(X):
    return da.from_array(X, chunks=(10, *X.shape[1:]))


FORMS = [np.asarray, scipy.sparse.csr_array, in_partitions]
VALUES = [[1.0], [1e-3], [-50.0], [1.0, 2.0], [1.0, 0.0, -3.0]]


def labels(K):
    return np.minimum(np.arange(30) % 5, K - 1)


def fit(form, X, y, **parameters):
    y = form(y) if form is in_partitions else y
    return SoftmaxClassifier(fit_intercept=False, tol=1e-12, **parameters).fit(form(X), y)


@pytest.mark.parametrize("C", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("K", [2, 3, 5])
@pytest.mark.parametrize("values", VALUES, ids=str)
@pytest.mark.thinned(3)
def test_they_are_penalised(values, K, form, C):
    X, y = np.tile(values, (30, 1)), labels(K)
    clf = fit(form, X, y, C=C)
    oracle = LogisticRegression(C=C, fit_intercept=False, tol=1e-12, max_iter=10_000).fit(X, y)
    np.testing.assert_allclose(clf.coef_, oracle.coef_, rtol=1e-4, atol=1e-9)
    assert clf.converged_


@pytest.mark.parametrize("power", [-300, -170, -3, 0, 3, 160, 300])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("K", [2, 3])
def test_of_any_size_without_penalty(K, form, power):
    """Logits are those of the frequencies, whatever the unit."""
    X, y = np.full((30, 2), 10.0**power), labels(K)
    clf = fit(form, X, y, C=np.inf)
    frequencies = np.bincount(y) / 30
    P = clf.predict_proba(X)
    np.testing.assert_allclose(P, np.tile(frequencies, (30, 1)), atol=1e-9)
    np.testing.assert_allclose(clf.coef_[:, 0], clf.coef_[:, 1], rtol=1e-6)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("value", [1e160, 1e300])
def test_beyond_float64_they_are_refused_by_column(value, form):
    X = np.column_stack([np.random.default_rng(0).normal(size=30), np.full(30, value)])
    with pytest.raises(ValueError, match="column 1 whose squares overflow"):
        fit(form, X, labels(2), C=1.0)


@pytest.mark.parametrize("value", [1e-300, 1e-20])
def test_next_to_a_column_that_varies(value):
    """A column too small to matter changes nothing of the penalty of another."""
    x, y = np.random.default_rng(0).normal(size=(30, 1)), labels(2)
    alone = fit(np.asarray, x, y, C=0.1)
    both = fit(np.asarray, np.hstack([x, np.full((30, 1), value)]), y, C=0.1)
    np.testing.assert_allclose(both.coef_[0, 0], alone.coef_[0, 0], rtol=1e-6)
