r"""Samples of very different sizes: the Hessian's factor from the rows themselves, by QR.

A placeholder of 1e9 in several columns of a row makes the squares of these columns equal but for a
part of 1e-18. The Hessian, a sum of squares in float64, then no longer holds the differences of the
columns in other rows. The rows themselves do. With :math:`P_i = \mathrm{diag}\,p_i - p_i p_i^\top
= \sum_k p_{ik} (e_k - p_i)(e_k - p_i)^\top` the Hessian is :math:`A^\top A`, where A has the rows
:math:`\sqrt{w_i p_{ik}}\,(e_k - p_i) \otimes \tilde x_i`, and for the penalty a few more. Its
triangle R, :math:`R^\top R = A^\top A`, comes from Householder's QR of A. With rows sorted by their
size and columns pivoted the error in each row is of the size of that row (A. J. Cox, N. J. Higham,
"Stability of Householder QR factorization for weighted least squares problems", Numerical Analysis
1997), so that small rows keep their digits beside large ones.

For the same reason samples are measured from medians: a placeholder moves the mean so far that all
other samples would lose digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import scipy.linalg
from scipy.special import expit, softmax

from skxent.likelihood.objective import Objective
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.base import RowSource
from skxent.likelihood.sources.local_sums import LocalSums

EXTREME = 1e3  # times the median size of a column's entries; a larger entry makes rows graded
OPERATIONS = 1e9  # of a QR, which take up to a second; larger problems keep the Hessian
SURE = 100.0  # logits of margin; with half of it the other probabilities are lost beside one
RANK = 1e-13  # part of a column; without penalty, a smaller remainder of it is taken for rounding


@dataclass(frozen=True)
class Extreme:
    """The entry of X that is farthest from its column's median, and the medians.

    Parameters
    ----------
    row, column : int
    value : float
    medians : (d,) array
    sizes : (d,) array
        Median distance from the median of the entries that have any; one where none has.
    """

    row: int
    column: int
    value: float
    medians: np.ndarray
    sizes: np.ndarray

    @classmethod
    def of(cls, source: RowSource) -> Self | None:
        """Find it; None if rows are elsewhere or too many, or no entry is extreme."""
        data = source.in_memory()
        if data is None:
            return None
        width = data.n_features * data.n_classes
        if data.n_rows * data.n_classes * width**2 > OPERATIONS:
            return None
        X = np.asarray(data.dense(), dtype=np.float64)
        used = slice(None) if data.weight is None else np.flatnonzero(data.weight)
        medians = np.median(X[used], axis=0) if data.fit_intercept else np.zeros(X.shape[1])
        distance = np.abs(X[used] - medians)
        sizes = np.array([_median_of_some(column) for column in distance.T])
        ratio = distance / sizes
        row, column = np.unravel_index(int(ratio.argmax()), ratio.shape)
        if not ratio[row, column] > EXTREME:
            return None
        row = np.arange(len(X))[used][row]
        return cls(int(row), int(column), float(X[row, column]), medians, sizes)


def _median_of_some(distance: np.ndarray) -> float:
    some = distance[distance > 0]
    return float(np.median(some)) if len(some) else 1.0


@dataclass(frozen=True)
class RowFactor:
    """H as R' R, in columns that are scaled and reordered; see `curvature.Cholesky`.

    Parameters
    ----------
    shape : (R, p)
    scale : array
        By which each column was multiplied, flat.
    order : (r,) array of int
        Places of the columns that count, most important first.
    R : (r, r) array
        Upper triangle.
    certain : bool
        Whether all columns that were left out are nothing but rounding.
    reach, margin : (n,) arrays
        For each sample the largest move of a logit relative to the others in a step with a
        decrement of half a nat, and how far its largest logit is above the next.
    """

    shape: tuple[int, int]
    scale: np.ndarray
    order: np.ndarray
    R: np.ndarray
    certain: bool
    reach: np.ndarray
    margin: np.ndarray

    @classmethod
    def of(cls, objective: Objective, theta: np.ndarray, caution: float, sizes: np.ndarray) -> Self:
        """Factor the Hessian at `theta`; `sizes` are those of the columns, (d,)."""
        R, p = theta.shape
        free = max(R - 1, 1)
        entries = 1.0 / np.append(sizes, np.ones(p - len(sizes)))
        scale = np.tile(entries, free)
        rows = objective.rows.in_memory()
        assert rows is not None
        samples = _samples(rows)
        A = np.concatenate(
            [
                *_sample_rows(rows, samples, theta, caution),
                objective.penalty.row_factor(free, objective.n_features, p),
            ]
        )
        A *= scale
        A = A[np.argsort(-np.abs(A).max(axis=1), kind="stable")]
        norms = np.sqrt(np.square(A).sum(axis=0))
        upper, order = scipy.linalg.qr(
            A, mode="r", pivoting=True, overwrite_a=True, check_finite=False
        )
        diagonal = np.abs(np.diagonal(upper))
        determined = objective.penalty.is_definite
        least = 0.0 if determined else RANK * norms[order[: len(diagonal)]]
        (void,) = np.nonzero(~(diagonal > least))
        rank = int(void[0]) if len(void) else len(diagonal)
        triangle = np.ascontiguousarray(upper[:rank, :rank])
        certain = not (diagonal[rank:] > RANK * np.sqrt(len(A))).any()
        reach = _reach(samples, scale, order[:rank], triangle)
        margin = _margin(samples @ theta.T)
        return cls(theta.shape, scale, order[:rank], triangle, certain, reach, margin)

    def farthest_move(self, decrement: float) -> float:
        """Largest move of a logit on the way to the minimum, over samples that have curvature.

        A sample whose margin stays large on the way has no curvature before or after, however far
        its logits move.
        """
        move = self.reach * np.sqrt(2.0 * decrement)
        matters = ~((self.margin > SURE) & (move < 0.5 * self.margin))
        return float(move[matters].max(initial=0.0))

    def to_theta(self, v: np.ndarray) -> np.ndarray:
        """T v, from a flat v."""
        theta = np.zeros(self.shape)
        flat = theta.reshape(-1)
        solved = scipy.linalg.solve_triangular(self.R, v, check_finite=False)
        flat[self.order] = self.scale[self.order] * solved
        return theta - theta.sum(axis=0) / len(theta) if len(theta) > 1 else theta

    def to_v(self, gradient: np.ndarray) -> np.ndarray:
        """T' g, flat."""
        some = (gradient.reshape(-1)[: len(self.scale)] * self.scale)[self.order]
        v: np.ndarray = scipy.linalg.solve_triangular(self.R, some, trans=1, check_finite=False)
        return v

    def most_left(self, v: np.ndarray, penalty: Penalty, n_features: int) -> float | None:
        """Nothing is known beyond the factor."""
        return None


