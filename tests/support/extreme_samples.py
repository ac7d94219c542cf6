"""Samples with extreme predictions, and wrong arguments with the messages about them."""

import warnings

import numpy as np
import pytest

from skxent.metrics import ZeroProbabilityWarning

N, K = 60, 4


def problem(seed=0):
    """Labels, soft rows, logits from tiny to huge, probabilities, weights with zeros among them."""
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(N, K)) * np.geomspace(0.1, 300.0, N)[:, None]
    Z[3], Z[4, 1:], Z[5, 2] = 0.0, Z[4, 1], -np.inf
    P = rng.dirichlet(np.ones(K), size=N)
    y = rng.integers(K, size=N)
    y[:K], y[5], y[7] = np.arange(K), 0, 1
    P[7] = [1.0, 0.0, 0.0, 0.0]
    Y = rng.dirichlet(np.ones(K), size=N)
    Y[:20] = np.eye(K)[y[:20]]
    Y[5] = [0.5, 0.25, 0.0, 0.25]
    w = rng.random(N)
    w[[1, 8]] = 0.0
    return y, Y, Z, P, w


def message(function, *args, **options):
    with pytest.raises(ValueError) as caught:
        function(*args, **options)
    return str(caught.value)


def spoiled(array, place, value):
    array = array.copy()
    array[place] = value
    return array


def caught(call):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        call()
    found = [each for each in found if each.category is ZeroProbabilityWarning]
    assert found
    return found
