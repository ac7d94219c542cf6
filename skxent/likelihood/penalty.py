r"""The penalty of the coefficients, in nats.

The L2 penalty of coefficients W, (R, d) with R = K rows of logits or R = 1 for two classes, is

.. math:: \frac{\alpha}{2} \|W - \bar W\|^2, \qquad \alpha = 1 / C,

where :math:`\bar W` is the mean over classes for K >= 3 and zero for two classes. Intercepts are
not penalised. Adding one vector to the coefficients of all classes changes no probability. The mean
is taken out so that it does not change the penalty either: the minimum stays the same, and the
gradient is orthogonal to these directions.

The engine asks a `Penalty` for everything that depends on the penalty: no other module reads alpha.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Self

import numpy as np


@dataclass(frozen=True)
class Penalty:
    """The L2 penalty of coefficients.

    Parameters
    ----------
    alpha : float
        Its curvature along each coefficient, 1 / C. 0 is no penalty.
    """

    alpha: float = 0.0

    # A rotation of the features leaves the penalty as it is, so that a fit may be made in
    # coordinates of the space of the rows.
    rotation_invariant = True

    @classmethod
    def of_C(cls, C: float) -> Self:
        """Return the penalty of an inverse strength C; an infinite C gives none."""
        return cls(1.0 / float(C))

    @property
    def is_zero(self) -> bool:
        """Whether no coefficient is penalised."""
        return self.alpha == 0

    @property
    def is_definite(self) -> bool:
        """Whether every coefficient is penalised, so that a finite minimum exists."""
        return self.alpha > 0

    def is_at_most(self, curvature: float) -> bool:
        """Whether the curvature of the penalty is nowhere larger than `curvature`."""
        return self.alpha <= curvature

    def scaled(self, factor: float) -> Penalty:
        """Return this penalty times a factor."""
        return Penalty(factor * self.alpha)

    def unless_invisible(self, root: float) -> Penalty:
        """Return this penalty, or none where its curvature is at most the square of `root`.

        Roots are compared, because squares may underflow.
        """
        return self if np.sqrt(self.alpha) > root else Penalty()

    def value(self, W: np.ndarray) -> float:
        """Return the value at coefficients (R, d), as a sum of squares: rounding leaves it >= 0."""
        if self.is_zero:  # the squares of coefficients may overflow
            return 0.0
        W = centred(W)
        return 0.5 * self.alpha * float(np.vdot(W, W))

    def __call__(self, W: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the value and the gradient at coefficients (R, d).

        The gradient is linear: it is also the product of the penalty's Hessian with `W`.
        """
        slope = self.alpha * centred(W)
        return 0.5 * float(np.vdot(W, slope)), slope

    def add_to_hessian(self, diagonals: np.ndarray) -> None:
        """Add the Hessian, in place, written for the classes but the last.

        `diagonals` is a (d, n, n) view of the Hessian: for each feature its entries for two of the
        n = max(R - 1, 1) classes.
        """
        diagonals += self.alpha * class_weights(diagonals.shape[1])

    def add_to_class_blocks(self, blocks: np.ndarray, n_features: int) -> None:
        """Add an upper bound of the Hessian, in place, to the (R, p, p) blocks of the classes."""
        j = np.arange(n_features)
        blocks[:, j, j] += self.alpha

    def add_to_diagonal(self, diagonal: np.ndarray) -> None:
        """Add an upper bound of the Hessian's diagonal, in place, to a (R, d) array."""
        diagonal += self.alpha

    def row_factor(self, n_classes: int, n_features: int, width: int) -> np.ndarray:
        """Return rows whose squares add up to the Hessian for n classes, the last left out.

        Each of the rows has n times `width` entries. There are no rows without a penalty.
        """
        unit = np.eye(width)[:n_features]
        root = np.linalg.cholesky(class_weights(n_classes)).T
        rows: np.ndarray = np.sqrt(self.alpha) * np.kron(root, unit)
        return rows[:0] if self.is_zero else rows

    def hessian_trace(self, inverse: np.ndarray) -> float:
        """Return the trace of the Hessian times an inverse, both for the classes but the last.

        `inverse` is (n, d, n, d).
        """
        same_feature = np.einsum("ajbj->ab", inverse)
        return self.alpha * float(np.vdot(class_weights(len(same_feature)), same_feature))

    def gap_bound(self, gradient: np.ndarray) -> float:
        """Return the largest gap in nats that a gradient by the coefficients can mean.

        The objective is at least as curved as the penalty. The bound holds where the gradient by
        the intercepts is zero. It is infinite where a coefficient is not penalised.
        """
        if not self.is_definite:
            return np.inf
        return 0.5 * float(np.vdot(gradient, gradient)) / self.alpha


def centred(W: np.ndarray) -> np.ndarray:
    """Return parameters (R, ...) less their mean over classes; those of one logit as they are.

    What all classes have in common changes no probability.
    """
    return W - W.sum(axis=0) / len(W) if len(W) > 1 else W


@cache
def class_weights(n: int) -> np.ndarray:
    """Return the Hessian of half the squares of n weights, less their mean with that of a last.

    The weight of the last class is held at zero. For two classes there is one weight and no mean.
    """
    return np.eye(n) - (1.0 / (n + 1) if n > 1 else 0.0)
