"""Refits by a damped Newton method of many fits at once, and the losses of held-out samples.

A fit is known by its targets T (n, K), the weight of each class in each sample, so that a sample
without weight is left out. All fits of a batch have the same samples, and each has its own C.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import log_softmax

MAX_LOSS = -np.log(np.finfo(float).eps)
FLOOR = 1e-9  # nats; held-out losses that differ by less are not told apart


@dataclass(frozen=True)
class Samples:
    """Samples of a model, all in plain arrays.

    Parameters
    ----------
    X : (n, d) array
    Y : (n, K) array
        Distributions.
    w : (n,) array
        Weights.
    O : (n, K) array
        Offsets.
    f : (d,) array
        Factors of the penalty.
    fit_intercept : bool
    """

    X: np.ndarray
    Y: np.ndarray
    w: np.ndarray
    O: np.ndarray
    f: np.ndarray
    fit_intercept: bool

    def of_classes(self, which: np.ndarray) -> Samples:
        """Return the samples with some of the classes."""
        return replace(self, Y=self.Y[:, which], O=self.O[:, which])


@dataclass
class HeldOut:
    """Losses of samples (m,) in fits without them, and what is known of them.

    `slack` is the change of a loss for a gap of half a nat, to first order in its root, and `reach`
    the same of a logit. `judged` tells whether the reference vouches for the loss. `objective` is
    the minimum of the fit, and `finite` tells whether the reference found a finite one.
    `noise` is the rounding error of the objective.
    """

    losses: np.ndarray
    slack: np.ndarray
    reach: np.ndarray
    judged: np.ndarray
    objective: np.ndarray
    finite: np.ndarray
    noise: np.ndarray

    def error(self, tol: float) -> np.ndarray:
        """Return the error that a loss may have, at the target gap of each fit, (m,)."""
        F = self.objective
        target = tol * np.where(F < 1, F, np.maximum(F / 1e3, 1.0)) + self.noise
        move = np.sqrt(2 * target)
        # A loss changes to first order if its logits change by less than one; else nothing is said.
        return np.where(move * self.reach < 1, 2 * move * self.slack, np.inf) + FLOOR


def held_out(
    samples: Samples, T: np.ndarray, C: np.ndarray, row: np.ndarray, limit: bool
) -> HeldOut:
    """Return the losses of the samples `row` (m,) in the fits of the targets T (m, n, K).

    A class without weight in T is not part of the fit, and costs `MAX_LOSS`. If `limit`, the class
    belongs to the model, whose penalty then has one row of parameters for each other class; two
    classes have one row in all otherwise. Without an intercept such a class stays in the fit.
    """
    m, K = len(row), T.shape[2]
    never, endless = np.zeros(m, bool), np.full(m, np.inf)
    found = HeldOut(*np.zeros((3, m)), never, endless, ~never, np.zeros(m))
    known = T.sum(axis=1) > 0
    if limit and not samples.fit_intercept:
        known[:] = True
    for mask in np.unique(known, axis=0):
        those = np.flatnonzero((known == mask).all(axis=1))
        target = samples.Y[row[those]]
        base = target[:, ~mask].sum(axis=1) * MAX_LOSS
        if mask.sum() < 2:
            found.losses[those], found.judged[those] = base, True
            found.objective[those] = 0.0
            continue
        centred = mask.sum() > 2 or (limit and K > 2)
        Q = _of_batch(samples.of_classes(mask), T[those][:, :, mask], C[those], row[those], centred)
        for name in ("slack", "reach", "judged", "objective", "finite", "noise"):
            getattr(found, name)[those] = getattr(Q, name)
        found.losses[those] = base + Q.losses
        # Where the whole target is a class that the fit lacks, the fit does not matter.
        alone = target[:, mask].sum(axis=1) == 0
        found.judged[those[alone]] = True
        found.slack[those[alone]] = found.reach[those[alone]] = 0.0
    return found


def _of_batch(
    samples: Samples, T: np.ndarray, C: np.ndarray, row: np.ndarray, centred: bool
) -> HeldOut:
    """Return the losses of the samples `row` in fits of classes that all have weight."""
    S, ridge, sound = _standardised(samples, T, C)
    fit = Newton(S, T, samples.O, ridge, centred)
    fit.run()
    x, m = S[np.arange(len(row)), row], len(row)
    logits = np.einsum("mkp,mp->mk", fit.theta, x)
    log_p = log_softmax(np.column_stack([logits, np.zeros(m)]) + samples.O[row], axis=1)
    Y = samples.Y[row]
    losses = (Y * np.fmin(-log_p, MAX_LOSS)).sum(axis=1)
    share = Y.sum(axis=1, keepdims=True)
    residual = (share * np.exp(log_p) - Y)[:, :-1]
    g = (residual[:, :, None] * x[:, None, :]).reshape(m, -1)
    lever = np.einsum("mi,mij,mj->m", g, fit.inverse, g)
    capped = (Y * (-log_p > MAX_LOSS + 1)).sum(axis=1) >= share[:, 0]
    slack = np.where(capped, 0.0, np.sqrt(np.maximum(lever, 0)))
    d, p = fit.inverse, x.shape[1]
    levers = [
        np.einsum("mi,mij,mj->m", x, d[:, k * p : (k + 1) * p, k * p : (k + 1) * p], x)
        for k in range(residual.shape[1])
    ]
    reach = np.sqrt(np.maximum(np.max(levers, axis=0), 0))
    judged = sound & fit.done & fit.regular & np.isfinite(losses)
    Z = np.abs(np.einsum("mnp,mkp->mnk", S, fit.theta)).max(axis=(1, 2))
    noise = 1e-14 * (np.maximum(60, Z) * fit.F + T.sum(axis=(1, 2)))
    return HeldOut(losses, slack, reach, judged, fit.F, fit.done & fit.regular, noise)


def _standardised(
    samples: Samples, T: np.ndarray, C: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return samples in columns of mean 0 and size 1 in each fit, their ridges, and who is sound.

    The last column has ones if there is an intercept. A column that is constant in a fit with an
    intercept has no effect. A fit in whose columns float64 has too few digits is not sound.
    """
    wide, w = np.longdouble, T.sum(axis=2)
    share = (w / w.sum(axis=1, keepdims=True)).astype(wide)
    X = samples.X.astype(wide)[None]
    mean = (share @ X[0])[:, None, :] if samples.fit_intercept else 0 * X[:, :1]
    centred = X - mean
    used = (w > 0)[:, :, None]
    size = np.abs(np.where(used, X, 0)).max(axis=1)
    spread = np.abs(np.where(used, centred, 0)).max(axis=1)
    constant = spread <= 1e-15 * size
    scale = (
        np.sqrt(
            (share[:, :, None] * (centred / np.where(spread > 0, spread, 1)[:, None]) ** 2).sum(
                axis=1
            )
        )
        * spread
    )
    scale = np.where(constant | (scale == 0), 1, scale)
    S = np.where(constant[:, None, :], 0, centred / scale[:, None]).astype(float)
    with np.errstate(over="ignore"):
        ridge = (samples.f / C[:, None].astype(wide) / scale / scale).astype(float)
    ridge = np.minimum(ridge, 1e250)
    sound = (constant | (spread > 1e-9 * size)).all(axis=1) & (np.abs(S) < 1e12).all(axis=(1, 2))
    if samples.fit_intercept:
        S = np.concatenate([S, np.ones((*S.shape[:2], 1))], axis=2)
        ridge = np.column_stack([ridge, np.zeros(len(ridge))])
    return S, ridge, sound


