r"""Leave-one-out: what each sample costs a fit that never saw it, from one fit of all.

One Newton step
---------------
At the minimum of F the gradient is zero, so that of F without sample i is that sample's own with
the sign changed, :math:`-X_i r_i`, with :math:`X_i = I \otimes \tilde x_i` and the residual
:math:`r_i = w_i (p_i - y_i)`. The Hessian H loses :math:`X_i W_i X_i^\top`, :math:`W_i = w_i
(\mathrm{diag}\,p_i - p_i p_i^\top)`. Newton's step to the minimum without the sample is
:math:`(H - X_i W_i X_i^\top)^{-1} X_i r_i`, and by Woodbury's identity

.. math:: (H - X_i W_i X_i^\top)^{-1} X_i r_i = H^{-1} X_i u_i, \qquad
          u_i = (I - W_i A_i)^{-1} r_i, \qquad A_i = X_i^\top H^{-1} X_i ,

which moves the sample's own logits by :math:`A_i u_i`. One factor of H does for all samples. Where
F is quadratic this is exact: it is Allen's PRESS, with the leverage :math:`W_i A_i`. All of it is
written for the K - 1 classes but the last, which stands still as in `preconditioners.full`, so that
neither H nor :math:`W_i` has flat directions. Two classes have one logit, and numbers for matrices.
With the T of `curvature`, :math:`H^{-1} = T T^\top`, :math:`A_i` is the product of :math:`B_i =
T^\top X_i` with itself: a sum in which nothing cancels.

Where one step is not enough
----------------------------
The step takes the curvature of the *other* samples for constant. Logits that move by q change a
curvature by a factor between exp(-q) and exp(q), and so the relative error of the step is of the
order of q. Where classes are nearly separable a few samples hold the boundary; without one of them
logits move by ten, and a step is wrong by as much. A loss may be wrong by the part min(1, q) of its
change, or by what it changes more where the step is exp(min(1, q)) times as long: a sample that is
sure before and after Newton's step need not be so after the right one. The samples with the largest
bounds are left out by a fit of their own, for as long as the others may be wrong by what matters to
the mean. How wrong they are is learnt from those just fitted.

References
----------
.. [1] D. Pregibon, "Logistic regression diagnostics", Annals of Statistics 9, 1981: the step for
   two classes. :doi:`10.1214/aos/1176345513`
.. [2] K. Rahnama Rad, A. Maleki, "A scalable estimate of the out-of-sample prediction error via
   approximate leave-one-out cross-validation", Journal of the Royal Statistical Society B 82,
   2020: its error with as many parameters as samples. :doi:`10.1111/rssb.12374`
.. [3] A. Beirami et al., "On optimal generalizability in parametric learning", NIPS 2017: its error
   by the third derivative. arXiv:1711.05323
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import lapack
from scipy.special import expit, softmax

from skxent.likelihood import kernels
from skxent.likelihood.coordinates.frame import Coordinates, leave
from skxent.likelihood.coordinates.weighted_classes import Present
from skxent.likelihood.objective import Objective
from skxent.likelihood.optimise import preconditioners, tuning
from skxent.likelihood.optimise.cost_model import fits_row_space
from skxent.likelihood.optimise.lbfgs import Stage
from skxent.likelihood.optimise.newton_cg import is_minimum
from skxent.likelihood.optimise.preconditioners import Cholesky, PreconditionedPoint
from skxent.likelihood.optimise.solver import minimise
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.solution import Solution, target_gap
from skxent.likelihood.sources.blocks import Blocks
from skxent.likelihood.sources.first_sums import Moments
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.local_sums import LocalSums
from skxent.likelihood.sources.moments import compute_moments
from skxent.likelihood.sources.thread_limits import one_blas_thread

WIDEST = 4000  # parameters of the largest Hessian that is formed
WORK = 1e8  # operations of all the steps from one fit, some ten milliseconds
LEAST = 2000  # samples that are left out, if there are as many, whatever they cost
ACCURACY = 3e-3  # relative error of the mean loss that is good enough
PESSIMISM = 0.5  # error of a step over its bound, before any is known; 0.1 to 0.45 for small q
REFITS = 64  # samples that are left out by fits of their own, at most
BATCH = 8  # of them at a time, from which to learn the error of the others
FINE = 1e-4  # of the gap of other fits; a logit is off by the square root of a gap
STAGES = 4  # for such a fit, before one of the usual kind takes over
STAGE = 40  # iterations of a stage
ALONE = 1e-12  # of the weight of a class; what is left where a sample had it all

# Losses (m,) of the samples with these indices from logits (m, K), or (m, 1) for two classes.
Cost = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class LeftOut:
    """What samples cost with and without themselves, in nats.

    Parameters
    ----------
    solution : Solution
        The fit of all samples.
    fitted : (n,) array
        The loss of each sample in that fit.
    rows : (m,) array
        Indices of the samples that were left out in turn.
    losses : (m,) array
        The loss of each of them in a fit without it; infinite if `solution` is unbounded.
    n_refits : int
        How many of them took a fit of their own.
    """

    solution: Solution
    fitted: np.ndarray
    rows: np.ndarray
    losses: np.ndarray
    n_refits: int


class LeaveOneOut:
    """Fits with one penalty after the other, and the samples left out of each in turn.

    Parameters
    ----------
    data : Data
    cost : function (rows, logits) -> losses
    importance : (n,) array
        Weights of the losses in their mean. Samples of no weight are not left out.
    tol, max_iter
        As in `minimise`.
    rng : RandomState
        Draws the samples that are left out, where they are too many for all.
    """

    def __init__(
        self,
        data: LocalRows,
        cost: Cost,
        importance: np.ndarray,
        *,
        tol: float,
        max_iter: int,
        rng: np.random.RandomState,
    ) -> None:
        if np.count_nonzero(importance if data.weight is None else data.weight) < 2:
            raise ValueError("only one sample has some weight, and leave-one-out needs another.")
        self.cost, self.importance = cost, importance
        self.cost_of_all = cost
        self.tol, self.max_iter = tol, max_iter
        self.start: tuple[np.ndarray, np.ndarray] | None = None
        self.data = data
        self.changes: list[Coordinates] = []
        if fits_row_space(data):  # in which fits without a row are too
            # Of independent rows, which is as good for any penalty as for none.
            space = data.row_space(compute_moments(data), independent=True)
            self.data = space.data
            self.changes.append(space)
        self.moments = compute_moments(self.data)
        self.present = Present.of(self.data, self.moments)
        if self.present is not None:
            self.data, self.cost = self.data.with_classes(self.present.mask), self._cost_of_present
            self.moments = compute_moments(self.data)
            self.changes.append(self.present)
        self.centre = self.moments.mean if data.fit_intercept else None
        self.free = max(self.data.n_outputs - 1, 1)
        width = self.free * (self.data.X.shape[1] + data.fit_intercept)
        if width > WIDEST:
            raise ValueError(
                f"leave-one-out takes the whole Hessian, here of {width} parameters, and {WIDEST} "
                "are the most: pass cv=5 for folds."
            )
        self.rows = np.flatnonzero(importance)
        most = max(LEAST, int(WORK / (self.free * width**2)))
        if len(self.rows) > most:
            self.rows = np.sort(rng.choice(self.rows, most, replace=False))
        self.alone = self._only_samples(self.moments.class_weight)

    def _only_samples(self, class_weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Places in `rows` of samples that are all there is of a class, and that class."""
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
        """Fit all samples, from where the last fit ended, and without each of `rows`."""
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
        fitted = self.cost(np.arange(len(Z)), Z)
        Z = Z[self.rows]
        losses = self._moved_losses(Z, moves)
        q = np.minimum(_range(moves), 1.0)
        farther = np.abs(self._moved_losses(Z, moves * np.exp(q)[:, None]) - losses)
        bound = np.maximum(farther, q * np.abs(losses - fitted[self.rows]))
        bound *= self.importance[self.rows]
        bound[self.alone[0]] = 0.0
        n_refits = self._refit(fit, pushes, losses, bound)
        return LeftOut(solution, fitted, self.rows, losses, n_refits)

    def _moved_losses(self, Z: np.ndarray, moves: np.ndarray) -> np.ndarray:
        """Losses of `rows` after their logits have moved."""
        Z = Z.copy()
        Z[:, : self.free] += moves
        self._forget_class(Z)
        return self.cost(self.rows, Z)

    def _forget_class(self, Z: np.ndarray) -> None:
        """Without its only sample a class has no probability at all."""
        places, classes = self.alone
        if Z.shape[1] == 1:
            Z[places, 0] = np.where(classes == 1, -np.inf, np.inf)
        else:
            Z[places, classes] = -np.inf

    def _refit(self, fit: Fit, pushes: np.ndarray, losses: np.ndarray, bound: np.ndarray) -> int:
        """Put right the losses that may be wrong by most, in place; return how many."""
        order = np.argsort(-bound, kind="stable")
        # Without its only sample a class has no fit that could tell more.
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
            # A loss as large as a loss may be, before and after, teaches nothing.
            known = bound[batch][wrong > 0].sum()
            if known > 0:
                share = wrong.sum() / known
            rest -= bound[batch].sum()
            done += len(batch)
        return done

    def _loss_without(self, fit: Fit, row: int, push: np.ndarray) -> float:
        """Loss of a sample in a fit in which its weight is zero.

        The Hessian of all is a good model of the curvature for stages that begin where one Newton
        step ends. Where logits move too far for it to tell the gap, and the Hessian without the
        sample does not tell either, a fit of the usual kind goes on from there.
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
        return float(self.cost(np.array([row]), logits)[0])

    def _cost_of_present(self, rows: np.ndarray, logits: np.ndarray) -> np.ndarray:
        """Losses from logits of the classes that have weight."""
        assert self.present is not None
        return self.cost_of_all(rows, self.present.logits(logits))

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
            data, penalty=penalty, start=start, tol=tol, max_iter=self.max_iter, search=search
        )


@dataclass(frozen=True)
class Fit:
    """A fit of all samples, with the factor of its Hessian and the gap that was asked for."""

    objective: Objective
    theta: np.ndarray
    model: Cholesky
    target: float

    @classmethod
    def of(cls, objective: Objective, solution: Solution) -> Fit:
        """Look at a solution closely."""
        theta = objective.enter(solution.coef, solution.intercept)
        with closing(objective):
            model = preconditioners.full(objective, theta)
        return cls(objective, theta, model, solution.target)

    @property
    def rows(self) -> LocalSums:
        """Sums over the samples."""
        rows = self.objective.rows.in_memory()
        assert rows is not None
        return rows

    def step(self, row: int, push: np.ndarray) -> np.ndarray:
        """Newton's step without a sample, from its u."""
        rows = self.rows
        (x,) = rows.samples(slice(row, row + 1), rows.blocks.buffer())
        force = np.zeros_like(self.theta)
        force[: len(push)] = np.outer(push, x)
        return self.model.from_whitened(self.model.to_whitened(force))


