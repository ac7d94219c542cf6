"""Ratios of odds, and intervals of probabilities."""

import numpy as np
import pytest
import scipy.sparse as sp
import statsmodels.api as sm
from inferences import inference_of
from scipy.special import expit, logit
from scipy.stats import norm


@pytest.mark.parametrize("K", [2, 3])
def test_odds_ratios(named_data, K):
    X, y = named_data[K]
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


def test_intervals_of_probabilities_like_statsmodels(named_data):
    X, y = named_data[2]
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
def test_intervals_of_probabilities(named_data, K):
    X, y = named_data[K]
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


def test_two_classes_have_the_interval_of_the_logit(named_data):
    X, y = named_data[2]
    found = inference_of(X, y)
    S = np.column_stack([X, np.ones(300)])
    z = S @ found.coef[0]
    half = norm.isf(0.025) * np.sqrt(np.sum(S @ found.covariance * S, axis=1))
    P = found.predict_proba_interval(X)
    np.testing.assert_allclose(P.low[:, 1], expit(z - half), rtol=1e-9)
    np.testing.assert_allclose(P.high[:, 1], expit(z + half), rtol=1e-9)


def test_certain_samples_keep_their_digits(named_data):
    X, y = named_data[2]
    found = inference_of(X, y)
    far = X.iloc[[0]] * 0 + 100 * np.sign(found.coef[0, :3])
    P = found.predict_proba_interval(far)
    assert 0 < P.low[0, 0] < P.estimate[0, 0] < P.high[0, 0] < 1e-10


def test_intervals_of_samples_that_do_not_fit(named_data):
    X, y = named_data[3]
    found = inference_of(X, y)
    with pytest.raises(ValueError, match="feature names"):
        found.predict_proba_interval(X.rename(columns={"age": "Age"}))
    plain = inference_of(X.to_numpy(), y)
    with pytest.raises(ValueError, match="X has 2 features"):
        plain.predict_proba_interval(X.to_numpy()[:, :2])
    for form in (sp.csr_array(X.to_numpy()), X.to_numpy().astype(np.float32)):
        assert plain.predict_proba_interval(form[:5]).rows == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("level", [0, 1, 95, -0.5, np.nan, "0.95", None])
def test_levels(named_data, level):
    X, y = named_data[2]
    found = inference_of(X, y)
    for method in ("confint", "odds_ratios", "marginal_effects", "to_frame"):
        with pytest.raises(ValueError, match=r"level is .*: pass a probability between 0 and 1"):
            getattr(found, method)(level)
    with pytest.raises(ValueError, match="level is"):
        found.predict_proba_interval(X, level)
