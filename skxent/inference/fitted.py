"""The attributes of a fitted classifier that inference uses, whatever its class."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np


class FittedLinearModel(Protocol):
    """A linear classifier fitted by minimising the sum of its cross-entropies and a penalty."""

    classes_: np.ndarray
    coef_: np.ndarray
    intercept_: np.ndarray
    n_features_in_: int
    log_likelihood_: float
    optimality_gap_: float
    converged_: bool
    fit_intercept: bool
    class_weight: Any
    n_jobs: int | None


def is_linear_model(clf: Any) -> bool:
    """Tell whether an object is a classifier of this kind, fitted or not."""
    return hasattr(clf, "log_likelihood") and hasattr(clf, "fit_intercept")
