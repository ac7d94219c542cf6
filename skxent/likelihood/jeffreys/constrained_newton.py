r"""Newton steps to the minimum of the objective with Jeffreys' prior, also under a constraint.

The information I = L L' is a model of the Hessian H: it lacks the derivatives of the prior, which
do not grow with the number of samples. The Newton step is found by conjugate gradients in the
coordinates :math:`L^\top \theta`, where H is nearly the identity, so that a few products with the
exact Hessian are enough. A linear constraint :math:`A^\top \theta = b` is kept by steps that are
orthogonal, in these coordinates, to the columns of :math:`L^{-1} A`.

A step is **certain** if conjugate gradients met positive curvature only and solved the system. Half
of the product of gradient and step, the decrement, is then an estimate of the gap to the minimum of
the valley that the point is in. F is not convex, but near its minimum it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import solve_triangular

from skxent.likelihood.jeffreys.jeffreys_objective import JeffreysPoint

RESIDUAL = 1e-8  # relative residual at which conjugate gradients end; a decrement has 8 digits
SUFFICIENT = 1e-4  # fraction of the decrease expected of the gradient that a step must attain
HALVINGS = 60  # largest number of halvings of a step; the step is then below rounding
STEEPEST = 1e-10  # smallest curvature relative to the information that counts as positive
# Largest change of a logit by a step whose decrement is the gap. The curvature of a sample changes
# by less than a quarter on the way.
SHORT_STEP = 0.25
POLISHING = 8  # largest number of Newton steps from a converged fit; each doubles the digits


@dataclass(frozen=True, eq=False)
class NewtonStep:
    """The Newton step from a point.

    Parameters
    ----------
    point : JeffreysPoint
    direction : (K - 1, m) array
        The step, a direction of descent also if it is not certain.
    decrement : float
        Half of the decrease along the step by the gradient, in nats.
    certain : bool
        Whether `direction` is the solution of the system with positive curvature.
    """

    point: JeffreysPoint
    direction: np.ndarray
    decrement: float
    certain: bool

    @classmethod
    def of(cls, point: JeffreysPoint, constraint: np.ndarray | None = None) -> NewtonStep:
        """Solve for the step, orthogonal to the columns of `constraint`, (q, c)."""
        L, shape = point.factor, point.theta.shape
        normal = None if constraint is None else _orthonormal(L, constraint)

        def projected(x: np.ndarray) -> np.ndarray:
            return x if normal is None else x - normal @ (normal.T @ x)

        def whitened(gradient: np.ndarray) -> np.ndarray:
            return projected(solve_triangular(L, gradient.ravel(), lower=True))

        def unwhitened(x: np.ndarray) -> np.ndarray:
            return solve_triangular(L, x, lower=True, trans=1).reshape(shape)

        def product(x: np.ndarray) -> np.ndarray:
            return whitened(point.hessian_product(unwhitened(x)))

        # Near the minimum little remains of the gradient: a second projection removes the rounding
        # of the first, which would move the point off the constraint.
        downhill = -projected(whitened(point.gradient))
        x, certain = _conjugate_gradients(product, downhill)
        return cls(point, unwhitened(x), 0.5 * float(downhill @ x), certain)

    @cached_property
    def gap(self) -> float:
        """The gap if it is certain, else infinity."""
        change = self.point.objective.samples.U @ self.direction.T
        short = np.abs(change).max(initial=0.0) <= SHORT_STEP
        return self.decrement if self.certain and short else np.inf

    def trial(self, fraction: float = 1.0) -> JeffreysPoint | None:
        """Return the objective after a fraction of the step; None if it is singular there."""
        return self.point.objective(self.point.theta + fraction * self.direction)

    def shortened(self) -> JeffreysPoint | None:
        """Return the first point of sufficient decrease as the step is halved; None without one."""
        fraction, value = 1.0, self.point.value
        for _ in range(HALVINGS):
            new = self.trial(fraction)
            limit = value - 2.0 * SUFFICIENT * fraction * self.decrement
            if new is not None and new.value < limit:
                return new
            fraction *= 0.5
        return None


def _orthonormal(L: np.ndarray, constraint: np.ndarray) -> np.ndarray:
    normal, _ = np.linalg.qr(solve_triangular(L, constraint, lower=True))
    return normal


def _conjugate_gradients(
    product: Callable[[np.ndarray], np.ndarray], right: np.ndarray
) -> tuple[np.ndarray, bool]:
    """Solve for a positive definite matrix near the identity; tell whether the solution is certain.

    At the first direction of negative curvature the solution so far is returned, or `right`.
    """
    x, residual, direction = np.zeros_like(right), right.copy(), right.copy()
    square = first = float(right @ right)
    for _ in range(2 * len(right)):
        if square <= RESIDUAL**2 * first:
            return x, True
        image = product(direction)
        curvature = float(direction @ image)
        if curvature <= STEEPEST * float(direction @ direction):
            break
        x += (square / curvature) * direction
        residual -= (square / curvature) * image
        before, square = square, float(residual @ residual)
        direction = residual + (square / before) * direction
    return (x if x.any() else right), square <= RESIDUAL * first


@dataclass(frozen=True, eq=False)
class Minimum:
    """The end of a search for the minimum.

    Parameters
    ----------
    step : NewtonStep
        The Newton step from the last point.
    n_iterations : int
    """

    step: NewtonStep
    n_iterations: int

    @property
    def point(self) -> JeffreysPoint:
        """The last point."""
        return self.step.point


def minimise(
    start: JeffreysPoint,
    target: Callable[[JeffreysPoint], float],
    max_iter: int,
    *,
    constraint: np.ndarray | None = None,
    report: Callable[[JeffreysPoint], object] | None = None,
) -> Minimum:
    """Take Newton steps until the gap is at most the target.

    Parameters
    ----------
    start : JeffreysPoint
    target : function(point) -> float
        Gap, in nats, at which the search ends.
    max_iter : int
    constraint : (q, c) array or None
        Steps keep the products of `theta` with these columns.
    report : function(point) or None
        Called after each step.
    """
    step, n_iterations = NewtonStep.of(start, constraint), 0
    while n_iterations < max_iter and step.gap > target(step.point):
        new = step.shortened()
        if new is None:
            break
        n_iterations += 1
        step = NewtonStep.of(new, constraint)
        if report is not None:
            report(new)
    return Minimum(step, n_iterations)


def polish(step: NewtonStep, constraint: np.ndarray | None = None) -> NewtonStep:
    """Take full Newton steps from near the minimum, as long as the decrement falls.

    The last step need not be certain, because rounding may be all that is left of the gradient.
    """
    for _ in range(POLISHING):
        new = step.trial()
        if new is None:
            break
        following = NewtonStep.of(new, constraint)
        if not following.decrement < step.decrement:
            break
        step = following
        if not step.certain:
            break
    return step