def _samples(rows: LocalSums) -> np.ndarray:
    """All samples, centred and with their ones, (n, p); those without weight are zeros."""
    buffer = rows.blocks.buffer()
    samples = np.concatenate([np.array(rows.samples(block, buffer)) for block in rows.blocks.all])
    if rows.data.weight is not None:
        samples[rows.data.weight == 0] = 0.0
    return samples


def _sample_rows(
    rows: LocalSums, x: np.ndarray, theta: np.ndarray, caution: float
) -> list[np.ndarray]:
    """Rows whose squares add up to the Hessian of the losses, for the classes but the last."""
    everything = slice(0, len(x))
    Z = x @ theta.T
    P = expit(Z) if len(theta) == 1 else softmax(Z, axis=1)
    w = np.sqrt(rows.weigh(np.ones(len(x)), everything))
    r = np.sqrt(caution) * rows.residuals(P.T, everything).T * w[:, None]
    if len(theta) == 1:
        curvature = w * np.sqrt(P[:, 0] * expit(-Z[:, 0]))
        return [np.hypot(curvature, r[:, 0])[:, None] * x]
    parts = [w[:, None] * _deviations(P, k) for k in range(P.shape[1])]
    parts += [r[:, :-1]] if caution else []
    return [(part[:, :, None] * x[:, None, :]).reshape(len(x), -1) for part in parts]


def _margin(Z: np.ndarray) -> np.ndarray:
    if Z.shape[1] == 1:
        return np.abs(Z[:, 0])
    ordered = np.sort(Z, axis=1)
    return ordered[:, -1] - ordered[:, -2]


def _reach(x: np.ndarray, scale: np.ndarray, order: np.ndarray, R: np.ndarray) -> np.ndarray:
    """See `RowFactor`: the most of x' H^-1 x for each class, and twice that for differences."""
    p, most = x.shape[1], np.zeros(len(x))
    for start in range(0, len(scale), p):
        entries = np.zeros((len(scale), len(x)))
        entries[start : start + p] = x.T * scale[start : start + p, None]
        half = scipy.linalg.solve_triangular(R, entries[order], trans=1, check_finite=False)
        most = np.maximum(most, np.square(half).sum(axis=0))
    return np.sqrt(most) * (1.0 if len(scale) == p else 2.0)


def _deviations(P: np.ndarray, k: int) -> np.ndarray:
    """sqrt(p_k) (e_k - p) for the classes but the last, (m, K - 1), without cancellation."""
    deviation = -P
    deviation[:, k] = np.delete(P, k, axis=1).sum(axis=1)
    return (np.sqrt(P[:, [k]]) * deviation)[:, :-1]
