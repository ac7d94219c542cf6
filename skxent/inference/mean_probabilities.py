r"""Mean probabilities of weighted samples, on the scale of log-odds.

The logarithm of the mean of :math:`p_{ik}` and its gradient are

.. math:: \lambda_k = \log \sum_i w_i p_{ik}, \qquad
          \frac{\partial \lambda_k}{\partial \beta_{lt}}
          = \sum_i s_{ik} (\delta_{kl} - p_{il})\, \tilde x_{it},

where the share :math:`s_{ik} = w_i p_{ik} / \sum_h w_h p_{hk}` of a sample in the mean is computed
from logarithms, so that no number underflows. The log-odds of a class against the rest are
:math:`\eta_k = \lambda_k - \log \sum_{l \ne k} e^{\lambda_l}`, and their gradient is that of
:math:`\lambda_k` minus the mean of those of the other classes, weighted by the softmax of the other
:math:`\lambda_l`. For one sample this is `LikelihoodEstimate.log_odds`.
"""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp, softmax

from skxent.inference.likelihood_estimate import LikelihoodEstimate
from skxent.inference.population import Population, Runs
from skxent.inputs.fit_targets import Floats
from skxent.likelihood.sources.blocks import product

# Logarithms of means, (K,), and their gradients, (K, K - 1, p).
LogMeans = tuple[Floats, Floats]


def mean_log_odds(at: LikelihoodEstimate, population: Population) -> tuple[Floats, Floats]:
    """Return the log-odds of each class's mean probability, and their standard errors, (K,)."""
    level, gradient = _log_means(at, population)
    others = level + np.diag(np.full(len(level), -np.inf))
    slope = gradient.reshape(len(level), -1)
    slope = slope - softmax(others, axis=1) @ slope
    variance = ((slope @ at.covariance) * slope).sum(axis=1)
    return level - logsumexp(others, axis=1), np.sqrt(np.maximum(variance, 0.0))


def _log_means(at: LikelihoodEstimate, population: Population) -> LogMeans:
    """Return the logarithms of the sums of weighted probabilities, and their gradients."""
    K, p = at.theta.shape

    def sums(runs: Runs) -> LogMeans | None:
        total = None
        for x, weight, Z in runs:
            if weight.any():
                total = _joined(total, _of_run(at, x, weight, Z))
        return total

    total = None
    for part in population.map(at, sums, 3 * K * K + p, K * K * p):
        total = _joined(total, part)
    assert total is not None  # some weight is positive
    return total


def _of_run(at: LikelihoodEstimate, x: Floats, weight: Floats, Z: Floats) -> LogMeans:
    log_p = Z - logsumexp(Z, axis=0)
    with np.errstate(divide="ignore"):
        parts = log_p + np.log(weight)
    level = logsumexp(parts, axis=1)
    share = np.exp(parts - level[:, None])
    moves = np.eye(len(Z))[:, at.free, None] - np.exp(log_p)[at.free]
    moves *= share[:, None]
    gradient = product(moves.reshape(-1, len(x)), x)
    return level, gradient.reshape(*moves.shape[:2], -1)


def _joined(one: LogMeans | None, other: LogMeans | None) -> LogMeans | None:
    """Return the logarithms of the sums of two parts, and their gradients."""
    if one is None or other is None:
        return other if one is None else one
    level = np.logaddexp(one[0], other[0])
    a, b = (np.exp(part[0] - level)[:, None, None] for part in (one, other))
    return level, a * one[1] + b * other[1]
