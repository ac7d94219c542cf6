"""A change of coordinates from all columns to linearly independent columns."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import scipy.linalg
from scipy.linalg import solve_triangular

from skxent.likelihood import tuning
from skxent.likelihood.coordinates.rank import ColumnBasis
from skxent.likelihood.sources.base import RowSource
from skxent.likelihood.sources.first_sums import Moments

Factors = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class IndependentColumns:
    r"""A change of coordinates from all columns to independent columns J.

    The centred X is :math:`X_J T`, so coefficients W of all columns give the same logits as
    coefficients :math:`B = W T^\top` of the columns J. Of all W with the same B, the one of **least
    norm** is :math:`B (T T^\top)^{-1} T`. It is the limit of penalised fits as the penalty goes to
    zero. If most columns are independent, the least-norm W is computed in another way: start from B
    for the columns J and zero for the others, and subtract the component along the directions N
    that change no logit.

    Parameters
    ----------
    data : RowSource
        The rows with the columns J only.
    moments : Moments
        Moments of `data`.
    basis : ColumnBasis
    centre : (d,) array
        Subtracted from each row of X.
    """

    data: RowSource
    moments: Moments
    basis: ColumnBasis
    centre: np.ndarray

    @classmethod
    def of(cls, data: RowSource, moments: Moments, basis: ColumnBasis) -> Self:
        """Make the change that leaves out the columns that are not in `basis`."""
        few = data.with_columns(basis.columns)
        return cls(
            few, moments.of_columns(basis.columns), basis, moments.centre(data.fit_intercept)
        )

    def enter(self, coef: np.ndarray, intercept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Parameters of all columns -> parameters of the independent columns."""
        B = self._scaled_logits(coef) * self._unit
        return B, intercept + coef @ self.centre - B @ self.centre[self.basis.columns]

    def leave(self, B: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Parameters of the independent columns -> parameters of all columns with least norm."""
        columns = self.basis.columns
        coef = np.zeros((len(B), len(self.centre)))
        if 2 * len(columns) > len(self.centre):
            coef[:, columns] = B
            coef -= self._along_null(coef)
        else:
            wanted = B / self._unit
            for _ in range(1 + tuning.REFINEMENTS):
                coef += self._least_norm(wanted - self._scaled_logits(coef))
        return coef, b + B @ self.centre[columns] - coef @ self.centre

    @property
    def _unit(self) -> np.ndarray:
        return self.basis.scale[self.basis.columns]

    @cached_property
    def _map(self) -> np.ndarray:
        """Map (d, r) from coefficients of all columns to those of the scaled columns J."""
        scale = self.basis.scale
        inverse = np.divide(1.0, scale, out=np.zeros_like(scale), where=scale > 0)
        return (self.basis.combinations * inverse).T

    @cached_property
    def _map_factors(self) -> Factors:
        return _factored(self._map)

    @cached_property
    def _null(self) -> np.ndarray:
        """Directions that change no logit, one for each dependent column, (d, m)."""
        basis = self.basis
        others = np.setdiff1d(np.flatnonzero(basis.scale), basis.columns)
        null = np.zeros((len(basis.scale), len(others)))
        null[basis.columns] = -basis.combinations[:, others] * self._unit[:, None]
        null[others, np.arange(len(others))] = basis.scale[others]
        return null / np.abs(null).max(axis=0, initial=0.0)

    @cached_property
    def _null_factors(self) -> Factors:
        return _factored(self._null)

    def _scaled_logits(self, coef: np.ndarray) -> np.ndarray:
        logits: np.ndarray = coef @ self._map
        return logits

    def _least_norm(self, wanted: np.ndarray) -> np.ndarray:
        """The least-norm W with W M = `wanted`, where M is `_map`.

        With the pivoted factorisation M P = Q R, W = (R'^-1 P' wanted')' Q'. Constant columns get
        coefficients of zero.
        """
        order, Q, R, pivot = self._map_factors
        coef = np.zeros((len(wanted), len(order)))
        if R.size:
            y = solve_triangular(R, wanted[:, pivot].T, trans="T", check_finite=False)
            coef[:, order] = (Q @ y).T
        return coef

    def _along_null(self, coef: np.ndarray) -> np.ndarray:
        """Component of `coef` that changes no logit: its projection on the span of `_null`."""
        order, Q, R, pivot = self._null_factors
        y = np.zeros((len(pivot), len(coef)))
        if R.size:
            y[pivot] = solve_triangular(R, Q.T @ coef[:, order].T, check_finite=False)
        part: np.ndarray = (self._null @ y).T
        return part


def _factored(matrix: np.ndarray) -> Factors:
    """Pivoted QR factors of a matrix with its rows in order from large to small.

    Returns this order, Q, R and the pivots. In this order rounding errors in a row are as small as
    the row (A. J. Cox, N. J. Higham, "Stability of Householder QR factorization for weighted least
    squares problems", Numerical Analysis 1997).
    """
    order = np.argsort(-np.abs(matrix).max(axis=1, initial=0.0), kind="stable")
    if not matrix.size:
        return order, np.zeros_like(matrix), np.zeros((0, 0)), np.arange(0)
    return order, *scipy.linalg.qr(
        matrix[order], mode="economic", pivoting=True, check_finite=False
    )
