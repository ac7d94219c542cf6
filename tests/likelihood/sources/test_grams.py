"""Models of the curvature with caution, against an explicit loop over samples."""

import numpy as np
import pytest

from skxent.likelihood import tuning
from skxent.likelihood.optimise import preconditioners
from skxent.likelihood.sources import grams
from skxent.likelihood.sources.grams import pairs, unpacked


def own_blocks(case, theta, caution):
    """Sum of w (p (1 - p) + c r^2) x x' for each row of theta, (R, p, p)."""
    P, R = case.probabilities(theta), len(theta)
    h = (P * (1 - P) + caution * (P - case.Y) ** 2)[:, -R:]
    return np.einsum("i,ik,ij,il->kjl", case.weight, h, case.samples, case.samples)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("caution", [0.0, 0.1, 2.5])
@pytest.mark.parametrize("K", [2, 3, 5])
def test_hessian_with_caution(make_case, K, caution, soft, sparse, packed, monkeypatch):
    monkeypatch.setattr(tuning, "PACKED_WIDTH", 96 if packed else 0)
    monkeypatch.setattr(tuning, "PACKED_RATIO", 99)
    case = make_case(K, n=25, soft=soft)
    theta = case.theta()
    expected = case.free_hessian(theta, caution)
    for objective in (case.objective(sparse=sparse), case.objective(sparse=sparse, n_threads=2)):
        H = preconditioners.hessian(objective, theta, caution)
        np.testing.assert_allclose(H, expected, rtol=1e-11, atol=1e-11)
        model = preconditioners.full(objective, theta, caution)
        ((scale,), (L,)) = model.scales, model.factors
        np.testing.assert_allclose(L @ L.T / scale / scale[:, None], expected, rtol=1e-9, atol=1e-9)
        gram = objective.rows.hessian_gram(theta, caution)
        assert gram.ndim == (2 if packed else 3)
        objective.close()


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("caution", [0.0, 0.1, 2.5])
@pytest.mark.parametrize("K", [2, 4])
def test_class_blocks_and_diagonal_with_caution(
    make_case, K, caution, sparse, fit_intercept, packed, monkeypatch
):
    monkeypatch.setattr(tuning, "PACKED_WIDTH", 96 if packed else 0)
    monkeypatch.setattr(tuning, "PACKED_RATIO", 99)
    case = make_case(K, n=25, fit_intercept=fit_intercept)
    objective, theta = case.objective(sparse=sparse), case.theta()
    expected = own_blocks(case, theta, caution)
    gram = unpacked(objective.rows.class_block_grams(theta, caution), theta.shape[1])
    np.testing.assert_allclose(gram, expected, rtol=1e-11, atol=1e-11)
    squares = objective.rows.hessian_diagonal(theta, caution)
    np.testing.assert_allclose(squares, np.einsum("kjj->kj", expected), rtol=1e-11)
    ridge = np.zeros(theta.shape[1])
    ridge[: objective.n_features] = case.alpha
    scale = preconditioners.diagonal(objective, theta, caution).scale
    np.testing.assert_allclose(scale**-2, np.einsum("kjj->kj", expected) + ridge, rtol=1e-11)
    blocks = preconditioners.class_blocks(objective, theta, caution)
    for k, (own, L) in enumerate(zip(blocks.scales, blocks.factors, strict=True)):
        H = L @ L.T / own / own[:, None]
        np.testing.assert_allclose(H, expected[k] + np.diag(ridge), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("batch", [1, 7, 1000])
@pytest.mark.parametrize("K", [2, 4])
def test_batches_of_rows_change_nothing(make_case, K, batch, monkeypatch):
    """However many outer products of rows are formed at a time."""
    case = make_case(K, n=50)
    theta = case.theta()
    p = theta.shape[1]
    monkeypatch.setattr(tuning, "PACKED_SPACE", batch * p * (p + 1) // 2)
    H = preconditioners.hessian(case.objective(), theta, 0.1)
    np.testing.assert_allclose(H, case.free_hessian(theta, 0.1), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("sign", [1.0, -1.0, 0.0])
def test_class_weights_of_either_sign(sign, monkeypatch):
    """Weights above zero, below, and of both signs make the same sum."""
    rng = np.random.default_rng(0)
    x, C = rng.normal(size=(30, 4)), np.abs(rng.normal(size=(2, 30)))
    C[1] *= sign if sign else np.where(np.arange(30) % 2, 1, -1)
    found = grams.each_gram(C, x, np.empty_like(x))
    expected = np.einsum("qi,ij,il->qjl", C, x, x)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)
    monkeypatch.setattr(grams, "SMALL_PRODUCT", 1)
    large = grams.each_gram(C, x, np.empty_like(x))
    np.testing.assert_allclose(large, expected, rtol=1e-12, atol=1e-13)
    in_place = grams.each_gram(C[:1], x, x)
    np.testing.assert_allclose(in_place, expected[:1], rtol=1e-12, atol=1e-13)


def test_packed_and_unpacked_matrices_are_the_same():
    """Each of the products of two entries is kept once, row by row of the upper triangle."""
    S = np.random.default_rng(0).normal(size=(3, 5, 5))
    S += S.swapaxes(1, 2)
    i, j = pairs(5)
    assert (i <= j).all()
    assert len(i) == 15
    np.testing.assert_array_equal(unpacked(S[:, i, j], 5), S)
    assert unpacked(S, 5) is S


@pytest.mark.parametrize("K", [2, 3])
def test_a_long_sample_is_not_packed(make_case, K):
    case = make_case(K, n=10, d=100)
    theta = case.theta(scale=0.01)
    assert not grams.packs(1, 101)
    expected = case.free_hessian(theta, 0.3)
    np.testing.assert_allclose(
        preconditioners.hessian(case.objective(), theta, 0.3), expected, rtol=1e-10, atol=1e-10
    )


@pytest.mark.parametrize("K", [3, 4])
def test_a_step_has_nothing_that_all_classes_have_in_common(make_case, K):
    case = make_case(K)
    objective, theta = case.objective(), case.theta()
    model = preconditioners.full(objective, theta)
    step = model.from_whitened(np.random.default_rng(0).normal(size=(K - 1) * theta.shape[1]))
    np.testing.assert_allclose(step.sum(axis=0), 0, atol=1e-13)
    assert np.abs(step).max() > 1e-3
