"""Sums of offsets over rows against a formula for each row."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import log_softmax

from skxent.likelihood.sources.arrays import balanced_offset
from skxent.likelihood.sources.first_sums import FirstSums
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.offset_sums import OffsetSums


def rows(K, *, soft=False, weighted=False, size=3.0, n=200):
    rng = np.random.default_rng(K)
    O = size * rng.normal(size=(K, n))
    targets = rng.dirichlet(np.ones(K), size=n) if soft else rng.integers(0, K, n)
    weight = rng.integers(0, 3, n).astype(float) if weighted else None
    return LocalRows(rng.normal(size=(n, 2)), targets, weight, K, offset=balanced_offset(O)), O.T


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("K", [2, 3, 10])
@pytest.mark.parametrize("size", [1.0, 1e4])
def test_each_sum(K, soft, weighted, size):
    data, O = rows(K, soft=soft, weighted=weighted, size=size)
    Y = data.target_block(slice(None)).T
    w = np.ones(len(O)) if data.weight is None else data.weight
    known = O - O.mean(axis=1, keepdims=True)
    terms = w * (Y * known).sum(axis=1)
    found = OffsetSums.of(data)
    assert found.linear == pytest.approx(terms.sum(), rel=1e-11)
    assert found.size == pytest.approx(np.abs(terms).sum(), rel=1e-11)
    assert found.losses == pytest.approx(-(w @ (Y * log_softmax(O, axis=1)).sum(axis=1)), rel=1e-11)
    assert found.widest == pytest.approx(np.ptp(O, axis=1)[w > 0].max(), rel=1e-11)


def test_no_offset_has_no_sums():
    data, _ = rows(3)
    assert OffsetSums.of(replace(data, offset=None)) is None


@pytest.mark.parametrize("K", [2, 3])
def test_parts_add_up(K):
    data, _ = rows(K, weighted=True)
    parts = FirstSums.of(data.of_rows(slice(0, 70))) + FirstSums.of(data.of_rows(slice(70, None)))
    whole = OffsetSums.of(data)
    assert parts.offset.linear == pytest.approx(whole.linear, rel=1e-12)
    assert parts.offset.size == pytest.approx(whole.size, rel=1e-12)
    assert parts.offset.losses == pytest.approx(whole.losses, rel=1e-12)
    assert parts.offset.widest == whole.widest


def test_two_classes_left_of_many_have_their_difference():
    data, O = rows(5)
    mask = np.array([False, True, False, True, False])
    data = replace(data, targets=np.where(data.targets == 1, 1, 3))
    found = data.with_classes(mask).offset
    np.testing.assert_allclose(found, (O[:, 3] - O[:, 1])[None], rtol=1e-12, atol=1e-13)
    three = mask | np.array([True, False, False, False, False])
    found = data.with_classes(three).offset
    np.testing.assert_allclose(found.sum(axis=0), 0, atol=1e-13)
    np.testing.assert_allclose(found[2] - found[1], O[:, 3] - O[:, 1], rtol=1e-12, atol=1e-13)
