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
    loss_of_absent : float
        Mean loss in nats of the event that one of these classes is true, which no map changes.
    pairs : bool
        Whether the map has a slope for each pair of classes.
    """

    smoothed_map: SmoothedMap
    present: NDArray[np.bool_]
    loss_of_absent: float
    pairs: bool

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
        pairs = method == "matrix"
        if np.count_nonzero(present) == 1:
            method = "temperature"  # nothing is left to calibrate
        samples = Samples(log_softmax(log_p[:, present], axis=1), target, weight, tol)
        loss = 0.0
        if not present.all():
            odds = logsumexp(log_p[:, ~present], axis=1) - logsumexp(log_p[:, present], axis=1)
            loss = float(np.average(np.logaddexp(0.0, odds), weights=weight / weight.max()))
        return cls(fit_smoothed_map(method, samples, C, smoothing), present, loss, pairs)

    @property
    def chosen(self) -> ChosenMap:
        """The map with the penalties that it was chosen from."""
        return self.smoothed_map.chosen

    @property
    def loss(self) -> float:
        """Mean cross-entropy of the calibrated predictions, in nats."""
        return self.fitted.value + self.loss_of_absent

    @property
    def left_out_losses(self) -> Floats:
        """Mean leave-one-out loss for each C that was compared, in nats."""
        return self.chosen.losses + self.loss_of_absent

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
        if not self.pairs:
            slope: Floats = np.ones(K)
            slope[present] = own
            return slope, intercept
        slope = np.eye(K)
        slope[np.ix_(present, present)] = (
            np.diag(np.broadcast_to(own, len(level))) if own.ndim == 1 else own
        )
        return slope, intercept
