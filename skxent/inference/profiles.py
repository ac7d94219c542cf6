r"""Profiles of the likelihood: the maximum for each value of one coefficient, and its intervals.

`profile_ends` defines the profile and its signed root, and finds the ends of intervals. Here the
objective is the likelihood without a prior.

If classes are separated, the likelihood has a supremum and no maximum. A coefficient then grows
without bound along some **direction of recession**, along which no loss rises, or along none. If
one of these directions increases a coefficient, its profile falls towards the infimum as the
coefficient goes to infinity, and the interval has no upper end. If none of them increases it, the
profile grows without bound as the coefficient does, and the upper end is finite. The same is true
of decrease and the lower end [1]_. Parameters that are not held may grow without bound at a
constrained minimum; Newton steps then end within about 1e-9 nats of the infimum.

References
----------
.. [1] C. J. Geyer, "Likelihood inference in exponential families and directions of recession",
   Electronic Journal of Statistics 3, 2009. :doi:`10.1214/08-EJS349`
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from skxent.inference import profile_ends
from skxent.inference.constrained_fits import (
    Coordinates,
    Span,
    constrained_minimum,
    free,
    point_at,
    solved,
)
from skxent.inference.likelihood_estimate import LikelihoodEstimate
from skxent.inputs.fit_targets import Floats
from skxent.likelihood.objective import Objective, Point
from skxent.likelihood.optimise import preconditioners

FAINT = 0.05  # signed root at which a curve without an end stops, as a fraction of that at its ends
CENTRAL = 0.5  # largest rise, in nats, at the point where the search for an infimum takes its units

Place = tuple[float, Point]  # a signed distance, and the constrained minimum there


@dataclass(frozen=True, eq=False, repr=False)
class ProfileCurve:
    """The profile of the likelihood along one coefficient.

    Attributes
    ----------
    term : str
        Name of the term.
    contrast, reference : label
        The coefficient is the log-odds of the class `contrast` against the class `reference`.
    estimate, std_error : float
        The coefficient at the maximum of the likelihood, and its standard error. Both may be
        infinite if classes are separated.
    values : ndarray of shape (m,)
        Values of the coefficient, ascending, with the estimate among them if it is finite.
    log_likelihood : ndarray of shape (m,)
        Maximum of the log-likelihood for each value, in nats.
    signed_root : ndarray of shape (m,)
        Square root of twice the fall of the log-likelihood from its supremum, negative below the
        estimate. The Wald statistic (values - estimate) / std_error is its tangent.

    See Also
    --------
    LikelihoodInference.profile : Returns this class.
    """

    term: str
    contrast: object
    reference: object
    estimate: float
    std_error: float
    values: Floats
    log_likelihood: Floats
    signed_root: Floats

    def __repr__(self) -> str:
        return (
            f"ProfileCurve(term={self.term!r}, contrast={self.contrast!r}, "
            f"reference={self.reference!r}, {len(self.values)} values from {self.values[0]:.4g} "
            f"to {self.values[-1]:.4g})"
        )


@dataclass(frozen=True, eq=False)
class Middle:
    """A point in the middle of all intervals, from which distances are measured.

    Parameters
    ----------
    objective : Objective
    point : Point
        The optimum, or if the objective has no minimum a point near its infimum.
    inverse : (q, q) array
        The inverse Hessian at the point.
    infimum : float
        Infimum of the objective.
    """

    objective: Objective
    point: Point
    inverse: Floats
    infimum: float

    @classmethod
    def of(cls, at: LikelihoodEstimate, objective: Objective, separated: bool) -> Middle:
        """Make the middle from parameters at which the objective is at its infimum."""
        point = point_at(objective, at.theta[at.free].ravel())
        infimum = point.value
        if separated:
            q = len(at.covariance)
            start, all_free = point_at(objective, np.zeros(q)), Coordinates(np.arange(q))
            point = constrained_minimum(objective, start, all_free, enough=infimum + CENTRAL)
        H = preconditioners.hessian(objective, point.theta)
        return cls(objective, point, solved(H, np.eye(len(H))), infimum)


@dataclass(frozen=True, eq=False)
class Profile:
    """The profile of the coefficient a'theta; distances are in standard errors at the middle.

    Parameters
    ----------
    middle : Middle
    a : (q,) array
    """

    middle: Middle
    a: Floats
    std_error: float = field(init=False)
    tangent: Floats = field(init=False)
    others: Span = field(init=False)
    centre: Point = field(init=False)

    def __post_init__(self) -> None:
        """Compute the tangent of the profile, and whitened coordinates of the other parameters."""
        half = np.linalg.cholesky(self.middle.inverse)
        whitened = half.T @ self.a
        basis = np.linalg.qr(whitened[:, None], mode="complete")[0]
        error = float(np.linalg.norm(whitened))
        others = Span(half @ basis[:, 1:])
        computed = {
            "std_error": error,
            "tangent": half @ whitened / error,
            "others": others,
            "centre": constrained_minimum(self.middle.objective, self.middle.point, others),
        }
        for name, value in computed.items():
            object.__setattr__(self, name, value)

    @property
    def value(self) -> float:
        """The coefficient at the distance 0."""
        return float(self.a @ free(self.middle.point.theta))

    def start(self) -> Place:
        """Return the distance 0, and the constrained minimum there."""
        return 0.0, self.centre

    def at(self, distance: float, near: Place, limit: float = np.inf) -> Place:
        """Return the constrained minimum at a distance of the coefficient from the middle.

        Parameters
        ----------
        distance : float
        near : (distance, Point)
            Another distance and the minimum there. The fit starts on the line through that minimum
            and the one at the distance 0.
        limit : float
            Largest root at the start. If it is larger, as near separation, where the line leaves
            the range in which the likelihood is quadratic, the distance is moved towards `near`.
        """
        objective, before, theta = self.middle.objective, near[0], free(self.centre.theta)
        direction = (free(near[1].theta) - theta) / before if before else self.tangent
        first = point_at(objective, theta + distance * direction)
        while not self._rise(first) <= limit:
            distance = 0.5 * (distance + before)
            first = point_at(objective, theta + distance * direction)
        return distance, constrained_minimum(objective, first, self.others)

    def root(self, point: Point) -> float:
        """Return the signed root at a constrained minimum."""
        return float(np.copysign(self._rise(point), self.slope(point)))

    def slope(self, point: Point) -> float:
        """Return the derivative of the profile by the distance."""
        return float(free(point.gradient) @ self.tangent)

    def _rise(self, point: Point) -> float:
        """Return the square root of twice the rise from the infimum."""
        return float(np.sqrt(max(2.0 * (point.value - self.middle.infimum), 0.0)))


def intervals(middle: Middle, contrasts: Floats, coef: Floats, root: float) -> Floats:
    """Return the low and high ends of coefficients, (q, 2).

    Parameters
    ----------
    middle : Middle
    contrasts : (q, q) array
        The coefficients as linear functions of the free parameters.
    coef : (q,) array
        The coefficients. If one is infinite, so is that end of its interval; NaN stands for a
        coefficient whose interval has no end.
    root : float
        Signed root at the high ends.
    """
    ends = np.tile([-np.inf, np.inf], (len(coef), 1))
    for i, a in enumerate(contrasts):
        if np.isnan(coef[i]):
            continue
        profile = Profile(middle, a)
        for side, sign in enumerate((-1.0, 1.0)):
            if coef[i] != sign * np.inf:
                distance = profile_ends.end(profile, sign * root)
                ends[i, side] = profile.value + profile.std_error * distance
    return ends


def curve(
    profile: Profile, coef: float, root: float, n_points: int
) -> tuple[Floats, Floats, Floats]:
    """Return values between the ends for `root`, with log-likelihoods and signed roots there.

    Parameters
    ----------
    profile : Profile
    coef : float
        The coefficient. If it is infinite, the curve ends on this side where it is nearly flat.
    root : float
    n_points : int
        Number of points on each side of the coefficient, or of the middle if it is infinite.
    """
    targets = [sign * root if coef != sign * np.inf else -sign * FAINT * root for sign in (-1, 1)]
    low, high = (profile_ends.end(profile, target) for target in targets)
    middle = 0.5 * (low + high)
    if np.isfinite(coef):
        middle = (coef - profile.value) / profile.std_error
    distances = np.append(
        np.linspace(low, middle, n_points + 1), np.linspace(middle, high, n_points + 1)[1:]
    )
    found = np.empty((2, len(distances)))
    outwards = np.argsort(np.abs(distances), kind="stable")
    for side in (outwards[distances[outwards] <= 0], outwards[distances[outwards] > 0]):
        near = profile.start()
        for i in side:
            near = profile.at(float(distances[i]), near)
            found[:, i] = -near[1].value, profile.root(near[1])
    values = profile.value + profile.std_error * distances
    if np.isfinite(coef):
        values[n_points], found[:, n_points] = coef, (-profile.middle.infimum, 0.0)
    return values, found[0], found[1]
