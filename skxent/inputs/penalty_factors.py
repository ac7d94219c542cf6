"""Reading the parameter `penalty_factor`: a factor of the penalty for each feature."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skxent.inputs.labels import shorten
from skxent.inputs.namespaces import Floats, namespace_of, to_numpy

PenaltyFactor = ArrayLike | Mapping[str, float]

CURE = "pass a finite number, 0 or more, for each feature"


def penalty_factors(clf: Any, C: float) -> Floats | None:
    """Return the penalty's factors of the features of X, or None if all are one.

    Parameters
    ----------
    clf : estimator
        An estimator that knows the features of X, with its parameter `penalty_factor`.
    C : float
        The smallest C of the fits. A factor divided by C must be finite.
    """
    given = getattr(clf, "penalty_factor", None)
    if given is None:
        return None
    names = getattr(clf, "feature_names_in_", None)
    names = None if names is None else np.asarray(names).tolist()
    if isinstance(given, Mapping):
        given = _by_name(given, names)
    else:
        _check_order(given, names)
    factors = _numbers(given)
    if factors.shape != (clf.n_features_in_,):
        raise ValueError(
            f"penalty_factor has shape {factors.shape}, but X has {clf.n_features_in_} features: "
            f"{CURE}."
        )
    _check_range(factors, names, C)
    return None if (factors == 1).all() else factors


def _by_name(given: Mapping[Any, Any], names: list[Any] | None) -> list[Any]:
    """Return the factors of a dict by feature name; features without a key have the factor one."""
    if names is None:
        raise ValueError(
            "penalty_factor is a dict of feature names, but X has no feature names: pass X as a "
            "data frame with named columns, or penalty_factor as an array."
        )
    unknown = [name for name in given if name not in names]
    if unknown:
        raise ValueError(
            f"penalty_factor has the key {unknown[0]!r}, which is no feature of X: pass keys among "
            f"{shorten(names)}."
        )
    return [given.get(name, 1.0) for name in names]


def _check_order(given: Any, names: list[Any] | None) -> None:
    """Refuse a series that is labelled with the names of the features in another order."""
    index = getattr(given, "index", None)
    if names is None or index is None or callable(index):
        return
    labels = list(index)
    if labels != names and set(labels) == set(names):
        raise ValueError(
            "penalty_factor is a series with the feature names in another order than X: pass "
            "penalty_factor.to_dict()."
        )


def _numbers(given: Any) -> Floats:
    values = np.asarray(given) if namespace_of(given) is None else to_numpy(given)
    try:
        if values.dtype.kind not in "biufO":
            raise ValueError(f"penalty_factor has the type {values.dtype}")
        return values.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"penalty_factor is {given!r}: {CURE}.") from error


def _check_range(factors: Floats, names: list[Any] | None, C: float) -> None:
    """Require finite factors that are not negative, and that C divides to finite numbers."""
    bad = ~(np.isfinite(factors) & (factors >= 0))
    with np.errstate(over="ignore", invalid="ignore"):
        large = ~np.isfinite(factors / C)
    wrong = bad | large
    if not wrong.any():
        return
    j = int(np.argmax(wrong))
    where = f"at index {j}" if names is None else f"for feature {names[j]!r}"
    cure = CURE if bad[j] else f"its quotient by C={C:g} overflows, pass a smaller factor"
    raise ValueError(f"penalty_factor is {factors[j]:g} {where}: {cure}.")
