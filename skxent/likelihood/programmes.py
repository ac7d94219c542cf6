"""Linear programmes by SciPy's HiGHS, with limits on iterations and time.

Most vertices of a cone are degenerate. The simplex method may go round in circles there for ever,
with one rule for its steps and not with another, so that a programme is tried in several ways, and
each has a number of iterations after which the next one takes over.
"""

from __future__ import annotations

from itertools import product
from time import thread_time
from typing import Any

import numpy as np
from scipy.optimize import linprog

TOLERANCES = 1e-9, 1e-7  # of HiGHS; it goes round in circles with tighter ones
WAYS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("highs-ds", {}),  # steepest edges
    ("highs-ds", {"simplex_dual_edge_weight_strategy": "devex"}),
    ("highs-ipm", {}),
)
ITERATIONS = 10  # of one way, for each row and column of a programme; one or two are usual
SECONDS = 20.0  # of the processor, for all programmes of a search; of the clock, for each


class Undecided(RuntimeError):
    """Data are too large for linear programmes, or HiGHS gave up or took too long."""


class Programmes:
    """Linear programmes that share a limit on their time, which begins now.

    Time of the processor counts, so that results do not depend on what else the machine does.
    """

    def __init__(self) -> None:
        self.deadline = thread_time() + SECONDS

    def solve(
        self, cost: np.ndarray, matrix: Any, lower: np.ndarray, equal: np.ndarray, bounds: Any
    ) -> np.ndarray | None:
        """Minimise cost x with matrix x at least `lower`, or equal; None if there is no such x.

        Raises
        ------
        Undecided
            If no way to solve it came to an end within the limits.
        """
        above = ~equal & (lower > -np.inf)
        for tolerance, (method, rule) in product(TOLERANCES, WAYS):
            left = self.deadline - thread_time()
            if left <= 0:
                raise Undecided(f"The search for a separation took more than {SECONDS:g} seconds.")
            result = linprog(
                cost,
                A_ub=-matrix[above],
                b_ub=-lower[above],
                A_eq=matrix[equal],
                b_eq=lower[equal],
                bounds=bounds,
                method=method,
                options={
                    "primal_feasibility_tolerance": tolerance,
                    "dual_feasibility_tolerance": tolerance,
                    "time_limit": left,
                    "maxiter": ITERATIONS * sum(matrix.shape),
                    **rule,
                },
            )
            if result.status in (0, 2):
                solution: np.ndarray | None = result.x
                return solution
        raise Undecided(f"HiGHS gave up: {result.message}")
