"""Solve linear programmes with HiGHS, by SciPy, with limits on iterations and time.

Most vertices of a cone are degenerate. At such a vertex the simplex method may cycle with one
pivoting rule and not with another. Several methods and rules are therefore tried in turn, each with
a limit on its iterations.
"""

from __future__ import annotations

from itertools import product
from time import thread_time

import numpy as np
from scipy.optimize import linprog

from skxent.likelihood import tuning
from skxent.likelihood.sources.blocks import Matrix

TOLERANCES = 1e-9, 1e-7  # feasibility tolerances; with smaller ones HiGHS cycles
WAYS: tuple[tuple[str, dict[str, object]], ...] = (
    ("highs-ds", {}),  # steepest edge pricing
    ("highs-ds", {"simplex_dual_edge_weight_strategy": "devex"}),
    ("highs-ipm", {}),
)


class Undecided(RuntimeError):
    """Error: the data are too large for linear programmes, or HiGHS failed or took too long."""


class Programmes:
    """Solver of linear programmes, with one limit on their total processor time.

    The time counts from the construction of this object. It is processor time, which does not
    depend on other processes as clock time does.
    """

    def __init__(self) -> None:
        self.deadline = thread_time() + tuning.PROGRAMME_SECONDS

    def solve(
        self, cost: np.ndarray, matrix: Matrix, lower: np.ndarray, equal: np.ndarray, bounds: object
    ) -> np.ndarray | None:
        """Minimise cost x subject to matrix x >= lower, and bounds; None if this is infeasible.

        In rows of the mask `equal` the constraint is matrix x = lower.

        Raises
        ------
        Undecided
            If no method solved the programme within the limits.
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
        raise Undecided(f"HiGHS failed: {result.message}")
