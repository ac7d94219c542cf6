r"""Samples of very different sizes: the triangular factor of the Hessian by QR of the rows.

A placeholder of 1e9 in several columns of a row makes the sums of squares of these columns equal up
to a relative 1e-18. The Hessian, a sum of squares in float64, then no longer holds the differences
of the columns in other rows, but the rows of X still do. With :math:`P_i = \mathrm{diag}\,p_i - p_i
p_i^\top = \sum_k p_{ik} (e_k - p_i)(e_k - p_i)^\top` the Hessian is :math:`A^\top A`, where A has
the rows :math:`\sqrt{w_i p_{ik}}\,(e_k - p_i) \otimes \tilde x_i` and the rows of the penalty.
Householder's QR of A gives the triangle R with :math:`R^\top R = A^\top A`. If rows are sorted by
size and columns are pivoted, the error in each row is proportional to the size of the row (A. J.
Cox, N. J. Higham, "Stability of Householder QR factorization for weighted least squares problems",
Numerical Analysis 1997), so that small rows keep their digits beside large ones.

For the same reason samples are centred at medians: a placeholder moves the mean so far that all
other samples would lose digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import scipy.linalg
from scipy.special import expit, softmax

from skxent.likelihood import tuning
from skxent.likelihood.objective import Objective, Point
from skxent.likelihood.optimise.preconditioners import Preconditioner
from skxent.likelihood.penalty import Penalty, centred
from skxent.likelihood.sources.base import RowSource
from skxent.likelihood.sources.local_sums import LocalSums

# Change of logits, over which a slope without curvature may go on, beside offsets of hundreds.
FAR = 1e4


@dataclass(frozen=True)
class Extreme:
    """The entry of X that is farthest from the median of its column, in units of its typical size.

    Parameters
    ----------
    row, column : int
        Indices of the entry.
    value : float
        The entry.
    medians : (d,) array
        Medians of the columns.
    sizes : (d,) array
        Typical sizes of the columns: the median distance from the median, over the entries that
        differ from the median. One for a constant column.
    """

    row: int
    column: int
    value: float
    medians: np.ndarray
    sizes: np.ndarray

    @classmethod
    def of(cls, source: RowSource) -> Self | None:
        """Return the extreme entry, or None.

        None means that no entry is extreme, that the rows are not in this process, or that a QR
        factorisation of the rows would take too long.
        """
        data = source.in_memory()
        if data is None:
            return None
        width = data.n_features * data.n_classes
        if data.n_rows * data.n_classes * width**2 > tuning.QR_OPERATIONS:
            return None
        X = np.asarray(data.dense(), dtype=np.float64)
        used = slice(None) if data.weight is None else np.flatnonzero(data.weight)
        medians = np.zeros(X.shape[1])
        if data.fit_intercept:
            medians = np.array([_median(column) for column in X[used].T])
        distance = np.abs(X[used] - medians)
        sizes = np.array([_median_of_some(column) for column in distance.T])
        ratio = distance / sizes
        row, column = np.unravel_index(int(ratio.argmax()), ratio.shape)
        if not ratio[row, column] > tuning.EXTREME_RATIO:
            return None
        row = np.arange(len(X))[used][row]
        return cls(int(row), int(column), float(X[row, column]), medians, sizes)


def _median_of_some(distance: np.ndarray) -> float:
    some = distance[distance > 0]
    return _median(some) if len(some) else 1.0


def _median(x: np.ndarray) -> float:
    """Return the median of finite numbers, for few numbers in less time than `np.median`."""
    half = len(x) // 2
    if len(x) % 2:
        return float(np.partition(x, half)[half])
    middle = np.partition(x, [half - 1, half])[half - 1 : half + 1]
    return float(middle.mean())


@dataclass(frozen=True)
class RowFactor:
    """The Hessian as R' R in scaled and reordered columns; a `Preconditioner`.

    Parameters
    ----------
    shape : (R, p)
        Shape of Theta.
    scale : array
        Factor that scales each parameter's column, a vector for all classes but the last.
    order : (r,) array of int
        Indices of the columns that were kept, in the order of their pivots.
    R : (r, r) array
        Upper triangle.
    certain : bool
        Whether the columns that were left out hold nothing but rounding errors.
    missed : (m, width) array
        Directions of the parameters that move logits, by one at most, but along which no sample has
        curvature, because the probabilities of all that move are zero or one.
    reach, margin : (n,) arrays
        `reach` is an upper bound of the change of a sample's logit, relative to the others, in a
        step with a decrement of half a nat. `margin` is the difference of the two largest logits of
        a sample.
    """

    shape: tuple[int, int]
    scale: np.ndarray
    order: np.ndarray
    R: np.ndarray
    certain: bool
    missed: np.ndarray
    reach: np.ndarray
    margin: np.ndarray
    from_rows: ClassVar[bool] = True
    least_pivot: ClassVar[float] = tuning.RANK_TOLERANCE

    @classmethod
    def of(
        cls, objective: Objective, theta: np.ndarray, residual_weight: float, sizes: np.ndarray
    ) -> Self:
        """Factor the Hessian at `theta`; `sizes` are typical sizes of columns, see `Extreme`."""
        R, p = theta.shape
        free = max(R - 1, 1)
        entries = 1.0 / np.append(sizes, np.ones(p - len(sizes)))
        scale = np.tile(entries, free)
        rows = objective.rows.in_memory()
        assert rows is not None
        samples = _samples(rows)
        A = np.concatenate(
            [
                *_sample_rows(rows, samples, theta, residual_weight),
                objective.penalty.row_factor(free, objective.n_features, p),
            ]
        )
        A *= scale
        A = A[np.argsort(-np.abs(A).max(axis=1), kind="stable")]
        norms = np.hypot.reduce(A, axis=0)  # squares of tiny columns in their units overflow
        upper, order = scipy.linalg.qr(
            A, mode="r", pivoting=True, overwrite_a=True, check_finite=False
        )
        diagonal = np.abs(np.diagonal(upper))
        determined = objective.penalty.is_definite
        least = 0.0 if determined else tuning.RANK_TOLERANCE * norms[order[: len(diagonal)]]
        (void,) = np.nonzero(~(diagonal > least))
        rank = int(void[0]) if len(void) else len(diagonal)
        triangle = np.ascontiguousarray(upper[:rank, :rank])
        certain = not (diagonal[rank:] > tuning.RANK_TOLERANCE * np.sqrt(len(A))).any()
        missed = _missed(samples, scale, order, upper[:rank])
        reach = _reach(samples, scale, order[:rank], triangle)
        margin = _margin(_logits(rows, samples, theta))
        return cls(theta.shape, scale, order[:rank], triangle, certain, missed, reach, margin)

    def logit_change(self, objective: Objective, step: np.ndarray, gap: float) -> float:
        """Return an upper bound of the change of a logit in any step with the decrement `gap`.

        The step itself is not used: if one sample is orders of magnitude larger than others, the
        logits of the others computed from the step have lost digits.
        """
        return 2 * self.largest_change(gap)

    def largest_change(self, decrement: float) -> float:
        """Return the largest change of a logit in a step, over samples that have curvature.

        A sample whose margin stays large during the step has no curvature, and does not count.
        """
        change = self.reach * np.sqrt(2.0 * decrement)
        decided = (self.margin > tuning.DECIDED_MARGIN) & (change < 0.5 * self.margin)
        return float(change[~decided].max(initial=0.0))

    def from_whitened(self, v: np.ndarray) -> np.ndarray:
        """Return T v, (R, p), for whitened coordinates v; `preconditioners` defines T."""
        theta = np.zeros(self.shape)
        flat = theta.reshape(-1)
        solved = scipy.linalg.solve_triangular(self.R, v, check_finite=False)
        flat[self.order] = self.scale[self.order] * solved
        return centred(theta)

    def to_whitened(self, gradient: np.ndarray) -> np.ndarray:
        """Return T' g, a vector, for a gradient g, (R, p)."""
        some = (gradient.reshape(-1)[: len(self.scale)] * self.scale)[self.order]
        v: np.ndarray = scipy.linalg.solve_triangular(self.R, some, trans=1, check_finite=False)
        return v

    def gap_bound(self, v: np.ndarray, penalty: Penalty, n_features: int) -> float | None:
        """Return None, because no bound of the gap is known for this preconditioner."""
        return None


