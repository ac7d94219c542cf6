"""Soft targets in tables: the columns name the classes, in the fit and ever after."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from skxent import SoftmaxClassifier, SoftmaxClassifierCV, cce_scorer, infer
from skxent.inference.infer import InferenceWarning

N, D, K = 60, 3, 3
TABLES = {"pandas": pd.DataFrame, "polars": pl.DataFrame}


def problem(seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, D))
    Z = X @ rng.normal(size=(D, K)) + rng.normal(size=(N, K))
    return X, np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)


def table(make, names, Y):
    return make({str(name): column for name, column in zip(names, Y.T, strict=True)})


FITS = {
    "fit": lambda: SoftmaxClassifier(C=2.0),
    "leave one out": lambda: SoftmaxClassifierCV(Cs=[0.5, 2.0]),
    "folds": lambda: SoftmaxClassifierCV(Cs=[0.5, 2.0], cv=3),
}


@pytest.mark.parametrize("make", TABLES.values(), ids=TABLES)
@pytest.mark.parametrize("new", FITS.values(), ids=FITS)
@pytest.mark.parametrize("names", [["b", "c", "a"], ["2", "0", "1"]], ids=str)
@pytest.mark.parametrize("seed", range(2))
def test_classes_are_the_columns(make, new, names, seed):
    X, Y = problem(seed)
    clf = new().fit(X, table(make, names, Y))
    assert clf.classes_.tolist() == names
    same = new().fit(X, Y)
    np.testing.assert_allclose(clf.coef_, same.coef_, atol=1e-6)
    assert same.classes_.tolist() == [0, 1, 2]


@pytest.mark.parametrize("seed", range(2))
def test_names_of_pandas_columns_keep_their_type(seed):
    X, Y = problem(seed)
    for names in ([2, 0, 1], [10, 20, 30], list(pd.date_range("2020", periods=K))):
        clf = SoftmaxClassifier().fit(X, pd.DataFrame(Y, columns=names))
        assert clf.classes_.tolist() == names
        assert set(clf.predict(X).tolist()) <= set(names)
    assert SoftmaxClassifier().fit(X, pd.DataFrame(Y)).classes_.tolist() == [0, 1, 2]
    two = SoftmaxClassifier().fit(
        X, pd.DataFrame(Y[:, :2] / Y[:, :2].sum(1)[:, None], columns=["n", "y"])
    )
    assert two.classes_.tolist() == ["n", "y"]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("make", TABLES.values(), ids=TABLES)
def test_later_uses_are_aligned_or_refused(make, seed):
    X, Y = problem(seed)
    order = [1, 2, 0]
    given = table(make, order, Y[:, order])  # the text "1", "2", "0"
    clf = SoftmaxClassifier(C=2.0).fit(X, given)
    score = cce_scorer(clf, X, given)
    np.testing.assert_allclose(clf.log_likelihood(X, given), clf.log_likelihood_, rtol=1e-12)
    np.testing.assert_allclose(clf.log_likelihood_ / N, score, rtol=1e-12)
    with pytest.warns(InferenceWarning):
        infer(clf, X, given)
    for other in (table(make, range(K), Y), pd.DataFrame(Y[:, [2, 0, 1]], columns=[2, 0, 1])):
        np.testing.assert_allclose(cce_scorer(clf, X, other), score, rtol=1e-12)
        for use in (clf.log_likelihood, lambda X, y: infer(clf, X, y)):
            with pytest.raises(ValueError, match="not in the order of"):
                use(X, other)
    for use in (
        clf.log_likelihood,
        lambda X, y: cce_scorer(clf, X, y),
        lambda X, y: infer(clf, X, y),
    ):
        with pytest.raises(ValueError, match="have the default names"):
            use(X, pd.DataFrame(Y))


@pytest.mark.parametrize(
    "names, message",
    [
        (["a", "b", "a"], "'a' is twice in the columns of y"),
        ([0, "a", 1], "columns of y mixes strings and numbers"),
        ([("a", 1), ("a", 2), ("b", 1)], "columns of y have several levels"),
        ([0.5, 1.0, 2.0], r"columns of y\[0\] is 0.5, not a label"),
        (["a", None, "b"], r"columns of y\[1\] is"),
    ],
    ids=["twice", "mixed", "levels", "fractions", "missing"],
)
def test_columns_that_are_no_classes_are_refused_until_classes_names_them(names, message):
    X, Y = problem(0)
    frame = pd.DataFrame(Y)
    frame.columns = (
        pd.Index(names, dtype=object) if names[0] != ("a", 1) else pd.MultiIndex.from_tuples(names)
    )
    with pytest.raises(ValueError, match=f"{message}.*classes="):
        SoftmaxClassifier().fit(X, frame)
    clf = SoftmaxClassifier().fit(X, frame, classes=["u", "v", "w"])
    assert clf.classes_.tolist() == ["u", "v", "w"]


def test_classes_that_contradict_the_columns_are_refused():
    X, Y = problem(0)
    for make in TABLES.values():
        with pytest.raises(ValueError, match=r"columns of y, .* not in the order of classes"):
            SoftmaxClassifier().fit(X, table(make, [2, 0, 1], Y), classes=[0, 1, 2])
        clf = SoftmaxClassifier().fit(X, table(make, [2, 0, 1], Y), classes=[2, 0, 1])
        assert clf.classes_.tolist() == [2, 0, 1]


def test_columns_of_partitioned_frames():
    dd = pytest.importorskip("dask.dataframe")
    X, Y = problem(1)
    frame = pd.DataFrame(np.hstack([X, Y]), columns=["f", "g", "h", "2", "0", "1"])
    parts = dd.from_pandas(frame, npartitions=3)
    clf = SoftmaxClassifier().fit(parts[["f", "g", "h"]], parts[["2", "0", "1"]])
    assert clf.classes_.tolist() == ["2", "0", "1"]
    local = SoftmaxClassifier().fit(X, Y)
    np.testing.assert_allclose(clf.coef_, local.coef_, atol=1e-4)
    score = cce_scorer(local, X, Y)
    shuffled = cce_scorer(clf, parts[["f", "g", "h"]], parts[["0", "1", "2"]])
    np.testing.assert_allclose(shuffled, score, atol=1e-6)
