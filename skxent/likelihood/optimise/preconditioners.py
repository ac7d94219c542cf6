r"""Preconditioners: models of the Hessian, and coordinates in which a model is the identity.

With :math:`P_i = \mathrm{diag}\,p_i - p_i p_i^\top` the Hessian is

.. math:: H = \sum_i w_i P_i \otimes \tilde x_i \tilde x_i^\top + \text{penalty}.

A model :math:`H \approx T^{-\top} T^{-1}` defines **whitened coordinates** v by :math:`\Theta =
\Theta_0 + T v`. There the gradient is :math:`g_v = T^\top g`, the Newton step is :math:`-g_v`, and
the **Newton decrement** :math:`\tfrac12\|g_v\|^2` is the gap in nats, if the model is the Hessian
and the objective is quadratic.

Models, from large to small, for p entries of a sample and K classes:

* *Hessian*: the Hessian itself, of width (K - 1) p, or p for two classes. The last class is left
  out: adding the same vector to the parameters of all classes changes no probability, so that those
  of the last class can be held at zero;
* *class blocks*: the diagonal blocks of the Hessian, one p x p matrix for each class. Because
  :math:`\mathrm{diag}\,p - pp^\top \preceq 2\,\mathrm{diag}(p(1-p))`, H is at most twice the model;
* *drawn class blocks*: the same blocks from a few rows for each class. The leverage of row i for a
  class is :math:`w_i p_i (1 - p_i) \sum_j x_{ij}^2 / H_{jj}`, with the diagonal of H. Rows are
  drawn with probabilities in proportion to their leverage, so that a row that alone determines a
  coefficient is always drawn. The leverages of a class add up to at most p;
* *diagonal*: the diagonal of the Hessian, p numbers for each class.

**Residual weight.** A sample that is classified wrongly and confidently has next to no curvature
but a full gradient, and the Newton step is then far too long. With a residual weight c > 0 a model
has :math:`P_i + c\,(p_i - y_i)(p_i - y_i)^\top` in place of :math:`P_i`. If the predicted
probabilities are right, :math:`P_i` is the mean of :math:`(p_i - y_i)(p_i - y_i)^\top`, so that
the residual weight hardly changes the model.

Columns of raw data differ by many orders of magnitude. A matrix is therefore scaled to unit
diagonal before it is factored, so that the jitter is the same fraction of every diagonal entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Protocol, Self

import numpy as np
from scipy.linalg import blas, lapack

from skxent.likelihood import tuning
from skxent.likelihood.objective import Objective, Point
from skxent.likelihood.optimise.single_models import blocks_in_single, full_in_single
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.grams import joined, unpacked


class Preconditioner(Protocol):
    """A factored model of the Hessian."""

    @property
    def certain(self) -> bool:
        """Whether the curvature of the model is above rounding in every direction."""
        ...

    @property
    def least_pivot(self) -> float:
        """Smallest pivot of the factor of a matrix with unit diagonal."""
        ...

    @property
    def from_rows(self) -> bool:
        """Whether the factor was computed by QR of the rows, not from sums of squares."""
        ...

    def from_whitened(self, v: np.ndarray) -> np.ndarray:
        """Return T v, (R, p), for a flat v."""
        ...

    def to_whitened(self, gradient: np.ndarray) -> np.ndarray:
        """Return T' g, flat, for a gradient (R, p)."""
        ...

    def logit_change(self, objective: Objective, step: np.ndarray, gap: float) -> float:
        """Return an upper bound of the difference between the changes of two logits of a sample.

        `gap` is the estimate of the gap that comes with `step`, see `NewtonStep`. Each
        implementation uses only one of these two arguments.
        """
        ...

    def gap_bound(self, v: np.ndarray, penalty: Penalty, n_features: int) -> float | None:
        """Return an upper bound of the gap at whitened gradient v; None if none is known."""
        ...


