r"""Newton steps with a factored Hessian: whole ones, steps along their line, and damped ones.

If classes are nearly separated, a Newton step often violates samples that had next to no curvature.
Their losses then grow like exponentials, by factors of a million, and neither the step nor a
quadratic model of its line tells how far to go. Slopes on the line need no gradient: from the
logits and their changes, one read of the rows gives the slopes at many lengths.

The damped step comes with a proof that the objective falls. Let s be the Newton step, with
decrement l, and q the range of the changes of the logits along s. The third derivative along s is
at most q times the second (see `newton_cg.self_concordance_factor`), so that the second derivative
at t is at most :math:`2l\,e^{qt}`. Integrated twice,

.. math:: F(t) \le F(0) - 2l\,t + 2l\,(e^{qt} - qt - 1) / q^2,

which is smallest at :math:`t = \log(1 + q) / q`. The bound also holds if the model of the Hessian
overrates the curvature, as after a jitter or with a residual weight.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skxent.likelihood import tuning
from skxent.likelihood.objective import Objective, Point
from skxent.likelihood.optimise.last_steps import pass_is_cheap
from skxent.likelihood.optimise.newton_cg import after_known_step, self_concordance_factor
from skxent.likelihood.optimise.preconditioners import PreconditionedPoint

# Smallest cost of a Hessian, in passes by the cost model, for which conjugate gradients measure the
# gap after a Newton step, preconditioned by the Hessian from before. They take a few products.
MEASURED_PASSES = 3
# Estimated distance to the minimum, as a fraction of the parameters, at which steps of conjugate
# gradients after Newton steps are accurate enough. Steps with a new Hessian would end nearer.
DISTANCE = 2.5e-9


@dataclass(frozen=True)
class Trial:
    """A Newton step that was tried.

    Parameters
    ----------
    point : Point or None
        The point after the step; None if the objective falls by too little.
    line_first : bool
        Whether the next step should begin with a search on its line, because this one ended far
        from a whole step.
    """

    point: Point | None
    line_first: bool = False


def newton_trial(
    objective: Objective, here: PreconditionedPoint, line_first: bool = False
) -> Trial:
    """Return the point after a Newton step, or after a part or a multiple of the step.

    A whole step is tried first, unless `line_first`. If the slope at its end is not small, the
    point on its line where a quadratic model of the slope is zero is evaluated as well, and the
    better point counts. If the slope is so steep that a quadratic says little, or if the objective
    falls by less than half of the decrement, the minimum on the line is searched.
    """
    step = here.newton_step
    if not line_first:
        trial = objective(here.point.theta + step)
        slope = float(np.vdot(trial.gradient, step)) / (-2 * here.decrement)
        if slope > tuning.STEEP_SLOPE:
            if abs(slope) > tuning.LINE_SLOPE:
                other = objective(here.point.theta + step_length(slope) * step)
                trial = min(trial, other, key=lambda point: point.at_most)
            if trial.at_most < here.point.at_most - tuning.SUFFICIENT_FALL * here.decrement:
                return Trial(trial)
    length = line_minimum(objective, here.point, step, -2 * here.decrement)
    trial = objective(here.point.theta + length * step)
    falls = trial.at_most < here.point.at_most - tuning.LINE_FALL * here.decrement
    return Trial(trial if falls else None, line_first=not 0.7 < length < 1.4)


def line_minimum(objective: Objective, point: Point, step: np.ndarray, slope: float) -> float:
    """Return the length of a step at which the objective is smallest on the line of the step.

    `slope` is the slope at the start. The length is zero if this slope is not negative. One read of
    the rows gives the slopes at several lengths. Because the objective is convex, slopes grow along
    the line, and the minimum is between the last negative slope and the next one. If the logits are
    kept, slopes at lengths between these two follow without another read. In the last interval the
    slope is taken to be linear. A slope that grows faster, like an exponential, is zero at a larger
    length. The length is therefore rather too short than too long.
    """
    if not slope < 0:
        return 0.0
    lengths, slopes = np.zeros(1), np.array([slope])
    inner = 2.0 ** np.arange(-tuning.LINE_HALVINGS, 4)
    for again in (False, True) if objective.keeps_lines else (False,):
        lengths = np.append(lengths, inner)
        slopes = np.append(slopes, objective.slopes(point, step, inner, again=again))
        order = np.argsort(lengths)
        lengths, slopes = lengths[order], slopes[order]
        rising = ~(slopes < 0)
        if not rising.any():
            return float(lengths[-1])
        end = int(rising.argmax())
        inner = np.linspace(lengths[end - 1], lengths[end], 6)[1:-1]
    (left, right), (low, high) = lengths[end - 1 : end + 1], slopes[end - 1 : end + 1]
    return float(left - low * (right - left) / (high - low)) if np.isfinite(high) else float(left)


def damped_trial(objective: Objective, here: PreconditionedPoint) -> Point | None:
    """Return the best point found on the line of a Newton step that is too long as a whole.

    The first point is the one with the proof, see above. The length is then doubled, to two Newton
    steps at most, as long as the objective falls: the proof assumes the worst. Return None if
    rounding hides the fall.
    """
    step, best = here.newton_step, here.point
    length = damped_length(here.preconditioner.logit_change(objective, step, here.decrement))
    while length <= 2:
        trial = objective(here.point.theta + length * step)
        if not trial.at_most < best.at_most:
            break
        best, length = trial, 2 * length
    return None if best is here.point else best


def damped_length(change: float) -> float:
    """Return the length with the proof, as a fraction of a step that changes logits by `change`."""
    return float(np.log1p(change) / change) if change > 0 else 1.0


def step_length(slope: float) -> float:
    r"""Return the length of a step along the direction of a Newton step, in units of this step.

    Slopes of the objective along the step are divided by the slope at its start. The slope at t is
    then one at t = 0, where its derivative is -1, and `slope` at t = 1. The quadratic :math:`1 - t
    + \mathrm{slope}\,t^2` has these values. Its first root is the estimated minimum along the line.
    If there is no root, the length is two.
    """
    if slope >= 0.25:
        return 2.0
    return 2 / (1 + np.sqrt(1 - 4 * slope))


def polished(
    objective: Objective, here: PreconditionedPoint, gap: float, change: float
) -> tuple[Point, float]:
    """Take up to three more Newton steps; return the point and an upper bound of its gap.

    No step is taken if the gap is negligible, or once a step does not lower the bound. `change` is
    the largest change of a logit from the point of the Hessian to the minimum. It changes the
    curvature by a factor of at most exp(`change`), and a step multiplies the distance to the
    minimum by at most exp(`change`) - 1, the contraction. The last step needs no evaluation, see
    `after_known_step`. Where a pass is cheap and steps contract, that step is taken only if it
    leads near to the minimum, or after three others. Otherwise at most two others come before it.
    """
    point, factor = here.point, np.exp(change) * self_concordance_factor(change)
    contraction = float(np.expm1(change))
    cheap = contraction < 1 and pass_is_cheap(objective)
    for left in (3, 2, 1, 0) if cheap else (2, 1):
        if gap <= tuning.NEGLIGIBLE_GAP * point.value:
            break
        distance = contraction * objective.relative_size(here.newton_step, point.theta)
        if not (cheap and left) or distance <= DISTANCE:
            known = after_known_step(here, contraction)
            if known is not None:
                return known, gap
        if not left:
            break
        trial = objective(point.theta + here.newton_step)
        here = PreconditionedPoint.of(here.preconditioner, trial)
        bound = float(factor * here.decrement)
        if not bound < gap:
            break
        point, gap = here.point, bound
    return point, gap


def serves_still(
    here: PreconditionedPoint,
    there: PreconditionedPoint,
    target: float,
    passes: float,
    *,
    measures: bool,
) -> bool:
    """Whether further steps with a Hessian reach the target for less than a new Hessian costs.

    The last step went from `here` to `there`, and a new Hessian costs `passes`. Near the target the
    gap must be measured. `measures` tells whether conjugate gradients may do so, preconditioned by
    the Hessian. They take a few products, and a cheap Hessian is made anew instead.
    """
    fall = there.decrement / here.decrement
    if not fall < 1:
        return False
    if there.decrement <= tuning.HINT * target:
        return measures and passes >= MEASURED_PASSES
    left = there.decrement * fall ** max(1.0, passes)
    return bool(left <= target)
