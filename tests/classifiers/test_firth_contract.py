"""What scikit-learn asks of `FirthClassifier`."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import skxent
from skxent import FirthClassifier

# scikit-learn 1.7 hands pytest a generator, which pytest 9 deprecates.
checks = parametrize_with_checks([FirthClassifier()])
names, cases = checks.args


@pytest.mark.parametrize(names, list(cases), **checks.kwargs)
def test_check_estimator(estimator, check):
    check(estimator)


def test_clone_repr_and_pickle(iris):
    X, y = iris
    clf = clone(FirthClassifier(tol=1e-3, class_weight="balanced")).fit(X, y)
    assert repr(clf) == "FirthClassifier(class_weight='balanced', tol=0.001)"
    again = pickle.loads(pickle.dumps(clf))
    assert np.array_equal(again.predict_log_proba(X), clf.predict_log_proba(X))


def test_pipeline_scores_and_names(iris):
    X, y = iris
    X = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    pipe = make_pipeline(StandardScaler(), FirthClassifier())
    scores = cross_validate(pipe, X, y, scoring=skxent.cce_scorer, cv=3)["test_score"]
    assert (scores > -0.2).all()
    assert FirthClassifier().fit(X, y).feature_names_in_.tolist() == ["a", "b", "c", "d"]
