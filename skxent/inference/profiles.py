r"""Profiles of the likelihood: the maximum for each value of one coefficient, and its intervals.

The profile :math:`F(b)` is the minimum of the objective among all parameters whose coefficient
:math:`a^\top\theta` is b. The **signed root** :math:`r(b) = \pm\sqrt{2 (F(b) - F(\hat b))}`, with
the sign of :math:`b - \hat b`, is about standard normal if b is the true coefficient. The interval
of level :math:`1 - \alpha` consists of all b with :math:`|r(b)| \le z_{1 - \alpha/2}`: a
likelihood-ratio test does not reject them [1]_. If the likelihood is quadratic, r(b) is the line
:math:`(b - \hat b) / s` with the standard error s, and the interval is Wald's.

With a multiplier :math:`\lambda` of the constraint, :math:`\nabla F = \lambda a` at the constrained
minimum, so that :math:`F'(b) = \lambda` and :math:`r'(b) = \lambda / r`. Since r is nearly linear,
Newton steps find where it is z. The steps are kept within brackets.

References
----------
.. [1] D. J. Venzon, S. H. Moolgavkar, "A method for computing profile-likelihood-based confidence
   intervals", Applied Statistics 37, 1988. :doi:`10.2307/2347496`
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from skxent.inference.constrained_fits import Span, constrained_minimum, free, point_at
from skxent.inference.term_tests import Refits
from skxent.inputs.fit_targets import Floats
from skxent.likelihood.objective import Point

CLOSE = 1e-6  # relative change of an end at which the search stops; its error is about the square
SEARCH = 100  # largest number of constrained fits for one end
START = 2.0  # largest root at the start of a constrained fit, as a multiple of the root of the end
GROWTH = 2.0  # largest factor from one trial to the next before the end is bracketed
FARTHEST = 1e8  # distance in standard errors beyond which an end counts as infinite

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
        The coefficient at the maximum of the likelihood, and its standard error.
    values : ndarray of shape (m,)
        Values of the coefficient, ascending, with the estimate among them.
    log_likelihood : ndarray of shape (m,)
        Maximum of the log-likelihood for each value, in nats.
    signed_root : ndarray of shape (m,)
        Square root of twice the fall of the log-likelihood from its maximum, negative below the
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
class Profile:
    """The profile of the coefficient a'theta; distances are in standard errors.

    Parameters
    ----------
    refits : Refits
    a : (q,) array
    """

    refits: Refits
    a: Floats
    best: Point = field(init=False)
    std_error: float = field(init=False)
    tangent: Floats = field(init=False)
    others: Span = field(init=False)

    def __post_init__(self) -> None:
        """Compute the tangent of the profile, and whitened coordinates of the other parameters."""
        half = np.linalg.cholesky(self.refits.inverse)
        whitened = half.T @ self.a
        basis = np.linalg.qr(whitened[:, None], mode="complete")[0]
        error = float(np.linalg.norm(whitened))
        computed = {
            "best": self.refits.without(()),
            "std_error": error,
            "tangent": half @ whitened / error,
            "others": Span(half @ basis[:, 1:]),
        }
        for name, value in computed.items():
            object.__setattr__(self, name, value)

    def at(self, distance: float, near: Place, limit: float = np.inf) -> Place:
        """Return the constrained minimum at a distance of the coefficient from its optimum.

        Parameters
        ----------
        distance : float
        near : (distance, Point)
            Another distance and the minimum there. The fit starts on the line through that minimum
            and the optimum.
        limit : float
            Largest root at the start. If it is larger, as near separation, where the line leaves
            the range in which the likelihood is quadratic, the distance is moved towards `near`.
        """
        before, theta = near[0], free(self.best.theta)
        direction = (free(near[1].theta) - theta) / before if before else self.tangent
        first = point_at(self.refits.objective, theta + distance * direction)
        while not self.root(first) <= limit:
            distance = 0.5 * (distance + before)
            first = point_at(self.refits.objective, theta + distance * direction)
        return distance, constrained_minimum(self.refits.objective, first, self.others)

    def root(self, point: Point) -> float:
        """Return the square root of twice the rise of the profile, without a sign."""
        return float(np.sqrt(max(2.0 * (point.value - self.best.value), 0.0)))

    def slope(self, point: Point) -> float:
        """Return the derivative of the profile by the distance."""
        return float(free(point.gradient) @ self.tangent)

    def end(self, root: float, sign: float) -> float:
        """Return the signed distance at which the root is `root`; infinite if it is too far."""
        trial, inside, outside = root, 0.0, np.inf
        near: Place = (0.0, self.best)
        for _ in range(SEARCH):
            place = self.at(sign * trial, near, START * root)
            trial, found = sign * place[0], self.root(place[1])
            inside, outside = (trial, outside) if found < root else (inside, trial)
            near = near if found > root else place
            slope = sign * self.slope(place[1])
            new = trial + (root - found) * found / slope if slope > 0 else np.inf
            if abs(new - trial) <= CLOSE * trial:
                return sign * new
            trial = _between(new, inside, outside)
            if trial > FARTHEST:
                return sign * np.inf
        raise ArithmeticError("the profile of a coefficient could not be followed to its end.")


def _between(new: float, inside: float, outside: float) -> float:
    """Return a Newton step if it is within the bracket, else a point of the bracket."""
    if np.isinf(outside):
        return new if inside < new < GROWTH * inside else GROWTH * inside
    return new if inside < new < outside else 0.5 * (inside + outside)


def intervals(refits: Refits, contrasts: Floats, coef: Floats, root: float) -> Floats:
    """Return the low and high ends of coefficients.

    Parameters
    ----------
    refits : Refits
    contrasts : (q, q) array
        The coefficients as linear functions of the free parameters.
    coef : (q,) array
        Their values at the optimum.
    root : float
        Signed root at the high ends.
    """
    ends = np.empty((len(coef), 2))
    for i, a in enumerate(contrasts):
        profile = Profile(refits, a)
        for side, sign in enumerate((-1.0, 1.0)):
            ends[i, side] = coef[i] + profile.std_error * profile.end(root, sign)
    return ends


def curve(profile: Profile, root: float, n_points: int) -> tuple[Floats, Floats, Floats]:
    """Return distances between the ends for `root`, with log-likelihoods and signed roots there."""
    sides = []
    for sign in (-1.0, 1.0):
        near: Place = (0.0, profile.best)
        rows = []
        for distance in np.linspace(0.0, profile.end(root, sign), n_points + 1)[1:]:
            near = profile.at(float(distance), near)
            rows.append((near[0], -near[1].value, sign * profile.root(near[1])))
        sides.append(rows)
    rows = [*sides[0][::-1], (0.0, -profile.best.value, 0.0), *sides[1]]
    distances, log_likelihoods, roots = np.array(rows).T
    return distances, log_likelihoods, roots
