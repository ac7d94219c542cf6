r"""The Newton step from the minimum of all samples to the minimum without one of them.

At the minimum of F its gradient is zero. The gradient of F without sample i is therefore minus the
gradient of this sample, :math:`-X_i r_i`, with :math:`X_i = I \otimes \tilde x_i` and the residual
:math:`r_i = w_i (p_i - y_i)`. The Hessian without the sample is :math:`H - X_i W_i X_i^\top`, with
:math:`W_i = w_i (\mathrm{diag}\,p_i - p_i p_i^\top)`. The Newton step to the minimum without the
sample is :math:`(H - X_i W_i X_i^\top)^{-1} X_i r_i`, and by Woodbury's identity

.. math:: (H - X_i W_i X_i^\top)^{-1} X_i r_i = H^{-1} X_i u_i, \qquad
          u_i = (I - W_i A_i)^{-1} r_i, \qquad A_i = X_i^\top H^{-1} X_i ,

which changes the logits of the sample by :math:`A_i u_i`. One factorisation of H serves all
samples. If F is quadratic, the step is exact: it is Allen's PRESS, with the leverage :math:`W_i
A_i`. All formulas are for the first K - 1 classes, and the parameters of the last class are fixed
at zero as in `preconditioners.full`, so that neither H nor :math:`W_i` has flat directions. Two
classes have one logit, and the matrices are numbers. With :math:`H^{-1} = T T^\top` and :math:`B_i
= T^\top X_i`, :math:`A_i = B_i^\top B_i` is a sum without cancellation.

References
----------
.. [1] D. Pregibon, "Logistic regression diagnostics", Annals of Statistics 9, 1981: the step for
   two classes. :doi:`10.1214/aos/1176345513`
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack
from scipy.special import expit, softmax

from skxent.inference.continuation import Curvature
from skxent.likelihood import kernels, tuning
from skxent.likelihood.objective import Objective, Point
from skxent.likelihood.optimise.preconditioners import Cholesky
from skxent.likelihood.solution import Solution
from skxent.likelihood.sources.blocks import Blocks
from skxent.likelihood.sources.local_sums import LocalSums


@dataclass(frozen=True)
class Fit:
    """A fit of all samples, with the curvature at its end and its target gap.

    Parameters
    ----------
    objective : Objective
    point : Point
        The minimum.
    curvature : Curvature
        The Hessian of the losses at the minimum, or so near that the difference does not matter.
    model : Cholesky
        The factored Hessian, which has the penalty as well.
    target : float
        In nats.
    """

    objective: Objective
    point: Point
    curvature: Curvature
    model: Cholesky
    target: float

    @classmethod
    def of(cls, objective: Objective, solution: Solution) -> Fit:
        """Factor the Hessian at a solution."""
        theta = objective.enter(solution.coef, solution.intercept)
        curvature = Curvature.of(objective, theta)
        return cls.with_curvature(objective, objective(theta), curvature, solution.target)

    @classmethod
    def with_curvature(
        cls, objective: Objective, point: Point, curvature: Curvature, target: float
    ) -> Fit:
        """Factor the Hessian of the losses in `curvature` and of the penalty."""
        return cls(objective, point, curvature, curvature.factored(objective), target)

    @property
    def theta(self) -> np.ndarray:
        """Parameters at the minimum for centred samples, (R, p)."""
        return self.point.theta

    @property
    def half(self) -> np.ndarray:
        """The transpose of T, a lower triangle, for the inverse T T' of the Hessian."""
        inverse: np.ndarray = lapack.dtrtri(self.model.factors[0], lower=1)[0]
        return inverse * self.model.scales[0]

    def step(self, x: np.ndarray, push: np.ndarray) -> np.ndarray:
        """Return the Newton step to the minimum without the sample x, (p,); `push` is its u."""
        force = np.zeros_like(self.theta)
        force[: len(push)] = np.outer(push, x)
        return self.model.from_whitened(self.model.to_whitened(force))


def one_step(
    sums: LocalSums, theta: np.ndarray, half: np.ndarray, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the logits of all samples, (n, R); of `rows`, their changes A u and u, (m, free).

    The last array, (m,), has the fraction of the curvature that is left without each of `rows` in
    the direction that loses most, or less. `half` is that of the `Fit`.
    """
    free, p = max(len(theta) - 1, 1), theta.shape[1]
    Z = sums.logits(theta)
    moves, pushes, left = *np.empty((2, len(rows), free)), np.empty(len(rows))
    if not len(rows):
        return Z.T, moves, pushes, left
    own, Y = np.ascontiguousarray(Z[:, rows]), sums.data.target_block(rows)
    r = kernels.losses_and_residuals(own, Y[1:] if len(Y) == 2 else Y)[1]
    w = np.ones(len(rows)) if sums.data.weight is None else sums.data.weight[rows]
    P, others = _probabilities(own)
    # B of a sample has free^2 p numbers, so these blocks have fewer samples than usual.
    blocks = Blocks(sums.samples_at(rows), n_outputs=free * free * p, n_threads=sums.data.n_threads)

    def work(segment: list[slice]) -> None:
        for block in segment:
            x = blocks.read(block, None)
            probabilities = P[:free, block], others[:free, block]
            moves[block], pushes[block], left[block] = _moves(
                half, x, *probabilities, (r[:free, block] * w[block]).T, w[block]
            )

    with closing(blocks):
        blocks.map(work)
    return Z.T, moves, pushes, left


def _probabilities(Z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities p and 1 - p, both without cancellation, from class-major logits."""
    if len(Z) == 1:
        return expit(Z), expit(-Z)
    P = softmax(Z, axis=0)
    others = 1.0 - P
    at = P.argmax(axis=0), np.arange(P.shape[1])
    rest = P.copy()
    rest[at] = 0.0
    others[at] = rest.sum(axis=0)
    return P, others


def _moves(
    half: np.ndarray,
    x: np.ndarray,
    P: np.ndarray,
    others: np.ndarray,
    r: np.ndarray,
    w: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return A u and u = (I - W A)^-1 r of some samples, (m, free), and det(I - W A), (m,).

    x is (m, p), probabilities are (free, m), and r, which is weighted, is (m, free). `half` is T'.
    The eigenvalues of I - W A are between 0 and 1, and so none is below the determinant.
    """
    (m, p), free = x.shape, len(P)
    # T' is lower triangular: the rows above k p of B are zero for class k, and left out.
    B = [x @ half[k * p :, k * p : (k + 1) * p].T for k in range(free)]
    A = np.empty((m, free, free))
    for k in range(free):
        for l in range(k, free):
            A[:, k, l] = A[:, l, k] = np.einsum("mj,mj->m", B[k][:, (l - k) * p :], B[l])
    W = -(w * P)[:, None, :] * P
    W[range(free), range(free)] = w * P * others
    # If one sample alone determines a coefficient, its leverage is one and I - W A is singular
    # without the jitter.
    lever = (1.0 + tuning.JITTER) * np.eye(free) - W.transpose(2, 0, 1) @ A
    u = r[:, :, None] / lever if free == 1 else np.linalg.solve(lever, r[:, :, None])
    return (A @ u)[:, :, 0], u[:, :, 0], np.linalg.det(lever)


def largest_change(moves: np.ndarray) -> np.ndarray:
    """Return the largest change of a difference of two logits of each sample.

    The logit of the class with fixed parameters does not change.
    """
    return np.maximum(moves.max(axis=1), 0.0) - np.minimum(moves.min(axis=1), 0.0)
