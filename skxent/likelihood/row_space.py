"""Fewer features for more features than rows: coordinates in the space that the rows span."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import scipy.linalg
from scipy.linalg import lapack

from skxent.likelihood.data import Data


@dataclass(frozen=True)
class RowSpace:
    """Data in coordinates of the space that their rows span.

    With orthonormal Q the centred rows are X = L Q', L an (n, n) triangle. The gradient is a
    combination of rows, so the minimiser is W = A Q', and the penalty of A is that of W: the fit
    on L is the fit on X, exactly.

    Parameters
    ----------
    data : Data
        With L for X.
    Q : Any
        (d, n), as `times` takes it: LAPACK's reflections, which are had and applied in a third of
        the time that Q itself takes.
    centre : (d,) array
        What rows are measured from, zeros without an intercept.
    """

    data: Data
    Q: Any
    centre: np.ndarray

    @classmethod
    def of(cls, data: Data, mean: np.ndarray) -> Self:
        """Factor the rows of dense data."""
        centre = mean if data.fit_intercept else np.zeros_like(mean)
        rows = np.subtract(data.X, centre, dtype=np.float64)
        Q, upper = scipy.linalg.qr(rows.T, mode="raw", overwrite_a=True, check_finite=False)
        return cls(replace(data, X=np.ascontiguousarray(upper.T)), Q, centre)

    def enter(self, coef: np.ndarray, intercept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Parameters for rows as they are -> A, a."""
        return self.times(coef), intercept + coef @ self.centre

    def leave(self, A: np.ndarray, a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A, a -> parameters for rows as they are."""
        coef = self.times(A, transposed=True)
        return coef, a - coef @ self.centre

    def times(self, parameters: np.ndarray, transposed: bool = False) -> np.ndarray:
        """Parameters times Q, or its transpose."""
        reflections, tau = self.Q
        n = self.data.n_rows
        columns = np.zeros((len(self.centre), len(parameters)), order="F")
        columns[: parameters.shape[1]] = parameters.T
        kind = "N" if transposed else "T"
        size = int(lapack.dormqr("L", kind, reflections, tau, columns, -1)[1][0])
        columns, _, _ = lapack.dormqr("L", kind, reflections, tau, columns, size, overwrite_c=1)
        return np.ascontiguousarray((columns if transposed else columns[:n]).T)
