"""Inferences are the same as those of statsmodels."""

import numpy as np
import pytest
import statsmodels.api as sm
from inferences import COVARIANCES, RTOL, assert_close, flat, inference_of, oracle_of
from scipy.stats import chi2


@pytest.mark.parametrize("covariance", COVARIANCES)
@pytest.mark.parametrize("K", [2, 3, 5])
def test_like_statsmodels(grouped_data, K, covariance):
    X, y, groups = grouped_data[K]
    found = inference_of(X, y, None, covariance, groups)
    oracle = oracle_of(X, y, covariance, groups)
    for ours, theirs in (
        (found.coef, oracle.params),
        (found.standard_errors, oracle.bse),
        (found.z, oracle.tvalues),
        (found.p_values, oracle.pvalues),
    ):
        np.testing.assert_allclose(ours.ravel(), flat(theirs), rtol=RTOL)
    assert_close(found.covariance, oracle.cov_params())
    np.testing.assert_allclose(
        found.confint(0.9).reshape(-1, 2), oracle.conf_int(0.1).reshape(-1, 2), rtol=RTOL
    )
    assert found.log_likelihood == pytest.approx(oracle.llf, rel=1e-12)
    assert found.null_log_likelihood == pytest.approx(oracle.llnull, rel=RTOL)
    assert found.deviance == pytest.approx(-2 * oracle.llf, rel=1e-12)
    assert found.pseudo_r2 == pytest.approx(oracle.prsquared, rel=RTOL)
    assert found.aic == pytest.approx(oracle.aic, rel=1e-12)
    assert found.bic == pytest.approx(oracle.bic, rel=1e-12)
    assert found.df == (K - 1) * 4
    test = found.likelihood_ratio_test()
    assert test.statistic == pytest.approx(oracle.llr, rel=RTOL)
    assert test.df == (K - 1) * 3
    assert test.p_value == pytest.approx(oracle.llr_pvalue, rel=1e-6)


@pytest.mark.parametrize("K", [2, 3])
def test_hc1_of_statsmodels_is_robust(grouped_data, K):
    """Its discrete models correct nothing, as our documentation says."""
    X, y, _ = grouped_data[K]
    oracle = oracle_of(X, y, "HC1")
    assert_close(inference_of(X, y, None, "robust").covariance, oracle.cov_params())


@pytest.mark.parametrize("covariance", COVARIANCES)
@pytest.mark.parametrize("K", [2, 3, 5])
def test_marginal_effects_like_statsmodels(grouped_data, K, covariance):
    X, y, groups = grouped_data[K]
    effects = inference_of(X, y, None, covariance, groups).marginal_effects(0.9)
    oracle = oracle_of(X, y, covariance, groups).get_margeff()
    rows = slice(1, 2) if K == 2 else slice(None)  # of two classes the second
    np.testing.assert_allclose(effects.estimate[rows].T.squeeze(), oracle.margeff, rtol=RTOL)
    np.testing.assert_allclose(
        effects.standard_errors[rows].T.squeeze(), oracle.margeff_se, rtol=RTOL
    )
    interval = np.stack([effects.low[rows], effects.high[rows]], axis=-1)
    theirs = oracle.conf_int(0.1)  # (d, 2), or (d, 2, K)
    assert_close(interval, theirs[None] if K == 2 else theirs.transpose(2, 0, 1))


# statsmodels' errors of differences need as many classes as columns if there are more than two.
@pytest.mark.parametrize("covariance", COVARIANCES)
@pytest.mark.parametrize("at", ["overall", "mean", {0: 0.5}, {0: -1.0, 1: 1.0}])
@pytest.mark.parametrize("K", [2, 3, 5])
def test_discrete_effects_like_statsmodels(grouped_data, K, at, covariance):
    X, y, groups = grouped_data[K]
    X = np.column_stack([X[:, :1], X[:, 1:] > 0, groups % 5 == 0])[:, : 4 if K == 2 else K - 1]
    effects = inference_of(X, y, None, covariance, groups).marginal_effects(at=at)
    where = {"at": at} if isinstance(at, str) else {"atexog": at}
    oracle = oracle_of(X, y, covariance, groups).get_margeff(**where, dummy=True)
    rows = slice(1, 2) if K == 2 else slice(None)  # of two classes the second
    assert_close(effects.estimate[rows].T.squeeze(), oracle.margeff)
    assert_close(effects.standard_errors[rows].T.squeeze(), oracle.margeff_se)
    assert effects.comparisons == ["slope", *["0 to 1"] * (X.shape[1] - 1)]


@pytest.mark.parametrize("at", ["mean", {0: 0.5, 2: 1.0}])
@pytest.mark.parametrize("K", [2, 3, 5])
def test_slopes_at_values_like_statsmodels(grouped_data, K, at):
    X, y, _ = grouped_data[K]
    effects = inference_of(X, y).marginal_effects(at=at)
    where = {"at": at} if isinstance(at, str) else {"atexog": at}
    oracle = oracle_of(X, y).get_margeff(**where)
    rows = slice(1, 2) if K == 2 else slice(None)
    assert_close(effects.estimate[rows].T.squeeze(), oracle.margeff)
    assert_close(effects.standard_errors[rows].T.squeeze(), oracle.margeff_se)


