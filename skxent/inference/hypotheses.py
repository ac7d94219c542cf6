"""Linear hypotheses R beta = r on q coefficients: reading, checks and the Wald statistic."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from skxent.inputs.fit_targets import Floats

SINGULAR = 1e-12  # a covariance with a smaller reciprocal condition number counts as singular


def hypotheses(R: ArrayLike, r: ArrayLike, q: int) -> tuple[Floats, Floats]:
    """Return the rows of R and r, scaled so that the largest entry of a row is about one."""
    rows, right = np.atleast_2d(_real(R, "R")), _real(r, "r")
    if rows.ndim != 2 or rows.shape[1] != q or not len(rows):
        raise ValueError(
            f"R has shape {rows.shape}: pass at least one row, with a column for each of the {q} "
            "coefficients in row-major order."
        )
    if not np.isfinite(rows).all():
        row, column = np.argwhere(~np.isfinite(rows))[0]
        raise ValueError(f"R[{row}, {column}] is {rows[row, column]}: pass finite numbers.")
    if right.shape not in ((), (len(rows),)) or not np.isfinite(right).all():
        raise ValueError(
            f"r is {r!r}: pass a finite number, or one for each of the {len(rows)} rows of R."
        )
    # Scaling changes no hypothesis, and avoids overflow and underflow of squares.
    exponent = -np.frexp(np.abs(rows).max(axis=1))[1]
    return np.ldexp(rows, exponent[:, None]), np.ldexp(right, exponent)


def _real(values: ArrayLike, name: str) -> Floats:
    array = np.asarray(values)
    if array.dtype.kind not in "biufO":
        raise TypeError(f"{name} holds {array.dtype} values: pass real numbers.")
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} is no array of numbers: {error}.") from error


def quadratic_form(V: Floats, x: Floats, if_singular: str) -> float:
    """Return x' V^-1 x for a covariance V, or raise ValueError(if_singular)."""
    scale = np.sqrt(np.diagonal(V))
    if not scale.all() or np.linalg.cond(V / np.outer(scale, scale)) * SINGULAR > 1.0:
        raise ValueError(if_singular)
    scaled = x / scale
    return float(scaled @ np.linalg.solve(V / np.outer(scale, scale), scaled))
