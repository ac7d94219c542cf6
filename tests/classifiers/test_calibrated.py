"""A classifier with its calibrator: held-out predictions, honest gains, weights and routing."""

import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_breast_cancer, load_digits, load_iris
from sklearn.dummy import DummyClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedKFold,
    cross_val_predict,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skxent import (
    CalibratedClassifier,
    LogitCalibrator,
    SoftmaxClassifier,
    cce_scorer,
    compare,
)

METHODS = ["temperature", "bias", "vector", "matrix"]


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:900], y[:900]


@pytest.fixture(scope="module")
def cancer():
    return load_breast_cancer(return_X_y=True)


@pytest.mark.parametrize("method", ["temperature", "bias"])
def test_the_calibrator_is_fitted_to_held_out_predictions(digits, method):
    X, y = digits
    clf = CalibratedClassifier(GaussianNB(), method=method).fit(X, y)
    P = cross_val_predict(GaussianNB(), X, y, method="predict_proba")
    expected = LogitCalibrator(method).fit(P, y)
    whole = GaussianNB().fit(X, y)
    np.testing.assert_allclose(clf.calibrator_.slope_, expected.slope_, rtol=1e-6)
    Q = expected.predict_proba(whole.predict_proba(X))
    np.testing.assert_allclose(clf.predict_proba(X), Q, rtol=1e-5)
    np.testing.assert_allclose(np.exp(clf.predict_log_proba(X)), clf.predict_proba(X))
    assert np.array_equal(clf.predict(X), y.dtype.type(Q.argmax(axis=1)))
    assert clf.decision_function(X).shape == (900, 10)
    assert clf.n_features_in_ == 64


def test_the_gain_is_of_samples_outside_the_fit_of_the_map(digits):
    """The losses of each fold, calibrated by the other folds, with public functions alone."""
    X, y = digits
    cv = StratifiedKFold(4)
    clf = CalibratedClassifier(GaussianNB(), method="bias", cv=cv).fit(X, y)
    P = cross_val_predict(GaussianNB(), X, y, method="predict_proba", cv=cv)
    P = np.maximum(P, np.finfo(float).eps)
    Q = np.empty_like(P)
    for train, test in cv.split(X, y):
        fit = LogitCalibrator("bias", from_logits=True).fit(np.log(P[train]), y[train])
        Q[test] = fit.predict_log_proba(np.log(P[test]))
    logits = {"uncalibrated": np.log(P), "calibrated": Q}
    expected = compare(y, logits, baseline="uncalibrated", from_logits=True)
    assert clf.held_out_loss_before_ == pytest.approx(expected.baseline_mean, rel=1e-9)
    assert clf.held_out_loss_after_ == pytest.approx(expected.mean[0], rel=1e-6)
    found = clf.held_out_comparison_
    assert found.low[0] == pytest.approx(expected.low[0], rel=1e-6)
    assert clf.held_out_loss_after_ < 0.5 * clf.held_out_loss_before_
    assert "Difference in mean loss from 'uncalibrated'" in str(found)
    # the map that was fitted to all of them has a smaller loss, which is no evidence
    seen = -clf.calibrator_.log_likelihood_ / len(y)
    assert seen < clf.held_out_loss_after_


@pytest.mark.parametrize("method", METHODS)
def test_decision_values_are_calibrated(cancer, method):
    X, y = cancer
    clf = CalibratedClassifier(make_pipeline(StandardScaler(), SVC()), method=method).fit(X, y)
    z = cross_val_predict(make_pipeline(StandardScaler(), SVC()), X, y, method="decision_function")
    expected = LogitCalibrator(method, from_logits=True, smoothing="loo").fit(z, y)
    np.testing.assert_allclose(clf.calibrator_.slope_, expected.slope_, rtol=1e-6)
    assert clf.held_out_loss_after_ < 0.12 < clf.held_out_loss_before_
    assert -cce_scorer(clf, X, y) < 0.1


