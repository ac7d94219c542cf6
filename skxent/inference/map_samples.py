"""The samples that a calibration map is fitted to, and the smoothing of their predictions."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from skxent.inputs.fit_targets import Floats


class Samples(NamedTuple):
    """Log-probabilities (n, K), targets and positive weights, and the tolerance of the fits."""

    log_q: Floats
    target: np.ndarray
    weight: Floats
    tol: float

    @property
    def unit(self) -> float:
        """The weight of a typical sample."""
        return float((self.weight / self.weight.sum()) @ self.weight)

    def at_most(self, n: int) -> Samples:
        """Return about n random ones of the samples, with each class among them."""
        if len(self.weight) <= n:
            return self
        hard = self.target.ndim == 1
        each = np.unique(self.target, return_index=True)[1] if hard else self.target.argmax(axis=0)
        rows = np.union1d(drawn(len(self.weight), n), each)
        return Samples(self.log_q[rows], self.target[rows], self.weight[rows], self.tol)

    def smoothed(self, smoothing: float) -> Samples:
        """Return the samples with smoothed predictions."""
        return self._replace(log_q=smoothed(self.log_q, smoothing))


@lru_cache(maxsize=8)
def drawn(n: int, m: int) -> np.ndarray:
    """Return m of n places at random, the same ones each time, or all of them."""
    if m >= n:
        return np.arange(n)
    return np.sort(np.random.RandomState(0).choice(n, m, replace=False))


def smoothed(log_q: Floats, smoothing: float) -> Floats:
    """Return the logarithms of (1 - smoothing) q + smoothing / K, for log-probabilities (n, K)."""
    if not smoothing:
        return log_q
    mixed: Floats = log_q + np.log1p(-smoothing)
    return np.logaddexp(mixed, np.log(smoothing / log_q.shape[1]), out=mixed)
