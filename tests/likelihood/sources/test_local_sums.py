"""Sums over rows in memory equal plain formulas, and are never kept for other parameters."""

import numpy as np
import pytest
import scipy.sparse
from scipy.special import expit, softmax

from skxent import SoftmaxClassifier
from skxent.likelihood import tuning
from skxent.likelihood.sources import local_sums
from skxent.likelihood.sources.grams import unpacked
from skxent.likelihood.sources.local_rows import LocalRows


def rows_of(form=np.asarray, weighted=False, K=3, n=60):
    rng = np.random.default_rng(0)
    weight = rng.uniform(0.5, 2.0, size=n) if weighted else None
    return LocalRows(form(rng.normal(size=(n, 4))), rng.integers(K, size=n), weight, K)


@pytest.fixture(params=["one block", "many blocks"])
def block_size(request, monkeypatch):
    if request.param == "many blocks":
        monkeypatch.setattr(tuning, "ONE_BLOCK_ELEMENTS", 100)
        monkeypatch.setattr(tuning, "BLOCK_ELEMENTS", 700)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("form", [np.asarray, scipy.sparse.csr_array])
@pytest.mark.parametrize("K", [2, 3])
def test_parameters_changed_in_place(K, form, weighted, block_size):
    """The array is the same and its numbers are others, so that nothing kept is right."""
    data = rows_of(form, weighted, K)
    theta, direction = np.random.default_rng(1).normal(size=(2, *data.theta_shape))
    sums = data.sums(None, False)
    for step in range(3):
        theta += step
        fresh = data.sums(None, False)
        value, gradient = sums.log_partition(theta)
        expected = fresh.log_partition(theta)
        assert value == expected[0]
        np.testing.assert_array_equal(gradient, expected[1])
        theta[0, 0] -= 0.5 * step
        for name in ("hessian_gram", "class_block_grams", "hessian_diagonal"):
            found, expected = (getattr(one, name)(theta, 0.1) for one in (sums, data.sums(None, 0)))
            np.testing.assert_array_equal(found, expected)
        theta[0, 1] += step
        for _ in range(2):
            np.testing.assert_array_equal(
                sums.hessian_product(theta, direction),
                data.sums(None, False).hessian_product(theta, direction),
            )
        np.testing.assert_array_equal(
            sums.sampling_scores(theta), data.sums(None, False).sampling_scores(theta)
        )


def test_what_is_kept_is_used_for_equal_parameters(monkeypatch):
    """Another array of the same numbers needs no second curvature."""
    from skxent.likelihood import kernels

    calls = []
    original = kernels.curvature
    monkeypatch.setattr(kernels, "curvature", lambda *args: calls.append(1) or original(*args))
    data = rows_of()
    theta, direction = np.random.default_rng(2).normal(size=(2, *data.theta_shape))
    sums = data.sums(None, False)
    one, other = (sums.hessian_product(at, direction) for at in (theta, theta.copy()))
    np.testing.assert_array_equal(one, other)
    assert len(calls) == 1
    sums.close()
    np.testing.assert_array_equal(sums.hessian_product(theta, direction), one)
    assert len(calls) == 2


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("form", [np.asarray, np.asfortranarray, scipy.sparse.csr_array])
@pytest.mark.parametrize("K", [2, 3])
def test_the_hessian_after_a_pass_is_the_formula(K, form, kept, block_size, monkeypatch):
    """From probabilities of the pass, which are kept, or computed again in runs of each block."""
    monkeypatch.setattr(tuning, "RUN_ELEMENTS", 40)
    monkeypatch.setattr(tuning, "LEAST_RUN", 7)
    monkeypatch.setattr(local_sums, "KEPT_PASS", 1 << 17 if kept else 1)
    data = rows_of(form, K=K)
    theta, direction = np.random.default_rng(3).normal(size=(2, *data.theta_shape))
    centre = np.full(4, 0.5)
    sums = data.sums(centre, False)
    samples = np.column_stack([data.dense() - centre, np.ones(data.n_rows)])
    Z = samples @ theta.T
    P = expit(Z) if K == 2 else softmax(Z, axis=1)
    for _ in range(2):
        sums.log_partition(theta)
        found = unpacked(sums.class_block_grams(theta, 0.0), 5)
        expected = np.einsum("ik,ij,il->kjl", P * (1 - P), samples, samples)
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
        found = unpacked(sums.hessian_gram(theta, 0.0), 5)[:1]
        np.testing.assert_allclose(found, expected[:1], rtol=1e-12, atol=1e-12)
        sums.log_partition(direction)  # what is kept now serves another point


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("K", [2, 3])
def test_sampling_scores_are_the_formula(K, weighted, block_size):
    data = rows_of(weighted=weighted, K=K)
    theta = np.random.default_rng(1).normal(size=data.theta_shape)
    logits = data.X @ theta[:, :-1].T + theta[:, -1]
    P = expit(logits) if K == 2 else softmax(logits, axis=1)
    Y = (data.targets[:, None] == np.arange(K))[:, -P.shape[1] :]
    expected = (P * (1 - P) + (P - Y) ** 2).sum(axis=1)
    expected = expected * data.weight if weighted else expected
    found = data.sums(None, False).sampling_scores(theta)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("form", [np.asarray, scipy.sparse.csr_array])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("K", [2, 3])
def test_leverages_are_the_formula_and_add_up_to_the_parameters(K, weighted, form, block_size):
    data = rows_of(form, weighted=weighted, K=K)
    X = data.dense()
    theta = np.random.default_rng(1).normal(size=data.theta_shape)
    centre = X.mean(axis=0)
    samples = np.column_stack([X - centre, np.ones(len(X))])
    logits = samples @ theta.T
    P = expit(logits) if K == 2 else softmax(logits, axis=1)
    sums = data.sums(centre, False)
    per_leverage = 1 / sums.hessian_diagonal(theta, 0.0)
    expected = np.einsum("ik,kj,ij->i", P * (1 - P), per_leverage, samples**2)
    expected = expected * data.weight if weighted else expected
    found = sums.sampling_scores(theta, per_leverage)
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    assert found.sum() == pytest.approx(theta.size, rel=1e-10)


def test_rows_without_weight_beside_a_huge_constant_column():
    """Centred they are as far away as the column is large, whose squares overflow."""
    X = np.array([[1e300], [1e300], [0.0], [-1e300]])
    clf = SoftmaxClassifier().fit(X, [0, 1, 0, 1], [1.0, 2.0, 0.0, 0.0])
    np.testing.assert_allclose(clf.predict_proba(X[:1]), [[1 / 3, 2 / 3]], rtol=1e-6)
