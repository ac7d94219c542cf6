"""The minimum for another penalty, by Newton steps from the minimum for the last one.

The Hessian of the objective is that of the losses plus that of the penalty. If only the penalty
changes, the Hessian of the losses at the last minimum gives the first Newton step without a read of
X. Further steps use the same Hessian as long as this costs less than a new one. The gap is measured
as in a search, with the Hessian before the last step.

A search on all rows is more robust: where the whole Newton step fails, or rounding may matter,
`continued` returns None, and the caller starts a search.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np

from skxent.likelihood import tuning
from skxent.likelihood.objective import Objective, Point
from skxent.likelihood.optimise.certificate import gap_after_step
from skxent.likelihood.optimise.cost_model import CostModel
from skxent.likelihood.optimise.newton_lines import newton_trial, polished, serves_still
from skxent.likelihood.optimise.preconditioners import (
    Cholesky,
    PreconditionedPoint,
    add_penalty,
    loss_hessian,
)
from skxent.likelihood.optimise.returned import as_returned
from skxent.likelihood.solution import Solution, target_gap
from skxent.likelihood.sources.first_sums import Moments

STEPS = 20  # Newton steps, after which a search takes over: it needs fewer passes over X
# Fraction of the target gap above which one or two more steps are taken, as at the end of a search:
# coefficients have an error of the order of the square root of the gap.
FINE = 1e-3


@dataclass(frozen=True)
class Curvature:
    """The Hessian of the losses at some parameters, of all classes but the last.

    Parameters
    ----------
    theta : (R, p) array
    matrix : ((K - 1) p, (K - 1) p) array
    """

    theta: np.ndarray
    matrix: np.ndarray

    @classmethod
    def of(cls, objective: Objective, theta: np.ndarray) -> Self:
        """Return the curvature of the losses at `theta`, in one read of X."""
        return cls(theta, loss_hessian(objective, theta))

    def factored(self, objective: Objective) -> Cholesky:
        """Return the factored Hessian of the losses and of the penalty of an objective."""
        H = self.matrix.copy()
        add_penalty(objective, H)
        return Cholesky.of(objective.shape, [H], objective.full_least_curvature)


@dataclass(frozen=True)
class Continued:
    """A minimum that was reached by continuation, with the curvature that certifies its gap.

    Parameters
    ----------
    solution : Solution
    point : Point
        The minimum, with parameters for centred samples.
    curvature : Curvature
        The curvature at the minimum, or near it.
    """

    solution: Solution
    point: Point
    curvature: Curvature


def continued(
    objective: Objective,
    moments: Moments,
    start: Point,
    curvature: Curvature,
    tol: float,
    near: Callable[[float], bool],
) -> Continued | None:
    """Minimise by Newton steps from `start`; return None if a search should do it instead.

    Parameters
    ----------
    objective : Objective
    moments : Moments
        Moments of its rows.
    start : Point
        The minimum for another penalty, evaluated with the penalty of `objective`.
    curvature : Curvature
        Curvature of the losses at the start.
    tol : float
        The tolerance, see `target_gap`.
    near : function(change) -> bool
        Whether the caller can use the curvature of a point from which no logit is farther away than
        `change`. If not, the curvature is made anew.
    """
    if not _is_plain(objective, moments):
        return None
    costs = CostModel.of(objective.data)
    price = costs.passes(costs.hessian, costs.n_rows)
    point, model = start, curvature.factored(objective)
    settled = False  # whether the curvature was made so near the minimum that it can be used there
    curve: list[tuple[float, float]] = []
    for _ in range(STEPS):
        if not model.certain:
            return None
        here = PreconditionedPoint.of(model, point)
        target = target_gap(tol, point.value, point.rounding)
        ended = here.decrement <= FINE * target
        trial = point if ended else newton_trial(objective, here).point
        if trial is None:
            return None
        there = PreconditionedPoint.of(model, trial)
        if trial is not point:
            curve.append((objective.n_passes, trial.value))
        point = trial
        target = target_gap(tol, point.value, point.rounding)
        found = gap_after_step(objective, there, curvature.theta, target)
        if found is not None:
            gap, change = found
            if gap > FINE * target:
                point, gap = polished(objective, there, gap, change + tuning.SMALL_CHANGE)
            if not near(change):
                curvature = Curvature.of(objective, point.theta)
            solution = _solution(objective, moments, point, gap, target, curve)
            return None if solution is None else Continued(solution, point, curvature)
        # A curvature that serves at the minimum is needed once, so it is made as early as possible.
        settles = not settled and (
            there.decrement <= target or near(objective.max_logit_range(2 * there.newton_step))
        )
        if settles or not serves_still(here, there, target, price, measures=False):
            curvature = Curvature.of(objective, point.theta)
            model = curvature.factored(objective)
            settled = settles
    return None


def _is_plain(objective: Objective, moments: Moments) -> bool:
    """Whether a search would use the columns of X as they are, and the penalty matters to it."""
    spread = moments.mean_square(moments.centre(objective.data.fit_intercept))
    varies = spread[spread > 0]
    if not len(varies) or not objective.penalty.is_definite:
        return False
    total = float(moments.class_weight.sum())
    return not np.any(
        objective.penalty.curvature <= tuning.NEGLIGIBLE_PENALTY * total * varies.max()
    )


def _solution(
    objective: Objective,
    moments: Moments,
    point: Point,
    gap: float,
    target: float,
    curve: list[tuple[float, float]],
) -> Solution | None:
    """Return the solution at a certified point; None if its parameters lose digits for raw rows."""
    coef, intercept = objective.leave(point.theta)
    solution = Solution(
        coef=coef,
        intercept=intercept,
        value=point.value,
        log_likelihood=objective.log_likelihood(point),
        gap=gap,
        target=target,
        converged=True,
        unbounded=False,
        stopped=False,
        n_iterations=len(curve),
        n_passes=objective.n_passes,
        curve=tuple(curve),
        unpenalised=np.zeros(objective.n_features, dtype=bool),
    )
    found = as_returned(objective.data, moments, objective.penalty, solution)
    return found if found.converged else None
