"""Samples, targets and weights of a fit, read and checked in this process."""

from __future__ import annotations

from typing import Any

from skxent.inputs.dask_arguments import computed
from skxent.inputs.features import raise_if_on_device, read_rows
from skxent.inputs.fit_targets import FitTargets, Floats
from skxent.likelihood.sources.arrays import canonical
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.thread_limits import effective_threads


def read_X(estimator: Any, X: Any, *, reset: bool) -> Any:
    """X as it is, dense or CSR with indices sorted; `reset` stores its columns on the estimator."""
    raise_if_on_device(X)
    (X,) = computed(X)
    return canonical(read_rows(estimator, X, reset=reset))


def training_data(estimator: Any, X: Any, targets: FitTargets, weight: Floats | None) -> LocalRows:
    """The rows of a fit of `estimator`, with class weights."""
    targets, weight = targets.weighted(estimator.class_weight, weight)
    return LocalRows(
        X=X,
        targets=targets.values,
        weight=weight,
        n_classes=len(targets.classes),
        fit_intercept=bool(estimator.fit_intercept),
        n_threads=effective_threads(estimator.n_jobs),
    )
