r"""Leave-one-out losses of calibration maps, from one Newton step for each sample.

The step is that of `case_deletion`, with a Jacobian :math:`J_i` of the logits of sample i in place
of the rows :math:`X_i`: the logits of the sample change by :math:`A_i u_i` with

.. math:: A_i = J_i H^{-1} J_i^\top, \qquad u_i = (I - W_i A_i)^{-1} r_i.

Two approximations keep many classes cheap. If there are more than `FEW` classes, the logits of the
`FEW` most probable ones of the sample, the true one among them, change. The Hessian of a map with
many parameters is replaced by its blocks of one class each, and those of a matrix are further
simplified in `class_leverages`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import softmax

from skxent.inputs.fit_targets import Floats
from skxent.likelihood.row_losses import target_losses
from skxent.metrics.map_likelihood import MOST_IN_A_MATRIX, MapPoint
from skxent.metrics.matrix_map import MatrixProblem

FEW = 24  # largest number of classes of a sample whose logits change
BLOCK = 2**21  # numbers in the matrices of a block of samples
LARGE = 1.0  # change of a difference of two logits, in nats, above which steps are made longer
SLIGHT = 1e-4  # a class of smaller probability adds no curvature to its block
MOST_BLOCKS = 200  # largest number of classes for which each block is factored
JITTER = 1e-10  # added to I - W A, singular if a leverage is one, and per sample to a Hessian


class Leverages(Protocol):
    """The matrices A of samples."""

    def at(self, rows: np.ndarray, classes: np.ndarray) -> Floats:
        """Return A, (m, S, S), of samples (m,) and S classes of each, (m, S)."""


def left_out_losses(
    logits: Floats, target: np.ndarray, weight: Floats, leverages: Leverages, rows: np.ndarray
) -> tuple[Floats, Floats]:
    """Return the losses of `rows` in the fit and in fits without them, both (m,), in nats.

    Parameters
    ----------
    logits : (n, K) array
        Logits at the minimum.
    target : (n,) or (n, K) array
        Codes or soft rows.
    weight : (n,) array
        Weights of the samples in the function whose Hessian the leverages are made of.
    leverages : Leverages
    rows : (m,) array of int
    """
    S = min(logits.shape[1], FEW)
    step = max(1, BLOCK // S**2)
    blocks = [rows[start : start + step] for start in range(0, len(rows), step)]
    found = [_losses(logits, target, weight, leverages, block) for block in blocks]
    fitted, left_out = map(np.concatenate, zip(*found, strict=True))
    return fitted, left_out


def left_out_losses_of_slope(point: MapPoint, rows: np.ndarray) -> tuple[Floats, Floats]:
    """Return what `left_out_losses` does, for a map whose only parameter is one slope.

    The matrices A have rank one there, so that nothing has to be solved.
    """
    samples, slope = point.samples, float(point.theta[0])
    Z, weight = samples.Z[:, rows], samples.weight[rows]  # margins: the target's own is 0
    U = slope * Z
    top = U.max(axis=0)
    P = np.exp(U - top)
    total = P.sum(axis=0)
    fitted = top + np.log(total)
    mean = np.einsum("ki,ki->i", P, Z) / total
    spread = np.einsum("ki,ki,ki->i", P, Z, Z) / total - mean**2
    rest = float(point.hessian_diagonal()[0]) - weight * np.maximum(spread, 0.0)
    moves = weight * mean / np.maximum(rest, JITTER * weight)
    q = np.clip(np.abs(moves) * np.ptp(Z, axis=0) - LARGE, 0.0, 1.0)
    U = (slope + moves * np.exp(q)) * Z
    top = U.max(axis=0)
    U -= top
    return fitted, top + np.log(np.exp(U, out=U).sum(axis=0))


def left_out_losses_of_classes(
    logits: Floats, target: np.ndarray, weight: Floats, A: Floats, rows: np.ndarray
) -> tuple[Floats, Floats]:
    r"""Return what `left_out_losses` does, for matrices A that are diagonal, with diagonals (n, K).

    :math:`I - W A` is then a diagonal matrix plus one of rank one, :math:`w p (p \circ a)^\top`.
    """
    U, own, a, w = logits[rows], target[rows], A[rows], weight[rows, None]
    fitted = target_losses(U, own)
    P = softmax(U, axis=1)
    r = w * P
    if own.ndim == 1:
        r[np.arange(len(rows)), own] -= w[:, 0]
    else:
        r -= w * own
    D = np.maximum(1.0 + JITTER - w * P * a, JITTER)
    r /= D
    q = w * P / D
    top = (P * a * r).sum(axis=1, keepdims=True)
    r -= q * (top / (1.0 + (P * a * q).sum(axis=1, keepdims=True)))
    return fitted, target_losses(U + _lengthened(a * r), own)


def _lengthened(moves: Floats) -> Floats:
    """Make large changes of logits, (m, S), longer.

    A step underestimates them, because the curvature falls on the way.
    """
    q = np.clip(np.ptp(moves, axis=1) - LARGE, 0.0, 1.0)
    moves *= np.exp(q)[:, None]
    return moves


def _losses(
    logits: Floats, target: np.ndarray, weight: Floats, leverages: Leverages, rows: np.ndarray
) -> tuple[Floats, Floats]:
    U, own = logits[rows], target[rows]
    fitted = target_losses(U, own)
    P = softmax(U, axis=1)
    Y = np.eye(U.shape[1])[own] if own.ndim == 1 else own
    classes = _likely(P, Y)
    p, y = np.take_along_axis(P, classes, 1), np.take_along_axis(Y, classes, 1)
    moves = _lengthened(_moves(leverages.at(rows, classes), p, y, weight[rows]))
    np.put_along_axis(U, classes, np.take_along_axis(U, classes, 1) + moves, 1)
    return fitted, target_losses(U, own)


def _likely(P: Floats, Y: Floats) -> np.ndarray:
    """Return the most probable classes of each sample before or in truth, (m, S)."""
    K = P.shape[1]
    if K <= FEW:
        return np.broadcast_to(np.arange(K), P.shape)
    return np.argpartition(-(P + Y), FEW, axis=1)[:, :FEW]


def _moves(A: Floats, p: Floats, y: Floats, w: Floats) -> Floats:
    """Return A u, the changes of logits without each sample, (m, S)."""
    W = -w[:, None, None] * p[:, :, None] * p[:, None, :]
    S = p.shape[1]
    W[:, range(S), range(S)] += w[:, None] * p
    r = w[:, None] * (p - y)
    u = np.linalg.solve((1.0 + JITTER) * np.eye(S) - W @ A, r[:, :, None])
    moves: Floats = (A @ u)[:, :, 0]
    return moves


@dataclass(frozen=True)
class MapLeverages:
    """The matrices A of a map with at most one slope for each class.

    Parameters
    ----------
    Z : (K, n) array
    slopes, cross, intercepts : (K, K) array
        The inverse of the Hessian between slopes of two classes, between the slope of one and the
        intercept of another, and between intercepts.
    """

    Z: Floats
    slopes: Floats
    cross: Floats
    intercepts: Floats

    @classmethod
    def of(cls, point: MapPoint) -> MapLeverages:
        """Compute the inverse of the Hessian, or of its blocks of one class."""
        samples, K = point.samples, len(point.samples.Z)
        if len(point.theta) > MOST_IN_A_MATRIX:
            return cls(samples.Z, *_inverse_of_blocks(point))
        inverse = np.linalg.pinv(point.hessian(), hermitian=True)
        S = samples.n_slopes
        slopes, cross = inverse[:S, :S], inverse[:S, S:]
        if not samples.intercepts:
            return cls(samples.Z, np.full((K, K), slopes[0, 0]), *np.zeros((2, K, K)))
        cross = np.broadcast_to(cross / samples.root, (K, K))
        intercepts = inverse[S:, S:] / np.outer(samples.root, samples.root)
        return cls(samples.Z, np.broadcast_to(slopes, (K, K)), cross, intercepts)

    def at(self, rows: np.ndarray, classes: np.ndarray) -> Floats:
        """Return A, (m, S, S), of samples (m,) and S classes of each, (m, S)."""
        z, first, second = self.Z[classes, rows[:, None]], classes[:, :, None], classes[:, None, :]
        parts = self.slopes, self.cross, self.intercepts
        if classes.shape[1] < len(self.Z):
            parts = tuple(part[first, second] for part in parts)
        slopes, cross, intercepts = parts
        mixed = z[:, :, None] * cross
        A: Floats = z[:, :, None] * slopes * z[:, None, :] + mixed + mixed.swapaxes(1, 2)
        return A + intercepts


def _inverse_of_blocks(point: MapPoint) -> tuple[Floats, Floats, Floats]:
    """Return the inverse of the Hessian without products of parameters of different classes."""
    samples, K = point.samples, len(point.samples.Z)
    diagonal, S = point.hessian_diagonal(), samples.n_slopes
    level = diagonal[S:] * samples.rates
    if samples.slopes is None:
        return np.full((K, K), 1.0 / diagonal[0]), np.zeros((K, K)), np.diag(1.0 / level)
    spread = point.P * (1.0 - point.P / samples.weight)
    mixed = np.einsum("ki,ki->k", spread, samples.Z)
    determinant = diagonal[:S] * level - mixed**2
    inverses = level, -mixed, diagonal[:S]
    slopes, cross, intercepts = (np.diag(part / determinant) for part in inverses)
    return slopes, cross, intercepts


@dataclass(frozen=True)
class MatrixLeverages:
    """The matrices A of a map with a slope for each pair of classes.

    Parameters
    ----------
    X : (n, d) array
    inverse : (K, K, d, d) array
        The inverse of the Hessian between the coefficients of two classes.
    """

    X: Floats
    inverse: Floats

    @classmethod
    def of(cls, problem: MatrixProblem, P: Floats, C: float) -> MatrixLeverages:
        """Compute the inverse of the Hessian at probabilities (n, K)."""
        X, weight = problem.rows.dense(), problem.weight
        K, d = P.shape[1], X.shape[1]
        root = np.sqrt(weight)[:, None]
        B = np.einsum("ik,ij->ikj", root * P, X).reshape(len(X), K * d)
        H = (-B.T @ B).reshape(K, d, K, d)
        ridge = _ridge(problem, C)
        for k in range(K):
            H[k, :, k, :] += X.T @ ((weight * P[:, k])[:, None] * X) + ridge
        inverse = np.linalg.inv(H.reshape(K * d, K * d)).reshape(K, d, K, d)
        return cls(X, np.ascontiguousarray(inverse.transpose(0, 2, 1, 3)))

    def at(self, rows: np.ndarray, classes: np.ndarray) -> Floats:
        """Return A, (m, S, S), of samples (m,) and S classes of each, (m, S)."""
        x, K = self.X[rows], classes.shape[1]
        A = np.empty((len(x), K, K))
        for k in range(K):
            for j in range(k, K):
                A[:, k, j] = A[:, j, k] = ((x @ self.inverse[k, j]) * x).sum(axis=1)
        return A


def class_leverages(problem: MatrixProblem, P: Floats, C: float, rows: np.ndarray) -> Floats:
    r"""Return the diagonals of the matrices A of a matrix of many classes, (n, K), right at `rows`.

    They come from the Hessian's blocks :math:`H_k = \sum_i w_i p_{ik} (1 - p_{ik}) x_i x_i^\top` of
    one class each. If there are more than `MOST_BLOCKS` classes, all blocks are taken as diagonal
    in the eigenvectors of their sum, with their own diagonals there (T. George et al., "Fast
    approximate natural gradient descent in a Kronecker-factored eigenbasis", NeurIPS 2018). This
    costs two products of matrices instead of K factorisations, and overestimates the losses of
    predictions that are correlated.
    """
    X, weight, ridge = problem.rows.dense(), problem.weight, _ridge(problem, C)
    spread = weight[:, None] * P * (1.0 - P)
    if P.shape[1] > MOST_BLOCKS:
        basis = np.linalg.eigh(X.T @ (spread.sum(axis=1)[:, None] * X))[1]
        squares = (X @ basis) ** 2
        every: Floats = squares @ (1.0 / (squares.T @ spread + ridge[0, 0]))
        return every
    A, target, left_out = np.zeros(P.shape), problem.rows.targets, np.zeros(len(P), dtype=bool)
    left_out[rows] = True
    for k in range(P.shape[1]):
        true = target == k if target.ndim == 1 else target[:, k] > SLIGHT
        there = (P[:, k] > SLIGHT) | true
        x = X[there]
        factor = np.linalg.cholesky((spread[there, k][:, None] * x).T @ x + ridge)
        root = solve_triangular(factor, np.eye(len(factor)), lower=True)
        there &= left_out
        A[there, k] = ((X[there] @ root.T) ** 2).sum(axis=1)
    return A


def _ridge(problem: MatrixProblem, C: float) -> Floats:
    """Return the curvature of the penalty in a class, at least so large that blocks factor."""
    least = JITTER * float(problem.weight.sum())
    return np.eye(problem.rows.n_features) * max(1.0 / C, least)
