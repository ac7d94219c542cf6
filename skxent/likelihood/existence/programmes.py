"""Linear programmes by SciPy's HiGHS, with limits on iterations and time.

Most vertices of a cone are degenerate. At such a vertex the simplex method may cycle with one
pivoting rule and not with another. A programme is therefore tried in several ways. Each way has a
limit on its iterations, after which the next way is tried.
"""

from __future__ import annotations

from itertools import product
from time import thread_time
from typing import Any

import numpy as np
from scipy.optimize import linprog

from skxent.likelihood import tuning

TOLERANCES = 1e-9, 1e-7  # feasibility tolerances of HiGHS, which cycles with smaller ones
WAYS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("highs-ds", {}),  # steepest edge pricing
    ("highs-ds", {"simplex_dual_edge_weight_strategy": "devex"}),
    ("highs-ipm", {}),
)


class Undecided(RuntimeError):
    """Data are too large for linear programmes, or HiGHS failed or took too long."""


class Programmes:
    """Linear programmes that share a limit on processor time, from their construction on.

    Unlike clock time, processor time does not depend on other work of the machine.
    """

    def __init__(self) -> None:
        self.deadline = thread_time() + tuning.PROGRAMME_SECONDS

    def solve(
        self, cost: np.ndarray, matrix: Any, lower: np.ndarray, equal: np.ndarray, bounds: Any
    ) -> np.ndarray | None:
        """Minimise cost x with matrix x >= lower, or = for `equal` rows; None if it is infeasible.

        Raises
        ------
        Undecided
            If no way solved the programme within the limits.
        """
        above = ~equal & (lower > -np.inf)
        for tolerance, (method, rule) in product(TOLERANCES, WAYS):
            left = self.deadline - thread_time()
            if left <= 0:
                limit = tuning.PROGRAMME_SECONDS
                raise Undecided(f"The search for a separation took more than {limit:g} seconds.")
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
                    "maxiter": tuning.PROGRAMME_ITERATIONS * sum(matrix.shape),
                    **rule,
                },
            )
            if result.status in (0, 2):
                solution: np.ndarray | None = result.x
                return solution
        raise Undecided(f"HiGHS gave up: {result.message}")
