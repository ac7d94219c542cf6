"""Blocks of checked predictions and targets -> losses; the formulas and their reasons are NumPy's.

Those are in `probability_losses` and, for logits, `likelihood.kernels`. Here nothing is written
in place, and rows are not turned to columns.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skxent.inputs.device_predictions import (
    BLOCK_SIZE,
    read_log_probabilities,
    read_logits,
    read_outcomes,
    read_probabilities,
    read_single_logits,
)
from skxent.inputs.device_targets import weights_beside
from skxent.inputs.namespaces import library_of, moved, to_numpy
from skxent.inputs.targets import row_blocks
from skxent.metrics.probability_losses import Losses, scaled_mean

_EXP_IS_ZERO = -800.0

Reader = Callable[[Any, slice], Any]
Cost = Callable[[Any, Any], tuple[Any, int]]


class DeviceLosses(Losses):
    """The loss of each sample on its device, in nats, and how many were capped."""

    def weights(self, sample_weight: ArrayLike | None, zero: bool = False) -> Any:
        """Return the weights of these samples, or None; `zero` allows all of them to be 0."""
        return weights_beside(self.values, sample_weight, zero)

    def sums(self, weights: Any) -> tuple[float, float]:
        """Return the sum of weighted losses and the sum of weights."""
        xp = library_of(self.values)
        if weights is None:
            return float(xp.sum(self.values)), float(self.values.shape[0])
        with np.errstate(invalid="ignore"):  # array-api-strict computes with NumPy
            terms = _where(weights > 0, weights * self.values, 0.0)
        return float(xp.sum(terms)), float(xp.sum(weights))

    def mean(self, weights: Any) -> float:
        """Return the weighted mean of the losses, exact for weights and losses of any size."""
        total, weight = self.sums(weights)
        info = library_of(self.values).finfo(self.values.dtype)
        if float(info.smallest_normal) / float(info.eps) < total < np.inf and weight < np.inf:
            return total / weight
        weights = None if weights is None else to_numpy(weights).astype(np.float64)
        return scaled_mean(to_numpy(self.values).astype(np.float64), weights)


def categorical(prediction: Any, target: Any, *, from_logits: bool, cap: float) -> Losses:
    """Losses of rows of K columns, from codes or soft rows."""
    soft = target.ndim == 2
    if from_logits:
        cost = _uncapped(soft_losses if soft else categorical_losses)
        return _by_blocks(prediction, target, read_logits, _target_reader(target), cost)
    cost = partial(soft_costs if soft else label_costs, cap=cap)
    return _by_blocks(prediction, target, read_probabilities, _target_reader(target), cost)


def predicted(prediction: Any, target: Any, *, cap: float, logarithms: bool, name: str) -> Losses:
    """Losses of what an estimator predicts: rows of zeros are allowed, code -1 has no column."""
    target = moved(target, prediction)
    reader = read_log_probabilities if logarithms else read_probabilities
    minus_log = _negated if logarithms else _minus_log
    cost = partial(soft_costs if target.ndim == 2 else label_costs, cap=cap, minus_log=minus_log)
    read = partial(reader, name=name, empty_rows=True)
    return _by_blocks(prediction, target, read, _target_reader(target), cost)


def binary(
    prediction: Any,
    outcomes: Any,
    *,
    from_logits: bool = False,
    cap: float,
    name: str = "y_pred",
) -> Losses:
    """Losses of yes/no outcomes, summed over the columns if there are any."""
    reader = read_single_logits if from_logits else read_outcomes
    cost = _uncapped(binary_losses) if from_logits else partial(outcome_costs, cap=cap)
    read, read_target = partial(reader, name=name), partial(read_outcomes, name="y_true")
    return _by_blocks(prediction, moved(outcomes, prediction), read, read_target, cost)


def _by_blocks(
    prediction: Any, target: Any, read: Reader, read_target: Reader, cost: Cost
) -> Losses:
    parts, capped = [], 0
    with np.errstate(all="ignore"):  # array-api-strict computes with NumPy
        for rows in row_blocks(prediction.shape, BLOCK_SIZE):
            losses, count = cost(read(prediction, rows), read_target(target, rows))
            parts.append(losses)
            capped += count
    values = parts[0] if len(parts) == 1 else library_of(prediction).concat(parts)
    return DeviceLosses(values, capped)


def _target_reader(target: Any) -> Reader:
    if target.ndim == 2:
        return partial(read_probabilities, name="y_true")
    return lambda codes, rows: codes[rows]


# ------------------------------------------------------------------ losses from logits


def categorical_losses(Z: Any, codes: Any) -> Any:
    """Cross-entropy of each row's softmax at one class, (n,)."""
    top, log_rest = _partition(Z)
    return (top - _picked(Z, codes)) + log_rest


