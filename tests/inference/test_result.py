"""What an inference returns: tests, ratios, intervals of probabilities, tables and texts."""

import copy
import dataclasses
import pickle
import sys
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import statsmodels.api as sm
from scipy.special import expit, logit
from scipy.stats import chi2, norm

from skxent import InferenceWarning, LogisticClassifier, SoftmaxClassifier, infer


@pytest.fixture(scope="module")
def data(generate):
    """Frames with the labels "no", "may" and "yes"."""
    made = {}
    for K in (2, 3):
        X, codes = generate(300, 3, K, seed=1)
        frame = pd.DataFrame(X, columns=["age", "income", "a & b"])
        made[K] = frame, np.array(["no", "yes", "may"])[codes]
    return made


def inference_of(X, y, weight=None, **settings):
    return infer(SoftmaxClassifier(C=np.inf).fit(X, y, weight), X, y, weight, **settings)


# ------------------------------------------------------------------ tests


@pytest.mark.parametrize("K", [2, 3])
def test_likelihood_ratio_of_nested_models(data, K):
    X, y = data[K]
    larger, smaller = inference_of(X, y), inference_of(X[["income"]], y)
    test = larger.likelihood_ratio_test(smaller)
    model = sm.Logit if K == 2 else sm.MNLogit
    codes = np.unique(y, return_inverse=True)[1]
    llf = [
        model(codes, sm.add_constant(part.to_numpy())).fit(tol=1e-12, disp=False).llf
        for part in (X, X[["income"]])
    ]
    assert test.statistic == pytest.approx(2 * (llf[0] - llf[1]), rel=1e-9)
    assert test.df == 2 * (K - 1)
    assert test.p_value == pytest.approx(chi2.sf(test.statistic, test.df), rel=1e-12)
    # nested by linear combination, and without intercept
    for part in (X[["age"]] - 3 * X[["income"]].to_numpy() + 7, 1e6 * X[["age"]] + 1e9):
        assert larger.likelihood_ratio_test(inference_of(part, y)).df == 2 * (K - 1)
    none = infer(SoftmaxClassifier(C=np.inf, fit_intercept=False).fit(X, y), X, y)
    assert larger.likelihood_ratio_test(none).df == K - 1


def test_the_null_model_is_nested(data):
    """A column that is nearly without effect in the place of none."""
    X, y = data[3]
    found = inference_of(X, y)
    test = found.likelihood_ratio_test()
    assert test.statistic == pytest.approx(
        2 * (found.log_likelihood - found.null_log_likelihood), rel=1e-14
    )
    share = np.unique(y, return_counts=True)[1] / 300
    assert found.null_log_likelihood == pytest.approx(300 * share @ np.log(share), rel=1e-14)
    unrelated = np.random.default_rng(0).normal(size=(300, 1))
    test = inference_of(unrelated, y).likelihood_ratio_test()
    assert 0 <= test.statistic < 10
    assert test.p_value > 0.01


def test_models_that_are_not_nested(data):
    X, y = data[3]
    larger = inference_of(X[["age", "income"]], y)
    for smaller, match in (
        (inference_of(X[["a & b"]], y), "not nested in this model: 'a & b' is no linear"),
        (inference_of(X[["a & b"]] ** 3, y), "not nested"),
        (inference_of(X[["income", "a & b"]], y), "as many coefficients or more"),
        (inference_of(X, y), "as many coefficients or more: test the smaller"),
        (inference_of(X[["age"]], np.roll(y, 1)), "other data: pass one with the same y"),
        (inference_of(X[["age"]], y, np.full(300, 2)), "other data"),
        (inference_of(X[["age"]][:-1], y[:-1]), "other data"),
        (inference_of(X[["age"]], np.where(y == "no", "never", y)), "other data"),
    ):
        with pytest.raises(ValueError, match=match):
            larger.likelihood_ratio_test(smaller)
    # weights of one are no weights
    assert larger.likelihood_ratio_test(inference_of(X[["age"]], y, np.ones(300))).df == 2


def test_wald_test_of_one_coefficient_is_its_z(data):
    found = inference_of(*data[3])
    for j in range(8):
        test = found.wald_test(np.eye(8)[j])
        assert test.statistic == pytest.approx(found.z.ravel()[j] ** 2, rel=1e-10)
        assert test.p_value == pytest.approx(found.p_values.ravel()[j], rel=1e-9)
        assert found.wald_test(np.eye(8)[j], found.coef.ravel()[j]).p_value == pytest.approx(1)


