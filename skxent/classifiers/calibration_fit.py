"""The fit of a calibration map to predictions in which some classes may have no samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, logsumexp

from skxent.inference.map_choice import ChosenMap
from skxent.inference.map_samples import Samples, smoothed
from skxent.inference.map_smoothing import SmoothedMap, fit_smoothed_map
from skxent.inputs.fit_targets import Floats
from skxent.metrics.calibration_maps import FAMILIES, FittedMap


@dataclass(frozen=True)
class Calibration:
    """A fitted map of log-probabilities.

    A map with intercepts would give probability 0 to a class without weight in the truth. Such a
    class keeps its probability instead, and the map is fitted to the probabilities of the other
    classes given that one of them is true.

    Parameters
    ----------
    smoothed_map : SmoothedMap
    present : (K,) array of bool
        The classes that the map applies to.
    """

    smoothed_map: SmoothedMap
    present: NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        method: str,
        log_p: Floats,
        target: np.ndarray,
        weight: Floats,
        tol: float,
        C: float | None = np.inf,
        smoothing: float | None = 0.0,
    ) -> Self:
        """Fit the map `method` to log-probabilities (n, K) and codes or soft rows.

        Leave-one-out losses choose C and the smoothing where they are None.
        """
        kept = weight > 0
        log_p, target, weight = log_p[kept], target[kept], weight[kept]
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
        if np.count_nonzero(present) == 1:
            method = "temperature"  # nothing is left to calibrate
        samples = Samples(log_softmax(log_p[:, present], axis=1), target, weight, tol)
        return cls(fit_smoothed_map(method, samples, C, smoothing), present)

    @property
    def chosen(self) -> ChosenMap:
        """The map with the penalties that it was chosen from."""
        return self.smoothed_map.chosen

    @property
    def smoothing(self) -> float:
        """The share of the uniform distribution in the predictions that are mapped."""
        return self.smoothed_map.smoothing

    @property
    def fitted(self) -> FittedMap:
        """How the fit ended."""
        return self.chosen.fitted

    def logits(self, log_p: Floats) -> Floats:
        """Return calibrated logits, (n, K)."""
        kept = log_p[:, self.present]
        mapped = self.fitted.map.logits(smoothed(log_softmax(kept, axis=1), self.smoothing))
        if self.present.all():
            return mapped
        logits = log_p.copy()
        together = logsumexp(kept, axis=1, keepdims=True)
        logits[:, self.present] = log_softmax(mapped, axis=1) + together
        return logits

    @property
    def parameters(self) -> tuple[Floats, Floats]:
        """Slopes (K,) or (K, K), and intercepts (K,); 1 and 0 for a class that is left out."""
        K, present = len(self.present), self.present
        own, level = self.fitted.map.parameters
        intercept = np.zeros(K)
        intercept[present] = level
        slope: Floats = np.ones(K) if own.ndim == 1 else np.eye(K)
        slope[present if own.ndim == 1 else np.ix_(present, present)] = own
        return slope, intercept
