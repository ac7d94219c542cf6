"""Average effects of features on probabilities, with standard errors by the delta method.

The effect of a feature is the average slope of a probability, see `average_slopes`, or the average
difference between two values, see `average_differences`. The sums over samples are for the free
classes, and the effects of all classes sum to zero.
"""

from __future__ import annotations

from functools import reduce

import numpy as np

from skxent.inference.average_differences import AverageDifferences, probabilities
from skxent.inference.average_slopes import AverageSlopes
from skxent.inference.contrasts import Contrast
from skxent.inference.likelihood_estimate import LikelihoodEstimate
from skxent.inference.population import Population, Runs
from skxent.inputs.fit_targets import Floats
from skxent.likelihood.sources.blocks import add

Sums = tuple[tuple[Floats, Floats], tuple[Floats, Floats]]  # for slopes, and for differences


def average_effects(
    at: LikelihoodEstimate, population: Population, contrasts: dict[int, Contrast]
) -> tuple[Floats, Floats]:
    """Return the mean effect of each feature on each probability, and its error, (K, d).

    The effect of a feature in `contrasts` is a difference, and that of all others a slope.
    """
    (K, p), d, discrete = at.theta.shape, len(at.mean), list(contrasts)
    smooth = np.setdiff1d(np.arange(d), discrete)
    slopes = AverageSlopes.of(at, smooth)
    differences = AverageDifferences(at, list(contrasts.values()))

    def total(runs: Runs) -> Sums:
        sums = slopes.zeros(p), differences.zeros()
        for x, weight, Z in runs:
            differences.add(sums[1], Z, x, weight)
            slopes.add(sums[0], probabilities(Z), x, weight)
        return sums

    n = K - 1
    width = 3 * max(slopes.batch, slopes.E.size, n * n) + 2 * p
    size = (len(slopes.k) + len(discrete) * n * n) * p
    sums = reduce(add, population.map(at, total, width, size))
    effects, gradient = np.empty((n, d)), np.empty((n, d, n, p))
    effects[:, smooth], gradient[:, smooth] = slopes.effects(sums[0])
    effects[:, discrete], gradient[:, discrete] = differences.effects(sums[1])
    return _of_all_classes(at, effects, gradient, population.weight.sum())


def _of_all_classes(
    at: LikelihoodEstimate, effects: Floats, gradient: Floats, total: float
) -> tuple[Floats, Floats]:
    """Return means and errors, (K, d), from the sums for the free classes and their gradients."""
    K, d = len(at.theta), effects.shape[1]
    every, error = np.empty((K, d)), np.empty((K, d))
    fixed = np.setdiff1d(np.arange(K), np.arange(K)[at.free])[0]
    slopes = gradient.reshape(K - 1, d, -1)
    every[at.free], every[fixed] = effects, -effects.sum(axis=0)
    error[at.free] = [_spread(slope, at.covariance) for slope in slopes]
    error[fixed] = _spread(slopes.sum(axis=0), at.covariance)
    return every / total, error / total


def _spread(slope: Floats, covariance: Floats) -> Floats:
    """Return the standard errors of numbers with the gradients `slope`, (d, q)."""
    variance = ((slope @ covariance) * slope).sum(axis=1)
    return np.sqrt(np.maximum(variance, 0.0))
