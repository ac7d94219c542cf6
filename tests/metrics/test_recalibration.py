"""The maps of a decomposition are at their optimum, against exact and slow references."""

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import logsumexp
from sklearn.exceptions import ConvergenceWarning

from skxent import decompose_cross_entropy
from skxent.metrics import map_likelihood


def pooled_exactly(p, y, w):
    """Isotonic regression in fractions: blocks of weights of no and yes."""
    blocks = []
    for score in np.unique(p):
        here = p == score
        no = sum(map(Fraction, w[here & (y == 0)].tolist()))
        yes = sum(map(Fraction, w[here & (y == 1)].tolist()))
        blocks.append([no, yes])
        while len(blocks) > 1 and blocks[-2][1] * blocks[-1][0] >= blocks[-1][1] * blocks[-2][0]:
            last = blocks.pop()
            blocks[-1] = [blocks[-1][0] + last[0], blocks[-1][1] + last[1]]
    return blocks


def least_mean_loss(blocks):
    """Mean cross-entropy of the pooled probabilities."""
    total, loss = sum(map(sum, blocks)), 0.0
    for no, yes in blocks:
        for one, other in (no, yes), (yes, no):
            if one:
                q = float(other / (no + yes))
                cost = -math.log1p(-q) if q < 0.5 else -math.log(float(one / (no + yes)))
                loss += float(one / total) * cost
    return loss


@pytest.mark.parametrize("orders", [0, 3, 16, 40, 300])
@pytest.mark.parametrize("seed", range(6))
def test_isotonic_with_weights_over_many_orders(orders, seed):
    rng = np.random.default_rng([orders, seed])
    n = 30
    p = rng.uniform(0.02, 0.98, n).round(2)
    y = (rng.uniform(size=n) < p).astype(int)
    w = 10.0 ** rng.uniform(-orders / 2, orders / 2, n)
    w[p.argmax()], y[p.argmax()] = w.max(), 1
    found = decompose_cross_entropy(y, p, sample_weight=w)
    least = least_mean_loss(pooled_exactly(p, y, w))
    assert found.loss - found.miscalibration == pytest.approx(least, rel=1e-9, abs=1e-15)


def test_a_no_of_tiny_weight_among_a_heavy_yes_is_not_impossible():
    # both scores are pooled: the probability of no is 1e-17, and not the 0 that 1 - p rounds to
    found = decompose_cross_entropy([1, 0], [0.9, 0.95], sample_weight=[1.0, 1e-17])
    assert found.miscalibration == pytest.approx(-math.log(0.9), rel=1e-12)
    np.testing.assert_allclose(found.recalibrated, [[1e-17, 1.0]] * 2, rtol=1e-12)


def scaled_loss(theta, Z, Y, w):
    U = theta[0] * Z + np.append(0.0, theta[1:])
    losses = logsumexp(U, axis=1) - (Y * U).sum(axis=1)
    P = np.exp(U - logsumexp(U, axis=1, keepdims=True))
    R = w[:, None] * (P - Y)
    return w @ losses, np.append((R * Z).sum(), R[:, 1:].sum(axis=0))


def lowest_by_many_starts(Z, Y, w, rng):
    """Minimum by a quasi-Newton method from many starts, over slopes that are not negative."""
    K = Z.shape[1]
    bounds = [(0, None)] + [(None, None)] * (K - 1)
    starts = [np.append(a, rng.normal(size=K - 1)) for a in (0.0, 0.1, 1.0, 10.0)]
    options = {"maxiter": 5000, "maxfun": 20000, "ftol": 0, "gtol": 1e-13}
    return min(
        minimize(
            scaled_loss, x, (Z, Y, w), jac=True, bounds=bounds, method="L-BFGS-B", options=options
        ).fun
        for x in starts
    )


TAILS = {
    "normal": lambda rng, Z: Z,
    "rows of many sizes": lambda rng, Z: Z * np.exp(4 * rng.normal(size=(len(Z), 1))),
    "nearly certain": lambda rng, Z: np.log(rng.dirichlet(np.full(Z.shape[1], 0.01), len(Z))),
    "fifth powers": lambda rng, Z: Z**5,
}


