r"""Parameters at the maximum of the likelihood with their covariance, and the delta method.

Covariances
-----------
At the minimum the gradient of F is zero, and the gradient of the loss of one sample is its
**score** :math:`s_i = (p_i - y_i) \otimes \tilde x_i`. With the Hessian H of F, the observed
information, the covariance is :math:`H^{-1}` if the model is correctly specified, and otherwise the
sandwich :math:`H^{-1} B H^{-1}` [1]_ with the **meat**

.. math:: B = \sum_i f_i\, c_i^2\, s_i s_i^\top \quad\text{or}\quad
          B = \sum_g \Bigl(\sum_{i \in g} w_i s_i\Bigr)\Bigl(\sum_{i \in g} w_i s_i\Bigr)^\top

for independent samples, or for groups of samples. A weight :math:`w_i = f_i c_i` is the number of
copies :math:`f_i` times the class weight :math:`c_i`: copies are independent samples, and a class
weight multiplies one score.

The sandwich is the sum of squared **influences** :math:`H^{-1} s_i`, and B is never formed. If
classes are nearly separated, :math:`H^{-1}` is very large in directions in which all scores are
nearly zero. The rounding errors of the product of three matrices would grow with the square of the
condition number of H, those of the sum of squared influences grow with the condition number.

References
----------
.. [1] H. White, "Maximum likelihood estimation of misspecified models", Econometrica 50, 1982.
   :doi:`10.2307/1912526`
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import issparse
from scipy.special import logsumexp, softmax

from skxent.inputs.features import AnyArray
from skxent.likelihood.row_losses import target_losses
from skxent.likelihood.sources.local_rows import LocalRows

SPACE = 1 << 20  # largest work arrays of a batch of samples, in numbers: 8 MB

Rows = slice | np.ndarray  # indices of rows
Batch = tuple[Rows, np.ndarray]  # indices of rows, and the centred sample or the score of each


@dataclass(frozen=True, eq=False)
class LikelihoodEstimate:
    """Parameters at the minimum, with one class fixed at zero, and their covariance.

    Parameters
    ----------
    data : LocalRows
    mean : (d,) array
        Vector that is subtracted from the samples.
    theta : (K, p) array
        Parameters for centred samples; the row of the fixed class is zero.
    covariance : (q, q) array
        Covariance of the free rows of `theta`, row-major.
    """

    data: LocalRows
    mean: np.ndarray
    theta: np.ndarray
    covariance: np.ndarray

    @property
    def weight(self) -> np.ndarray:
        """Weights of the samples, (n,)."""
        return np.ones(self.data.X.shape[0]) if self.data.weight is None else self.data.weight

    @property
    def free(self) -> slice:
        """Rows of `theta` that are not fixed at zero."""
        return free_rows(len(self.theta))

    def map(self, reference: int) -> np.ndarray:
        """Return the matrix, (q, q), from free parameters to contrasts for uncentred samples."""
        K, p = self.theta.shape
        classes = np.eye(K)[:, self.free]
        contrasts = np.delete(classes, reference, axis=0) - classes[reference]
        uncentre = np.eye(p)
        if self.data.fit_intercept:
            uncentre[-1, :-1] = -self.mean
        return np.kron(contrasts, uncentre)

    def batches(self, X: AnyArray, width: int) -> Iterator[Batch]:
        """Yield centred batches of any X, small enough for `width` numbers of work per sample."""
        return batches(X, self.mean, self.data.fit_intercept, width)

    def logits(self, x: np.ndarray, offset: np.ndarray | None, rows: Rows) -> np.ndarray:
        """Return the logits of centred samples x, (m, K), whose indices in `offset` are `rows`."""
        Z: np.ndarray = x @ self.theta.T
        if offset is not None:
            Z[:, -len(offset) :] += offset[:, rows].T
        return Z

    def log_likelihoods(self) -> np.ndarray:
        """Return the log-likelihood of each sample in nats, (n,), without its weight."""
        found = np.empty(self.data.X.shape[0])
        for rows, x in self.batches(self.data.X, 4 * len(self.theta)):
            logits = self.logits(x, self.data.offset, rows)
            found[rows] = -target_losses(logits, self.data.targets[rows])
        return found

    def log_odds(
        self, X: AnyArray, offset: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        r"""Return the log-odds of each class against the rest and their standard errors, (n, K).

        `offset` is None or, as in `RowArrays`, an array (R, n).

        With logits z, :math:`\eta_k = z_k - \log\sum_{l \ne k} e^{z_l}`, and its gradient by z is
        one for z_k and :math:`-p_l / (1 - p_k)` for the others: minus the softmax of the others.
        """
        K, p = self.theta.shape
        eta, error = np.empty((2, X.shape[0], K))
        C = self.covariance.reshape(K - 1, p, K - 1, p)
        off_own = np.diag(np.full(K, -np.inf))
        for rows, x in self.batches(X, K * K * p):
            Z = self.logits(x, offset, rows)
            others = Z[:, None, :] + off_own
            eta[rows] = Z - logsumexp(others, axis=2)
            slope = (np.eye(K) - softmax(others, axis=2))[:, :, self.free]
            # V holds the covariances of the free logits.
            V = (np.tensordot(x, C, (1, 1)) @ x[:, None, :, None])[..., 0]
            error[rows] = np.sqrt(np.maximum(((slope @ V) * slope).sum(axis=2), 0.0))
        return eta, error


def estimate(
    data: LocalRows, mean: np.ndarray, theta: np.ndarray, covariance: np.ndarray
) -> LikelihoodEstimate:
    """Make the estimate for `theta`, (1, p) or (K, p), shifted to zeros for one class."""
    whole = np.vstack([np.zeros_like(theta), theta]) if len(theta) == 1 else theta - theta[-1]
    return LikelihoodEstimate(data, mean, whole, covariance)


def free_rows(K: int) -> slice:
    """Return the rows of the classes that are not fixed at zero."""
    return slice(1, 2) if K == 2 else slice(0, K - 1)


def sandwich(at: LikelihoodEstimate, weight: np.ndarray, groups: np.ndarray | None) -> np.ndarray:
    """Return H^-1 B H^-1 as the sum of squared influences, for an estimate with covariance H^-1.

    Parameters
    ----------
    at : LikelihoodEstimate
        In place of its covariance may be any matrix A, (q, m), for A' B A.
    weight : (n,) array
        f c^2 of each sample if `groups` is None, else w = f c.
    groups : (n,) array of int or None
    """
    m = at.covariance.shape[1]
    total = np.zeros((m, m))
    scores = _weighted(at, weight) if groups is None else _summed(at, weight, groups)
    for S in scores:
        influence = S @ at.covariance
        total += influence.T @ influence
    return total


def _weighted(at: LikelihoodEstimate, weight: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the scores of samples, times the square roots of their weights."""
    for rows, S in _scores(at, None):
        S *= np.sqrt(weight[rows])[:, None]
        yield S


