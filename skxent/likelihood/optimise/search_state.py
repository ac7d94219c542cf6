"""The state of a search, and its result."""

from __future__ import annotations

import numpy as np

from skxent.likelihood import tuning
from skxent.likelihood.objective import Objective, Point
from skxent.likelihood.optimise.choices import PreconditionerChoice
from skxent.likelihood.optimise.class_subspace import ClassSubspace
from skxent.likelihood.optimise.policies import Policy
from skxent.likelihood.optimise.preconditioners import Preconditioner
from skxent.likelihood.optimise.progress import Progress
from skxent.likelihood.optimise.row_factor import Extreme, slope_missed
from skxent.likelihood.optimise.schedule import Schedule
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.solution import Solution, target_gap
from skxent.likelihood.sources.base import RowSource
from skxent.likelihood.sources.first_sums import Moments


class SearchState:
    """One search and its state.

    Parameters
    ----------
    data : RowSource
    moments : Moments
        Moments of `data`.
    penalty : Penalty
    tol : float
        The tolerance, see `target_gap`.
    policy : Policy
        The steps that the search may take.
    progress : Progress
        The iterations on all rows so far, and how many are left.
    """

    def __init__(
        self,
        data: RowSource,
        moments: Moments,
        penalty: Penalty,
        tol: float,
        policy: Policy,
        progress: Progress,
    ) -> None:
        self.plan = policy.plan(data)
        self.moments = moments
        self.objective = Objective.centred(data, moments, penalty)
        self.schedule = Schedule(self.objective, moments, self.plan)
        self.tol = tol
        self.policy = policy
        self.progress = progress
        self._passes_before = 0.0  # passes of the objective that `_by_rows` replaced
        self.model: Preconditioner | None = None  # None if a new one must be made
        self.fresh = False  # whether the preconditioner was made for the present point
        self.missed = False  # whether the Hessian has no curvature where the objective still falls
        # Failures so far, and how the next steps respond to them.
        self.residual_weight = 0.0  # residual weight of the next preconditioner
        self.failures = 0  # stages in a row that found no better point
        self.line_first = False  # whether a Newton step begins with a search on its line
        self.subspace: ClassSubspace | None = None  # takes the steps after a stage that struggled
        self.samples_help = True  # False after a step on a sample that lowered it too little
        self.slow = False  # the last stage was so slow that conjugate gradients take over
        self.cg_failed = False  # whether conjugate gradients failed with a noisy Hessian
        self.underrated = 1.0  # gap over decrement when last measured, if the step was not taken
        self.cg_gap = self.plan.cg_gap  # conjugate gradients step below it, see `Plan`
        self.separated = False  # whether the start is far along a direction that separates classes
        self.may_be_graded = True  # False once `_is_graded` has looked for an extreme entry
        self.extreme: Extreme | None = None
        # The present point and results.
        self.point: Point
        self.gap = self.bound = np.inf  # estimate and upper bound of the gap at the point
        self.must_end = False  # whether no further step may be taken
        self.certified = False
        self.unbounded = False
        self.proved = penalty.is_definite

    def _record(self, point: Point) -> bool:
        """Count and report an iteration that ended at `point`; return whether to stop."""
        return self.progress.record(self.objective, point, self.n_passes)

    @property
    def choice(self) -> PreconditionerChoice:
        """The kind of preconditioner in use, and the length of a stage with it."""
        return self.schedule.choice

    @property
    def stuck(self) -> bool:
        """Whether two stages in a row found no better point, the second with a residual weight."""
        return self.failures > 1

    def _misses(self, model: Preconditioner, point: Point) -> bool:
        """Whether the model has no curvature where the objective still falls, and steps are left.

        A residual weight then gives it some.
        """
        ended = self.stuck or self.progress.must_end(self.n_passes)
        target = target_gap(self.tol, point.value, point.rounding)
        return slope_missed(point, model) > target and not ended

    @property
    def target(self) -> float:
        """The gap to reach, in nats."""
        return target_gap(self.tol, self.point.value, self.point.rounding)

    @property
    def n_passes(self) -> float:
        """Number of passes over X so far."""
        passes = self.objective.n_passes + self.schedule.passes
        return tuning.FIRST_READ_PASSES + self._passes_before + passes

    def solution(self) -> Solution:
        """Return the solution at the end of the search."""
        coef, intercept = self.objective.leave(self.point.theta)
        return Solution(
            coef=coef,
            intercept=intercept,
            value=self.point.value,
            log_likelihood=self.objective.log_likelihood(self.point),
            gap=self.gap if self.certified or self.unbounded else self.bound,
            target=self.target,
            converged=self.certified and self.gap <= self.target,
            unbounded=self.unbounded,
            stopped=self.progress.stopped,
            n_iterations=self.progress.n_iterations,
            n_passes=self.n_passes,
            curve=tuple(self.progress.curve),
            extreme=None if self.certified else self.extreme,
            proved=self.proved,
            decided=self.proved,
        )

    def close(self) -> None:
        """End the threads."""
        self.objective.close()
        self.schedule.close()
