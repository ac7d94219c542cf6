"""The samples that are left out in turn: their losses, in this process or in Dask partitions.

The losses of the samples of a process are computed where the samples are, from the parameters of
the fit of all samples and from the inverse of its Hessian.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from skxent.inference.case_deletion import Fit, largest_change, one_step
from skxent.inputs.partitions import Each
from skxent.likelihood.coordinates.weighted_classes import Present
from skxent.likelihood.sources.arrays import RowArrays
from skxent.likelihood.sources.base import RowSource
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.local_sums import LocalSums
from skxent.likelihood.sources.partitioned_rows import PartitionedRows, PartitionedSums

# Function that returns the losses of m samples, (m,), from their indices and their logits, (m, K)
# or (m, 1).
LossFunction = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Truth:
    """The losses of the samples of one process.

    This is no tuple, because Dask takes a tuple that begins with a function for a task.

    Parameters
    ----------
    loss : function (rows, logits) -> losses
    importance : (n,) array
        Weights of the losses in their mean. Samples without weight are not left out.
    """

    loss: LossFunction
    importance: np.ndarray


@dataclass(frozen=True)
class Deleted:
    """Losses of m samples in fits with and without them, in nats, by one Newton step each.

    Parameters
    ----------
    total : float
        Weighted sum of the losses of all samples in the fit of all.
    rows : (m,) array
        Indices of the m samples.
    fitted, losses : (m,) array
        Their losses with and without them.
    bound : (m,) array
        Rough bounds of the errors of the weighted losses.
    importance : (m,) array
        Weights of the samples in the mean loss.
    pushes : (m, free) array
        See `case_deletion`.
    left : (m,) array
        Fractions of the curvature that are left without a sample, see `one_step`.
    alone : (m,) array of bool
        Whether a sample is the only one of a class, which is then not part of the fit without it.
    """

    total: float
    rows: np.ndarray
    fitted: np.ndarray
    losses: np.ndarray
    bound: np.ndarray
    importance: np.ndarray
    pushes: np.ndarray
    left: np.ndarray
    alone: NDArray[np.bool_]

    @classmethod
    def joined(cls, parts: list[Self], lengths: list[int]) -> Self:
        """Join the losses of partitions with the given numbers of samples."""
        first = np.cumsum([0, *lengths])
        parts = [replace(one, rows=one.rows + a) for one, a in zip(parts, first, strict=False)]
        arrays: dict[str, Any] = {
            field.name: np.concatenate([getattr(one, field.name) for one in parts])
            for field in fields(cls)
            if field.name != "total"
        }
        return cls(total=float(sum(one.total for one in parts)), **arrays)


@dataclass(frozen=True)
class Parameters:
    """The fit of all samples, as each process needs it.

    Parameters
    ----------
    theta : (R, p) array
    half : array
        See `case_deletion.Fit.half`.
    class_counts : (K,) array
        Number of samples of positive weight in each class.
    present : Present or None
        Which classes have weight, if not all have.
    """

    theta: np.ndarray
    half: np.ndarray
    class_counts: np.ndarray
    present: Present | None


class Cases(Protocol):
    """The samples that are left out in turn, which may be a random choice of all samples."""

    @property
    def n_samples(self) -> int:
        """Number of samples of positive importance, of which `choose` chooses."""
        ...

    @property
    def total_importance(self) -> float:
        """Sum of the weights of all samples in the mean loss."""
        ...

    def choose(self, positions: np.ndarray | None) -> None:
        """Leave out the samples at these positions among those of importance; None means all."""
        ...

    def counts(self, data: RowSource) -> np.ndarray:
        """Return the numbers of samples of positive weight, in each class and in all, (K + 1,)."""
        ...

    def delete(self, fit: Fit, parameters: Parameters) -> Deleted:
        """Leave out each of the samples by one Newton step."""
        ...

    def sample(self, fit: Fit, row: int) -> np.ndarray:
        """Return a centred sample, (p,)."""
        ...

    def without(self, data: RowSource, row: int) -> RowSource:
        """Return the rows of a fit in which a sample has weight zero."""
        ...

    def loss_at(
        self, data: RowSource, row: int, coef: np.ndarray, intercept: np.ndarray, present: Any
    ) -> float:
        """Return the loss of a sample at given parameters."""
        ...


class LocalCases:
    """Samples in this process; implements `Cases`.

    Parameters
    ----------
    truth : Truth
    """

    def __init__(self, truth: Truth) -> None:
        self.truth = truth
        self.total_importance = float(truth.importance.sum())
        self.n_samples = int(np.count_nonzero(truth.importance))
        self.positions: np.ndarray | None = None

    def choose(self, positions: np.ndarray | None) -> None:
        """Choose the samples to leave out."""
        self.positions = positions

    def counts(self, data: RowSource) -> np.ndarray:
        """Return the numbers of samples of positive weight, in each class and in all, (K + 1,)."""
        return count_weighted(local(data))

    def delete(self, fit: Fit, parameters: Parameters) -> Deleted:
        """Leave out each of the samples by one Newton step."""
        sums = fit.objective.rows.in_memory()
        assert sums is not None
        with closing(sums):
            return delete(sums, self.truth, self.positions, parameters)

    def sample(self, fit: Fit, row: int) -> np.ndarray:
        """Return a centred sample, (p,)."""
        sums = fit.objective.rows.in_memory()
        assert sums is not None
        return sample_at(sums, row)

    def without(self, data: RowSource, row: int) -> LocalRows:
        """Return the rows of a fit in which a sample has weight zero."""
        return local(data).without_row(0, row)

    def loss_at(
        self,
        data: RowSource,
        row: int,
        coef: np.ndarray,
        intercept: np.ndarray,
        present: Present | None,
    ) -> float:
        """Return the loss of a sample at given parameters."""
        return loss_of_row(local(data), self.truth, row, coef, intercept, present)


class PartitionedCases:
    """Samples in Dask partitions; implements `Cases`.

    Parameters
    ----------
    data : PartitionedRows
    truths : Each
        A lazy `Truth` for each partition.
    """

    def __init__(self, data: PartitionedRows, truths: Each) -> None:
        self.truths, self.lengths = truths, list(data.lengths)
        self.row_ends = np.cumsum(self.lengths)
        counts, totals = zip(*data.gather(count_important, truths), strict=True)
        self.ends = np.cumsum(counts)
        self.n_samples = int(self.ends[-1])
        self.total_importance = float(sum(totals))
        self.positions: object = None

    def choose(self, positions: np.ndarray | None) -> None:
        """Choose the samples to leave out."""
        if positions is None:
            self.positions = None
            return
        begins = np.append(0, self.ends[:-1])
        cuts = np.searchsorted(positions, self.ends[:-1])
        chosen = np.split(positions, cuts)
        self.positions = Each(one - a for one, a in zip(chosen, begins, strict=True))

    def counts(self, data: RowSource) -> np.ndarray:
        """Return the numbers of samples of positive weight, in each class and in all, (K + 1,)."""
        counts: np.ndarray = partitioned(data).sum(count_weighted)
        return counts

    def delete(self, fit: Fit, parameters: Parameters) -> Deleted:
        """Leave out each of the samples by one Newton step, where it is."""
        sums = fit.objective.rows
        assert isinstance(sums, PartitionedSums)
        parts = sums.gather(delete, self.truths, self.positions, parameters)
        return Deleted.joined(parts, self.lengths)

    def sample(self, fit: Fit, row: int) -> np.ndarray:
        """Return a centred sample, (p,)."""
        sums, (part, place) = fit.objective.rows, self._place(row)
        assert isinstance(sums, PartitionedSums)
        x: np.ndarray = sums.one(part, sample_at, place)
        return x

    def without(self, data: RowSource, row: int) -> PartitionedRows:
        """Return the rows of a fit in which a sample has weight zero."""
        return partitioned(data).without_row(*self._place(row))

    def loss_at(
        self,
        data: RowSource,
        row: int,
        coef: np.ndarray,
        intercept: np.ndarray,
        present: Present | None,
    ) -> float:
        """Return the loss of a sample at given parameters."""
        part, place = self._place(row)
        rows, args = partitioned(data), (place, coef, intercept, present)
        return float(rows.one(part, loss_of_row, self.truths, *args))

    def _place(self, row: int) -> tuple[int, int]:
        """Return the partition of a sample, and its index there."""
        part = int(np.searchsorted(self.row_ends, row, side="right"))
        return part, int(row - (self.row_ends[part] - self.lengths[part]))


def local(data: RowSource) -> LocalRows:
    """Return rows that are known to be in this process."""
    rows = data.in_memory()
    assert rows is not None
    return rows


def partitioned(data: RowSource) -> PartitionedRows:
    """Return rows that are known to be in partitions."""
    assert isinstance(data, PartitionedRows)
    return data


def count_weighted(rows: LocalRows) -> np.ndarray:
    """Return the numbers of rows of positive weight, in each class and in all, (K + 1,)."""
    targets = rows.targets[rows.weighted]
    if targets.ndim == 1:
        counts = np.bincount(targets, minlength=rows.n_classes)
    else:
        counts = np.count_nonzero(targets > 0, axis=0)
    return np.append(counts, len(targets))


def count_important(rows: LocalRows, truth: Truth) -> tuple[int, float]:
    """Return the number of samples of positive importance, and the sum of the importances."""
    return int(np.count_nonzero(truth.importance)), float(truth.importance.sum())


def sample_at(sums: LocalSums, row: int) -> np.ndarray:
    """Return a centred sample, (p,)."""
    (x,) = sums.samples_at(np.array([row]))
    return x


def loss_of_row(
    rows: LocalRows,
    truth: Truth,
    row: int,
    coef: np.ndarray,
    intercept: np.ndarray,
    present: Present | None,
) -> float:
    """Return the loss of a sample at given parameters."""
    logits = rows.X[[row]] @ coef.T + intercept
    rows.add_offset(logits.T, slice(row, row + 1))
    logits = logits if present is None else present.logits(logits)
    return float(truth.loss(np.array([row]), logits)[0])


def delete(
    sums: LocalSums, truth: Truth, positions: np.ndarray | None, parameters: Parameters
) -> Deleted:
    """Leave out each of the chosen samples of one process by one Newton step."""
    present, importance = parameters.present, truth.importance
    rows = np.flatnonzero(importance)
    rows = rows if positions is None else rows[positions]

    def loss(which: np.ndarray, Z: np.ndarray) -> np.ndarray:
        return truth.loss(which, Z if present is None else present.logits(Z))

    places, classes = only_samples(sums.data, rows, parameters.class_counts)

    def moved(Z: np.ndarray, moves: np.ndarray) -> np.ndarray:
        """Return the losses of `rows` after a change of their logits."""
        Z = Z.copy()
        Z[:, : moves.shape[1]] += moves
        forget_class(Z, places, classes)
        return loss(rows, Z)

    Z, moves, pushes, left = one_step(sums, parameters.theta, parameters.half, rows)
    fitted = loss(np.arange(len(Z)), Z)
    # A sample without importance may have an infinite loss.
    total = float(np.where(importance > 0, fitted, 0.0) @ importance)
    fitted, Z = fitted[rows], Z[rows]
    losses = moved(Z, moves)
    q = np.minimum(largest_change(moves), 1.0)
    farther = np.abs(moved(Z, moves * np.exp(q)[:, None]) - losses)
    bound = np.maximum(farther, q * np.abs(losses - fitted)) * importance[rows]
    n_forgotten = np.bincount(places, minlength=len(rows))
    bound[nothing_else(sums.data, rows, n_forgotten)] = 0.0
    alone = n_forgotten > 0
    return Deleted(total, rows, fitted, losses, bound, importance[rows], pushes, left, alone)


def only_samples(
    data: RowArrays, rows: np.ndarray, class_counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions in `rows` of samples that are alone in a class, and this class.

    Soft targets have a column for the class without the sample too, and a fit without an intercept
    keeps this column: no sample is alone there.
    """
    targets, weighted = data.targets[rows], data.weighted[rows]
    if targets.ndim == 1:
        places = np.flatnonzero((class_counts[targets] == 1) & weighted)
        return places, targets[places]
    alone = (class_counts == 1) & (targets > 0) & weighted[:, None] & data.fit_intercept
    places, classes = np.nonzero(alone)
    return places, classes


def nothing_else(data: RowArrays, rows: np.ndarray, n_forgotten: np.ndarray) -> np.ndarray:
    """Return whether the loss of a sample is known as soon as its classes are forgotten, (m,).

    `n_forgotten` has the number of classes in which a sample is alone. The loss is known if the
    target has no other class, or if the fit without the sample has one class only.
    """
    own = 1 if data.targets.ndim == 1 else np.count_nonzero(data.targets[rows] > 0, axis=1)
    known: np.ndarray = (n_forgotten > 0) & (
        (n_forgotten == own) | (data.n_classes - n_forgotten < 2)
    )
    return known


def forget_class(Z: np.ndarray, places: np.ndarray, classes: np.ndarray) -> None:
    """Set the logit of a class without its only sample to minus infinity."""
    if Z.shape[1] == 1:
        Z[places, 0] = np.where(classes == 1, -np.inf, np.inf)
    else:
        Z[places, classes] = -np.inf
