"""Sums in twice the working precision: against exact sums of fractions, in every library."""

import math
from fractions import Fraction

import numpy as np
import pytest

from skxent.inputs.namespaces import detached
from skxent.metrics.compensated_sums import SHORT, CompensatedSum, two_part_sum


def exact(values):
    return sum(map(Fraction, values.tolist()), Fraction(0))


SIZES = [0, 1, 2, SHORT - 1, SHORT, SHORT + 1, 2 * SHORT + 1, 5000, 2**14, 2**14 + 3]


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("spread", [0, 8, 60])
def test_is_the_exact_sum_rounded_once(n, spread):
    rng = np.random.default_rng(n + spread)
    values = rng.random(n) * 10.0 ** rng.uniform(-spread, spread, size=n)
    assert sum(two_part_sum(values)) == pytest.approx(float(exact(values)), rel=2.3e-16, abs=0)
    signed = values * rng.choice([-1.0, 1.0], size=n)  # terms that cancel
    high, low = two_part_sum(signed)
    error = abs(Fraction(high) + Fraction(low) - exact(signed))
    assert error <= Fraction(1.2e-16) * abs(exact(signed)) + Fraction(1e-29) * exact(values)


def test_other_libraries(library):
    values = np.random.default_rng(0).exponential(size=3001)
    assert sum(two_part_sum(detached(library.array(values)))) == float(exact(values))


def test_single_precision_has_the_digits_of_double_precision(library):
    values = np.random.default_rng(0).exponential(size=3001).astype(np.float32)
    found = sum(two_part_sum(detached(library.array(values))))
    assert found == pytest.approx(float(exact(values)), rel=1e-12)


def test_running_sum():
    sums = np.random.default_rng(1).exponential(size=10_000)
    running = CompensatedSum()
    for value in sums.tolist():
        running.add(value)
    assert running.value == math.fsum(sums)


def test_overflow_is_infinity_without_a_warning():
    assert two_part_sum(np.full(2 * SHORT, 1e308))[0] == math.inf
    running = CompensatedSum()
    running.add_all(np.full(2 * SHORT, 1e308))
    running.add(1.0)
    assert running.value == math.inf
    running = CompensatedSum()
    running.add_all(np.array([math.inf, 1.0]))
    assert running.value == math.inf
