"""Columns of predictions are read by `classes_`; rows that are no distributions are refused."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from fixed_predictions import Fixed
from sklearn.datasets import make_multilabel_classification
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.mixture import GaussianMixture
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, RadiusNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.svm import LinearSVC

from skxent.metrics import (
    ZeroProbabilityWarning,
    bce_scorer,
    binary_cross_entropy,
    cce_scorer,
    make_cross_entropy_scorer,
)

EPS = np.finfo(np.float64).eps


def test_columns_follow_classes_whatever_their_order():
    model = Fixed(np.array([[0.5, 0.3, 0.2]]), ["c", "a", "b"])
    scores = [float(np.exp(cce_scorer(model, None, [label]))) for label in "abc"]
    np.testing.assert_allclose(scores, [0.3, 0.2, 0.5])


@pytest.mark.parametrize("table", [pd.DataFrame, pl.DataFrame])
def test_names_of_predicted_columns_must_have_the_order_of_classes(table):
    columns = {"c": [0.5], "a": [0.3], "b": [0.2]}
    model = Fixed(table(columns), ["c", "a", "b"])
    assert cce_scorer(model, None, ["c"]) == pytest.approx(np.log(0.5))
    model = Fixed(table(columns), ["a", "b", "c"])
    with pytest.raises(ValueError, match=r"predict_proba\(X\), .*not in the order of classes_"):
        cce_scorer(model, None, ["c"])


@pytest.mark.parametrize("kind", [str, int, float, bool, object, "category", "Int64"])
def test_labels_of_every_type(iris, kind):
    X, y = iris
    codes = np.unique(y, return_inverse=True)[1]
    if kind is bool:
        labels = codes > 0
    elif kind in (str, object):
        labels = y.astype(kind)
    elif kind == "category":
        labels = pd.Series(pd.Categorical(y))
    else:
        labels = pd.Series(codes, dtype=kind) if kind == "Int64" else codes.astype(kind)
    model = GaussianNB().fit(X, labels)
    truth = codes > 0 if kind is bool else codes
    expected = np.log(model.predict_proba(X)[np.arange(len(y)), truth.astype(int)]).mean()
    np.testing.assert_allclose(cce_scorer(model, X, labels), expected, rtol=1e-12)


def test_fold_that_lacks_a_class(iris):
    X, y = iris
    model = GaussianNB().fit(X, y)
    for label in np.unique(y):
        only = y == label
        expected = np.log(model.predict_proba(X)[only, list(model.classes_).index(label)]).mean()
        np.testing.assert_allclose(cce_scorer(model, X[only], y[only]), expected)


def test_unseen_label_has_probability_zero(iris):
    """And it is not mistaken for another, though the counts of classes match."""
    X, y = iris
    model = GaussianNB().fit(X[y != "versicolor"], y[y != "versicolor"])
    test = y != "setosa"
    p = model.predict_proba(X[test])
    assert p.shape[1] == len(np.unique(y[test])) == 2
    true = np.where(y[test] == "virginica", p[:, 1], 0.0)
    with pytest.warns(ZeroProbabilityWarning, match=f"{(true < EPS).sum()} of 100 samples"):
        score = cce_scorer(model, X[test], y[test])
    np.testing.assert_allclose(score, np.log(np.maximum(true, EPS)).mean())
    assert make_cross_entropy_scorer(eps=0)(model, X[test], y[test]) == -np.inf


@pytest.mark.parametrize("scorer", [cce_scorer, bce_scorer])
def test_estimator_that_saw_one_class(scorer):
    model = DummyClassifier().fit(np.ones((3, 1)), ["b", "b", "b"])
    X = np.ones((2, 1))
    assert scorer(model, X, ["b", "b"]) == 0
    for other in ("a", "c"):
        with pytest.warns(ZeroProbabilityWarning, match="1 of 2 samples"):
            assert scorer(model, X, ["b", other]) == np.log(EPS) / 2


def test_row_of_zeros_gives_every_label_probability_zero():
    model, X = Fixed(np.array([[0.0, 0.0], [0.5, 0.5]]), ["a", "b"]), np.ones((2, 1))
    with pytest.warns(ZeroProbabilityWarning, match="1 of 2 samples"):
        score = cce_scorer(model, X, ["a", "b"])
    np.testing.assert_allclose(score, (np.log(EPS) + np.log(0.5)) / 2)
    assert make_cross_entropy_scorer(eps=0)(model, X, ["a", "b"]) == -np.inf


def test_radius_neighbors_without_neighbors():
    model = RadiusNeighborsClassifier(radius=1.0, outlier_label="most_frequent")
    model.fit([[0.0], [0.5], [0.6]], ["a", "b", "b"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        model.set_params(outlier_label="c").fit([[0.0], [0.5], [0.6]], ["a", "b", "b"])
        rows = model.predict_proba([[0.0], [99.0]])
    assert not rows[1].any()
    with pytest.warns(UserWarning) as caught:
        score = cce_scorer(model, [[0.0], [99.0]], ["b", "b"])
    assert ZeroProbabilityWarning in {warning.category for warning in caught}
    np.testing.assert_allclose(score, (np.log(2 / 3) + np.log(EPS)) / 2)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[0.5, 0.5], [0.4, 0.5]], r"Fixed.predict_proba\(X\) does not sum to 1 in row 1"),
        ([[0.5, 0.5], [np.nan, 0.5]], r"Fixed.predict_proba\(X\) has NaN or infinity in row 1"),
        ([[-0.5, 1.5], [0.5, 0.5]], r"Fixed.predict_proba\(X\) has -0.5 in row 0"),
        ([[1.0], [1.0]], r"has shape \(2, 1\) but classes_ names 2 classes"),
        ([0.5, 0.5], r"has shape \(2,\) but classes_ names 2 classes"),
    ],
)
def test_other_rows_are_refused(rows, message):
    with pytest.raises(ValueError, match=message):
        cce_scorer(Fixed(np.array(rows), ["a", "b"]), np.ones((2, 1)), ["a", "b"])


def test_float32_rows_have_their_own_tolerance():
    rows = np.array([[0.5, 0.50001]] * 2)
    with pytest.raises(ValueError, match="does not sum to 1"):
        cce_scorer(Fixed(rows, [0, 1]), np.ones((2, 1)), [0, 1])
    cce_scorer(Fixed(rows.astype(np.float32), [0, 1]), np.ones((2, 1)), [0, 1])


def test_wrong_estimators_and_targets(iris, two_classes):
    X, y = iris
    with pytest.raises(TypeError, match=r"LinearSVC has no predict_proba.*CalibratedClassifierCV"):
        cce_scorer(LinearSVC().fit(X, y), X, y)
    model = GaussianNB().fit(X, y)
    with pytest.raises(TypeError, match=r"GaussianMixture has no classes_.*fitted classifier"):
        cce_scorer(GaussianMixture().fit(X), X, y)
    with pytest.raises(ValueError, match=r"takes two classes, but here are 3.*cce_scorer"):
        bce_scorer(model, X, y)
    with pytest.raises(ValueError, match="takes two classes, but here are 3"):
        bce_scorer(GaussianNB().fit(*two_classes), X, y)
    with pytest.raises(ValueError, match="y_true holds labels like 0 but classes_ holds"):
        cce_scorer(model, X, np.zeros(len(y), int))
    with pytest.raises(ValueError, match="y_true has 3 samples"):
        cce_scorer(model, X, y[:3])
    with pytest.raises(ValueError, match="sample_weight is zero"):
        cce_scorer(model, X, y, sample_weight=np.zeros(len(y)))
    with pytest.raises(ValueError, match=r"soft rows have one column for each of classes_"):
        cce_scorer(model, X, np.full((len(y), 4), 0.25))
    with pytest.raises(ValueError, match=r"y_true does not sum to 1 in row 0"):
        cce_scorer(model, X, np.ones((len(y), 3)))


def test_soft_targets_of_an_estimator_that_lacks_classes():
    X, Y = np.ones((2, 1)), np.array([[0.5, 0.0, 0.25, 0.25], [0.0, 0.0, 1.0, 0.0]])
    model = Fixed(np.array([[0.75, 0.25], [1.0, 0.0]]), [2, 0])
    with pytest.warns(ZeroProbabilityWarning, match="1 of 2 samples"):
        score = cce_scorer(model, X, Y)
    first = 0.5 * np.log(0.25) + 0.25 * np.log(0.75) + 0.25 * np.log(EPS)
    np.testing.assert_allclose(score, first / 2)


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
@pytest.mark.parametrize("eps", [None, 0])
def test_soft_targets_follow_classes_by_name(frame, eps):
    X, scorer = np.ones((1, 1)), make_cross_entropy_scorer(eps=eps)
    Y = frame({"c": [0.5], "a": [0.25], "b": [0.25]})
    score = scorer(Fixed(np.array([[0.1, 0.2, 0.7]]), ["a", "b", "c"]), X, Y)
    np.testing.assert_allclose(score, np.log([0.1, 0.2, 0.7]) @ [0.25, 0.25, 0.5])
    lacking = Fixed(np.array([[0.2, 0.8]]), ["b", "c"])
    if eps == 0:
        assert scorer(lacking, X, Y) == -np.inf
    else:
        with pytest.warns(ZeroProbabilityWarning):
            score = scorer(lacking, X, Y)
        np.testing.assert_allclose(score, np.log([EPS, 0.2, 0.8]) @ [0.25, 0.25, 0.5])
    other = frame({"x": [0.5], "y": [0.25], "z": [0.25]})  # names of something else
    score = scorer(Fixed(np.array([[0.1, 0.2, 0.7]]), ["a", "b", "c"]), X, other)
    np.testing.assert_allclose(score, np.log([0.1, 0.2, 0.7]) @ [0.5, 0.25, 0.25])


def test_soft_targets_follow_classes_by_position():
    X, Y = np.ones((1, 1)), np.array([[0.25, 0.75]])
    score = cce_scorer(Fixed(np.array([[0.5, 0.5]]), ["a", "b"]), X, Y)
    np.testing.assert_allclose(score, np.log(0.5))


@pytest.mark.parametrize(
    "model",
    [
        KNeighborsClassifier(),
        RandomForestClassifier(10, random_state=0),
        MultiOutputClassifier(GaussianNB()),
        ClassifierChain(GaussianNB()),
        OneVsRestClassifier(GaussianNB()),
        MLPClassifier(max_iter=5, random_state=0),
    ],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::skxent.metrics.ZeroProbabilityWarning")
def test_multilabel(model):
    X, Y = make_multilabel_classification(n_samples=80, n_classes=3, random_state=0)
    model.fit(X[:60], Y[:60])
    prediction = model.predict_proba(X[60:])
    if isinstance(prediction, list):
        prediction = np.column_stack([columns[:, 1] for columns in prediction])
    expected = -binary_cross_entropy(Y[60:], prediction)
    assert bce_scorer(model, X[60:], Y[60:]) == expected


def test_multilabel_outcome_that_was_never_seen():
    X, Y = np.arange(6.0)[:, None], np.array([[0, 1, 0], [0, 1, 1]] * 3)
    model = KNeighborsClassifier(2).fit(X, Y)
    assert [list(classes) for classes in model.classes_] == [[0], [1], [0, 1]]
    assert bce_scorer(model, X, [[0, 1, 0]] * 6) == -np.log(2)
    with pytest.warns(ZeroProbabilityWarning):
        bce_scorer(model, X, [[1, 1, 0]] * 6)
    with pytest.raises(ValueError, match=r"is a list.*use bce_scorer"):
        cce_scorer(model, X, [0] * 6)
