"""Losses of samples in partitions, added up before anything is divided.

Each partition reports the sum of its weighted losses, the sum of its weights, how many samples it
has and how many of them the floor capped. These are added in a tree whose shape is always
the same, and divided once.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skxent.inputs.collections import match, row_counts
from skxent.inputs.errors import raise_no_weight
from skxent.inputs.partitioned_classes import known_classes, known_yes
from skxent.inputs.partitions import compute, is_dask, map_partitions, tree_reduce
from skxent.inputs.targets import ceiling, check_weight_range, unit
from skxent.metrics.probability_losses import N_NAMED, Floored, Losses, warn_of_floor

# Truth and prediction of a partition -> what its samples cost.
Read = Callable[[Any, Any], Losses]


class Sums(NamedTuple):
    """What a partition reports."""

    total: float = 0.0
    weight: float = 0.0
    n: int = 0
    capped: int = 0
    floored: tuple[Floored, ...] = ()
    soft: int = 0  # partitions whose predictions are not all 0 or 1


def _add(one: Sums, other: Sums) -> Sums:
    added = Sums(*map(operator.add, one, other))
    return added._replace(floored=added.floored[:N_NAMED])


@dataclass(frozen=True)
class PartitionedLosses:
    """Losses of samples in partitions, which are asked when a number is wanted.

    Parameters
    ----------
    read : callable
        ``read(y_true, y_pred)`` of one partition gives its `Losses`.
    y_true, y_pred, sample_weight : collection or array-like
        At least one of them a Dask collection; the weights may be None.
    eps : float or None
        The floor, for the warning.
    scale : float
        Nats in a unit.
    """

    read: Read
    y_true: Any
    y_pred: Any
    sample_weight: Any
    eps: float | None
    scale: float

    def reduced(self, reduction: str) -> Any:
        """Mean, sum, or the losses as an array that is lazy; warn where the floor acted."""
        if reduction == "none":
            return self._lazy()
        sums = self.sums()
        if not sums.n:
            raise ValueError("y_pred is empty: pass at least one sample.")
        if not sums.weight:
            raise_no_weight()
        return sums.total if reduction == "sum" else sums.total / sums.weight

    def sums(self) -> Sums:
        """Sums over all partitions, in the unit asked for: one round trip."""
        parts = self._parts()
        sums = compute(parts, tree_reduce(map_partitions(parts, _report, self.read), _add))
        check_weight_range(sums.weight)
        hard = None if sums.soft else "y_pred"
        warn_of_floor(sums.capped, sums.n, self.eps, sums.floored, hard)
        return sums._replace(total=sums.total / self.scale)

    def _lazy(self) -> Any:
        """Losses, (n,), cut as `y_pred` is, or else `y_true`."""
        from dask.array import Array
        from dask.highlevelgraph import HighLevelGraph

        each = map_partitions(self._parts(), _values, self.read, self.scale)
        leader = next(filter(is_dask, (self.y_pred, self.y_true, self.sample_weight)))
        counts: list[Any] = row_counts(leader) or [np.nan] * len(each)
        name = f"losses-{each[0].key}"
        blocks = {(name, i): block.key for i, block in enumerate(each)}
        graph = HighLevelGraph.from_collections(name, blocks, dependencies=each)
        return Array(graph, name, (tuple(counts),), dtype=np.float64)

    def _parts(self) -> list[Any]:
        """Prediction, truth and weights of each partition."""
        weight = self.sample_weight
        blocks = match(y_pred=self.y_pred, y_true=self.y_true, sample_weight=weight)
        return list(zip(*blocks, strict=True))


def _losses(part: Any, read: Read) -> tuple[Losses, Any]:
    """Losses and weights of one partition, which may be empty."""
    prediction, truth, weight = part
    n = prediction.shape[0]
    for name, values in (("y_true", truth), ("sample_weight", weight)):
        if values is not None and values.shape[0] != n:
            raise ValueError(
                f"{name} has {values.shape[0]} samples but y_pred has {n}: pass equal lengths, and "
                "equal partitions where their lengths are not known."
            )
    losses = read(truth, prediction) if n else Losses(np.empty(0))
    return losses, losses.weights(weight, zero=True)


def _report(index: int, part: Any, read: Read) -> Sums:
    losses, weights = _losses(part, read)
    floored = tuple(replace(each, partition=index) for each in losses.floored)
    n = len(losses.values)
    return Sums(*losses.sums(weights), n, losses.capped, floored, int(n > 0 and not losses.hard))


def _values(index: int, part: Any, read: Read, scale: float) -> NDArray[np.float64]:
    return _losses(part, read)[0].values / scale


def class_losses_of(
    read: Callable[..., Losses],
    y_true: Any,
    y_pred: Any,
    sample_weight: Any,
    *,
    from_logits: bool = False,
    labels: ArrayLike | None = None,
    base: float | None = None,
    eps: float | None = None,
) -> PartitionedLosses:
    """Ask for categorical cross-entropies, of partitions that all know the classes of the whole."""
    scale, _ = unit(base), ceiling(eps)
    names = known_classes(y_true, y_pred, labels)
    known = partial(read, from_logits=from_logits, labels=names, eps=eps)
    return PartitionedLosses(known, y_true, y_pred, sample_weight, eps, scale)


def outcome_losses_of(
    read: Callable[..., Losses],
    y_true: Any,
    y_pred: Any,
    sample_weight: Any,
    *,
    from_logits: bool = False,
    pos_label: Any = None,
    base: float | None = None,
    eps: float | None = None,
) -> PartitionedLosses:
    """Ask for binary cross-entropies, of partitions that all know which label means yes."""
    scale, _ = unit(base), ceiling(eps)
    yes = known_yes(y_true, y_pred, pos_label)
    known = partial(read, from_logits=from_logits, pos_label=yes, eps=eps)
    return PartitionedLosses(known, y_true, y_pred, sample_weight, eps, scale)
