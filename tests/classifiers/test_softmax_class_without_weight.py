"""A class without weight is left out of a fit, whatever class it is and however it got none."""

import pickle
import warnings

import numpy as np
import pytest
import scipy.sparse
from sklearn import config_context
from sklearn.linear_model import LogisticRegression

from skxent import (
    LogisticClassifier,
    SoftmaxClassifier,
    SoftmaxClassifierCV,
    categorical_cross_entropy,
    cce_scorer,
    infer,
)
from skxent.displays import LossShareDisplay, ReliabilityDisplay
from skxent.inputs.namespaces import to_numpy

NAMES = np.array(["ant", "bee", "cow", "dog"], dtype=object)


def problem(K, empty, n=150, d=3):
    """Samples that overlap, labels, and weights that are zero for one class."""
    rng = np.random.default_rng([K, empty])
    X = rng.normal(size=(n, d)) * np.logspace(-1, 1, d)
    Z = X / np.logspace(-1, 1, d) @ rng.normal(size=(d, K))
    y = (Z + rng.gumbel(size=(n, K))).argmax(axis=1)
    return X, y, rng.uniform(0.5, 2.0, size=n) * (y != empty)


def fit(X, y, weight=None, classes=None, *, names, **settings):
    """Fit, and require one warning that names the classes left out."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        clf = SoftmaxClassifier(**{"tol": 1e-9} | settings).fit(X, y, weight, classes)
    assert [warning.category for warning in caught] == [UserWarning]
    assert caught[0].filename == __file__
    message = str(caught[0].message)
    assert message.startswith("SoftmaxClassifier: class")
    assert f" {', '.join(map(repr, names))} ha" in message
    assert clf.converged_
    return clf


def forms(X, y, weight, empty, K):
    """The same samples in every form that a fit takes, and how to bring X there."""
    soft = np.eye(K)[y]
    without = np.where(weight[:, None] > 0, soft, np.eye(K)[(empty + 1) % K])
    own = np.where(y == empty, 0.0, 1.0)
    yield "dense", (X, y, weight), {}
    yield "sparse", (scipy.sparse.csr_array(X), y, weight), {}
    yield "soft", (X, soft, weight), {}
    yield "a column of zeros", (X, without, weight), {}
    yield "class weights", (X, y, weight + (own == 0)), {"class_weight": {empty: 0}}


CASES = [(K, empty) for K in (3, 4) for empty in range(K)]


@pytest.mark.parametrize(("K", "empty"), CASES)
@pytest.mark.parametrize("C", [0.03, 1.0, np.inf])
def test_the_limit_of_the_objective(K, empty, C):
    """What scikit-learn's intercept is on its way to; the objective has no lower value."""
    X, y, weight = problem(K, empty)
    oracle = LogisticRegression(C=C, tol=1e-12, max_iter=10_000).fit(X, y, weight)
    for name, data, settings in forms(X, y, weight, empty, K):
        clf = fit(*data, names=[empty], C=C, **settings)
        assert clf.classes_.tolist() == list(range(K)), name
        others = np.arange(K) != empty
        coef = oracle.coef_[others] - oracle.coef_[others].mean(axis=0)
        np.testing.assert_allclose(clf.coef_[others], coef, rtol=0, atol=5e-5, err_msg=name)
        P, expected = clf.predict_proba(X), oracle.predict_proba(X)[:, others]
        expected /= expected.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(P[:, others], expected, rtol=0, atol=2e-5, err_msg=name)
        assert not P[:, empty].any()
        assert not clf.coef_[empty].any()
        assert clf.intercept_[empty] == -np.inf
        np.testing.assert_allclose(clf.coef_.sum(axis=0), 0, atol=1e-12)
        assert clf.intercept_[others].sum() == pytest.approx(0, abs=1e-12)
        kept = weight > 0
        own = {"sample_weight": weight[kept], "labels": range(K), "reduction": "sum"}
        loss = categorical_cross_entropy(y[kept], P[kept], **own)
        penalty = 0.5 * (clf.coef_**2).sum() / C
        assert clf.objective_ == pytest.approx(loss + penalty, rel=1e-12)
        assert clf.log_likelihood_ == pytest.approx(-loss, rel=1e-12)
        assert clf.log_likelihood(X, y, weight) == pytest.approx(-loss, rel=1e-12)


