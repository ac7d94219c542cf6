"""Inference: the same as statsmodels', for copies of samples, and whatever the units."""

import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import statsmodels.api as sm
from scipy.stats import chi2

from skxent import LogisticClassifier, SoftmaxClassifier, SoftmaxClassifierCV, infer
from skxent.likelihood.sources import blocks

RTOL = 1e-7
COVARIANCES = {"observed": "nonrobust", "robust": "HC0", "cluster": "cluster"}


@pytest.fixture(scope="module")
def data(generate):
    """Some 300 samples with 2, 3 or 5 classes, and groups."""
    groups = np.random.default_rng(0).integers(0, 25, size=300)
    return {K: (*generate(300, 3, K, seed=1), groups) for K in (2, 3, 5)}


def fit(X, y, weight=None, **settings):
    return SoftmaxClassifier(**{"C": np.inf, **settings}).fit(X, y, weight)


def inference_of(X, y, weight=None, covariance="observed", groups=None, **settings):
    groups = groups if covariance == "cluster" else None
    clf = fit(X, y, weight, **settings)
    return infer(clf, X, y, weight, covariance=covariance, groups=groups)


def oracle_of(X, y, covariance="observed", groups=None, intercept=True):
    """Statsmodels' result, intercept last like ours."""
    model = sm.Logit if y.max() == 1 else sm.MNLogit
    exog = sm.add_constant(X, prepend=False) if intercept else X
    settings = {"groups": groups} if covariance == "cluster" else None
    with warnings.catch_warnings():  # its own keyword surprises statsmodels 0.15
        warnings.simplefilter("ignore", FutureWarning)
        return model(y, exog).fit(
            method="newton",
            tol=1e-14,
            disp=False,
            cov_type=COVARIANCES.get(covariance, covariance),
            cov_kwds=settings,
        )


def flat(values):
    """Statsmodels has a column for each class."""
    return np.asarray(values).ravel("F")


def assert_close(found, expected, rtol=RTOL):
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol * np.abs(expected).max() / 100)


# ------------------------------------------------------------------ statsmodels


@pytest.mark.parametrize("covariance", COVARIANCES)
@pytest.mark.parametrize("K", [2, 3, 5])
def test_like_statsmodels(data, K, covariance):
    X, y, groups = data[K]
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
def test_hc1_of_statsmodels_is_robust(data, K):
    """Its discrete models correct nothing, as our documentation says."""
    X, y, _ = data[K]
    oracle = oracle_of(X, y, "HC1")
    assert_close(inference_of(X, y, None, "robust").covariance, oracle.cov_params())


@pytest.mark.parametrize("covariance", COVARIANCES)
@pytest.mark.parametrize("K", [2, 3, 5])
def test_marginal_effects_like_statsmodels(data, K, covariance):
    X, y, groups = data[K]
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


@pytest.mark.parametrize("covariance", COVARIANCES)
@pytest.mark.parametrize("K", [2, 3])
def test_wald_tests_like_statsmodels(data, K, covariance):
    X, y, groups = data[K]
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
def test_without_intercept(data, K):
    """The null model then has all logits zero; statsmodels' has an intercept."""
    X, y, _ = data[K]
    found = inference_of(X, y, fit_intercept=False)
    oracle = oracle_of(X, y, intercept=False)
    np.testing.assert_allclose(found.coef.ravel(), flat(oracle.params), rtol=RTOL)
    np.testing.assert_allclose(found.standard_errors.ravel(), flat(oracle.bse), rtol=RTOL)
    assert found.coef.shape == (K - 1, 3)
    assert found.terms == ["x0", "x1", "x2"]
    assert found.null_log_likelihood == pytest.approx(-300 * np.log(K), rel=1e-14)
    assert found.likelihood_ratio_test().df == (K - 1) * 3
    assert found.aic == pytest.approx(oracle.aic, rel=1e-12)


def test_fractions_like_a_binomial_model(data):
    """Soft targets: the deviance leaves out their entropy, and HC0 is that of fractions."""
    X, _, _ = data[2]
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


