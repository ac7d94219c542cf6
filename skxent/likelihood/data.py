"""The data of a fit, and its first read.

One read of X gives everything that does not depend on parameters: class sums (from which the
sufficient statistic follows for any centre), means and variances of the columns.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import scipy.linalg

from skxent.likelihood.blocks import Blocks

SQUARES = 1 << 18  # of sparse entries formed at a time
CONSTANT = 1e-9  # variance / mean^2 below which sums of squares have lost too many digits


@dataclass(frozen=True)
class Data:
    """Rows, targets and weights.

    Parameters
    ----------
    X : (n, d) array or CSR matrix
    targets : (n,) or (n, K) array
        Class codes, or soft rows that sum to one.
    weight : (n,) array or None
    n_classes : int
    fit_intercept : bool
    n_threads : int
    """

    X: Any
    targets: np.ndarray
    weight: np.ndarray | None
    n_classes: int
    fit_intercept: bool = True
    n_threads: int = 1

    @property
    def n_outputs(self) -> int:
        """Rows of logits: K, or one for two classes."""
        return 1 if self.n_classes == 2 else self.n_classes

    def blocks(self, offset: np.ndarray | None) -> Blocks:
        """X in blocks, less `offset`."""
        return Blocks(self.X, offset=offset, n_outputs=self.n_outputs, n_threads=self.n_threads)

    def target_block(self, rows: slice) -> np.ndarray:
        """Targets of a block as distributions, class-major (K, m)."""
        targets = self.targets[rows]
        if targets.ndim == 2:
            return (targets / targets.sum(axis=1, keepdims=True)).T
        Y = np.zeros((self.n_classes, len(targets)))
        Y[targets, np.arange(len(targets))] = 1.0
        return Y


@dataclass(frozen=True)
class Moments:
    """What the first read of X gives.

    Parameters
    ----------
    class_weight : (K,) array
        Total weight of each class.
    class_sums : (K, d) array
        Weighted sums of x - origin over each class.
    origin : (d,) array
        A point near the middle, so that sums of x - origin do not cancel.
    mean, variance : (d,) arrays
        Weighted, of the columns of X.
    """

    class_weight: np.ndarray
    class_sums: np.ndarray
    origin: np.ndarray
    mean: np.ndarray
    variance: np.ndarray


def first_read(data: Data) -> Moments:
    """Class sums, means and variances, from one read of X."""
    origin = _origin(data.X)
    blocks = data.blocks(origin)

    def sums(segment: list[slice]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        buffer = blocks.buffer()
        class_weight = np.zeros(data.n_classes)
        class_sums = np.zeros((data.n_classes, blocks.n_features))
        squares = np.zeros(blocks.n_features)
        for rows in segment:
            x = blocks.read(rows, buffer)
            Y = data.target_block(rows)
            if data.weight is not None:
                Y *= data.weight[rows]
            class_weight += Y.sum(axis=1)
            class_sums += Y @ x
            squares += _sum_of_squares(x, Y.sum(axis=0))
        return class_weight, class_sums, squares

    try:
        parts = blocks.map(sums, data.n_classes * blocks.n_features)
    finally:
        blocks.close()
    class_weight, class_sums, squares = (sum(part) for part in zip(*parts, strict=True))
    total = class_weight.sum()
    shift = class_sums.sum(axis=0) / total
    mean = origin + shift
    if not np.isfinite(squares).all():
        column = int(np.argmin(np.isfinite(squares)))
        raise ValueError(f"X has numbers in column {column} whose squares overflow: scale it.")
    vanished = (squares == 0) & (class_sums != 0).any(axis=0)
    if vanished.any():
        column = int(np.argmax(vanished))
        raise ValueError(f"X has numbers in column {column} whose squares underflow: scale it.")
    variance = np.maximum(squares / total - shift**2, 0.0)
    doubtful = blocks.sparse & (shift != 0) & (variance <= CONSTANT * shift**2)
    for j in np.flatnonzero(doubtful):
        mean[j], variance[j] = _centred_moments(data, int(j))
    return Moments(class_weight, class_sums, origin, mean, variance)


def _sum_of_squares(x: Any, weight: np.ndarray) -> np.ndarray:
    """Weighted squares of a block summed over its rows; a dense block is squared in place."""
    with np.errstate(over="ignore"):
        if isinstance(x, np.ndarray):
            return weight @ np.square(x, out=x)
        # A sparse block may be the whole X: squares of some rows at a time, in float64.
        total = np.zeros(x.shape[1])
        step = max(1, x.shape[0] * SQUARES // max(x.nnz, 1))
        for rows in (slice(start, start + step) for start in range(0, x.shape[0], step)):
            total += weight[rows] @ x[rows].astype(np.float64).power(2)
        return total


def _centred_moments(data: Data, column: int) -> tuple[float, float]:
    """Mean and variance of a sparse column that varies little: exact where it does not vary."""
    x = data.X[:, [column]].toarray()[:, 0].astype(np.float64)
    shift = np.average(x - x[0], weights=data.weight)
    return x[0] + shift, np.average((x - x[0] - shift) ** 2, weights=data.weight)


def _origin(X: Any) -> np.ndarray:
    """Upper median of a few rows: a constant column exactly, the middle of others nearly."""
    n, d = X.shape
    if not isinstance(X, np.ndarray):
        return np.zeros(d)
    few = np.array(X[:: max(1, n // 15)][:15], dtype=np.float64)
    few.sort(axis=0)
    return few[len(few) // 2]


@dataclass(frozen=True)
class RowSpace:
    """Fewer features for more features than rows: coordinates in the space that the rows span.

    With orthonormal Q the centred rows are X = L Q', L an (n, n) triangle. The gradient is a
    combination of rows, so the minimiser is W = A Q', and the penalty of A is that of W: the fit
    on L is the fit on X, exactly.

    Parameters
    ----------
    data : Data
        With L for X.
    Q : (d, n) array
    centre : (d,) array
        What rows are measured from, zeros without an intercept.
    """

    data: Data
    Q: np.ndarray
    centre: np.ndarray

    @classmethod
    def of(cls, data: Data, moments: Moments) -> Self:
        """Factor the rows of dense data."""
        centre = moments.mean if data.fit_intercept else np.zeros_like(moments.mean)
        rows = np.subtract(data.X, centre, dtype=np.float64)
        Q, upper = scipy.linalg.qr(rows.T, mode="economic", overwrite_a=True)
        return cls(replace(data, X=np.ascontiguousarray(upper.T)), Q, centre)

    def enter(self, coef: np.ndarray, intercept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Parameters for rows as they are -> A, a."""
        return coef @ self.Q, intercept + coef @ self.centre

    def leave(self, A: np.ndarray, a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A, a -> parameters for rows as they are."""
        coef = A @ self.Q.T
        return coef, a - coef @ self.centre