@dataclass(frozen=True)
class PreconditionedPoint:
    """A point with its gradient in whitened coordinates.

    Parameters
    ----------
    preconditioner : Preconditioner
    point : Point
    gradient : array
        The gradient in whitened coordinates, a vector.
    decrement : float
        Half the squared norm of the gradient: the gap, in nats, if the model is exact.
    """

    preconditioner: Preconditioner
    point: Point
    gradient: np.ndarray
    decrement: float

    @classmethod
    def of(cls, preconditioner: Preconditioner, point: Point) -> Self:
        """Return a point with its gradient whitened by a preconditioner."""
        gradient = preconditioner.to_whitened(point.gradient)
        return cls(preconditioner, point, gradient, 0.5 * float(gradient @ gradient))

    @property
    def newton_step(self) -> np.ndarray:
        """The step to the minimum of the quadratic model, (R, p)."""
        return -self.preconditioner.from_whitened(self.gradient)


@dataclass(frozen=True)
class Cholesky:
    """A model of the Hessian as diagonal blocks D L L' D with diagonal D and triangular L.

    There is one block for each class, or a single block for all classes but the last.

    Parameters
    ----------
    shape : (R, p)
        Shape of Theta.
    scales : list of array
        The reciprocal of D for each block.
    factors : list of array
        The lower triangle L of each block.
    """

    shape: tuple[int, int]
    scales: list[np.ndarray]
    factors: list[np.ndarray]
    from_rows: ClassVar[bool] = False

    @classmethod
    def of(
        cls,
        shape: tuple[int, int],
        matrices: list[np.ndarray],
        least: np.ndarray,
        intercepts: slice | None = None,
    ) -> Self:
        """Factor matrices, in place, after raising their diagonals to at least `least`.

        If `intercepts` is given, some directions have no curvature and steps along them would be
        noise. A parameter is then held fixed if its curvature, given the others, is not more than
        rounding. `intercepts` are positions in each matrix; they are the last ones held.
        """
        scales, factors = [], []
        for H in matrices:
            scale = _reciprocal_root(np.maximum(H.diagonal(), least))
            H *= scale
            H *= scale[:, None]
            if intercepts is not None:
                _hold_flat(H, scale, intercepts)
            scales.append(scale)
            factors.append(_cholesky(H))
        return cls(shape, scales, factors)

    @property
    def certain(self) -> bool:
        """Whether the curvature of every parameter, given the others, is more than rounding.

        If two columns are nearly equal, such as two columns with a placeholder of -1e9 in the same
        rows, sums of squares lose the curvature of their difference.
        """
        return self.least_pivot > tuning.CERTAIN_PIVOT

    @cached_property
    def least_pivot(self) -> float:
        """Smallest pivot of the factors, whose matrices have a unit diagonal."""
        return float(min(L.diagonal().min() for L in self.factors))

    @property
    def jitter(self) -> float:
        """What was added to the unit diagonals so that the matrices could be factored."""
        return float(max(L[0, 0] ** 2 for L in self.factors)) - 1.0

    def from_whitened(self, v: np.ndarray) -> np.ndarray:
        """Return T v, (R, p), for a flat v."""
        theta = np.zeros(self.shape)
        flat = theta.reshape(-1)
        start = 0
        for scale, L in zip(self.scales, self.factors, strict=True):
            stop = start + len(scale)
            flat[start:stop] = scale * blas.dtrsv(L, v[start:stop], lower=1, trans=1)
            start = stop
        if start < theta.size:
            # The step of the last class is zero. The mean over classes, which changes no
            # probability, is removed, so that it does not grow from step to step.
            theta -= theta.sum(axis=0) / len(theta)
        return theta

    def to_whitened(self, gradient: np.ndarray) -> np.ndarray:
        """Return T' g, flat, for a gradient (R, p)."""
        flat = gradient.reshape(-1)
        if len(self.factors) == 1:
            scale = self.scales[0]
            v: np.ndarray = blas.dtrsv(self.factors[0], scale * flat[: len(scale)], lower=1)
            return v
        v = np.empty(sum(map(len, self.scales)))
        start = 0
        for scale, L in zip(self.scales, self.factors, strict=True):
            stop = start + len(scale)
            v[start:stop] = blas.dtrsv(L, scale * flat[start:stop], lower=1)
            start = stop
        return v

    def logit_change(self, objective: Objective, step: np.ndarray, gap: float) -> float:
        """Return the largest difference, over samples, between the changes of two logits."""
        return objective.max_logit_range(step)

    def gap_bound(self, v: np.ndarray, penalty: Penalty, n_features: int) -> float | None:
        """Return the bound of `Diagonal.gap_bound` for class blocks; None for the Hessian."""
        if not penalty.is_definite or len(self.factors) < max(self.shape[0], 2):
            return None
        bound, blocks = 0.0, np.reshape(v, self.shape)
        for part, scale, L in zip(blocks, self.scales, self.factors, strict=True):
            gradient = blas.dtrmv(L, part, lower=1) / scale
            bound += _gap_bound(gradient, scale, penalty, n_features)
        return bound


