"""What fits and inference read from a classifier: protocols of its attributes, its penalty."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from skxent.inputs.parameters import penalty_of
from skxent.inputs.penalty_factors import penalty_factors
from skxent.likelihood.penalty import Penalty

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


def penalty_of_fit(clf: object) -> Penalty:
    """Return the penalty of a fitted model."""
    C = penalty_of(clf)
    return Penalty.of_C(C, penalty_factors(clf, C))


def cure_of_separation(clf: Any, features: np.ndarray | None = None) -> str:
    """Return what to change in the penalty so that a finite maximum exists.

    `features` are indices of the features that separate; None means that they are not known.
    """
    C = penalty_of(clf)
    if np.isinf(C):
        return "Pass a finite C or use FirthClassifier"
    factors = penalty_factors(clf, C)
    if factors is not None and features is not None and not factors[features].any():
        return "Pass a penalty_factor above 0 for these features"
    if factors is not None and features is None and not factors.all():
        return "Pass a penalty_factor above 0 for all features"
    # A penalty that is not zero, but very weak, may be lost to the rounding of float64.
    return "Pass a smaller C"


def has_jeffreys_prior(clf: object) -> bool:
    """Tell whether a fitted model has Jeffreys' prior, and no other penalty."""
    return hasattr(clf, "log_prior_")


def is_linear_model(clf: object) -> bool:
    """Tell whether an object has the methods of this package's classifiers, fitted or not."""
    return hasattr(clf, "log_likelihood") and hasattr(clf, "fit_intercept")
