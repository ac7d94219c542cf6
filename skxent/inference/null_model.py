"""The model without features, which pseudo R2 and a likelihood-ratio test compare with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import xlogy

from skxent.inputs.fit_targets import Floats
from skxent.likelihood.optimise.solver import minimise
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.offset_sums import OffsetSums

TOL = 1e-10  # tolerance of the fit of the intercepts
MAX_ITER = 1000  # largest number of its iterations; offsets of 1e4 take about 40


def null_log_likelihood(data: LocalRows, class_weight: Floats) -> float:
    """Return the log-likelihood of the model with intercepts and offsets alone, in nats.

    Parameters
    ----------
    data : LocalRows
        Without intercept the logits are the offsets, or zero.
    class_weight : (K,) array
        Total weight of each class.
    """
    if data.offset is not None:
        return _with_offset(data)
    total = class_weight.sum()
    if not data.fit_intercept:
        return -float(total * np.log(data.n_classes))
    return float(xlogy(class_weight, class_weight / total).sum())


def _with_offset(data: LocalRows) -> float:
    if not data.fit_intercept:
        sums = OffsetSums.of(data)
        assert sums is not None
        return -sums.losses
    zeros = np.zeros((data.n_rows, 1))
    fit = minimise(
        replace(data, X=zeros), penalty=Penalty(), start=None, tol=TOL, max_iter=MAX_ITER
    )
    if not fit.converged:
        raise ArithmeticError("the fit of the intercepts with the offset did not converge.")
    return fit.log_likelihood
