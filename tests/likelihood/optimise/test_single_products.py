"""Products of conjugate gradients in float32, and the bound of their errors."""

import numpy as np
import pytest

from skxent.likelihood import tuning
from skxent.likelihood.objective import Objective
from skxent.likelihood.optimise import preconditioners
from skxent.likelihood.optimise.newton_cg import Accuracy, conjugate_gradients
from skxent.likelihood.optimise.preconditioners import PreconditionedPoint
from skxent.likelihood.optimise.single_products import Products
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import compute_moments
from skxent.likelihood.sources.single_sums import SingleSums

ACCURACY = Accuracy(target=1e-30, floor=0.0, residual=0.03, max_products=50)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(tuning, "ONE_BLOCK_ELEMENTS", 100)
    monkeypatch.setattr(tuning, "BLOCK_ELEMENTS", 10_000)


def here_of(penalty=1.0, closeness=1.0, dtype=np.float32, K=3):
    """A point, and the Hessian at zero; two columns differ by `closeness`."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(4000, 6))
    X[:, 5] = X[:, 4] + closeness * X[:, 5]
    X = X.astype(np.float32).astype(dtype)
    data = LocalRows(X, rng.integers(K, size=len(X)), None, K)
    moments = compute_moments(data)
    objective = Objective(data, moments, Penalty(penalty), moments.mean)
    point = objective(0.2 * rng.normal(size=objective.shape))
    elsewhere = preconditioners.full(objective, np.zeros(objective.shape))
    return objective, PreconditionedPoint.of(elsewhere, point)


def test_products_are_in_float32_and_within_their_bound():
    objective, here = here_of()
    products, exact = Products(objective, here), Products(objective, here)
    assert products.single
    exact.single = False
    v = np.random.default_rng(1).normal(size=len(here.gradient))
    found, expected = products(v), exact(v)
    products.subtracted(1.0, v, found)
    assert 0 < np.linalg.norm(found - expected) < products.error
    rr = float(found @ found)
    assert products.bound(rr) > rr
    assert not products.lost(rr)
    assert products.lost(0.5 * products.error**2)


@pytest.mark.parametrize("change", ["no penalty", "hidden curvature", "float64"])
def test_where_products_are_in_float64(change):
    arguments = {
        "no penalty": {"penalty": 0.0},
        "hidden curvature": {"penalty": 1e-6, "closeness": 1e-3},
        "float64": {"dtype": np.float64},
    }
    objective, here = here_of(**arguments[change])
    products = Products(objective, here)
    assert not products.single
    products.subtracted(1.0, here.gradient, here.gradient)
    assert products.bound(2.0) == 2.0
    assert not products.lost(1e-300)


@pytest.mark.parametrize("K", [2, 3])
def test_the_step_and_its_gap_are_those_of_float64(K):
    objective, here = here_of(K=K)
    found = conjugate_gradients(objective, here, ACCURACY)
    objective.single_rows = None
    expected = conjugate_gradients(objective, here, ACCURACY)
    assert found.converged
    assert 0 < found.gap - expected.gap < 1e-4 * expected.gap  # with the bound of its error
    size = np.abs(expected.step).max()
    np.testing.assert_allclose(found.step, expected.step, atol=1e-4 * size)


def test_a_residual_that_may_be_rounding_is_computed_in_float64(monkeypatch):
    """The products of float32 are spoiled here, which only the true residual can show."""
    objective, here = here_of()
    expected = conjugate_gradients(objective, here, ACCURACY)
    original = SingleSums.hessian_product
    noise = np.random.default_rng(1).uniform(0.8, 1.2, size=objective.shape)
    monkeypatch.setattr(
        SingleSums, "hessian_product", lambda self, *at: original(self, *at) * noise
    )
    initial = Products.__init__

    def rough(self, *arguments):
        initial(self, *arguments)
        self.rounding = 0.3

    monkeypatch.setattr(Products, "__init__", rough)
    found = conjugate_gradients(objective, here, ACCURACY)
    assert found.converged
    assert found.gap == pytest.approx(expected.gap, rel=2 * ACCURACY.residual**2)
    monkeypatch.setattr(Products, "__init__", initial)
    wrong = conjugate_gradients(objective, here, ACCURACY)
    assert wrong.gap != pytest.approx(expected.gap, rel=2 * ACCURACY.residual**2)