def test_weights_like_frequencies(data):
    """GLM with freq_weights, which are copies."""
    X, y, _ = data[2]
    weight = np.random.default_rng(0).integers(0, 4, size=300).astype(float)
    found = inference_of(X, y, weight)
    family = sm.families.Binomial()
    oracle = sm.GLM(y, sm.add_constant(X, prepend=False), family=family, freq_weights=weight)
    oracle = oracle.fit(tol=1e-14)
    np.testing.assert_allclose(found.standard_errors[0], oracle.bse, rtol=RTOL)
    assert found.log_likelihood == pytest.approx(oracle.llf, rel=1e-12)
    assert found.null_log_likelihood == pytest.approx(oracle.llnull, rel=1e-9)
    assert found.bic == pytest.approx(oracle.bic_llf, rel=1e-12)


# ------------------------------------------------------------------ equivalences


def assert_same(one, other, rtol=1e-9):
    """All numbers of two results."""
    for name in ("coef", "covariance", "log_likelihood", "null_log_likelihood", "deviance", "bic"):
        assert_close(getattr(one, name), np.asarray(getattr(other, name)), rtol)
    for name in ("estimate", "standard_errors"):
        effects = (getattr(result.marginal_effects(), name) for result in (one, other))
        assert_close(*effects, rtol)


@pytest.mark.parametrize(
    ("covariance", "class_weight"),
    [*((name, None) for name in COVARIANCES), ("robust", {0: 0.5}), ("cluster", {0: 0.5, 1: 3.0})],
)
@pytest.mark.parametrize("K", [2, 3])
def test_weights_are_copies(data, K, covariance, class_weight):
    X, y, groups = data[K]
    weight = np.arange(300) % 4
    rows = np.repeat(np.arange(300), weight)
    weighted = inference_of(X, y, weight, covariance, groups, class_weight=class_weight)
    copied = inference_of(
        X[rows], y[rows], None, covariance, groups[rows], class_weight=class_weight
    )
    assert_same(weighted, copied)
    assert weighted.n_observations == len(rows)


@pytest.mark.parametrize("K", [2, 3])
def test_weights_that_are_no_counts(data, K):
    """Are importances to the sandwich, as if each sample were a group of its own."""
    X, y, _ = data[K]
    weight = np.random.default_rng(0).uniform(0.1, 3, size=300)
    robust = inference_of(X, y, weight, "robust")
    alone = inference_of(X, y, weight, "cluster", np.arange(300))
    q = robust.coef.size
    assert_close(alone.covariance, robust.covariance * 300 / (300 - q), 1e-9)
    assert robust.n_observations == 300
    # whatever their unit
    assert_close(inference_of(X, y, weight / 100, "robust").covariance, robust.covariance, 1e-9)


@pytest.mark.parametrize("K", [2, 3])
def test_a_class_weight_multiplies_scores(data, K):
    """The sandwich is that of importances, not that of copies."""
    X, y, _ = data[K]
    factors = np.array([0.5, 3.5, 1.25])[:K]
    by_class = inference_of(X, y, None, "robust", class_weight=dict(enumerate(factors)))
    by_sample = inference_of(X, y, factors[y], "robust")
    assert_close(by_class.covariance, by_sample.covariance, 1e-9)
    assert by_class.log_likelihood == pytest.approx(by_sample.log_likelihood, rel=1e-12)


@pytest.mark.parametrize("covariance", COVARIANCES)
@pytest.mark.parametrize("K", [2, 3])
def test_labels_are_one_hot_rows(data, K, covariance):
    X, y, groups = data[K]
    labels = inference_of(X, y, None, covariance, groups)
    assert_same(inference_of(X, np.eye(K)[y], None, covariance, groups), labels)
    mixed = infer(
        fit(X, y),
        X,
        np.eye(K)[y],
        covariance=covariance,
        groups=groups if covariance == "cluster" else None,
    )
    assert_same(mixed, labels)


def test_a_soft_row_is_its_shares_of_each_class(data):
    """For the likelihood and its curvature; to the sandwich it is one sample."""
    X, _, _ = data[3]
    soft = np.random.default_rng(0).dirichlet([1, 1, 1], size=300)
    rows = inference_of(X, soft)
    thrice, labels = np.repeat(X, 3, axis=0), np.tile(np.arange(3), 300)
    shares = inference_of(thrice, labels, soft.ravel())
    assert_close(rows.covariance, shares.covariance, 1e-9)
    assert rows.log_likelihood == pytest.approx(shares.log_likelihood, rel=1e-12)
    robust = inference_of(X, soft, covariance="robust").covariance
    together = inference_of(
        thrice, labels, soft.ravel(), "cluster", np.repeat(np.arange(300), 3)
    ).covariance
    n, q = 900, rows.coef.size  # fractions are no counts: 900 observations
    assert_close(together, robust * 300 / 299 * (n - 1) / (n - q), 1e-9)


