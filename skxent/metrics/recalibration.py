r"""Maps that recalibrate predictions, fitted to the same samples.

**Isotonic regression**, for two classes: the probability of the second class is the best-fitting
non-decreasing function of its score, found by pooling adjacent violators. The same function is best
under every proper score, cross-entropy included (R. E. Barlow, H. D. Brunk, "The isotonic
regression problem and its dual", Journal of the American Statistical Association 67, 1972,
doi:10.1080/01621459.1972.10481216).

**Scaling**, for any number K of classes: bias-corrected temperature scaling,

.. math:: \log q'_{ik} = a \log q_{ik} + b_k - \text{normaliser}, \qquad a \ge 0,

fitted by maximum likelihood. These maps include the identity (a = 1, b = 0) and the base rates
(a = 0).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator
from sklearn.exceptions import ConvergenceWarning
from sklearn.isotonic import isotonic_regression

from skxent.inputs.namespaces import Floats
from skxent.inputs.stacklevel import users_stacklevel
from skxent.likelihood.kernels import log_partition
from skxent.metrics.newton import Minimum, minimise

# Number of classes above which the Hessian is not formed, and only products with it are computed.
MOST_IN_A_MATRIX = 256
ROUNDING = 8 * float(np.finfo(np.float64).eps)  # relative, of a sum in a gradient


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
    there, kept = np.flatnonzero(rates), weight > 0
    Z = log_q[:, there]
    Z -= Z.mean(axis=1, keepdims=True)
    size = float(np.abs(Z[kept]).max()) or 1.0
    Z /= size  # squares do not overflow
    spread = float(np.sqrt(np.mean(Z[kept] ** 2))) or 1.0
    Z /= spread
    share, Y = weight[kept] / weight[kept].sum(), target[kept]
    if target.ndim == 1:
        wanted = np.take_along_axis(Z[kept], np.searchsorted(there, Y)[:, None], axis=1)[:, 0]
    else:
        wanted = (Y[:, there] * Z[kept]).sum(axis=1)
    margins = np.ascontiguousarray(Z[kept].T) - wanted
    slope, offset = _fitted(_Truth(margins, share, rates[there]), identity=size * spread)
    logits = np.full(log_q.shape, -np.inf)
    logits[:, there] = slope * Z + offset
    return logits


def _fitted(truth: _Truth, identity: float) -> tuple[float, Floats]:
    """Return slope and offsets; `identity` is the slope that leaves predictions unchanged."""
    constant = 0.0, np.log(truth.rates)
    if len(truth.rates) == 1 or not np.ptp(truth.margins, axis=0).any():
        return constant
    root = np.sqrt(truth.rates)
    flat = _Scaling.at(truth, np.append(0.0, constant[1] * root))
    if flat.gradient[0] >= 0:  # the function is convex: its minimum over slopes >= 0 is at 0
        return constant
    starts = [flat, _Scaling.at(truth, np.append(identity, 0.0 * root))]
    starts.sort(key=lambda start: start.value)
    found = minimise(starts[0])
    if not found.converged:
        found = min(
            found, minimise(starts[1]), key=lambda end: (not end.converged, end.point.value)
        )
        _warn_unless_converged(found)
    theta = found.point.theta
    return (theta[0], theta[1:] / root) if theta[0] > 0 else constant


def _warn_unless_converged(found: Minimum) -> None:
    if not found.converged:
        most = min(found.decrement, found.point.value)  # no loss is below 0
        warnings.warn(
            "the scaling that recalibrates y_pred did not reach its optimum: miscalibration and "
            f"discrimination may be too small by {most:.2g} nats. Look for extreme values in "
            "y_pred or sample_weight.",
            ConvergenceWarning,
            stacklevel=users_stacklevel(),
        )


@dataclass(frozen=True)
class _Truth:
    """How far each class's log-probability is above that of the truth, weights, and base rates."""

    margins: Floats  # z_ik - sum_j y_ij z_ij, of unit size, (K, n)
    weight: Floats  # sums to one, (n,)
    rates: Floats  # positive, (K,)


