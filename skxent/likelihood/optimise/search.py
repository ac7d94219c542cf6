"""A search for the minimum in given coordinates; `solver` describes its steps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from skxent.likelihood import tuning
from skxent.likelihood.existence.proof import proves_finite
from skxent.likelihood.objective import Objective, Point
from skxent.likelihood.optimise import newton_lines
from skxent.likelihood.optimise.certificate import (
    Certificate,
    bound_after,
    end_gap,
    gap_after_step,
    vanished_gap,
)
from skxent.likelihood.optimise.choices import Kind
from skxent.likelihood.optimise.class_subspace import ClassSubspace
from skxent.likelihood.optimise.last_steps import (
    lowers,
    pass_is_cheap,
    spare_products,
    steadied,
    with_new_hessian,
)
from skxent.likelihood.optimise.lbfgs import Stage
from skxent.likelihood.optimise.newton_cg import Accuracy, NewtonStep, conjugate_gradients
from skxent.likelihood.optimise.preconditioners import PreconditionedPoint, Preconditioner
from skxent.likelihood.optimise.row_factor import Extreme
from skxent.likelihood.optimise.schedule import Schedule
from skxent.likelihood.optimise.search_state import SearchState
from skxent.likelihood.optimise.single_stages import begun


class Search(SearchState):
    """The steps of a search, see `SearchState` for its parameters."""

    def run(self, start: tuple[np.ndarray, np.ndarray] | None) -> None:
        """Minimise on samples, then on all rows."""
        point = None if start is None else self.objective(self.objective.enter(*start))
        if self.progress.max_iter == 0:
            point = point or self.objective(np.zeros(self.objective.shape))
        elif point is None or not point.value < self.objective.value_at_zero:
            first = begun(self.objective, self.schedule, self.progress)
            point, self.model, self.built_at = first
        else:
            self.schedule.begin(point.theta)
        self._on_all_rows(point)
        known = self.point is point or self.point is self.progress.last
        if not known and self.progress.n_left > 0:
            self._record(self.point)

    def _on_all_rows(self, start: Point) -> None:
        """Minimise on all rows, to the target or as far as float64 goes."""
        point: Point | None = start
        while point is not None:
            here = self._precondition(point)
            if here is None:
                point = self._by_rows(point)
                continue
            self.point, self.gap = point, here.decrement * self.underrated
            self.must_end = self.progress.must_end(self.objective.n_passes)
            if self.missed and not self.must_end:
                point = self._stage(here)
            elif not (self.must_end or self._may_be_at_the_end(here)):
                point = self._descend(here)
            elif self._needs_hessian():
                self.residual_weight, self.model = 0.0, None
            else:
                point = self._certify(here)

    def _precondition(self, point: Point) -> PreconditionedPoint | None:
        """Return a point in whitened coordinates; None if the Hessian must be made from rows."""
        self.fresh = self.model is None
        if self.model is None:
            self.model = self.schedule.preconditioner(point.theta, self.residual_weight)
            self.missed = self._misses(self.model, point)
            if self.missed:
                self.residual_weight = tuning.RESIDUAL_WEIGHT
                self.model = self.schedule.preconditioner(point.theta, self.residual_weight)
            if self.choice.is_hessian and not self.model.certain and self._is_graded():
                return None
            self.built_at = point.theta
        return PreconditionedPoint.of(self.model, point)

    def _descend(self, here: PreconditionedPoint) -> Point | None:
        """Return the point after a Newton step or a stage; None if the step certified its gap.

        Where a whole Newton step fails, a stage or a damped step follows.
        """
        if self.subspace is not None:
            return self._in_subspace(here, self.subspace)
        if self.schedule.on_sample and self.samples_help:
            return self._on_sample(here)
        trial = None
        if self.choice.newton and not self.residual_weight:
            tried = newton_lines.newton_trial(self.objective, here, self.line_first)
            trial, self.line_first = tried.point, tried.line_first
        if trial is None:
            return self._stage(here) if self.policy.takes_stages else self._damped(here)
        self._record(trial)
        there = PreconditionedPoint.of(here.preconditioner, trial)
        if self._arrived(there):
            return None
        # Without a penalty conjugate gradients may miss a direction that separates classes.
        measures = self.policy.takes_certificate and self.objective.penalty.is_definite
        measures = measures and pass_is_cheap(self.objective)
        passes = self.choice.passes
        if not newton_lines.serves_still(here, there, self.target, passes, measures=measures):
            self.model = None
        return trial

    def _in_subspace(self, here: PreconditionedPoint, subspace: ClassSubspace) -> Point:
        """Return the point after a step in the space of some directions and classes."""
        trial, gap = subspace.step(here)
        self.underrated = max(gap / (here.decrement or 1.0), 1.0)
        self.model = self.model if self.fresh else None  # a preconditioner serves two steps
        if trial is None:
            self.subspace, self.model, self.residual_weight = None, None, tuning.RESIDUAL_WEIGHT
            return here.point
        self.failures = 0
        self._record(trial)
        return trial

    def _on_sample(self, here: PreconditionedPoint) -> Point:
        """Return the point after a step to the minimum of the tilted sample, see `tilted`.

        If the objective falls by too little, a stage follows.
        """
        theta, fall = self.schedule.sample_minimum(here)
        trial = self.objective(theta)
        least = here.point.at_most - tuning.SUFFICIENT_FALL * fall
        self.samples_help = trial.at_most < least
        self.schedule.poor_steps += not self.samples_help
        if not trial.at_most < here.point.at_most:
            return self._stage(here)
        self._record(trial)
        self.failures, self.model = 0, None
        self.schedule.renew(here.point.theta, trial.theta)
        return trial

    def _damped(self, here: PreconditionedPoint) -> Point:
        """Return the point after a damped Newton step, for which the Hessian must be a fresh one.

        If rounding hides the fall of the objective, the next Hessian has a residual weight.
        """
        self.model = None
        if not self.fresh:
            return here.point
        trial = newton_lines.damped_trial(self.objective, here)
        self.failures = self.failures + 1 if trial is None else 0
        self.residual_weight = tuning.RESIDUAL_WEIGHT * (trial is None)
        if trial is not None:
            self._record(trial)
        return trial or here.point

    def _stage(self, here: PreconditionedPoint) -> Point:
        """Return the best point of a stage of L-BFGS; choose the next preconditioner."""
        target = self.target / self.underrated
        # A step of conjugate gradients goes on from there. Without a penalty, separated classes are
        # recognised by the steps near the target.
        definite = self.objective.penalty.is_definite
        goal = target * (tuning.HINT if self.policy.takes_certificate and definite else tuning.GOAL)
        if here.decrement <= target:
            # Far below a vanished gap rounding would hide that logits go to infinity.
            goal = 0.0 if definite else tuning.GOAL * vanished_gap(self.objective)
        short = self.residual_weight > 0 or self.failures > 0
        stage = Stage(self.objective, here, goal, self.choice.fall, short, self._record)
        stage.run(min(self.choice.iterations, self.progress.n_left))
        failed = stage.best is self.point
        slow = stage.slow and self.gap > self.target
        advance = tuning.POOR_ADVANCE if failed or slow else 0.0
        escalated = not stage.converged and self.schedule.escalate(stage.best.theta, advance)
        self.failures = self.failures + 1 if failed and not escalated else 0
        cg_helps = self.policy.takes_certificate and self.choice.is_diagonal
        self.slow = slow and cg_helps and not (failed or escalated)
        self.residual_weight = tuning.RESIDUAL_WEIGHT * (stage.line_search_struggling or failed)
        if self.residual_weight and self.choice.by_class and self.policy.takes_certificate:
            self.subspace = ClassSubspace.of(self.objective)
            self.residual_weight *= self.subspace is None
        self.samples_help = True  # another sample may help again
        # If the stage ended near the target, conjugate gradients can use its preconditioner.
        if self.choice.is_cheap_hessian or escalated or stage.decrement > tuning.HINT * target:
            self.model = None
        return stage.best

    def _certify(self, here: PreconditionedPoint) -> Point | None:
        """Measure the gap; return the next point, or None if the search ends."""
        newton = self._newton_step(here)
        vanished = vanished_gap(self.objective, self.stuck)
        if self.separated:  # no maximum exists, whether other logits go to infinity as well or not
            vanished = max(vanished, self.target)
        found = Certificate.of(self.objective, here, newton, target=self.target, vanished=vanished)
        self.gap, self.bound = found.gap, found.bound
        self.certified, self.unbounded = found.holds, found.unbounded
        if not self.policy.takes_certificate:
            self.underrated = max(newton.gap / (here.decrement or 1.0), 1.0)
        may_step = self.policy.takes_certificate and not (newton.direct or self.must_end)
        takes_step = may_step and not found.unbounded
        there = self._cg_step(here, newton, found.change) if takes_step else None
        if found.doubtful and self._is_graded():
            return self._by_rows(here.point if there is None else there.point)
        if found.holds or (there is not None and found.holds_after(here, there, self.target)):
            if self.must_end or self.fresh or self._model_serves():
                return self._conclude(here, newton, found, there)
            self.certified, self.model = False, None
            return here.point if there is None else there.point
        if self.must_end or (self.stuck and there is None):
            return None
        self.slow = False
        if there is not None:
            self._record(there.point)
            self.failures = 0
            if self.choice.newton:
                self.model = None
            return there.point
        # The decrement of the preconditioner is small, but the gap is not.
        if self.schedule.escalate(self.point.theta, tuning.POOR_ADVANCE):
            self.model = None
            return self.point
        return self._descend(here)

    def _newton_step(self, here: PreconditionedPoint) -> NewtonStep:
        """Compute the Newton step with the factored Hessian, or by conjugate gradients."""
        model = here.preconditioner
        direct = NewtonStep(here.newton_step, here.decrement)
        noisy = self._is_noisy(model)
        if self.fresh and self.choice.is_hessian and not (self.residual_weight or noisy):
            return direct
        self.accuracy = Accuracy.of(
            self.objective,
            self.point.value,
            self.target,
            free=self.choice.kind is Kind.HESSIAN,
            steadying=self.policy.takes_certificate * spare_products(self.objective, self.n_passes),
            end=self.must_end,
            distance=newton_lines.DISTANCE if self.choice.newton else tuning.STEADY,
        )
        newton = conjugate_gradients(self.objective, here, self.accuracy)
        if noisy and not newton.converged:  # the direct step is no worse
            self.cg_failed = True
            return replace(direct, converged=False, residual=np.inf)
        return newton

    def _conclude(
        self,
        here: PreconditionedPoint,
        newton: NewtonStep,
        found: Certificate,
        there: PreconditionedPoint | None,
    ) -> Point | None:
        """Look for a proof of a finite minimum, and take the last steps, after a certificate.

        `there` is the point after a step of conjugate gradients. Return the next point if the proof
        needs the Hessian, else None.
        """
        self.certified, definite = True, self.objective.penalty.is_definite
        if not (self.unbounded or definite) and found.moved < tuning.SMALL_CHANGE:
            model, theta = here.preconditioner, self.point.theta
            self.proved = proves_finite(self.objective, theta, model, newton.residual)
        again = self._unproved()
        if again is not None or self.unbounded or not self.policy.takes_certificate:
            return again
        if there is not None:
            gap = bound_after(found.bound, here.point, there.point)
            error = newton.model_error
            self.point, self.gap = steadied(self.objective, there, gap, self.accuracy, error)
        elif newton.direct and found.change < tuning.SMALL_CHANGE:  # H still holds after the step
            self._polish(here, found.change)
        elif newton.direct and definite and self.choice.newton and not self.must_end:
            self._renew(here, found.bound)
        return None

    def _renew(self, here: PreconditionedPoint, bound: float) -> None:
        """Take Newton steps with a new Hessian; `bound` is an upper bound of the gap at `here`."""
        there = with_new_hessian(self.objective, here, self.schedule)
        if there is None:
            return
        newton = NewtonStep(there.newton_step, there.decrement)
        found = Certificate.of(self.objective, there, newton, target=self.target, vanished=0.0)
        bound = min(found.bound, bound_after(bound, here.point, there.point))
        if bound > self.gap:
            return
        self.point, self.gap = there.point, bound
        if found.change < 1:
            self._polish(there, found.change)

    def _unproved(self) -> Point | None:
        """Return the point if the Hessian may prove that a finite minimum exists, else None.

        The Hessian may cost many passes, but linear programmes would cost more.
        """
        if self.proved or self.unbounded or self.must_end or self.separated:
            return None
        if not self.schedule.escalate_to_hessian(self.point.theta, np.inf):
            return None
        self.model = None
        return self.point

    def _cg_step(
        self, here: PreconditionedPoint, newton: NewtonStep, change: float
    ) -> PreconditionedPoint | None:
        """Return the point after a step of conjugate gradients; None if it is no better."""
        trial = self.objective(self.point.theta + newton.step)
        if change > tuning.CG_CHANGE or not newton.falls_enough(self.point, trial):
            self.cg_gap *= tuning.CG_GAP_FACTOR
        there = PreconditionedPoint.of(here.preconditioner, trial)
        return there if lowers(here, there) else None

    def _arrived(self, there: PreconditionedPoint) -> bool:
        """Whether the Hessian from before a Newton step certifies the point after the step."""
        model = there.preconditioner
        if self._is_noisy(model) or model.from_rows:
            return False
        found = gap_after_step(self.objective, there, self.built_at, self.target)
        if found is None:
            return False
        self.certified, self.point, self.gap = True, there.point, found[0]
        if not self.objective.penalty.is_definite:
            self.proved = proves_finite(self.objective, self.built_at, model, None)
        self._polish(there, found[1] + tuning.SMALL_CHANGE)
        return True

    def _polish(self, here: PreconditionedPoint, change: float) -> None:
        """Take up to two more Newton steps, which together count as one iteration."""
        if self.progress.n_left > 0:
            self.point, self.gap = newton_lines.polished(self.objective, here, self.gap, change)

    def _may_be_at_the_end(self, here: PreconditionedPoint) -> bool:
        """Whether to measure the gap: the gap may be at the target, or stages do not help."""
        noisy = self.choice.newton and self.fresh and self._is_noisy(here.preconditioner)
        near = self.gap <= self.cg_gap * here.point.value
        end = end_gap(self.objective, self.target)
        hint = tuning.HINT if self.subspace is None else self.subspace.hint
        return self.stuck or self.slow or noisy or near or self.gap <= hint * end

    def _needs_hessian(self) -> bool:
        """Whether the certificate needs a Hessian made at this point, at an allowed cost."""
        fresh = self.fresh and self.choice.is_hessian
        stale = not (self.objective.penalty.is_definite or fresh)
        # Products with the Hessian lose digits that its factor from the rows keeps.
        from_rows = self.schedule.extreme is not None and not fresh
        if (self.residual_weight or stale or from_rows) and self.choice.is_hessian:
            return True
        passes = self.objective.n_passes
        return stale and self.schedule.escalate_to_hessian(self.point.theta, passes)

    def _model_serves(self) -> bool:
        """Whether the preconditioner, made elsewhere, can measure the gap at the present point."""
        return self.schedule.serves_still(self.point.theta, self.built_at)

    def _is_noisy(self, model: Preconditioner) -> bool:
        """Whether the Hessian is noisy, so that conjugate gradients must measure the gap.

        A noisy Hessian has directions whose curvature may be rounding. Without a penalty no Hessian
        counts as noisy, because such directions change neither logits nor the gap.
        """
        return not (self.objective.penalty.is_zero or self.cg_failed or model.certain)

    def _is_graded(self) -> bool:
        """Whether an extreme entry makes sums of squares lose the digits of other samples."""
        if not self.may_be_graded:
            return False
        self.may_be_graded, self.extreme = False, Extreme.of(self.objective.data)
        return self.extreme is not None

    def _by_rows(self, point: Point) -> Point:
        """Centre samples at medians, and from now on factor the Hessian by QR of the rows.

        Return the same point of the new objective, or zero if zero is better.
        """
        assert self.extreme is not None
        data, penalty, known = self.objective.data, self.objective.penalty, self.n_passes
        parameters = self.objective.leave(point.theta)
        self.close()
        centre = self.extreme.medians if data.fit_intercept else None
        self.objective = Objective(data, self.moments, penalty, centre)
        self.objective.sample_by_sample = True
        self.schedule = Schedule(self.objective, self.moments, self.plan, self.extreme)
        self.model = self.subspace = None
        self._passes_before = known - tuning.FIRST_READ_PASSES
        there = self.objective(self.objective.enter(*parameters))
        if not there.value < self.objective.value_at_zero:
            there = self.objective(np.zeros(self.objective.shape))
        self.schedule.begin(there.theta)
        return there