def test_wald_test_does_not_depend_on_the_rows_of_hypotheses(data):
    found = inference_of(*data[3])
    rng = np.random.default_rng(0)
    R, mix = rng.normal(size=(3, 8)), rng.normal(size=(3, 3)) * [[1e6], [1], [1e-6]]
    expected = found.wald_test(R, [0.1, 0.2, 0.3]).statistic
    again = found.wald_test(mix @ R, mix @ [0.1, 0.2, 0.3]).statistic
    assert again == pytest.approx(expected, rel=1e-6)


def test_wald_test_of_what_is_no_hypothesis(data):
    X, y = data[3]
    found = inference_of(X, y)
    for R, r, match in (
        (np.eye(7), 0, r"R has shape \(7, 7\): pass a column for each of the 8"),
        (np.eye(8)[[0, 0]], 0, "rows that depend on each other"),
        (np.eye(8)[[0, 1]] * [[1], [0]], 0, "rows that depend on each other"),
        (np.ones((1, 2, 8)), 0, r"R has shape \(1, 2, 8\)"),
        (
            np.eye(8)[[0, 1]],
            [1, 2, 3],
            r"r is \[1, 2, 3\]: pass a finite number, or one for each of the 2 rows",
        ),
        (np.eye(8)[[0, 1]], [1, np.nan], r"r is \[1, nan\]: pass a finite number"),
    ):
        with pytest.raises(ValueError, match=match):
            found.wald_test(R, r)
    few = inference_of(X, y, covariance="cluster", groups=np.arange(300) % 5)
    assert few.wald_test(np.eye(8)[:4]).df == 4
    with pytest.raises(ValueError, match="as many as the covariance has groups"):
        few.wald_test(np.eye(8)[:6])


