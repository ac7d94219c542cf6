"""Directions of recession, against linear programmes over all constraints at once."""

import numpy as np
import pytest
from scipy.optimize import linprog
from separations import constraints

from skxent.likelihood.existence.recession import impossible_classes, recedes
from skxent.likelihood.sources.local_rows import LocalRows


def drawn(seed):
    """Data whose classes may be separated; some columns are zeros and ones, some are shifted."""
    rng = np.random.default_rng(seed)
    K, d, n = int(rng.integers(2, 5)), int(rng.integers(1, 4)), int(rng.integers(6, 25))
    X = rng.normal(size=(n, d)) * 10.0 ** rng.integers(-2, 3, d) + 10.0 * rng.integers(0, 2)
    X[:, 0] = rng.random(n) < 0.3
    y = rng.integers(0, K, n)
    y[:K] = np.arange(K)
    y[K:] = np.where(X[K:, 0] > 0, rng.integers(0, K), y[K:])
    X[:2, 0] = 0.0, 1.0  # no column is constant
    return X, y, K, bool(rng.integers(0, 2))


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.thinned(3)
def test_all_coefficients_by_a_whole_programme(seed):
    X, y, K, intercept = drawn(seed)
    d = X.shape[1]
    rows, _, _ = constraints(X, np.eye(K)[y], None, intercept)
    functions, expected = [], []
    for k in range(1, K):
        for j in range(d + intercept):
            for sign in (-1.0, 1.0):
                function = np.zeros((K, d + 1))
                function[k, j], function[0, j] = sign, -sign
                functions.append(function)
                cost = -(function if intercept else function[:, :d]).ravel()
                scale = np.abs(rows).max(axis=0)  # units of the parameters
                result = linprog(
                    cost / scale,
                    A_ub=-rows / scale,
                    b_ub=np.zeros(len(rows)),
                    bounds=(-1, 1),
                    method="highs",
                )
                expected.append(-result.fun * scale.max() > 1e-6)
    data = LocalRows(X, y, None, K, intercept)
    assert recedes(data, functions).tolist() == expected


def test_classes_from_which_samples_are_separated():
    x = np.array([0.0, 0.0, 0.0, 1.0, 1.0, 2.0, 2.0])[:, None]
    y = np.array([0, 1, 2, 1, 1, 0, 2])
    # Without the ones nothing is separated; a line through 0, 1, 2 can not favour the middle.
    data = LocalRows(x, y, None, 3, True)
    assert not impossible_classes(data).any()
    onehot = np.eye(3)[x[:, 0].astype(int)][:, 1:]
    found = impossible_classes(LocalRows(onehot, y, None, 3, True))
    expected = np.zeros((3, 7), dtype=bool)
    expected[[0, 2], 3:5] = True  # the ones are all of the second class
    expected[1, 5:] = True  # the twos are not of the second class
    np.testing.assert_array_equal(found, expected)
