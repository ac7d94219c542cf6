"""Newton steps and the gaps that they measure, by conjugate gradients where H is not factored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skxent.likelihood import tuning
from skxent.likelihood.objective import Objective, Point
from skxent.likelihood.optimise import preconditioners
from skxent.likelihood.optimise.preconditioners import PreconditionedPoint


def self_concordance_factor(change: float) -> float:
    r"""Return the ratio of the gap to the Newton decrement, at most, in a step that moves logits.

    The third derivative of a log-partition along a direction is at most the second times the range
    q of the changes of the logits (F. Bach, "Self-concordant analysis for logistic regression",
    Electronic Journal of Statistics 4, 2010). With Newton decrement l the function along the step
    is then at least :math:`2 l\,[-t + (e^{-qt} + qt - 1) / q^2]`, which falls to :math:`-l` times

    .. math:: 2\,[q + (1 - q) \log(1 - q)] / q^2,

    one for small q and two for q = 1, where the bound ends. Beyond, 2q is a guess.

    Parameters
    ----------
    change : float
        The largest change of a logit by the step, relative to the others of its sample.
    """
    if change >= 1:
        return 2 * change
    if change < 1e-4:
        return 1.0
    return 2 * (change + (1 - change) * np.log1p(-change)) / change**2


def step_length(slope: float) -> float:
    r"""Return how far to go along a Newton step, in units of the step.

    Relative to the slope of the objective where the step begins, the slope is one there, falls by
    one for each unit, and is `slope` at the end of the step. The quadratic :math:`1 - t +
    \mathrm{slope}\,t^2` has these three values. Its root is the estimated minimum along the line.
    If it has none the curvature falls, and the length is two.
    """
    if slope >= 0.25:
        return 2.0
    return 2 / (1 + np.sqrt(1 - 4 * slope))


@dataclass(frozen=True)
class NewtonStep:
    r"""A Newton step, and the gap that it measures.

    Parameters
    ----------
    step : (R, p) array
    gap : float
        :math:`-\tfrac12 g^\top s` for the gradient g and the step s, in nats.
    direct : bool
        Whether the step is that of the factored Hessian, and not of conjugate gradients.
    converged : bool
        Whether the step is accurate enough for `gap` to be the distance from the minimum.
    residual : float or None
        Half the squared residual of conjugate gradients, whitened, in nats, at most; None for a
        direct step. See `existence.proof.proves_finite`.
    """

    step: np.ndarray
    gap: float
    direct: bool = True
    converged: bool = True
    residual: float | None = None


@dataclass(frozen=True)
class Accuracy:
    """When conjugate gradients stop.

    Parameters
    ----------
    target : float
        The gap to certify, in nats.
    floor : float
        A gap below it need not be known better than that, in nats.
    residual : float
        Norm of the residual, as a part of that of the gradient, both whitened.
    max_products : int
        Hessian products.
    """

    target: float
    floor: float
    residual: float
    max_products: int


def conjugate_gradients(
    objective: Objective, here: PreconditionedPoint, accuracy: Accuracy
) -> NewtonStep:
    r"""Return the Newton step by preconditioned conjugate gradients on exact Hessian products.

    From s = 0 the gap has two parts: :math:`\tfrac12 b^\top s` of the step so far, which only
    grows, and :math:`\tfrac12 r^\top H^{-1} r` of the residual. A small residual makes the second
    part next to nothing. If products run out, or show no curvature, the second part is bounded by
    the penalty or estimated by the model, and the step has not converged.
    """
    model, theta, b = here.preconditioner, here.point.theta, -here.gradient
    s, r, d = np.zeros_like(b), b, b
    rr = goal = float(b @ b)
    gap, rest, converged = 0.0, 0.5 * rr, not rr
    for _ in range(accuracy.max_products):
        Hd = model.to_whitened(objective.hessian_product(theta, model.from_whitened(d)))
        curved = float(d @ Hd)
        if not curved > 0:
            break
        s = s + rr / curved * d
        r = r - rr / curved * Hd
        rr, before = float(r @ r), rr
        gap = 0.5 * float(b @ s)
        small = rr <= accuracy.residual**2 * goal
        converged = small or gap + 0.5 * tuning.OVERRATED * rr <= accuracy.floor
        rest = 0.0
        if not converged:
            bound = model.gap_bound(r, objective.penalty, objective.n_features)
            rest = 0.5 * rr if bound is None else bound
            converged = bound is not None and _suffices(here, accuracy.target, gap, bound, rr)
        if converged:
            break
        d = r + rr / before * d
    if converged:
        rest = min(rest, tuning.GAP_FACTOR * gap)
    left = accuracy.residual**2 * here.decrement if converged else np.inf
    return NewtonStep(model.from_whitened(s), gap + rest, False, converged, left)


def _suffices(
    here: PreconditionedPoint, target: float, gap: float, bound: float, rr: float
) -> bool:
    """Whether a residual of squared norm `rr`, whose gap has a known bound, is small enough.

    There are two cases. If the gap of the step is above the target, there is nothing to certify,
    and the step need not be better than Newton's own. The relative error of Newton's step is about
    the gap in nats for each nat of the objective. Otherwise both parts of the gap together must be
    within the target, and the second not far above the first.
    """
    goal = 2 * here.decrement
    if gap > target:
        loose = rr <= tuning.LOOSE_RESIDUAL**2 * goal
        return loose and rr * here.point.value <= goal * here.decrement
    return gap + bound <= target and bound <= tuning.GAP_FACTOR * gap


def is_minimum(
    objective: Objective, point: Point, start: np.ndarray, decrement: float, target: float
) -> bool:
    """Whether `point` is within `target` of the minimum without one of the samples, in nats.

    `decrement` is that of the Hessian of all samples at `start`. The Hessian at the point itself is
    computed only if logits have changed so much since that the first may be far too large.
    """
    change = objective.max_logit_range(point.theta - start)
    if change < tuning.FAR_CHANGE and decrement * _overrated(change) <= target:
        return True
    model = preconditioners.full(objective, point.theta)
    here = PreconditionedPoint.of(model, point)
    near = model.certain and here.decrement <= target
    return near and objective.max_logit_range(here.newton_step) < tuning.SMALL_CHANGE


def _overrated(change: float) -> float:
    """Return how many times less the curvature may be without a sample, if logits changed.

    Logits that change by q change the curvature of a sample by a factor between exp(-q) and exp(q).
    The sample left out had the part h of the curvature, its leverage. The Newton step without the
    sample changes its own logit by h / (1 - h) at least, so that 1 / (1 - h) is 1 + q exp(q) at
    most.
    """
    factor = float(np.exp(change))
    return factor * (1.0 + change * factor)
