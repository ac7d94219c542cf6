r"""Curvature of the objective: a model of the Hessian, and the coordinates in which it is one.

With :math:`P_i = \mathrm{diag}\,p_i - p_i p_i^\top` the Hessian is

.. math:: H = \sum_i w_i P_i \otimes \tilde x_i \tilde x_i^\top + \text{penalty}.

A model :math:`H \approx T^{-\top} T^{-1}` turns it into the identity: minimise over v with
:math:`\Theta = \Theta_0 + T v`. There the gradient is :math:`g_v = T^\top g`, the Newton step is
:math:`-g_v`, and the **Newton decrement** :math:`\tfrac12\|g_v\|^2` is the distance to the minimum
in nats, as far as the model is right and the function quadratic.

Models, from large to small, for p entries of a sample and K classes:

* *full*: the matrix itself, (K - 1) p wide (p for two classes), written for the classes but the
  last. Moving all classes by the same amount changes nothing, so the last can stand still;
* *classes*: its diagonal blocks, one p x p matrix a class. Because
  :math:`\mathrm{diag}\,p - pp^\top \preceq 2\,\mathrm{diag}(p(1-p))`, H is at most twice that;
* *diagonal*: p numbers a class.

**Caution.** A sample that is classified wrongly and confidently has no curvature but a full
gradient, and Newton's step is then far too long. With caution c > 0 a model has
:math:`P_i + c\,(p_i - y_i)(p_i - y_i)^\top` for :math:`P_i`. Near the truth both have the same
mean, so that caution costs little where it is not needed.

Columns of raw data differ by many orders of magnitude, so a matrix is brought to unit diagonal
before it is factored, and a jitter means the same for every column.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Self

import numpy as np
from scipy.linalg import blas, lapack

from skxent.likelihood.objective import Objective

JITTER = 1e-13
ROUNDING = 1e-13  # of the terms of a sum that cancels
PACKED = 96  # sample entries up to which outer products of rows are formed and multiplied at once
FEW = 2  # class weights up to which that is not worth it
PACKED_SPACE = 1 << 19  # elements of the outer products of one batch


@dataclass(frozen=True)
class Cholesky:
    """H as blocks D L L' D, one for each group of rows of Theta that moves together."""

    shape: tuple[int, int]
    scales: list[np.ndarray]
    factors: list[np.ndarray]

    @classmethod
    def of(cls, shape: tuple[int, int], matrices: list[np.ndarray], least: np.ndarray) -> Self:
        """Factor matrices, in place, whose diagonals are `least` at least."""
        scales, factors = [], []
        for H in matrices:
            scale = _reciprocal_root(np.maximum(np.diagonal(H), least))
            H *= scale
            H *= scale[:, None]
            scales.append(scale)
            factors.append(_cholesky(H))
        return cls(shape, scales, factors)

    def to_theta(self, v: np.ndarray) -> np.ndarray:
        """T v, from a flat v."""
        theta = np.zeros(self.shape)
        flat = theta.reshape(-1)
        start = 0
        for scale, L in zip(self.scales, self.factors, strict=True):
            stop = start + len(scale)
            flat[start:stop] = scale * blas.dtrsv(L, v[start:stop], lower=1, trans=1)
            start = stop
        if start < theta.size:
            # The last class stood still. Nothing that all have in common may pile up.
            theta -= theta.sum(axis=0) / len(theta)
        return theta

    def to_v(self, gradient: np.ndarray) -> np.ndarray:
        """T' g, flat."""
        flat = gradient.reshape(-1)
        v = np.empty(sum(map(len, self.scales)))
        start = 0
        for scale, L in zip(self.scales, self.factors, strict=True):
            stop = start + len(scale)
            v[start:stop] = blas.dtrsv(L, scale * flat[start:stop], lower=1)
            start = stop
        return v


