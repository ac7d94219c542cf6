"""Which models of the curvature, from which rows: the one place where sizes decide."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from skxent.likelihood import curvature
from skxent.likelihood.curvature import Curvature
from skxent.likelihood.data import Data
from skxent.likelihood.objective import Objective

FULL_WIDTH = 2400  # parameters up to which the full model is worth its third power
MODEL_PASSES = 4  # what a model may cost
FEW_OPERATIONS = 2e8  # milliseconds: all rows make the model, whatever a pass costs
DEAR_PASSES = 12  # above which a model is used for as long as it is any good
SPARSE_FEATURES = 1000  # above which samples of a sparse X are not made dense

Model = Callable[[Objective, np.ndarray, float], Curvature]


@dataclass(frozen=True)
class Plan:
    """How to model the curvature.

    Parameters
    ----------
    models : tuple of functions (objective, theta, caution) -> Curvature
        The first is used until a stage is slow, then the next.
    sample_rows : int or None
        Rows of the sample that models are made from; None for all.
    most_rows : int
        Rows up to which the sample may grow.
    first_rows : tuple of int
        Rows of the samples to minimise first, one after the other.
    stage_iterations : int
        L-BFGS iterations after which a model is made anew.
    fall : float
        Or the decrement has fallen by this.
    newton : bool
        Whether exact models are so cheap that each step has one of its own, Newton's. A stage is
        then for where that step does not fall as a quadratic would.
    """

    models: tuple[Model, ...]
    sample_rows: int | None
    most_rows: int
    first_rows: tuple[int, ...]
    stage_iterations: int
    fall: float
    newton: bool


def plan(data: Data) -> Plan:
    """Choose models and samples by size: n rows, d features, K classes.

    A pass costs 4 n p R operations and some forty for each of the n R logits. A row costs p (p + 1)
    for each of the (K - 1) K / 2 weights of the full model or the K weights of the class blocks,
    and models of many parameters then their third power. A model may cost a few passes. It wants
    some rows for each parameter; thousands for each are wasted.
    """
    n, d = data.X.shape
    p, R = d + data.fit_intercept, data.n_outputs
    free = max(R - 1, 1)
    if not isinstance(data.X, np.ndarray) and p > SPARSE_FEATURES:
        return Plan((curvature.diagonal,), None, n, (), 12, 1e3, False)
    full = p * free <= FULL_WIDTH
    one_pass = n * R * (4 * p + 40)
    if full:
        model, width, row = curvature.full, p * free, free * (free + 1) // 2 * p * (p + 1)
    else:
        model, width, row = curvature.classes, 3 * p, R * p * (p + 1)
    affordable = MODEL_PASSES * one_pass / row
    rows = int(np.clip(affordable, 8 * width, max(200 * width, 2000)))
    exact = 2 * rows >= n or (full and n * row <= FEW_OPERATIONS)
    costly = not full and min(rows, n) > 4 * affordable
    models = (curvature.diagonal, model) if costly else (model,)
    first = [] if exact else [rows]
    while (smaller := (first[0] if first else n) // 8) >= max(8 * p * free, 2000):
        first.insert(0, smaller)
    most = int(max(rows, 2 * affordable))
    cost = (row * (n if exact else rows) + (p * free) ** 3 / 3 * full) / one_pass
    pace = (6, 1e3, exact) if cost < DEAR_PASSES else (15, 1e6, False)
    return Plan(models, None if exact else rows, most, tuple(first), *pace)


def fits_row_space(data: Data) -> bool:
    """Whether to go to the space of the rows: fewer of them than features, and not too many.

    It takes 4 d n^2 operations, which is n / R passes.
    """
    n, d = data.X.shape
    return isinstance(data.X, np.ndarray) and n < d and n <= 500 + 200 * data.n_outputs
