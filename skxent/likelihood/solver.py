r"""The minimiser: stages of L-BFGS in coordinates where the curvature is nearly one.

1. **Sample first** (`models`). Where there are many rows, the objective on a sample of them is
   minimised before X is read again, and on a smaller sample before that, so the search on all rows
   starts where a quadratic model holds. The rows whose curvature matters there make the sample for
   the models; those that were minimised do so again where their curvature comes from most of them.
2. **A stage.** Model the curvature at the present point (`curvature`), on all rows or on the
   sample, and let SciPy's L-BFGS-B minimise over v in Theta = Theta_0 + T v. In a fresh and good
   model the first step is Newton's and the next ones mend what the model missed. A stage ends when
   the decrement has fallen a thousandfold, when steps no longer go straight, or after a dozen.
   Value and gradient are carried over, so that a new stage costs no pass. After a stage that did
   not go straight the next model is a cautious one, and the first step short. Models stand on a
   ladder from cheap to dear (`plan`); the next one is used as soon as passes for its cost have been
   spent without it.
   Where the Hessian itself costs no more than a few passes, plain Newton steps come first, and a
   stage only where such a step does not fall as a quadratic would.
3. **The certificate.** The full model of all rows at the present point gives the gap itself,
   :math:`\tfrac12 g^\top H^{-1} g`. Any other model only hints: conjugate gradients on exact
   Hessian products then measure the gap, and their step is taken if the gap is too large. Either
   holds if the step stays where the function is quadratic, see `stretch`. Over sparse rows of many
   columns, whose only model is a diagonal, such steps begin farther from the end.
   Without penalty conjugate gradients may miss a direction that separates classes. The certificate
   is then that of the Hessian of all rows, if this costs no more than has been spent, and
   `existence` tells whether it proves that a finite minimum exists.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from functools import partial

import numpy as np

from skxent.likelihood import curvature
from skxent.likelihood.certificate import (
    CG_RESIDUAL,
    View,
    conjugate_gradients,
    length,
    stretch,
)
from skxent.likelihood.coordinates import Frame, Report, minimise_after
from skxent.likelihood.curvature import Curvature
from skxent.likelihood.existence import proves_finite, settled
from skxent.likelihood.graded import Extreme, RowFactor
from skxent.likelihood.models import Models
from skxent.likelihood.moments import Moments
from skxent.likelihood.objective import Objective, Point
from skxent.likelihood.places import Place
from skxent.likelihood.plan import Rung
from skxent.likelihood.present import Present
from skxent.likelihood.returned import as_returned
from skxent.likelihood.solution import Solution, nats_of_tol
from skxent.likelihood.stage import CAUTION, Stage
from skxent.likelihood.thread_limits import one_blas_thread

KNOWN = 1e-6  # units in which a gap must be known; of a smaller one, that it is smaller
HINT = 4.0  # conjugate gradients start when a model's decrement is within this of the target
NEARER = 0.01  # of where a step of theirs was not as on a quadratic, for the next
FINE_RESIDUAL = 1e-3  # of the gradient, without penalty: directions that separate have next to none
FAR = 2.0  # logits, that such a step moves one at most
STILL = 0.1  # largest move of a logit in the last step towards a finite minimum
POLISHED = 1e-20  # of the objective; a smaller gap is not worth another step
LEFT = 0.15  # of the slope along a Newton step at its end, that is worth another point on its line
WORTH = 0.5  # of its own decrement, that a Newton step must fall by
FIRST_READ = 1.0  # pass
PASSES = 10  # for each iteration allowed, at most
VANISHED = 1e-11  # nats; logits that still move at this gap are on their way to infinity
STUCK = 3e-5  # nats; the same where float64 sees no better point


def minimise(
    data: Place,
    *,
    alpha: float,
    start: tuple[np.ndarray, np.ndarray] | None,
    tol: float,
    max_iter: int,
    report: Report | None = None,
    search: bool = True,
) -> Solution:
    """Minimise the penalised cross-entropy of `data`.

    Parameters
    ----------
    data : Data
    alpha : float
        1 / C.
    start : (coef, intercept) or None
        Where to begin; None is at zero.
    tol : float
        The gap to reach, as a part of `nats_of_tol`.
    max_iter : int
        L-BFGS iterations and Newton steps on all rows, at most. 0 stays at `start`, or at zero.
    report : function(coef, intercept, value) -> bool, or None
        Called after each of them; True ends the fit.
    search : bool
        Whether linear programmes decide if a finite minimum exists, where there is no penalty and
        the end of the fit does not prove it.

    Raises
    ------
    OneClassError
        If all weight is in one class.
    """
    solution = _minimised(data, alpha, tol, max_iter, start, report)
    return settled(solution, data) if search else solution


def _minimised(
    data: Place,
    alpha: float,
    tol: float,
    max_iter: int,
    start: tuple[np.ndarray, np.ndarray] | None,
    report: Report | None,
) -> Solution:
    """`minimise` without the search at its end."""
    # Threads share out the segments. BLAS with threads of its own waits for the busy ones and can
    # be a hundred times slower, on the small matrices of a curvature above all.
    with closing(one_blas_thread()) as limit, limit:
        frame = Frame.of(data, alpha)
        present = Present.of(data, frame.first)
        if present is not None:
            few, share = data.of_classes(present.mask), present.alpha(alpha)
            fit = partial(_minimised, few, share, tol, max_iter)
            return replace(minimise_after([present], fit, start, report), present=present.mask)
        frame = frame.identified()
        search = partial(_in_frame, frame, tol, max_iter)
        solution = frame.fit(search, start, report)
        return as_returned(data, frame.first, frame.alpha, solution, certain=frame.certain)


def _in_frame(
    frame: Frame,
    tol: float,
    max_iter: int,
    start: tuple[np.ndarray, np.ndarray] | None,
    report: Report | None,
) -> Solution:
    """`minimise` in the coordinates of a frame."""
    search = Search(frame.data, frame.moments, frame.alpha, tol, max_iter, report)
    try:
        search.run(start)
        return search.solution()
    finally:
        search.close()


class Search:
    """The state of one minimisation; see the module for the steps."""

    def __init__(
        self,
        data: Place,
        moments: Moments,
        alpha: float,
        tol: float,
        max_iter: int,
        report: Report | None,
    ) -> None:
        centre = moments.mean if data.fit_intercept else None
        self.moments = moments
        self.objective = Objective(data, moments, alpha, centre)
        self.models = Models(self.objective, moments)
        self.extreme: Extreme | None = None
        self._looked = False  # for an extreme entry
        self._passes_before = 0.0
        self._reported: Point | None = None
        self.tol = tol
        self.max_iter = max_iter
        self.report = report
        self.n_iterations = 0
        self.stopped = False
        self.unbounded = False
        self.proved = alpha > 0
        self.certified = False
        self.near = self.models.plan.near
        self.unheard = False  # conjugate gradients did not tell what a noisy model could not
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
        caution, failures, slow = 0.0, 0, False
        model: Curvature | RowFactor | None = None
        while True:
            fresh = model is None
            if model is None:
                model = self.models.at(point.theta, caution)
                if self.rung.exact and not model.certain and self._is_graded():
                    point, model = self._by_rows(point), None
                    continue
                self.modelled = point.theta
            stuck = failures > 1  # neither a model nor a cautious one found a better point
            spent = self.objective.n_passes > PASSES * self.max_iter
            last = self.stopped or spent or self.n_iterations >= self.max_iter
            here = View.of(model, point)
            self.point, self.gap = point, here.decrement
            noisy = self.rung.newton and fresh and self._noisy(model)
            near = self.gap <= self.near * point.value
            end = self.target if self.objective.alpha > 0 else max(self.target, self.vanished)
            if stuck or last or slow or noisy or near or self.gap <= HINT * end:
                stale = self.objective.alpha == 0 and not (fresh and self.rung.exact)
                # The certificate wants the Hessian itself.
                wants = (caution or stale) and self.rung.exact
                spent_so_far = self.objective.n_passes
                if wants or (stale and self.models.climb_to_exact(point.theta, spent_so_far)):
                    caution, model = 0.0, None
                    continue
                exact = fresh and self.rung.exact and not (caution or self._noisy(model))
                point, done = self._certify(here, exact, stuck, last)
                doubtful = done and not (self.proved or self.unbounded or last)
                if doubtful and self.models.climb_to_exact(point.theta, np.inf):
                    model = None  # dear, but programmes would be dearer
                    continue
                if done or last or (stuck and point is self.point):
                    return
                slow = False
                if point is not self.point:
                    failures = 0
                    model = None if self.rung.newton else model
                    continue
                # The model sees no gap, and there is one.
                if self.models.climb(point.theta, poor=True):
                    model = None
                    continue
            if self.rung.newton and not caution:
                trial = self._newton(here)
                if trial is not None:
                    there = View.of(model, trial)
                    if self._arrived(there):
                        return
                    point, model = trial, model if self._serves_still(here, there) else None
                    continue
            stage = self._stage(here, careful=caution > 0 or failures > 0)
            failed = stage.best is self.point
            slow = stage.slow and self.gap > self.target
            climbed = not stage.arrived and self.models.climb(stage.best.theta, failed or slow)
            failures = failures + 1 if failed and not climbed else 0
            slow = slow and not (failed or climbed) and self.rung.model is curvature.diagonal
            caution = CAUTION * (stage.crooked or failed)
            point = stage.best
            # A model that led to the target is good enough for conjugate gradients there.
            if self.rung.newton or climbed or stage.decrement > HINT * self.target:
                model = None

    def _is_graded(self) -> bool:
        """Whether samples are of so different sizes that sums of squares lose the small ones."""
        if not self._looked:
            self._looked, self.extreme = True, Extreme.of(self.objective.data)
            return self.extreme is not None
        return False

    def _by_rows(self, point: Point) -> Point:
        """Measure samples from their medians, and make the Hessian's factor from rows."""
        assert self.extreme is not None
        data, alpha, known = self.objective.data, self.objective.alpha, self.n_passes
        parameters = self.objective.leave(point.theta)
        self.close()
        centre = self.extreme.medians if data.fit_intercept else None
        self.objective = Objective(data, self.moments, alpha, centre)
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
        """Whether rounding makes some of the model, and conjugate gradients must tell.

        Without penalty it does so where columns depend on others, and nothing is to be told there.
        """
        return self.objective.alpha > 0 and not (self.unheard or model.certain)

    def _stage(self, here: View, careful: bool) -> Stage:
        goal = 0.1 * self.target if here.decrement > self.target else 0.0
        stage = Stage(self.objective, here, goal, self.rung.fall, careful, self._iteration)
        return stage.run(min(self.rung.iterations, self.max_iter - self.n_iterations))

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

        It is as many times more as samples weigh more than one: the curvature of all is rounding
        where probabilities are, whatever their weight.
        """
        total = self.objective.total_weight
        return VANISHED * max(min(1.0, total), total / self.objective.data.n_rows)

    def _certify(self, here: View, exact: bool, stuck: bool, last: bool) -> tuple[Point, bool]:
        """Measure the gap; return the point to go on from, and whether there is no need to."""
        gap, step, told = here.decrement, here.newton_step, True
        rest = None
        if not exact:
            enough = 0.0
            residual = CG_RESIDUAL if self.objective.alpha > 0 else FINE_RESIDUAL
            rest = residual**2 * here.decrement
            if self.objective.alpha > 0 and self.rung.model is curvature.full:
                enough = min(self.target, KNOWN * nats_of_tol(self.point.value))
            other, better, told = conjugate_gradients(
                self.objective, here, self.target, enough, last, residual
            )
            exact = self._noisy(here.model) and not told  # then the model knows as much
            rest = rest if told else np.inf
            self.unheard = self.unheard or exact
            if not exact:
                gap, step = other, better
        if isinstance(here.model, RowFactor):
            # Beside a sample of another order any direction may be the one that counts, and its
            # logit has lost digits: where it moves by one, rounding tells whether it goes on.
            told = told and here.model.certain
            move = 2 * here.model.farthest_move(gap)
        else:
            move = self.objective.largest_move(step)
        most = self.objective.most_above_minimum(self.point)
        self.gap = min(gap * stretch(move), most)
        self.bound = self.gap if told and move < 1 else most
        if self.objective.alpha == 0 and move >= STILL:
            vanished = STUCK / VANISHED * self.vanished if stuck else self.vanished
            by_rows = isinstance(here.model, RowFactor)
            done = self.unbounded = self.gap <= vanished and not (by_rows and most > STUCK)
        else:
            done = self.gap <= self.target and ((told and move < 1) or most <= self.target)
            if not done and self.gap <= self.target:  # beyond where the function is quadratic
                self.gap = min(2 * self.target, most)
        self.certified = done
        if self.objective.alpha == 0 and done and not self.unbounded:
            self.proved = proves_finite(self.objective, self.point.theta, here.model, rest)
        if self.unbounded or (last and not done) or (done and not exact):
            return self.point, done
        if exact:
            if done and move < STILL:  # and the model, made before the step, still right after it
                self._polish(here)
            return self.point, done
        trial = self.objective(self.point.theta + step)
        fall = -0.5 * float(np.vdot(self.point.gradient, step))
        if move > FAR or not trial.value < self.point.value - WORTH * fall:
            self.near *= NEARER
        if not trial.value < self.point.value:
            return self.point, False
        self._iteration(trial)
        return trial, False

    def _arrived(self, there: View) -> bool:
        """Whether a Newton step ends at the target, for all that the model before it can tell.

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
            if self.objective.alpha == 0:
                self.proved = proves_finite(self.objective, self.modelled, there.model, None)
            self._polish(there)
        return self.certified

    def _serves_still(self, here: View, there: View) -> bool:
        """Whether the Hessian gets to the target in as many steps more as a new one would cost.

        At the target a new one is wanted, for the certificate.
        """
        fall = there.decrement / here.decrement
        left = there.decrement * fall ** max(1.0, self.rung.passes)
        return bool(there.decrement > HINT * self.target and fall < 1 and left <= self.target)

    def _polish(self, here: View) -> None:
        """Two Newton steps more: where they count at all, each all but squares the gap.

        They are one iteration, the last.
        """
        for _ in range(2):
            spent = self.n_iterations >= self.max_iter
            if spent or self.gap <= POLISHED * self.point.value:
                return
            here = View.of(here.model, self.objective(self.point.theta + here.newton_step))
            if not here.decrement < self.gap:
                return
            self.point, self.gap = here.point, here.decrement

    def _newton(self, here: View) -> Point | None:
        """Newton's step, where it falls by as much as a quadratic nearly would.

        Where it ends on a slope the point is better that the three slopes' quadratic leads to.
        """
        step = here.newton_step
        trial = self.objective(self.point.theta + step)
        left = float(np.vdot(trial.gradient, step)) / (-2 * here.decrement)
        if abs(left) > LEFT:
            other = self.objective(self.point.theta + length(left) * step)
            trial = min(trial, other, key=lambda point: point.value)
        if not trial.value < self.point.value - WORTH * here.decrement:
            return None
        self._iteration(trial)
        return trial

    def _iteration(self, point: Point) -> bool:
        """Count an iteration that ended at a point, and report it; tell whether to stop."""
        self.n_iterations += 1
        self._reported = point
        self.curve.append((self.n_passes, point.value))
        if self.report is not None:
            coef, intercept = self.objective.leave(point.theta)
            self.stopped = self.report(coef, intercept, point.value)
        return self.stopped

    @property
    def n_passes(self) -> float:
        """Reads of X so far."""
        here = self.objective.n_passes + self.models.passes
        return FIRST_READ + self._passes_before + here

    def solution(self) -> Solution:
        """What was found."""
        coef, intercept = self.objective.leave(self.point.theta)
        return Solution(
            coef=coef,
            intercept=intercept,
            value=self.point.value,
            log_likelihood=self.objective.penalty(self.point.theta) - self.point.value,
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
