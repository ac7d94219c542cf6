"""What samples cost fits without them: means with their standard errors, and folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.parallel import Parallel, delayed

from skxent.classifiers.predictions import log_probabilities_at, single
from skxent.classifiers.softmax import SoftmaxClassifier
from skxent.inference.leave_one_out import LeaveOneOut, LeftOut
from skxent.inputs.fit_targets import FitTargets, Floats
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.solution import Solution
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.metrics import probability_losses
from skxent.metrics.means import estimate
from skxent.metrics.probability_losses import Losses
from skxent.metrics.scored_samples import CAP

Indices = NDArray[np.intp]


@dataclass(frozen=True)
class TrainingSamples:
    """Samples with their targets, and their weights where there are any."""

    X: Any
    targets: FitTargets
    weight: Floats | None

    @property
    def importance(self) -> Floats:
        """Weights in means of losses, (n,)."""
        return np.ones(self.X.shape[0]) if self.weight is None else self.weight

    @property
    def codes(self) -> Indices:
        """The class of each sample, the most probable one of soft targets, (n,)."""
        values = self.targets.values
        return values if values.ndim == 1 else values.argmax(axis=1)

    def losses(self, log_probabilities: Floats, rows: Indices) -> Losses:
        """Losses of some samples from log-probabilities, as `cce_scorer` has them."""
        return probability_losses.predicted(
            log_probabilities,
            self.targets.values[rows],
            cap=CAP,
            logarithms=True,
            name="log-probabilities",
        )


@dataclass(frozen=True)
class HeldOutLoss:
    """The mean loss of held-out samples, for one penalty.

    `capped` counts samples that cost the most, and `n_short` the fits that ended above `tol`.
    """

    mean: float
    standard_error: float
    capped: int
    n_short: int

    @classmethod
    def of_samples(cls, left_out: LeftOut, importance: Floats) -> Self:
        r"""Estimate from samples that were left out in turn, all or some.

        The mean loss of training samples is known for all n of them. Leaving out adds a little,
        estimated from m: the mean's variance is that of n held-out losses, and of the m of what was
        added, as far as m is not n.
        """
        n_short = int(left_out.solution.short)
        if left_out.solution.unbounded:
            return cls(np.inf, np.nan, 0, n_short)
        rows, losses = left_out.rows, left_out.losses
        added, weight = losses - left_out.fitted[rows], importance[rows]
        mean = np.average(left_out.fitted, weights=importance) + np.average(added, weights=weight)
        known = len(rows) / np.count_nonzero(importance)
        error = np.hypot(
            np.sqrt(known) * standard_error(losses, weight),
            np.sqrt(1.0 - known) * standard_error(added, weight),
        )
        return cls(float(mean), float(error), int(np.count_nonzero(losses >= CAP)), n_short)

    @classmethod
    def of_folds(cls, means: Floats, weight: Floats, capped: int, n_short: int) -> Self:
        """Estimate from the means of folds; a sample weighs the same in all of them."""
        if not np.isfinite(means).all():
            return cls(np.inf, np.nan, 0, n_short)
        error = standard_error(means, weight)
        return cls(float(np.average(means, weights=weight)), error, capped, n_short)


def standard_error(values: Floats, weight: Floats) -> float:
    """Standard error of a weighted mean of independent values.

    Copies of a sample are no independent samples: a row with its weight is one.
    """
    return estimate(values, np.ones(len(values)), weight).standard_error


@dataclass(frozen=True)
class Path:
    """What held-out samples cost for each penalty, from strong to weak.

    Parameters
    ----------
    estimates : list of Estimate
    details : dict
        Fitted attributes that only this kind of path has.
    solutions : list of Solution
        Fits of all samples, where the path took them.
    """

    estimates: list[HeldOutLoss]
    details: dict[str, Any]
    solutions: list[Solution] = field(default_factory=list)

    @property
    def mean(self) -> Floats:
        """Mean losses."""
        return np.array([estimate.mean for estimate in self.estimates])

    @property
    def standard_error(self) -> Floats:
        """Their standard errors."""
        return np.array([estimate.standard_error for estimate in self.estimates])

    @property
    def n_short(self) -> int:
        """Fits that ended above `tol`."""
        return sum(estimate.n_short for estimate in self.estimates)

    def best(self, one_standard_error: bool) -> int:
        """Index of the smallest mean, or of the first within a standard error of it."""
        best = int(np.argmin(self.mean))
        smallest, error = self.mean[best], self.standard_error[best]
        if not np.isfinite(smallest):
            raise ValueError(
                "no fit has a finite minimum, because some classes can be separated perfectly: "
                "let Cs have finite values."
            )
        if not one_standard_error:
            return best
        if np.isnan(error):
            raise ValueError("one fold has no standard error: let cv have more of them.")
        return int(np.argmax(self.mean <= smallest + error))


def leave_one_out(samples: TrainingSamples, data: LocalRows, Cs: Floats, **settings: Any) -> Path:
    """Leave each sample out of the fit of `data` with each penalty."""

    def cost(rows: Indices, logits: Floats) -> Floats:
        return samples.losses(log_probabilities_at(single(logits)), rows).values

    loo = LeaveOneOut(data, cost, samples.importance, **settings)
    estimates, solutions, n_refits = [], [], []
    for C in Cs:
        left_out = loo.fit(Penalty.of_C(C))
        estimates.append(HeldOutLoss.of_samples(left_out, samples.importance))
        solutions.append(left_out.solution)
        n_refits.append(left_out.n_refits)
    details = {
        "loo_loss_": np.array([estimate.mean for estimate in estimates]),
        "n_left_out_": len(loo.rows),
        "n_refits_": np.array(n_refits),
    }
    return Path(estimates, details, solutions)


@dataclass(frozen=True)
class Fold:
    """Losses of one fold for each penalty: its weight, means, samples capped, fits ended short."""

    weight: float
    means: Floats
    capped: Indices
    short: Indices


def leave_folds_out(
    samples: TrainingSamples,
    splits: Sequence[tuple[Indices, Indices]],
    Cs: Floats,
    classifier: SoftmaxClassifier,
) -> Path:
    """Fit without each fold with each penalty, and see what the fold costs."""
    if not splits:
        raise ValueError("cv gives no folds: pass how many, a splitter, or None.")
    n_jobs = classifier.n_jobs
    threads = 1 if n_jobs == 1 else None  # of a fit; joblib shares cores out among its workers
    settings = classifier.get_params() | {"n_jobs": threads, "warm_start": True, "verbose": 0}
    one_fold = delayed(_one_fold)
    folds = Parallel(n_jobs=n_jobs)(
        one_fold(settings, samples, Cs, i, *split) for i, split in enumerate(splits)
    )
    means = np.column_stack([fold.means for fold in folds])
    weight = np.array([fold.weight for fold in folds])
    capped, short = sum(fold.capped for fold in folds), sum(fold.short for fold in folds)
    rows = zip(means, capped, short, strict=True)
    estimates = [HeldOutLoss.of_folds(row, weight, int(c), int(s)) for row, c, s in rows]
    return Path(estimates, {"loss_path_": means})


class _Candidate(SoftmaxClassifier):
    """One of the fits that are compared; what it has to say is said of all of them together."""

    def _take(self, solution: Solution, classes: NDArray[Any]) -> None:
        super()._take(solution, classes)
        self.unbounded_, self.short_ = solution.unbounded, solution.short

    def _warn(self, solution: Solution) -> None:
        pass


def _one_fold(
    settings: dict[str, Any],
    samples: TrainingSamples,
    Cs: Floats,
    i: int,
    train: Indices,
    test: Indices,
) -> Fold:
    values, weight = samples.targets.values, samples.weight
    test_weight = samples.importance[test]
    known = np.unique(values[train]) if values.ndim == 1 else np.arange(values.shape[1])
    if len(known) < 2 or not test_weight.any():
        lack = "only one class in training" if len(known) < 2 else "no weight in testing"
        raise ValueError(f"fold {i} of cv has {lack}: pass a stratified or shuffled splitter.")
    test, test_weight = test[test_weight > 0], test_weight[test_weight > 0]
    X = samples.X[train]
    candidate = _Candidate(**settings)
    candidate.class_weight = _by_code(candidate.class_weight, samples.targets.classes, known)
    means = np.empty(len(Cs))
    capped, short = np.zeros((2, len(Cs)), dtype=np.intp)
    log_p = np.full((len(test), len(samples.targets.classes)), -np.inf)
    for j, C in enumerate(Cs):
        candidate.set_params(C=C)
        candidate.fit(X, values[train], None if weight is None else weight[train])
        log_p[:, known] = candidate.predict_log_proba(samples.X[test])
        losses = samples.losses(log_p, test)
        means[j] = np.average(losses.values, weights=test_weight)
        capped[j], short[j] = losses.capped, candidate.short_
        if candidate.unbounded_:
            means[j] = np.inf
    return Fold(float(test_weight.sum()), means, capped, short)


def _by_code(class_weight: Any, classes: NDArray[Any], known: Indices) -> Any:
    """Class weights by code, of the classes that a fold knows."""
    if not isinstance(class_weight, dict):
        return class_weight
    labels = classes.tolist()
    return {k: class_weight[labels[k]] for k in known.tolist() if labels[k] in class_weight}
