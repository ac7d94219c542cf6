"""Inference: the same as statsmodels', for copies of samples, and whatever the units."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from inferences import COVARIANCES, RTOL, assert_close, fit, flat, inference_of, oracle_of

from skxent import LogisticClassifier, SoftmaxClassifierCV, infer
from skxent.likelihood import tuning

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
def test_weights_are_copies(grouped_data, K, covariance, class_weight):
    X, y, groups = grouped_data[K]
    weight = np.arange(300) % 4
    rows = np.repeat(np.arange(300), weight)
    weighted = inference_of(X, y, weight, covariance, groups, class_weight=class_weight)
    copied = inference_of(
        X[rows], y[rows], None, covariance, groups[rows], class_weight=class_weight
    )
    assert_same(weighted, copied)
    assert weighted.n_observations == len(rows)


@pytest.mark.parametrize("K", [2, 3])
def test_weights_that_are_no_counts(grouped_data, K):
    """Are importances to the sandwich, as if each sample were a group of its own."""
    X, y, _ = grouped_data[K]
    weight = np.random.default_rng(0).uniform(0.1, 3, size=300)
    robust = inference_of(X, y, weight, "robust")
    alone = inference_of(X, y, weight, "cluster", np.arange(300))
    q = robust.coef.size
    assert_close(alone.covariance, robust.covariance * 300 / (300 - q), 1e-9)
    assert robust.n_observations == 300
    # whatever their unit
    assert_close(inference_of(X, y, weight / 100, "robust").covariance, robust.covariance, 1e-9)


@pytest.mark.parametrize("K", [2, 3])
def test_a_class_weight_multiplies_scores(grouped_data, K):
    """The sandwich is that of importances, not that of copies."""
    X, y, _ = grouped_data[K]
    factors = np.array([0.5, 3.5, 1.25])[:K]
    by_class = inference_of(X, y, None, "robust", class_weight=dict(enumerate(factors)))
    by_sample = inference_of(X, y, factors[y], "robust")
    assert_close(by_class.covariance, by_sample.covariance, 1e-9)
    assert by_class.log_likelihood == pytest.approx(by_sample.log_likelihood, rel=1e-12)


@pytest.mark.parametrize("covariance", COVARIANCES)
@pytest.mark.parametrize("K", [2, 3])
def test_labels_are_one_hot_rows(grouped_data, K, covariance):
    X, y, groups = grouped_data[K]
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


def test_a_soft_row_is_its_shares_of_each_class(grouped_data):
    """For the likelihood and its curvature; to the sandwich it is one sample."""
    X, _, _ = grouped_data[3]
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


def test_two_classes_are_one_logit(grouped_data):
    X, y, _ = grouped_data[2]
    clf = LogisticClassifier(C=np.inf).fit(X, y)
    assert_same(infer(clf, X, y), inference_of(X, y))


@pytest.mark.parametrize("K", [2, 3])
def test_the_end_of_the_fit_does_not_matter(grouped_data, K):
    """Newton steps go on from wherever it ended."""
    X, y, _ = grouped_data[K]
    clf = fit(X, y)
    tight = infer(clf, X, y)
    clf.coef_ = clf.coef_ + 1e-3 * np.arange(clf.coef_.size).reshape(clf.coef_.shape) ** 0.5
    assert not np.allclose(clf.coef_[-1] - clf.coef_[0] * (K > 2), tight.coef[-1, :3], rtol=1e-4)
    loose = infer(clf, X, y)
    np.testing.assert_allclose(loose.coef, tight.coef, rtol=1e-9)
    assert_same(loose, tight)


@pytest.mark.parametrize("K", [2, 3])
def test_cross_validated_penalty(grouped_data, K):
    X, y, _ = grouped_data[K]
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
def test_reference(grouped_data, K, covariance):
    """Contrasts with another class are differences of contrasts, and so are their covariances."""
    X, y, groups = grouped_data[K]
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


def test_reference_of_two_classes(grouped_data):
    X, y, _ = grouped_data[2]
    clf = fit(X, y)
    first, second = infer(clf, X, y), infer(clf, X, y, reference=1)
    np.testing.assert_allclose(second.coef, -first.coef, rtol=1e-12)
    np.testing.assert_allclose(second.covariance, first.covariance, rtol=1e-12)
    assert second.contrasts == [0]


@pytest.mark.parametrize("covariance", COVARIANCES)
@pytest.mark.parametrize("K", [2, 3])
def test_units_and_origin_of_features(grouped_data, K, covariance):
    """Columns of 1e-6 to 1e9, a timestamp among them."""
    X, y, groups = grouped_data[K]
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
def test_order_of_classes_and_rows(grouped_data, covariance):
    X, y, groups = grouped_data[3]
    found = inference_of(X, y, None, covariance, groups)
    order = np.random.default_rng(0).permutation(300)
    assert_same(inference_of(X[order], y[order], None, covariance, groups[order]), found)
    turned = fit(X, 2 - y)
    groups = groups if covariance == "cluster" else None
    other = infer(turned, X, 2 - y, covariance=covariance, groups=groups, reference=2)
    np.testing.assert_allclose(other.coef[::-1], found.coef, rtol=1e-9)
    np.testing.assert_allclose(other.standard_errors[::-1], found.standard_errors, rtol=1e-9)


@pytest.mark.parametrize("K", [2, 3])
def test_names_of_groups_do_not_matter(grouped_data, K):
    X, y, groups = grouped_data[K]
    clf = fit(X, y)
    names = np.array([f"town {g}" for g in groups])
    for named in (names, pd.Series(names), groups * 1000 - 7, groups.tolist()):
        found = infer(clf, X, y, covariance="cluster", groups=named)
        expected = infer(clf, X, y, covariance="cluster", groups=groups)
        assert_close(found.covariance, expected.covariance, 1e-12)


def test_rows_without_weight_are_absent(grouped_data):
    """Neither are they groups."""
    X, y, groups = grouped_data[3]
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
def test_forms_of_x(grouped_data, K, covariance, tmp_path):
    X, y, groups = grouped_data[K]
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
    monkeypatch.setattr(tuning, "ONE_BLOCK_ELEMENTS", 0)
    X, y = generate(30_000, 3, 3)
    X[:, 0] *= X[:, 0] > 0
    groups = np.arange(30_000) // 7 % 1000
    found = inference_of(X, y, None, "cluster", groups)
    oracle = oracle_of(X, y, "cluster", groups)
    assert_close(found.covariance, oracle.cov_params())
    assert_same(inference_of(sp.csr_array(X), y, None, "cluster", groups), found)


def test_one_feature(grouped_data):
    X, y, _ = grouped_data[3]
    found, oracle = inference_of(X[:, :1], y), oracle_of(X[:, :1], y)
    np.testing.assert_allclose(found.standard_errors.ravel(), flat(oracle.bse), rtol=RTOL)


def test_threads_change_no_bit(generate):
    X, y = generate(60_000, 5, 3)
    one, two = (infer(fit(X, y, n_jobs=n), X, y) for n in (1, 2))
    np.testing.assert_array_equal(one.covariance, two.covariance)
