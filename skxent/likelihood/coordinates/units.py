"""A change of the units of columns whose squares overflow or underflow, for no penalty."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.base import RowSource
from skxent.likelihood.sources.first_sums import Moments
from skxent.likelihood.sources.moments import (
    check_overflow,
    compute_moments,
    moments_of,
    out_of_range,
)

EPS = float(np.finfo(float).eps)


@dataclass(frozen=True)
class Units:
    """A change of coordinates to columns times powers of two, which is exact.

    Parameters
    ----------
    data : RowSource
        With the columns times 2^exponents.
    moments : Moments
        Of `data`.
    exponents : (d,) array of int
    """

    data: RowSource
    moments: Moments
    exponents: np.ndarray

    def enter(self, coef: np.ndarray, intercept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Parameters of the columns as they are -> parameters in these units."""
        return np.ldexp(coef, -self.exponents), intercept

    def leave(self, coef: np.ndarray, intercept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Parameters in these units -> parameters of the columns as they are."""
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
    """Read X for the first time, for a fit with a penalty.

    Returns
    -------
    moments : Moments
        Of X as it is.
    penalty : Penalty
        Zero if the penalty is too weak to be seen: if its curvature is less than a squared epsilon
        of the curvature of every column. At a finite maximum such a penalty changes coefficients by
        less than float64 resolves. If classes can be separated, it would stop the growth of the
        coefficients only at losses of a squared epsilon of their size at zero, which no sum shows.
    units : Units or None
        The change of units, if squares of some columns overflow or underflow and there is no
        penalty, which would depend on the units.

    Raises
    ------
    ValueError
        If squares of a column overflow and there is a penalty.
    """
    first = data.first_sums()
    odd = out_of_range(data, first)
    if not odd.any():
        moments = moments_of(data, first)
        size = np.sqrt(moments.mean_square(moments.centre(data.fit_intercept)))
        smallest = float(size[size > 0].min(initial=np.inf))
        return moments, _visible(penalty, moments.class_weight.sum(), smallest), None
    columns = np.flatnonzero(odd)
    largest = np.zeros(len(odd))
    origin = first.origin if data.fit_intercept else np.zeros_like(first.origin)
    largest[columns] = data.largest_distance(columns, origin[columns])
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
    moments = compute_moments(scaled)
    return moments.in_units(-exponents), penalty, Units(scaled, moments, exponents)


def _visible(penalty: Penalty, total: float, size: float) -> Penalty:
    """The penalty, or none if it is too weak to be seen."""
    return penalty.unless_invisible(EPS * np.sqrt(total) * size)
