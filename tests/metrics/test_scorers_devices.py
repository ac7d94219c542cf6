"""Scores of predictions on a device equal the scores of the same predictions in NumPy arrays."""

import numpy as np
import pandas as pd
import pytest
from extreme_samples import K, N, message, problem, spoiled
from fixed_predictions import Fixed
from sklearn import __version__, config_context
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skxent import bce_scorer, cce_scorer, cce_sum_scorer, compare_cv, make_cross_entropy_scorer
from skxent.inputs.namespaces import library_of, namespace_of

# From this release on scikit-learn's logistic regression computes where its X is.
knows_arrays = pytest.mark.skipif(
    tuple(map(int, __version__.split(".")[:2])) < (1, 9), reason="scikit-learn 1.9"
)


@pytest.mark.filterwarnings("ignore::skxent.ZeroProbabilityWarning")
@pytest.mark.parametrize("scorer", [cce_scorer, cce_sum_scorer, make_cross_entropy_scorer(eps=0)])
def test_scores(library, scorer):
    y, Y, _, P, w = problem()
    P[2], seen, order = 0.0, np.array([0, 2, 3]), [0, 2, 3]
    Q = P[:, order] / np.maximum(P[:, order].sum(axis=1, keepdims=True), 1e-9)
    for matrix, classes in ((P, np.arange(K)), (Q, seen)):
        for target in (y, Y):
            expected = scorer(Fixed(matrix, classes), None, target, w)
            for c in (classes, library.array(classes)):
                model = Fixed(library.array(matrix), c)
                for t, weight in ((target, w), (library.array(target), library.array(w))):
                    assert scorer(model, None, t, weight) == pytest.approx(expected, rel=1e-14)
            assert scorer(Fixed(matrix, classes), None, library.array(target), w) == expected


def test_score_of_logarithms(library):
    y, _, _, P, _ = problem()
    with np.errstate(divide="ignore"):
        logs = np.log(P)
    exact = make_cross_entropy_scorer(eps=0)
    for rows, t in ((slice(8, None), y), (slice(None), y)):
        expected = exact(Fixed(P[rows], np.arange(K), logs[rows]), None, t[rows])
        model = Fixed(library.array(P[rows]), np.arange(K), library.array(logs[rows]))
        assert exact(model, None, library.array(t[rows])) == pytest.approx(expected, rel=1e-14)


@pytest.mark.filterwarnings("ignore::skxent.ZeroProbabilityWarning")
def test_scores_of_outcomes(library):
    y, _, _, P, w = problem()
    outcomes = (P > 0.5).astype(int)
    expected = bce_scorer(Fixed(P, None), None, outcomes, w)
    model = Fixed(library.array(P), None)
    assert bce_scorer(model, None, library.array(outcomes), w) == pytest.approx(expected, rel=1e-14)
    pairs = [np.stack([1 - p, p], axis=1) for p in P.T]
    pairs[3] = np.ones((N, 1))
    classes = [np.arange(2)] * 3 + [np.zeros(1, dtype=int)]
    expected = bce_scorer(Fixed(pairs, classes), None, outcomes)
    model = Fixed([*map(library.array, pairs)], [*map(library.array, classes)])
    assert bce_scorer(model, None, outcomes) == pytest.approx(expected, rel=1e-14)
    rows = np.stack([P[:, 0], 1 - P[:, 0]], axis=1)
    expected = bce_scorer(Fixed(rows, np.arange(2)), None, y % 2)
    model = Fixed(library.array(rows), library.array(np.arange(2)))
    assert bce_scorer(model, None, library.array(y % 2)) == pytest.approx(expected, rel=1e-14)


def test_messages_of_scorers(library):
    y, Y, _, P, _ = problem()
    model = Fixed(P, np.arange(K))
    theirs = Fixed(library.array(P), np.arange(K))
    for scorer, t in ((cce_scorer, y[1:]), (bce_scorer, y), (bce_scorer, Y[:, 1:] > 0.5)):
        expected = message(scorer, model, None, t)
        assert message(scorer, theirs, None, library.array(t)) == expected
    wrong, names = spoiled(P, 9, 0.3), np.arange(K - 1)
    for bad, classes in ((wrong, np.arange(K)), (P, names)):
        expected = message(cce_scorer, Fixed(bad, classes), None, y)
        assert message(cce_scorer, Fixed(library.array(bad), classes), None, y) == expected


def blobs():
    rng = np.random.default_rng(3)
    y = rng.integers(3, size=90)
    return rng.normal(size=(90, 2)) + y[:, None], y


def without_gradients(library, values):
    x = library.array(values)
    return x.detach() if hasattr(x, "detach") else x


@knows_arrays
@pytest.mark.parametrize("scorer", [cce_scorer, cce_sum_scorer])
def test_cross_validation_of_scikit_learns_own_classifier(library, scorer):
    X, y = blobs()
    model = LogisticRegression(solver="lbfgs", tol=1e-10)
    folds = StratifiedKFold(3)
    expected = cross_val_score(model, X, y, scoring=scorer, cv=folds)
    X_there, y_there = (without_gradients(library, x) for x in (X, y))
    fitted = model.fit(X_there, y_there)
    assert namespace_of(fitted.predict_proba(X_there)) is not None
    for train, test in folds.split(X, y):
        place = without_gradients(library, train)
        take = library_of(X_there).take
        model.fit(take(X_there, place, axis=0), take(y_there, place, axis=0))
        place = without_gradients(library, test)
        score = scorer(model, take(X_there, place, axis=0), take(y_there, place, axis=0))
        assert min(abs(score - other) for other in expected) < 1e-6 * abs(score)


@knows_arrays
def test_cross_val_score_of_tensors():
    torch = pytest.importorskip("torch")
    X, y = blobs()
    model = LogisticRegression(solver="lbfgs", tol=1e-10)
    expected = cross_val_score(model, X, y, scoring=cce_scorer)
    with config_context(array_api_dispatch=True):
        found = cross_val_score(model, torch.asarray(X), torch.asarray(y), scoring=cce_scorer)
        tensors = FunctionTransformer(torch.as_tensor)
        mixed = make_pipeline(StandardScaler(), tensors, model)
        scores = cross_val_score(mixed, X, y, scoring=cce_scorer)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    np.testing.assert_allclose(scores, expected, rtol=0.2)


@knows_arrays
def test_compare_cv_of_tensors():
    torch = pytest.importorskip("torch")
    X, y = blobs()
    models = {"weak": LogisticRegression(C=0.01), "strong": LogisticRegression(C=10.0)}
    expected = compare_cv(models, X, y, baseline="weak").to_frame()
    with config_context(array_api_dispatch=True):
        there = torch.asarray(X), torch.asarray(y)
        found = compare_cv(models, *there, baseline="weak").to_frame()
    pd.testing.assert_frame_equal(found, expected, rtol=1e-3)
