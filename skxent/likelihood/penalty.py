r"""The penalty of the coefficients, in nats.

The L2 penalty of coefficients W, (R, d) with R = K rows of logits or R = 1 for two classes, is

.. math:: \frac{\alpha}{2} \|W - \bar W\|^2, \qquad \alpha = 1 / C,

where :math:`\bar W` is the mean over classes for K >= 3 and zero for two classes. Intercepts are
not penalised. With a factor :math:`f_j \ge 0` for each feature the penalty is

.. math:: \frac{\alpha}{2} \sum_j f_j \|W_j - \bar W_j\|^2 ,

and a feature with the factor zero is not penalised. Adding the same vector to the coefficients of
all classes changes no probability, and because the mean is subtracted, it does not change this
penalty. The minimum of the objective is the same as with :math:`\|W\|^2` in the penalty, where the
minimiser has a mean of zero. The sum of the gradient over classes is zero.

Everything that depends on the penalty is a method of `Penalty`: no other module reads alpha.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import Self

import numpy as np


@dataclass(frozen=True, eq=False)
class Penalty:
    """The L2 penalty of coefficients.

    Parameters
    ----------
    alpha : float
        Curvature of the penalty along each coefficient, 1 / C. Zero means no penalty.
    factors : (d,) array or None
        Factors of `alpha`, one for each feature. None means one for every feature. `of_factors`
        makes penalties whose factors are neither all equal nor all zero.
    """

    alpha: float = 0.0
    factors: np.ndarray | None = None

    @classmethod
    def of_C(cls, C: float, factors: np.ndarray | None = None) -> Self:
        """Return the penalty with the inverse strength C; an infinite C means no penalty.

        `factors` are factors of the penalty for each feature. An infinite C ignores them.
        """
        alpha = 1.0 / float(C)
        return cls(alpha) if factors is None else cls.of_factors(alpha, factors)

    @classmethod
    def of_factors(cls, alpha: float, factors: np.ndarray) -> Self:
        """Return a penalty with factors; equal factors give a penalty without factors."""
        curvature = alpha * factors
        if (curvature == curvature[0]).all():
            return cls(float(curvature[0]))
        return cls(alpha, factors)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Penalty):
            return NotImplemented
        return self.alpha == other.alpha and _same(self.factors, other.factors)

    __hash__ = None  # type: ignore[assignment]

    @cached_property
    def curvature(self) -> float | np.ndarray:
        """Curvature along each coefficient: one number, or with factors an array (d,)."""
        return self.alpha if self.factors is None else self.alpha * self.factors

    @property
    def rotation_invariant(self) -> bool:
        """Whether a rotation of the features does not change the penalty.

        A fit may then use coordinates of the space spanned by the rows.
        """
        return self.factors is None

    @property
    def is_zero(self) -> bool:
        """Whether no coefficient is penalised."""
        return self.alpha == 0

    @cached_property
    def is_definite(self) -> bool:
        """Whether every coefficient is penalised, so that a finite minimum exists."""
        return _everywhere(self.curvature > 0)

    def is_at_most(self, curvature: float) -> bool:
        """Whether the curvature of the penalty is nowhere larger than `curvature`."""
        return _everywhere(self.curvature <= curvature)

    def at_most(self, curvature: np.ndarray | float, n_features: int) -> np.ndarray:
        """Mask of the features whose penalty has at most the given curvature, (d,)."""
        return np.full(n_features, self.curvature <= curvature)

    def scaled(self, factor: float) -> Penalty:
        """Return this penalty times a factor."""
        return Penalty(factor * self.alpha, self.factors)

    @property
    def column_scale(self) -> np.ndarray:
        """Factors that multiply columns so that their penalty has no factors, (d,).

        A column that is not penalised has a zero.
        """
        assert self.factors is not None
        scale = np.zeros_like(self.factors)
        return np.divide(1.0, np.sqrt(self.factors), out=scale, where=self.factors > 0)

    def of_scaled_columns(self, n_penalised: int, n_unpenalised: int) -> Penalty:
        """Return the penalty of columns multiplied by `column_scale`, or of a rotation of these.

        Columns that are not penalised come last.
        """
        factors = np.repeat([1.0, 0.0], [n_penalised, n_unpenalised])
        return Penalty.of_factors(self.alpha, factors)

    def of_other_unpenalised(self, n_unpenalised: int) -> Penalty:
        """Return the penalty if other columns replace those without a penalty, and come first."""
        assert self.factors is not None
        factors = np.append(np.zeros(n_unpenalised), self.factors[self.factors > 0])
        return Penalty.of_factors(self.alpha, factors)

    def unless_invisible(self, root: float) -> Penalty:
        """Return this penalty without the features for which its curvature is negligible.

        `root` is the square root of the largest negligible curvature. It is compared with the
        square root of the penalty's curvature, because the square of `root` may underflow.
        """
        visible = np.sqrt(self.curvature) > root
        if _everywhere(visible):
            return self
        if self.factors is None:
            return Penalty()
        factors = np.where(visible, self.factors, 0.0)
        return self if _same(factors, self.factors) else Penalty.of_factors(self.alpha, factors)

    def value(self, W: np.ndarray) -> float:
        """Return the value at coefficients (R, d), a sum of squares that is never negative."""
        if self.is_zero:  # the squares of coefficients may overflow
            return 0.0
        W = centred(W)
        if self.factors is not None:
            return 0.5 * float(np.vdot(W, self.curvature * W))
        return 0.5 * self.alpha * float(np.vdot(W, W))

    def __call__(self, W: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the value and the gradient at coefficients (R, d).

        The gradient is linear in `W`, and therefore equals the penalty's Hessian times `W`.
        """
        slope = self.curvature * centred(W)
        return 0.5 * float(np.vdot(W, slope)), slope

    def add_to_hessian(self, diagonals: np.ndarray) -> None:
        """Add the penalty's Hessian, in place, to the Hessian of all classes but the last.

        `diagonals` is a (d, n, n) view of that Hessian with n = max(R - 1, 1) classes: for each
        feature, the entries of its coefficients for any two classes.
        """
        diagonals += np.multiply.outer(self.curvature, class_weights(diagonals.shape[1]))

    def add_to_class_blocks(self, blocks: np.ndarray, n_features: int) -> None:
        """Add an upper bound of the penalty's Hessian, in place, to class blocks (R, p, p)."""
        j = np.arange(n_features)
        blocks[:, j, j] += self.curvature

    def add_to_diagonal(self, diagonal: np.ndarray) -> None:
        """Add an upper bound of the diagonal of the penalty's Hessian, in place, to (R, d)."""
        diagonal += self.curvature

    def between_classes(self, steps: np.ndarray) -> np.ndarray:
        """Return the penalty's Hessian between steps that change one class each, for K >= 3.

        `steps` (K, m, d) holds m changes of the coefficients of each class. The result is
        (K m, K m), with the steps of the first class first.
        """
        K, m, d = steps.shape
        flat = steps.reshape(K * m, d)
        products = ((flat * self.curvature) @ flat.T).reshape(K, m, K, m)
        products *= (np.eye(K) - 1.0 / K)[:, None, :, None]
        return products.reshape(K * m, K * m)

    def row_factor(self, n_classes: int, n_features: int, width: int) -> np.ndarray:
        """Return A with A' A equal to the penalty's Hessian of n classes, without the last class.

        Each row of A has n times `width` entries. Without a penalty A has no rows.
        """
        unit = np.sqrt(self.curvature) * np.eye(n_features)
        root = np.linalg.cholesky(class_weights(n_classes)).T
        rows: np.ndarray = np.kron(root, np.pad(unit, ((0, 0), (0, width - n_features))))
        return rows[rows.any(axis=1)]

    def hessian_trace(self, inverse: np.ndarray) -> float:
        """Return the trace of the penalty's Hessian times `inverse`.

        Both matrices leave out the last class. `inverse` is (n, d, n, d).
        """
        if self.factors is None:
            same_feature = np.einsum("ajbj->ab", inverse)
        else:
            same_feature = np.einsum("ajbj,j->ab", inverse, self.factors)
        return self.alpha * float(np.vdot(class_weights(len(same_feature)), same_feature))

    def gap_bound(self, gradient: np.ndarray) -> float:
        """Return the largest possible gap, in nats, at a point with this gradient.

        `gradient` is the derivative with respect to the coefficients. The bound holds because the
        curvature of the objective is at least that of the penalty, and requires that the derivative
        with respect to the intercepts is zero. If a feature is not penalised, it is infinite.
        """
        if not self.is_definite:
            return np.inf
        if self.factors is not None:
            return 0.5 * float(np.vdot(gradient, gradient / self.curvature))
        return 0.5 * float(np.vdot(gradient, gradient)) / self.alpha


def _everywhere(mask: bool | np.bool_ | np.ndarray) -> bool:
    """Whether a condition holds for every feature; one value stands for all of them."""
    return bool(mask.all() if isinstance(mask, np.ndarray) else mask)


def _same(some: np.ndarray | None, other: np.ndarray | None) -> bool:
    """Whether two arrays are equal, or both None."""
    if some is None or other is None:
        return some is other
    return np.array_equal(some, other)


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
