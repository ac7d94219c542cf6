r"""Maps that recalibrate predictions, fitted to the same samples.

**Isotonic regression**, for two classes: the probability of the second class is the best-fitting
non-decreasing function of its score, found by pooling adjacent violators. The same function is best
under every proper score, cross-entropy included (R. E. Barlow, H. D. Brunk, "The isotonic
regression problem and its dual", Journal of the American Statistical Association 67, 1972,
doi:10.1080/01621459.1972.10481216).

**Scaling**, for any number K of classes: bias-corrected temperature scaling,

.. math:: \log q'_{ik} = a \log q_{ik} + b_k - \text{normaliser}, \qquad a \ge 0,

fitted by maximum likelihood: the map "bias" of `calibration_maps`.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.isotonic import isotonic_regression

from skxent.inputs.namespaces import Floats
from skxent.inputs.stacklevel import users_stacklevel
from skxent.metrics.calibration_maps import fit_map
from skxent.metrics.newton import CONVERGED


def isotonic(scores: np.ndarray, sides: Floats, weight: Floats) -> Floats:
    """Return the probabilities of no and of yes for each score, (n, 2).

    `sides` (n, 2) holds the target probabilities of no and of yes. Only the order of the scores
    matters, so they are replaced by their ranks, which rounding cannot make equal. Both
    probabilities have full relative accuracy: a "no" of tiny weight among many "yes" gets a tiny
    probability, not 0.
    """
    _, ranks = np.unique(scores, return_inverse=True)
    weight = weight / weight.max()  # sums do not overflow
    totals = np.stack([np.bincount(ranks, weight * side) for side in sides.T])
    known = totals.sum(axis=0) > 0
    starts = _starts_of_blocks(*totals[:, known])
    pooled = np.add.reduceat(totals[:, known], starts, axis=1)
    fitted = np.repeat(pooled / pooled.sum(axis=0), np.diff(starts, append=known.sum()), axis=1)
    # Scores whose samples all have weight 0 are interpolated between their neighbours.
    places = np.flatnonzero(known)
    return np.column_stack([np.interp(ranks, places, side) for side in fitted])


def _starts_of_blocks(no: Floats, yes: Floats) -> NDArray[np.intp]:
    """Pool adjacent violators: return where each block of equal fitted probability starts.

    A probability near 1 is rounded, but its complement keeps its digits. The blocks are therefore
    read from the regression of the less likely outcome.
    """
    total = no + yes
    rising = isotonic_regression(yes / total, sample_weight=total)
    falling = isotonic_regression(no / total, sample_weight=total, increasing=False)
    low = rising < 0.5
    changes = np.where(low[1:], np.diff(rising) != 0, np.diff(falling) != 0)
    changes |= low[1:] != low[:-1]
    return np.flatnonzero(np.append(True, changes))


def scaling(log_q: Floats, target: np.ndarray, rates: Floats, weight: Floats) -> Floats:
    """Return logits of the scaled predictions, (n, K), -inf for a class that the truth lacks.

    Parameters
    ----------
    log_q : (n, K) array
        Log-probabilities, all finite; a constant added to a row has no effect.
    target : (n,) or (n, K) array
        Codes or soft rows.
    rates : (K,) array
        Shares of the classes in the truth.
    weight : (n,) array
    """
    there = np.flatnonzero(rates)
    Y = np.searchsorted(there, target) if target.ndim == 1 else target[:, there]
    fitted = fit_map("bias", log_q[:, there], Y, weight)
    if fitted.gap > CONVERGED:
        warnings.warn(
            "the scaling that recalibrates y_pred did not reach its optimum: miscalibration and "
            f"discrimination may be too small by {fitted.gap:.2g} nats. Look for extreme values in "
            "y_pred or sample_weight.",
            ConvergenceWarning,
            stacklevel=users_stacklevel(),
        )
    logits = np.full(log_q.shape, -np.inf)
    logits[:, there] = fitted.map.logits(log_q[:, there])
    return logits
