"""The coordinates in which a fit minimises: a fit on transformed rows with the same logits.

A fit uses the columns of X, coordinates of the row space of X, or independent columns of X. If
columns depend linearly on others, some directions of the parameters change no logit. Without a
penalty these directions are left out, see `rank`. They are also left out if the penalty is so weak
that the Hessian is singular in float64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from skxent.likelihood import tuning
from skxent.likelihood.coordinates.changes import Change, Coordinates, Parameters, leave
from skxent.likelihood.coordinates.column_order import ColumnOrder
from skxent.likelihood.coordinates.independence import among_some, changes_to_basis, graded
from skxent.likelihood.coordinates.rank import ColumnBasis, independent_columns
from skxent.likelihood.coordinates.units import Units, read
from skxent.likelihood.optimise.cost_model import fits_row_space
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.solution import Solution
from skxent.likelihood.sources.base import RowSource
from skxent.likelihood.sources.first_sums import Moments
from skxent.likelihood.sources.moments import compute_moments

Report = Callable[[np.ndarray, np.ndarray, float], bool]
Minimise = Callable[[Parameters | None, Report | None], Solution]


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
    if not changes:
        return minimise(start, report)
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
        The penalty in these coordinates, without the part that is too weak to matter, see
        `units.read`.
    unpenalised : (d,) array of bool
        Mask of the columns of X without a penalty.
    changes : tuple of Coordinates
        The changes from the columns of X to these coordinates, in order.
    certain : bool
        Whether no direction, no unit and no penalty was changed. If so, `enter` and then `leave`
        return the same parameters up to rounding, with the same objective.
    """

    data: RowSource
    moments: Moments
    first: Moments
    penalty: Penalty
    unpenalised: np.ndarray
    changes: tuple[Coordinates, ...] = ()
    certain: bool = True

    @classmethod
    def of(cls, data: RowSource, penalty: Penalty) -> Frame:
        """Compute the moments of X, and rescale columns whose squares overflow or underflow."""
        data = data.without_far_unweighted()
        moments, visible, units = read(data, penalty)
        free = visible.at_most(0.0, data.n_features)
        if units is None:
            return cls(data, moments, moments, visible, free, certain=visible == penalty)
        return cls(units.data, units.moments, moments, visible, free, (units,), certain=False)

    @property
    def of_columns(self) -> bool:
        """Whether the coordinates are the columns of X, possibly rescaled or reordered."""
        # Not a generator that ends early: Python ignores an interrupt while it is closed.
        return {type(change) for change in self.changes} <= {Units, ColumnOrder}

    def ordered(self) -> Frame:
        """Return the coordinates with columns in the order that makes products faster."""
        change = None if self.changes else ColumnOrder.of(self.data)
        if change is None:
            return self
        moments, penalty = self.moments.of_columns(change.order), change.penalty(self.penalty)
        return self._after(change, moments, penalty, certain=True)

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
        if not penalty.rotation_invariant:
            return self._with_independent_unpenalised()._with_row_space_of_penalised()
        weak = penalty.is_at_most(tuning.WEAK_PENALTY * total * varies.max())
        if fits_row_space(data, weak):
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
        return self if graded(data) else self._of_independent_columns(basis)

    def _of_independent_columns(self, basis: ColumnBasis) -> Frame:
        """The frame of the columns in `basis`; nearly dependent columns are made orthogonal."""
        frame = self
        for change, moments in changes_to_basis(self.data, self.moments, basis):
            frame = frame._after(change, moments, certain=False)
        return frame

    def _with_independent_unpenalised(self) -> Frame:
        """The frame in which the columns without a penalty are independent of each other."""
        found = among_some(self.data, self.moments, self.unpenalised)
        if found is None:
            return self
        n_held = int(np.count_nonzero(~self.unpenalised))
        penalty = self.penalty.of_other_unpenalised(found[0].data.n_features - n_held)
        return self._after(*found, penalty, certain=False)

    def _with_row_space_of_penalised(self) -> Frame:
        """The frame of the row space of the columns with a penalty, if they are more than rows.

        The penalty of the new columns has no factors.
        """
        data, moments, penalty = self.data, self.moments, self.penalty
        if penalty.rotation_invariant:
            return self
        scale = penalty.column_scale
        n_free = int(np.count_nonzero(scale == 0))
        spread = moments.mean_square(moments.centre(data.fit_intercept)) * scale**2
        total = float(moments.class_weight.sum())
        weak = penalty.of_scaled_columns(1, 0).is_at_most(
            tuning.WEAK_PENALTY * total * spread.max()
        )
        if not fits_row_space(data, weak, width=len(scale) - n_free):
            return self
        space = data.row_space(moments, independent=weak, scale=scale)
        penalty = penalty.of_scaled_columns(space.data.n_features - n_free, n_free)
        return self._after(space, compute_moments(space.data), penalty, certain=not weak)

    def _after(
        self, change: Change, moments: Moments, penalty: Penalty | None = None, *, certain: bool
    ) -> Frame:
        """The frame after another change of coordinates."""
        return replace(
            self,
            data=change.data,
            moments=moments,
            penalty=self.penalty if penalty is None else penalty,
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
