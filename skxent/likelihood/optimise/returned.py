r"""The objective at the parameters that a fit returns, for samples that are not centred.

During a fit samples are centred and may be in other coordinates, and the log-likelihood may be the
difference of a log-partition and a linear part. The fit returns parameters for the samples of the
user. If a column has entries of 1e12, or if columns depend on others, these parameters and the
logits of predictions may have fewer correct digits than the parameters during the fit. The losses
are then computed again from these logits. Since no loss is negative, neither is their sum. If the
parameters lost so many digits that they are worse than zero coefficients, the solution has
intercepts only, which predict the frequencies of the classes, and has not converged.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from skxent.likelihood import kernels, tuning
from skxent.likelihood.objective import EPS
from skxent.likelihood.optimise.row_factor import Extreme
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.solution import Solution, target_gap
from skxent.likelihood.sources.base import RowSource
from skxent.likelihood.sources.first_sums import Moments
from skxent.likelihood.sources.local_rows import LocalRows


def as_returned(
    data: RowSource, moments: Moments, penalty: Penalty, solution: Solution, *, certain: bool = True
) -> Solution:
    """Evaluate the objective again, in one read of X, if rounding of the logits may change it.

    It is always evaluated again if `certain` is false: the search then used other coordinates than
    the columns of X.
    """
    largest = np.abs(moments.mean) + np.sqrt(moments.variance) * np.sqrt(data.n_rows)
    size = np.where(np.isfinite(largest), largest, 0.0)  # columns of infinite moments were rescaled
    error = EPS * float((np.abs(solution.coef) @ size).max())
    total_error = error * float(moments.class_weight.sum())
    small = total_error <= tuning.SAME_VALUE * solution.value
    plain = solution.value >= 0 >= solution.log_likelihood and small
    if certain and plain and not error > tuning.SAME_LOGITS:
        return solution
    loss = data.sum_of_losses(solution.coef, solution.intercept)
    value = loss + penalty.value(solution.coef)
    intercept, most = _without_features(moments, data.fit_intercept)
    lost = value - solution.value
    if lost > solution.target and value > (1.0 + tuning.SAME_VALUE) * most:
        return replace(
            solution,
            coef=np.zeros_like(solution.coef),
            intercept=intercept,
            value=most,
            log_likelihood=-most,
            gap=most,
            converged=False,
            n_passes=solution.n_passes + 1,
            extreme=solution.extreme or Extreme.of(data),
        )
    return _evaluated(data, solution, value, loss, error)


def _evaluated(
    data: RowSource, solution: Solution, value: float, loss: float, error: float
) -> Solution:
    """Return the solution with the objective evaluated again, which rounding may have raised.

    `error` is an upper bound of the rounding error of a logit.
    """
    lost, most = value - solution.value, target_gap(tuning.MOST_ROUNDING, value)
    allowed = tuning.ROUNDING_OF_TARGET * solution.target
    rounding = max(min(8 * error * loss, most), allowed)
    converged = solution.converged and lost <= max(solution.target, rounding)
    rows = data.in_memory()
    if converged and error > tuning.MOST_ROUNDING and rows is not None:
        converged = _uncertain(rows, solution) <= most
    gap = solution.gap + max(lost, 0.0)
    if lost <= rounding:  # no parameters in float64 have a lower objective
        gap = min(gap, max(solution.gap, solution.target))
    return replace(
        solution,
        value=value,
        log_likelihood=-loss,
        # If the fit has not converged, the objective is the only upper bound of the gap.
        gap=min(gap, value) if converged else value,
        converged=converged,
        n_passes=solution.n_passes + 1,
        extreme=solution.extreme if converged else solution.extreme or Extreme.of(data),
    )


def _without_features(moments: Moments, fit_intercept: bool) -> tuple[np.ndarray, float]:
    """Return the best intercepts with zero coefficients, and their objective.

    These intercepts predict the weighted frequencies of the classes for every sample. With an
    offset the intercepts are zero, because the best ones would need a fit of their own.
    """
    total = moments.class_weight
    K = len(total)
    if moments.offset is not None:
        return np.zeros(K if K > 2 else 1), moments.offset.losses
    if not fit_intercept:
        return np.zeros(K if K > 2 else 1), float(total.sum() * np.log(K))
    logs = np.log(total) - np.log(total.sum())
    value = -float(total @ logs)
    return (logs - logs.mean() if K > 2 else logs[1:] - logs[:1]), value


def _uncertain(data: LocalRows, solution: Solution) -> float:
    """Return the rounding error of the sum of losses that comes from rounding of logits, in nats.

    A loss changes by the residual times the change of its logit. A logit has a rounding error of an
    epsilon times the sum of the sizes of its terms, which may be large and cancel.
    """
    blocks, coef = data.blocks(None), solution.coef
    buffer, total = blocks.buffer(), 0.0
    try:
        for rows in blocks.all:
            x = blocks.read(rows, buffer)
            Z = np.asarray(x @ coef.T + solution.intercept)
            data.add_offset(Z.T, rows)
            Y = data.target_block(rows)[-Z.shape[1] :]  # two classes: the second one
            residuals = kernels.losses_and_residuals(np.ascontiguousarray(Z.T), Y)[1]
            size = np.abs(x) @ np.abs(coef).T + np.abs(solution.intercept)
            if data.offset is not None:
                size += np.abs(data.offset[:, rows].T)
            each = np.abs(residuals).max(axis=0) * size.max(axis=1)
            total += float((each if data.weight is None else each * data.weight[rows]).sum())
    finally:
        blocks.close()
    return EPS * total
