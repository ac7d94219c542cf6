r"""Maps that recalibrate predictions on the samples at hand.

**Isotonic regression**, for two classes: the probability of the second as a non-decreasing function
of its score that fits best, by pooling adjacent violators. It is best under every proper score at
once, cross-entropy too (R. E. Barlow, H. D. Brunk, "The isotonic regression problem and its dual",
Journal of the American Statistical Association 67, 1972, doi:10.1080/01621459.1972.10481216).

**Scaling**, for any number K of classes: bias-corrected temperature scaling,

.. math:: \log q'_{ik} = a \log q_{ik} + b_k - \text{normaliser}, \qquad a \ge 0,

by maximum likelihood. Identity (a = 1, b = 0) and base rates (a = 0) are among these maps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.isotonic import isotonic_regression

from skxent.likelihood.kernels import log_partition
from skxent.metrics._targets import Floats

GRADIENT = 1e-10  # nats per unit of a well-scaled parameter, at which a fit ends


def isotonic(scores: NDArray[Any], outcomes: Floats, weight: Floats) -> Floats:
    """Return the probability of yes for each score, (n,).

    Only the order of scores matters, so their ranks stand for them: nothing is tied by rounding.
    """
    _, ranks = np.unique(scores, return_inverse=True)
    total = np.bincount(ranks, weight)
    known = total > 0
    means = np.bincount(ranks, weight * outcomes)[known] / total[known]
    fitted = isotonic_regression(means, sample_weight=total[known], y_min=0.0, y_max=1.0)
    # samples of weight 0 come between their neighbours
    return np.interp(ranks, np.flatnonzero(known), fitted)


def scaling(log_q: Floats, target: NDArray[Any], rates: Floats, weight: Floats) -> Floats:
    """Return logits of the scaled predictions, (n, K), -inf for a class that the truth lacks.

    Parameters
    ----------
    log_q : (n, K) array
        Log-probabilities, all finite; what is added to all of a row does not matter.
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
    fit = _Scaling(np.ascontiguousarray(Z[kept].T), share, float(share @ wanted), rates[there])
    slope, offset = fit.solve(identity=size * spread)
    logits = np.full(log_q.shape, -np.inf)
    logits[:, there] = slope * Z + offset
    return logits


@dataclass(frozen=True)
class _Scaling:
    r"""Mean cross-entropy of softmax(a z_i + b), a convex function of a and b.

    With :math:`b_k = \beta_k / \sqrt{\pi_k}` for rates :math:`\pi_k` all parameters have
    curvatures of one size. It is flat along the direction in which all b_k move together, and no
    gradient has a part in it.
    """

    Z: Floats  # (K, n), of unit size
    weight: Floats  # (n,), sums to one
    wanted: float  # mean over samples of sum_k y_ik z_ik
    rates: Floats  # (K,), positive

    def solve(self, identity: float) -> tuple[float, Floats]:
        """Return slope and offsets; `identity` is the slope that changes nothing."""
        constant = 0.0, np.log(self.rates)
        if len(self.rates) == 1 or not self.Z.any():
            return constant
        root = np.sqrt(self.rates)
        starts = np.append(identity, 0.0 * root), np.append(0.0, constant[1] * root)
        found = minimize(
            self.value_and_gradient,
            min(starts, key=lambda theta: self.value_and_gradient(theta)[0]),
            jac=True,
            hessp=self.hessian_product,
            method="trust-ncg",
            options={"gtol": GRADIENT, "max_trust_radius": 1e9},
        ).x
        # The minimum over slopes >= 0 of a convex function whose minimum lies below is at 0.
        return (found[0], found[1:] / root) if found[0] > 0 else constant

    def value_and_gradient(self, theta: Floats) -> tuple[float, Floats]:
        """Mean cross-entropy, and its gradient."""
        root = np.sqrt(self.rates)
        P, partition = self._probabilities(theta)
        value = partition - theta[0] * self.wanted - theta[1:] @ root
        slope = np.vdot(P, self.Z) - self.wanted
        return value, np.append(slope, P.sum(axis=1) / root - root)

    def hessian_product(self, theta: Floats, v: Floats) -> Floats:
        """Hessian times a vector: P changes by P (dU - mean of dU), dU the change of logits."""
        root = np.sqrt(self.rates)
        P, _ = self._probabilities(theta)
        dU = v[0] * self.Z + (v[1:] / root)[:, None]
        dP = P * (dU - (P * dU).sum(axis=0) / self.weight)
        return np.append(np.vdot(dP, self.Z), dP.sum(axis=1) / root)

    def _probabilities(self, theta: Floats) -> tuple[Floats, float]:
        """Weighted probabilities (K, n), and the weighted sum of log-partitions."""
        logits = theta[0] * self.Z + (theta[1:] / np.sqrt(self.rates))[:, None]
        P = np.empty_like(logits)
        partition = log_partition(logits, P, self.weight)
        return P, partition
