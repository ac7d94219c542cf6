"""The penalty: its derivatives, its parts of the models of the Hessian, and its bound of a gap."""

import numpy as np
import pytest

from skxent.likelihood.penalty import Penalty, centred

D, P = 3, 4  # features, and entries of a sample with its constant
FACTORS = {
    "none": None,
    "positive": np.array([2.0, 0.5, 1.0]),
    "one zero": np.array([2.0, 0.0, 1.0]),
    "one penalised": np.array([0.0, 0.0, 1.0]),
}


@pytest.fixture(params=FACTORS.values(), ids=FACTORS.keys())
def penalty(request):
    """A penalty with a factor for each feature, or without factors."""
    return Penalty.of_C(1 / 0.7, request.param)


def factors_of(penalty):
    return np.ones(D) if penalty.factors is None else penalty.factors


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
    expected = 0.35 * np.sum(factors_of(penalty) * deviation**2)
    assert penalty.value(W) == pytest.approx(expected, rel=1e-14)
    value, slope = penalty(W)
    assert value == pytest.approx(expected, rel=1e-14)
    for i in np.ndindex(W.shape):
        step = np.zeros_like(W)
        step[i] = h
        numeric = (penalty(W + step)[0] - penalty(W - step)[0]) / (2 * h)
        assert slope[i] == pytest.approx(numeric, rel=1e-8, abs=1e-10)


@pytest.mark.parametrize("R", [1, 3, 4])
def test_hessian(penalty, R):
    """Of the classes but the last, where theirs is a parametrisation with the last at zero."""
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
    expected = value if factors_of(penalty).all() else np.inf
    assert penalty.gap_bound(slope) == pytest.approx(expected, rel=1e-14)
    assert Penalty().gap_bound(slope) == np.inf


def test_a_common_vector_changes_nothing():
    penalty, W = Penalty(0.7), coefficients(4)
    common = coefficients(1, seed=1)
    assert penalty.value(W + common) == pytest.approx(penalty.value(W), rel=1e-13)
    np.testing.assert_allclose(penalty(W)[1].sum(axis=0), 0.0, atol=1e-15)
    np.testing.assert_allclose(centred(W + common), centred(W), atol=1e-14)
    np.testing.assert_array_equal(centred(common), common)


def test_a_rotation_of_the_features_changes_nothing():
    assert Penalty(0.7).rotation_invariant
    W, Q = coefficients(3), np.linalg.qr(coefficients(3, seed=2))[0]
    assert Penalty(0.7).value(W @ Q) == pytest.approx(Penalty(0.7).value(W), rel=1e-14)


def test_strength():
    assert Penalty.of_C(4.0) == Penalty(0.25)
    assert Penalty.of_C(np.inf) == Penalty(0.0)
    assert Penalty().is_zero and not Penalty().is_definite
    assert Penalty(1e-300).is_definite and not Penalty(1e-300).is_zero
    assert Penalty(0.5).scaled(0.5) == Penalty(0.25)
    assert Penalty(0.5).is_at_most(0.5) and not Penalty(0.5).is_at_most(0.4)
    assert not len(Penalty().row_factor(2, D, P))


def test_a_penalty_that_is_not_seen_is_none():
    assert Penalty(1.1e-300).unless_invisible(1e-150) == Penalty(1.1e-300)
    assert Penalty(0.9e-300).unless_invisible(1e-150) == Penalty()


def test_no_penalty_of_coefficients_whose_squares_overflow_is_zero():
    assert Penalty().value(np.full((3, 2), 1e200)) == 0.0


@pytest.mark.parametrize("R", [1, 3])
def test_it_is_that_of_scaled_columns(R):
    """Columns divided by the root of their factors have coefficients multiplied by it."""
    factors, W = FACTORS["positive"], coefficients(R)
    scaled = Penalty.of_C(4.0).value(W * np.sqrt(factors))
    assert Penalty.of_C(4.0, factors).value(W) == pytest.approx(scaled, rel=1e-14)


@pytest.mark.parametrize("name", ["positive", "one zero", "one penalised"])
def test_definite(name):
    penalty = Penalty.of_C(1 / 0.7, FACTORS[name])
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


@pytest.mark.parametrize("K", [3, 5])
def test_hessian_between_steps_of_one_class_each(penalty, K):
    steps = np.random.default_rng(6).normal(size=(K, 2, D))
    found = penalty.between_classes(steps)
    whole = np.zeros((2 * K, K, D))  # each step as coefficients of all classes
    for k in range(K):
        whole[2 * k : 2 * k + 2, k] = steps[k]
    expected = np.einsum("akd,kdle,ble->ab", whole, hessian(penalty, K), whole)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
