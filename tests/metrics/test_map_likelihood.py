"""Derivatives of the mean cross-entropy of a map, by central differences."""

import numpy as np
import pytest
from scipy.special import log_softmax

from skxent.metrics import map_likelihood
from skxent.metrics.map_likelihood import MapPoint, MapSamples

FORMS = [(False, False), (False, True), (True, True)]


def samples_of(form, K, soft, seed=0):
    """Samples of one form with weights that sum to one."""
    rng = np.random.default_rng([seed, K, soft])
    Z = log_softmax(2 * rng.normal(size=(30, K)), axis=1)
    y = np.append(np.arange(K), rng.integers(K, size=30 - K))
    target = rng.dirichlet(np.ones(K), 30) if soft else y
    weight = rng.random(30)
    return MapSamples.of(Z, target, weight / weight.sum(), *form), Z, target


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("K", [2, 3, 6])
@pytest.mark.parametrize("form", FORMS)
def test_value(form, K, soft):
    samples, Z, target = samples_of(form, K, soft)
    rng = np.random.default_rng(K)
    theta = rng.normal(size=len(samples.linear))
    slopes, intercepts = samples.split(theta)
    log_q = log_softmax(slopes * Z + intercepts, axis=1)
    Y = target if soft else np.eye(K)[target]
    expected = -samples.weight @ (Y * log_q).sum(axis=1)
    assert MapPoint.at(samples, theta).value == pytest.approx(expected, rel=1e-13)
    np.testing.assert_allclose(samples.joined(slopes, intercepts), theta)


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("K", [2, 3, 6])
@pytest.mark.parametrize("form", FORMS)
def test_gradient_and_hessian_are_differences(form, K, soft):
    samples, _, _ = samples_of(form, K, soft)
    p = len(samples.linear)
    theta = np.random.default_rng(K).normal(size=p)
    here, h = MapPoint.at(samples, theta), 1e-5
    ends = [[here.moved(sign * h * e) for sign in (1, -1)] for e in np.eye(p)]
    slopes = [(up.value - down.value) / (2 * h) for up, down in ends]
    np.testing.assert_allclose(here.gradient, slopes, atol=1e-9)
    bends = np.array([(up.gradient - down.gradient) / (2 * h) for up, down in ends])
    # the added curvature along the direction in which nothing changes
    flat = np.append(np.zeros(samples.n_slopes), samples.root)
    expected = bends + np.outer(flat, flat)
    np.testing.assert_allclose(here.hessian(), expected, atol=1e-9)
    np.testing.assert_allclose(here.hessian_diagonal(), np.diag(expected), atol=1e-9)


@pytest.mark.parametrize("form", FORMS)
def test_products_are_the_matrix(monkeypatch, form):
    samples, _, _ = samples_of(form, 5, False)
    theta = np.random.default_rng(1).normal(size=len(samples.linear))
    here = MapPoint.at(samples, theta)
    matrix = here.hessian()
    monkeypatch.setattr(map_likelihood, "MOST_IN_A_MATRIX", 0)
    product = here.hessian()
    columns = [product @ e for e in np.eye(len(theta))]
    np.testing.assert_allclose(columns, matrix, atol=1e-14)


@pytest.mark.parametrize("form", FORMS)
def test_change_bounds_the_change_of_logits(form):
    samples, _, _ = samples_of(form, 4, False)
    step = np.random.default_rng(2).normal(size=len(samples.linear))
    here = MapPoint.at(samples, np.zeros(len(step)))
    changes = samples.logits(step)
    assert here.change(step) >= np.abs(changes).max()
    assert here.largest_range(step) == pytest.approx(np.ptp(changes, axis=0).max())
