"""What a fit ends with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skxent.likelihood.existence.separation import Separation
from skxent.likelihood.optimise.row_factor import Extreme


def nats_of_tol(value: float) -> float:
    """Nats by which `tol` is multiplied to give the target gap, for an objective of `value`.

    That is one nat for an objective between one and a thousand nats, a thousandth of a larger
    objective, and a smaller objective itself. On nearly separable data the objective is small, and
    a gap of a millionth of a nat is far from the minimum. And if all weights and the penalty are
    multiplied by a small number, the fit stays the same.
    """
    return max(min(1.0, value), 1e-3 * value)


@dataclass(frozen=True)
class Solution:
    """What a fit ends with.

    Parameters
    ----------
    coef : (R, d) array
    intercept : (R,) array
        Parameters for samples as they are, not centred.
    value, log_likelihood : float
        The objective, and its part without the penalty with the sign changed, in nats.
    gap : float
        Distance of `value` from the minimum, in nats: an estimate if `converged`, else an upper
        bound.
    target : float
        The gap that was asked for, in nats: `tol` times `nats_of_tol`, or what float64 resolves of
        the objective where that is more.
    converged : bool
        Whether the gap is within what was asked for, and certain to be, and a finite minimum is
        known to exist.
    unbounded : bool
        Whether logits go to infinity as the gap goes to zero: there is no finite minimum.
    stopped : bool
        Whether the caller's report ended the fit.
    n_iterations : int
    n_passes : float
        Reads of X, those of samples as fractions.
    curve : tuple of (passes, value)
        The objective after each iteration on all rows.
    extreme : Extreme or None
        The entry of X that is out of proportion, where that kept the fit from its minimum.
    proved : bool
        Whether the end of the fit proves that a finite minimum exists.
    decided : bool
        Whether it is known, from the end or by linear programmes, that one exists or not.
    separation : Separation or None
        What the programmes found.
    present : (K,) array of bool or None
        Which classes have weight, where others have none and were left out.
    """

    coef: np.ndarray
    intercept: np.ndarray
    value: float
    log_likelihood: float
    gap: float
    target: float
    converged: bool
    unbounded: bool
    stopped: bool
    n_iterations: int
    n_passes: float
    curve: tuple[tuple[float, float], ...]
    extreme: Extreme | None = None
    proved: bool = True
    decided: bool = True
    separation: Separation | None = None
    present: np.ndarray | None = None

    @property
    def short(self) -> bool:
        """Whether the fit ended before the gap was within what was asked for."""
        known = self.decided or self.gap > self.target
        return known and not (self.converged or self.unbounded)
