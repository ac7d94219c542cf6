"""What a fit that did not get to its minimum has to say."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from skxent.likelihood.data import Data
from skxent.likelihood.graded import Extreme
from skxent.likelihood.places import Place
from skxent.likelihood.separation import Undecided, find_separation
from skxent.likelihood.solution import Solution


def how_it_ended(clf: Any, solution: Solution, unpenalised: Place | None) -> str:
    """Words to follow the classifier's name; none where all is well.

    `unpenalised` is the data of a fit without penalty, which may have no finite maximum.
    """
    endless = _endless(clf, solution, unpenalised)
    if endless:
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


def _endless(clf: Any, solution: Solution, unpenalised: Place | None) -> str:
    """Say why logits go to infinity, if they do."""
    if not solution.unbounded and (solution.converged or solution.stopped):
        return ""
    why = (
        "no finite maximum of the likelihood is in reach, because some classes can be separated "
        "perfectly, or all but perfectly"
    )
    # Only rows that are here can be searched for what separates them.
    if isinstance(unpenalised, Data) and not unpenalised.immovable:
        with suppress(Undecided):
            found = find_separation(unpenalised, guess=(solution.coef, solution.intercept))
            if found is not None:
                return found.message(clf.classes_, getattr(clf, "feature_names_in_", None))
            why = "the maximum of the likelihood is finite, but out of reach in float64"
    if not solution.unbounded:
        return ""
    return (
        f"{why}. Coefficients still grow where next to nothing is gained, and their size means "
        "nothing. Pass a finite C."
    )
