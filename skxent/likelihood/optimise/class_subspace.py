r"""Steps in a small space of directions, with a length of its own for each class.

Where classes are nearly separated, a loss falls exponentially with the margin of its sample. A
quadratic model then says little about the length of a step, and a stage of L-BFGS spends its passes
on line searches. A product with the Hessian along a direction D reads the rows, and on the way
computes the changes of all logits along D, :math:`q_i = D \tilde x_i`. If these changes are kept,
the objective is known, without another read of the rows, at every point

.. math:: \Theta + \sum_j \mathrm{diag}(t_j)\, D_j ,

because the logit of class k is :math:`z_{ik} + \sum_j t_{jk} q_{ijk}`. Each direction therefore
gives a length :math:`t_{jk}` for each class, and m directions span a space of m K dimensions. In
this space the objective is that of a softmax regression whose features :math:`q_{ijk}` belong to
one class each, and Newton steps minimise it. A step of conjugate gradients has the same length for
all classes. With a length for each class, fewer products lower the objective as much: the class
blocks of the preconditioner overestimate the curvature of directions in which two classes move
together.

One step (`ClassSubspace.step`) takes

1. at most `PRODUCTS` products of conjugate gradients on the Newton system, whose
   directions are kept;
2. the minimum over these directions and the last `EARLIER` steps, which reads no rows;
3. the value and gradient there.

Derivatives with respect to :math:`t_{jk}`, with probabilities p, targets y and weights w, are

.. math:: g_{jk} = \sum_i w_i (p_{ik} - y_{ik}) q_{ijk}, \qquad
          h_{jk,j'k'} = \sum_i w_i (\delta_{kk'} p_{ik} - p_{ik} p_{ik'}) q_{ijk} q_{ij'k'} ,

plus those of the penalty. Samples whose curvature is next to nothing are left out of h only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from scipy.linalg import blas, lapack

from skxent.likelihood import kernels, tuning
from skxent.likelihood.objective import Objective, Point
from skxent.likelihood.optimise.preconditioners import PreconditionedPoint
from skxent.likelihood.sources.kept_logits import same
from skxent.likelihood.sources.local_sums import LocalSums

# Largest number of Hessian products of a step, each of which gives a direction. More products would
# solve the Newton system more accurately, but its quadratic model is too rough for that to help.
PRODUCTS = 6
# Number of earlier steps that give a direction each. With fewer, a step undoes part of the steps
# before it. With more, the Newton steps in the space take longer than the time that they save.
EARLIER = 4
# Largest number of classes. The operations of a Newton step in the space grow with the square of
# the number of lengths, and each class has ten lengths.
MOST_CLASSES = 40
# Largest number of Newton steps in the space, and the smallest part of a Newton step that is tried.
NEWTON_STEPS = 15
SHORTEST = 1e-6
# Slope along a Newton step in the space, as a fraction of the fall so far, at which the steps end.
# The rest of the fall is left to the next step, which has other directions.
SMALL_SLOPE = 0.05
# Curvature of a sample, as a fraction of the mean curvature, below which a Newton step in the space
# leaves the sample out. The value and the gradient count every sample.
UNSEEN_CURVATURE = 1e-3
# Number added to the diagonal of the space's Hessian, after its diagonal is scaled to one, because
# directions may be dependent.
DEPENDENT = 1e-9


@dataclass(frozen=True)
class Direction:
    """A direction of the parameters, and the changes of the logits along it.

    Parameters
    ----------
    step : (K, p) array
    changes : (K, n) array
    """

    step: np.ndarray
    changes: np.ndarray


class ClassSubspace:
    """Steps in the space of some directions, and the earlier steps that later ones use.

    Parameters
    ----------
    objective : Objective
    rows : LocalSums
        The sums over rows of `objective`.

    Attributes
    ----------
    hint : float
        The gap is measured if its estimate by a step is at most this multiple of the target gap.
        The estimate leaves out a part of the gap, and a measurement takes many more products.
    """

    hint: ClassVar[float] = 0.25

    def __init__(self, objective: Objective, rows: LocalSums) -> None:
        self.objective = objective
        self.rows = rows
        self.targets = rows.data.target_block(slice(0, rows.data.n_rows))
        self.earlier: list[Direction] = []
        self.theta: np.ndarray | None = None  # where `logits` holds the logits
        self.logits = np.empty(0)

    @classmethod
    def of(cls, objective: Objective) -> Self | None:
        """Return the steps for an objective, or None.

        None means that there are two classes or too many, that the rows are not in this process, or
        that the changes of their logits along a few directions would take too much memory.
        """
        rows = objective.rows.in_memory()
        n_classes = objective.shape[0]
        few = objective.data.n_rows * n_classes <= tuning.KEPT_PROBABILITIES
        if rows is None or not few or not 1 < n_classes <= MOST_CLASSES:
            return None
        return cls(objective, rows)

    def step(self, here: PreconditionedPoint) -> tuple[Point | None, float]:
        """Return the point after one step, or None if it is not better, and the gap before it.

        The gap, in nats, is estimated from the products of the step.
        """
        theta = here.point.theta
        if self.theta is None or not same(self.theta, theta):
            self.objective.n_passes += 1
            self.logits = self.rows.logits(theta)
        directions, gap = self._conjugate_directions(here)
        with np.errstate(over="ignore", invalid="ignore"):  # a length may then be NaN, and fail
            lengths = LogitSpace(self, theta, directions + self.earlier).minimise()
        there = Direction(np.zeros_like(theta), np.zeros_like(self.logits))
        for t, each in zip(lengths.T, directions + self.earlier, strict=True):
            there.step[...] += t[:, None] * each.step
            there.changes[...] += t[:, None] * each.changes
        trial = self.objective(theta + there.step)
        self.logits, self.theta = self.logits + there.changes, trial.theta
        self.earlier = [there, *self.earlier][:EARLIER]
        return (trial if trial.at_most < here.point.at_most else None), gap

    def _conjugate_directions(self, here: PreconditionedPoint) -> tuple[list[Direction], float]:
        """Return the directions of conjugate gradients on the Newton system, and the gap.

        See `newton_cg.conjugate_gradients`. The part of the gap that belongs to the last residual
        is estimated with the preconditioner.
        """
        model, theta, d = here.preconditioner, here.point.theta, -here.gradient
        r = d
        directions: list[Direction] = []
        rr = first = float(d @ d)
        gap = 0.0
        while len(directions) < PRODUCTS:
            step = model.from_whitened(d)
            changes = np.empty_like(self.logits)
            Hd = model.to_whitened(self.objective.hessian_product(theta, step, changes))
            directions.append(Direction(step, changes))
            curved = float(d @ Hd)
            if not curved > 0:
                break
            gap += 0.5 * rr**2 / curved
            r = r - rr / curved * Hd
            rr, before = float(r @ r), rr
            if not rr > tuning.LOOSE_RESIDUAL**2 * first:
                break
            d = r + rr / before * d
        return directions, gap + 0.5 * rr


class LogitSpace:
    """The objective as a function of one length for each class and direction.

    Lengths are flat, those of the first class first, (K m,).

    Parameters
    ----------
    subspace : ClassSubspace
    theta : (K, p) array
        The parameters for lengths of zero.
    directions : list of Direction, m of them
    """

    def __init__(
        self, subspace: ClassSubspace, theta: np.ndarray, directions: list[Direction]
    ) -> None:
        penalty, d = subspace.objective.penalty, subspace.objective.n_features
        self.logits, self.targets = subspace.logits, subspace.targets
        rows = subspace.rows.data
        self.weight = np.ones(rows.n_rows) if rows.weight is None else rows.weight
        self.changes = np.stack([each.changes for each in directions], axis=1)  # (K, m, n)
        steps = np.stack([each.step[:, :d] for each in directions], axis=1)  # (K, m, d)
        self.curved = penalty.between_classes(steps)
        self.sloped = np.einsum("kmd,kd->km", steps, penalty(theta[:, :d])[1]).ravel()

    def minimise(self) -> np.ndarray:
        """Return the lengths, (K, m), after a few Newton steps from zero."""
        K, m, _ = self.changes.shape
        lengths = np.zeros(K * m)
        value, residuals = self.value(lengths)
        start = value
        for _ in range(NEWTON_STEPS):
            gradient, H = self.derivatives(lengths, residuals)
            step = _newton_step(gradient, H)
            slope = float(gradient @ step)
            if not slope < -SMALL_SLOPE * (start - value):
                break
            length = 1.0
            trial = self.value(lengths + step)
            while not trial[0] < value + 0.1 * length * slope:
                length *= 0.5
                if length < SHORTEST:
                    return lengths.reshape(K, m)
                trial = self.value(lengths + length * step)
            lengths, (value, residuals) = lengths + length * step, trial
        return lengths.reshape(K, m)

    def value(self, lengths: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the objective, less the penalty at zero, and the residuals p - y, (K, n)."""
        K, m, _ = self.changes.shape
        Z = self.logits + (lengths.reshape(K, 1, m) @ self.changes)[:, 0]
        losses, residuals = kernels.losses_and_residuals(Z, self.targets)
        penalty = lengths @ (self.sloped + 0.5 * self.curved @ lengths)
        return float(losses @ self.weight + penalty), residuals

    def derivatives(
        self, lengths: np.ndarray, residuals: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the gradient, and the lower triangle of the Hessian without unseen samples."""
        K, m, _ = self.changes.shape
        slopes = self.changes @ (residuals * self.weight)[:, :, None]
        gradient = slopes.ravel() + self.sloped + self.curved @ lengths
        P = residuals + self.targets
        curvature = (P * (1.0 - P)).sum(axis=0) * self.weight
        seen = np.flatnonzero(curvature > UNSEEN_CURVATURE * curvature.mean())
        Q, P, w = self.changes[:, :, seen], P[:, None, seen], self.weight[seen]
        moved = Q * (P * np.sqrt(w))
        H = blas.dsyrk(-1.0, moved.reshape(K * m, -1).T, trans=1, lower=1) + self.curved
        same_class = (Q * np.sqrt(w)) @ moved.transpose(0, 2, 1)
        for k in range(K):
            rows = slice(k * m, k * m + m)
            H[rows, rows] += same_class[k]
        return gradient, H


def _newton_step(gradient: np.ndarray, H: np.ndarray) -> np.ndarray:
    """Return the Newton step for the lower triangle H; zero if H is not finite.

    Directions may depend on each other. A number added to the diagonal then keeps lengths small.
    """
    scale = 1.0 / np.sqrt(np.maximum(H.diagonal(), np.finfo(float).tiny))
    H = H * scale * scale[:, None]
    H.flat[:: len(H) + 1] = 1.0 + DEPENDENT
    _, step, failed = lapack.dposv(H, scale * gradient, lower=1)
    return np.zeros_like(gradient) if failed else -scale * step
