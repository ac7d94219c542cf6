"""The choice of a penalty by held-out samples that have an offset."""

import numpy as np
import pytest
import scipy.sparse
import sklearn
from scipy.special import log_softmax, softmax
from sklearn.base import clone
from sklearn.model_selection import KFold

from skxent import SoftmaxClassifier, SoftmaxClassifierCV
from skxent.inference import leave_one_out

GRID = [0.01, 0.3, 10.0]
CAP = -np.log(np.finfo(float).eps)
kinds = pytest.mark.parametrize("K", [2, 3, 6])


def drawn(K, n=60, d=4, size=2.0):
    """Return X, labels of every class and an offset that is not in X."""
    rng = np.random.default_rng([K, n, d])
    X, O = rng.normal(size=(n, d)), size * rng.normal(size=(n, K))
    Z = X @ rng.normal(size=(d, K)) + O
    y = np.array([rng.choice(K, p=p) for p in softmax(Z, axis=1)])
    y[: 2 * K] = np.tile(np.arange(K), 2)
    return X, y, O


def losses_of(clf, X, Y, O):
    """Return the cross-entropies of the rows Y, from logits with both columns for two classes."""
    coef, intercept = clf.coef_, clf.intercept_
    if len(coef) == 1:
        coef, intercept = np.vstack([0 * coef, coef]), np.append(0.0, intercept)
    return np.minimum(-(Y * log_softmax(X @ coef.T + intercept + O, axis=1)).sum(axis=1), CAP)


def left_out(X, y, O, C, weight=None):
    """Return the loss of each sample in a fit of the others."""
    n = len(X)
    Y = y if y.ndim == 2 else np.eye(O.shape[1])[y]
    losses = np.empty(n)
    for i in range(n):
        keep = np.arange(n) != i
        clf = SoftmaxClassifier(C, tol=1e-9)
        clf.fit(X[keep], y[keep], None if weight is None else weight[keep], offset=O[keep])
        losses[i] = losses_of(clf, X[[i]], Y[[i]], O[[i]])[0]
    return losses


@kinds
@pytest.mark.parametrize("size", [1.0, 8.0])
@pytest.mark.thinned(2)
def test_leave_one_out_is_what_as_many_fits_say(K, size):
    X, y, O = drawn(K, size=size)
    clf = SoftmaxClassifierCV(Cs=GRID).fit(X, y, offset=O)
    means = [left_out(X, y, O, C).mean() for C in GRID]
    np.testing.assert_allclose(clf.loo_loss_, means, rtol=0.01)
    assert GRID[np.argmin(means)] == clf.C_
    plain = SoftmaxClassifier(clf.C_, tol=1e-10).fit(X, y, offset=O)
    np.testing.assert_allclose(clf.coef_, plain.coef_, rtol=1e-4, atol=1e-5)


@kinds
def test_leave_one_out_with_weights_and_soft_targets(K):
    X, y, O = drawn(K)
    weight = np.linspace(0.5, 1.5, len(y))
    Y = 0.8 * np.eye(K)[y] + 0.2 / K
    clf = SoftmaxClassifierCV(Cs=[0.3]).fit(X, Y, weight, offset=O)
    mean = np.average(left_out(X, Y, O, 0.3, weight), weights=weight)
    assert clf.loo_loss_[0] == pytest.approx(mean, rel=5e-3)


@kinds
def test_leave_one_out_with_more_features_than_samples(K):
    X, y, O = drawn(K, n=40, d=90)
    clf = SoftmaxClassifierCV(Cs=[0.01, 0.1]).fit(X, y, offset=O)
    means = [left_out(X, y, O, C).mean() for C in clf.Cs_]
    np.testing.assert_allclose(clf.loo_loss_, means, rtol=0.01)


@kinds
def test_refits_know_the_offset(K, monkeypatch):
    """Most samples are left out by fits of their own; the others have errors of about 0."""
    monkeypatch.setattr(leave_one_out, "ACCURACY", 0.0)
    X, y, O = drawn(K, size=8.0)
    clf = SoftmaxClassifierCV(Cs=[10.0]).fit(X, y, offset=O)
    assert clf.n_refits_[0] > len(y) / 2
    assert clf.loo_loss_[0] == pytest.approx(left_out(X, y, O, 10.0).mean(), rel=1e-5)


