"""Folds of a classifier with its calibrator: groups, classes that folds lack, and routing."""

import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GroupKFold, KFold, RepeatedStratifiedKFold, StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skxent import CalibratedClassifier, SoftmaxClassifier

X, Y = load_iris(return_X_y=True)


def test_copies_in_a_group_make_no_interval_shorter():
    """The interval has the s.e. of means of groups, as compare computes it, and their number."""
    rows = np.arange(0, 150, 5)
    groups = np.repeat(np.arange(30), 20)
    X_copies, y_copies = X[rows, :2][groups], Y[rows][groups]
    cv = GroupKFold(5)
    settings = {"C": np.inf, "smoothing": 0.0}  # neither is chosen, which copies would change
    found = CalibratedClassifier(GaussianNB(), cv=cv, **settings).fit(
        X_copies, y_copies, groups=groups
    )
    assert found.held_out_comparison_.df == 29
    splits = [
        (np.unique(groups[a]), np.unique(groups[b])) for a, b in cv.split(groups, groups=groups)
    ]
    once = CalibratedClassifier(GaussianNB(), cv=splits, **settings).fit(X[rows, :2], Y[rows])
    pair = found.held_out_comparison_, once.held_out_comparison_
    np.testing.assert_allclose(*(one.standard_error for one in pair), rtol=1e-3)


def test_groups_hold_with_repeated_folds():
    groups = np.arange(150) // 3
    cv = RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the splitter ignores groups
        found = CalibratedClassifier(GaussianNB(), cv=cv).fit(X, Y, groups=groups)
    assert found.held_out_comparison_.df == 49


def test_groups_by_the_name_of_the_user():
    groups = np.arange(150) // 3
    with sklearn.config_context(enable_metadata_routing=True):
        cv = GroupKFold(3).set_split_request(groups="patient")
        found = CalibratedClassifier(GaussianNB(), cv=cv).fit(X, Y, patient=groups)
    assert found.held_out_comparison_.df == 49


def test_groups_have_the_length_of_y():
    with pytest.raises(ValueError, match="groups"):
        CalibratedClassifier(GaussianNB(), cv=KFold(3, shuffle=True)).fit(X, Y, groups=range(151))


def test_kernels_are_cut_in_both_directions():
    K = X @ X.T
    found = CalibratedClassifier(SVC(kernel="precomputed")).fit(K, Y)
    other = CalibratedClassifier(SVC(kernel="linear")).fit(X, Y)
    np.testing.assert_allclose(found.predict_proba(K), other.predict_proba(X), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("in_pipeline", [False, True])
def test_arguments_by_names_of_the_user(in_pipeline):
    weight = np.arange(150) % 2 + 1.0
    direct = GaussianNB()
    with sklearn.config_context(enable_metadata_routing=True):
        step = GaussianNB().set_fit_request(sample_weight="ww")
        if in_pipeline:
            step = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), step)
            direct = make_pipeline(StandardScaler(), direct)
        found = CalibratedClassifier(step, n_jobs=2).fit(X, Y, ww=weight)
    key = "gaussiannb__sample_weight" if in_pipeline else "sample_weight"
    folds = StratifiedKFold(5).split(X, Y)
    P = np.empty((150, 3))
    for train, test in folds:
        P[test] = direct.fit(X[train], Y[train], **{key: weight[train]}).predict_proba(X[test])
    P = np.maximum(P, np.finfo(float).eps)
    loss = -np.log(P[np.arange(150), Y]).mean()
    assert found.held_out_loss_before_ == pytest.approx(loss, rel=1e-9)


def test_negative_indices_count_from_the_end():
    shuffled = np.random.default_rng(0).permutation(150)
    Z, t = X[shuffled], Y[shuffled]
    ends = CalibratedClassifier(GaussianNB(), cv=[(np.arange(100), np.arange(-50, 0))])
    found = ends.fit(Z, t).held_out_loss_before_
    same = CalibratedClassifier(GaussianNB(), cv=[(np.arange(100), np.arange(100, 150))])
    assert found == same.fit(Z, t).held_out_loss_before_


