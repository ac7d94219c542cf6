"""Warnings name the line of the user's code."""

import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
from extreme_samples import caught
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification
from sklearn.model_selection import (
    GridSearchCV,
    cross_val_score,
    cross_validate,
    learning_curve,
    permutation_test_score,
)

import skxent
from skxent import (
    LossDistributionDisplay,
    LossShareDisplay,
    ReliabilityDisplay,
    SoftmaxClassifier,
)
from skxent.metrics import (
    CrossEntropySum,
    bce_scorer,
    binary_cross_entropy,
    categorical_cross_entropy,
    cce_scorer,
    compare,
    compare_cv,
    cross_entropy_report,
    decompose_cross_entropy,
    miscalibration_scorer,
)


class Sure(ClassifierMixin, BaseEstimator):
    """Predicts the first class for certain."""

    def __init__(self, level=0):
        self.level = level

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return self.classes_[np.zeros(len(X), dtype=int)]

    def predict_proba(self, X):
        P = np.zeros((len(X), len(self.classes_)))
        P[:, 0] = 1.0
        return P


X, CODES = make_classification(60, 4, n_informative=3, n_redundant=0, random_state=0)
Y = np.array(["ant", "bee"])[CODES]
MODEL = Sure().fit(X, Y)
P = MODEL.predict_proba(X)
CALLS = {
    "loss": lambda: categorical_cross_entropy(Y, P),
    "binary": lambda: binary_cross_entropy(Y, P),
    "sum": lambda: CrossEntropySum.of(Y, P),
    "report": lambda: cross_entropy_report(Y, P),
    "decomposition": lambda: decompose_cross_entropy(Y, P),
    "compare": lambda: compare(Y, {"a": P, "b": np.full((60, 2), 0.5)}, baseline="b"),
    "scorer": lambda: cce_scorer(MODEL, X, Y),
    "binary scorer": lambda: bce_scorer(MODEL, X, Y),
    "decomposition scorer": lambda: miscalibration_scorer(MODEL, X, Y),
    "cross_val_score": lambda: cross_val_score(Sure(), X, Y, scoring=cce_scorer),
    "cross_validate": lambda: cross_validate(Sure(), X, Y, scoring={"a": cce_scorer}),
    "joblib": lambda: cross_val_score(Sure(), X, Y, scoring=cce_scorer, n_jobs=1),
    "grid": lambda: GridSearchCV(Sure(), {"level": [0, 1]}, scoring=cce_scorer).fit(X, Y),
    "curve": lambda: learning_curve(Sure(), X, Y, scoring=cce_scorer),
    "permutations": lambda: permutation_test_score(
        Sure(), X, Y, scoring=cce_scorer, n_permutations=2
    ),
    "compare_cv": lambda: compare_cv({"a": Sure(), "b": Sure(1)}, X, Y, baseline="a", cv=3),
    "losses": lambda: LossDistributionDisplay.from_estimator(MODEL, X, Y),
    "shares": lambda: LossShareDisplay.from_predictions(Y, P),
    "reliability": lambda: ReliabilityDisplay.from_predictions(Y, P),
}


@pytest.mark.parametrize("name", CALLS)
def test_points_at_the_line_of_the_user(name):
    if "Display" in CALLS[name].__code__.co_names[0]:
        pytest.importorskip("matplotlib")
    for found in caught(CALLS[name]):
        assert found.filename == __file__
        assert found.lineno == CALLS[name].__code__.co_firstlineno or name == "permutations"
        assert "class '" in str(found.message)


def test_threads_without_a_line_of_the_user():
    from joblib import parallel_config

    with parallel_config("threading"):
        for found in caught(lambda: cross_val_score(Sure(), X, Y, scoring=cce_scorer, n_jobs=2)):
            assert not Path(found.filename).is_relative_to(Path(skxent.__file__).parent)


def test_without_a_frame_of_the_user_the_caller_of_fit_is_named():
    """And not the decorator of scikit-learn that is between two frames of this package."""
    thread = threading.Thread(target=SoftmaxClassifier(max_iter=1).fit, args=(X, Y))
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        thread.start()
        thread.join()
    assert [warning.filename for warning in found] == [threading.__file__]
