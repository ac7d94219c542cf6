"""The limit of the likelihood of separated classes: R, plain minimisation, and refusals."""

import warnings

import numpy as np
import pandas as pd
import pytest
from bias_reduction import endometrial
from inferences import fit
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from scipy.stats import chi2
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skxent import FirthClassifier, LogisticClassifier, SoftmaxClassifier, infer

QUANTILE = chi2.ppf(0.95, 1)


def limit_of(X, y, weight=None, **settings):
    """Fit without penalty, which warns of the separation, and take the limit."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        clf = fit(X, y, weight)
    return infer(clf, X, y, weight, separation="limit", **settings)


@pytest.fixture(scope="module")
def indicator():
    """Three classes, and a column of zeros and ones whose ones are all of the second class."""
    rng = np.random.default_rng(1)
    X = np.column_stack([rng.normal(size=(60, 2)), rng.random(60) < 0.2])
    y = rng.integers(0, 3, 60)
    y[X[:, 2] > 0] = 1
    return X, y


# R 4.2.2, brglm2 0.9, data(endometrial):
#   m <- glm(HG ~ NV + PI + EH, binomial, endometrial, control=list(epsilon=1e-14, maxit=100))
#   summary(m)$coefficients, logLik(m), AIC(m), BIC(m), drop1(m, test="LRT"), drop1(m, test="Rao")
#   f <- function(b) glm.fit(X[,-j], y, offset=b*X[,j], family=binomial(),
#                            control=list(epsilon=1e-15, maxit=200))$deviance
#                    - deviance(m) - qchisq(.95,1), and uniroot(f, ..., tol=1e-13) for each end.
# confint of MASS 7.3.58.2 gives NV from -948241 to 5293998, and the others to three digits.
# Order: NV, PI, EH, intercept. NV is 32.2 with standard error 1.9e7 by glm.
COEF = [np.inf, -0.0421834032567899, -2.9026056137775758, 4.3045177830578192]
ERRORS = [np.inf, 0.0443319653185221, 0.8455515621005023, 1.6372986418459483]
ENDS = [
    [1.28411179018523, np.inf],
    [-0.137076800518224, 0.0381846716570814],
    [-4.78591242789453, -1.43638898877104],
    [1.43274582453926, 7.95477702532655],
]
RATIOS = [9.357643012381, 0.985134369275, 19.760633905787]
SCORES = [6.751829217254, 0.914567135967, 15.361226616457]


@pytest.fixture(scope="module")
def cancers():
    return limit_of(*endometrial())


def test_estimates_of_r(cancers):
    np.testing.assert_allclose(cancers.coef[0], COEF, rtol=1e-10)
    np.testing.assert_allclose(cancers.standard_errors[0], ERRORS, rtol=1e-9)
    assert cancers.separated
    assert np.isnan(cancers.z[0, 0])
    assert np.isnan(cancers.p_values[0, 0])
    assert cancers.p_values[0, 2] == pytest.approx(0.000597392456353582, rel=1e-8)
    assert cancers.log_likelihood == pytest.approx(-27.6966301785906, rel=1e-12)
    assert cancers.aic == pytest.approx(63.3932603571811, rel=1e-12)
    assert cancers.bic == pytest.approx(72.8710517670492, rel=1e-12)


def test_profile_intervals_of_r(cancers):
    np.testing.assert_allclose(cancers.confint(method="profile")[0], ENDS, rtol=1e-8)
    ratios = cancers.odds_ratios(method="profile")
    np.testing.assert_allclose(ratios.low[0], np.exp(ENDS)[:3, 0], rtol=1e-7)
    assert ratios.estimate[0, 0] == ratios.high[0, 0] == np.inf
    frame = cancers.to_frame(method="profile")
    assert list(frame["conf_high"] == np.inf) == [True, False, False, False]


def test_tests_of_r(cancers):
    np.testing.assert_allclose(cancers.term_tests().statistic, RATIOS, rtol=1e-9)
    # drop1 computes scores with weights of the last step but one
    np.testing.assert_allclose(cancers.term_tests("score").statistic, SCORES, rtol=1e-7)
    test = cancers.likelihood_ratio_test()
    assert test.statistic == pytest.approx(2 * (52.4512642 - 27.6966302), rel=1e-6)
    assert test.df == 3


def test_wald_interval_and_test_of_bounded_coefficients_only(cancers):
    assert np.isnan(cancers.confint()[0, 0]).all()
    half = 1.959963984540054 * np.array(ERRORS[1:])
    np.testing.assert_allclose(np.diff(cancers.confint()[0, 1:])[:, 0], 2 * half, rtol=1e-9)
    found = cancers.wald_test([0, 0, 1, 0]).statistic
    assert found == pytest.approx((COEF[2] / ERRORS[2]) ** 2, rel=1e-8)
    with pytest.raises(ValueError, match="wald_test of infinite coefficients needs finite"):
        cancers.wald_test([1, 0, 1, 0])


def test_the_other_coefficients_are_those_of_the_other_samples(indicator):
    """All samples of the indicator are separated from the first and the third class."""
    X, y = indicator
    for reference in range(3):
        found = limit_of(X, y, reference=reference)
        # Ones tell the second class from the others, and say nothing of the others.
        sign = {0: [np.inf, np.nan], 1: [-np.inf, -np.inf], 2: [np.nan, np.inf]}[reference]
        np.testing.assert_array_equal(found.coef[:, 2], sign)
        rest = X[:, 2] == 0
        clf = SoftmaxClassifier(C=np.inf).fit(X[rest, :2], y[rest])
        expected = infer(clf, X[rest, :2], y[rest], reference=reference)
        np.testing.assert_allclose(found.coef[:, [0, 1, 3]], expected.coef, rtol=1e-8)
        np.testing.assert_allclose(
            found.standard_errors[:, [0, 1, 3]], expected.standard_errors, rtol=1e-8
        )
        assert found.log_likelihood == pytest.approx(expected.log_likelihood, rel=1e-12)
        ends = found.confint(method="profile")
        np.testing.assert_allclose(
            ends[:, [0, 1, 3]], expected.confint(method="profile"), rtol=1e-7, atol=1e-8
        )


def rise(inference, X, y, place, value):
    """Twice the rise of the profile of one contrast above the infimum, by BFGS."""
    A = np.column_stack([X, np.ones(len(X))])
    K = len(inference.classes)

    def objective(others):
        table = np.insert(others, place, value).reshape(K - 1, -1)
        logits = np.column_stack([np.zeros(len(A)), A @ table.T])
        gradient = (softmax(logits, axis=1) - np.eye(K)[y])[:, 1:].T @ A
        return -log_softmax(logits, axis=1)[np.arange(len(y)), y].sum(), np.delete(gradient, place)

    start = np.zeros((K - 1) * A.shape[1] - 1)
    for _ in range(4):
        start = minimize(objective, start, jac=True, method="BFGS", options={"gtol": 1e-9}).x
    return 2 * (objective(start)[0] + inference.log_likelihood)


def test_ends_by_a_plain_minimisation(indicator):
    X, y = indicator
    inference = limit_of(X, y)
    coef, ends = inference.coef.ravel(), inference.confint(method="profile").reshape(-1, 2)
    for place in range(len(coef)):
        low, high = ends[place]
        assert np.isfinite(low) == (np.isfinite(coef[place]) or coef[place] == np.inf)
        assert np.isfinite(high) == (np.isfinite(coef[place]) or coef[place] == -np.inf)
        for end in ends[place][np.isfinite(ends[place])]:
            assert rise(inference, X, y, place, end) == pytest.approx(QUANTILE, abs=1e-5)
    # The profile of the coefficient that is not determined is flat.
    (nothing,) = np.flatnonzero(np.isnan(coef))
    for value in (-10.0, 10.0):
        assert rise(inference, X, y, nothing, value) == pytest.approx(0.0, abs=1e-5)


def test_complete_separation_of_one_feature():
    x, y = np.arange(8.0)[:, None], np.repeat([0, 1], 4)
    found = limit_of(x, y)
    np.testing.assert_array_equal(found.coef, [[np.inf, -np.inf]])
    assert found.log_likelihood == found.deviance == 0.0
    assert found.term_tests()["x0"].statistic == pytest.approx(16 * np.log(2), rel=1e-9)
    (low, high), (low0, high0) = found.confint(method="profile")[0]
    assert (high, low0) == (np.inf, -np.inf)
    for place, end in ((0, low), (1, high0)):
        assert rise(found, x, y, place, end) == pytest.approx(QUANTILE, abs=1e-5)
    assert infer(FirthClassifier().fit(x, y), x, y, separation="limit").separated is False


def test_two_features_that_separate_together():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 2))
    y = (X @ [1, 2] > 0.1).astype(int)
    found = limit_of(X, y)
    ends = found.confint(method="profile")[0]
    assert found.coef[0, :2].tolist() == [np.inf, np.inf]
    assert np.isnan(found.coef[0, 2])  # the boundary may lie on either side of the origin
    assert ends[2].tolist() == [-np.inf, np.inf]
    for place in (0, 1):
        assert rise(found, X, y, place, ends[place, 0]) == pytest.approx(QUANTILE, abs=1e-5)


def test_units_and_shifts_change_nothing(cancers):
    X, y = endometrial()
    factor = np.array([1e3, 1e-4, 10.0])
    ends = limit_of(X * factor + [0.0, 5.0, 0.0], y).confint(method="profile")[0, :3]
    np.testing.assert_allclose(ends * factor[:, None], ENDS[:3], rtol=1e-7)


def test_weights_are_copies(cancers):
    X, y = endometrial()
    weight = np.arange(len(y)) % 3
    times = np.repeat(np.arange(len(y)), weight)
    one, other = limit_of(X, y, weight), limit_of(X[times], y[times])
    np.testing.assert_allclose(one.coef, other.coef, rtol=1e-8)
    np.testing.assert_allclose(
        one.confint(method="profile"), other.confint(method="profile"), rtol=1e-7
    )


def test_curve_of_an_infinite_coefficient(cancers):
    curve = cancers.profile("x0", level=0.95)
    assert curve.values[0] == pytest.approx(ENDS[0][0], rel=1e-8)
    assert curve.estimate == curve.std_error == np.inf
    assert (np.diff(curve.values) > 0).all()
    assert (np.diff(curve.signed_root) > 0).all()
    assert -0.11 < curve.signed_root[-1] < -0.09
    np.testing.assert_allclose(
        curve.signed_root, -np.sqrt(2 * (cancers.log_likelihood - curve.log_likelihood)), rtol=1e-6
    )
    curve = cancers.profile("x1", level=0.95, n_points=5)
    np.testing.assert_allclose(curve.values[[0, 5, 10]], [ENDS[1][0], COEF[1], ENDS[1][1]])
    assert curve.signed_root[5] == 0.0


def test_profile_of_what_the_likelihood_does_not_determine(indicator):
    with pytest.raises(ValueError, match="'x2' has no profile: classes are separated"):
        limit_of(*indicator).profile("x2", 2)


def test_a_larger_separated_model_is_tested_against_a_smaller_one(cancers):
    X, y = endometrial()
    smaller = infer(fit(X[:, 1:], y), X[:, 1:], y)
    assert cancers.likelihood_ratio_test(smaller).statistic == pytest.approx(RATIOS[0], rel=1e-9)


@pytest.mark.parametrize(
    "call",
    [
        lambda found, X: found.marginal_effects(),
        lambda found, X: found.adjusted_predictions({"x1": 1.0}),
        lambda found, X: found.predict_proba_interval(X),
        lambda found, X: found.term_tests("wald"),
    ],
)
def test_what_needs_finite_coefficients_is_refused(cancers, call):
    with pytest.raises(ValueError, match=r"needs finite coefficients.*use confint\(method='prof"):
        call(cancers, endometrial()[0])


def test_summary_says_what_is_infinite(cancers, indicator):
    text = cancers.summary()
    assert text.startswith("Limit of the likelihood of separated classes")
    assert "infinite coefficients grow without bound. They have no Wald intervals" in (
        " ".join(text.split())
    )
    text = limit_of(*indicator).summary()
    assert "does not determine those that are n/a" in " ".join(text.split())
    assert "Limit of" in cancers._repr_html_()


def test_options():
    X, y = endometrial()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        clf = fit(X, y)
        weighted = fit(X, y, class_weight="balanced")
        partly = fit(X, y, C=1.0, penalty_factor=[0.0, 1.0, 1.0])
    with pytest.raises(ValueError, match=r"x0 separates.*pass separation='limit' to infer"):
        infer(clf, X, y)
    with pytest.raises(ValueError, match=r"separation is 'no': pass one of \('raise', 'limit'\)"):
        infer(clf, X, y, separation="no")
    with pytest.raises(ValueError, match="separation is 'limit' with covariance='robust'"):
        infer(clf, X, y, separation="limit", covariance="robust")
    for other in (weighted, partly):
        with pytest.raises(ValueError, match="needs a likelihood without a penalty and class w"):
            infer(other, X, y, separation="limit")


def test_the_error_names_the_features_of_a_pipeline():
    X, y = endometrial()
    frame = pd.DataFrame(X, columns=["NV", "PI", "EH"])
    pipe = make_pipeline(StandardScaler(), LogisticClassifier(C=np.inf))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipe.fit(frame, y)
    with pytest.raises(ValueError, match="because NV separates"):
        infer(pipe, frame, y)


def test_complete_separation_has_a_deviance_of_zero():
    found = limit_of(np.arange(8.0)[:, None], np.arange(8) > 3)
    assert found.log_likelihood == 0.0
    assert str(found.deviance) == "0.0"


def test_a_finite_maximum_is_not_changed(generate):
    X, y = generate(60, 2, 3, seed=4)
    clf = fit(X, y)
    one, other = infer(clf, X, y), infer(clf, X, y, separation="limit")
    np.testing.assert_array_equal(one.coef, other.coef)
    assert not other.separated
