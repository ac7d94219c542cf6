"""What inference refuses, and what it warns of: no number that only looks right."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import statsmodels.api as sm
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from skxent import InferenceWarning, SoftmaxClassifier, infer
from skxent.inference import optimum
from skxent.inference.optimum import OFF


@pytest.fixture(scope="module")
def data(generate):
    return {K: generate(300, 3, K, seed=1) for K in (2, 3)}


def fit(X, y, weight=None, **settings):
    with warnings.catch_warnings():  # of fits without a maximum
        warnings.simplefilter("ignore", ConvergenceWarning)
        return SoftmaxClassifier(**{"C": np.inf, **settings}).fit(X, y, weight)


def refused(clf, *args, match, error=ValueError, **settings):
    with pytest.raises(error, match=match):
        infer(clf, *args, **settings)


# ------------------------------------------------------------------ the optimum of other data


@pytest.mark.parametrize("K", [2, 3])
def test_other_data(data, K):
    X, y = data[K]
    clf = fit(X, y)
    weight = np.random.default_rng(0).uniform(0.5, 2, size=300)
    for args in (
        (X, np.roll(y, 1)),
        (X[:-1], y[:-1]),
        (X * [1, 1, 1.1], y),
        (X[:, ::-1], y),
        (X, y, weight),
        (X, np.eye(K)[y] * 0.9 + 0.1 / K),
    ):
        refused(
            clf, *args, match=r"optimum of these data: its log-likelihood is -[\d.]+ nats on them"
        )


def test_the_gap_is_named(data, optimum):
    X, y = data[3]
    clf = fit(X, y)
    clf.coef_ = clf.coef_ * 1.03
    true = optimum(X, y, C=np.inf).gap_of(clf)
    with pytest.raises(ValueError, match="optimum of these data") as caught:
        infer(clf, X, y)
    claimed = float(re.search(r"about ([\d.e+-]+) nats", str(caught.value)).group(1))
    assert claimed == pytest.approx(true, rel=0.05)
    assert claimed > OFF


def test_weights_of_any_size(data):
    """A gap of light samples is as small as their weights; other data are found all the same."""
    X, y = data[3]
    light = np.full(300, 1e-6)
    clf = fit(X, y, light)
    infer(clf, X, y, light)
    refused(clf, X, np.roll(y, 1), light, match="optimum of these data")


def test_other_parameters(data):
    X, y = data[3]
    for settings in ({"C": 0.01}, {"class_weight": {0: 3.0}}, {"fit_intercept": False}):
        clf = fit(X, y).set_params(**settings)
        if settings == {"fit_intercept": False}:
            clf.intercept_ = clf.intercept_ + np.array([1, 0, 0])
        refused(clf, X, y, match="optimum of these data")


def test_other_multiples_of_the_weights(data):
    """Have the same optimum, and are an inference of their own."""
    X, y = data[3]
    clf = fit(X, y)
    one, two = infer(clf, X, y), infer(clf, X, y, np.full(300, 2))
    np.testing.assert_allclose(two.standard_errors * np.sqrt(2), one.standard_errors, rtol=1e-10)
    assert two.n_observations == 600


def test_a_fit_that_did_not_converge(data):
    X, y = data[3]
    refused(fit(X, y, max_iter=1), X, y, match=r"its objective is at most [\d.e+-]+ nats above")


# ------------------------------------------------------------------ no maximum


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("K", [2, 3])
def test_separated(data, K, fit_intercept):
    X, _ = data[K]
    y = np.digitize(X[:, 0], [0.0, 0.8][: K - 1])
    if not fit_intercept:
        y = X[:, :K].argmax(axis=1)
    clf = fit(X, y, fit_intercept=fit_intercept)
    refused(clf, X, y, match="No finite maximum of the likelihood exists")


@pytest.mark.parametrize("K", [2, 3])
def test_quasi_separated(data, K):
    """A rare indicator has one class only: all others are identified, and that one is not."""
    X, y = data[K]
    X = np.column_stack([X, np.arange(300) % 30 == 0])
    y = np.where(X[:, 3] > 0, 1, y)
    refused(fit(X, y), X, y, match="No finite maximum of the likelihood exists")
    y[[0, 30, 60]] = np.arange(3) % K  # not any more
    assert np.isfinite(infer(fit(X, y), X, y).standard_errors).all()


def test_nearly_separated_has_a_maximum():
    """Two samples on the wrong side: large numbers, and right ones."""
    x = np.linspace(-1, 1, 100)
    y = (x > 0).astype(int)
    y[[45, 55]] = [1, 0]
    found = infer(fit(x[:, None], y), x[:, None], y)
    assert 10 < found.coef[0, 0] < 100
    oracle = sm.Logit(y, sm.add_constant(x, prepend=False)).fit(tol=1e-12, disp=False)
    np.testing.assert_allclose(found.standard_errors[0], oracle.bse, rtol=1e-7)


@pytest.mark.parametrize("C", [1.0, np.inf])
def test_a_class_without_weight(data, C):
    X, y = data[3]
    weight = (y != 2).astype(float)
    with pytest.warns(UserWarning, match="class 2 has no weight"):
        clf = fit(X, y, weight, C=C)
    refused(clf, X, y, weight, match="class 2 has no weight")


def test_a_penalty_that_is_too_weak(data):
    X, y = data[2]
    X = np.column_stack([X, X[:, 0] - X[:, 1]])
    refused(fit(X, y, C=1e15), X, y, match="penalty is so weak .*: pass a smaller C")


# ------------------------------------------------------------------ columns


def test_columns_that_cannot_be_identified(data):
    X, y = data[3]
    names = ["age", "height", "weight", "bmi"]
    for column, match in (
        (2 * X[:, 0] - X[:, 1] + 3, "linear combination of '.*', '.*' and the intercept"),
        (np.full(300, 7.0), "'bmi' is constant, as the intercept is"),
        (np.full(300, 1.7e9 + 0.1), "'bmi' is constant, as the intercept is"),
        (np.zeros(300), "'bmi' is constant, as the intercept is"),
    ):
        frame = pd.DataFrame(np.column_stack([X, column]), columns=names)
        refused(fit(frame, y), frame, y, match=match)
        sparse = sp.csr_array(frame.to_numpy())
        refused(fit(sparse, y), sparse, y, match=match.replace("bmi", "x3"))


def test_dummies_of_all_levels(data):
    X, y = data[3]
    X = np.column_stack([X, np.eye(4)[np.arange(300) % 4]])
    refused(fit(X, y), X, y, match="is a linear combination of '.*', '.*', '.*' and the intercept")
    found = infer(fit(X, y, fit_intercept=False), X, y)
    # the same model with an intercept in the place of the last level
    other = infer(fit(X[:, :-1], y), X[:, :-1], y)
    np.testing.assert_allclose(found.coef[:, :3], other.coef[:, :3], rtol=1e-9)
    np.testing.assert_allclose(found.standard_errors[:, 6], other.standard_errors[:, 6], rtol=1e-9)


def test_zero_without_intercept(data):
    X, y = data[3]
    X = np.column_stack([X, np.zeros(300)])
    clf = fit(X, y, fit_intercept=False)
    refused(clf, X, y, match=r"cannot be identified: 'x3' is zero\. Leave")


def test_more_columns_than_samples(generate):
    X, y = generate(20, 30, 2)
    refused(fit(X, y), X, y, match=r" \d+ others and the intercept; .* and \d+ more columns")


# ------------------------------------------------------------------ penalised fits


def test_penalised(data):
    """The curvature of the posterior, against the explicit sum of both parts."""
    X, y = data[2]
    C = 0.05
    clf = fit(X, y, C=C)
    with pytest.warns(
        InferenceWarning, match=r"C=0\.05: .* posterior .* prior N\(0, C\)"
    ) as caught:
        found = infer(clf, X, y)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    P = clf.predict_proba(X)
    S = np.column_stack([X, np.ones(300)])
    J = (S * (P[:, 0] * P[:, 1])[:, None]).T @ S
    H = J + np.diag([1 / C] * 3 + [0])
    np.testing.assert_allclose(found.covariance, np.linalg.inv(H), rtol=1e-6)
    df = np.trace(np.linalg.solve(H, J))
    assert found.df == pytest.approx(df, rel=1e-8)
    assert 1 < found.df < 4
    assert found.aic == pytest.approx(2 * df - 2 * clf.log_likelihood_, rel=1e-8)
    assert found.bic == pytest.approx(np.log(300) * df - 2 * clf.log_likelihood_, rel=1e-8)
    assert np.isnan(found.p_values).all()
    for call in (
        lambda: found.wald_test(np.eye(4)),
        found.likelihood_ratio_test,
        lambda: infer(fit(X, y), X, y).likelihood_ratio_test(found),
    ):
        with pytest.raises(ValueError, match=r"C is 0\.05: fit with C=numpy\.inf"):
            call()


def test_posterior_of_many_classes(data):
    """Of contrasts: the prior N(0, C) of each class's weights makes one of N(0, 2 C)."""
    X, y = data[3]
    X = np.column_stack([X, np.full(300, 2.0)])  # of which nothing is learnt
    with pytest.warns(InferenceWarning):
        found = infer(fit(X, y, C=0.7), X, y)
    np.testing.assert_allclose(found.standard_errors[:, 3], np.sqrt(2 * 0.7), rtol=1e-9)
    np.testing.assert_allclose(found.covariance[3, 8], 0.7, rtol=1e-9)
    np.testing.assert_allclose(found.coef[:, 3], 0, atol=1e-9)


