"""The objective at the parameters that a fit returns, for samples as they are.

A fit measures samples from a centre. Next to a column of 1e12 the parameters for samples as they
are, and the logits that predictions take from them, may have lost digits that the fit had.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from skxent.likelihood.graded import Extreme
from skxent.likelihood.moments import Moments
from skxent.likelihood.objective import EPS, Objective
from skxent.likelihood.places import Place
from skxent.likelihood.solution import Solution, nats_of_tol

DOUBT = 1e-7  # logits; an objective that may be off by less is taken from the fit
MUCH = 1e-3  # of the scale of `tol`, that rounding may add to the objective of a fit that converged


def as_returned(data: Place, moments: Moments, alpha: float, solution: Solution) -> Solution:
    """Evaluate the objective anew, from one read of X, where rounding of logits may be seen."""
    largest = np.abs(moments.mean) + np.sqrt(moments.variance * data.n_rows)
    doubt = EPS * float((np.abs(solution.coef) @ largest).max())
    if not doubt > DOUBT:
        return solution
    objective = Objective(data, moments, alpha, None)
    objective.sample_by_sample = True
    theta = np.array(solution.coef)
    if data.fit_intercept:
        theta = np.column_stack([theta, solution.intercept])
    try:
        point = objective(theta)
    finally:
        objective.close()
    penalty = objective.penalty(theta)
    lost = point.value - solution.value
    rounding = min(8 * doubt * (point.value - penalty), MUCH * nats_of_tol(point.value))
    converged = solution.converged and lost <= max(solution.target, rounding)
    return replace(
        solution,
        value=point.value,
        log_likelihood=penalty - point.value,
        # Where rounding is what is lost, the objective is all that bounds the gap.
        gap=solution.gap + max(lost, 0.0) if converged else point.value,
        converged=converged,
        n_passes=solution.n_passes + 1,
        extreme=solution.extreme if converged else solution.extreme or Extreme.of(data),
    )
