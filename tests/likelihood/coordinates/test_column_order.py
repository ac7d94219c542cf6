"""Reordered columns give the same logits, and parameters come back in the order of X."""

import numpy as np
import pytest
import scipy.sparse

from skxent.likelihood.coordinates.column_order import ColumnOrder
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources import sparse_single_sums
from skxent.likelihood.sources.local_rows import LocalRows

K = 8


@pytest.fixture(autouse=True)
def any_size(monkeypatch):
    monkeypatch.setattr(sparse_single_sums, "LEAST_PARAMETERS", 1)


def rows_of(d=30, n=200, dtype=np.float64):
    rng = np.random.default_rng(0)
    share = (1.0 + rng.permutation(d)) ** -1.5
    dense = rng.normal(size=(n, d)) * (rng.random((n, d)) < share)
    dense[:, 3] = 0.0
    X = scipy.sparse.csr_array(dense.astype(dtype))
    return LocalRows(X, rng.integers(K, size=n), None, K)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_columns_with_most_entries_come_first(dtype):
    data = rows_of(dtype=dtype)
    before = data.X.toarray()
    change = ColumnOrder.of(data)
    X = change.data.X
    counts = np.bincount(X.indices, minlength=X.shape[1])
    assert (np.diff(counts) <= 0).all()
    assert X.dtype == dtype
    assert scipy.sparse.csr_array((X.data, X.indices, X.indptr), shape=X.shape).has_canonical_format
    np.testing.assert_array_equal(X.toarray(), before[:, change.order])
    np.testing.assert_array_equal(data.X.toarray(), before)


def test_logits_stay_and_parameters_come_back():
    data = rows_of()
    change = ColumnOrder.of(data)
    rng = np.random.default_rng(1)
    coef, intercept = rng.normal(size=(K, 30)), rng.normal(size=K)
    entered = change.enter(coef, intercept)
    np.testing.assert_allclose(change.data.X @ entered[0].T, data.X @ coef.T, atol=1e-12)
    found = change.leave(*entered)
    np.testing.assert_array_equal(found[0], coef)
    np.testing.assert_array_equal(found[1], intercept)


def test_factors_of_the_penalty_follow_their_columns():
    change = ColumnOrder.of(rows_of())
    factors = np.arange(30.0)
    np.testing.assert_array_equal(change.penalty(Penalty(2.0, factors)).factors, change.order)
    plain = Penalty(2.0)
    assert change.penalty(plain) is plain


def test_rows_that_stay_as_they_are(monkeypatch):
    data = rows_of()
    dense = LocalRows(data.X.toarray(), data.targets, None, K)
    assert ColumnOrder.of(dense) is None
    even = scipy.sparse.csr_array(np.ones((20, 30)))
    assert ColumnOrder.of(LocalRows(even, data.targets[:20], None, K)) is None
    few = LocalRows(data.X, data.targets % 7, None, 7)
    assert ColumnOrder.of(few) is None
    monkeypatch.setattr(sparse_single_sums, "LEAST_PARAMETERS", K * 31 + 1)
    assert ColumnOrder.of(data) is None
