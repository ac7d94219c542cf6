"""One search for the minimum, in given coordinates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from skxent.likelihood.coordinates.frame import Report
from skxent.likelihood.existence.proof import proves_finite
from skxent.likelihood.objective import Objective, Point
from skxent.likelihood.optimise import preconditioners
from skxent.likelihood.optimise.cost_model import Rung
from skxent.likelihood.optimise.lbfgs import CAUTION, Stage
from skxent.likelihood.optimise.newton_cg import (
    CG_RESIDUAL,
    NewtonStep,
    View,
    conjugate_gradients,
    length,
    stretch,
)
from skxent.likelihood.optimise.preconditioners import Curvature
from skxent.likelihood.optimise.row_factor import Extreme, RowFactor
from skxent.likelihood.optimise.schedule import Models
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.solution import Solution, nats_of_tol
from skxent.likelihood.sources.base import RowSource
from skxent.likelihood.sources.first_sums import Moments

KNOWN = 1e-6  # of `nats_of_tol`; of a smaller gap it is enough to know that it is smaller
HINT = 4.0  # times the target; at a smaller decrement of the model the gap itself is measured
NEARER = 0.01  # factor of `near` after a step of conjugate gradients that was not as on a quadratic
# Of the gradient, for conjugate gradients without penalty: along directions that separate classes
# the gradient is next to zero.
FINE_RESIDUAL = 1e-3
FAR = 2.0  # logits; where a step of conjugate gradients moves one by more, it began too early
STILL = 0.1  # logits; a last step that moves none by more is on the way to a finite minimum
POLISHED = 1e-20  # of the objective; a smaller gap is not worth another Newton step
LEFT = 0.15  # of the slope, at the end of a Newton step; more is worth another point on its line
WORTH = 0.5  # of its decrement; a Newton step is taken if the objective falls by more
FIRST_READ = 1.0  # passes, of the first look at X
PASSES = 10  # for each iteration allowed; the search ends when it has taken more
VANISHED = 1e-11  # nats; logits that still move at a smaller gap are on their way to infinity
STUCK = 3e-5  # nats; the same, where no better point is found in float64


class Search:
    """The state of one search; see `solver` for the steps."""

    def __init__(
        self,
        data: RowSource,
        moments: Moments,
        penalty: Penalty,
        tol: float,
        max_iter: int,
        report: Report | None,
    ) -> None:
        centre = moments.mean if data.fit_intercept else None
        self.moments = moments
        self.objective = Objective(data, moments, penalty, centre)
        self.models = Models(self.objective, moments)
        self.extreme: Extreme | None = None
        self.may_be_graded = True  # until an extreme entry has been looked for
        self._passes_before = 0.0
        self._reported: Point | None = None
        self.model: Curvature | RowFactor | None = None  # of the curvature; None: make a new one
        self.caution = 0.0  # weight of squared residuals in the next model
        self.failures = 0  # stages in a row that found no better point
        self.slow = False  # whether the last stage was slow, so that conjugate gradients take over
        self.tol = tol
        self.max_iter = max_iter
        self.report = report
        self.n_iterations = 0
        self.stopped = False
        self.unbounded = False
        self.proved = penalty.is_definite
        self.certified = False
        self.astray = False  # whether a logit still moves far at the target: its curvature is noise
        self.near = self.models.plan.near
        self.unheard = False  # whether conjugate gradients failed where the model is noisy
        self.curve: list[tuple[float, float]] = []

    def run(self, start: tuple[np.ndarray, np.ndarray] | None) -> None:
        """Minimise on samples, then on all rows."""
        point = None if start is None else self.objective(self.objective.enter(*start))
        if self.max_iter == 0:
            point = point or self.objective(np.zeros(self.objective.shape))
        elif point is None or not point.value < self.objective.value_at_zero:
            point = self.objective(self.models.start())
        self.models.use(point.theta)
        self.on_all_rows(point)
        known = self.point is point or self.point is self._reported
        if not known and self.n_iterations < self.max_iter:
            self._iteration(self.point)

    def on_all_rows(self, point: Point) -> None:
        """Minimise on all rows, to the target or as far as float64 goes."""
        while True:
            fresh = self.model is None
            if self.model is None:
                self.model = self.models.at(point.theta, self.caution)
                if self.rung.exact and not self.model.certain and self._is_graded():
                    point, self.model = self._by_rows(point), None
                    continue
                self.modelled = point.theta
            here = View.of(self.model, point)
            self.point, self.gap = point, here.decrement
            spent = self.objective.n_passes > PASSES * self.max_iter
            last = self.stopped or spent or self.n_iterations >= self.max_iter
            if last or self._may_be_at_the_end(here, fresh):
                if self._needs_hessian(fresh):
                    self.caution, self.model = 0.0, None
                    continue
                point, done = self._certify(here, fresh, last)
                if self.astray and self._is_graded():
                    point, self.model = self._by_rows(point), None
                    continue
                doubtful = done and not (self.proved or self.unbounded or last)
                if doubtful and self.models.climb_to_exact(point.theta, np.inf):
                    self.model = None  # dear, but programmes would be dearer
                    continue
                if done or last or (self.stuck and point is self.point):
                    return
                self.slow = False
                if point is not self.point:
                    self.failures = 0
                    self.model = None if self.rung.newton else self.model
                    continue
                # The model sees no gap, and there is one.
                if self.models.climb(point.theta, poor=True):
                    self.model = None
                    continue
            trial = self._newton(here) if self.rung.newton and not self.caution else None
            if trial is None:
                point = self._stage(here)
                continue
            there = View.of(self.model, trial)
            if self._arrived(there):
                return
            point, self.model = trial, self.model if self._serves_still(here, there) else None

    @property
    def stuck(self) -> bool:
        """Whether neither a model nor a cautious one found a better point."""
        return self.failures > 1

    def _may_be_at_the_end(self, here: View, fresh: bool) -> bool:
        """Whether the gap is small enough to be measured, or nothing else is left to do."""
        noisy = self.rung.newton and fresh and self._noisy(here.model)
        near = self.gap <= self.near * here.point.value
        end = self.target if self.objective.penalty.is_definite else max(self.target, self.vanished)
        return self.stuck or self.slow or noisy or near or self.gap <= HINT * end

    def _needs_hessian(self, fresh: bool) -> bool:
        """Whether the certificate needs the Hessian itself, and can have it now."""
        stale = not self.objective.penalty.is_definite and not (fresh and self.rung.exact)
        if (self.caution or stale) and self.rung.exact:
            return True
        return stale and self.models.climb_to_exact(self.point.theta, self.objective.n_passes)

    def _is_graded(self) -> bool:
        """Whether samples are of so different sizes that sums of squares lose the small ones."""
        if not self.may_be_graded:
            return False
        self.may_be_graded, self.extreme = False, Extreme.of(self.objective.data)
        return self.extreme is not None

    def _by_rows(self, point: Point) -> Point:
        """Measure samples from their medians, and make the Hessian's factor from rows."""
        assert self.extreme is not None
        data, penalty, known = self.objective.data, self.objective.penalty, self.n_passes
        parameters = self.objective.leave(point.theta)
        self.close()
        centre = self.extreme.medians if data.fit_intercept else None
        self.objective = Objective(data, self.moments, penalty, centre)
        self.objective.sample_by_sample = True
        self.models = Models(self.objective, self.moments)
        self.models.extreme = self.extreme
        self._passes_before = known - FIRST_READ
        there = self.objective(self.objective.enter(*parameters))
        if not there.value < self.objective.value_at_zero:
            there = self.objective(np.zeros(self.objective.shape))
        self.models.use(there.theta)
        return there

    def _noisy(self, model: Curvature | RowFactor) -> bool:
        """Whether rounding is part of the model, so that conjugate gradients must measure the gap.

        Without penalty that is so only along directions that move no logit and have no gap.
        """
        return self.objective.penalty.is_definite and not (self.unheard or model.certain)

    def _stage(self, here: View) -> Point:
        """The best point of a stage; choose the model for the next one."""
        goal = 0.1 * self.target if here.decrement > self.target else 0.0
        careful = self.caution > 0 or self.failures > 0
        stage = Stage(self.objective, here, goal, self.rung.fall, careful, self._iteration)
        stage.run(min(self.rung.iterations, self.max_iter - self.n_iterations))
        failed = stage.best is self.point
        slow = stage.slow and self.gap > self.target
        climbed = not stage.arrived and self.models.climb(stage.best.theta, failed or slow)
        self.failures = self.failures + 1 if failed and not climbed else 0
        self.slow = slow and not (failed or climbed) and self.rung.model is preconditioners.diagonal
        self.caution = CAUTION * (stage.crooked or failed)
        # A model that led to the target is good enough for conjugate gradients there.
        if self.rung.newton or climbed or stage.decrement > HINT * self.target:
            self.model = None
        return stage.best

    @property
    def rung(self) -> Rung:
        """The model in use."""
        return self.models.rung

    @property
    def target(self) -> float:
        """The gap to reach, in nats."""
        return max(self.tol * nats_of_tol(self.point.value), 8 * self.point.rounding)

    @property
    def vanished(self) -> float:
        """The gap at which logits that still move are on their way to infinity, in nats.

        It is multiplied by the mean weight of a sample if this is above one, because rounding of
        probabilities hides the curvature of a sample whatever its weight, and by the total weight
        if this is below one.
        """
        total = self.objective.total_weight
        return VANISHED * max(min(1.0, total), total / self.objective.data.n_rows)

    def _certify(self, here: View, fresh: bool, last: bool) -> tuple[Point, bool]:
        """Measure the gap; return the point to go on from, and whether there is no need to."""
        newton = self._newton_step(here, fresh, last)
        told, move = newton.told, 0.0
        if isinstance(here.model, RowFactor):
            # Beside a sample of another order of magnitude logits have lost digits. The largest
            # move is therefore bounded over all steps with this gap, not taken from one step.
            told = told and here.model.certain
            move = 2 * here.model.farthest_move(newton.gap)
        else:
            move = self.objective.largest_move(newton.step)
        done = self.certified = self._judge(here, newton.gap, move, told)
        if not self.objective.penalty.is_definite and done and not self.unbounded:
            theta = self.point.theta
            self.proved = proves_finite(self.objective, theta, here.model, newton.rest)
        if self.unbounded or (last and not done) or (done and not newton.exact):
            return self.point, done
        if newton.exact:
            if done and move < STILL:  # so that the model is still right after the step
                self._polish(here)
            return self.point, done
        return self._after(newton.step, move), False

    def _newton_step(self, here: View, fresh: bool, last: bool) -> NewtonStep:
        """Newton's step from the model, or by conjugate gradients where it is not the Hessian."""
        of_model = NewtonStep(here.newton_step, here.decrement)
        if fresh and self.rung.exact and not (self.caution or self._noisy(here.model)):
            return of_model
        enough, residual = 0.0, CG_RESIDUAL if self.objective.penalty.is_definite else FINE_RESIDUAL
        if self.objective.penalty.is_definite and self.rung.model is preconditioners.full:
            enough = min(self.target, KNOWN * nats_of_tol(self.point.value))
        gap, step, told = conjugate_gradients(
            self.objective, here, self.target, enough, last, residual
        )
        if self._noisy(here.model) and not told:  # then the step of the model is as good
            self.unheard = True
            return replace(of_model, told=False, rest=np.inf)
        rest = residual**2 * here.decrement if told else np.inf
        return NewtonStep(step, gap, exact=False, told=told, rest=rest)

    def _judge(self, here: View, gap: float, move: float, told: bool) -> bool:
        """Set the gap and its bound; tell whether the search has come to its end."""
        most = self.objective.gap_bound(self.point)
        self.gap = min(gap * stretch(move), most)
        self.bound = self.gap if told and move < 1 else most
        if not self.objective.penalty.is_definite and move >= STILL:
            vanished = STUCK / VANISHED * self.vanished if self.stuck else self.vanished
            by_rows = isinstance(here.model, RowFactor)
            self.unbounded = self.gap <= vanished and not (by_rows and most > STUCK)
            return self.unbounded
        done = self.gap <= self.target and ((told and move < 1) or most <= self.target)
        self.astray = self.gap <= self.target and move >= STILL
        if not done and self.gap <= self.target:  # beyond where the function is quadratic
            self.gap = min(2 * self.target, most)
        return done

    def _after(self, step: np.ndarray, move: float) -> Point:
        """The point after a step of conjugate gradients, if it is better."""
        trial = self.objective(self.point.theta + step)
        fall = -0.5 * float(np.vdot(self.point.gradient, step))
        if move > FAR or not trial.at_most < self.point.at_most - WORTH * fall:
            self.near *= NEARER
        if not trial.at_most < self.point.at_most:
            return self.point
        self._iteration(trial)
        return trial

    def _arrived(self, there: View) -> bool:
        """Whether a Newton step ends at the target, as measured by the model from before the step.

        A logit that moves by q changes the curvature by a factor between exp(-q) and exp(q), see
        `stretch`, so that a small step needs no new model for its certificate.
        """
        exact = not (self._noisy(there.model) or isinstance(there.model, RowFactor))
        if not exact or not there.decrement <= self.target:
            return False
        taken = self.objective.largest_move(there.point.theta - self.modelled)
        if taken >= STILL:
            return False
        left = self.objective.largest_move(there.newton_step)
        gap = there.decrement * np.exp(taken) * stretch(left)
        self.certified = left < STILL and gap <= self.target
        if self.certified:
            self.point, self.gap = there.point, gap
            if not self.objective.penalty.is_definite:
                self.proved = proves_finite(self.objective, self.modelled, there.model, None)
            self._polish(there)
        return self.certified

    def _serves_still(self, here: View, there: View) -> bool:
        """Whether more steps with this Hessian reach the target for less than a new one costs.

        At the target a new one is needed for the certificate.
        """
        fall = there.decrement / here.decrement
        left = there.decrement * fall ** max(1.0, self.rung.passes)
        return bool(there.decrement > HINT * self.target and fall < 1 and left <= self.target)

    def _polish(self, here: View) -> None:
        """Take two more Newton steps, if the gap is not negligible; each nearly squares the gap.

        They count as one iteration, the last.
        """
        for _ in range(2):
            if self.n_iterations >= self.max_iter or self.gap <= POLISHED * self.point.value:
                return
            here = View.of(here.model, self.objective(self.point.theta + here.newton_step))
            if not here.decrement < self.gap:
                return
            self.point, self.gap = here.point, here.decrement

    def _newton(self, here: View) -> Point | None:
        """Newton's step, where it falls by as much as a quadratic nearly would.

        If the slope at its end is not small, the point where a quadratic model of the slope is zero
        is tried as well.
        """
        step = here.newton_step
        trial = self.objective(self.point.theta + step)
        left = float(np.vdot(trial.gradient, step)) / (-2 * here.decrement)
        if abs(left) > LEFT:
            other = self.objective(self.point.theta + length(left) * step)
            trial = min(trial, other, key=lambda point: point.at_most)
        if not trial.at_most < self.point.at_most - WORTH * here.decrement:
            return None
        self._iteration(trial)
        return trial

    def _iteration(self, point: Point) -> bool:
        """Count an iteration that ended at a point, and report it; tell whether to stop."""
        self.n_iterations += 1
        self._reported = point
        self.curve.append((self.n_passes, point.value))
        if self.report is not None:
            self.stopped = self.report(*self.objective.leave(point.theta), point.value)
        return self.stopped

    @property
    def n_passes(self) -> float:
        """Reads of X so far."""
        return FIRST_READ + self._passes_before + self.objective.n_passes + self.models.passes

    def solution(self) -> Solution:
        """What was found."""
        coef, intercept = self.objective.leave(self.point.theta)
        return Solution(
            coef=coef,
            intercept=intercept,
            value=self.point.value,
            log_likelihood=self.objective.log_likelihood(self.point),
            gap=self.gap if self.certified or self.unbounded else self.bound,
            target=self.target,
            converged=self.certified,
            unbounded=self.unbounded,
            stopped=self.stopped,
            n_iterations=self.n_iterations,
            n_passes=self.n_passes,
            curve=tuple(self.curve),
            extreme=None if self.certified else self.extreme,
            proved=self.proved,
            decided=self.proved,
        )

    def close(self) -> None:
        """End the threads."""
        self.objective.close()
        self.models.close()
