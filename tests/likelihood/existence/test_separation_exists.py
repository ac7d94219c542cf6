"""Whether a finite maximum exists, against a linear programme for all samples at once."""

import time

import numpy as np
import pytest
import scipy.linalg
from scipy.optimize import OptimizeResult, linprog

from skxent.likelihood import tuning
from skxent.likelihood.existence import programmes
from skxent.likelihood.existence.programmes import Undecided
from skxent.likelihood.existence.proof import proves_finite
from skxent.likelihood.existence.separation import find_separation
from skxent.likelihood.objective import Objective
from skxent.likelihood.optimise import preconditioners
from skxent.likelihood.optimise.preconditioners import PreconditionedPoint
from skxent.likelihood.optimise.solver import minimise
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import compute_moments

SETTINGS = {"penalty": Penalty(0.0), "start": None, "tol": 1e-6, "max_iter": 1000}


def labels(X, K, rng):
    """Labels of a softmax model in standardised columns, of a strength that varies."""
    n, spread = len(X), X.std(axis=0)
    Z = (X - X.mean(axis=0)) / np.where(spread > 0, spread, 1) @ rng.normal(size=(X.shape[1], K))
    strength = rng.choice([0.3, 1, 2, 4, 10]) / np.sqrt(X.shape[1])
    y = (Z * strength + rng.gumbel(size=(n, K))).argmax(axis=1)
    y[:K] = np.arange(K)
    return y


def factors(rng, n):
    """All levels of some factors, about 70 columns."""
    columns = []
    while sum(part.shape[1] for part in columns) < 66:
        n_levels = int(rng.integers(2, 13))
        columns.append(np.eye(n_levels)[rng.integers(n_levels, size=n)])
    return np.hstack(columns)


def products(rng, n):
    """Zeros and ones, and products of two or three such columns."""
    m = int(rng.integers(3, 12))
    B = (rng.random((n, m)) < rng.uniform(0.1, 0.6, size=m)).astype(float)
    chosen = [rng.choice(m, size=int(rng.integers(2, 4)), replace=False) for _ in range(25)]
    return np.column_stack([B, *(B[:, some].prod(axis=1) for some in chosen)])


def wild(rng, n):
    """Normal columns in units over many orders of magnitude."""
    d = int(rng.integers(2, 40))
    return rng.normal(size=(n, d)) * np.exp(3 * rng.normal(size=d))


KINDS = {"onehot66": factors, "products": products, "wild": wild}


def design(kind, seed):
    rng = np.random.default_rng([seed, *map(ord, kind)])
    K, n = int(rng.integers(2, 6)), int(rng.integers(40, 601))
    if kind == "onehot66":
        K, n = 4, int(rng.integers(300, 500))
    X = KINDS[kind](rng, n)
    return X, labels(X, K, rng), K


def separable(X, y, K):
    """Whether some margin can be one while none is below zero, on a basis of the columns."""
    centred = X - X.mean(axis=0)
    size = np.linalg.norm(centred, axis=0)
    Q, R, _ = scipy.linalg.qr(centred[:, size > 0] / size[size > 0], mode="economic", pivoting=True)
    r = np.count_nonzero(np.abs(R.diagonal()) > 1e-10 * np.abs(R[0, 0]))
    samples = np.column_stack([Q[:, :r] * np.sqrt(len(X)), np.ones(len(X))])
    rows = []
    for k in range(K):
        others = np.flatnonzero(y != k)
        block = np.zeros((len(others), K, r + 1))
        block[np.arange(len(others)), y[others]] += samples[others]
        block[:, k] -= samples[others]
        rows.append(block[:, :-1].reshape(len(others), -1))
    A = np.vstack(rows)
    result = linprog(-A.mean(axis=0), A_ub=-A, b_ub=np.zeros(len(A)), bounds=(-1, 1))
    assert result.status == 0
    return bool((A @ result.x).max() > 1e-5)


