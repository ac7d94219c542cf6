"""Check that the data passed to `infer` are those of the fit, by their log-likelihood."""

from __future__ import annotations

from dataclasses import replace
from typing import NoReturn

import numpy as np

from skxent.inference.fitted import FittedLinearModel
from skxent.likelihood.objective import EPS, Objective, Point
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import compute_moments

# Largest difference of two log-likelihoods of the same data, relative above one nat and in nats
# below. The same data in another order or dtype differ by rounding only, other data by much more.
CLOSE = 1e-6
PIPELINE = (
    "of a pipeline pass the whole, infer(pipeline, X, y), with X as it is before the first step"
)


def same_likelihood(clf: FittedLinearModel, objective: Objective, point: Point) -> bool:
    """Tell whether the log-likelihood at `point`, the parameters of `clf`, is that of the fit."""
    found = objective.log_likelihood(point)
    return _close(found, clf.log_likelihood_, point.rounding + _rounding_of_logits(clf, objective))


def _rounding_of_logits(clf: FittedLinearModel, objective: Objective) -> float:
    """Return a bound of the rounding error of a log-likelihood of samples that are not centred."""
    total = objective.total_weight
    squares = objective.least_curvature[: objective.n_features] / objective.data.eps
    sizes = total * np.abs(objective.mean) + np.sqrt(total * squares)
    return EPS * float((np.abs(clf.coef_) @ sizes).max())


def raise_other_data(
    clf: FittedLinearModel,
    data: LocalRows,
    objective: Objective,
    point: Point,
    gap: float | None = None,
) -> NoReturn:
    """Raise the error that the parameters of `clf` are not at the optimum of `data`.

    Parameters
    ----------
    clf : FittedLinearModel
    data : LocalRows
    objective : Objective
        The objective of the data.
    point : Point
        The objective at the parameters of `clf`.
    gap : float or None
        Distance of the objective from its minimum in nats, if it is known.
    """
    # A decrement above the objective, far from the minimum, is no estimate: the gap is smaller.
    off = "not at" if gap is None or gap > point.value else f"about {gap:.2g} nats from"
    found = objective.log_likelihood(point)
    raise ValueError(
        f"clf is {off} the optimum of these data: its log-likelihood is {found:.7g} nats on them "
        f"and was {clf.log_likelihood_:.7g} at the end of the fit. "
        f"{_likely_cause(clf, data, found)}Pass the {_arguments(data)} of the fit, with "
        "the parameters of clf as they were, or fit it again."
    )


def _arguments(data: LocalRows) -> str:
    if data.offset is None:
        return "X, y and sample_weight"
    return "X, y, sample_weight and offset"


def _close(found: float, fitted: float, rounding: float) -> bool:
    return abs(found - fitted) <= CLOSE * max(1.0, abs(fitted)) + 10.0 * rounding


def _likely_cause(clf: FittedLinearModel, data: LocalRows, found: float) -> str:
    """Return a sentence about the likely cause: columns that were scaled or reordered."""
    if _close(found, clf.log_likelihood_, 0.0):
        return ""
    if not data.sparse and _agrees_standardised(clf, data):
        return f"The fit agrees with the standardised columns of X: {PIPELINE}. "
    return f"Columns in another order or on another scale are a common cause; {PIPELINE}. "


def _agrees_standardised(clf: FittedLinearModel, data: LocalRows) -> bool:
    moments = compute_moments(data)
    deviation = np.sqrt(moments.variance)
    X = (data.X - moments.mean) / np.where(deviation > 0, deviation, 1.0)
    data = replace(data, X=X)
    objective = Objective(data, compute_moments(data), Penalty(), None)
    try:
        return same_likelihood(
            clf, objective, objective(objective.enter(clf.coef_, clf.intercept_))
        )
    finally:
        objective.close()
