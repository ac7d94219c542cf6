"""What a fit that did not get to its minimum has to say, and one that left classes out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from skxent.likelihood.graded import Extreme
from skxent.likelihood.present import OneClassError
from skxent.likelihood.solution import Solution

OUT_OF_REACH = "the maximum of the likelihood is finite, but out of reach in float64"
UNKNOWN = (
    "no finite maximum of the likelihood is in reach, because some classes can be separated "
    "perfectly, or all but perfectly; which of the two could not be decided, because the data are "
    "elsewhere, or too large or too difficult for linear programmes"
)
UNDECIDED = (
    "it could not be decided whether a finite maximum of the likelihood exists: some probabilities "
    "are so small that rounding hides what the coefficients still gain, and the data are too large "
    "or too difficult for the linear programmes that would tell. Coefficients may grow without "
    "bound. Pass a finite C."
)


def how_it_ended(clf: Any, solution: Solution) -> str:
    """Words to follow the classifier's name; none where all is well."""
    endless = _endless(clf, solution)
    if endless:
        if np.isfinite(getattr(clf, "C", np.inf)):  # so large that float64 sees no penalty
            endless = endless.replace("Pass a finite C", "Pass a smaller C")
        return f": {endless}"
    if solution.converged or solution.stopped:
        return ""
    advice = ": raise max_iter"
    if solution.n_iterations < clf.max_iter:
        advice = ", and no better point was found: look for extreme values in X or a bad warm start"
    if solution.extreme is not None:
        advice = _next_to(solution.extreme, getattr(clf, "feature_names_in_", None))
    doubt = ""
    if solution.gap <= solution.target:
        doubt = ", but logits still move so far that the estimate may not hold"
    return (
        f" stopped after {solution.n_iterations} iterations at most {solution.gap:.2g} nats above "
        f"the minimum, {solution.target:.2g} were asked for{doubt}{advice}, or raise tol if that "
        "is near enough."
    )


def _next_to(extreme: Extreme, names: Any) -> str:
    """Name the entry of X next to which the others lose their digits, and the cure."""
    column = f"x{extreme.column}" if names is None else repr(str(names[extreme.column]))
    return (
        f": next to the {extreme.value:.3g} of row {extreme.row} in column {column} of X, other "
        "values lose their digits. If it stands for a missing value, impute it and add a column "
        "that marks it, or leave the row out"
    )


def _endless(clf: Any, solution: Solution) -> str:
    """Say why logits go to infinity, if they do."""
    if solution.separation is not None:
        return solution.separation.message(
            fitted_classes(clf, solution), getattr(clf, "feature_names_in_", None)
        )
    if solution.unbounded:
        return (
            f"{OUT_OF_REACH if solution.decided else UNKNOWN}. Coefficients still grow where next "
            "to nothing is gained, and their size means nothing. Pass a finite C."
        )
    ended_well = solution.gap <= solution.target and not solution.stopped
    return UNDECIDED if ended_well and not solution.decided else ""


def fitted_classes(clf: Any, solution: Solution) -> Any:
    """The classes that took part in the fit."""
    classes = np.asarray(clf.classes_)
    return classes if solution.present is None else classes[solution.present]


def left_out(clf: Any, solution: Solution) -> str:
    """Words to follow the classifier's name about classes without weight; none without such."""
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
