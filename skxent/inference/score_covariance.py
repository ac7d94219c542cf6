"""The covariance of sums of scores, estimated from the scores of samples or of groups."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from skxent.inference.likelihood_estimate import LikelihoodEstimate, sandwich
from skxent.inputs.fit_targets import Floats


@dataclass(frozen=True, eq=False)
class ScoreCovariance:
    """How samples depend on each other, for covariances that are estimated from their scores.

    Parameters
    ----------
    copies : (n,) array
        Number of copies of each sample.
    codes : (n,) array of int or None
        The group of each sample; None if samples are independent.
    """

    copies: Floats
    codes: NDArray[np.intp] | None

    def of(self, at: LikelihoodEstimate, directions: Floats) -> Floats:
        """Return the covariance of the sum of the scores along some directions.

        Parameters
        ----------
        at : LikelihoodEstimate
            Parameters of which the scores are taken.
        directions : (q, m) array
            Linear functions of the scores, such as the inverse Hessian for the covariance of the
            parameters.

        Returns
        -------
        (m, m) array
            The estimate HC0, or the corrected one of groups if there are any.
        """
        along = replace(at, covariance=directions)
        weight = at.weight
        if self.codes is None:
            factor = np.zeros_like(weight)
            np.divide(weight, self.copies, out=factor, where=self.copies > 0)
            return sandwich(along, weight * factor, None)
        return self._correction(weight, len(directions)) * sandwich(along, weight, self.codes)

    def _correction(self, weight: Floats, q: int) -> float:
        """Return the factor for few groups, and for q parameters."""
        assert self.codes is not None
        n_groups, N = len(np.unique(self.codes[weight > 0])), float(self.copies.sum())
        if n_groups < 2:
            raise ValueError("groups has one group only: pass at least two groups.")
        if q >= N:
            raise ValueError(
                f"{q} coefficients leave no degrees of freedom to {N:.6g} observations: leave out "
                "features."
            )
        return n_groups / (n_groups - 1) * (N - 1) / (N - q)
