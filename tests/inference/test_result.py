"""What an inference returns: tests, ratios, intervals of probabilities, tables and texts."""

import copy
import dataclasses
import pickle
import sys

import numpy as np
import pytest
import statsmodels.api as sm
from inferences import inference_of
from scipy.stats import chi2, norm

from skxent import InferenceWarning, LogisticClassifier, SoftmaxClassifier, infer

NUMBERS = ["estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"]

# ------------------------------------------------------------------ tests


@pytest.mark.parametrize("K", [2, 3])
def test_likelihood_ratio_of_nested_models(named_data, K):
    X, y = named_data[K]
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


def test_the_null_model_is_nested(named_data):
    """A column that is nearly without effect in the place of none."""
    X, y = named_data[3]
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


def test_models_that_are_not_nested(named_data):
    X, y = named_data[3]
    larger = inference_of(X[["age", "income"]], y)
    for smaller, match in (
        (inference_of(X[["a & b"]], y), "not nested in this model: 'a & b' is no linear"),
        (inference_of(X[["a & b"]] ** 3, y), "not nested"),
        (inference_of(X[["income", "a & b"]], y), "as many coefficients or more"),
        (inference_of(X, y), "as many coefficients or more: call the method"),
        (inference_of(X[["age"]], np.roll(y, 1)), "other data: pass a result for the same y"),
        (inference_of(X[["age"]], y, np.full(300, 2)), "other data"),
        (inference_of(X[["age"]][:-1], y[:-1]), "other data"),
        (inference_of(X[["age"]], np.where(y == "no", "never", y)), "other data"),
    ):
        with pytest.raises(ValueError, match=match):
            larger.likelihood_ratio_test(smaller)
    # weights of one are no weights
    assert larger.likelihood_ratio_test(inference_of(X[["age"]], y, np.ones(300))).df == 2


def test_p_values_in_the_tail():
    """Of nine standard errors 1 - cdf is 0."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(5000, 1))
    found = inference_of(x, (x[:, 0] + rng.logistic(size=5000) > 0).astype(int))
    z = found.z[0, 0]
    assert z > 20
    assert found.p_values[0, 0] == pytest.approx(2 * norm.sf(z), rel=1e-12)
    assert 0 < found.p_values[0, 0] < 1e-80


# ------------------------------------------------------------------ tables and texts


@pytest.mark.parametrize("K", [2, 3])
def test_frames(named_data, K):
    X, y = named_data[K]
    found = inference_of(X, y, reference="yes")
    frame = found.to_frame(0.9)
    assert frame.columns.tolist() == ["class", "term", *NUMBERS]
    assert frame[["class", "term"]].to_records(index=False).tolist() == [
        (label, term)
        for label in sorted(set(y) - {"yes"})
        for term in ("age", "income", "a & b", "intercept")
    ]
    for name, values in (
        ("estimate", found.coef),
        ("std_error", found.standard_errors),
        ("statistic", found.z),
        ("p_value", found.p_values),
        ("conf_low", found.confint(0.9)[..., 0]),
        ("conf_high", found.confint(0.9)[..., 1]),
    ):
        np.testing.assert_array_equal(frame[name], values.ravel())


@pytest.mark.parametrize("K", [2, 3])
def test_frames_of_estimates(named_data, K):
    X, y = named_data[K]
    found = inference_of(X, y, reference="yes")
    coef = found.to_frame(0.9)
    frame = found.odds_ratios(0.9).to_frame()
    slopes = coef[coef["term"] != "intercept"].reset_index(drop=True)
    assert frame.columns.tolist() == ["class", "term", *NUMBERS]
    for name in ("class", "term", "statistic", "p_value"):
        assert frame[name].tolist() == slopes[name].tolist()
    for name in ("estimate", "conf_low", "conf_high"):
        np.testing.assert_allclose(frame[name], np.exp(slopes[name]), rtol=1e-14)
    effects = found.marginal_effects()
    frame = effects.to_frame().set_index(["class", "term"])
    assert frame.columns.tolist() == ["comparison", *NUMBERS]
    row = frame.loc[("yes", "income")]
    assert row["conf_low"] == effects.low[found.classes.index("yes"), 1]
    assert row["statistic"] == row["estimate"] / row["std_error"]
    assert row["p_value"] == pytest.approx(2 * norm.sf(abs(row["statistic"])), rel=1e-14)
    P = found.predict_proba_interval(X[:4])
    frame = P.to_frame()
    assert frame.columns.tolist() == [
        *("sample", "class", "estimate", "std_error", "conf_low", "conf_high")
    ]
    assert (
        frame.set_index(["sample", "class"]).loc[(3, "no"), "conf_high"] == P.high[3, 0 + (K == 3)]
    )
    test = found.likelihood_ratio_test()
    assert test.to_frame().to_dict("records") == [
        {
            "test": "likelihood-ratio",
            "statistic": test.statistic,
            "df": test.df,
            "p_value": test.p_value,
        }
    ]


def test_frames_of_a_penalised_fit(named_data):
    """There is no hypothesis of zero effects, so p-values are missing and are not printed."""
    X, y = named_data[3]
    with pytest.warns(InferenceWarning):
        found = infer(SoftmaxClassifier(C=0.5).fit(X, y), X, y)
    for result in (found, found.odds_ratios(), found.marginal_effects()):
        frame = result.to_frame()
        assert frame.columns.tolist()[-6:] == NUMBERS
        assert frame["p_value"].isna().all()
        assert "P(>|z|)" not in result.summary()
    assert "Average marginal effects, 95 % posterior intervals" in str(found.marginal_effects())


def test_frames_without_pandas(named_data, monkeypatch):
    X, y = named_data[2]
    found = inference_of(X.to_numpy(), y)
    effects = found.marginal_effects()
    monkeypatch.setitem(sys.modules, "pandas", None)
    for call in (found.to_frame, effects.to_frame, found.wald_test([1, 0, 0, 0]).to_frame):
        with pytest.raises(ImportError, match="to_frame needs pandas, which is not installed"):
            call()


def test_repr(named_data):
    found = inference_of(*named_data[2])
    assert repr(found).startswith("LikelihoodInference(classes=['no', 'yes'], reference='no', log_")
    assert len(repr(found)) < 200
    assert str(found) == found.summary()


def test_number_of_features(named_data):
    X, y = named_data[3]
    for fit_intercept in (True, False):
        found = inference_of(X, y, fit_intercept=fit_intercept)
        assert found.n_features == X.shape[1] == len(found.terms) - fit_intercept


def test_results_are_frozen_and_pickle(named_data):
    X, y = named_data[3]
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


def test_a_later_fit_changes_nothing(named_data):
    X, y = named_data[2]
    clf = LogisticClassifier(C=np.inf).fit(X, y)
    found = infer(clf, X, y)
    before = found.predict_proba_interval(X).low
    clf.set_params(C=1.0).fit(X.to_numpy()[:, :2], y)
    np.testing.assert_array_equal(found.predict_proba_interval(X).low, before)
    assert not found.penalised


def test_the_classifier_is_left_alone(named_data):
    X, y = named_data[2]
    clf = SoftmaxClassifier(C=np.inf).fit(X, y)
    before = copy.deepcopy(clf.__dict__)
    infer(clf, X, y)
    assert before.keys() == clf.__dict__.keys()
    for name, value in before.items():
        np.testing.assert_array_equal(clf.__dict__[name], value)
