"""The result of a fit, and the gap at which a fit has converged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skxent.likelihood import tuning
from skxent.likelihood.existence.separation import Separation
from skxent.likelihood.optimise.row_factor import Extreme


def target_gap(tol: float, value: float, rounding: float = 0.0) -> float:
    """Return the gap, in nats, at which a fit has converged.

    It is `tol` nats for an objective between one and a thousand nats, `tol` thousandths of a larger
    objective, and `tol` times a smaller objective. On nearly separable data the objective is small,
    and a gap of a millionth of a nat is far from the minimum. If all weights and the penalty are
    multiplied by a small number, the fit stays the same.

    Parameters
    ----------
    tol : float
        The tolerance of the fit.
    value : float
        The objective, in nats.
    rounding : float
        Rounding error of the objective, in nats. The target is at least a few rounding errors,
        because a smaller gap cannot be resolved.
    """
    return max(tol * max(min(1.0, value), 1e-3 * value), tuning.ROUNDINGS * rounding)


@dataclass(frozen=True)
class Solution:
    """The result of a fit.

    Parameters
    ----------
    coef : (R, d) array
    intercept : (R,) array
        Parameters for the samples of the user, which are not centred.
    value, log_likelihood : float
        The objective and the log-likelihood, in nats.
    gap : float
        Distance of `value` from the minimum, in nats: an estimate if `converged`, else an upper
        bound.
    target : float
        The gap at which the fit has converged, in nats: see `target_gap`.
    converged : bool
        Whether the gap is certain to be at most `target`, and a finite minimum is known to exist.
    unbounded : bool
        Whether logits go to infinity as the gap goes to zero: there is no finite minimum.
    stopped : bool
        Whether the caller's function `report` ended the fit.
    n_iterations : int
    n_passes : float
        Number of reads of X. Reading a sample of the rows counts as a fraction.
    curve : tuple of (passes, value)
        The objective after each iteration on all rows.
    extreme : Extreme or None
        The entry of X that is far larger than others of its column, if it kept the fit from
        converging.
    proved : bool
        Whether the last step of the fit proves that a finite minimum exists.
    decided : bool
        Whether the last step or linear programmes decided if a finite minimum exists.
    separation : Separation or None
        The direction that separates classes, if the linear programmes found one.
    present : (K,) array of bool or None
        Mask of the classes that have weight, if classes without weight were left out.
    unpenalised : (d,) array of bool or None
        Mask of the features without a penalty, or with one too weak to matter. None means all.
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
    unpenalised: np.ndarray | None = None

    @property
    def short(self) -> bool:
        """Whether the fit ended before its gap was certain to be at most the target."""
        known = self.decided or self.gap > self.target
        return known and not (self.converged or self.unbounded)
