"""Drawn fits with offsets, of SoftmaxClassifier and FirthClassifier, against own minimisers."""

from __future__ import annotations

from typing import Any

import numpy as np
from drawn_calls import Draw, Ended, ended, same_state, state_of
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from skxent import FirthClassifier, SoftmaxClassifier

NAMES = "X", "y", "sample_weight", "classes", "C", "tol", "offset", "offsets"
USER_WARNINGS = ("no weight, because",)


def drawn_columns(draw: Draw, n: int, d: int) -> np.ndarray:
    """Return columns of moderate sizes; hostile ones are constant, tied or copies."""
    X = draw.rng.normal(size=(n, d)) * 10.0 ** draw.rng.integers(-1, 2, d)
    if draw.hostile:
        for j in range(d):
            kind = draw.one_of(f"column {j}", ["normal", "constant", "zero", "tied", "copy"])
            if kind in ("constant", "zero"):
                X[:, j] = 3.7 if kind == "constant" else 0.0
            elif kind == "tied":
                X[:, j] = np.round(X[:, j])
            elif kind == "copy":
                X[:, j] = X[:, 0]
    return X


def drawn_offset(draw: Draw, n: int, K: int) -> tuple[Any, np.ndarray]:
    """Return an offset in one of its forms, and the (n, K) logits that it stands for."""
    sizes = [0.0, 1.0, 5.0] + ([50.0, 1e3] if draw.hostile else [])
    logits = draw.rng.normal(size=(n, K)) * draw.one_of("offset size", sizes)
    form = draw.one_of("offset form", ["(n, K)", "moved", "(n,)"])
    if form == "moved":
        return logits + draw.rng.normal(size=(n, 1)), logits
    if form == "(n,)" and K == 2:
        return logits[:, 1] - logits[:, 0], logits
    return logits, logits


def parameters(clf: Any, K: int) -> np.ndarray:
    """Return coefficients and intercepts, (K, d + 1), of two classes those of both."""
    W = np.column_stack([clf.coef_, clf.intercept_])
    return np.vstack([np.zeros_like(W), W]) if K == 2 else W


class Objective:
    """The documented objective of the free parameters: all classes, or the second of two."""

    def __init__(
        self, X: np.ndarray, T: np.ndarray, w: np.ndarray, offset: np.ndarray, C: float | None
    ) -> None:
        self.X = np.column_stack([X, np.ones(len(X))])
        self.T, self.w, self.offset, self.C = T, w, offset, C
        self.K = T.shape[1]
        self.first = 1 if self.K == 2 or C is None else 0  # Firth holds the first class at zero

    def whole(self, theta: np.ndarray) -> np.ndarray:
        """Return the parameters of all classes."""
        own = theta.reshape(self.K - self.first, -1)
        return np.vstack([np.zeros((self.first, own.shape[1])), own])

    def free(self, W: np.ndarray) -> np.ndarray:
        """Return the free ones of the parameters of all classes."""
        held = W - W[0] if self.first else W
        return held[self.first :].ravel()

    def value(self, theta: np.ndarray) -> float:
        """Return the objective."""
        W = self.whole(theta)
        U = self.X @ W.T + self.offset
        loss = -float(self.w @ (self.T * log_softmax(U, axis=1)).sum(axis=1))
        if self.C is not None:
            return loss + float((W[:, :-1] ** 2).sum() / (2 * self.C))
        sign, log_det = np.linalg.slogdet(self.information(softmax(U, axis=1)))
        return loss - log_det / 2 if sign > 0 else np.inf

    def information(self, P: np.ndarray) -> np.ndarray:
        """Return the Hessian of the cross-entropy in the free parameters."""
        products = -P[:, :, None] * P[:, None]
        diagonal = np.arange(self.K)
        products[:, diagonal, diagonal] = 0.0
        products[:, diagonal, diagonal] = -products.sum(axis=2)  # keeps its digits for P near 1
        D = self.w[:, None, None] * products[:, self.first :, self.first :]
        size = D.shape[1] * self.X.shape[1]
        found: np.ndarray = np.einsum("ikl,ip,iq->kplq", D, self.X, self.X).reshape(size, size)
        return found

    def newton(self, theta: np.ndarray) -> float:
        """Return the minimum that damped Newton steps reach; of the penalised objective only."""
        assert self.C is not None
        curvature = np.ones((self.K - self.first, self.X.shape[1])) / self.C
        curvature[:, -1] = 0.0
        value = self.value(theta)
        for _ in range(200):
            P = softmax(self.X @ self.whole(theta).T + self.offset, axis=1)
            g = (self.w[:, None] * (P - self.T)).T[self.first :] @ self.X
            g = g.ravel() + curvature.ravel() * theta
            H = self.information(P) + np.diag(curvature.ravel())
            scale = 1 / np.sqrt(np.maximum(np.diag(H), 1e-300))
            H = H * np.outer(scale, scale)
            step = -scale * np.linalg.lstsq(H, scale * g, rcond=1e-14)[0]
            t = 1.0
            while t > 1e-12 and not self.value(theta + t * step) < value:
                t /= 2
            if t <= 1e-12:
                break
            theta = theta + t * step
            value = self.value(theta)
        return value


