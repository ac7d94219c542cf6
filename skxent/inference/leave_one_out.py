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
times the ratio of error to bound in the last refits.

References
----------
.. [1] K. Rahnama Rad, A. Maleki, "A scalable estimate of the out-of-sample prediction error via
   approximate leave-one-out cross-validation", Journal of the Royal Statistical Society B 82,
   2020: its error with as many parameters as samples. :doi:`10.1111/rssb.12374`
.. [2] A. Beirami et al., "On optimal generalizability in parametric learning", NIPS 2017: its error
   by the third derivative. arXiv:1711.05323
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np

from skxent.inference.case_deletion import Fit, largest_change, one_step
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
from skxent.likelihood.sources.first_sums import Moments
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import compute_moments
from skxent.likelihood.sources.row_space import AnyRowSpace, ScaledRowSpace
from skxent.likelihood.sources.thread_limits import one_blas_thread

WIDEST = 4000  # largest number of parameters whose Hessian is formed
WORK = 1e8  # largest number of operations for the Newton steps of one fit, about ten milliseconds
LEAST = 2000  # up to this number of samples all are left out, also if they exceed WORK
ACCURACY = 3e-3  # tolerated relative error of the mean loss
# Ratio of error to bound that is assumed before the first refit. Measured ratios are between 0.1
# and 0.45 if q is small.
PESSIMISM = 0.5
REFITS = 64  # largest number of samples that are left out by fits of their own
BATCH = 8  # refits after which the ratio of error to bound is estimated anew
# Target gap of refits as a fraction of that of the fit. The error of a logit is of the order of the
# square root of the gap.
FINE = 1e-4
STAGES = 4  # L-BFGS stages of a refit with the Hessian of all samples, before an ordinary fit
STAGE = 40  # largest number of iterations of a stage
# A sample is the only one of its class if the others have at most this fraction of the weight of
# the class, which may be rounding.
ALONE = 1e-12

# Function that returns the losses of m samples, (m,), from their indices and their logits, (m, K)
# or (m, 1).
LossFunction = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class LeftOut:
    """Losses of samples in fits with and without them, in nats.

    Parameters
    ----------
    solution : Solution
        The fit of all samples.
    fitted : (n,) array
        The loss of each sample in the fit of all samples.
    rows : (m,) array
        Indices of the samples that were left out in turn.
    losses : (m,) array
        The loss of each of these samples in a fit without it; infinite if `solution` is unbounded.
    n_refits : int
        Number of samples that were left out by fits of their own.
    """

    solution: Solution
    fitted: np.ndarray
    rows: np.ndarray
    losses: np.ndarray
    n_refits: int


