"""Samples of maps: random ones of them, and smoothed predictions."""

import numpy as np
import pytest
from scipy.special import log_softmax, logsumexp

from skxent.inference.map_samples import Samples, drawn, smoothed


def draw(K, n):
    rng = np.random.default_rng(K)
    return log_softmax(rng.normal(size=(n, K)), axis=1), rng.integers(K - 1, size=n)


@pytest.mark.parametrize("smoothing", [0.0, 1e-300, 1e-4, 0.3, 0.999])
def test_smoothed_predictions_are_a_mixture(smoothing):
    L, _ = draw(4, 50)
    found = smoothed(L, smoothing)
    expected = (1 - smoothing) * np.exp(L) + smoothing / 4
    np.testing.assert_allclose(np.exp(found), expected, rtol=1e-14)
    np.testing.assert_allclose(logsumexp(found, axis=1), 0.0, atol=1e-14)


def test_predictions_without_smoothing_are_the_same_array():
    L, _ = draw(3, 5)
    before = L.copy()
    assert smoothed(L, 0.0) is L
    smoothed(L, 0.1)
    assert np.array_equal(L, before)


def test_log_probabilities_beyond_all_floats_are_smoothed():
    L = np.array([[0.0, -1e5, -1e300]])
    np.testing.assert_allclose(smoothed(L, 0.3), np.log([[0.8, 0.1, 0.1]]))


@pytest.mark.parametrize("soft", [False, True])
def test_every_class_is_among_some_samples(soft):
    L, y = draw(5, 1000)
    y[777] = 4
    target = np.eye(5)[y] if soft else y
    samples = Samples(L, target, np.arange(1.0, 1001.0), 1e-6)
    assert samples.at_most(1000) is samples
    some = samples.at_most(50)
    assert 50 <= len(some.weight) <= 55
    assert 778.0 in some.weight
    rows = some.weight.astype(int) - 1
    np.testing.assert_array_equal(some.log_q, L[rows])
    np.testing.assert_array_equal(some.target, target[rows])


def test_places_are_drawn_once():
    assert np.array_equal(drawn(5, 7), range(5))
    found = drawn(1000, 100)
    assert len(np.unique(found)) == 100
    assert np.array_equal(found, drawn(1000, 100))
    assert found.max() < 1000


def test_the_unit_is_the_weight_if_all_are_equal():
    L, y = draw(3, 10)
    assert Samples(L, y, np.full(10, 0.2), 1e-6).unit == pytest.approx(0.2)