def _summed(at: LikelihoodEstimate, weight: np.ndarray, groups: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the weighted sum of scores of each group; a group may be in several batches."""
    rest, last = np.zeros((1, len(at.covariance))), -1
    for rows, S in _scores(at, np.argsort(groups, kind="stable")):
        S *= weight[rows][:, None]
        codes = np.append(last, groups[rows])
        starts = np.flatnonzero(np.diff(codes, prepend=-2))
        sums = np.add.reduceat(np.vstack([rest, S]), starts, axis=0)
        yield sums[:-1]
        rest, last = sums[-1:], codes[-1]
    yield rest


def _scores(at: LikelihoodEstimate, order: np.ndarray | None) -> Iterator[Batch]:
    """Yield rows and their scores for the free parameters, (m, q)."""
    K, p = at.theta.shape
    X, intercept = at.data.X, at.data.fit_intercept
    for rows, x in batches(X, at.mean, intercept, 2 * K * p, order):
        Z = at.logits(x, at.data.offset, rows)
        residual = _residual(softmax(Z, axis=1), at.data, rows)
        yield rows, (residual[:, at.free, None] * x[:, None, :]).reshape(len(x), -1)


def _residual(P: np.ndarray, data: LocalRows, rows: Rows) -> np.ndarray:
    """Return P - Y in the memory of P, accurate also if the probability of the label is near 1."""
    if data.targets.ndim == 2:
        return np.subtract(P, data.target_block(rows).T, out=P)
    own = np.arange(len(P)), data.targets[rows]
    P[own] = 0.0
    P[own] = -P.sum(axis=1)
    return P


def batches(
    X: AnyArray, mean: np.ndarray, fit_intercept: bool, width: int, order: np.ndarray | None = None
) -> Iterator[Batch]:
    """Yield rows and their dense centred samples, (m, p), in the order of X or in `order`."""
    n, d = X.shape
    step = max(1, SPACE // width)
    for start in range(0, n, step):
        some = slice(start, min(start + step, n))
        rows: Rows = some if order is None else order[some]
        x = X[rows].toarray() if issparse(X) else X[rows]
        samples = np.ones((len(x), d + fit_intercept))
        np.subtract(x, mean, out=samples[:, :d])
        yield rows, samples
