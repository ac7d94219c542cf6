r"""Products with the Hessian in float32, for conjugate gradients.

In coordinates whitened by a preconditioner with least pivot L, a product of a vector v with the
Hessian has a rounding error of about epsilon of float32 times :math:`\|v\| / L^2` for each term
of a logit. Conjugate gradients compute a residual from all products so far. The errors of these
products add up to a bound of the distance between this residual and the true one. The bound is
added to the residual wherever the gap depends on it, so that the certificate stays valid. If the
bound is larger than the residual, the true residual and all further products are computed in
float64.

For sparse rows the error of a product is only estimated. If conjugate gradients would end with a
gap near the target, the true residual is computed, and they go on in float64 until they would end
again. No certificate therefore relies on a product in float32. Float32 is not used where losses are
so small that their curvature is lost in it.
"""

from __future__ import annotations

import numpy as np

from skxent.likelihood import tuning
from skxent.likelihood.objective import Objective
from skxent.likelihood.optimise.preconditioners import PreconditionedPoint, Preconditioner
from skxent.likelihood.sources.single_sums import SINGLE_EPS


class Products:
    """Products with the Hessian in whitened coordinates, in float32 while that suffices.

    Parameters
    ----------
    objective : Objective
    here : PreconditionedPoint
        Where the Hessian is taken, and the preconditioner.
    """

    def __init__(self, objective: Objective, here: PreconditionedPoint) -> None:
        self.objective = objective
        self.model: Preconditioner = here.preconditioner
        self.theta = here.point.theta
        certain = objective.penalty.is_definite and not objective.has_flat
        rows = objective.single_rows if certain else None
        if rows is not None and not rows.bounded:
            # Float32 loses the curvature of a sample whose loss is near its epsilon.
            clear = here.point.value > np.sqrt(SINGLE_EPS) * objective.total_weight
            rows = rows if clear else None
        rounding = 0.0
        if rows is not None:
            # The Hessian is at most twice its class blocks, see `preconditioners`.
            terms = 2.0 * rows.terms * (1.0 + tuning.FAR_CENTRE_SINGLE**2)
            rounding = SINGLE_EPS * terms / self.model.least_pivot**2
        self.single = rows is not None and rounding < tuning.CG_RESIDUAL
        # Whether the certificate may rely on the residual.
        self.verified = not self.single or rows is None or rows.bounded
        self.rounding = rounding if self.single else 0.0
        self.error = 0.0  # bound of the distance of the residual from the true one
        self.plain = not self.single  # whether all products were in float64

    def __call__(self, v: np.ndarray) -> np.ndarray:
        """Return the product of the Hessian and v, in whitened coordinates."""
        direction = self.model.from_whitened(v)
        with self.objective.with_products_in(self.single):
            product = self.objective.hessian_product(self.theta, direction)
        return self.model.to_whitened(product)

    def subtracted(self, length: float, v: np.ndarray, Hv: np.ndarray) -> None:
        """Record that `length` times the product of v was subtracted from the residual."""
        size = max(float(np.linalg.norm(v)), float(np.linalg.norm(Hv)))
        self.error += self.rounding * abs(length) * size

    def bound(self, rr: float) -> float:
        """Return an upper bound of the true residual's squared norm; `rr` is the computed one."""
        return (np.sqrt(rr) + self.error) ** 2 if self.error else rr

    def longest(self, r: np.ndarray) -> np.ndarray:
        """Return a residual in the direction of `r`, as long as the true one may be."""
        size = float(np.linalg.norm(r))
        return r * (1.0 + self.error / size) if self.error and size else r

    def gap(self, b: np.ndarray, s: np.ndarray, r: np.ndarray) -> float:
        r"""Return the part of the gap that a step s with residual r measures.

        With b = H s + r the gap is :math:`\tfrac12 (b^\top s + s^\top r + r^\top H^{-1} r)`. Its
        last term is not measured, and the second one is zero if all products are exact.
        """
        if self.plain:
            return 0.5 * float(b @ s)
        return 0.5 * (float(b @ s) + float(s @ r) + self.error * float(np.linalg.norm(s)))

    def lost(self, rr: float) -> bool:
        """Whether a residual of squared norm `rr` may be only rounding of float32."""
        return self.error**2 > rr

    def true_residual(self, b: np.ndarray, s: np.ndarray) -> np.ndarray:
        """Return b - H s in float64, and compute all further products in float64."""
        self.single, self.verified, self.rounding, self.error = False, True, 0.0, 0.0
        if self.objective.single_rows is not None:
            self.objective.single_rows.close()
        return b - self(s)
