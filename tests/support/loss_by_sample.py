"""The objective written out, one sample at a time, to hold the engine against."""

from dataclasses import dataclass

import numpy as np
import pytest
import scipy.sparse

from skxent.likelihood.objective import Objective
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import compute_moments


@dataclass(frozen=True)
class Case:
    """A small problem: X dense, targets Y (n, K), weights, penalty, intercept or not."""

    X: np.ndarray
    Y: np.ndarray
    weight: np.ndarray
    alpha: float
    fit_intercept: bool

    @property
    def centre(self):
        return np.average(self.X, axis=0, weights=self.weight) if self.fit_intercept else None

    @property
    def samples(self):
        """x less the centre, and the constant one."""
        if not self.fit_intercept:
            return self.X
        return np.column_stack([self.X - self.centre, np.ones(len(self.X))])

    def objective(self, *, sparse=False, dtype=np.float64, order="C", **changes):
        """The engine's objective of this problem."""
        X = scipy.sparse.csr_array(self.X) if sparse else np.asarray(self.X, dtype, order=order)
        K = self.Y.shape[1]
        data = LocalRows(X, self.Y, self.weight, K, self.fit_intercept, **changes)
        moments = compute_moments(data)
        return Objective(
            data, moments, Penalty(self.alpha), moments.mean if self.fit_intercept else None
        )

    def probabilities(self, theta):
        """(n, K) softmax, sample by sample."""
        if len(theta) == 1:  # one logit, of the second class
            theta = np.vstack([np.zeros_like(theta), theta])
        P = np.empty((len(self.X), len(theta)))
        for i, x in enumerate(self.samples):
            e = np.exp(theta @ x - (theta @ x).max())
            P[i] = e / e.sum()
        return P

    def value(self, theta):
        losses = -np.sum(self.Y * np.log(self.probabilities(theta)), axis=1)
        W = theta[:, : self.X.shape[1]]
        W = W - W.mean(axis=0) if len(W) > 1 else W
        return self.weight @ losses + self.alpha / 2 * np.sum(W**2)

    def hessian(self, theta):
        """(R p, R p), by an explicit loop over samples."""
        P, (R, p) = self.probabilities(theta), theta.shape
        H = np.zeros((R * p, R * p))
        for w, prob, x in zip(self.weight, P, self.samples, strict=True):
            S = np.diag(prob) - np.outer(prob, prob)
            H += w * np.kron(S[-R:, -R:], np.outer(x, x))
        ridge = np.zeros(p)
        ridge[: self.X.shape[1]] = self.alpha
        across = np.eye(R) - (1 / R if R > 1 else 0)
        return H + np.kron(across, np.diag(ridge))

    def free_hessian(self, theta, caution):
        """With (P + c r r') for P, of the classes but the last; (q, q)."""
        R, p = theta.shape
        n = max(R - 1, 1)
        H = np.zeros((n * p, n * p))
        for w, prob, y, x in zip(
            self.weight, self.probabilities(theta), self.Y, self.samples, strict=True
        ):
            S = np.diag(prob) - np.outer(prob, prob) + caution * np.outer(prob - y, prob - y)
            H += w * np.kron(S[1:, 1:] if R == 1 else S[:-1, :-1], np.outer(x, x))
        ridge = np.zeros(p)
        ridge[: self.X.shape[1]] = self.alpha
        return H + np.kron(np.eye(n) - (1 / R if R > 1 else 0), np.diag(ridge))

    def theta(self, seed=0, scale=0.7):
        K = self.Y.shape[1]
        shape = (1 if K == 2 else K, self.samples.shape[1])
        return np.random.default_rng(seed).normal(scale=scale, size=shape)


@pytest.fixture
def make_case():
    """Return a function that makes a `Case`."""

    def make(K, n=40, d=3, alpha=0.5, fit_intercept=True, soft=False, seed=0):
        rng = np.random.default_rng([K, n, d, seed])
        # float32 numbers, so that both widths hold the same; columns off the origin
        X = (rng.normal(size=(n, d)) + np.arange(d)).astype(np.float32).astype(np.float64)
        Y = rng.dirichlet(np.ones(K), size=n) if soft else np.eye(K)[rng.integers(K, size=n)]
        return Case(X, Y, rng.uniform(0, 3, size=n), alpha, fit_intercept)

    return make