@pytest.mark.parametrize(("K", "empty"), CASES)
def test_predictions(K, empty):
    X, y, weight = problem(K, empty)
    names = NAMES[:K]
    clf = fit(X, names[y], weight, names=[names[empty]])
    assert (clf.predict_log_proba(X)[:, empty] == -np.inf).all()
    assert (clf.decision_function(X)[:, empty] == -np.inf).all()
    assert np.isfinite(np.delete(clf.predict_log_proba(1e3 * X), empty, axis=1)).all()
    assert names[empty] not in clf.predict(1e3 * X)
    assert clf.score(X, names[y], weight) > 0.4
    kept = weight > 0
    assert np.isfinite(cce_scorer(clf, X[kept], names[y][kept], sample_weight=weight[kept]))
    same = clf.to_sklearn()
    np.testing.assert_array_equal(same.predict(X), clf.predict(X))
    np.testing.assert_allclose(same.predict_proba(X), clf.predict_proba(X), rtol=1e-12)
    again = pickle.loads(pickle.dumps(clf))
    np.testing.assert_array_equal(again.predict_proba(X), clf.predict_proba(X))


@pytest.mark.parametrize(("K", "empty"), [(3, 0), (3, 2), (4, 1)])
@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("kind", ["strict", "torch"])
def test_on_a_device(K, empty, soft, kind):
    xp = pytest.importorskip("array_api_strict" if kind == "strict" else "torch")
    X, y, weight = problem(K, empty)
    targets = np.eye(K)[y] if soft else y
    here = fit(X, targets, weight, names=[empty])
    with config_context(array_api_dispatch=True):
        there = fit(*map(xp.asarray, (X, targets, weight)), names=[empty])
        P = to_numpy(there.predict_proba(xp.asarray(X)))
    np.testing.assert_allclose(P, here.predict_proba(X), rtol=0, atol=1e-7)
    np.testing.assert_allclose(to_numpy(there.coef_), here.coef_, rtol=0, atol=1e-6)
    assert to_numpy(there.intercept_)[empty] == -np.inf


@pytest.mark.parametrize(("K", "empty"), [(3, 0), (3, 2), (4, 1)])
@pytest.mark.parametrize("soft", [False, True])
def test_on_partitions(K, empty, soft):
    da = pytest.importorskip("dask.array")
    X, y, weight = problem(K, empty)
    targets = np.eye(K)[y] if soft else y
    here = fit(X, targets, weight, names=[empty])
    there = fit(
        *(da.from_array(a, chunks=(40, *a.shape[1:])) for a in (X, targets, weight)), names=[empty]
    )
    np.testing.assert_allclose(there.coef_, here.coef_, rtol=0, atol=1e-7)
    np.testing.assert_allclose(there.predict_proba(X), here.predict_proba(X), atol=1e-8)


def test_two_classes_of_four():
    X, y, weight = problem(4, 1)
    weight[y == 3] = 0
    clf = fit(X, y, weight, names=[1, 3])
    assert clf.intercept_[[1, 3]].tolist() == [-np.inf, -np.inf]
    assert np.isfinite(clf.intercept_[[0, 2]]).all()
    assert not clf.predict_proba(X)[:, [1, 3]].any()


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("Classifier", [SoftmaxClassifier, SoftmaxClassifierCV])
@pytest.mark.parametrize("C", [1.0, np.inf])
def test_one_class_with_all_the_weight(K, Classifier, C):
    X, y, weight = problem(K, 0)
    names = NAMES[y]
    settings = {"C": C} if Classifier is SoftmaxClassifier else {"Cs": [C], "cv": None}
    with pytest.raises(ValueError, match="only class 'bee' has samples with a weight"):
        Classifier(**settings).fit(X, names, (y == 1).astype(float))
    soft = np.eye(K)[np.ones(len(y), dtype=int)]
    with pytest.raises(ValueError, match="only class 'bee' has samples with a weight"):
        Classifier(**settings).fit(X, soft, weight + 1, classes=NAMES[:K])
    if K == 2:
        with pytest.raises(ValueError, match="only class 'bee' has samples with a weight"):
            LogisticClassifier(C=C).fit(X, names, (y == 1).astype(float))


