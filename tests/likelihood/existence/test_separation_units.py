"""Separation by columns whose squares are beyond float64, and by columns that are rarely used."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse

from skxent.likelihood.existence.separation import find_separation
from skxent.likelihood.sources.local_rows import LocalRows

forms = pytest.mark.parametrize("form", [np.asarray, scipy.sparse.csr_array])


def problem(K, separate, form=np.asarray):
    rng = np.random.default_rng(K)
    X = rng.normal(size=(40, 3))
    y = np.arange(40) % K
    if separate:
        X[:, 1] = y + 0.3 * rng.random(40)
    return LocalRows(form(X), y, None, K)


def in_units(data, units):
    X = data.X.toarray() if data.sparse else data.X
    return replace(data, X=type(data.X)(X * units) if data.sparse else X * units)


@forms
@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("size", [2.0**-600, 2.0**600])
@pytest.mark.parametrize("guessed", [False, True])
def test_units_beyond_float64(K, size, form, guessed):
    """The same classes, features and samples; the direction is for X as it is."""
    units = np.array([1.0, size, 1.0])
    data = problem(K, True, form)
    plain = find_separation(data)
    guess = None
    if guessed:
        guess = plain.direction[:, :-1] / units, plain.direction[:, -1]
    found = find_separation(in_units(data, units), guess=guess)
    for name in ("kind", "pairs", "n_samples", "n_total"):
        assert getattr(found, name) == getattr(plain, name)
    assert found.features.tolist() == plain.features.tolist() == [1]
    X = data.X.toarray() if data.sparse else data.X
    Z = (X * units) @ found.direction[:, :-1].T + found.direction[:, -1]
    Z = np.column_stack([np.zeros(40), Z]) if K == 2 else Z
    assert (Z.argmax(axis=1) == data.targets).all()
    assert find_separation(in_units(problem(K, False, form), units)) is None


@forms
@pytest.mark.parametrize("K", [2, 3, 4])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_a_rare_last_column(K, fit_intercept, form):
    """It separates the samples that have it, whether others have any entries in it or not."""
    rng = np.random.default_rng(K)
    X = rng.normal(size=(120, 4))
    y = np.arange(120) % K
    X[:, 3] = 0.0
    X[np.flatnonzero(y == 0)[:4], 3] = 1.0
    X[5, :3] = 0.0
    data = LocalRows(form(X), y, None, K, fit_intercept)
    found = find_separation(data)
    assert found.kind == "quasi-complete"
    assert found.features.tolist() == [3]
    assert found.n_samples == 4
    assert found.n_total == 120
    assert found.pairs == tuple((0, k) for k in range(1, K))
    sign = found.direction[:, 3] if K > 2 else np.append(-found.direction[:, 3], 0)
    assert sign.argmax() == 0
    assert not found.direction[:, :3].any()
