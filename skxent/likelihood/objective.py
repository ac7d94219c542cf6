r"""The objective of a fit, a sum over samples in nats, and its derivatives.

Conventions of the engine
-------------------------
* Samples :math:`\tilde x_i = (x_i - \mu, 1)` have p = d + 1 entries, the last one for the
  intercept. Without an intercept :math:`\tilde x_i = x_i` and p = d. **Centring** removes most of
  the correlation between the intercept and the coefficients. X itself is not changed.
* Parameters `theta`, :math:`\Theta`, are (R, p): R = K rows of logits, or R = 1 for two classes.
* Arrays over samples are class-major, (R, m), so that maxima, exponentials and sums run along
  contiguous rows.
* An **offset** o_i is a known part of the logits. Without one, o_i = 0.

The function
------------
Cross-entropy of a softmax model is an exponential family. With logits :math:`z_i = \Theta \tilde
x_i + o_i`, targets :math:`y_i` (one-hot or soft), weights :math:`w_i` and the log-partition
function :math:`A(z) = \log \sum_k e^{z_k}`,

.. math::

    F(\Theta) = \sum_i w_i \left[A(z_i) - y_i^\top z_i\right] + \frac{\|W\|^2}{2C}
              = \sum_i w_i A(z_i) - \langle\Theta, S\rangle - \sum_i w_i\, y_i^\top o_i
             + \frac{\|W\|^2}{2C}, \qquad S = \sum_i w_i\, y_i \tilde x_i^\top .

The targets matter only through their **sufficient statistic** S and the sum over offsets, which are
computed once. A pass therefore does not read labels or soft rows. The gradient is

.. math:: \nabla F = \sum_i w_i\, p_i \tilde x_i^\top - S + W / C, \qquad p = \nabla A(z).

Two classes have one logit z, and their logits are taken as -z / 2 and z / 2. Then
:math:`A(z) = \log(2\cosh(z/2))`, :math:`\nabla A = p - 1/2` and
:math:`S = \sum_i w_i (y_i - 1/2) \tilde x_i^\top`. In this form nothing overflows, and confident
samples keep their digits.

For K >= 3 the penalty is computed from W less its mean over classes, see `penalty`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from skxent.likelihood import tuning
from skxent.likelihood.penalty import Penalty, centred
from skxent.likelihood.sources.base import RowSource, RowSums
from skxent.likelihood.sources.first_sums import Moments
from skxent.likelihood.sources.offset_sums import OffsetSums
from skxent.likelihood.sources.sampling import Scores
from skxent.likelihood.sources.single_sums import SINGLE_EPS

EPS = float(np.finfo(float).eps)


@dataclass(frozen=True)
class Point:
    """Parameters, and the value (nats) and gradient of the objective at these parameters.

    Parameters
    ----------
    theta : (R, p) array
    value : float
    gradient : (R, p) array
    rounding : float
        Rounding error of the value: epsilon times the terms of the value, which may be much larger
        than their difference.
    single : bool
        Whether the products were computed in float32. No fit ends at such a point.
    """

    theta: np.ndarray
    value: float
    gradient: np.ndarray
    rounding: float
    single: bool = False

    @property
    def at_most(self) -> float:
        """Upper bound of the exact value; a search compares points by this bound.

        With logits of 1e16 the computed value is only rounding error, and may be below the minimum.
        """
        return self.value + self.rounding


class Objective:
    """Sum-reduced cross-entropy of a linear model, with its penalty.

    Parameters
    ----------
    data : RowSource
    moments : Moments
        Moments of `data`.
    penalty : Penalty
        Penalty of the coefficients.
    centre : (d,) array or None
        Subtracted from each row; None subtracts nothing.
    sampled : bool
        Whether the rows are a sample, on which float32 suffices.
    """

    def __init__(
        self,
        data: RowSource,
        moments: Moments,
        penalty: Penalty,
        centre: np.ndarray | None,
        *,
        sampled: bool = False,
    ) -> None:
        self.data = data
        self.penalty = penalty
        self.n_features = data.n_features
        self.shape = data.theta_shape
        self.mean = np.zeros(self.n_features) if centre is None else centre
        far = np.abs(self.mean) > tuning.FAR_CENTRE * np.sqrt(moments.variance)
        self.rows = data.sums(centre, bool(far.any()))
        # Sums with products in float32, if there are any; `in_single` tells whether they are used.
        self.single_rows = data.single_sums(moments, centre, small=sampled)
        self.in_single = sampled and self.single_rows is not None
        self.sampled = sampled
        self.models_in_single = True  # False once rounding of float32 has hidden some curvature
        self.statistic, squares = self._statistics(moments)
        # Lower limits of the diagonal of a model of the Hessian, for the parameters of one class,
        # (p,). If all probabilities are 0 or 1 in float64 the curvature is zero, but a parameter
        # with a nonzero gradient must be able to change. A column of zeros has limit 0.
        self.least_curvature = data.eps * squares
        self.class_weight = moments.class_weight
        self.total_weight = float(self.class_weight.sum())
        self.offset = moments.offset or OffsetSums()  # zeros if there is no offset
        self.value_at_zero = self.offset.losses
        if moments.offset is None:
            self.value_at_zero = self.total_weight * float(np.log(data.n_classes))
        self.sample_by_sample = False  # whether `_loss` always adds up losses sample by sample
        # Whether some directions are known to have no curvature, see `existence.absent`.
        self.has_flat = False
        self.n_passes = 0.0

    @classmethod
    def centred(cls, data: RowSource, moments: Moments, penalty: Penalty) -> Self:
        """Return the objective for samples less their mean, if the fit has an intercept."""
        return cls(data, moments, penalty, moments.mean if data.fit_intercept else None)

    @cached_property
    def full_least_curvature(self) -> np.ndarray:
        """`least_curvature` for each class but the last, as one flat array."""
        return np.tile(self.least_curvature, max(self.shape[0] - 1, 1))

    def with_penalty(self, penalty: Penalty) -> Self:
        """Return the objective with another penalty, on the same sums over rows; passes count anew.

        Whoever closes one of the two closes the sums of both, which may be used again.
        """
        other = copy(self)
        other.penalty, other.n_passes = penalty, 0.0
        return other

    def moved_penalty(self, other: Objective, point: Point) -> Point:
        """Return a point of an objective with another penalty as a point of this one.

        Both have the same rows, so that no pass is needed.
        """
        W = point.theta[:, : self.n_features]
        (ours, slope), (theirs, other_slope) = self.penalty(W), other.penalty(W)
        gradient = point.gradient.copy()
        gradient[:, : self.n_features] += slope - other_slope
        return replace(point, value=point.value + (ours - theirs), gradient=gradient)

    def one_pass(self) -> RowSums:
        """Count one pass, and return the sums over rows; the caller calls one method of them."""
        self.n_passes += 1
        return self.single_rows if self.in_single and self.single_rows is not None else self.rows

    @contextmanager
    def with_products_in(self, single: bool) -> Iterator[None]:
        """Compute sums in float32, if there are any and `single` is true, else in float64."""
        before, self.in_single = self.in_single, single and self.single_rows is not None
        try:
            yield
        finally:
            self.in_single = before

    def to_double(self) -> None:
        """Compute all sums in float64 from now on, and free the arrays of float32."""
        self.in_single = False
        if self.single_rows is not None:
            self.single_rows.close()

    def close(self) -> None:
        """End the threads."""
        self.rows.close()
        self.to_double()

    def _statistics(self, moments: Moments) -> tuple[np.ndarray, np.ndarray]:
        """Return the sufficient statistic S, (R, p), and the sums of squares of entries, (p,)."""
        total, d = moments.class_weight, self.n_features
        S, squares = np.empty((len(total), self.shape[1])), np.empty(self.shape[1])
        S[:, :d] = moments.class_sums + total[:, None] * (moments.origin - self.mean)
        squares[:d] = total.sum() * moments.mean_square(self.mean)
        S[:, d:], squares[d:] = total[:, None], total.sum()  # the entry one, for the intercept
        return (0.5 * (S[1:] - S[:1]) if len(S) == 2 else S), squares

    def __call__(self, theta: np.ndarray) -> Point:
        """Return value and gradient, from one read of X.

        In float32 the point is at the parameters rounded to float32, see `single_sums`.
        """
        found = self._single_loss(theta) if self.in_single else None
        single = found is not None
        theta, loss, gradient, rounding = found or (theta, *self._loss(theta))
        penalty, slope = self.penalty(theta[:, : self.n_features])
        gradient[:, : self.n_features] += slope
        return Point(theta, loss + penalty, gradient, rounding, single)

    def log_likelihood(self, point: Point) -> float:
        """Return the log-likelihood at a point: minus the value without the penalty."""
        return self.penalty(point.theta[:, : self.n_features])[0] - point.value

    def _loss(self, theta: np.ndarray) -> tuple[float, np.ndarray, float]:
        """Return the sum of the losses, its gradient and its rounding error.

        The sum of the losses is the sum of the log-partitions less a linear term. If losses are
        much smaller than logits, the two cancel. The losses are then added up sample by sample,
        which reads X once more.
        """
        if not self.sample_by_sample:
            partition, gradient = self.one_pass().log_partition(theta)
            linear = float(np.vdot(theta, self.statistic))
            loss = partition - (linear + self.offset.linear)
            rounding = self.data.eps * (abs(partition) + abs(linear) + self.offset.size)
            if loss * np.sqrt(self.data.eps) > rounding:  # at least half of the digits are left
                gradient -= self.statistic
                return loss, gradient, rounding
        loss, sensitivity, gradient = self.one_pass().losses(theta)
        # The rounding error eps |z| of a logit z changes a loss by eps |z| times the residual. If a
        # loss is small, its residual is about the loss. Curvature below eps times its maximum, a
        # quarter for each sample, is lost as well.
        longest = max(tuning.LONGEST_LOGIT * loss, sensitivity)
        rounding = self.data.eps * (longest + self.total_weight / 8.0)
        return loss, gradient, rounding

    def _single_loss(self, theta: np.ndarray) -> tuple[np.ndarray, float, np.ndarray, float] | None:
        """As `_loss`, in float32, after the parameters; None, and float64 from now on, if it fails.

        The loss must be more than rounding: nearly separated classes need float64.
        """
        if self.single_rows is not None and not self.sample_by_sample:
            theta = self.single_rows.rounded(theta)
            partition, gradient = self.one_pass().log_partition(theta)
            linear = float(np.vdot(theta, self.statistic)) + self.offset.linear
            rounding = SINGLE_EPS * (abs(partition) + self.offset.size)
            rounding += self.single_rows.rounding(theta)
            loss = partition - linear
            if loss > rounding:
                return theta, loss, gradient - self.statistic, rounding
        self.to_double()
        return None

    def gap_bound(self, point: Point) -> float:
        """Return an upper bound of the gap at a point, in nats.

        The gap is at most the value, because no loss is negative. Without an intercept the penalty
        and the gradient give a second bound.
        """
        bound = max(point.value, 0.0) + point.rounding
        if not self.data.fit_intercept:
            bound = min(bound, self.penalty.gap_bound(point.gradient))
        return bound

    def enter(self, coef: np.ndarray, intercept: np.ndarray) -> np.ndarray:
        """Return theta, the parameters for centred samples, from parameters for the rows of X."""
        theta = np.array(coef, dtype=np.float64)
        if self.data.fit_intercept:
            theta = np.column_stack([theta, intercept + coef @ self.mean])
        return centred(theta)

    def leave(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return coef and intercept for the rows of X; their means over classes are zero."""
        theta = centred(theta)
        coef = np.array(theta[:, : self.n_features])
        if not self.data.fit_intercept:
            return coef, np.zeros(len(coef))
        return coef, theta[:, -1] - coef @ self.mean

    def hessian_product(
        self, theta: np.ndarray, direction: np.ndarray, changes: np.ndarray | None = None
    ) -> np.ndarray:
        r"""Return the Hessian at `theta` times a direction D, both (R, p).

        Along D the logits change by :math:`q_i = D \tilde x_i`, the probabilities by
        :math:`(\mathrm{diag}\,p_i - p_i p_i^\top) q_i`, and the gradient by the sum of the outer
        products of these changes with the samples. If `changes`, (R, n), is given, the changes of
        the logits are written to it; the rows must then be in this process.
        """
        sums = self.one_pass()
        if changes is None:
            product = sums.hessian_product(theta, direction)
        else:
            rows = sums.in_memory()
            assert rows is not None
            product = rows.hessian_product(theta, direction, changes)
        product[:, : self.n_features] += self.penalty(direction[:, : self.n_features])[1]
        return product

    @property
    def keeps_lines(self) -> bool:
        """Whether the logits of the last line are kept, so that more of its slopes cost no pass."""
        few = self.data.n_rows * self.data.n_outputs <= tuning.KEPT_PROBABILITIES
        return few and self.rows.in_memory() is not None

    def relative_size(self, step: np.ndarray, theta: np.ndarray) -> float:
        """Return the size of a step as a fraction of the parameters `theta`, both (R, p).

        It is the largest absolute entry of the step divided by that of `theta`. The result is the
        larger of two such fractions: one for coefficients as they are, and one for all parameters
        in units of the size of their columns. It is one if the step is larger than `theta`.
        """
        size, d = np.sqrt(self.least_curvature), self.n_features
        fractions = [0.0]
        for part, whole in ((step[:, :d], theta[:, :d]), (step * size, theta * size)):
            largest = float(np.abs(part).max(initial=0.0))
            if largest:
                fractions.append(largest / max(largest, float(np.abs(whole).max())))
        return max(fractions)

    def slopes(
        self, point: Point, step: np.ndarray, lengths: np.ndarray, *, again: bool = False
    ) -> np.ndarray:
        """Return the slopes along `step` at point.theta + length * step, one for each length.

        `again` tells that the line is that of the last call and that its logits are kept.
        """
        d = self.n_features
        rows = self.rows if again else self.one_pass()
        slopes = rows.slopes(point.theta, step, lengths)
        along = self.penalty(step[:, :d])[1]  # the penalty's Hessian times the step
        slopes += float(np.vdot(along, point.theta[:, :d])) - float(np.vdot(step, self.statistic))
        return slopes + lengths * float(np.vdot(along, step[:, :d]))

    def max_logit_range(self, direction: np.ndarray, theta: np.ndarray | None = None) -> float:
        """Return the largest difference, over samples, between the changes of two logits.

        If `theta` is given, logits out of reach there do not count, see `kernels.undecided_range`.
        """
        return self.one_pass().max_logit_range(direction, theta)

    def sampling_scores(self, theta: np.ndarray, per_leverage: np.ndarray | None = None) -> Scores:
        """Return the contribution of each row to the curvature, see `RowSums.sampling_scores`."""
        return self.one_pass().sampling_scores(theta, per_leverage)
