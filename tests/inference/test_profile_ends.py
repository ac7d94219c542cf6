"""The search for an end, on profiles whose minima are known in closed form."""

import math

import numpy as np
import pytest

from skxent.inference import profile_ends


class Known:
    """A profile F(b) with its derivative; a constrained minimum is the coefficient itself."""

    def __init__(self, value, slope, infimum, start=0.0):
        self.value, self.derivative, self.infimum, self.first = value, slope, infimum, start
        self.calls = 0

    def start(self):
        return self.first, self.first

    def at(self, distance, near, limit):
        self.calls += 1
        while 2 * (self.value(distance) - self.infimum) > limit**2:
            distance = 0.5 * (distance + near[0])
        return distance, distance

    def root(self, b):
        rise = max(2 * (self.value(b) - self.infimum), 0.0)
        return math.copysign(math.sqrt(rise), self.derivative(b))

    def slope(self, b):
        return self.derivative(b)


@pytest.mark.parametrize("target", [-3.0, -1e-3, 1.0, 2.5])
def test_a_quadratic_takes_one_step(target):
    profile = Known(lambda b: 0.5 * b * b, lambda b: b, 0.0)
    assert profile_ends.end(profile, target) == pytest.approx(target, rel=1e-12)
    assert profile.calls == 1


@pytest.mark.parametrize("start", [-1.0, 0.0, 3.0])
@pytest.mark.parametrize("target", [-4.0, -0.3, 0.5, 3.0])
def test_a_skewed_profile(start, target):
    """F = exp(b) - b, from a start on either side of the end."""
    profile = Known(lambda b: math.exp(b) - b, lambda b: math.exp(b) - 1.0, 1.0, start)
    found = profile_ends.end(profile, target)
    assert profile.root(found) == pytest.approx(target, rel=1e-9)
    assert profile.calls < 20


@pytest.mark.parametrize("target", [-2.0, -0.05])
def test_a_profile_that_falls_for_ever(target):
    """F = log1p(exp(-b)) has the infimum 0 and an end on one side only."""
    profile = Known(
        lambda b: float(np.logaddexp(0.0, -b)), lambda b: -1.0 / (1.0 + math.exp(b)), 0.0
    )
    end = profile_ends.end(profile, target)
    assert end == pytest.approx(-math.log(math.expm1(0.5 * target**2)), rel=1e-9)


def test_an_end_that_is_too_far_is_infinite():
    profile = Known(
        lambda b: -1.0 / (1.0 + abs(b)), lambda b: math.copysign((1.0 + abs(b)) ** -2, b), -1.0
    )
    assert profile_ends.end(profile, 2.0) == np.inf
    assert profile_ends.end(profile, -2.0) == -np.inf