def test_p_values_in_the_tail():
    """Of nine standard errors 1 - cdf is 0."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(5000, 1))
    found = inference_of(x, (x[:, 0] + rng.logistic(size=5000) > 0).astype(int))
    z = found.z[0, 0]
    assert z > 20
    assert found.p_values[0, 0] == pytest.approx(2 * norm.sf(z), rel=1e-12)
    assert 0 < found.p_values[0, 0] < 1e-80


# ------------------------------------------------------------------ ratios and intervals


@pytest.mark.parametrize("K", [2, 3])
def test_odds_ratios(data, K):
    X, y = data[K]
    found = inference_of(X, y)
    ratios = found.odds_ratios(0.9)
    np.testing.assert_allclose(ratios.estimate, np.exp(found.coef[:, :3]), rtol=1e-14)
    np.testing.assert_allclose(ratios.low, np.exp(found.confint(0.9)[:, :3, 0]), rtol=1e-14)
    np.testing.assert_allclose(ratios.high, np.exp(found.confint(0.9)[:, :3, 1]), rtol=1e-14)
    np.testing.assert_allclose(
        ratios.standard_errors, ratios.estimate * found.standard_errors[:, :3], rtol=1e-14
    )
    assert ratios.rows == found.contrasts
    assert ratios.columns == ["age", "income", "a & b"]
    # of a second and a first sample the odds differ by the ratio
    P = found._clf.predict_proba(X.iloc[[0, 0]] + np.array([[0], [1]]) * [0, 1, 0])
    odds = P[:, 1:] / P[:, [0]]
    np.testing.assert_allclose(odds[1] / odds[0], ratios.estimate[:, 1], rtol=1e-6)


def test_an_odds_ratio_too_large_for_float64():
    x = np.random.default_rng(0).normal(size=200)
    y = (x + np.random.default_rng(1).logistic(size=200) > 0).astype(int)
    ratio = inference_of(x[:, None] * 1e-4, y).odds_ratios()
    assert ratio.estimate[0, 0] == ratio.high[0, 0] == np.inf


def test_intervals_of_probabilities_like_statsmodels(data):
    X, y = data[2]
    found = inference_of(X, y).predict_proba_interval(X, 0.9)
    oracle = sm.Logit(y == "yes", sm.add_constant(X.to_numpy())).fit(tol=1e-12, disp=False)
    frame = oracle.get_prediction().summary_frame(alpha=0.1)
    for ours, theirs in (
        (found.estimate, "predicted"),
        (found.standard_errors, "se"),
        (found.low, "ci_lower"),
        (found.high, "ci_upper"),
    ):
        np.testing.assert_allclose(ours[:, 1], frame[theirs], rtol=1e-7)


@pytest.mark.parametrize("K", [2, 3])
def test_intervals_of_probabilities(data, K):
    X, y = data[K]
    found = inference_of(X, y)
    P = found.predict_proba_interval(X)
    assert P.estimate.shape == (300, K)
    np.testing.assert_allclose(P.estimate.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(P.estimate, found._clf.predict_proba(X), rtol=1e-6)
    assert (P.low > 0).all()
    assert (P.low < P.estimate).all()
    assert (P.estimate < P.high).all()
    assert (P.high < 1).all()
    # a class against all others together: the delta method of its log-odds
    half = (logit(P.high) - logit(P.low)) / 2
    error = P.standard_errors / (P.estimate * (1 - P.estimate))
    np.testing.assert_allclose(half, norm.isf(0.025) * error, rtol=1e-6)
    if K == 2:
        np.testing.assert_allclose(P.low[:, 0], 1 - P.high[:, 1], rtol=1e-9)
    narrow = found.predict_proba_interval(X, 0.5)
    assert (narrow.low > P.low).all()
    assert (narrow.high < P.high).all()


def test_two_classes_have_the_interval_of_the_logit(data):
    X, y = data[2]
    found = inference_of(X, y)
    S = np.column_stack([X, np.ones(300)])
    z = S @ found.coef[0]
    half = norm.isf(0.025) * np.sqrt(np.sum(S @ found.covariance * S, axis=1))
    P = found.predict_proba_interval(X)
    np.testing.assert_allclose(P.low[:, 1], expit(z - half), rtol=1e-9)
    np.testing.assert_allclose(P.high[:, 1], expit(z + half), rtol=1e-9)


def test_certain_samples_keep_their_digits(data):
    X, y = data[2]
    found = inference_of(X, y)
    far = X.iloc[[0]] * 0 + 100 * np.sign(found.coef[0, :3])
    P = found.predict_proba_interval(far)
    assert 0 < P.low[0, 0] < P.estimate[0, 0] < P.high[0, 0] < 1e-10


def test_intervals_of_samples_that_do_not_fit(data):
    X, y = data[3]
    found = inference_of(X, y)
    with pytest.raises(ValueError, match="feature names"):
        found.predict_proba_interval(X.rename(columns={"age": "Age"}))
    plain = inference_of(X.to_numpy(), y)
    with pytest.raises(ValueError, match="X has 2 features"):
        plain.predict_proba_interval(X.to_numpy()[:, :2])
    for form in (sp.csr_array(X.to_numpy()), X.to_numpy().astype(np.float32)):
        assert plain.predict_proba_interval(form[:5]).rows == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("level", [0, 1, 95, -0.5, np.nan, "0.95", None])
def test_levels(data, level):
    X, y = data[2]
    found = inference_of(X, y)
    for method in ("confint", "odds_ratios", "marginal_effects", "to_frame"):
        with pytest.raises(ValueError, match=r"level is .*: pass a probability between 0 and 1"):
            getattr(found, method)(level)
    with pytest.raises(ValueError, match="level is"):
        found.predict_proba_interval(X, level)


# ------------------------------------------------------------------ tables and texts


@pytest.mark.parametrize("K", [2, 3])
def test_frames(data, K):
    X, y = data[K]
    found = inference_of(X, y, reference="yes")
    frame = found.to_frame(0.9)
    assert frame.index.names == ["class", "term"]
    assert frame.index.tolist() == [
        (label, term)
        for label in sorted(set(y) - {"yes"})
        for term in ("age", "income", "a & b", "intercept")
    ]
    for name, values in (
        ("coef", found.coef),
        ("standard_error", found.standard_errors),
        ("z", found.z),
        ("p_value", found.p_values),
        ("low", found.confint(0.9)[..., 0]),
        ("high", found.confint(0.9)[..., 1]),
    ):
        np.testing.assert_array_equal(frame[name], values.ravel())
    assert len(frame.columns) == 6
    effects = found.marginal_effects()
    frame = effects.to_frame()
    assert frame.loc[("yes", "income"), "low"] == effects.low[found.classes.index("yes"), 1]
    assert frame.columns.tolist() == ["estimate", "standard_error", "low", "high"]
    P = found.predict_proba_interval(X[:4])
    assert P.to_frame().loc[(3, "no"), "high"] == P.high[3, found.classes.index("no")]


def test_frames_without_pandas(data, monkeypatch):
    X, y = data[2]
    found = inference_of(X.to_numpy(), y)
    effects = found.marginal_effects()
    monkeypatch.setitem(sys.modules, "pandas", None)
    for call in (found.to_frame, effects.to_frame):
        with pytest.raises(ImportError, match="to_frame needs pandas, which is not installed"):
            call()


def numbers_of(line):
    return [float(word) for word in line.split()[-6:]]


@pytest.mark.parametrize("K", [2, 3])
def test_summary(data, K):
    X, y = data[K]
    found = inference_of(X, y)
    text = found.summary()
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    row = next(
        i for i, line in enumerate(lines) if line == "yes against no" or line == "no against may"
    )
    table = np.array([numbers_of(line) for line in lines[row + 1 : row + 5]])
    j = found.contrasts.index(lines[row].split()[0])
    expected = [found.coef, found.standard_errors, found.z, found.p_values]
    expected += list(np.moveaxis(found.confint(), -1, 0))
    np.testing.assert_allclose(
        table, np.stack([column[j] for column in expected], axis=1), rtol=6e-3
    )
    assert [line.split("  ")[1].strip() for line in lines[row + 1 : row + 5]] == found.terms
    for value in (found.log_likelihood, found.aic, found.bic, found.null_log_likelihood):
        assert f"{value:.8g}" in text
    assert f"{found.likelihood_ratio_test().statistic:.6g}" in text
    assert "observed" in text


def test_summary_of_extremes(data):
    """Long names, numbers of any size."""
    X, y = data[3]
    names = ["a name that is much too long for a table of eighty columns", "b", "c"]
    frame = pd.DataFrame(X.to_numpy() * [1e120, 1e-9, 1], columns=names)
    labels = np.array([label * 40 for label in y])
    text = inference_of(frame, labels).summary()
    assert max(map(len, text.splitlines())) <= 80
    assert "e-120" in text
    assert "  a name t…columns " in text
    for line in text.splitlines():
        if line.startswith(("  b ", "  c ")):
            assert np.isfinite(numbers_of(line)).all()


def test_summary_of_a_penalised_fit(data):
    X, y = data[3]
    clf = SoftmaxClassifier(C=0.5).fit(X, y)
    for covariance, match in (
        ("observed", "Intervals are of the posterior under the prior N(0, C). No p-values."),
        ("robust", "Intervals are around the expectation of shrunk coefficients. No p-values."),
    ):
        with pytest.warns(InferenceWarning):
            text = infer(clf, X, y, covariance=covariance).summary()
        assert "Penalised likelihood, C = 0.5" in text
        assert "Effective parameters" in text
        assert match in text
        assert "P(>" not in text
        assert max(map(len, text.splitlines())) <= 80


def test_summary_of_class_weights(data):
    X, y = data[3]
    clf = SoftmaxClassifier(C=np.inf, class_weight="balanced").fit(X, y)
    text = infer(clf, X, y, covariance="robust").summary()
    assert "Likelihoods, AIC and BIC are of data weighted by class" in text
    assert "chi2" not in text


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.text = [], []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data.strip())


@pytest.mark.parametrize("K", [2, 3])
def test_html(data, K):
    X, y = data[K]
    found = inference_of(X, np.where(y == "no", "<b>no</b>", y))
    html = found._repr_html_()
    parser = Tags()
    parser.feed(html)
    assert parser.open == []
    assert "a &amp; b" in html
    assert "<b>no" not in html
    assert "intercept" in parser.text
    assert f"{found.coef[0, 0]:.4g}" in parser.text
    assert f"{found.aic:.8g}" in parser.text


def test_repr(data):
    found = inference_of(*data[2])
    assert repr(found).startswith("LikelihoodInference(classes=['no', 'yes'], reference='no', log_")
    assert len(repr(found)) < 200


def test_results_are_frozen_and_pickle(data):
    X, y = data[3]
    found = inference_of(X, y)
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.coef = 0
    with pytest.raises(ValueError, match="read-only"):
        found.coef[0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        found.covariance[0, 0] = 1
    for again in (pickle.loads(pickle.dumps(found)), copy.deepcopy(found)):
        np.testing.assert_array_equal(again.p_values, found.p_values)
        assert again.summary() == found.summary()
        np.testing.assert_array_equal(again.marginal_effects().low, found.marginal_effects().low)


def test_a_later_fit_changes_nothing(data):
    X, y = data[2]
    clf = LogisticClassifier(C=np.inf).fit(X, y)
    found = infer(clf, X, y)
    before = found.predict_proba_interval(X).low
    clf.set_params(C=1.0).fit(X.to_numpy()[:, :2], y)
    np.testing.assert_array_equal(found.predict_proba_interval(X).low, before)
    assert not found.penalised


def test_the_classifier_is_left_alone(data):
    X, y = data[2]
    clf = SoftmaxClassifier(C=np.inf).fit(X, y)
    before = copy.deepcopy(clf.__dict__)
    infer(clf, X, y)
    assert before.keys() == clf.__dict__.keys()
    for name, value in before.items():
        np.testing.assert_array_equal(clf.__dict__[name], value)
