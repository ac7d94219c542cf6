"""Mean losses of held-out samples with their standard errors, and leave-one-out."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from typing import Self

import numpy as np

from skxent.classifiers.linear_predictions import log_probabilities_at, single
from skxent.classifiers.partitioned_training import PartitionedSamples
from skxent.classifiers.training import LocalSamples
from skxent.inference.leave_one_out import LeaveOneOut, LeftOut
from skxent.inference.left_out_cases import Cases, LocalCases, PartitionedCases, Truth
from skxent.inputs.fit_targets import Floats
from skxent.inputs.partitions import map_partitions, persist
from skxent.inputs.splits import Indices
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.solution import Solution
from skxent.likelihood.sources.base import RowSource
from skxent.likelihood.sources.partitioned_rows import Part, PartitionedRows
from skxent.metrics.means import estimate
from skxent.metrics.row_forms import predicted_losses
from skxent.metrics.scored_samples import MAX_LOSS


@dataclass(frozen=True)
class HeldOutLoss:
    """The mean loss of held-out samples, for one penalty.

    Parameters
    ----------
    mean, standard_error : float
        In nats.
    capped : int
        Number of samples with the largest possible loss.
    n_short : int
        Number of fits that ended above their target gap.
    """

    mean: float
    standard_error: float
    capped: int
    n_short: int

    @classmethod
    def of_samples(cls, left_out: LeftOut) -> Self:
        r"""Estimate the mean held-out loss from m of the n samples, each left out of a fit in turn.

        The estimate is the mean loss of all n samples in the fit of all samples, plus the mean
        increase of the loss of the m samples when they are left out. Its variance is m/n times the
        variance of the mean of the m held-out losses, plus (1 - m/n) times the variance of the mean
        of the m increases.
        """
        n_short = int(left_out.solution.short)
        if left_out.solution.unbounded:
            return cls(np.inf, np.nan, 0, n_short)
        losses, weight = left_out.losses, left_out.importance
        added = losses - left_out.fitted
        mean = left_out.fitted_mean + np.average(added, weights=weight)
        known = len(losses) / left_out.n_samples
        error = np.hypot(
            np.sqrt(known) * standard_error(losses, weight),
            np.sqrt(1.0 - known) * standard_error(added, weight),
        )
        return cls(float(mean), float(error), int(np.count_nonzero(losses >= MAX_LOSS)), n_short)

    @classmethod
    def of_folds(cls, means: Floats, weight: Floats, capped: int, n_short: int) -> Self:
        """Estimate the mean held-out loss from the mean loss and the weight of each fold."""
        if not np.isfinite(means).all():
            return cls(np.inf, np.nan, 0, n_short)
        error = standard_error(means, weight)
        return cls(float(np.average(means, weights=weight)), error, capped, n_short)


def standard_error(values: Floats, weight: Floats) -> float:
    """Return the standard error of a weighted mean of independent values.

    A value counts as one observation whatever its weight, because copies of a sample are not
    independent.
    """
    return estimate(values, np.ones(len(values)), weight).standard_error


@dataclass(frozen=True)
class Path:
    """Held-out losses for each penalty, from strong to weak.

    Parameters
    ----------
    estimates : list of HeldOutLoss
    details : dict
        Fitted attributes that only leave-one-out has, or only folds have.
    solutions : list of Solution
        Fits of all samples, one for each penalty; empty for folds.
    """

    estimates: list[HeldOutLoss]
    details: dict[str, object]
    solutions: list[Solution] = field(default_factory=list)

    @property
    def mean(self) -> Floats:
        """Mean losses, (n_Cs,)."""
        return np.array([estimate.mean for estimate in self.estimates])

    @property
    def standard_error(self) -> Floats:
        """Standard errors of the mean losses, (n_Cs,)."""
        return np.array([estimate.standard_error for estimate in self.estimates])

    @property
    def n_short(self) -> int:
        """Number of fits that ended above their target gap."""
        return sum(estimate.n_short for estimate in self.estimates)

    def best(self, one_standard_error: bool) -> int:
        """Return the index of the chosen penalty.

        It is the penalty with the smallest mean loss. With `one_standard_error` it is the strongest
        penalty whose mean loss is within one standard error of the smallest mean loss.
        """
        best = int(np.argmin(self.mean))
        smallest, error = self.mean[best], self.standard_error[best]
        if not np.isfinite(smallest):
            raise ValueError(
                "no fit has a finite minimum, because some classes can be separated perfectly: "
                "pass finite values in Cs, and no penalty_factor of 0 for features that separate "
                "them."
            )
        if not one_standard_error:
            return best
        if np.isnan(error):
            raise ValueError("one fold has no standard error: pass a cv with more folds.")
        return int(np.argmax(self.mean <= smallest + error))


@dataclass(frozen=True)
class TargetLosses:
    """Losses of samples with known targets, from their logits; at most `MAX_LOSS`.

    Parameters
    ----------
    targets : (n,) or (n, K) array
        Class codes, or soft rows.
    """

    targets: np.ndarray

    def __call__(self, which: Indices, logits: Floats) -> Floats:
        """Return the losses of the samples `which`, (m,), from their logits, (m, K) or (m, 1)."""
        return predicted_losses(
            log_probabilities_at(single(logits)),
            self.targets[which],
            max_loss=MAX_LOSS,
            logarithms=True,
            name="log-probabilities",
        ).values


def cases_of(samples: LocalSamples | PartitionedSamples, rows: RowSource) -> Cases:
    """Return the samples that may be left out of a fit of `rows`."""
    if isinstance(samples, LocalSamples):
        return LocalCases(Truth(TargetLosses(samples.targets.values), samples.importance))
    assert isinstance(rows, PartitionedRows)
    plain = samples.rows(None, None)
    # A client forgets the targets of `plain` after this function, so their losses are kept.
    (truths,) = persist(map_partitions(plain.parts, truth_of))
    return PartitionedCases(rows, truths)


def truth_of(index: int, part: Part) -> Truth:
    """Return the losses of a partition, with the weights of its samples."""
    targets, weight, _ = part[1]
    return Truth(TargetLosses(targets), np.ones(len(targets)) if weight is None else weight)


def leave_one_out(
    samples: LocalSamples | PartitionedSamples,
    rows: RowSource,
    Cs: Floats,
    *,
    tol: float,
    max_iter: int,
    solver: str,
    rng: np.random.RandomState,
    factors: Floats | None = None,
) -> Path:
    """Estimate the held-out loss for each C by leaving samples out of the fit of `rows` in turn.

    `factors` are factors of the penalty by feature. They have no effect if C is infinite.
    """
    cases = cases_of(samples, rows)
    one = partial(LeaveOneOut, rows, cases, tol=tol, max_iter=max_iter, solver=solver)
    same_draws = deepcopy(rng)
    loo = one(rng=rng, factors=factors)
    estimates, solutions, n_refits = [], [], []
    for C in Cs:
        if np.isinf(C) and factors is not None:
            loo = one(rng=same_draws)
        left_out = loo.fit(Penalty.of_C(C, factors))
        estimates.append(HeldOutLoss.of_samples(left_out))
        solutions.append(left_out.solution)
        n_refits.append(left_out.n_refits)
    details = {
        "loo_loss_": np.array([estimate.mean for estimate in estimates]),
        "n_left_out_": loo.n_left_out,
        "n_refits_": np.array(n_refits),
    }
    return Path(estimates, details, solutions)
