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
from typing import Any

import numpy as np

from skxent.likelihood import kernels
from skxent.likelihood.blocks import Blocks, fit_one_block
from skxent.likelihood.data import Data, Moments

EPS = float(np.finfo(float).eps)
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


class Objective:
    """Sum-reduced cross-entropy of a linear model, with its L2 penalty.

    Parameters
    ----------
    data : Data
    moments : Moments
        Of the data.
    alpha : float
        1 / C.
    centre : (d,) array or None
        What samples are measured from; None for the origin.

    Notes
    -----
    Centring the logits, z = W x + (a - W centre), reads X as it is; but where a column's mean is
    thousands of its deviations the two terms cancel, and the block itself is centred in cache.

    Few rows, of one block, are written out once as samples, centred and with their ones: every
    product is then one call. The probabilities of the last pass are kept for the curvature there.
    """

    def __init__(
        self, data: Data, moments: Moments, alpha: float, centre: np.ndarray | None
    ) -> None:
        self.data = data
        self.alpha = alpha
        self.n_features = data.X.shape[1]
        self.mean = np.zeros(self.n_features) if centre is None else centre
        in_cache = isinstance(data.X, np.ndarray) and (
            data.X.dtype != np.float64
            or bool(np.any(np.abs(self.mean) > CANCELLATION * np.sqrt(moments.variance)))
        )
        self.centre = None if in_cache else centre
        self.blocks = data.blocks(self.mean if in_cache else None)
        self.statistic, squares = self._statistics(moments)
        # What an entry of a sample has at least, (p,). Where all probabilities are 0 or 1 in
        # float64 no curvature is to be seen, but a parameter with a gradient must be able to move.
        # A constant column has neither, and stays where it is.
        self.least_curvature = EPS * squares
        self.shape = self.statistic.shape
        self.value_at_zero = float(moments.class_weight.sum() * np.log(data.n_classes))
        self.n_passes = 0.0
        self.written_out = fit_one_block(data.X, data.n_outputs)
        if self.written_out:
            samples = self.samples(slice(0, len(data.X)), self.blocks.buffer())
            self.blocks, self.centre = Blocks(samples, n_outputs=data.n_outputs), None
        self._last: tuple[np.ndarray, np.ndarray] | None = None

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
        self.n_passes += 1
        sums = self.blocks.map(lambda segment: self._log_partition(theta, segment), theta.size)
        partition = sum(total for total, _ in sums)
        agreement = float(np.vdot(theta, self.statistic))
        gradient = self._recentre(_in_order(g for _, g in sums)) - self.statistic
        penalty, slope = self._penalty(theta)
        gradient[:, : slope.shape[1]] += slope
        rounding = EPS * (abs(partition) + abs(agreement))
        return Point(theta, partition - agreement + penalty, gradient, rounding)

    def penalty(self, theta: np.ndarray) -> float:
        """The penalty in nats."""
        return self._penalty(theta)[0]

    def _penalty(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """The penalty and its gradient, which is linear: it is half the product with W."""
        W = theta[:, : self.n_features]
        slope = self.alpha * (W - W.sum(axis=0) / len(W) if len(W) > 1 else W)
        return 0.5 * float(np.vdot(W, slope)), slope

    def enter(self, coef: np.ndarray, intercept: np.ndarray) -> np.ndarray:
        """Parameters for samples as they are -> theta, for centred samples."""
        theta = np.array(coef, dtype=np.float64)
        if self.data.fit_intercept:
            theta = np.column_stack([theta, intercept + coef @ self.mean])
        return _without_common_part(theta)

    def leave(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Theta -> coef and intercept; the sums over classes, which mean nothing, become zero."""
        theta = _without_common_part(theta)
        coef = np.array(theta[:, : self.n_features])
        if not self.data.fit_intercept:
            return coef, np.zeros(len(coef))
        return coef, theta[:, -1] - coef @ self.mean

    def hessian_product(self, theta: np.ndarray, direction: np.ndarray) -> np.ndarray:
        r"""Hessian at `theta` times `direction`, both (R, p).

        The logits move by :math:`q_i = D \tilde x_i`, the probabilities by
        :math:`(\mathrm{diag}\,p_i - p_i p_i^\top) q_i`, and the gradient follows.
        """
        self.n_passes += 1
        sums = self.blocks.map(lambda segment: self._moved(theta, direction, segment), theta.size)
        product = self._recentre(_in_order(sums))
        product[:, : self.n_features] += self._penalty(direction)[1]
        return product

    def _log_partition(self, theta: np.ndarray, segment: list[slice]) -> tuple[float, np.ndarray]:
        W, intercept = self._for_blocks(theta)
        space, buffer = self._space(2), self.blocks.buffer()
        total, gradient = 0.0, np.zeros(self.shape)
        for rows in segment:
            x = self.blocks.read(rows, buffer)
            Z, P = self._shaped(space, rows)
            _logits(W, x, intercept, Z)
            weight = self._weight(rows)
            total += kernels.log_partition(Z, P, weight)
            add_outer(gradient, P, x)
        if self.written_out and self.data.weight is None:
            self._last = theta, P
        return total, gradient

    def _moved(self, theta: np.ndarray, direction: np.ndarray, segment: list[slice]) -> np.ndarray:
        W, intercept = self._for_blocks(theta)
        V, shift = self._for_blocks(direction)
        space, buffer = self._space(3), self.blocks.buffer()
        product = np.zeros(self.shape)
        for rows in segment:
            x = self.blocks.read(rows, buffer)
            Z, P, Q = self._shaped(space, rows)
            _logits(W, x, intercept, Z)
            _logits(V, x, shift, Q)
            weight = self._weight(rows)
            kernels.move_probabilities(Z, P, Q, weight)
            add_outer(product, Q, x)
        return product

    def largest_move(self, direction: np.ndarray) -> float:
        """Largest change of a logit relative to the others of its sample, along `direction`."""
        V, shift = self._for_blocks(direction)

        def largest(segment: list[slice]) -> float:
            buffer, most = self.blocks.buffer(), 0.0
            (space,) = self._space(1)
            for rows in segment:
                (Q,) = self._shaped([space], rows)
                _logits(V, self.blocks.read(rows, buffer), shift, Q)
                moves = np.abs(Q[0]) if len(Q) == 1 else Q.max(axis=0) - Q.min(axis=0)
                if self.data.weight is not None:
                    moves *= self.data.weight[rows] > 0
                most = max(most, float(moves.max()))
            return most

        self.n_passes += 1
        return max(self.blocks.map(largest))

    def samples(self, rows: slice, buffer: np.ndarray | None) -> np.ndarray:
        """Centred samples of a block, dense, (m, p), for the curvature."""
        x = self.blocks.read(rows, buffer)
        x = x.toarray() if self.blocks.sparse else x
        if x.shape[1] == self.shape[1] and self.centre is None:
            return x
        samples = np.empty((x.shape[0], self.shape[1]))
        np.subtract(x, 0.0 if self.centre is None else self.centre, out=samples[:, : x.shape[1]])
        if self.data.fit_intercept:
            samples[:, -1] = 1.0
        return samples

    def probabilities(self, theta: np.ndarray, x: Any) -> np.ndarray:
        """Probabilities (R, m) of a block as read; of the second class where there are two."""
        if self._last is not None and self._last[0] is theta:
            P = self._last[1]
        else:
            W, intercept = self._for_blocks(theta)
            Z, P = np.empty((2, self.shape[0], x.shape[0]))
            _logits(W, x, intercept, Z)
            kernels.log_partition(Z, P, None)
        return P + 0.5 if len(P) == 1 else P

    def residuals(self, P: np.ndarray, rows: slice) -> np.ndarray:
        """P - Y of a block, (R, m)."""
        Y = self.data.target_block(rows)
        return P - (Y[1:] if len(P) == 1 else Y)

    def uncertainty(self, theta: np.ndarray) -> np.ndarray:
        """How much each sample matters to the curvature, (n,): sum p (1 - p) + sum (p - y)^2."""
        result = np.empty(self.blocks.n_rows)

        def fill(segment: list[slice]) -> None:
            buffer = self.blocks.buffer()
            for rows in segment:
                P = self.probabilities(theta, self.blocks.read(rows, buffer))
                R = self.residuals(P, rows)
                result[rows] = (P * (1.0 - P) + R * R).sum(axis=0)

        self.n_passes += 1
        self.blocks.map(fill)
        return result if self.data.weight is None else result * self.data.weight

    def weigh(self, values: np.ndarray, rows: slice) -> np.ndarray:
        """Multiply by the weights of a block, in place; samples run along the last axis."""
        if self.data.weight is not None:
            values *= self.data.weight[rows]
        return values

    def _weight(self, rows: slice) -> np.ndarray | None:
        return None if self.data.weight is None else self.data.weight[rows]

    def _for_blocks(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Weights and intercepts that give the same logits from samples that are not centred."""
        W = np.ascontiguousarray(theta[:, : self.blocks.n_features])
        if self.blocks.n_features == theta.shape[1]:
            return W, None
        a = theta[:, -1]
        return W, (a if self.centre is None else a - W @ self.centre)

    def _recentre(self, gradient: np.ndarray) -> np.ndarray:
        """Sums over x_i, turned to sums over x_i less the centre."""
        if self.centre is not None:
            gradient[:, :-1] -= np.outer(gradient[:, -1], self.centre)
        return gradient

    def _space(self, n: int) -> list[np.ndarray]:
        return [np.empty(self.shape[0] * self.blocks.block_rows) for _ in range(n)]

    def _shaped(self, space: list[np.ndarray], rows: slice) -> list[np.ndarray]:
        shape = (self.shape[0], rows.stop - rows.start)
        return [flat[: shape[0] * shape[1]].reshape(shape) for flat in space]


def add_outer(total: np.ndarray, R: np.ndarray, x: Any) -> None:
    """Add sums over samples of r x', for rows as they are; an intercept is a one they lack."""
    total[:, : x.shape[1]] += R @ x
    if x.shape[1] < total.shape[1]:
        total[:, -1] += R.sum(axis=1)


def _logits(W: np.ndarray, x: Any, intercept: np.ndarray | None, out: np.ndarray) -> None:
    if isinstance(x, np.ndarray):
        np.matmul(W, x.T, out=out)
    else:
        np.copyto(out, (x @ W.T).T)
    if intercept is not None:
        out += intercept[:, None]


def _without_common_part(theta: np.ndarray) -> np.ndarray:
    """Take out what all classes have in common: it changes no probability."""
    return theta - theta.mean(axis=0) if len(theta) > 1 else theta


def _in_order(terms: Any) -> np.ndarray:
    """Sum in the order given: `math.fsum`'s job for arrays, with the same bits every time."""
    total = None
    for term in terms:
        total = term if total is None else np.add(total, term, out=total)
    assert total is not None
    return total
