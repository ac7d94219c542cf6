"""Steps to the minimum of a sample that is tilted to the gradient of all rows."""

import numpy as np
import pytest

from skxent import SoftmaxClassifier
from skxent.likelihood.objective import Objective
from skxent.likelihood.optimise import schedule
from skxent.likelihood.optimise.search import Search
from skxent.likelihood.optimise.tilted import Tilted
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import compute_moments


def uneven(n=44_000, d=20, K=24):
    """Return rows with rare categories, columns of uneven size, and rare classes."""
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(n, d // 2))
    X = np.column_stack([numbers, rng.random((n, d - d // 2)) < np.logspace(-3, -0.5, d - d // 2)])
    Z = X / X.std(axis=0) @ rng.normal(size=(d, K)) + np.linspace(0, -12, K)
    y = (Z + rng.gumbel(size=Z.shape)).argmax(axis=1)
    return X * np.logspace(-2, 2, d), np.unique(y, return_inverse=True)[1]


@pytest.fixture(scope="module")
def data():
    return uneven()


@pytest.fixture
def steps(monkeypatch):
    """The objective before and after each step on a sample."""
    found, original = [], Search._on_sample

    def step(self, here):
        point = original(self, here)
        found.append((here.point.value, point.value))
        return point

    monkeypatch.setattr(Search, "_on_sample", step)
    return found


@pytest.mark.parametrize("form", ["float64", "float32", "weighted", "soft", "offset"])
def test_the_minimum_is_that_of_an_accurate_fit_in_fewer_passes(data, form, steps, monkeypatch):
    X, y = data
    fit = {}
    if form == "float32":
        X = X.astype(np.float32)
    if form == "weighted":
        fit["sample_weight"] = np.random.default_rng(1).integers(1, 4, len(y)).astype(float)
    K = len(np.unique(y))
    if form == "offset":
        fit["offset"] = np.random.default_rng(1).normal(size=(len(y), K))
    if form == "soft":
        y = 0.9 * np.eye(K)[y] + 0.1 / K
    found = SoftmaxClassifier().fit(X, y, **fit)
    assert len(steps) >= 2 and all(after < before for before, after in steps)
    assert found.converged_ and found.optimality_gap_ <= found.target_gap_
    monkeypatch.setattr(schedule, "UNEVEN_LEVERAGE", np.inf)
    n_steps = len(steps)
    accurate = SoftmaxClassifier(tol=1e-12).fit(X, y, **fit)
    assert len(steps) == n_steps
    assert found.objective_ - accurate.objective_ <= found.target_gap_
    plain = SoftmaxClassifier().fit(X, y, **fit)
    assert found.n_passes_ < 0.8 * plain.n_passes_


def objectives(n=5_000):
    X, y = uneven(n)
    rows = LocalRows(X, y, None, int(y.max()) + 1)
    whole = Objective.centred(rows, compute_moments(rows), Penalty(1.0))
    small = rows.sample(compute_moments(rows), whole.mean, n // 2)
    return whole, Objective(small, compute_moments(small), whole.penalty, None, sampled=True)


def test_the_tilted_objective_has_the_gradient_of_all_rows_and_is_a_function():
    whole, sample = objectives()
    rng = np.random.default_rng(2)
    scale = 1 / np.sqrt(whole.least_curvature / whole.data.eps / whole.total_weight)
    theta = rng.normal(size=whole.shape) * scale
    point = whole(theta)
    tilted = Tilted.of(sample, point)
    np.testing.assert_allclose(tilted(theta).gradient, point.gradient, rtol=1e-9, atol=1e-8)
    assert tilted(theta).value == pytest.approx(tilted.start.value)
    other = theta + 0.1 * rng.normal(size=whole.shape) * scale
    direction = rng.normal(size=whole.shape) * scale
    h = 1e-5
    slope = (tilted(other + h * direction).value - tilted(other - h * direction).value) / (2 * h)
    assert slope == pytest.approx(np.vdot(tilted(other).gradient, direction), rel=1e-6)


def test_lbfgs_takes_no_steps_on_samples(data, steps):
    found = SoftmaxClassifier(solver="lbfgs").fit(*data)
    assert found.converged_
    assert not steps


def test_even_data_take_no_steps_on_samples(steps):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(44_000, 20))
    Z = X @ rng.normal(size=(20, 24)) + rng.gumbel(size=(44_000, 24))
    SoftmaxClassifier().fit(X, Z.argmax(axis=1))
    assert not steps
