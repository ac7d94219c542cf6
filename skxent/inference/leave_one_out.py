r"""Leave-one-out losses: the loss of each sample in a fit without it, from one fit of all.

The Newton step from the minimum to the minimum without a sample is in `case_deletion`.

Where one step is not enough
----------------------------
The Newton step assumes that the curvature of the *other* samples is constant. If logits change by
q, the curvature changes by a factor between exp(-q) and exp(q), so the relative error of the step
is of the order of q. If classes are nearly separable, a few samples determine the boundary. Without
one of them logits change by ten, and the error of the step is as large. The rough bound of the
error of a loss is the larger of two numbers: the fraction min(1, q) of its change in the step, and
its further change if the step is exp(min(1, q)) times as long. The second number matters for
samples whose loss is nearly zero before and after the Newton step, but not after the exact step.
The samples with the largest bounds are left out by fits of their own (refits), until the estimated
error of the others is small against the mean. This estimate is the sum of the bounds of the others,
times the largest ratio of error to bound in the last refits, or times one before the first refit.

References
----------
.. [1] K. Rahnama Rad, A. Maleki, "A scalable estimate of the out-of-sample prediction error via
   approximate leave-one-out cross-validation", Journal of the Royal Statistical Society B 82,
   2020: its error with as many parameters as samples. :doi:`10.1111/rssb.12374`
.. [2] A. Beirami et al., "On optimal generalizability in parametric learning", NIPS 2017: its error
   by the third derivative. arXiv:1711.05323
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np

from skxent.inference.case_deletion import Fit
from skxent.inference.continuation import continued
from skxent.inference.left_out_cases import Cases, Deleted, Parameters
from skxent.likelihood.coordinates.changes import Coordinates, leave
from skxent.likelihood.coordinates.weighted_classes import Present
from skxent.likelihood.objective import Objective
from skxent.likelihood.optimise.cost_model import fits_row_space
from skxent.likelihood.optimise.lbfgs import Stage
from skxent.likelihood.optimise.newton_cg import is_minimum
from skxent.likelihood.optimise.preconditioners import PreconditionedPoint
from skxent.likelihood.optimise.solver import minimise
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.solution import Solution, target_gap
from skxent.likelihood.sources.base import RowSource
from skxent.likelihood.sources.first_sums import Moments
from skxent.likelihood.sources.moments import compute_moments
from skxent.likelihood.sources.row_space import AnyRowSpace, ScaledRowSpace
from skxent.likelihood.sources.thread_limits import one_blas_thread

WIDEST = 4000  # largest number of parameters whose Hessian is formed
WORK = 1e8  # largest number of operations for the Newton steps of one fit, about ten milliseconds
LEAST = 2000  # up to this number of samples all are left out, also if they exceed WORK
ACCURACY = 3e-3  # tolerated relative error of the mean loss
# Largest number of samples that are left out. The mean increase of the loss is then known to about
# a 300th part, and the increase is small against the loss if there are so many samples.
MOST = 100_000
# A curvature near the minimum serves if the mean loss changes by less than this fraction, a third
# of ACCURACY.
STALE = 1e-3
# Largest change of a logit between that curvature and the minimum. The relative error of the Newton
# step is of this order.
LARGEST_STALE = 0.1
REFITS = 64  # largest number of samples that are left out by fits of their own
BATCH = 8  # refits after which the ratio of error to bound is estimated anew
# Target gap of refits as a fraction of that of the fit. The error of a logit is of the order of the
# square root of the gap.
FINE = 1e-4
STAGES = 4  # L-BFGS stages of a refit with the Hessian of all samples, before an ordinary fit
STAGE = 40  # largest number of iterations of a stage


@dataclass(frozen=True)
class LeftOut:
    """Losses of samples in fits with and without them, in nats.

    Parameters
    ----------
    solution : Solution
        The fit of all samples.
    fitted_mean : float
        The mean loss of all samples in this fit.
    n_samples : int
        Number of samples that have weight in the mean.
    rows : (m,) array
        Indices of the samples that were left out in turn.
    importance : (m,) array
        Weights of these samples in the mean.
    fitted : (m,) array
        The loss of each of these samples in the fit of all samples.
    losses : (m,) array
        The loss of each of these samples in a fit without it. Empty if `solution` is unbounded.
    n_refits : int
        Number of samples that were left out by fits of their own.
    """

    solution: Solution
    fitted_mean: float
    n_samples: int
    rows: np.ndarray
    importance: np.ndarray
    fitted: np.ndarray
    losses: np.ndarray
    n_refits: int


class LeaveOneOut:
    """Leave-one-out losses for one penalty after the other.

    Parameters
    ----------
    data : LocalRows or PartitionedRows
    cases : LocalCases or PartitionedCases
        The samples that are left out; they are where `data` is.
    tol, max_iter, solver
        As in `minimise`.
    rng : RandomState
        Draws the samples that are left out, if leaving out all takes too long.
    factors : (d,) array or None
        Factors of all penalties by feature.
    """

    def __init__(
        self,
        data: RowSource,
        cases: Cases,
        *,
        tol: float,
        max_iter: int,
        solver: str = "auto",
        rng: np.random.RandomState,
        factors: np.ndarray | None = None,
    ) -> None:
        if cases.counts(data)[-1] < 2:
            raise ValueError(
                "sample_weight and class_weight leave only one sample with some weight: "
                "leave-one-out needs two or more."
            )
        self.cases = cases
        self.tol, self.max_iter, self.solver = tol, max_iter, solver
        self.start: tuple[np.ndarray, np.ndarray] | None = None
        self.last: Fit | None = None  # the last fit, with the curvature that the next one uses
        self.share = np.inf  # increase of the mean loss in the last fit, as a fraction of the mean
        self.data = data
        self.changes: list[Coordinates] = []
        space = self._row_space(data, factors)
        if space is not None:
            self.data = space.data
            self.changes.append(space)
        self.moments = compute_moments(self.data)
        self.present = Present.of(self.data, self.moments)
        if self.present is not None:
            self.data = self.data.with_classes(self.present.mask)
            self.moments = compute_moments(self.data)
            self.changes.append(self.present)
        self.class_counts = cases.counts(self.data)[:-1]
        self.centre = self.moments.mean if data.fit_intercept else None
        free = max(self.data.n_outputs - 1, 1)
        width = free * (self.data.n_features + data.fit_intercept)
        if width > WIDEST:
            raise ValueError(
                f"leave-one-out needs the whole Hessian, here of {width} parameters, and {WIDEST} "
                "are the most: pass cv=5 for folds."
            )
        n, most = cases.n_samples, min(max(LEAST, int(WORK / (free * width**2))), MOST)
        cases.choose(np.sort(rng.choice(n, most, replace=False)) if n > most else None)
        self.n_left_out = min(n, most)
        self.objective = self._objective(self.data, self.moments, Penalty())

    def _row_space(
        self, data: RowSource, factors: np.ndarray | None
    ) -> AnyRowSpace[RowSource] | None:
        """Return the row space of the penalised columns, if it is smaller than the columns.

        It contains the fits without a row too. The space of independent rows serves fits with and
        without a penalty. Columns that are all constant have no such space.
        """
        scale = None if factors is None else Penalty(1.0, factors).column_scale
        width = data.n_features if scale is None else int(np.count_nonzero(scale))
        if not fits_row_space(data, width=width):
            return None
        space = data.row_space(compute_moments(data), independent=True, scale=scale)
        rank = width - (data.n_features - space.data.n_features)
        return space if rank else None

    def fit(self, penalty: Penalty) -> LeftOut:
        """Fit all samples, beginning at the last minimum; then leave out each sample of the cases.

        The factors of the penalty are those of this object.
        """
        if self.changes and isinstance(self.changes[0], ScaledRowSpace):
            n_others = int(np.count_nonzero(self.changes[0].scale == 0))
            penalty = penalty.of_scaled_columns(self.data.n_features - n_others, n_others)
        penalty = penalty if self.present is None else self.present.penalty(penalty)
        with closing(one_blas_thread()) as limit, limit, closing(self.objective):
            solution, fit = self._minimum(penalty)
            self.start, self.last = (solution.coef, solution.intercept), fit
            left_out = self._endless(solution) if fit is None else self._leave_out(solution, fit)
            coef, intercept = leave(self.changes, self.start)
            mask = None if self.present is None else self.present.mask
            solution = replace(solution, coef=coef, intercept=intercept, present=mask)
            return replace(left_out, solution=solution)

    def _minimum(self, penalty: Penalty) -> tuple[Solution, Fit | None]:
        """Return the fit of all samples; the second value is None if it has no finite minimum."""
        objective = self.objective.with_penalty(penalty)
        last = self.last
        if last is not None and self.solver == "auto":
            start = objective.moved_penalty(last.objective, last.point)
            found = continued(
                objective, self.moments, start, last.curvature, self.tol, self._is_near
            )
            if found is not None and found.solution.n_iterations <= self.max_iter:
                fit = Fit.with_curvature(
                    objective, found.point, found.curvature, found.solution.target
                )
                return found.solution, fit
        solution = self._minimise(self.data, penalty, self.start, self.tol, True)
        return solution, None if solution.unbounded else Fit.of(objective, solution)

    def _is_near(self, change: float) -> bool:
        """Whether curvature serves if logits have changed by this much since it was computed."""
        return change * self.share <= STALE and change <= LARGEST_STALE

    def _endless(self, solution: Solution) -> LeftOut:
        none = np.empty(0)
        n = self.cases.n_samples
        return LeftOut(solution, np.inf, n, none.astype(np.intp), none, none, none, 0)

    def _leave_out(self, solution: Solution, fit: Fit) -> LeftOut:
        parameters = Parameters(fit.theta, fit.half, self.class_counts, self.present)
        found = self.cases.delete(fit, parameters)
        n_refits = self._refit(fit, found)
        return LeftOut(
            solution=solution,
            fitted_mean=found.total / self.cases.total_importance,
            n_samples=self.cases.n_samples,
            rows=found.rows,
            importance=found.importance,
            fitted=found.fitted,
            losses=found.losses,
            n_refits=n_refits,
        )

    def _refit(self, fit: Fit, found: Deleted) -> int:
        """Replace the losses with the largest bounds by refits, in place; return their number."""
        losses, bound, importance = found.losses, found.bound, found.importance
        order = np.argsort(-bound, kind="stable")
        order = order[bound[order] > 0][:REFITS]
        rest, share, done = bound.sum(), 1.0, 0
        while done < len(order) and share * rest > ACCURACY * (importance @ losses):
            batch = order[done : done + BATCH]
            before = losses[batch]
            for i in batch:
                losses[i] = self._loss_without(
                    fit, found.rows[i], found.pushes[i], found.left[i], bool(found.alone[i])
                )
            wrong = importance[batch] * np.abs(losses[batch] - before)
            # A loss that stays at the largest possible one is no evidence about the other errors.
            if wrong.any():
                share = (wrong / bound[batch]).max()
            rest -= bound[batch].sum()
            done += len(batch)
        total = float(importance @ losses)
        self.share = float(importance @ (losses - found.fitted)) / total if total > 0 else np.inf
        return done

    def _loss_without(
        self, fit: Fit, row: int, push: np.ndarray, left: float, alone: bool
    ) -> float:
        """Return the loss of a sample in a fit in which its weight is zero.

        `left` is the fraction of the curvature that is left without the sample. If it is `alone` in
        a class, the others have no minimum with this class, and an ordinary fit leaves it out.

        L-BFGS stages begin at the end of the Newton step (or at the minimum of all samples, if it
        is better), with the Hessian of all samples as the model of the curvature. If logits change
        too much for this model to estimate the gap, an ordinary fit continues from there.
        """
        data = self.cases.without(self.data, row)
        x = self.cases.sample(fit, row)
        with closing(self._objective(data, compute_moments(data), fit.objective.penalty)) as others:
            points = others(fit.theta), others(fit.theta + fit.step(x, push))
            point = min(points, key=lambda point: point.value)
            near = False
            for _ in range(0 if alone else STAGES):
                here = PreconditionedPoint.of(fit.model, point)
                target = min(fit.target, target_gap(self.tol, point.value))
                stage = Stage(others, here, FINE * target, np.inf).run(STAGE)
                point = stage.best
                if stage.converged:
                    gap = stage.decrement / left if left > 0 else np.inf
                    near = is_minimum(others, point, fit.theta, gap, target)
                    break
        coef, intercept = others.leave(point.theta)
        if not near:
            other = self._minimise(data, others.penalty, (coef, intercept), FINE * self.tol, False)
            coef, intercept = other.coef, other.intercept
        return self.cases.loss_at(self.data, row, coef, intercept, self.present)

    def _objective(self, data: RowSource, moments: Moments, penalty: Penalty) -> Objective:
        return Objective(data, moments, penalty, self.centre)

    def _minimise(
        self,
        data: RowSource,
        penalty: Penalty,
        start: tuple[np.ndarray, np.ndarray] | None,
        tol: float,
        search: bool,
    ) -> Solution:
        return minimise(
            data,
            penalty=penalty,
            start=start,
            tol=tol,
            max_iter=self.max_iter,
            solver=self.solver,
            search=search,
        )
