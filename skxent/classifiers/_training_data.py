"""What a fit is made from, read and checked once for all that need it."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike, NDArray

from skxent._collections import here
from skxent._namespaces import namespace_of
from skxent._partitions import is_dask
from skxent.classifiers._device import read_on_device, refuse_device
from skxent.classifiers._fit_targets import FitTargets, Floats, sample_weights
from skxent.classifiers._partitioned_samples import PartitionedSamples
from skxent.classifiers._samples import read_rows
from skxent.likelihood.data import Data, canonical
from skxent.likelihood.places import Place
from skxent.likelihood.thread_limits import effective_threads


def read_X(estimator: Any, X: Any, *, reset: bool) -> Any:
    """Samples as they are, dense or CSR with indices sorted; `reset` learns their columns."""
    refuse_device(X)
    (X,) = here(X)
    return canonical(read_rows(estimator, X, reset=reset))


def training(
    estimator: Any,
    X: Any,
    y: Any,
    sample_weight: ArrayLike | None,
    classes: ArrayLike | None,
) -> tuple[Place, NDArray[Any]]:
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


def training_data(estimator: Any, X: Any, targets: FitTargets, weight: Floats | None) -> Data:
    """Samples, targets and weights as a fit of `estimator` takes them, class weights included."""
    targets, weight = targets.weighted(estimator.class_weight, weight)
    return Data(
        X=X,
        targets=targets.values,
        weight=weight,
        n_classes=len(targets.classes),
        fit_intercept=bool(estimator.fit_intercept),
        n_threads=effective_threads(estimator.n_jobs),
    )
