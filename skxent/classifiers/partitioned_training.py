"""Samples in the partitions of Dask collections: read, checked and encoded on their workers.

One round trip to the workers returns the size of each partition, its classes and the total weight
of each class. The classes of the whole collection and the class weights are computed from these
values. Tasks then encode the labels of each partition and multiply its sample weights by the class
weights.
"""

from __future__ import annotations

import numbers
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.utils import assert_all_finite, check_array
from sklearn.utils.validation import validate_data

from skxent.inference.fitted import ClassWeight, LinearModel
from skxent.inputs.class_names import column_names
from skxent.inputs.dask_arguments import check_collection, match
from skxent.inputs.errors import check_kind, raise_no_weight
from skxent.inputs.features import FLOATS, AnyArray, canonical, check_columns, columns_named
from skxent.inputs.fit_targets import FitTargets, Floats, class_factors, require_two_classes
from skxent.inputs.labels import as_labels, locate
from skxent.inputs.offsets import (
    as_logits,
    check_offset_names,
    check_offset_shape,
    read_values,
)
from skxent.inputs.partitions import Each, compute, map_partitions, memory, persist
from skxent.inputs.splits import Indices, Split
from skxent.inputs.weights import as_weights, check_weight_range
from skxent.likelihood.sources.arrays import balanced_offset
from skxent.likelihood.sources.partitioned_rows import PartitionedRows, Recipe, new_slots
from skxent.likelihood.sources.thread_limits import effective_threads

ROOM = 0.5  # largest fraction of the memory of the workers, or of this process, that X may fill


@dataclass(frozen=True)
class PartitionedSamples:
    """Samples in partitions, none of them empty, with their targets and weights.

    Parameters
    ----------
    x, targets, weights, offsets : Each
        Blocks of X as `as_block` returns them, `FitTargets` with the classes of the partition,
        weights or None, and offsets or None.
    lengths : list of int
        Number of samples of each partition.
    totals : (partitions, K) array
        Total weight of each class in each partition.
    classes : (K,) array
    n_features : int
    sparse, fit_intercept : bool
    n_bytes : int
        Size of X.
    spare : float or None
        As in `PartitionedRows`.
    """

    x: Each
    targets: Each
    weights: Each
    offsets: Each
    lengths: list[int]
    totals: Floats
    classes: np.ndarray
    n_features: int
    sparse: bool
    fit_intercept: bool
    n_bytes: int
    spare: float | None
    in_processes: ClassVar[bool] = False

    @classmethod
    def read(
        cls,
        estimator: LinearModel,
        X: AnyArray,
        y: AnyArray,
        sample_weight: ArrayLike | None,
        classes: ArrayLike | None,
        offset: AnyArray = None,
    ) -> Self:
        """Read and check the samples of a fit of `estimator`; partitions stay on their workers."""
        n_features = learn_columns(estimator, X, reset=True)
        if y is None:
            raise ValueError("fit requires y to be passed, but the target y is None.")
        blocks, y_blocks, weights, offsets = match(
            X=X, y=y, sample_weight=sample_weight, offset=offset
        )
        x, n_bytes = _readable(X, blocks)
        names = column_names(y) if getattr(y, "ndim", 1) == 2 else None
        targets = map_partitions(y_blocks, read_targets, weights)
        logits = map_partitions(offsets, read_logits)
        room, has_workers = memory()
        # If the size of X is unknown, X is kept in the memory of workers, which may spill to disk,
        # but not in the memory of this process.
        early = has_workers if n_bytes is None else n_bytes <= ROOM * room
        # X, targets and offsets are computed together, because a random source gives other rows
        # when it is read again.
        kept, targets, logits = (
            persist(x, targets, logits) if early else (x, *persist(targets, logits))
        )
        sources = list(zip(blocks, y_blocks, weights, offsets, strict=True))
        facts: list[PartitionFacts] = compute(
            sources, map_partitions(kept, check_partition, targets, weights, logits, n_features)
        )
        spare = ROOM * room - sum(one.n_bytes for one in facts)
        fits = spare >= 0
        if fits != early:
            (kept,) = persist(x) if fits else (x,)
        filled = [i for i, one in enumerate(facts) if one.n_rows]
        facts = [facts[i] for i in filled]
        known, totals = _classes(facts, names, classes)
        if offset is not None:
            _check_offsets(offset, facts, known)
        return cls(
            x=kept.take(filled),
            targets=targets.take(filled),
            weights=weights.take(filled),
            offsets=logits.take(filled),
            lengths=[one.n_rows for one in facts],
            totals=totals,
            classes=known,
            n_features=n_features,
            sparse=facts[0].sparse,
            fit_intercept=bool(estimator.fit_intercept),
            n_bytes=sum(one.n_bytes for one in facts),
            spare=spare if fits else None,
        )

    def rows(
        self,
        class_weight: ClassWeight | None,
        n_jobs: int | None,
        which: Indices | None = None,
    ) -> PartitionedRows:
        """Return all partitions, or those in `which`, as the rows of a fit with class weights."""
        chosen = range(len(self.lengths)) if which is None else which.tolist()
        factors = None
        if class_weight is not None:
            factors = class_factors(class_weight, self.classes, self.totals[chosen].sum(axis=0))
        x, weights, offsets = (each.take(chosen) for each in (self.x, self.weights, self.offsets))
        targets = map_partitions(
            self.targets.take(chosen), encode, weights, offsets, self.classes, factors
        )
        return PartitionedRows(
            parts=Each(zip(x, *persist(targets), strict=True)),
            slots=new_slots(x, self.spare is not None),
            recipe=Recipe(as_block, len(self.classes), self.fit_intercept),
            lengths=[self.lengths[i] for i in chosen],
            width=self.n_features,
            sparse=self.sparse,
            n_classes=len(self.classes),
            fit_intercept=self.fit_intercept,
            n_threads=effective_threads(n_jobs),
            spare=self.spare,
        )

    def splits(self, cv: object, metadata: dict[str, object]) -> list[Split]:
        """Return the training and test partitions of each fold.

        Fold i of k tests partitions i, i + k, i + 2 k, ...
        """
        if metadata:
            raise ValueError(
                f"{' and '.join(metadata)} cannot be used with Dask collections, because each fold "
                "consists of whole partitions: leave the argument out."
            )
        n = len(self.lengths)
        if not isinstance(cv, numbers.Integral) or isinstance(cv, bool):
            raise ValueError(
                f"cv is {cv!r}, but folds of Dask collections are whole partitions: pass the "
                "number of folds, such as cv=5, or None for leave-one-out."
            )
        if not 2 <= int(cv) <= n:
            raise ValueError(
                f"cv={cv} folds of {n} partitions: pass 2 to {n}, or split X and y into more "
                "partitions with X.rechunk or X.repartition."
            )
        k = int(cv)
        return [(np.delete(np.arange(n), slice(i, n, k)), np.arange(i, n, k)) for i in range(k)]

    def classes_in(self, which: Indices) -> NDArray[np.bool_]:
        """Return True for each class, (K,): `check_fold` requires all classes for training."""
        return np.ones(len(self.classes), dtype=bool)

    def check_fold(self, fold: int, train: Indices, test: Indices) -> None:
        """Require every class in the training samples, and a test sample of positive weight."""
        lacking = self.totals.any(axis=0) & ~self.totals[train].any(axis=0)
        if lacking.any():
            lacks = self.classes.tolist()[int(np.argmax(lacking))]
            raise ValueError(
                f"fold {fold} of cv trains on partitions without class {lacks!r}: shuffle the "
                "samples, or split them into more partitions."
            )
        if not self.totals[test].any():
            raise ValueError(
                f"fold {fold} of cv has no weight in its test samples: shuffle the samples."
            )


