"""Sixty samples with labels of two and three classes, and soft targets, to spoil."""

import numpy as np

N = 60
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 3))
Y2 = (X[:, 0] + RNG.normal(size=N) > 0).astype(int)
Y3 = np.digitize(X[:, 0] + RNG.normal(size=N), [-0.5, 0.5])
SOFT = RNG.dirichlet(np.ones(3), size=N)
ONES = np.ones(N)


def put(values, place, value, dtype=float):
    """A copy of `values` with one of them replaced."""
    array = np.array(values, dtype=dtype)
    array[place] = value
    return array
