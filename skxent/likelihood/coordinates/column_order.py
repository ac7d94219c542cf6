"""Columns of wide sparse rows, sorted by their number of stored entries.

A product of sparse rows reads the parameters of a column once for each stored entry. In texts, a
few hundred words have half of all entries. If their columns come first, their parameters are
neighbours and stay in cache, so that a product takes about half the time. The rows are copied.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import scipy.sparse

from skxent.likelihood.coordinates.changes import Parameters
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.base import RowSource
from skxent.likelihood.sources.blocks import Matrix
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.sparse_single_sums import exceeds_cache

# Columns are reordered if this fraction of them, the reciprocal, has at least half of the entries.
FIRST_COLUMNS = 8


@dataclass(frozen=True)
class ColumnOrder:
    """A change of coordinates that reorders columns.

    Parameters
    ----------
    data : LocalRows
        The rows with reordered columns.
    order : (d,) array of int
        The columns of the original rows in the new order.
    """

    data: LocalRows
    order: np.ndarray

    @classmethod
    def of(cls, data: RowSource) -> Self | None:
        """Return the change for sparse rows in this process, or None if it does not help."""
        rows = data.in_memory()
        if rows is None or not rows.sparse or not exceeds_cache(rows.theta_shape):
            return None
        counts = np.bincount(rows.X.indices, minlength=rows.n_features)
        order = np.argsort(-counts, kind="stable")
        first = order[: len(order) // FIRST_COLUMNS]
        if 2 * counts[first].sum() < counts.sum():
            return None
        return cls(replace(rows, X=_reordered(rows.X, order)), order)

    def enter(self, coef: np.ndarray, intercept: np.ndarray) -> Parameters:
        """Parameters of the original columns -> parameters of the reordered columns."""
        return coef[:, self.order], intercept

    def leave(self, coef: np.ndarray, intercept: np.ndarray) -> Parameters:
        """Parameters of the reordered columns -> parameters of the original columns."""
        original = np.empty_like(coef)
        original[:, self.order] = coef
        return original, intercept

    def penalty(self, penalty: Penalty) -> Penalty:
        """The penalty of the reordered columns."""
        if penalty.factors is None:
            return penalty
        return Penalty.of_factors(penalty.alpha, penalty.factors[self.order])


def _reordered(X: Matrix, order: np.ndarray) -> Matrix:
    """A copy of a CSR matrix with columns in the given order; the entries of a row are sorted."""
    position = np.empty(len(order), X.indices.dtype)
    position[order] = np.arange(len(order), dtype=X.indices.dtype)
    unsorted = scipy.sparse.csr_array((X.data, position[X.indices], X.indptr), shape=X.shape)
    # Two changes of the format sort the entries in linear time.
    return unsorted.tocsc().tocsr()
