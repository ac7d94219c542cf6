"""Which columns and rows are independent in float64, and the others in terms of them."""

from dataclasses import replace

import array_api_strict as strict
import numpy as np
import pytest
import scipy.sparse
from scipy.special import expit

from skxent.likelihood.coordinates.independent_columns import IndependentColumns
from skxent.likelihood.coordinates.rank import independent_columns
from skxent.likelihood.optimise.solver import minimise
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.device_rows import DeviceRows
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import compute_moments

SEEDS = range(4)


def one_hot(rng, n):
    return np.hstack([np.eye(m)[rng.integers(0, m, n)] for m in (2, 5, 3)])


def products(rng, n):
    B = (rng.random((n, 5)) < 0.5).astype(float)
    i, j = np.triu_indices(5)
    return np.hstack([B[:, i] * B[:, j], B[:, :2].sum(axis=1, keepdims=True)])


def low_rank(rng, n):
    return rng.normal(size=(n, 6)) @ rng.normal(size=(6, 20))


def copies_in_other_units(rng, n):
    X = rng.normal(size=(n, 4))
    return np.hstack([X, X @ rng.normal(size=(4, 5))]) * 10.0 ** rng.integers(-9, 9, 9)


def nearly_copies(rng, n):
    """Differences of 1e-3 to 1e-10 of a column are no rounding."""
    X = rng.normal(size=(n, 4))
    return np.hstack([X, X + rng.normal(size=(n, 4)) * [1e-3, 1e-6, 1e-8, 1e-10]])


def far_from_zero(rng, n):
    """Sums of such columns are rounded to an epsilon of their size, not of their deviation."""
    X = rng.normal(size=(n, 3)) + 1e5
    return np.hstack([X, X[:, :1] + X[:, 1:2]])


def far_from_zero_in_small_units(rng, n):
    return far_from_zero(rng, n) * 1e-9


def constants(rng, n):
    return np.hstack([rng.normal(size=(n, 3)), np.full((n, 1), 0.1), np.zeros((n, 1))])


def independent(rng, n):
    return rng.normal(size=(n, 7)) * np.logspace(-6, 6, 7)


DESIGNS = {
    one_hot: 7,
    products: 15,
    low_rank: 6,
    copies_in_other_units: 4,
    nearly_copies: 8,
    far_from_zero: 3,
    far_from_zero_in_small_units: 3,
    constants: 3,
    independent: 7,
}


def on_device(X):
    return strict.asarray(X)


def data_of(X, form=np.asarray, weight=None, **options):
    if form is on_device:
        weight = None if weight is None else strict.asarray(weight)
        targets = strict.asarray(np.zeros(len(X), dtype=np.int64))
        return DeviceRows(on_device(X), targets, weight, 2, **options)
    return LocalRows(form(X), np.zeros(len(X), dtype=np.intp), weight, 2, **options)


@pytest.mark.parametrize("form", [np.asarray, scipy.sparse.csr_array, on_device])
@pytest.mark.parametrize("make", DESIGNS)
@pytest.mark.parametrize("seed", SEEDS)
def test_independent_columns(make, form, seed):
    X = make(np.random.default_rng(seed), 150)
    data = data_of(X, form)
    basis = independent_columns(data, compute_moments(data))
    if basis is None:
        assert DESIGNS[make] == X.shape[1]
        return
    assert len(basis.columns) == DESIGNS[make]
    centred = X - X.mean(axis=0)
    made = (centred * basis.scale)[:, basis.columns] @ basis.combinations
    noise = 1e-12 * np.abs(X).max(axis=0) + 1e-14
    assert (np.abs(made - centred * basis.scale) <= noise * np.maximum(basis.scale, 1.0)).all()


@pytest.mark.parametrize("form", [np.asarray, scipy.sparse.csr_array])
@pytest.mark.parametrize("size", [1e-12, 1e12])
@pytest.mark.parametrize("make", [nearly_copies, copies_in_other_units, low_rank])
def test_the_size_of_weights_decides_nothing(make, size, form):
    X = make(np.random.default_rng(0), 150)
    data = data_of(X, form, np.full(150, size))
    basis = independent_columns(data, compute_moments(data))
    rank = X.shape[1] if basis is None else len(basis.columns)
    assert rank == DESIGNS[make]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("many", [60, 4000])
