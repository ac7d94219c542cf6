"""The warning of the floor names samples and points at the line of the user."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification
from sklearn.model_selection import (
    GridSearchCV,
    cross_val_score,
    cross_validate,
    learning_curve,
    permutation_test_score,
)

from skxent import LossDistributionDisplay, LossShareDisplay, ReliabilityDisplay
from skxent.metrics import (
    CrossEntropySum,
    ZeroProbabilityWarning,
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

NAMES = np.array(["ant", "bee", "cow"])


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


def problem(seed, n=60, K=3):
    rng = np.random.default_rng(seed)
    codes, top = rng.integers(K, size=(2, n))
    P = np.full((n, K), 0.0)
    P[np.arange(n), top] = 1.0
    tiny = np.where(codes == 0, 0.0, 10.0 ** -rng.integers(17, 300, size=n))
    P[np.arange(n), codes] = np.where(codes == top, 1.0, tiny)
    return codes, P, np.flatnonzero(codes != top)


def caught(call):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        call()
    found = [each for each in found if each.category is ZeroProbabilityWarning]
    assert found
    return found


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("form", ["labels", "one-hot", "frame"])
def test_rows_classes_and_costs(seed, form):
    codes, P, rows = problem(seed)
    y = NAMES[codes] if form == "labels" else np.eye(3)[codes]
    y = pd.DataFrame(y, columns=NAMES) if form == "frame" else y
    options = {} if form == "frame" else {"labels": NAMES}
    p = pd.DataFrame(P, columns=NAMES) if form == "frame" else P
    (found,) = caught(lambda: categorical_cross_entropy(y, p, **options))
    text = str(found.message)
    assert text.startswith(f"{len(rows)} of 60 samples")
    for row in rows[:3]:
        with np.errstate(divide="ignore"):
            cost = -np.log(P[row, codes[row]])
        assert f"row {row} (class '{NAMES[codes[row]]}', exact cost {cost:.4g} nats)" in text
    assert f"row {rows[3]} " not in text and ", ..." in text
    assert "36.04 nats" in text


def test_later_blocks_of_rows(monkeypatch):
    from skxent.metrics import probability_losses

    codes, P, rows = problem(0)
    split = [slice(i, i + 1) for i in range(60)]
    monkeypatch.setattr(probability_losses, "row_blocks", lambda shape: iter(split))
    (found,) = caught(lambda: categorical_cross_entropy(codes, P))
    assert f"{len(rows)} of 60" in str(found.message) and f"row {rows[2]} " in str(found.message)


def test_outcomes():
    y = np.array([[0, 1], [1, 0], [1, 1]])
    p = np.array([[0.5, 0.0], [0.5, 0.5], [1e-20, 0.5]])
    (found,) = caught(lambda: binary_cross_entropy(y, p))
    assert "row 0 (column 1, exact cost inf nats)" in str(found.message)
    assert "row 2 (column 0, exact cost 46.05 nats)" in str(found.message)


X, CODES = make_classification(60, 4, n_informative=3, n_redundant=0, random_state=0)
Y = NAMES[CODES]
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
            assert "skxent" not in found.filename or found.filename == __file__
