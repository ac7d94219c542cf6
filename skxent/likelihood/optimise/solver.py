r"""The minimiser: L-BFGS in whitened coordinates, Newton steps, and the measured gap.

1. **Samples first** (`schedule`). If there are many rows, the objective on a sample of them is
   minimised before X is read again, and on a smaller sample before that. The search on all rows
   then starts where a quadratic model holds. Preconditioners that cost too much from all rows are
   made from a sample, drawn by the part of each row in the curvature. The sample that was minimised
   serves again if its curvature comes from many of its rows.
2. **A stage** (`lbfgs`). A preconditioner is made at the present point, and SciPy's L-BFGS-B
   minimises over v in Theta = Theta_0 + T v. With a new and good preconditioner the first step is
   Newton's, and the next ones correct it. A stage ends when the decrement has fallen a
   thousandfold, when the line search struggles, or after a dozen iterations. Value and gradient are
   carried over, so that a new stage costs no pass. After a stage whose line search struggled the
   next preconditioner has a residual weight, and the first step is short. The choices of
   preconditioners go from cheap to dear (`choices`). The search escalates to the next one as soon
   as its cost in passes has been spent without it.
   If the Hessian costs no more than a few passes, plain Newton steps come first, and a stage only
   if such a step does not fall as a quadratic would.
3. **The certificate** (`certificate`, `newton_cg`). The Hessian of all rows at the present point
   gives the gap, :math:`\tfrac12 g^\top H^{-1} g`. Any other preconditioner gives a hint only:
   conjugate gradients on exact Hessian products then measure the gap, and their step is taken if
   the gap is too large. Both hold if the step stays where the objective is quadratic, see
   `self_concordance_factor`. Over sparse rows of many columns, whose only preconditioner is a
   diagonal, such steps begin farther from the minimum.
   Without a penalty conjugate gradients may miss a direction that separates classes. The
   certificate is then that of the Hessian of all rows, if it costs no more than has been spent, and
   `existence` decides whether it proves that a finite minimum exists.
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
    data : RowSource
    penalty : Penalty
        Of the coefficients.
    start : (coef, intercept) or None
        Where to begin; None stands for zero.
    tol : float
        The tolerance, see `target_gap`.
    max_iter : int
        L-BFGS iterations and Newton steps on all rows, at most. 0 stays at `start`, or at zero.
    report : function(coef, intercept, value) -> bool, or None
        Called after each iteration; True ends the fit.
    search : bool
        Whether linear programmes decide if a finite minimum exists, if there is no penalty and the
        end of the fit does not prove it.

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
    """Minimise, without the linear programmes at the end."""
    # Threads share the blocks of rows. BLAS with threads of its own waits for those that are busy,
    # and can be a hundred times slower, above all on the small matrices of a preconditioner.
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
    """Minimise in the coordinates of a frame."""
    search = Search(frame.data, frame.moments, frame.penalty, tol, max_iter, report)
    # Without a penalty rows of other coordinates depend on each other but for rounding.
    search.may_be_graded = frame.of_columns or frame.penalty.is_definite
    try:
        search.run(start)
        return search.solution()
    finally:
        search.close()
