"""Sums with products in float32 are those in float64 up to the rounding that they promise."""

import numpy as np
import pytest
import scipy.sparse

from skxent.likelihood import tuning
from skxent.likelihood.objective import Objective
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import compute_moments
from skxent.likelihood.sources.single_sums import LARGEST, SINGLE_EPS


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(tuning, "ONE_BLOCK_ELEMENTS", 100)
    monkeypatch.setattr(tuning, "BLOCK_ELEMENTS", 4000)


def rows_of(K=3, offset=0.0, weighted=False, intercept=True, n=2000, d=5, order="C", n_threads=1):
    rng = np.random.default_rng(0)
    X = np.asarray(rng.normal(size=(n, d)) + offset, dtype=np.float32, order=order)
    weight = rng.uniform(0.5, 2.0, size=n) if weighted else None
    return LocalRows(X, rng.integers(K, size=n), weight, K, intercept, n_threads)


def sums_of(data, **arguments):
    moments = compute_moments(data)
    centre = moments.mean if data.fit_intercept else None
    return data.single_sums(moments, centre, **arguments), data.sums(centre, True)


@pytest.mark.parametrize("K", [2, 3, 9])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("offset", [0.0, 1.0, 300.0])
@pytest.mark.parametrize("intercept", [False, True])
def test_each_sum_is_that_of_float64(K, weighted, offset, intercept):
    data = rows_of(K, offset if intercept else 0.1, weighted, intercept)
    single, double = sums_of(data)
    assert single.dtype == np.float32
    rng = np.random.default_rng(1)
    theta, direction = (single.rounded(part) for part in rng.normal(size=(2, *data.theta_shape)))
    n = len(data.X)
    value, gradient = single.log_partition(theta)
    exact, slope = double.log_partition(theta)
    assert 0 < abs(value - exact) < single.rounding(theta) + SINGLE_EPS * exact
    np.testing.assert_allclose(gradient, slope, atol=3e-6 * n)
    for name, *arguments in (
        ("hessian_product", direction),
        ("hessian_gram", 0.1),
        ("class_block_grams", 0.1),
        ("hessian_diagonal", 0.1),
        ("sampling_scores",),
        ("sampling_scores", np.ones(data.theta_shape)),
    ):
        found, expected = (getattr(s, name)(theta, *arguments) for s in (single, double))
        assert found.dtype == np.float64
        np.testing.assert_allclose(
            found, expected, atol=1e-5 * np.abs(expected).max(), err_msg=name
        )
        assert (found != expected).any()  # the products are in float32


@pytest.mark.parametrize("K", [2, 4])
def test_columns_far_from_zero_keep_their_digits(K):
    """In blocks that are not centred, a column of 1e6 plus small numbers would be rounded away."""
    data = rows_of(K, offset=1e6)
    single, double = sums_of(data)
    theta = np.random.default_rng(1).normal(size=data.theta_shape)
    theta = single.rounded(theta)
    (value, gradient), (exact, slope) = single.log_partition(theta), double.log_partition(theta)
    assert abs(value - exact) < 1e-6 * exact
    np.testing.assert_allclose(gradient, slope, atol=1e-6 * len(data.X))
    assert single.rounding(theta) < 1e-5 * exact


@pytest.mark.parametrize("K", [2, 5])
@pytest.mark.parametrize("scale", [30.0, 300.0])
def test_large_logits_do_not_overflow(K, scale):
    data = rows_of(K)
    single, double = sums_of(data)
    theta = single.rounded(scale * np.random.default_rng(1).normal(size=data.theta_shape))
    (value, gradient), (exact, slope) = single.log_partition(theta), double.log_partition(theta)
    assert abs(value - exact) < single.rounding(theta)
    np.testing.assert_allclose(gradient, slope, atol=1e-4 * scale * len(data.X) ** 0.5)


@pytest.mark.parametrize("intercept", [False, True])
def test_rounded_parameters_have_no_rounding_in_the_products(intercept):
    single, _ = sums_of(rows_of(offset=1e3 if intercept else 0.0, intercept=intercept))
    theta = np.random.default_rng(1).normal(size=single.shape)
    once = single.rounded(theta)
    np.testing.assert_array_equal(single.rounded(once)[:, :5], once[:, :5])
    np.testing.assert_allclose(once, theta, rtol=1e-6, atol=1e-6)
    assert (once != theta).any()


@pytest.mark.parametrize("order", ["C", "F"])
def test_sums_do_not_depend_on_the_number_of_threads(order):
    theta = np.random.default_rng(1).normal(size=(3, 6))
    one, two = (sums_of(rows_of(order=order, n_threads=n))[0] for n in (1, 2))
    for name in ("log_partition", "losses"):
        for a, b in zip(getattr(one, name)(theta), getattr(two, name)(theta), strict=True):
            np.testing.assert_array_equal(a, b)
    two.close()


def test_rows_are_not_copied():
    """Blocks of C-ordered float32 rows near zero are views of X."""
    data = rows_of()
    single, _ = sums_of(data)
    assert single.blocks.buffer() is None
    assert np.shares_memory(single.blocks.read(single.blocks.all[1], None), data.X)


def test_no_sums_in_float32_where_numbers_may_overflow_or_float64_costs_nothing(monkeypatch):
    data = rows_of(weighted=True)
    moments = compute_moments(data)
    assert data.single_sums(moments, None) is not None

    def single_sums_of(X, weight=data.weight):
        changed = LocalRows(X, data.targets, weight, 3)
        return changed.single_sums(compute_moments(changed), None)

    assert single_sums_of(data.X.astype(np.float64)) is None
    assert single_sums_of(scipy.sparse.csr_array(data.X)) is None
    assert single_sums_of(data.X * np.float32(2 * LARGEST)) is None
    assert single_sums_of(data.X / np.float32(2 * LARGEST)) is None
    assert single_sums_of(data.X, data.weight * 1e11) is None
    assert single_sums_of(data.X, data.weight * 1e-11) is None
    monkeypatch.undo()
    assert single_sums_of(data.X) is None  # the rows fit one block
    assert data.single_sums(moments, None, small=True) is not None


def test_the_objective_in_float32_is_at_rounded_parameters():
    data = rows_of(4)
    moments = compute_moments(data)
    objective = Objective(data, moments, Penalty(0.1), moments.mean)
    theta = np.random.default_rng(1).normal(size=objective.shape)
    exact = objective(theta)
    with objective.with_products_in(single=True):
        point = objective(theta)
    assert point.single
    assert not exact.single
    again = objective(point.theta)
    assert 0 < abs(point.value - again.value) < point.rounding
    assert objective.n_passes == 3
    np.testing.assert_allclose(point.gradient, again.gradient, atol=1e-5 * len(data.X))


def test_losses_that_are_only_rounding_are_computed_in_float64():
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=2000)
    X = (rng.normal(size=(2000, 5)) + 100.0 * y[:, None]).astype(np.float32)
    data = LocalRows(X, y, None, 2)
    moments = compute_moments(data)
    objective = Objective(data, moments, Penalty(1e-9), moments.mean)
    theta = np.ones(objective.shape)
    exact = objective(theta)
    with objective.with_products_in(single=True):
        point = objective(theta)
        assert not objective.in_single
    assert not point.single
    assert point.value == exact.value
