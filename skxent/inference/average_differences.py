r"""Sums over samples for average differences of probabilities, and their gradients.

A **contrast** gives some columns a low and a high value. Its effect on the probability of class k
is the mean, with weights w of sum one, of :math:`p_k(\text{high}) - p_k(\text{low})`, in which the
other columns stay as they are. With :math:`c_{kl} = p_k (\delta_{kl} - p_l)` the gradient is

.. math:: \frac{\partial}{\partial \beta_{lt}} \sum_i w_i \left(p_{ik}^{\text{high}} -
          p_{ik}^{\text{low}}\right) = \sum_i w_i \left(c_{ikl}^{\text{high}}\,
          \tilde x_{it}^{\text{high}} - c_{ikl}^{\text{low}}\, \tilde x_{it}^{\text{low}}\right).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skxent.inference.contrasts import Contrast
from skxent.inference.likelihood_estimate import LikelihoodEstimate
from skxent.inputs.fit_targets import Floats
from skxent.likelihood.kernels import log_partition
from skxent.likelihood.sources.blocks import product
from skxent.likelihood.sources.grams import pair_weights, pairs


@dataclass(frozen=True, eq=False)
class AverageDifferences:
    """The differences of the probabilities of the n = K - 1 free classes in some contrasts."""

    at: LikelihoodEstimate
    contrasts: Sequence[Contrast]

    def zeros(self) -> tuple[Floats, Floats]:
        """Return sums of no samples: effects, (c, n), and gradients for pairs of classes."""
        n, p = len(self.at.theta) - 1, self.at.theta.shape[1]
        c = len(self.contrasts)
        return np.zeros((c, n)), np.zeros((c, n * (n + 1) // 2, p))

    def add(self, sums: tuple[Floats, Floats], Z: Floats, x: Floats, weight: Floats) -> None:
        """Add samples x, (m, p), with logits Z, (K, m), to the sums."""
        for contrast, effect, gradient in zip(self.contrasts, *sums, strict=True):
            self._add(contrast, effect, gradient, Z, x, weight)

    def _add(
        self,
        contrast: Contrast,
        effect: Floats,
        gradient: Floats,
        Z: Floats,
        x: Floats,
        weight: Floats,
    ) -> None:
        columns, n_pairs = contrast.columns, len(gradient)
        W, mean = self.at.theta[:, columns], self.at.mean[columns]
        low = Z + W @ (contrast.low[:, None] - mean[:, None] - x[:, columns].T)
        high = low + W @ (contrast.high - contrast.low)[:, None]
        own, other = np.zeros((n_pairs, len(columns))), np.zeros((n_pairs, len(x)))
        for sign, logits, end in ((-1.0, low, contrast.low), (1.0, high, contrast.high)):
            P = probabilities(logits)
            effect += sign * (P[self.at.free] @ weight)
            C = pair_weights(P, None, 0.0)
            C *= sign * weight
            own += np.outer(C.sum(axis=1), end - mean)
            other += C
        part = product(other, x)
        part[:, columns] = own
        gradient += part

    def effects(self, sums: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
        """Return the effects, (n, c), times the total weight, and their gradients, (n, c, n, p)."""
        effect, gradient = sums
        n = effect.shape[1]
        k, l = pairs(n)
        full = np.empty((n, len(effect), n, gradient.shape[2]))
        full[k, :, l] = full[l, :, k] = gradient.swapaxes(0, 1)
        return effect.T, full


def probabilities(Z: Floats) -> Floats:
    """Return the probabilities of class-major logits, (K, m); Z is overwritten."""
    P = np.empty_like(Z)
    log_partition(Z, P, None)
    return P
