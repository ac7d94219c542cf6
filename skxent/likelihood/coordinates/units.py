"""A change of units, without penalty, of columns whose squares overflow or underflow float64."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from skxent.likelihood.coordinates.rank import centre_of
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.base import RowSource
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import (
    FirstSums,
    Moments,
    check_overflow,
    first_read,
    moments_of,
    out_of_range,
)

EPS = float(np.finfo(float).eps)
ROWS = 1024  # without weight that are looked at in one go
OVERFLOWS = 1e150  # a number whose square, times what curvature adds, is near the end of float64


@dataclass(frozen=True)
class Units:
    """Data with some columns times powers of two, which is exact.

    Parameters
    ----------
    data : Place
        With the columns times 2^exponents.
    moments : Moments
        Of these columns.
    exponents : (d,) array of int
    """

    data: RowSource
    moments: Moments
    exponents: np.ndarray

    def enter(self, coef: np.ndarray, intercept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Parameters of the columns as they are -> in these units."""
        return np.ldexp(coef, -self.exponents), intercept

    def leave(self, coef: np.ndarray, intercept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Parameters in these units -> of the columns as they are."""
        with np.errstate(over="ignore"):
            coef = np.ldexp(coef, self.exponents)
        finite = np.isfinite(coef).all(axis=0)
        if not finite.all():
            raise ValueError(
                f"X has numbers in column {int(np.argmin(finite))} so small that their coefficient "
                "is beyond float64: scale it."
            )
        return coef, intercept


def read(data: RowSource, penalty: Penalty) -> tuple[Moments, Penalty, Units | None]:
    """The first read of X for a fit with a penalty.

    Returns
    -------
    moments : Moments
        Of X as it is.
    penalty : Penalty
        None if it is too weak to be seen: its curvature is less than a squared epsilon of
        the curvature of every column. At a finite maximum it changes coefficients by less than
        float64 resolves. If classes can be separated, it would end the growth of coefficients only
        when losses are a squared epsilon of their size at zero, which no sum shows.
    units : Units or None
        The change of units, if squares of some columns overflow or underflow and no penalty
        depends on the units.

    Raises
    ------
    ValueError
        For numbers whose squares overflow, where there is a penalty.
    """
    first: FirstSums = data.sum(FirstSums.of)
    odd = out_of_range(data, first)
    if not odd.any():
        moments = moments_of(data, first)
        size = np.sqrt(moments.mean_square(centre_of(data, moments)))
        smallest = float(size[size > 0].min(initial=np.inf))
        return moments, _visible(penalty, moments.class_weight.sum(), smallest), None
    columns = np.flatnonzero(odd)
    largest = np.zeros(len(odd))
    origin = first.origin if data.fit_intercept else np.zeros_like(first.origin)
    largest[columns] = data.sum(largest_of, columns, origin[columns], add=np.maximum)
    with np.errstate(over="ignore", invalid="ignore"):
        size = np.hypot(np.sqrt(first.squares / first.class_weight.sum()), first.origin - origin)
    size = np.where(odd, largest, size)
    smallest = float(size[size > 0].min(initial=np.inf))
    penalty = _visible(penalty, first.class_weight.sum(), smallest)
    if not penalty.is_zero:
        check_overflow(data, first)
        return moments_of(data, first), penalty, None
    exponents = np.where(largest > 0, -np.frexp(largest)[1], 0)
    scaled = data.with_columns(np.arange(len(odd)), exponents)
    moments = first_read(scaled)
    return moments.in_units(-exponents), penalty, Units(scaled, moments, exponents)


def without_far_weightless(data: RowSource) -> RowSource:
    """The data, with zeros for rows without weight if squares in such a row overflow.

    Zero times an infinite square would be no number.
    """
    if (
        not isinstance(data, LocalRows)
        or data.immovable
        or data.weight is None
        or data.weight.all()
    ):
        return data
    rows = np.flatnonzero(data.weight == 0)
    for start in range(0, len(rows), ROWS):
        some = data.X[rows[start : start + ROWS]]
        if float(np.abs(some.data if data.sparse else some).max(initial=0.0)) > OVERFLOWS:
            break
    else:
        return data
    X = data.X.copy()
    if data.sparse:
        X.data[np.repeat(data.weight == 0, np.diff(X.indptr))] = 0.0
    else:
        X[rows] = 0.0
    return replace(data, X=X)


def _visible(penalty: Penalty, total: float, size: float) -> Penalty:
    """The penalty, or none if it is too weak to be seen."""
    return penalty.unless_invisible(EPS * np.sqrt(total) * size)


def largest_of(data: Any, columns: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """Largest distance from `origin` in some columns."""
    most = np.zeros(len(columns))
    for i, column in enumerate(columns):
        x = data.X[:, [column]]
        x = np.asarray(x.toarray() if data.sparse else x, dtype=np.float64)[:, 0]
        x = x if data.weight is None else x[data.weight > 0]
        most[i] = np.abs(x - origin[i]).max(initial=0.0)
    return most