def one_step(fit: Fit, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits of all samples, (n, R), and A u and u of some of them, (m, free)."""
    held, theta = fit.rows, fit.theta
    (R, p), free = theta.shape, max(len(theta) - 1, 1)
    half = lapack.dtrtri(fit.model.factors[0], lower=1)[0] * fit.model.scales[0]
    known = held.blocks
    # A sample brings its B along, free^2 p numbers, so that blocks are smaller.
    blocks = Blocks(
        known.X,
        offset=known.offset,
        n_outputs=free * free * p,
        n_threads=held.data.n_threads,
    )
    Z = np.empty((known.n_rows, R))
    moves, pushes = np.empty((2, len(rows), free))

    def work(segment: list[slice]) -> None:
        buffer = blocks.buffer()
        for block in blocks.runs(segment):
            x = held.samples(block, buffer)
            Z[block] = x @ theta.T
            P, others = _probabilities(Z[block])
            Y = held.data.target_block(block)
            r = kernels.losses_and_residuals(Z[block].T, Y[1:] if R == 1 else Y)[1]
            r = held.weigh(r, block)[:free].T
            w = held.weigh(np.ones(len(x)), block)
            out = slice(*np.searchsorted(rows, (block.start, block.stop)))
            own = rows[out] - block.start
            P, others = P[own, :free], others[own, :free]
            moves[out], pushes[out] = _moves(half, x[own], P, others, r[own], w[own])

    with closing(blocks):
        blocks.map(work)
    return Z, moves, pushes


def _probabilities(Z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of the classes, and one less them without cancellation, from logits (m, R)."""
    if Z.shape[1] == 1:
        return expit(Z), expit(-Z)
    P = softmax(Z, axis=1)
    others = 1.0 - P
    at = np.arange(len(P)), P.argmax(axis=1)
    rest = P.copy()
    rest[at] = 0.0
    others[at] = rest.sum(axis=1)
    return P, others


def _moves(
    half: np.ndarray,
    x: np.ndarray,
    P: np.ndarray,
    others: np.ndarray,
    r: np.ndarray,
    w: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """A u and u = (I - W A)^-1 r of some samples, both (m, free); `half` is T'."""
    (m, p), free = x.shape, P.shape[1]
    B = np.zeros((m, free, free * p))
    for k in range(free):  # T' is a lower triangle
        np.matmul(x, half[k * p :, k * p : (k + 1) * p].T, out=B[:, k, k * p :])
    A = B @ B.swapaxes(1, 2)
    W = -w[:, None, None] * P[:, :, None] * P[:, None, :]
    W[:, range(free), range(free)] = w[:, None] * P * others
    # A sample that alone decides something has a leverage of one, but for the jitter.
    lever = (1.0 + tuning.JITTER) * np.eye(free) - W @ A
    u = np.linalg.solve(lever, r[:, :, None])
    return (A @ u)[:, :, 0], u[:, :, 0]


def _range(moves: np.ndarray) -> np.ndarray:
    """Largest move of a logit relative to the others, of which the last stands still."""
    return np.maximum(moves.max(axis=1), 0.0) - np.minimum(moves.min(axis=1), 0.0)
