"""Losses and residuals sample by sample: full relative accuracy where sums cancel."""

import numpy as np
import pytest
from mpmath import mp, mpf

from skxent.likelihood import kernels
from skxent.likelihood.objective import Objective
from skxent.likelihood.optimise.lbfgs import Stage
from skxent.likelihood.optimise.preconditioners import PreconditionedPoint, diagonal
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources import device_kernels
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import compute_moments


def exact(Z, Y):
    """Losses and residuals of class-major logits with 500 digits."""
    losses, residuals = [], []
    with mp.workdps(500):
        for z, y in zip(Z.T, Y.T, strict=True):
            z, y = [mpf(float(v)) for v in z], [mpf(float(v)) for v in y]
            if len(z) == 1:
                z, y = [mpf(0), *z], [1 - y[0], *y]
            total = sum(mp.exp(v) for v in z)
            p = [mp.exp(v) / total for v in z]
            losses.append(float(sum(a * (mp.log(total) - v) for a, v in zip(y, z, strict=True))))
            residuals.append([float(b - a) for a, b in zip(y, p, strict=True)])
    return np.array(losses), np.array(residuals).T


def cases(R, soft, seed):
    rng = np.random.default_rng([R, soft, seed])
    Z = rng.normal(size=(R, 60)) * np.logspace(-3, 2, 60)
    K = max(R, 2)
    Y = rng.dirichlet(np.ones(K), size=60).T if soft else np.eye(K)[:, rng.integers(K, size=60)]
    return Z, Y[1:] if R == 1 else Y


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("R", [1, 3, 6])
@pytest.mark.parametrize("where", ["host", "array API"])
def test_losses_and_residuals(where, R, soft):
    for seed in range(3):
        Z, Y = cases(R, soft, seed)
        if where == "host":
            losses, residuals = kernels.losses_and_residuals(Z.copy(), Y)
        else:
            losses, residuals = device_kernels.losses_and_residuals(np, Z.copy(), Y)
        true_losses, true_residuals = exact(Z, Y)
        np.testing.assert_allclose(losses, true_losses, rtol=3e-13, atol=1e-300)
        kept = true_residuals[1:] if R == 1 else true_residuals
        np.testing.assert_allclose(residuals, kept, rtol=3e-12, atol=1e-15 if soft else 1e-300)


@pytest.mark.parametrize("R", [1, 3])
def test_a_nan_logit_gives_a_nan_loss_without_a_warning(R):
    """A start with a NaN: the optimiser compares its objective with that of zero."""
    Z = np.zeros((R, 2))
    Z[:, 1] = np.nan
    losses, _ = kernels.losses_and_residuals(Z, np.full((R, 2), 1.0 / max(R, 2)))
    assert np.isnan(losses).tolist() == [False, True]


@pytest.mark.parametrize("weight", [1e-6, 1.0, 1e6, 1e12])
@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_an_objective_next_to_zero_has_digits(fit_intercept, K, weight):
    """Against the sum over samples; log-partition less agreement has none."""
    rng = np.random.default_rng(K)
    X = rng.normal(size=(50, 3))
    W = rng.normal(size=(K, 3)) * 300
    y = (X @ W.T).argmax(axis=1)
    data = LocalRows(X, y, np.full(50, weight), K, fit_intercept)
    moments = compute_moments(data)
    objective = Objective(data, moments, Penalty(0.0), moments.mean if fit_intercept else None)
    coef = W if K > 2 else W[1:] - W[:1]
    intercept = np.zeros(len(coef))
    point = objective(objective.enter(coef, intercept))
    Z = X @ coef.T
    Y = (y[:, None] == np.arange(K)).T.astype(float)
    losses, _ = exact(Z.T, Y[1:] if K == 2 else Y)
    assert point.value == pytest.approx(weight * losses.sum(), rel=1e-7)
    assert point.rounding < 1e-6 * max(point.value, 1e-8 * weight)


def test_a_careful_stage_where_no_logit_moves():
    """A step along columns of zeros: there is nothing to shorten it by."""
    rng = np.random.default_rng(0)
    X = np.zeros((20, 3))
    data = LocalRows(X, rng.integers(2, size=20), None, 2, False)
    objective = Objective(data, compute_moments(data), Penalty(1.0), None)
    point = objective(np.ones((1, 3)))  # the penalty alone has a gradient
    view = PreconditionedPoint.of(diagonal(objective, point.theta), point)
    assert view.decrement > 0
    stage = Stage(objective, view, 0.0, 1e3, short_first_step=True).run(5)
    assert stage.best.value < point.value
