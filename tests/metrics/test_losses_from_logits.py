"""Losses from logits against mpmath: full relative accuracy, from -1e4 to 1e4 and K from 2 to 1000.

The reference takes the logits as given (float32 ones are exact in float64) and 360 digits, so that
a loss of 1e-300 still has fifty good ones after lse - z_k has cancelled.
"""

import mpmath as mp
import numpy as np
import pytest

from skxent.metrics import binary_cross_entropy, categorical_cross_entropy

TOLERANCE = 1e-14
DIGITS = 360


def exact(z, y):
    """Sum over k of y_k (lse(z) - z_k)."""
    with mp.workdps(DIGITS):
        z = [mp.mpf(float(value)) for value in z]
        lse = mp.log(mp.fsum(mp.exp(value) for value in z))
        return mp.fsum(
            mp.mpf(float(share)) * (lse - v) for share, v in zip(y, z, strict=True) if share
        )


def assert_exact(losses, Z, Y):
    for loss, z, y in zip(losses, np.asarray(Z, float), Y, strict=True):
        true = exact(z, y)
        # below 1e-300 float64 has no full precision, it only must not be far off
        error = abs(mp.mpf(float(loss)) - true)
        assert error <= max(TOLERANCE * true, mp.mpf("1e-310")), (float(loss), mp.nstr(true, 20))


def rows_of_logits(K, scale, dtype):
    """Ordinary rows and the hard ones, with the class to ask for."""
    rng = np.random.default_rng([K, int(np.log10(scale) * 10) + 200])
    Z = rng.uniform(-scale, scale, size=(8, K))
    codes = rng.integers(K, size=8)
    Z[0] = Z[0, 0]  # all equal but one, just below
    Z[0, 1] -= 1e-12
    codes[0] = 1
    Z[1] = scale - np.linspace(0, 1e-3, K)  # the true class on top of many close ones
    codes[1] = 0
    for row, gap in ((2, 1e-12), (3, 40.0), (4, 690.0), (5, 1e4)):  # the true class above by a gap
        Z[row, 0] = Z[row, 1:].max() + gap
        codes[row] = 0
    Z[6, 1] = Z[6].max() + 1e-12  # and below by one
    codes[6] = Z[6].argsort()[-2]
    return Z.astype(dtype), codes


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1e-12, 1e-3, 1.0, 30.0, 700.0, 1e4])
@pytest.mark.parametrize("K", [2, 3, 10, 100])
def test_categorical_losses_from_logits(K, scale, dtype):
    Z, codes = rows_of_logits(K, scale, dtype)
    losses = categorical_cross_entropy(
        codes, Z, from_logits=True, labels=np.arange(K), reduction="none"
    )
    assert_exact(losses, Z, np.eye(K)[codes])
    Y = np.random.default_rng(K).dirichlet(np.full(K, 0.3), size=len(Z))
    assert_exact(categorical_cross_entropy(Y, Z, from_logits=True, reduction="none"), Z, Y)


@pytest.mark.parametrize("scale", [1e-3, 30.0, 1e4])
def test_categorical_losses_from_logits_of_many_classes(scale):
    K = 1000
    Z, codes = rows_of_logits(K, scale, np.float64)
    losses = categorical_cross_entropy(
        codes, Z, from_logits=True, labels=np.arange(K), reduction="none"
    )
    assert_exact(losses, Z, np.eye(K)[codes])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_binary_losses_from_logits(dtype):
    size = np.concatenate([[0.0], np.logspace(-12, 4, 60)])
    z = np.concatenate([-size, size]).astype(dtype)
    for y in (0.0, 1.0, 0.3, 1e-9, 1 - 1e-9):
        target = np.full(z.size, y)
        losses = binary_cross_entropy(target, z, from_logits=True, reduction="none")
        true = np.column_stack([1 - target, target])
        assert_exact(losses, np.column_stack([np.zeros(z.size), z]), true)


def test_confident_right_answer_costs_what_it_costs():
    loss = categorical_cross_entropy([0], [[40.0, 0.0]], from_logits=True, labels=[0, 1])
    np.testing.assert_allclose(loss, 4.248354255291589e-18, rtol=1e-15)  # mpmath: log1p(exp(-40))
    np.testing.assert_allclose(
        binary_cross_entropy([1], [40.0], from_logits=True), 4.248354255291589e-18, rtol=1e-15
    )


def test_small_probabilities_cost_what_they_cost():
    # -log1p(-1e-20) is 1e-20: the complement of a probability is not rounded to 1 first
    assert binary_cross_entropy([0.0], [1e-20]) == 1e-20
    assert categorical_cross_entropy(["no"], [1e-20], labels=["no", "yes"]) == 1e-20


@pytest.mark.parametrize("z", [1e305, 1.7e308])
def test_largest_logits(z):
    losses = categorical_cross_entropy(
        [0, 1], [[z, -z], [z, -z]], from_logits=True, reduction="none"
    )
    np.testing.assert_array_equal(losses, [0.0, 2e305 if z == 1e305 else np.inf])


def test_impossible_classes():
    Z = [[0.0, -np.inf, 0.0], [0.0, -np.inf, 0.0]]
    losses = categorical_cross_entropy(
        [0, 1], Z, from_logits=True, labels=[0, 1, 2], reduction="none"
    )
    np.testing.assert_allclose(losses, [np.log(2), np.inf])
    Y = [[0.5, 0.0, 0.5], [0.5, 0.5, 0.0]]
    losses = categorical_cross_entropy(Y, Z, from_logits=True, reduction="none")
    np.testing.assert_allclose(losses, [np.log(2), np.inf])
    losses = binary_cross_entropy(
        [0, 1, 0, 1], [-np.inf, -np.inf, np.inf, np.inf], from_logits=True, reduction="none"
    )
    np.testing.assert_array_equal(losses, [0, np.inf, np.inf, 0])


@pytest.mark.parametrize("dtype", [np.int64, np.int8, np.uint8, bool])
def test_integer_logits_of_soft_rows_equal_the_same_floats(dtype):
    rows, z = [[0.3, 0.7], [1.0, 0.0]], np.array([1, 0], dtype=dtype)
    found = categorical_cross_entropy(rows, z, from_logits=True)
    assert found == categorical_cross_entropy(rows, z.astype(float), from_logits=True)
