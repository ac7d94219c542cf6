"""Predictions with an offset, what a model demands of them, and how metadata routing brings it."""

import dask.array as da
import numpy as np
import pytest
import sklearn
from scipy.special import log_softmax
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skxent import SoftmaxClassifier, SoftmaxClassifierCV, infer

METHODS = ["decision_function", "predict", "predict_proba", "predict_log_proba"]
kinds = pytest.mark.parametrize("K", [2, 3])


def samples(K):
    rng = np.random.default_rng(K)
    X, O = rng.normal(size=(120, 3)), 2 * rng.normal(size=(120, K))
    y = (X @ rng.normal(size=(3, K)) + O + rng.gumbel(size=(120, K))).argmax(axis=1)
    return X, np.array(["a", "b", "c"])[y], O


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@kinds
def test_predictions_add_the_offset(K):
    X, y, O = samples(K)
    clf = SoftmaxClassifier().fit(X, y, offset=O)
    plain = X @ clf.coef_.T + clf.intercept_
    Z = plain + O if K > 2 else np.column_stack([0 * plain, plain]) + O
    expected = log_softmax(Z, axis=1)
    found = clf.decision_function(X, offset=O)
    np.testing.assert_allclose(found, Z if K > 2 else Z[:, 1] - Z[:, 0], rtol=1e-12)
    np.testing.assert_allclose(clf.predict_log_proba(X, offset=O), expected, atol=1e-14)
    np.testing.assert_allclose(clf.predict_proba(X, offset=O), np.exp(expected), rtol=1e-12)
    assert np.array_equal(clf.predict(X, offset=O), clf.classes_[expected.argmax(axis=1)])
    assert clf.score(X, y, offset=O) == np.mean(clf.predict(X, offset=O) == y)
    assert clf.log_likelihood(X, y, offset=O) == pytest.approx(clf.log_likelihood_, rel=1e-12)
    weight = np.arange(len(y))
    right = clf.predict(X, offset=O) == y
    assert clf.score(X, y, weight, offset=O) == pytest.approx(weight @ right / weight.sum())


@kinds
@pytest.mark.parametrize("method", METHODS)
def test_a_model_with_an_offset_demands_one(K, method):
    X, y, O = samples(K)
    clf = SoftmaxClassifier().fit(X, y, offset=O)
    predict = getattr(clf, method)
    with pytest.raises(ValueError, match=rf"fitted with an offset, and {method}\(\) got none"):
        predict(X)
    clf.has_offset_ = False
    without = predict(X)
    clf.has_offset_ = True
    assert np.array_equal(predict(X, offset=0), without)
    assert np.array_equal(predict(da.from_array(X, chunks=50), offset=0).compute(), without)


@kinds
@pytest.mark.parametrize("method", METHODS)
def test_any_model_takes_an_offset(K, method):
    X, y, O = samples(K)
    clf = SoftmaxClassifier().fit(X, y)
    assert clf.has_offset_ is False
    clf.has_offset_ = True
    expected = getattr(clf, method)(X, offset=O)
    clf.has_offset_ = False
    assert np.array_equal(getattr(clf, method)(X, offset=O), expected)
    del clf.has_offset_  # a model that an earlier version saved
    assert np.array_equal(getattr(clf, method)(X, offset=O), expected)
    getattr(clf, method)(X)


def test_what_a_model_with_an_offset_refuses():
    X, y, O = samples(3)
    clf = SoftmaxClassifier().fit(X, y, offset=O)
    assert clf.has_offset_ is True
    for evaluate in (clf.score, clf.log_likelihood):
        with pytest.raises(ValueError, match="fitted with an offset"):
            evaluate(X, y)
        assert np.isfinite(evaluate(X, y, offset=0))
    with pytest.raises(ValueError, match="LogisticRegression does not have"):
        clf.to_sklearn()
    with pytest.raises(ValueError, match="clf was fitted with an offset, and infer got none"):
        infer(clf, X, y)
    assert clf.fit(X, y).has_offset_ is False
    clf.predict(X)
    clf.to_sklearn()


@pytest.mark.parametrize("method", METHODS)
def test_offsets_of_other_samples(method):
    X, y, O = samples(3)
    clf = SoftmaxClassifier().fit(X, y, offset=O)
    with pytest.raises(ValueError, match="X has 119 samples but offset has 120"):
        getattr(clf, method)(X[1:], offset=O)
    with pytest.raises(ValueError, match="offset has nan in row 5"):
        O[5, 1] = np.nan
        getattr(clf, method)(X, offset=O)


def test_a_fit_that_fails_leaves_the_model_as_it_was():
    X, y, O = samples(3)
    clf = SoftmaxClassifier().fit(X, y)
    with pytest.raises(ValueError, match=r"shape \(120,\), and there are 3 classes"):
        clf.fit(X, y, offset=O[:, 0])
    with pytest.raises(ValueError, match=r"offset has shape \(\)"):
        clf.fit(X, y, offset=0)
    assert clf.has_offset_ is False
    clf.predict(X)


@kinds
def test_a_model_of_a_search_over_penalties_takes_an_offset(K):
    X, y, O = samples(K)
    clf = SoftmaxClassifierCV(Cs=[0.1, 1.0]).fit(X, y)
    assert clf.has_offset_ is False
    difference = clf.decision_function(X, offset=O) - clf.decision_function(X)
    expected = O if K > 2 else O[:, 1] - O[:, 0]
    np.testing.assert_allclose(difference, expected, rtol=1e-10, atol=1e-12)


def requesting():
    clf = SoftmaxClassifier(tol=1e-9).set_fit_request(offset=True)
    clf.set_score_request(offset=True)
    for method in METHODS:
        getattr(clf, f"set_{method}_request")(offset=True)
    return clf


@kinds
def test_a_pipeline_routes_it(K, routing):
    X, y, O = samples(K)
    pipeline = make_pipeline(StandardScaler(), requesting()).fit(X, y, offset=O)
    Z = StandardScaler().fit_transform(X)
    clf = SoftmaxClassifier(tol=1e-9).fit(Z, y, offset=O)
    for method in METHODS:
        found = getattr(pipeline, method)(X, offset=O)
        assert np.array_equal(found, getattr(clf, method)(Z, offset=O))
    assert pipeline.score(X, y, offset=O) == clf.score(Z, y, offset=O)
    with pytest.raises(ValueError, match=r"set_predict_request\(offset=True\)"):
        pipeline.predict(X)


@kinds
def test_cross_validation_routes_the_offsets_of_each_fold(K, routing):
    X, y, O = samples(K)
    folds = [(np.arange(40, 120), np.arange(40)), (np.arange(80), np.arange(80, 120))]
    found = cross_validate(requesting(), X, y, cv=folds, params={"offset": O})["test_score"]
    for score, (train, test) in zip(found, folds, strict=True):
        clf = SoftmaxClassifier(tol=1e-9).fit(X[train], y[train], offset=O[train])
        assert score == clf.score(X[test], y[test], offset=O[test])


def test_a_grid_search_routes_it(routing):
    X, y, O = samples(3)
    search = GridSearchCV(requesting(), {"C": [1e-3, 1.0]}, cv=3).fit(X, y, offset=O)
    assert search.best_estimator_.has_offset_
    assert search.score(X, y, offset=O) == search.best_estimator_.score(X, y, offset=O)
    with pytest.raises(ValueError, match="the fitted model of a search"):
        search.predict(X)  # scikit-learn's searches route nothing to predictions
