r"""Sums over samples for average slopes of probabilities, and their gradients.

The covariance of the class indicators of a sample is :math:`c_{kl} = p_k (\delta_{kl} - p_l)`, and
the derivative of a probability by the logit of class l is :math:`c_{kl}`. With weights w, of sum
one, the average slope of :math:`p_k` in feature j is

.. math:: m_{kj} = \sum_l S_{kl}\, \beta_{lj}, \qquad S_{kl} = \sum_i w_i\, c_{kl},

where the coefficients do not depend on the sample. Only the small matrix S is differentiated:

.. math:: \frac{\partial m_{kj}}{\partial \beta_{lt}}
          = \sum_r \beta_{rj} \sum_i w_i\, \tilde x_{it}\, \frac{\partial c_{kr}}{\partial z_l}
          + \delta_{jt}\, S_{kl}.

The sum over samples has no index j. It takes about :math:`K^3 / 6` multiples of each sample,
not :math:`K^2 d`, because it is symmetric in k, r and l. If d < K - 1, it is cheaper to sum over r
first. Both orders are one formula: :math:`\beta = E R`, where E is the identity or :math:`\beta`,
and with :math:`D_{ka} = E_{ka} - \sum_l p_l E_{la}`

.. math:: \sum_r E_{ra} \frac{\partial c_{kr}}{\partial z_l}
          = \delta_{kl}\, p_k D_{ka} - p_k p_l (D_{ka} + D_{la}).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from skxent.inference.likelihood_estimate import LikelihoodEstimate
from skxent.inputs.fit_targets import Floats
from skxent.likelihood.sources.blocks import product

TOGETHER = 64  # least number of sums over samples that are computed by one product


@dataclass(frozen=True, eq=False)
class AverageSlopes:
    """The slopes of the probabilities of the n = K - 1 free classes in some columns.

    Parameters
    ----------
    free : slice
        The free classes.
    columns : (s,) array
    W : (n, s) array
        Coefficients of the columns.
    E, R : (K, r) and (r, s) arrays
        Factors of the coefficients of all classes, with r = min(n, s).
    k, l, a : (c,) arrays
        Indices of the sums H, which are equal for (k, l) and (l, k). If E is the identity, they are
        equal for all orders of k, l and a: the third derivatives of the log-partition.
    """

    free: slice
    columns: NDArray[np.intp]
    W: Floats
    E: Floats
    R: Floats
    k: NDArray[np.intp]
    l: NDArray[np.intp]
    a: NDArray[np.intp]

    @classmethod
    def of(cls, at: LikelihoodEstimate, columns: NDArray[np.intp]) -> AverageSlopes:
        """Choose the order of the products of matrices with fewer sums over samples."""
        W, n, s = at.theta[:, columns], len(at.theta) - 1, len(columns)
        E, R = (W, np.eye(s)) if s < n else (np.eye(n + 1)[:, at.free], W[at.free])
        k, l, a = np.ogrid[:n, :n, : E.shape[1]]
        different = (k <= l) & ((l <= a) | (s < n))
        return cls(at.free, columns, W[at.free], E, R, *np.nonzero(different))

    @property
    def batch(self) -> int:
        """Number of sums that are computed together."""
        return max(1, min(len(self.k), max(TOGETHER, self.E.size)))

    def zeros(self, p: int) -> tuple[Floats, Floats]:
        """Return sums of no samples: S, (n, n), and H, (c, p)."""
        n = len(self.W)
        return np.zeros((n, n)), np.zeros((len(self.k), p))

    def add(self, sums: tuple[Floats, Floats], P: Floats, x: Floats, weight: Floats) -> None:
        """Add samples x, (m, p), with probabilities P, (K, m), to the sums."""
        S, H = sums
        P_free = P[self.free]
        own = weight * P_free
        C = -own @ P_free.T
        C.flat[:: len(C) + 1] = (own * (1.0 - P_free)).sum(axis=1)
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

    def effects(self, sums: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
        """Return the slopes, (n, s), times the total weight, and their gradients, (n, s, n, p)."""
        S, H = sums
        gradient = np.tensordot(self._unpacked(H), self.R, (2, 0)).transpose(0, 3, 1, 2)
        for i, j in enumerate(self.columns):
            gradient[:, i, :, j] += S
        return S @ self.W, gradient

    def _unpacked(self, H: Floats) -> Floats:
        """Return the sums H for all indices, (n, n, r, p)."""
        n, r = len(self.W), self.E.shape[1]
        full = np.empty((n, n, r, H.shape[1]))
        k, l, a = self.k, self.l, self.a
        orders = ((k, l, a), (l, k, a)) if len(self.columns) < n else permutations((k, l, a))
        for indices in orders:
            full[indices] = H
        return full
