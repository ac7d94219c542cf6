r"""Sums over wide sparse rows of many classes, with products in float32.

Each stored entry of X reads the weights of its column for all R logits, and updates as many sums of
the gradient. Both arrays have R p numbers. If they do not fit in the cache of a processor core, a
product takes as long as its reads from memory, and in float32 half as long as in float64. The
entries are copied to float32 unless they have this type; their indices are shared with X.

Entries of a float64 X are rounded, an error of the same size as the rounding of their products, see
`single_sums`. Every fit ends in float64 with the original entries.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Self

import numpy as np
import scipy.sparse

from skxent.likelihood import tuning
from skxent.likelihood.sources.arrays import RowArrays
from skxent.likelihood.sources.blocks import view
from skxent.likelihood.sources.first_sums import Moments
from skxent.likelihood.sources.single_sums import SingleSums, far_columns, in_range

# Smallest number of logits of a sample, and smallest number of parameters, for which products with
# sparse rows are computed in float32. So many parameters are two megabytes in float64, more than
# the second cache of a core. With fewer logits the indices of the entries take most of the time.
LEAST_LOGITS = 8
LEAST_PARAMETERS = 1 << 18


class SparseSingleSums(SingleSums):
    """Sums over sparse samples with products in float32; implements `RowSums`.

    Parameters
    ----------
    data : RowArrays
        Sparse rows.
    moments : Moments
        Moments of `data`.
    centre : (d,) array or None
        Subtracted from each row; None subtracts nothing.
    """

    bounded: ClassVar[bool] = False

    def __init__(self, data: RowArrays, moments: Moments, centre: np.ndarray | None) -> None:
        X = view(scipy.sparse.csr_array, data.X, data.X.indptr, data.X.shape)
        X.data = X.data.astype(np.float32, copy=False)
        super().__init__(replace(data, X=X), moments, centre)
        # The errors of the terms of a sum have either sign. Sums over samples have the most terms.
        self.terms = float(np.sqrt(max(data.n_rows, data.n_features)))

    @classmethod
    def of(
        cls, data: RowArrays, moments: Moments, centre: np.ndarray | None, small: bool
    ) -> Self | None:
        """Return the sums, or None if they are no faster, or if float32 is not accurate enough.

        Columns are never centred before they are multiplied, because they would not be sparse.
        """
        if small or not exceeds_cache(data.theta_shape):
            return None
        if far_columns(moments, centre, tuning.FAR_SPARSE_COLUMN):
            return None
        return cls(data, moments, centre) if in_range(data, moments, None) else None


def exceeds_cache(theta_shape: tuple[int, int]) -> bool:
    """Whether a sample has many logits, and the parameters (R, p) do not fit in a core's cache."""
    R, p = theta_shape
    return R >= LEAST_LOGITS and R * p >= LEAST_PARAMETERS
