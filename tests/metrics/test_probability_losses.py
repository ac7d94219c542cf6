"""Losses of yes/no outcomes from probabilities: exact, and computed for the side that happened."""

import mpmath
import numpy as np
import pytest

from skxent import binary_cross_entropy
from skxent.metrics import probability_losses

mpmath.mp.dps = 40
PROBABILITIES = [5e-324, 1e-300, 1e-17, 1e-9, 1e-3, 0.1, 0.3, 0.5, 0.7, 0.999, 1 - 1e-9, 1 - 1e-16]


@pytest.mark.parametrize("p", PROBABILITIES)
@pytest.mark.parametrize("y", [0, 1])
def test_certain_outcomes_are_exact(p, y):
    """-log(1 - p) of a small p is p, which is lost in 1 - p."""
    expected = -mpmath.log(mpmath.mpf(p) if y else 1 - mpmath.mpf(p))
    found = binary_cross_entropy([y, 1 - y], [p, p], reduction="none", eps=0)[0]
    assert found == pytest.approx(float(expected), rel=4e-16)


@pytest.mark.parametrize("dtype", [float, np.float32, bool, np.int8])
def test_certain_outcomes_take_one_logarithm_each(dtype, monkeypatch):
    counted = []
    compute = probability_losses._minus_log_of_outcome

    def count(p, no):
        counted.append(np.size(p))
        return compute(p, no)

    monkeypatch.setattr(probability_losses, "_minus_log_of_outcome", count)
    y = np.arange(1000) % 2
    binary_cross_entropy(y.astype(dtype), np.linspace(0.1, 0.9, 1000))
    assert sum(counted) == 1000
    binary_cross_entropy(0.5 * y, np.linspace(0.1, 0.9, 1000))
    assert sum(counted) == 3000
