"""Changes of coordinates that leave out columns that depend linearly on others."""

from __future__ import annotations

import numpy as np

from skxent.likelihood import tuning
from skxent.likelihood.coordinates.changes import Change, SomeColumns
from skxent.likelihood.coordinates.independent_columns import IndependentColumns
from skxent.likelihood.coordinates.orthogonal_columns import OrthogonalColumns
from skxent.likelihood.coordinates.rank import (
    ColumnBasis,
    few_rows_have_full_rank,
    independent_columns,
)
from skxent.likelihood.optimise.cost_model import fits_row_space
from skxent.likelihood.optimise.row_factor import Extreme
from skxent.likelihood.sources.base import RowSource
from skxent.likelihood.sources.first_sums import Moments
from skxent.likelihood.sources.moments import compute_moments, moments_of


def changes_to_basis(
    data: RowSource, moments: Moments, basis: ColumnBasis, *, small: bool = True
) -> list[tuple[Change, Moments]]:
    """The changes to the columns in `basis`, each with the moments of its rows.

    Nearly dependent columns are made orthogonal, if X is small enough for that; `small` is False if
    the caller knows that it is not.
    """
    changes: list[tuple[Change, Moments]] = []
    if len(basis.columns) < data.n_features:
        columns = IndependentColumns.of(data, moments, basis)
        data, moments = columns.data, columns.moments
        changes.append((columns, moments))
    rows = data.in_memory() if small and basis.least < tuning.PLAIN_PIVOT else None
    if rows is not None and OrthogonalColumns.fits(rows):
        orthogonal = OrthogonalColumns.of(rows, moments)
        changes.append((orthogonal, compute_moments(orthogonal.data)))
    return changes


def among_some(
    data: RowSource, moments: Moments, mask: np.ndarray
) -> tuple[Change, Moments] | None:
    """The change that makes some columns independent of each other, and the moments of its rows.

    The columns in the mask get the coordinates that a fit of them alone would have without a
    penalty, and come first. The other columns follow unchanged. None if nothing has to change.
    """
    columns, others = np.flatnonzero(mask), np.flatnonzero(~mask)
    known = moments.of_columns(columns)
    if not known.mean_square(known.centre(data.fit_intercept)).any():  # none, or only constants
        return None
    if fits_row_space(data, needed=True, width=len(columns)):
        space = data.row_space(moments, independent=True, scale=mask.astype(np.float64))
        return space, _with_tiny_columns(space.data)
    if few_rows_have_full_rank(data, columns):
        return None
    part = data.with_columns(columns)
    basis = independent_columns(part, known)
    if basis is None or graded(part):
        return None
    rows = data.in_memory()
    small = rows is not None and OrthogonalColumns.fits(rows)
    changes = tuple(change for change, _ in changes_to_basis(part, known, basis, small=small))
    if not changes:
        return None
    if isinstance(changes[-1], OrthogonalColumns):
        assert rows is not None
        joined = changes[-1].data.with_more_columns(rows, others)
        return SomeColumns(joined, changes, mask), _with_tiny_columns(joined)
    order = np.concatenate([columns[basis.columns], others])
    return SomeColumns(data.with_columns(order), changes, mask), moments.of_columns(order)


def _with_tiny_columns(data: RowSource) -> Moments:
    """Moments of rows in which squares of penalised columns may underflow, see `units.read`."""
    return moments_of(data, data.first_sums())


def graded(data: RowSource) -> bool:
    """Whether one extreme entry, such as a placeholder of 1e15, may make columns look dependent.

    If so, all columns are kept, and `row_factor` finds the rank of the Hessian from the rows.
    """
    extreme = Extreme.of(data)
    if extreme is None:
        return False
    j = extreme.column
    return bool(abs(extreme.value - extreme.medians[j]) > tuning.GRADED_RATIO * extreme.sizes[j])
