r"""Intervals and tests by the profile of the likelihood with Jeffreys' prior.

The **profile** of a coefficient b is the minimum F(b) of the objective among all parameters with
this coefficient; the prior is that of all parameters. An interval consists of the values b with
:math:`2 (F(b) - F) \le r^2`, where F is the minimum of the objective and :math:`r^2` a quantile of
chi-squared with one degree of freedom [1]_. Both ends are finite, because F(b) grows without bound.

`profile_ends` finds the ends. It follows constrained minima from the optimum, but the objective is
not convex. With few samples of three or more classes there may be several minima under one
constraint, and the followed one need not be the lowest. With three or more classes the constrained
fit at an end is therefore begun again at multiples of the optimum. If one of these fits ends lower,
the value belongs to the interval, and the search goes on from there.

References
----------
.. [1] G. Heinze, M. Schemper, "A solution to the problem of separation in logistic regression",
   Statistics in Medicine 21, 2002. :doi:`10.1002/sim.1047`
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from skxent.inference import profile_ends
from skxent.inference.likelihood_estimate import LikelihoodEstimate
from skxent.likelihood.jeffreys.constrained_newton import NewtonStep, minimise, polish
from skxent.likelihood.jeffreys.jeffreys_objective import JeffreysObjective, JeffreysPoint

ITERATIONS = 100  # largest number of Newton steps of a constrained fit
CONSTRAINED_GAP = 1e-9  # gap, in nats, of a constrained fit before full Newton steps end it

# Fraction of the root at an end by which the root at another minimum must be smaller to count as
# lower. It is far above the error of an end.
LOWER = 1e-4
RESTARTS = 10  # largest number of other minima from which the search for one end goes on
SCALES = (0.0, 0.5, 4.0)  # multiples of the optimum at which constrained fits begin again

Place = tuple[float, JeffreysPoint]  # a signed distance, and the constrained minimum there


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
        """Return the low and high ends of the coefficients, (q, 2); `root` is r."""
        return np.array([_Coefficient(self.best, a).ends(root) for a in self.contrasts])

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
class _Coefficient:
    """The profile of the coefficient a'theta; distances are in standard errors at the optimum.

    Parameters
    ----------
    best : JeffreysPoint
    a : (q,) array
    begin : Place or None
        Where a search begins; None is the optimum.
    """

    best: JeffreysPoint
    a: np.ndarray
    begin: Place | None = None

    def ends(self, root: float) -> tuple[float, float]:
        """Return the low and the high end of the interval."""
        value, error = self._value(self.best), self._std_error
        low, high = (value + error * self._end(target) for target in (-root, root))
        return low, high

    def _end(self, target: float) -> float:
        """Return the distance at which the smallest root found is `target`."""
        profile, distance = self, 0.0
        for _ in range(RESTARTS):
            distance = profile_ends.end(profile, target)
            lower = self._lower_minimum(distance, abs(target) * (1.0 - LOWER))
            if lower is None:
                break
            profile = replace(self, begin=lower)
        return distance

    def _lower_minimum(self, distance: float, root: float) -> Place | None:
        """Return another constrained minimum at a distance, with a root below `root` in size."""
        if np.isinf(distance) or len(self.best.theta) == 1:
            return None
        along = self.best.inverse @ self.a
        along = along.reshape(self.best.theta.shape) / float(self.a @ along)
        optimum = self._value(self.best)
        value = optimum + self._std_error * distance
        for scale in SCALES:
            theta = scale * self.best.theta + (value - scale * optimum) * along
            start = self.best.objective(theta)
            if start is not None:
                found = _constrained_minimum(start, self.a[:, None])
                if _twice_above(self.best, found) < root**2:
                    return distance, found
        return None

    def start(self) -> Place:
        """Return the place where the search begins."""
        return (0.0, self.best) if self.begin is None else self.begin

    def at(self, distance: float, near: Place, limit: float) -> Place:
        """Return the constrained minimum at a distance; the fit starts on the tangent at `near`."""
        while True:
            start = near[1].objective(self._moved(near, distance))
            if start is not None and _twice_above(self.best, start) <= limit**2:
                return distance, _constrained_minimum(start, self.a[:, None])
            distance = 0.5 * (near[0] + distance)  # too far to begin there

    def root(self, point: JeffreysPoint) -> float:
        """Return the signed root at a constrained minimum."""
        rise = np.sqrt(_twice_above(self.best, point))
        return float(np.copysign(rise, self.slope(point)))

    def slope(self, point: JeffreysPoint) -> float:
        """Return the derivative of the profile by the distance."""
        along = point.inverse @ self.a
        return self._std_error * float(point.gradient.ravel() @ along) / float(self.a @ along)

    @property
    def _std_error(self) -> float:
        return float(np.sqrt(self.a @ self.best.inverse @ self.a))

    def _value(self, point: JeffreysPoint) -> float:
        return float(self.a @ point.theta.ravel())

    def _moved(self, near: Place, distance: float) -> np.ndarray:
        """Return parameters at a distance, along the tangent of the profile at another place."""
        before, point = near
        along = point.inverse @ self.a
        along *= self._std_error * (distance - before) / (self.a @ along)
        return point.theta + along.reshape(point.theta.shape)


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
