"""Calibration maps by least squares on rows: the reference of the drawn calls of calibrators.

Each Newton step solves a least-squares problem whose rows are the roots of the Hessian, so that
directions with hardly any curvature keep their digits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp, softmax

EPS = np.finfo(float).eps


@dataclass(frozen=True)
class MapModel:
    """Logits D theta, (n, K, p), targets, weights, and a penalty.

    The penalty is sum_j c_j (theta - origin)_j^2 / 2. The first parameter may be a
    slope that is not negative.
    """

    D: np.ndarray
    T: np.ndarray
    w: np.ndarray
    c: np.ndarray
    origin: np.ndarray
    one_slope: bool

    def losses(self, theta: np.ndarray) -> np.ndarray:
        """Return the loss of each sample, from differences of its logits."""
        U = self.D @ theta
        best = np.where(self.T > 0, U, -np.inf).argmax(axis=1)[:, None]
        U = U - np.take_along_axis(U, best, axis=1)
        others = np.where(np.arange(U.shape[1]) == best, -np.inf, U)
        return np.logaddexp(0.0, logsumexp(others, axis=1)) - (self.T * U).sum(axis=1)

    def value(self, theta: np.ndarray) -> float:
        """Return the objective."""
        return float(self.w @ self.losses(theta) + self.c @ (theta - self.origin) ** 2 / 2)

    def noise(self, theta: np.ndarray) -> float:
        """Return the rounding error of the objective."""
        sizes = (np.abs(self.D) @ np.abs(theta)).max(axis=1)
        penalty = self.c @ ((theta - self.origin) ** 2 + EPS * theta**2)
        return float(40 * EPS * (self.w @ sizes + penalty) + EPS * self.value(theta))

    def step(self, theta: np.ndarray) -> np.ndarray:
        """Return a Newton step, by least squares in units in which columns have length one."""
        P = np.clip(softmax(self.D @ theta, axis=1), 1e-300, None)
        root = np.sqrt(self.w[:, None] * P)
        rows = root[:, :, None] * (self.D - np.einsum("ik,ikp->ip", P, self.D)[:, None, :])
        rest = np.sqrt(self.w)[:, None] * (P - self.T) / np.sqrt(P)
        A = np.vstack([rows.reshape(-1, len(theta)), np.diag(np.sqrt(self.c))])
        b = np.append(rest.ravel(), np.sqrt(self.c) * (theta - self.origin))
        scale = np.sqrt((A**2).sum(axis=0))
        scale[scale == 0] = 1.0
        found: np.ndarray = -np.linalg.lstsq(A / scale, b, rcond=1e-14)[0] / scale
        return found


@dataclass(frozen=True)
class MapMinimum:
    """The end of a minimisation: parameters, objective, its rounding, and the change of logits."""

    theta: np.ndarray
    value: float
    noise: float
    last: float

    @property
    def finite(self) -> bool:
        """Whether the last step changed hardly any logit."""
        return self.last < 1e-3


def minimum(model: MapModel, start: np.ndarray) -> MapMinimum:
    """Return the minimum that damped Newton steps reach from `start`."""
    found = _descended(model, start)
    if not model.one_slope or found.theta[0] >= 0:
        return found
    held = MapModel(
        model.D[:, :, 1:], model.T, model.w, model.c[1:], model.origin[1:], one_slope=False
    )
    if not held.D.shape[2]:
        theta, last = np.zeros(1), 0.0
    else:
        rest = _descended(held, np.zeros(held.D.shape[2]))
        theta, last = np.append(0.0, rest.theta), rest.last
    return MapMinimum(theta, model.value(theta), model.noise(theta), last)


def _descended(model: MapModel, theta: np.ndarray) -> MapMinimum:
    value, last = model.value(theta), np.inf
    for _ in range(300):
        step = model.step(theta)
        change = model.D @ step
        last = float(np.ptp(change, axis=1).max())
        t = 1.0
        while t > 1e-18 and not model.value(theta + t * step) < value:
            t *= 0.5
        if t <= 1e-18 or last < 1e-9:
            break
        while t < 1e3 and model.value(theta + 2 * t * step) < model.value(theta + t * step):
            t *= 2.0
        theta = theta + t * step
        value = model.value(theta)
        if value < 1e-12 or np.abs(theta).max() > 1e200:
            break
    return MapMinimum(theta, value, model.noise(theta), last)


def map_model(
    method: str, log_q: np.ndarray, T: np.ndarray, w: np.ndarray, C: float, slope: float
) -> tuple[MapModel, np.ndarray, np.ndarray]:
    """Return the model of a map as documented, and its start and centre.

    The parameters are slopes and then, at the centre, intercepts.
    """
    n, K = log_q.shape
    Z = log_q if (method, K) == ("vector", 2) else log_q - log_q.mean(axis=1, keepdims=True)
    centre = np.zeros(K)
    if method in ("vector", "matrix"):
        Q = np.exp(log_q)
        doubt = w[:, None] * (Q * (1 - Q) + EPS)
        centre = np.where(np.ptp(Z, axis=0) > 0, (doubt * Z).sum(0) / doubt.sum(0), Z[0])
    Z = Z - centre
    s = np.sqrt(w / w.sum() @ np.mean(Z**2, axis=1)) or 1.0
    unit = np.eye(K)
    if method in ("temperature", "bias"):
        D = Z[:, :, None]
    elif method == "vector":
        D = unit * Z[:, None, :]
    else:
        D = np.einsum("kl,ij->iklj", unit, Z).reshape(n, K, K * K)
    n_slopes = D.shape[2]
    if method != "temperature":
        D = np.concatenate([D, np.broadcast_to(unit, (n, K, K))], axis=2)
    first = slope * (unit.ravel() if method == "matrix" else np.ones(n_slopes))
    # at the centre the reference has the logits of the centre itself
    origin = np.append(first, slope * centre if method != "temperature" else [])
    if method != "temperature":
        origin[n_slopes:] -= origin[n_slopes:].mean()
    c = np.append(np.full(n_slopes, s**2), np.ones(len(origin) - n_slopes)) / C
    model = MapModel(D, T, w, c, origin, one_slope=method in ("temperature", "bias"))
    return model, origin, centre


def parameters_of(
    method: str, slope: np.ndarray, intercept: np.ndarray, centre: np.ndarray
) -> np.ndarray:
    """Return the parameters of a model from the documented slopes and intercepts."""
    if method == "temperature":
        return slope[:1]
    if method == "matrix":
        level = intercept + slope @ centre
        return np.append(slope.ravel(), level - level.mean())
    level = intercept + slope * centre
    return np.append(slope[:1] if method == "bias" else slope, level - level.mean())
