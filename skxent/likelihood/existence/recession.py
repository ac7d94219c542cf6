r"""Which coefficients grow without bound if classes are separated, and in which direction.

A **direction of recession** is a direction of the cone, along which no loss rises. For a linear
function :math:`f` of the parameters, such as a coefficient, a linear programme maximises f over the
cone within a box. If the maximum is zero, no direction of recession increases f. Otherwise one
does, and parameters with f as large as desired have a likelihood as near its supremum as desired
[1]_.

References
----------
.. [1] C. J. Geyer, "Likelihood inference in exponential families and directions of recession",
   Electronic Journal of Statistics 3, 2009. :doi:`10.1214/08-EJS349`
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

import numpy as np

from skxent.likelihood.existence.cone import Cone
from skxent.likelihood.existence.separation import widest_direction
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import compute_moments
from skxent.likelihood.sources.thread_limits import one_blas_thread

# Smallest maximum of a function that counts as above zero, if the largest coefficient of the
# function is one and no entry of the direction is above one. HiGHS errs by about 1e-9.
INCREASE = 1e-7


def recedes(data: LocalRows, functions: Sequence[np.ndarray]) -> np.ndarray:
    """Tell whether directions of recession increase functions of the parameters.

    Parameters
    ----------
    data : LocalRows
    functions : sequence of (K, d + 1) arrays
        The coefficients of linear functions of the parameters of all classes for the original
        columns, intercept last. Each column sums to zero, because logits are only known up to a
        common shift.

    Returns
    -------
    (m,) array of bool

    Raises
    ------
    Undecided
        As `find_separation`.
    """
    with closing(one_blas_thread()) as limit, limit:
        cone = Cone(data, compute_moments(data))
        start = np.zeros(cone.shape)
        found = np.zeros(len(functions), dtype=bool)
        for i, function in enumerate(functions):
            slope = _slope(cone, function)
            slope /= np.abs(slope).max()
            direction = cone.steepest(start, slope)
            found[i] = direction is not None and float((slope * direction).sum()) > INCREASE
        return found


def impossible_classes(data: LocalRows) -> np.ndarray:
    """Return the mask, (K, n), of classes whose probabilities go to zero near the supremum.

    These are the classes from which samples are separated by some direction of recession. The other
    probabilities converge to those of the maximum of a likelihood without these classes.
    """
    with closing(one_blas_thread()) as limit, limit:
        cone = Cone(data, compute_moments(data))
        direction = widest_direction(cone, None)
        found = np.zeros((data.n_classes, data.X.shape[0]), dtype=bool)
        for chunk in cone.chunks():
            found[:, chunk.rows] = cone.clear(direction, chunk)
        return found


def _slope(cone: Cone, function: np.ndarray) -> np.ndarray:
    """Return the gradient of a function of the parameters by the direction in the cone."""
    d = cone.n_features
    rows = function[: cone.shape[0]]
    slope = np.empty(cone.shape)
    slope[:, :d] = (rows[:, :d] - np.outer(rows[:, d], cone.shift)) * cone.scale
    slope[:, d:] = rows[:, d : d + cone.data.fit_intercept]
    return slope
