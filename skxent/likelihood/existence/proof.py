r"""Decide at the end of a fit without a penalty whether the objective has a finite minimum.

An exact Newton step that changes no logit by a tenth proves it, see `separation`. A computed step
solves :math:`H s = -g + \rho` with a residual :math:`\rho`, which comes from rounding, from the
jitter of a factor or from conjugate gradients that stopped early. For a direction D that separates
classes, the inequality of the proof becomes

.. math:: S = \sum_i w_i\, E\, r_i \le \max_i (\max u_i - \min u_i)\, S + |D^\top \rho| ,

which proves nothing if S is as small as the last term. A fit may go so far along D that all
probabilities that D still lowers are smaller than rounding errors. It then looks like a fit at a
finite minimum. The step is accepted as a proof in three cases:

* *All curvature is resolved.* The curvature of every parameter, minimised over the others, is far
  above rounding error, which grows with offsets, and so is the curvature along D. If D is scaled so
  that its largest margin is one, :math:`S \ge D^\top H D`.
* *No probability is small.* With the same scaling of D, :math:`S \ge \min_{ik} w_i p_{ik}`. This
  lower bound is compared with the residual.
* *Only dependent columns lack curvature.* The Hessian is singular, but its rank is that of the
  Hessian at zero, where all probabilities are equal. So no direction lost its curvature during the
  fit. This holds only if no feature is penalised.

If some features are penalised, a direction that separates has zero coefficients for them. The
penalty then adds nothing to :math:`g^\top D` and :math:`D^\top H D`, and the same proofs hold.

Otherwise linear programmes decide.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import numpy as np

from skxent.likelihood import tuning
from skxent.likelihood.coordinates.rank import pivoted_cholesky
from skxent.likelihood.coordinates.weighted_classes import Present
from skxent.likelihood.existence.separation import (
    Separation,
    Undecided,
    find_separation_by,
    separates_all,
)
from skxent.likelihood.objective import Objective
from skxent.likelihood.optimise import preconditioners
from skxent.likelihood.optimise.preconditioners import Cholesky, Preconditioner
from skxent.likelihood.solution import Solution
from skxent.likelihood.sources.base import RowSource


def proves_finite(
    objective: Objective, theta: np.ndarray, model: Preconditioner, residual: float | None
) -> bool:
    """Whether a Newton step that changes no logit by a tenth proves a finite minimum.

    Parameters
    ----------
    objective : Objective
    theta : (R, p) array
    model : Preconditioner
        What computed the step: the factored Hessian, or the preconditioner of conjugate gradients.
    residual : float or None
        Half the squared residual of conjugate gradients, in whitened coordinates of `model`; None
        if the step was computed with the factored exact Hessian.
    """
    if residual is not None:
        return _least_share(objective, theta) > tuning.OVERRATED * residual
    if model.from_rows:
        # The factor comes from the rows, not from sums of squares, which lose small curvature.
        return model.certain
    assert isinstance(model, Cholesky)
    floored = model.scales[0] ** 2 * objective.full_least_curvature
    # The rounding error of a logit grows with its size, and that of the gradient with it.
    certain = tuning.CERTAIN_PIVOT * max(1.0, np.sqrt(objective.offset.widest))
    if model.least_pivot > certain and floored.max() < tuning.FLOORED_CURVATURE:
        return True
    if _least_share(objective, theta) > tuning.DIRECT_RESIDUAL * objective.total_weight:
        return True
    if objective.offset.widest:
        return False  # at zero parameters the offset may hide curvature as well
    zero = np.zeros_like(theta)
    at_zero = Cholesky.of(
        theta.shape, [preconditioners.hessian(objective, zero)], objective.full_least_curvature
    )
    return (
        objective.penalty.is_zero
        and floored.max() < tuning.FLOORED_CURVATURE
        and _is_even(objective.data)
        and _rank(model, tuning.SEEN_CURVATURE) == _rank(at_zero, tuning.LOST_CURVATURE)
    )


def settled(solution: Solution, data: RowSource) -> Solution:
    """Return the solution after linear programmes have decided whether a finite minimum exists.

    They are solved only if the fit did not prove this. If the rows are not in this process, the
    existence stays undecided. If sums of columns have shown a separation of a large model, the
    parameters of the fit tell whether the separation is complete.
    """
    if solution.proved or (solution.stopped and not solution.unbounded):
        return solution
    found, decided = solution.separation, solution.separation is not None
    rows = data.in_memory()
    if rows is not None:
        guess = solution.coef, solution.intercept
        if solution.present is not None:
            guess = Present(solution.present).enter(solution.coef, solution.intercept)
            rows = rows.with_classes(solution.present)
        if decided and solution.coef.size > tuning.QUICK_PROGRAMME:
            mask = solution.unpenalised
            if not ((mask is None or mask.all()) and separates_all(rows, guess)):
                return solution
        with suppress(Undecided):
            found, decided = find_separation_by(rows, solution.unpenalised, guess), True
    exists = decided and found is None and not solution.unbounded
    return replace(
        solution,
        separation=found,
        decided=decided,
        converged=solution.converged and exists,
        unbounded=solution.unbounded or found is not None,
    )


def without_maximum(solution: Solution, separation: Separation, n_passes: float) -> Solution:
    """Return the solution of a fit whose data are separated, as `n_passes` reads of X showed."""
    return replace(
        solution,
        separation=separation,
        decided=True,
        proved=False,
        converged=False,
        unbounded=True,
        n_passes=solution.n_passes + n_passes,
    )


def _least_share(objective: Objective, theta: np.ndarray) -> float:
    """Lower bound of w_i p_ik over all classes and all samples with positive weight."""
    least, _ = objective.data.weight_range()
    widest = objective.max_logit_range(theta) + objective.offset.widest
    return float(least * np.exp(-widest) / objective.data.n_classes)


def _is_even(data: RowSource) -> bool:
    """Whether the weights differ so little that sums do not lose samples to rounding."""
    least, most = data.weight_range()
    return bool(most <= tuning.EVEN_WEIGHTS * least)


def _rank(model: Cholesky, tolerance: float) -> int:
    """Rank of the Hessian scaled to unit diagonal."""
    (L,) = model.factors
    A = L @ L.T
    jitter = A.diagonal().max() - 1.0
    _, columns = pivoted_cholesky(A, max(tolerance, 1e2 * jitter))
    return len(columns)