# The first of these looked like a maximum, and the next kept one programme going for ever.
LOOKED_FINITE, ENDLESS = HARD_FACTORS = [60, 159, 161, 230], [172, 190, 255]
CASES = [("onehot66", seed) for seed in [*range(6), *LOOKED_FINITE, *ENDLESS]]
CASES += [(kind, seed) for kind in ("products", "wild") for seed in range(12)]


@pytest.mark.parametrize(("kind", "seed"), CASES)
@pytest.mark.thinned(3)
def test_no_maximum_is_missed_or_denied(kind, seed):
    X, y, K = design(kind, seed)
    began = time.process_time()
    solution = minimise(LocalRows(X, y, None, K), **SETTINGS)
    assert time.process_time() - began < 30
    assert solution.decided
    assert (solution.separation is not None) == separable(X, y, K)
    assert solution.converged == (solution.separation is None)
    assert solution.unbounded == (solution.separation is not None)


def objective_of(data):
    return Objective(data, compute_moments(data), Penalty(0.0), compute_moments(data).mean)


@pytest.mark.parametrize("K", [2, 3, 4])
@pytest.mark.parametrize("dependent", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_a_newton_step_is_no_proof_where_rounding_hides_a_direction(K, dependent, seed):
    """A step that is taken for a proof moves some logit by one, however far a fit went astray.

    Without the direction that separates, the end of a fit is a proof, with dependent columns too.
    """
    rng = np.random.default_rng([K, seed])
    X = rng.normal(size=(400, 3))
    if dependent:
        X = np.column_stack([X, np.eye(4)[rng.integers(4, size=400)]])
    y = rng.integers(K, size=400)
    rare = np.isin(np.arange(400), np.flatnonzero(y == 1)[:8])
    finite = minimise(LocalRows(X[~rare], y[~rare], None, K), **SETTINGS)
    assert finite.proved
    assert finite.converged
    data = LocalRows(np.column_stack([X, rare]), y, None, K)
    objective = Objective(data, compute_moments(data), Penalty(0.0), compute_moments(data).mean)
    moves, proofs = [], []
    for jump in (1, 5, 10, 20, 30, 35, 40, 50, 100, 1e3, 1e5):
        direction = np.zeros((len(finite.coef), 1))
        direction[0 if K == 2 else 1] = jump
        far = np.column_stack([finite.coef, direction]), finite.intercept
        theta = objective.enter(*far)
        view = PreconditionedPoint.of(preconditioners.full(objective, theta), objective(theta))
        moves.append(objective.max_logit_range(view.newton_step))
        proofs.append(proves_finite(objective, theta, view.preconditioner, None))
    assert min(move for move, proof in zip(moves, proofs, strict=True) if proof) > 0.999
    assert not any(proofs[4:])
    found = minimise(data, **SETTINGS | {"start": far})
    assert found.separation.features.tolist() == [X.shape[1]]
    assert not found.converged


def test_a_programme_that_goes_round_in_circles_is_solved_another_way(monkeypatch):
    X, y, K = design("onehot66", 0)
    calls = []

    def circles(*args, **settings):
        calls.append((settings["method"], settings["options"]))
        if len(calls) % 2:
            return OptimizeResult(x=None, status=1, message="Iteration limit reached")
        return linprog(*args, **settings)

    expected = find_separation(LocalRows(X, y, None, K))
    monkeypatch.setattr(programmes, "linprog", circles)
    found = find_separation(LocalRows(X, y, None, K))
    assert (found and found.kind) == (expected and expected.kind)
    assert all(0 < options["time_limit"] <= tuning.PROGRAMME_SECONDS for _, options in calls)
    assert all(options["maxiter"] < 1e5 for _, options in calls)


def test_all_programmes_of_a_search_share_a_limit(monkeypatch):
    X, y, K = design("onehot66", 0)
    monkeypatch.setattr(tuning, "PROGRAMME_SECONDS", 1e-3)
    with pytest.raises(Undecided, match=r"more than 0\.001 seconds"):
        find_separation(LocalRows(X, y, None, K))
