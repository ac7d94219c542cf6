"""Calls of every feature, each drawn from its seed: right numbers, or errors that name arguments.

tests/benchmarks/bench_drawn_calls.py runs other seeds, and as many as are wanted.
"""

import pytest
from drawn_calls import faults_of
from drawn_features import FEATURES

FEW, MANY = 9, 150


@pytest.mark.parametrize("feature", FEATURES)
@pytest.mark.parametrize(
    "seeds", [range(FEW), pytest.param(range(FEW, MANY), marks=pytest.mark.slow)], ids=str
)
def test_drawn_calls(feature, seeds):
    faults = [line for seed in seeds for line in faults_of(FEATURES[feature], seed)]
    assert not faults, "\n".join(faults[:5])
