"""Rescaling of columns without a penalty whose squares overflow or underflow."""

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
    """A change of coordinates that multiplies columns by powers of two, without rounding.

    Parameters
    ----------
    data : RowSource
        The rows with columns multiplied by 2^exponents.
    moments : Moments
        Moments of `data`.
    exponents : (d,) array of int
    """

    data: RowSource
    moments: Moments
    exponents: np.ndarray

    def enter(self, coef: np.ndarray, intercept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Parameters of the original columns -> parameters of the rescaled columns."""
        return np.ldexp(coef, -self.exponents), intercept

    def leave(self, coef: np.ndarray, intercept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Parameters of the rescaled columns -> parameters of the original columns."""
        with np.errstate(over="ignore"):
            coef = np.ldexp(coef, self.exponents)
        finite = np.isfinite(coef).all(axis=0)
        if not finite.all():
            raise ValueError(
                f"X has numbers in column {int(np.argmin(finite))} so small that their coefficient "
                "overflows float64: rescale the column."
            )
        return coef, intercept


def read(data: RowSource, penalty: Penalty) -> tuple[Moments, Penalty, Units | None]:
    """Compute the moments of X, and decide whether the penalty matters and units must change.

    Returns
    -------
    moments : Moments
        Moments of the original X.
    penalty : Penalty
        The given penalty, or zero if that is too weak to matter: its curvature is less than epsilon
        squared times the curvature of every column. At a finite maximum such a penalty changes
        coefficients by less than float64 resolves. If classes can be separated, it would stop the
        growth of coefficients only when losses are epsilon squared times the losses at zero. With
        factors this applies to each feature.
    units : Units or None
        The rescaling, if squares of some columns without a penalty overflow or underflow. (A
        penalty depends on the units of the columns.) Otherwise None.

    Raises
    ------
    ValueError
        If squares of a column with a penalty overflow.
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
    free = penalty.at_most(0.0, len(odd))
    check_overflow(data, first, ~free)
    if not (odd & free).any():
        return moments_of(data, first), penalty, None
    exponents = np.where(free & (largest > 0), -np.frexp(largest)[1], 0)
    scaled = data.with_columns(np.arange(len(odd)), exponents)
    moments = compute_moments(scaled)
    return moments.in_units(-exponents), penalty, Units(scaled, moments, exponents)


def _visible(penalty: Penalty, total: float, size: float) -> Penalty:
    """The penalty without the part that is too weak to matter, see `read`."""
    return penalty.unless_invisible(EPS * np.sqrt(total) * size)
