"""Keys of class weights that are no class of y: ignored, as by scikit-learn, or named."""

import warnings

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, cross_val_score

from skxent import SoftmaxClassifier, SoftmaxClassifierCV, cce_scorer

KINDS = {"numbers": np.arange(4), "text": np.array(["a", "b", "c", "d"])}


def problem(seed, names=KINDS["numbers"]):
    """Samples of three classes out of four: whoever weighs the fourth has seen it elsewhere."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(90, 3))
    return X, names[(X @ rng.normal(size=(3, 3)) + rng.normal(size=(90, 3))).argmax(axis=1)]


@pytest.mark.parametrize("names", [KINDS["numbers"], KINDS["text"]], ids=["numbers", "text"])
@pytest.mark.parametrize("seed", range(3))
def test_where_every_class_has_a_key_others_are_ignored_as_by_scikit_learn(names, seed):
    X, y = problem(seed, names)
    class_weight = dict(zip(names.tolist(), [1.0, 2.0, 0.5, 9.0], strict=True))
    clf = SoftmaxClassifier(class_weight=class_weight, tol=1e-10).fit(X, y)
    other = LogisticRegression(class_weight=class_weight, tol=1e-10, max_iter=10_000).fit(X, y)
    np.testing.assert_allclose(clf.coef_, other.coef_, atol=1e-5)
    np.testing.assert_allclose(clf.intercept_, other.intercept_, atol=1e-5)
    del class_weight[names.tolist()[3]]
    same = SoftmaxClassifier(class_weight=class_weight, tol=1e-10).fit(X, y)
    np.testing.assert_array_equal(clf.coef_, same.coef_)


@pytest.mark.parametrize("names", [KINDS["numbers"], KINDS["text"]], ids=["numbers", "text"])
@pytest.mark.parametrize("known", [[], [0], [0, 2]], ids=str)
def test_where_a_class_has_no_key_others_are_ignored_with_a_warning(names, known):
    X, y = problem(1, names)
    labels = names.tolist()
    given = {labels[k]: 2.0 + k for k in known}
    with pytest.warns(UserWarning, match=f"keys .{labels[3]!r}. that are not classes of y"):
        clf = SoftmaxClassifier(class_weight=given | {labels[3]: 7.0}).fit(X, y)
    same = SoftmaxClassifier(class_weight=given).fit(X, y)
    np.testing.assert_array_equal(clf.coef_, same.coef_)


@pytest.mark.parametrize("names, key", [(KINDS["numbers"], "0"), (KINDS["text"], 0)])
def test_keys_of_another_type_are_refused(names, key):
    X, y = problem(0, names)
    with pytest.raises(ValueError, match=f"class_weight has the key {key!r}, but the labels of y"):
        SoftmaxClassifier(class_weight={key: 2.0}).fit(X, y)


@pytest.mark.parametrize("weights", [{0: 1.0, 1: 2.0, 2: 3.0}, {2: 3.0}], ids=str)
def test_folds_that_lack_a_class_score(weights):
    """Samples sorted by class: each training part of a plain KFold lacks one."""
    X, y = problem(2)
    order = np.argsort(y, kind="stable")
    X, y = X[order], y[order]
    cuts = np.flatnonzero(np.diff(y)) + 1
    folds = [(np.delete(np.arange(90), part), part) for part in np.split(np.arange(90), cuts)]
    clf = SoftmaxClassifier(class_weight=weights)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of keys, and of a class that was never seen
        scores = cross_val_score(clf, X, y, cv=folds, scoring=cce_scorer, error_score="raise")
        chosen = SoftmaxClassifierCV(Cs=[1.0], cv=folds, class_weight=weights).fit(X, y)
    assert np.isfinite(scores).all()
    np.testing.assert_allclose(chosen.loss_path_[0], -scores, rtol=1e-5)
    assert not np.isnan(cross_val_score(clf, X, y, cv=KFold(3, shuffle=True, random_state=0))).any()


def test_factors_are_checked_where_their_key_is_no_class():
    X, y = problem(0)
    with pytest.raises(ValueError, match=r"class_weight\[3\] is -1"):
        SoftmaxClassifier(class_weight={0: 1, 1: 1, 2: 1, 3: -1}).fit(X, y)
