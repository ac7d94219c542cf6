"""Losses of samples in the partitions of Dask collections.

Each partition reports the sum of its weighted losses, the sum of its weights, its number of samples
and the samples that the floor acted on. These reports are added in a tree whose shape depends only
on the number of partitions. The total loss is divided by the total weight at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, Self

import numpy as np

from skxent.inputs.dask_arguments import match, row_counts
from skxent.inputs.errors import raise_no_weight
from skxent.inputs.ignored_labels import raise_none_counts
from skxent.inputs.namespaces import AnyArray, Array, Floats
from skxent.inputs.options import max_loss, unit
from skxent.inputs.partitions import compute, is_dask, map_partitions, tree_reduce
from skxent.inputs.shapes import check_partition_length
from skxent.inputs.weights import check_weight_range
from skxent.metrics.floor_warning import NONE_FLOORED, Floored
from skxent.metrics.loss_registry import Loss, LossOptions, losses_of
from skxent.metrics.loss_values import Losses

# Prediction, truth and weights of a partition; there may be no weights.
Part = tuple[AnyArray, AnyArray, AnyArray]
# Truth and prediction of a partition -> the losses of its samples.
Read = Callable[[object, object], Losses]


class Sums(NamedTuple):
    """Sums over the samples of one partition or of several."""

    total: float = 0.0
    weight: float = 0.0
    n: int = 0
    floored: Floored = NONE_FLOORED
    soft: int = 0  # number of partitions whose predictions are not all 0 or 1
    ignored: int = 0  # number of samples that do not count, and are not in `n`

    def plus(self, other: Sums) -> Sums:
        """Add the sums of later partitions."""
        return Sums(
            self.total + other.total,
            self.weight + other.weight,
            self.n + other.n,
            self.floored.plus(other.floored),
            self.soft + other.soft,
            self.ignored + other.ignored,
        )


@dataclass(frozen=True)
class PartitionedLosses:
    """Losses of samples in partitions, computed when a number is needed.

    Parameters
    ----------
    read : callable
        ``read(y_true, y_pred)`` of one partition gives its `Losses`.
    y_true, y_pred, sample_weight : collection or array-like
        At least one of the three is a Dask collection. The weights may be None.
    eps : float or None
        The floor under probabilities, which the warning names.
    scale : float
        Nats in one unit of the result.
    """

    read: Read
    y_true: AnyArray
    y_pred: AnyArray
    sample_weight: AnyArray
    eps: float | None
    scale: float

    @classmethod
    def of(
        cls, loss: Loss, y_true: object, y_pred: object, sample_weight: object, options: LossOptions
    ) -> Self:
        """Return the losses of a public function, with the same classes for every partition."""
        scale, _ = unit(options.base), max_loss(options.eps)
        classes = loss.read_classes(y_true, y_pred, options.classes, options.ignore_label)
        read = partial(losses_of, loss=loss, options=options._replace(classes=classes))
        return cls(read, y_true, y_pred, sample_weight, options.eps, scale)

    def reduced(self, reduction: str) -> float | Floats:
        """Return the mean or the sum of the losses, or all losses as a lazy array (n,).

        The mean and the sum are computed immediately, with a warning if the floor acted.
        """
        if reduction == "none":
            return self._lazy()
        sums = self.sums()
        if not sums.n and sums.ignored:
            raise_none_counts()
        if not sums.n:
            raise ValueError("y_pred is empty: pass at least one sample.")
        if not sums.weight:
            raise_no_weight(ignored=sums.ignored > 0)
        return sums.total if reduction == "sum" else sums.total / sums.weight

    def sums(self) -> Sums:
        """Return the sums over all partitions, in the requested unit, in one round trip."""
        parts = self._parts()
        sums = compute(parts, tree_reduce(map_partitions(parts, _report, self.read), Sums.plus))
        check_weight_range(sums.weight)
        sums.floored.warn(sums.n, self.eps, None if sums.soft else "y_pred")
        return sums._replace(total=sums.total / self.scale)

    def _lazy(self) -> AnyArray:
        """Return the losses as a Dask array (n,), in the partitions of the first Dask argument."""
        from dask.array import Array
        from dask.highlevelgraph import HighLevelGraph

        each = map_partitions(self._parts(), _values, self.read, self.scale)
        leader = next(filter(is_dask, (self.y_pred, self.y_true, self.sample_weight)))
        counts: Sequence[float] = row_counts(leader) or [np.nan] * len(each)
        name = f"losses-{each[0].key}"
        blocks = {(name, i): block.key for i, block in enumerate(each)}
        graph = HighLevelGraph.from_collections(name, blocks, dependencies=each)
        return Array(graph, name, (tuple(counts),), dtype=np.float64)

    def _parts(self) -> list[Part]:
        """Return prediction, truth and weights of each partition."""
        weight = self.sample_weight
        blocks = match(y_pred=self.y_pred, y_true=self.y_true, sample_weight=weight)
        return list(zip(*blocks, strict=True))


def _losses(part: Part, read: Read) -> tuple[Losses, Array | None]:
    """Return losses and weights of one partition, which may be empty."""
    prediction, truth, weight = part
    n = prediction.shape[0]
    check_partition_length("y_true", truth, n)
    check_partition_length("sample_weight", weight, n)
    losses = read(truth, prediction) if n else Losses(np.empty(0))
    return losses, losses.weights(weight, zero=True)


def _report(index: int, part: Part, read: Read) -> Sums:
    losses, weights = _losses(part, read)
    n = losses.counted.shape[0]
    floored = losses.floored.placed(partition=index)
    ignored = losses.values.shape[0] - n
    return Sums(*losses.sums(weights), n, floored, int(n > 0 and not losses.hard), ignored)


def _values(index: int, part: Part, read: Read, scale: float) -> Floats:
    return _losses(part, read)[0].values / scale
