"""Drawn calls of LogitCalibrator: its map against the minimum of the documented objective.

`drawn_map_reference` finds the minimum.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from drawn_calls import Draw, Ended, ended, same_state, state_of
from drawn_map_reference import EPS, MapMinimum, map_model, minimum, parameters_of
from scipy.special import log_softmax, softmax

from skxent import LogitCalibrator

NAMES = "X", "y", "sample_weight", "classes", "C", "smoothing", "tol", "method", "y_true"
METHODS = "temperature", "bias", "vector", "matrix"
FLOOR = float(np.log(EPS))
USER_WARNINGS = ("they keep their probability",)


def drawn_predictions(draw: Draw, n: int, K: int) -> tuple[np.ndarray, np.ndarray]:
    """Return logits of predictions, (n, K), and labels that they more or less predict."""
    kinds = ["good", "noise", "overconfident"]
    if draw.hostile:
        kinds += ["reversed", "certain", "tied", "constant", "large", "right", "nearly tied"]
    kind = draw.one_of("predictions", kinds)
    Z = draw.rng.normal(size=(n, K)) * draw.one_of("size", [0.5, 2.0, 8.0])
    y = (Z + draw.rng.gumbel(size=(n, K))).argmax(axis=1)
    if kind == "noise":
        Z = draw.rng.normal(size=(n, K))
    elif kind == "overconfident":
        Z = 5 * Z
    elif kind == "reversed":
        Z = -Z
    elif kind == "certain":
        Z = 1e3 * Z
    elif kind == "tied":
        Z = np.round(Z)
    elif kind == "constant":
        Z = np.repeat(Z[:1], n, axis=0)
    elif kind == "large":
        Z = Z * draw.one_of("large", [1e5, 1e100])
    elif kind == "right":
        y = Z.argmax(axis=1)
    elif kind == "nearly tied":
        Z = np.round(Z) + 1e-10 * draw.rng.normal(size=(n, K))
    if not draw.hostile:
        y[: 2 * K] = np.arange(2 * K) % K
    elif draw.chance("lacks a class", 0.2):
        y[y == K - 1] = 0
    return Z, y


def check_calibrator(draw: Draw) -> list[str]:
    """Any method, penalty and smoothing, for probabilities and logits in any form."""
    n = draw.number("n", 1, 14) if draw.hostile else draw.number("n", 20, 80)
    K = draw.number("K", 2, 5)
    Z, y = drawn_predictions(draw, n, K)
    w = draw.weights(n)
    from_logits = draw.chance("from_logits", 0.4)
    given, numbers = draw.passed(
        "X", Z if from_logits else softmax(Z, axis=1), ["float64", "float64", "float32", "object"]
    )
    T = np.eye(K)[y]
    target: Any = y
    if draw.chance("soft", 0.3):
        target = T = draw.soft_rows(n, K)
    Cs = ["loo", np.inf, 1.0, 1e-2] + ([np.inf, 1e-12, 1e8] if draw.hostile else [])
    clf = LogitCalibrator(
        draw.one_of("method", METHODS),
        C=draw.one_of("C", Cs),
        smoothing=draw.one_of("smoothing", ["auto", "loo", 0.0, 0.01, 0.3]),
        from_logits=from_logits,
        tol=draw.one_of("tol", [1e-2, 1e-6, 1e-14] if draw.hostile else [1e-6, 1e-9]),
    )
    before = state_of(clf)
    options = {"sample_weight": w, "classes": None if target.ndim == 2 else np.arange(K)}
    found = ended(lambda: clf.fit(given, target, **options), NAMES, user_warnings=USER_WARNINGS)
    if found.error is not None:
        return found.faults + same_state(before, clf)
    log_p = log_softmax(numbers, axis=1) if from_logits else logs(numbers)
    log_p = np.maximum(np.where(log_p == -np.inf, clf.floor_, log_p), -1e300)
    log_p = log_p if from_logits else np.maximum(log_p, FLOOR)
    w = np.ones(n) if w is None else w
    return (
        found.faults
        + attribute_faults(clf, given, log_p, T, w)
        + map_faults(clf, found, log_p, T, w)
    )


def logs(P: np.ndarray) -> np.ndarray:
    """Return logarithms of probabilities."""
    with np.errstate(divide="ignore"):
        return np.log(P)


def attribute_faults(
    clf: LogitCalibrator, X: Any, log_p: np.ndarray, T: np.ndarray, w: np.ndarray
) -> list[str]:
    """The identity of the log-likelihood, finite attributes, and the rule that chose C."""
    faults = []
    log_q = clf.predict_log_proba(X)
    if not np.isfinite(clf.predict_proba(X)).all() or np.isnan(log_q).any():
        return ["predictions that are not finite"]
    terms = np.where(T > 0, T * log_q, 0.0).sum(axis=1) * w
    slopes = np.abs(clf.slope_) if clf.slope_.ndim == 2 else np.diag(np.abs(clf.slope_))
    sizes = (np.abs(log_p).max(axis=1, keepdims=True) @ slopes.max(axis=0, keepdims=True)).max(1)
    rounding = 8 * EPS * w @ (2.0 * sizes + np.abs(clf.intercept_).max()) + 1e-12 * w.sum()
    if not np.isclose(clf.log_likelihood_, terms.sum(), rtol=1e-9, atol=rounding):
        faults.append(f"log_likelihood_ {clf.log_likelihood_!r}, but {terms.sum()!r} predicted")
    numbers = clf.slope_, clf.intercept_, clf.optimality_gap_, clf.target_gap_
    if not all(np.isfinite(each).all() for each in numbers):
        faults.append("attributes that are not finite")
    if clf.optimality_gap_ < 0 or (clf.converged_ and clf.optimality_gap_ > clf.target_gap_):
        faults.append(f"gap {clf.optimality_gap_}, target {clf.target_gap_}, {clf.converged_}")
    if np.isnan(clf.loo_loss_).any() or clf.C_ not in clf.Cs_:
        faults.append(f"loo_loss_ {clf.loo_loss_}, C_ {clf.C_}")
    return faults


def map_faults(
    clf: LogitCalibrator, found: Ended, log_p: np.ndarray, T: np.ndarray, w: np.ndarray
) -> list[str]:
    """The map is that of the smallest objective, and a fit that says otherwise has a reason."""
    there = (w @ T > 0) | (clf.method == "temperature")
    kept = w > 0
    log_q = log_softmax(log_p[kept][:, there], axis=1)
    if there.sum() == 1:
        return []
    if clf.smoothing_:
        share = clf.smoothing_
        log_q = np.logaddexp(np.log1p(-share) + log_q, np.log(share / there.sum()))
    T, w, C = T[kept][:, there], w[kept], max(clf.C_, 1e-300)
    slope = 1.0
    if clf.method != "temperature":  # the reference of the penalty
        one = LogitCalibrator(from_logits=True, tol=clf.tol, smoothing=0.0)
        with np.errstate(all="ignore"):
            slope = float(one.fit(log_q, T, w).slope_[0])
    model, origin, centre = map_model(clf.method, log_q, T, w, C, slope)
    own_slope = clf.slope_[np.ix_(there, there)] if clf.slope_.ndim == 2 else clf.slope_[there]
    theta = parameters_of(clf.method, own_slope, clf.intercept_[there], centre)
    if clf.C_ == 0:
        same = np.allclose(model.D @ theta, model.D @ origin, rtol=1e-9, atol=1e-9)
        return [] if same else [f"C_ is 0, but the parameters are {theta}, not {origin}"]
    value, noise = model.value(theta), model.noise(theta)
    least = minimum(model, origin)
    again = minimum(model, theta)
    least = min(least, again, key=lambda end: end.value)
    return end_faults(clf, found, value, noise, least)


def end_faults(
    clf: LogitCalibrator, found: Ended, value: float, noise: float, least: MapMinimum
) -> list[str]:
    """A fit that says that it converged is at the minimum, and its gap is an honest one."""
    noise += least.noise + 1e-12
    if clf.converged_:
        if found.warned_of():
            return ["converged_ and a ConvergenceWarning"]
        if value - least.value > 2 * clf.target_gap_ + noise:
            return [f"objective {value!r}, and the minimum is {least.value!r} ({least.last:.1g})"]
        return []
    if not found.warned_of():
        return ["not converged_, without a warning"]
    finite = least.finite and least.value > 1e-3 and value - least.value < 1e-6 and noise < 1e-8
    if "no finite optimum" in found.words and finite and clf.tol < 1e-3:
        return [
            f"no finite optimum: {value!r}, where the minimum is {least.value!r}, {least.theta}"
        ]
    return []


FEATURES = {"LogitCalibrator": check_calibrator}
