r"""Maps of log-probabilities that calibrate predictions, fitted by maximum likelihood.

.. math:: \log q'_{ik} = a_k \log q_{ik} + b_k - \text{normaliser}

=============  ===================================  ======================
map            slopes a                             intercepts b
=============  ===================================  ======================
"temperature"  one for all classes, not negative    none
"bias"         one for all classes, not negative    one for each class
"vector"       one for each class                   one for each class
=============  ===================================  ======================

All three include the identity (a = 1, b = 0), and those with intercepts include the base rates
(a = 0). For two classes "vector" is beta calibration, with the log-odds :math:`a_2 \log p - a_1
\log(1 - p) + b` (M. Kull, T. Silva Filho, P. Flach, "Beta calibration", AISTATS 2017).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from skxent.inputs.namespaces import Floats
from skxent.likelihood.solution import target_gap
from skxent.metrics.map_likelihood import MapPoint, MapSamples
from skxent.metrics.newton import Minimum, minimise

# A Newton step that changes no difference of two logits by this much proves that the minimum is
# finite: where it is at infinity, every exact step changes a difference by at least 1.
SMALL_CHANGE = 0.1
# Fraction of the target gap to which a fit goes on, to find out whether the minimum is finite. The
# last step towards a finite minimum is then about a thousand times shorter.
FURTHER = 1e-6
EPS = float(np.finfo(np.float64).eps)

Scales = tuple[float, float]


class Family(NamedTuple):
    """The parameters that a map has."""

    slope_by_class: bool
    intercepts: bool


FAMILIES = {
    "temperature": Family(slope_by_class=False, intercepts=False),
    "bias": Family(slope_by_class=False, intercepts=True),
    "vector": Family(slope_by_class=True, intercepts=True),
}


@dataclass(frozen=True)
class CalibrationMap:
    """A map with the logits a_k (log q_k - centre_k) / scale + b_k.

    Parameters
    ----------
    slope : (1,) or (K,) array
    intercept : (K,) array
    centre : (K,) array or None
        None stands for the mean of each row.
    scales : (float, float)
        Two factors of the scale. Their product may be larger than the largest float.
    """

    slope: Floats
    intercept: Floats
    centre: Floats | None
    scales: Scales

    def logits(self, log_q: Floats) -> Floats:
        """Return the logits of calibrated predictions, (n, K)."""
        Z = _centred(log_q, self.centre)
        for scale in self.scales:
            Z /= scale
        Z *= self.slope
        Z += self.intercept
        return Z

    @property
    def parameters(self) -> tuple[Floats, Floats]:
        """Slopes and intercepts of log-probabilities that are neither centred nor scaled."""
        slope = self.slope / self.scales[0] / self.scales[1]
        moved = 0.0 if self.centre is None else slope * self.centre
        return slope, self.intercept - moved


@dataclass(frozen=True)
class FittedMap:
    """A map, and how its fit ended.

    Parameters
    ----------
    map : CalibrationMap
    value : float
        Mean cross-entropy in nats.
    gap : float
        Newton's estimate of the distance of `value` from its minimum, in nats, at most `value`.
    target : float
        The gap at which the fit has converged, in nats.
    finite : bool
        Whether the last step proves that the minimum is at finite parameters.
    n_steps : int
        Number of Newton steps.
    """

    map: CalibrationMap
    value: float
    gap: float
    target: float
    finite: bool
    n_steps: int


def fit_map(
    method: str, log_q: Floats, target: np.ndarray, weight: Floats, tol: float = 0.0
) -> FittedMap:
    """Fit a map by maximum likelihood.

    Parameters
    ----------
    method : {"temperature", "bias", "vector"}
    log_q : (n, K) array
        Log-probabilities, all finite. A constant added to a row affects "vector" only.
    target : (n,) or (n, K) array
        Codes or soft rows. If the map has intercepts, each class must have weight.
    weight : (n,) array
    tol : float
        Tolerance of the gap of the summed cross-entropy, see `target_gap`. With 0 the fit ends when
        rounding hides any decrease.
    """
    kept = weight > 0
    log_q, target, weight = log_q[kept], target[kept], weight[kept]
    fit = _fit_slope_by_class if FAMILIES[method].slope_by_class else _fit_one_slope
    return fit(log_q, target, weight, FAMILIES[method].intercepts, tol)


def _fit_one_slope(
    log_q: Floats, target: np.ndarray, weight: Floats, intercepts: bool, tol: float
) -> FittedMap:
    """Fit a map with one slope, which is not negative.

    The function is convex, so that its minimum over such slopes is at 0 if it rises there.
    """
    Z, scales = _scaled(log_q, None)
    samples = MapSamples.of(Z, target, weight / weight.sum(), False, intercepts)
    zero, goal = np.zeros(len(samples.Z)), partial(_target_of_mean, tol, float(weight.sum()))
    rates = np.log(samples.rates) if intercepts else zero
    constant = MapPoint.at(samples, samples.joined(np.zeros(1), rates))
    if constant.gradient[0] >= 0 or not np.ptp(samples.Z, axis=0).any():
        return _fitted(Minimum(constant, 0.0), None, scales, goal)
    identity = samples.joined(np.array([scales[0] * scales[1]]), zero)
    starts = sorted([constant, MapPoint.at(samples, identity)], key=lambda start: start.value)
    found = _descend(starts[0], goal)
    if not found.converged:
        found = min(
            found, _descend(starts[1], goal), key=lambda end: (not end.converged, end.point.value)
        )
    if found.point.theta[0] <= 0:
        found = Minimum(constant, 0.0)
    return _fitted(found, None, scales, goal)


def _fit_slope_by_class(
    log_q: Floats, target: np.ndarray, weight: Floats, intercepts: bool, tol: float
) -> FittedMap:
    """Fit a map with a slope for each class, starting at the best map with one slope."""
    slope, intercept = _fit_one_slope(log_q, target, weight, intercepts, tol).map.parameters
    centre = _centre(log_q, weight)
    Z, scales = _scaled(log_q, centre)
    samples = MapSamples.of(Z, target, weight / weight.sum(), True, intercepts)
    goal = partial(_target_of_mean, tol, float(weight.sum()))
    slopes = np.full(len(samples.Z), slope[0])
    start = samples.joined(slopes * scales[0] * scales[1], intercept + slopes * centre)
    return _fitted(_descend(MapPoint.at(samples, start), goal), centre, scales, goal)


def _fitted(
    found: Minimum[MapPoint], centre: Floats | None, scales: Scales, goal: Callable[[float], float]
) -> FittedMap:
    """Return the map at the end of a minimisation, and how it ended."""
    point = found.point
    slope, intercept = point.samples.split(point.theta)
    return FittedMap(
        map=CalibrationMap(slope, intercept, centre, scales),
        value=point.value,
        gap=max(min(found.decrement, point.value), 0.0),
        target=goal(point.value),
        finite=_is_finite(found),
        n_steps=found.n_steps,
    )


def _scaled(log_q: Floats, centre: Floats | None) -> tuple[Floats, Scales]:
    """Return centred log-probabilities of unit size, and the factors of their scale."""
    Z = _centred(log_q, centre)
    size = float(np.abs(Z).max()) or 1.0
    Z /= size  # squares do not overflow
    spread = float(np.sqrt(np.mean(Z**2))) or 1.0
    Z /= spread
    return Z, (size, spread)


def _centre(log_q: Floats, weight: Floats) -> Floats:
    """Return the mean log-probability of each class where it is in doubt.

    The weights p (1 - p) make slopes and intercepts nearly independent in the Hessian. A column
    that is constant becomes exactly 0.
    """
    P = np.exp(log_q)
    doubt = weight[:, None] * (P * (1.0 - P) + EPS)
    means = (doubt * log_q).sum(axis=0) / doubt.sum(axis=0)
    return np.where(np.ptp(log_q, axis=0) > 0, means, log_q[0])


def _centred(log_q: Floats, centre: Floats | None) -> Floats:
    return log_q - (log_q.mean(axis=1, keepdims=True) if centre is None else centre)


def _target_of_mean(tol: float, total: float, value: float) -> float:
    """Return the target gap of a mean whose weights sum to `total`.

    A sum below one nat has the target of one nat. Where the minimum is at infinity, the fit then
    ends at the same place for weights and for copies of samples, and not at a rounding error.
    """
    value = total * max(value, 0.0)
    return target_gap(tol, max(value, 1.0), EPS * value) / total if tol else 0.0


def _descend(start: MapPoint, goal: Callable[[float], float]) -> Minimum[MapPoint]:
    """Minimise to the target gap, and further to find out whether the minimum is finite."""
    found = minimise(start, goal)
    if _is_finite(found):
        return found
    further = minimise(found.point, lambda value: FURTHER * goal(value))
    return further if _is_finite(further) else found


def _is_finite(found: Minimum[MapPoint]) -> bool:
    return found.step is None or found.point.largest_range(found.step) < SMALL_CHANGE
