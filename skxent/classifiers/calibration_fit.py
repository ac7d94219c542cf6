"""The fit of a calibration map to predictions in which some classes may have no samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, logsumexp

from skxent.inputs.fit_targets import Floats
from skxent.metrics.calibration_maps import FAMILIES, FittedMap, fit_map


@dataclass(frozen=True)
class Calibration:
    """A fitted map of log-probabilities.

    A map with intercepts would give probability 0 to a class without weight in the truth. Such a
    class keeps its probability instead, and the map is fitted to the probabilities of the other
    classes given that one of them is true.

    Parameters
    ----------
    fitted : FittedMap
    present : (K,) array of bool
        The classes that the map applies to.
    """

    fitted: FittedMap
    present: NDArray[np.bool_]

    @classmethod
    def of(cls, method: str, log_p: Floats, target: np.ndarray, weight: Floats, tol: float) -> Self:
        """Fit the map `method` to log-probabilities (n, K) and codes or soft rows."""
        K = log_p.shape[1]
        if target.ndim == 1:
            totals = np.bincount(target, weight, minlength=K)
        else:
            totals = weight @ target
        present = (totals > 0) | (not FAMILIES[method].intercepts)
        if target.ndim == 1:
            target = np.cumsum(present)[target] - 1
        else:
            target = target[:, present]
        kept = log_softmax(log_p[:, present], axis=1)
        return cls(fit_map(method, kept, target, weight, tol), present)

    def logits(self, log_p: Floats) -> Floats:
        """Return calibrated logits, (n, K)."""
        kept = log_p[:, self.present]
        mapped = self.fitted.map.logits(log_softmax(kept, axis=1))
        if self.present.all():
            return mapped
        logits = log_p.copy()
        together = logsumexp(kept, axis=1, keepdims=True)
        logits[:, self.present] = log_softmax(mapped, axis=1) + together
        return logits

    @property
    def parameters(self) -> tuple[Floats, Floats]:
        """Slopes (K,) and intercepts (K,); 1 and 0 for a class that the map leaves out."""
        slope, intercept = np.ones(len(self.present)), np.zeros(len(self.present))
        slope[self.present], intercept[self.present] = self.fitted.map.parameters
        return slope, intercept