@pytest.mark.parametrize("K", [2, 3])
def test_a_weak_penalty_is_none(data, K):
    X, y = data[K]
    none = infer(fit(X, y), X, y)
    with pytest.warns(InferenceWarning):
        weak = infer(fit(X, y, C=1e9), X, y)
    np.testing.assert_allclose(weak.covariance, none.covariance, rtol=1e-7, atol=1e-9)
    assert weak.df == pytest.approx(none.df, rel=1e-9)


def test_more_columns_than_samples_with_a_penalty(generate):
    X, y = generate(20, 30, 2)
    with pytest.warns(InferenceWarning):
        found = infer(fit(X, y, C=0.1), X, y)
    assert 1 < found.df < 20
    assert (found.standard_errors[:, :-1] < np.sqrt(0.1)).all()


def test_class_weights(data):
    X, y = data[3]
    clf = fit(X, y, class_weight="balanced")
    with pytest.warns(InferenceWarning, match="class weights, .* pass covariance='robust'"):
        infer(clf, X, y)
    found = infer(clf, X, y, covariance="robust")
    assert found.log_likelihood == pytest.approx(clf.log_likelihood_, rel=1e-9)
    with pytest.raises(ValueError, match="not weighted by class: use wald_test"):
        found.likelihood_ratio_test()
    plain = infer(fit(X, y), X, y)
    smaller = infer(fit(X[:, :2], y, class_weight="balanced"), X[:, :2], y, covariance="robust")
    with pytest.raises(ValueError, match="not weighted by class: use wald_test"):
        plain.likelihood_ratio_test(smaller)


