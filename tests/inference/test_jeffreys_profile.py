"""Intervals and tests by the profile, against logistf and a plain constrained minimisation."""

import numpy as np
import pytest
from bias_reduction import ENDOMETRIAL, alligators, endometrial, objective, separated
from scipy.optimize import minimize
from scipy.stats import chi2

from skxent import FirthClassifier, SoftmaxClassifier, infer

QUANTILE = chi2.ppf(0.95, 1)


def inference_of(X, y, weight=None, **settings):
    return infer(FirthClassifier().fit(X, y, weight), X, y, weight, **settings)


def plain_objective(table, X, y):
    """The objective at contrasts with the first class, (K - 1, d + 1)."""
    table = table if len(table) == 1 else np.vstack([np.zeros_like(table[:1]), table])
    return objective(table[:, :-1], table[:, -1], X, y)


def plain_profile(inference, X, y, place, value):
    """The least objective with one contrast fixed, by BFGS over the others, begun again twice."""
    free = np.arange(inference.coef.size) != place
    V = inference.covariance[place]
    table = inference.coef.ravel() + V / V[place] * (value - inference.coef.ravel()[place])

    def at(others):
        table[free] = others
        return plain_objective(table.reshape(inference.coef.shape), X, y)

    unit = inference.standard_errors.ravel()[free]
    start = table[free].copy()
    for _ in range(3):
        found = minimize(lambda s: at(s * unit), start / unit, options={"gtol": 1e-7})
        start = found.x * unit
    return found.fun


def test_endometrial_by_logistf():
    interval = inference_of(*endometrial()).confint(method="profile")
    expected = np.array(ENDOMETRIAL["logistf"]["profile"])
    assert interval.shape == (1, 4, 2)
    np.testing.assert_allclose(interval, expected, rtol=2e-7)


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.thinned(4)
def test_ends_by_a_plain_minimisation(K, apart):
    X, y = separated(24, 2, K)
    y = y if apart else np.random.default_rng(2).integers(0, K, 24)
    inference = inference_of(X, y)
    least = plain_objective(inference.coef, X, y)
    ends = inference.confint(method="profile").reshape(-1, 2)
    coef = inference.coef.ravel()
    for place in range(0, len(ends), 2):
        assert ends[place, 0] < coef[place] < ends[place, 1]
        for end in ends[place]:
            rise = 2 * (plain_profile(inference, X, y, place, end) - least)
            assert rise == pytest.approx(QUANTILE, rel=1e-5)


def test_levels_are_nested_and_near_wald_for_many_samples():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(4000, 2))
    y = rng.integers(0, 3, 4000)
    inference = inference_of(X, y)
    narrow, wide = (inference.confint(level, method="profile") for level in (0.5, 0.99))
    assert np.all((wide[..., 0] < narrow[..., 0]) & (narrow[..., 1] < wide[..., 1]))
    half = (wide[..., 1] - wide[..., 0]) / 2
    difference = np.abs(wide - inference.confint(0.99)).max(axis=-1)
    assert np.all(difference < 0.01 * half)


def test_another_reference_mirrors_the_interval():
    X, y, count = alligators()
    first = inference_of(X, y, count).confint(method="profile")[1, 0]
    other = inference_of(X, y, count, reference=2).confint(method="profile")[0, 0]
    np.testing.assert_allclose(other, -first[::-1], rtol=1e-7)


@pytest.mark.parametrize("units", [1e-8, 1e8])
def test_units_scale_the_ends(units):
    X, y = endometrial()
    factor, shift = np.array([1.0, units, 1.0]), np.array([0.0, 1e6 * units, 0.0])
    a = inference_of(X, y).confint(method="profile")[0, :3]
    b = inference_of(X * factor + shift, y).confint(method="profile")[0, :3]
    np.testing.assert_allclose(b * factor[:, None], a, rtol=1e-6)


def test_odds_ratios_by_profile():
    inference = inference_of(*endometrial())
    ratios, ends = inference.odds_ratios(method="profile"), inference.confint(method="profile")
    np.testing.assert_allclose(ratios.low, np.exp(ends[:, :3, 0]))
    np.testing.assert_allclose(ratios.high, np.exp(ends[:, :3, 1]))
    assert ratios.title == "Odds ratios against 0, 95 % profile intervals"
    assert inference.odds_ratios().title == "Odds ratios against 0, 95 % intervals"


@pytest.mark.parametrize("K", [2, 3])
def test_ratio_test_is_twice_the_rise_without_features(K):
    X, y = separated(24, 2, K)
    inference = inference_of(X, y)
    test = inference.likelihood_ratio_test()

    def at(intercepts):
        table = np.zeros(inference.coef.shape)
        table[:, -1] = intercepts
        return plain_objective(table, X, y)

    least = minimize(at, np.zeros(K - 1), options={"gtol": 1e-8}).fun
    expected = 2 * (least - plain_objective(inference.coef, X, y))
    assert test.statistic == pytest.approx(expected, rel=1e-8)
    assert test.df == 2 * (K - 1)
    assert test.p_value == pytest.approx(chi2.sf(expected, test.df), rel=1e-6)


def test_profiles_and_ratio_tests_that_are_refused():
    X, y = endometrial()
    robust = inference_of(X, y, covariance="robust")
    with pytest.raises(ValueError, match="likelihood knows no other covariance"):
        robust.confint(method="profile")
    with pytest.raises(ValueError, match="method is 'score': pass one of"):
        robust.confint(method="score")
    X = X[:, 1:]
    plain = infer(SoftmaxClassifier(C=np.inf).fit(X, y), X, y)
    firth = inference_of(X, y)
    for call in firth.term_tests, lambda: firth.term_tests("score"), lambda: firth.profile("x0"):
        with pytest.raises(ValueError, match="fits that maximise the likelihood"):
            call()
    with pytest.raises(ValueError, match="a FirthClassifier does not"):
        inference_of(X, y).likelihood_ratio_test(plain)
    with pytest.raises(ValueError, match="a FirthClassifier does not"):
        plain.likelihood_ratio_test(inference_of(X[:, :1], y))


def test_an_end_is_at_the_lowest_of_several_minima():
    """The minima that begin at the optimum reach the quantile at 17.3, but are not the lowest."""
    X = """-1.05 1.2 -0.63 0.88 0.79 0.95 0.08 -0.21 2.83 -0.19 -0.43 -1.35 0.41 0.91 -0.77 -0.28
        -1.22 -1.31 1.19 -0.75 0.67 0.1 0.84 -0.63 0.94 1.16 0.34 -1.02 -0.15 0.04"""
    X = np.array(X.split(), dtype=float).reshape(15, 2)
    y = np.array([0, 1, 2, 1, 2, 0, 2, 0, 0, 1, 2, 1, 2, 0, 1])
    inference = inference_of(X, y)
    least = plain_objective(inference.coef, X, y)
    assert 2 * (plain_profile(inference, X, y, 4, 17.3) - least) < 0.5 * QUANTILE
    end = inference.confint(method="profile")[1, 1, 1]
    rise = 2 * (plain_profile(inference, X, y, 4, end) - least)
    assert rise == pytest.approx(QUANTILE, rel=1e-5)
