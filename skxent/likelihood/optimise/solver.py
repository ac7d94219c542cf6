r"""The minimiser: L-BFGS in whitened coordinates, Newton steps and measured gaps.

Plain fits of few dense rows take Newton steps only (`small_fits`). All others are a search:

1. **Samples first** (`schedule`). If there are many rows, the objective is first minimised on
   samples of the rows, from small to large. The search on all rows then starts near the minimum,
   where the objective is nearly quadratic. If a preconditioner from all rows costs too much, it is
   made from a sample, drawn in proportion to each row's part in the curvature. The sample that was
   minimised last is used again if many of its rows have curvature. If a row of the sample has much
   of the curvature of some parameter, and a larger sample would cost many passes, rows are drawn by
   their leverage, and each step minimises the sample, tilted to the gradient of all rows
   (`tilted`).
2. **Stages** (`lbfgs`). A stage makes a preconditioner at the present point, and minimises over v
   in Theta = Theta_0 + T v by SciPy's L-BFGS-B. The first trial step is the Newton step of the
   preconditioner. A stage ends when the decrement has fallen by a given factor, when the line
   search struggles, or after a given number of iterations. The next stage starts from the value and
   gradient of its last point, at no extra pass. After a stage whose line search struggled, the next
   preconditioner has a residual weight, and the first step is short. The choices of preconditioners
   go from cheap to expensive (`choices`). The search escalates to the next choice once it has spent
   as many passes without it as that choice costs.
   After a stage with class blocks whose line search struggled, steps with a length for each class
   take over (`class_subspace`), if the data are small enough.
   If the Hessian costs only a few passes, the search takes Newton steps. Where a whole step is too
   long or too short, it goes to the minimum on the line of the step (`newton_lines`), and makes a
   stage only if the objective falls by too little there.
3. **The certificate** (`certificate`, `newton_cg`). With the Hessian of all rows at the present
   point, the gap is :math:`\tfrac12 g^\top H^{-1} g`. With another preconditioner this formula is
   only a rough estimate: conjugate gradients on exact Hessian products then measure the gap, and
   the search takes their step, after which coefficients hardly depend on the path of the search
   (`last_steps`). Either gap is valid if the step is so small
   that the objective is nearly quadratic, see `self_concordance_factor`. For sparse rows with many
   columns the diagonal is the only preconditioner, and steps of conjugate gradients begin farther
   from the minimum.
   Without a penalty, conjugate gradients may miss a direction that separates classes. The Hessian
   of all rows then gives the certificate, if it costs no more than the passes spent so far, and
   `existence` decides whether the certificate proves that a finite minimum exists.
   If sums of columns show that none exists, the search starts far along the direction that
   separates classes, and minimises over the other coefficients, see `existence.absent`.

These are the steps of the solver "auto". The other solvers take only some of them, see `policies`.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from skxent.likelihood.coordinates.frame import Frame, Report, minimise_after
from skxent.likelihood.coordinates.weighted_classes import Present
from skxent.likelihood.existence.absent import Absent
from skxent.likelihood.existence.proof import settled, without_maximum
from skxent.likelihood.optimise.policies import POLICIES, Policy
from skxent.likelihood.optimise.progress import Progress
from skxent.likelihood.optimise.returned import as_returned
from skxent.likelihood.optimise.search import Search
from skxent.likelihood.optimise.small_fits import fit_small
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.solution import Solution
from skxent.likelihood.sources.base import RowSource
from skxent.likelihood.sources.thread_limits import one_blas_thread


@dataclass(frozen=True)
class Settings:
    """How a fit searches, and when it ends.

    Parameters
    ----------
    policy : Policy
        The steps that the search may take.
    tol : float
        The tolerance, see `target_gap`.
    max_iter : int
        Largest number of iterations.
    """

    policy: Policy
    tol: float
    max_iter: int


def minimise(
    data: RowSource,
    *,
    penalty: Penalty,
    start: tuple[np.ndarray, np.ndarray] | None,
    tol: float,
    max_iter: int,
    solver: str = "auto",
    report: Report | None = None,
    search: bool = True,
) -> Solution:
    """Minimise the penalised cross-entropy of `data`.

    Parameters
    ----------
    data : RowSource
    penalty : Penalty
        Penalty of the coefficients.
    start : (coef, intercept) or None
        Parameters to start from; None means zero.
    tol : float
        The tolerance, see `target_gap`.
    max_iter : int
        Largest number of L-BFGS iterations and Newton steps on all rows. With 0 the solution is
        `start`, or zero.
    solver : {"auto", "lbfgs", "newton"}
        Which steps the search may take, see `policies`.
    report : function(coef, intercept, value) -> bool, or None
        Called after each iteration. The fit ends if it returns True.
    search : bool
        Whether linear programmes decide if a finite minimum exists. They are solved only if there
        is no penalty and the last step of the fit does not prove that a finite minimum exists.

    Raises
    ------
    OneClassError
        If only one class has weight.
    ValueError
        If the Hessian is too wide for Newton steps alone.
    """
    settings = Settings(POLICIES[solver], tol, max_iter)
    solution = _minimised(data, penalty, settings, start, report)
    return settled(solution, data) if search else solution


def _minimised(
    data: RowSource,
    penalty: Penalty,
    settings: Settings,
    start: tuple[np.ndarray, np.ndarray] | None,
    report: Report | None,
) -> Solution:
    """Minimise, but solve no linear programmes at the end."""
    # Threads of this package share the blocks of rows. If BLAS used threads as well, its
    # threads would wait for the threads of this package. BLAS could be a hundred times slower,
    # above all on small matrices.
    with closing(one_blas_thread()) as limit, limit:
        if settings.policy is POLICIES["auto"]:
            solution = fit_small(data, penalty, settings.tol, settings.max_iter, start, report)
            if solution is not None:
                return solution
        frame = Frame.of(data, penalty)
        present = Present.of(data, frame.first)
        if present is not None:
            few, share = data.with_classes(present.mask), present.penalty(penalty)
            fit = partial(_minimised, few, share, settings)
            return replace(minimise_after([present], fit, start, report), present=present.mask)
        absent = None
        if settings.max_iter > 0:
            absent = Absent.of(data, frame.first, frame.unpenalised)
        if absent is not None:
            start = absent.start(start)
        frame = frame.identified().ordered()
        search = partial(_in_frame, frame, settings, absent is not None)
        solution = frame.fit(search, start, report)
        # If the frame left out a weak penalty, the objective is evaluated again with the penalty.
        solution = as_returned(data, frame.first, penalty, solution, certain=frame.certain)
        if absent is not None:
            solution = without_maximum(solution, absent.separation, absent.n_passes)
        return replace(solution, unpenalised=frame.unpenalised)


def _in_frame(
    frame: Frame,
    settings: Settings,
    separated: bool,
    start: tuple[np.ndarray, np.ndarray] | None,
    report: Report | None,
) -> Solution:
    """Minimise in the coordinates described by `frame`; return the solution in them.

    If `separated`, the start is far along a direction that separates classes.
    """
    progress = Progress(settings.max_iter, report)
    search = Search(
        frame.data, frame.moments, frame.penalty, settings.tol, settings.policy, progress
    )
    # Without a penalty, rows in coordinates other than columns of X are linearly dependent up to
    # rounding errors. The Hessian is then never factored from the rows.
    search.separated = search.objective.has_flat = separated
    search.may_be_graded = frame.of_columns or frame.penalty.is_definite
    try:
        search.run(start)
        return search.solution()
    finally:
        search.close()
