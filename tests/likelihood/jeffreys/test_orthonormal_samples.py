"""Coordinates in which the columns of samples are orthogonal."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from skxent.likelihood.jeffreys.orthonormal_samples import OrthonormalSamples
from skxent.likelihood.sources.local_rows import LocalRows


def rows(X, weight=None, **settings):
    return LocalRows(X, np.arange(X.shape[0]) % 3, weight, 3, **settings)


@pytest.fixture
def X(rng_of_four):
    return rng_of_four.normal(size=(30, 4)) * [1.0, 1e6, 1e-5, 3.0] + [0.0, 1e7, 1.0, -5.0]


@pytest.fixture
def rng_of_four():
    return np.random.default_rng(4)


@pytest.mark.parametrize("intercept", [True, False])
def test_coordinates_are_orthogonal_and_of_one_size(X, intercept):
    weight = np.random.default_rng(0).uniform(0.5, 3.0, size=30)
    samples = OrthonormalSamples.of(rows(X, weight, fit_intercept=intercept))
    moment = (samples.U * weight[:, None]).T @ samples.U
    expected = weight.sum() * np.eye(4 + intercept)
    np.testing.assert_allclose(moment, expected, atol=1e-8 * weight.sum())


@pytest.mark.parametrize("intercept", [True, False])
def test_parameters_return_and_logits_agree(X, rng_of_four, intercept):
    samples = OrthonormalSamples.of(rows(X, fit_intercept=intercept))
    theta = rng_of_four.normal(size=(3, 4 + intercept))
    coef, constant = samples.leave(theta)
    np.testing.assert_allclose(X @ coef.T + constant, samples.U @ theta.T, atol=1e-7)
    np.testing.assert_allclose(samples.enter(coef, constant), theta, atol=1e-7)


def test_centred_parameters_give_the_same_logits(X, rng_of_four):
    samples = OrthonormalSamples.of(rows(X))
    theta = rng_of_four.normal(size=(2, 5))
    centred = np.column_stack([X - samples.mean, np.ones(30)])
    logits = centred @ (theta @ samples.to_centred().T).T
    np.testing.assert_allclose(logits, samples.U @ theta.T, atol=1e-7)


def test_rows_without_weight_do_not_count(X):
    weight = np.arange(30) % 3.0
    some = OrthonormalSamples.of(rows(X[weight > 0], weight[weight > 0]))
    samples = OrthonormalSamples.of(rows(X, weight))
    assert len(samples.U) == 20
    np.testing.assert_array_equal(samples.U, some.U)


def test_sparse_samples_equal_dense_ones(X):
    dense, sparse = OrthonormalSamples.of(rows(X)), OrthonormalSamples.of(rows(csr_array(X)))
    np.testing.assert_array_equal(dense.U, sparse.U)


def test_determinant_of_the_change_of_coordinates():
    X = np.random.default_rng(1).normal(size=(30, 4)) * [1.0, 20.0, 0.1, 3.0]
    samples = OrthonormalSamples.of(rows(X))
    moment = (X - X.mean(axis=0)).T @ (X - X.mean(axis=0)) / 30
    assert samples.log_scale == pytest.approx(0.5 * np.linalg.slogdet(moment)[1], rel=1e-12)


@pytest.mark.parametrize("kind", ["copied", "constant", "zero", "far", "single"])
def test_dependent_columns_give_the_shortest_coefficients(X, kind):
    X = X[:, :2] / [1.0, 1e6]
    more = {
        "copied": -3.0 * X[:, :1],
        "constant": np.full((30, 1), 0.1),
        "zero": np.zeros((30, 1)),
        "far": X[:, :1] + 1e9,
        "single": X[:, :1].astype(np.float32).astype(float),
    }[kind]
    both = np.hstack([X, more])
    both = both.astype(np.float32) if kind == "single" else both
    samples = OrthonormalSamples.of(rows(both))
    assert samples.U.shape == (30, 3)
    coef, _ = samples.leave(np.array([[1.0, -2.0, 0.0]]))
    centred = both - both.mean(axis=0, dtype=float)
    shortest = np.linalg.pinv(centred, rcond=1e-5) @ (centred @ coef[0])
    np.testing.assert_allclose(coef[0], shortest, rtol=1e-5, atol=1e-6)


def test_more_columns_than_rows():
    X = np.random.default_rng(2).normal(size=(6, 20))
    assert OrthonormalSamples.of(rows(X)).U.shape == (6, 6)
    assert OrthonormalSamples.of(rows(X, fit_intercept=False)).U.shape == (6, 6)


def test_nearly_dependent_columns_of_many_float32_rows_are_kept():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(20000, 2))
    X = np.hstack([X, X[:, :1] + 1e-4 * rng.normal(size=(20000, 1))]).astype(np.float32)
    assert OrthonormalSamples.of(rows(X)).U.shape == (20000, 4)


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_squares_beyond_float64(X, size):
    expected, found = OrthonormalSamples.of(rows(X)), OrthonormalSamples.of(rows(X * size))
    np.testing.assert_allclose(np.abs(found.U), np.abs(expected.U), atol=1e-6)
    assert found.log_scale == pytest.approx(expected.log_scale + 4 * np.log(size), rel=1e-9)