class Newton:
    """Levenberg's damped Newton method, a batch of fits at once; the last class stands still."""

    def __init__(
        self, S: np.ndarray, T: np.ndarray, O: np.ndarray, ridge: np.ndarray, centred: bool
    ) -> None:
        self.S, self.T, self.O, self.ridge = S, T, O, ridge
        self.total = T.sum(axis=(1, 2))
        m, _, K = T.shape
        self.across = np.eye(K - 1) - (1.0 / K if centred else 0.0)
        self.theta = np.zeros((m, K - 1, S.shape[2]))
        self.F = self._value(np.arange(m), self.theta)[0]
        self.done, self.regular = np.zeros(m, bool), np.zeros(m, bool)
        free = (K - 1) * S.shape[2]
        self.inverse = np.zeros((m, free, free))

    def _value(self, at: np.ndarray, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        Z = np.einsum("mnp,mkp->mnk", self.S[at], theta)
        Z = np.concatenate([Z, np.zeros((*Z.shape[:2], 1))], axis=2) + self.O
        log_p = log_softmax(Z, axis=2)
        T = self.T[at]
        losses = np.where(T > 0, -T * log_p, 0.0).sum(axis=(1, 2))
        pull = np.einsum("kl,mlp->mkp", self.across, theta) * self.ridge[at][:, None]
        return losses + 0.5 * (pull * theta).sum(axis=(1, 2)), np.exp(log_p)

    def _derivatives(self, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        S, T, theta = self.S[at], self.T[at], self.theta[at]
        P = self._value(at, theta)[1][:, :, :-1]
        w = T.sum(axis=2)
        pull = np.einsum("kl,mlp->mkp", self.across, theta) * self.ridge[at][:, None]
        g = np.einsum("mnk,mnp->mkp", P * w[:, :, None] - T[:, :, :-1], S) + pull
        W = -w[:, :, None, None] * P[:, :, :, None] * P[:, :, None, :]
        k = np.arange(P.shape[2])
        W[:, :, k, k] = w[:, :, None] * P * (1 - P)
        H = np.einsum("mnkl,mnp,mnq->mkplq", W, S, S, optimize=True)
        p = np.arange(S.shape[2])
        H[:, :, p, :, p] += self.ridge[at].T[:, :, None, None] * self.across
        m, free = len(at), P.shape[2] * S.shape[2]
        return g.reshape(m, free), H.reshape(m, free, free)

    @np.errstate(all="ignore")  # of fits that run away, which are not judged
    def run(self, most: int = 150) -> None:
        """Take steps until each fit is at its minimum, or `most` of them."""
        at = np.arange(len(self.F))
        damping = np.full(len(at), 1e-10)
        for _ in range(most):
            g, H = self._derivatives(at)
            diagonal = np.einsum("mii->mi", H)
            unit = 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
            H = H * unit[:, :, None] * unit[:, None, :]
            k = np.arange(g.shape[1])
            H[:, k, k] = 1.0
            fall = self._check(at, g * unit, H, unit)
            # Without curvature the gradient tells nothing about the distance to the minimum.
            self.regular[at] &= (diagonal > 1e-14 * self.total[at, None]).all(axis=1)
            left = ~(fall <= 1e-14 * self.F[at])
            self.done[at[~left]] = True
            at, g, H, unit, damping = at[left], g[left], H[left], unit[left], damping[left]
            if not len(at):
                return
            damped = H.copy()
            damped[:, k, k] += np.maximum(damping, 1e-13)[:, None]
            step = unit * np.linalg.solve(damped, (unit * g)[:, :, None])[:, :, 0]
            trial = self.theta[at] - step.reshape(self.theta[at].shape)
            F = self._value(at, trial)[0]
            better = self.F[at] > F
            self.theta[at[better]], self.F[at[better]] = trial[better], F[better]
            damping = np.where(better, np.maximum(damping / 10, 1e-14), damping * 10)
            self.done[at[damping > 1e8]] = (fall[left] <= 1e-9 * self.F[at])[damping > 1e8]
            at, damping = at[damping <= 1e8], damping[damping <= 1e8]

    def _check(self, at: np.ndarray, g: np.ndarray, H: np.ndarray, unit: np.ndarray) -> np.ndarray:
        """Keep the inverse Hessians, and return the decrements."""
        values, vectors = np.linalg.eigh(H)
        least = 1e-13 * values[:, -1:]
        self.regular[at] = (values > 1e-10 * values[:, -1:]).all(axis=1)
        inverse = (vectors / np.maximum(values, least)[:, None, :]) @ vectors.transpose(0, 2, 1)
        self.inverse[at] = inverse * unit[:, :, None] * unit[:, None, :]
        return 0.5 * np.einsum("mi,mij,mj->m", g, inverse, g)


def standard_error(values: np.ndarray, weight: np.ndarray) -> float:
    """Return the standard error of a weighted mean, each value one observation (CR2)."""
    if len(values) < 2 or not np.isfinite(values).all():
        return np.nan
    share = weight / weight.sum()
    rest = np.array([np.delete(share, i).sum() for i in range(len(share))])
    top = share.argmax()  # digits of a value of nearly all weight cancel in its difference
    moved = values - values[top]
    moved = moved - share @ moved
    moved[top] = -(np.delete(share, top) @ np.delete(moved, top)) / share[top]
    return float(np.sqrt((share**2 * moved**2 / rest).sum()))


def objective_at(
    samples: Samples, T: np.ndarray, C: float, coef: np.ndarray, intercept: np.ndarray
) -> tuple[float, float]:
    """Return the objective at parameters of a fit, and the error that rounded logits have in it."""
    wide = np.longdouble
    Z = samples.X.astype(wide) @ coef.T.astype(wide) + intercept
    Z = np.column_stack([0 * Z[:, 0], Z[:, 0]]) if Z.shape[1] == 1 else Z
    Z = Z + samples.O
    top = Z.max(axis=1, keepdims=True)
    losses = np.log(np.exp(Z - top).sum(axis=1, keepdims=True)) + top - Z
    value = (
        np.where(T > 0, T * losses, 0).sum() + (samples.f * coef.astype(wide) ** 2).sum() / 2 / C
    )
    size = np.abs(samples.X) @ np.abs(coef).T + np.abs(intercept)
    return float(value), 1e-15 * float(size.max()) * float(value)