# ------------------------------------------------------------------ arguments


def test_arguments(data):
    X, y = data[3]
    clf = fit(X, y)
    refused(clf, X, y, covariance="HC3", match=r"covariance is 'HC3': pass one of \('observed'")
    refused(clf, X, y, covariance="cluster", match="groups is missing with covariance='cluster'")
    refused(clf, X, y, groups=y, match="groups is given with covariance='observed'")
    refused(clf, X, y, reference=7, match=r"reference is 7: pass one of the classes \[0, 1, 2\]")
    refused(clf, X, y % 2, match=r"y has classes \[0, 1\] but clf was fitted with \[0, 1, 2\]")
    refused(clf, X, np.eye(4)[y], match="y has 4 columns but clf has 3 classes")
    refused(clf, X, y[:-1], match="X has 300 samples but y has 299")
    refused(clf, X[:, :2], y, match="X has 2 features, but SoftmaxClassifier is expecting 3")
    refused(clf, np.where(X > 1, np.nan, X), y, match="Input X contains NaN")
    refused(clf, X, y, -np.ones(300), match=r"sample_weight\[0\] is -1")
    refused(SoftmaxClassifier(), X, y, error=NotFittedError, match="not fitted")
    refused(clf.to_sklearn(), X, y, error=TypeError, match="clf is a LogisticRegression: pass")


