"""Sums over stored samples have the bits of `LocalSums`, at any parameters and in any order."""

from dataclasses import replace

import numpy as np
import pytest

from skxent.likelihood import tuning
from skxent.likelihood.sources.arrays import balanced_offset
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.local_sums import LocalSums
from skxent.likelihood.sources.stored_sums import StoredSums

GRAMS = "hessian_gram", "class_block_grams", "hessian_diagonal"


def rows_of(K, d, weighted=False, offset=False, order="C"):
    rng = np.random.default_rng(0)
    n = 50
    known = balanced_offset(rng.normal(size=(K, n))) if offset else None
    return LocalRows(
        np.asarray(rng.normal(size=(n, d)), order=order),
        rng.integers(K, size=n),
        rng.uniform(0.0, 2.0, size=n) if weighted else None,
        K,
        offset=known,
    )


@pytest.mark.parametrize("offset", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("K, d", [(2, 3), (2, 40), (3, 3), (3, 40), (6, 2)])
def test_same_bits_as_sums_by_blocks(K, d, weighted, offset):
    data = rows_of(K, d, weighted, offset)
    theta, other = np.random.default_rng(1).normal(size=(2, *data.theta_shape))
    centre = data.X.mean(axis=0)
    stored, plain = data.sums(centre, False), LocalSums(data, centre, False)
    assert type(stored) is StoredSums
    for point in (theta, theta, other, theta):
        for name in GRAMS:  # first without a pass at the point, then after it
            for residual_weight in (0.0, 0.3):
                np.testing.assert_array_equal(
                    getattr(stored, name)(point, residual_weight),
                    getattr(plain, name)(point, residual_weight),
                )
        (value, gradient), expected = stored.log_partition(point), plain.log_partition(point)
        assert value == expected[0]
        np.testing.assert_array_equal(gradient, expected[1])
        for name in GRAMS:
            np.testing.assert_array_equal(
                getattr(stored, name)(point, 0.0), getattr(plain, name)(point, 0.0)
            )


def test_columns_in_memory_order_without_an_intercept():
    """The samples are then X itself."""
    data = replace(rows_of(3, 4, order="F"), fit_intercept=False)
    theta = np.random.default_rng(1).normal(size=data.theta_shape)
    stored, plain = data.sums(None, False), LocalSums(data, None, False)
    assert np.shares_memory(stored.blocks.X, data.X)
    np.testing.assert_array_equal(stored.hessian_gram(theta, 0.0), plain.hessian_gram(theta, 0.0))
    np.testing.assert_array_equal(stored.log_partition(theta)[1], plain.log_partition(theta)[1])


def test_many_rows_are_not_stored(monkeypatch):
    data = rows_of(3, 4)
    monkeypatch.setattr(tuning, "ONE_BLOCK_ELEMENTS", 50 * (5 + 2 * 3) - 1)
    assert type(data.sums(None, False)) is LocalSums
    monkeypatch.setattr(tuning, "ONE_BLOCK_ELEMENTS", 50 * (5 + 2 * 3))
    assert type(data.sums(None, False)) is StoredSums


def test_closed_sums_keep_nothing():
    data = rows_of(3, 4)
    theta = np.random.default_rng(1).normal(size=data.theta_shape)
    sums = data.sums(None, False)
    sums.log_partition(theta)
    before = sums.hessian_gram(theta, 0.0)
    sums.close()
    assert sums._last is None
    assert sums._products is None
    np.testing.assert_array_equal(sums.hessian_gram(theta, 0.0), before)
