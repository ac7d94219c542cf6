"""Contrasts: columns with two values."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from skxent.inference import contrasts
from skxent.inference.contrasts import two_valued


def table(n=1000):
    rng = np.random.default_rng(0)
    coin = rng.integers(2, size=n)
    late = np.zeros(n)
    late[-1] = 1.0
    return np.column_stack(
        [
            rng.normal(size=n),
            coin,
            1 + coin,
            (coin - 0.5) / 0.3,
            np.zeros(n),
            rng.integers(3, size=n),
            late,
            coin + late,  # 1 or 2 at the end, a third value if 2
            np.where(np.arange(n) < n // 2, coin, 2 + coin),
            np.where(np.arange(n) < n // 2, coin, 0.5),
        ]
    )


@pytest.mark.parametrize("form", [np.array, csr_array, np.float32])
@pytest.mark.parametrize("first", [1, 64, 10_000])
def test_columns(form, first, monkeypatch):
    monkeypatch.setattr(contrasts, "FIRST", first)
    X = table()
    X[-1, 1] = X[-1, 2] = 1.0
    X[-1, 7] = 2.0
    found = two_valued(form(X), np.ones(len(X), dtype=bool), range(X.shape[1]))
    expected = {
        j: tuple(np.unique(form(X).toarray()[:, j] if form is csr_array else form(X)[:, j]))
        for j in range(X.shape[1])
    }
    assert found == {j: ends for j, ends in expected.items() if len(ends) == 2}
    assert set(found) == {1, 2, 3, 6}


def test_rows_that_do_not_count():
    X = table()
    X[:3, 1] = [7.0, np.pi, -1.0]
    counted = np.arange(len(X)) >= 3
    assert 1 not in two_valued(X, np.ones(len(X), dtype=bool), range(X.shape[1]))
    assert two_valued(X, counted, [1]) == {1: (0.0, 1.0)}
    assert two_valued(X, np.arange(len(X)) < len(X) - 1, [6]) == {}  # the only one
