"""The choice of C with a factor of the penalty for each feature, against as many single fits."""

import dask.array as da
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold

from skxent import SoftmaxClassifier, SoftmaxClassifierCV


def drawn(n=40, d=4, K=3, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * np.exp(rng.normal(size=d))
    y = (X[:, :2] @ rng.normal(size=(2, K)) + rng.gumbel(size=(n, K))).argmax(axis=1)
    return X, y, np.exp(rng.normal(size=d))


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("zeros", [[], [0]], ids=str)
@pytest.mark.parametrize("d", [4, 70], ids=["few columns", "more columns than rows"])
@pytest.mark.thinned(2)
def test_leave_one_out_equals_n_fits(d, zeros, K):
    X, y, factors = drawn(d=d, K=K)
    factors[zeros] = 0.0
    Cs = [0.1, 1.0]
    clf = SoftmaxClassifierCV(Cs, penalty_factor=factors).fit(X, y)
    for C, found in zip(Cs, clf.loo_loss_, strict=True):
        losses = []
        for i in range(len(y)):
            one = SoftmaxClassifier(C, penalty_factor=factors)
            one.fit(np.delete(X, i, axis=0), np.delete(y, i))
            losses.append(-one.predict_log_proba(X[[i]])[0, y[i]])
        assert found == pytest.approx(np.mean(losses), rel=3e-3)
    single = SoftmaxClassifier(clf.C_, penalty_factor=factors).fit(X, y)
    np.testing.assert_allclose(clf.coef_, single.coef_, atol=1e-3)
    assert clf.objective_ == pytest.approx(single.objective_, abs=2e-6)


@pytest.mark.parametrize("zeros", [[], [0]], ids=str)
@pytest.mark.parametrize("d", [4, 70])
def test_folds_equal_fits_of_their_own(d, zeros):
    X, y, factors = drawn(d=d)
    factors[zeros] = 0.0
    Cs, cv = [0.01, 1.0], StratifiedKFold(4)
    clf = SoftmaxClassifierCV(Cs, cv=cv, penalty_factor=factors).fit(X, y)
    for C, found in zip(Cs, clf.loss_path_, strict=True):
        for (train, test), loss in zip(cv.split(X, y), found, strict=True):
            one = SoftmaxClassifier(C, penalty_factor=factors).fit(X[train], y[train])
            expected = log_loss(y[test], one.predict_proba(X[test]), labels=one.classes_)
            assert loss == pytest.approx(expected, rel=1e-3)
    single = SoftmaxClassifier(clf.C_, penalty_factor=factors).fit(X, y)
    assert clf.objective_ == pytest.approx(single.objective_, abs=2e-6)


def test_scaled_columns_have_the_same_losses():
    X, y, factors = drawn()
    clf = SoftmaxClassifierCV(4, penalty_factor=factors, tol=1e-10).fit(X, y)
    scaled = SoftmaxClassifierCV(4, tol=1e-10).fit(X / np.sqrt(factors), y)
    np.testing.assert_allclose(clf.loo_loss_, scaled.loo_loss_, rtol=1e-6)
    assert clf.C_ == scaled.C_


@pytest.mark.parametrize("cv", [None, 3])
def test_an_infinite_C_ignores_factors(cv):
    X, y, factors = drawn(n=60, d=2)
    factors[0] = 0.0
    clf, plain = (
        SoftmaxClassifierCV([1.0, np.inf], cv=cv, penalty_factor=f).fit(X, y)
        for f in (factors, None)
    )
    assert clf.mean_loss_[1] == pytest.approx(plain.mean_loss_[1], rel=1e-6)
    assert clf.mean_loss_[0] != pytest.approx(plain.mean_loss_[0], rel=1e-4)


def test_an_infinite_C_with_more_columns_than_rows_has_the_least_norm():
    """Three rows, each with both labels: the maximum is finite, and many coefficients reach it."""
    X, y = np.repeat(np.random.default_rng(0).normal(size=(3, 40)), 4, axis=0), np.arange(12) % 2
    y[0] = 1
    factors = 1.0 + np.arange(40)
    clf = SoftmaxClassifierCV([np.inf], penalty_factor=factors, tol=1e-10).fit(X, y)
    plain = SoftmaxClassifier(C=np.inf, tol=1e-10).fit(X, y)
    np.testing.assert_allclose(clf.coef_, plain.coef_, atol=1e-7)


def test_separation_by_an_unpenalised_feature():
    X, y, _ = drawn(K=2)
    X[:, 0] = np.abs(X[:, 0]) * np.where(y == 1, 1, -1)
    with pytest.raises(ValueError, match=r"no fit has a finite minimum.*no penalty_factor of 0"):
        SoftmaxClassifierCV([0.1, 1.0], penalty_factor=[0.0, 1, 1, 1]).fit(X, y)


def test_partitions():
    X, y, factors = drawn(n=90)
    factors[1] = 0.0
    there = SoftmaxClassifierCV([0.1, 1.0], cv=3, penalty_factor=factors)
    there.fit(da.from_array(X, chunks=(30, -1)), da.from_array(y, chunks=30))
    parts = np.arange(90) // 30
    splits = [(np.flatnonzero(parts != i), np.flatnonzero(parts == i)) for i in range(3)]
    here = SoftmaxClassifierCV([0.1, 1.0], cv=splits, penalty_factor=factors).fit(X, y)
    np.testing.assert_allclose(there.loss_path_, here.loss_path_, rtol=1e-4)


def test_names_and_errors():
    X, y, _ = drawn()
    frame = pd.DataFrame(X, columns=list("abcd"))
    named = SoftmaxClassifierCV(3, penalty_factor={"b": 0.0}).fit(frame, y)
    listed = SoftmaxClassifierCV(3, penalty_factor=[1, 0, 1, 1]).fit(X, y)
    np.testing.assert_allclose(named.coef_, listed.coef_, rtol=1e-9)
    with pytest.raises(ValueError, match="no feature of X"):
        SoftmaxClassifierCV(3, penalty_factor={"z": 0.0}).fit(frame, y)
    with pytest.raises(ValueError, match="its quotient by C=1e-10 overflows"):
        SoftmaxClassifierCV([1e-10, 1], penalty_factor=[1, 1, 1, 1e300]).fit(X, y)


@pytest.mark.parametrize("value", [0.0, 3.0, 6e4])
@pytest.mark.parametrize("factors", [None, np.repeat([0.0, 1.0], 10), np.zeros(20)], ids=str)
def test_constant_columns_more_than_rows(factors, value):
    """Intercepts alone: the frequencies without a sample. The last row has no weight."""
    y = np.array([0, 0, 0, 1, 1, 1, 1, 1, 0])
    clf = SoftmaxClassifierCV([0.1, 10.0], penalty_factor=factors)
    clf.fit(np.full((9, 20), value), y, np.append(np.ones(8), 0.0))
    expected = -(3 * np.log(2 / 7) + 5 * np.log(4 / 7)) / 8
    np.testing.assert_allclose(clf.mean_loss_, expected, rtol=2e-3)


def test_constant_unpenalised_columns_beside_more_than_rows():
    X, y, factors = drawn(d=70)
    wide = np.column_stack([np.full((40, 5), 6e4), X])
    own = SoftmaxClassifierCV([0.1, 1.0], penalty_factor=np.append(np.zeros(5), factors))
    plain = SoftmaxClassifierCV([0.1, 1.0], penalty_factor=factors).fit(X, y)
    np.testing.assert_allclose(own.fit(wide, y).mean_loss_, plain.mean_loss_, rtol=3e-3)