def test_response_method(cancer):
    X, y = cancer
    clf = make_pipeline(StandardScaler(), LogisticRegression(C=100))
    fits = {
        name: CalibratedClassifier(clf, response_method=name).fit(X, y)
        for name in ("auto", "predict_proba", "predict_log_proba", "decision_function")
    }
    slopes = {name: fit.calibrator_.slope_[0] for name, fit in fits.items()}
    assert slopes["auto"] == slopes["predict_proba"]
    assert slopes["decision_function"] != slopes["predict_proba"]  # logits beyond the floor
    assert slopes["decision_function"] == pytest.approx(slopes["predict_log_proba"], rel=0.1)


@pytest.mark.parametrize("method", ["temperature", "bias"])
def test_a_frozen_classifier_is_calibrated_on_all_samples(digits, method):
    X, y = digits
    fitted = GaussianNB().fit(X[:450], y[:450])
    clf = CalibratedClassifier(FrozenEstimator(fitted), method=method, cv=3).fit(X[450:], y[450:])
    assert clf.estimator_.estimator is fitted
    expected = LogitCalibrator(method).fit(fitted.predict_proba(X[450:]), y[450:])
    np.testing.assert_allclose(clf.calibrator_.slope_, expected.slope_, rtol=1e-6)
    assert clf.held_out_comparison_.n == 450


def test_one_split_holds_out_once(digits):
    X, y = digits
    split = ShuffleSplit(1, test_size=0.4, random_state=0)
    clf = CalibratedClassifier(GaussianNB(), cv=split).fit(X, y)
    assert clf.held_out_comparison_.n == 360
    assert clf.held_out_loss_after_ < clf.held_out_loss_before_


def test_repeated_predictions_share_the_weight_of_their_sample(cancer):
    X, y = cancer
    cv = RepeatedStratifiedKFold(n_splits=3, n_repeats=4, random_state=0)
    clf = CalibratedClassifier(GaussianNB(), cv=cv).fit(X, y)
    found = clf.held_out_comparison_
    assert "groups" in found.method
    assert found.df == len(y) - 1
    rows = np.concatenate([test for _, test in cv.split(X, y)])
    assert len(rows) == 4 * len(y)
    once = CalibratedClassifier(GaussianNB(), cv=3).fit(X, y)
    assert clf.calibrator_.log_likelihood_ == pytest.approx(
        once.calibrator_.log_likelihood_, rel=0.1
    )


def test_groups_reach_the_splitter(cancer):
    X, y = cancer
    groups = np.arange(len(y)) // 7
    clf = CalibratedClassifier(GaussianNB(), cv=GroupKFold(4)).fit(X, y, groups=groups)
    splits = list(GroupKFold(4).split(X, y, groups))
    other = CalibratedClassifier(GaussianNB(), cv=splits).fit(X, y)
    assert clf.held_out_loss_after_ == other.held_out_loss_after_


def test_processes_give_the_same(cancer):
    X, y = cancer
    fits = [CalibratedClassifier(GaussianNB(), n_jobs=n).fit(X, y) for n in (1, 2)]
    assert fits[0].held_out_loss_after_ == fits[1].held_out_loss_after_
    assert np.array_equal(*(fit.predict_proba(X) for fit in fits))


def test_text_labels_and_class_order():
    X, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])
    clf = CalibratedClassifier(GaussianNB(), method="bias")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # setosa is separated
        P, Q = clf.fit(X, y).predict_proba(X), clf.fit(X, names[2 - y]).predict_proba(X)
    assert clf.classes_.tolist() == names.tolist()
    np.testing.assert_allclose(P[:, ::-1], Q, atol=1e-4)


