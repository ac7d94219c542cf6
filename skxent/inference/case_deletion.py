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

from skxent.likelihood import kernels, tuning
from skxent.likelihood.objective import Objective
from skxent.likelihood.optimise import preconditioners
from skxent.likelihood.optimise.preconditioners import Cholesky
from skxent.likelihood.solution import Solution
from skxent.likelihood.sources.blocks import Blocks
from skxent.likelihood.sources.local_sums import LocalSums


@dataclass(frozen=True)
class Fit:
    """A fit of all samples, with the Cholesky factor of its Hessian and its target gap."""

    objective: Objective
    theta: np.ndarray
    model: Cholesky
    target: float

    @classmethod
    def of(cls, objective: Objective, solution: Solution) -> Fit:
        """Factor the Hessian at a solution."""
        theta = objective.enter(solution.coef, solution.intercept)
        with closing(objective):
            model = preconditioners.full(objective, theta)
        return cls(objective, theta, model, solution.target)

    @property
    def rows(self) -> LocalSums:
        """Sums over the samples."""
        rows = self.objective.rows.in_memory()
        assert rows is not None
        return rows

    def step(self, row: int, push: np.ndarray) -> np.ndarray:
        """Return the Newton step to the minimum without a sample; `push` is its u."""
        rows = self.rows
        (x,) = rows.samples(slice(row, row + 1), rows.blocks.buffer())
        force = np.zeros_like(self.theta)
        force[: len(push)] = np.outer(push, x)
        return self.model.from_whitened(self.model.to_whitened(force))


def one_step(fit: Fit, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the logits of all samples, (n, R); of `rows`, their changes A u and u, (m, free)."""
    held, theta = fit.rows, fit.theta
    (R, p), free = theta.shape, max(len(theta) - 1, 1)
    half = lapack.dtrtri(fit.model.factors[0], lower=1)[0] * fit.model.scales[0]
    known = held.blocks
    # B of a sample has free^2 p numbers, so these blocks have fewer samples than usual.
    blocks = Blocks(
        known.X,
        centre=known.centre,
        n_outputs=free * free * p,
        n_threads=held.data.n_threads,
    )
    Z = np.empty((known.n_rows, R))
    moves, pushes = np.empty((2, len(rows), free))

    def work(segment: list[slice]) -> None:
        buffer = blocks.buffer()
        for block in blocks.runs(segment):
            x = held.samples(block, buffer)
            Z[block] = x @ theta.T
            held.data.add_offset(Z[block].T, block)
            P, others = _probabilities(Z[block])
            Y = held.data.target_block(block)
            r = kernels.losses_and_residuals(Z[block].T, Y[1:] if R == 1 else Y)[1]
            r = held.weigh(r, block)[:free].T
            w = held.weigh(np.ones(len(x)), block)
            out = slice(*np.searchsorted(rows, (block.start, block.stop)))
            own = rows[out] - block.start
            P, others = P[own, :free], others[own, :free]
            moves[out], pushes[out] = _moves(half, x[own], P, others, r[own], w[own])

    with closing(blocks):
        blocks.map(work)
    return Z, moves, pushes


def _probabilities(Z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities p and 1 - p, both without cancellation, from logits (m, R)."""
    if Z.shape[1] == 1:
        return expit(Z), expit(-Z)
    P = softmax(Z, axis=1)
    others = 1.0 - P
    at = np.arange(len(P)), P.argmax(axis=1)
    rest = P.copy()
    rest[at] = 0.0
    others[at] = rest.sum(axis=1)
    return P, others


def _moves(
    half: np.ndarray,
    x: np.ndarray,
    P: np.ndarray,
    others: np.ndarray,
    r: np.ndarray,
    w: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return A u and u = (I - W A)^-1 r of some samples, both (m, free); `half` is T'."""
    (m, p), free = x.shape, P.shape[1]
    B = np.zeros((m, free, free * p))
    for k in range(free):  # T' is lower triangular: the rows above k p are zero here
        np.matmul(x, half[k * p :, k * p : (k + 1) * p].T, out=B[:, k, k * p :])
    A = B @ B.swapaxes(1, 2)
    W = -w[:, None, None] * P[:, :, None] * P[:, None, :]
    W[:, range(free), range(free)] = w[:, None] * P * others
    # If one sample alone determines a coefficient, its leverage is one and I - W A is singular
    # without the jitter.
    lever = (1.0 + tuning.JITTER) * np.eye(free) - W @ A
    u = np.linalg.solve(lever, r[:, :, None])
    return (A @ u)[:, :, 0], u[:, :, 0]


def largest_change(moves: np.ndarray) -> np.ndarray:
    """Return the largest change of a difference of two logits of each sample.

    The logit of the class with fixed parameters does not change.
    """
    return np.maximum(moves.max(axis=1), 0.0) - np.minimum(moves.min(axis=1), 0.0)
