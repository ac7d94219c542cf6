"""The penalty of a map that leave-one-out chooses."""

import time

import numpy as np
import pytest
from scipy.special import log_softmax
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB

from skxent.inference import map_choice
from skxent.inference.map_choice import fit_shrunk_map, smallest
from skxent.inference.map_samples import Samples
from skxent.likelihood.row_losses import target_losses

EPS = np.finfo(np.float64).eps
METHODS = ["temperature", "bias", "vector", "matrix"]


def draw(K, n, seed=0, sharp=2.0):
    """Predictions that are too sharp and have a class too often, and labels."""
    rng = np.random.default_rng([seed, K])
    Z = rng.normal(size=(n, K))
    y = (Z + rng.gumbel(size=(n, K))).argmax(axis=1)
    y[:K] = range(K)
    return log_softmax(sharp * Z + np.linspace(0, 1, K), axis=1), y


def sample(L, y, w=None):
    return Samples(L, y, np.ones(len(L)) if w is None else w, 1e-6)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("K", [2, 3, 5])
def test_the_strongest_penalty_near_the_smallest_loss(method, K):
    L, y = draw(K, 300)
    chosen = fit_shrunk_map(method, sample(L, y), None)
    at = int(np.flatnonzero(chosen.Cs == chosen.C)[0])
    sums = 300 * chosen.losses
    if method == "vector":  # and one more sample of a random class
        for i, C in enumerate(chosen.Cs):
            fitted = fit_shrunk_map(method if C else "temperature", sample(L, y), C or None).fitted
            sums[i] -= log_softmax(fitted.map.logits(L), axis=1).mean()
    near = sums <= sums.min() + 1 / (1 + sums.min() / 5)
    assert near[at]
    assert not near[:at].any()
    assert chosen.loss == chosen.losses[at]
    assert (np.diff(chosen.Cs) > 0).all()
    assert chosen.fitted.finite
    loss = target_losses(chosen.fitted.map.logits(L), y).mean()
    assert chosen.fitted.value == pytest.approx(loss, rel=1e-9)


def test_slack_falls_with_the_sum():
    samples = sample(*draw(2, 100))
    for least, slack in ((0.0, 1.0), (5.0, 0.5), (495.0, 0.01)):
        for excess, first in ((0.99 * slack, 0), (1.01 * slack, 1)):
            losses = np.array([least + excess, least, np.inf]) / 100
            assert smallest(losses, samples) == first
            assert smallest(losses, samples, np.inf) == int(excess > 1)


@pytest.mark.parametrize("method", METHODS)
def test_a_given_penalty_is_kept(method):
    L, y = draw(3, 200)
    for C in (1e-8, 0.3):
        chosen = fit_shrunk_map(method, sample(L, y), C)
        assert chosen.C == C
        assert chosen.Cs.tolist() == [C]
    for C in (1e-8, 1e8):
        near = fit_shrunk_map(method, sample(L, y), C).fitted
        limit = fit_shrunk_map(method, sample(L, y), np.inf).fitted
        if C > 1:
            assert near.value == pytest.approx(limit.value, abs=1e-6)
        else:
            reference = fit_shrunk_map("temperature", sample(L, y), None).fitted
            Z = L if method == "temperature" else reference.map.logits(L)
            expected = log_softmax(Z, axis=1)
            found = log_softmax(near.map.logits(L), axis=1)
            np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("factor", [1e-3, 1e3])
def test_the_unit_of_weights_does_not_matter(method, factor):
    L, y = draw(3, 200)
    w = np.random.default_rng(0).random(200) + 0.1
    one = fit_shrunk_map(method, Samples(L, y, w, 1e-9), None)
    other = fit_shrunk_map(method, Samples(L, y, factor * w, 1e-9), None)
    assert pytest.approx(factor * other.C) == one.C
    np.testing.assert_allclose(
        log_softmax(one.fitted.map.logits(L), axis=1),
        log_softmax(other.fitted.map.logits(L), axis=1),
        atol=2e-3,
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [0.01, 1.0, 20.0])
@pytest.mark.parametrize("K", [2, 3])
def test_separated_samples_are_not_made_certain(method, size, K):
    """All of 100 predictions are right; further ones are wrong near the boundary of classes."""
    rng = np.random.default_rng(K)
    Z = rng.normal(size=(2100, K))
    y = (10 * Z + rng.gumbel(size=Z.shape)).argmax(axis=1)
    y[:100] = Z[:100].argmax(axis=1)
    L = log_softmax(size * Z, axis=1)
    chosen = fit_shrunk_map(method, sample(L[:100], y[:100]), None)
    loss = target_losses(chosen.fitted.map.logits(L[100:]), y[100:]).mean()
    assert loss < 0.4  # the best slope has 0.10 or 0.15; without a penalty the slope is infinite


