"""Scorers and displays hand an offset to the prediction method of the estimator."""

import numpy as np
import pytest
import sklearn
from sklearn.datasets import load_wine
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skxent import (
    ReliabilityDisplay,
    SoftmaxClassifier,
    cce_scorer,
    cce_sum_scorer,
    discrimination_scorer,
    make_cross_entropy_scorer,
    miscalibration_scorer,
)

X, y = load_wine(return_X_y=True)
X = StandardScaler().fit_transform(X)[:, :3]
O = np.random.default_rng(0).normal(size=(len(y), 3))
EXACT = make_cross_entropy_scorer(eps=0)
SCORERS = [cce_scorer, cce_sum_scorer, EXACT, miscalibration_scorer, discrimination_scorer]


class Shifted:
    """Predicts what a classifier predicts for samples that have an offset."""

    def __init__(self, clf, offset):
        self.clf, self.offset, self.classes_ = clf, offset, clf.classes_

    def predict_proba(self, X):
        return self.clf.predict_proba(X, offset=self.offset)

    def predict_log_proba(self, X):
        return self.clf.predict_log_proba(X, offset=self.offset)


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.mark.parametrize("scorer", SCORERS, ids=repr)
def test_the_score_of_the_predictions_with_it(scorer):
    clf, weight = SoftmaxClassifier().fit(X, y, offset=O), np.arange(len(y))
    found = scorer(clf, X, y, weight, offset=O)
    assert found == scorer(Shifted(clf, O), X, y, weight)
    assert found != scorer(clf, X, y, weight, offset=0)
    with pytest.raises(ValueError, match="fitted with an offset"):
        scorer(clf, X, y)


def test_errors_name_the_estimator():
    clf = SoftmaxClassifier().fit(X, y)
    clf.classes_ = clf.classes_[:2]
    with pytest.raises(ValueError, match=r"^SoftmaxClassifier.predict_proba\(X\) has shape"):
        cce_scorer(clf, X, y, offset=0)


def requesting():
    clf = SoftmaxClassifier().set_fit_request(offset=True)
    return clf.set_predict_proba_request(offset=True).set_predict_log_proba_request(offset=True)


def by_hand(folds, scorer, offset=O):
    scores = []
    for train, test in folds:
        clf = SoftmaxClassifier().fit(X[train], y[train], offset=O[train])
        scores.append(scorer(Shifted(clf, offset[test]), X[test], y[test]))
    return scores


FOLDS = [(np.flatnonzero(np.arange(len(y)) % 3 != j), np.arange(j, len(y), 3)) for j in range(3)]


@pytest.mark.parametrize("scorer", SCORERS, ids=repr)
def test_cross_validation_routes_it(scorer, routing):
    scoring = scorer.set_score_request(offset=True)
    for estimator in (requesting(), make_pipeline("passthrough", requesting())):
        options = {"cv": FOLDS, "params": {"offset": O}}
        found = cross_validate(estimator, X, y, scoring=scoring, **options)
        np.testing.assert_array_equal(found["test_score"], by_hand(FOLDS, scorer))


def test_several_scorers_at_once(routing):
    other = O[::-1].copy()
    scoring = {
        "own": cce_scorer.set_score_request(offset=True),
        "sum": cce_sum_scorer.set_score_request(offset=True),
        "other": cce_scorer.set_score_request(offset="other"),
        "exact": EXACT.set_score_request(offset=True),
    }
    options = {"cv": FOLDS, "params": {"offset": O, "other": other}}
    found = cross_validate(requesting(), X, y, scoring=scoring, **options)
    for name, offset in {"own": O, "sum": O, "other": other, "exact": O}.items():
        expected = by_hand(FOLDS, scoring[name], offset)
        np.testing.assert_array_equal(found[f"test_{name}"], expected)


def test_a_search(routing):
    scoring = cce_scorer.set_score_request(offset=True)
    search = GridSearchCV(requesting(), {"C": [1e-3, 1.0]}, cv=FOLDS, scoring=scoring)
    search.fit(X, y, offset=O)
    best = search.cv_results_["mean_test_score"][1]
    assert best == pytest.approx(np.mean(by_hand(FOLDS, cce_scorer)), rel=1e-12)
    assert search.best_params_ == {"C": 1.0}


def test_requests_are_kept_and_shown():
    scorer = cce_scorer.set_score_request(offset=True)
    assert repr(scorer) == "make_cross_entropy_scorer().set_score_request(offset=True)"
    both = scorer.set_score_request(sample_weight="w")
    requests = both.get_metadata_routing().score.requests
    assert requests == {"sample_weight": "w", "offset": True}
    text = "miscalibration_scorer.set_score_request(sample_weight=False, offset='o')"
    found = miscalibration_scorer.set_score_request(sample_weight=False, offset="o")
    assert repr(found) == text
    assert both.set_score_request(sample_weight=None) == scorer
    assert cce_scorer.offset_request is None


def test_displays_of_predictions_take_it():
    pytest.importorskip("matplotlib")
    clf = SoftmaxClassifier().fit(X, y, offset=O)
    found = ReliabilityDisplay.from_estimator(clf, X, y, offset=O)
    P = clf.predict_proba(X, offset=O)
    expected = ReliabilityDisplay.from_predictions(y, P, labels=clf.classes_)
    np.testing.assert_array_equal(
        found.ax_.lines[-1].get_xydata(), expected.ax_.lines[-1].get_xydata()
    )
    with pytest.raises(ValueError, match="fitted with an offset"):
        ReliabilityDisplay.from_estimator(clf, X, y)
