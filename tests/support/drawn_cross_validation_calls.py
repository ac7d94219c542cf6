"""Drawn calls of compare_cv: held-out losses of the folds and their test, against refits.

The softmax models are fitted by `drawn_selection_reference`, base rates are counted.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from drawn_calls import Draw, ended
from drawn_selection_calls import drawn as drawn_fit
from drawn_selection_calls import folds_of
from drawn_selection_reference import MAX_LOSS, held_out
from scipy import stats
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import (
    GroupShuffleSplit,
    ShuffleSplit,
    StratifiedShuffleSplit,
)

from skxent import SoftmaxClassifier, compare_cv

NAMES = (
    "X",
    "y",
    "sample_weight",
    "estimators",
    "baseline",
    "cv",
    "groups",
    "level",
    "correction",
    "base",
    "n_splits",
    "class_weight",
    "tol",
    "test_size",
    "n_jobs",
)
# scikit-learn's own words about folds; a class that a fold lacks, or that has no weight there.
USER_WARNINGS = "least populated class", "has no weight", "have no weight", "y_pred values"


def check_compare_cv(draw: Draw) -> list[str]:
    """Two softmax models and base rates, with weights, groups and any folds."""
    call = drawn_fit(draw, soft=False)
    call.passed.pop("offset", None)
    n, K = call.samples.Y.shape
    plain = {"O": np.zeros((n, K)), "f": np.ones(call.samples.X.shape[1]), "fit_intercept": True}
    samples = replace(call.samples, **plain)
    Cs = {"weak": 10.0, "strong": 0.01}
    tol = draw.one_of("fit tol", [1e-6, 1e-10])
    estimators: dict[str, Any] = {k: SoftmaxClassifier(C, tol=tol) for k, C in Cs.items()}
    estimators["rates"] = DummyClassifier()
    baseline = draw.one_of("baseline", ["rates", "weak"])
    folds = folds_of(draw, call)
    cv, groups = call.clf.cv, call.passed.pop("groups", None)
    if draw.chance("default cv", 0.3):
        cv = None
        folds = default_folds(call, groups)
    elif groups is not None and draw.chance("integer with groups", 0.5):
        cv = cv.n_splits  # the same folds
    options = {
        "cv": cv,
        "groups": groups,
        "sample_weight": call.passed["sample_weight"],
        "level": draw.one_of("level", [0.5, 0.95]),
        "correction": draw.one_of("correction", ["holm", None]),
        "base": draw.one_of("base", [None, 2.0]),
    }
    X, y = call.passed["X"], call.passed["y"]
    found = ended(
        lambda: compare_cv(estimators, X, y, baseline=baseline, **options),
        NAMES,
        user_warnings=USER_WARNINGS,
    )
    if found.error is not None or found.warned_of() or folds is None:
        return found.faults
    sums, errors, weight = fold_sums(samples, Cs, tol, folds)
    if not np.isfinite(list(errors.values())).all():
        return found.faults
    return found.faults + table_faults(found.result, baseline, sums, errors, weight, options)


def default_folds(call: Any, groups: np.ndarray | None) -> list[Any] | None:
    """Return the folds of ``cv=None``: 15 random splits, stratified if no class is too rare."""
    options = {"n_splits": 15, "test_size": 0.1, "random_state": 0}
    X, Y = call.samples.X, call.samples.Y
    counts = Y.sum(axis=0)
    rare = counts.min() < 2 or len(counts) > 0.1 * len(Y)
    splitter = ShuffleSplit(**options) if rare else StratifiedShuffleSplit(**options)
    splitter = splitter if groups is None else GroupShuffleSplit(**options)
    try:
        return list(splitter.split(X, Y.argmax(axis=1), groups))
    except ValueError:
        return None


def fold_sums(
    samples: Any, Cs: dict[str, float], tol: float, folds: list[Any]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], np.ndarray]:
    """Return the sums of held-out losses, their errors, and the weights of the two parts."""
    J, n = len(folds), len(samples.X)
    sums = {name: np.zeros(J) for name in (*Cs, "rates")}
    errors = {name: np.zeros(J) for name in sums}
    weight = np.zeros((2, J))
    for j, (train, test) in enumerate(folds):
        inside = np.zeros(n)
        inside[train] = 1.0
        T = samples.w[:, None] * samples.Y * inside[:, None]
        w, m = samples.w[test], len(test)
        weight[:, j] = T.sum(), w.sum()
        with np.errstate(divide="ignore"):
            of_class = np.minimum(-np.log(T.sum(axis=0) / T.sum()), MAX_LOSS)
        sums["rates"][j] = w @ (samples.Y[test] @ of_class)
        # A class with samples of weight zero only keeps its place in the model.
        known = samples.Y[train].any(axis=0)
        zero = (T.sum(axis=0) == 0) & known
        for name, C in Cs.items():
            truth = held_out(samples, np.tile(T, (m, 1, 1)), np.full(m, C), test, False)
            each = np.where(truth.judged, truth.error(tol), np.inf)
            if zero.any():
                each[:] = np.inf
            sums[name][j], errors[name][j] = w @ truth.losses, w[w > 0] @ each[w > 0]
    return sums, errors, weight


def table_faults(
    found: Any,
    baseline: str,
    sums: dict[str, np.ndarray],
    errors: dict[str, np.ndarray],
    weight: np.ndarray,
    options: dict[str, Any],
) -> list[str]:
    """Means, differences, the corrected standard error, and the test that follows from them."""
    faults, unit = [], np.log(options["base"] or np.e)
    train, test = weight
    J, total = len(test), test.sum()
    names = [name for name in sums if name != baseline]
    if list(found.names) != names or found.df != J - 1:
        return [f"names {found.names}, df {found.df}"]
    for i, name in enumerate(names):
        mean, rest = sums[name].sum() / total, errors[name].sum() / total + 1e-9
        d = (sums[name] - sums[baseline]) / test
        centre = test @ d / total
        error = np.sqrt(
            (1 / J + total / train.sum()) * J / (J - 1) * (test @ (d - centre) ** 2) / total
        )
        both = rest + errors[baseline].sum() / total
        spread = ((errors[name] + errors[baseline]) / test).max() * 2 + 1e-7 * error + 1e-9
        if abs(found.mean[i] * unit - mean) > rest + 1e-9 * mean:
            faults.append(f"mean of {name}: {found.mean[i] * unit!r}, not {mean!r}")
        if abs(found.difference[i] * unit - centre) > both + 1e-9 * mean:
            faults.append(f"difference of {name}: {found.difference[i] * unit!r}, not {centre!r}")
        if abs(found.standard_error[i] * unit - error) > spread:
            faults.append(f"error of {name}: {found.standard_error[i] * unit!r}, not {error!r}")
    if not (found.standard_error > 0).all():
        return faults
    t = found.difference / found.standard_error
    p = 2 * stats.t.cdf(-np.abs(t), J - 1)
    half = stats.t.ppf(0.5 + options["level"] / 2, J - 1) * found.standard_error
    adjusted = p
    if options["correction"] == "holm":
        low, high = np.argsort(p)
        adjusted = np.empty(2)
        adjusted[low] = min(1.0, 2 * p[low])
        adjusted[high] = max(adjusted[low], p[high])
    expected = {
        "t_statistic": t,
        "p_value": p,
        "p_adjusted": adjusted,
        "low": found.difference - half,
        "high": found.difference + half,
    }
    for name, values in expected.items():
        if not np.allclose(getattr(found, name), values, rtol=1e-8, atol=1e-12):
            faults.append(f"{name} is {getattr(found, name)}, not {values}")
    return faults


FEATURES = {"compare_cv": check_compare_cv}
