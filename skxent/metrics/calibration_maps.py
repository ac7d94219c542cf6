r"""Maps of log-probabilities that calibrate predictions.

With centred log-probabilities :math:`z_{ik} = \log q_{ik} - \frac1K \sum_j \log q_{ij}`,

.. math:: \log q'_{ik} = \sum_j a_{kj} z_{ij} + b_k - \text{normaliser}

=============  ===================================  ======================
map            slopes a                             intercepts b
=============  ===================================  ======================
"temperature"  one for all classes, not negative    none
"bias"         one for all classes, not negative    one for each class
"vector"       one for each class                   one for each class
"matrix"       one for each pair of classes         one for each class
=============  ===================================  ======================

All four include the identity (a = 1, b = 0), and those with intercepts include the base rates
(a = 0). For two classes "vector" takes log-probabilities that are not centred. It is then beta
calibration, with the log-odds :math:`a_2 \log p - a_1 \log(1 - p) + b` (M. Kull, T. Silva Filho, P.
Flach, "Beta calibration", AISTATS 2017).

Penalty
-------
A penalty shrinks a map to its reference: a map with one slope a* and no intercepts. In the
coordinates of the fit, :math:`\zeta_{ij} = (z_{ij} - m_j) / s`, the penalty is

.. math:: \frac{1}{2C} \Bigl( \sum_{kj} s^2 (a_{kj} - a^*_{kj})^2 + \sum_k d_k^2 \Bigr)

with d_k the change of the intercept at :math:`\zeta = 0`. A unit of every squared number is a unit
of a squared change of logits, whatever the size of the predictions. Intercepts are penalised as
well: if all predictions for a class were right, its intercept would else grow without bound.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np
from scipy.special import softmax

from skxent.inputs.namespaces import Floats
from skxent.likelihood.solution import target_gap
from skxent.metrics.map_likelihood import MapPoint, MapSamples, Shrinkage
from skxent.metrics.newton import Minimum, minimise

# A Newton step that changes no difference of two logits by this much proves that the minimum is
# finite: where it is at infinity, every exact step changes a difference by at least 1.
SMALL_CHANGE = 0.1
# Fraction of the target gap to which a fit goes on, to find out whether the minimum is finite. The
# last step towards a finite minimum is then about a thousand times shorter.
FURTHER = 1e-6
EPS = float(np.finfo(np.float64).eps)
LARGEST_SCALE = 1e100  # of the reference of a penalty, so that its square does not overflow


class Family(NamedTuple):
    """The parameters that a map has."""

    slope_by_class: bool
    intercepts: bool


FAMILIES = {
    "temperature": Family(slope_by_class=False, intercepts=False),
    "bias": Family(slope_by_class=False, intercepts=True),
    "vector": Family(slope_by_class=True, intercepts=True),
    "matrix": Family(slope_by_class=True, intercepts=True),
}


@dataclass(frozen=True)
class Frame:
    """Coordinates of log-probabilities, (z - centre) / scale.

    Parameters
    ----------
    centre : (K,) array
    scales : (float, float)
        Two factors of the scale. Their product may be larger than the largest float.
    balanced : bool
        Whether z is log q less its mean in each row, or log q itself.
    """

    centre: Floats
    scales: tuple[float, float]
    balanced: bool

    @classmethod
    def of(cls, method: str, log_q: Floats, weight: Floats) -> tuple[Self, Floats]:
        """Return the coordinates for the fit of a map, and the log-probabilities in them."""
        K = log_q.shape[1]
        balanced = method != "vector" or K > 2
        Z = _balanced(log_q) if balanced else log_q.copy()
        by_class = FAMILIES[method].slope_by_class
        centre = _centre(log_q, Z, weight) if by_class else np.zeros(K)
        Z -= centre
        size = float(np.abs(Z).max()) or 1.0
        Z /= size  # squares do not overflow
        spread = float(np.sqrt(weight / weight.sum() @ np.mean(Z**2, axis=1))) or 1.0
        Z /= spread
        return cls(centre, (size, spread), balanced), Z

    def coordinates(self, log_q: Floats) -> Floats:
        """Return log-probabilities (n, K) in these coordinates."""
        Z = (_balanced(log_q) if self.balanced else log_q) - self.centre
        for scale in self.scales:
            Z /= scale
        return Z

    @property
    def scale(self) -> float:
        """The scale, or a number so large that it makes no difference."""
        return min(self.scales[0] * self.scales[1], LARGEST_SCALE)


@dataclass(frozen=True)
class CalibrationMap:
    """A map with the logits a_k zeta_k + b_k, or sum_j a_kj zeta_j + b_k.

    Parameters
    ----------
    slope : (1,), (K,) or (K, K) array
    intercept : (K,) array
    frame : Frame
        The coordinates zeta.
    """

    slope: Floats
    intercept: Floats
    frame: Frame

    def logits(self, log_q: Floats) -> Floats:
        """Return the logits of calibrated predictions, (n, K)."""
        Z = self.frame.coordinates(log_q)
        Z = Z * self.slope if self.slope.ndim == 1 else Z @ self.slope.T
        Z += self.intercept
        return Z

    @property
    def parameters(self) -> tuple[Floats, Floats]:
        """Slopes and intercepts of log-probabilities z that are not scaled."""
        slope = self.slope / self.frame.scales[0] / self.frame.scales[1]
        centre = self.frame.centre
        return slope, self.intercept - (slope * centre if slope.ndim == 1 else slope @ centre)


@dataclass(frozen=True)
class FittedMap:
    """A map, and how its fit ended.

    Parameters
    ----------
    map : CalibrationMap
    value : float
        Mean cross-entropy in nats.
    gap : float
        Estimate of the distance of the mean objective from its minimum, in nats, at most its value.
        The objective is the cross-entropy with the penalty, if there is one.
    target : float
        The gap at which the fit has converged, in nats.
    finite : bool
        Whether the minimum is known to be at finite parameters.
    n_steps : int
        Number of Newton steps, or of iterations of L-BFGS.
    """

    map: CalibrationMap
    value: float
    gap: float
    target: float
    finite: bool
    n_steps: int


@dataclass(frozen=True)
class MapProblem:
    """The fits of a map to the same samples, with one penalty after the other.

    Parameters
    ----------
    frame : Frame
    samples : MapSamples
    total : float
        Sum of the weights.
    tol : float
        Tolerance of the gap of the summed objective, see `target_gap`. With 0 a fit ends when
        rounding hides any decrease.
    """

    frame: Frame
    samples: MapSamples
    total: float
    tol: float = 0.0

    @classmethod
    def of(
        cls, method: str, log_q: Floats, target: np.ndarray, weight: Floats, tol: float = 0.0
    ) -> Self:
        """Return the problem of a map with at most one slope for each class.

        Parameters
        ----------
        method : {"temperature", "bias", "vector"}
        log_q : (n, K) array
            Log-probabilities, all finite. A constant added to a row affects "vector" for two
            classes only.
        target : (n,) or (n, K) array
            Codes or soft rows. If the map has intercepts, each class must have weight.
        weight : (n,) array
            Positive weights.
        tol : float
        """
        frame, Z = Frame.of(method, log_q, weight)
        total = float(weight.sum())
        return cls(frame, MapSamples.of(Z, target, weight / total, *FAMILIES[method]), total, tol)

    def goal(self, value: float) -> float:
        """Return the target gap of a mean.

        A sum below one nat has the target of one nat. Where the minimum is at infinity, the fit
        then ends at the same place for weights and for copies of samples, and not at a rounding
        error.
        """
        value = self.total * max(value, 0.0)
        if not self.tol:
            return 0.0
        return target_gap(self.tol, max(value, 1.0), EPS * value) / self.total

    def fit(self, start: Floats | None = None) -> Minimum[MapPoint]:
        """Fit by maximum likelihood; a map with a slope for each class from `start` on."""
        if self.samples.slopes is None:
            return self._fit_one_slope()
        start = self.theta(1.0) if start is None else start
        return _descend(MapPoint.at(self.samples, start), self.goal)

    def theta(self, slope: float, intercept: Floats | float = 0.0) -> Floats:
        """Return the parameters of a map with one slope."""
        slopes = np.full(self.samples.n_slopes, slope)
        moved = intercept + slopes * self.frame.centre
        return self.samples.joined(slopes * self.frame.scale, moved)

    def identity(self) -> FittedMap:
        """Return the map that changes nothing."""
        return self.fitted(Minimum(MapPoint.at(self.samples, self.theta(1.0)), 0.0))

    def _fit_one_slope(self) -> Minimum[MapPoint]:
        """Fit a map with one slope, which is not negative.

        The function is convex, so that its minimum over such slopes is at 0 if it rises there.
        """
        samples = self.samples
        rates = np.log(samples.rates) if samples.intercepts else np.zeros(len(samples.Z))
        constant = MapPoint.at(samples, samples.joined(np.zeros(1), rates))
        if constant.gradient[0] >= 0 or not np.ptp(samples.Z, axis=0).any():
            return Minimum(constant, 0.0)
        starts = [constant, MapPoint.at(samples, self.theta(1.0))]
        starts.sort(key=lambda start: start.value)
        found = _descend(starts[0], self.goal)
        if not found.converged:
            other = _descend(starts[1], self.goal)
            found = min(found, other, key=lambda end: (not end.converged, end.point.value))
        return Minimum(constant, 0.0) if found.point.theta[0] <= 0 else found

    def shrunk(self, C: float, slope: float) -> Self:
        """Return the problem with a penalty of the distance from the map with one slope."""
        samples = self.samples
        own = 1.0 / samples.rates if samples.intercepts else ()
        curvature = np.append(np.ones(samples.n_slopes), own) / (C * self.total)
        # The mean of the intercepts changes no probability, and stays at 0.
        origin = self.theta(slope, -slope * float(self.frame.centre.mean()))
        return replace(self, samples=replace(samples, shrinkage=Shrinkage(curvature, origin)))

    def fit_shrunk(self, start: Floats | None = None) -> Minimum[MapPoint]:
        """Fit with a penalty, from the reference on, or from `start` if its value is smaller."""
        samples = self.samples
        assert samples.shrinkage is not None
        starts = [samples.shrinkage.origin] + ([] if start is None else [start])
        points = [MapPoint.at(samples, theta) for theta in starts]
        found = _descend(min(points, key=lambda point: point.value), self.goal)
        if samples.slopes is not None or found.point.theta[0] >= 0:
            return found
        # By convexity the slope is 0 if it may not be negative.
        zero = np.zeros_like(samples.shrinkage.origin)
        level = replace(samples, shrinkage=replace(samples.shrinkage, origin=zero), Z=0 * samples.Z)
        found = _descend(MapPoint.at(level, zero), self.goal)
        return replace(found, point=MapPoint.at(samples, found.point.theta))

    def fitted(self, found: Minimum[MapPoint]) -> FittedMap:
        """Return the map at the end of a minimisation, and how it ended."""
        point = found.point
        slope, intercept = point.samples.split(point.theta)
        return FittedMap(
            map=CalibrationMap(slope, intercept, self.frame),
            value=point.cross_entropy,
            gap=max(0.0, min(found.decrement, point.value)),
            target=self.goal(point.value),
            finite=point.samples.shrinkage is not None or _is_small(found),
            n_steps=found.n_steps,
        )


def fit_map(
    method: str, log_q: Floats, target: np.ndarray, weight: Floats, tol: float = 0.0
) -> FittedMap:
    """Fit a map by maximum likelihood, see `MapProblem.of`; weights may be 0."""
    kept = weight > 0
    log_q, target, weight = log_q[kept], target[kept], weight[kept]
    problem = MapProblem.of(method, log_q, target, weight, tol)
    if not FAMILIES[method].slope_by_class:
        return problem.fitted(problem.fit())
    slope, intercept = fit_map("bias", log_q, target, weight, tol).map.parameters
    return problem.fitted(problem.fit(problem.theta(slope[0], intercept)))


def _balanced(log_q: Floats) -> Floats:
    balanced: Floats = log_q - log_q.mean(axis=1, keepdims=True)
    return balanced


def _centre(log_q: Floats, Z: Floats, weight: Floats) -> Floats:
    """Return the mean of Z of each class where it is in doubt.

    The weights p (1 - p) make slopes and intercepts nearly independent in the Hessian. A column
    that is constant becomes exactly 0.
    """
    P = softmax(log_q, axis=1)
    doubt = weight[:, None] * (P * (1.0 - P) + EPS)
    means = (doubt * Z).sum(axis=0) / doubt.sum(axis=0)
    return np.where(np.ptp(Z, axis=0) > 0, means, Z[0])


def _descend(start: MapPoint, goal: Callable[[float], float]) -> Minimum[MapPoint]:
    """Minimise to the target gap, and further if the last step is not small.

    The decrement is then no bound: the function may bend much less a step further on. Going on
    also finds out whether a minimum without penalty is finite.
    """
    found = minimise(start, goal)
    if _is_small(found):
        return found
    further = minimise(found.point, lambda value: FURTHER * goal(value))
    penalised = found.point.samples.shrinkage is not None
    if penalised or _is_small(further):
        return replace(further, n_steps=found.n_steps + further.n_steps)
    return found


def _is_small(found: Minimum[MapPoint]) -> bool:
    return found.step is None or found.point.largest_range(found.step) < SMALL_CHANGE
