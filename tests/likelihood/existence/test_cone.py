"""Margins are decided as exactly as float64 holds them, by programmes that are refined."""

import numpy as np
import pytest
from separations import find, sparse, touching

from skxent.likelihood.existence import cone


@pytest.mark.parametrize(("d", "K"), [(1, 2), (2, 2), (2, 3), (5, 2), (5, 3)])
@pytest.mark.parametrize("gap", [1e-2, 1e-5, 1e-8, 1e-10, 1e-11])
def test_a_gap_or_an_overlap_however_small(d, K, gap):
    """HiGHS is content with 1e-9; what is decided here is decided by float64."""
    found = find(*touching(d, K, gap))
    assert found is not None
    assert found.n_samples >= 300
    assert gap < 1e-5 or found.kind == "complete"
    assert find(*touching(d, K, -gap)) is None


@pytest.mark.parametrize("d", [2, 5])
def test_what_a_search_returns_breaks_no_margin(d, monkeypatch):
    """Not even a solution that was refined, and may break a margin that is no constraint yet."""
    search, refined, met = cone.Cone._search, cone.Cone._refined, []

    def searched(self, programme, direction, least):
        result = search(self, programme, direction, least)
        assert result is None or not self.broken(result, direction, least)[0]
        return result

    def noted(self, x, lower):
        better = refined(self, x, lower)
        if better is not None:
            met.append(self.broken(better.reshape(self.shape), np.zeros(self.shape), -np.inf)[0])
        return better

    monkeypatch.setattr(cone.Cone, "_search", searched)
    monkeypatch.setattr(cone.Cone, "_refined", noted)
    assert find(*touching(d, 3, 1e-10)).n_samples >= 300
    assert any(met) and not all(met)


def test_an_overlap_far_from_zero():
    """A timestamp: units in the last place of 1e9 are 1e-7."""
    x = 1e9 + np.arange(100.0)
    y = np.repeat([0, 1], 50)
    for X in (x[:, None], sparse(x[:, None])):
        assert find(X, y).kind == "complete"
        assert find(X, np.where(x == 1e9 + 55, 0, y)) is None
    x[49] = x[50] + 1e-5
    assert find(x[:, None], y) is None
    x[49] = x[50]
    assert find(x[:, None], y).kind == "quasi-complete"


@pytest.mark.parametrize("offset", [0.0, 3e4])
def test_a_border_that_float64_rounds(offset):
    """Samples on a + 2 b = 13 in tenths: 0.1 + 0.2 is not 0.3, and far from zero still less."""
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 10, size=(2, 2000))
    X = np.column_stack([0.1 * a - offset, 0.3 * b + offset])
    above, border = a + 2 * b > 13, a + 2 * b == 13
    assert len(np.unique(X[border] @ [3, 2])) > 1
    assert find(X, above.astype(int)).kind == "complete"
    y = np.where(border, rng.integers(2, size=2000), above)
    found = find(X, y)
    assert (found.kind, found.n_samples) == ("quasi-complete", 2000 - border.sum())
    y[np.argmax(a + 2 * b)] = 0
    assert find(X, y) is None


def test_one_sample_of_many_objects():
    """All constraints hold, though few are ever in the programme."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(50_000, 3))
    y = (X[:, 0] > 0.3).astype(int)
    assert find(X, y).features.tolist() == [0]
    y[np.argmin(np.abs(X[:, 0] - 0.5))] = 0
    assert find(X, y) is None
    X[:, 2] = 0
    X[777] = [2.0, 0.0, 1.0]
    y[777] = 1
    found = find(X, y)
    assert (found.features.tolist(), found.n_samples) == ([2], 1)
