"""The choice of preconditioners, and of the rows to make them from, by the size of the data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

from skxent.likelihood import tuning
from skxent.likelihood.objective import Objective
from skxent.likelihood.optimise import preconditioners
from skxent.likelihood.optimise.cost_model import Cost, CostModel
from skxent.likelihood.optimise.damped_diagonal import damped_diagonal
from skxent.likelihood.optimise.preconditioners import Preconditioner
from skxent.likelihood.sources.base import RowSource
from skxent.likelihood.sources.sparse_single_sums import exceeds_cache

# Number of L-BFGS iterations of a stage over wide sparse rows with many classes, in place of
# `tuning.DIAGONAL_STAGE`. No better model than the diagonal follows there, and a pass is so dear
# that the corrections of L-BFGS should not be lost often.
SPARSE_STAGE = 24

Build = Callable[[Objective, np.ndarray, float], Preconditioner]


class Kind(Enum):
    """A kind of preconditioner, see `preconditioners`."""

    DIAGONAL = "diagonal"
    DAMPED_DIAGONAL = "damped diagonal"
    CLASS_BLOCKS = "class blocks"
    DRAWN_CLASS_BLOCKS = "drawn class blocks"
    HESSIAN = "Hessian"

    def build(
        self, objective: Objective, theta: np.ndarray, residual_weight: float
    ) -> Preconditioner:
        """Return the preconditioner at `theta`."""
        return BUILDERS[self](objective, theta, residual_weight)


BUILDERS: dict[Kind, Build] = {
    Kind.DIAGONAL: preconditioners.diagonal,
    Kind.DAMPED_DIAGONAL: damped_diagonal,
    Kind.CLASS_BLOCKS: preconditioners.class_blocks,
    Kind.DRAWN_CLASS_BLOCKS: preconditioners.drawn_class_blocks,
    Kind.HESSIAN: preconditioners.full,
}


@dataclass(frozen=True)
class PreconditionerChoice:
    """A kind of preconditioner, the rows to make it from, and the length of a stage with it.

    Parameters
    ----------
    kind : Kind
    rows : int or None
        Size of the sample that the preconditioner is made from; None for all rows.
    passes : float
        Cost of making the preconditioner, in passes.
    iterations : int
        Number of L-BFGS iterations after which it is made anew.
    fall : float
        Factor by which the decrement has fallen when it is made anew.
    newton : bool
        Whether the search takes Newton steps with it, which must then be the Hessian of all rows.
    """

    kind: Kind
    rows: int | None
    passes: float
    iterations: int
    fall: float
    newton: bool = False

    @classmethod
    def of(cls, kind: Kind, rows: int | None, passes: float) -> PreconditionerChoice:
        """Return a choice; a preconditioner that costs more is used for longer.

        Newton steps are taken if the preconditioner is a Hessian of all rows that costs little.
        """
        dear = passes >= tuning.DEAR_PASSES
        iterations = tuning.LONG_STAGE if dear else tuning.SHORT_STAGE
        fall = tuning.LONG_FALL if dear else tuning.SHORT_FALL
        newton = rows is None and kind is Kind.HESSIAN and not dear
        return cls(kind, rows, passes, iterations, fall, newton)

    @property
    def by_class(self) -> bool:
        """Whether the preconditioner has one block for each class."""
        return self.kind in (Kind.CLASS_BLOCKS, Kind.DRAWN_CLASS_BLOCKS)

    @property
    def is_diagonal(self) -> bool:
        """Whether the preconditioner is a diagonal."""
        return self.kind in (Kind.DIAGONAL, Kind.DAMPED_DIAGONAL)

    @property
    def is_hessian(self) -> bool:
        """Whether the preconditioner is the Hessian of all rows."""
        return self.rows is None and self.kind is Kind.HESSIAN

    @property
    def is_cheap_hessian(self) -> bool:
        """Whether it is the Hessian of all rows, and costs so little that Newton steps pay."""
        return self.is_hessian and self.passes < tuning.DEAR_PASSES


@dataclass(frozen=True)
class Plan:
    """The preconditioners and the samples of a search.

    Parameters
    ----------
    choices : tuple of PreconditionerChoice
        From cheap to expensive. Each is used until the next one is worth its cost.
    first_rows : tuple of int
        Sizes of the samples that are minimised, one after the other, before all rows.
    cg_gap : float
        Gap, as a fraction of the objective, below which conjugate gradients take the steps.
    by_leverage : bool
        Whether samples are drawn by leverage, and steps minimise on such a sample, see `tilted`.
    """

    choices: tuple[PreconditionerChoice, ...]
    first_rows: tuple[int, ...]
    cg_gap: float = 0.0
    by_leverage: bool = False


def plan(data: RowSource) -> Plan:
    """Choose preconditioners and samples by the size of the data.

    The Hessian is used if it is not too wide. If it costs too much for the beginning, class blocks
    come before it; if it is too wide, class blocks replace it. If even class blocks cost too much,
    the diagonal comes first, and the class blocks are made from drawn rows. For wide sparse rows
    the diagonal is the only preconditioner. If samples of the rows cannot be drawn, all rows make
    the preconditioners.
    """
    diagonal = PreconditionerChoice(
        Kind.DIAGONAL, None, 1.0, tuning.DIAGONAL_STAGE, tuning.SHORT_FALL
    )
    costs = CostModel.of(data)
    if data.sparse and costs.width > tuning.SPARSE_FEATURES:
        if exceeds_cache(data.theta_shape):
            diagonal = replace(diagonal, kind=Kind.DAMPED_DIAGONAL, iterations=SPARSE_STAGE)
        return Plan((diagonal,), (), tuning.CG_GAP)
    choices = _factored(costs, data.can_sample)
    rows = choices[0].rows if choices else None
    if not choices or choices[0].passes > tuning.DIAGONAL_PASSES:
        if choices and choices[0].kind is Kind.CLASS_BLOCKS:
            choices, diagonal = _drawn(costs, choices, diagonal, data.can_sample)
        choices = [diagonal, *choices]
    first = _first_rows(costs, rows) if data.can_sample else ()
    return Plan(tuple(choices), first, by_leverage=_by_leverage(data.n_rows, choices))


def _by_leverage(n_rows: int, choices: list[PreconditionerChoice]) -> bool:
    """Whether steps minimise on samples drawn by leverage: a larger sample would cost too much."""
    first, after = choices[0], choices[1:2]
    small = first.kind is Kind.HESSIAN and first.rows is not None and 8 * first.rows <= n_rows
    return small and after[0].passes >= tuning.DEAR_PASSES


def _factored(costs: CostModel, can_sample: bool) -> list[PreconditionerChoice]:
    """Return the choices with factored matrices: class blocks, the Hessian, or both in turn."""
    p, R = costs.width, costs.n_outputs
    choices: list[PreconditionerChoice] = []
    if costs.n_parameters <= tuning.HESSIAN_WIDTH:
        choices = list(_by_rows(Kind.HESSIAN, costs.hessian, costs, can_sample))
    dear = not choices or choices[0].passes > tuning.START_PASSES
    if dear and (R > 1 or not choices) and R * p * p <= tuning.CLASS_ELEMENTS:
        blocks = _by_rows(Kind.CLASS_BLOCKS, costs.class_blocks, costs, can_sample)
        choices = [next(blocks), *choices] if choices else list(blocks)
    return choices


def _by_rows(
    kind: Kind, cost: Cost, costs: CostModel, can_sample: bool
) -> Iterator[PreconditionerChoice]:
    """Yield choices of preconditioners of one kind, the one that reads fewest rows first.

    The first preconditioners are computed from samples of growing size, the last from all rows.
    """
    rows, n = costs.sample_rows(cost), costs.n_rows
    while can_sample and 2 * rows < n:
        yield PreconditionerChoice.of(kind, rows, costs.passes(cost, rows))
        rows *= tuning.MORE_ROWS
    yield PreconditionerChoice.of(kind, None, costs.passes(cost, n))


def _drawn(
    costs: CostModel,
    choices: list[PreconditionerChoice],
    diagonal: PreconditionerChoice,
    can_sample: bool,
) -> tuple[list[PreconditionerChoice], PreconditionerChoice]:
    """Replace class blocks by drawn class blocks; return the choices and the diagonal before them.

    If a sample has few entries, outer products are packed (see `grams`), and class blocks of all
    rows cost less than drawn ones.
    """
    if costs.width <= tuning.PACKED_WIDTH or not can_sample:
        return choices, diagonal
    drawn = PreconditionerChoice(
        Kind.DRAWN_CLASS_BLOCKS, None, costs.drawn_class_blocks, tuning.LONG_STAGE, tuning.LONG_FALL
    )
    others = [choice for choice in choices if choice.kind is not Kind.CLASS_BLOCKS]
    return [drawn, *others], replace(diagonal, fall=tuning.LONG_FALL)


def _first_rows(costs: CostModel, rows: int | None) -> tuple[int, ...]:
    """Return the sizes of the samples that are minimised first, from small to large.

    If `rows` is given, the first preconditioner is made from a sample of `rows` rows, and the last
    size is `rows`. If `rows` is None, Newton steps on all rows follow. Samples with fewer than
    `START_ROWS` rows for each parameter are then left out: Newton steps do better from zero than
    from the minimum of such a sample.
    """
    first = [] if rows is None else [rows]
    least = max((1 if first else tuning.START_ROWS) * costs.n_parameters, tuning.LEAST_SAMPLE)
    while (smaller := (first[0] if first else costs.n_rows) // tuning.FEWER_ROWS) >= least:
        first.insert(0, smaller)
    return tuple(first)
