"""Probabilities that are kept for several products with the Hessian at the same parameters."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass
class KeptCurvature:
    """Results of `kernels.curvature` at `theta`, one array for each block.

    A block is identified by the index of its first row. Blocks in `known` hold the values at
    `theta`; the array of any other block may be overwritten.
    """

    theta: np.ndarray
    blocks: dict[int, np.ndarray] = field(default_factory=dict)
    known: set[int] = field(default_factory=set)