def test_two_classes_are_one_logit(data):
    X, y, _ = data[2]
    clf = LogisticClassifier(C=np.inf).fit(X, y)
    assert_same(infer(clf, X, y), inference_of(X, y))


@pytest.mark.parametrize("K", [2, 3])
def test_the_end_of_the_fit_does_not_matter(data, K):
    """Newton steps go on from wherever it ended."""
    X, y, _ = data[K]
    clf = fit(X, y)
    tight = infer(clf, X, y)
    clf.coef_ = clf.coef_ + 1e-3 * np.arange(clf.coef_.size).reshape(clf.coef_.shape) ** 0.5
    assert not np.allclose(clf.coef_[-1] - clf.coef_[0] * (K > 2), tight.coef[-1, :3], rtol=1e-4)
    loose = infer(clf, X, y)
    np.testing.assert_allclose(loose.coef, tight.coef, rtol=1e-9)
    assert_same(loose, tight)


@pytest.mark.parametrize("K", [2, 3])
def test_cross_validated_penalty(data, K):
    X, y, _ = data[K]
    clf = SoftmaxClassifierCV(Cs=[0.1, 1.0]).fit(X, y)
    with pytest.warns(UserWarning, match="penalty"):
        chosen = infer(clf, X, y)
    with pytest.warns(UserWarning, match="penalty"):
        given = infer(fit(X, y, C=clf.C_), X, y)
    assert chosen.C == clf.C_
    assert_same(chosen, given)


# ------------------------------------------------------------------ invariances


@pytest.mark.parametrize("covariance", COVARIANCES)
@pytest.mark.parametrize("K", [3, 5])
def test_reference(data, K, covariance):
    """Contrasts with another class are differences of contrasts, and so are their covariances."""
    X, y, groups = data[K]
    clf = fit(X, y)
    groups = groups if covariance == "cluster" else None
    first = infer(clf, X, y, covariance=covariance, groups=groups)
    for reference in range(1, K):
        other = infer(clf, X, y, covariance=covariance, groups=groups, reference=reference)
        whole = np.eye(K)[:, 1:]  # all classes, less the first, from the contrasts
        M = np.delete(whole, reference, axis=0) - whole[reference]
        A = np.kron(M, np.eye(4))
        np.testing.assert_allclose(other.coef, M @ first.coef, rtol=1e-9)
        assert_close(other.covariance, A @ first.covariance @ A.T, 1e-9)
        assert other.contrasts == [k for k in range(K) if k != reference]
        assert other.log_likelihood == first.log_likelihood
        R = np.random.default_rng(0).normal(size=(2, other.coef.size))
        assert other.wald_test(R).statistic == pytest.approx(first.wald_test(R @ A).statistic)


def test_reference_of_two_classes(data):
    X, y, _ = data[2]
    clf = fit(X, y)
    first, second = infer(clf, X, y), infer(clf, X, y, reference=1)
    np.testing.assert_allclose(second.coef, -first.coef, rtol=1e-12)
    np.testing.assert_allclose(second.covariance, first.covariance, rtol=1e-12)
    assert second.contrasts == [0]


@pytest.mark.parametrize("covariance", COVARIANCES)
@pytest.mark.parametrize("K", [2, 3])
def test_units_and_origin_of_features(data, K, covariance):
    """Columns of 1e-6 to 1e9, a timestamp among them."""
    X, y, groups = data[K]
    unit, origin = np.array([1e-6, 1e9, 1.0]), np.array([0.0, 0.0, 1.7e9])
    raw = X * unit + origin
    X = (raw - origin) / unit  # what raw really holds
    plain = inference_of(X, y, None, covariance, groups)
    other = inference_of(raw, y, None, covariance, groups)
    for name in ("coef", "standard_errors"):
        ours, theirs = (getattr(result, name)[:, :3] for result in (other, plain))
        np.testing.assert_allclose(ours * unit, theirs, rtol=1e-9)
    # the intercept, at x = 0, is far from all samples
    A = np.eye(4)
    A[:3, :3] /= unit[:, None]
    A[3, :3] = -origin / unit
    A = np.kron(np.eye(K - 1), A)
    assert_close(other.covariance, A @ plain.covariance @ A.T, 1e-9)
    assert_close(
        other.marginal_effects().standard_errors * unit, plain.marginal_effects().standard_errors
    )
    ours, theirs = other.predict_proba_interval(raw[:50]), plain.predict_proba_interval(X[:50])
    for name in ("estimate", "standard_errors", "low", "high"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-8)
    slopes = np.kron(np.eye(K - 1), np.eye(4)[:3])
    assert other.wald_test(slopes).statistic == pytest.approx(plain.wald_test(slopes).statistic)


