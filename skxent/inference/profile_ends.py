r"""Search for the ends of intervals by a profile.

The **profile** of a coefficient b is the minimum :math:`F(b)` of an objective among all parameters
with this coefficient. The objective may be a likelihood, with or without a prior. Let F be its
infimum, and let the **signed root** be :math:`r(b) = \operatorname{sign}(F'(b)) \sqrt{2 (F(b) -
F)}`. It is about standard normal if b is the true coefficient. The interval of level
:math:`1 - \alpha` consists of all b with :math:`|r(b)| \le z_{1 - \alpha/2}`, the values that a
likelihood-ratio test does not reject [1]_. If the objective is quadratic, r(b) is the line
:math:`(b - \hat b) / s` with the standard error s, and the interval is Wald's.

With a multiplier :math:`\lambda` of the constraint, the gradient of the objective is
:math:`\lambda a` at the constrained minimum of :math:`a^\top\theta = b`, so that :math:`F'(b) =
\lambda` and :math:`r'(b) = |\lambda / r|`. Since r grows and is nearly linear, Newton steps find
where it has a given value. The steps are kept within brackets.

References
----------
.. [1] D. J. Venzon, S. H. Moolgavkar, "A method for computing profile-likelihood-based confidence
   intervals", Applied Statistics 37, 1988. :doi:`10.2307/2347496`
"""

from __future__ import annotations

from typing import Protocol, TypeVar

import numpy as np

CLOSE = 1e-6  # relative change of an end at which the search stops; its error is about the square
LEAST = 1e-3  # roots and distances below this fraction of the root at an end count as near zero
SEARCH = 100  # largest number of constrained fits for one end
START = 2.0  # largest root at the start of a constrained fit, as a multiple of the root of the end
GROWTH = 2.0  # largest factor from one trial to the next before the end is bracketed
FARTHEST = 1e8  # distance in standard errors beyond which an end counts as infinite

P = TypeVar("P")  # a constrained minimum


class Profiled(Protocol[P]):
    """The constrained minima along one coefficient; distances are in standard errors."""

    def start(self) -> tuple[float, P]:
        """Return a distance near the middle of the interval, and the minimum there."""
        ...

    def at(self, distance: float, near: tuple[float, P], limit: float) -> tuple[float, P]:
        """Return the minimum at a distance, or at one nearer to `near` if it is out of reach.

        The fit starts where the objective is at most `limit` squared halves above its infimum.
        """
        ...

    def root(self, point: P) -> float:
        """Return the signed root at a constrained minimum."""
        ...

    def slope(self, point: P) -> float:
        """Return the derivative of the profile by the distance at a constrained minimum."""
        ...


def end(profile: Profiled[P], target: float) -> float:
    """Return the distance at which the signed root is `target`; infinite if it is too far."""
    near = profile.start()
    first, found = near[0], profile.root(near[1])
    sign = 1.0 if found < target else -1.0
    # From here on `trial`, `inside` and `outside` are measured from the start towards the end.
    inside, outside = 0.0, np.inf
    trial = _between(_newton(profile, near, sign, target), inside, outside, target)
    for _ in range(SEARCH):
        limit = START * max(abs(target), abs(profile.root(near[1])))
        place = profile.at(first + sign * trial, near, limit)
        trial = sign * (place[0] - first)
        if sign * (target - profile.root(place[1])) > 0:
            inside, near = trial, place
        else:
            outside = trial
        step = _newton(profile, place, sign, target)
        if abs(step) <= CLOSE * max(abs(place[0]), LEAST * abs(target)):
            return place[0] + sign * step
        trial = _between(trial + step, inside, outside, target)
        if trial > FARTHEST:
            return sign * np.inf
    raise ArithmeticError("the profile of a coefficient could not be followed to its end.")


def _newton(profile: Profiled[P], place: tuple[float, P], sign: float, target: float) -> float:
    """Return the Newton step to the end, positive if it is in the direction `sign`."""
    root, slope = profile.root(place[1]), abs(profile.slope(place[1]))
    if abs(root) <= LEAST * abs(target):  # the ratio of two numbers near zero is inaccurate
        return sign * target
    return sign * (target - root) * abs(root) / slope if slope else np.inf


def _between(new: float, inside: float, outside: float, target: float) -> float:
    """Return a Newton step if it is within the bracket, else a point of the bracket."""
    if np.isinf(outside):
        farthest = GROWTH * inside or abs(target)
        return new if inside < new < farthest else farthest
    return new if inside < new < outside else 0.5 * (inside + outside)
