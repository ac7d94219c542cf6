"""Few dense samples, their objective and its factored Hessian, for `small_fits`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack

from skxent.likelihood import kernels, tuning
from skxent.likelihood.penalty import Penalty, centred
from skxent.likelihood.sources import grams
from skxent.likelihood.sources.local_rows import LocalRows

Parameters = tuple[np.ndarray, np.ndarray]

EPS = float(np.finfo(float).eps)
# Smallest and largest sum of squares of a column that is not zero.
SQUARES = 1e-100, 1e100


class Declined(Exception):
    """The data are not plain: the search must fit them."""


@dataclass(frozen=True)
class Samples:
    """The samples of a fit and its penalty, see `objective` for the conventions.

    Parameters
    ----------
    x : (n, p) array
        Centred rows, with the entry one for the intercept.
    weight : (n,) array or None
    mean : (d,) array
        What was subtracted from the rows.
    squares : (p,) array
        Weighted sums of squares of the entries.
    statistic : (R, p) array
        The sufficient statistic S.
    total : float
        Total weight.
    curvature : (p,) array
        Curvature of the penalty along each entry of a row of theta, zero for the intercept.
    penalty : (P, P) array
        The Hessian of the penalty, for all classes but the last, of width P.
    products : (q, n) array or None
        The products of any two entries of a sample, if they serve to make the Hessian.
    """

    x: np.ndarray
    weight: np.ndarray | None
    mean: np.ndarray
    squares: np.ndarray
    statistic: np.ndarray
    total: float
    curvature: np.ndarray
    penalty: np.ndarray
    products: np.ndarray | None

    @classmethod
    def of(cls, rows: LocalRows, penalty: Penalty) -> Samples:
        """Centre the rows; raise `Declined` if digits might be lost."""
        (n, d), (R, p), weight = rows.X.shape, rows.theta_shape, rows.weight
        total = float(n if weight is None else weight.sum())
        x = np.empty((n, p))
        if rows.fit_intercept:
            sums = np.add.reduce(rows.X, axis=0, dtype=float) if weight is None else weight @ rows.X
            mean = sums / total
            x[:, -1] = 1.0
            np.subtract(rows.X, mean, out=x[:, :d])
        else:
            mean = np.zeros(d)
            x[...] = rows.X
        Y = rows.target_block(slice(None))
        if weight is not None:
            Y *= weight
        if not Y.sum(axis=1).min() > 0:
            raise Declined
        S = Y @ x
        square = np.square(x) if weight is None else np.square(x) * weight[:, None]
        squares = np.add.reduce(square, axis=0)
        least, most = SQUARES
        spread = squares[:d]
        plain = (
            (spread > least) & (spread < most) & (mean**2 * total <= tuning.FAR_CENTRE**2 * spread)
        )
        if not (plain | ((spread == 0) & (mean == 0))).all():
            raise Declined
        width = max(R - 1, 1)
        curvature, hessian = np.zeros(p), np.zeros((width, p, width, p))
        curvature[:d] = penalty.curvature
        penalty.add_to_hessian(np.einsum("kjlj->jkl", hessian)[:d])
        packs = grams.packs(width * (width + 1) // 2, p)
        return cls(
            x=x,
            weight=weight,
            mean=mean,
            squares=squares,
            statistic=0.5 * (S[1:] - S[:1]) if R == 1 else S,
            total=total,
            curvature=curvature,
            penalty=hessian.reshape(width * p, width * p),
            products=grams.packed_products(x) if packs else None,
        )

    def at(self, theta: np.ndarray, logits: np.ndarray | None = None) -> Evaluation:
        """Evaluate the objective at theta, whose logits may be given."""
        Z = theta @ self.x.T if logits is None else logits
        P = np.empty_like(Z)
        partition = kernels.partition_and_probabilities(Z.copy(), P, self.weight)
        linear = float(np.vdot(theta, self.statistic))
        loss, rounding = partition - linear, EPS * (abs(partition) + abs(linear))
        if not loss * EPS**0.5 > rounding:
            raise Declined
        pull = self.curvature * theta
        return Evaluation(theta, Z, P, loss + 0.5 * float(np.vdot(pull, theta)), rounding, pull)

    def gradient(self, here: Evaluation) -> np.ndarray:
        """Return the gradient, (R, p)."""
        P = here.probabilities if self.weight is None else here.probabilities * self.weight
        return P @ self.x - self.statistic + here.pull

    def hessian(self, here: Evaluation) -> np.ndarray:
        """Return the Hessian for all classes but the last, (P, P)."""
        P = here.probabilities + 0.5 if len(here.theta) == 1 else here.probabilities
        C = grams.pair_weights(P, None, 0.0)
        if self.weight is not None:
            C *= self.weight
        if self.products is None:
            gram = grams.each_gram(C, self.x, np.empty_like(self.x))
        else:
            gram = C @ self.products.T
        H = grams.joined(gram, *here.theta.shape)
        H += self.penalty
        return H

    @property
    def n_classes(self) -> int:
        """Number of classes, K."""
        return max(len(self.statistic), 2)

    def enter(self, start: Parameters | None) -> np.ndarray:
        """Return theta, (R, p): zero, or the parameters for the rows as they are."""
        if start is None or not np.isfinite(start[1]).all():
            return np.zeros(self.statistic.shape)
        theta, intercept = np.array(start[0], dtype=float), start[1]
        if len(self.mean) < self.statistic.shape[1]:
            theta = np.column_stack([theta, intercept + theta @ self.mean])
        return centred(theta)

    def leave(self, theta: np.ndarray) -> Parameters:
        """Return coef and intercept for the rows as they are; their means over classes are zero."""
        theta = centred(theta)
        d = len(self.mean)
        coef = theta[:, :d].copy()
        return coef, theta[:, -1] - coef @ self.mean if d < theta.shape[1] else np.zeros(len(coef))


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A point, and the objective there.

    Parameters
    ----------
    theta : (R, p) array
    logits, probabilities : (R, n) arrays
        As `kernels.partition_and_probabilities` has them.
    value, rounding : float
        The objective and its rounding error, in nats.
    pull : (R, p) array
        Gradient of the penalty.
    """

    theta: np.ndarray
    logits: np.ndarray
    probabilities: np.ndarray
    value: float
    rounding: float
    pull: np.ndarray

    @property
    def at_most(self) -> float:
        """Upper bound of the exact value."""
        return self.value + self.rounding


