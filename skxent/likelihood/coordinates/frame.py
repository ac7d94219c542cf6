"""Changes of coordinates: a fit on other rows and columns that have the same logits.

A fit is made on X as it is, on coordinates of the space of its rows, or on independent columns.
Without a penalty some directions may move no logit, if columns depend on others. They are left out,
see `rank`. The same is done for a penalty so weak that the Hessian is singular in float64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from skxent.likelihood.coordinates.independent_columns import IndependentColumns
from skxent.likelihood.coordinates.orthogonal_columns import OrthogonalColumns
from skxent.likelihood.coordinates.rank import PLAIN, independent_columns
from skxent.likelihood.coordinates.units import Units, read
from skxent.likelihood.optimise.cost_model import fits_row_space
from skxent.likelihood.optimise.row_factor import Extreme
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.solution import Solution
from skxent.likelihood.sources.base import RowSource
from skxent.likelihood.sources.first_sums import Moments
from skxent.likelihood.sources.moments import compute_moments

# Part of the largest curvature; a weaker penalty is taken for none in the space of the rows. Where
# rows depend on others, rounding leaves entries of an epsilon of X. A stronger penalty keeps what
# these entries add to a logit below the root of an epsilon.
WEAK = float(np.finfo(float).eps) ** 1.5
# Part of the least curvature; a weaker penalty changes no result in float64.
NEGLIGIBLE = float(np.finfo(float).eps)

# Times the median size of a column; next to a larger entry others keep less than half their digits.
GRADED = 1e8
CHANGE = 2  # passes that a change of coordinates costs, about

Parameters = tuple[np.ndarray, np.ndarray]
Report = Callable[[np.ndarray, np.ndarray, float], bool]
Minimise = Callable[[Parameters | None, Report | None], Solution]


class Coordinates(Protocol):
    """Other parameters for the same logits."""

    def enter(self, coef: np.ndarray, intercept: np.ndarray) -> Parameters:
        """Parameters before the change -> after it."""
        ...

    def leave(self, coef: np.ndarray, intercept: np.ndarray) -> Parameters:
        """Back again."""
        ...


def leave(changes: Sequence[Coordinates], parameters: Parameters) -> Parameters:
    """Parameters after some changes of coordinates, the last one first, -> before them."""
    for change in reversed(changes):
        parameters = change.leave(*parameters)
    return parameters


def minimise_after(
    changes: Sequence[Coordinates],
    minimise: Minimise,
    start: Parameters | None,
    report: Report | None,
) -> Solution:
    """Call `minimise` after some changes of coordinates; return the solution before them.

    A `start` is left out if one of the classes had no weight when its parameters were fitted, so
    that its intercept is infinite.
    """
    for change in changes:
        start = start and change.enter(*start)
    if start is not None and not np.isfinite(start[1]).all():
        start = None
    solution = minimise(
        start, report and (lambda A, a, value: report(*leave(changes, (A, a)), value))
    )
    coef, intercept = leave(changes, (solution.coef, solution.intercept))
    return replace(solution, coef=coef, intercept=intercept)


@dataclass(frozen=True)
class Frame:
    """A fit in the coordinates that suit it.

    Parameters
    ----------
    data : Place
        Rows in these coordinates.
    moments : Moments
        Of them.
    first : Moments
        Of the rows as they are.
    penalty : Penalty
        None where it is too weak to be seen.
    changes : tuple of Coordinates
        From those of X to those of `data`.
    certain : bool
        Whether no direction was left out and no unit changed, so that parameters that enter and
        leave again are the same but for rounding.
    """

    data: RowSource
    moments: Moments
    first: Moments
    penalty: Penalty
    changes: tuple[Coordinates, ...] = ()
    certain: bool = True

    @classmethod
    def of(cls, data: RowSource, penalty: Penalty) -> Frame:
        """Read X; put columns in other units if their squares overflow or underflow."""
        data = data.without_far_unweighted()
        moments, penalty, units = read(data, penalty)
        if units is None:
            return cls(data, moments, moments, penalty)
        return cls(units.data, units.moments, moments, penalty, (units,), certain=False)

    @property
    def of_columns(self) -> bool:
        """Whether the coordinates are columns of X, in their own units or in others."""
        return all(isinstance(change, Units) for change in self.changes)

    def identified(self) -> Frame:
        """The frame without the directions that neither the rows nor the penalty determine."""
        return _identified(self)

    def fit(self, minimise: Minimise, start: Parameters | None, report: Report | None) -> Solution:
        """Call `minimise` in these coordinates; return its solution in those of X."""
        solution = minimise_after(self.changes, minimise, start, report)
        if not self.changes:
            return solution
        # The place of an extreme entry would be one in the new coordinates, which nobody knows.
        n_passes = solution.n_passes + CHANGE * len(self.changes)
        return replace(solution, n_passes=n_passes, extreme=None)


def _identified(frame: Frame) -> Frame:
    """`Frame.identified`."""
    data, moments, penalty = frame.data, frame.moments, frame.penalty
    total = float(moments.class_weight.sum())
    spread = moments.mean_square(moments.centre(data.fit_intercept))
    varies = spread[spread > 0]
    if not len(varies):
        return frame
    weak = penalty.is_at_most(WEAK * total * varies.max())
    if (weak or penalty.rotation_invariant) and fits_row_space(data, weak):
        space = data.row_space(moments, independent=weak)
        certain = frame.certain and not weak
        return replace(frame, **_changed(frame, space, compute_moments(space.data), certain))
    least = float(varies.min())
    if not penalty.is_at_most(NEGLIGIBLE * total * least):
        return frame
    basis = independent_columns(data, moments)
    if basis is None or not penalty.is_at_most(NEGLIGIBLE * total * least * basis.least**2):
        return frame
    if _graded(data):  # then the factor of `graded` finds the rank, from the rows
        return frame
    if len(basis.columns) < data.n_features:
        columns = IndependentColumns.of(data, moments, basis)
        frame = replace(frame, **_changed(frame, columns, columns.moments, False))
    rows = frame.data.in_memory()
    if basis.least < PLAIN and rows is not None and OrthogonalColumns.fits(rows):
        orthogonal = OrthogonalColumns.of(rows, frame.moments)
        frame = replace(
            frame, **_changed(frame, orthogonal, compute_moments(orthogonal.data), False)
        )
    return frame


def _graded(data: RowSource) -> bool:
    """Whether a placeholder, such as 1e15, may be all that makes columns look dependent."""
    extreme = Extreme.of(data)
    if extreme is None:
        return False
    j = extreme.column
    return bool(abs(extreme.value - extreme.medians[j]) > GRADED * extreme.sizes[j])


def _changed(frame: Frame, space: Any, moments: Moments, certain: bool) -> dict[str, Any]:
    return {
        "data": space.data,
        "moments": moments,
        "changes": (*frame.changes, space),
        "certain": certain,
    }
