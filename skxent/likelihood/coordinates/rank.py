r"""Numerical rank: which columns or rows of X are independent of the others in float64.

Without a penalty, coefficients are determined only up to directions that change no logit. If a fit
mistakes such a direction for one that changes logits a little, its coefficients are quotients of
rounding errors. Columns are therefore scaled to one size before numbers are compared, and each
threshold is a multiple of the rounding error of the number that is compared with it.

Columns
-------
The Gram matrix :math:`G = \sum_i w_i x_i x_i^\top` of centred and scaled columns costs one read of
X. In a pivoted Cholesky factorisation of G, the pivot of a column is the squared norm of its
residual after regression on the columns before. If a pivot is above `RANK_PIVOT`, which is far
above rounding, the column is independent. A smaller pivot may be rounding error only. The residuals
:math:`E = X_{rest} - X_J T` are therefore computed from X, with T corrected until E is orthogonal
to :math:`X_J` (the corrected semi-normal equations, Å. Björck, "Stability analysis of the method of
seminormal equations for linear least squares problems", Linear Algebra and its Applications 88/89,
1987, :doi:`10.1016/0024-3795(87)90101-7`). The error of a residual is about epsilon times the terms
of its sum. A column depends on the others if its residual is less than `FACTOR_ROUNDINGS` times
this error. The other residuals are scaled and factored in the same way.

Rows
----
If X has fewer rows than columns, independent rows are chosen by a pivoted QR factorisation of the
scaled rows, see `row_space.independent_rows`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack, solve_triangular

from skxent.likelihood import tuning
from skxent.likelihood.sources.base import RowSource
from skxent.likelihood.sources.first_sums import Moments
from skxent.likelihood.sources.moments import compute_moments
from skxent.likelihood.sources.row_space import reciprocal


@dataclass(frozen=True)
class ColumnBasis:
    """Linearly independent columns, and all columns as linear combinations of them.

    Parameters
    ----------
    columns : (r,) array of int
        Indices of the independent columns, in ascending order.
    combinations : (r, d) array
        ``X_scaled = X_scaled[:, columns] @ combinations``, where ``X_scaled`` is the centred X
        times `scale`.
    scale : (d,) array
        Powers of two that scale the columns to a standard deviation near one.
    least : float
        Smallest norm of the residual of an independent column after regression on the columns
        chosen before it, relative to the norm of the column; at most one.
    """

    columns: np.ndarray
    combinations: np.ndarray
    scale: np.ndarray
    least: float


def column_scale(moments: Moments, centre: np.ndarray) -> np.ndarray:
    """Powers of two that scale columns to standard deviations near one; 0 for constant columns."""
    return reciprocal(np.sqrt(moments.mean_square(centre)))


def independent_columns(data: RowSource, moments: Moments) -> ColumnBasis | None:
    """Choose a maximal set of linearly independent columns of X.

    Returns None if all columns are clearly independent. Constant columns are never chosen: they
    depend on the intercept, or are zero.
    """
    if data.n_features > tuning.RANK_WIDTH or few_rows_have_full_rank(data):
        return None
    return _Search(data, moments).run()


def few_rows_have_full_rank(data: RowSource, columns: np.ndarray | None = None) -> bool:
    """Whether a few evenly spaced rows prove that all columns, or some, are independent."""
    width = data.n_features if columns is None else len(columns)
    step = data.n_rows // (tuning.FULL_RANK_ROWS * width)
    local = data.in_memory()
    if step < 2 or local is None:
        return False
    rows = slice(None, None, step)
    few = local.of_rows(rows)
    if few.weight is not None and not few.weight.any():
        return False
    few = few if columns is None else few.with_columns(columns)
    moments = compute_moments(few)
    centre = moments.centre(few.fit_intercept)
    scale = column_scale(moments, centre)
    gram, _ = few.column_products(centre, scale, None)
    return len(_Factor.of(gram, _certain(few, moments, scale)).chosen) == len(gram)


def _certain(data: RowSource, moments: Moments, scale: np.ndarray) -> float:
    """Threshold for pivots: a larger squared residual of a unit column is not just rounding.

    Products of sparse columns are centred after summation, which loses digits if a mean is large.
    The threshold is then larger. It does not grow with means above `tuning.FAR_SPARSE_COLUMN`,
    because these are subtracted before summation.
    """
    if not data.sparse:
        return tuning.RANK_PIVOT
    far = float(
        np.max(np.minimum(np.abs(moments.mean * scale), tuning.FAR_SPARSE_COLUMN) ** 2, initial=0.0)
    )
    return max(
        tuning.RANK_PIVOT, min(tuning.CENTRING_ERROR * data.eps * far, tuning.FAR_RANK_PIVOT)
    )


class _Search:
    """The choice of independent columns, in levels.

    Each level chooses some columns, and subtracts their projections from the other columns. What
    remains of these, their residuals, is factored in the next level. Column j of `V` (d, d) holds
    the coefficients of the residual X V_j of column j, for scaled columns X. The residuals of the
    columns that a level chooses are orthogonal to those of all levels before, and later levels do
    not change them.
    """

    def __init__(self, data: RowSource, moments: Moments) -> None:
        self.data = data
        self.centre = moments.centre(data.fit_intercept)
        self.scale = column_scale(moments, self.centre)
        # The rounding error of an entry of X is epsilon times its size, which may be much larger
        # than its distance from the centre.
        size = np.sqrt(moments.mean_square()) * self.scale
        self.rms = np.sqrt(moments.class_weight.sum()) * size
        self.V = np.eye(len(self.scale))
        self.certain = _certain(data, moments, self.scale)
        far = self.certain > tuning.RANK_PIVOT
        self.corrections = tuning.FAR_GRAM_CORRECTIONS if far else tuning.GRAM_CORRECTIONS
        self.with_X, self.gram = data.column_products(self.centre, self.scale, None)
        self.size = np.sqrt(np.maximum(np.diagonal(self.gram), 0.0))
        self.levels: list[tuple[np.ndarray, _Factor]] = []
        self.least = 1.0

    def run(self) -> ColumnBasis | None:
        """Choose columns until the residuals of all other columns are only rounding errors."""
        varies = self.size > 0
        others = rest = np.flatnonzero(varies)
        gram = self.gram[np.ix_(rest, rest)]
        for _ in range(tuning.RANK_LEVELS):
            others = np.setdiff1d(others, self._choose(rest, gram))
            if not len(others):
                break
            residual = self._take_out(others)
            part = np.sqrt(np.maximum(np.diagonal(residual), 0.0)) / self.size[others]
            alive = part > self._rounding(others)
            rest, gram = others[alive], residual[np.ix_(alive, alive)]
            if not len(rest):
                break
        varies[others] = False
        columns = np.flatnonzero(varies)
        if len(columns) == len(varies) and self.least >= tuning.PLAIN_PIVOT:
            return None
        combinations = np.zeros((len(columns), len(varies)))
        combinations[:, others] = -self.V[np.ix_(columns, others)]
        combinations[np.arange(len(columns)), columns] = 1.0
        return ColumnBasis(columns, combinations, self.scale, self.least)

    def _choose(self, rest: np.ndarray, gram: np.ndarray) -> np.ndarray:
        """Choose the columns of `rest` whose residuals are certainly independent: one level."""
        factor = _Factor.of(gram, tuning.RANK_PIVOT if self.levels else self.certain)
        chosen = rest[factor.chosen]
        part = factor.L.diagonal() / (factor.scale * self.size[chosen])
        self.least = min(self.least, float(part.min()))
        self.levels.append((chosen, factor))
        return chosen

    def _take_out(self, others: np.ndarray) -> np.ndarray:
        """Regress the other columns on the chosen ones; return the Gram matrix of the residuals."""
        with_X = self.with_X[:, others]
        gram = self.gram
        for _ in range(1 + self.corrections):
            for chosen, factor in self.levels:
                U = self.V[:, chosen]
                self.V[:, others] -= U @ factor.solve(U.T @ with_X)
            with_X, gram = self.data.column_products(self.centre, self.scale, self.V[:, others])
        self.with_X[:, others] = with_X
        return gram

    def _rounding(self, others: np.ndarray) -> np.ndarray:
        """Upper bounds of the rounding errors of the residuals, relative to the column norms."""
        unit = tuning.FACTOR_ROUNDINGS * np.sqrt(len(self.scale)) * self.data.eps
        terms: np.ndarray = np.abs(self.V[:, others]).T @ self.rms
        return unit * terms / self.size[others]


def pivoted_cholesky(A: np.ndarray, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """Cholesky factor of a positive semidefinite matrix, and the chosen columns in pivot order.

    The largest pivot comes first. Columns whose pivots are at most `tolerance` are left out.
    """
    L, order, rank, _ = lapack.dpstrf(A, tol=tolerance, lower=1)
    return np.tril(L[:rank, :rank]), order[:rank] - 1


@dataclass(frozen=True)
class _Factor:
    """Cholesky factor of a Gram matrix, restricted to columns that are certainly independent.

    Parameters
    ----------
    chosen : (r,) array of int
        Indices of these columns.
    scale : (r,) array
        Factors that scale these columns to norm one.
    L : (r, r) array
        Lower Cholesky factor of the scaled Gram matrix of these columns.
    """

    chosen: np.ndarray
    scale: np.ndarray
    L: np.ndarray

    @classmethod
    def of(cls, gram: np.ndarray, certain: float) -> _Factor:
        """Factor with the largest pivot first, while the pivots are above `certain`."""
        size = np.sqrt(np.maximum(np.diagonal(gram), 0.0))
        scale = np.divide(1.0, size, out=np.zeros_like(size), where=size > 0)
        L, chosen = pivoted_cholesky(gram * scale * scale[:, None], certain)
        return cls(chosen, scale[chosen], L)

    def solve(self, b: np.ndarray) -> np.ndarray:
        """Solve G x = b for x, where G is the Gram matrix of the chosen columns."""
        b = solve_triangular(self.L, self.scale[:, None] * b, lower=True, check_finite=False)
        b = solve_triangular(self.L, b, lower=True, trans="T", check_finite=False)
        result: np.ndarray = self.scale[:, None] * b
        return result
