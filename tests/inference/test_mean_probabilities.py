"""Mean probabilities and their errors on the scale of log-odds."""

import dataclasses

import mpmath
import numpy as np
import pytest
from estimates import at, differences
from scipy.special import logit, softmax

from skxent.inference import population
from skxent.inference.mean_probabilities import mean_log_odds
from skxent.inference.population import Population
from skxent.likelihood import tuning

CASES = [(K, intercept) for K in (2, 3, 5) for intercept in (True, False)]


@pytest.mark.parametrize("fixed", [{}, {0: 0.3, 2: -1.0}])
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize(("K", "fit_intercept"), CASES)
def test_mean_log_odds(make_case, K, fit_intercept, sparse, fixed):
    """Against averages of probabilities, and their slopes by central differences."""
    case = make_case(K, n=30, fit_intercept=fit_intercept)
    estimate = at(case, sparse=sparse)
    samples = case.samples.copy()
    for j, value in fixed.items():
        samples[:, j] = value - estimate.mean[j]

    def log_odds(theta):
        return logit(np.average(softmax(samples @ theta.T, axis=1), axis=0, weights=case.weight))

    eta, error = mean_log_odds(estimate, Population(estimate.data.X, case.weight, fixed))
    np.testing.assert_allclose(eta, log_odds(estimate.theta), rtol=1e-9, atol=1e-12)
    slope = differences(log_odds, estimate.theta, estimate.free)
    variance = np.einsum("ka,ab,kb->k", slope, estimate.covariance, slope)
    np.testing.assert_allclose(error, np.sqrt(variance), rtol=1e-6)


@pytest.mark.parametrize(("K", "fit_intercept"), CASES)
def test_one_sample(make_case, K, fit_intercept):
    """Has the log-odds of its own, also with logits of hundreds, and the weight has no effect."""
    case = make_case(K, n=8, fit_intercept=fit_intercept)
    estimate = at(case)
    X = case.X * np.array([1, 1, 1, 1, 30, 100, 300, 1000])[:, None]
    eta, error = estimate.log_odds(X)
    for i in range(8):
        found = mean_log_odds(estimate, Population(X[[i]], np.array([2.5])))
        np.testing.assert_allclose(found[0], eta[i], rtol=1e-12)
        np.testing.assert_allclose(found[1], error[i], rtol=1e-12)


@pytest.mark.parametrize("space", [1, 1 << 20])
@pytest.mark.parametrize("K", [2, 5])
def test_runs_and_blocks(make_case, K, space, monkeypatch):
    """With blocks whose weights are all zero among them."""
    case = make_case(K, n=600)
    weight = case.weight.copy()
    weight[:350] = 0.0
    estimate = at(case)
    expected = mean_log_odds(estimate, Population(case.X[350:], weight[350:]))
    monkeypatch.setattr(population, "SPACE", space)
    for name in ("ONE_BLOCK_ELEMENTS", "BLOCK_ELEMENTS", "RUN_ELEMENTS"):
        monkeypatch.setattr(tuning, name, 1)
    found = mean_log_odds(estimate, Population(case.X, weight))
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_probabilities_below_float64(make_case):
    """The mean of probabilities of which each is less than 1e-308, against 50 digits."""
    case = make_case(2, n=5, fit_intercept=False)
    X = -np.abs(case.X) * 2000
    theta = np.array([[0.0, 0.0, 0.0], [0.9, 0.4, 0.7]])
    estimate = dataclasses.replace(at(case), theta=theta)
    eta, error = mean_log_odds(estimate, Population(X, case.weight))
    with mpmath.workdps(50):
        z = [mpmath.fdot(theta[1].tolist(), x.tolist()) for x in X]
        p = [mpmath.exp(value) / (1 + mpmath.exp(value)) for value in z]
        weight = [mpmath.mpf(w) / mpmath.fsum(case.weight.tolist()) for w in case.weight.tolist()]
        mean = mpmath.fdot(p, weight)
        slope = [
            mpmath.fsum(w * q * (1 - q) * x for w, q, x in zip(weight, p, X[:, j], strict=True))
            / (mean * (1 - mean))
            for j in range(3)
        ]
        expected = float(mpmath.log(mean / (1 - mean)))
        slope = np.array(slope, dtype=float)
    assert expected < -800
    np.testing.assert_allclose(eta, [-expected, expected], rtol=1e-12)
    np.testing.assert_allclose(error, np.sqrt(slope @ estimate.covariance @ slope), rtol=1e-9)
