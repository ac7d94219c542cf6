"""The minimum by plain Newton steps, and the objective in extended precision: the tests' oracle."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pytest


@dataclass(frozen=True)
class Optimum:
    """Exact penalised cross-entropy of dense X and targets Y (n, K).

    Newton's method in standardised columns with the last class standing still; objectives in long
    double, because a Unix timestamp costs float64 seven digits of each logit.
    """

    X: np.ndarray
    Y: np.ndarray
    C: float = 1.0
    weight: np.ndarray | None = None
    fit_intercept: bool = True
    factors: np.ndarray | float = 1.0

    @property
    def w(self):
        return np.ones(len(self.X)) if self.weight is None else self.weight

    def objective(self, coef, intercept):
        """The objective in nats, for parameters of any linear classifier."""
        wide = np.longdouble
        Z = self.X.astype(wide) @ np.asarray(coef, wide).T + np.asarray(intercept, wide)
        if Z.shape[1] == 1:
            Z = np.column_stack([np.zeros_like(Z), Z])
        top = Z.max(axis=1, keepdims=True)
        log_partition = np.log(np.exp(Z - top).sum(axis=1, keepdims=True)) + top
        losses = (self.Y * (log_partition - Z)).sum(axis=1)
        squares = self.factors * np.asarray(coef, wide) ** 2
        return self.w @ losses + squares.sum() / 2 / wide(self.C)

    def gap_of(self, clf):
        """How far a fitted classifier is above the minimum, in nats."""
        return float(self.objective(clf.coef_, clf.intercept_) - self.value)

    @cached_property
    def parameters(self):
        """coef and intercept at the minimum, in long double."""
        wide, K = np.longdouble, self.Y.shape[1]
        mean = np.average(self.X.astype(wide), axis=0, weights=self.w) * self.fit_intercept
        centred = (self.X - mean).astype(float)
        scale = np.sqrt(np.average(centred**2, axis=0, weights=self.w))
        scale[scale == 0] = 1
        S = np.column_stack([centred / scale, np.ones(len(self.X))])[:, : self.n_entries]
        ridge = np.zeros(self.n_entries)
        ridge[: len(scale)] = self.factors / self.C / scale**2
        T = self._newton(S, ridge)
        W, b = T[:, : len(scale)].astype(wide) / scale, np.zeros(K - 1, wide)
        if self.fit_intercept:
            b = T[:, -1].astype(wide) - W @ mean
        if K > 2:
            W, b = np.vstack([W, 0 * W[:1]]), np.append(b, 0)
            return W - W.mean(axis=0), b - b.mean()
        return -W, -b  # the logit of the second class

    @property
    def n_entries(self):
        return self.X.shape[1] + self.fit_intercept

    def _newton(self, S, ridge):
        K, p = self.Y.shape[1], S.shape[1]
        across = np.eye(K - 1) - (1 / K if K > 2 else 0)
        penalty = np.kron(across, np.diag(ridge))

        def value(T):
            Z = np.column_stack([S @ T.T, np.zeros(len(S))])
            top = Z.max(axis=1, keepdims=True)
            E = np.exp(Z - top)
            total = E.sum(axis=1, keepdims=True)
            losses = (self.Y * (np.log(total) + top - Z)).sum(axis=1)
            return self.w @ losses + 0.5 * T.ravel() @ penalty @ T.ravel(), E / total

        T = np.zeros((K - 1, p))
        F, P = value(T)
        for _ in range(200):
            residual = (P - self.Y)[:, :-1] * self.w[:, None]
            g = (residual.T @ S).ravel() + penalty @ T.ravel()
            H = penalty.copy()
            for k in range(K - 1):
                for j in range(K - 1):
                    h = self.w * P[:, k] * ((k == j) - P[:, j])
                    H[k * p : (k + 1) * p, j * p : (j + 1) * p] += (S * h[:, None]).T @ S
            unit = 1 / np.sqrt(np.where(np.diag(H) > 0, np.diag(H), 1))
            H = H * unit * unit[:, None]
            H[np.diag_indices_from(H)] = 1.0  # a constant column: no step along it
            step = -unit * np.linalg.solve(H, unit * g)
            length = 1.0
            while True:
                trial = T + length * step.reshape(T.shape)
                F_trial, P_trial = value(trial)
                if F_trial <= F + 1e-12 * abs(F) or length < 1e-9:
                    break
                length /= 2
            T, F, P = trial, F_trial, P_trial
            if -g @ step < 1e-20:
                return T
        raise AssertionError("the oracle did not converge: this problem tests nothing")

    @cached_property
    def value(self):
        return self.objective(*self.parameters)

    def assert_reached(self, clf):
        """The bound of the project: 1e-6 nats or 1e-8 of the objective."""
        gap = self.gap_of(clf)
        assert abs(gap) <= max(1e-6, 1e-8 * float(self.value)), f"{gap:.3g} nats from the minimum"
        assert clf.converged_


@pytest.fixture(scope="session")
def optimum():
    """Return a function that makes the `Optimum` of X and labels or soft rows."""

    def of(X, y, **settings):
        X = X.toarray() if hasattr(X, "toarray") else np.asarray(X, float)
        y = np.asarray(y)
        Y = y if y.ndim == 2 else (y[:, None] == np.unique(y)).astype(float)
        return Optimum(X, Y, **settings)

    return of


@pytest.fixture(scope="session")
def generate():
    """Return a function that makes data of a softmax model; every class has a sample."""

    def of(n, d, K, seed=0, strength=1.0, kind="normal", rarer=0.0):
        rng = np.random.default_rng([seed, n, d, K])
        X = rng.normal(size=(n, d))
        if kind == "correlated":
            X = X @ rng.normal(size=(d, d)) * np.logspace(-2, 2, d) + 5 * rng.normal(size=d)
        elif kind == "heavy":
            X = rng.standard_t(1.5, size=(n, d))
        elif kind == "lognormal":
            X = np.exp(2 * X)
        elif kind == "rare":
            X[:, 0] = rng.random(n) < 5 / n
            X[:, 1] = rng.random(n) < 30 / n
        elif kind == "outlier":
            X[rng.integers(n), 0] = 1e4
        elif kind == "mostly zero":
            X = np.where(rng.random((n, d)) < 0.1, np.abs(X), 0.0)
        W = rng.normal(size=(K, d)) * strength / np.sqrt(d)
        scaled = (X - X.mean(axis=0)) / np.maximum(X.std(axis=0), 1e-12)
        y = (scaled @ W.T + rng.gumbel(size=(n, K)) - rarer * np.arange(K)).argmax(axis=1)
        y[:K] = np.arange(K)
        return X, y

    return of
