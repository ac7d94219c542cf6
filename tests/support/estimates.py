"""Estimates at any parameters with any covariance, and slopes by central differences."""

import numpy as np

from skxent.inference import likelihood_estimate


def at(case, seed=0, sparse=False):
    """An `LikelihoodEstimate` of a case at any parameters, with any covariance."""
    objective = case.objective(sparse=sparse)
    theta, rng = case.theta(seed), np.random.default_rng(seed)
    K, p = case.Y.shape[1], theta.shape[1]
    root = rng.normal(size=(K * p, (K - 1) * p)) / 10
    mean = np.zeros(case.X.shape[1]) if case.centre is None else case.centre
    return likelihood_estimate.estimate(objective.data, mean, theta, root.T @ root)


def differences(function, theta, free, h=1e-5):
    """Slopes by the free rows of theta, by central differences: (..., q)."""
    columns = []
    for k in range(len(theta))[free]:
        for j in range(theta.shape[1]):
            step = np.zeros_like(theta)
            step[k, j] = h
            columns.append((function(theta + step) - function(theta - step)) / (2 * h))
    return np.stack(columns, axis=-1)
