"""The sums of the first read of X: added up over parts, in other units, out of range."""

from functools import reduce

import numpy as np
import pytest
import scipy.sparse

from skxent.likelihood import tuning
from skxent.likelihood.sources.first_sums import FirstSums, evenly_spaced_rows, middle
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import (
    check_overflow,
    compute_moments,
    moments_of,
    out_of_range,
)

forms = pytest.mark.parametrize("form", [np.asarray, np.asfortranarray, scipy.sparse.csr_array])


def data_of(X, form=np.asarray, weight=None):
    return LocalRows(form(X), np.arange(len(X)) % 3, weight, 3)


def drawn(n=90):
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, 3)) * [1, 1e-3, 5] + [0, 7, -200], rng.uniform(0, 2, size=n)


@forms
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 0, 2]])
def test_parts_add_up(form, weighted, order):
    """Parts have origins of their own; the origin of the heaviest is the one of the sum."""
    X, weight = drawn()
    weight = weight if weighted else None
    cuts = [slice(0, 10), slice(10, 60), slice(60, 90)]
    codes = np.arange(90) % 3
    parts = [
        LocalRows(form(X[cut]), codes[cut], weight if weight is None else weight[cut], 3)
        for cut in cuts
    ]
    sums = [FirstSums.of(parts[i]) for i in order]
    total = reduce(lambda a, b: a + b, sums)
    np.testing.assert_array_equal(total.origin, FirstSums.of(parts[1]).origin)
    found, expected = moments_of(parts[0], total), compute_moments(data_of(X, form, weight))
    w = np.ones(90) if weight is None else weight
    Y = np.eye(3)[codes] * w[:, None]
    np.testing.assert_allclose(total.class_weight, Y.sum(axis=0), rtol=1e-13)
    np.testing.assert_allclose(total.class_sums, Y.T @ (X - total.origin), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(total.squares, w @ (X - total.origin) ** 2, rtol=1e-9)
    np.testing.assert_allclose(found.mean, expected.mean, rtol=1e-12, atol=1e-13)
    if form is not scipy.sparse.csr_array:
        np.testing.assert_allclose(found.variance, expected.variance, rtol=1e-9)


def test_origins():
    """Zero, or the middle of a few rows where that is more than eight times their range."""
    X = np.column_stack([np.linspace(-1, 1, 45), np.linspace(0, 1, 45) + 7.6, np.full(45, 1e-3)])
    assert FirstSums.of(data_of(X)).origin[:2].tolist() == [0.0, X[21, 1]]
    X[:, 1] -= 1.0
    assert FirstSums.of(data_of(X)).origin.tolist() == [0.0, 0.0, 1e-3]
    assert not FirstSums.of(data_of(X, scipy.sparse.csr_array)).origin.any()


def test_the_middle_is_an_upper_median():
    X = np.random.default_rng(0).normal(size=(tuning.MIDDLE_ROWS, 2))
    np.testing.assert_array_equal(middle(data_of(X)), np.median(X, axis=0))
    np.testing.assert_array_equal(middle(data_of(X[:4])), np.sort(X[:4], axis=0)[2])
    assert middle(data_of(X, scipy.sparse.csr_array)).tolist() == [0.0, 0.0]
    weight = np.ones(tuning.MIDDLE_ROWS)
    X[3], weight[3] = -1e9, 0.0
    assert np.abs(middle(data_of(X, weight=weight))).max() < 10
    X[:, 0] = 0.1
    assert middle(data_of(X))[0] == 0.1


@pytest.mark.parametrize("n", [1, 2, 14, 15, 16, 30, 31, 1000])
def test_evenly_spaced_rows(n):
    """Evenly spaced, at most fifteen; by weight only rows that have some."""
    rows = np.arange(n)[evenly_spaced_rows(n, None)]
    assert rows[0] == 0
    assert min(n, 8) <= len(rows) <= tuning.MIDDLE_ROWS
    assert len(set(np.diff(rows))) <= 1
    weight = np.where(np.arange(n) % 4 == 0, np.arange(1.0, n + 1), 0.0)
    rows = evenly_spaced_rows(n, weight)
    assert len(rows) == tuning.MIDDLE_ROWS
    assert (weight[rows] > 0).all()
    assert (np.diff(rows) >= 0).all()
    # the weight up to a row and its neighbour enclose the middle of its share
    upto = np.cumsum(weight) / weight.sum()
    share = (np.arange(tuning.MIDDLE_ROWS) + 0.5) / tuning.MIDDLE_ROWS
    assert (upto[rows] >= share * (1 - 1e-12)).all()
    assert (upto[rows] - (weight / weight.sum())[rows] <= share * (1 + 1e-12)).all()


def test_of_columns_and_in_units():
    X, weight = drawn()
    found = compute_moments(data_of(X, weight=weight))
    few, expected = (
        found.of_columns(np.array([2, 0])),
        compute_moments(data_of(X[:, [2, 0]], weight=weight)),
    )
    for name in ("class_weight", "class_sums", "origin", "mean", "variance"):
        np.testing.assert_allclose(getattr(few, name), getattr(expected, name), rtol=1e-12)
    exponents = np.array([3, -900, 520])
    scaled = found.in_units(exponents)
    np.testing.assert_array_equal(scaled.class_weight, found.class_weight)
    np.testing.assert_array_equal(scaled.class_sums, np.ldexp(found.class_sums, exponents))
    np.testing.assert_array_equal(scaled.origin, np.ldexp(found.origin, exponents))
    np.testing.assert_array_equal(scaled.mean, np.ldexp(found.mean, exponents))
    assert scaled.variance[0] == found.variance[0] * 64
    assert scaled.variance[1:].tolist() == [0.0, np.inf]


@forms
@pytest.mark.parametrize("size", [1e-200, 1e-160, 1e-155, 1e-145, 1e-100, 1.0, 1e100, 1e160])
@pytest.mark.parametrize("weight", [None, 1e-30, 1e30])
def test_out_of_range(form, size, weight):
    """Columns whose squares under- or overflow, also where they are all zero for that reason."""
    X = np.zeros((30, 3))
    X[::2, 1], X[1::2, 2] = size, 1.0
    data = data_of(X, form, None if weight is None else np.full(30, weight))
    first = FirstSums.of(data)
    odd = not 1e-145 <= size <= 1e100
    assert out_of_range(data, first).tolist() == [False, odd, False]
    if size == 1e160:
        with pytest.raises(ValueError, match="column 1 whose squares overflow"):
            check_overflow(data, first)
    else:
        check_overflow(data, first)
    if not odd:
        expected = 15 * size**2 * (weight or 1.0)
        assert first.squares[1] == pytest.approx(expected, rel=1e-12)
    elif size < 1:
        with pytest.raises(ValueError, match="column 1 whose squares underflow"):
            compute_moments(data)


@pytest.mark.parametrize("weighted", [False, True])
def test_sparse_columns_that_vary_little(weighted):
    """Their mean and variance are those of the differences from one of their numbers."""
    rng = np.random.default_rng(0)
    X = np.column_stack([1 + 1e-7 * rng.normal(size=200), np.full(200, 0.1), rng.normal(size=200)])
    X[:, 0] = np.round(X[:, 0] * 2**50) / 2**50
    weight = rng.uniform(0, 2, size=200) if weighted else None
    found = compute_moments(data_of(X, scipy.sparse.csr_array, weight))
    away = X[:, 0] - 1.0
    mean = np.average(away, weights=weight)
    assert found.mean[0] - 1.0 == pytest.approx(mean, abs=3e-16)
    variance = np.average((away - mean) ** 2, weights=weight)
    assert found.variance[0] == pytest.approx(variance, rel=1e-6)
    assert found.mean[1] == 0.1
    assert found.variance[1] == 0.0


@pytest.mark.parametrize("squares", [1, 7, 1 << 18])
def test_entries_formed_at_a_time_change_nothing(squares, monkeypatch):
    X, weight = drawn()
    X[X < 0] = 0.0
    expected = weight @ X**2
    monkeypatch.setattr(tuning, "SQUARED_ENTRIES", squares)
    found = FirstSums.of(data_of(X, scipy.sparse.csr_array, weight))
    np.testing.assert_allclose(found.squares, expected, rtol=1e-12)
