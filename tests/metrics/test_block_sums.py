"""Means and sums of losses that are added block by block: exact, and in little memory."""

import math
import tracemalloc

import numpy as np
import pytest

from skxent.metrics import binary_cross_entropy, categorical_cross_entropy

N = 400_000
RNG = np.random.default_rng(0)
P = RNG.random(N)
YES = (RNG.random(N) < P).astype(float)
WEIGHT = RNG.random(N) * (RNG.random(N) < 0.9)
TWO = np.column_stack([1.0 - P, P])
CASES = {
    "float labels": (binary_cross_entropy, YES, P, {}),
    "soft": (binary_cross_entropy, P, P, {}),
    "bool": (binary_cross_entropy, YES.astype(bool), P, {}),
    "int8": (binary_cross_entropy, YES.astype(np.int8), P, {}),
    "logits": (binary_cross_entropy, YES, 8 * P - 4, {"from_logits": True}),
    "two columns": (binary_cross_entropy, YES, TWO, {}),
    "two columns of logits": (binary_cross_entropy, YES, TWO, {"from_logits": True}),
    "codes": (categorical_cross_entropy, YES.astype(np.intp), TWO, {}),
    "codes of one column": (categorical_cross_entropy, YES.astype(np.intp), P, {}),
    "rows": (categorical_cross_entropy, TWO, TWO, {}),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["unweighted", "weighted"])
def test_sums_of_all_losses_in_little_memory(case, weight):
    loss, y, p, options = CASES[case]
    losses = loss(y, p, reduction="none", **options)
    terms = losses if weight is None else weight * losses
    total, size = math.fsum(terms), N if weight is None else math.fsum(weight)
    for reduction, expected in (("sum", total), ("mean", total / size)):
        tracemalloc.start()
        try:
            found = loss(y, p, sample_weight=weight, reduction=reduction, **options)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert found == pytest.approx(expected, rel=1e-14)
        assert peak < 2.8e6  # an array of all losses has 3.2e6 bytes


@pytest.mark.parametrize("size", [1e-320, 1e-300, 1e305])
def test_sums_beyond_the_range_of_floats_are_scaled(size):
    n = 100_000
    losses = np.full(n, size)
    logits, y = np.where(losses > 1, -losses, 700.0), np.ones(n)
    if size < 1:
        logits[:] = -math.log(size)  # the loss of a right answer at logit z is exp(-z)
    found = binary_cross_entropy(y, logits, from_logits=True)
    each = binary_cross_entropy(y[:1], logits[:1], from_logits=True, reduction="none")[0]
    assert found == pytest.approx(each, rel=1e-13, abs=5e-324)


def test_infinite_losses_and_weights_of_zero():
    y, p = np.ones(100_000), np.full(100_000, 0.5)
    p[70_000] = 0.0
    weight = np.ones(100_000)
    assert binary_cross_entropy(y, p, eps=0) == np.inf
    assert binary_cross_entropy(y, p, eps=0, reduction="sum") == np.inf
    weight[70_000] = 0.0
    found = binary_cross_entropy(y, p, eps=0, sample_weight=weight)
    assert found == pytest.approx(math.log(2), rel=1e-14)