@dataclass(frozen=True)
class Diagonal:
    """A diagonal model H of the Hessian, with T = H^(-1/2).

    Parameters
    ----------
    scale : (R, p) array
        The diagonal of T.
    """

    scale: np.ndarray
    certain: ClassVar[bool] = True
    least_pivot: ClassVar[float] = 1.0
    jitter: ClassVar[float] = 0.0
    from_rows: ClassVar[bool] = False

    def from_whitened(self, v: np.ndarray) -> np.ndarray:
        """Return T v, (R, p), for a flat v."""
        return v.reshape(self.scale.shape) * self.scale

    def to_whitened(self, gradient: np.ndarray) -> np.ndarray:
        """Return T' g, flat, for a gradient (R, p)."""
        return (gradient * self.scale).reshape(-1)

    def logit_change(self, objective: Objective, step: np.ndarray, gap: float) -> float:
        """Return the largest difference, over samples, between the changes of two logits."""
        return objective.max_logit_range(step)

    def gap_bound(self, v: np.ndarray, penalty: Penalty, n_features: int) -> float | None:
        """Return an upper bound of the gap at whitened gradient v; None without a penalty.

        The curvature of coefficients is at least that of the penalty. Intercepts are not penalised;
        their curvature is taken as a fixed fraction, `INTERCEPT_CURVATURE`, of the model's.
        """
        if not penalty.is_definite:
            return None
        return _gap_bound(v.reshape(self.scale.shape) / self.scale, self.scale, penalty, n_features)


def _gap_bound(g: np.ndarray, scale: np.ndarray, penalty: Penalty, n_features: int) -> float:
    """Return the bound of a gap for gradients (..., p), with the `scale` of the model."""
    by_coef, rest = g[..., :n_features], g[..., n_features:] * scale[..., n_features:]
    by_intercept = 0.5 * float(np.vdot(rest, rest)) / tuning.INTERCEPT_CURVATURE
    return penalty.gap_bound(by_coef) + by_intercept


@full_in_single
def full(objective: Objective, theta: np.ndarray, residual_weight: float = 0.0) -> Cholesky:
    """Return the factored Hessian at `theta`."""
    H = hessian(objective, theta, residual_weight)
    return Cholesky.of(theta.shape, [H], objective.full_least_curvature, _intercepts(objective))


def hessian(objective: Objective, theta: np.ndarray, residual_weight: float = 0.0) -> np.ndarray:
    """Return the Hessian at `theta` for all classes but the last, of width (K - 1) p."""
    H = loss_hessian(objective, theta, residual_weight)
    add_penalty(objective, H)
    return H


def loss_hessian(
    objective: Objective, theta: np.ndarray, residual_weight: float = 0.0
) -> np.ndarray:
    """Return the Hessian of the losses alone, without the penalty, of width (K - 1) p."""
    gram = objective.one_pass().hessian_gram(theta, residual_weight)
    return joined(gram, *theta.shape)


def add_penalty(objective: Objective, H: np.ndarray) -> None:
    """Add the penalty's Hessian, in place, to a Hessian of the losses."""
    R, p = objective.shape
    n = max(R - 1, 1)
    diagonals = np.einsum("kjlj->jkl", H.reshape(n, p, n, p))
    objective.penalty.add_to_hessian(diagonals[: objective.n_features])