@dataclass(frozen=True)
class Diagonal:
    """H as a diagonal, T = H^(-1/2)."""

    scale: np.ndarray

    def to_theta(self, v: np.ndarray) -> np.ndarray:
        """T v, from a flat v."""
        return v.reshape(self.scale.shape) * self.scale

    def to_v(self, gradient: np.ndarray) -> np.ndarray:
        """T' g, flat."""
        return (gradient * self.scale).reshape(-1)


Curvature = Cholesky | Diagonal
ClassWeights = Callable[[np.ndarray, np.ndarray | None], np.ndarray]


def full(objective: Objective, theta: np.ndarray, caution: float = 0.0) -> Cholesky:
    """The Hessian of `objective` at `theta`, factored."""
    H = hessian(objective, theta, caution)
    return Cholesky.of(theta.shape, [H], full_least_curvature(objective))


def full_least_curvature(objective: Objective) -> np.ndarray:
    """What the diagonal of the Hessian is at least."""
    n = max(objective.shape[0] - 1, 1)
    return objective.least_curvature if n == 1 else np.tile(objective.least_curvature, n)


def hessian(objective: Objective, theta: np.ndarray, caution: float = 0.0) -> np.ndarray:
    """The Hessian of `objective` at `theta`, (K - 1) p wide."""
    R, p = theta.shape
    n = max(R - 1, 1)
    k, l = _pairs(n)
    own = k == l

    def pair_weights(P: np.ndarray, residual: np.ndarray | None) -> np.ndarray:
        C = P[k] * P[l]
        np.negative(C, out=C)
        C[own] += P[:n]
        if residual is not None:
            C += caution * residual[k] * residual[l]
        return C

    gram = _gram(objective, theta, pair_weights, caution, len(k))
    if n == 1:
        H = gram.reshape(1, p, 1, p)
    else:
        H = np.empty((n, p, n, p))
        H[k, :, l, :] = gram
        H[l, :, k, :] = gram
    # The penalty of W less its mean over classes, for classes but the last.
    own_features = np.einsum("kjlj->jkl", H)[: objective.n_features]
    own_features += objective.alpha * penalty_weights(n)
    return H.reshape(n * p, n * p)


def classes(objective: Objective, theta: np.ndarray, caution: float = 0.0) -> Cholesky:
    """The diagonal blocks of the Hessian, one a class."""

    def own_weights(P: np.ndarray, residual: np.ndarray | None) -> np.ndarray:
        return _own_curvature(P, residual, caution)

    gram = _gram(objective, theta, own_weights, caution, len(theta))
    j = np.arange(objective.n_features)
    gram[:, j, j] += objective.alpha
    return Cholesky.of(theta.shape, list(gram), objective.least_curvature)


def diagonal(objective: Objective, theta: np.ndarray, caution: float = 0.0) -> Diagonal:
    """The diagonal of the Hessian.

    Sums of h (x - c)^2 are taken as h x^2 - 2 c h x + c^2 h, which keeps a sparse x sparse.
    """
    blocks, c = objective.blocks, objective.centre

    def sums(segment: list[slice]) -> np.ndarray:
        total, buffer = np.zeros(theta.shape), blocks.buffer()
        for rows in segment:
            x = blocks.read(rows, buffer)
            P = objective.probabilities(theta, x)
            residual = objective.residuals(P, rows) if caution else None
            h = objective.weigh(_own_curvature(P, residual, caution), rows)
            part = h @ (x.power(2) if blocks.sparse else np.square(x))
            h_sum = h.sum(axis=1, keepdims=True)
            if c is not None:
                largest = part + h_sum * c**2
                part = largest - 2 * c * (h @ x)
                part[part < ROUNDING * largest] = 0.0  # all that is left of a constant column
            total[:, : blocks.n_features] += part
            total[:, blocks.n_features :] += h_sum
        return total

    objective.n_passes += 1
    H = sum(blocks.map(sums, theta.size))
    H[:, : objective.n_features] += objective.alpha
    return Diagonal(_reciprocal_root(np.maximum(H, objective.least_curvature)))


