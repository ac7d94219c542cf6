"""Kinds of arguments that an estimator takes, and messages that name those that it does not."""

from fractions import Fraction

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp

from skxent import (
    LogisticClassifier,
    LossShareDisplay,
    SoftmaxClassifier,
    SoftmaxClassifierCV,
    cce_scorer,
    infer,
)
from skxent.inference.infer import InferenceWarning

pyarrow = pytest.importorskip("pyarrow")

N, D, K = 60, 3, 3


def problem(seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, D))
    return X, (X @ rng.normal(size=(D, K)) + rng.normal(size=(N, K))).argmax(axis=1)


X, Y = problem()


# ------------------------------------------------------------------ sparse formats


@pytest.mark.parametrize("kind", ["array", "matrix"])
@pytest.mark.parametrize("name", ["bsr", "coo", "csc", "csr", "dia", "dok", "lil"])
def test_X_may_have_any_sparse_format(name, kind):
    sparse = getattr(sp, f"{name}_{kind}")(np.where(X > 0, X, 0.0))
    csr = sp.csr_array(sparse)
    clf = SoftmaxClassifier().fit(sparse, Y)
    np.testing.assert_array_equal(clf.coef_, SoftmaxClassifier().fit(csr, Y).coef_)
    np.testing.assert_array_equal(clf.predict_proba(sparse), clf.predict_proba(csr))
    means = [
        SoftmaxClassifierCV([0.1, 1.0], cv=3).fit(rows, Y).mean_loss_ for rows in (sparse, csr)
    ]
    np.testing.assert_array_equal(*means)


# ------------------------------------------------------------------ numbers


@pytest.mark.parametrize(
    "C, same",
    [
        (10**20, 1e20),
        (Fraction(1, 3), 1 / 3),
        (np.float32(0.5), 0.5),
        (np.int8(3), 3.0),
        (10**300, 1e300),
    ],
    ids=str,
)
@pytest.mark.parametrize("classifier", [SoftmaxClassifier, LogisticClassifier])
def test_C_may_be_any_real_number(C, same, classifier):
    y = Y if classifier is SoftmaxClassifier else Y % 2
    clf, other = classifier(C=C).fit(X, y), classifier(C=same).fit(X, y)
    np.testing.assert_array_equal(clf.coef_, other.coef_)
    assert clf.to_sklearn().get_params()["C"] == same
    assert classifier(tol=Fraction(1, 10**6)).fit(X, y).converged_
    chosen = SoftmaxClassifierCV(Cs=[C, 1], tol=Fraction(1, 10**6)).fit(X, y)
    assert chosen.Cs_.tolist() == sorted([float(same), 1.0])


@pytest.mark.parametrize("name", ["C", "tol"])
@pytest.mark.parametrize(
    "value", [10**400, Fraction(10**400), Fraction(1, 10**400), -(10**400), "1", [1.0], None]
)
def test_numbers_that_no_float_can_be_are_named(name, value):
    with pytest.raises(ValueError, match=f"^{name} is "):
        SoftmaxClassifier(**{name: value}).fit(X, Y)
    with pytest.raises(ValueError, match="Cs is "):
        SoftmaxClassifierCV(Cs=[value, 1]).fit(X, Y)


# ------------------------------------------------------------------ weights, folds

