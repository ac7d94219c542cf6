"""Which models of the curvature, from which rows: the one place where sizes decide."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from skxent.likelihood.objective import Objective
from skxent.likelihood.optimise import preconditioners
from skxent.likelihood.optimise.preconditioners import Curvature
from skxent.likelihood.sources.base import RowSource
from skxent.likelihood.sources.grams import PACKED

FULL_WIDTH = 2400  # parameters up to which the full model is worth its third power
START_ROWS = 20  # for each parameter, that a start from a sample is better than none
LEAST = 500  # rows of a sample that is worth a fit of its own
MODEL_PASSES = 4  # what a model may cost
START_PASSES = 6  # what the first one may cost where a smaller model would do
FEW_OPERATIONS = 2e7  # a millisecond or two: all rows make the model, whatever a pass costs
CALL = 1e6  # operations that fit into the time of a pass over next to nothing
CLASS_ELEMENTS = 1 << 23  # of the class blocks, of which threads hold a few copies
DEAR_PASSES = 12  # above which a model is used for as long as it is any good
ENLARGE = 4  # times as many rows for the next rung
NEAR = 1e-3  # see `Plan`; there Newton's steps are nearly straight
DRAWN = 6  # a drawn row costs less by this: large products are fast, and worth twice their time
ROW_SPACE = 1 << 24  # numbers of rows written out to find out which are independent
SPARSE_FEATURES = 1000  # above which samples of a sparse X are not made dense

Model = Callable[[Objective, np.ndarray, float], Curvature]


@dataclass(frozen=True)
class Rung:
    """A model of the curvature, and how long to use it.

    Parameters
    ----------
    model : function (objective, theta, caution) -> Curvature
    rows : int or None
        Rows of the sample that it is made from; None for all.
    passes : float
        What it costs.
    iterations : int
        L-BFGS iterations after which it is made anew.
    fall : float
        Or the decrement has fallen by this.
    """

    model: Model
    rows: int | None
    passes: float
    iterations: int
    fall: float

    @property
    def exact(self) -> bool:
        """Whether it is the Hessian itself."""
        return self.rows is None and self.model is preconditioners.full

    @property
    def newton(self) -> bool:
        """Whether the Hessian is so cheap that each step has one of its own, Newton's.

        A stage is then for where that step does not fall as a quadratic would.
        """
        return self.exact and self.passes < DEAR_PASSES


@dataclass(frozen=True)
class Plan:
    """How to model the curvature.

    Parameters
    ----------
    ladder : tuple of Rung
        From cheap to dear; the first is used until the next is worth its cost.
    first_rows : tuple of int
        Rows of the samples to minimise first, one after the other.
    near : float
        Gap, in nats for each nat of the objective, from where conjugate gradients make the steps.
    """

    ladder: tuple[Rung, ...]
    first_rows: tuple[int, ...]
    near: float = 0.0


def plan(data: RowSource) -> Plan:
    """Choose models and samples by size: n rows, d features, K classes.

    A pass costs 4 n p R operations and some forty for each of the n R logits. A row costs p (p + 1)
    for each of the (K - 1) K / 2 weights of the full model or the K weights of the class blocks,
    and models of many parameters then their third power. With one weight, for two classes, a pass
    waits for memory, and the square of a row is formed sixteen times as fast, once the row has been
    copied and scaled. A model may cost a few passes. It wants some rows for each parameter;
    thousands for each are wasted. Class blocks that are too dear even so are made from rows drawn
    for each class, after a start with the diagonal. If rows cannot be sampled, all rows make the
    models, and no sample is minimised first.
    """
    n, d = data.n_rows, data.n_features
    p, R = d + data.fit_intercept, data.n_outputs
    free = max(R - 1, 1)
    diagonal = Rung(preconditioners.diagonal, None, 1.0, 12, 1e3)
    if data.sparse and p > SPARSE_FEATURES:
        return Plan((diagonal,), (), NEAR)
    one_pass = max(n * R * (4 * p + 40), CALL)

    def rungs(model: Model, row: int, width: int, cube: float) -> Iterator[Rung]:
        rows = int(np.clip(MODEL_PASSES * one_pass / row, 8 * width, max(200 * width, 2000)))
        if n * row <= FEW_OPERATIONS:
            rows = n
        while True:
            whole = not data.can_sample or 2 * rows >= n
            passes = ((n if whole else rows) * row + cube) / one_pass
            pace = (6, 1e3) if passes < DEAR_PASSES else (15, 1e6)
            yield Rung(model, None if whole else rows, passes, *pace)
            if whole:
                return
            rows *= ENLARGE

    ladder = []
    if p * free <= FULL_WIDTH:
        row = free * (free + 1) // 2 * p * (p + 1) if free > 1 else p * (p + 192) // 16 + 40
        ladder = list(rungs(preconditioners.full, row, p * free, (p * free) ** 3 / 3))
    dear = not ladder or ladder[0].passes > START_PASSES
    if dear and (R > 1 or not ladder) and R * p * p <= CLASS_ELEMENTS:
        blocks = rungs(preconditioners.classes, R * p * (p + 1), 3 * p, R * p**3 / 3)
        ladder = [next(blocks), *ladder] if ladder else list(blocks)
    rows = ladder[0].rows if ladder else None
    first = [] if rows is None else [rows]
    if not ladder or ladder[0].passes > 4 * MODEL_PASSES:
        dear_classes = bool(ladder) and ladder[0].model is preconditioners.classes
        if dear_classes and p > PACKED and data.can_sample:
            drawn = min(preconditioners.DRAWN_ROWS * p, n) * p * (p + 1) + p**3 / 3
            passes = 2 + R * drawn / (DRAWN * one_pass)
            others = [rung for rung in ladder if rung.model is not preconditioners.classes]
            ladder = [Rung(preconditioners.drawn_classes, None, passes, 15, 1e6), *others]
            diagonal = replace(diagonal, fall=1e6)  # no more than a start
        ladder.insert(0, diagonal)
    if not data.can_sample:
        return Plan(tuple(ladder), ())
    # Where Newton's steps come next on all rows, a sample of few is a worse start than zero.
    least = max((1 if first else START_ROWS) * p * free, LEAST)
    while (smaller := (first[0] if first else n) // 8) >= least:
        first.insert(0, smaller)
    return Plan(tuple(ladder), tuple(first))


def fits_row_space(data: RowSource, needed: bool = False) -> bool:
    """Whether to go to the space of the rows: fewer of them than features, and not too many.

    It takes 4 d n^2 operations, which is n / R passes. Where it is needed, because no penalty
    decides what rows do not, it may take more, and sparse rows are written out if they are few.
    """
    n, d = data.n_rows, data.n_features
    if n >= d:
        return False
    if needed:
        return n * d <= ROW_SPACE and (not data.sparse or data.can_sample)
    return not data.sparse and n <= 500 + 200 * data.n_outputs
