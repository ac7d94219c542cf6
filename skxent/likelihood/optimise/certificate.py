"""The certificate: whether the gap at a point, measured by a Newton step, ends the search."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skxent.likelihood import tuning
from skxent.likelihood.objective import Objective, Point
from skxent.likelihood.optimise.dual_bound import dual_gap_bound
from skxent.likelihood.optimise.newton_cg import NewtonStep, self_concordance_factor
from skxent.likelihood.optimise.preconditioners import PreconditionedPoint
from skxent.likelihood.optimise.row_factor import slope_missed


@dataclass(frozen=True)
class Certificate:
    """The gap at a point by a Newton step, and whether it ends the search.

    Parameters
    ----------
    gap : float
        Estimate of the gap, in nats.
    bound : float
        Upper bound of the gap, in nats.
    holds : bool
        Whether the search ends: the gap is certain to be at most the target, or the minimum is at
        infinity.
    change : float
        The largest change of a logit by the step, over samples that are not decided.
    moved : float
        The same over all samples, which a proof that the minimum is finite needs.
    unbounded : bool
        Whether logits go to infinity as the gap goes to zero.
    doubtful : bool
        Whether the gap is at most the target, but the step changes a logit much, in spite of a
        penalty. The curvature along the step may be a rounding error.
    finite : bool
        Whether the step is no evidence of a minimum at infinity.
    """

    gap: float
    bound: float
    holds: bool
    change: float
    moved: float
    unbounded: bool = False
    doubtful: bool = False
    finite: bool = True

    def holds_after(
        self, here: PreconditionedPoint, there: PreconditionedPoint, target: float
    ) -> bool:
        """Whether the gap after the step, from `here` to `there`, is certain to be at the target.

        The bound of the gap before the step may be above the target.
        """
        return self.finite and bound_after(self.bound, here.point, there.point) <= target

    @classmethod
    def of(
        cls,
        objective: Objective,
        here: PreconditionedPoint,
        newton: NewtonStep,
        *,
        target: float,
        vanished: float,
    ) -> Certificate:
        """Return the certificate of a Newton step.

        Parameters
        ----------
        objective : Objective
        here : PreconditionedPoint
            Where the step begins.
        newton : NewtonStep
        target : float
            The gap to reach, in nats.
        vanished : float
            The gap, in nats, below which logits that still change go to infinity.
        """
        model = here.preconditioner
        moved = change = model.logit_change(objective, newton.step, newton.gap)
        if change >= tuning.SMALL_CHANGE and not model.from_rows:
            change = objective.max_logit_range(newton.step, here.point.theta)
        sure = newton.converged and (model.certain or not model.from_rows) and change < 1
        sure = sure and slope_missed(here.point, model) <= target
        most = objective.gap_bound(here.point)
        gap = min(newton.gap * self_concordance_factor(change), most)
        bound = gap if sure else most
        if not objective.penalty.is_definite and moved >= tuning.SMALL_CHANGE:
            # The exact step changes a logit by one or more if classes can be separated, see
            # `existence.separation`. If a step changes logits by less, only rounding can hide a
            # separation, and linear programmes decide.
            finite = sure and change < tuning.FINITE_CHANGE
            lost = model.from_rows and most > tuning.STUCK_GAP
            ends = gap <= (min(target, vanished) if finite else vanished) and (finite or not lost)
            return cls(gap, bound, ends, change, moved, ends and not finite, finite=False)
        small = gap <= target
        holds = small and (sure or most <= target)
        if small and not holds and objective.offset.widest > 0:
            # Without an offset intercepts keep their curvature, and another step is worth more than
            # a bound that may be a hundred times the gap.
            dual = dual_gap_bound(objective, here.point)
            if dual is not None and dual <= target:
                return cls(dual, dual, True, change, moved)
        doubtful = small and change >= tuning.SMALL_CHANGE
        if small and not holds:  # the step leaves the range of the quadratic model
            gap = min(2 * target, most)
        return cls(gap, bound, holds, change, moved, doubtful=doubtful)


def bound_after(bound: float, here: Point, there: Point) -> float:
    """Return an upper bound of the gap after a step, from an upper bound before it, in nats.

    The step lowers the objective, and the gap by as much. The rounding errors of the two values are
    added.
    """
    fall = here.value - there.value
    return min(bound, max(bound - fall, 0.0) + here.rounding + there.rounding)


def gap_after_step(
    objective: Objective, there: PreconditionedPoint, built_at: np.ndarray, target: float
) -> tuple[float, float] | None:
    """Return an upper bound of the gap after a Newton step, from the Hessian before the step.

    The second number is the largest change of a logit since that Hessian. Return None if the bound
    is above the target, or if logits changed too much. Logits that change by q change the curvature
    by a factor between exp(-q) and exp(q), see `self_concordance_factor`. After a small step the
    certificate therefore needs no new Hessian.
    """
    if not there.decrement <= target:
        return None
    taken = objective.max_logit_range(there.point.theta - built_at)
    if taken >= tuning.SMALL_CHANGE:
        return None
    left = objective.max_logit_range(there.newton_step)
    gap = float(there.decrement * np.exp(taken) * self_concordance_factor(left))
    return (gap, taken) if left < tuning.SMALL_CHANGE and gap <= target else None


def vanished_gap(objective: Objective, stuck: bool = False) -> float:
    """Return the gap, in nats, below which logits that still change are taken to go to infinity.

    `VANISHED_GAP` is multiplied by the mean weight of a sample if this mean is above one: the
    rounding of probabilities hides the curvature of a sample whatever the sample's weight. The gap
    is multiplied by the total weight if the total is below one. `stuck` tells that no better point
    was found in float64; `STUCK_GAP` then takes the place of `VANISHED_GAP`.
    """
    total = objective.total_weight
    least = tuning.STUCK_GAP if stuck else tuning.VANISHED_GAP
    return least * max(min(1.0, total), total / objective.data.n_rows)


def end_gap(objective: Objective, target: float) -> float:
    """Return the gap, in nats, near which the search may end: the target, or a vanished gap."""
    return target if objective.penalty.is_definite else max(target, vanished_gap(objective))
