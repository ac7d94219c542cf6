"""Every classifier of scikit-learn that has predict_proba, against a plain reference.

Two and three classes of string labels, and splits whose test fold lacks a class, whose training
fold lacks one, and both at once. The reference looks each label up in classes_ in a loop.
"""

import inspect
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import cross_val_score
from sklearn.svm import SVC, NuSVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import all_estimators

from skxent.metrics import ZeroProbabilityWarning, bce_scorer, cce_scorer

EPS = np.finfo(np.float64).eps
N = 60
SMALL = {
    "AdaBoostClassifier": {"n_estimators": 5},
    "BaggingClassifier": {"n_estimators": 3},
    "CalibratedClassifierCV": {"cv": 2},
    "CategoricalNB": {"min_categories": 25},
    "ExtraTreesClassifier": {"n_estimators": 5},
    "GradientBoostingClassifier": {"n_estimators": 5},
    "HistGradientBoostingClassifier": {"max_iter": 5, "early_stopping": False},
    "LogisticRegressionCV": {"Cs": 2, "cv": 2},
    "MLPClassifier": {"max_iter": 5},
    "RadiusNeighborsClassifier": {"radius": 100.0},
    "RandomForestClassifier": {"n_estimators": 5},
    "SGDClassifier": {"loss": "log_loss"},
    "StackingClassifier": {"cv": 2},
    "TunedThresholdClassifierCV": {"cv": 2},
    "VotingClassifier": {"voting": "soft"},
}
MULTI_OUTPUT = {"ClassifierChain", "MultiOutputClassifier"}
TWO_CLASSES_ONLY = {"FixedThresholdClassifier", "TunedThresholdClassifierCV"}


def make(name, Classifier):
    """A small one, with the parts that it cannot do without."""
    parameters = inspect.signature(Classifier).parameters
    options = dict(SMALL.get(name, {}))
    if "estimator" in parameters and name not in ("AdaBoostClassifier", "BaggingClassifier"):
        options["estimator"] = LogisticRegression()
    if "estimators" in parameters:
        options["estimators"] = [("tree", DecisionTreeClassifier()), ("line", LogisticRegression())]
    if name == "StackingClassifier":
        options["final_estimator"] = LogisticRegression()
    model = Classifier(**options)
    if "random_state" in parameters:
        model.set_params(random_state=0)
    return model


with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # some are deprecated
    CLASSIFIERS = [
        make(*pair) for pair in all_estimators("classifier") if pair[0] not in MULTI_OUTPUT
    ]
CLASSIFIERS += [
    SGDClassifier(loss="modified_huber", random_state=0),  # rows of exact 0 and 1
    DecisionTreeClassifier(criterion="log_loss", random_state=0),
]


def has_probabilities(model):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        X, y = data(2)
        return hasattr(clone(model).fit(X, y.astype(object)), "predict_proba")


def data(K):
    """Overlapping blobs on the whole numbers from 0 to 24, in blocks of N rows a class."""
    X, codes = make_blobs(n_samples=[N] * K, cluster_std=3.0, random_state=0, center_box=(-3, 3))
    order = np.argsort(codes, kind="stable")
    return np.round(np.clip(X[order] + 12, 0, 24)), np.array(["ant", "bee", "cow"])[codes[order]]


def splits(K):
    """Whole; a class missing from the test fold, from the training fold, from both by turns."""
    y = data(K)[1]
    i = np.arange(len(y))
    even, last = i % 2 == 0, y == "ant"
    yield "whole", even, ~even
    yield "test lacks a class", even | last, ~even & ~last
    if K == 3:
        yield "train lacks a class", even & ~last, ~even | last
        yield "both lack a class", even & (y != "bee"), ~even & (y != "ant")
    else:
        yield "train has one class", even & ~last, ~even
        yield "both have one class", even & (y != "bee"), ~even & (y != "ant")


def reference(model, X, y):
    """Mean of log probabilities, each label looked up by hand."""
    classes, P = list(model.classes_), model.predict_proba(X)
    p = [P[i, classes.index(label)] if label in classes else 0.0 for i, label in enumerate(y)]
    return np.mean([np.log(min(max(value, EPS), 1.0)) for value in p])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("model", CLASSIFIERS, ids=lambda model: type(model).__name__)
@pytest.mark.thinned(2)
def test_equals_the_reference(model, K):
    name = type(model).__name__
    if K == 3 and name in TWO_CLASSES_ONLY:
        pytest.skip("two classes only")
    if not has_probabilities(model):
        pytest.skip("no predict_proba")
    X, y = data(K)
    y = y.astype(object) if name == "SelfTrainingClassifier" else y
    compared = 0
    for _, train, test in splits(K):
        try:
            fitted = clone(model).fit(X[train], y[train])
            expected = reference(fitted, X[test], y[test])
        except ValueError:
            assert len(set(y[train])) == 1  # many refuse to be fitted on one class
            continue
        for scorer in (cce_scorer, bce_scorer)[: 2 if K == 2 else 1]:
            np.testing.assert_allclose(scorer(fitted, X[test], y[test]), expected, rtol=1e-12)
        compared += 1
    assert compared >= 2 if K == 2 else compared == 4


@pytest.mark.parametrize("K", [2, 3])
def test_cross_validation_is_never_nan(K):
    X, y = data(K)
    cv = [(np.flatnonzero(train), np.flatnonzero(test)) for _, train, test in splits(K)]
    with pytest.warns(ZeroProbabilityWarning):
        scores = cross_val_score(DecisionTreeClassifier(), X, y, scoring=cce_scorer, cv=cv)
    assert np.isfinite(scores).all()


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("Machine", [SVC, NuSVC])
def test_support_vector_machines_with_probabilities(Machine):
    X, y = data(3)
    model = Machine(probability=True, random_state=0).fit(X[y != "bee"], y[y != "bee"])
    with pytest.warns(ZeroProbabilityWarning):
        score = cce_scorer(model, X, y)
    np.testing.assert_allclose(score, reference(model, X, y), rtol=1e-12)
