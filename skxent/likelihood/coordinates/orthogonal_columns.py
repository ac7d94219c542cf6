"""Orthogonal coordinates for columns that nearly depend on each other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self, TypeGuard

import numpy as np
import scipy.linalg
import scipy.sparse
from scipy.linalg import solve_triangular

from skxent.likelihood.coordinates.rank import centre_of, column_scale
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import Moments

LARGEST = 1 << 22  # numbers that are written out, 34 megabytes


@dataclass(frozen=True)
class OrthogonalColumns:
    """Data of orthogonal columns that span the same space as the columns of X.

    The centred X of scaled columns is Q R, and logits are those of coefficients A = W R' on Q. A
    direction of X that is 1e-8 of the others has a curvature of 1e-16 in the Hessian, where it is
    lost in rounding. It is one of unit size in Q.

    Parameters
    ----------
    data : Data
        With Q, whose columns have mean squares of one, for X.
    R : (d, d) array
        Upper triangle.
    pivot : (d,) array of int
        Columns of X in the order of R.
    scale : (d,) array
        Powers of two that bring the columns of X to a deviation near one.
    centre : (d,) array
        What columns are measured from.
    """

    data: LocalRows
    R: np.ndarray
    pivot: np.ndarray
    scale: np.ndarray
    centre: np.ndarray

    @staticmethod
    def fits(data: object) -> TypeGuard[LocalRows]:
        """Whether the rows are at hand, and few enough to be written out."""
        return (
            isinstance(data, LocalRows)
            and not data.immovable
            and data.n_rows * data.n_features <= LARGEST
        )

    @classmethod
    def of(cls, data: LocalRows, moments: Moments) -> Self:
        """Factor the columns, all of which are independent; rows without weight follow."""
        centre = centre_of(data, moments)
        scale = column_scale(moments, centre)
        X = data.X.toarray() if scipy.sparse.issparse(data.X) else data.X
        rows = np.subtract(X, centre, dtype=np.float64) * scale
        weighty = np.ones(len(rows), dtype=bool) if data.weight is None else data.weight > 0
        Q, R, pivot = scipy.linalg.qr(
            rows[weighty], mode="economic", pivoting=True, check_finite=False
        )
        unit = np.sqrt(len(Q))
        columns = np.empty_like(rows)
        columns[weighty] = Q * unit
        if not weighty.all():
            rest = rows[~weighty][:, pivot].T
            columns[~weighty] = solve_triangular(R / unit, rest, trans="T", check_finite=False).T
        return cls(replace(data, X=columns), R / unit, pivot, scale, centre)

    def enter(self, coef: np.ndarray, intercept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Parameters of the columns as they are -> of the orthogonal ones."""
        return (coef / self.scale)[:, self.pivot] @ self.R.T, intercept + coef @ self.centre

    def leave(self, A: np.ndarray, a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Parameters of the orthogonal columns -> of those as they are."""
        coef = np.empty_like(A)
        coef[:, self.pivot] = solve_triangular(self.R, A.T, check_finite=False).T
        coef *= self.scale
        return coef, a - coef @ self.centre
