"""Newton steps to the optimum of a fit with Jeffreys' prior, and its covariance.

The covariance is the inverse of the information at the optimum, as for maximum likelihood. The
Hessian of the objective differs from it by the derivatives of the prior.
"""

from __future__ import annotations

from typing import NoReturn

import numpy as np

from skxent.inference.fitted import FittedLinearModel
from skxent.inference.likelihood_estimate import LikelihoodEstimate, estimate
from skxent.inference.optimum import OFF, Optimum, check_collinear, nat_of
from skxent.inference.same_data import raise_other_data
from skxent.likelihood.jeffreys.constrained_newton import NewtonStep, polish
from skxent.likelihood.jeffreys.jeffreys_objective import JeffreysObjective, JeffreysPoint
from skxent.likelihood.objective import Objective
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import compute_moments


def jeffreys_optimum(clf: FittedLinearModel, data: LocalRows, names: list[str]) -> Optimum:
    """Check that the fit is at the optimum of the data, and take Newton steps to it.

    Parameters
    ----------
    clf : FittedLinearModel
        A fit with Jeffreys' prior.
    data : LocalRows
    names : list of str
        Names of the features.
    """
    objective, moments = JeffreysObjective.of(data), compute_moments(data)
    point = objective(objective.enter(clf.coef_, clf.intercept_))
    step = None if point is None else NewtonStep.of(point)
    if step is None or (clf.converged_ and not _is_at_optimum(clf, data, step)):
        _raise_other_data(clf, data, step)
    every = np.ones(len(names), dtype=bool)
    check_collinear(data, moments, names, every, "Leave columns out.")
    if objective.samples.to_coef.shape[1] < len(names):
        raise ValueError(
            "X has columns that are linearly dependent up to rounding: leave columns out."
        )
    if not clf.converged_:
        raise ValueError(
            f"clf has not converged, and its objective is at most {clf.optimality_gap_:.2g} nats "
            "above the minimum: fit it with a higher max_iter."
        )
    point = polish(step).point
    return Optimum(
        estimate=_estimate(data, point),
        log_likelihood=-point.losses,
        df=float(point.theta.size),
        class_weight=moments.class_weight,
    )


def _is_at_optimum(clf: FittedLinearModel, data: LocalRows, step: NewtonStep) -> bool:
    return step.gap <= max(OFF * nat_of(data), 2 * clf.optimality_gap_)


def _raise_other_data(clf: FittedLinearModel, data: LocalRows, step: NewtonStep | None) -> NoReturn:
    """Raise the error that the parameters of `clf` are not at the optimum of `data`."""
    moments = compute_moments(data)
    mean = moments.centre(True) if data.fit_intercept else None
    objective = Objective(data, moments, Penalty(), mean)
    try:
        point = objective(objective.enter(clf.coef_, clf.intercept_))
        gap = step.decrement if step is not None and step.certain else None
        raise_other_data(clf, data, objective, point, gap)
    finally:
        objective.close()


def _estimate(data: LocalRows, point: JeffreysPoint) -> LikelihoodEstimate:
    """Return the parameters for centred samples, with the inverse information as covariance."""
    samples, n_free = point.objective.samples, len(point.theta)
    matrix = samples.to_centred()
    theta = point.theta @ matrix.T
    if n_free > 1:
        theta = np.vstack([theta, np.zeros_like(theta[:1])])
    each = np.kron(np.eye(n_free), matrix)
    return estimate(data, samples.mean, theta, each @ point.inverse @ each.T)
