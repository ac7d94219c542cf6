"""What the end of a fit says of a finite minimum, and what linear programmes add to it."""

from dataclasses import replace

import numpy as np
import pytest

from skxent.likelihood.existence import separation
from skxent.likelihood.existence.proof import proves_finite, settled
from skxent.likelihood.existence.separation import Undecided
from skxent.likelihood.objective import Objective
from skxent.likelihood.optimise.preconditioners import full
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.solution import Solution
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import compute_moments

X = np.random.default_rng(0).normal(size=(40, 2))
OVERLAP = np.arange(40) % 2
SEPARATE = (X[:, 0] > 0).astype(int)


def data_of(y, K=2):
    return LocalRows(X, y, None, K)


def end(**changes):
    """A fit that converged, without a proof that it should."""
    solution = Solution(
        np.ones((1, 2)), np.zeros(1), 1.0, -1.0, 0.0, 1e-6, True, False, False, 1, 1.0, ()
    )
    return replace(solution, proved=False, decided=False, **changes)


@pytest.mark.parametrize("unbounded", [False, True])
@pytest.mark.parametrize("converged", [False, True])
@pytest.mark.parametrize("separate", [False, True])
def test_programmes_decide(separate, converged, unbounded):
    found = settled(
        end(converged=converged, unbounded=unbounded), data_of(SEPARATE if separate else OVERLAP)
    )
    assert found.decided
    assert (found.separation is not None) == separate
    assert found.unbounded == (separate or unbounded)
    assert found.converged == (converged and not separate and not unbounded)
    if separate:
        assert found.separation.kind == "complete"


@pytest.mark.parametrize("changes", [{"proved": True}, {"stopped": True}], ids=str)
def test_nothing_is_asked_where_it_is_known_or_the_caller_ended_the_fit(changes):
    solution = replace(end(), **changes)
    assert settled(solution, data_of(SEPARATE)) is solution


def test_a_fit_that_was_stopped_on_the_way_to_infinity_is_looked_at():
    found = settled(end(stopped=True, unbounded=True), data_of(SEPARATE))
    assert found.separation is not None


@pytest.mark.parametrize("converged", [False, True])
def test_undecided(converged, monkeypatch):
    def too_large(*args, **kwargs):
        raise Undecided("too large")

    monkeypatch.setattr(separation, "find_separation", too_large)
    found = settled(end(converged=converged), data_of(SEPARATE))
    assert not found.decided
    assert not found.converged
    assert not found.unbounded
    assert found.separation is None


@pytest.mark.parametrize("free", [(True, False), (False, True), (True, True)], ids=str)
def test_of_the_features_without_a_penalty(free):
    """Only the first feature separates; the direction is for all columns."""
    found = settled(end(unpenalised=np.array(free)), data_of(SEPARATE))
    assert found.decided
    assert (found.separation is not None) == free[0]
    if free[0]:
        assert found.separation.features.tolist() == [0]
        direction = found.separation.direction
        assert direction.shape == (1, 3)
        assert direction[0, 0] > 0
        assert direction[0, 1] == 0
        margins = (X @ direction[0, :2] + direction[0, 2]) * np.where(SEPARATE, 1, -1)
        assert margins.min() > 0


@pytest.mark.parametrize("separate", [False, True])
def test_of_the_classes_that_have_weight(separate, monkeypatch):
    """Class 1 of three has no sample; the other two are looked at, with their guess."""
    seen, original = [], separation.find_separation

    def find(data, guess):
        seen.append((data, guess))
        return original(data, guess=guess)

    monkeypatch.setattr(separation, "find_separation", find)
    y = 2 * (SEPARATE if separate else OVERLAP)
    solution = replace(
        end(present=np.array([True, False, True])),
        coef=np.array([[-1.0, 0.0], [0.0, 0.0], [1.0, 0.0]]),
        intercept=np.array([0.5, -np.inf, -0.5]),
    )
    found = settled(solution, data_of(y, 3))
    ((data, guess),) = seen
    assert data.n_classes == 2
    assert data.targets.tolist() == (y // 2).tolist()
    np.testing.assert_allclose(guess[0], [[2.0, 0.0]])
    np.testing.assert_allclose(guess[1], [-1.0])
    assert (found.separation is not None) == separate


def at_zero(X, y, K, weight=None):
    data = LocalRows(X, y, weight, K)
    moments = compute_moments(data)
    return Objective(data, moments, Penalty(0.0), moments.mean)


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("factor", [0.99, 1.01])
def test_a_rest_of_conjugate_gradients(K, factor):
    """Proof if a hundred times the rest is below the least w p that there may be."""
    rng = np.random.default_rng(K)
    weight = rng.uniform(0.5, 2, size=40)
    weight[3] = 0.0
    objective = at_zero(X, np.arange(40) % K, K, weight)
    theta = rng.normal(size=objective.shape)
    least = weight[weight > 0].min() * np.exp(-objective.max_logit_range(theta)) / K
    model = full(objective, theta)
    assert proves_finite(objective, theta, model, least / 100 * factor) == (factor < 1)
    assert objective.max_logit_range(theta) > 0.1


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize(("spread", "proof"), [(1.0, True), (1e3, True), (1e6, False)])
def test_dependent_columns_prove_where_weights_hide_nothing(K, spread, proof):
    """The rank at zero is kept far from it; with very uneven weights that says nothing."""
    weight = np.ones(40)
    weight[:3] = 1 / spread
    objective = at_zero(np.column_stack([X, X[:, 0]]), np.arange(40) % K, K, weight)
    theta = np.zeros(objective.shape)
    theta[-1, 0] = 3.0 if spread == 1 else 25.0  # too far for the least share to be a proof
    model = full(objective, theta)
    assert not model.certain
    assert proves_finite(objective, theta, model, None) == proof


@pytest.mark.parametrize("K", [2, 3])
def test_offsets_make_probabilities_as_small_as_logits_do(K):
    """A proof by the smallest probability counts the logits of the offset as well."""
    wide = 50.0
    O = np.zeros((1 if K == 2 else K, 40))
    O[0, 0] = wide
    y = np.arange(40) % K
    for offset, proved in ((None, True), (O, False)):
        data = replace(data_of(y, K), offset=offset)
        objective = Objective(data, compute_moments(data), Penalty(), None)
        theta = np.zeros(data.theta_shape)
        model = full(objective, theta)
        assert proves_finite(objective, theta, model, residual=1e-12) == proved