def soft_losses(Z: Any, Y: Any) -> Any:
    """Cross-entropy of each row's softmax with a distribution over classes, (n,)."""
    xp = library_of(Z)
    top, log_rest = _partition(Z)
    shortfall = _where(Y != 0, (top[:, None] - Z) * Y, 0.0)
    return xp.sum(shortfall, axis=1) + log_rest * xp.sum(Y, axis=1)


def binary_losses(z: Any, y: Any) -> Any:
    """Cross-entropy of sigmoid(z) with the outcome y in [0, 1], the shape of z."""
    xp = library_of(z)
    size = xp.abs(z)
    denied = xp.where(z >= 0, 1.0 - y, y)
    return _where(denied != 0, size * denied, 0.0) + xp.log1p(xp.exp(-size))


def _partition(Z: Any) -> tuple[Any, Any]:
    """Return the maximum of each row, and log1p of the sum over its other classes."""
    xp = library_of(Z)
    top = xp.max(Z, axis=1)
    gap, lost = _two_difference(Z, top[:, None])
    lost = _where(gap >= _EXP_IS_ZERO, lost, 0.0)
    below = gap != 0
    rest = _where(below, xp.exp(gap) * (1.0 + lost), 0.0)
    ties = xp.sum(xp.astype(~below, Z.dtype), axis=1) - 1.0
    return top, xp.log1p(xp.sum(rest, axis=1) + ties)


def _two_difference(a: Any, b: Any) -> tuple[Any, Any]:
    """Return d = fl(a - b) and the part rounded away (Knuth)."""
    d = a - b
    minus_b = d - a
    return d, (a - (d - minus_b)) - (b + minus_b)


# ------------------------------------------------------------------ losses from probabilities


def _minus_log(p: Any) -> Any:
    return 0.0 - library_of(p).log(p)


def _negated(log_p: Any) -> Any:
    return 0.0 - log_p


def label_costs(
    block: Any, codes: Any, cap: float, minus_log: Callable[[Any], Any] = _minus_log
) -> tuple[Any, int]:
    """Cost of one class in each row; code -1 is a class without a column, of probability 0."""
    seen = codes >= 0
    picked = _picked(block, _where(seen, codes, 0))
    costs = _where(seen, minus_log(picked), np.inf)
    return library_of(block).clip(costs, 0.0, cap), _count(costs > cap)


def soft_costs(
    block: Any, Y: Any, cap: float, minus_log: Callable[[Any], Any] = _minus_log
) -> tuple[Any, int]:
    """Cost of each row, weighted over classes by the rows of Y."""
    xp, costs, wanted = library_of(block), minus_log(block), Y > 0
    capped = xp.any((costs > cap) & wanted, axis=1)
    terms = _where(wanted, xp.clip(costs, 0.0, cap) * Y, 0.0)
    return xp.sum(terms, axis=1), _count(capped)


def outcome_costs(block: Any, y: Any, cap: float) -> tuple[Any, int]:
    """Cost of yes/no outcomes, log1p keeping the small cost of a small probability of yes."""
    xp = library_of(block)
    losses, capped = xp.zeros_like(block), block < 0.0
    for costs, share in (_minus_log(block), y), (0.0 - xp.log1p(-block), 1.0 - y):
        wanted = share > 0
        capped = capped | ((costs > cap) & wanted)
        losses = losses + _where(wanted, xp.clip(costs, 0.0, cap) * share, 0.0)
    return _per_sample(losses), _count(capped if block.ndim == 1 else xp.any(capped, axis=1))


def _uncapped(kernel: Callable[[Any, Any], Any]) -> Cost:
    """Losses from logits, which have no floor."""
    return lambda block, target: (_per_sample(kernel(block, target)), 0)


def _per_sample(losses: Any) -> Any:
    """Sum over the outcomes of each sample, where there are several."""
    return library_of(losses).sum(losses, axis=1) if losses.ndim == 2 else losses


def _picked(rows: Any, codes: Any) -> Any:
    """Return one entry of each row."""
    xp = library_of(rows)
    n, width = rows.shape
    starts = xp.arange(0, n * width, width, dtype=codes.dtype, device=rows.device)
    return xp.take(xp.reshape(rows, (-1,)), starts + codes, axis=0)


def _where(mask: Any, x: Any, other: float) -> Any:
    """Return x where the mask holds, a number elsewhere."""
    xp = library_of(x)
    return xp.where(mask, x, xp.full_like(x, other))


def _count(mask: Any) -> int:
    xp = library_of(mask)
    return int(xp.sum(xp.astype(mask, xp.int32)))
