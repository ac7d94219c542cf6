"""A penalty with a factor for each feature: its derivatives, its parts and its bound of a gap."""

import numpy as np
import pytest

from skxent.likelihood.penalty import Penalty, centred

D, P = 3, 4  # features, and entries of a sample with its constant
FACTORS = {
    "positive": np.array([2.0, 0.5, 1.0]),
    "one zero": np.array([2.0, 0.0, 1.0]),
    "one penalised": np.array([0.0, 0.0, 1.0]),
}


@pytest.fixture(params=FACTORS.values(), ids=FACTORS.keys())
def penalty(request):
    return Penalty.of_C(1 / 0.7, request.param)


def coefficients(R, seed=0):
    return np.random.default_rng(seed).normal(size=(R, D))


def hessian(penalty, R):
    """By products with unit vectors, (R, D, R, D)."""
    units = np.eye(R * D).reshape(-1, R, D)
    return np.array([penalty(unit)[1] for unit in units]).reshape(R, D, R, D)


@pytest.mark.parametrize("R", [1, 3, 4])
def test_value_and_gradient(penalty, R):
    W, h = coefficients(R), 1e-5
    deviation = W - (W.mean(axis=0) if R > 1 else 0.0)
    expected = 0.35 * np.sum(penalty.factors * deviation**2)
    assert penalty.value(W) == pytest.approx(expected, rel=1e-14)
    value, slope = penalty(W)
    assert value == pytest.approx(expected, rel=1e-14)
    for i in np.ndindex(W.shape):
        step = np.zeros_like(W)
        step[i] = h
        numeric = (penalty(W + step)[0] - penalty(W - step)[0]) / (2 * h)
        assert slope[i] == pytest.approx(numeric, rel=1e-8, abs=1e-10)


@pytest.mark.parametrize("R", [1, 3])
def test_it_is_that_of_scaled_columns(R):
    """Columns divided by the root of their factors have coefficients multiplied by it."""
    factors, W = FACTORS["positive"], coefficients(R)
    scaled = Penalty.of_C(4.0).value(W * np.sqrt(factors))
    assert Penalty.of_C(4.0, factors).value(W) == pytest.approx(scaled, rel=1e-14)


@pytest.mark.parametrize("R", [1, 3, 4])
def test_hessian(penalty, R):
    n = max(R - 1, 1)
    exact = hessian(penalty, R)[:n, :, :n, :]
    H = np.zeros((n, P, n, P))
    penalty.add_to_hessian(np.einsum("kjlj->jkl", H)[:D])
    np.testing.assert_allclose(H[:, :D, :, :D], exact, atol=1e-15)
    assert not H[:, D:].any()
    rows = penalty.row_factor(n, D, P)
    np.testing.assert_allclose(rows.T @ rows, H.reshape(n * P, n * P), atol=1e-14)
    A = np.random.default_rng(3).normal(size=(n * D, n * D))
    product = np.trace(exact.reshape(n * D, n * D) @ A)
    assert penalty.hessian_trace(A.reshape(n, D, n, D)) == pytest.approx(product, rel=1e-13)


@pytest.mark.parametrize("R", [1, 3])
def test_class_blocks_and_diagonal_are_upper_bounds(penalty, R):
    blocks, diagonal = np.zeros((R, P, P)), np.zeros((R, D))
    penalty.add_to_class_blocks(blocks, D)
    penalty.add_to_diagonal(diagonal)
    exact = hessian(penalty, R)
    for k in range(R):
        assert np.linalg.eigvalsh(blocks[k, :D, :D] - exact[k, :, k, :]).min() > -1e-15
        np.testing.assert_array_equal(np.diagonal(blocks[k])[:D], diagonal[k])
        assert not blocks[k, D:].any()


def test_gap_bound(penalty):
    """Of a quadratic whose curvature is that of the penalty the bound is the gap."""
    value, slope = penalty(centred(coefficients(3)))
    expected = value if penalty.factors.all() else np.inf
    assert penalty.gap_bound(slope) == pytest.approx(expected, rel=1e-14)


def test_definite(penalty):
    assert penalty.is_definite == penalty.factors.all()
    assert not penalty.is_zero
    assert not penalty.rotation_invariant
    np.testing.assert_array_equal(penalty.at_most(0.0, D), penalty.factors == 0)
    assert penalty.is_at_most(1.4)
    assert not penalty.is_at_most(0.69)
    assert penalty.scaled(0.5) == Penalty(0.35, penalty.factors)


def test_equal_factors_are_no_factors():
    assert Penalty.of_C(4.0, np.ones(3)) == Penalty(0.25)
    assert Penalty.of_C(4.0, np.full(3, 2.0)) == Penalty(0.5)
    assert Penalty.of_C(4.0, np.zeros(3)) == Penalty()
    assert Penalty(0.25, FACTORS["positive"]) != Penalty(0.25)
    assert Penalty(0.25, FACTORS["positive"]) != Penalty(0.25, FACTORS["one zero"])


def test_an_infinite_C_ignores_factors():
    penalty = Penalty.of_C(np.inf, np.array([0.0, 1e300, 1.0]))
    assert penalty == Penalty()
    assert penalty.value(np.full((3, 3), 1e200)) == 0.0


def test_factors_that_are_not_seen_are_zero():
    factors = np.array([1.0, 1e-40, 0.0])
    seen = Penalty(1.0, factors).unless_invisible(1e-16)
    np.testing.assert_array_equal(seen.factors, [1.0, 0.0, 0.0])
    assert seen.unless_invisible(1e-16) is seen
    assert Penalty(1e-40, factors).unless_invisible(1e-16) == Penalty()


def test_unpenalised_coefficients_whose_squares_overflow_cost_nothing():
    W = np.array([[1.0, 1e200, 1.0]])
    assert Penalty(1.0, FACTORS["one zero"]).value(W) == pytest.approx(1.5)