@pytest.mark.parametrize("covariance", COVARIANCES)
def test_order_of_classes_and_rows(data, covariance):
    X, y, groups = data[3]
    found = inference_of(X, y, None, covariance, groups)
    order = np.random.default_rng(0).permutation(300)
    assert_same(inference_of(X[order], y[order], None, covariance, groups[order]), found)
    turned = fit(X, 2 - y)
    groups = groups if covariance == "cluster" else None
    other = infer(turned, X, 2 - y, covariance=covariance, groups=groups, reference=2)
    np.testing.assert_allclose(other.coef[::-1], found.coef, rtol=1e-9)
    np.testing.assert_allclose(other.standard_errors[::-1], found.standard_errors, rtol=1e-9)


@pytest.mark.parametrize("K", [2, 3])
def test_names_of_groups_do_not_matter(data, K):
    X, y, groups = data[K]
    clf = fit(X, y)
    names = np.array([f"town {g}" for g in groups])
    for named in (names, pd.Series(names), groups * 1000 - 7, groups.tolist()):
        found = infer(clf, X, y, covariance="cluster", groups=named)
        expected = infer(clf, X, y, covariance="cluster", groups=groups)
        assert_close(found.covariance, expected.covariance, 1e-12)


def test_rows_without_weight_are_absent(data):
    """Neither are they groups."""
    X, y, groups = data[3]
    weight = np.ones(300)
    weight[groups < 5] = 0
    kept = weight > 0
    for covariance in COVARIANCES:
        found = inference_of(X, y, weight, covariance, groups)
        expected = inference_of(X[kept], y[kept], None, covariance, groups[kept])
        assert_same(found, expected)


# ------------------------------------------------------------------ forms


@pytest.mark.parametrize("covariance", COVARIANCES)
@pytest.mark.parametrize("K", [2, 3])
def test_forms_of_x(data, K, covariance, tmp_path):
    X, y, groups = data[K]
    X = X.astype(np.float32)
    wide = X.astype(np.float64)
    read_only = wide.copy()
    read_only.flags.writeable = False
    np.save(tmp_path / "X.npy", wide)
    twice = sp.csr_array(
        (np.repeat(wide.ravel() / 2, 2), np.tile([0, 0, 1, 1, 2, 2], 300), np.arange(301) * 6)
    )
    expected = inference_of(wide, y, None, covariance, groups)
    for form in (
        X,
        np.asfortranarray(X),
        read_only,
        np.load(tmp_path / "X.npy", mmap_mode="r"),
        sp.csr_array(X),
        sp.csc_matrix(wide),
        twice,
        wide.tolist(),
    ):
        found = inference_of(form, y, None, covariance, groups)
        assert_same(found, expected)
        P = found.predict_proba_interval(form)
        np.testing.assert_allclose(P.low, expected.predict_proba_interval(wide).low, rtol=1e-9)


def test_many_blocks(generate, monkeypatch):
    """Rows in many batches, dense and sparse, give the numbers of rows in one."""
    monkeypatch.setattr(blocks, "ALONE", 0)
    X, y = generate(30_000, 3, 3)
    X[:, 0] *= X[:, 0] > 0
    groups = np.arange(30_000) // 7 % 1000
    found = inference_of(X, y, None, "cluster", groups)
    oracle = oracle_of(X, y, "cluster", groups)
    assert_close(found.covariance, oracle.cov_params())
    assert_same(inference_of(sp.csr_array(X), y, None, "cluster", groups), found)


def test_one_feature(data):
    X, y, _ = data[3]
    found, oracle = inference_of(X[:, :1], y), oracle_of(X[:, :1], y)
    np.testing.assert_allclose(found.standard_errors.ravel(), flat(oracle.bse), rtol=RTOL)


def test_threads_change_no_bit(generate):
    X, y = generate(60_000, 5, 3)
    one, two = (infer(fit(X, y, n_jobs=n), X, y) for n in (1, 2))
    np.testing.assert_array_equal(one.covariance, two.covariance)
