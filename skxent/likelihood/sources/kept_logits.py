"""Arrays over samples that are kept for further sums at the same parameters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

import numpy as np


@dataclass
class KeptBlocks:
    """Results of a kernel at `theta`, one array over the samples of each block.

    A block is identified by the index of its first row. Blocks in `known` hold the values at
    `theta`; the array of any other block may be overwritten.
    """

    theta: np.ndarray
    blocks: dict[int, np.ndarray] = field(default_factory=dict)
    known: set[int] = field(default_factory=set)

    @classmethod
    def at(cls, theta: np.ndarray, before: Self | None) -> Self:
        """Return `before` if it is at `theta`, else a new one that reuses its arrays."""
        if before is not None and same(before.theta, theta):
            return before
        return cls(theta.copy(), {} if before is None else before.blocks)


@dataclass
class KeptLine:
    """Logits at `theta` and their changes along `direction`, two arrays for each block.

    A block is identified by the index of its first row.
    """

    theta: np.ndarray
    direction: np.ndarray
    blocks: dict[int, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)

    @classmethod
    def of(cls, theta: np.ndarray, direction: np.ndarray, before: Self | None) -> Self:
        """Return `before` if it is the same line, else a new one."""
        if before is not None and same(before.theta, theta) and same(before.direction, direction):
            return before
        return cls(theta.copy(), direction.copy())


def same(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two points have the same parameters."""
    return bool((a == b).all())
