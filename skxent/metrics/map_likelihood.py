r"""The mean cross-entropy of a map of log-probabilities, a convex function of its parameters.

The logits of sample i are :math:`u_{ik} = a_k z_{ik} + b_k` with :math:`b_k = \beta_k /
\sqrt{\pi_k}` for rates :math:`\pi_k` of the classes, so that the curvatures of all intercepts are
of similar size. The parameters are :math:`\theta = (a, \beta)`, with one slope or one for each
class, and with or without :math:`\beta`. With the log-partition A and targets y,

.. math:: f(\theta) = \sum_i w_i A(u_i) - t^\top \theta,

where t is the gradient of :math:`\sum_{ik} w_i y_{ik} u_{ik}`. A single slope takes margins,
:math:`z_{ik} - \sum_j y_{ij} z_{ij}`, for which its entry of t is 0: losses far below the logits
keep their digits.

The function is constant along the direction in which all b_k change by the same amount, so the
gradient has no component there. The Hessian has a curvature of 1 added along that direction.

A penalty :math:`\frac12 \sum_j c_j (\theta_j - \theta^0_j)^2` may be part of the function. It
curves that direction, too, so that nothing is added to the Hessian.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from scipy.sparse.linalg import LinearOperator

from skxent.inputs.namespaces import Floats
from skxent.likelihood.kernels import log_partition

# Number of parameters above which the Hessian is not formed, and only products with it are
# computed.
MOST_IN_A_MATRIX = 257
ROUNDING = 8 * float(np.finfo(np.float64).eps)  # relative, of a sum in a gradient


@dataclass(frozen=True)
class Shrinkage:
    """A penalty of the distance of the parameters from those of another map.

    Parameters
    ----------
    curvature : (p,) array
        The numbers c, positive.
    origin : (p,) array
        The parameters without penalty.
    """

    curvature: Floats
    origin: Floats

    def value(self, theta: Floats) -> float:
        """Return the penalty."""
        return 0.5 * float(self.curvature @ (theta - self.origin) ** 2)

    def gradient(self, theta: Floats) -> Floats:
        """Return the gradient of the penalty."""
        slope: Floats = self.curvature * (theta - self.origin)
        return slope


@dataclass(frozen=True)
class MapSamples:
    """What the function is made of: log-probabilities, targets and weights, class-major.

    Parameters
    ----------
    Z : (K, n) array
        Log-probabilities, or margins if there is one slope.
    weight : (n,) array
        Sums to one.
    rates : (K,) array
        Shares of the classes in the targets; positive if there are intercepts.
    slopes : (K,) array or None
        Entries of t for the slopes, and None for a single slope.
    intercepts : bool
    shrinkage : Shrinkage or None
    """

    Z: Floats
    weight: Floats
    rates: Floats
    slopes: Floats | None
    intercepts: bool
    shrinkage: Shrinkage | None = None

    @classmethod
    def of(
        cls, Z: Floats, target: np.ndarray, weight: Floats, slope_by_class: bool, intercepts: bool
    ) -> Self:
        """Return the samples of (n, K) log-probabilities Z and codes or soft rows."""
        K = Z.shape[1]
        if target.ndim == 1:
            wanted = np.take_along_axis(Z, target[:, None], axis=1)
            rates: Floats = np.bincount(target, weight, minlength=K).astype(np.float64)
        else:
            wanted = (target * Z).sum(axis=1, keepdims=True)
            rates = weight @ target
        Z = np.ascontiguousarray(Z.T)
        if not slope_by_class:
            return cls(Z - wanted[:, 0], weight, rates, None, intercepts)
        if target.ndim == 1:
            slopes: Floats = np.bincount(target, weight * wanted[:, 0], minlength=K).astype(float)
        else:
            slopes = np.einsum("i,ik,ki->k", weight, target, Z)
        return cls(Z, weight, rates, slopes, intercepts)

    @property
    def n_slopes(self) -> int:
        """Number of slopes."""
        return 1 if self.slopes is None else len(self.slopes)

    @cached_property
    def root(self) -> Floats:
        """Square roots of the rates, one for each intercept; empty without intercepts."""
        return np.sqrt(self.rates) if self.intercepts else np.empty(0)

    @cached_property
    def flat(self) -> Floats:
        """The direction of the intercepts to which a curvature of 1 is added, and 0 without one."""
        return self.root if self.shrinkage is None else np.zeros(len(self.root))

    @property
    def curvature(self) -> Floats | float:
        """The curvature of the penalty along each parameter."""
        return 0.0 if self.shrinkage is None else self.shrinkage.curvature

    @cached_property
    def linear(self) -> Floats:
        """The vector t."""
        return np.append(np.zeros(1) if self.slopes is None else self.slopes, self.root)

    def split(self, theta: Floats) -> tuple[Floats, Floats]:
        """Return slopes, (1,) or (K,), and intercepts, (K,)."""
        slopes, beta = theta[: self.n_slopes], theta[self.n_slopes :]
        return slopes, beta / self.root if self.intercepts else np.zeros(len(self.Z))

    def joined(self, slopes: Floats, intercepts: Floats) -> Floats:
        """Return the parameters, of which `split` returns the parts."""
        return np.append(slopes, intercepts * self.root if self.intercepts else ())

    def logits(self, theta: Floats) -> Floats:
        """Return the logits, (K, n), less those of the target if there is one slope."""
        slopes, intercepts = self.split(theta)
        U = slopes[:, None] * self.Z
        if self.intercepts:
            U += intercepts[:, None]
        return U

    def gradient(self, P: Floats) -> Floats:
        """Return the gradient of sum_ik P_ik u_ik."""
        if self.slopes is None:
            return np.append(np.vdot(P, self.Z), self._of_intercepts(P))
        return np.append(np.einsum("ki,ki->k", P, self.Z), self._of_intercepts(P))

    def _of_intercepts(self, P: Floats) -> Floats:
        return P.sum(axis=1) / self.root if self.intercepts else np.empty(0)

    @cached_property
    def largest(self) -> float:
        """The largest entry of Z, without its sign."""
        return float(np.abs(self.Z).max())

    @property
    def has_one_parameter(self) -> bool:
        """Whether the slope is the only parameter."""
        return self.slopes is None and not self.intercepts

    @cached_property
    def _magnitudes(self) -> Self:
        """The samples with the magnitudes of Z."""
        return replace(self, Z=np.abs(self.Z))

    def rounding(self, P: Floats) -> Floats:
        """Return the rounding errors of the gradient of the function."""
        sizes = self._magnitudes.gradient(P)
        terms = np.zeros(1) if self.slopes is None else self.rates * self.largest
        return ROUNDING * (sizes + np.append(terms, self.root))


@dataclass(frozen=True)
class MapPoint:
    """Value and derivatives of the function at one point, for Newton's method.

    `cross_entropy` is the value without the penalty.
    """

    samples: MapSamples
    theta: Floats
    cross_entropy: float
    value: float
    gradient: Floats
    P: Floats  # probabilities times weights, (K, n)

    @classmethod
    def at(cls, samples: MapSamples, theta: Floats) -> Self:
        """Compute the function and its gradient."""
        logits = samples.logits(theta)
        P = np.empty_like(logits)
        if len(logits) == 1:  # `log_partition` takes one row for the logits of two classes
            P[:] = samples.weight
            loss = float(np.vdot(P, logits) - theta @ samples.linear)
        else:
            loss = log_partition(logits, P, samples.weight) - float(theta @ samples.linear)
        gradient = samples.gradient(P) - samples.linear
        # Components within their rounding error count as 0.
        gradient[np.abs(gradient) <= samples.rounding(P)] = 0.0
        penalty = 0.0
        if samples.shrinkage is not None:
            penalty = samples.shrinkage.value(theta)
            gradient += samples.shrinkage.gradient(theta)
        return cls(samples, theta, loss, loss + penalty, gradient, P)

    def moved(self, step: Floats) -> Self:
        """Return the same function at another point."""
        return self.at(self.samples, self.theta + step)

    def change(self, step: Floats) -> float:
        """Return an upper bound of the change of any logit."""
        slopes, intercepts = self.samples.split(step)
        largest = np.abs(slopes).max() * self.samples.largest
        return float(largest + np.abs(intercepts).max())

    def largest_range(self, step: Floats) -> float:
        """Return the largest change of a difference of two logits of one sample."""
        return float(np.ptp(self.samples.logits(step), axis=0).max())

    def _moved(self, v: Floats) -> tuple[Floats, Floats]:
        """Return changes of the logits less their mean in each sample, and those of P, along v."""
        dU = self.samples.logits(v)
        dU -= (self.P * dU).sum(axis=0) / self.samples.weight
        return dU, self.P * dU

    def hessian_diagonal(self) -> Floats:
        """Return the diagonal of the Hessian."""
        samples, own = self.samples, np.empty(0)
        if samples.intercepts:
            own = self._spread.sum(axis=1) / samples.rates + samples.flat**2
        return np.append(self._slope_curvatures(), own) + samples.curvature

    @property
    def _spread(self) -> Floats:
        """The variances w p (1 - p) of the classes of each sample."""
        return self.P * (1.0 - self.P / self.samples.weight)

    def _slope_curvatures(self) -> Floats:
        """Return the second derivatives of the cross-entropy in the slopes."""
        Z = self.samples.Z
        if self.samples.slopes is None:
            return np.array([np.vdot(*self._moved(self._first))])
        curvatures: Floats = np.einsum("ki,ki,ki->k", self._spread, Z, Z)
        return curvatures

    @property
    def _first(self) -> Floats:
        return np.append(1.0, np.zeros(len(self.theta) - 1))

    def hessian(self) -> Floats | LinearOperator:
        """Return the Hessian."""
        samples, p, S = self.samples, len(self.theta), self.samples.n_slopes
        if p > MOST_IN_A_MATRIX:
            return LinearOperator((p, p), self._product, dtype=np.float64)
        if samples.has_one_parameter:
            return np.array([self.hessian_diagonal()])
        H = np.zeros((p, p))
        shares, root = self.P / np.sqrt(samples.weight), samples.root
        if samples.slopes is None:
            H[0, S:] = self._moved(self._first)[1].sum(axis=1) / root
        else:
            scaled = shares * samples.Z
            H[:S, :S] = -scaled @ scaled.T
            H[:S, S:] = _rows_summing_to_zero(-scaled @ shares.T) / root
        np.fill_diagonal(H[:S, :S], self._slope_curvatures())
        H[S:, :S] = H[:S, S:].T
        if samples.intercepts:
            own = _rows_summing_to_zero(-shares @ shares.T)
            H[S:, S:] = own / np.outer(root, root) + np.outer(samples.flat, samples.flat)
        H[np.diag_indices(p)] += samples.curvature
        return H

    def hessian_root(self, V: Floats) -> Floats:
        """Return R V, where R'R is the Hessian."""
        samples, P = self.samples, self.P
        first = P.argmax(axis=0)[None]
        changes = []
        for v in V.T:
            dU = samples.logits(v)
            # Differences from the likeliest class keep their digits where it is nearly certain.
            dU -= np.take_along_axis(dU, first, axis=0)
            dU -= (P * dU).sum(axis=0) / samples.weight
            changes.append((np.sqrt(P) * dU).ravel())
        S = samples.n_slopes
        penalty = np.sqrt(np.broadcast_to(samples.curvature, len(V)))[:, None] * V
        return np.vstack([np.transpose(changes), penalty, samples.flat @ V[S:]])

    def gradient_rounding(self) -> Floats:
        """Return bounds of the rounding errors of the gradient."""
        return self.samples.rounding(self.P)

    def _product(self, v: Floats) -> Floats:
        """Return the Hessian times v."""
        v, samples, S = v.ravel(), self.samples, self.samples.n_slopes
        product = samples.gradient(self._moved(v)[1]) + samples.curvature * v
        product[S:] += samples.flat * (samples.flat @ v[S:])
        return product


def _rows_summing_to_zero(A: Floats) -> Floats:
    """Set the diagonal so that rows sum to 0, as those of the Hessian of a softmax do.

    This gives the diagonal without cancellation.
    """
    np.fill_diagonal(A, 0.0)
    np.fill_diagonal(A, -A.sum(axis=1))
    return A
