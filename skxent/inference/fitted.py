"""Protocols: the attributes of a classifier that fits and inference read."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

ClassWeight = dict[Any, float] | str  # factors by label, or "balanced"


class LinearModel(Protocol):
    """The parameters of a linear classifier that determine the data of a fit."""

    fit_intercept: bool
    class_weight: ClassWeight | None
    n_jobs: int | None


class FittedLinearModel(LinearModel, Protocol):
    """A linear classifier fitted by minimising the sum of its cross-entropies and a penalty."""

    classes_: np.ndarray
    coef_: np.ndarray
    intercept_: np.ndarray
    n_features_in_: int
    log_likelihood_: float
    optimality_gap_: float
    converged_: bool


def is_linear_model(clf: object) -> bool:
    """Tell whether an object has the methods of this package's classifiers, fitted or not."""
    return hasattr(clf, "log_likelihood") and hasattr(clf, "fit_intercept")