def test_groups(data):
    X, y = data[3]
    clf, settings = fit(X, y), {"covariance": "cluster"}
    gone = np.where(y == 0, np.nan, 1.0)
    refused(clf, X, y, groups=gone, match=r"groups\[\d+\] is nan", **settings)
    refused(clf, X, y, groups=y[:-1], match="groups has 299 samples but X has 300", **settings)
    refused(clf, X, y, groups=np.ones(300), match="groups has one group only", **settings)
    X, y, weight = X[:8], y[:8] % 2, np.array([1, 1, 1, 1, 0, 0, 0, 0])
    refused(
        fit(X, y, weight, C=1.0),
        X,
        y,
        weight,
        groups=np.arange(8),
        match="4 coefficients leave no degrees of freedom to 4 observations",
        **settings,
    )


def test_a_hessian_that_is_too_large(data, monkeypatch):
    X, y = data[3]
    monkeypatch.setattr(optimum, "WIDEST", 7)
    refused(fit(X, y), X, y, match="whole Hessian, here of 8 parameters, and 7 are the most")


LABELS = {
    "str": np.array(["no", "a longer one", "Yes"]),
    "object": np.array(["no", "a longer one", "Yes"], dtype=object),
    "int8": np.array([7, -3, 100], dtype=np.int8),
    "float": np.array([1.0, -3.0, 2.0]),
}


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_labels_of_any_type(data, labels):
    X, codes = data[3]
    order = np.argsort(labels)  # code of each sorted label
    plain = infer(fit(X, codes), X, codes, reference=int(order[0]))
    y = labels[codes]
    found = infer(fit(X, y), X, y)
    assert found.classes == sorted(labels.tolist())
    assert found.reference == min(labels.tolist())
    rows = [plain.contrasts.index(k) for k in order[1:]]
    np.testing.assert_allclose(found.coef, plain.coef[rows], rtol=1e-8)
    last = infer(fit(X, y), X, y, reference=labels[order[2]])
    assert last.reference == max(labels.tolist())


def test_soft_targets_in_another_order_than_labels(data):
    """Classes of soft rows keep their order; labels passed to infer are sorted into it."""
    X, codes = data[3]
    names = np.array(["small", "medium", "tall"])
    clf = SoftmaxClassifier(C=np.inf).fit(X, np.eye(3)[codes], classes=names)
    rows, labels = infer(clf, X, np.eye(3)[codes]), infer(clf, X, names[codes])
    assert rows.classes == labels.classes == ["small", "medium", "tall"]
    np.testing.assert_allclose(labels.coef, rows.coef, rtol=1e-10)
    np.testing.assert_allclose(labels.covariance, rows.covariance, rtol=1e-10)
    frame = pd.DataFrame(np.eye(3)[codes], columns=["tall", "medium", "small"])
    refused(
        clf, X, frame, match="the columns of y.*are not in the order of classes.*: reorder them"
    )
