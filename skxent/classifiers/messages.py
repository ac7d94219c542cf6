"""Warnings of a fit that did not reach its minimum, or that left out classes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from skxent.inputs.parameters import penalty_of
from skxent.likelihood.coordinates.weighted_classes import OneClassError
from skxent.likelihood.optimise.row_factor import Extreme
from skxent.likelihood.solution import Solution

OUT_OF_REACH = "the maximum of the likelihood is finite, but out of reach in float64"
UNKNOWN = (
    "no finite maximum of the likelihood is in reach, because some classes can be separated "
    "perfectly or almost perfectly; which of the two could not be decided, because the data are "
    "not in this process, or too large or too difficult for linear programmes"
)
UNDECIDED = (
    "it could not be decided whether a finite maximum of the likelihood exists: some probabilities "
    "are so small that rounding hides whether the likelihood still grows, and the data are too "
    "large or too difficult for the linear programmes that would decide. Coefficients may grow "
    "without bound"
)


def convergence_message(clf: Any, solution: Solution) -> str:
    """Text of the warning after the classifier's name; empty if the fit ended well."""
    endless = _endless(clf, solution)
    if endless:
        return f": {endless}"
    if solution.converged or solution.stopped:
        return ""
    advice = ": raise max_iter"
    if solution.n_iterations < clf.max_iter:
        advice = ", and no better point was found: look for extreme values in X or a bad warm start"
    if solution.extreme is not None:
        advice = _next_to(solution.extreme, getattr(clf, "feature_names_in_", None))
    than = f"above the target of {solution.target:.2g} nats"
    if solution.gap <= solution.target:
        than = (
            f"within the target of {solution.target:.2g} nats, but logits still move so far that "
            "the gap may be wrong"
        )
    return (
        f" stopped after {solution.n_iterations} iterations with a gap to the minimum of at most "
        f"{solution.gap:.2g} nats, {than}{advice}, or raise tol if that is accurate enough."
    )


def _next_to(extreme: Extreme, names: Any) -> str:
    """Name the entry of X that makes other values lose digits, and what to do."""
    column = f"x{extreme.column}" if names is None else repr(str(names[extreme.column]))
    return (
        f": X has {extreme.value:.3g} in row {extreme.row} of column {column}, beside which other "
        "values lose their digits. If it stands for a missing value, impute it and add a column "
        "that marks it, or leave the row out"
    )


def _endless(clf: Any, solution: Solution) -> str:
    """Say why logits go to infinity, if they do or may do."""
    # A finite C may be so large that float64 sees no penalty.
    cure = "Pass a smaller C" if penalty_of(clf) < np.inf else "Pass a finite C"
    if solution.separation is not None:
        names = getattr(clf, "feature_names_in_", None)
        return solution.separation.message(fitted_classes(clf, solution), names, cure)
    if solution.unbounded:
        return (
            f"{OUT_OF_REACH if solution.decided else UNKNOWN}. Coefficients keep growing while the "
            f"likelihood gains next to nothing, and their size means nothing. {cure}."
        )
    ended_well = solution.gap <= solution.target and not solution.stopped
    return f"{UNDECIDED}. {cure}." if ended_well and not solution.decided else ""


def fitted_classes(clf: Any, solution: Solution) -> Any:
    """The classes that took part in the fit."""
    classes = np.asarray(clf.classes_)
    return classes if solution.present is None else classes[solution.present]


def no_weight_message(clf: Any, solution: Solution) -> str:
    """Text of the warning about classes without weight; empty if every class has weight."""
    if solution.present is None:
        return ""
    names = np.asarray(clf.classes_)[~solution.present].tolist()
    named = ", ".join(map(repr, names))
    what, has, their = ("class", "has", "its") if len(names) == 1 else ("classes", "have", "their")
    return (
        f": {what} {named} {has} no weight, because all samples of {their} label weigh zero or "
        f"{their} column of soft targets is zero. The fit leaves {what} {named} out, with "
        "probability 0 and an intercept of minus infinity."
    )


@contextmanager
def one_class_named(classes: Any) -> Iterator[None]:
    """Name the class that has all weight in the error about it."""
    try:
        yield
    except OneClassError as error:
        label = np.asarray(classes).tolist()[error.code]
        raise ValueError(
            f"only class {label!r} has samples with a weight: a classifier needs at least two "
            "classes. Look at sample_weight, class_weight and the columns of soft targets."
        ) from None
