"""Reads and checks the data of a fit, in memory, in Dask partitions or on a device."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skxent.classifiers.callbacks import Attributes
from skxent.classifiers.device_training import read_on_device, to_namespace_of
from skxent.classifiers.partitioned_training import PartitionedSamples
from skxent.inference.fitted import ClassWeight, LinearModel
from skxent.inputs.features import AnyArray, canonical, read_X
from skxent.inputs.fit_targets import FitTargets, Floats, class_factors, sample_weights
from skxent.inputs.namespaces import namespace_of
from skxent.inputs.offsets import read_offset
from skxent.inputs.partitions import is_dask
from skxent.inputs.row_order import warn_of_row_order
from skxent.inputs.splits import Indices, Split, read_splits
from skxent.likelihood.sources.arrays import balanced_offset
from skxent.likelihood.sources.base import RowSource
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.thread_limits import effective_threads


@dataclass(frozen=True)
class Training:
    """The rows of a fit, the classes, and the array library of the fitted attributes.

    Parameters
    ----------
    rows : RowSource
        Samples, targets and weights, with the class weights multiplied into the weights.
    classes : (K,) array
    to_namespace : function(attributes) -> attributes
        Moves fitted arrays to the library and device of X, and classes to those of y.
    has_offset : bool
        Whether the rows have an offset.
    """

    rows: RowSource
    classes: np.ndarray
    to_namespace: Callable[[Attributes], Attributes]
    has_offset: bool = False

    def parameters(self, coef: Floats, intercept: Floats) -> Attributes:
        """Return the fitted attributes that predictions need."""
        known = {
            "classes_": self.classes,
            "coef_": coef,
            "intercept_": intercept,
            "has_offset_": self.has_offset,
        }
        return self.to_namespace(known)


def read_training(
    estimator: LinearModel,
    X: AnyArray,
    y: AnyArray,
    sample_weight: ArrayLike | None,
    classes: ArrayLike | None,
    offset: ArrayLike | None = None,
) -> Training:
    """Read and check the arguments of `fit`, in memory, in Dask partitions or on a device."""
    rows: RowSource
    if namespace_of(X) is not None:
        rows, known = read_on_device(estimator, X, y, sample_weight, classes, offset)
    else:
        samples = read_samples(estimator, X, y, sample_weight, classes, offset)
        rows, known = samples.rows(estimator.class_weight, estimator.n_jobs), samples.classes
    return Training(rows, known, partial(to_namespace_of, X, y), offset is not None)


def read_samples(
    estimator: LinearModel,
    X: AnyArray,
    y: AnyArray,
    sample_weight: ArrayLike | None,
    classes: ArrayLike | None,
    offset: ArrayLike | None = None,
) -> LocalSamples | PartitionedSamples:
    """Read and check the samples of a fit, in memory or in Dask partitions, not on a device."""
    warn_of_row_order(X, "X", y=y, sample_weight=sample_weight, offset=offset)
    if is_dask(X):
        return PartitionedSamples.read(estimator, X, y, sample_weight, classes, offset)
    X = read_X(estimator, X, reset=True)
    targets = FitTargets.of(y, classes, X.shape[0])
    weight = sample_weights(sample_weight, X.shape[0])
    logits = read_offset(offset, X.shape[0], targets.classes)
    return LocalSamples(X, targets, weight, bool(estimator.fit_intercept), logits)


@dataclass(frozen=True)
class LocalSamples:
    """Samples in this process with their targets and weights.

    Parameters
    ----------
    X : (n, d) array or CSR matrix
    targets : FitTargets
    weight : (n,) array or None
    fit_intercept : bool
    offset : (n, R) array or None
    """

    X: AnyArray
    targets: FitTargets
    weight: Floats | None
    fit_intercept: bool
    offset: Floats | None = None
    in_processes: ClassVar[bool] = True

    @property
    def classes(self) -> np.ndarray:
        """Names of the classes, (K,)."""
        return self.targets.classes

    @property
    def importance(self) -> Floats:
        """Weights of the samples in means of losses, without class weights, (n,)."""
        return np.ones(self.X.shape[0]) if self.weight is None else self.weight

    @property
    def codes(self) -> Indices:
        """The class of each sample, the most probable one of soft targets, (n,)."""
        return self.targets.codes

    def classes_in(self, which: Indices) -> NDArray[np.bool_]:
        """Return whether the samples `which` have each class, (K,); True for soft targets."""
        found = np.ones(len(self.classes), dtype=bool)
        if self.targets.values.ndim == 1:
            found[:] = np.bincount(self.targets.values[which], minlength=len(found)) > 0
        return found

    def rows(
        self,
        class_weight: ClassWeight | None,
        n_jobs: int | None,
        which: Indices | None = None,
    ) -> LocalRows:
        """Return all samples, or those in `which`, as the rows of a fit with class weights."""
        X, targets, weight, offset = self.X, self.targets, self.weight, self.offset
        if which is None:
            targets, weight = targets.weighted(class_weight, weight)
        else:
            X = canonical(X[which])
            targets = replace(targets, values=targets.values[which])
            weight = None if weight is None else weight[which]
            offset = None if offset is None else offset[which]
            if class_weight is not None:
                found = self.classes_in(which)
                targets, weight = _weighted_in_fold(targets, weight, class_weight, found)
        return LocalRows(
            X=X,
            targets=targets.values,
            weight=weight,
            n_classes=len(self.classes),
            fit_intercept=self.fit_intercept,
            n_threads=effective_threads(n_jobs),
            offset=None if offset is None else balanced_offset(offset.T),
        )

    def splits(self, cv: object, metadata: dict[str, object]) -> list[Split]:
        """Return the indices of the training and test samples of each fold."""
        splits = read_splits(cv, self.X, self.codes, metadata, self.X.shape[0])
        if not splits:
            raise ValueError("cv gives no folds: pass a number of folds, a splitter, or None.")
        return splits

    def check_fold(self, fold: int, train: Indices, test: Indices) -> None:
        """Require two classes and a weight in the training samples, and a weight in the others."""
        weight = self.importance
        lack = "no weight in its test samples" if not weight[test].any() else ""
        lack = "no weight in its training samples" if not weight[train].any() else lack
        lack = (
            "only one class in its training samples" if self.classes_in(train).sum() < 2 else lack
        )
        if lack:
            raise ValueError(
                f"fold {fold} of cv has {lack}: pass a stratified or shuffled splitter."
            )


def _weighted_in_fold(
    targets: FitTargets,
    weight: Floats | None,
    class_weight: ClassWeight,
    found: NDArray[np.bool_],
) -> tuple[FitTargets, Floats]:
    """Multiply the class weights of the classes `found` in a fold into sample weights.

    Keys of other classes are ignored here; the fit of all samples checks all keys and warns.
    """
    classes, factors = targets.classes[found], np.ones(len(found))
    if isinstance(class_weight, dict):
        labels = classes.tolist()
        class_weight = {key: class_weight[key] for key in labels if key in class_weight}
    factors[found] = class_factors(class_weight, classes, targets.totals(weight)[found])
    return targets.times(factors, weight)
