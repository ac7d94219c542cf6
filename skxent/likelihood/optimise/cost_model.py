"""Number of operations of passes and preconditioners, from the size of the data alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skxent.likelihood import tuning
from skxent.likelihood.sources.base import RowSource


@dataclass(frozen=True)
class Cost:
    """Cost of making a preconditioner, in operations.

    Parameters
    ----------
    row : int
        Operations for each row that the preconditioner is made from.
    factor : float
        Operations of its factorisation.
    width : int
        Number of parameters, which is the smallest number of rows that determine it.
    """

    row: int
    factor: float
    width: int


@dataclass(frozen=True)
class CostModel:
    """Numbers of operations for n rows of p entries and R rows of logits.

    A pass takes 4 n p R operations, and about forty more for each of the n R logits. A matrix takes
    p (p + 1) operations for each row and class weight: the Hessian has (K - 1) K / 2 class weights,
    the class blocks have K. A factorisation takes a third of the cubed width of the matrix. With
    two classes there is one class weight. A pass is then limited by memory, while an outer product
    of a row is formed sixteen times as fast, once the row has been copied and scaled.
    """

    n_rows: int
    width: int
    n_outputs: int

    @classmethod
    def of(cls, data: RowSource) -> CostModel:
        """Return the cost model for the size of some data."""
        return cls(data.n_rows, data.n_features + data.fit_intercept, data.n_outputs)

    @property
    def n_free(self) -> int:
        """Number of classes with parameters in the Hessian, which leaves out the last class."""
        return max(self.n_outputs - 1, 1)

    @property
    def n_parameters(self) -> int:
        """Number of parameters in the Hessian: its width."""
        return self.width * self.n_free

    @property
    def one_pass(self) -> float:
        """Operations of one evaluation of value and gradient."""
        p, R = self.width, self.n_outputs
        return max(self.n_rows * R * (4 * p + 40), tuning.CALL_OPERATIONS)

    @property
    def hessian(self) -> Cost:
        """The cost of making the Hessian."""
        p, n = self.width, self.n_free
        row = n * (n + 1) // 2 * p * (p + 1) if n > 1 else p * (p + 192) // 16 + 40
        return Cost(row, self.n_parameters**3 / 3, self.n_parameters)

    @property
    def class_blocks(self) -> Cost:
        """The cost of making the class blocks."""
        p, R = self.width, self.n_outputs
        return Cost(R * p * (p + 1), R * p**3 / 3, 3 * p)

    @property
    def drawn_class_blocks(self) -> float:
        """The cost of class blocks from drawn rows, in passes."""
        p, R = self.width, self.n_outputs
        drawn = min(tuning.DRAWN_ROWS * p, self.n_rows) * p * (p + 1) + p**3 / 3
        return 2 + R * drawn / (tuning.DRAWN_SPEED * self.one_pass)

    def passes(self, cost: Cost, n_rows: int) -> float:
        """Return the cost, in passes, of making a preconditioner from `n_rows` rows."""
        return (n_rows * cost.row + cost.factor) / self.one_pass

    def sample_rows(self, cost: Cost) -> int:
        """Return the number of rows that the first preconditioner of a kind is made from.

        All rows are used if that takes a few milliseconds. Otherwise the preconditioner may cost a
        few passes, but has at least some rows for each parameter, and at most a few hundred.
        """
        if self.n_rows * cost.row <= tuning.FEW_OPERATIONS:
            return self.n_rows
        affordable = tuning.PRECONDITIONER_PASSES * self.one_pass / cost.row
        enough = max(tuning.MOST_ROWS * cost.width, tuning.MOST_ROWS_LEAST)
        return int(np.clip(affordable, tuning.LEAST_ROWS * cost.width, enough))


def fits_row_space(data: RowSource, needed: bool = False, width: int | None = None) -> bool:
    """Whether to fit in coordinates of the space of the rows.

    There must be fewer rows than features, and not too many rows: the change of coordinates takes
    4 d n^2 operations, or n / R passes. `needed` tells that the penalty is too weak to determine
    the coefficients that the rows leave open. The change may then cost more, and few sparse rows
    are made dense. `width` is the number of columns to change, if others stay as they are.
    """
    n, d = data.n_rows, data.n_features if width is None else width
    if n >= d:
        return False
    if needed:
        few = n * data.n_features <= tuning.ROW_SPACE_NUMBERS
        return few and (not data.sparse or data.can_sample)
    rows = tuning.ROW_SPACE_ROWS + tuning.ROW_SPACE_ROWS_PER_OUTPUT * data.n_outputs
    return not data.sparse and n <= rows
