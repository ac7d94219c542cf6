"""Samples in the partitions of Dask collections: what is read and checked there, and comes here.

One round trip looks at all partitions. It brings their sizes, classes and weights; from those
follow the classes of all, their codes and the class weights, which the partitions then take up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skxent.classifiers.partition_reading import (
    Look,
    as_block,
    encode,
    look,
    read_block,
    read_targets,
)
from skxent.classifiers.partitioned_predictions import learn_columns
from skxent.inputs.class_names import column_names
from skxent.inputs.collections import match
from skxent.inputs.errors import raise_no_weight
from skxent.inputs.features import FLOATS
from skxent.inputs.fit_targets import FitTargets, Floats, class_factors, require_two_classes
from skxent.inputs.labels import as_labels
from skxent.inputs.partitions import Each, compute, map_partitions, memory, persist
from skxent.inputs.targets import check_weight_range
from skxent.likelihood.sources.partitioned_rows import PartitionedRows, Recipe, new_slots
from skxent.likelihood.sources.thread_limits import effective_threads

ROOM = 0.5  # of the memory of the workers, or of what is free here, that samples may take


@dataclass(frozen=True)
class PartitionedSamples:
    """Samples with their targets and weights, in partitions of which none is empty.

    Parameters
    ----------
    x, targets, weights : Each
        Blocks as a fit takes them, `FitTargets` by their own classes, weights or None.
    lengths : list of int
        Numbers of samples.
    totals : (partitions, K) array
        Total weights of the classes.
    classes : (K,) array
    n_features : int
    sparse : bool
    spare : float or None
        As in `PartitionedRows`.
    """

    x: Each
    targets: Each
    weights: Each
    lengths: list[int]
    totals: Floats
    classes: NDArray[Any]
    n_features: int
    sparse: bool
    spare: float | None

    @classmethod
    def read(
        cls, estimator: Any, X: Any, y: Any, sample_weight: Any, classes: ArrayLike | None
    ) -> Self:
        """Read and check the samples of a fit of `estimator`, and keep them where they are."""
        n_features = learn_columns(estimator, X, reset=True)
        if y is None:
            raise ValueError("fit requires y to be passed, but the target y is None.")
        blocks, y_blocks, weights = match(X=X, y=y, sample_weight=sample_weight)
        x, n_bytes = _readable(X, blocks)
        names = column_names(y) if getattr(y, "ndim", 1) == 2 else None
        targets = map_partitions(y_blocks, read_targets, weights)
        room, has_workers = memory()
        # Workers write to disk what is too much for them; this process does not.
        early = has_workers if n_bytes is None else n_bytes <= ROOM * room
        # Together, so that a source is read once, which may give other rows the next time.
        kept, targets = persist(x, targets) if early else (x, *persist(targets))
        sources = list(zip(blocks, y_blocks, weights, strict=True))
        looks: list[Look] = compute(
            sources, map_partitions(kept, look, targets, weights, n_features)
        )
        spare = ROOM * room - sum(one.n_bytes for one in looks)
        fits = spare >= 0
        if fits != early:
            (kept,) = persist(x) if fits else (x,)
        there = [i for i, one in enumerate(looks) if one.n_rows]
        looks = [looks[i] for i in there]
        known, totals = _classes(looks, names, classes)
        return cls(
            x=kept.take(there),
            targets=targets.take(there),
            weights=weights.take(there),
            lengths=[one.n_rows for one in looks],
            totals=totals,
            classes=known,
            n_features=n_features,
            sparse=looks[0].sparse,
            spare=spare if fits else None,
        )

    def data(
        self, estimator: Any, class_weight: Any = None, which: Sequence[int] | None = None
    ) -> PartitionedRows:
        """The data of a fit of `estimator`, of all partitions or of some."""
        which = range(len(self.lengths)) if which is None else which
        factors = None
        if class_weight is not None:
            factors = class_factors(class_weight, self.classes, self.totals[which].sum(axis=0))
        x, weights = self.x.take(which), self.weights.take(which)
        targets = map_partitions(self.targets.take(which), encode, weights, self.classes, factors)
        fit_intercept = bool(estimator.fit_intercept)
        return PartitionedRows(
            parts=Each(zip(x, *persist(targets), strict=True)),
            slots=new_slots(x, self.spare is not None),
            recipe=Recipe(as_block, len(self.classes), fit_intercept),
            lengths=[self.lengths[i] for i in which],
            width=self.n_features,
            sparse=self.sparse,
            n_classes=len(self.classes),
            fit_intercept=fit_intercept,
            n_threads=effective_threads(estimator.n_jobs),
            spare=self.spare,
        )


def _readable(X: Any, blocks: Each) -> tuple[Each, int | None]:
    """Blocks as a fit takes them, and the bytes of all where that is known beforehand."""
    meta = X._meta
    if not isinstance(meta, np.ndarray):
        return map_partitions(blocks, read_block), None
    n_bytes = None if np.isnan(X.nbytes) else int(X.nbytes)
    # Blocks that should be good as they are stay what they are, and may be there already.
    return blocks if meta.dtype in FLOATS else map_partitions(blocks, read_block), n_bytes


def _classes(
    looks: list[Look], columns: Any, classes: ArrayLike | None
) -> tuple[NDArray[Any], Floats]:
    """The classes of all partitions, and their total weights in each of them."""
    if not looks:
        raise ValueError("X has no samples: all its partitions are empty.")
    widths = {len(one.classes) if one.soft else 1 for one in looks}
    if len({one.soft for one in looks}) > 1 or (looks[0].soft and len(widths) > 1):
        raise ValueError(f"y has partitions of {sorted(widths)} columns: pass one number of them.")
    if looks[0].soft:
        known, totals = looks[0].classes, np.array([one.totals for one in looks])
        if classes is not None:
            known = FitTargets.names(classes, len(known), columns)
    elif classes is not None:
        raise ValueError("classes names the columns of soft targets, but y holds labels.")
    else:
        known, totals = _classes_of_labels(looks)
    require_two_classes(known)
    if not totals.any():
        raise_no_weight()
    with np.errstate(over="ignore"):
        check_weight_range(totals.sum())
    return known, totals


def _classes_of_labels(looks: list[Look]) -> tuple[NDArray[Any], Floats]:
    held = np.concatenate([one.classes.astype(object) for one in looks])
    labels = as_labels(held, "the classes of y")
    totals = np.zeros((len(looks), len(labels.distinct)))
    part = np.repeat(np.arange(len(looks)), [len(one.classes) for one in looks])
    totals[part, labels.codes] = np.concatenate([one.totals for one in looks])
    return labels.distinct.astype(np.result_type(*[one.classes.dtype for one in looks])), totals