@pytest.mark.parametrize("empty", range(3))
@pytest.mark.parametrize("C", [1.0, np.inf])
def test_without_intercept_it_is_a_class_as_any_other(empty, C):
    """Nothing sends its logit away: the minimum is finite, and there is nothing to warn of."""
    X, y, weight = problem(3, empty)
    clf = SoftmaxClassifier(C=C, fit_intercept=False, tol=1e-12).fit(X, y, weight)
    oracle = LogisticRegression(C=C, fit_intercept=False, tol=1e-12, max_iter=10_000)
    oracle.fit(X, y, weight)
    np.testing.assert_allclose(clf.coef_, oracle.coef_, rtol=0, atol=1e-5)
    assert clf.predict_proba(X)[:, empty].max() > 0.01
    assert not clf.intercept_.any()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert np.isfinite(infer(clf, X, y, weight).standard_errors).all()


@pytest.mark.parametrize("empty", range(3))
def test_separation_of_the_others(empty):
    """It is named by the right classes, and a second warning tells of the class left out."""
    X, y, weight = problem(3, empty)
    a, b = (k for k in range(3) if k != empty)
    X[:, 0] = np.where(y == a, 1.0, -1.0) * (1 + np.abs(X[:, 0]))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        clf = SoftmaxClassifier(C=np.inf).fit(X, NAMES[y], weight)
    separated, absent = (str(warning.message) for warning in caught)
    assert f"x0 separates {NAMES[a]!r} from {NAMES[b]!r} in all" in separated
    assert f"class {NAMES[empty]!r} has no weight" in absent
    assert not clf.converged_
    with pytest.raises(ValueError, match=f"class {NAMES[empty]!r} has no weight"):
        infer(clf, X, NAMES[y], weight)


@pytest.mark.parametrize("empty", range(3))
@pytest.mark.parametrize("cv", [None, 3])
def test_held_out_samples(empty, cv):
    """The choice of C is that of the other samples alone, but for one logit's penalty."""
    X, y, weight = problem(3, empty, n=90)
    Cs = [0.05, 1.0, 20.0]
    with pytest.warns(UserWarning, match=f"class {empty} has no weight"):
        clf = SoftmaxClassifierCV(Cs=Cs, cv=cv).fit(X, y, weight)
    assert not clf.predict_proba(X)[:, empty].any()
    assert np.isfinite(clf.mean_loss_).all()
    if cv is None:
        kept = weight > 0
        alone = SoftmaxClassifierCV(Cs=np.multiply(Cs, 2)).fit(X[kept], y[kept], weight[kept])
        np.testing.assert_allclose(clf.loo_loss_, alone.loo_loss_, rtol=1e-6)
        assert clf.C_ == alone.C_ / 2


def test_warm_starts_to_and_from_a_fit_without_the_class():
    X, y, _ = problem(3, 1)
    some, whole = np.where(y == 1, 0.0, 1.0), np.ones(len(y))
    clf = SoftmaxClassifier(warm_start=True, tol=1e-9)
    for sample_weight in (whole, some, some, whole):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            clf.fit(X, y, sample_weight)
            cold = SoftmaxClassifier(tol=1e-9).fit(X, y, sample_weight)
        np.testing.assert_allclose(clf.coef_, cold.coef_, rtol=0, atol=1e-6)
        np.testing.assert_allclose(clf.intercept_, cold.intercept_, rtol=0, atol=1e-6)


def test_displays():
    pytest.importorskip("matplotlib").use("Agg")
    X, y, weight = problem(3, 1)
    clf = fit(X, NAMES[y], weight, names=["bee"])
    kept = weight > 0
    ReliabilityDisplay.from_estimator(clf, X[kept], NAMES[y][kept])
    LossShareDisplay.from_estimator(clf, X[kept], NAMES[y][kept])