def test_a_fold_that_lacks_a_class(digits):
    """Samples of the class are left out, and others have the floor for its probability."""
    X, y = digits
    kept = (y != 9) | (np.arange(len(y)) < 100)
    X, y = X[kept], y[kept]
    first = np.arange(len(y)) < 100 * kept[:100].mean()
    folds = np.where(first, 0, 1 + np.arange(len(y)) % 3)
    splits = [(np.flatnonzero(folds != f), np.flatnonzero(folds == f)) for f in range(4)]
    n_nines = np.count_nonzero(y == 9)
    assert not (y[splits[0][0]] == 9).any()
    with pytest.warns(UserWarning) as caught:
        clf = CalibratedClassifier(GaussianNB(), method="bias", cv=splits).fit(X, y)
    messages = [str(w.message) for w in caught]
    assert f"{n_nines} held-out samples are left out" in messages[0]
    assert "no samples with a weight of 9" in messages[1]
    assert clf.held_out_comparison_.n == len(y) - n_nines
    assert clf.classes_.tolist() == list(range(10))
    whole = GaussianNB().fit(X, y).predict_proba(X)[:, 9]
    np.testing.assert_allclose(
        clf.predict_proba(X)[:, 9], np.maximum(whole, np.finfo(float).eps), rtol=1e-6
    )


def test_soft_targets():
    X, y = load_iris(return_X_y=True)
    Y = 0.8 * np.eye(3)[y] + 0.2 / 3
    clf = CalibratedClassifier(SoftmaxClassifier(C=np.inf), method="bias").fit(X, Y)
    assert clf.classes_.tolist() == [0, 1, 2]
    assert abs(clf.held_out_loss_after_ - clf.held_out_loss_before_) < 0.05
    frame = pd.DataFrame(Y, columns=["a", "b", "c"])
    named = CalibratedClassifier(SoftmaxClassifier(C=np.inf), method="bias").fit(X, frame)
    assert named.classes_.tolist() == ["a", "b", "c"]
    np.testing.assert_allclose(named.predict_proba(X), clf.predict_proba(X), rtol=1e-9)


def test_weights_are_copies(cancer):
    X, y = cancer
    weight = np.random.default_rng(0).integers(0, 3, len(y)).astype(float)
    groups = np.arange(len(y)) % 5
    copies = np.repeat(np.arange(len(y)), weight.astype(int))

    def splits(of):
        return [(np.flatnonzero(of != g), np.flatnonzero(of == g)) for g in range(5)]

    base = SoftmaxClassifier(tol=1e-10)
    one = CalibratedClassifier(base, C=np.inf, cv=splits(groups)).fit(X, y, weight)
    other = CalibratedClassifier(base, C=np.inf, cv=splits(groups[copies])).fit(
        X[copies], y[copies]
    )
    np.testing.assert_allclose(one.predict_proba(X), other.predict_proba(X), rtol=1e-4, atol=1e-7)
    assert one.held_out_loss_after_ == pytest.approx(other.held_out_loss_after_, rel=1e-5)
    assert one.held_out_comparison_.n == other.held_out_comparison_.n


def test_a_classifier_without_weights_is_told(cancer):
    X, y = cancer
    weight = np.arange(len(y)) % 2 + 1.0
    with pytest.warns(UserWarning, match="KNeighborsClassifier.fit takes no sample_weight"):
        clf = CalibratedClassifier(KNeighborsClassifier()).fit(X, y, weight)
    plain = CalibratedClassifier(KNeighborsClassifier()).fit(X, y)
    assert clf.calibrator_.slope_[0] != plain.calibrator_.slope_[0]


def test_metadata_routing(cancer):
    X, y = cancer
    weight, groups = np.arange(len(y)) % 2 + 1.0, np.arange(len(y)) // 7
    with sklearn.config_context(enable_metadata_routing=True):
        step = GaussianNB().set_fit_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        clf = CalibratedClassifier(make_pipeline(scaler, step), cv=GroupKFold(4))
        clf.fit(X, y, sample_weight=weight, groups=groups)
        outer = make_pipeline(
            CalibratedClassifier(step, cv=GroupKFold(4)).set_fit_request(sample_weight=True)
        )
        outer.fit(X, y, sample_weight=weight, groups=groups)
    splits = list(GroupKFold(4).split(X, y, groups))
    direct = CalibratedClassifier(GaussianNB(), cv=splits).fit(X, y, weight)
    np.testing.assert_allclose(outer.predict_proba(X), direct.predict_proba(X), rtol=1e-12)
    plain = CalibratedClassifier(GaussianNB(), cv=splits).fit(X, y)
    assert clf.calibrator_.slope_[0] != plain.calibrator_.slope_[0]


