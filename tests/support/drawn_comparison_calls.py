"""Drawn calls of mean_loss_interval and compare, against their formulas in exact fractions."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from fractions import Fraction
from math import isqrt
from typing import Any

import numpy as np
from drawn_calls import Draw, ended
from scipy import stats
from scipy.special import log_softmax, softmax

from skxent import compare, mean_loss_interval

EPS = float(np.finfo(float).eps)
SMALLEST = Fraction(1, 10**310)  # weights of 1e-12 times losses of 1e-300 lose digits
NAMES = (
    "losses",
    "weights",
    "sample_weight",
    "groups",
    "units",
    "level",
    "y_true",
    "y_preds",
    "baseline",
)


def root(square: Fraction) -> Fraction:
    """Return a square root to 30 digits."""
    if square <= 0:
        return Fraction(0)
    up = 10**30 * 2 ** max(0, square.denominator.bit_length() - square.numerator.bit_length())
    return Fraction(isqrt(int(square * up * up)), up)


def exact(
    losses: Sequence[float],
    weight: np.ndarray | None,
    groups: Sequence[Hashable] | None,
    units: Sequence[float] | None,
) -> tuple[Fraction, Fraction, float] | None:
    """Return mean, standard error and degrees of freedom, or None for less than two pieces."""
    n = len(losses)
    w = np.ones(n) if weight is None else weight
    W = [Fraction(float(x)) for x in w]
    kept = [i for i in range(n) if W[i] > 0]
    loss = [Fraction(float(losses[i])) if W[i] > 0 else Fraction(0) for i in range(n)]
    u = [Fraction(1) if units is None else Fraction(float(units[i])) for i in range(n)]
    total = sum((W[i] * u[i] for i in kept), Fraction(0))
    mean = sum((W[i] * loss[i] for i in kept), Fraction(0)) / total
    names = range(n) if groups is None else groups
    whole = np.array_equal(w, np.rint(w)) and groups is None  # a sample is copies of itself
    sums: dict[Hashable, Fraction] = {}
    sizes: dict[Hashable, Fraction] = {}
    copies: dict[Hashable, Fraction] = {}
    for i in kept:
        g, one = names[i], Fraction(1) if whole else W[i]
        copies[g] = W[i] if whole else Fraction(1)
        sums[g] = sums.get(g, Fraction(0)) + one * (loss[i] - mean * u[i])
        sizes[g] = sizes.get(g, Fraction(0)) + one * u[i]
    if sum(copies.values()) < 2:
        return None
    h = {g: size / total for g, size in sizes.items()}
    square = sum((copies[g] * sums[g] ** 2 / (1 - h[g]) for g in sums), Fraction(0))
    t = {g: h[g] ** 2 / (1 - h[g]) for g in h}
    pairs = sum(copies[g] * t[g] for g in t) ** 2 - sum(copies[g] * t[g] ** 2 for g in t)
    both = sum((copies[g] * h[g] ** 2 for g in h), Fraction(0)) + pairs
    return mean, root(square) / total, float(1 / both)


def pieces(draw: Draw, n: int) -> tuple[np.ndarray | None, list[Any] | None]:
    """Return weights and groups."""
    w = draw.weights(n)
    groups = None
    if draw.chance("groups", 0.4):
        groups = draw.rng.integers(draw.number("G", 2, 8), size=n).tolist()
        if draw.chance("named", 0.5):
            groups = [f"g{g}" for g in groups]
    return w, groups


def number_faults(name: str, got: float, expected: Fraction, slack: Fraction) -> list[str]:
    """Compare a number with an exact one; one beyond all floats is infinite."""
    if abs(expected) > Fraction(float(np.finfo(float).max)):
        return [] if np.isinf(got) else [f"{name} {got!r}, but it is beyond all floats"]
    if not np.isfinite(got):
        return [f"{name} {got!r}, but {float(expected)!r}"]
    if abs(Fraction(float(got)) - expected) > slack + SMALLEST:
        return [f"{name} {got!r}, but {float(expected)!r}"]
    return []


def result_faults(found: Any, losses: Any, known: Any, level: float) -> list[str]:
    """Mean, standard error, degrees of freedom and interval."""
    mean, error, df = known
    size = Fraction(max((float(abs(x)) for x in losses), default=0.0))
    tiny = Fraction(64 * EPS)
    faults = number_faults("mean", found.mean, mean, tiny * abs(mean) + tiny * size / 1000)
    spread = Fraction(1, 10**9) * error + tiny * size
    faults += number_faults("standard_error", found.standard_error, error, spread)
    if not np.isclose(found.df, df, rtol=1e-9):
        faults.append(f"df {found.df!r}, but {df!r}")
    half = float(stats.t.isf((1 - level) / 2, found.df))
    for name, sign in (("low", -1), ("high", 1)):
        end = Fraction(float(found.mean)) + sign * Fraction(half) * Fraction(
            float(found.standard_error)
        )
        slack = tiny * (abs(end) + abs(mean) + Fraction(half) * error)
        faults += number_faults(name, getattr(found, name), end, slack)
    return faults


def check_interval(draw: Draw) -> list[str]:
    """Any losses, weights, groups and units."""
    n = draw.n_samples(60)
    losses = draw.rng.exponential(size=n) * draw.one_of("size", [1.0, 1e-3, 1e5])
    if draw.hostile:
        kind = draw.one_of("losses", ["any", "equal", "zero", "tiny", "huge", "outlier", "signed"])
        factors = {"tiny": 1e-300, "huge": 1e300, "zero": 0.0}
        losses = losses / np.abs(losses).max() * factors.get(kind, 1.0)
        if kind == "equal":
            losses[:] = 0.1
        elif kind == "outlier":
            losses[-1] = 1e16
        elif kind == "signed":
            losses *= draw.rng.choice([-1.0, 1.0], n)
    w, groups = pieces(draw, n)
    units = None
    if draw.chance("units", 0.3):
        units = draw.rng.integers(1, 9, n).astype(float)
    level = draw.one_of("level", [0.95, 0.5, 0.999])
    given, numbers = draw.passed("losses", losses, ["float64", "float32", "object", "nullable"])
    found = ended(
        lambda: mean_loss_interval(given, sample_weight=w, groups=groups, units=units, level=level),
        NAMES,
    )
    known = exact(numbers, w, groups, units)
    if found.error is not None or found.faults:
        unexpected = known is not None and "too large" not in found.words
        return found.faults + ([f"refused: {found.words[:200]}"] if unexpected else [])
    if known is None:
        return ["fewer than two observations, and no error"]
    kept = numbers if w is None else numbers[w > 0]
    return result_faults(found.result, kept, known, level)


def check_compare(draw: Draw) -> list[str]:
    """Models against a baseline, on labels or soft rows."""
    n, K = draw.n_samples(60), draw.number("K", 2, 4)
    Z = {name: 2 * draw.rng.normal(size=(n, K)) for name in ("a", "b", "c")}
    kind = draw.one_of("models", ["any", "the same"] + (["large"] if draw.hostile else []))
    if kind == "the same":
        Z["b"] = Z["a"].copy()
    elif kind == "large":
        Z = {name: 1e150 * each for name, each in Z.items()}
    y = draw.codes(n, K)
    T = np.eye(K)[y]
    target: Any = y
    if draw.chance("soft", 0.3):
        target = T = draw.soft_rows(n, K)
    w, groups = pieces(draw, n)
    from_logits = kind == "large" or draw.chance("from_logits", 0.5)
    preds = {name: each if from_logits else softmax(each, axis=1) for name, each in Z.items()}
    options = {"sample_weight": w, "groups": groups, "from_logits": from_logits}
    labels = np.arange(K)
    found = ended(lambda: compare(target, preds, baseline="a", labels=labels, **options), NAMES)
    losses = {k: -(T * log_softmax(each, axis=1)).sum(axis=1) for k, each in Z.items()}
    differences = [losses[name] - losses["a"] for name in ("b", "c")]
    known = [exact(each, w, groups, None) for each in differences]
    if found.error is not None or found.faults:
        return found.faults + ([f"refused: {found.words[:200]}"] if known[0] else [])
    kept = np.ones(n, bool) if w is None else w > 0
    slack = Fraction(64 * EPS) * Fraction(float(max(each[kept].max() for each in losses.values())))
    got, faults = found.result, []
    for j, each in enumerate(known):
        if each is None:
            return ["fewer than two observations, and no error"]
        mean, error, df = each
        faults += number_faults("difference", got.difference[j], mean, slack)
        spread = slack + Fraction(1, 10**9) * error
        faults += number_faults("standard_error", got.standard_error[j], error, spread)
        if not np.isclose(got.df, df, rtol=1e-9):
            faults.append(f"df {got.df!r}, but {df!r}")
    return faults


FEATURES = {"mean_loss_interval": check_interval, "comparison": check_compare}