def drawn_fit(draw: Draw, clf: Any, C: float | None) -> tuple[Ended, Objective]:
    """Fit a classifier to drawn data; also returns its objective.

    If the fit ended with an error, the faults include changes of the classifier.
    """
    before = state_of(clf)
    n = draw.n_samples(60)
    K, d = draw.number("K", 2, 4), draw.number("d", 1, 3)
    X = drawn_columns(draw, n, d)
    y = draw.codes(n, K)
    if C is None or not draw.hostile:
        y[:K] = np.arange(min(n, K))
    if draw.chance("soft", 0.3):
        target = T = draw.soft_rows(n, K)
    else:
        y = np.unique(y, return_inverse=True)[1]
        target, K = y, int(y.max()) + 1
        T = np.eye(K)[y]
    offset, logits = drawn_offset(draw, n, K)
    w = draw.weights(n) if C is not None else None
    if C is None and draw.chance("weights", 0.5):
        w = draw.rng.integers(1, 4, n).astype(float)
    given, numbers = draw.passed("X", X, ["float64", "object", "nullable"])
    options = {"sample_weight": w, "classes": np.arange(K) if target.ndim == 2 else None}
    found = ended(
        lambda: clf.fit(given, target, offset=offset, **options), NAMES, user_warnings=USER_WARNINGS
    )
    if found.error is not None:
        found.faults += same_state(before, clf)
    w = np.ones(n) if w is None else w
    return found, Objective(numbers, T, w, logits, C)


def check_offset(draw: Draw) -> list[str]:
    """A penalised fit with an offset is at the minimum, and says so with an honest gap."""
    C = draw.one_of("C", [1.0, 1e-2, 1e3])
    clf = SoftmaxClassifier(C=C, tol=draw.one_of("tol", [1e-3, 1e-6, 1e-10]))
    found, objective = drawn_fit(draw, clf, C)
    if found.error is not None or found.faults:
        return found.faults
    absent = ~(objective.w @ objective.T > 0)
    if objective.K < 3 and absent.any():
        return []
    if absent.any():  # classes without weight are no part of the model
        if not np.array_equal(
            clf.predict_proba(objective.X[:, :-1], offset=objective.offset)[:, absent],
            np.zeros((len(objective.X), absent.sum())),
        ):
            return ["a class without weight has a probability"]
        return []
    theta = objective.free(parameters(clf, objective.K))
    value = objective.value(theta)
    logits = objective.X @ objective.whole(theta).T
    size = objective.w @ (1.0 + np.abs(objective.offset).max(axis=1) + np.abs(logits).max(axis=1))
    noise = 1e-12 * max(1.0, value) + 1e-14 * size
    if abs(value - clf.objective_) > 1e-9 * abs(value) + noise:
        return [f"objective_ {clf.objective_!r}, but {value!r} by its parameters"]
    if not clf.converged_:
        return [] if found.warned_of() else ["not converged_, without a warning"]
    if clf.optimality_gap_ > clf.target_gap_:
        return [f"converged_, but the gap is {clf.optimality_gap_}, target {clf.target_gap_}"]
    least = min(objective.newton(theta), objective.newton(0 * theta))
    if value - least > clf.target_gap_ * 1.5 + 1e-9 * abs(least) * (clf.tol > 1e-9) + noise:
        return [f"objective {value!r}, the minimum is {least!r}, target {clf.target_gap_!r}"]
    return []


def check_firth(draw: Draw) -> list[str]:
    """A fit with Jeffreys' prior has the documented objective, and nothing near is lower."""
    clf = FirthClassifier(tol=draw.one_of("tol", [1e-3, 1e-6]))
    found, objective = drawn_fit(draw, clf, None)
    if found.error is not None or found.faults:
        return found.faults
    if not (objective.w @ objective.T > 0).all():
        return []
    theta = objective.free(parameters(clf, objective.K))
    value = objective.value(theta)
    P = softmax(objective.X @ objective.whole(theta).T + objective.offset, axis=1)
    sizes = np.linalg.eigvalsh(objective.information(P))
    if sizes[0] < 1e-9 * sizes[-1]:
        return []  # the determinant has hardly any digits
    if abs(value - clf.objective_) > 1e-6 * max(1.0, abs(value)):
        return [f"objective_ {clf.objective_!r}, but {value!r} by its parameters"]
    if not clf.converged_:
        return [] if found.warned_of() else ["not converged_, without a warning"]
    # The objective is not convex, and a fit ends at a local minimum: look near it only.
    near = 0.05 / np.sqrt(np.diag(objective.information(P)))
    bounds = list(zip(theta - near, theta + near, strict=True))
    least = minimize(objective.value, theta, method="L-BFGS-B", bounds=bounds).fun
    if value - least > 1.5 * clf.target_gap_ + 1e-6:
        return [f"objective {value!r}, and {least!r} is near, target {clf.target_gap_!r}"]
    return []


FEATURES = {"offset": check_offset, "Firth": check_firth}
