"""Targets of every form, weights and labels of every type, and what fits of them have in common."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from reference_fits import WEIGHTS
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression

from skxent import SoftmaxClassifier, cce_sum_scorer


@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 0.5, 2: 3.0}], ids=str)
@pytest.mark.parametrize("weight", WEIGHTS.values(), ids=WEIGHTS)
def test_labels_are_one_hot_rows(two_hundred_samples, class_weight, weight):
    X, y = two_hundred_samples[3]
    clf = SoftmaxClassifier(class_weight=class_weight)
    labels = clone(clf).fit(X, y, weight)
    rows = clone(clf).fit(X, np.eye(3)[y], weight)
    np.testing.assert_allclose(rows.coef_, labels.coef_, rtol=1e-9, atol=1e-10)
    assert rows.objective_ == pytest.approx(labels.objective_, rel=1e-13)


@pytest.mark.parametrize("class_weight", [None, {0: 0.5, 1: 1.0, 2: 3.0}], ids=str)
@pytest.mark.parametrize("K", [2, 3])
def test_a_soft_row_is_its_shares_of_each_class(two_hundred_samples, K, class_weight):
    """(0.3, 0.7) is 0.3 of a sample of the first class and 0.7 of one of the second."""
    X, _ = two_hundred_samples[K]
    soft = np.random.default_rng(0).dirichlet(np.ones(K), size=len(X))
    if class_weight is not None:
        class_weight = {k: class_weight[k] for k in range(K)}
    clf = SoftmaxClassifier(class_weight=class_weight).fit(X, soft)
    copies = SoftmaxClassifier(class_weight=class_weight)
    copies.fit(np.tile(X, (K, 1)), np.repeat(np.arange(K), len(X)), soft.T.ravel())
    np.testing.assert_allclose(clf.coef_, copies.coef_, rtol=1e-8, atol=1e-9)
    assert clf.objective_ == pytest.approx(copies.objective_, rel=1e-12)


def test_soft_targets_with_names(two_hundred_samples):
    X, _ = two_hundred_samples[3]
    soft = np.random.default_rng(0).dirichlet(np.ones(3), size=len(X))
    plain = SoftmaxClassifier().fit(X, soft)
    assert plain.classes_.tolist() == [0, 1, 2]
    names = SoftmaxClassifier().fit(X, soft, classes=["c", "a", "b"])
    assert names.classes_.tolist() == ["c", "a", "b"]  # columns are the same everywhere
    np.testing.assert_allclose(names.coef_, plain.coef_, rtol=1e-12, atol=1e-13)
    assert names.log_likelihood(X, soft) == pytest.approx(names.log_likelihood_)
    assert -cce_sum_scorer(names, X, soft) == pytest.approx(-names.log_likelihood_)
    assert set(names.predict(X)) <= {"a", "b", "c"}
    for form in (pd.DataFrame, pl.DataFrame, np.asfortranarray):
        again = SoftmaxClassifier().fit(X, form(soft))
        np.testing.assert_allclose(again.coef_, plain.coef_, rtol=1e-12, atol=1e-13)


def test_a_class_that_no_soft_row_asks_for(two_hundred_samples):
    """The truth has three names but nobody of the third: its probability is zero."""
    X, y = two_hundred_samples[2]
    soft = np.column_stack([np.eye(2)[y], np.zeros(len(y))])
    with pytest.warns(UserWarning, match="class 'c' has no weight"):
        clf = SoftmaxClassifier().fit(X, soft, classes=["a", "b", "c"])
    assert not clf.predict_proba(X)[:, 2].any()


@pytest.mark.parametrize("K", [2, 3])
def test_weights_are_copies(two_hundred_samples, K):
    X, y = two_hundred_samples[K]
    weight = np.arange(len(y)) % 4
    weighted = SoftmaxClassifier().fit(X, y, weight)
    copied = SoftmaxClassifier().fit(np.repeat(X, weight, axis=0), np.repeat(y, weight))
    np.testing.assert_allclose(weighted.coef_, copied.coef_, rtol=1e-8, atol=1e-9)
    assert weighted.objective_ == pytest.approx(copied.objective_, rel=1e-12)


def test_class_weights_are_sample_weights(two_hundred_samples):
    X, y = two_hundred_samples[3]
    factors = np.array([0.5, 2.0, 7.0])
    by_class = SoftmaxClassifier(class_weight=dict(enumerate(factors))).fit(X, y)
    by_sample = SoftmaxClassifier().fit(X, y, factors[y])
    assert np.array_equal(by_class.coef_, by_sample.coef_)


LABELS = {
    "str": np.array(["no", "a longer one", "Yes"]),
    "object": np.array(["no", "a longer one", "Yes"], dtype=object),
    "object of int": np.array([7, -3, 10], dtype=object),
    "int8": np.array([7, -3, 100], dtype=np.int8),
    "uint64": np.array([0, 2**60, 1], dtype=np.uint64),
    "float": np.array([1.0, -3.0, 2.0]),
}


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_labels_of_any_type(two_hundred_samples, labels):
    X, codes = two_hundred_samples[3]
    y = labels[codes]
    clf = SoftmaxClassifier().fit(X, y)
    assert clf.classes_.tolist() == sorted(labels.tolist())
    assert clf.classes_.dtype == labels.dtype
    order = np.argsort(labels)
    np.testing.assert_allclose(
        clf.coef_, SoftmaxClassifier().fit(X, codes).coef_[order], rtol=1e-9, atol=1e-10
    )
    assert clf.predict(X).dtype == labels.dtype
    assert np.mean(clf.predict(X) == y) > 0.5
    assert clf.log_likelihood(X, y) == pytest.approx(clf.log_likelihood_, rel=1e-12)


def test_bool_labels_and_lists(two_hundred_samples):
    X, y = two_hundred_samples[2]
    clf = SoftmaxClassifier().fit(X.tolist(), (y == 1).tolist())
    assert clf.classes_.dtype == bool
    assert np.array_equal(clf.coef_, SoftmaxClassifier().fit(X, y).coef_)
    assert clf.predict(X).dtype == bool


@pytest.mark.parametrize("series", [pd.Series, pl.Series, lambda y: pd.Series(y, dtype="category")])
def test_frames(two_hundred_samples, series):
    X, codes = two_hundred_samples[3]
    y = np.array(["no", "may", "yes"])[codes]
    frame = pl.DataFrame if series is pl.Series else pd.DataFrame
    named = frame(dict(zip("abcde", X.T, strict=True)))
    clf = SoftmaxClassifier().fit(named, series(y), sample_weight=series(np.ones(len(y))))
    # scikit-learn 1.7 does not read the names of polars
    known = hasattr(LogisticRegression().fit(named, codes), "feature_names_in_")
    assert known or frame is pl.DataFrame
    assert getattr(clf, "feature_names_in_", np.array([])).tolist() == list("abcde") * known
    # A frame's columns lie one after the other, and BLAS may add in another order.
    plain = SoftmaxClassifier().fit(X, y, np.ones(len(y)))
    np.testing.assert_allclose(clf.coef_, plain.coef_, rtol=1e-10)
    assert clf.score(named, y) > 0.5
    assert clf.log_likelihood(named, series(y)) == pytest.approx(clf.log_likelihood_)


def test_weights_that_add_up_to_little():
    X, y = load_breast_cancer(return_X_y=True)
    weight = np.full(len(y), 1e-9 / len(y))
    light = SoftmaxClassifier(C=1e9, tol=1e-9).fit(X[:, :2], y, weight)
    plain = SoftmaxClassifier(C=1 / len(y), tol=1e-9).fit(X[:, :2], y)
    assert light.converged_
    np.testing.assert_allclose(light.coef_, plain.coef_, rtol=1e-5)


@pytest.mark.parametrize("class_weight", [None, {0: 1.0, 1: 1.0, 2: 1.0}])
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_soft_targets_of_few_digits_are_added_up_in_float64(dtype, class_weight):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30_000, 3))
    Y = rng.dirichlet([1, 1, 1], 30_000).astype(dtype)
    exact = Y / Y.sum(axis=1, keepdims=True, dtype=np.float64)
    one, two = (SoftmaxClassifier(class_weight=class_weight).fit(X, each) for each in (Y, exact))
    assert one.objective_ == pytest.approx(two.objective_, rel=1e-13)
