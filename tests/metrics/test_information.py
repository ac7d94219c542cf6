"""Entropy, cross-entropy and divergence: the identity, limits, oracles, bad input."""

import re

import mpmath as mp
import numpy as np
import pytest
from scipy.stats import entropy as scipy_entropy

from skxent.metrics import categorical_cross_entropy, cross_entropy, entropy, kl_divergence


@pytest.fixture(params=[2, 5, 300])
def pair(request):
    rng = np.random.default_rng(request.param)
    return rng.dirichlet(np.ones(request.param), size=(2, 4, 3))


def test_cross_entropy_is_entropy_plus_divergence(pair):
    p, q = pair
    np.testing.assert_allclose(cross_entropy(p, q), entropy(p) + kl_divergence(p, q), rtol=1e-13)
    np.testing.assert_allclose(cross_entropy(p, p), entropy(p), rtol=1e-15)
    np.testing.assert_array_equal(kl_divergence(p, p), 0)


def test_shapes(pair):
    p, q = pair
    assert entropy(p).shape == cross_entropy(p, q).shape == kl_divergence(p, q).shape == (4, 3)
    assert kl_divergence(p, q[0, 0]).shape == (4, 3)
    one = kl_divergence(p[0, 0], q[0, 0])
    assert isinstance(one, float)
    np.testing.assert_allclose(kl_divergence(p, q)[0, 0], one, rtol=1e-15)


def test_oracle_scipy(pair):
    p, q = pair
    np.testing.assert_allclose(entropy(p), scipy_entropy(p, axis=-1), rtol=1e-12)
    np.testing.assert_allclose(kl_divergence(p, q), scipy_entropy(p, q, axis=-1), rtol=1e-10)


def test_exact():
    rng = np.random.default_rng(7)
    p, q = rng.dirichlet(np.ones(6), size=2)
    with mp.workdps(50):
        P, Q = [mp.mpf(float(v)) for v in p], [mp.mpf(float(v)) for v in q]
        pairs = list(zip(P, Q, strict=True))
        exact = [
            -mp.fsum(a * mp.log(a) for a in P),
            -mp.fsum(a * mp.log(b) for a, b in pairs),
            mp.fsum(a * mp.log(a / b) for a, b in pairs),
        ]
    for value, true in zip(
        (entropy(p), cross_entropy(p, q), kl_divergence(p, q)), exact, strict=True
    ):
        np.testing.assert_allclose(value, float(true), rtol=1e-14)


def test_limits():
    sure, even = [1.0, 0.0, 0.0, 0.0], [0.25] * 4
    assert entropy(sure) == 0
    assert entropy(even, base=2) == 2
    assert cross_entropy(sure, even, base=4) == 1
    assert kl_divergence(even, sure) == cross_entropy(even, sure) == np.inf
    assert cross_entropy(sure, sure) == 0
    assert not np.signbit(cross_entropy(sure, sure))


def test_divergence_is_never_negative():
    p = np.random.default_rng(0).dirichlet(np.ones(50), size=200)
    q = p + 1e-12 * np.sin(np.arange(50))
    assert (kl_divergence(p, q / q.sum(axis=1, keepdims=True)) >= 0).all()


def test_soft_targets_cost_their_cross_entropy(pair):
    p, q = pair[0].reshape(12, -1), pair[1].reshape(12, -1)
    np.testing.assert_allclose(
        categorical_cross_entropy(p, q, reduction="none"), cross_entropy(p, q), rtol=1e-14
    )


@pytest.mark.parametrize(
    ("p", "message"),
    [
        ([0.5, 0.6], "p does not sum to 1 in row 0"),
        ([[0.5, 0.5], [1.5, -0.5]], r"p has -0.5 in row 1, outside \[0, 1\]"),
        ([0.5, np.nan], "p has NaN or infinity in row 0"),
        ([0.5, 0.5j], "p is complex"),
        (["a", "b"], "p does not hold numbers"),
        ([], "p has shape"),
        (1.0, "p has shape"),
        ([[0.5, 0.5], [1.0]], "p is not a rectangular array"),
    ],
)
def test_bad_distributions(p, message):
    for measure in (entropy, lambda p: cross_entropy(p, p), lambda p: kl_divergence(p, p)):
        with pytest.raises(ValueError, match=message):
            measure(p)


@pytest.mark.parametrize("shapes", [((2, 3), (4, 3)), ((2, 4, 3), (3, 3)), ((2, 3), (2, 2))])
@pytest.mark.parametrize("measure", [cross_entropy, kl_divergence])
def test_shapes_that_do_not_broadcast(measure, shapes):
    p, q = (np.full(shape, 1.0 / shape[-1]) for shape in shapes)
    left, right = map(re.escape, map(str, shapes))
    with pytest.raises(ValueError, match=f"^p has shape {left} and q has shape {right}: pass"):
        measure(p, q)


@pytest.mark.parametrize("shapes", [((3,), (4, 3)), ((2, 1, 3), (4, 3)), ((1, 3), (1, 3))])
def test_shapes_broadcast(shapes):
    rng = np.random.default_rng(0)
    p, q = (rng.dirichlet(np.ones(3), size=shape[:-1]) for shape in shapes)
    np.testing.assert_allclose(cross_entropy(p, q), -(p * np.log(q)).sum(axis=-1))
    np.testing.assert_allclose(kl_divergence(p, q), (p * np.log(p / q)).sum(axis=-1))


def test_bad_pairs_and_base():
    with pytest.raises(ValueError, match=r"p has shape \(2,\) and q has shape \(3,\)"):
        kl_divergence([0.5, 0.5], [0.5, 0.25, 0.25])
    with pytest.raises(ValueError, match="q does not sum to 1"):
        cross_entropy([0.5, 0.5], [0.5, 0.6])
    for base in (1, 0, -2, np.nan, np.inf):
        with pytest.raises(ValueError, match="base="):
            entropy([0.5, 0.5], base=base)
