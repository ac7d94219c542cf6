r"""A change of coordinates that removes the classes of weight zero from a fit.

A class has no weight if all its samples have weight zero, or if its column of soft targets is zero.
The likelihood never rises with the probability of such a class. With an intercept, the objective
falls as the intercept of the class goes to minus infinity. In the limit, where the objective has
its infimum, the class has probability zero in every sample and coefficients of zero. The class is
therefore left out, and only the other classes are fitted.

If two of :math:`K \ge 3` classes have weight, the rows of W for these two are w / 2 and -w / 2.
Their penalty :math:`\|w\|^2 / 4C` is half of the penalty of two classes with one logit w.

Without an intercept there is no such limit, and the class is fitted like any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.base import RowSource
from skxent.likelihood.sources.first_sums import Moments

Parameters = tuple[np.ndarray, np.ndarray]


class OneClassError(ValueError):
    """Error if only one class has samples of positive weight; `code` is its code."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(
            f"only class {code} has samples with a weight: a classifier needs at least two classes."
        )


@dataclass(frozen=True)
class Present:
    """A change of coordinates to the classes that have weight.

    Parameters
    ----------
    mask : (K,) array of bool
        Mask of the classes with weight: at least two, and not all.
    """

    mask: np.ndarray

    @classmethod
    def of(cls, data: RowSource, moments: Moments) -> Self | None:
        """Make the change if a class must be removed; None if all classes are fitted."""
        mask = moments.class_weight > 0
        if np.count_nonzero(mask) == 1:
            raise OneClassError(int(np.argmax(mask)))
        return None if mask.all() or not data.fit_intercept else cls(mask)

    @property
    def two(self) -> bool:
        """Whether exactly two classes have weight; they are fitted with one logit."""
        return bool(np.count_nonzero(self.mask) == 2)

    def penalty(self, penalty: Penalty) -> Penalty:
        """Return the penalty in the new coordinates that equals `penalty` in the old ones."""
        return penalty.scaled(0.5) if self.two else penalty

    def enter(self, coef: np.ndarray, intercept: np.ndarray) -> Parameters:
        """Parameters of all classes -> parameters of the classes with weight."""
        coef, intercept = coef[self.mask], intercept[self.mask]
        if self.two:
            # If the last fit left out both classes, the intercepts are -inf. The difference is NaN.
            with np.errstate(invalid="ignore"):
                return coef[1:] - coef[:1], intercept[1:] - intercept[:1]
        return coef, intercept

    def leave(self, coef: np.ndarray, intercept: np.ndarray) -> Parameters:
        """Parameters of the classes with weight -> parameters of all classes.

        Classes of weight zero get coefficients of 0 and an intercept of -inf.
        """
        if self.two:
            halves = np.array([[-0.5], [0.5]])
            coef, intercept = halves * coef, halves[:, 0] * intercept
        all_coef = np.zeros((len(self.mask), coef.shape[1]))
        all_coef[self.mask] = coef
        return all_coef, self._spread(intercept)

    def logits(self, Z: np.ndarray) -> np.ndarray:
        """Logits (n, R) of the classes with weight -> logits (n, K), others are -inf."""
        if self.two:  # one logit of each row is 0, so that infinite Z gives no NaN
            Z = np.column_stack([-np.maximum(Z, 0.0), -np.maximum(-Z, 0.0)])
        return self._spread(Z)

    def _spread(self, values: np.ndarray) -> np.ndarray:
        result = np.full((*values.shape[:-1], len(self.mask)), -np.inf)
        result[..., self.mask] = values
        return result