class Factor:
    """The factored Hessian at a point."""

    def __init__(self, samples: Samples, here: Evaluation) -> None:
        H = samples.hessian(here)
        self.here = here
        self.diagonal = H.diagonal().copy()
        self.L, info = lapack.dpotrf(H.T, lower=1, clean=0, overwrite_a=1)
        if info:
            raise Declined

    def step(self, gradient: np.ndarray) -> np.ndarray:
        """Return the Newton step, (R, p)."""
        width = len(self.diagonal)
        solved = lapack.dpotrs(self.L, -gradient.reshape(-1)[:width], lower=1)[0]
        if width == gradient.size:
            return solved.reshape(gradient.shape)
        step = np.zeros(gradient.shape)
        step.reshape(-1)[:width] = solved
        return centred(step)  # the mean over classes changes no probability

    def check(self, samples: Samples, *, definite: bool) -> None:
        """Raise `Declined` unless the curvature in every direction is more than rounding.

        Without a penalty this proves that a finite minimum exists, see `existence.proof`.
        """
        pivots = self.L.diagonal() / np.sqrt(self.diagonal)
        least = np.tile(EPS * samples.squares, len(self.diagonal) // len(samples.squares))
        floored = tuning.FLOORED_CURVATURE * self.diagonal
        if not pivots.min() > tuning.CERTAIN_PIVOT or (not definite and (least >= floored).any()):
            raise Declined


def logit_range(change: np.ndarray) -> float:
    """Return the largest change of a logit, relative to others of the same sample."""
    if len(change) == 1:
        return float(np.abs(change).max())
    return float((change.max(axis=0) - change.min(axis=0)).max())
