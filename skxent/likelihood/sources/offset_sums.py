r"""Sums over rows of the known parts of the logits, the offsets, which no parameters change.

With offsets :math:`o_i` the logits are :math:`z_i = \Theta \tilde x_i + o_i`, so that the linear
part of the objective, :math:`\sum_i w_i\, y_i^\top z_i`, has a term without parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from skxent.likelihood import kernels
from skxent.likelihood.sources.arrays import RowArrays


@dataclass(frozen=True)
class OffsetSums:
    r"""Sums of offsets over rows, weighted, in nats.

    Parameters
    ----------
    linear, size : float
        Sum of :math:`w\, y^\top o`, and the sum of the absolute values of its terms. With one logit
        y is the target of the second class less one half.
    losses : float
        Sum of the losses if all parameters are zero.
    widest : float
        Largest difference of two offsets of one sample, over samples with positive weight.
    """

    linear: float = 0.0
    size: float = 0.0
    losses: float = 0.0
    widest: float = 0.0

    @classmethod
    def of(cls, data: RowArrays) -> Self | None:
        """Compute the sums; None if the rows have no offset."""
        if data.offset is None:
            return None
        total = cls()
        for rows in data.blocks(None).all:
            total += cls._of_block(data, rows)
        return total

    @classmethod
    def _of_block(cls, data: RowArrays, rows: slice) -> Self:
        assert data.offset is not None
        O, Y = np.ascontiguousarray(data.offset[:, rows]), data.target_block(rows)
        weight = np.ones(O.shape[1]) if data.weight is None else data.weight[rows]
        Y = Y[1:] if len(O) == 1 else Y
        linear = ((Y - 0.5 if len(O) == 1 else Y) * O).sum(axis=0) * weight
        losses, _ = kernels.losses_and_residuals(O, Y)
        width = np.abs(O[0]) if len(O) == 1 else O.max(axis=0) - O.min(axis=0)
        return cls(
            float(linear.sum()),
            float(np.abs(linear).sum()),
            float(losses @ weight),
            float(width[weight > 0].max(initial=0.0)),
        )

    def __add__(self, other: OffsetSums) -> Self:
        """Add the sums over other rows."""
        return type(self)(
            self.linear + other.linear,
            self.size + other.size,
            self.losses + other.losses,
            max(self.widest, other.widest),
        )


def add(one: OffsetSums | None, other: OffsetSums | None) -> OffsetSums | None:
    """Add the sums over two sets of rows, of which both or none have an offset."""
    return None if one is None or other is None else one + other
