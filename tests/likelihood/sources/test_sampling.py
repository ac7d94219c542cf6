"""The first read of X, and samples of rows."""

import tracemalloc

import numpy as np
import pytest
import scipy.sparse

from skxent.likelihood.objective import Objective
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources import sampling
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import compute_moments


def data_of(X, targets, weight=None, K=3, **changes):
    return LocalRows(X, targets, weight, K, **changes)


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 4)) * [1, 1e-6, 1e6, 1] + [0, 0, 0, 1e4]
    return X, rng.integers(3, size=500), rng.uniform(0, 2, size=500)


@pytest.mark.parametrize("form", [np.asarray, np.asfortranarray, scipy.sparse.csr_array])
def test_moments(arrays, form):
    X, codes, weight = arrays
    moments = compute_moments(data_of(form(X), codes, weight))
    mean = np.average(X, axis=0, weights=weight)
    variance = np.average((X - mean) ** 2, axis=0, weights=weight)
    np.testing.assert_allclose(moments.mean, mean, rtol=1e-12, atol=1e-13 * np.sqrt(variance).max())
    # sums of squares of a sparse column 1e4 deviations from the origin lose eight digits
    np.testing.assert_allclose(
        moments.variance, variance, rtol=1e-12 if form is np.asarray else 1e-6
    )
    for k in range(3):
        share = weight * (codes == k)
        assert moments.class_weight[k] == pytest.approx(share.sum(), rel=1e-13)
        np.testing.assert_allclose(
            moments.class_sums[k] + share.sum() * moments.origin, share @ X, rtol=1e-9
        )


def test_labels_one_hot_and_soft_rows_are_the_same(arrays):
    X, codes, weight = arrays
    one, two = (compute_moments(data_of(X, t, weight)) for t in (codes, np.eye(3)[codes]))
    scale = np.abs(one.class_sums).max(axis=0)
    np.testing.assert_allclose(one.class_sums / scale, two.class_sums / scale, atol=1e-14)
    np.testing.assert_allclose(one.class_weight, two.class_weight, rtol=1e-14)


@pytest.mark.parametrize("constant", [0.1, 1 / 3, -7e8, 1e-30, 0.0])
@pytest.mark.parametrize("sparse", [False, True])
def test_a_constant_column_has_no_variance(constant, sparse):
    """Not 1e-34 either: rounding must not be taken for a feature."""
    X = np.full((997, 2), constant)
    X[:, 0] = np.arange(997)
    moments = compute_moments(
        data_of(scipy.sparse.csr_array(X) if sparse else X, np.arange(997) % 3)
    )
    assert moments.variance[1] == 0
    assert moments.mean[1] == constant
    assert moments.variance[0] > 0


@pytest.mark.parametrize("sparse", [False, True])
def test_a_nearly_constant_column_has_its_variance(sparse):
    X = np.random.default_rng(0).normal(size=(1000, 2)) + np.array([0, 1e7])
    moments = compute_moments(
        data_of(scipy.sparse.csr_array(X) if sparse else X, np.arange(1000) % 3)
    )
    np.testing.assert_allclose(moments.variance, X.var(axis=0), rtol=1e-8)


@pytest.mark.parametrize("sparse", [False, True])
def test_squares_that_overflow_are_refused(sparse):
    X = np.ones((20, 3))
    X[4, 1] = 1e200
    with pytest.raises(ValueError, match="column 1"):
        compute_moments(data_of(scipy.sparse.csr_array(X) if sparse else X, np.arange(20) % 3))


def small_of(data, size=2000):
    moments = compute_moments(data)
    return data.sample(moments, moments.mean, size), moments


@pytest.mark.parametrize("important", [False, True])
@pytest.mark.parametrize("sparse", [False, True])
def test_a_sample_estimates_value_and_gradient(sparse, important, monkeypatch):
    """Over many draws the mean error vanishes: no bias. A wrong weight would be many sigma off."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(5000, 3)) * (rng.random((5000, 3)) < 0.5)
    codes, weight = (rng.random(5000) < [[0.02], [0.3]]).sum(axis=0), rng.uniform(0, 3, size=5000)
    data = data_of(scipy.sparse.csr_array(X) if sparse else X, codes, weight)
    theta = rng.normal(size=(3, 4))
    moments = compute_moments(data)
    whole = Objective(data, moments, Penalty(0.0), moments.mean)(theta)
    importance = rng.random(5000) ** 4 if important else None
    values, gradients = [], []
    for seed in range(60):
        monkeypatch.setattr(sampling, "SEED", seed)
        small = data.sample(moments, moments.mean, 400, importance)
        point = Objective(small, compute_moments(small), Penalty(0.0), None)(theta)
        values.append(point.value)
        gradients.append(point.gradient)
    for draws, true in ((values, whole.value), (gradients, whole.gradient)):
        error = np.mean(draws, axis=0) - true
        sigma = np.std(draws, axis=0) / np.sqrt(60)
        assert np.all(np.abs(error) < 4.5 * sigma + 1e-9)


def test_a_sample_misses_no_class():
    codes = np.zeros(100_000, dtype=int)
    codes[:30], codes[30:90] = 1, 2
    X = np.random.default_rng(0).normal(size=(100_000, 2))
    small, _ = small_of(data_of(X, codes))
    assert np.bincount(small.targets, minlength=3).min() >= 10
    assert 500 < len(small.targets) < 4000


@pytest.mark.parametrize("seed", range(20))
def test_a_sample_misses_no_column(seed, monkeypatch):
    """Indicators of 5 and of 30 rows in 30,000: looking for one must not lose the other."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(30_000, 6))
    for column, count in ((0, 5), (1, 30), (2, 12)):
        X[:, column] = 0
        X[rng.choice(30_000, count, replace=False), column] = 1
    monkeypatch.setattr(sampling, "SEED", seed)
    small, moments = small_of(data_of(X, rng.integers(3, size=30_000)))
    estimate = small.weight @ np.square(small.X) / 30_000
    # The 0s alone bring mean^2, a thousandth of the variance.
    assert np.all(estimate > 0.1 * moments.variance)


@pytest.mark.parametrize("row", [0, 777, 49_999])
def test_a_sample_keeps_the_outlier(row):
    X = np.random.default_rng(0).normal(size=(50_000, 3))
    X[row, 1] = 1e5
    small, _ = small_of(data_of(X, np.arange(50_000) % 3))
    assert np.abs(small.X[:, 1]).max() > 9e4


def test_first_read_of_sparse_columns_makes_no_dense_rows():
    X = scipy.sparse.random_array(
        (600, 1 << 18), density=1e-4, rng=np.random.default_rng(0), format="csr"
    )
    data = data_of(X, np.arange(600) % 2)
    tracemalloc.start()
    compute_moments(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 * X.shape[1] * 8  # five hundred rows would be a gigabyte
