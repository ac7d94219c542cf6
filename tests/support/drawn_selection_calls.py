"""Drawn calls of SoftmaxClassifierCV: held-out losses and the choice of C, against refits.

Each held-out loss is compared with a fit of its own by `drawn_selection_reference`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from drawn_calls import Draw, Ended, ended, same_state, state_of
from drawn_selection_reference import (
    MAX_LOSS,
    HeldOut,
    Samples,
    held_out,
    objective_at,
    standard_error,
)
from sklearn.model_selection import GroupKFold, KFold, LeaveOneOut, ShuffleSplit, StratifiedKFold

from skxent import SoftmaxClassifierCV, ZeroProbabilityWarning

NAMES = (
    "X",
    "y",
    "sample_weight",
    "class_weight",
    "offset",
    "penalty_factor",
    "Cs",
    "cv",
    "groups",
    "tol",
    "max_iter",
    "solver",
    "random_state",
    "one_standard_error",
    "classes",
    "n_splits",
)
USER_WARNINGS = "the best C", "has no weight", "have no weight", "least populated class"
# The mean of leave-one-out may be wrong by some thousandths, which is an estimate.
ACCURACY = 0.02


@dataclass
class Call:
    """A call of `fit`: its arguments, and its samples as the reference takes them."""

    clf: SoftmaxClassifierCV
    passed: dict[str, Any]
    samples: Samples
    Cs: np.ndarray
    hard: bool

    def targets(self, inside: np.ndarray) -> np.ndarray:
        """Return the weight of each class in each sample `inside` a fit, (n, K)."""
        T = self.samples.w[:, None] * self.samples.Y * inside[:, None]
        factors = self.clf.class_weight
        if factors is None:
            return T
        if isinstance(factors, dict):
            return T * [factors.get(name, 1.0) for name in self.passed_classes]
        totals = T.sum(axis=0)
        in_fold = self.samples.Y[inside].any(axis=0) if self.hard else np.ones(len(totals), bool)
        return T * totals.sum() / (in_fold.sum() * np.where(totals > 0, totals, np.inf))

    @property
    def passed_classes(self) -> list[Any]:
        """The names of the columns of the targets."""
        return list(range(self.samples.Y.shape[1]))


def drawn(draw: Draw, soft: bool | None = None) -> Call:
    """Draw the samples and the options of a call, with `cv` left at None."""
    n = draw.number("n", 3, 14) if draw.hostile else draw.number("n", 15, 36)
    d, K = draw.number("d", 1, 5 if draw.hostile else 3), draw.number("K", 2, 4)
    X = draw.features(n, d)
    soft = draw.chance("soft", 0.3) if soft is None else soft
    if soft:
        Y = y = draw.soft_rows(n, K)
    else:
        y = draw.codes(n, K)
        if not draw.hostile:
            y[: 2 * K] = np.arange(2 * K) % K
        classes, y = np.unique(y, return_inverse=True)
        Y = np.eye(len(classes))[y]
    K = Y.shape[1]
    w = draw.weights(n)
    passed, X = draw.passed("X", X)
    given: dict[str, Any] = {"X": passed, "y": y, "sample_weight": w}
    O = np.zeros((n, K))
    if draw.chance("offset", 0.3):
        size = draw.one_of("offset size", [1.0, 30.0, 1e4, np.inf] if draw.hostile else [1.0, 3.0])
        O = np.clip(size, None, 1e300) * draw.rng.normal(size=(n, K))
        O[0, 0] = size
        given["offset"] = O[:, 1] - O[:, 0] if K == 2 and np.isfinite(size) else O
    f = np.ones(d)
    if draw.chance("factors", 0.25):
        f = draw.rng.choice([0.0, 0.1, 1.0, 10.0], d)
    Cs = [0.01, 1.0, 100.0]
    if draw.hostile:
        Cs = draw.one_of("Cs", [[1e-12, 1.0], [1.0, np.inf], [0.1, 1e6], [1.0], [1e-2, 1e2, 1e8]])
    clf = SoftmaxClassifierCV(
        Cs=list(reversed(Cs)),
        fit_intercept=not draw.chance("no intercept", 0.25),
        penalty_factor=None if (f == 1).all() else f,
        class_weight=draw.one_of("class_weight", [None, None, "balanced", {0: 3.0}]),
        tol=draw.one_of("tol", [1e-2, 1e-6, 1e-14] if draw.hostile else [1e-6, 1e-6, 1e-9]),
        solver=draw.one_of("solver", ["auto", "auto", "lbfgs", "newton"]),
    )
    samples = Samples(X, Y, np.ones(n) if w is None else w, O, f, clf.fit_intercept)
    return Call(clf, given, samples, np.array(Cs), not soft)


def fitted(call: Call) -> Ended:
    """Run the call; an error must not change the state of the classifier."""
    before = state_of(call.clf)
    found = ended(lambda: call.clf.fit(**call.passed), NAMES, user_warnings=USER_WARNINGS)
    if found.error is not None:
        found.faults += same_state(before, call.clf)
    return found


# Checks of results ---------------------------------------------------------------------------


def means_differ(found: np.ndarray, means: np.ndarray, errors: np.ndarray) -> list[str]:
    """Return a fault for each mean that is farther from its reference than its error."""
    return [
        f"mean {j}: {a!r}, but refits give {b!r} +- {e:.2g}"
        for j, (a, b, e) in enumerate(zip(found, means, errors, strict=True))
        if np.isfinite(e) and not abs(a - b) <= e
    ]


def choice_faults(clf: SoftmaxClassifierCV) -> list[str]:
    """The choice of C follows from the means and their standard errors."""
    mean, error = clf.mean_loss_, clf.loss_standard_error_
    best = int(np.argmin(mean))
    if clf.one_standard_error:
        best = int(np.argmax(mean <= mean[best] + error[best]))
    faults = [] if clf.Cs_[best] == clf.C_ else [f"C_ is {clf.C_}, not {clf.Cs_[best]}"]
    if np.isnan(mean).any() or (mean < 0).any() or (mean[mean < np.inf] > MAX_LOSS + 1e-9).any():
        faults.append(f"means of {mean}")
    return faults


def fit_faults(call: Call) -> list[str]:
    """The fit of all samples with the chosen C reaches the minimum of the reference."""
    n, clf = len(call.samples.X), call.clf
    T = call.targets(np.ones(n, bool))[None]
    least = held_out(call.samples, T, np.array([clf.C_]), np.zeros(1, int), True)
    if not least.judged[0] or (T.sum(axis=1) == 0).any() or not clf.converged_:
        return []
    value, noise = objective_at(call.samples, T[0], clf.C_, clf.coef_, clf.intercept_)
    noise += float(least.noise[0]) + 1e-12
    # A column without a penalty may have no curvature that float64 tells from rounding.
    rest = noise if np.isfinite(clf.C_) and call.samples.f.all() else noise + 1e-6
    faults = []
    if not abs(clf.objective_ - value) <= noise + clf.target_gap_:
        faults.append(f"objective {clf.objective_!r}, but the parameters have {value!r}")
    if not value - least.objective[0] <= 2 * clf.target_gap_ + rest:
        faults.append(f"objective {value!r}, and the minimum is {least.objective[0]!r}")
    if not clf.optimality_gap_ <= clf.target_gap_:
        faults.append(f"gap {clf.optimality_gap_}, above {clf.target_gap_}, and converged_")
    return faults


def out_of_reach(call: Call, C: float) -> bool:
    """Whether a column without a penalty has an outlier, whose finite minimum float64 may miss."""
    X = np.abs(call.samples.X[:, (call.samples.f == 0) | np.isinf(C)])
    return bool((X.max(axis=0, initial=0.0) > 1e4 * np.median(X, axis=0)).any())


# Leave-one-out -------------------------------------------------------------------------------


def refits(call: Call) -> tuple[HeldOut, np.ndarray]:
    """Return the losses of all samples of weight in fits without them, for each C in turn."""
    n = len(call.samples.X)
    rows = np.flatnonzero(call.samples.w)
    T = np.repeat(call.targets(np.ones(n, bool))[None], len(rows), axis=0)
    T[np.arange(len(rows)), rows] = 0.0
    m = len(call.Cs)
    C = np.repeat(call.Cs, len(rows))
    found = held_out(call.samples, np.tile(T, (m, 1, 1)), C, np.tile(rows, m), True)
    if call.hard:  # a class without samples is unknown, with an intercept or without one
        own = call.samples.Y[rows].argmax(axis=1)
        whole = call.targets(np.ones(n, bool)).sum(axis=0)
        lone = np.tile((T.sum(axis=1)[np.arange(len(rows)), own] == 0) & (whole[own] > 0), m)
        found.losses[lone], found.judged[lone] = MAX_LOSS, True
        found.slack[lone] = found.reach[lone] = 0.0
    return found, rows


def loo_faults(call: Call, found: Ended) -> list[str]:
    """Mean losses, standard errors, choice and fit of a leave-one-out that ended with a result."""
    clf = call.clf
    truth, rows = refits(call)
    shape = len(call.Cs), len(rows)
    losses, judged = truth.losses.reshape(shape), truth.judged.reshape(shape)
    errors = np.where(judged, truth.error(clf.tol).reshape(shape), np.inf)
    w = call.samples.w[rows]
    means = losses @ w / w.sum()
    error = errors @ w / w.sum() + ACCURACY * means
    endless = ~truth.finite.reshape(shape).all(axis=1) | [out_of_reach(call, C) for C in call.Cs]
    error[np.isinf(clf.mean_loss_) & endless] = np.inf
    faults = means_differ(clf.mean_loss_, means, error) + choice_faults(clf) + fit_faults(call)
    if clf.n_left_out_ != len(rows):
        faults.append(f"{clf.n_left_out_} were left out of {len(rows)}")
    for j, each in enumerate(losses):
        se, given = standard_error(each, w), clf.loss_standard_error_[j]
        slack = 10 * error[j] + 0.1 * se
        if np.isfinite(slack) and not abs(given - se) <= slack:
            faults.append(f"standard error {given!r}, but refits give {se!r}")
    capped = losses[list(call.Cs).index(clf.C_)] >= MAX_LOSS
    told = found.warned_of(ZeroProbabilityWarning) or not clf.converged_
    if np.isfinite(error).all() and capped.any() and not told:
        faults.append("no warning of samples with the largest loss")
    return faults


def check_leave_one_out(draw: Draw) -> list[str]:
    """Leave-one-out of labels or soft rows, with weights, offsets and factors of the penalty."""
    call = drawn(draw)
    call.clf.one_standard_error = draw.chance("one_standard_error", 0.3)
    found = fitted(call)
    if found.error is not None or found.warned_of():
        return found.faults
    return found.faults + loo_faults(call, found)


def check_lone_samples(draw: Draw) -> list[str]:
    """Classes of one or two samples, and soft classes that one sample has nearly alone."""
    call = drawn(draw)
    n, K = call.samples.Y.shape
    kind = draw.one_of("lone", ["one each", "two each", "share"])
    rest = draw.one_of("rest", [0.0, 1e-14, 1e-9, 1e-3])
    if K < 2:
        return []
    if call.hard:
        each = 1 if kind == "one each" else 2
        y = np.maximum(0, K - 1 - np.arange(n) // each)
        classes, y = np.unique(y, return_inverse=True)
        Y = np.eye(len(classes))[y]
        if Y.shape[1] != K:
            return []
        call.passed["y"] = y
    else:
        Y = call.samples.Y.copy()
        Y[:, -1] = rest * Y[:, -1]
        Y[0, -1] = draw.one_of("own", [1e-6, 0.1, 0.9, 1.0])
        Y[:, :-1] += 1e-300
        Y[:, :-1] *= ((1 - Y[:, -1]) / Y[:, :-1].sum(axis=1))[:, None]
        call.passed["y"] = Y
    call.samples = replace(call.samples, Y=Y)
    found = fitted(call)
    if found.error is not None or found.warned_of():
        return found.faults
    return found.faults + loo_faults(call, found)


# Folds ---------------------------------------------------------------------------------------


def folds_of(draw: Draw, call: Call) -> list[tuple[np.ndarray, np.ndarray]] | None:
    """Draw `cv` and the groups of a call; return the folds, None if the splitter refuses them."""
    n = len(call.samples.X)
    codes = call.samples.Y.argmax(axis=1)
    kind = draw.one_of("cv", ["int", "KFold", "leave one out", "shuffle", "pairs", "groups"])
    groups, J = None, draw.number("folds", 2, 4)
    splitter: Any = StratifiedKFold(J)
    if kind == "KFold":
        splitter = KFold(J, shuffle=True, random_state=0)
    elif kind == "leave one out":
        splitter = LeaveOneOut()
    elif kind == "shuffle":
        splitter = ShuffleSplit(J, test_size=0.3, random_state=1)
    elif kind == "groups":
        splitter, groups = GroupKFold(J), draw.rng.integers(6, size=n)
        call.passed["groups"] = groups
    elif kind == "pairs":
        order = draw.rng.permutation(n)
        splitter = [(np.setdiff1d(order, part), part) for part in np.array_split(order, J)]
    call.clf.cv = J if kind == "int" else splitter
    if kind == "pairs":
        return list(splitter)
    try:
        return list(splitter.split(call.samples.X, codes, groups))
    except ValueError:
        return None


def fold_faults(call: Call, folds: list[tuple[np.ndarray, np.ndarray]]) -> list[str]:
    """Losses of the folds, their means and standard errors, the choice of C, and the last fit."""
    clf, samples, n = call.clf, call.samples, len(call.samples.X)
    T, rows, fold = [], [], []
    for j, (train, test) in enumerate(folds):
        inside = np.zeros(n, bool)
        inside[train] = True
        test = test[samples.w[test] > 0]
        T += [call.targets(inside)] * len(test)
        rows += test.tolist()
        fold += [j] * len(test)
    w, fold = samples.w[rows], np.array(fold)
    totals = np.bincount(fold, w, minlength=len(folds))
    faults, means, errors = [], [], []
    for j, C in enumerate(call.Cs):
        truth = of_folds(call, np.array(T), np.full(len(rows), C), np.array(rows))
        error = np.where(truth.judged, truth.error(clf.tol), np.inf)
        path = np.bincount(fold, w * truth.losses) / totals
        known = np.bincount(fold, w * error) / totals + 1e-9 * path
        endless = (np.bincount(fold, ~truth.finite) > 0) | out_of_reach(call, C)
        known[np.isinf(clf.loss_path_[j]) & endless] = np.inf
        faults += means_differ(clf.loss_path_[j], path, known)
        means.append(clf.loss_path_[j] @ totals / totals.sum())
        errors.append(standard_error(clf.loss_path_[j], totals))
    finite = np.isfinite(means)
    if not np.allclose(np.array(means)[finite], clf.mean_loss_[finite], rtol=1e-12):
        faults.append(f"means {clf.mean_loss_} of the paths {clf.loss_path_}")
    if not np.allclose(
        np.array(errors)[finite],
        clf.loss_standard_error_[finite],
        rtol=1e-6,
        atol=1e-9,
        equal_nan=True,
    ):
        faults.append(f"standard errors {clf.loss_standard_error_}, not {errors}")
    return faults + choice_faults(clf) + fit_faults(call)


def of_folds(call: Call, T: np.ndarray, C: np.ndarray, rows: np.ndarray) -> HeldOut:
    """Return held-out losses of fits of folds: labels that a fold lacks are not in its model."""
    if not call.hard:
        return held_out(call.samples, T, C, rows, True)
    lacks = (T.sum(axis=1) == 0).any(axis=1)
    found = held_out(call.samples, T, C, rows, False)
    if (call.samples.w == 0).any() or isinstance(call.clf.class_weight, dict):
        found.judged &= ~lacks  # a class without weight and a class without samples differ
    return found


def check_folds(draw: Draw) -> list[str]:
    """Folds of an integer, of splitters, of pairs, and of groups."""
    call = drawn(draw)
    call.clf.one_standard_error = draw.chance("one_standard_error", 0.3)
    folds = folds_of(draw, call)
    found = fitted(call)
    if found.error is not None or found.warned_of():
        return found.faults
    if folds is None:
        return [*found.faults, "the splitter refuses these samples, and fit does not"]
    return found.faults + fold_faults(call, folds)


def check_one_way_or_the_other(draw: Draw) -> list[str]:
    """Leave-one-out from one fit has the means of as many folds."""
    call = drawn(draw)
    found = fitted(call)
    other = replace(call, clf=SoftmaxClassifierCV(**{**call.clf.get_params(), "cv": LeaveOneOut()}))
    again = fitted(other)
    faults = found.faults + again.faults
    weighted = call.clf.class_weight == "balanced"  # which is of the samples of a fold
    zero = (call.samples.w == 0).any()  # such samples are folds without weight, an error
    if found.error or again.error or found.warned_of() or again.warned_of() or weighted or zero:
        return faults
    truth = refits(call)[0]
    rest = np.where(truth.judged, truth.error(call.clf.tol), np.inf).reshape(len(call.Cs), -1)
    w = call.samples.w / call.samples.w.sum()
    means, error = other.clf.mean_loss_, ACCURACY * other.clf.mean_loss_ + 2 * rest @ w
    return faults + means_differ(call.clf.mean_loss_, means, error)


FEATURES = {
    "selection: leave one out": check_leave_one_out,
    "selection: lone samples": check_lone_samples,
    "selection: folds": check_folds,
    "selection: one way or the other": check_one_way_or_the_other,
}