def slope_missed(point: Point, model: Preconditioner) -> float:
    """Return the fall, in nats, if logits move far along directions that the factor left out.

    Rank alone does not tell a direction along which every probability is zero or one from a
    direction that moves no logit. The gradient along it does.
    """
    if not isinstance(model, RowFactor):
        return 0.0  # the others leave out no direction that has a gradient
    slopes = model.missed @ point.gradient.reshape(-1)[: len(model.scale)]
    return FAR * float(np.abs(slopes).sum())


def _samples(rows: LocalSums) -> np.ndarray:
    """Return the centred samples with a column of ones, (n, p); zeros if the weight is zero."""
    buffer = rows.blocks.buffer()
    samples = np.concatenate([np.array(rows.samples(block, buffer)) for block in rows.blocks.all])
    if rows.data.weight is not None:
        samples[rows.data.weight == 0] = 0.0
    return samples


def _logits(rows: LocalSums, x: np.ndarray, theta: np.ndarray) -> np.ndarray:
    """Return the logits (n, R) of the samples x at `theta`."""
    Z: np.ndarray = x @ theta.T
    rows.data.add_offset(Z.T)
    return Z


def _sample_rows(
    rows: LocalSums, x: np.ndarray, theta: np.ndarray, residual_weight: float
) -> list[np.ndarray]:
    """Return parts of A with A' A equal to the losses' Hessian, for all classes but the last."""
    everything = slice(0, len(x))
    Z = _logits(rows, x, theta)
    P = expit(Z) if len(theta) == 1 else softmax(Z, axis=1)
    w = np.sqrt(rows.weigh(np.ones(len(x)), everything))
    r = np.sqrt(residual_weight) * rows.residuals(P.T, everything).T * w[:, None]
    if len(theta) == 1:
        curvature = w * np.sqrt(P[:, 0] * expit(-Z[:, 0]))
        return [np.hypot(curvature, r[:, 0])[:, None] * x]
    parts = [w[:, None] * _deviations(P, k) for k in range(P.shape[1])]
    parts += [r[:, :-1]] if residual_weight else []
    return [(part[:, :, None] * x[:, None, :]).reshape(len(x), -1) for part in parts]


