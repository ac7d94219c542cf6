r"""The objective of a sample of rows, tilted to have the gradient of all rows at one point.

Let F be the objective of all rows and S that of a sample, whose rows have larger weights. At a
point :math:`\Theta_0` the tilted objective is

.. math:: T(\Theta) = S(\Theta) + \langle \nabla F(\Theta_0) - \nabla S(\Theta_0),\,
          \Theta - \Theta_0 \rangle .

It has the gradient of F at :math:`\Theta_0`. Its Hessian is that of the sample, at every point. Its
minimum is therefore nearer to the minimum of F than the Newton step of the sample's Hessian: the
curvature of nearly separated classes changes by large factors on the way, and T knows this. An
evaluation of T reads only the sample. One pass over all rows then gives the exact objective and
gradient at the minimum of T.

If the quadratic form of the sample's Hessian is between 1 - e and 1 + e times that of all rows, for
every direction, one step shortens the distance to a nearby minimum by the factor e / (1 - e). Rows
that are drawn in proportion to their leverage make e small in every direction: with leverages that
add up to P, a sample of m rows has an e of about :math:`\sqrt{P / m}` (D. Spielman and N.
Srivastava, "Graph sparsification by effective resistances", SIAM Journal on Computing 40, 2011).
With rows drawn uniformly, or by their part in the total curvature, the curvature of a few
directions, such as that of a rare class in a rare category, hangs on one or two rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from skxent.likelihood.objective import Objective, Point


@dataclass(frozen=True)
class Tilted:
    """The tilted objective of a sample; a `lbfgs.Function`.

    Parameters
    ----------
    source : Objective
        The objective of the sample.
    start : Point
        The point of the tilted objective at which it has the gradient of all rows.
    tilt : (R, p) array
        The difference of the two gradients there.
    """

    source: Objective
    start: Point
    tilt: np.ndarray

    @classmethod
    def of(cls, source: Objective, point: Point) -> Self:
        """Return the objective `source`, tilted to have the gradient of `point`."""
        untilted = source(point.theta)
        start = replace(untilted, gradient=point.gradient)
        return cls(source, start, point.gradient - untilted.gradient)

    def __call__(self, theta: np.ndarray) -> Point:
        """Return value and gradient, from one read of the sample."""
        point = self.source(theta)
        value = point.value + float(np.vdot(self.tilt, theta - self.start.theta))
        return replace(point, value=value, gradient=point.gradient + self.tilt)

    def max_logit_range(self, direction: np.ndarray) -> float:
        """Return the largest difference, over the sample, between the changes of two logits."""
        return self.source.max_logit_range(direction)
