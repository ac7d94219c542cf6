"""The coordinates in which a fit minimises: a fit on transformed rows with the same logits.

A fit uses the columns of X, coordinates of the row space of X, or independent columns of X. If
columns depend linearly on others, some directions of the parameters change no logit. Without a
penalty these directions are left out, see `rank`. They are also left out if the penalty is so weak
that the Hessian is singular in float64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from skxent.likelihood import tuning
from skxent.likelihood.coordinates.independent_columns import IndependentColumns
from skxent.likelihood.coordinates.orthogonal_columns import OrthogonalColumns
from skxent.likelihood.coordinates.rank import ColumnBasis, independent_columns
from skxent.likelihood.coordinates.units import Units, read
from skxent.likelihood.optimise.cost_model import fits_row_space
from skxent.likelihood.optimise.row_factor import Extreme
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.solution import Solution
from skxent.likelihood.sources.base import RowSource
from skxent.likelihood.sources.first_sums import Moments
from skxent.likelihood.sources.moments import compute_moments

Parameters = tuple[np.ndarray, np.ndarray]
Report = Callable[[np.ndarray, np.ndarray, float], bool]
Minimise = Callable[[Parameters | None, Report | None], Solution]


class Coordinates(Protocol):
    """A change of coordinates: parameters are transformed so that logits stay the same."""

    def enter(self, coef: np.ndarray, intercept: np.ndarray) -> Parameters:
        """Parameters before the change -> parameters after the change."""
        ...

    def leave(self, coef: np.ndarray, intercept: np.ndarray) -> Parameters:
        """Parameters after the change -> parameters before the change."""
        ...


class Change(Coordinates, Protocol):
    """A change of coordinates that also holds the transformed rows."""

    @property
    def data(self) -> RowSource:
        """The rows after the change."""
        ...


def leave(changes: Sequence[Coordinates], parameters: Parameters) -> Parameters:
    """Parameters after some changes of coordinates -> parameters before the first change."""
    for change in reversed(changes):
        parameters = change.leave(*parameters)
    return parameters


def minimise_after(
    changes: Sequence[Coordinates],
    minimise: Minimise,
    start: Parameters | None,
    report: Report | None,
) -> Solution:
    """Minimise after some changes of coordinates; the solution is for the original coordinates.

    `start` is ignored if an intercept in it is infinite, which means that a class had no weight in
    the fit that produced it.
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
    """The coordinates of a fit.

    Parameters
    ----------
    data : RowSource
        Rows in these coordinates.
    moments : Moments
        Moments of `data`.
    first : Moments
        Moments of the rows before any change of coordinates.
    penalty : Penalty
        The penalty of the user, or zero if that is too weak to matter, see `units.read`.
    changes : tuple of Coordinates
        The changes from the columns of X to these coordinates, in order.
    certain : bool
        Whether no direction was left out and no unit was changed. If so, `enter` and then `leave`
        return the same parameters up to rounding.
    """

    data: RowSource
    moments: Moments
    first: Moments
    penalty: Penalty
    changes: tuple[Coordinates, ...] = ()
    certain: bool = True

    @classmethod
    def of(cls, data: RowSource, penalty: Penalty) -> Frame:
        """Compute the moments of X, and rescale columns whose squares overflow or underflow."""
        data = data.without_far_unweighted()
        moments, penalty, units = read(data, penalty)
        if units is None:
            return cls(data, moments, moments, penalty)
        return cls(units.data, units.moments, moments, penalty, (units,), certain=False)

    @property
    def of_columns(self) -> bool:
        """Whether the coordinates are the columns of X, possibly rescaled."""
        return all(isinstance(change, Units) for change in self.changes)

    def identified(self) -> Frame:
        """Return the coordinates to minimise in.

        Directions that change no logit are left out if the penalty is too weak to determine the
        coefficients along them. They are also left out if X has so few rows that a fit in
        coordinates of the row space is cheap.
        """
        data, moments, penalty = self.data, self.moments, self.penalty
        total = float(moments.class_weight.sum())
        spread = moments.mean_square(moments.centre(data.fit_intercept))
        varies = spread[spread > 0]
        if not len(varies):
            return self
        weak = penalty.is_at_most(tuning.WEAK_PENALTY * total * varies.max())
        if (weak or penalty.rotation_invariant) and fits_row_space(data, weak):
            space = data.row_space(moments, independent=weak)
            return self._after(space, compute_moments(space.data), certain=not weak)
        least = float(varies.min())
        if not penalty.is_at_most(tuning.NEGLIGIBLE_PENALTY * total * least):
            return self
        basis = independent_columns(data, moments)
        if basis is None or not penalty.is_at_most(
            tuning.NEGLIGIBLE_PENALTY * total * least * basis.least**2
        ):
            return self
        return self if _graded(data) else self._of_independent_columns(basis)

    def _of_independent_columns(self, basis: ColumnBasis) -> Frame:
        """The frame of the columns in `basis`; nearly dependent columns are made orthogonal."""
        frame = self
        if len(basis.columns) < self.data.n_features:
            columns = IndependentColumns.of(self.data, self.moments, basis)
            frame = frame._after(columns, columns.moments, certain=False)
        rows = frame.data.in_memory()
        if basis.least < tuning.PLAIN_PIVOT and rows is not None and OrthogonalColumns.fits(rows):
            orthogonal = OrthogonalColumns.of(rows, frame.moments)
            frame = frame._after(orthogonal, compute_moments(orthogonal.data), certain=False)
        return frame

    def _after(self, change: Change, moments: Moments, *, certain: bool) -> Frame:
        """The frame after another change of coordinates."""
        return replace(
            self,
            data=change.data,
            moments=moments,
            changes=(*self.changes, change),
            certain=self.certain and certain,
        )

    def fit(self, minimise: Minimise, start: Parameters | None, report: Report | None) -> Solution:
        """Call `minimise` in these coordinates; return its solution for the columns of X."""
        solution = minimise_after(self.changes, minimise, start, report)
        if not self.changes:
            return solution
        # An extreme entry is not reported, because its column would be one of other coordinates.
        n_passes = solution.n_passes + tuning.CHANGE_PASSES * len(self.changes)
        return replace(solution, n_passes=n_passes, extreme=None)


def _graded(data: RowSource) -> bool:
    """Whether one extreme entry, such as a placeholder of 1e15, may make columns look dependent.

    If so, all columns are kept, and `row_factor` finds the rank of the Hessian from the rows.
    """
    extreme = Extreme.of(data)
    if extreme is None:
        return False
    j = extreme.column
    return bool(abs(extreme.value - extreme.medians[j]) > tuning.GRADED_RATIO * extreme.sizes[j])
