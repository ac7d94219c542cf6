"""Texts of the warnings after a fit, such as no convergence, no finite maximum, an end of Cs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from skxent.inference.fitted import cure_of_separation
from skxent.inputs.features import AnyArray
from skxent.inputs.fit_targets import Floats
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
# Fractions of the standard error and of the mean loss. If the last value of C on a grid lowers the
# loss by less than one of the two, a further value would hardly matter.
FLAT = 0.1
FLAT_OF_LOSS = 0.01


class Fitted(Protocol):
    """A classifier after its fit, as far as the messages read it."""

    classes_: AnyArray
    max_iter: int


def convergence_message(clf: Fitted, solution: Solution) -> str:
    """Return the convergence warning without the classifier's name; empty if the fit converged."""
    unbounded = _unbounded_message(clf, solution)
    if unbounded:
        return f": {unbounded}"
    if solution.converged or solution.stopped:
        return ""
    advice = ": raise max_iter"
    if solution.n_iterations < clf.max_iter:
        advice = ", and no better point was found: look for extreme values in X or a bad warm start"
    if solution.extreme is not None:
        advice = _extreme_value_message(solution.extreme, getattr(clf, "feature_names_in_", None))
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


def _extreme_value_message(extreme: Extreme, names: ArrayLike | None) -> str:
    """Return the part of the warning that names an extreme value of X."""
    column = f"x{extreme.column}"
    column = column if names is None else repr(str(np.asarray(names)[extreme.column]))
    return (
        f": X has {extreme.value:.3g} in row {extreme.row} of column {column}, beside which other "
        "values lose their digits. If it stands for a missing value, impute it and add a column "
        "that marks it, or leave the row out"
    )


def _unbounded_message(clf: Fitted, solution: Solution) -> str:
    """Return why no finite maximum exists, or why this could not be decided; else empty."""
    found = solution.separation
    ended_well = solution.gap <= solution.target and not solution.stopped
    undecided = ended_well and not solution.decided
    if found is None and not (solution.unbounded or undecided):
        return ""
    cure = cure_of_separation(clf, None if found is None else found.features)
    if found is not None:
        names = getattr(clf, "feature_names_in_", None)
        return found.message(fitted_classes(clf, solution), names, cure)
    if solution.unbounded:
        return (
            f"{OUT_OF_REACH if solution.decided else UNKNOWN}. Coefficients keep growing while the "
            f"likelihood gains next to nothing, and their size means nothing. {cure}."
        )
    return f"{UNDECIDED}. {cure}."


def fitted_classes(clf: Fitted, solution: Solution) -> np.ndarray:
    """Return the classes that have weight, which are the classes of the fit."""
    classes = np.asarray(clf.classes_)
    return classes if solution.present is None else classes[solution.present]


def no_weight_message(clf: Fitted, solution: Solution) -> str:
    """Return the warning about classes without weight; empty if every class has weight."""
    if solution.present is None:
        return ""
    names = np.asarray(clf.classes_)[~solution.present].tolist()
    named = ", ".join(map(repr, names))
    noun, has, their = ("class", "has", "its") if len(names) == 1 else ("classes", "have", "their")
    return (
        f": {noun} {named} {has} no weight, because all samples of {their} label weigh zero or "
        f"{their} column of soft targets is zero. The fit leaves {noun} {named} out, with "
        "probability 0 and an intercept of minus infinity."
    )


@contextmanager
def one_class_named(classes: ArrayLike) -> Iterator[None]:
    """Replace the error about samples of a single class by one that names the label."""
    try:
        yield
    except OneClassError as error:
        label = np.asarray(classes).tolist()[error.code]
        raise ValueError(
            f"only class {label!r} has samples with a weight: a classifier needs at least two "
            "classes. Look at sample_weight, class_weight and the columns of soft targets."
        ) from None


def edge_message(Cs: Floats, mean: Floats, standard_error: Floats) -> str:
    """Return a warning if the best value of C is at an end of `Cs`, where the loss still falls.

    The mean losses and their standard errors are (n_Cs,). The message is empty if there are fewer
    than three values, or if C is infinite at the end. It is also empty if the last step towards the
    end hardly lowers the loss, see `FLAT`: a further step would hardly matter either.
    """
    best = int(np.argmin(mean))
    if len(Cs) < 3 or best not in (0, len(Cs) - 1) or np.isinf(Cs[best]):
        return ""
    before = 1 if best == 0 else best - 1
    gain = mean[before] - mean[best]
    if not gain > max(FLAT * standard_error[best], FLAT_OF_LOSS * mean[best]):
        return ""
    end, side = ("smallest", "smaller") if best == 0 else ("largest", "larger")
    return (
        f": the best C, {Cs[best]:.3g}, is the {end} of Cs, and the held-out loss still falls "
        f"towards it, by {gain:.2g} nats from C={Cs[before]:.3g}. Pass Cs with {side} values too."
    )