class LeaveOneOut:
    """Leave-one-out losses for one penalty after the other.

    Parameters
    ----------
    data : LocalRows
    loss : function (rows, logits) -> losses
    importance : (n,) array
        Weights of the losses in their mean. Samples without weight are not left out.
    tol, max_iter, solver
        As in `minimise`.
    rng : RandomState
        Draws the samples that are left out, if leaving out all takes too long.
    factors : (d,) array or None
        Factors of all penalties by feature.
    """

    def __init__(
        self,
        data: LocalRows,
        loss: LossFunction,
        importance: np.ndarray,
        *,
        tol: float,
        max_iter: int,
        solver: str = "auto",
        rng: np.random.RandomState,
        factors: np.ndarray | None = None,
    ) -> None:
        if np.count_nonzero(importance if data.weight is None else data.weight) < 2:
            raise ValueError("only one sample has some weight: leave-one-out needs two or more.")
        self.loss, self.importance = loss, importance
        self.loss_of_all = loss
        self.tol, self.max_iter, self.solver = tol, max_iter, solver
        self.start: tuple[np.ndarray, np.ndarray] | None = None
        self.data = data
        self.changes: list[Coordinates] = []
        space = self._row_space(data, factors)
        if space is not None:
            self.data = space.data
            self.changes.append(space)
        self.moments = compute_moments(self.data)
        self.present = Present.of(self.data, self.moments)
        if self.present is not None:
            self.data, self.loss = self.data.with_classes(self.present.mask), self._loss_of_present
            self.moments = compute_moments(self.data)
            self.changes.append(self.present)
        self.centre = self.moments.mean if data.fit_intercept else None
        self.free = max(self.data.n_outputs - 1, 1)
        width = self.free * (self.data.X.shape[1] + data.fit_intercept)
        if width > WIDEST:
            raise ValueError(
                f"leave-one-out needs the whole Hessian, here of {width} parameters, and {WIDEST} "
                "are the most: pass cv=5 for folds."
            )
        self.rows = np.flatnonzero(importance)
        most = max(LEAST, int(WORK / (self.free * width**2)))
        if len(self.rows) > most:
            self.rows = np.sort(rng.choice(self.rows, most, replace=False))
        self.alone = self._only_samples(self.moments.class_weight)

    def _row_space(
        self, data: LocalRows, factors: np.ndarray | None
    ) -> AnyRowSpace[LocalRows] | None:
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

    def _only_samples(self, class_weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the positions in `rows` of samples that are alone in a class, and this class."""
        weight = 1.0 if self.data.weight is None else self.data.weight[self.rows]
        targets, nearly_all = self.data.targets[self.rows], (1.0 - ALONE) * class_weight
        if targets.ndim == 1:
            own = weight * np.ones(len(targets))
            places = np.flatnonzero((own >= nearly_all[targets]) & (own > 0))
            return places, targets[places]
        own = (weight * targets.T).T
        places, classes = np.nonzero((own >= nearly_all) & (own > 0))
        return places, classes

    def fit(self, penalty: Penalty) -> LeftOut:
        """Fit all samples, beginning at the last minimum; then leave out each sample of `rows`.

        The factors of the penalty are those of this object.
        """
        if self.changes and isinstance(self.changes[0], ScaledRowSpace):
            n_others = int(np.count_nonzero(self.changes[0].scale == 0))
            penalty = penalty.of_scaled_columns(self.data.n_features - n_others, n_others)
        penalty = penalty if self.present is None else self.present.penalty(penalty)
        with closing(one_blas_thread()) as limit, limit:
            solution = self._minimise(self.data, penalty, self.start, self.tol, True)
            self.start = solution.coef, solution.intercept
            if solution.unbounded:
                endless = np.full(self.data.X.shape[0], np.inf)
                left_out = LeftOut(solution, endless, self.rows, endless[self.rows], 0)
            else:
                left_out = self._leave_out(solution, penalty)
            coef, intercept = leave(self.changes, (solution.coef, solution.intercept))
            mask = None if self.present is None else self.present.mask
            solution = replace(solution, coef=coef, intercept=intercept, present=mask)
            return replace(left_out, solution=solution)

    def _leave_out(self, solution: Solution, penalty: Penalty) -> LeftOut:
        fit = Fit.of(self._objective(self.data, self.moments, penalty), solution)
        Z, moves, pushes = one_step(fit, self.rows)
        fitted = self.loss(np.arange(len(Z)), Z)
        Z = Z[self.rows]
        losses = self._moved_losses(Z, moves)
        q = np.minimum(largest_change(moves), 1.0)
        farther = np.abs(self._moved_losses(Z, moves * np.exp(q)[:, None]) - losses)
        bound = np.maximum(farther, q * np.abs(losses - fitted[self.rows]))
        bound *= self.importance[self.rows]
        bound[self.alone[0]] = 0.0
        n_refits = self._refit(fit, pushes, losses, bound)
        return LeftOut(solution, fitted, self.rows, losses, n_refits)

    def _moved_losses(self, Z: np.ndarray, moves: np.ndarray) -> np.ndarray:
        """Return the losses of `rows` after a change of their logits."""
        Z = Z.copy()
        Z[:, : self.free] += moves
        self._forget_class(Z)
        return self.loss(self.rows, Z)

    def _forget_class(self, Z: np.ndarray) -> None:
        """Set the logit of a class without its only sample to minus infinity."""
        places, classes = self.alone
        if Z.shape[1] == 1:
            Z[places, 0] = np.where(classes == 1, -np.inf, np.inf)
        else:
            Z[places, classes] = -np.inf

    def _refit(self, fit: Fit, pushes: np.ndarray, losses: np.ndarray, bound: np.ndarray) -> int:
        """Replace the losses with the largest bounds by refits, in place; return their number."""
        order = np.argsort(-bound, kind="stable")
        # Without its only sample a class is not part of the fit: the loss is known without a refit.
        order = order[~np.isin(order, self.alone[0])][:REFITS]
        order = order[bound[order] > 0]
        importance = self.importance[self.rows]
        rest, share, done = bound.sum(), PESSIMISM, 0
        while done < len(order) and share * rest > ACCURACY * (importance @ losses):
            batch = order[done : done + BATCH]
            before = losses[batch]
            for i in batch:
                losses[i] = self._loss_without(fit, self.rows[i], pushes[i])
            wrong = importance[batch] * np.abs(losses[batch] - before)
            # A loss that stays at the largest possible one is no evidence about the other errors.
            known = bound[batch][wrong > 0].sum()
            if known > 0:
                share = wrong.sum() / known
            rest -= bound[batch].sum()
            done += len(batch)
        return done

    def _loss_without(self, fit: Fit, row: int, push: np.ndarray) -> float:
        """Return the loss of a sample in a fit in which its weight is zero.

        L-BFGS stages begin at the end of the Newton step (or at the minimum of all samples, if it
        is better), with the Hessian of all samples as the model of the curvature. If logits change
        too much for this model to estimate the gap, an ordinary fit continues from there.
        """
        n = self.data.X.shape[0]
        weight = np.ones(n) if self.data.weight is None else self.data.weight.copy()
        weight[row] = 0.0
        data = replace(self.data, weight=weight)
        with closing(self._objective(data, compute_moments(data), fit.objective.penalty)) as others:
            points = others(fit.theta), others(fit.theta + fit.step(row, push))
            point = min(points, key=lambda point: point.value)
            for _ in range(STAGES):
                here = PreconditionedPoint.of(fit.model, point)
                target = min(fit.target, target_gap(self.tol, point.value))
                stage = Stage(others, here, FINE * target, np.inf).run(STAGE)
                point = stage.best
                if stage.converged:
                    break
            near = stage.converged and is_minimum(others, point, fit.theta, stage.decrement, target)
        coef, intercept = others.leave(point.theta)
        if not near:
            other = self._minimise(data, others.penalty, (coef, intercept), FINE * self.tol, False)
            coef, intercept = other.coef, other.intercept
        logits = self.data.X[[row]] @ coef.T + intercept
        self.data.add_offset(logits.T, slice(row, row + 1))
        return float(self.loss(np.array([row]), logits)[0])

    def _loss_of_present(self, rows: np.ndarray, logits: np.ndarray) -> np.ndarray:
        """Return losses from the logits of the classes that have weight."""
        assert self.present is not None
        return self.loss_of_all(rows, self.present.logits(logits))

    def _objective(self, data: LocalRows, moments: Moments, penalty: Penalty) -> Objective:
        return Objective(data, moments, penalty, self.centre)

    def _minimise(
        self,
        data: LocalRows,
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
