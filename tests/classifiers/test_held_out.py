"""Nearly separable data with a weak penalty: an objective far below one nat is minimised as well.

The reference is Newton's method on losses of full relative accuracy, two classes.
"""

import numpy as np
import pytest

from skxent import SoftmaxClassifier, SoftmaxClassifierCV
from skxent.classifiers import held_out

CS = [1e2, 1e4, 1e6]
MOST = 36.04365338911715  # nats, minus the logarithm of float64's epsilon


def losses(logits, y):
    z = np.where(y == 1, logits, -logits)
    return np.log1p(np.exp(-np.abs(z))) + np.maximum(-z, 0)


def newton(X, y, C, start=None):
    """Parameters at the minimum, intercept last."""
    A, sign = np.column_stack([X, np.ones(len(X))]), np.where(y == 1, 1.0, -1.0)
    ridge = np.append(np.full(X.shape[1], 1 / C), 0.0)

    def value(t):
        return losses(A @ t, y).sum() + 0.5 * t @ (ridge * t)

    t = np.zeros(A.shape[1]) if start is None else start
    for _ in range(200):
        z = sign * (A @ t)
        e = np.exp(-np.abs(z))
        g = ridge * t - A.T @ (sign * np.where(z > 0, e, 1.0) / (1 + e))
        H = (A * (e / (1 + e) ** 2)[:, None]).T @ A + np.diag(ridge)
        unit = 1 / np.sqrt(np.diag(H))
        step = -unit * np.linalg.solve(H * unit * unit[:, None], unit * g)
        length = 1.0
        while value(t + length * step) > value(t) and length > 1e-8:
            length /= 2
        t = t + length * step
        if -g @ step < 1e-14 * value(t):
            return t
    raise AssertionError("the reference did not converge")


def make(seed, n_more=0):
    rng = np.random.default_rng([seed, 7])
    n, d = [(15, 2), (20, 2), (15, 3), (30, 4), (12, 2)][seed % 5]
    X = rng.normal(size=(n + n_more, d))
    w = rng.normal(size=d) * [8, 20, 50][seed // 5 % 3]
    y = (X @ w + rng.logistic(size=n + n_more) > 0).astype(int)
    y[:4] = [0, 1, 0, 1]
    X = X * [1, 30, 1000, 0.01][seed % 4] + [0, 5][seed % 2]
    return X[:n], y[:n], X[n:], y[n:]


@pytest.mark.parametrize("C", CS)
@pytest.mark.parametrize("seed", range(30))
def test_held_out_losses(seed, C):
    X, y, X_test, y_test = make(seed, 200)
    t = newton(X, y, C)
    clf = SoftmaxClassifier(C=C).fit(X, y)
    truth = losses(X_test @ t[:-1] + t[-1], y_test).mean()
    assert losses(clf.decision_function(X_test), y_test).mean() == pytest.approx(truth, rel=0.01)


@pytest.mark.filterwarnings("ignore::skxent.ZeroProbabilityWarning")
@pytest.mark.parametrize("seed", range(30))
@pytest.mark.thinned(3)
def test_leave_one_out(seed):
    X, y, *_ = make(seed)
    clf = SoftmaxClassifierCV(Cs=CS).fit(X, y)
    truth = []
    for C in CS:
        t, cost = newton(X, y, C), []
        for i in range(len(y)):
            rest = np.arange(len(y)) != i
            s = newton(X[rest], y[rest], C, t)
            cost.append(losses(X[[i]] @ s[:-1] + s[-1], y[[i]])[0])
        truth.append(np.minimum(cost, MOST).mean())
    np.testing.assert_allclose(clf.loo_loss_, truth, rtol=0.02)
    assert truth[CS.index(clf.C_)] <= 1.0001 * min(truth)


@pytest.mark.filterwarnings("ignore::skxent.ZeroProbabilityWarning")
@pytest.mark.parametrize("K", [2, 3])
def test_a_class_of_one_costs_the_most_that_a_sample_can(K, monkeypatch):
    """Also where it would be in the first batch of those that get a fit of their own."""
    found = []
    plain = held_out.LeaveOneOut.fit

    def fit(self, alpha):
        found.append(plain(self, alpha))
        return found[-1]

    monkeypatch.setattr(held_out.LeaveOneOut, "fit", fit)
    for seed in range(6):
        rng = np.random.default_rng([seed, K])
        X = rng.normal(size=(14, 2))
        y = rng.integers(K - 1, size=14)
        y[: 2 * (K - 1)] = np.arange(2 * (K - 1)) % (K - 1)
        y[13] = K - 1
        for C in CS:
            SoftmaxClassifierCV(Cs=[C]).fit(X, y)
            assert found[-1].losses[13] == pytest.approx(MOST)
