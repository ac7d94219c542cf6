r"""The objective: parameters -> (value, gradient), a sum over samples in nats.

Conventions, for this room
--------------------------
* Samples :math:`\tilde x_i = (x_i - \mu, 1)` have p = d + 1 entries, the intercept last; without an
  intercept :math:`\tilde x_i = x_i` and p = d. **Centring** takes most of the correlation between
  the intercept and the rest away. It never touches X.
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

The penalty for K >= 3 is that of :math:`W - \bar W`, the mean over classes taken out: it has the
same minimum, and it keeps the gradient orthogonal to the directions that change no probability.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skxent.likelihood.penalty import Penalty, centred
from skxent.likelihood.sources.base import RowSource, RowSums
from skxent.likelihood.sources.first_sums import Moments
from skxent.likelihood.sources.sampling import Scores

EPS = float(np.finfo(float).eps)
LONGEST = 745.0  # logits by which a loss that is not zero in float64 can be decided
CANCELLATION = 1e3  # |mean| / deviation above which a block is centred before it is multiplied


@dataclass(frozen=True)
class Point:
    """Parameters with the objective (nats) and its gradient there.

    `rounding` is the size of the error that float64 may have made in the value: an epsilon of the
    terms, which can be larger than their difference.
    """

    theta: np.ndarray
    value: float
    gradient: np.ndarray
    rounding: float

    @property
    def at_most(self) -> float:
        """The value, whatever rounding made of it.

        A point is better than another if this is smaller. Logits of 1e16 have losses of any size,
        and would look better than the best point without it.
        """
        return self.value + self.rounding


class Objective:
    """Sum-reduced cross-entropy of a linear model, with its penalty.

    Parameters
    ----------
    data : Place
        Rows here or elsewhere.
    moments : Moments
        Of the data.
    penalty : Penalty
        Of the coefficients.
    centre : (d,) array or None
        What samples are measured from; None for the origin.
    """

    def __init__(
        self, data: RowSource, moments: Moments, penalty: Penalty, centre: np.ndarray | None
    ) -> None:
        self.data = data
        self.penalty = penalty
        self.n_features = data.n_features
        self.shape = data.theta_shape
        self.mean = np.zeros(self.n_features) if centre is None else centre
        far = np.abs(self.mean) > CANCELLATION * np.sqrt(moments.variance)
        self.rows = data.sums(centre, bool(np.any(far)))
        self.statistic, squares = self._statistics(moments)
        # What an entry of a sample has at least, (p,). Where all probabilities are 0 or 1 in
        # float64 no curvature is to be seen, but a parameter with a gradient must be able to move.
        # A constant column has neither, and stays where it is.
        self.least_curvature = data.eps * squares
        self.total_weight = float(moments.class_weight.sum())
        self.value_at_zero = self.total_weight * float(np.log(data.n_classes))
        self.sample_by_sample = False  # whether losses are added up so whatever they are
        self.n_passes = 0.0

    @cached_property
    def full_least_curvature(self) -> np.ndarray:
        """What the diagonal of the Hessian is at least, of the classes but the last."""
        return np.tile(self.least_curvature, max(self.shape[0] - 1, 1))

    def one_pass(self) -> RowSums:
        """The sums over rows, for one of their methods: a read of X, which is counted."""
        self.n_passes += 1
        return self.rows

    def close(self) -> None:
        """End the threads."""
        self.rows.close()

    def _statistics(self, moments: Moments) -> tuple[np.ndarray, np.ndarray]:
        """The sufficient statistic S, (R, p), and the sums of squares of the entries, (p,)."""
        total = moments.class_weight
        S = moments.class_sums + np.outer(total, moments.origin - self.mean)
        squares = total.sum() * (moments.variance + (moments.mean - self.mean) ** 2)
        if self.data.fit_intercept:
            S = np.column_stack([S, total])
            squares = np.append(squares, total.sum())
        return (0.5 * (S[1:] - S[:1]) if len(S) == 2 else S), squares

    def __call__(self, theta: np.ndarray) -> Point:
        """Value and gradient, from one read of X."""
        loss, gradient, rounding = self._loss(theta)
        penalty, slope = self.penalty(theta[:, : self.n_features])
        gradient[:, : self.n_features] += slope
        return Point(theta, loss + penalty, gradient, rounding)

    def log_likelihood(self, point: Point) -> float:
        """Return the log-likelihood at a point: its value without the penalty, sign changed."""
        return self.penalty(point.theta[:, : self.n_features])[0] - point.value

    def _loss(self, theta: np.ndarray) -> tuple[float, np.ndarray, float]:
        """Sum of the losses, its gradient and its rounding.

        Where losses are tiny next to logits the partition and the agreement cancel, and losses are
        added up sample by sample, which costs another read of X.
        """
        if not self.sample_by_sample:
            partition, gradient = self.one_pass().log_partition(theta)
            agreement = float(np.vdot(theta, self.statistic))
            loss = partition - agreement
            rounding = self.data.eps * (abs(partition) + abs(agreement))
            if loss * np.sqrt(self.data.eps) > rounding:  # half of the digits are left
                gradient -= self.statistic
                return loss, gradient, rounding
        loss, sensitivity, gradient = self.one_pass().losses(theta)
        # A logit z is off by eps z, and a small loss by as much of itself; where logits are longer
        # than that, by eps z times the residual. Curvature that is less than eps of its most is not
        # seen.
        longest = max(LONGEST * loss, sensitivity)
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
        """Parameters for samples as they are -> theta, for centred samples."""
        theta = np.array(coef, dtype=np.float64)
        if self.data.fit_intercept:
            theta = np.column_stack([theta, intercept + coef @ self.mean])
        return centred(theta)

    def leave(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Theta -> coef and intercept; the sums over classes, which mean nothing, become zero."""
        theta = centred(theta)
        coef = np.array(theta[:, : self.n_features])
        if not self.data.fit_intercept:
            return coef, np.zeros(len(coef))
        return coef, theta[:, -1] - coef @ self.mean

    def hessian_product(self, theta: np.ndarray, direction: np.ndarray) -> np.ndarray:
        r"""Hessian at `theta` times `direction`, both (R, p).

        The logits move by :math:`q_i = D \tilde x_i`, the probabilities by
        :math:`(\mathrm{diag}\,p_i - p_i p_i^\top) q_i`, and the gradient follows.
        """
        product = self.one_pass().hessian_product(theta, direction)
        product[:, : self.n_features] += self.penalty(direction[:, : self.n_features])[1]
        return product

    def largest_move(self, direction: np.ndarray) -> float:
        """Largest change of a logit relative to the others of its sample, along `direction`."""
        return self.one_pass().max_logit_range(direction)

    def sampling_scores(self, theta: np.ndarray) -> Scores:
        """How much each row matters to the curvature, left where the rows are."""
        return self.one_pass().sampling_scores(theta)
