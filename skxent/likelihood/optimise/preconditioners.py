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
* *drawn classes*: those blocks from a few rows for each. For a class, row i is worth its leverage
  :math:`w_i p_i (1 - p_i) \sum_j x_{ij}^2 / H_{jj}` in the diagonal H; drawn in proportion to it,
  no column and no row that stands alone is missed. The leverages of a class add up to p at most;
* *diagonal*: p numbers a class.

**Caution.** A sample that is classified wrongly and confidently has no curvature but a full
gradient, and Newton's step is then far too long. With caution c > 0 a model has
:math:`P_i + c\,(p_i - y_i)(p_i - y_i)^\top` for :math:`P_i`. Near the truth both have the same
mean, so that caution costs little where it is not needed.

Columns of raw data differ by many orders of magnitude, so a matrix is brought to unit diagonal
before it is factored, and a jitter means the same for every column.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Self

import numpy as np
from scipy.linalg import blas, lapack

from skxent.likelihood.objective import Objective
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.grams import pairs, unpacked

JITTER = 1e-13
CAREFUL = 0.1  # of an intercept's curvature, that others leave to it
DRAWN_ROWS = 8  # for each class and entry of a sample, at most
NOISE = 1e-5  # root of the least part of a curvature that is certainly none of rounding


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

    @cached_property
    def certain(self) -> bool:
        """Whether no direction has so little of the curvature of its parameters that it is noise.

        Columns that all but agree, as two with a placeholder of -1e9 in the same rows, have
        differences whose curvature is lost in the sums of squares, though not in their products
        with a vector.
        """
        return bool(min(L.diagonal().min() for L in self.factors) > NOISE)

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

    def most_left(self, v: np.ndarray, penalty: Penalty, n_features: int) -> float | None:
        """As `Diagonal.most_left`, for blocks that are a class each; None for those of several."""
        if not penalty.is_definite or len(self.factors) < max(self.shape[0], 2):
            return None
        left, blocks = 0.0, np.reshape(v, self.shape)
        for part, scale, L in zip(blocks, self.scales, self.factors, strict=True):
            gradient = blas.dtrmv(L, part, lower=1) / scale
            left += _most_left(gradient, scale, penalty, n_features)
        return left


@dataclass(frozen=True)
class Diagonal:
    """H as a diagonal, T = H^(-1/2)."""

    scale: np.ndarray
    certain: ClassVar[bool] = True

    def to_theta(self, v: np.ndarray) -> np.ndarray:
        """T v, from a flat v."""
        return v.reshape(self.scale.shape) * self.scale

    def to_v(self, gradient: np.ndarray) -> np.ndarray:
        """T' g, flat."""
        return (gradient * self.scale).reshape(-1)

    def most_left(self, v: np.ndarray, penalty: Penalty, n_features: int) -> float | None:
        """The gap of a flat gradient in coordinates v, at most; None without a penalty.

        H is at least the penalty's curvature. On an intercept there is no penalty, but what
        the model says of it is nearly right.
        """
        if not penalty.is_definite:
            return None
        return _most_left(v.reshape(self.scale.shape) / self.scale, self.scale, penalty, n_features)


Curvature = Cholesky | Diagonal


def _most_left(g: np.ndarray, scale: np.ndarray, penalty: Penalty, n_features: int) -> float:
    """Of gradients (..., p), where `scale` is one by the root of the model's diagonal."""
    ours, rest = g[..., :n_features], g[..., n_features:] * scale[..., n_features:]
    return penalty.gap_bound(ours) + 0.5 * float(np.vdot(rest, rest)) / CAREFUL


def full(objective: Objective, theta: np.ndarray, caution: float = 0.0) -> Cholesky:
    """The Hessian of `objective` at `theta`, factored."""
    H = hessian(objective, theta, caution)
    return Cholesky.of(theta.shape, [H], objective.full_least_curvature)


def hessian(objective: Objective, theta: np.ndarray, caution: float = 0.0) -> np.ndarray:
    """The Hessian of `objective` at `theta`, (K - 1) p wide."""
    R, p = theta.shape
    n = max(R - 1, 1)
    gram = unpacked(objective.one_pass().hessian_gram(theta, caution), p)
    if n == 1:
        H = gram.reshape(1, p, 1, p)
    else:
        k, l = pairs(n)
        H = np.empty((n, p, n, p))
        H[k, :, l, :] = gram
        H[l, :, k, :] = gram
    objective.penalty.add_to_hessian(np.einsum("kjlj->jkl", H)[: objective.n_features])
    return H.reshape(n * p, n * p)


def classes(objective: Objective, theta: np.ndarray, caution: float = 0.0) -> Cholesky:
    """The diagonal blocks of the Hessian, one a class."""
    gram = unpacked(objective.one_pass().class_block_grams(theta, caution), theta.shape[1])
    return _class_blocks(objective, gram)


def drawn_classes(objective: Objective, theta: np.ndarray, caution: float = 0.0) -> Cholesky:
    """The class blocks, each from the rows that matter to it."""
    per_leverage = DRAWN_ROWS * diagonal(objective, theta, caution).scale ** 2
    gram = objective.one_pass().class_block_grams(theta, caution, per_leverage)
    return _class_blocks(objective, gram)


def _class_blocks(objective: Objective, gram: np.ndarray) -> Cholesky:
    objective.penalty.add_to_class_blocks(gram, objective.n_features)
    return Cholesky.of(objective.shape, list(gram), objective.least_curvature)


def diagonal(objective: Objective, theta: np.ndarray, caution: float = 0.0) -> Diagonal:
    """The diagonal of the Hessian."""
    H = objective.one_pass().hessian_diagonal(theta, caution)
    objective.penalty.add_to_diagonal(H[:, : objective.n_features])
    return Diagonal(_reciprocal_root(np.maximum(H, objective.least_curvature)))


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
