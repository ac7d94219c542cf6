"""Estimates whose coefficients are infinite, because classes are separated.

Some coefficients then grow without bound on the way to the supremum of the likelihood. An
**unbounded** coefficient is infinite or, if some directions of recession increase it and others
decrease it, NaN. The other coefficients converge. Their estimates and covariance are those of the
samples that are not separated, given that the separated samples stay so.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from skxent.inference.constrained_fits import Coordinates, constrained_minimum, free, point_at
from skxent.inference.information_matrix import SINGULAR
from skxent.inference.likelihood_estimate import LikelihoodEstimate, estimate
from skxent.inputs.fit_targets import Floats
from skxent.likelihood.existence.programmes import Undecided
from skxent.likelihood.existence.recession import impossible_classes, recedes
from skxent.likelihood.objective import Objective, Point
from skxent.likelihood.optimise import preconditioners
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.arrays import balanced_offset
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import compute_moments

LAST = 1e-13  # Newton decrement in nats at which the descent to the infimum ends
FAR = 1e5  # offset in nats at which the probability of a class is zero


def near_infimum(objective: Objective, point: Point) -> Point:
    """Take Newton steps until the objective is at its infimum, but for rounding."""
    fixed = 0.0 if len(point.theta) == 1 else point.theta[-1]
    start = free(point.theta - fixed)
    everywhere = Coordinates(np.arange(len(start)))
    return constrained_minimum(objective, point_at(objective, start), everywhere, last=LAST)


def estimate_near_infimum(
    data: LocalRows, mean: Floats, objective: Objective, point: Point
) -> LikelihoodEstimate:
    """Return the estimate; the variances of unbounded coefficients in it mean nothing.

    The covariance is a generalised inverse of the Hessian without the classes whose probabilities
    go to zero. All generalised inverses give the bounded coefficients the same covariance.
    """
    H = _limiting_hessian(data, objective, point)
    diagonal = np.diagonal(H)
    scale = 1.0 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    values, vectors = np.linalg.eigh(H * scale * scale[:, None])
    kept = values > SINGULAR * max(values.max(initial=0.0), 0.0)
    half = scale[:, None] * vectors[:, kept] / np.sqrt(values[kept])
    return estimate(data, mean, point.theta, half @ half.T)


def _limiting_hessian(data: LocalRows, objective: Objective, point: Point) -> Floats:
    """Return the Hessian near the infimum, without the classes whose probabilities go to zero."""
    mask = impossible_classes(data)
    R = objective.shape[0]
    offset = np.zeros((R, data.X.shape[0])) if data.offset is None else data.offset.copy()
    if R == 1:
        offset += FAR * (mask[0].astype(float) - mask[1])
    else:
        offset -= FAR * mask
    limiting = replace(data, offset=balanced_offset(offset))
    centre = objective.mean if data.fit_intercept else None
    rest = Objective(limiting, compute_moments(limiting), Penalty(), centre)
    try:
        return preconditioners.hessian(rest, point.theta)
    finally:
        rest.close()


def with_unbounded(
    data: LocalRows, coef: Floats, covariance: Floats, base: int
) -> tuple[Floats, Floats]:
    """Return contrasts (K - 1, p) and their covariance with the unbounded ones in place.

    Parameters
    ----------
    data : LocalRows
    coef : (K - 1, p) array
        Contrasts of parameters near the infimum.
    covariance : (q, q) array
    base : int
        Number of the reference class.
    """
    others = [k for k in range(data.n_classes) if k != base]
    functions = []
    for k in others:
        # Without an intercept there is no function of its column, which is the last.
        for j in range(coef.shape[1]):
            function = np.zeros((data.n_classes, data.X.shape[1] + 1))
            function[k, j], function[base, j] = 1.0, -1.0
            functions += [function, -function]
    try:
        rises, falls = recedes(data, functions).reshape(*coef.shape, 2).transpose(2, 0, 1)
    except Undecided as error:
        raise ValueError(
            "X is too large to tell which coefficients are infinite: leave out features, or use "
            "FirthClassifier."
        ) from error
    coef = np.where(rises, np.where(falls, np.nan, np.inf), np.where(falls, -np.inf, coef))
    unbounded = ~np.isfinite(coef).ravel()
    covariance = covariance.copy()
    covariance[unbounded] = covariance[:, unbounded] = np.nan
    covariance[unbounded, unbounded] = np.inf
    return coef, covariance
