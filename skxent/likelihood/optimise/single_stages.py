r"""The first stages of L-BFGS on all rows, in float32 as long as its rounding does not matter.

A stage compares values of the objective and uses gradients. Values that differ by less than their
rounding errors, see `single_sums`, cannot be compared. In whitened coordinates a sum of gradients
of samples with total weight w has a rounding error of about :math:`\sqrt{w}` times epsilon of
float32, divided by the least pivot of the preconditioner. A step can be judged while the gap is
larger than the rounding error of the values and than half the squared error of the gradient. At a
smaller gap, or if a stage lowers the objective little, the search goes on in float64 from the same
point.
"""

from __future__ import annotations

import numpy as np

from skxent.likelihood import tuning
from skxent.likelihood.objective import Objective, Point
from skxent.likelihood.optimise.lbfgs import Stage
from skxent.likelihood.optimise.preconditioners import PreconditionedPoint, Preconditioner
from skxent.likelihood.optimise.progress import Progress
from skxent.likelihood.optimise.schedule import Schedule
from skxent.likelihood.sources.single_sums import SINGLE_EPS


def begun(
    objective: Objective, schedule: Schedule, progress: Progress
) -> tuple[Point, Preconditioner | None, np.ndarray]:
    """Minimise samples, and then all rows as far as float32 goes, unless Newton steps follow.

    Return a point in float64, the preconditioner with which the search goes on, if it has one, and
    the parameters at which this preconditioner was made.
    """
    theta = schedule.start()
    double = objective.single_rows is None or objective.has_flat
    if double or schedule.choice.is_hessian or schedule.by_leverage:
        point = objective(theta)
        schedule.begin(point.theta)
        return point, None, point.theta
    with objective.with_products_in(single=True):
        point, model, built_at = _minimised(objective, schedule, progress, objective(theta))
    objective.to_double()
    exact = objective(point.theta)
    progress.correct(point, exact)
    return exact, model, built_at


def _minimised(
    objective: Objective, schedule: Schedule, progress: Progress, point: Point
) -> tuple[Point, Preconditioner | None, np.ndarray]:
    """Minimise in float32; return the point, the last preconditioner if it still serves, and where.

    The array holds the parameters at which the preconditioner was made.
    """
    schedule.begin(point.theta)
    residual_weight = 0.0

    def record(best: Point) -> bool:
        passes = tuning.FIRST_READ_PASSES + objective.n_passes + schedule.passes
        return progress.record(objective, best, passes)

    while progress.n_left > 0 and not (progress.stopped or schedule.choice.is_hessian):
        model = schedule.preconditioner(point.theta, residual_weight)
        here = PreconditionedPoint.of(model, point)
        goal = resolved_gap(objective, here)
        if not here.decrement > max(goal, schedule.plan.cg_gap * point.value):
            return point, model, point.theta
        choice = schedule.choice
        stage = Stage(objective, here, goal, choice.fall, residual_weight > 0, record)
        stage.run(min(choice.iterations, progress.n_left))
        failed, point = stage.best is point, stage.best
        if stage.decrement <= goal or not objective.in_single:
            return point, model, here.point.theta
        poor = failed or stage.slow
        advance = tuning.POOR_ADVANCE if poor else 0.0
        if not schedule.escalate(point.theta, advance) and poor:
            break
        residual_weight = tuning.RESIDUAL_WEIGHT * stage.line_search_struggling
    return point, None, point.theta


def resolved_gap(objective: Objective, here: PreconditionedPoint) -> float:
    """Return the gap, in nats, below which steps in float32 cannot be judged at a point."""
    gradient = SINGLE_EPS / here.preconditioner.least_pivot
    return max(here.point.rounding, 0.5 * gradient**2 * objective.total_weight)
