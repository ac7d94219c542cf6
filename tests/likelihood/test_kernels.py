"""The fused kernels of a fit against mpmath, finite differences and limits.

The kernels of the losses, in the same module, are tested with the metrics.
"""

from fractions import Fraction

import mpmath as mp
import numpy as np
import pytest

from skxent.likelihood import row_losses
from skxent.likelihood.kernels import curvature, log_partition, move_probabilities

SCALES = [1e-8, 1.0, 40.0, 700.0, 1e4, 1e300]


def partition(Z, weight=None):
    """Sum and gradient of the log-partition, leaving Z as it is."""
    P = np.empty_like(Z)
    total = log_partition(Z.copy(), P, weight)
    return total, P


def exact_partition(z):
    """A and its gradient for one sample, 50 digits. One logit counts from the midpoint."""
    with mp.workdps(50):
        z = [mp.mpf(float(value)) for value in z]
        ends = [z[0] / 2, -z[0] / 2] if len(z) == 1 else z
        top = max(ends)
        e = [mp.exp(value - top) for value in ends]
        A = top + mp.log(mp.fsum(e))
        p = [value / mp.fsum(e) for value in e]
        return float(A), [float(p[0] - mp.mpf(1) / 2)] if len(z) == 1 else [float(v) for v in p]


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("R", [1, 2, 3, 20])
def test_partition_is_exact(R, scale):
    Z = np.random.default_rng(R).uniform(-scale, scale, size=(R, 7))
    Z[:, 0] = scale  # all equal, and at the far end
    for j in range(Z.shape[1]):
        A, P = partition(Z[:, [j]])
        true_A, true_P = exact_partition(Z[:, j])
        # The value is a sum of terms as large as the largest logit, so its error is relative to it.
        rounding = 4e-16 * np.abs(Z[:, j]).max() + 1e-16
        assert pytest.approx(true_A, rel=1e-15, abs=rounding) == A
        # exp turns the rounding of z - A into a relative error, for the probabilities that count.
        np.testing.assert_allclose(P[:, 0], true_P, rtol=2e-12, atol=1e-16)


@pytest.mark.parametrize("R", [1, 4])
def test_a_block_with_one_extreme_sample(R):
    """One sample that needs the shift by the maximum does not spoil the others of its block."""
    Z = np.random.default_rng(0).normal(size=(R, 6))
    Z[:, 3] *= 1e5
    total, P = partition(Z)
    ones = [partition(Z[:, [j]]) for j in range(6)]
    assert total == pytest.approx(sum(A for A, _ in ones), rel=1e-14)
    np.testing.assert_allclose(P, np.hstack([p for _, p in ones]), rtol=1e-14, atol=1e-300)


@pytest.mark.parametrize("R", [1, 3])
@pytest.mark.parametrize("shift", [800.0, -800.0])
def test_logits_beyond_exp(R, shift):
    """exp of these logits is 0 or infinity."""
    Z = np.full((R, 2), shift)
    total, P = partition(Z)
    assert total == pytest.approx(2 * (400.0 if R == 1 else shift + np.log(3)), rel=1e-15)
    np.testing.assert_allclose(P, 0.5 * np.sign(shift) if R == 1 else 1 / 3, rtol=1e-15)


def test_shift_of_all_logits_changes_no_probability():
    Z = np.random.default_rng(1).normal(size=(4, 9))
    total, P = partition(Z)
    for shift in (-500.0, 300.0, 1e5):
        moved, Q = partition(Z + shift)
        assert moved == pytest.approx(total + 9 * shift, rel=1e-14)
        # Z + 1e5 is rounded to 1.5e-11
        np.testing.assert_allclose(Q, P, rtol=2e-11)


@pytest.mark.parametrize("R", [1, 3])
def test_weights_are_copies(R):
    rng = np.random.default_rng(2)
    Z, weight = rng.normal(size=(R, 5)), np.array([0, 1, 2, 3, 4.0])
    total, P = partition(Z, weight)
    copied, Q = partition(np.repeat(Z, weight.astype(int), axis=1))
    assert total == pytest.approx(copied, rel=1e-15)
    assert P[:, 0].tolist() == [0.0] * R
    np.testing.assert_allclose(P[:, 4], 4 * Q[:, -1], rtol=1e-15)


def moved(Z, Q, weight=None):
    """Turn moves of logits into moves of probabilities, in place."""
    P = np.empty_like(Z)
    curvature(Z.copy(), P)
    move_probabilities(P, Q, np.empty_like(Z), weight)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("R", [1, 3])
def test_gradient_and_moves_by_central_differences(R, weighted):
    rng = np.random.default_rng(3)
    Z, Q = rng.normal(scale=3, size=(2, R, 8))
    weight = rng.uniform(0, 2, size=8) if weighted else None
    h = 1e-5
    up, down = partition(Z + h * Q, weight), partition(Z - h * Q, weight)
    slope = np.vdot(partition(Z, weight)[1], Q)
    assert (up[0] - down[0]) / (2 * h) == pytest.approx(slope, rel=1e-8)
    moves = Q.copy()
    moved(Z, moves, weight)
    np.testing.assert_allclose((up[1] - down[1]) / (2 * h), moves, rtol=1e-8, atol=1e-10)


def test_moves_of_confident_samples_keep_their_digits():
    """p (1 - p) of a logit of 600 is e^-600, not 0."""
    for z in (-600.0, 600.0):
        Q = np.ones((1, 1))
        moved(np.array([[z]]), Q)
        assert Q[0, 0] == pytest.approx(float(mp.exp(-600)), rel=1e-13)


def test_two_classes_are_the_difference_of_two_logits():
    """One logit z is the softmax of (z / 2, -z / 2)."""
    z = np.linspace(-50, 50, 11)
    one, p = partition(z[None])
    two, P = partition(np.array([z / 2, -z / 2]))
    assert one == pytest.approx(two, rel=1e-14)
    np.testing.assert_allclose(p[0] + 0.5, P[0], rtol=1e-13, atol=1e-16)


@pytest.mark.parametrize("size", [1e-8, 1.0, 1e8, 1e150])
def test_differences_and_what_they_round_away(size):
    """Both orders of size, all signs: d + lost is a - b, in fractions."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 500)) * [[1.0], [size]]
    d, lost = row_losses._two_difference(a, b)
    np.testing.assert_array_equal(d, a - b)
    for values in zip(a, b, d, lost, strict=True):
        x, y, difference, rest = map(Fraction, values)
        assert x - y == difference + rest
    assert size == 1e150 or lost.any()


@pytest.mark.parametrize("labels", [False, True])
def test_logits_far_from_their_maximum_keep_their_digits(labels):
    """Of Z - m what rounds away is up to 1e-14, and exp makes it a relative error of the loss."""
    rng = np.random.default_rng(0)
    Z = rng.uniform(-100, 100, size=(200, 3))
    codes = Z.argmax(axis=1)
    if labels:
        found = row_losses.categorical_losses(Z, codes)
    else:
        found = row_losses.soft_losses(Z, np.eye(3)[codes])
    with mp.workdps(60):
        for loss, z, k in zip(found, Z, codes, strict=True):
            others = mp.fsum(mp.exp(mp.mpf(v) - mp.mpf(z[k])) for v in np.delete(z, k).tolist())
            assert abs(mp.mpf(float(loss)) / mp.log1p(others) - 1) < 5e-16
