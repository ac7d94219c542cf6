"""The losses of n samples, in nats, with their weighted sum and mean."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from skxent.inputs.namespaces import AnyArray, Array, Floats, library_of, to_numpy
from skxent.inputs.roles import is_hard
from skxent.inputs.weights import check_weight_range, weights_beside, weights_of_counted
from skxent.metrics.block_sums import SAFE, weighted_sum
from skxent.metrics.floor_warning import NONE_FLOORED, Floored, FlooredSample


@dataclass(frozen=True)
class Losses:
    """The loss of each sample, and on which samples the floor acted.

    Parameters
    ----------
    values : (n,) array
        In nats, of NumPy or of the prediction's library. Empty if a `BlockSums` took the losses.
    floored : Floored
        The samples that the floor acted on.
    probabilities : array or None
        The prediction, if the warning should say that its entries are all 0 or 1.
    kept : (n,) array or None
        Which samples count; None if all do. The loss of another sample is 0 in `values`, and has no
        part in sums and means.
    """

    values: AnyArray
    floored: Floored = NONE_FLOORED
    probabilities: Array | None = None
    kept: AnyArray = None

    @property
    def counted(self) -> AnyArray:
        """The losses of the samples that count."""
        return self.values if self.kept is None else self.values[self.kept]

    @property
    def hard(self) -> bool:
        """Whether every entry of the prediction is 0 or 1."""
        return self.probabilities is not None and is_hard(self.probabilities)

    def weights(self, sample_weight: object, zero: bool = False) -> Array | None:
        """Return the weights of the samples that count, or None; `zero` allows all to be 0."""
        weights = None
        if sample_weight is not None:
            weights = weights_beside(sample_weight, self.values, zero=zero)
        return weights_of_counted(weights, self.kept, zero=zero)

    def sums(self, weights: Array | None) -> tuple[float, float]:
        """Return the sum of weighted losses and the sum of weights."""
        return weighted_sum(self.counted, weights)

    def sum(self, weights: Array | None) -> float:
        """Return the sum of weighted losses, which must neither overflow nor underflow."""
        total, weight = self.sums(weights)
        if SAFE < total < np.inf:
            return total
        mean = self.mean(weights)
        if weights is not None and 0.0 < mean < np.inf:
            check_weight_range(weight)
        if total == np.inf and mean < np.inf:
            raise ValueError(
                "the sum of the losses is larger than the largest float: pass reduction='mean'."
            )
        return mean * weight if 0.0 < mean < np.inf else total

    def mean(self, weights: Array | None) -> float:
        """Return the weighted mean of the losses; the sums neither overflow nor underflow."""
        total, weight = self.sums(weights)
        if _smallest_safe_sum(self.counted) < total < np.inf and weight < np.inf:
            return total / weight
        weights = None if weights is None else to_numpy(weights).astype(np.float64)
        return _scaled_mean(to_numpy(self.counted).astype(np.float64), weights)

    def named(self, class_of: Callable[[FlooredSample], object] | None) -> Self:
        """Return the same losses with the classes of the floored samples named.

        `class_of` gives the class of a sample, or None if it has no name.
        """
        if class_of is None or not self.floored.samples:
            return self
        named = []
        for sample in self.floored.samples:
            label = class_of(sample)
            named.append(sample if label is None else replace(sample, name=f"class {label!r}"))
        return replace(self, floored=self.floored._replace(samples=tuple(named)))

    def warn(self, eps: float | None, name: str = "y_pred", n: int | None = None) -> None:
        """Warn the user if the floor acted on the prediction `name`.

        `n` is the number of samples, if `values` does not hold a loss for each.
        """
        n = self.counted.shape[0] if n is None else n
        if self.floored.n:
            self.floored.warn(n, eps, name if self.hard else None)


def _smallest_safe_sum(values: Array) -> float:
    """Return a sum of losses above which no digits are lost to underflow."""
    if isinstance(values, np.ndarray):
        return SAFE
    info = library_of(values).finfo(values.dtype)
    return float(info.smallest_normal) / float(info.eps)


def _scaled_mean(losses: Floats, weights: Floats | None) -> float:
    """Return a weighted mean whose sums would overflow or underflow.

    Weights and losses are divided by powers of two, which rounds nothing, so that the largest are
    about 1.
    """
    if weights is not None:
        kept = weights > 0
        losses, weights = losses[kept], weights[kept]
        weights = np.ldexp(weights, -math.frexp(weights.max())[1])
    top = float(losses.max())
    if not 0.0 < top < np.inf:
        return top
    exponent = math.frexp(top)[1]
    mean = np.average(np.ldexp(losses, -exponent), weights=weights)
    return math.ldexp(float(mean), exponent)
