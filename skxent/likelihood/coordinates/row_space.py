"""Fewer features for more features than rows: coordinates in the space that the rows span."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import scipy.linalg
import scipy.sparse
from scipy.linalg import lapack

from skxent.likelihood.coordinates.rank import centre_of, independent_rows, reciprocal
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import Moments

EPS = float(np.finfo(float).eps)
UNEVEN = 1e3  # ratio of column sizes; above it pivots keep large columns' rounding from small ones


@dataclass(frozen=True)
class RowSpace:
    """Data in coordinates of the space that their rows span.

    With orthonormal Q the centred rows are X = L Q', L an (n, n) triangle. The gradient is a
    combination of rows, so the minimiser is W = A Q', and the penalty of A is that of W: the fit
    on L is the fit on X, exactly. Without penalty W has the least norm of all that give its logits.

    Parameters
    ----------
    data : Data
        With L for X.
    Q : Any
        (d, r), as `times` takes it: LAPACK's reflections, which are had and applied in a third of
        the time that Q itself takes.
    centre : (d,) array
        What rows are measured from, zeros without an intercept.
    order : (d,) array of int
        Columns of X in the order of the rows of Q.
    """

    data: LocalRows
    Q: Any
    centre: np.ndarray
    order: np.ndarray

    @classmethod
    def of(cls, data: LocalRows, moments: Moments) -> Self:
        """Factor the rows of dense data, for a penalty that decides where rows do not.

        What is left of a row that depends on the others is rounding, and the penalty keeps its
        coefficients next to zero. Where it is so small that its squares would underflow it is made
        zero, which no coefficient follows.
        """
        centre = centre_of(data, moments)
        rows = np.subtract(data.X, centre, dtype=np.float64)
        order, uneven = _largest_first(np.linalg.norm(rows, axis=0))
        if uneven:
            rows = rows[:, order]
        else:
            order = np.arange(len(centre))  # as they are, without a copy
        Q, upper, *pivots = scipy.linalg.qr(
            rows.T, mode="raw", pivoting=uneven, overwrite_a=True, check_finite=False
        )
        upper[np.abs(upper).max(axis=1) <= EPS**2 * np.abs(upper).max()] = 0.0
        L = np.ascontiguousarray(upper.T)
        if uneven:
            L[pivots[0]] = L.copy()
        return cls(replace(data, X=L), Q, centre, order)

    @classmethod
    def identified(cls, data: LocalRows, moments: Moments) -> Self:
        """Factor independent rows alone, for no penalty or next to none.

        The rank is that of columns of one size, the orthogonal Q that of the columns as they are,
        whose coefficients are to have the least norm. Rows without weight decide nothing, and are
        projected.
        """
        centre = centre_of(data, moments)
        weighty = np.ones(data.n_rows, dtype=bool) if data.weight is None else data.weight > 0
        X = data.X.toarray() if scipy.sparse.issparse(data.X) else data.X
        # Not weighted, because weights may differ by more than float64 can tell.
        size = np.sqrt(np.mean(np.square(X[weighty], dtype=np.float64), axis=0))
        everything = np.subtract(X, centre, dtype=np.float64)
        rows = everything[weighty]
        scaled = (rows * reciprocal(size)).T
        upper = scipy.linalg.qr(scaled, mode="raw", overwrite_a=True, check_finite=False)[1]
        upper = np.triu(upper[: len(rows)])
        chosen, combinations = independent_rows(upper, max(data.X.shape), EPS)
        order, pivoting = _largest_first(size)
        Q, upper, *pivots = scipy.linalg.qr(
            rows[chosen].T[order], mode="raw", pivoting=pivoting, check_finite=False
        )
        pivot = pivots[0] if pivoting else np.arange(len(chosen))
        L = np.empty((data.n_rows, len(chosen)))
        L[weighty] = combinations[:, pivot] @ np.triu(upper[: len(chosen)]).T
        space = cls(replace(data, X=L), Q, centre, order)
        if not weighty.all():
            L[~weighty] = space.times(everything[~weighty][:, order])
        return space

    def enter(self, coef: np.ndarray, intercept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Parameters for rows as they are -> A, a."""
        return self.times(coef[:, self.order]), intercept + coef @ self.centre

    def leave(self, A: np.ndarray, a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A, a -> parameters for rows as they are."""
        coef = np.empty((len(A), len(self.order)))
        coef[:, self.order] = self.times(A, transposed=True)
        return coef, a - coef @ self.centre

    def times(self, parameters: np.ndarray, transposed: bool = False) -> np.ndarray:
        """Parameters times Q, or its transpose."""
        reflections, tau = self.Q
        columns = np.zeros((len(self.centre), len(parameters)), order="F")
        columns[: parameters.shape[1]] = parameters.T
        kind = "N" if transposed else "T"
        size = int(lapack.dormqr("L", kind, reflections, tau, columns, -1)[1][0])
        columns, _, _ = lapack.dormqr("L", kind, reflections, tau, columns, size, overwrite_c=1)
        return np.ascontiguousarray((columns if transposed else columns[: len(tau)]).T)


def _largest_first(size: np.ndarray) -> tuple[np.ndarray, bool]:
    """Columns in the order of their sizes, and whether these are uneven.

    Large columns first, and pivots, keep rounding errors as small as the column that they are in
    (A. J. Cox, N. J. Higham, "Stability of Householder QR factorization for weighted least squares
    problems", Numerical Analysis 1997).
    """
    order = np.argsort(-size, kind="stable")
    return order, bool(size[order[0]] > UNEVEN * size[size > 0].min(initial=np.inf))
