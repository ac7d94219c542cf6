"""Blocks of checked predictions and targets -> losses.

Probabilities p cost -log p, at most `cap` = -log(eps): a floor under the probability is a ceiling
on the cost. A class that the target does not ask for costs nothing, however improbable it is.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skxent.inputs.labels import Codes
from skxent.inputs.roles import hard_advice
from skxent.inputs.stacklevel import users_stacklevel
from skxent.inputs.targets import (
    Floats,
    as_weights,
    check_weight_range,
    read_log_probabilities,
    read_logits,
    read_outcomes,
    read_probabilities,
    read_single_logits,
    row_blocks,
)
from skxent.likelihood.row_losses import binary_losses, categorical_losses, soft_losses
from skxent.metrics.block_sums import SAFE, BlockSums, weighted_sum

Reader = Callable[[NDArray[Any], slice], NDArray[Any]]
N_NAMED = 3  # samples that the warning of the floor names, at most


class ZeroProbabilityWarning(UserWarning):
    """A target had a probability below the floor `eps`, and was charged -log(eps) instead.

    Pass ``eps=0`` to a loss or scorer for the exact cost, infinity where the probability is 0.
    """


@dataclass(frozen=True)
class Floored:
    """A sample that the floor acted on: its row, exact cost in nats, and class.

    `column` is the column of the class or outcome, or None if there is one outcome. `name` and
    `partition` are None if they are not known.
    """

    row: int
    cost: float
    column: int | None
    name: str | None = None
    partition: int | None = None

    def __str__(self) -> str:
        where = f"row {self.row}"
        if self.partition is not None:
            where += f" of partition {self.partition}"
        name = self.name
        if name is None and self.column is not None:
            name = f"column {self.column}"
        return f"{where} ({name + ', ' if name else ''}exact cost {self.cost:.4g} nats)"


@dataclass(frozen=True)
class Capped:
    """Samples of a block whose cost the floor capped: rows, exact costs, columns of the class."""

    rows: NDArray[np.intp]
    costs: Floats
    columns: NDArray[np.intp] | None

    def first(self, start: int) -> tuple[Floored, ...]:
        """Return the first few samples, of a block that starts at a row."""
        return tuple(
            Floored(
                start + int(self.rows[i]),
                float(self.costs[i]),
                None if self.columns is None else int(self.columns[i]),
            )
            for i in range(min(N_NAMED, len(self.rows)))
        )


# A block of predictions and its targets -> losses, and which samples it capped, if any.
Cost = Callable[[Floats, NDArray[Any]], tuple[Floats, Capped | None]]


@dataclass(frozen=True)
class Losses:
    """The loss of each sample, in nats, how many were capped, and the first of these.

    `values` is empty if a `BlockSums` took the losses. `hard` tells whether every entry of the
    prediction is 0 or 1.
    """

    values: Floats
    capped: int = 0
    floored: tuple[Floored, ...] = ()
    hard: bool = False

    def weights(self, sample_weight: ArrayLike | None, zero: bool = False) -> Floats | None:
        """Return the weights of these samples, or None; `zero` allows all of them to be 0."""
        return as_weights(sample_weight, len(self.values), zero)

    def sums(self, weights: Floats | None) -> tuple[float, float]:
        """Return the sum of weighted losses and the sum of weights."""
        return weighted_sum(self.values, weights)

    def sum(self, weights: Any) -> float:
        """Return the sum of weighted losses, which must neither overflow nor underflow."""
        total, weight = self.sums(weights)
        if SAFE < total < np.inf:
            return total
        mean = self.mean(weights)
        if weights is not None and 0.0 < mean < np.inf:
            check_weight_range(weight)
        if total == np.inf and mean < np.inf:
            raise ValueError(
                "the sum of the losses is larger than the largest float: pass reduction='mean'."
            )
        return mean * weight if 0.0 < mean < np.inf else total

    def mean(self, weights: Any) -> float:
        """Return the weighted mean of the losses, exact for weights and losses of any size."""
        total, weight = self.sums(weights)
        if SAFE < total < np.inf and weight < np.inf:
            return total / weight
        return scaled_mean(self.values, weights)

    def named(self, name: Callable[[Floored], object]) -> Self:
        """Return the same losses with the classes of the capped samples named."""
        if not self.floored:
            return self
        named = (replace(each, name=f"class {name(each)!r}") for each in self.floored)
        return replace(self, floored=tuple(named))

    def warn(self, eps: float | None, name: str = "y_pred", n: int | None = None) -> None:
        """Tell the user that the floor acted, if it did, on some of the n losses of a prediction.

        `n` is the number of samples, if not that of `values`.
        """
        n = self.values.shape[0] if n is None else n
        warn_of_floor(self.capped, n, eps, self.floored, name if self.hard else None)


def warn_of_floor(
    capped: int,
    n: int,
    eps: float | None,
    floored: tuple[Floored, ...] = (),
    hard: str | None = None,
) -> None:
    """Tell the user that the floor acted on some of n samples, if any, and name the first.

    `hard` is the name of a prediction whose entries are all 0 or 1.
    """
    if not capped:
        return
    floor = float(np.finfo(np.float64).eps) if eps is None else eps
    first = ", ".join(map(str, floored))
    which = f": {first}{', ...' if capped > len(floored) else ''}" if first else ""
    warnings.warn(
        f"{capped} of {n} samples have a target whose probability is below eps={floor:.3g}{which}. "
        f"Each is charged -log(eps), {-np.log(floor):.4g} nats. Pass eps=0 for the exact cost, "
        f"infinity where the probability is 0.{f' {hard_advice(hard)}' if hard else ''}",
        ZeroProbabilityWarning,
        stacklevel=users_stacklevel(),
    )


def scaled_mean(losses: Floats, weights: Floats | None) -> float:
    """Return a weighted mean whose sums would overflow or underflow.

    Weights and losses are divided by powers of two, which costs no digit, so that the largest are
    about 1.
    """
    if weights is not None:
        kept = weights > 0
        losses, weights = losses[kept], weights[kept]
        weights = np.ldexp(weights, -math.frexp(weights.max())[1])
    top = float(losses.max())
    if not 0.0 < top < np.inf:
        return top
    exponent = math.frexp(top)[1]
    mean = np.average(np.ldexp(losses, -exponent), weights=weights)
    return math.ldexp(float(mean), exponent)


def categorical(
    prediction: NDArray[Any],
    target: Codes | NDArray[Any],
    *,
    from_logits: bool,
    cap: float,
    sums: BlockSums | None = None,
) -> Losses:
    """Losses of rows of K columns, from codes or soft rows."""
    soft = target.ndim == 2
    read_target = _target_reader(target)
    if from_logits:
        cost = _uncapped(soft_losses if soft else categorical_losses)
        return _by_blocks(prediction, target, read_logits, read_target, cost, sums)
    cost = partial(soft_costs if soft else label_costs, cap=cap)
    return _by_blocks(prediction, target, read_probabilities, read_target, cost, sums)


def binary_in_two_columns(
    prediction: NDArray[Any],
    outcomes: NDArray[Any],
    *,
    from_logits: bool,
    cap: float,
    sums: BlockSums | None = None,
) -> Losses:
    """Losses of yes/no outcomes (n,) from rows of two columns: no, then yes."""
    read = read_logits if from_logits else read_probabilities
    cost = _uncapped(soft_losses) if from_logits else partial(soft_costs, cap=cap)
    return _by_blocks(prediction, outcomes, read, _read_two_columns, cost, sums)


def predicted(
    prediction: NDArray[Any],
    target: Codes | NDArray[Any],
    *,
    cap: float,
    logarithms: bool,
    name: str,
) -> Losses:
    """Losses of what an estimator predicts: rows of zeros are allowed, code -1 has no column."""
    reader = read_log_probabilities if logarithms else read_probabilities
    minus_log = _negated if logarithms else _minus_log
    cost = partial(soft_costs if target.ndim == 2 else label_costs, cap=cap, minus_log=minus_log)
    read = partial(reader, name=name, empty_rows=True)
    return _by_blocks(prediction, target, read, _target_reader(target), cost)


def binary(
    prediction: NDArray[Any],
    outcomes: NDArray[Any],
    *,
    from_logits: bool = False,
    cap: float,
    name: str = "y_pred",
    sums: BlockSums | None = None,
) -> Losses:
    """Losses of yes/no outcomes, summed over the columns if there are any."""
    reader = read_single_logits if from_logits else read_outcomes
    cost = _uncapped(binary_losses) if from_logits else partial(outcome_costs, cap=cap)
    read_target = partial(read_outcomes, name="y_true")
    return _by_blocks(prediction, outcomes, partial(reader, name=name), read_target, cost, sums)


def _by_blocks(
    prediction: NDArray[Any],
    target: NDArray[Any],
    read: Reader,
    read_target: Reader,
    cost: Cost,
    sums: BlockSums | None = None,
) -> Losses:
    """Compute the losses of one block of rows after the other; `sums` takes them, if given."""
    n, count = len(prediction), 0
    losses = np.empty(n if sums is None else 0)
    if sums is not None:
        sums.begin(n)
    floored: tuple[Floored, ...] = ()
    with np.errstate(divide="ignore", over="ignore"):
        for rows in row_blocks(prediction.shape):
            block, capped = cost(read(prediction, rows), read_target(target, rows))
            if sums is None:
                losses[rows] = block
            else:
                sums.add(rows, block)
            if capped is not None:
                count += len(capped.rows)
                floored = (*floored, *capped.first(rows.start))[:N_NAMED]
    return Losses(losses, count, floored)


def _target_reader(target: NDArray[Any]) -> Reader:
    if target.ndim == 2:
        return partial(read_probabilities, name="y_true")
    return lambda codes, rows: codes[rows]


def _read_two_columns(outcomes: NDArray[Any], rows: slice) -> Floats:
    yes = read_outcomes(outcomes, rows, "y_true")
    return np.column_stack([1.0 - yes, yes])


def _minus_log(p: Floats) -> Floats:
    # 0 - log p, so that p = 1 costs 0 and not -0; a p above 1 by rounding costs 0 as well.
    costs = np.log(p)
    np.subtract(0.0, costs, out=costs)
    return np.maximum(costs, 0.0, out=costs)


def _negated(log_p: Floats) -> Floats:
    return np.maximum(0.0 - log_p, 0.0)


def label_costs(
    block: Floats, codes: Codes, cap: float, minus_log: Callable[[Floats], Floats] = _minus_log
) -> tuple[Floats, Capped | None]:
    """Cost of one class in each row; code -1 is a class without a column, of probability 0."""
    n, width = block.shape
    costs = minus_log(block.ravel().take(np.arange(0, n * width, width) + codes))
    if codes.min() < 0:
        costs[codes < 0] = np.inf
    if costs.max() <= cap:
        return costs, None
    rows = np.flatnonzero(costs > cap)
    capped = Capped(rows, costs[rows], codes[rows])
    return np.minimum(costs, cap, out=costs), capped


def soft_costs(
    block: Floats, Y: Floats, cap: float, minus_log: Callable[[Floats], Floats] = _minus_log
) -> tuple[Floats, Capped | None]:
    """Cost of each row, weighted over classes by the rows of Y."""
    costs, wanted = minus_log(block), Y > 0
    capped = _capped_of((costs > cap) & wanted, costs)
    np.minimum(costs, cap, out=costs)
    costs[~wanted] = 0.0
    costs *= Y
    return costs.sum(axis=1), capped


def _capped_of(mask: NDArray[np.bool_], costs: Floats) -> Capped | None:
    """Return the samples that the mask marks, with the column that costs the most."""
    if not mask.any():
        return None
    if mask.ndim == 1:
        rows = np.flatnonzero(mask)
        return Capped(rows, costs[rows], None)
    rows = np.flatnonzero(mask.any(axis=1))
    few = np.where(mask[rows], costs[rows], 0.0)
    return Capped(rows, few.max(axis=1), few.argmax(axis=1))


def outcome_costs(block: Floats, y: Floats, cap: float) -> tuple[Floats, Capped | None]:
    """Cost of yes/no outcomes, log1p keeping the small cost of a small probability of yes."""
    sides = (_minus_log(block), y), (0.0 - np.log1p(-block), 1.0 - y)
    losses, most = np.zeros_like(block), np.zeros_like(block)
    for costs, share in sides:
        wanted = share > 0
        np.maximum(most, costs, out=most, where=wanted)
        np.minimum(costs, cap, out=costs)
        costs[~wanted] = 0.0
        losses += costs * share
    return _per_sample(losses), _capped_of(most > cap, most)


def _uncapped(kernel: Callable[[Floats, Any], Floats]) -> Cost:
    """Losses from logits, which have no floor."""
    return lambda block, target: (_per_sample(kernel(block, target)), None)


def _per_sample(losses: Floats) -> Floats:
    """Sum over the outcomes of each sample, where there are several."""
    return losses.sum(axis=1) if losses.ndim == 2 else losses
