"""Sums over sparse rows in float32 are those in float64 up to rounding, and leave X as it is."""

import numpy as np
import pytest
import scipy.sparse

from skxent.likelihood.sources import sparse_single_sums
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import compute_moments

K = 9


@pytest.fixture(autouse=True)
def any_size(monkeypatch):
    monkeypatch.setattr(sparse_single_sums, "LEAST_PARAMETERS", 1)


def rows_of(dtype=np.float64, weighted=False, intercept=True, offset=False, n=600, d=40, K=K):
    rng = np.random.default_rng(0)
    X = scipy.sparse.random_array(
        (n, d), density=0.2, format="csr", dtype=np.float64, rng=rng
    ).astype(dtype)
    X.sort_indices()
    weight = rng.uniform(0.5, 2.0, size=n) if weighted else None
    known = rng.normal(size=(K, n)) if offset else None
    return LocalRows(X, rng.integers(K, size=n), weight, K, intercept, offset=known)


def sums_of(data):
    moments = compute_moments(data)
    centre = moments.mean if data.fit_intercept else None
    return data.single_sums(moments, centre), data.sums(centre, False)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("offset", [False, True])
def test_each_sum_is_that_of_float64(dtype, weighted, intercept, offset):
    single, double = sums_of(rows_of(dtype, weighted, intercept, offset))
    assert single.dtype == np.float32
    rng = np.random.default_rng(1)
    theta, direction = (single.rounded(part) for part in rng.normal(size=(2, *single.shape)))
    value, gradient = single.log_partition(theta)
    exact, slope = double.log_partition(theta)
    assert 0 < abs(value - exact) < single.rounding(theta) + 2e-7 * exact
    np.testing.assert_allclose(gradient, slope, atol=1e-5 * np.abs(slope).max())
    for name, arguments in {
        "hessian_product": (direction,),
        "hessian_diagonal": (0.1,),
        "sampling_scores": (),
        "slopes": (direction, np.array([0.0, 0.5])),
    }.items():
        found, expected = (getattr(s, name)(theta, *arguments) for s in (single, double))
        assert found.dtype == np.float64
        assert np.abs(found - expected).max() > 0
        np.testing.assert_allclose(
            found, expected, atol=1e-5 * np.abs(expected).max(), err_msg=name
        )
    found, expected = (s.max_logit_range(direction) for s in (single, double))
    assert found == pytest.approx(expected, rel=1e-5)


def test_indices_are_shared_and_entries_stay():
    data = rows_of()
    before = data.X.copy()
    single, _ = sums_of(data)
    X = single.data.X
    assert X.dtype == np.float32
    assert np.shares_memory(X.indices, data.X.indices)
    assert data.X.dtype == np.float64
    np.testing.assert_array_equal(data.X.toarray(), before.toarray())


def test_entries_of_float32_are_not_copied():
    data = rows_of(np.float32)
    assert np.shares_memory(sums_of(data)[0].data.X.data, data.X.data)


def test_what_has_no_sums_in_float32(monkeypatch):
    assert sums_of(rows_of(K=7))[0] is None
    data = rows_of()
    assert sums_of(data)[0] is not None
    constant = scipy.sparse.csr_array(scipy.sparse.hstack([data.X, np.ones((data.n_rows, 1))]))
    assert sums_of(LocalRows(constant, data.targets, None, K))[0] is None  # a column far from zero
    huge = data.X * 1e15
    assert sums_of(LocalRows(huge, data.targets, None, K))[0] is None
    assert data.single_sums(compute_moments(data), None, small=True) is None
    monkeypatch.setattr(sparse_single_sums, "LEAST_PARAMETERS", K * 41 + 1)
    assert sums_of(data)[0] is None