def test_rows_without_weight_identify_nothing(many, weighted):
    """Two columns differ in a row of no weight, or in one that weighs: few rows do not show it."""
    X = np.random.default_rng(0).normal(size=(many, 3))
    X[:, 2] = X[:, 0]
    X[-2, 2] += 1.0
    weight = np.ones(many)
    weight[-2] = weighted
    data = data_of(X, weight=weight)
    basis = independent_columns(data, compute_moments(data))
    assert (basis is None) == weighted


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_a_constant_depends_on_the_intercept_alone(fit_intercept):
    X = np.column_stack([np.random.default_rng(0).normal(size=(40, 2)), np.full(40, 3.0)])
    data = data_of(X, fit_intercept=fit_intercept)
    assert (independent_columns(data, compute_moments(data)) is None) == (not fit_intercept)


@pytest.mark.parametrize("alpha", [0.0, 1e-300, 1.0])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("shape", [(40, 3), (5, 9)], ids=str)
@pytest.mark.parametrize("constant", [0.0, 3.0])
def test_constant_columns_alone(constant, shape, fit_intercept, alpha):
    data = data_of(np.full(shape, constant), fit_intercept=fit_intercept)
    data = replace(data, targets=np.arange(shape[0]) % 2)
    solution = minimise(data, penalty=Penalty(alpha), start=None, tol=1e-9, max_iter=99)
    share = np.mean(data.targets) if fit_intercept or (constant and alpha < 1) else None
    logit = solution.coef @ data.X[0] + solution.intercept
    if share is not None:
        assert expit(logit[0]) == pytest.approx(share, abs=1e-6)
    assert np.ptp(solution.coef) <= 1e-9


@pytest.mark.parametrize("form", [np.asarray, scipy.sparse.csr_array, on_device])
@pytest.mark.parametrize("make", [one_hot, low_rank, copies_in_other_units, constants])
def test_parameters_of_independent_columns_have_the_least_norm(make, form):
    """The same logits as on the columns that are left; NumPy's least-squares solution of them."""
    rng = np.random.default_rng(1)
    X = make(rng, 80)
    data = data_of(X, form)
    moments = compute_moments(data)
    space = IndependentColumns.of(data, moments, independent_columns(data, moments))
    few = X[:, space.basis.columns]
    B, b = rng.normal(size=(3, few.shape[1])) / few.std(axis=0), np.arange(3.0)
    coef, intercept = space.leave(B, b)
    logits = few @ B.T + b
    np.testing.assert_allclose(X @ coef.T + intercept, logits, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(space.enter(coef, intercept)[0], B, rtol=1e-9)
    if make is not copies_in_other_units:  # whose columns are too uneven for NumPy
        centred = X - X.mean(axis=0)
        least = np.linalg.lstsq(centred, logits - logits.mean(axis=0), rcond=1e-10)[0]
        np.testing.assert_allclose(coef, least.T, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("weight", [None, np.arange(12) % 4])
@pytest.mark.parametrize("form", [np.asarray, scipy.sparse.csr_array, on_device])
@pytest.mark.parametrize("uneven", [False, True])
def test_independent_rows(uneven, form, weight):
    """Repeated rows count once, centring takes one away, rows without weight are projected."""
    rng = np.random.default_rng(2)
    X = np.repeat(rng.normal(size=(6, 40)), 2, axis=0)
    X *= np.logspace(-8, 8, 40) if uneven else 1.0
    if weight is not None:
        X[weight == 0] = rng.normal(size=(3, 40)) * X.std(axis=0)
        weight = weight.astype(float)
    if form is on_device and uneven:
        pytest.skip("the standard has no QR with pivots")
    data = data_of(X, form, weight)
    moments = compute_moments(data)
    space = data.row_space(moments, independent=True)
    assert space.data.n_features == 5
    A, a = rng.normal(size=(3, 5)), np.arange(3.0)
    L = np.asarray(space.data.X)
    A /= np.abs(L).max(axis=0)
    coef, intercept = space.leave(A, a)
    np.testing.assert_allclose(X @ coef.T + intercept, L @ A.T + a, atol=1e-9)
    np.testing.assert_allclose(space.enter(coef, intercept)[0], A, rtol=1e-7)
