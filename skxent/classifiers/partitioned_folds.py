"""What partitions cost fits without them: folds of whole partitions, none of which moves."""

from __future__ import annotations

import numbers
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skxent.classifiers.held_out import HeldOutLoss, Path
from skxent.classifiers.partitioned_samples import PartitionedSamples
from skxent.classifiers.predictions import log_probabilities_at, single
from skxent.inputs.fit_targets import Floats
from skxent.likelihood.optimise.solver import minimise
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.metrics import probability_losses
from skxent.metrics.scored_samples import CAP


def leave_partitions_out(
    samples: PartitionedSamples, Cs: Floats, estimator: Any, **settings: Any
) -> Path:
    """Fit without each fold with each penalty, and see what the fold costs.

    Fold i of k is partitions i, i + k, i + 2 k, ...
    """
    n, k = len(samples.lengths), _n_folds(estimator.cv, len(samples.lengths))
    folds = [(np.delete(np.arange(n), slice(i, n, k)), np.arange(i, n, k)) for i in range(k)]
    results = np.array(
        [_fold(samples, Cs, estimator, i, *fold, settings) for i, fold in enumerate(folds)]
    )
    weight = results[:, 0, 3]
    estimates = [
        HeldOutLoss.of_folds(means, weight, int(capped.sum()), int(short.sum()))
        for means, capped, short, _ in results.transpose(1, 2, 0)
    ]
    return Path(estimates, {"loss_path_": results[:, :, 0].T})


def _n_folds(cv: Any, n_partitions: int) -> int:
    if not isinstance(cv, numbers.Integral) or isinstance(cv, bool):
        raise ValueError(
            f"cv is {cv!r}, but folds of Dask collections are whole partitions, and leaving single "
            "samples out takes all of them in memory: pass how many folds, as in cv=5."
        )
    if not 2 <= int(cv) <= n_partitions:
        raise ValueError(
            f"cv={cv} folds of {n_partitions} partitions: pass 2 to {n_partitions}, or cut X and y "
            "into more partitions, as X.rechunk or X.repartition do."
        )
    return int(cv)


def _fold(
    samples: PartitionedSamples,
    Cs: Floats,
    estimator: Any,
    i: int,
    train: NDArray[np.intp],
    test: NDArray[np.intp],
    settings: dict[str, Any],
) -> list[tuple[float, float, float, float]]:
    """Mean loss, samples capped, whether the fit ended short, and weight, for each penalty."""
    _check_classes(samples, i, train, test)
    rest = samples.data(estimator, estimator.class_weight, train.tolist())
    fold = samples.data(estimator, None, test.tolist())
    start = None
    results: list[tuple[float, float, float, float]] = []
    for C in Cs:
        solution = minimise(rest, penalty=Penalty.of_C(C), start=start, **settings)
        start = solution.coef, solution.intercept
        loss, weight, capped = fold.sum(_held_out, *start)
        mean = np.inf if solution.unbounded else loss / weight
        results.append((mean, capped, float(solution.short), weight))
    return results


def _check_classes(
    samples: PartitionedSamples, i: int, train: NDArray[np.intp], test: NDArray[np.intp]
) -> None:
    lacking = samples.totals.any(axis=0) & ~samples.totals[train].any(axis=0)
    if lacking.any():
        lacks = samples.classes.tolist()[int(np.argmax(lacking))]
        raise ValueError(
            f"fold {i} of cv trains on partitions without class {lacks!r}: shuffle the samples, or "
            "cut them into more partitions."
        )
    if not samples.totals[test].any():
        raise ValueError(f"fold {i} of cv has no weight in testing: shuffle the samples.")


def _held_out(data: LocalRows, coef: Floats, intercept: Floats) -> tuple[float, float, int]:
    """Weighted loss, weight, and samples that cost the most that a sample can cost."""
    if data.weight is not None:  # a sample without weight costs nothing
        rows = np.flatnonzero(data.weight)
        data = replace(data, X=data.X[rows], targets=data.targets[rows], weight=data.weight[rows])
    log_p = log_probabilities_at(single(data.X @ coef.T + intercept))
    losses = probability_losses.predicted(
        log_p, data.targets, cap=CAP, logarithms=True, name="log-probabilities"
    )
    return *losses.sums(data.weight), losses.capped
