r"""Calibration maps of smoothed predictions.

Smoothing mixes the predicted distribution q of a sample with the uniform one of K classes,

.. math:: q' = (1 - \epsilon) q + \epsilon / K,

before it is mapped. It undoes what no map of logarithms can: a probability of 0 that means "seldom"
(the votes of a forest), or probabilities far too small. The first value of `GRID` is found whose
sum of leave-one-out losses of "temperature" is at most one nat above the smallest sum, so that
nothing is smoothed if it makes no difference. The map itself then decides between this value and no
smoothing in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skxent.inference.map_choice import (
    ONE_SLOPE,
    RISE,
    ChosenMap,
    fit_shrunk_map,
    smallest,
    some_of,
)
from skxent.inference.map_samples import Samples

GRID = 0.0, 1e-4, 1e-3, 1e-2, 0.1, 0.3  # shares of the uniform distribution


@dataclass(frozen=True)
class SmoothedMap:
    """A map, and the smoothing of the predictions that it maps.

    Parameters
    ----------
    smoothing : float
    chosen : ChosenMap
    """

    smoothing: float
    chosen: ChosenMap


def fit_smoothed_map(
    method: str, samples: Samples, C: float | None, smoothing: float | None
) -> SmoothedMap:
    """Fit a map; leave-one-out losses choose C and the smoothing where they are None."""
    if smoothing is not None:
        return _fitted(method, samples, C, smoothing)
    best = _best_of_temperature(samples)
    if method == "temperature" or not best:
        return _fitted(method, samples, C, best)
    maps = [_fitted(method, samples, C, share) for share in (0.0, best)]
    return maps[smallest([found.chosen.loss for found in maps], samples, np.inf)]


def _fitted(method: str, samples: Samples, C: float | None, smoothing: float) -> SmoothedMap:
    return SmoothedMap(smoothing, fit_shrunk_map(method, samples.smoothed(smoothing), C))


def _best_of_temperature(samples: Samples) -> float:
    """Return the smoothing of the smallest leave-one-out loss of "temperature"."""
    some = some_of(samples, ONE_SLOPE)
    rise = RISE * some.unit / some.weight.sum()
    losses: list[float] = []
    for smoothing in GRID:
        losses.append(_fitted("temperature", some, None, smoothing).chosen.loss)
        if losses[-1] > np.min(losses) + rise:
            break
    return GRID[smallest(losses, some, np.inf)]
