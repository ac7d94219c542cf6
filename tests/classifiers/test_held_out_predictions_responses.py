"""The predictions that a classifier gives to its calibrator."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.frozen import FrozenEstimator
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skxent import CalibratedClassifier
from skxent.classifiers.held_out_predictions import log_response

X, Y = load_iris(return_X_y=True)


@pytest.mark.parametrize("response", ["decision_function", "predict_log_proba", "predict_proba"])
def test_a_response_that_the_classifier_lacks(response):
    estimator = GaussianNB() if response == "decision_function" else SVC()
    with pytest.raises(TypeError, match=rf"\.{response}\(X\) does not exist: pass another resp"):
        CalibratedClassifier(estimator, response_method=response).fit(X, Y)


class Constant(ClassifierMixin, BaseEstimator):
    """A classifier that predicts the same log-probabilities, except for the third sample."""

    def __init__(self, bad):
        self.bad = bad

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_log_proba(self, X):
        log_p = np.tile([-np.inf, np.log(0.5), np.log(0.5)], (len(X), 1))
        log_p[2, 1] = self.bad
        return log_p

    def predict_proba(self, X):
        return np.exp(self.predict_log_proba(X))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_logarithms_that_are_none_are_of_the_classifier(bad):
    message = r"Constant.predict_log_proba\(X\) has NaN or \+infinity in row 2"
    with pytest.raises(ValueError, match=message):
        CalibratedClassifier(Constant(bad), response_method="predict_log_proba").fit(X, Y)


def test_logarithms_of_zero_are_valid():
    estimator = Constant(-np.inf).fit(X, Y)
    log_p, classes = log_response(estimator, X, "predict_log_proba")
    assert np.isneginf(log_p).sum() == 151
    assert classes.source.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    "wrap", [lambda clf: clf, lambda clf: make_pipeline(StandardScaler(), clf)]
)
def test_pairs_of_three_classes_are_no_classes(wrap):
    pairs = SVC(decision_function_shape="ovo")
    with pytest.raises(ValueError, match="a column for each class, and not for each pair"):
        CalibratedClassifier(wrap(pairs)).fit(X, Y)
    fitted = wrap(pairs).fit(X, Y)
    with pytest.raises(ValueError, match="a column for each class, and not for each pair"):
        CalibratedClassifier(FrozenEstimator(fitted)).fit(X, Y)


def test_pairs_of_two_classes_are_one_column():
    kept = Y > 0
    found = [
        CalibratedClassifier(SVC(decision_function_shape=shape)).fit(X[kept], Y[kept])
        for shape in ("ovo", "ovr")
    ]
    assert found[0].held_out_loss_after_ == found[1].held_out_loss_after_


def test_one_against_the_rest_has_a_column_for_each_class():
    clf = OneVsRestClassifier(SVC(decision_function_shape="ovo"))
    assert CalibratedClassifier(clf).fit(X, Y).held_out_loss_after_ < 0.3