@blocks_in_single
def class_blocks(objective: Objective, theta: np.ndarray, residual_weight: float = 0.0) -> Cholesky:
    """Return the factored diagonal blocks of the Hessian, one for each class."""
    gram = unpacked(objective.one_pass().class_block_grams(theta, residual_weight), theta.shape[1])
    return _factored_blocks(objective, gram)


@blocks_in_single
def drawn_class_blocks(
    objective: Objective, theta: np.ndarray, residual_weight: float = 0.0
) -> Cholesky:
    """Return the factored class blocks, each from rows drawn by their leverage for the class."""
    scale = diagonal(objective, theta, residual_weight).scale
    per_leverage = tuning.DRAWN_ROWS * scale**2
    gram = objective.one_pass().class_block_grams(theta, residual_weight, per_leverage)
    return _factored_blocks(objective, gram)


def _factored_blocks(objective: Objective, gram: np.ndarray) -> Cholesky:
    objective.penalty.add_to_class_blocks(gram, objective.n_features)
    least = objective.least_curvature
    return Cholesky.of(objective.shape, list(gram), least, _intercepts(objective))


@blocks_in_single
def diagonal(objective: Objective, theta: np.ndarray, residual_weight: float = 0.0) -> Diagonal:
    """Return the diagonal of the Hessian."""
    H = objective.one_pass().hessian_diagonal(theta, residual_weight)
    objective.penalty.add_to_diagonal(H[:, : objective.n_features])
    scale = _reciprocal_root(np.maximum(H, objective.least_curvature))
    if objective.has_flat and objective.data.fit_intercept:
        # A column without curvature of its own has the curvature of the intercept times its squared
        # centre. A step along it would be a step of the intercept, enlarged by a small centre.
        alone = objective.mean**2 * H[:, -1:]
        rest = np.abs(H[:, : objective.n_features] - alone)
        scale[:, : objective.n_features][rest <= tuning.NO_CURVATURE * alone] = 0.0
    return Diagonal(scale)


def _cholesky(H: np.ndarray) -> np.ndarray:
    """Return the lower Cholesky factor of a matrix of unit diagonal, with the least jitter."""
    jitter = tuning.JITTER
    while True:
        H.flat[:: len(H) + 1] = 1.0 + jitter
        L, info = lapack.dpotrf(H.T, lower=1, clean=1)
        if info == 0:
            return L
        jitter *= tuning.JITTER_GROWTH


def _intercepts(objective: Objective) -> slice | None:
    """Return the positions of intercepts among flat parameters; None if no direction is flat."""
    if not objective.has_flat:
        return None
    p = objective.shape[1]
    return slice(p - 1, None, p) if objective.data.fit_intercept else slice(0)


def _hold_flat(H: np.ndarray, scale: np.ndarray, intercepts: slice) -> None:
    """Set the scale of the parameters without curvature of their own to zero, and uncouple them.

    The intercepts are the first pivots. A category whose samples are all decided is, less its mean,
    the same small number in every other sample. If it took the place of the intercept, a step of
    the intercept would be divided by this number, and would reach the samples that are decided.
    """
    scaled = np.array(H)
    scaled.flat[:: len(H) + 1] = np.minimum(scaled.diagonal(), 1.0)  # below one: a raised diagonal
    scaled[intercepts] *= tuning.FIRST_PIVOT
    scaled[:, intercepts] *= tuning.FIRST_PIVOT
    _, order, rank, _ = lapack.dpstrf(scaled, tol=tuning.CERTAIN_PIVOT**2, lower=1)
    flat = order[rank:] - 1
    scale[flat] = 0.0
    H[flat] = 0.0
    H[:, flat] = 0.0


def _reciprocal_root(diagonal: np.ndarray) -> np.ndarray:
    """Return 1 / sqrt(diagonal), or 0 for zeros: a parameter without curvature stays fixed."""
    root, positive = np.sqrt(diagonal), diagonal > 0
    if positive.all():
        return np.reciprocal(root, out=root)
    return np.divide(1.0, root, out=np.zeros_like(root), where=positive)
