"""What a fit is made from, read and checked once for all that need it."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike, NDArray

from skxent.classifiers.device_training import read_on_device
from skxent.classifiers.partitioned_samples import PartitionedSamples
from skxent.inputs.fit_targets import FitTargets, sample_weights
from skxent.inputs.namespaces import namespace_of
from skxent.inputs.partitions import is_dask
from skxent.likelihood.sources.base import RowSource
from skxent.likelihood.sources.reading import read_X, training_data


def training(
    estimator: Any,
    X: Any,
    y: Any,
    sample_weight: ArrayLike | None,
    classes: ArrayLike | None,
) -> tuple[RowSource, NDArray[Any]]:
    """The data of a fit of `estimator`, wherever they are, and the classes."""
    if is_dask(X):
        samples = PartitionedSamples.read(estimator, X, y, sample_weight, classes)
        return samples.data(estimator, estimator.class_weight), samples.classes
    if namespace_of(X) is not None:
        return read_on_device(estimator, X, y, sample_weight, classes)
    X = read_X(estimator, X, reset=True)
    targets = FitTargets.of(y, classes, X.shape[0])
    weight = sample_weights(sample_weight, X.shape[0])
    return training_data(estimator, X, targets, weight), targets.classes
