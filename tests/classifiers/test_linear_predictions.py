"""Predictions agree with each other, with the likelihood and with scikit-learn's."""

import numpy as np
import pandas as pd
import pytest
from device_fits import problem
from reference_fits import WEIGHTS, assert_same_model, minimiser
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score

import skxent
from skxent import SoftmaxClassifier
from skxent.inputs.namespaces import to_numpy


@pytest.mark.parametrize("K", [2, 3])
def test_predictions_agree_with_each_other(two_hundred_samples, K):
    X, y = two_hundred_samples[K]
    clf = SoftmaxClassifier().fit(X, y)
    P, L, Z = clf.predict_proba(X), clf.predict_log_proba(X), clf.decision_function(X)
    assert Z.shape == ((len(X),) if K == 2 else (len(X), K))
    np.testing.assert_allclose(P.sum(axis=1), 1, rtol=1e-14)
    np.testing.assert_allclose(np.exp(L), P, rtol=1e-12)
    assert np.array_equal(clf.predict(X), clf.classes_[P.argmax(axis=1)])
    np.testing.assert_allclose(P, minimiser(X, y).predict_proba(X), rtol=1e-6)


@pytest.mark.parametrize("K", [2, 3])
def test_log_probabilities_in_the_tails(two_hundred_samples, K):
    X, y = two_hundred_samples[K]
    clf = SoftmaxClassifier().fit(X, y)
    far = 1e6 * X[:5]
    L = clf.predict_log_proba(far)
    assert np.isfinite(L).all()
    Z = clf.decision_function(far)
    Z = np.column_stack([np.zeros(5), Z]) if K == 2 else Z
    # differences of log-probabilities are those of logits, however small the probabilities
    np.testing.assert_allclose(L[:, 1] - L[:, 0], Z[:, 1] - Z[:, 0], rtol=1e-12)
    assert L.min() < -1e5
    assert L.max() <= 0


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("weight", WEIGHTS.values(), ids=WEIGHTS)
def test_log_likelihood(two_hundred_samples, K, weight):
    X, y = two_hundred_samples[K]
    clf = SoftmaxClassifier().fit(X, y, weight)
    found = clf.log_likelihood(X, y, weight)
    assert found == pytest.approx(clf.log_likelihood_, rel=1e-12)
    w = np.ones(len(y)) if weight is None else weight
    assert found == pytest.approx(w @ np.log(clf.predict_proba(X)[np.arange(len(y)), y]), rel=1e-12)
    assert found == pytest.approx(
        sum(
            clf.log_likelihood(X[rows], y[rows], w[rows]) for rows in (slice(0, 70), slice(70, 200))
        ),
        rel=1e-12,
    )
    soft = np.eye(K)[y]
    assert clf.log_likelihood(X, soft, weight) == pytest.approx(found, rel=1e-12)


def test_log_likelihood_of_a_fold_without_a_class(two_hundred_samples):
    X, y = two_hundred_samples[3]
    clf = SoftmaxClassifier().fit(X, y)
    only = y == 1
    expected = np.log(clf.predict_proba(X[only])[:, 1]).sum()
    assert clf.log_likelihood(X[only], y[only]) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("C", [1.0, np.inf])
@pytest.mark.parametrize("K", [2, 3])
def test_to_sklearn(two_hundred_samples, K, C):
    X, codes = two_hundred_samples[K]
    y = np.array(["no", "may", "yes"])[codes]
    frame = pd.DataFrame(X, columns=list("abcde"))
    clf = SoftmaxClassifier(C=C, class_weight="balanced").fit(frame, y)
    other = clf.to_sklearn()
    assert type(other) is LogisticRegression
    for method in ("predict", "predict_proba", "decision_function"):
        found, expected = (getattr(c, method)(frame) for c in (other, clf))
        if method == "predict":
            assert np.array_equal(found, expected)
        else:
            np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert other.feature_names_in_.tolist() == list("abcde")
    assert skxent.cce_scorer(other, frame, y) == pytest.approx(skxent.cce_scorer(clf, frame, y))
    other.coef_[:] = 0  # a copy
    assert clf.coef_.any()
    refit = clone(other).set_params(solver="newton-cholesky", tol=1e-10).fit(frame, y)
    assert_same_model(clf, refit)


@pytest.mark.parametrize("K", [2, 3])
def test_predictions_on_a_device_neither_overflow_nor_underflow(library, K):
    X, y = problem(K=K)
    clf = SoftmaxClassifier().fit(library.array(X), library.array(y))
    expected = SoftmaxClassifier().fit(X, y)
    for scale in (1.0, 1e3, 1e5):
        actual = to_numpy(clf.predict_log_proba(library.array(scale * X)))
        np.testing.assert_allclose(actual, expected.predict_log_proba(scale * X), rtol=1e-6)
        actual = to_numpy(clf.predict_proba(library.array(scale * X)))
        np.testing.assert_allclose(actual.sum(axis=1), 1, rtol=1e-14)


LABELS = {
    "integers": np.array([3, 1, 2]),
    "booleans": np.array([True, False]),
    "text": np.array(["c", "a", "b"]),
    "objects": np.array(["c", "a", "b"], dtype=object),
    "floats": np.array([3.0, 1.0, 2.0]),
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_score_is_the_accuracy_of_scikit_learn(two_hundred_samples, labels, weighted):
    X, y = two_hundred_samples[len(labels)]
    truth, weight = labels[y], np.arange(len(y)) % 3 if weighted else None
    clf = SoftmaxClassifier().fit(X, truth)
    expected = accuracy_score(truth, clf.predict(X), sample_weight=weight)
    for given in (truth, truth[:, None], truth.tolist()):
        assert clf.score(X, given, weight) == expected


def test_labels_of_another_type_have_no_accuracy(two_hundred_samples):
    X, y = two_hundred_samples[3]
    numbers, text = SoftmaxClassifier().fit(X, y), SoftmaxClassifier().fit(X, y.astype(str))
    for given in (y.astype(str), y.astype(str).astype(object)):
        with pytest.raises(ValueError, match=r"y holds labels like '.' but classes_ .* convert"):
            numbers.score(X, given)
    with pytest.raises(ValueError, match=r"y holds labels like . but classes_ .* convert"):
        text.score(X, y)
    expected = numbers.score(X, y)
    for same in (y.astype(float), y.astype(np.uint8), y.astype(object)):
        assert numbers.score(X, same) == expected
    assert text.score(X, y.astype(str).astype(object)) == expected
