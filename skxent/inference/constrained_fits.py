r"""Fits under linear constraints, by Newton steps within a subspace of the parameters.

The parameters are the q free ones of centred samples, see `information_matrix`. A step stays within
the columns of a matrix N, so that linear functions of the parameters keep the values they have at
the start. It is the Newton step of the objective in N, :math:`-N (N^\top H N)^{-1} N^\top g`. The
objective is strictly convex, and a finite minimum without constraints implies a finite minimum with
them. A line search makes the steps safe far from the minimum.

If classes are separated, the objective has an infimum and perhaps no minimum. Each step then makes
the rest of the descent about e times smaller, so that steps end within about `LAST` nats of the
infimum.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.linalg import lapack

from skxent.inference.likelihood_estimate import LikelihoodEstimate
from skxent.likelihood.objective import Objective, Point
from skxent.likelihood.optimise import preconditioners
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.moments import compute_moments
from skxent.likelihood.sources.thread_limits import one_blas_thread

STEPS = 200  # largest number of Newton steps; far from the minimum some are shortened
# Newton decrement in nats, or as a fraction of an objective below one nat, after whose step a fit
# ends. Steps converge quadratically: the next decrement is about the square of this one.
LAST = 1e-9
SMALL = 1e-3  # smallest objective, in nats, that `LAST` is a fraction of; statistics are in nats
SUFFICIENT = 1e-4  # least decrease of the objective, as a fraction of that along the tangent
# Largest change of a difference of two logits, in nats, at the start of a line search. Where all
# probabilities are 0 or 1, the Hessian is nearly zero and Newton steps are far too long.
LONGEST = 20.0
SHORTEST = 1e-10  # length at which a line search gives up, in Newton steps
JITTER = 1e-14  # smallest number that is added to the unit diagonal of a singular Hessian


class Subspace(Protocol):
    """The directions in which the parameters of a fit may change."""

    def newton_step(self, H: np.ndarray, g: np.ndarray) -> np.ndarray:
        """Return the Newton step within the subspace, (q,), for a Hessian and a gradient."""
        ...


@dataclass(frozen=True, eq=False)
class Coordinates:
    """The subspace of some of the parameters; the others do not change."""

    kept: np.ndarray

    def newton_step(self, H: np.ndarray, g: np.ndarray) -> np.ndarray:
        """Return the Newton step for the kept parameters, and zeros for the others."""
        step = np.zeros_like(g)
        step[self.kept] = -solved(H[np.ix_(self.kept, self.kept)], g[self.kept])
        return step


@dataclass(frozen=True, eq=False)
class Span:
    """The subspace that the columns of a matrix (q, m) span."""

    matrix: np.ndarray

    def newton_step(self, H: np.ndarray, g: np.ndarray) -> np.ndarray:
        """Return the Newton step within the span."""
        N = self.matrix
        step: np.ndarray = -N @ solved(N.T @ H @ N, N.T @ g)
        return step


@contextmanager
def objective_of(at: LikelihoodEstimate) -> Iterator[Objective]:
    """Make the objective, without a penalty, of the data of an estimate."""
    with closing(one_blas_thread()) as limit, limit:
        centre = at.mean if at.data.fit_intercept else None
        objective = Objective(at.data, compute_moments(at.data), Penalty(), centre)
        try:
            yield objective
        finally:
            objective.close()


def point_at(objective: Objective, parameters: np.ndarray) -> Point:
    """Return the objective at free parameters (q,), with zeros for the class that is fixed."""
    return objective(_whole(objective, parameters))


def _whole(objective: Objective, parameters: np.ndarray) -> np.ndarray:
    """Return free parameters as (R, p), with zeros for the class that is fixed."""
    R, p = objective.shape
    theta = np.zeros((R, p))
    theta[: max(R - 1, 1)] = parameters.reshape(-1, p)
    return theta


def free(values: np.ndarray) -> np.ndarray:
    """Return the free ones, (q,), of parameters or of their derivatives, (R, p)."""
    return values[: max(len(values) - 1, 1)].ravel()


def constrained_minimum(
    objective: Objective,
    point: Point,
    subspace: Subspace,
    *,
    last: float | None = None,
    enough: float = -np.inf,
) -> Point:
    """Return the minimum among the points that differ from `point` by a vector of the subspace.

    Parameters
    ----------
    objective : Objective
    point : Point
    subspace : Subspace
    last : float or None
        Newton decrement in nats after whose step the fit ends; None stands for `LAST`.
    enough : float
        The fit ends at the first point whose value is at most this.

    Raises
    ------
    ArithmeticError
        If Newton steps do not reach the minimum.
    """
    for _ in range(STEPS):
        if point.value <= max(enough, LAST):  # no objective is below zero
            return point
        H = preconditioners.hessian(objective, point.theta)
        # Far from the minimum all probabilities of a class may be 0 or 1, so that both its gradient
        # and its curvature are rounding error, and their ratio could be any number.
        H.flat[:: len(H) + 1] += objective.full_least_curvature
        step = subspace.newton_step(H, free(point.gradient))
        decrement = -0.5 * float(free(point.gradient) @ step)
        if decrement <= point.rounding * np.finfo(float).eps:
            return point
        new = _lower(objective, point, step, decrement)
        nat = min(1.0, max(point.value, SMALL))
        if new is None or decrement <= (LAST * nat if last is None else last):
            return point if new is None else new
        point = new
    raise ArithmeticError("Newton steps do not reach the optimum of a model with constraints.")


def _lower(objective: Objective, point: Point, step: np.ndarray, decrement: float) -> Point | None:
    """Return a lower point along a step; None if the decrease is lost to rounding.

    Raises
    ------
    ArithmeticError
        If no length of the step lowers the objective although the decrease is not mere rounding.
    """
    start, length = free(point.theta), 1.0
    if decrement > 1.0:
        length = min(1.0, LONGEST / objective.max_logit_range(_whole(objective, step)))
    while length > SHORTEST:
        new = point_at(objective, start + length * step)
        rounding = point.rounding + new.rounding
        if new.value <= point.value - 2.0 * SUFFICIENT * length * decrement + rounding:
            return new
        if decrement <= rounding:
            return None
        length *= 0.5
    raise ArithmeticError("A Newton step of a model with constraints does not lower the objective.")


def solved(A: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return A^-1 b for a positive definite A, scaled to unit diagonal before it is factored."""
    if not len(A):
        return np.zeros_like(b)
    diagonal = np.diagonal(A)
    scale = 1.0 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    A = A * scale * scale[:, None]
    jitter = 0.0
    L, info = lapack.dpotrf(A, lower=1)
    while info:
        jitter = max(10.0 * jitter, JITTER)
        L, info = lapack.dpotrf(A + jitter * np.eye(len(A)), lower=1)
    x, _ = lapack.dpotrs(L, (b.T * scale).T, lower=1)
    solution: np.ndarray = (x.T * scale).T
    return solution