@pytest.mark.parametrize("tails", TAILS)
@pytest.mark.parametrize("seed", range(40))
@pytest.mark.thinned(3)
def test_scaling_is_at_the_optimum(tails, seed):
    """A trust region of conjugate gradients ended at its limit on 1 in 20 of these."""
    rng = np.random.default_rng([len(tails), seed])
    n, K = int(rng.integers(5, 60)), int(rng.integers(2, 5))
    with np.errstate(divide="ignore"):
        Z = np.maximum(TAILS[tails](rng, rng.normal(size=(n, K))), -1e3)
    Z -= Z.mean(axis=1, keepdims=True)
    y = np.where(rng.random(n) < rng.random() ** 0.2, Z.argmax(axis=1), rng.integers(K, size=n))
    y[:K] = range(K)
    w = 10.0 ** rng.uniform(-16 * rng.random(), 0, n)
    found = decompose_cross_entropy(
        y, Z, sample_weight=w, from_logits=True, calibration="scaling", labels=range(K)
    )
    reached = found.loss - found.miscalibration
    size = np.sqrt(np.mean(Z**2))
    lowest = lowest_by_many_starts(Z / size, np.eye(K)[y], w / w.sum(), rng)
    assert reached <= lowest + 1e-9
    # the recalibrated probabilities cost what was reached, but for those that round to 0
    p = found.recalibrated[np.arange(n), y]
    if p.all():
        assert -w @ np.log(p) / w.sum() == pytest.approx(reached, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("K", [3, 20])
def test_products_and_matrix_give_the_same_optimum(monkeypatch, K):
    rng = np.random.default_rng(K)
    P = rng.dirichlet(np.full(K, 0.3), size=300)
    y = np.array([rng.choice(K, p=row) for row in np.sqrt(P) / np.sqrt(P).sum(axis=1)[:, None]])
    expected = decompose_cross_entropy(y, P, labels=range(K))
    monkeypatch.setattr(map_likelihood, "MOST_IN_A_MATRIX", 1)
    found = decompose_cross_entropy(y, P, labels=range(K))
    assert found.miscalibration == pytest.approx(expected.miscalibration, abs=1e-9)


def test_a_fit_that_ends_early_is_reported(monkeypatch):
    from skxent.metrics import newton

    rng = np.random.default_rng(0)
    Z = rng.normal(size=(50, 3))
    y = (Z + rng.gumbel(size=(50, 3))).argmax(axis=1)
    monkeypatch.setattr(newton, "MOST_STEPS", 1)
    with pytest.warns(ConvergenceWarning, match="may be too small by"):
        decompose_cross_entropy(y, 30 * Z, from_logits=True)


@pytest.mark.parametrize("K", [2, 3, 5])
@pytest.mark.parametrize("shift", [0.0, 7.0])
def test_certain_logits_that_come_true_stay_as_they_are(K, shift):
    y = np.arange(2 * K) % K
    Z = np.where(np.eye(K)[y] > 0, 0.0, -np.inf) + shift * np.arange(2 * K)[:, None]
    found = decompose_cross_entropy(y, Z, from_logits=True)
    np.testing.assert_allclose(found.recalibrated, np.eye(K)[y], atol=1e-12)
    assert (found.loss, found.miscalibration) == (0.0, 0.0)
    assert found.discrimination == pytest.approx(np.log(K))


@pytest.mark.parametrize("tiny", [1e-3, 1e-12, 1e-17, 1e-40])
def test_blocks_whose_probabilities_round_to_one_stay_apart(tiny):
    p, y = [0.8, 0.8, 0.9, 0.9, 0.1, 0.1], [1, 0, 1, 0, 1, 0]
    found = decompose_cross_entropy(y, p, sample_weight=[1, tiny, 1, tiny / 100, 1, 3])
    no = [tiny / (1 + tiny)] * 2 + [tiny / 100 / (1 + tiny / 100)] * 2 + [0.75] * 2
    np.testing.assert_allclose(found.recalibrated[:, 0], no, rtol=1e-12)
