r"""The negative log-likelihood less the logarithm of Jeffreys' prior, and its derivatives.

Conventions
-----------
Samples :math:`u_i` with m numbers are those of `OrthonormalSamples`. The logits of one class are
fixed at zero: of the last class, or of the first of two. The parameters `theta`, (K - 1, m), are
those of the other classes, which are the free classes. Vectors of q = (K - 1) m numbers are
`theta` row by row. Sums over classes below are over free classes. Weights are :math:`w_i`, and the
sample index of p, h, s and c is left out.

Objective
---------
.. math:: F(\theta) = \sum_i w_i H(y_i, p_i) - \tfrac12 \log\det I(\theta), \qquad
          I = \sum_i w_i (\mathrm{diag}(p) - p p^\top) \otimes u_i u_i^\top

The information I is the Hessian of the first sum. The gradient of its determinant follows from the
third cumulants of a multinomial outcome. With :math:`M = I^{-1}` in blocks of classes, the
leverages :math:`h_{kl} = u_i^\top M_{kl} u_i` and :math:`s_k = h_{kk} - 2 (h p)_k`,

.. math:: \nabla_k \tfrac12 \log\det I = \sum_i c_k u_i, \qquad
          c_k = \tfrac12 w_i p_k \left(s_k - \textstyle\sum_l p_l s_l\right).

The derivative along a direction, with that of the probabilities
:math:`\dot p_k = p_k (\dot\eta_k - \sum_l p_l \dot\eta_l)`, is

.. math:: \dot c_k = \tfrac12 w_i \left[\dot p_k (s_k - p^\top s)
          + p_k (\dot s_k - \dot p^\top s - p^\top \dot s)\right], \qquad
          \dot s_k = \dot h_{kk} - 2 (\dot h p)_k - 2 (h \dot p)_k,

where :math:`\dot h_{kl}` are the leverages of :math:`\dot M = -M \dot I M`, and :math:`\dot I` is
the sum I with the derivative :math:`\mathrm{diag}(\dot p) - \dot p p^\top - p \dot p^\top` of the
variances. Everything is a product of matrices with n or q rows and q columns.

F has a finite minimum whenever I is not singular at zero: along any sequence of parameters of
growing size t, the variance of the logits of a sample is bounded by the variance of v under
softmax(v), which is below K for all v, so that the smallest eigenvalue of I is O(1 / t^2), and its
other eigenvalues are bounded. F is not convex in general.

References
----------
.. [1] D. Firth, "Bias reduction of maximum likelihood estimates", Biometrika 80, 1993.
   :doi:`10.1093/biomet/80.1.27`
.. [2] I. Kosmidis, D. Firth, "Multinomial logit bias reduction via the Poisson log-linear model",
   Biometrika 98, 2011. :doi:`10.1093/biomet/asr026`
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from sys import float_info

import numpy as np
from scipy.linalg import lapack
from scipy.special import expit, softmax

from skxent.likelihood.jeffreys.orthonormal_samples import OrthonormalSamples
from skxent.likelihood.row_losses import target_losses
from skxent.likelihood.sources.local_rows import LocalRows

EPS = float_info.epsilon
SPACE = 1 << 21  # largest work array of a batch of samples, in numbers: 16 MB
SINGULAR = 1e-13  # smallest reciprocal condition number of an information that is not singular
VANISHED = 1e-100  # an information below this counts as zero: products of its inverse may overflow


class JeffreysObjective:
    """The objective F of samples, see the module.

    Parameters
    ----------
    samples : OrthonormalSamples
        With at least one coordinate.

    Attributes
    ----------
    n_passes : int
        Number of evaluations and of Hessian products so far.
    """

    def __init__(self, samples: OrthonormalSamples) -> None:
        K = samples.data.n_classes
        self.samples = samples
        self.n_passes = 0
        self.shape = K - 1, samples.U.shape[1]
        self._free = slice(1, 2) if K == 2 else slice(0, K - 1)
        self._targets = samples.data.target_block(slice(None)).T[:, self._free]
        self._constant = (K - 1) * samples.log_scale
        step = max(1, SPACE // max(1, self.shape[0] * self.shape[1]))
        self._batches = [slice(i, i + step) for i in range(0, len(samples.U), step)]

    @classmethod
    def of(cls, data: LocalRows) -> JeffreysObjective:
        """Make the objective of rows."""
        return cls(OrthonormalSamples.of(data))

    def __call__(self, theta: np.ndarray) -> JeffreysPoint | None:
        """Return the objective at `theta`, or None if the information is singular in float64."""
        self.n_passes += 1
        logits = self._logits(theta)
        p, others = self._probabilities(logits)
        information = self.sum_of_products(0.5 * p, p, p * others)
        L, failed = lapack.dpotrf(information, lower=1, clean=1)
        if failed or not _is_regular(L, information):
            return None
        losses = self.samples.weight @ target_losses(logits, self.samples.data.targets)
        log_prior = float(np.log(np.diagonal(L)).sum()) + self._constant
        return JeffreysPoint(self, theta, p, information, L, float(losses), log_prior)

    def enter(self, coef: np.ndarray, intercept: np.ndarray) -> np.ndarray:
        """Return `theta` of coefficients (R, d) and intercepts (R,) for the samples of the user."""
        theta = self.samples.enter(coef, intercept)
        return theta if len(theta) == 1 else theta[:-1] - theta[-1]

    def leave(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return coefficients (R, d) and intercepts (R,); for K >= 3 they sum to zero."""
        if len(theta) > 1:
            theta = np.vstack([theta, np.zeros_like(theta[:1])])
            theta -= theta.mean(axis=0)
        return self.samples.leave(theta)

    def least_value(self) -> float:
        r"""Return a lower bound of the minimum.

        No loss is negative, and the variance of an outcome has Böhning's bound, so that
        :math:`I \preceq \tfrac12 (E - 1 1^\top / K) \otimes \sum_i w_i u_i u_i^\top`.
        """
        n_free, m = self.shape
        log_det = n_free * m * np.log(0.5 * self.samples.weight.sum()) - m * np.log(n_free + 1)
        return -0.5 * float(log_det) - self._constant

    def residual(self, p: np.ndarray) -> np.ndarray:
        """Return the weighted P - Y of the free classes, (n, K - 1)."""
        return self.samples.weight[:, None] * (p - self._targets)

    def sum_of_products(
        self, left: np.ndarray, right: np.ndarray, diagonal: np.ndarray
    ) -> np.ndarray:
        r"""Return a weighted sum of matrices of classes times :math:`u_i u_i^\top`, (q, q).

        The matrix of a sample is ``-(left right' + right left')`` with its diagonal replaced by
        `diagonal`, which has no cancellation. All three are (n, K - 1).
        """
        n_free, m = self.shape
        total = np.zeros((n_free * m, n_free * m))
        blocks = total.reshape(n_free, m, n_free, m)
        for rows in self._batches if n_free > 1 else []:
            weighted = self._times_samples(self.samples.weight[rows, None] * left[rows], rows)
            total -= weighted.T @ self._times_samples(right[rows], rows)
        total += total.T.copy()
        for k in range(n_free):
            weighted = (self.samples.weight * diagonal[:, k])[:, None] * self.samples.U
            blocks[k, :, k] = weighted.T @ self.samples.U
        return total

    def cross_leverages(self, M: np.ndarray, left: np.ndarray) -> np.ndarray:
        r"""Return :math:`\sum_l u_i^\top M_{kl} u_i\, \mathrm{left}_{il}`, (n, K - 1)."""
        result = np.empty_like(left)
        for rows in self._batches:
            products = (self._times_samples(left[rows], rows) @ M).reshape(-1, *self.shape)
            result[rows] = np.einsum("ikt,it->ik", products, self.samples.U[rows])
        return result

    def own_leverages(self, M: np.ndarray) -> np.ndarray:
        r"""Return :math:`u_i^\top M_{kk} u_i`, (n, K - 1)."""
        blocks = M.reshape(*self.shape, *self.shape)
        U = self.samples.U
        return np.stack(
            [((U @ blocks[k, :, k]) * U).sum(axis=1) for k in range(self.shape[0])], axis=1
        )

    def _times_samples(self, values: np.ndarray, rows: slice) -> np.ndarray:
        """Return the products of values (b, K - 1) of a batch and its samples, (b, q)."""
        products = values[:, :, None] * self.samples.U[rows, None, :]
        return products.reshape(len(values), -1)

    def _logits(self, theta: np.ndarray) -> np.ndarray:
        """Return the logits of the samples, (n, R); that of the fixed class is zero."""
        logits = self.samples.U @ theta.T
        offset = self.samples.data.offset
        if len(theta) == 1:
            return logits if offset is None else logits + offset.T
        logits = np.column_stack([logits, np.zeros(len(logits))])
        return logits if offset is None else logits + offset.T

    @staticmethod
    def _probabilities(logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the probabilities of the free classes, and those of all other classes."""
        if logits.shape[1] == 1:
            return expit(logits), expit(-logits)
        P = softmax(logits, axis=1)
        others = [np.delete(P, k, axis=1).sum(axis=1) for k in range(P.shape[1] - 1)]
        return P[:, :-1], np.stack(others, axis=1)


@dataclass(frozen=True, eq=False)
class JeffreysPoint:
    """The objective at one point.

    Parameters
    ----------
    objective : JeffreysObjective
    theta : (K - 1, m) array
    p : (n, K - 1) array
        Probabilities of the free classes.
    information : (q, q) array
    factor : (q, q) array
        Lower Cholesky factor of the information.
    losses : float
        Sum of the losses, in nats.
    log_prior : float
        Half of the logarithm of the determinant of the information, for the coefficients of the
        samples of the user.
    """

    objective: JeffreysObjective
    theta: np.ndarray
    p: np.ndarray
    information: np.ndarray
    factor: np.ndarray
    losses: float
    log_prior: float

    @property
    def value(self) -> float:
        """The objective, in nats."""
        return self.losses - self.log_prior

    @property
    def rounding(self) -> float:
        """An estimate of the rounding error of `value`, in nats."""
        return EPS * (abs(self.losses) + abs(self.log_prior) + len(self.factor))

    @cached_property
    def inverse(self) -> np.ndarray:
        """Inverse of the information, (q, q)."""
        half, _ = lapack.dtrtri(self.factor, lower=1)
        return half.T @ half

    @cached_property
    def gradient(self) -> np.ndarray:
        """Gradient of the objective, (K - 1, m)."""
        c = 0.5 * self._weight * self.p * self._less_mean(self._s)
        return (self.objective.residual(self.p) - c).T @ self.objective.samples.U

    def hessian_product(self, direction: np.ndarray) -> np.ndarray:
        """Return the Hessian of the objective times a direction (K - 1, m)."""
        objective, p = self.objective, self.p
        objective.n_passes += 1
        dp = p * self._less_mean(objective.samples.U @ direction.T)
        dI = objective.sum_of_products(dp, p, dp * (1.0 - 2.0 * p))
        dM = -(self.inverse @ dI @ self.inverse)
        ds = objective.own_leverages(dM) - 2.0 * objective.cross_leverages(dM, p)
        ds -= 2.0 * objective.cross_leverages(self.inverse, dp)
        change = self._less_mean(ds) - (dp * self._s).sum(axis=1, keepdims=True)
        dc = 0.5 * self._weight * (dp * self._less_mean(self._s) + p * change)
        product = (self.information @ direction.ravel()).reshape(direction.shape)
        return product - dc.T @ objective.samples.U

    @cached_property
    def _s(self) -> np.ndarray:
        """The numbers s of the module, (n, K - 1)."""
        own = self.objective.own_leverages(self.inverse)
        return own - 2.0 * self.objective.cross_leverages(self.inverse, self.p)

    def _less_mean(self, values: np.ndarray) -> np.ndarray:
        """Return values (n, K - 1) less their mean over classes, where the fixed class has zero."""
        return values - (self.p * values).sum(axis=1, keepdims=True)

    @property
    def _weight(self) -> np.ndarray:
        return self.objective.samples.weight[:, None]


def _is_regular(L: np.ndarray, A: np.ndarray) -> bool:
    """Tell whether A, with the Cholesky factor L, is finite and not singular in float64."""
    if not np.isfinite(L).all() or np.abs(A).max() < VANISHED:
        return False
    rcond, _ = lapack.dpocon(L, np.abs(A).sum(axis=0).max(), uplo="L")
    return bool(rcond > SINGULAR)
