"""Separation that sums of columns show, against linear programmes and fits without its samples."""

import time

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.exceptions import ConvergenceWarning

from skxent import SoftmaxClassifier
from skxent.likelihood import tuning
from skxent.likelihood.coordinates.units import read
from skxent.likelihood.existence.absent import Absent
from skxent.likelihood.existence.separation import find_separation
from skxent.likelihood.optimise.solver import minimise
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.local_rows import LocalRows


def one_hot(n, K, levels, seed=0, form=sp.csr_array):
    """Categories whose levels are rare towards the end, and labels of a softmax model."""
    rng = np.random.default_rng([seed, n, K])
    parts, Z = [], np.zeros((n, K))
    for m in levels:
        share = 1 / np.arange(1, m + 1) ** 1.5
        code = rng.choice(m, size=n, p=share / share.sum())
        parts.append(np.eye(m)[code])
        Z += 0.5 * rng.normal(size=(m, K))[code]
    y = (Z + rng.gumbel(size=(n, K))).argmax(axis=1)
    y[:K] = np.arange(K)
    return form(np.hstack(parts)), y


def absent(data, penalty=None):
    penalty = penalty or Penalty()
    moments, visible, _ = read(data, penalty)
    return Absent.of(data, moments, visible.at_most(0.0, data.n_features))


def fit(data, **changes):
    settings = {"penalty": Penalty(), "start": None, "tol": 1e-6, "max_iter": 1000} | changes
    return minimise(data, **settings)


def margins(data, direction):
    """Of each sample and class, for labels."""
    X = data.dense().astype(float)
    D = np.vstack([np.zeros_like(direction), direction]) if len(direction) == 1 else direction
    Z = X @ D[:, :-1].T + D[:, -1]
    return Z[np.arange(len(X)), data.targets][:, None] - Z


@pytest.mark.parametrize("form", [sp.csr_array, np.asarray])
@pytest.mark.parametrize("K", [2, 3, 5])
@pytest.mark.parametrize("seed", range(4))
def test_the_direction_separates(K, seed, form):
    X, y = one_hot(300, K, (12, 9), seed, form)
    weight = np.where(np.arange(300) % 7 == 0, 0.0, 2.0)
    data = LocalRows(X, y, weight, K)
    found = absent(data).separation
    some = margins(data, found.direction)[weight > 0]
    assert some.min() > -1e-9
    clear = (some > 1e-9).any(axis=1)
    assert (found.n_samples, found.n_total) == (clear.sum(), len(some))
    assert found.kind == "quasi-complete"
    used = np.any(found.direction[:, :-1] != found.direction[:1, :-1] * (K > 2), axis=0)
    assert found.features.tolist() == np.flatnonzero(used).tolist()
    sums = np.stack([(weight * (y == k)) @ data.dense() for k in range(K)])
    first = np.flatnonzero((sums == 0).any(axis=0) & (sums > 0).any(axis=0))
    assert set(first) <= set(found.features)
    spread = np.sqrt(np.cov(data.dense().T, aweights=weight, bias=True).diagonal())
    assert np.abs(found.direction[:, :-1] * spread).max() == pytest.approx(1)


def test_levels_follow_from_each_other():
    """Category b has class 1 only in a sample that category a decides, and c only in b's."""
    X = np.zeros((40, 3))
    y = np.arange(40) % 2
    X[1, 0] = X[3, 0] = 1  # class 1 only
    X[[1, 2, 4], 1] = 1  # class 1 only in a sample that a decides
    X[[2, 5, 7], 2] = 1  # class 0 only in a sample that b decides
    found = absent(LocalRows(X, y, None, 2))
    assert found.coef.tolist() == [[4.0, -2.0, 1.0]]
    assert found.separation.features.tolist() == [0, 1, 2]
    assert margins(LocalRows(X, y, None, 2), found.separation.direction).min() == 0
    assert found.separation.n_samples == 6


def test_counts_of_uneven_sizes():
    """A level that the sizes of entries spoil is left out; the first one separates in any case."""
    X, y = np.zeros((40, 2)), np.arange(40) % 2
    X[1, 0], X[3, 0], X[5, 0] = 0.01, 100.0, 100.0
    X[[1, 2, 4], 1] = 50.0, 1.0, 1.0
    data = LocalRows(X, y, None, 2)
    found = absent(data)
    assert found.separation.features.tolist() == [0]
    assert margins(data, found.separation.direction).min() >= 0


@pytest.mark.parametrize("K", [2, 3])
def test_what_is_not_absent(K):
    rng = np.random.default_rng(K)
    y = np.arange(60) % K
    signed = rng.normal(size=60)
    signed[y == 0] = 0.0  # class 0 is absent, but the column has both signs
    X = np.column_stack([signed, rng.random(60)])
    assert absent(LocalRows(X, y, None, K)) is None
    X = np.column_stack([np.abs(signed), rng.random(60)])
    assert absent(LocalRows(X, y, None, K)).separation.features.tolist() == [0]
    held = Penalty(1.0, np.array([1.0, 0.0]))
    assert absent(LocalRows(X, y, None, K), held) is None
    assert absent(LocalRows(X, y, None, K), Penalty(1.0)) is None
    free = Penalty(1.0, np.array([0.0, 1.0]))
    assert absent(LocalRows(X, y, None, K), free).separation.features.tolist() == [0]