@dataclass(frozen=True)
class _Scaling:
    r"""Mean cross-entropy of softmax(a z_i + b), a convex function of a and b, at one point.

    With :math:`b_k = \beta_k / \sqrt{\pi_k}` for rates :math:`\pi_k` the curvatures of all
    parameters are of similar size. The function is constant along the direction in which all b_k
    change by the same amount, so the gradient has no component there. The Hessian has a curvature
    of 1 added along that direction.
    """

    truth: _Truth
    theta: Floats  # (a, beta)
    value: float
    gradient: Floats
    P: Floats  # probabilities times weights, (K, n)

    @classmethod
    def at(cls, truth: _Truth, theta: Floats) -> Self:
        """Compute the mean cross-entropy and its gradient."""
        root = np.sqrt(truth.rates)
        logits = theta[0] * truth.margins + (theta[1:] / root)[:, None]
        P = np.empty_like(logits)
        value = log_partition(logits, P, truth.weight) - float(theta[1:] @ root)
        gradient = np.append(np.vdot(P, truth.margins), P.sum(axis=1) / root - root)
        # Components within their rounding error count as 0.
        size = np.append(np.vdot(P, np.abs(truth.margins)), P.sum(axis=1) / root + root)
        gradient[np.abs(gradient) <= ROUNDING * size] = 0.0
        return cls(truth, theta, value, gradient, P)

    def moved(self, step: Floats) -> Self:
        """Return the same function at another point."""
        return self.at(self.truth, self.theta + step)

    def change(self, step: Floats) -> float:
        """Return an upper bound of the change of any logit."""
        offsets = np.abs(step[1:] / np.sqrt(self.truth.rates)).max()
        return float(np.abs(self.truth.margins).max() * abs(step[0]) + offsets)

    @cached_property
    def _moved_by_slope(self) -> tuple[Floats, Floats]:
        """Return margins less their mean in each sample, and the derivative of P by the slope."""
        centred = self.truth.margins - (self.P * self.truth.margins).sum(axis=0) / self.truth.weight
        return centred, self.P * centred

    def hessian_diagonal(self) -> Floats:
        """Return the diagonal of the Hessian."""
        rates = self.truth.rates
        centred, moved = self._moved_by_slope
        own = (self.P * (1.0 - self.P / self.truth.weight)).sum(axis=1)
        return np.append(np.vdot(moved, centred), own / rates + rates)

    def hessian(self) -> Floats | LinearOperator:
        """Return the Hessian."""
        K = len(self.truth.rates)
        if K > MOST_IN_A_MATRIX:
            return LinearOperator((K + 1, K + 1), self._product, dtype=np.float64)
        root = np.sqrt(self.truth.rates)
        H = np.empty((K + 1, K + 1))
        centred, moved = self._moved_by_slope
        H[0, 0] = np.vdot(moved, centred)
        H[0, 1:] = H[1:, 0] = moved.sum(axis=1) / root
        shares = self.P / np.sqrt(self.truth.weight)
        # Rows of the Hessian of a softmax sum to 0, which gives the diagonal without cancellation.
        own = -shares @ shares.T
        np.fill_diagonal(own, 0.0)
        np.fill_diagonal(own, -own.sum(axis=1))
        H[1:, 1:] = own / np.outer(root, root) + np.outer(root, root)
        return H

    def _product(self, v: Floats) -> Floats:
        """Return the Hessian times v, along which logits change by dU, P by P (dU - mean dU)."""
        v, root = v.ravel(), np.sqrt(self.truth.rates)
        dU = v[0] * self.truth.margins + (v[1:] / root)[:, None]
        dP = self.P * (dU - (self.P * dU).sum(axis=0) / self.truth.weight)
        offsets = dP.sum(axis=1) / root + root * (root @ v[1:])
        return np.append(np.vdot(dP, self.truth.margins), offsets)
