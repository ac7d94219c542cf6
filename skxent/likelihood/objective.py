r"""The objective: value and gradient at parameters, a sum over samples in nats.

Conventions of the engine
-------------------------
* Samples :math:`\tilde x_i = (x_i - \mu, 1)` have p = d + 1 entries, the intercept last; without an
  intercept :math:`\tilde x_i = x_i` and p = d. **Centring** removes most of the correlation between
  the intercept and the coefficients. X itself is not changed.
* Parameters `theta`, :math:`\Theta`, are (R, p): R = K rows of logits, or R = 1 for two classes.
* Arrays over samples are class-major, (R, m): maxima, exponentials and sums run along contiguous
  rows.

The function
------------
Cross-entropy of a softmax model is an exponential family. With logits :math:`z_i = \Theta \tilde
x_i`, targets :math:`y_i` (one-hot or soft), weights :math:`w_i` and the log-partition function
:math:`A(z) = \log \sum_k e^{z_k}`,

.. math::

    F(\Theta) = \sum_i w_i \left[A(z_i) - y_i^\top z_i\right] + \frac{\|W\|^2}{2C}
              = \sum_i w_i A(z_i) - \langle\Theta, S\rangle + \frac{\|W\|^2}{2C},
    \qquad S = \sum_i w_i\, y_i \tilde x_i^\top .

The targets enter through their **sufficient statistic** S alone, which is computed once: a pass
reads neither labels nor soft rows, and the gradient is

.. math:: \nabla F = \sum_i w_i\, p_i \tilde x_i^\top - S + W / C, \qquad p = \nabla A(z).

Two classes have one logit z. Measured from the midpoint, so that :math:`A(z) = \log(2\cosh(z/2))`,
:math:`\nabla A = p - 1/2` and :math:`S = \sum_i w_i (y_i - 1/2) \tilde x_i^\top`, nothing
overflows and confident samples keep their digits.

For K >= 3 the penalty is that of W less its mean over classes, see `penalty`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skxent.likelihood import tuning
from skxent.likelihood.penalty import Penalty, centred
from skxent.likelihood.sources.base import RowSource, RowSums
from skxent.likelihood.sources.first_sums import Moments
from skxent.likelihood.sources.sampling import Scores

EPS = float(np.finfo(float).eps)


@dataclass(frozen=True)
class Point:
    """Parameters with the objective (nats) and its gradient there.

    Parameters
    ----------
    theta : (R, p) array
    value : float
    gradient : (R, p) array
    rounding : float
        Size of the rounding error in the value: an epsilon of its terms, which may be much larger
        than their difference.
    """

    theta: np.ndarray
    value: float
    gradient: np.ndarray
    rounding: float

    @property
    def at_most(self) -> float:
        """Upper bound of the exact value: a point is better than another if the bound is smaller.

        With logits of 1e16 the value is rounding error alone, and might be below the minimum.
        """
        return self.value + self.rounding


class Objective:
    """Sum-reduced cross-entropy of a linear model, with its penalty.

    Parameters
    ----------
    data : RowSource
    moments : Moments
        Of the data.
    penalty : Penalty
        Of the coefficients.
    centre : (d,) array or None
        Samples are measured from it; None stands for the origin.
    """

    def __init__(
        self, data: RowSource, moments: Moments, penalty: Penalty, centre: np.ndarray | None
    ) -> None:
        self.data = data
        self.penalty = penalty
        self.n_features = data.n_features
        self.shape = data.theta_shape
        self.mean = np.zeros(self.n_features) if centre is None else centre
        far = np.abs(self.mean) > tuning.FAR_CENTRE * np.sqrt(moments.variance)
        self.rows = data.sums(centre, bool(np.any(far)))
        self.statistic, squares = self._statistics(moments)
        # Smallest curvature that a model gives to the parameters of a class, (p,). If all
        # probabilities are 0 or 1 in float64 the curvature is zero, but a parameter that has a
        # gradient must be able to change. A column of zeros has neither.
        self.least_curvature = data.eps * squares
        self.total_weight = float(moments.class_weight.sum())
        self.value_at_zero = self.total_weight * float(np.log(data.n_classes))
        self.sample_by_sample = False  # whether losses are always added up sample by sample
        self.n_passes = 0.0

    @cached_property
    def full_least_curvature(self) -> np.ndarray:
        """Smallest diagonal of a model of the Hessian, for the classes but the last, flat."""
        return np.tile(self.least_curvature, max(self.shape[0] - 1, 1))

    def one_pass(self) -> RowSums:
        """Count a read of X, and return the sums over rows for one of their methods."""
        self.n_passes += 1
        return self.rows

    def close(self) -> None:
        """End the threads."""
        self.rows.close()

    def _statistics(self, moments: Moments) -> tuple[np.ndarray, np.ndarray]:
        """Return the sufficient statistic S, (R, p), and the sums of squares of entries, (p,)."""
        total = moments.class_weight
        S = moments.class_sums + np.outer(total, moments.origin - self.mean)
        squares = total.sum() * (moments.variance + (moments.mean - self.mean) ** 2)
        if self.data.fit_intercept:
            S = np.column_stack([S, total])
            squares = np.append(squares, total.sum())
        return (0.5 * (S[1:] - S[:1]) if len(S) == 2 else S), squares

    def __call__(self, theta: np.ndarray) -> Point:
        """Return value and gradient, from one read of X."""
        loss, gradient, rounding = self._loss(theta)
        penalty, slope = self.penalty(theta[:, : self.n_features])
        gradient[:, : self.n_features] += slope
        return Point(theta, loss + penalty, gradient, rounding)

    def log_likelihood(self, point: Point) -> float:
        """Return the log-likelihood at a point: its value without the penalty, sign changed."""
        return self.penalty(point.theta[:, : self.n_features])[0] - point.value

    def _loss(self, theta: np.ndarray) -> tuple[float, np.ndarray, float]:
        """Return the sum of the losses, its gradient and its rounding error.

        If losses are tiny next to logits, the sum of the log-partitions and the linear part cancel.
        The losses are then added up sample by sample, which costs another read of X.
        """
        if not self.sample_by_sample:
            partition, gradient = self.one_pass().log_partition(theta)
            linear = float(np.vdot(theta, self.statistic))
            loss = partition - linear
            rounding = self.data.eps * (abs(partition) + abs(linear))
            if loss * np.sqrt(self.data.eps) > rounding:  # half of the digits are left
                gradient -= self.statistic
                return loss, gradient, rounding
        loss, sensitivity, gradient = self.one_pass().losses(theta)
        # The rounding error of a logit z is eps z. It changes a small loss by the same part of the
        # loss, and the loss of a longer logit by the residual times eps z. Curvature of less than
        # eps times its maximum, a quarter for each sample, is lost as well.
        longest = max(tuning.LONGEST_LOGIT * loss, sensitivity)
        rounding = self.data.eps * (longest + self.total_weight / 8.0)
        return loss, gradient, rounding

    def gap_bound(self, point: Point) -> float:
        """Return an upper bound of the gap at a point, in nats.

        No loss is negative, so that the gap is at most the value. Without an intercept the penalty
        bounds the gap, too.
        """
        bound = max(point.value, 0.0) + point.rounding
        if not self.data.fit_intercept:
            bound = min(bound, self.penalty.gap_bound(point.gradient))
        return bound

    def enter(self, coef: np.ndarray, intercept: np.ndarray) -> np.ndarray:
        """Return theta, for centred samples, from parameters for samples as they are."""
        theta = np.array(coef, dtype=np.float64)
        if self.data.fit_intercept:
            theta = np.column_stack([theta, intercept + coef @ self.mean])
        return centred(theta)

    def leave(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return coef and intercept, for samples as they are; their means over classes are zero."""
        theta = centred(theta)
        coef = np.array(theta[:, : self.n_features])
        if not self.data.fit_intercept:
            return coef, np.zeros(len(coef))
        return coef, theta[:, -1] - coef @ self.mean

    def hessian_product(self, theta: np.ndarray, direction: np.ndarray) -> np.ndarray:
        r"""Return the Hessian at `theta` times a direction D, both (R, p).

        Along D the logits change by :math:`q_i = D \tilde x_i`, the probabilities by
        :math:`(\mathrm{diag}\,p_i - p_i p_i^\top) q_i`, and the gradient by the sum of their outer
        products with the samples.
        """
        product = self.one_pass().hessian_product(theta, direction)
        product[:, : self.n_features] += self.penalty(direction[:, : self.n_features])[1]
        return product

    def max_logit_range(self, direction: np.ndarray) -> float:
        """Return the largest change of a logit, relative to the others of its sample."""
        return self.one_pass().max_logit_range(direction)

    def sampling_scores(self, theta: np.ndarray) -> Scores:
        """Return the part of each row in the curvature, which stays where the rows are."""
        return self.one_pass().sampling_scores(theta)
