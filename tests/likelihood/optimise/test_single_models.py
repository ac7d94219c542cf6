"""Models of the curvature are in float32 only if its rounding hides no curvature."""

import numpy as np
import pytest

from skxent.likelihood import tuning
from skxent.likelihood.objective import Objective
from skxent.likelihood.optimise import preconditioners
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import compute_moments

BUILDERS = ["full", "class_blocks", "drawn_class_blocks", "diagonal"]


def objective_of(X, penalty=1.0, sampled=False):
    y = np.random.default_rng(1).integers(3, size=len(X))
    data = LocalRows(np.asarray(X, dtype=np.float32), y, None, 3)
    moments = compute_moments(data)
    return Objective(data, moments, Penalty(penalty), moments.mean, sampled=sampled)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(tuning, "ONE_BLOCK_ELEMENTS", 100)


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(3000, 6))


def whitened(model, shape):
    return model.to_whitened(np.random.default_rng(2).normal(size=shape))


def in_float64(name, objective, theta):
    objective.models_in_single = False
    return getattr(preconditioners, name)(objective, theta)


@pytest.mark.parametrize("name", BUILDERS)
@pytest.mark.parametrize("sampled", [False, True])
@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_which_models_are_in_float32(name, sampled, penalty, X):
    """The Hessian of all rows certifies gaps; without a penalty, it proves finite minima."""
    objective = objective_of(X, penalty, sampled)
    theta = 0.1 * np.random.default_rng(3).normal(size=objective.shape)
    model = getattr(preconditioners, name)(objective, theta)
    exact = in_float64(name, objective, theta)
    found, expected = (whitened(one, theta.shape) for one in (model, exact))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())
    single = sampled or (penalty > 0 and name != "full")
    assert bool((found != expected).any()) == single
    assert objective.in_single == sampled  # as it was before


@pytest.mark.parametrize("distance", [1e-4, 1e-5, 0.0])
@pytest.mark.parametrize("name", ["full", "class_blocks", "drawn_class_blocks"])
def test_hidden_curvature_is_computed_in_float64(name, distance, X):
    """The curvature of a small difference of two columns is only rounding in float32."""
    X[:, 5] = X[:, 4] + distance * X[:, 3]
    objective = objective_of(X, penalty=1e-12, sampled=True)
    theta = np.zeros(objective.shape)
    model = getattr(preconditioners, name)(objective, theta)
    assert not objective.models_in_single
    exact = in_float64(name, objective, theta)
    np.testing.assert_array_equal(whitened(model, theta.shape), whitened(exact, theta.shape))


def test_jitter_is_what_was_added(X):
    objective = objective_of(X)
    model = preconditioners.full(objective, np.zeros(objective.shape))
    assert model.jitter == pytest.approx(tuning.JITTER, rel=0.01)
    shape = (1, 2)
    singular = preconditioners.Cholesky.of(shape, [np.array([[1.0, 1.1], [1.1, 1.0]])], np.zeros(2))
    assert singular.jitter == pytest.approx(10.0, rel=0.1) or singular.jitter > 0.1
