r"""Coordinates of the space that the rows span, for more features than rows.

With orthonormal Q the centred rows are X = L Q', L an (n, n) triangle. The gradient is a
combination of rows, so the minimiser is W = A Q', and the penalty of A is that of W: the fit on L
is the fit on X, exactly. Without penalty W has the least norm of all coefficients that give its
logits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

import numpy as np
import scipy.linalg
from scipy.linalg import lapack, solve_triangular

from skxent.likelihood import tuning
from skxent.likelihood.sources.arrays import Rows
from skxent.likelihood.sources.first_sums import Moments

EPS = float(np.finfo(float).eps)

Source = TypeVar("Source", covariant=True)


class Rotation(Protocol):
    """A matrix Q with orthonormal columns."""

    def times(self, parameters: np.ndarray, transposed: bool = False) -> np.ndarray:
        """Parameters times Q, or its transpose."""
        ...


@dataclass(frozen=True)
class RowSpace(Generic[Source]):
    """A row source in coordinates of the space that its rows span: a change of coordinates.

    Parameters
    ----------
    data : row source
        With L for X.
    Q : Rotation
    centre : (d,) array
        What rows are measured from, zeros without an intercept.
    order : (d,) array of int
        Columns of X in the order of the rows of Q.
    """

    data: Source
    Q: Rotation
    centre: np.ndarray
    order: np.ndarray

    def enter(self, coef: np.ndarray, intercept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Parameters for rows as they are -> parameters for L."""
        return self.Q.times(coef[:, self.order]), intercept + coef @ self.centre

    def leave(self, A: np.ndarray, a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Parameters for L -> parameters for rows as they are."""
        coef = np.empty((len(A), len(self.order)))
        coef[:, self.order] = self.Q.times(A, transposed=True)
        return coef, a - coef @ self.centre


@dataclass(frozen=True)
class Reflections:
    """Q as LAPACK's Householder reflections, a third of the work of Q itself."""

    vectors: np.ndarray
    tau: np.ndarray

    def times(self, parameters: np.ndarray, transposed: bool = False) -> np.ndarray:
        """Parameters times Q, or its transpose."""
        columns = np.zeros((len(self.vectors), len(parameters)), order="F")
        columns[: parameters.shape[1]] = parameters.T
        kind = "N" if transposed else "T"
        size = int(lapack.dormqr("L", kind, self.vectors, self.tau, columns, -1)[1][0])
        columns, _, _ = lapack.dormqr(
            "L", kind, self.vectors, self.tau, columns, size, overwrite_c=1
        )
        return np.ascontiguousarray((columns if transposed else columns[: len(self.tau)]).T)


def row_space(data: Rows, moments: Moments) -> RowSpace[Rows]:
    """Factor all rows of dense data, for a penalty strong enough to decide what rows do not.

    The remainder of a row that depends on the others is rounding, and the penalty keeps its
    coefficients next to zero. If it is so small that its squares would underflow, it becomes zero.
    """
    centre = moments.centre(data.fit_intercept)
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
    return RowSpace(replace(data, X=L), Reflections(*Q), centre, order)


def independent_row_space(data: Rows, moments: Moments) -> RowSpace[Rows]:
    """Factor independent rows only, for no penalty or next to none.

    The rank is found from columns scaled to one size. Q comes from the columns as they are, whose
    coefficients are to have the least norm. Rows without weight are projected on the others.
    """
    centre, weighted, X = moments.centre(data.fit_intercept), data.weighted, data.dense()
    # Not weighted, because weights may differ by more than float64 can tell.
    size = np.sqrt(np.mean(np.square(X[weighted], dtype=np.float64), axis=0))
    everything = np.subtract(X, centre, dtype=np.float64)
    rows = everything[weighted]
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
    L[weighted] = combinations[:, pivot] @ np.triu(upper[: len(chosen)]).T
    space = RowSpace(replace(data, X=L), Reflections(*Q), centre, order)
    if not weighted.all():
        L[~weighted] = space.Q.times(everything[~weighted][:, order])
    return space


def _largest_first(size: np.ndarray) -> tuple[np.ndarray, bool]:
    """Columns in the order of their sizes, and whether the sizes are uneven.

    Large columns first, and pivots, keep rounding errors as small as the column that they are in
    (A. J. Cox, N. J. Higham, "Stability of Householder QR factorization for weighted least squares
    problems", Numerical Analysis 1997).
    """
    order = np.argsort(-size, kind="stable")
    return order, bool(size[order[0]] > tuning.UNEVEN_COLUMNS * size[size > 0].min(initial=np.inf))


def reciprocal(size: np.ndarray) -> np.ndarray:
    """Powers of two near 1 / size; 0 where `size` is 0."""
    return np.where(size > 0, np.ldexp(1.0, -np.frexp(size)[1]), 0.0)


def independent_rows(upper: np.ndarray, n_terms: int, eps: float) -> tuple[np.ndarray, np.ndarray]:
    r"""Choose independent columns of a triangle, as many as there are.

    A pivot of the QR factorisation counts if it is above `FACTOR_ROUNDINGS` :math:`\varepsilon
    \sqrt{\text{n_terms}}` times the largest pivot, or times one.

    Parameters
    ----------
    upper : (n, n) array
        Triangle of a QR factorisation of the transpose of rows; its columns stand for the rows. X
        is scaled so that its numbers, before they are centred, are of size one and are known to
        `eps`.
    n_terms : int
        Upper bound of the number of terms in a product of two rows or of two columns.
    eps : float
        Relative rounding error.

    Returns
    -------
    chosen : (r,) array of int
        Indices of independent rows.
    combinations : (n, r) array
        All rows as linear combinations of the chosen rows.
    """
    R, order = scipy.linalg.qr(upper, mode="r", pivoting=True, check_finite=False)
    pivots = np.abs(np.diagonal(R))
    largest = max(float(pivots[0]), 1.0)
    r = int(np.count_nonzero(pivots > tuning.FACTOR_ROUNDINGS * eps * np.sqrt(n_terms) * largest))
    combinations = np.zeros((len(upper), r))
    combinations[order[:r], np.arange(r)] = 1.0
    if 0 < r < len(upper):
        combinations[order[r:]] = solve_triangular(R[:r, :r], R[:r, r:], check_finite=False).T
    return order[:r], combinations