def _own_curvature(P: np.ndarray, residual: np.ndarray | None, caution: float) -> np.ndarray:
    """Curvature of each class for itself, (R, m)."""
    h = P * (1.0 - P)
    return h if residual is None else h + caution * residual**2


def _gram(
    objective: Objective, theta: np.ndarray, class_weights: ClassWeights, caution: float, n: int
) -> np.ndarray:
    """Sum over samples of c_q x x', (n, p, p), for class weights c = class_weights(P), (n, m)."""
    blocks, p = objective.blocks, theta.shape[1]
    packed = n > FEW and p <= PACKED

    def sums(segment: list[slice]) -> np.ndarray:
        buffer, total = blocks.buffer(), np.zeros(0)
        for rows in blocks.runs(segment):
            P = objective.probabilities(theta, blocks.read(rows, buffer))
            C = class_weights(P, objective.residuals(P, rows) if caution else None)
            x = objective.samples(rows, buffer)
            C = objective.weigh(C, rows)
            part = _packed_gram(C, x) if packed else _each_gram(C, x)
            total = np.add(total, part, out=total) if total.size else part
        return total

    objective.n_passes += 1
    total = sum(blocks.map(sums, n * p * (p + 1) // 2))
    if not packed:
        return total
    gram = np.empty((n, p, p))
    i, j = _pairs(p)
    gram[:, i, j] = total
    gram[:, j, i] = total
    return gram


@cache
def penalty_weights(n: int) -> np.ndarray:
    """Second derivatives of half the squares of n weights, less their mean with that of the last.

    For two classes there is one weight, and no mean.
    """
    return np.eye(n) - (1.0 / (n + 1) if n > 1 else 0.0)


@cache
def _pairs(n: int) -> tuple[np.ndarray, np.ndarray]:
    return np.triu_indices(n)


def _packed_gram(C: np.ndarray, x: np.ndarray) -> np.ndarray:
    """All class weights times all products of two entries, (q, p (p + 1) / 2): one product."""
    m, p = x.shape
    n_products = p * (p + 1) // 2
    batch = max(PACKED_SPACE // n_products, 16)
    total = np.zeros((len(C), n_products))
    space = np.empty((n_products, min(batch, m)))
    for start in range(0, m, batch):
        part = np.ascontiguousarray(x[start : start + batch].T)
        products = space[:, : part.shape[1]]
        row = 0
        for i in range(p):
            np.multiply(part[i], part[i:], out=products[row : row + p - i])
            row += p - i
        total += C[:, start : start + batch] @ products.T
    return total


def _each_gram(C: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The same, one symmetric product a class weight, for samples too long to pack.

    A class weight that does not change its sign makes a square, which BLAS forms in half the time.
    """
    grams = np.empty((len(C), x.shape[1], x.shape[1]))
    for c, gram in zip(C, grams, strict=True):
        negative = c.min() < 0
        if negative and c.max() > 0:
            np.matmul(x.T, x * c[:, None], out=gram)
            continue
        root = x * np.sqrt(np.abs(c) if negative else c)[:, None]
        np.matmul(root.T, root, out=gram)
        if negative:
            np.negative(gram, out=gram)
    return grams


def _cholesky(H: np.ndarray) -> np.ndarray:
    """Lower factor of a matrix of unit diagonal, with as little jitter as it takes."""
    jitter = JITTER
    while True:
        H.flat[:: len(H) + 1] = 1.0 + jitter
        L, info = lapack.dpotrf(H.T, lower=1, clean=1)
        if info == 0:
            return L
        jitter *= 100.0


def _reciprocal_root(diagonal: np.ndarray) -> np.ndarray:
    """1 / sqrt, and 0 where there is no curvature: such a parameter stays where it is."""
    result = np.zeros_like(diagonal)
    return np.divide(1.0, np.sqrt(diagonal), out=result, where=diagonal > 0)
