"""Columns whose squares are beyond float64: in other units, or refused with a penalty."""

import array_api_strict as strict
import numpy as np
import pytest
import scipy.sparse

from skxent.likelihood.coordinates.units import EPS, Units, read
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.device_rows import DeviceRows
from skxent.likelihood.sources.first_sums import FirstSums
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import compute_moments

forms = pytest.mark.parametrize("form", [np.asarray, scipy.sparse.csr_array])


def data_of(X, form=np.asarray, weight=None, **options):
    return LocalRows(form(X), np.arange(len(X)) % 3, weight, 3, **options)


def columns(size, n=40):
    X = np.random.default_rng(0).normal(size=(n, 3))
    return X * [1.0, size, 1e3]


@forms
@pytest.mark.parametrize("size", [1e-300, 1e-200, 1e-160, 1e160, 1e300])
@pytest.mark.parametrize("weighted", [False, True])
def test_other_units(size, form, weighted):
    """Columns near one, exactly the same numbers, and the moments of X as it is."""
    X, weight = columns(size), np.arange(40.0) % 5 if weighted else None
    data = data_of(X, form, weight)
    moments, penalty, units = read(data, Penalty(0.0))
    assert penalty == Penalty(0.0)
    assert units.exponents[[0, 2]].tolist() == [0, 0]
    used = slice(None) if weight is None else weight > 0
    largest = np.abs(X[used, 1] - FirstSums.of(data).origin[1]).max()
    assert -units.exponents[1] == np.frexp(largest)[1]
    there = units.data.X.toarray() if units.data.sparse else units.data.X
    np.testing.assert_array_equal(there[used], np.ldexp(X, units.exponents)[used])
    scaled = compute_moments(data_of(there, form, weight))
    np.testing.assert_allclose(units.moments.variance, scaled.variance, rtol=1e-14)
    np.testing.assert_allclose(moments.mean, np.average(X, axis=0, weights=weight), rtol=1e-10)
    np.testing.assert_array_equal(moments.mean, np.ldexp(scaled.mean, -units.exponents))
    np.testing.assert_array_equal(moments.class_sums, np.ldexp(scaled.class_sums, -units.exponents))
    np.testing.assert_array_equal(moments.origin, np.ldexp(scaled.origin, -units.exponents))
    with np.errstate(over="ignore"):
        variance = np.ldexp(scaled.variance, -2 * units.exponents)
    np.testing.assert_array_equal(moments.variance, variance)


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_parameters_there_and_back(size):
    X = columns(size)
    _, _, units = read(data_of(X), Penalty(0.0))
    coef, intercept = np.random.default_rng(1).normal(size=(3, 3)) / [1, size, 1], np.arange(3.0)
    there, same = units.enter(coef, intercept)
    np.testing.assert_allclose(units.data.X @ there.T, X @ coef.T, rtol=1e-13)
    np.testing.assert_array_equal(same, intercept)
    back = units.leave(there, same)
    np.testing.assert_array_equal(back[0], coef)
    np.testing.assert_array_equal(back[1], intercept)


def test_a_coefficient_beyond_float64_is_refused():
    units = Units(None, None, np.array([0, 900, 0]))
    assert units.leave(np.array([[1.0, 1e30, 1.0]]), np.zeros(1))[0][0, 1] == 1e30 * 2.0**900
    with pytest.raises(ValueError, match="column 1 so small"):
        units.leave(np.array([[1.0, 1e60, 1.0]]), np.zeros(1))


@forms
def test_columns_of_usual_size_are_read_as_they_are(form):
    X = columns(1.0)
    moments, penalty, units = read(data_of(X, form), Penalty(1e-3))
    assert units is None
    assert penalty == Penalty(1e-3)
    expected = compute_moments(data_of(X, form))
    np.testing.assert_array_equal(moments.variance, expected.variance)


@pytest.mark.parametrize("factor", [0.9, 1.1])
@pytest.mark.parametrize("size", [1.0, 1e-100, 1e30])
def test_a_penalty_too_weak_to_be_seen_is_zero(size, factor):
    """Seen is curvature above a squared epsilon of that of the column that varies least."""
    X = np.column_stack([columns(1.0)[:, :2] * [1, size], np.full(40, 3 * size)])
    alpha = factor * EPS**2 * 20 * X.var(axis=0)[:2].min()
    assert read(data_of(X, weight=np.full(40, 0.5)), Penalty(alpha))[1].alpha == (
        alpha if factor > 1 else 0.0
    )


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_a_penalty_is_seen_next_to_squares_that_overflow(factor):
    """The largest number of such a column stands for its deviation."""
    X = np.column_stack([columns(1.0)[:, :2] * 1e160, np.full(40, 3e160)])
    alpha = factor * (EPS * np.abs(X[:, :2]).max(axis=0).min()) ** 2 * 20
    data = data_of(X, weight=np.full(40, 0.5))
    if factor > 1:
        with pytest.raises(ValueError, match="column 0 whose squares overflow"):
            read(data, Penalty(alpha))
    else:
        _, seen, units = read(data, Penalty(alpha))
        assert seen == Penalty(0.0)
        assert units.exponents.tolist() == [*(-np.frexp(np.abs(X[:, :2]).max(axis=0))[1]), 0]


@pytest.mark.parametrize("form", [np.asarray, scipy.sparse.csr_array, strict.asarray])
@pytest.mark.parametrize("alpha", [0.0, 1.0])
@pytest.mark.parametrize("size", [1e200, -1e300])
def test_rows_without_weight_do_not_overflow(size, alpha, form):
    """A placeholder whose squares overflow, in a row without weight, costs nothing."""
    X, weight = columns(1.0), np.ones(40)
    X[7, 1], weight[7] = size, 0.0
    data = data_of(X, form, weight)
    if form is strict.asarray:
        data = DeviceRows(data.X, form(data.targets), form(weight), 3)
    moments, seen, units = read(data, Penalty(alpha))
    rest = np.delete(X, 7, axis=0)
    expected = compute_moments(LocalRows(rest, np.delete(np.arange(40) % 3, 7), None, 3))
    assert (seen, units) == (Penalty(alpha), None)
    np.testing.assert_allclose(moments.variance, expected.variance, rtol=1e-12)
    np.testing.assert_allclose(moments.mean, expected.mean, rtol=1e-12, atol=1e-13)


@forms
def test_squares_that_overflow_are_refused_where_the_penalty_is_seen(form):
    data = data_of(columns(1e200), form)
    with pytest.raises(ValueError, match="column 1 whose squares overflow"):
        read(data, Penalty(1.0))
    moments, penalty, units = read(data_of(columns(1e-200), form), Penalty(1.0))
    assert (penalty, units) == (Penalty(1.0), None)
    assert moments.variance[1] == 0


@forms
def test_largest_distance(form):
    """Rows without weight have none."""
    X = columns(1.0)
    X[3, 1], X[5, 2] = 1e9, -2e9
    some, at = np.array([1, 2]), np.array([0.5, -1.0])
    found = data_of(X, form).largest_distance(some, at)
    np.testing.assert_allclose(found, [1e9 - 0.5, 2e9 - 1.0])
    weight = np.ones(40)
    weight[3] = 0
    found = data_of(X, form, weight).largest_distance(some, at)
    np.testing.assert_allclose(found, [np.abs(np.delete(X[:, 1], 3) - 0.5).max(), 2e9 - 1.0])
    assert data_of(X, form, 0 * weight).largest_distance(some, at).tolist() == [0.0, 0.0]
