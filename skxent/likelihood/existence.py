r"""Whether a finite minimum exists, at the end of a fit without penalty.

A Newton step that moves no logit by a tenth proves it (`separation`), if it is Newton's. What a
program computes solves :math:`H s = -g + \rho` with a rest :math:`\rho`, from rounding, from the
jitter of a factor or because conjugate gradients ended. Along a direction D that separates the
proof then reads

.. math:: S = \sum_i w_i\, E\, r_i \le \max_i (\max u_i - \min u_i)\, S + |D^\top \rho| ,

which says nothing where S is as small as the last term. So a fit that went far along D, to where
all probabilities that D still lowers are lost in rounding, looks as if it had arrived. The step is
taken for a proof in three cases:

* *All curvature is seen.* Every parameter has curvature, given the others, that is far above
  rounding (`Cholesky.certain`). Then so has D, and with the largest of its margins as the unit
  :math:`S \ge D^\top H D`.
* *No probability is small.* In that unit :math:`S \ge \min_{ik} w_i p_{ik}`, which is compared with
  the rest.
* *Columns depend on others, and no more than that.* The Hessian then lacks directions. It has as
  many as at zero, where all probabilities are equal: none was lost on the way.

Otherwise linear programmes decide.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import numpy as np
from scipy.linalg import lapack

from skxent.likelihood import curvature
from skxent.likelihood.certificate import FLAT
from skxent.likelihood.curvature import Cholesky, Curvature
from skxent.likelihood.data import Data, weight_range, wider
from skxent.likelihood.graded import RowFactor
from skxent.likelihood.objective import Objective
from skxent.likelihood.places import Place
from skxent.likelihood.present import Present
from skxent.likelihood.separation import Undecided, find_separation
from skxent.likelihood.solution import Solution

FLOORED = 1e-4  # of a parameter's curvature, that its least curvature may be
SEEN = 1e-10  # of unit diagonal, curvature that is certainly none of rounding
LOST = 1e-12  # the same, of what may be a direction at zero
ROUNDED = 1e-9  # of the total weight, that a rest of rounding and jitter is less than
EVEN = 1e4  # ratio of weights up to which sums over samples hide none of them


def proves_finite(
    objective: Objective, theta: np.ndarray, model: Curvature | RowFactor, rest: float | None
) -> bool:
    """Whether a Newton step from `theta` that moves no logit is a proof.

    Parameters
    ----------
    objective : Objective
    theta : (R, p) array
    model : Curvature
        Of which the step came, or that conjugate gradients began with.
    rest : float or None
        What conjugate gradients left, half its square in coordinates of the model; None for a step
        of the exact Hessian.
    """
    if rest is not None:
        return _least_share(objective, theta) > FLAT * rest
    if isinstance(model, RowFactor):
        return model.certain  # of the rows themselves, whose small curvature is not lost in sums
    assert isinstance(model, Cholesky)
    floored = model.scales[0] ** 2 * objective.full_least_curvature
    if model.certain and floored.max() < FLOORED:
        return True
    if _least_share(objective, theta) > ROUNDED * objective.total_weight:
        return True
    zero = np.zeros_like(theta)
    at_zero = Cholesky.of(
        theta.shape, [curvature.hessian(objective, zero)], objective.full_least_curvature
    )
    return (
        floored.max() < FLOORED
        and _is_even(objective.data)
        and _rank(model, SEEN) == _rank(at_zero, LOST)
    )


def settled(solution: Solution, data: Place) -> Solution:
    """Find out by linear programmes whether a finite minimum exists, if `solution` is no proof.

    Rows must be in this process for that.
    """
    if solution.proved or (solution.stopped and not solution.unbounded):
        return solution
    found, decided = None, False
    if isinstance(data, Data) and not data.immovable:
        guess: tuple[np.ndarray, np.ndarray] | None = solution.coef, solution.intercept
        if solution.present is not None:
            guess = Present(solution.present).enter(solution.coef, solution.intercept)
            data = data.of_classes(solution.present)
        with suppress(Undecided):
            found, decided = find_separation(data, guess=guess), True
    exists = decided and found is None and not solution.unbounded
    return replace(
        solution,
        separation=found,
        decided=decided,
        converged=solution.converged and exists,
        unbounded=solution.unbounded or found is not None,
    )


def _least_share(objective: Objective, theta: np.ndarray) -> float:
    """A number that no w p of a sample with a weight and a class is below."""
    least, _ = objective.data.sum(weight_range, add=wider)
    return float(least * np.exp(-objective.largest_move(theta)) / objective.data.n_classes)


def _is_even(data: Place) -> bool:
    """Whether no weight is so small beside others that its sample is lost in sums."""
    least, most = data.sum(weight_range, add=wider)
    return bool(most <= EVEN * least)


def _rank(model: Cholesky, tolerance: float) -> int:
    """Number of directions with curvature, of unit diagonal."""
    (L,) = model.factors
    A = L @ L.T
    jitter = A.diagonal().max() - 1.0
    _, _, rank, _ = lapack.dpstrf(A, tol=max(tolerance, 1e2 * jitter), lower=1)
    return int(rank)
