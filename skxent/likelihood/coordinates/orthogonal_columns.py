"""Orthogonal coordinates for columns that are nearly linearly dependent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import scipy.linalg
from scipy.linalg import solve_triangular

from skxent.likelihood import tuning
from skxent.likelihood.coordinates.rank import column_scale
from skxent.likelihood.sources.first_sums import Moments
from skxent.likelihood.sources.local_rows import LocalRows


@dataclass(frozen=True)
class OrthogonalColumns:
    """A change of coordinates to orthogonal columns that span the space of the columns of X.

    The centred and scaled X is Q R, and coefficients A = W R' of the columns of Q give the same
    logits as coefficients W of X. If X varies along one direction 1e8 times less than along others,
    the curvature of this direction in the Hessian is 1e16 times smaller and is lost in rounding.
    In Q all directions have the same size.

    Parameters
    ----------
    data : LocalRows
        The rows with Q in place of X; columns of Q have a mean square of one.
    R : (d, d) array
        Upper triangular factor.
    pivot : (d,) array of int
        Indices of the columns of X in the order of the columns of R.
    scale : (d,) array
        Powers of two that scale the columns of X to a standard deviation near one.
    centre : (d,) array
        Subtracted from each row of X.
    """

    data: LocalRows
    R: np.ndarray
    pivot: np.ndarray
    scale: np.ndarray
    centre: np.ndarray

    @staticmethod
    def fits(data: LocalRows) -> bool:
        """Whether X is small enough for a dense copy."""
        return data.n_rows * data.n_features <= tuning.ORTHOGONAL_NUMBERS

    @classmethod
    def of(cls, data: LocalRows, moments: Moments) -> Self:
        """Factor X, whose columns are independent; rows of weight zero are multiplied by R^-1."""
        centre = moments.centre(data.fit_intercept)
        scale = column_scale(moments, centre)
        rows = np.subtract(data.dense(), centre, dtype=np.float64) * scale
        weighted = data.weighted
        Q, R, pivot = scipy.linalg.qr(
            rows[weighted], mode="economic", pivoting=True, check_finite=False
        )
        unit = np.sqrt(len(Q))
        columns = np.empty_like(rows)
        columns[weighted] = Q * unit
        if not weighted.all():
            rest = rows[~weighted][:, pivot].T
            columns[~weighted] = solve_triangular(R / unit, rest, trans="T", check_finite=False).T
        return cls(replace(data, X=columns), R / unit, pivot, scale, centre)

    def enter(self, coef: np.ndarray, intercept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Parameters of the columns of X -> parameters of the orthogonal columns."""
        return (coef / self.scale)[:, self.pivot] @ self.R.T, intercept + coef @ self.centre

    def leave(self, A: np.ndarray, a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Parameters of the orthogonal columns -> parameters of the columns of X."""
        coef = np.empty_like(A)
        coef[:, self.pivot] = solve_triangular(self.R, A.T, check_finite=False).T
        coef *= self.scale
        return coef, a - coef @ self.centre
