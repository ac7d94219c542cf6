r"""The minimiser: stages of L-BFGS in coordinates where the curvature is nearly one.

1. **Sample first** (`models`). Where there are many rows, the objective on a sample of them is
   minimised before X is read again, and on a smaller sample before that, so the search on all rows
   starts where a quadratic model holds. The rows whose curvature matters there make the sample for
   the models; those that were minimised do so again where their curvature comes from most of them.
2. **A stage.** Model the curvature at the present point (`curvature`), on all rows or on the
   sample, and let SciPy's L-BFGS-B minimise over v in Theta = Theta_0 + T v. In a fresh and good
   model the first step is Newton's and the next ones mend what the model missed. A stage ends when
   the decrement has fallen a thousandfold, when steps no longer go straight, or after a dozen.
   Value and gradient are carried over, so that a new stage costs no pass. After a stage that did
   not go straight the next model is a cautious one, and the first step short. Models stand on a
   ladder from cheap to dear (`plan`); the next one is used as soon as passes for its cost have been
   spent without it.
   Where the Hessian itself costs no more than a few passes, plain Newton steps come first, and a
   stage only where such a step does not fall as a quadratic would.
3. **The certificate.** The full model of all rows at the present point gives the gap itself,
   :math:`\tfrac12 g^\top H^{-1} g`. Any other model only hints: conjugate gradients on exact
   Hessian products then measure the gap, and their step is taken if the gap is too large. Either
   holds if the step stays where the function is quadratic, see `stretch`. Over sparse rows of many
   columns, whose only model is a diagonal, such steps begin farther from the end.
   Without penalty conjugate gradients may miss a direction that separates classes. The certificate
   is then that of the Hessian of all rows, if this costs no more than has been spent, and
   `existence` tells whether it proves that a finite minimum exists.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from functools import partial

import numpy as np

from skxent.likelihood.coordinates.frame import Frame, Report, minimise_after
from skxent.likelihood.coordinates.weighted_classes import Present
from skxent.likelihood.existence.proof import settled
from skxent.likelihood.optimise.returned import as_returned
from skxent.likelihood.optimise.search import Search
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.solution import Solution
from skxent.likelihood.sources.base import RowSource
from skxent.likelihood.sources.thread_limits import one_blas_thread


def minimise(
    data: RowSource,
    *,
    penalty: Penalty,
    start: tuple[np.ndarray, np.ndarray] | None,
    tol: float,
    max_iter: int,
    report: Report | None = None,
    search: bool = True,
) -> Solution:
    """Minimise the penalised cross-entropy of `data`.

    Parameters
    ----------
    data : Data
    penalty : Penalty
        Of the coefficients.
    start : (coef, intercept) or None
        Where to begin; None is at zero.
    tol : float
        The tolerance, see `target_gap`.
    max_iter : int
        L-BFGS iterations and Newton steps on all rows, at most. 0 stays at `start`, or at zero.
    report : function(coef, intercept, value) -> bool, or None
        Called after each of them; True ends the fit.
    search : bool
        Whether linear programmes decide if a finite minimum exists, where there is no penalty and
        the end of the fit does not prove it.

    Raises
    ------
    OneClassError
        If all weight is in one class.
    """
    solution = _minimised(data, penalty, tol, max_iter, start, report)
    return settled(solution, data) if search else solution


def _minimised(
    data: RowSource,
    penalty: Penalty,
    tol: float,
    max_iter: int,
    start: tuple[np.ndarray, np.ndarray] | None,
    report: Report | None,
) -> Solution:
    """`minimise` without the search at its end."""
    # Threads share out the segments. BLAS with threads of its own waits for the busy ones and can
    # be a hundred times slower, on the small matrices of a curvature above all.
    with closing(one_blas_thread()) as limit, limit:
        frame = Frame.of(data, penalty)
        present = Present.of(data, frame.first)
        if present is not None:
            few, share = data.with_classes(present.mask), present.penalty(penalty)
            fit = partial(_minimised, few, share, tol, max_iter)
            return replace(minimise_after([present], fit, start, report), present=present.mask)
        frame = frame.identified()
        search = partial(_in_frame, frame, tol, max_iter)
        solution = frame.fit(search, start, report)
        # A penalty that the frame left out still counts in the objective.
        certain = frame.certain and frame.penalty == penalty
        return as_returned(data, frame.first, penalty, solution, certain=certain)


def _in_frame(
    frame: Frame,
    tol: float,
    max_iter: int,
    start: tuple[np.ndarray, np.ndarray] | None,
    report: Report | None,
) -> Solution:
    """`minimise` in the coordinates of a frame."""
    search = Search(frame.data, frame.moments, frame.penalty, tol, max_iter, report)
    # Without a penalty rows of other coordinates depend on each other but for rounding.
    search.may_be_graded = frame.of_columns or frame.penalty.is_definite
    try:
        search.run(start)
        return search.solution()
    finally:
        search.close()