def test_soft_targets():
    """A class is absent if no target gives it probability where the column is positive."""
    rng = np.random.default_rng(0)
    Y = rng.dirichlet(np.ones(3), size=60)
    X = np.column_stack([np.arange(60) % 20 == 0, rng.normal(size=60)]).astype(float)
    assert absent(LocalRows(X, Y, None, 3)) is None
    Y[X[:, 0] > 0, 2] = 0.0
    Y /= Y.sum(axis=1, keepdims=True)
    found = absent(LocalRows(X, Y, None, 3)).separation
    assert found.features.tolist() == [0]
    assert found.pairs == ((0, 2), (1, 2))
    assert (found.n_samples, found.n_total) == (3, 60)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("form", [sp.csr_array, np.asarray])
def test_two_classes_without_the_samples_that_are_decided(seed, form):
    """The rest of the fit is the fit without them: the same objective and the same logits."""
    X, y = one_hot(600, 2, (40, 30), seed, np.asarray)
    X = np.column_stack([X, np.random.default_rng(seed).normal(size=(600, 2))])
    data = LocalRows(form(X), y, None, 2)
    found = absent(data)
    decided = (margins(data, found.separation.direction) > 0).any(axis=1)
    assert 3 < decided.sum() < 300
    rest = fit(LocalRows(X[~decided], y[~decided], None, 2), tol=1e-10)
    assert rest.converged
    solution = fit(data)
    assert not solution.converged
    assert solution.unbounded
    assert solution.decided
    assert solution.value == pytest.approx(rest.value, abs=2e-6)
    Z, expected = (X[~decided] @ s.coef[0] + s.intercept for s in (solution, rest))
    np.testing.assert_allclose(Z, expected, atol=0.02)


@pytest.mark.parametrize("K", [2, 3, 4])
@pytest.mark.parametrize("seed", range(3))
def test_the_infimum_is_reached(K, seed):
    """A weaker and weaker penalty comes near it from above."""
    X, y = one_hot(400, K, (20, 15), seed)
    data = LocalRows(X, y, None, K)
    assert absent(data) is not None
    solution = fit(data)
    assert solution.separation is not None
    above = [fit(data, penalty=Penalty(alpha)).value for alpha in (1e-4, 1e-7)]
    assert solution.value <= above[1] <= above[0]
    assert solution.value == pytest.approx(above[1], abs=2e-3)


def test_small_problems_are_named_as_before():
    """Linear programmes name the features where they are quick."""
    X, y = one_hot(300, 3, (6, 5), 1, np.asarray)
    X = np.column_stack([X, y == 2])  # separates class 2 in all samples
    data = LocalRows(X.astype(float), y, None, 3)
    found, expected = fit(data).separation, find_separation(data)
    assert found.features.tolist() == expected.features.tolist()
    assert found.kind == expected.kind
    assert found.pairs == expected.pairs


def test_a_wide_fit_takes_seconds():
    """It took minutes, for each of many searches that followed the coefficients to infinity."""
    X, y = one_hot(6000, 3, (100, 120), 0)
    assert X.shape[1] * 3 > tuning.QUICK_PROGRAMME
    began = time.process_time()
    with pytest.warns(match=r"x\d+ .*separate .*quasi-complete separation"):
        clf = SoftmaxClassifier(C=np.inf).fit(X, y)
    assert time.process_time() - began < 20
    assert not clf.converged_
    assert clf.optimality_gap_ <= clf.target_gap_
    assert np.isfinite(clf.coef_).all()
    again = SoftmaxClassifier(C=np.inf, warm_start=True)
    sizes = []
    for _ in range(3):
        with pytest.warns(match="quasi-complete separation"):
            again.fit(X, y)
        sizes.append(np.abs(again.coef_).max())
    assert sizes[2] < 2 * sizes[0]


def test_without_iterations_the_parameters_stay():
    X, y = one_hot(300, 3, (12, 9), 0)
    data = LocalRows(X, y, None, 3)
    coef = np.random.default_rng(0).normal(size=(3, X.shape[1]))
    coef -= coef.mean(axis=0)
    solution = fit(data, start=(coef, np.zeros(3)), max_iter=0)
    Z = X @ solution.coef.T + solution.intercept
    expected = X @ coef.T
    np.testing.assert_allclose(np.diff(Z), np.diff(expected), atol=1e-9)


@pytest.mark.parametrize("size", [1e-170, 1e-90, 1e90, 1e170])
def test_columns_of_any_size(size):
    """Those whose squares overflow or underflow are left to linear programmes."""
    X, y = np.zeros((40, 2)), np.arange(40) % 2
    X[[1, 3], 0] = size
    X[:, 1] = np.random.default_rng(0).normal(size=40)
    solution = fit(LocalRows(X, y, None, 2))
    assert solution.separation.features.tolist() == [0]
    assert not solution.converged


@pytest.mark.parametrize("value", [3.0, 1e8])
def test_a_constant_column_without_an_intercept(value):
    """Its variance is zero, and its size is not: a class without weight is absent in it."""
    X = np.column_stack([np.arange(6.0) - 2.5, np.full(6, value)])
    Y = np.tile([0.5, 0.3, 0.2, 0.0], (6, 1))
    with pytest.warns(ConvergenceWarning, match="x1 separates"):
        clf = SoftmaxClassifier(C=np.inf, fit_intercept=False).fit(X, Y)
    np.testing.assert_allclose(clf.predict_proba(X), Y, atol=1e-6)
