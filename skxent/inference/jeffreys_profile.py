r"""Intervals and tests by the profile of the likelihood with Jeffreys' prior.

The **profile** of a coefficient b is the minimum F(b) of the objective among all parameters with
this coefficient; the prior is that of all parameters. An interval consists of the values b with
:math:`2 (F(b) - F) \le r^2`, where F is the minimum of the objective and :math:`r^2` a quantile of
chi-squared with one degree of freedom [1]_. Both ends are finite, because F(b) grows without bound.

An end is where the root of :math:`2 (F(b) - F)` is r. The root is nearly linear in b, and its
derivative is :math:`F'(b)` divided by the root. Newton steps therefore find the end, within
brackets that shrink. :math:`F'(b)` is the multiplier of the constraint on b.

References
----------
.. [1] G. Heinze, M. Schemper, "A solution to the problem of separation in logistic regression",
   Statistics in Medicine 21, 2002. :doi:`10.1002/sim.1047`
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skxent.inference.likelihood_estimate import LikelihoodEstimate
from skxent.likelihood.jeffreys.constrained_newton import NewtonStep, minimise, polish
from skxent.likelihood.jeffreys.jeffreys_objective import JeffreysObjective, JeffreysPoint

ITERATIONS = 100  # largest number of Newton steps of a constrained fit
CONSTRAINED_GAP = 1e-9  # gap, in nats, of a constrained fit before full Newton steps end it
SEARCH = 200  # largest number of constrained fits for one end of an interval
END = 1e-9  # largest error of the root at an end, relative to the root
WIDENING = 2.0  # largest growth of the distance to the optimum from fit to fit, as its fraction


@dataclass(frozen=True, eq=False)
class JeffreysProfile:
    """The minimum of the objective and the coefficients, for profiles.

    Parameters
    ----------
    best : JeffreysPoint
        The minimum.
    contrasts : (q, q) array
        The coefficients, contrasts with a reference class, as linear functions of `theta`.
    """

    best: JeffreysPoint
    contrasts: np.ndarray

    @classmethod
    def of(cls, at: LikelihoodEstimate, reference: int) -> JeffreysProfile:
        """Make the profiles of the contrasts with the class number `reference`."""
        objective = JeffreysObjective.of(at.data)
        matrix = objective.samples.to_centred()
        theta = np.linalg.solve(matrix, at.theta[at.free].T).T
        best = polish(NewtonStep.of(_regular(objective, theta))).point
        return cls(best, at.map(reference) @ np.kron(np.eye(len(theta)), matrix))

    def intervals(self, root: float) -> np.ndarray:
        """Return the low and high ends of the coefficients, (q, 2); `root` is r of the module."""
        return np.array(
            [[_Side(self.best, a, sign).end(root) for sign in (-1.0, 1.0)] for a in self.contrasts]
        )

    def ratio_statistic(self, mask: np.ndarray) -> float:
        """Return the likelihood-ratio statistic of the hypothesis that parameters are zero.

        Parameters
        ----------
        mask : (m,) array of bool
            The columns of `theta` that are zero for all classes.
        """
        theta = np.where(mask, 0.0, self.best.theta)
        start = self.best.objective(theta)
        if start is None:
            start = _regular(self.best.objective, np.zeros_like(theta))
        zeros = np.eye(theta.size)[:, np.broadcast_to(mask, theta.shape).ravel()]
        return _twice_above(self.best, _constrained_minimum(start, zeros))


@dataclass(frozen=True, eq=False)
class _Side:
    """The search on one side of the optimum for the end of an interval of the coefficient a'theta.

    Parameters
    ----------
    best : JeffreysPoint
    a : (q,) array
    sign : float
        -1 for the low end, 1 for the high end.
    """

    best: JeffreysPoint
    a: np.ndarray
    sign: float

    def end(self, root: float) -> float:
        """Return the coefficient where the root of twice the rise of the profile is `root`."""
        point, centre = self.best, self._coefficient(self.best)
        inside, outside = centre, self.sign * np.inf
        trial = centre + self.sign * root * np.sqrt(self.a @ point.inverse @ self.a)
        for _ in range(SEARCH):
            start = point.objective(self._moved(point, trial))
            if start is None:  # too far to begin there
                trial = 0.5 * (self._coefficient(point) + trial)
                continue
            point = _constrained_minimum(start, self.a[:, None])
            rise = np.sqrt(_twice_above(self.best, point))
            if abs(rise - root) <= END * root:
                return trial
            inside, outside = (trial, outside) if rise < root else (inside, trial)
            newton = trial + (root - rise) * rise / self._slope(point)
            trial = self._between(newton, centre, inside, outside)
        raise ArithmeticError("the profile of a coefficient could not be followed to its end.")

    def _coefficient(self, point: JeffreysPoint) -> float:
        return float(self.a @ point.theta.ravel())

    def _moved(self, point: JeffreysPoint, coefficient: float) -> np.ndarray:
        """Return parameters with the coefficient, along the tangent of the profile at a point."""
        along = point.inverse @ self.a
        along *= (coefficient - self._coefficient(point)) / (self.a @ along)
        return point.theta + along.reshape(point.theta.shape)

    def _slope(self, point: JeffreysPoint) -> float:
        """Return the derivative of the profile at a constrained minimum."""
        along = point.inverse @ self.a
        return float(point.gradient.ravel() @ along) / float(self.a @ along)

    def _between(self, newton: float, centre: float, inside: float, outside: float) -> float:
        """Return a Newton step that stays within the brackets, else a point between them."""
        if np.isinf(outside):
            outside = centre + (1.0 + WIDENING) * (inside - centre)
            return newton if 0 < self.sign * (newton - inside) < abs(outside - inside) else outside
        low, high = sorted((inside, outside))
        return newton if low < newton < high else 0.5 * (low + high)


def _regular(objective: JeffreysObjective, theta: np.ndarray) -> JeffreysPoint:
    """Return the objective at a point where its information is known to be regular."""
    point = objective(theta)
    if point is None:
        raise ValueError("the information is singular at the optimum: leave out features.")
    return point


def _constrained_minimum(start: JeffreysPoint, constraint: np.ndarray) -> JeffreysPoint:
    """Return the minimum among the points with the same constraints as `start`."""
    found = minimise(start, lambda _: CONSTRAINED_GAP, ITERATIONS, constraint=constraint)
    return polish(found.step, constraint).point


def _twice_above(best: JeffreysPoint, point: JeffreysPoint) -> float:
    return max(2.0 * (point.value - best.value), 0.0)
