r"""The observed information: the Hessian of the objective at its minimum, and its inverse.

Conventions
-----------
Samples :math:`\tilde x_i = (x_i - \mu, 1)` are those of `Objective`: centred if there is an
intercept. The parameters of one class are fixed at zero: of the last class, or of the first of two,
as in `preconditioners.full`. The **free** parameters are the q = (K - 1) p parameters of the other
classes, row-major. Everything in `inference` is computed for the free parameters of centred
samples, because the variance of w'x + b loses its digits to cancellation if x is far from zero,
such as a timestamp. Only `LikelihoodEstimate.map` converts to parameters for samples that are not
centred.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import lapack

from skxent.likelihood.objective import Objective, Point
from skxent.likelihood.optimise import preconditioners
from skxent.likelihood.optimise.preconditioners import Cholesky, PreconditionedPoint
from skxent.likelihood.penalty import Penalty

# Smallest reciprocal condition number of the Hessian scaled to unit diagonal. A variance then has
# three correct digits.
SINGULAR = 1e-12
STEPS = 8  # largest number of Newton steps; from a gap of 1e-3 nats three are enough
DONE = 1e-22  # gap, as a fraction of the objective, at which Newton steps end; below rounding
MOVES = 1e-3  # a minimum is finite if a further Newton step changes logits by less than this


def information(objective: Objective, theta: np.ndarray) -> Cholesky | None:
    """Return the Cholesky factor of the Hessian at `theta`, or None if it is numerically singular.

    `preconditioners.full` adds a jitter to the diagonal, which makes steps stable but would make
    variances wrong.
    """
    A = preconditioners.hessian(objective, theta)
    diagonal = np.diagonal(A)
    if not (diagonal > 2 * objective.full_least_curvature).all():
        return None
    scale = 1.0 / np.sqrt(diagonal)
    A *= scale
    A *= scale[:, None]
    A.flat[:: len(A) + 1] = 1.0
    L, info = lapack.dpotrf(A, lower=1, clean=1)
    if info:
        return None
    rcond, _ = lapack.dpocon(L, np.abs(A).sum(axis=0).max(), uplo="L")
    return Cholesky(theta.shape, [scale], [L]) if rcond > SINGULAR else None


def newton(objective: Objective, point: Point, model: Cholesky) -> tuple[Point, Cholesky]:
    """Take Newton steps until the decrement is mere rounding; return the point and its Hessian."""
    here = PreconditionedPoint.of(model, point)
    for _ in range(STEPS):
        if here.decrement <= DONE * here.point.value:
            break
        theta = here.point.theta + here.newton_step
        new = information(objective, theta)
        if new is None:
            break
        there = PreconditionedPoint.of(new, objective(theta))
        if not there.decrement < here.decrement:
            break
        here, model = there, new
    return here.point, model


def still(objective: Objective, point: Point, model: Cholesky) -> bool:
    """Tell whether another Newton step would hardly change logits, as at a finite minimum.

    On the way to an infimum at infinity each step changes a logit by about 1.
    """
    return objective.max_logit_range(PreconditionedPoint.of(model, point).newton_step) < MOVES


def effective_df(model: Cholesky, covariance: np.ndarray, penalty: Penalty, d: int) -> float:
    r"""Return tr(H^-1 J) = q - tr(H^-1 (H - J)), with the Hessian J without the penalty."""
    R, p = model.shape
    n = max(R - 1, 1)
    return n * p - penalty.hessian_trace(covariance.reshape(n, p, n, p)[:, :d, :, :d])


def inverse(model: Cholesky) -> np.ndarray:
    """Return H^-1 = T T', (q, q), from the Cholesky factor of H."""
    half, _ = lapack.dtrtri(model.factors[0], lower=1)
    half *= model.scales[0]
    return half.T @ half
