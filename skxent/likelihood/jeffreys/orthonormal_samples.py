r"""Samples in coordinates in which their columns are orthogonal and of one size.

With the weighted mean :math:`\mu` of the samples (zero without an intercept) and a matrix A, (d,
r), the samples are :math:`u_i = A^\top (x_i - \mu)`, such that :math:`\sum_i w_i u_i u_i^\top` is
the total weight times the identity. A column of ones follows for the intercept. The rank r of the
centred samples is less than d if columns depend on each other. Coefficients :math:`\gamma` of u are
coefficients :math:`A \gamma` of x.
"""

from __future__ import annotations

from dataclasses import dataclass
from sys import float_info

import numpy as np

from skxent.likelihood.sources.local_rows import LocalRows

EPS = float_info.epsilon
# Size of a constant column's deviations from its mean, in rounding errors of the mean.
CONSTANT_ROUNDINGS = 4
# Singular values of the scaled samples below this many rounding errors of the largest one are zero.
RANK_ROUNDINGS = 4


@dataclass(frozen=True, eq=False)
class OrthonormalSamples:
    """The samples with positive weight in orthogonal coordinates.

    Parameters
    ----------
    data : LocalRows
        The rows with positive weight.
    U : (n, m) array
        Their coordinates, m = r, or r + 1 with an intercept.
    mean : (d,) array
        Zero without an intercept.
    to_coef : (d, r) array
        The matrix A.
    from_coef : (d, r) array
        Coefficients `coef` of x have the coordinates ``coef @ from_coef``.
    """

    data: LocalRows
    U: np.ndarray
    mean: np.ndarray
    to_coef: np.ndarray
    from_coef: np.ndarray

    @classmethod
    def of(cls, data: LocalRows) -> OrthonormalSamples:
        """Compute the coordinates of the rows with positive weight."""
        if not data.weighted.all():
            data = data.of_rows(np.flatnonzero(data.weighted))
        X = np.asarray(data.dense(), dtype=np.float64)
        weight = np.ones(len(X)) if data.weight is None else data.weight
        mean = _mean(X, weight) if data.fit_intercept else np.zeros(X.shape[1])
        X = X - mean
        scale = _scales(X, mean, data.eps)
        X /= scale
        root = np.sqrt(weight / weight.sum())
        _, size, Vt = np.linalg.svd(root[:, None] * X, full_matrices=False)
        rank = _rank(size, X.shape, mean / scale, np.finfo(data.X.dtype).eps)
        V, size = Vt[:rank].T, size[:rank]
        ones = np.ones((len(X), int(data.fit_intercept)))
        to_coef, from_coef = (V / size) / scale[:, None], (V * size) * scale[:, None]
        if rank < len(mean):
            to_coef = _shortest(to_coef, from_coef)
        return cls(data, np.hstack([X @ (V / size), ones]), mean, to_coef, from_coef)

    @property
    def weight(self) -> np.ndarray:
        """Weights of the rows, (n,)."""
        return np.ones(len(self.U)) if self.data.weight is None else self.data.weight

    @property
    def log_scale(self) -> float:
        """Logarithm of the determinant of `from_coef`, or of the product of its singular values."""
        return float(np.log(np.linalg.svd(self.from_coef, compute_uv=False)).sum())

    def enter(self, coef: np.ndarray, intercept: np.ndarray) -> np.ndarray:
        """Return the coordinates (., m) of coefficients (., d) and intercepts for x itself."""
        gamma = coef @ self.from_coef
        if not self.data.fit_intercept:
            return gamma
        return np.column_stack([gamma, intercept + coef @ self.mean])

    def leave(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the coefficients (., d) and intercepts (.,) for x itself of coordinates (., m)."""
        rank = self.to_coef.shape[1]
        coef = theta[:, :rank] @ self.to_coef.T
        if not self.data.fit_intercept:
            return coef, np.zeros(len(theta))
        return coef, theta[:, rank] - coef @ self.mean

    def to_centred(self) -> np.ndarray:
        """Return the matrix, (p, m), from coordinates to parameters for centred samples."""
        (d, rank), ones = self.to_coef.shape, int(self.data.fit_intercept)
        matrix = np.zeros((d + ones, rank + ones))
        matrix[:d, :rank] = self.to_coef
        matrix[d:, rank:] = 1.0
        return matrix


def _mean(X: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the weighted mean of columns; the second sum removes the rounding of the first."""
    first = np.average(X, axis=0, weights=weight)
    return first + np.average(X - first, axis=0, weights=weight)


def _scales(X: np.ndarray, mean: np.ndarray, eps: float) -> np.ndarray:
    """Return the largest size in each centred column; set constant columns to zero, in place."""
    scale = np.abs(X).max(axis=0, initial=0.0)
    constant = scale <= CONSTANT_ROUNDINGS * eps * np.abs(mean)
    X[:, constant] = 0.0
    return np.where(constant, 1.0, scale)


def _rank(size: np.ndarray, shape: tuple[int, ...], far: np.ndarray, eps: float) -> int:
    """Return the number of singular values above rounding.

    Entries of X have relative errors of `eps`, and `far` are their means in units of their spread.
    The singular values themselves have errors of epsilons of float64.
    """
    rounding = eps * (1.0 + float(np.abs(far).max(initial=0.0))) + EPS * max(shape)
    return int(np.count_nonzero(size > RANK_ROUNDINGS * rounding * size.max(initial=0.0)))


def _shortest(to_coef: np.ndarray, from_coef: np.ndarray) -> np.ndarray:
    """Project coefficients onto the span of the samples, so that their squares are the least."""
    Q, _ = np.linalg.qr(from_coef)
    return Q @ (Q.T @ to_coef)
