r"""Newton's method for smooth convex functions of few parameters.

Each step is a Newton step with a line search. The decrement :math:`\frac12 g^\top H^{-1} g` is
Newton's own estimate of the distance to the minimum, in the unit of the function.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, Self, TypeVar

import numpy as np
from scipy.sparse.linalg import LinearOperator, cg

from skxent.inputs.namespaces import Floats

MOST_STEPS = 200
RELATIVE = 1e-14  # decrement at which a minimisation ends, as a fraction of the function's value
SMALLEST = 1e-4  # least value that RELATIVE is multiplied by, because of rounding
CONVERGED = 1e-9  # decrement in nats; with a smaller one, an end by rounding counts as converged
HIDDEN = 1e-10  # eigenvalue of a Hessian with unit diagonal below which rounding may hide it
FLAT = 1e-26  # least curvature in those coordinates that rounding errors leave
DESCENT = 1e-4  # least decrease of a step, as a fraction of the predicted one (Armijo)
ROUNDING = 4 * float(np.finfo(np.float64).eps)
LARGEST_LOGIT = 1e100  # largest change of a logit in one step, so that nothing overflows
CG_RESIDUAL = 1e-4  # residual at which conjugate gradients end, as a fraction of the gradient


class Point(Protocol):
    """The value and derivatives of a convex function at one point."""

    @property
    def value(self) -> float:
        """Return the value of the function."""

    @property
    def gradient(self) -> Floats:
        """Return the gradient of the function."""

    def hessian(self) -> Floats | LinearOperator:
        """Return the Hessian, positive semidefinite, as a matrix or a linear operator."""

    def hessian_diagonal(self) -> Floats:
        """Return the diagonal of the Hessian."""

    def hessian_root(self, V: Floats) -> Floats:
        """Return R V, where R'R is the Hessian and V has a column for each direction."""

    def gradient_rounding(self) -> Floats:
        """Return bounds of the rounding errors of the gradient."""

    def moved(self, step: Floats) -> Self:
        """Return the same function at another point."""

    def change(self, step: Floats) -> float:
        """Return an upper bound of the change of any logit by a step."""


P = TypeVar("P", bound=Point)


@dataclass(frozen=True)
class Minimum(Generic[P]):
    """The point at which a minimisation ended, with the decrement and the Newton step there."""

    point: P
    decrement: float
    step: Floats | None = None
    n_steps: int = 0

    @property
    def converged(self) -> bool:
        """Whether the decrement, the estimated distance to the minimum, is negligible."""
        return self.decrement <= CONVERGED


def minimise(point: P, target: Callable[[float], float] | None = None) -> Minimum[P]:
    """Minimise a convex function, starting at `point`.

    The minimisation ends when rounding hides any decrease, or when the decrement is at most
    ``target(value)`` if a target is given.
    """
    decrement, step, n_steps = np.inf, None, 0
    for _ in range(MOST_STEPS):
        step, decrement = _newton_step(point)
        if decrement <= RELATIVE * max(point.value, SMALLEST):
            break
        if target is not None and decrement <= target(point.value):
            break
        following = _line_search(point, step)
        if following is None:
            break
        point, n_steps = following, n_steps + 1
    return Minimum(point, decrement, step, n_steps)


def _newton_step(point: Point) -> tuple[Floats, float]:
    """Solve H s = -g in coordinates in which the diagonal of H is one.

    Also returns the decrement. A small eigenvalue of H is mostly the rounding error of its entries,
    which hides directions in which the function hardly bends and may still fall far. There the
    curvature is that of the root of H, whose rounding errors are squared.
    """
    H = point.hessian()
    matrix = isinstance(H, np.ndarray)
    diagonal = np.diag(H) if matrix else point.hessian_diagonal()
    scale = 1.0 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    g = scale * point.gradient
    if not matrix:

        def product(v: Floats) -> Floats:  # v @ product(v) must not be 0, `cg` divides by it
            return scale * (H @ (scale * v)) + FLAT * v

        scaled = LinearOperator(H.shape, product, dtype=np.float64)
        s = cg(scaled, -g, rtol=CG_RESIDUAL, maxiter=10 * len(g))[0]
        return scale * s, -0.5 * float(g @ s)
    curvatures, directions = np.linalg.eigh(scale[:, None] * H * scale)
    hidden = curvatures <= HIDDEN
    if hidden.any():
        curvatures[hidden], directions[:, hidden] = _hidden_curvatures(
            point, scale, directions[:, hidden]
        )
    slopes, flat = directions.T @ g, curvatures <= FLAT
    errors = np.abs(directions).T @ (scale * point.gradient_rounding())
    size = np.abs(slopes)
    # A hidden slope may be as large as its rounding error. Without curvature it may also be 0.
    size = np.where(hidden & ~flat, np.maximum(size, errors), size)
    slopes = np.copysign(np.where(flat & (size <= errors), 0.0, size), slopes)
    solved = -slopes / curvatures
    return scale * (directions @ solved), -0.5 * float(slopes @ solved)


def _hidden_curvatures(point: Point, scale: Floats, basis: Floats) -> tuple[Floats, Floats]:
    """Return the curvatures of H in the span of a basis, and the directions that have them."""
    root = np.linalg.qr(point.hessian_root(scale[:, None] * basis), mode="r")
    _, sizes, mixture = np.linalg.svd(root)
    curvatures = np.full(basis.shape[1], FLAT)
    curvatures[: len(sizes)] = np.maximum(sizes**2, FLAT)
    return curvatures, basis @ mixture.T


def _line_search(point: P, step: Floats) -> P | None:
    """Return a point of lower value along the step, or None if rounding hides any decrease."""
    slope = float(point.gradient @ step)
    if not slope < 0:
        return None
    t = min(1.0, LARGEST_LOGIT / max(point.change(step), 1.0))
    found = _lower(point, step, slope, t)
    if found is None or found[1] < t:
        return found and found[0]
    # Where the function is nearly linear a Newton step may be much too short.
    best, t = found
    while t < 1e10 and float(best.gradient @ step) < 0.5 * slope:
        t *= 4.0
        further = point.moved(t * step)
        if not further.value < best.value:
            break
        best = further
    return best


def _lower(point: P, step: Floats, slope: float, t: float) -> tuple[P, float] | None:
    """Shorten a step until the function decreases by a fraction of the predicted decrease."""
    noise, least = ROUNDING * max(abs(point.value), 1e-3), 1e-200 * t
    while t * abs(slope) > 1e-3 * noise and t > least:
        trial = point.moved(t * step)
        if trial.value <= point.value + DESCENT * t * slope:
            return trial, t
        # Values that differ by rounding only cannot be compared, but slopes still can.
        flat = abs(trial.value - point.value) <= noise
        if flat and abs(float(trial.gradient @ step)) <= 0.9 * abs(slope):
            return trial, t
        bend = trial.value - point.value - t * slope
        t *= min(max(-t * slope / (2.0 * bend), 0.01), 0.5) if np.isfinite(bend) else 0.01
    return None