WEIGHTS = [2.0, True, {1, 2}, {"a": 1}, "abc", object(), np.ones((N, 1)), np.ones((2, N)), []]
USES = {
    "fit": lambda clf, w: SoftmaxClassifier().fit(X, Y, w),
    "choice": lambda clf, w: SoftmaxClassifierCV(Cs=[1.0]).fit(X, Y, w),
    "score": lambda clf, w: clf.score(X, Y, w),
    "likelihood": lambda clf, w: clf.log_likelihood(X, Y, w),
    "scorer": lambda clf, w: cce_scorer(clf, X, Y, sample_weight=w),
    "infer": lambda clf, w: infer(clf, X, Y, w),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
@pytest.mark.parametrize("weight", WEIGHTS, ids=lambda w: type(w).__name__ + str(np.shape(w)))
def test_weights_that_are_no_array_of_n_are_named(use, weight):
    clf = SoftmaxClassifier().fit(X, Y)
    with pytest.raises((TypeError, ValueError), match="sample_weight"):
        use(clf, weight)


@pytest.mark.parametrize(
    "cv, message",
    [
        ([(np.arange(30), np.arange(30, N + 1))], rf"cv has test indices in fold 0 like {N}, but"),
        ([(np.arange(30), [0]), ([999], [1])], "cv has training indices in fold 1 like 999, but"),
        ([1, 2], "cv has a int for fold 0"),
        ([(np.arange(30) / 2, np.arange(30))], "cv has training indices in fold 0 of shape"),
        ([], "cv gives no folds"),
    ],
    ids=["beyond", "second fold", "numbers", "fractions", "none"],
)
def test_folds_that_are_no_indices_of_samples_are_named(cv, message):
    with pytest.raises(ValueError, match=message):
        SoftmaxClassifierCV(Cs=[1.0], cv=cv).fit(X, Y)


def test_folds_may_be_masks():
    masks = [(np.arange(N) % 3 != k, np.arange(N) % 3 == k) for k in range(3)]
    indices = [tuple(map(np.flatnonzero, fold)) for fold in masks]
    paths = [SoftmaxClassifierCV(Cs=[1.0], cv=cv).fit(X, Y).loss_path_ for cv in (masks, indices)]
    np.testing.assert_array_equal(*paths)


# ------------------------------------------------------------------ labels and tables


@pytest.mark.parametrize("kind", [np.dtypes.StringDType(), np.dtypes.StringDType(na_object=np.nan)])
@pytest.mark.parametrize("seed", range(2))
def test_labels_of_string_dtype(kind, seed):
    X, codes = problem(seed)
    text = np.array(["ant", "bee", "a cow with a long name"])[codes]
    y = text.astype(kind)
    clf, same = SoftmaxClassifier().fit(X, y), SoftmaxClassifier().fit(X, text)
    assert clf.classes_.tolist() == same.classes_.tolist()
    np.testing.assert_array_equal(clf.coef_, same.coef_)
    np.testing.assert_array_equal(clf.predict(X), same.predict(X))
    assert clf.score(X, y) == same.score(X, text)
    assert clf.log_likelihood(X, y) == same.log_likelihood(X, text)
    assert cce_scorer(clf, X, y) == cce_scorer(same, X, text)
    with pytest.warns(InferenceWarning):
        assert infer(clf, X, y).log_likelihood == pytest.approx(same.log_likelihood_)
    assert SoftmaxClassifierCV(Cs=[0.1, 1.0], cv=3).fit(X, y).C_ in (0.1, 1.0)


def test_missing_labels_of_string_dtype_are_named():
    y = np.array(["a", "b", np.nan] * 20, dtype=np.dtypes.StringDType(na_object=np.nan))
    with pytest.raises(ValueError, match=r"y\[2\] is nan: leave out"):
        SoftmaxClassifier().fit(X, y)


@pytest.mark.parametrize("seed", range(2))
def test_tables_of_pyarrow(seed):
    X, y = problem(seed)
    table = pyarrow.table({f"f{j}": column for j, column in enumerate(X.T)})
    same = SoftmaxClassifier().fit(np.asfortranarray(X), y)
    for labels in (
        pyarrow.array(y),
        pyarrow.chunked_array([y[:7], y[7:]]),
        pyarrow.table({"y": y}),
    ):
        clf = SoftmaxClassifier().fit(table, np.ravel(labels))
        np.testing.assert_allclose(clf.coef_, same.coef_, atol=1e-9)
    clf = SoftmaxClassifier().fit(table, pyarrow.array(y))
    assert clf.feature_names_in_.tolist() == ["f0", "f1", "f2"]
    assert clf.score(table, pyarrow.array(y)) == same.score(X, y)
    np.testing.assert_allclose(cce_scorer(clf, table, pyarrow.array(y)), cce_scorer(same, X, y))


# ------------------------------------------------------------------ the cure


@pytest.mark.parametrize("classifier", [SoftmaxClassifier, SoftmaxClassifierCV])
def test_score_of_soft_targets_names_the_measures_that_take_them(classifier):
    clf, soft = classifier().fit(X, Y), np.eye(K)[Y]
    lazy = pytest.importorskip("dask.array").from_array(soft, chunks=(20, K))
    for y in (soft, soft.tolist(), pd.DataFrame(soft), pl.DataFrame(soft), lazy):
        with pytest.raises(ValueError, match=r"y has shape \(60, 3\).*log_likelihood.*cce_scorer"):
            clf.score(X, y)
    assert clf.score(X, Y[:, None]) == clf.score(X, Y)


@pytest.mark.parametrize("method", ["fit", "predict", "predict_proba", "log_likelihood", "score"])
def test_lazy_frames_are_to_be_collected(method):
    clf, lazy = SoftmaxClassifier().fit(X, Y), pl.DataFrame(X).lazy()
    arguments = (lazy,) if method.startswith("predict") else (lazy, Y)
    with pytest.raises(TypeError, match=r"X is a LazyFrame, .*X\.collect\(\)"):
        getattr(clf, method)(*arguments)
    if method != "predict":
        with pytest.raises(TypeError, match=r"y(_true)? is a LazyFrame, .*\.collect\(\)"):
            SoftmaxClassifier().fit(X, pl.DataFrame({"y": Y}).lazy())


def test_axes_are_one():
    clf = SoftmaxClassifier().fit(X, Y)
    figure, axes = plt.subplots(1, 2)
    try:
        for bad, what in ((axes, "an array of 2"), ([], "an array of 0"), (figure, "Figure")):
            with pytest.raises(ValueError, match=f"ax is {what}: pass one matplotlib Axes"):
                LossShareDisplay.from_estimator(clf, X, Y, ax=bad)
        assert LossShareDisplay.from_estimator(clf, X, Y, ax=axes[:1]).ax_ is axes[0]
    finally:
        plt.close(figure)
