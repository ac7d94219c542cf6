"""Fits at the minimum that some sample would seem to leave: an outlier in an unpenalised column."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from skxent import SoftmaxClassifier, SoftmaxClassifierCV
from skxent.likelihood import kernels, tuning


def drawn(seed):
    """Random labels, and an outlier of 1e3 to 1e7 in the first column."""
    rng = np.random.default_rng(seed)
    n, d, K = int(rng.integers(15, 60)), int(rng.integers(2, 6)), int(rng.integers(2, 4))
    X = rng.normal(size=(n, d))
    X[rng.integers(n), 0] = 10.0 ** rng.integers(3, 8) * rng.choice([-1, 1])
    y = rng.integers(K, size=n)
    y[:K] = np.arange(K)
    return X, y, np.append(0.0, np.ones(d - 1))


# Each of these had a gap of 1e-10 at most, and was said to be out of reach or to be uncertain.
@pytest.mark.parametrize("seed", [23, 50, 55, 57, 59, 64, 68, 141, 199, 383])
def test_an_outlier_beside_the_penalty(seed, optimum):
    X, y, factors = drawn(seed)
    clf = SoftmaxClassifier(C=100, penalty_factor=factors).fit(X, y)
    assert clf.converged_
    assert clf.optimality_gap_ <= clf.target_gap_
    assert abs(optimum(X, y, C=100, factors=factors).gap_of(clf)) < 1e-6


def test_a_separation_beside_an_outlier_is_found():
    """The same, with a column without a penalty that separates one sample."""
    for seed in (23, 50, 57, 64):
        X, y, factors = drawn(seed)
        X = np.column_stack([X, np.arange(len(X)) == 5])
        with pytest.warns(ConvergenceWarning, match="no finite maximum of the likelihood exists"):
            clf = SoftmaxClassifier(C=100, penalty_factor=np.append(factors, 0.0)).fit(X, y)
        assert not clf.converged_


def test_leave_one_out_takes_a_fit_beside_an_outlier():
    """A fit out of reach counts as an infinite held-out loss, and this C was never chosen."""
    X, y, factors = drawn(23)
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", ConvergenceWarning
        )  # the outlier has no leverage of its own
        clf = SoftmaxClassifierCV([1.0, 100.0], penalty_factor=factors).fit(X, y)
    assert np.isfinite(clf.mean_loss_).all()


@pytest.mark.parametrize("K", [2, 3, 5])
def test_logits_out_of_reach_do_not_count(K):
    """They have no curvature along a change that leaves their margin above its half."""
    rng = np.random.default_rng(K)
    R = 1 if K == 2 else K
    Z = 40 * rng.normal(size=(R, 500))
    Q = rng.choice([0.1, 10.0, 80.0], size=500) * rng.normal(size=(R, 500))
    logits, changes = (np.vstack([0 * A, A]) if K == 2 else A for A in (Z, Q))
    change = np.ptp(changes, axis=0)
    margin = logits.max(axis=0) - logits
    near = (margin <= tuning.DECIDED_MARGIN) | (margin <= 2 * change)
    expected = [np.ptp(q[some]) for q, some in zip(changes.T, near.T, strict=True)]
    assert 0 < (near.sum(axis=0) == 1).sum() < 500
    np.testing.assert_allclose(kernels.undecided_range(Z, Q), expected, rtol=1e-15)


@pytest.mark.parametrize("solver", ["auto", "newton", "lbfgs"])
def test_a_fit_of_huge_weights_ends_at_its_target(solver):
    """A gap that vanishes beside a weight of 1e12 is no end while the minimum is finite."""
    y = np.array([2, 2, 1, 0, 2, 2, 2, 1, 0])
    weight = np.ones(9)
    weight[2] = 1e12
    clf = SoftmaxClassifier(solver=solver, tol=0.01).fit(np.zeros((9, 1)), y, weight)
    total = np.bincount(y, weight)
    least = total @ np.log(total.sum() / total)
    assert clf.converged_
    assert clf.optimality_gap_ <= clf.target_gap_
    assert clf.objective_ == pytest.approx(least, abs=clf.target_gap_)
