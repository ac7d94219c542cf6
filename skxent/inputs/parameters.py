"""Checks of an estimator's parameters."""

from __future__ import annotations

import numbers
from typing import Any, SupportsFloat

import numpy as np

from skxent.inputs.namespaces import Floats
from skxent.inputs.options import check_option

SOLVERS = "auto", "lbfgs", "newton"


def check_parameters(estimator: Any, *, fewest_iterations: int = 0) -> None:
    """Check those of the constructor parameters named below that the estimator has."""
    positive_reals = {
        "C": "a positive number, numpy.inf for no penalty",
        "tol": "a positive number of nats",
    }
    for name, cure in positive_reals.items():
        if not hasattr(estimator, name):
            continue
        value = getattr(estimator, name)
        # The penalty needs 1 / C, which is infinite for the smallest floats.
        good = _is_number(value, numbers.Real) and value > 0 and 1.0 / _float(value, name) < np.inf
        _require(name, value, good, cure)
    good = _is_number(estimator.max_iter, numbers.Integral)
    good = good and estimator.max_iter >= fewest_iterations
    _require("max_iter", estimator.max_iter, good, f"an integer, {fewest_iterations} or more")
    n_jobs = getattr(estimator, "n_jobs", None)
    good = n_jobs is None or (_is_number(n_jobs, numbers.Integral) and n_jobs)
    _require("n_jobs", n_jobs, good, "an integer other than 0, or None")
    if hasattr(estimator, "solver"):
        check_option("solver", estimator.solver, SOLVERS)
    flags = "fit_intercept", "warm_start"
    require_flags(estimator, *(name for name in flags if hasattr(estimator, name)))
    verbose = getattr(estimator, "verbose", 0)
    good = isinstance(verbose, numbers.Integral | np.bool_) and int(verbose) >= 0
    _require("verbose", verbose, good, "0 or 1")


def check_tolerance(tol: Any) -> None:
    """Require a positive tolerance."""
    good = _is_number(tol, numbers.Real) and 0 < _float(tol, "tol") < np.inf
    _require("tol", tol, good, "a positive number of nats")


def calibration_penalty(C: Any) -> float | None:
    """Return the C of a calibrator, None for "loo"."""
    if isinstance(C, str) and C == "loo":
        return None
    # The penalty needs 1 / C, which is infinite for the smallest floats.
    good = _is_number(C, numbers.Real) and C > 0 and 1.0 / _float(C, "C") < np.inf
    _require("C", C, good, '"loo", a positive number, or numpy.inf for no penalty')
    return float(C)


def calibration_smoothing(smoothing: Any, auto: float | None = None) -> float | None:
    """Return the smoothing of a calibrator's predictions, None for "loo", and `auto` for "auto"."""
    if isinstance(smoothing, str) and smoothing in ("loo", "auto"):
        return None if smoothing == "loo" else auto
    good = _is_number(smoothing, numbers.Real) and 0 <= smoothing < 1
    _require("smoothing", smoothing, good, '"loo", "auto", or a number from 0 to below 1')
    return float(smoothing)


def penalty_of(clf: object) -> float:
    """Return C of a fitted model: `C_` if cross-validation chose it, else the parameter `C`."""
    return float(clf.C_ if hasattr(clf, "C_") else getattr(clf, "C", np.inf))


def require_flags(estimator: object, *names: str) -> None:
    """Refuse parameters that are neither True nor False."""
    for name in names:
        value = getattr(estimator, name)
        _require(name, value, isinstance(value, bool | np.bool_), "True or False")


def penalties(Cs: object) -> Floats:
    """Return the values of C to compare, ascending; `Cs` is their number, or the values."""
    if isinstance(Cs, numbers.Integral) and not isinstance(Cs, bool):
        grid = np.logspace(-4, 4, max(int(Cs), 0))
    else:
        grid = _distinct(Cs)
    # The penalty needs 1 / C, which is infinite for the smallest floats.
    good = grid.size and grid.dtype.kind in "iuf" and grid[0] > 0
    good = good and 1.0 / float(grid[0]) < np.inf and not np.isnan(grid[-1])
    _require("Cs", Cs, good, "the number of values, or a list of positive values")
    return grid.astype(np.float64)


def _distinct(values: object) -> np.ndarray:
    """Return the distinct values, ascending; numbers that are Python objects become floats.

    The array is empty if the values are not a list of numbers.
    """
    try:
        array = np.asarray(values)
    except ValueError:  # nested lists of different lengths
        return np.empty(0)
    if array.ndim != 1:
        return np.empty(0)
    if array.dtype.kind == "O":
        if not all(isinstance(x, numbers.Real) and not isinstance(x, bool) for x in array):
            return np.empty(0)
        try:
            array = np.array([float(x) for x in array])
        except OverflowError:
            return np.empty(0)
    return np.unique(array)


def _require(name: str, value: object, good: object, cure: str) -> None:
    if not good:
        raise ValueError(f"{name} is {value!r}: pass {cure}.")


def _float(value: SupportsFloat, name: str) -> float:
    try:
        return float(value) or np.nan  # NaN if the number is too small for a float
    except OverflowError as error:
        raise ValueError(
            f"{name} is larger than the largest float: pass numpy.inf, or a number below 1e308."
        ) from error


def _is_number(value: object, kind: type) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)
