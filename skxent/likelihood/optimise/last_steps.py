r"""The steps after the certificate, which make coefficients independent of the path of the search.

A certificate bounds the gap. Many points have a gap below the target, and which of these points a
search finds depends on the order of the rows and on their partitions. The coefficients at these
points differ by up to a few ten-thousandths of the largest one. The Newton step that measured the
gap ends so near to the minimum that the path no longer matters. The step costs one pass.

The distance that is left
-------------------------
Let M be the preconditioner and g the gradient after the step. The step :math:`-M^{-1} g` estimates
the distance to the minimum without a pass. If this distance, as a fraction of the parameters, is
above `Accuracy.distance`, further products and steps follow where a pass is cheap. On larger data
the step that measured the gap is the last, because further steps would cost up to half of the fit's
seconds. It is made from more products, at most one for each twenty passes of the search.

If M is the Hessian of all rows or of a sample, the step :math:`-M^{-1} g` is taken as well, without
a pass, if the objective after it is known: the objective falls by the decrement, and the error of
this prediction is below the rounding error of the objective, see `step_is_known`.

The gap
-------
A step s of conjugate gradients has :math:`g^\top s = -s^\top H s`. If it changes no logit by one or
more, it lowers the exact objective, by the inequality in `newton_lines`. The step lowers the gap by
as much as the objective. A bound of the gap before the step, less the fall of the objective, is
therefore a bound of the gap after it, up to rounding.
"""

from __future__ import annotations

from math import prod

from skxent.likelihood import tuning
from skxent.likelihood.objective import Objective, Point
from skxent.likelihood.optimise.certificate import bound_after
from skxent.likelihood.optimise.newton_cg import (
    Accuracy,
    ModelError,
    after_known_step,
    conjugate_gradients,
)
from skxent.likelihood.optimise.preconditioners import PreconditionedPoint
from skxent.likelihood.optimise.schedule import Schedule

# Largest number of samples times parameters for which a pass is cheap: it takes a few milliseconds.
CHEAP_PASS = 1 << 22
# Part of the passes of a search that may be spent on accurate parameters where a pass is not cheap.
SPARE_PASSES = 0.05


def pass_is_cheap(objective: Objective) -> bool:
    """Whether a few more passes take no time that matters."""
    return objective.data.n_rows * prod(objective.shape) <= CHEAP_PASS


def spare_products(objective: Objective, n_passes: float) -> int:
    """Return the number of products that may make parameters accurate, after some passes."""
    return tuning.LAST_CG_PRODUCTS if pass_is_cheap(objective) else int(SPARE_PASSES * n_passes)


def lowers(here: PreconditionedPoint, there: PreconditionedPoint) -> bool:
    """Whether a step lowered the objective, or its decrement if rounding may hide the fall."""
    if there.point.at_most < here.point.at_most:
        return True
    return there.point.value <= here.point.at_most and there.decrement < here.decrement


def steadied(
    objective: Objective,
    here: PreconditionedPoint,
    gap: float,
    accuracy: Accuracy,
    error: ModelError,
) -> tuple[Point, float]:
    """Take up to two steps until the distance left is negligible; return the point and its gap.

    Where a pass is not cheap, or `accuracy` allows no further products, no step is taken that needs
    a pass.

    The gap that is returned is an upper bound. The decrement gives none: a few products show only a
    part of the directions whose curvature the preconditioner overrates.

    Parameters
    ----------
    objective : Objective
    here : PreconditionedPoint
        The point after the step that measured the gap.
    gap : float
        Upper bound of the gap at this point, in nats.
    accuracy : Accuracy
        The accuracy of the steps.
    error : ModelError
        The error of the preconditioner, known from the step before.
    """
    for _ in range(2 if accuracy.steadying and pass_is_cheap(objective) else 0):
        if accuracy.left(objective, here, error) <= accuracy.distance:
            break
        newton = conjugate_gradients(objective, here, accuracy)
        there = PreconditionedPoint.of(
            here.preconditioner, objective(here.point.theta + newton.step)
        )
        if not lowers(here, there):
            break
        gap = bound_after(gap, here.point, there.point)
        here, error = there, newton.model_error
    gap = max(gap, min(error.stretch * here.decrement, accuracy.target))
    known = after_known_step(here, error.contraction) if accuracy.free else None
    return known or here.point, gap


def with_new_hessian(
    objective: Objective, here: PreconditionedPoint, schedule: Schedule
) -> PreconditionedPoint | None:
    """Return the point after a Newton step with the Hessian there; None if the step does not help.

    This is for a step that changes logits so much that the Hessian before it is wrong after it.
    """
    trial = objective(here.point.theta + here.newton_step)
    model = schedule.preconditioner(trial.theta, 0.0)
    there = PreconditionedPoint.of(model, trial)
    return there if model.certain and lowers(here, there) else None
