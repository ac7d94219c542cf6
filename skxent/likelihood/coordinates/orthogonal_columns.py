"""Orthogonal coordinates for columns that nearly depend on each other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import scipy.linalg
from scipy.linalg import solve_triangular

from skxent.likelihood.coordinates.rank import column_scale
from skxent.likelihood.sources.first_sums import Moments
from skxent.likelihood.sources.local_rows import LocalRows

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
    def fits(data: LocalRows) -> bool:
        """Whether X is small enough for a dense copy."""
        return data.n_rows * data.n_features <= LARGEST

    @classmethod
    def of(cls, data: LocalRows, moments: Moments) -> Self:
        """Factor the columns, all of which are independent; rows without weight follow."""
        centre = moments.centre(data.fit_intercept)
        scale = column_scale(moments, centre)
        rows = np.subtract(data.dense(), centre, dtype=np.float64) * scale
        weighty = data.weighted
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
