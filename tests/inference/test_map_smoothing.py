"""The smoothing that leave-one-out losses choose."""

import numpy as np
import pytest
from scipy.special import log_softmax

from skxent.inference.map_choice import fit_shrunk_map
from skxent.inference.map_samples import Samples, smoothed
from skxent.inference.map_smoothing import GRID, fit_smoothed_map
from skxent.likelihood.row_losses import target_losses

METHODS = ["temperature", "bias", "vector", "matrix"]


def draw(n, K=3, noise=0.1, seed=0):
    """Predictions that are right but for a share of labels that are drawn blindly."""
    rng = np.random.default_rng(seed)
    Z = 3 * rng.normal(size=(n, K))
    y = (Z + rng.gumbel(size=(n, K))).argmax(axis=1)
    blind = rng.random(n) < noise
    y[blind] = rng.integers(K, size=blind.sum())
    return log_softmax(Z, axis=1), y


def sample(L, y):
    return Samples(L, y, np.ones(len(y)), 1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_blind_labels_are_found(method):
    """The best prediction is the mixture itself, with no map."""
    L, y = draw(3000)
    found = fit_smoothed_map(method, sample(L, y), None, None)
    assert found.smoothing == 0.1
    further, truth = draw(3000, seed=1)
    mapped = found.chosen.fitted.map.logits(smoothed(further, found.smoothing))
    best = target_losses(smoothed(further, 0.1), truth).mean()
    assert target_losses(mapped, truth).mean() < best + 0.004
    raw = fit_smoothed_map(method, sample(L, y), None, 0.0).chosen.fitted.map.logits(further)
    assert target_losses(raw, truth).mean() > best + 0.02


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("C", [None, 0.1, np.inf])
def test_nothing_is_smoothed_without_need(method, C):
    L, y = draw(1000, noise=0.0)
    found = fit_smoothed_map(method, sample(L, y), C, None)
    assert found.smoothing == 0.0
    assert found.chosen.C == fit_shrunk_map(method, sample(L, y), C).C


@pytest.mark.parametrize("method", METHODS)
def test_a_given_smoothing_is_kept(method):
    L, y = draw(300)
    found = fit_smoothed_map(method, sample(L, y), 0.1, 0.05)
    assert found.smoothing == 0.05
    expected = fit_shrunk_map(method, sample(smoothed(L, 0.05), y), 0.1)
    assert found.chosen.fitted.value == pytest.approx(expected.fitted.value, rel=1e-12)


def test_the_choice_is_the_first_within_one_nat():
    L, y = draw(400, noise=0.05)
    losses = [fit_shrunk_map("temperature", sample(smoothed(L, e), y), None).loss for e in GRID]
    first = int(np.argmax(400 * (np.array(losses) - min(losses)) <= 1.0))
    assert fit_smoothed_map("temperature", sample(L, y), None, None).smoothing == GRID[first]