def test_arguments_of_the_classifiers_fit(cancer):
    X, y = cancer
    weight = np.arange(len(y)) % 2 + 1.0
    pipe = make_pipeline(StandardScaler(), GaussianNB())
    clf = CalibratedClassifier(pipe).fit(X, y, gaussiannb__sample_weight=weight)
    expected = GaussianNB().fit(StandardScaler().fit_transform(X), y, weight)
    np.testing.assert_allclose(clf.estimator_[-1].theta_, expected.theta_)


def test_class_weights_see_labels(digits):
    """Folds get the labels themselves, and not codes of them."""
    X, y = digits
    names = np.array([f"digit {k}" for k in range(10)])
    weights = {name: 1.0 + (k == 3) for k, name in enumerate(names)}
    clf = CalibratedClassifier(RidgeClassifier(class_weight=weights), method="bias")
    assert clf.fit(X, names[y]).held_out_loss_after_ < 1.0


class WithoutProbabilities(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


class OneVersusOne(WithoutProbabilities):
    def decision_function(self, X):
        return np.zeros((len(X), 45))


class Broken(WithoutProbabilities):
    def decision_function(self, X):
        return np.full((len(X), len(self.classes_)), np.nan)


@pytest.mark.parametrize(
    ("estimator", "error", "message"),
    [
        (WithoutProbabilities(), TypeError, "has neither predict_proba nor decision_function"),
        (OneVersusOne(), ValueError, r"has shape \(180, 45\) but classes_ names 10 classes"),
        (Broken(), ValueError, "has NaN or infinity: decision values are finite"),
        (StandardScaler(), TypeError, "StandardScaler has no classes_"),
    ],
)
def test_unsuitable_estimators(digits, estimator, error, message):
    with pytest.raises(error, match=message):
        CalibratedClassifier(estimator).fit(*digits)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"method": "isotonic"}, 'pass "temperature", "bias", "vector" or "matrix"'),
        ({"response_method": "predict"}, 'pass "auto", "predict_proba"'),
        ({"tol": -1.0}, "tol is -1.0"),
        ({"cv": []}, "cv holds out no samples"),
        ({"cv": [([0, 1], [900])]}, "cv has test indices in fold 0 like 900"),
    ],
)
def test_bad_parameters(digits, parameters, message):
    with pytest.raises(ValueError, match=message):
        CalibratedClassifier(GaussianNB(), **parameters).fit(*digits)


def test_a_frozen_classifier_must_know_the_labels(digits):
    X, y = digits
    fitted = GaussianNB().fit(X[y < 9], y[y < 9])
    with pytest.raises(ValueError, match=r"is 9, which is not in classes_, .*the classifier lacks"):
        CalibratedClassifier(FrozenEstimator(fitted)).fit(X, y)


def test_predictions_that_rule_out_the_truth(cancer):
    """Probabilities of 0 and 1 of a classifier that ignores X."""
    X, y = cancer
    dummy = DummyClassifier(strategy="most_frequent")
    clf = CalibratedClassifier(dummy, C=np.inf, cv=KFold(5)).fit(X, y)
    assert clf.held_out_loss_before_ == pytest.approx(36.04 * (1 - y.mean()), abs=0.01)
    P = clf.predict_proba(X)
    np.testing.assert_allclose(P[:, 1], y.mean(), rtol=1e-4)
    np.testing.assert_allclose(
        clf.held_out_loss_after_, -np.mean(np.log(P[range(len(y)), y])), rtol=0.1
    )


def test_a_failed_fit_changes_nothing(cancer):
    X, y = cancer
    clf = CalibratedClassifier(GaussianNB()).fit(X, y)
    before = dict(vars(clf))
    with pytest.raises(ValueError):
        clf.fit(X, np.zeros(3))
    assert vars(clf) == before


def test_a_name_as_cv_is_refused_with_the_way_to_calibrate_a_fitted_classifier():
    with pytest.raises(ValueError, match=r"cv='prefit': pass a number of folds.*FrozenEstimator"):
        CalibratedClassifier(GaussianNB(), cv="prefit").fit([[0.0], [1.0]], [0, 1])