@pytest.mark.parametrize("covariance", COVARIANCES)
def test_adjusted_predictions_like_statsmodels(grouped_data, covariance):
    X, y, groups = grouped_data[2]
    found = inference_of(X, y, None, covariance, groups).adjusted_predictions({1: [-1.0, 0.0, 2.0]})
    oracle = oracle_of(X, y, covariance, groups)
    for i, value in enumerate([-1.0, 0.0, 2.0]):
        exog = np.column_stack([X, np.ones(300)])
        exog[:, 1] = value
        theirs = oracle.get_prediction(exog, average=True)
        np.testing.assert_allclose(found.estimate[i, 1], theirs.predicted, rtol=RTOL)
        np.testing.assert_allclose(found.standard_errors[i, 1], theirs.se, rtol=RTOL)


@pytest.mark.parametrize("covariance", COVARIANCES)
@pytest.mark.parametrize("K", [2, 3])
def test_wald_tests_like_statsmodels(grouped_data, K, covariance):
    X, y, groups = grouped_data[K]
    found = inference_of(X, y, None, covariance, groups)
    oracle = oracle_of(X, y, covariance, groups)
    rng = np.random.default_rng(0)
    q = found.coef.size
    for R, r in (
        (np.eye(q)[0], 0),
        (np.eye(q)[[0, 2]], 0.3),
        (rng.normal(size=(3, q)), rng.normal(size=3)),
    ):
        test = found.wald_test(R, r)
        # statsmodels takes flat parameters for Logit only
        V = np.asarray(oracle.cov_params())
        excess = np.atleast_2d(R) @ flat(oracle.params) - r
        expected = excess @ np.linalg.solve(np.atleast_2d(R) @ V @ np.atleast_2d(R).T, excess)
        if K == 2:
            theirs = oracle.wald_test(
                (np.atleast_2d(R), np.broadcast_to(r, len(excess))), scalar=True
            )
            assert theirs.statistic == pytest.approx(expected, rel=RTOL)
        assert test.statistic == pytest.approx(expected, rel=RTOL)
        assert test.df == len(excess)
        assert test.p_value == pytest.approx(chi2.sf(expected, len(excess)), rel=1e-6)


@pytest.mark.parametrize("K", [2, 3])
def test_without_intercept(grouped_data, K):
    """The null model then has all logits zero; statsmodels' has an intercept."""
    X, y, _ = grouped_data[K]
    found = inference_of(X, y, fit_intercept=False)
    oracle = oracle_of(X, y, intercept=False)
    np.testing.assert_allclose(found.coef.ravel(), flat(oracle.params), rtol=RTOL)
    np.testing.assert_allclose(found.standard_errors.ravel(), flat(oracle.bse), rtol=RTOL)
    assert found.coef.shape == (K - 1, 3)
    assert found.terms == ["x0", "x1", "x2"]
    assert found.null_log_likelihood == pytest.approx(-300 * np.log(K), rel=1e-14)
    assert found.likelihood_ratio_test().df == (K - 1) * 3
    assert found.aic == pytest.approx(oracle.aic, rel=1e-12)


def test_fractions_like_a_binomial_model(grouped_data):
    """Soft targets: the deviance leaves out their entropy, and HC0 is that of fractions."""
    X, _, _ = grouped_data[2]
    share = np.random.default_rng(0).beta(2, 3, size=300)
    soft = np.column_stack([1 - share, share])
    found = inference_of(X, soft, covariance="robust")
    family = sm.families.Binomial()
    oracle = sm.GLM(share, sm.add_constant(X, prepend=False), family=family)
    oracle = oracle.fit(tol=1e-14, cov_type="HC0")
    np.testing.assert_allclose(found.coef[0], oracle.params, rtol=RTOL)
    np.testing.assert_allclose(found.standard_errors[0], oracle.bse, rtol=RTOL)
    assert found.deviance == pytest.approx(oracle.deviance, rel=1e-9)
    assert found.deviance < -2 * found.log_likelihood - 100


def test_weights_like_frequencies(grouped_data):
    """GLM with freq_weights, which are copies."""
    X, y, _ = grouped_data[2]
    weight = np.random.default_rng(0).integers(0, 4, size=300).astype(float)
    found = inference_of(X, y, weight)
    family = sm.families.Binomial()
    oracle = sm.GLM(y, sm.add_constant(X, prepend=False), family=family, freq_weights=weight)
    oracle = oracle.fit(tol=1e-14)
    np.testing.assert_allclose(found.standard_errors[0], oracle.bse, rtol=RTOL)
    assert found.log_likelihood == pytest.approx(oracle.llf, rel=1e-12)
    assert found.null_log_likelihood == pytest.approx(oracle.llnull, rel=1e-9)
    assert found.bic == pytest.approx(oracle.bic_llf, rel=1e-12)
