r"""Average effects of features on probabilities, with standard errors by the delta method.

Slopes
------
The covariance of the class indicators of a sample is :math:`c_{kl} = p_k (\delta_{kl} - p_l)`, and
the derivative of a probability by the logit of class l is :math:`c_{kl}`. With weights w, of sum
one, the average slope of :math:`p_k` in feature j is

.. math:: m_{kj} = \sum_l S_{kl}\, \beta_{lj}, \qquad S_{kl} = \sum_i w_i\, c_{kl},

where the coefficients do not depend on the sample. Only the small matrix S is differentiated:

.. math:: \frac{\partial m_{kj}}{\partial \beta_{lt}}
          = \sum_r \beta_{rj} \sum_i w_i\, \tilde x_{it}\, \frac{\partial c_{kr}}{\partial z_l}
          + \delta_{jt}\, S_{kl}.

The sum over samples has no index j of features, so that its cost per sample is that of
:math:`K^2 / 2` classes times K, and not times d. If d < K - 1, it is cheaper to contract with
:math:`\beta` first. Both orders are one formula: :math:`\beta = E R`, where E is the identity or
:math:`\beta`, and with :math:`D_{ka} = E_{ka} - \sum_l p_l E_{la}`

.. math:: \sum_r E_{ra} \frac{\partial c_{kr}}{\partial z_l}
          = \delta_{kl}\, p_k D_{ka} - p_k p_l (D_{ka} + D_{la}).

Differences
-----------
The effect of a feature with two values is the mean of :math:`p_k(\text{high}) - p_k(\text{low})`,
with the gradient :math:`\sum_i w_i (c_{kl}(\text{high})\, \tilde x_i^{\text{high}} -
c_{kl}(\text{low})\, \tilde x_i^{\text{low}})`.

All sums are for the free classes. The effects of all classes sum to zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from skxent.inference.likelihood_estimate import LikelihoodEstimate
from skxent.inference.population import Population, Runs
from skxent.inference.two_valued import Ends
from skxent.inputs.fit_targets import Floats
from skxent.likelihood.kernels import log_partition
from skxent.likelihood.sources.blocks import add, product
from skxent.likelihood.sources.grams import pair_weights, pairs

TOGETHER = 64  # sums over samples that are computed by one product, if there are not more classes


def average_effects(
    at: LikelihoodEstimate, population: Population, ends: Ends
) -> tuple[Floats, Floats]:
    """Return the mean effect of each feature on each probability, and its error, (K, d).

    The effect is a difference for the columns in `ends`, and a slope for all others.
    """
    sums = EffectSums.of(at, ends)
    n, d, p = sums.n, len(at.mean), at.theta.shape[1]
    S, H, moved, change = reduce(add, population.map(at, sums, sums.width, sums.size))
    effects, gradient = np.zeros((n, d)), np.zeros((n, d, n, p))
    effects[:, sums.smooth] = S @ at.theta[at.free][:, sums.smooth]
    gradient[:, sums.smooth] = np.tensordot(sums.unpacked(H), sums.R, (2, 0)).transpose(0, 3, 1, 2)
    for j in sums.smooth:
        gradient[:, j, :, j] += S
    effects[:, list(ends)] = moved.T
    k, l = pairs(n)
    for j, by_pair in zip(ends, change, strict=True):
        gradient[k, j, l] = by_pair
        gradient[l, j, k] = by_pair
    return _of_all_classes(at, effects, gradient, population.weight.sum())


@dataclass(frozen=True, eq=False)
class EffectSums:
    """Sums over samples at the parameters `theta`, (K, p), see the formulas above.

    Parameters
    ----------
    theta : (K, p) array
    free : slice
        The n = K - 1 free classes.
    mean : (d,) array
        Vector that is subtracted from the samples.
    ends : dict
        Columns of differences.
    smooth : (s,) array
        Columns of slopes.
    E, R : (K, r) and (r, s) arrays
        Factors of the coefficients of the columns of slopes, with r = min(n, s).
    k, l, a : (c,) arrays
        Indices of the sums for the slopes, which are equal for (k, l) and (l, k). If E is the
        identity, they are equal for all orders of k, l and a: the third derivatives of A(z).
    """

    theta: Floats
    free: slice
    mean: Floats
    ends: Ends
    smooth: NDArray[np.intp]
    E: Floats
    R: Floats
    k: NDArray[np.intp]
    l: NDArray[np.intp]
    a: NDArray[np.intp]

    @classmethod
    def of(cls, at: LikelihoodEstimate, ends: Ends) -> EffectSums:
        """Choose the order of the products of matrices with fewer sums over samples."""
        smooth = np.setdiff1d(np.arange(len(at.mean)), list(ends))
        W, n = at.theta[:, smooth], len(at.theta) - 1
        if len(smooth) < n:
            E, R = W, np.eye(len(smooth))
        else:
            E, R = np.eye(n + 1)[:, at.free], W[at.free]
        k, l, a = np.ogrid[:n, :n, : E.shape[1]]
        different = (k <= l) & ((l <= a) | (len(smooth) < n))
        return cls(at.theta, at.free, at.mean, ends, smooth, E, R, *np.nonzero(different))

    @property
    def n(self) -> int:
        """Number of free classes."""
        return len(self.theta) - 1

    @property
    def batch(self) -> int:
        """Number of sums for the slopes that are computed together."""
        return max(1, min(len(self.k), max(TOGETHER, self.E.size)))

    @property
    def width(self) -> int:
        """Size of the work arrays for one sample, in numbers."""
        return 3 * max(self.batch, self.E.size, self.n * self.n) + 2 * self.theta.shape[1]

    @property
    def size(self) -> int:
        """Size of the sums, in numbers."""
        return (len(self.k) + len(self.ends) * self.n * self.n) * self.theta.shape[1]

    def unpacked(self, H: Floats) -> Floats:
        """Return the sums for the slopes for all indices, (n, n, r, p)."""
        full = np.empty((self.n, self.n, self.E.shape[1], H.shape[1]))
        k, l, a = self.k, self.l, self.a
        symmetric = len(self.smooth) >= self.n
        for indices in permutations((k, l, a)) if symmetric else ((k, l, a), (l, k, a)):
            full[indices] = H
        return full

    def __call__(self, runs: Runs) -> tuple[Floats, Floats, Floats, Floats]:
        """Return S, the sums for the slopes, (c, p), and the differences with their gradients."""
        n, p, n_ends = self.n, self.theta.shape[1], len(self.ends)
        S, H = np.zeros((n, n)), np.zeros((len(self.k), p))
        moved, change = np.zeros((n_ends, n)), np.zeros((n_ends, n * (n + 1) // 2, p))
        for x, weight in runs:
            Z = self.theta @ x.T
            for i, (j, ends) in enumerate(self.ends.items()):
                self._add_difference(moved[i], change[i], Z, x, weight, j, ends)
            self._add_slopes(S, H, _softmax(Z), x, weight)
        return S, H, moved, change

    def _add_slopes(self, S: Floats, H: Floats, P: Floats, x: Floats, weight: Floats) -> None:
        """Add the sums for the slopes of a run."""
        P_free = P[self.free]
        own = weight * P_free
        C = -own @ P_free.T
        C.flat[:: self.n + 1] = (own * (1.0 - P_free)).sum(axis=1)
        S += C
        D = self.E[self.free][:, :, None] - self.E.T @ P
        D *= own[:, None]
        for start in range(0, len(H), self.batch):
            some = slice(start, start + self.batch)
            k, l, a = self.k[some], self.l[some], self.a[some]
            both = P_free[l]
            both *= D[k, a]
            both += P_free[k] * D[l, a]
            same = k == l
            both[same] -= D[k[same], a[same]]
            H[some] -= product(both, x)

    def _add_difference(
        self,
        moved: Floats,
        change: Floats,
        Z: Floats,
        x: Floats,
        weight: Floats,
        j: int,
        ends: tuple[float, float],
    ) -> None:
        """Add the difference between two values of column j in a run, and its gradient."""
        difference = np.zeros((len(change), len(x)))
        own = np.zeros(len(change))
        for sign, end in zip((-1.0, 1.0), ends, strict=True):
            value = end - self.mean[j]
            P = _softmax(Z + self.theta[:, [j]] * (value - x[:, j]))
            moved += sign * (P[self.free] @ weight)
            C = sign * weight * pair_weights(P, None, 0.0)
            difference += C
            own += value * C.sum(axis=1)
        part = product(difference, x)
        part[:, j] = own
        change += part


def _softmax(Z: Floats) -> Floats:
    """Return the probabilities of class-major logits, (K, m); Z is overwritten."""
    P = np.empty_like(Z)
    log_partition(Z, P, None)
    return P


def _of_all_classes(
    at: LikelihoodEstimate, effects: Floats, gradient: Floats, total: float
) -> tuple[Floats, Floats]:
    """Return means and errors, (K, d), from the sums for the free classes and their gradients."""
    K, d = len(at.theta), effects.shape[1]
    every, error = np.empty((K, d)), np.empty((K, d))
    fixed = np.setdiff1d(np.arange(K), np.arange(K)[at.free])[0]
    slopes = gradient.reshape(K - 1, d, -1)
    every[at.free], every[fixed] = effects, -effects.sum(axis=0)
    error[at.free] = [_spread(slope, at.covariance) for slope in slopes]
    error[fixed] = _spread(slopes.sum(axis=0), at.covariance)
    return every / total, error / total


def _spread(slope: Floats, covariance: Floats) -> Floats:
    """Return the standard errors of numbers with the gradients `slope`, (d, q)."""
    variance = ((slope @ covariance) * slope).sum(axis=1)
    return np.sqrt(np.maximum(variance, 0.0))
