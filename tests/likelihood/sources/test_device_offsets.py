"""Sums of offsets on a device equal those in this process."""

from dataclasses import replace

import numpy as np
import pytest

from skxent.inputs.namespaces import to_numpy
from skxent.likelihood import tuning
from skxent.likelihood.sources.arrays import balanced_offset
from skxent.likelihood.sources.device_offsets import offset_sums_of
from skxent.likelihood.sources.device_rows import DeviceRows
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.offset_sums import OffsetSums


def rows(K, weighted, soft):
    rng = np.random.default_rng(K)
    targets = rng.dirichlet(np.ones(K), size=80) if soft else rng.integers(K, size=80)
    weight = rng.integers(0, 3, size=80).astype(float) if weighted else None
    O = balanced_offset(30 * rng.normal(size=(K, 80)))
    O[:, -1] *= 1e3 if weighted else 1.0
    if weighted:
        weight[-1] = 0.0  # the widest offset is that of no weighted row
    return LocalRows(rng.normal(size=(80, 2)), targets, weight, K, offset=O)


def sent(data, library):
    weight = None if data.weight is None else library.array(data.weight)
    X, targets, offset = map(library.array, (data.X, data.targets, data.offset))
    return DeviceRows(X, targets, weight, data.n_classes, offset=offset)


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("K", [2, 3])
def test_the_same_sums(K, weighted, soft, library, monkeypatch):
    data = rows(K, weighted, soft)
    known = OffsetSums.of(data)
    for most in (1 << 21, 100):
        monkeypatch.setattr(tuning, "DEVICE_BATCH_ELEMENTS", most)
        found = offset_sums_of(sent(data, library))
        for name in ("linear", "size", "losses", "widest"):
            value, expected = getattr(found, name), getattr(known, name)
            assert value == pytest.approx(expected, rel=1e-12, abs=1e-9)
        assert (known.widest < 1e3) == (found.widest < 1e3)


def test_rows_without_an_offset_have_no_sums(library):
    data = sent(rows(3, False, False), library)
    assert offset_sums_of(replace(data, offset=None)) is None


@pytest.mark.parametrize("classes", [[0, 2], [0, 1, 3], [0, 1, 2, 3]])
def test_some_of_the_classes(classes, library):
    data, mask = rows(4, False, True), np.isin(range(4), classes)
    known, found = data.with_classes(mask).offset, sent(data, library).with_classes(mask).offset
    np.testing.assert_allclose(to_numpy(found), known, rtol=1e-13, atol=1e-13)
