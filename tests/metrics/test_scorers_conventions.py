"""Scorers where scikit-learn asks for more than a call, and the index of the report's samples."""

import copy
import pickle
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import check_scoring
from sklearn.model_selection import (
    LearningCurveDisplay,
    TunedThresholdClassifierCV,
    ValidationCurveDisplay,
    cross_val_score,
    cross_validate,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC

from skxent.metrics import (
    bce_scorer,
    bce_sum_scorer,
    cce_scorer,
    cce_sum_scorer,
    cross_entropy_report,
    discrimination_scorer,
    make_cross_entropy_scorer,
    miscalibration_scorer,
)

SCORERS = {
    "neg_categorical_cross_entropy": cce_scorer,
    "neg_binary_cross_entropy": bce_scorer,
    "neg_sum_categorical_cross_entropy": cce_sum_scorer,
    "neg_sum_binary_cross_entropy": bce_sum_scorer,
    "neg_categorical_cross_entropy_base_2": make_cross_entropy_scorer(base=2),
    "neg_miscalibration": miscalibration_scorer,
    "discrimination": discrimination_scorer,
}
X, Y = make_classification(120, 4, random_state=0, flip_y=0.2)


@pytest.mark.parametrize("name", SCORERS)
def test_displays_of_curves_name_the_scorer(name):
    pytest.importorskip("matplotlib")
    plt = pytest.importorskip("matplotlib.pyplot")
    scorer = SCORERS[name]
    assert scorer.__name__ == name
    options = {"scoring": scorer, "cv": 2}
    one = LearningCurveDisplay.from_estimator(
        LogisticRegression(), X, Y, train_sizes=[0.5, 1.0], **options
    )
    two = ValidationCurveDisplay.from_estimator(
        LogisticRegression(), X, Y, param_name="C", param_range=[0.1, 1.0], **options
    )
    words = name.replace("neg_", "Negative ").replace("_", " ").capitalize()
    assert one.score_name == two.score_name == words
    plt.close("all")


@pytest.mark.parametrize("name", SCORERS)
@pytest.mark.thinned(3)
def test_thresholds_cannot_be_tuned_by_a_cross_entropy(name):
    scorer = SCORERS[name]
    with pytest.raises(AttributeError, match="which no decision threshold changes"):
        TunedThresholdClassifierCV(LogisticRegression(), scoring=scorer).fit(X, Y)
    tuned = TunedThresholdClassifierCV(LogisticRegression(), scoring="balanced_accuracy", cv=2)
    found = cross_val_score(tuned, X, Y, scoring=scorer, cv=2)
    expected = cross_val_score(LogisticRegression(), X, Y, scoring=scorer, cv=2)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("name", SCORERS)
def test_missing_attributes_are_missing(name):
    scorer = SCORERS[name]
    assert not hasattr(scorer, "_score_func") and not hasattr(scorer, "anything")
    for same in copy.copy(scorer), copy.deepcopy(scorer), pickle.loads(pickle.dumps(scorer)):
        assert same == scorer and same.__name__ == name


INDEXES = {
    "numbers": pd.Index(np.arange(40)[::-1] * 3),
    "names": pd.Index([f"sample {i}" for i in range(40)]),
    "dates": pd.date_range("2026-01-01", periods=40),
    "doubles": pd.Index(np.arange(40) // 2),
}


@pytest.mark.parametrize("index", INDEXES)
@pytest.mark.parametrize("form", ["labels", "soft"])
def test_worst_samples_by_their_index(index, form):
    rng = np.random.default_rng(1)
    P = rng.dirichlet(np.ones(3), size=40)
    index = INDEXES[index]
    soft = rng.dirichlet(np.ones(3), size=40)
    values = rng.integers(3, size=40) if form == "labels" else soft
    y = (pd.Series if form == "labels" else pd.DataFrame)(values, index=index)
    report, plain = cross_entropy_report(y, P), cross_entropy_report(values, P)
    for rows, labels, same in zip(report.worst, report.worst_index, plain.worst, strict=True):
        np.testing.assert_array_equal(rows, same)
        np.testing.assert_array_equal(labels, index.to_numpy()[rows])
    for rows, labels in zip(plain.worst, plain.worst_index, strict=True):
        np.testing.assert_array_equal(rows, labels)
    first = max(range(3), key=lambda k: report.worst_losses[k][0])
    assert f"Costliest samples: {report.worst_index[first][0]}"[:28] in str(report)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("other", [{}, {"theirs": "accuracy"}])
def test_scorers_of_a_dict_give_what_each_gives_alone(n_classes, other):
    X, y = make_classification(
        120, 4, n_informative=3, n_redundant=0, n_classes=n_classes, random_state=0
    )
    ours = {name: scorer for name, scorer in SCORERS.items() if n_classes == 2 or "bin" not in name}
    found = cross_validate(GaussianNB(), X, y, scoring=ours | other, cv=3)
    for name, scorer in ours.items():
        expected = cross_val_score(GaussianNB(), X, y, scoring=scorer, cv=3)
        np.testing.assert_array_equal(found[f"test_{name}"], expected)


class Counting(GaussianNB):
    """Counts its predictions."""

    calls = 0

    def predict_proba(self, X):
        Counting.calls += 1
        return super().predict_proba(X)


def test_only_a_function_of_several_scorers_predicts_once():
    X, y = make_classification(120, 4, random_state=0)

    def predicted_once(clf, X, y):
        P = clf.predict_proba(X)
        given = SimpleNamespace(classes_=clf.classes_, predict_proba=lambda X: P)
        return {name: scorer(given, X, y) for name, scorer in SCORERS.items()}

    Counting.calls = 0
    each = cross_validate(Counting(), X, y, scoring=SCORERS, cv=3)
    assert Counting.calls == 3 * len(SCORERS)
    once = cross_validate(Counting(), X, y, scoring=predicted_once, cv=3)
    assert Counting.calls == 3 * len(SCORERS) + 3
    for name in SCORERS:
        np.testing.assert_array_equal(once[f"test_{name}"], each[f"test_{name}"])


def test_a_prediction_is_not_kept_for_the_next_evaluation():
    X, y = make_classification(120, 4, random_state=0)
    scorers = {"mean": cce_scorer, "sum": cce_sum_scorer}
    together = check_scoring(GaussianNB(), scoring=scorers)
    model = GaussianNB().partial_fit(X[:60], y[:60], classes=[0, 1])
    before = together(model, X, y)
    model.partial_fit(X[60:], y[60:])
    after = together(model, X, y)
    assert before["mean"] != after["mean"]
    assert after == {name: scorer(model, X, y) for name, scorer in scorers.items()}


def test_scorers_of_a_dict_name_what_cannot_predict_probabilities():
    scorers = {"mean": cce_scorer, "sum": cce_sum_scorer}
    with pytest.raises(TypeError, match=r"^LinearSVC has no predict_proba.*Calibrated"):
        check_scoring(LinearSVC(), scoring=scorers)(LinearSVC().fit(X, Y), X, Y)
