"""Scorers of miscalibration and discrimination equal the parts of the decomposition."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from fixed_predictions import Fixed
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score, cross_validate
from sklearn.naive_bayes import GaussianNB

from skxent import (
    ZeroProbabilityWarning,
    cce_scorer,
    decompose_cross_entropy,
    discrimination_scorer,
    miscalibration_scorer,
)

SCORERS = [miscalibration_scorer, discrimination_scorer]


@pytest.fixture(scope="module")
def sorted_iris():
    X, y = load_iris(return_X_y=True)
    return X, np.array(["setosa", "versicolor", "virginica"])[y]


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_scores_are_the_parts(sorted_iris, n_classes, weighted):
    X, y = sorted_iris
    X, y = X[50 * (3 - n_classes) :], y[50 * (3 - n_classes) :]
    model = GaussianNB().fit(X, y)
    weight = np.random.default_rng(5).random(len(y)) if weighted else None
    found = decompose_cross_entropy(
        y, model.predict_proba(X), labels=model.classes_, sample_weight=weight
    )
    calibration, discrimination = (s(model, X, y, sample_weight=weight) for s in SCORERS)
    assert calibration == -found.miscalibration
    assert discrimination == found.discrimination
    loss = cce_scorer(model, X, y, sample_weight=weight)
    np.testing.assert_allclose(calibration + discrimination - found.uncertainty, loss)


def test_folds_that_lack_a_class_and_labels_never_seen():
    rows = np.random.default_rng(6).dirichlet([2, 2, 2], size=40)
    model = Fixed(rows, ["a", "b", "c"])
    y = np.array(["a", "c"])[np.arange(40) % 2]
    expected = decompose_cross_entropy(y, rows, labels=["a", "b", "c"])
    assert discrimination_scorer(model, rows, y) == expected.discrimination
    y = np.where(np.arange(40) == 5, "d", y)
    with pytest.warns(ZeroProbabilityWarning, match="1 of 40 samples"):
        found = miscalibration_scorer(model, rows, y)
    spread = np.column_stack([rows, np.zeros(40)])
    with pytest.warns(ZeroProbabilityWarning):
        expected = decompose_cross_entropy(y, spread, labels=["a", "b", "c", "d"])
    np.testing.assert_allclose(found, -expected.miscalibration)


def test_estimators_that_know_one_class_or_nothing():
    X = np.zeros((6, 1))
    one = Fixed(np.ones((6, 1)), ["a"])
    for scorer in SCORERS:
        assert scorer(one, X, ["a"] * 6) == 0.0
    with pytest.warns(ZeroProbabilityWarning):
        assert discrimination_scorer(one, X, list("aaabbb")) == pytest.approx(0.0, abs=1e-12)
    nameless = Fixed(np.tile([0.9, 0.1], (6, 1)), ["a"])
    np.testing.assert_allclose(miscalibration_scorer(nameless, X, ["a"] * 6), np.log(0.9))
    ignorant = Fixed(np.zeros((6, 3)), ["a", "b", "c"])
    with pytest.warns(ZeroProbabilityWarning, match="6 of 6"):
        score = miscalibration_scorer(ignorant, X, list("aabbcc"))
    np.testing.assert_allclose(score, np.log(np.finfo(float).eps) + np.log(3))


def test_soft_targets_follow_classes():
    rng = np.random.default_rng(7)
    P, Y = rng.dirichlet(np.ones(3), size=(2, 30))
    model = Fixed(P, ["a", "b", "c"])
    expected = decompose_cross_entropy(Y, P)
    assert discrimination_scorer(model, P, Y) == expected.discrimination
    frame = pd.DataFrame(Y[:, ::-1], columns=["c", "b", "a"])
    np.testing.assert_allclose(discrimination_scorer(model, P, frame), expected.discrimination)


@pytest.mark.filterwarnings("ignore::skxent.metrics.ZeroProbabilityWarning")
def test_wherever_scoring_is_taken(sorted_iris):
    X, y = sorted_iris
    scoring = {"calibration": miscalibration_scorer, "discrimination": discrimination_scorer}
    result = cross_validate(GaussianNB(), X, y, scoring=scoring, cv=3)
    assert (result["test_calibration"] <= 0).all()
    assert (result["test_discrimination"] >= 0).all()
    # sorted labels: each fold tests a class that its training part has never seen
    sorted_folds = cross_val_score(GaussianNB(), X, y, scoring=discrimination_scorer, cv=KFold(3))
    np.testing.assert_array_equal(sorted_folds, 0.0)
    grid = GridSearchCV(GaussianNB(), {"var_smoothing": [1e-9, 1.0]}, scoring=SCORERS[1], cv=3)
    assert grid.fit(X, y).best_score_ > 0.5
    with sklearn.config_context(enable_metadata_routing=True):
        routed = discrimination_scorer.set_score_request(sample_weight=True)
        weight = np.ones(len(y))
        model = GaussianNB().set_fit_request(sample_weight=False)
        scores = cross_val_score(
            model, X, y, scoring=routed, cv=3, params={"sample_weight": weight}
        )
    np.testing.assert_allclose(scores, result["test_discrimination"])


@pytest.mark.parametrize("scorer", SCORERS)
def test_scorers_as_objects(scorer):
    assert repr(scorer) == f"{scorer.part}_scorer"
    routed = scorer.set_score_request(sample_weight=True)
    scope = {f"{s.part}_scorer": s for s in SCORERS}
    assert eval(repr(routed), scope) == routed != scorer
    assert clone(scorer) is scorer
    assert scorer != cce_scorer
    with pytest.raises(AttributeError):
        scorer.part = "uncertainty"