@pytest.mark.parametrize("method", METHODS)
def test_a_class_that_was_never_wrong_does_not_become_certain(method):
    """Samples of naive Bayes, in which a small probability of the second class is always right."""
    X, y = load_breast_cancer(return_X_y=True)
    X, further, y, truth = train_test_split(X, y, test_size=2 / 3, stratify=y, random_state=2)
    bayes = GaussianNB().fit(X, y)
    held, further, y, truth = train_test_split(
        further, truth, train_size=150, stratify=truth, random_state=2
    )
    held, further = (np.log(np.maximum(bayes.predict_proba(X), EPS)) for X in (held, further))
    chosen = fit_shrunk_map(method, sample(held, y), None)
    before = target_losses(further, truth).mean()
    assert target_losses(chosen.fitted.map.logits(further), truth).mean() < 0.5 * before


@pytest.mark.parametrize("method", METHODS)
def test_a_class_with_one_sample(method):
    L, y = draw(4, 80)
    y[y == 3] = 0
    y[3] = 3
    L[3] = log_softmax([-9.0, -9.0, -9.0, 0.0])
    chosen = fit_shrunk_map(method, sample(L, y), None)
    _, intercept = chosen.fitted.map.parameters
    assert np.abs(intercept).max() < 10


def test_some_left_out_samples_represent_all(monkeypatch):
    L, y = draw(3, 1000)
    every = fit_shrunk_map("vector", sample(L, y), None)
    monkeypatch.setattr(map_choice, "MOST_LEFT_OUT", 300)
    some = fit_shrunk_map("vector", sample(L, y), None)
    n = min(len(some.losses), len(every.losses))
    assert not np.array_equal(some.losses[:n], every.losses[:n])
    np.testing.assert_allclose(some.losses[1:n], every.losses[1:n], atol=0.003)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("few", [(400, 400), (200, 400)])
def test_some_samples_choose_for_all(method, few, monkeypatch):
    L, y = draw(3, 2000)
    every = fit_shrunk_map(method, sample(L, y), None)
    monkeypatch.setattr(map_choice, "FEWEST_ROWS", 1)
    monkeypatch.setattr(map_choice, "ONE_SLOPE", 3 * few[0])
    monkeypatch.setattr(map_choice, "MANY", 3 * few[1])
    some = fit_shrunk_map(method, sample(L, y), None)
    assert not np.array_equal(some.losses[:2], every.losses[:2])
    np.testing.assert_allclose(some.losses[:2], every.losses[:2], atol=0.1)
    # The map is fitted to all samples, with this C.
    if some.C and method != "temperature":
        alone = fit_shrunk_map(method, sample(L, y), some.C).fitted.value
        assert some.fitted.value == pytest.approx(alone, abs=1e-4)
    loss = target_losses(some.fitted.map.logits(L), y).mean()
    assert some.fitted.value == pytest.approx(loss, rel=1e-9)
    assert some.fitted.value == pytest.approx(every.fitted.value, abs=0.003)


@pytest.mark.parametrize("method", METHODS)
def test_a_hundred_classes_in_seconds(method):
    L, y = draw(100, 3000, sharp=3.0)
    before = time.perf_counter()
    chosen = fit_shrunk_map(method, sample(L, y), None)
    assert time.perf_counter() - before < 30
    further, truth = draw(100, 3000, seed=1, sharp=3.0)
    loss = target_losses(chosen.fitted.map.logits(further), truth).mean()
    assert loss < target_losses(further, truth).mean() - 0.3
