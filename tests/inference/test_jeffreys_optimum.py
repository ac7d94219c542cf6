"""`infer` of a `FirthClassifier`: standard errors by R, equivalences, and what is refused."""

import numpy as np
import pytest
from bias_reduction import ALLIGATORS, ENDOMETRIAL, alligators, endometrial, separated

from skxent import FirthClassifier, infer
from skxent.inference import jeffreys_optimum


def inference_of(X, y, weight=None, **settings):
    return infer(FirthClassifier().fit(X, y, weight), X, y, weight, **settings)


@pytest.fixture(scope="module")
def foods():
    return inference_of(*alligators())


def test_two_classes_by_r():
    inference, expected = inference_of(*endometrial()), ENDOMETRIAL["brglm2"]
    np.testing.assert_allclose(inference.coef, expected["coef"], rtol=1e-7)
    np.testing.assert_allclose(inference.standard_errors, expected["standard_errors"], rtol=1e-7)
    assert inference.log_likelihood == pytest.approx(expected["log_likelihood"], rel=1e-9)
    assert inference.aic == pytest.approx(8 - 2 * expected["log_likelihood"], rel=1e-9)
    assert inference.bias_reduced
    assert not inference.penalised


def test_five_classes_by_r(foods):
    expected = ALLIGATORS["brglm2"]
    np.testing.assert_allclose(foods.coef, expected["coef"], rtol=1e-7)
    np.testing.assert_allclose(foods.standard_errors, expected["standard_errors"], rtol=1e-7)
    assert foods.df == 20


def test_reference_changes_contrasts_only(foods):
    X, y, count = alligators()
    other = inference_of(X, y, count, reference=2)
    np.testing.assert_allclose(other.coef[0], -foods.coef[1], rtol=1e-9)
    np.testing.assert_allclose(other.standard_errors[0], foods.standard_errors[1], rtol=1e-9)


def test_steps_lead_to_the_optimum_from_a_rough_fit(foods):
    X, y, count = alligators()
    rough = FirthClassifier(tol=1e-4).fit(X, y, count)
    assert rough.optimality_gap_ > 1e-9  # else the rough fit is no rough fit
    np.testing.assert_allclose(infer(rough, X, y, count).coef, foods.coef, rtol=1e-9)


def test_features_far_from_zero_lose_no_digits():
    X, y = endometrial()
    near, far = inference_of(X, y), inference_of(X + np.array([0.0, 0.0, 2.0**20]), y)
    np.testing.assert_allclose(far.coef[:, :3], near.coef[:, :3], rtol=1e-9)
    np.testing.assert_allclose(far.standard_errors[:, :3], near.standard_errors[:, :3], rtol=1e-9)


def test_wald_tests_effects_and_predictions_use_the_covariance(foods):
    first = np.eye(20)[:1]
    assert foods.wald_test(first).statistic == pytest.approx(foods.z[0, 0] ** 2, rel=1e-9)
    assert foods.p_values[0, 0] == pytest.approx(foods.wald_test(first).p_value, rel=1e-9)
    np.testing.assert_allclose(foods.marginal_effects().estimate.sum(axis=0), 0.0, atol=1e-12)
    X, _, _ = alligators()
    interval = foods.predict_proba_interval(X[:2])
    assert np.all((interval.low > 0) & (interval.high < 1))


def test_robust_covariance_of_a_saturated_group():
    """The sandwich of one mean is p (1 - p) / n of the data over the square of the slope."""
    y = np.repeat([0, 1], [4, 9])
    inference = inference_of(np.eye(2)[np.arange(13) % 2][:, :1], y, covariance="robust")
    observed = inference_of(np.eye(2)[np.arange(13) % 2][:, :1], y)
    x = np.arange(13) % 2 == 0
    for group, coefs in ((~x, [0.0, 1.0]), (x, [1.0, 1.0])):
        p = (y[group].sum() + 0.5) / (group.sum() + 1)
        meat = ((y[group] - p) ** 2).sum()
        bread = group.sum() * p * (1 - p)
        assert coefs @ inference.covariance @ coefs == pytest.approx(meat / bread**2, rel=1e-9)
        assert coefs @ observed.covariance @ coefs == pytest.approx(1 / bread, rel=1e-9)


def test_summary_names_the_prior():
    inference = inference_of(*endometrial())
    text = inference.summary()
    assert text.startswith("Likelihood with Jeffreys' prior (Firth's bias reduction)\n")
    assert "confint(method='profile')" in text
    assert max(map(len, text.splitlines())) <= 80
    assert "Jeffreys" in inference._repr_html_()


def test_other_data_are_refused():
    X, y = endometrial()
    clf = FirthClassifier().fit(X, y)
    with pytest.raises(ValueError, match="nats from the optimum of these data"):
        infer(clf, X + 0.1 * np.random.default_rng(0).normal(size=X.shape), y)
    with pytest.raises(ValueError, match="its log-likelihood is"):
        infer(clf, 100 * X, y)


def test_unconverged_fits_and_dependent_columns_are_refused():
    X, y = separated(40, 3, 3)
    clf = FirthClassifier(max_iter=1)
    with pytest.warns(match="stopped after 1 iterations"):
        clf.fit(X, y)
    with pytest.raises(ValueError, match="clf has not converged"):
        infer(clf, X, y)
    both = np.hstack([X, X[:, :1]])
    with pytest.raises(ValueError, match="'x3' is a linear combination of 'x0'"):
        infer(FirthClassifier().fit(both, y), both, y)


def test_columns_that_depend_but_for_rounding_are_refused(monkeypatch):
    """If only the coordinates of the fit see a dependence, there is no covariance either."""
    monkeypatch.setattr(jeffreys_optimum, "check_collinear", lambda *args: None)
    X, y = separated(40, 3, 3)
    X = np.hstack([X, X[:, :1]])
    with pytest.raises(ValueError, match="are linearly dependent up to rounding"):
        infer(FirthClassifier().fit(X, y), X, y)


def test_class_weights_warn():
    X, y = endometrial()
    clf = FirthClassifier(class_weight="balanced").fit(X, y)
    with pytest.warns(match="class weights"):
        infer(clf, X, y)


def test_the_cure_for_a_constant_column_is_one_that_the_classifier_has():
    X, y = endometrial()[:2]
    X = np.column_stack([X, np.ones(len(X))])
    with pytest.raises(ValueError, match=r"is constant, as the intercept is. Leave columns out.$"):
        infer(FirthClassifier().fit(X, y), X, y)