def _margin(Z: np.ndarray) -> np.ndarray:
    """Return the difference of the two largest logits; a single logit is compared with zero."""
    if Z.shape[1] == 1:
        return np.abs(Z[:, 0])
    ordered = np.sort(Z, axis=1)
    return ordered[:, -1] - ordered[:, -2]


def _reach(x: np.ndarray, scale: np.ndarray, order: np.ndarray, R: np.ndarray) -> np.ndarray:
    """Return `RowFactor.reach`: the root of the largest x' H^-1 x over classes, (n,).

    With more than two classes the root is doubled, to bound the change of a difference of logits.
    """
    p, largest = x.shape[1], np.zeros(len(x))
    for start in range(0, len(scale), p):
        entries = np.zeros((len(scale), len(x)))
        entries[start : start + p] = x.T * scale[start : start + p, None]
        half = scipy.linalg.solve_triangular(R, entries[order], trans=1, check_finite=False)
        largest = np.maximum(largest, np.square(half).sum(axis=0))
    return np.sqrt(largest) * (1.0 if len(scale) == p else 2.0)


def _missed(x: np.ndarray, scale: np.ndarray, order: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Return `RowFactor.missed`; `upper` are the rows of the triangle that were kept.

    A column left out is the sum of the columns kept, times what solves the triangle for it. The
    difference has no curvature. If it also moves no logit, columns of X depend on each other.
    """
    rank, width = upper.shape
    if rank == width:
        return np.zeros((0, width))
    directions = np.zeros((width - rank, width))
    directions[:, order[rank:]] = np.eye(width - rank)
    directions[:, order[:rank]] = -scipy.linalg.solve_triangular(
        upper[:, :rank], upper[:, rank:], check_finite=False
    ).T
    by_class = (directions * scale).reshape(len(directions), -1, x.shape[1])
    moved = np.abs(by_class @ x.T).max(axis=(1, 2))
    rounding = tuning.RANK_TOLERANCE**0.5 * (np.abs(by_class) @ np.abs(x).T).max(axis=(1, 2))
    some = moved > rounding
    return (directions * scale)[some] / moved[some, None]


def _deviations(P: np.ndarray, k: int) -> np.ndarray:
    """Return sqrt(p_k) (e_k - p) for all classes but the last, without cancellation, (m, K - 1)."""
    deviation = -P
    deviation[:, k] = np.delete(P, k, axis=1).sum(axis=1)
    return (np.sqrt(P[:, [k]]) * deviation)[:, :-1]