@kinds
def test_folds_are_fits_and_predictions_with_their_parts_of_the_offset(K):
    X, y, O = drawn(K)
    splits = list(KFold(3, shuffle=True, random_state=0).split(X))
    clf = SoftmaxClassifierCV(Cs=GRID, cv=splits).fit(X, y, offset=O)
    for j, C in enumerate(GRID):
        for fold, (train, test) in enumerate(splits):
            fit = SoftmaxClassifier(C, tol=1e-9).fit(X[train], y[train], offset=O[train])
            loss = losses_of(fit, X[test], np.eye(K)[y[test]], O[test]).mean()
            assert clf.loss_path_[j, fold] == pytest.approx(loss, rel=1e-4)
    plain = SoftmaxClassifier(clf.C_, tol=1e-10).fit(X, y, offset=O)
    np.testing.assert_allclose(clf.coef_, plain.coef_, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("K", [3, 4])
@pytest.mark.filterwarnings("ignore::skxent.ZeroProbabilityWarning")
def test_a_class_that_a_fold_never_saw(K):
    """The offset among the known classes is part of the fit, and the loss of the others is 36."""
    X, y, O = drawn(K)
    train, test = np.flatnonzero(y < K - 1), np.flatnonzero(y == K - 1)
    test = np.append(test, train[:10])
    train = train[10:]
    clf = SoftmaxClassifierCV(Cs=[0.3], cv=[(train, test)]).fit(X, y, offset=O)
    fit = SoftmaxClassifier(0.3, tol=1e-9).fit(X[train], y[train], offset=O[train, :-1])
    known = losses_of(fit, X[test[-10:]], np.eye(K - 1)[y[test[-10:]]], O[test[-10:], :-1])
    loss = (known.sum() + CAP * (len(test) - 10)) / len(test)
    assert clf.loss_path_[0, 0] == pytest.approx(loss, rel=1e-6)


@pytest.mark.filterwarnings("ignore::skxent.ZeroProbabilityWarning")
def test_leave_one_out_without_the_only_sample_of_a_class():
    X, y, O = drawn(3)
    y[y == 2] = 0
    y[7] = 2
    clf = SoftmaxClassifierCV(Cs=[0.3]).fit(X, y, offset=O)
    losses = np.full(len(y), CAP)
    for i in np.flatnonzero(y < 2):
        keep = np.arange(len(y)) != i
        fit = SoftmaxClassifier(0.3, tol=1e-9).fit(X[keep], y[keep], offset=O[keep])
        losses[i] = losses_of(fit, X[[i]], np.eye(3)[y[[i]]], O[[i]])[0]
    assert clf.loo_loss_[0] == pytest.approx(losses.mean(), rel=1e-3)


@pytest.mark.parametrize("cv", [None, 3])
@kinds
def test_a_constant_offset_is_part_of_the_intercept(K, cv):
    X, y, _ = drawn(K)
    shift = np.linspace(-1.0, 2.0, K)
    plain = SoftmaxClassifierCV(Cs=GRID, cv=cv, tol=1e-9).fit(X, y)
    clf = SoftmaxClassifierCV(Cs=GRID, cv=cv, tol=1e-9).fit(X, y, offset=np.tile(shift, (60, 1)))
    np.testing.assert_allclose(clf.mean_loss_, plain.mean_loss_, rtol=1e-4)
    difference = (plain.intercept_ - clf.intercept_) - (shift if K > 2 else shift[1] - shift[0])
    np.testing.assert_allclose(difference, difference.mean() if K > 2 else 0.0, atol=1e-4)
    np.testing.assert_allclose(clf.coef_, plain.coef_, atol=1e-4)


@pytest.mark.parametrize("cv", [None, 3])
@kinds
def test_sparse_rows_are_dense_ones(K, cv):
    X, y, O = drawn(K)
    X[X < 0] = 0.0
    dense = SoftmaxClassifierCV(Cs=GRID, cv=cv).fit(X, y, offset=O)
    sparse = SoftmaxClassifierCV(Cs=GRID, cv=cv).fit(scipy.sparse.csr_array(X), y, offset=O)
    np.testing.assert_allclose(sparse.mean_loss_, dense.mean_loss_, rtol=1e-4)


@pytest.mark.parametrize("cv", [None, 3])
def test_predictions_need_an_offset(cv):
    X, y, O = drawn(3)
    clf = SoftmaxClassifierCV(Cs=GRID, cv=cv).fit(X, y, offset=O)
    assert clf.has_offset_
    with pytest.raises(ValueError, match="fitted with an offset"):
        clf.predict(X)
    clf.fit(X, y)
    assert not clf.has_offset_
    clf.predict(X)


@pytest.mark.parametrize("cv", [None, 3])
def test_a_wrong_offset_is_refused(cv):
    X, y, O = drawn(3)
    with pytest.raises(ValueError, match=r"offset has shape \(60, 2\)"):
        SoftmaxClassifierCV(Cs=GRID, cv=cv).fit(X, y, offset=O[:, :2])


def test_metadata_routing():
    X, y, O = drawn(3)
    clf = SoftmaxClassifierCV(Cs=GRID, cv=KFold(3)).fit(X, y, offset=O)
    with sklearn.config_context(enable_metadata_routing=True):
        routed = clone(clf).set_fit_request(offset=True).fit(X, y, offset=O)
        np.testing.assert_array_equal(routed.mean_loss_, clf.mean_loss_)