def _readable(X: AnyArray, blocks: Each) -> tuple[Each, int | None]:
    """Return blocks as `as_block` returns them, and their size in bytes, None if unknown."""
    meta = X._meta
    if not isinstance(meta, np.ndarray):
        return map_partitions(blocks, read_block), None
    n_bytes = None if np.isnan(X.nbytes) else int(X.nbytes)
    # Blocks of the right dtype need no task of their own, and may be in memory already.
    return blocks if meta.dtype in FLOATS else map_partitions(blocks, read_block), n_bytes


def _classes(
    facts: list[PartitionFacts], columns: list[object] | None, classes: ArrayLike | None
) -> tuple[np.ndarray, Floats]:
    """Return all classes, and the total weight of each class in each partition."""
    if not facts:
        raise ValueError("X has no samples: all its partitions are empty.")
    widths = {len(one.classes) if one.soft else 1 for one in facts}
    if len({one.soft for one in facts}) > 1 or (facts[0].soft and len(widths) > 1):
        raise ValueError(
            f"y has partitions with {sorted(widths)} columns: pass the same number in each one."
        )
    if facts[0].soft:
        known, totals = facts[0].classes, np.array([one.totals for one in facts])
        if classes is not None:
            known = FitTargets.names(classes, len(known), columns)
    elif classes is not None:
        raise ValueError(
            "classes names the columns of soft targets, but y holds labels: leave classes out."
        )
    else:
        known, totals = _classes_of_labels(facts)
    require_two_classes(known)
    if not totals.any():
        raise_no_weight()
    with np.errstate(over="ignore"):
        check_weight_range(totals.sum())
    return known, totals


def _check_offsets(offset: AnyArray, facts: list[PartitionFacts], classes: np.ndarray) -> None:
    """Require offsets for these classes in all partitions."""
    check_offset_names(offset, classes)
    n = sum(one.n_rows for one in facts)
    for shape in {(n, *one.offset_shape[1:]) for one in facts}:
        check_offset_shape(shape, len(classes))


