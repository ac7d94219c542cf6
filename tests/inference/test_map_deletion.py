"""Leave-one-out losses of maps are those of fits without each sample."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax, logsumexp, softmax

from skxent.inference import map_deletion
from skxent.inference.map_deletion import (
    MapLeverages,
    MatrixLeverages,
    class_leverages,
    left_out_losses,
    left_out_losses_of_classes,
    left_out_losses_of_slope,
)
from skxent.likelihood.row_losses import target_losses
from skxent.metrics.calibration_maps import MapProblem
from skxent.metrics.matrix_map import MatrixProblem

METHODS = ["temperature", "bias", "vector", "matrix"]


def draw(K, n, seed=0):
    rng = np.random.default_rng([seed, K])
    Z = rng.normal(size=(n, K))
    y = (Z + rng.gumbel(size=(n, K))).argmax(axis=1)
    y[: 2 * K] = np.tile(range(K), 2)
    return log_softmax(2 * Z + np.linspace(0, 1, K), axis=1), y, rng.random(n) + 0.5


def problem_of(method, K, soft, C, n=60):
    """A fitted map that is shrunk to the slope 0.7: coordinates, logits, leverages and weights."""
    L, y, w = draw(K, n)
    target = np.random.default_rng(1).dirichlet(np.ones(K), n) if soft else y
    if method == "matrix":
        problem = MatrixProblem.of(L, target, w, 1e-9, 0.7)
        logits, own = problem.logits(problem.fit(C)), problem.weight
        leverages = MatrixLeverages.of(problem, softmax(logits, axis=1), C)
    else:
        problem = MapProblem.of(method, L, target, w, 1e-9).shrunk(C, 0.7)
        point = problem.fit_shrunk().point
        logits, own = point.samples.logits(point.theta).T, point.samples.weight
        leverages = MapLeverages.of(point)
    return problem.frame, L, target, w, logits, own, leverages


def objective(parameters, method, frame, L, Y, w, C):
    """The penalised sum of losses, as the docstring of `calibration_maps` defines it."""
    K = L.shape[1]
    U = logits_of(parameters, method, frame, L)
    slopes = parameters if method == "temperature" else parameters[:-K]
    levels = np.zeros(K) if method == "temperature" else parameters[-K:]
    penalty = (np.sum(slopes**2) + np.sum(levels**2)) / (2 * C)
    return w @ (logsumexp(U, axis=1) - (Y * U).sum(axis=1)) + penalty


def logits_of(parameters, method, frame, L):
    """Logits with slopes that are changes of 0.7 s, and with changes of the intercepts."""
    K = L.shape[1]
    changes = parameters if method == "temperature" else parameters[:-K]
    levels = 0.0 if method == "temperature" else parameters[-K:]
    slope = changes.reshape(K, K) if method == "matrix" else changes * np.eye(K)
    slope = slope + 0.7 * frame.scale * np.eye(K)
    return frame.coordinates(L) @ slope.T + levels + 0.7 * frame.centre


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.thinned(3)
def test_losses_are_those_of_fits_without_the_sample(method, K, soft):
    C = 0.3
    frame, L, target, w, logits, own, leverages = problem_of(method, K, soft, C)
    fitted, found = left_out_losses(logits, target, own, leverages, np.arange(len(w)))
    np.testing.assert_allclose(fitted, target_losses(logits, target), rtol=1e-12)
    Y = target if soft else np.eye(K)[target]
    n = {"temperature": 1, "bias": 1 + K, "vector": 2 * K, "matrix": K * K + K}[method]
    expected, start = np.empty(20), np.zeros(n)
    start = minimize(objective, start, (method, frame, L, Y, w, C)).x
    np.testing.assert_allclose(
        log_softmax(logits_of(start, method, frame, L), axis=1),
        log_softmax(logits, axis=1),
        atol=1e-3,
    )
    for i in range(20):
        rest = np.where(np.arange(len(w)) == i, 0.0, w)
        end = minimize(objective, start, (method, frame, L, Y, rest, C)).x
        U = logits_of(end, method, frame, L[[i]])
        expected[i] = target_losses(U, target[[i]])[0]
    growth, predicted = expected - fitted[:20], found[:20] - fitted[:20]
    np.testing.assert_allclose(predicted, growth, rtol=0.25, atol=0.01)
    assert predicted.sum() == pytest.approx(growth.sum(), rel=0.15)


def test_likely_classes_suffice(monkeypatch):
    """Logits of improbable classes that do not change make little difference."""
    L, y, w = draw(20, 400)
    point = MapProblem.of("bias", 2 * L, y, w, 1e-9).shrunk(1.0, 0.5).fit_shrunk().point
    logits, own = point.samples.logits(point.theta).T, point.samples.weight
    arguments = logits, y, own, MapLeverages.of(point), np.arange(400)
    fitted, all_move = left_out_losses(*arguments)
    monkeypatch.setattr(map_deletion, "FEW", 10)
    _, few_move = left_out_losses(*arguments)
    assert not np.array_equal(few_move, all_move)
    assert (few_move - fitted).sum() == pytest.approx((all_move - fitted).sum(), rel=0.1)


@pytest.mark.parametrize("K", [10, 20])
@pytest.mark.parametrize("C", [1e-3, 1e-2, 0.1])
@pytest.mark.parametrize("most_blocks", [200, 5])
def test_blocks_of_classes_are_near_the_whole_hessian(monkeypatch, K, C, most_blocks):
    monkeypatch.setattr(map_deletion, "MOST_BLOCKS", most_blocks)
    L, y, w = draw(K, 1500)
    problem = MatrixProblem.of(L, y, w, 1e-6, 0.5)
    logits = problem.logits(problem.fit(C))
    P, rows = softmax(logits, axis=1), np.arange(0, 1500, 5)
    fitted, exact = left_out_losses(logits, y, w, MatrixLeverages.of(problem, P, C), rows)
    A = class_leverages(problem, P, C, rows)
    same, found = left_out_losses_of_classes(logits, y, w, A, rows)
    np.testing.assert_allclose(same, fitted)
    assert (found - fitted).sum() == pytest.approx((exact - fitted).sum(), rel=0.15)


@pytest.mark.parametrize("method", ["bias", "vector"])
def test_blocks_of_maps_are_near_the_whole_hessian(monkeypatch, method):
    L, y, w = draw(30, 3000)
    point = MapProblem.of(method, L, y, w, 1e-9).shrunk(0.1, 0.5).fit_shrunk().point
    logits, own = point.samples.logits(point.theta).T, point.samples.weight
    growth = []
    for limit in (10**6, 0):
        monkeypatch.setattr(map_deletion, "MOST_IN_A_MATRIX", limit)
        leverages = MapLeverages.of(point)
        fitted, losses = left_out_losses(logits, y, own, leverages, np.arange(3000))
        growth.append((losses - fitted).sum())
    assert growth[1] == pytest.approx(growth[0], rel=0.1)


class Diagonal:
    """Matrices A that are diagonal."""

    def __init__(self, A):
        self.A = A

    def at(self, rows, classes):
        own = np.take_along_axis(self.A[rows], classes, 1)
        return own[:, :, None] * np.eye(classes.shape[1])


@pytest.mark.parametrize("soft", [False, True])
def test_diagonal_matrices_need_no_equations(soft):
    L, y, w = draw(5, 100)
    target = np.random.default_rng(1).dirichlet(np.ones(5), 100) if soft else y
    A, rows = np.random.default_rng(2).random((100, 5)), np.arange(0, 100, 3)
    expected = left_out_losses(L, target, w, Diagonal(A), rows)
    found = left_out_losses_of_classes(L, target, w, A, rows)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("K", [2, 5])
def test_one_slope_needs_no_equations(soft, K):
    L, y, w = draw(K, 200)
    target = np.random.default_rng(1).dirichlet(np.ones(K), 200) if soft else y
    problem = MapProblem.of("temperature", L, target, w, 1e-9).shrunk(0.1, 1.0)
    point, rows = problem.fit_shrunk().point, np.arange(0, 200, 3)
    logits, own = point.samples.logits(point.theta).T, point.samples.weight
    logits += point.theta[0] * (0.0 if soft else 1.0)  # a shift that changes no loss of a label
    fitted, expected = left_out_losses(logits, target, own, MapLeverages.of(point), rows)
    same, found = left_out_losses_of_slope(point, rows)
    np.testing.assert_allclose(same, fitted, rtol=1e-9)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
