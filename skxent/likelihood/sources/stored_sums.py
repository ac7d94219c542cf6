"""Sums over few dense rows, whose centred samples are stored as one block."""

from __future__ import annotations

import numpy as np

from skxent.likelihood import kernels
from skxent.likelihood.sources import grams
from skxent.likelihood.sources.arrays import EVERYTHING
from skxent.likelihood.sources.blocks import product
from skxent.likelihood.sources.kept_logits import same
from skxent.likelihood.sources.local_sums import ClassWeights, LocalSums


class StoredSums(LocalSums):
    """Sums over the samples of one block, with fewer calls than `LocalSums` and the same results.

    The results are the same to the last bit. The probabilities of the last pass are kept for the
    Hessian at the same point. The products of any two entries of a sample are kept for all points.
    """

    _last: tuple[np.ndarray, np.ndarray] | None  # theta, result of `kernels.log_partition` there
    _products: np.ndarray | None  # products of two entries of each sample

    def _forget(self) -> None:
        super()._forget()
        self._last = self._products = None

    def log_partition(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Sum of the weighted log-partition A, and its gradient."""
        x, weight = self.blocks.X, self.data.weight
        Z = self.data.add_offset(np.matmul(theta, x.T))
        P = np.empty_like(Z)
        partition = kernels.log_partition(Z, P, weight)
        if weight is None:
            self._last = theta.copy(), P
        return partition, product(P, x)

    def _probabilities(self, theta: np.ndarray, rows: slice, x: np.ndarray) -> np.ndarray:
        if self._last is None or not same(self._last[0], theta):
            return super()._probabilities(theta, rows, x)
        P = self._last[1]
        return P + 0.5 if len(P) == 1 else P

    def _gram(
        self, theta: np.ndarray, residual_weight: float, class_weights: ClassWeights, n: int
    ) -> np.ndarray:
        x = self.blocks.X
        P, residual = self._at(theta, residual_weight, EVERYTHING, x)
        C = self.weigh(class_weights(P, residual, residual_weight), EVERYTHING)
        if not grams.packs(n, x.shape[1]):
            return grams.each_gram(C, x, self.blocks.rows_space("scaled", *x.shape))
        if self._products is None:
            self._products = grams.packed_products(x)
        return grams.packed_gram(C, x) if self._products is None else C @ self._products.T
