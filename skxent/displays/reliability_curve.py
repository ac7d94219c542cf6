"""Reliability curves and their consistency bands.

The consistency band is made by resampling (T. Dimitriadis, T. Gneiting, A. I. Jordan, "Stable
reliability diagrams for probabilistic classifiers", PNAS 118, 2021, doi:10.1073/pnas.2016191118):
outcomes are drawn from the predicted probabilities, which are calibrated for these outcomes, and a
curve is fitted to each draw.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.optimize import isotonic_regression

from skxent.displays.layout import plain
from skxent.inputs.namespaces import Floats
from skxent.metrics import CrossEntropyDecomposition
from skxent.metrics.decomposition import decompose
from skxent.metrics.scored_samples import ScoredSamples
from skxent.metrics.tables import number

RESAMPLES = 100  # draws of outcomes for a band
GRID = 200  # largest number of probabilities at which a band is computed
BINS = np.linspace(0.0, 1.0, 26)  # edges of the bins of the histograms


@dataclass(frozen=True, eq=False)
class Band:
    """The level of a consistency band, and the generator that draws the outcomes."""

    level: float | None
    rng: np.random.RandomState

    def of(self, p: Floats, weight: Floats) -> Floats | None:
        """Return some probabilities, and the low and high ends of the band at them, (3, g)."""
        if self.level is None:
            return None
        distinct, codes = np.unique(p, return_inverse=True)
        total = np.bincount(codes, weight)
        grid = np.unique(np.linspace(0, len(distinct) - 1, GRID).round().astype(np.intp))
        fits = np.empty((RESAMPLES, len(grid)))
        for fit in fits:
            outcomes = self.rng.random_sample(len(p)) < p
            means = np.bincount(codes, weight * outcomes) / total
            fit[:] = isotonic_regression(means, weights=total).x[grid]
        tail = (1.0 - self.level) / 2.0
        return np.stack([distinct[grid], *np.quantile(fits, [tail, 1.0 - tail], axis=0)])


@dataclass(frozen=True, eq=False)
class ReliabilityCurve:
    """The reliability of one class against the others.

    Parameters
    ----------
    name : str
        The class.
    probability, recalibrated : (m,) arrays
        Predicted probabilities, ascending, and their recalibration by isotonic regression.
    counts : (2, bins) array
        Total weights of the samples of other classes and of this class in each bin.
    band : (3, g) array or None
        Some probabilities, and the low and high ends of the band at them.
    parts : CrossEntropyDecomposition
        Decomposition of the loss of the class against the others.
    """

    name: str
    probability: Floats
    recalibrated: Floats
    counts: Floats
    band: Floats | None
    parts: CrossEntropyDecomposition

    @classmethod
    def of(
        cls,
        samples: ScoredSamples,
        P: Floats,
        k: int,
        whole: CrossEntropyDecomposition,
        base: float | None,
        band: Band,
    ) -> Self:
        """Make the curve of class k; `whole` is the decomposition of the loss over all classes."""
        target, kept = samples.target, samples.importance > 0
        truth = (target == k if target.ndim == 1 else target[:, k]).astype(np.float64)
        p = P[:, k]
        if P.shape[1] == 2:
            parts, recalibrated = whole, whole.recalibrated[:, k]
        else:
            rows = np.column_stack([1.0 - truth, truth])
            parts = decompose(
                ScoredSamples.of(rows, p, None, samples.weight, False), "isotonic", base
            )
            recalibrated = parts.recalibrated[:, 1]
        p, r, truth, weight = (a[kept] for a in (p, recalibrated, truth, samples.importance))
        # Different logits may have equal probabilities; the curve is vertical there.
        order = np.lexsort((r, p))
        points = np.stack([p, r])[:, order]
        new = np.append(True, (np.diff(points) != 0).any(axis=0))
        sides = [np.histogram(p, BINS, weights=weight * side)[0] for side in (1.0 - truth, truth)]
        return cls(
            name=str(samples.names.tolist()[k]),
            probability=points[0, new],
            recalibrated=points[1, new],
            counts=np.stack(sides),
            band=band.of(p, weight) if target.ndim == 1 else None,
            parts=parts,
        )

    def title(self, words: bool, when: str = "") -> str:
        """Return the name of the class and the decomposition of its loss, after the text `when`."""
        return f"{plain(self.name)}\n{when}{equation(self.parts, words)}"


def equation(parts: CrossEntropyDecomposition, words: bool) -> str:
    """Return the text of loss = miscalibration - discrimination + uncertainty, in numbers."""
    names = ("loss", "miscalibration", "discrimination", "uncertainty")
    values = [getattr(parts, name) for name in names]
    if not words:
        return "{:.3f} = {:.3f} − {:.3f} + {:.3f}".format(*values)
    loss, *rest = (f"{name} {number(x)}" for name, x in zip(names, values, strict=True))
    return "{} {} = {}\n− {} + {}".format(loss, parts.unit, *rest)
