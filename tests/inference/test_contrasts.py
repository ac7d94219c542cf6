"""Contrasts: columns with two values."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from skxent.inference import contrasts
from skxent.inference.contrasts import level_contrasts, two_valued


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


COLOURS = np.array(["red", "green", "blue"], dtype=object)


def indicators(drop=True, n=500):
    """Colours of samples, and columns of other values with the indicators at 1 and 2, or 1 to 3."""
    colour = COLOURS[np.random.default_rng(0).integers(3, size=n)]
    X = np.random.default_rng(1).normal(size=(n, 5))
    for j, name in enumerate(COLOURS[drop:], 1):
        X[:, j] = np.where(colour == name, 2.5, -0.5)
    return X, colour


def values(contrast):
    return dict(zip(contrast.columns, zip(contrast.low, contrast.high, strict=True), strict=True))


@pytest.mark.parametrize("form", [np.array, csr_array])
def test_levels_with_a_base_of_no_column(form):
    X, colour = indicators()
    found = level_contrasts(form(X), np.ones(500, dtype=bool), [1, 2], list("abcde"), colour)
    assert [found[j].label for j in (1, 2)] == ["red to green", "red to blue"]
    assert values(found[1]) == {1: (-0.5, 2.5), 2: (-0.5, -0.5)}
    assert values(found[2]) == {1: (-0.5, -0.5), 2: (-0.5, 2.5)}


def test_levels_with_a_column_each():
    X, colour = indicators(drop=False)
    found = level_contrasts(X, np.ones(500, dtype=bool), [1, 2, 3], list("abcde"), colour)
    assert [found[j].label for j in (1, 2, 3)] == ["red to red", "red to green", "red to blue"]
    assert values(found[1]) == {1: (2.5, 2.5), 2: (-0.5, -0.5), 3: (-0.5, -0.5)}
    assert values(found[3]) == {1: (2.5, -0.5), 2: (-0.5, -0.5), 3: (-0.5, 2.5)}


def test_levels_of_several_entries():
    X, colour = indicators()
    mixed = np.where(np.arange(500) % 2, colour, colour + " (light)")
    found = level_contrasts(X, np.ones(500, dtype=bool), [1, 2], list("abcde"), mixed)
    assert [found[j].label for j in (1, 2)] == ["other levels to b", "other levels to c"]


def test_columns_that_are_no_indicators():
    X, colour = indicators()
    every = np.ones(500, dtype=bool)
    assert level_contrasts(X, every, [1, 2, 3], list("abcde"), colour) == {}
    X[7, 1:3] = 2.5  # two levels in one row
    assert level_contrasts(X, every, [1, 2], list("abcde"), colour) == {}
    assert len(level_contrasts(X, np.arange(500) != 7, [1, 2], list("abcde"), colour)) == 2


@pytest.mark.parametrize(
    ("entries", "label"),
    [((0.0, 1.0), "0 to 1"), ((0, 1), "0 to 1"), ((1, 2), None), ((False, True), "False to True")],
)
def test_one_column(entries, label):
    """Numbers are levels only if they are 0 and 1, whatever the column was scaled to."""
    X, _ = indicators()
    raw = np.where(X[:, 1] > 0, np.array(entries[1], object), np.array(entries[0], object))
    found = level_contrasts(X, np.ones(500, dtype=bool), [1], list("abcde"), raw)
    assert [contrast.label for contrast in found.values()] == ([label] if label else [])
