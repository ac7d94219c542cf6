"""Operations of passes and preconditioners, from the sizes of the data alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skxent.likelihood import tuning
from skxent.likelihood.sources.base import RowSource


@dataclass(frozen=True)
class Cost:
    """What a preconditioner costs, in operations.

    Parameters
    ----------
    row : int
        For each row that it is made from.
    factor : float
        For its factorisation.
    width : int
        Rows that determine it, at least: the number of its parameters.
    """

    row: int
    factor: float
    width: int


@dataclass(frozen=True)
class CostModel:
    """Operations for n rows of p entries and R rows of logits.

    A pass takes 4 n p R operations and some forty for each of the n R logits. A row takes p (p + 1)
    for each of the (K - 1) K / 2 weights of the Hessian or the K weights of the class blocks. Then
    the matrices are factored, which takes a third of the third power of their width. With one
    weight, for two classes, a pass waits for memory, and the outer product of a row is formed
    sixteen times as fast, once the row has been copied and scaled.
    """

    n_rows: int
    width: int
    n_outputs: int

    @classmethod
    def of(cls, data: RowSource) -> CostModel:
        """Return the costs for some data."""
        return cls(data.n_rows, data.n_features + data.fit_intercept, data.n_outputs)

    @property
    def n_free(self) -> int:
        """Classes whose parameters are free in the Hessian."""
        return max(self.n_outputs - 1, 1)

    @property
    def n_parameters(self) -> int:
        """Width of the Hessian."""
        return self.width * self.n_free

    @property
    def one_pass(self) -> float:
        """Operations of one evaluation of value and gradient."""
        p, R = self.width, self.n_outputs
        return max(self.n_rows * R * (4 * p + 40), tuning.CALL_OPERATIONS)

    @property
    def hessian(self) -> Cost:
        """The cost of the Hessian."""
        p, n = self.width, self.n_free
        row = n * (n + 1) // 2 * p * (p + 1) if n > 1 else p * (p + 192) // 16 + 40
        return Cost(row, self.n_parameters**3 / 3, self.n_parameters)

    @property
    def class_blocks(self) -> Cost:
        """The cost of the class blocks."""
        p, R = self.width, self.n_outputs
        return Cost(R * p * (p + 1), R * p**3 / 3, 3 * p)

    @property
    def drawn_class_blocks(self) -> float:
        """The cost of class blocks from drawn rows, in passes."""
        p, R = self.width, self.n_outputs
        drawn = min(tuning.DRAWN_ROWS * p, self.n_rows) * p * (p + 1) + p**3 / 3
        return 2 + R * drawn / (tuning.DRAWN_SPEED * self.one_pass)

    def passes(self, cost: Cost, n_rows: int) -> float:
        """Return the cost of a preconditioner from some rows, in passes."""
        return (n_rows * cost.row + cost.factor) / self.one_pass

    def sample_rows(self, cost: Cost) -> int:
        """Return how many rows a preconditioner is made from at first.

        It may cost a few passes. It needs some rows for each parameter; thousands for each are
        wasted. All rows make it if that takes a few milliseconds.
        """
        if self.n_rows * cost.row <= tuning.FEW_OPERATIONS:
            return self.n_rows
        affordable = tuning.PRECONDITIONER_PASSES * self.one_pass / cost.row
        enough = max(tuning.MOST_ROWS * cost.width, tuning.MOST_ROWS_LEAST)
        return int(np.clip(affordable, tuning.LEAST_ROWS * cost.width, enough))


def fits_row_space(data: RowSource, needed: bool = False) -> bool:
    """Whether to fit in the space of the rows: fewer rows than features, and not too many.

    The change takes 4 d n^2 operations, which is n / R passes. If it is needed, because no penalty
    determines what the rows do not, it may take more, and sparse rows are made dense if they are
    few.
    """
    n, d = data.n_rows, data.n_features
    if n >= d:
        return False
    if needed:
        return n * d <= tuning.ROW_SPACE_NUMBERS and (not data.sparse or data.can_sample)
    rows = tuning.ROW_SPACE_ROWS + tuning.ROW_SPACE_ROWS_PER_OUTPUT * data.n_outputs
    return not data.sparse and n <= rows