def _classes_of_labels(facts: list[PartitionFacts]) -> tuple[np.ndarray, Floats]:
    """Return the labels of all partitions, and their total weights in each partition."""
    held = np.concatenate([one.classes.astype(object) for one in facts])
    labels = as_labels(held, "the classes of y")
    totals = np.zeros((len(facts), len(labels.distinct)))
    part = np.repeat(np.arange(len(facts)), [len(one.classes) for one in facts])
    totals[part, labels.codes] = np.concatenate([one.totals for one in facts])
    return labels.distinct.astype(np.result_type(*[one.classes.dtype for one in facts])), totals


def learn_columns(estimator: LinearModel, X: AnyArray, *, reset: bool) -> int:
    """Check the columns of a collection, or store them with `reset`; return their number."""
    check_collection("X", X)
    if X.ndim != 2 or np.isnan(X.shape[1]):
        raise ValueError(f"X has shape {X.shape}: pass samples in rows, (n, d), of known width d.")
    few = X._meta if hasattr(X, "columns") else np.empty((1, X.shape[1]))
    validate_data(estimator, few, reset=reset, skip_check_array=True)
    return int(X.shape[1])


def as_block(x: AnyArray) -> AnyArray:
    """Return a block of X as a dense array of floats, or as CSR with sorted indices."""
    check_kind(x, "X")
    check_columns(x)
    if _is_ready(x):
        return x
    with columns_named(x):
        x = check_array(x, accept_sparse="csr", dtype=FLOATS, ensure_min_samples=0, input_name="X")
    return canonical(x)


def _is_ready(x: AnyArray) -> bool:
    if issparse(x):
        return x.format == "csr" and x.dtype in FLOATS and x.has_canonical_format
    return isinstance(x, np.ndarray) and x.dtype in FLOATS


def read_block(index: int, x: AnyArray) -> AnyArray:
    """Call `as_block` in a task."""
    return as_block(x)


def read_targets(index: int, y: AnyArray, weight: AnyArray) -> FitTargets | None:
    """Read the targets of a partition with its own classes; None if the partition is empty."""
    n = len(y)
    if weight is not None and len(weight) != n:
        raise ValueError(
            f"y has {n} samples but sample_weight has {len(weight)}: pass one weight for each."
        )
    return FitTargets.read(y, None, n) if n else None


def read_logits(index: int, offset: AnyArray) -> Floats | None:
    """Read the offsets of a partition, of any shape; None if there are none."""
    return None if offset is None else read_values(offset)


@dataclass(frozen=True)
class PartitionFacts:
    """Facts about one partition: its size, its classes, their total weights, shape of offsets."""

    n_rows: int
    n_bytes: int
    sparse: bool
    classes: np.ndarray
    totals: NDArray[np.float64]
    soft: bool
    offset_shape: tuple[int, ...] = ()


def check_partition(
    index: int,
    x: AnyArray,
    targets: FitTargets | None,
    weight: AnyArray,
    offset: Floats | None,
    n_features: int,
) -> PartitionFacts:
    """Check the samples of a partition, and return its facts."""
    x = as_block(x)  # the type in the metadata of Dask may be wrong
    if x.ndim != 2 or x.shape[1] != n_features:
        raise ValueError(
            f"X has a block of shape {x.shape}, but {n_features} columns: "
            "give all blocks one width."
        )
    n = 0 if targets is None else len(targets.values)
    if x.shape[0] != n:
        raise ValueError(
            f"X has {x.shape[0]} samples but y has {n}: split both at the same rows, for "
            "example as columns of one frame, or pass arrays whose chunk sizes are known."
        )
    if targets is None:
        return PartitionFacts(0, 0, issparse(x), np.empty(0), np.empty(0), False)
    assert_all_finite(x.data if issparse(x) else x, input_name="X")
    weight = as_weights(weight, n, zero=True)
    n_bytes = x.data.nbytes + x.indices.nbytes if issparse(x) else x.nbytes
    soft = targets.values.ndim == 2
    shape = () if offset is None else offset.shape
    if offset is not None and len(offset) != n:
        raise ValueError(f"X has {n} samples but offset has {len(offset)}: pass equal lengths.")
    totals = targets.totals(weight)
    return PartitionFacts(n, n_bytes, issparse(x), targets.classes, totals, soft, shape)


def encode(
    index: int,
    targets: FitTargets | None,
    weight: AnyArray,
    offset: Floats | None,
    classes: np.ndarray,
    factors: Floats | None,
) -> tuple[np.ndarray | None, Floats | None, Floats | None]:
    """Return codes among all classes or soft rows, weights with class weights, and logits (R, n).

    The logits are the offsets in the form of `RowArrays`.
    """
    if targets is None:
        return None, None, None
    if targets.values.ndim == 1:
        codes = locate(as_labels(targets.classes, "y"), as_labels(classes, "classes"))
        targets = FitTargets(classes, codes[targets.values])
    weight = as_weights(weight, len(targets.values), zero=True)
    if factors is not None:
        targets, weight = targets.times(factors, weight)
    if offset is not None:
        offset = balanced_offset(as_logits(offset, len(targets.values), len(classes)).T)
    return targets.values, weight, offset
