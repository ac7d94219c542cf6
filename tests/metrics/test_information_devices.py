"""Entropies of arrays on a device equal the entropies of NumPy arrays."""

import numpy as np
import pytest
from extreme_samples import message

from skxent import cross_entropy, entropy, kl_divergence
from skxent.inputs.namespaces import to_numpy


@pytest.mark.parametrize("base", [None, 2])
def test_distributions(library, dtype, base):
    rng = np.random.default_rng(2)
    p = rng.dirichlet(np.ones(5), size=(3, 7)).astype(dtype)
    q = rng.dirichlet(np.ones(5), size=7).astype(dtype)
    p[0, 0], p[0, 1], q[1] = [0, 0, 1, 0, 0], q[1], [0.5, 0, 0.5, 0, 0]
    for function, args in ((entropy, (p,)), (cross_entropy, (p, q)), (kl_divergence, (p, q))):
        found = function(*map(library.array, args), base=base)
        assert library.has(found)
        expected = function(*args, base=base)
        np.testing.assert_allclose(to_numpy(found), expected, rtol=1e-14, atol=1e-15)
        rows = [x.reshape(-1, 5)[0] for x in args]
        one = function(*map(library.array, rows), base=base)
        assert type(one) is float
        assert one == pytest.approx(function(*rows, base=base), rel=1e-14)


def test_divergence_of_extremes(library):
    p = np.array([[1e-300, 1.0], [1.0, 1e-300], [0.5, 0.5], [0.5, 0.5 - 1e-12], [1.0, 5e-324]])
    q = np.array([[1.0, 1e-300], [1e-320, 1.0], [1.0, 0.0], [0.5 - 1e-12, 0.5], [1.0, 0.0]])
    found = to_numpy(kl_divergence(*map(library.array, (p, q))))
    np.testing.assert_allclose(found, kl_divergence(p, q), rtol=1e-14, atol=1e-16)


@pytest.mark.parametrize(
    ("p", "q"),
    [
        ([[0.5, 0.5], [0.5, 0.6]], [0.5, 0.5]),
        ([[0.5, 0.5], [np.nan, 0.5]], [0.5, 0.5]),
        ([0.5, 0.5], [0.2, 0.3, 0.5]),
        ([0.5, 0.5], 1.0),
        ([0.5, 0.5], []),
    ],
)
def test_messages_about_distributions(library, p, q):
    p, q = np.array(p), np.array(q)
    expected = message(cross_entropy, p, q)
    assert message(cross_entropy, library.array(p), library.array(q)) == expected
