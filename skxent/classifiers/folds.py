"""Held-out losses of K-fold cross-validation, in memory and on Dask partitions.

A fold is a pair of row sources: the rows of the training part and those of the test part. Each fit
minimises the objective of the training rows and begins at the minimum for the previous penalty. The
held-out loss is a sum over the test rows. Samples in memory and samples in partitions differ in how
`splits` chooses the rows of a fold, and in what `check_fold` requires of a fold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import starmap
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.parallel import Parallel, delayed

from skxent.classifiers.held_out import MAX_LOSS, HeldOutLoss, Path
from skxent.classifiers.linear_predictions import host_logits, log_probabilities_at, single
from skxent.classifiers.messages import one_class_named
from skxent.inference.fitted import ClassWeight
from skxent.inputs.fit_targets import Floats
from skxent.inputs.splits import Indices, Split
from skxent.likelihood.optimise.solver import minimise
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.base import RowSource
from skxent.likelihood.sources.local_rows import Answer, Arguments, LocalRows
from skxent.metrics.row_forms import predicted_losses


class FoldRows(RowSource, Protocol):
    """Row source that adds up a function of the rows in each process."""

    def sum(self, function: Callable[[LocalRows, *Arguments], Answer], *args: *Arguments) -> Answer:
        """Return the sum of ``function(rows, *args)`` over processes, each with its local rows."""
        ...


class SplitSamples(Protocol):
    """Samples that are split into folds: single samples, or whole partitions."""

    @property
    def in_processes(self) -> bool:
        """Whether joblib may fit several folds at a time."""
        ...

    @property
    def classes(self) -> np.ndarray:
        """Names of the classes, (K,)."""
        ...

    def classes_in(self, which: Indices) -> NDArray[np.bool_]:
        """Return whether each class occurs among the samples `which`, (K,)."""
        ...

    def rows(
        self, class_weight: ClassWeight | None, n_jobs: int | None, which: Indices
    ) -> FoldRows:
        """Return the samples `which` as the rows of a fit with class weights."""
        ...

    def check_fold(self, fold: int, train: Indices, test: Indices) -> None:
        """Raise an error if a fold cannot be fitted or evaluated."""
        ...


@dataclass(frozen=True)
class FoldFits:
    """Options of the fits of a fold.

    Parameters
    ----------
    Cs : (n_Cs,) array
        Values of C, ascending.
    class_weight : dict, "balanced" or None
    n_jobs : int or None
        Threads of a fit.
    tol : float
    max_iter : int
    solver : str
        Which steps the fits take.
    factors : (d,) array or None
        Factors of the penalty by feature.
    """

    Cs: Floats
    class_weight: ClassWeight | None
    n_jobs: int | None
    tol: float
    max_iter: int
    solver: str
    factors: Floats | None = None


@dataclass(frozen=True)
class FoldLosses:
    """Losses of one fold for each value of C.

    Parameters
    ----------
    weight : float
        Total weight of the test samples.
    means : (n_Cs,) array
        Mean held-out losses in nats; infinite where the fit has no finite minimum.
    n_capped : (n_Cs,) array of int
        Number of test samples with the largest possible loss.
    unconverged : (n_Cs,) array of bool
        Whether the fit ended above its target gap.
    """

    weight: float
    means: Floats
    n_capped: NDArray[np.intp]
    unconverged: NDArray[np.bool_]


def leave_folds_out(samples: SplitSamples, splits: Sequence[Split], fits: FoldFits) -> Path:
    """Fit without each fold, for each value of C; return the losses of the held-out folds."""
    n_jobs = fits.n_jobs
    if samples.in_processes:  # joblib divides the cores among the processes
        fits = replace(fits, n_jobs=1 if n_jobs == 1 else None)
    one_fold = partial(losses_of_fold, samples, fits)
    tasks = [(fold, train, test) for fold, (train, test) in enumerate(splits)]
    if samples.in_processes:
        folds = Parallel(n_jobs=n_jobs)(delayed(one_fold)(*task) for task in tasks)
    else:
        folds = list(starmap(one_fold, tasks))
    means = np.column_stack([fold.means for fold in folds])
    weight = np.array([fold.weight for fold in folds])
    n_capped = sum(fold.n_capped for fold in folds)
    n_unconverged = sum(fold.unconverged.astype(np.intp) for fold in folds)
    rows = zip(means, n_capped, n_unconverged, strict=True)
    estimates = [HeldOutLoss.of_folds(row, weight, int(c), int(u)) for row, c, u in rows]
    return Path(estimates, {"loss_path_": means})


def losses_of_fold(
    samples: SplitSamples, fits: FoldFits, fold: int, train: Indices, test: Indices
) -> FoldLosses:
    """Fit the training part for each C, from strong to weak penalty; return the held-out losses.

    A class that the training part lacks is not part of the fit, and its probability is 0.
    """
    samples.check_fold(fold, train, test)
    known = samples.classes_in(train)
    rows = samples.rows(fits.class_weight, fits.n_jobs, train)
    rows = rows if known.all() else rows.with_classes(known)
    held_out = samples.rows(None, fits.n_jobs, test)
    means, n_capped = np.empty(len(fits.Cs)), np.zeros(len(fits.Cs), dtype=np.intp)
    unconverged, weight = np.zeros(len(fits.Cs), dtype=bool), 0.0
    start = None
    for j, C in enumerate(fits.Cs):
        penalty = Penalty.of_C(C, fits.factors)
        with one_class_named(samples.classes[known]):
            solution = minimise(
                rows,
                penalty=penalty,
                start=start,
                tol=fits.tol,
                max_iter=fits.max_iter,
                solver=fits.solver,
            )
        start = solution.coef, solution.intercept
        loss, weight, n_capped[j] = held_out.sum(held_out_sums, *start, known)
        means[j] = np.inf if solution.unbounded else loss / weight
        unconverged[j] = solution.short
    return FoldLosses(float(weight), means, n_capped, unconverged)


def held_out_sums(
    data: LocalRows, coef: Floats, intercept: Floats, known: NDArray[np.bool_]
) -> tuple[float, float, int]:
    """Return the weighted sum of losses, the sum of weights, and the number of capped losses.

    A loss is capped if it is the largest possible one, `MAX_LOSS`. `coef` and `intercept` are those
    of a fit of the classes `known` only. Samples without weight are left out.
    """
    if data.weight is not None:
        data = data.of_rows(np.flatnonzero(data.weight))
    logits = host_logits(data.X, coef, intercept)
    offset = data.offset_among(known)
    if offset is not None:
        logits += offset.T
    log_p = log_probabilities_at(single(logits))
    if not known.all():
        of_known = log_p
        log_p = np.full((len(of_known), len(known)), -np.inf)
        log_p[:, known] = of_known
    losses = predicted_losses(
        log_p, data.targets, max_loss=MAX_LOSS, logarithms=True, name="log-probabilities"
    )
    return *losses.sums(data.weight), losses.floored.n
