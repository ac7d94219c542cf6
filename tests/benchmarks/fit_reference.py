"""The minimum of a penalised cross-entropy by damped Newton steps, with long double objectives.

It shares no code with the package. The steps are made on a basis of the columns: scaled and centred
ones where there is a penalty and rows are enough, else left singular vectors. What it finds is an
upper bound of the minimum whatever rounding does, because objectives are evaluated in extended
precision.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.linalg

RANK = 1e-10  # of the largest singular value of columns of one size
WIDE = np.longdouble


@dataclass
class Minimum:
    """The problem: numbers X, weights of classes in samples T, penalty and intercept.

    Parameters
    ----------
    X : (n, d) array
    T : (n, K) array
    C : float
    fit_intercept : bool
    factors : (d,) array
        Of the penalty of each column.
    offset : (n, K) array
        What is added to the logits.
    """

    X: np.ndarray
    T: np.ndarray
    C: float
    fit_intercept: bool
    factors: np.ndarray
    offset: np.ndarray

    def objective(self, coef: np.ndarray, intercept: np.ndarray) -> float:
        """The objective at parameters of samples as they are, in extended precision."""
        coef = np.asarray(coef, WIDE)
        Z = np.asarray(self.X, WIDE) @ coef.T + np.asarray(intercept, WIDE)
        Z = Z + (np.diff(self.offset) if len(coef) == 1 else self.offset)
        T = self.T
        if np.isinf(np.asarray(intercept, float)).any():
            T, Z = T[:, self.present], Z[:, self.present]
        return float(losses_of(T, Z) + penalty_of(coef, self.factors, self.C))

    @cached_property
    def present(self) -> np.ndarray:
        """Classes that a fit does not send to minus infinity."""
        return (self.T > 0).any(axis=0) | (not self.fit_intercept)

    @cached_property
    def value(self) -> float:
        """The minimum, or where there is none a value near the infimum."""
        n_classes = int(self.present.sum())
        return self._newton(np.zeros((n_classes - 1, self.basis.shape[1])))[0]

    @cached_property
    def centre(self) -> np.ndarray:
        """What columns are measured from."""
        if not self.fit_intercept:
            return np.zeros(self.X.shape[1])
        w = self.T.sum(axis=1)
        return np.asarray(np.asarray(w / w.sum(), WIDE) @ np.asarray(self.X, WIDE), float)

    @cached_property
    def _spaces(self) -> tuple[np.ndarray, np.ndarray]:
        kept = self.T.sum(axis=1) > 0
        x = self.X - self.centre
        x[:, np.ptp(self.X[kept], axis=0) == 0] *= not self.fit_intercept
        held = (self.factors > 0) & np.isfinite(self.C)
        parts = []
        if held.any():
            parts.append(_held_space(x[:, held] / np.sqrt(self.factors[held]), kept, self.C))
        if not held.all():
            free = _free_space(x[:, ~held], kept)
            parts.append((free, np.zeros(free.shape[1])))
        return np.hstack([space for space, _ in parts]), np.hstack([ridge for _, ridge in parts])

    @property
    def basis(self) -> np.ndarray:
        """Numbers of the reduced problem, with ones for an intercept."""
        space, _ = self._spaces
        return np.column_stack([space, np.ones((len(space), int(self.fit_intercept)))])

    @property
    def ridge(self) -> np.ndarray:
        """Penalty of each column of the basis."""
        return np.append(self._spaces[1], np.zeros(int(self.fit_intercept)))

    def _newton(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Damped steps from theta; the value reached and its parameters."""
        B, T, O = self.basis, self.T[:, self.present], self.offset[:, self.present]
        n_classes = T.shape[1]
        single = self.T.shape[1] == 2
        across = np.eye(n_classes - 1) - (0 if single else 1 / n_classes)
        penalty = np.kron(across, np.diag(self.ridge))
        total = T.sum(axis=1)

        def value(theta: np.ndarray) -> np.longdouble:
            Z = np.column_stack([B @ theta.T, np.zeros(len(B))]) + O
            flat = np.asarray(theta.ravel(), WIDE)
            return losses_of(T, Z) + flat @ (np.asarray(penalty, WIDE) @ flat) / 2

        best, damping = value(theta), 1e-13
        for _ in range(300):
            Z = np.column_stack([B @ theta.T, np.zeros(len(B))]) + O
            E = np.exp(Z - Z.max(axis=1, keepdims=True))
            P = E / E.sum(axis=1, keepdims=True)
            g = ((P * total[:, None] - T)[:, :-1].T @ B).ravel() + penalty @ theta.ravel()
            H = penalty + _hessian(B, P[:, :-1], total)
            unit = 1 / np.sqrt(np.maximum(np.diag(H), 1e-300))
            scaled = H * unit * unit[:, None]
            while True:
                trial_step = _solved(scaled, unit * g, damping)
                with np.errstate(over="ignore"):
                    step = -(unit * trial_step).reshape(theta.shape)
                trial = value(theta + step) if np.isfinite(step).all() else np.inf
                if trial < best or damping > 1e8:
                    break
                damping *= 100.0
            if not trial < best:
                break
            fallen, best, theta = best - trial, trial, theta + step
            damping = max(damping / 1e3, 1e-13)
            if fallen < 1e-14 * best:
                break
        return float(best), theta


