r"""Coordinates of the row space of X, for X with more features than rows.

The centred X is L Q', where L is an (n, n) triangle and Q has orthonormal columns. The gradient is
a linear combination of rows, so the minimiser has the form W = A Q', and W and A have the same norm
and penalty. Fitting A on L is therefore equivalent to fitting W on X. Without a penalty, W has the
least norm of all coefficients with the same logits.

If the penalty has a factor :math:`f_j` for each feature, the columns are first divided by
:math:`\sqrt{f_j}`, so that their penalty has no factors. Columns that are not penalised stay as
they are, after the columns of L.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Generic, Protocol, Self, TypeVar

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
        """Parameters times Q, or times Q' if `transposed`."""
        ...


@dataclass(frozen=True)
class RowSpace(Generic[Source]):
    """A change of coordinates to the row space, with the rows in the new coordinates.

    Parameters
    ----------
    data : row source
        The rows with L in place of X.
    Q : Rotation
    centre : (d,) array
        Subtracted from each row: column means, or zeros without an intercept.
    order : (d,) array of int
        Index of the column of X that each row of Q belongs to.
    """

    data: Source
    Q: Rotation
    centre: np.ndarray
    order: np.ndarray

    def enter(self, coef: np.ndarray, intercept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Parameters for the original rows -> parameters for L."""
        return self.Q.times(coef[:, self.order]), intercept + coef @ self.centre

    def leave(self, A: np.ndarray, a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Parameters for L -> parameters for the original rows."""
        coef = np.empty((len(A), len(self.order)))
        coef[:, self.order] = self.Q.times(A, transposed=True)
        return coef, a - coef @ self.centre


@dataclass(frozen=True)
class ScaledRowSpace(Generic[Source]):
    """A change of coordinates that scales some columns and changes to the row space of these.

    Parameters
    ----------
    data : row source
        The rows with L and then the other columns in place of X.
    space : Coordinates
        The change of coordinates of the centred and scaled columns to those of L.
    centre : (d,) array
        Subtracted from each row; zero for columns that are not scaled.
    scale : (d,) array
        Factors of the columns; zero for columns that stay as they are.
    """

    data: Source
    space: AnyRowSpace[Source]
    centre: np.ndarray
    scale: np.ndarray

    def enter(self, coef: np.ndarray, intercept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Parameters for the original rows -> parameters for L and the other columns."""
        scaled = self.scale > 0
        part = coef[:, scaled] / self.scale[scaled]
        A, a = self.space.enter(part, intercept + coef @ self.centre)
        return np.column_stack([A, coef[:, ~scaled]]), a

    def leave(self, A: np.ndarray, a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Parameters for L and the other columns -> parameters for the original rows."""
        scaled = self.scale > 0
        rank = A.shape[1] - np.count_nonzero(~scaled)
        part, b = self.space.leave(A[:, :rank], a)
        coef = np.empty((len(A), len(scaled)))
        coef[:, scaled] = part * self.scale[scaled]
        coef[:, ~scaled] = A[:, rank:]
        return coef, b - coef @ self.centre


AnyRowSpace = RowSpace[Source] | ScaledRowSpace[Source]


@dataclass(frozen=True)
class Reflections:
    """Q stored as LAPACK's Householder reflections; forming Q would take three times the work."""

    vectors: np.ndarray
    tau: np.ndarray

    def times(self, parameters: np.ndarray, transposed: bool = False) -> np.ndarray:
        """Parameters times Q, or times Q' if `transposed`."""
        columns = np.zeros((len(self.vectors), len(parameters)), order="F")
        if not len(self.tau):  # rank zero, which LAPACK refuses
            return np.ascontiguousarray((columns if transposed else columns[:0]).T)
        columns[: parameters.shape[1]] = parameters.T
        kind = "N" if transposed else "T"
        size = int(lapack.dormqr("L", kind, self.vectors, self.tau, columns, -1)[1][0])
        columns, _, _ = lapack.dormqr(
            "L", kind, self.vectors, self.tau, columns, size, overwrite_c=1
        )
        return np.ascontiguousarray((columns if transposed else columns[: len(self.tau)]).T)


def row_space(data: Rows, moments: Moments) -> RowSpace[Rows]:
    """Factor all rows of dense data, if the penalty determines what the rows do not.

    For a row that depends linearly on others, the remainder after projection is rounding error. The
    penalty keeps the coefficients along it near zero. A remainder whose squares would underflow is
    set to zero.
    """
    centre = moments.centre(data.fit_intercept)
    rows = np.subtract(data.X, centre, dtype=np.float64)
    order, uneven = _largest_first(np.linalg.norm(rows, axis=0))
    if uneven:
        rows = rows[:, order]
    else:
        order = np.arange(len(centre))  # columns keep their order, `rows` is not copied
    Q, upper, *pivots = scipy.linalg.qr(
        rows.T, mode="raw", pivoting=uneven, overwrite_a=True, check_finite=False
    )
    upper[np.abs(upper).max(axis=1) <= EPS**2 * np.abs(upper).max()] = 0.0
    L = np.ascontiguousarray(upper.T)
    if uneven:
        L[pivots[0]] = L.copy()
    return RowSpace(replace(data, X=L), Reflections(*Q), centre, order)


def independent_row_space(data: Rows, moments: Moments) -> RowSpace[Rows]:
    """Factor linearly independent rows only, for a penalty that is zero or negligible.

    The rank is computed from columns that are scaled to one size. Q is computed from the unscaled
    columns, because their coefficients must have the least norm. Rows of weight zero are projected
    on the space of the other rows.
    """
    centre, weighted, X = moments.centre(data.fit_intercept), data.weighted, data.dense()
    # Sizes are not weighted: a row of very small weight would be lost in the sums.
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


class Scalable(Protocol):
    """Rows whose columns can be scaled and joined."""

    @property
    def fit_intercept(self) -> bool:
        """Whether the model has an intercept."""
        ...

    def scaled_columns(self, columns: np.ndarray, centre: np.ndarray, scale: np.ndarray) -> Self:
        """A dense copy of some columns, less `centre` and times `scale`."""
        ...

    def with_more_columns(self, others: Self, columns: np.ndarray) -> Self:
        """A dense copy of these rows with some columns of other rows appended."""
        ...

    def row_space(self, moments: Moments, independent: bool) -> AnyRowSpace[Self]:
        """The rows in coordinates of their row space."""
        ...


Scaled = TypeVar("Scaled", bound=Scalable)


def scaled_row_space(
    data: Scaled, moments: Moments, independent: bool, scale: np.ndarray
) -> ScaledRowSpace[Scaled]:
    """Scale the columns with a positive `scale`, and factor their rows, see `RowSource.row_space`.

    The centre is subtracted before a column is scaled, because the product is rounded. If
    `independent`, it is subtracted later: the rank is computed from the rounding errors of numbers
    that are not centred.
    """
    scaled = scale > 0
    columns, factors = np.flatnonzero(scaled), scale[scaled]
    centre = moments.centre(data.fit_intercept)
    centre = np.where(scaled & (not independent), centre, 0.0)
    part = data.scaled_columns(columns, centre[columns], factors)
    known = moments.of_columns(columns).after(centre[columns], factors)
    space = part.row_space(known, independent)
    joined = space.data.with_more_columns(data, np.flatnonzero(~scaled))
    return ScaledRowSpace(joined, space, centre, scale)


def _largest_first(size: np.ndarray) -> tuple[np.ndarray, bool]:
    """Indices of the columns from large to small, and whether QR needs pivoting.

    QR needs pivoting if the sizes differ much. With large columns first and with pivoting, rounding
    errors in a column are as small as this column (A. J. Cox, N. J. Higham, "Stability of
    Householder QR factorization for weighted least squares problems", Numerical Analysis 1997).
    """
    order = np.argsort(-size, kind="stable")
    return order, bool(size[order[0]] > tuning.UNEVEN_COLUMNS * size[size > 0].min(initial=np.inf))


def reciprocal(size: np.ndarray) -> np.ndarray:
    """Powers of two near 1 / size; 0 where `size` is 0."""
    return np.where(size > 0, np.ldexp(1.0, -np.frexp(size)[1]), 0.0)


def independent_rows(upper: np.ndarray, n_terms: int, eps: float) -> tuple[np.ndarray, np.ndarray]:
    r"""Choose a maximal set of linearly independent rows.

    The rank is the number of pivots in a pivoted QR factorisation of `upper` that are above
    `FACTOR_ROUNDINGS` :math:`\varepsilon \sqrt{\text{n_terms}}` times the largest pivot, or times
    one if all pivots are smaller than one.

    Parameters
    ----------
    upper : (n, n) array
        Triangle of a QR factorisation of the transposed rows, one column for each row. The rows are
        scaled so that, before centring, their entries are of size one, with an error of `eps`.
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
