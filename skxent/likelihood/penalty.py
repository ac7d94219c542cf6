r"""The penalty of the coefficients, in nats.

The L2 penalty of coefficients W, (R, d) with R = K rows of logits or R = 1 for two classes, is

.. math:: \frac{\alpha}{2} \|W - \bar W\|^2, \qquad \alpha = 1 / C,

where :math:`\bar W` is the mean over classes for K >= 3 and zero for two classes. Intercepts are
not penalised. Adding the same vector to the coefficients of all classes changes no probability, and
because the mean is subtracted, it does not change this penalty. The minimum of the objective is
the same as with :math:`\|W\|^2` in the penalty, where the minimiser has a mean of zero. The sum of
the gradient over classes is zero.

Everything that depends on the penalty is a method of `Penalty`: no other module reads alpha.
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
        Curvature of the penalty along each coefficient, 1 / C. Zero means no penalty.
    """

    alpha: float = 0.0

    # A rotation of the features does not change the penalty, so that a fit may use coordinates of
    # the space spanned by the rows.
    rotation_invariant = True

    @classmethod
    def of_C(cls, C: float) -> Self:
        """Return the penalty with the inverse strength C; an infinite C means no penalty."""
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
        """Return this penalty, or a zero penalty if its curvature is negligible.

        `root` is the square root of the largest negligible curvature. It is compared with the
        square root of the penalty's curvature, because the square of `root` may underflow.
        """
        return self if np.sqrt(self.alpha) > root else Penalty()

    def value(self, W: np.ndarray) -> float:
        """Return the value at coefficients (R, d), a sum of squares that is never negative."""
        if self.is_zero:  # the squares of coefficients may overflow
            return 0.0
        W = centred(W)
        return 0.5 * self.alpha * float(np.vdot(W, W))

    def __call__(self, W: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the value and the gradient at coefficients (R, d).

        The gradient is linear in `W`, and therefore equals the penalty's Hessian times `W`.
        """
        slope = self.alpha * centred(W)
        return 0.5 * float(np.vdot(W, slope)), slope

    def add_to_hessian(self, diagonals: np.ndarray) -> None:
        """Add the penalty's Hessian, in place, to the Hessian of all classes but the last.

        `diagonals` is a (d, n, n) view of that Hessian with n = max(R - 1, 1) classes: for each
        feature, the entries of its coefficients for any two classes.
        """
        diagonals += self.alpha * class_weights(diagonals.shape[1])

    def add_to_class_blocks(self, blocks: np.ndarray, n_features: int) -> None:
        """Add an upper bound of the penalty's Hessian, in place, to class blocks (R, p, p)."""
        j = np.arange(n_features)
        blocks[:, j, j] += self.alpha

    def add_to_diagonal(self, diagonal: np.ndarray) -> None:
        """Add an upper bound of the diagonal of the penalty's Hessian, in place, to (R, d)."""
        diagonal += self.alpha

    def row_factor(self, n_classes: int, n_features: int, width: int) -> np.ndarray:
        """Return A with A' A equal to the penalty's Hessian of n classes, without the last class.

        Each row of A has n times `width` entries. Without a penalty A has no rows.
        """
        unit = np.eye(width)[:n_features]
        root = np.linalg.cholesky(class_weights(n_classes)).T
        rows: np.ndarray = np.sqrt(self.alpha) * np.kron(root, unit)
        return rows[:0] if self.is_zero else rows

    def hessian_trace(self, inverse: np.ndarray) -> float:
        """Return the trace of the penalty's Hessian times `inverse`.

        Both matrices leave out the last class. `inverse` is (n, d, n, d).
        """
        same_feature = np.einsum("ajbj->ab", inverse)
        return self.alpha * float(np.vdot(class_weights(len(same_feature)), same_feature))

    def gap_bound(self, gradient: np.ndarray) -> float:
        """Return the largest possible gap, in nats, at a point with this gradient.

        `gradient` is the derivative with respect to the coefficients. The bound holds because the
        curvature of the objective is at least that of the penalty, and requires that the derivative
        with respect to the intercepts is zero. Without a penalty the bound is infinite.
        """
        if not self.is_definite:
            return np.inf
        return 0.5 * float(np.vdot(gradient, gradient)) / self.alpha


def centred(W: np.ndarray) -> np.ndarray:
    """Subtract the mean over classes from parameters (R, ...); R = 1 is returned unchanged.

    The mean changes no probability.
    """
    return W - W.sum(axis=0) / len(W) if len(W) > 1 else W


@cache
def class_weights(n: int) -> np.ndarray:
    """Return the penalty's Hessian for one feature and alpha = 1, (n, n).

    The parameters are the feature's coefficients in all classes but the last, n = K - 1. The last
    coefficient is held at zero, but counts in the mean. For two classes no mean is subtracted.
    """
    return np.eye(n) - (1.0 / (n + 1) if n > 1 else 0.0)
