"""Thirty samples of three classes, and a classifier fitted to them."""

import numpy as np
from sklearn.naive_bayes import GaussianNB

N, K = 30, 3


def problem(seed=0):
    rng = np.random.default_rng(seed)
    P = rng.dirichlet(np.ones(K), size=N)
    return P, np.append(np.arange(K), rng.integers(K, size=N - K))


P, Y = problem()
X = np.column_stack([P[:, :2], np.arange(N)])
MODEL = GaussianNB().fit(X, Y)
