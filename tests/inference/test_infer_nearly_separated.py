"""Standard errors of nearly separated classes with a weak penalty, against 50 digits."""

import warnings

import mpmath
import numpy as np
import pytest

from skxent import InferenceWarning, SoftmaxClassifier, infer


class Exact:
    """Newton's method for contrasts with the first class, and covariances, in 50 digits."""

    def __init__(self, X, y, C, start, weight=None, fit_intercept=True):
        ones = np.ones((len(X), int(fit_intercept)))
        self.x = mpmath.matrix(np.column_stack([X, ones]).tolist())
        self.K, self.d = int(y.max()) + 1, X.shape[1]
        self.Y = np.eye(self.K)[y][:, 1:]
        self.w = [mpmath.mpf(v) for v in (np.ones(len(X)) if weight is None else weight)]
        self.alpha = 1 / mpmath.mpf(C)
        self.theta = mpmath.matrix(np.ravel(start).tolist())
        while True:
            self.scores, H, gradient = self._derivatives()
            step = mpmath.lu_solve(H, gradient)
            self.theta -= step
            if (step.T * gradient)[0] < mpmath.mpf(10) ** -60:
                break
        self.inverse = self._derivatives()[1] ** -1

    def _derivatives(self):
        n, p = self.x.rows, self.x.cols
        m, q = self.K - 1, (self.K - 1) * p
        H, scores = mpmath.zeros(q), mpmath.zeros(n, q)
        for i in range(n):
            z = [mpmath.fdot(self.x[i, :], self.theta[k * p : (k + 1) * p]) for k in range(m)]
            e = [mpmath.exp(v) for v in z]
            P = [v / (1 + mpmath.fsum(e)) for v in e]
            for k in range(m):
                for j in range(p):
                    scores[i, k * p + j] = (P[k] - self.Y[i, k]) * self.x[i, j]
                for l in range(m):
                    h = self.w[i] * P[k] * ((k == l) - P[l])
                    block = h * self.x[i, :].T * self.x[i, :]
                    for a in range(p):
                        for b in range(p):
                            H[k * p + a, l * p + b] += block[a, b]
        gradient = scores.T * mpmath.matrix(self.w)
        for k in range(m):
            for l in range(m):
                own = self.alpha * ((k == l) - (mpmath.mpf(1) / self.K if m > 1 else 0))
                for j in range(self.d):
                    H[k * p + j, l * p + j] += own
                    gradient[k * p + j] += own * self.theta[l * p + j]
        return scores, H, gradient

    def standard_errors(self, groups=None):
        """Of the sandwich of samples, whose weights are importances, or of groups."""
        groups = np.arange(self.x.rows) if groups is None else groups
        total = mpmath.zeros(self.inverse.rows)
        for group in np.unique(groups):
            some = np.flatnonzero(groups == group)
            s = mpmath.matrix(1, self.inverse.rows)
            for i in some.tolist():
                s += self.w[i] * self.scores[i, :]
            influence = s * self.inverse
            total += influence.T * influence
        return np.array([float(mpmath.sqrt(total[j, j])) for j in range(total.rows)])


def separated(seed):
    """Data whose classes can be separated, or all but, on columns of several scales."""
    rng = np.random.default_rng(seed)
    K, n, d = int(rng.integers(2, 4)), int(rng.integers(9, 16)), int(rng.integers(1, 3))
    X = rng.normal(size=(n, d)) * 10.0 ** rng.uniform(-2, 2, d)
    if seed % 3 == 0:
        X = (X > 0) * 1.0
    y = np.searchsorted(np.quantile(X @ np.ones(d), np.arange(1, K) / K), X @ np.ones(d))
    if seed % 2:
        y[rng.integers(n)] = rng.integers(K)
    y[:K] = np.arange(K)
    weight = None if seed % 4 else rng.uniform(0.2, 3.0, n)
    return X, y, weight, 10.0 ** rng.uniform(1, 10), rng.integers(0, 6, n), bool(seed % 5)


@pytest.mark.parametrize("seed", range(24))
def test_a_weak_penalty_and_nearly_separated_classes(seed):
    X, y, weight, C, groups, intercept = separated(seed)
    clf = SoftmaxClassifier(C=C, fit_intercept=intercept, max_iter=10_000).fit(X, y, weight)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InferenceWarning)
        observed = infer(clf, X, y, weight)
        robust = infer(clf, X, y, weight, covariance="robust")
        cluster = infer(clf, X, y, weight, covariance="cluster", groups=groups)
    with mpmath.workdps(50):
        exact = Exact(X, y, C, observed.coef, weight, intercept)
        errors = np.array([float(mpmath.sqrt(v)) for v in np.diag(exact.inverse.tolist())])
        of_samples, of_groups = exact.standard_errors(), exact.standard_errors(groups)
    N, G, q = len(X), len(np.unique(groups)), len(errors)
    of_groups *= np.sqrt(G / (G - 1) * (N - 1) / (N - q))
    np.testing.assert_allclose(observed.standard_errors.ravel(), errors, rtol=1e-4)
    # An error that is zero but for rounding is so on the scale of the others.
    for found, true in ((robust, of_samples), (cluster, of_groups)):
        found = found.standard_errors.ravel()
        np.testing.assert_allclose(found, true, rtol=1e-3, atol=1e-6 * true.max())
