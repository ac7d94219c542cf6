"""Checks of an estimator's parameters."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np


def check_parameters(estimator: Any, *, fewest_iterations: int = 0) -> None:
    """Refuse values of constructor parameters that mean nothing."""
    positive_reals = {
        "C": "a positive number, numpy.inf for no penalty",
        "tol": "a positive number of nats",
    }
    for name, cure in positive_reals.items():
        value = getattr(estimator, name)
        # The smallest numbers of all have no reciprocal, and C needs one.
        good = _is_number(value, numbers.Real) and value > 0 and 1.0 / _float(value, name) < np.inf
        _require(name, value, good, cure)
    good = _is_number(estimator.max_iter, numbers.Integral)
    good = good and estimator.max_iter >= fewest_iterations
    _require("max_iter", estimator.max_iter, good, f"an integer, {fewest_iterations} or more")
    good = estimator.n_jobs is None or (
        _is_number(estimator.n_jobs, numbers.Integral) and estimator.n_jobs
    )
    _require("n_jobs", estimator.n_jobs, good, "an integer but 0, or None")
    for name in ("fit_intercept", "warm_start"):
        value = getattr(estimator, name)
        _require(name, value, isinstance(value, bool | np.bool_), "True or False")
    verbose = estimator.verbose
    good = isinstance(verbose, numbers.Integral | np.bool_) and int(verbose) >= 0
    _require("verbose", verbose, good, "0 or 1")


def _require(name: str, value: Any, good: Any, cure: str) -> None:
    if not good:
        raise ValueError(f"{name} is {value!r}: pass {cure}.")


def _float(value: Any, name: str) -> float:
    try:
        return float(value) or np.nan  # what is above 0, and too small for a float
    except OverflowError as error:
        raise ValueError(
            f"{name} is larger than the largest float: pass numpy.inf, or a number below 1e308."
        ) from error


def _is_number(value: Any, kind: type) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)
