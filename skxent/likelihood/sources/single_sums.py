r"""Sums over float32 rows with products in float32, which take half the time of float64.

Logits, probabilities and matrix products of a block are float32; the sums of the blocks are added
in float64. The search uses these sums where their rounding does not matter: far from the minimum,
for models of the curvature, and for products with the Hessian.

**Rounding.** A logit is a sum of terms W_j x_j, each rounded to an epsilon of float32, so that its
error is at most about epsilon times :math:`s = \sum_j |W_j| |x_j|`. The sum of the log-partitions A
then has an error of at most epsilon times the sum over samples of :math:`|A| + s`. The parameters
are rounded to float32 first, and the objective is that of the rounded parameters. Their rounding,
which would be the same for every sample, is therefore no error.

Columns must be near zero: the terms of a column with mean m and deviation t are
:math:`\sqrt{1 + (m / t)^2}` times as large as those of the centred column. If the ratio is above
`tuning.FAR_CENTRE_SINGLE` for some column, blocks are centred as they are read. A difference of two
float32 numbers is rounded once, so that a column of 1e6 plus small numbers keeps all its digits.
"""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np

from skxent.likelihood import tuning
from skxent.likelihood.sources.arrays import RowArrays
from skxent.likelihood.sources.blocks import fit_one_block
from skxent.likelihood.sources.first_sums import Moments
from skxent.likelihood.sources.local_sums import LocalSums

SINGLE_EPS = float(np.finfo(np.float32).eps)
# Largest size of a column and largest weight; the smallest allowed is 1 / LARGEST. A sum of
# weighted squares has four factors of at most this size, one of which is the number of rows, and
# does not overflow in float32.
LARGEST = float(np.finfo(np.float32).max) ** 0.25


class SingleSums(LocalSums):
    """Sums over samples with products in float32; implements `RowSums`.

    Parameters
    ----------
    data : RowArrays
        Dense rows in float32.
    moments : Moments
        Moments of `data`.
    centre : (d,) array or None
        Subtracted from each row; None subtracts nothing.
    """

    dtype = np.float32
    # Whether `terms` bounds the rounding of a product. If not, no certificate may rely on these
    # products, see `single_products`.
    bounded: ClassVar[bool] = True

    def __init__(self, data: RowArrays, moments: Moments, centre: np.ndarray | None) -> None:
        far = far_columns(moments, centre, tuning.FAR_CENTRE_SINGLE)
        super().__init__(data, centre, far)
        subtracted = centre if centre is not None and (far or self.written_out) else 0.0
        self.terms = float(self.shape[1])  # rounded terms of a logit
        self._sizes = np.sqrt(moments.mean_square(subtracted))
        self._total_weight = float(moments.class_weight.sum())

    @classmethod
    def of(
        cls, data: RowArrays, moments: Moments, centre: np.ndarray | None, small: bool
    ) -> Self | None:
        """Return the sums, or None if X is not dense float32, or if its numbers may overflow.

        Unless `small`, the result is also None if the rows fit one block: such rows are copied in
        float64.
        """
        if data.sparse or data.X.dtype != np.float32:
            return None
        if not small and fit_one_block(data.n_rows, data.theta_shape[1], data.n_outputs):
            return None
        return cls(data, moments, centre) if in_range(data, moments, centre) else None

    def rounded(self, theta: np.ndarray) -> np.ndarray:
        """Return the parameters nearest to `theta` that float32 holds exactly in the products."""
        W, shift = self._for_blocks(theta)
        if shift is None:
            return W.astype(np.float64)
        W, shift = W.astype(np.float64), shift.astype(np.float64)
        return np.column_stack([W, shift if self.centre is None else shift + W @ self.centre])

    def rounding(self, theta: np.ndarray) -> float:
        """Return a bound of the error of the sum of log-partitions from rounding of logits."""
        W, shift = self._for_blocks(theta)
        d = len(self._sizes)
        intercept = W[:, d:].sum(axis=1) if shift is None else shift
        sizes = np.abs(theta[:, :d]) @ self._sizes + np.abs(intercept)
        return SINGLE_EPS * self._total_weight * float(sizes.max())


def far_columns(moments: Moments, centre: np.ndarray | None, limit: float) -> bool:
    """Whether some column has a centre more than `limit` standard deviations from zero."""
    return centre is not None and bool(np.any(np.abs(centre) > limit * np.sqrt(moments.variance)))


def in_range(data: RowArrays, moments: Moments, centre: np.ndarray | None) -> bool:
    """Whether no sum of weighted squares of columns less `centre` can overflow in float32."""
    sizes = np.sqrt(moments.mean_square(0.0 if centre is None else centre))
    sizes = sizes[sizes > 0]
    if data.weight is not None:
        sizes = np.append(sizes, data.weight[data.weight > 0])
    return not len(sizes) or bool(sizes.min() > 1 / LARGEST and sizes.max() < LARGEST)
