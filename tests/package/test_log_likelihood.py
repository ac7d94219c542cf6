"""Every estimator: log_likelihood_ is the weighted sum of the log-probabilities it predicts."""

import warnings

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.exceptions import ConvergenceWarning

import skxent

NAMES = [
    name
    for name in skxent.__all__
    if hasattr(getattr(skxent, name), "fit") and name != "CalibratedClassifier"
]


def drawn(name, seed):
    """Return features or predictions, targets and weights; some have few rows or absent classes."""
    rng = np.random.default_rng(seed)
    K = 2 if name == "LogisticClassifier" else int(rng.integers(2, 5))
    n = int(rng.integers(3 * K, 60))
    X = rng.normal(size=(n, K)) * 10.0 ** rng.integers(-2, 4)
    y = rng.integers(K, size=n)
    y[: 2 * K] = np.arange(2 * K) % K
    w = rng.choice([0.0, 1e-3, 1.0, 2.5], n)
    w[: 2 * K] = 1.0
    if rng.random() < 0.5:
        T = rng.dirichlet(np.ones(K), n)
        if K > 2 and rng.random() < 0.5:
            T[:, 1] = 0.0
            T /= T.sum(axis=1, keepdims=True)
        return X, T, T, w
    if K > 2 and rng.random() < 0.5:
        w[y == 1] = 0.0
    return X, y, np.eye(K)[y], w


def test_all_estimators_are_here():
    assert len(NAMES) >= 5


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("name", NAMES)
def test_the_log_likelihood_is_that_of_the_predictions(name, seed):
    X, y, T, w = drawn(name, seed)
    if name == "LogitCalibrator":
        X = softmax(X, axis=1)
    clf = getattr(skxent, name)()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", UserWarning)
        clf.fit(X, y, sample_weight=w)
    log_q = clf.predict_log_proba(X)
    assert log_q.shape == T.shape
    there = T * w[:, None] > 0  # classes without weight have log-probability -inf
    expected = float((T * w[:, None])[there] @ log_q[there])
    assert clf.log_likelihood_ == pytest.approx(expected, rel=1e-9, abs=1e-9)