def _held_space(x: np.ndarray, kept: np.ndarray, C: float) -> tuple[np.ndarray, np.ndarray]:
    """A basis of columns with a penalty of factors one, and the penalty of each vector."""
    size = np.abs(x[kept]).max(axis=0)
    size[size == 0] = 1.0
    if len(x) > x.shape[1]:
        with np.errstate(over="ignore", under="ignore"):
            ridge = 1 / size / size / C
        some = np.isfinite(ridge)  # others have coefficients of zero
        return (x / size)[:, some], ridge[some]
    largest = float(size.max())
    left, value, _ = np.linalg.svd(x / largest, full_matrices=False)
    some = value > 1e-15 * value.max(initial=1e-300)
    with np.errstate(over="ignore", under="ignore", divide="ignore"):
        ridge = 1 / (value * largest) ** 2 / C
    some &= np.isfinite(ridge)
    return left[:, some], ridge[some]


def _free_space(x: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """A basis of columns without a penalty."""
    size = np.abs(x[kept]).max(axis=0)
    size[size == 0] = 1.0
    size = np.sqrt(np.mean((x[kept] / size) ** 2, axis=0)) * size
    size[size == 0] = 1.0
    left, value, _ = np.linalg.svd(x / size, full_matrices=False)
    return left[:, value > RANK * value.max(initial=1e-300)]


def penalty_of(coef: np.ndarray, factors: np.ndarray, C: float) -> np.longdouble:
    """The penalty of coefficients, in extended precision; none for an infinite C."""
    if np.isinf(C):
        return WIDE(0)
    squares = np.asarray(coef, WIDE)[:, factors > 0] ** 2
    return (np.asarray(factors, WIDE)[factors > 0] * squares).sum() / 2 / WIDE(C)


def _hessian(B: np.ndarray, P: np.ndarray, total: np.ndarray) -> np.ndarray:
    """The Hessian of the losses, classes first."""
    K, p = P.shape[1], B.shape[1]
    H = np.empty((K, p, K, p))
    for k in range(K):
        for j in range(k + 1):
            H[k, :, j] = (B * (total * P[:, k] * ((k == j) - P[:, j]))[:, None]).T @ B
            H[j, :, k] = H[k, :, j]
    return H.reshape(K * p, K * p)


def _solved(H: np.ndarray, g: np.ndarray, damping: float) -> np.ndarray:
    damped = H + damping * np.eye(len(H))
    try:
        return scipy.linalg.cho_solve(scipy.linalg.cho_factor(damped), g)
    except np.linalg.LinAlgError:
        return np.full_like(g, np.inf)


def losses_of(T: np.ndarray, Z: np.ndarray) -> np.longdouble:
    """Sum of T times -log softmax(Z), or of the two classes of one logit, in extended precision."""
    Z = np.asarray(Z, WIDE)
    if Z.shape[1] == 1:
        Z = np.column_stack([np.zeros_like(Z), Z])
    far = Z.max(axis=1, keepdims=True) - Z
    others = np.exp(-far)
    others[np.arange(len(Z)), far.argmin(axis=1)] = 0
    costs = np.log1p(others.sum(axis=1, keepdims=True)) + far
    return (np.asarray(T, WIDE) * costs).sum()