def test_one_hot_rows_are_left_out_as_labels_are():
    """The last fold holds out the only sample of the third class."""
    X_few, y, rows = X[:101], Y[:101], np.eye(3)[Y[:101]]
    for target in (y, rows):
        clf = CalibratedClassifier(SoftmaxClassifier(), cv=KFold(5))
        with pytest.warns(UserWarning) as caught:
            clf.fit(X_few, target)
        assert any("1 held-out samples are left out" in str(one.message) for one in caught)
        assert clf.held_out_comparison_.n == 100
    P = np.empty((101, 3))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the last fold lacks a class
        for train, test in KFold(5).split(X_few):
            P[test] = SoftmaxClassifier().fit(X_few[train], rows[train]).predict_proba(X_few[test])
    expected = -np.log(P[np.arange(100), y[:100]]).mean()
    assert clf.held_out_loss_before_ == pytest.approx(expected, rel=1e-6)


def test_samples_that_are_all_left_out():
    with pytest.raises(
        ValueError, match=r"no held-out sample is left to calibrate with.*stratified"
    ):
        CalibratedClassifier(GaussianNB(), cv=KFold(3)).fit(X, Y)


def test_folds_within_a_fold_are_refused_before_the_fit():
    class Unfit(GaussianNB):
        def fit(self, X, y, sample_weight=None):
            raise AssertionError("the folds should be refused before a fit")

    everything = np.arange(150)
    for tests in ([everything, everything[:50]], [everything[:50], everything[:50]]):
        cv = [(everything, test) for test in tests]
        with pytest.raises(ValueError, match="fold 0 of cv holds out the samples of all other"):
            CalibratedClassifier(Unfit(), cv=cv).fit(X, Y)


@pytest.mark.parametrize("dtype", [float, np.float32, np.int8, bool, str])
@pytest.mark.thinned(3)
def test_classes_are_those_of_the_classifier(dtype):
    y = (Y > 0).astype(dtype)
    clf = CalibratedClassifier(GaussianNB(), method="bias")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the classes are separated
        clf.fit(X, y)
    assert clf.classes_.dtype == clf.estimator_.classes_.dtype == clf.predict(X).dtype
    assert clf.classes_.tolist() == clf.estimator_.classes_.tolist()


def test_names_of_features_are_of_the_last_fit():
    clf = CalibratedClassifier(GaussianNB()).fit(pd.DataFrame(X, columns=list("abcd")), Y)
    assert clf.feature_names_in_.tolist() == list("abcd")
    clf.fit(X[:, :3], Y)
    assert not hasattr(clf, "feature_names_in_")
    assert clf.n_features_in_ == 3


def test_one_class():
    with pytest.raises(ValueError, match="the classifier knows only one class, 0: calibration"):
        CalibratedClassifier(GaussianNB()).fit(X[:50], Y[:50])


def test_a_frozen_classifier_must_be_fitted():
    with pytest.raises(NotFittedError, match="is not fitted: fit it before you freeze it"):
        CalibratedClassifier(FrozenEstimator(GaussianNB())).fit(X, Y)


def test_offsets_are_refused_before_the_fit():
    offset = np.linspace(-1, 1, 450).reshape(150, 3)
    clf = SoftmaxClassifier(max_iter=0)  # a fit would warn
    message = "SoftmaxClassifier is fitted with an offset, which CalibratedClassifier cannot pass"
    with pytest.raises(ValueError, match=message):
        CalibratedClassifier(clf).fit(X, Y, offset=offset)
    with pytest.raises(ValueError, match="is fitted with an offset"):
        pipe = make_pipeline(StandardScaler(), clf)
        CalibratedClassifier(pipe).fit(X, Y, softmaxclassifier__offset=offset)
    fitted = SoftmaxClassifier().fit(X, Y, offset=offset)
    CalibratedClassifier(fitted).fit(X, Y, offset=None)  # fits a clone
    with pytest.raises(ValueError, match="is fitted with an offset"):
        CalibratedClassifier(FrozenEstimator(fitted)).fit(X, Y)
