"""Fits of drawn problems, each against a slow reference.

Run ``python tests/benchmarks/bench_drawn_fits.py --count 5000``; a slice begins at ``--seeds``, and
``--solver`` names a solver. A problem is made from its seed alone, see `drawn_fits`: numbers of
every family and type, passed in every form, labels of all kinds or soft targets, weights over forty
orders of magnitude, penalties from 1e-300 to none, factors of the penalty, offsets, class weights,
with and without intercept. The reference is `fit_reference`.

A fit has to end in the minimum, in a ConvergenceWarning whose gap is honest, or in an error that
names the argument. What is counted:

* wrong: converged without a warning, and above the minimum by more than was asked for;
* gap: `optimality_gap_` is less than the distance to the minimum, or ten times it;
* untrue: objective or log-likelihood are not those of the parameters;
* false, missing: said that no maximum exists where one does, or the other way round (an offset of
  hundreds may put a maximum out of reach of float64, which a fit may say);
* predictions: not finite, not of one model, or different from `to_sklearn`;
* slow: more than 30 seconds of a processor; failed: an exception, or a warning of another kind.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections import Counter
from typing import Any

import numpy as np
from bench_unpenalised_designs import Design, separable
from drawn_fits import Problem, draw
from fit_reference import Minimum, losses_of, penalty_of
from scipy.special import log_softmax
from sklearn.exceptions import ConvergenceWarning

from skxent import LogisticClassifier, SoftmaxClassifier, categorical_cross_entropy

EPS = float(np.finfo(float).eps)
TINY = float(np.finfo(float).tiny)  # below it, numbers have fewer digits
SLOW = 30.0  # seconds of a processor
UNTRUE = 1e-9  # of the objective
NOTHING = 1e-40  # nats: squares of coefficients that are the rounding of zero
LOST = 1e6  # C times the weights, above which a penalty may be lost in rounding
ENDLESS = "no finite maximum", "could not be decided", "out of reach"


def judged(problem: Problem, solver: str = "auto") -> Counter:
    """What is wrong with a fit of the problem."""
    kind = LogisticClassifier if _is_binary(problem) else SoftmaxClassifier
    clf = kind(**problem.parameters, solver=solver)
    begin = time.process_time()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            clf.fit(**problem.passed)
        except (TypeError, ValueError) as error:
            return Counter() if refused_rightly(problem, error) else _failed(error)
        except Exception as error:
            return _failed(error)
    seconds = time.process_time() - begin
    faults = Counter(slow=seconds > SLOW)
    words = [str(w.message) for w in caught if issubclass(w.category, ConvergenceWarning)]
    for other in caught:
        if not issubclass(other.category, ConvergenceWarning):
            known = other.category is UserWarning and "no weight" in str(other.message)
            if not (known and not problem.T.any(axis=0).all()):
                faults[f"warned: {other.category.__name__}: {other.message}"[:150]] += 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            faults += of_the_minimum(problem, clf, words)
            faults += of_predictions(problem, clf)
        except Exception as error:
            faults += _failed(error)
    return +faults


def _is_binary(problem: Problem) -> bool:
    return problem.Y.shape[1] == 2 and problem.choices["seed"] % 2 == 0


def _failed(error: Exception) -> Counter:
    trace, place = error.__traceback__, ""
    while trace is not None:
        code = trace.tb_frame.f_code
        if "skxent" in code.co_filename:
            place = f"{code.co_filename.rsplit('skxent/', 1)[-1]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return Counter({f"failed: {type(error).__name__} {str(error)[:140]} at {place}": 1})


def refused_rightly(problem: Problem, error: Exception) -> bool:
    """Whether the problem has what the error says."""
    said = str(error)
    if "has only one class" in said or "only class" in said:
        return int(problem.T.any(axis=0).sum()) < 2
    if "class_weight is zero wherever sample_weight" in said or "sample_weight is zero" in said:
        return not problem.T.any()
    if "sample_weight is too" in said:
        return not 1e-290 < problem.w.max() <= problem.w.sum() < 1e290
    if "in column" in said and "rescale the column" in said:
        column = problem.X[:, int(said.split("column ")[1].split(",")[0].split()[0])]
        squares = np.abs(column).max() ** 2 * max(problem.T.sum(), 1.0)
        return not 1e-280 < squares < 1e300
    return False


def of_the_minimum(problem: Problem, clf: Any, words: list[str]) -> Counter:
    reference = Minimum(
        problem.X,
        problem.T,
        problem.C,
        problem.fit_intercept,
        problem.penalty_factors,
        problem.offset,
    )
    here = reference.objective(clf.coef_, clf.intercept_)
    above = here - min(reference.value, here)
    noise = _rounding(problem, clf)
    faults = Counter()
    known = max(2e-9 * min(1.0, here), 1e-11 * here, noise)
    endless = any(text in word for word in words for text in ENDLESS)
    if not words:
        faults["wrong"] = above > 5 * max(clf.target_gap_, noise) or not clf.converged_
    if above > known and not endless and not 0.1 * above <= clf.optimality_gap_ * (1 + 1e-6):
        faults["gap too low"] = 1
    if words and not endless:
        faults["gap too low"] += not 0.99 * above <= clf.optimality_gap_ + known
        faults["converged"] = bool(clf.converged_)
    if problem.unpenalised.any() and np.ptp(np.log(problem.w[problem.w > 0])) < 15:
        separated = _separable(problem)
        if separated is not None:
            faults["missing"] = separated and not words
            lost = LOST / problem.T.sum() < problem.C < np.inf
            far = "offset" in problem.passed and not any(ENDLESS[0] in word for word in words)
            faults["false"] = endless and not (separated or lost or far)
    faults["untrue"] = not _is_true(problem, clf, here, noise)
    return faults


def _rounding(problem: Problem, clf: Any) -> float:
    """What rounding of logits and of parameters may add to the objective, in nats."""
    return float(problem.T.sum(axis=1) @ _noise_of_logits(problem, clf))


def _noise_of_logits(problem: Problem, clf: Any) -> np.ndarray:
    """What rounding may change in the logits of each sample, (n,)."""
    with np.errstate(over="ignore"):
        size = np.abs(problem.X) @ np.abs(clf.coef_).T + np.abs(problem.offset).max()
    b = np.where(np.isinf(clf.intercept_), 0.0, clf.intercept_)
    return 16 * EPS * (size + np.abs(b)).max(axis=1)


def _separable(problem: Problem) -> bool | None:
    T = problem.T
    kept = T.sum(axis=1) > 0
    present = T.any(axis=0)
    if not present.all():
        return None
    Y = problem.Y[kept]
    X = problem.X[kept][:, problem.unpenalised]
    if X.shape[1] > 45 or problem.choices["family"] in ("outlier", "offsets", "huge or tiny"):
        return None  # what programmes make of these is nothing to go by
    size = np.abs(X - X.mean(axis=0) * problem.fit_intercept).max(axis=0)
    X = X / np.where(size > 0, size, 1.0)
    if np.abs(X).max() > 1e5:
        return None
    design = Design("drawn", X, Y, Y, None, problem.fit_intercept, False)
    try:
        return separable(design) if design.samples.size else False
    except AssertionError:
        return None


def _is_true(problem: Problem, clf: Any, here: float, noise: float) -> bool:
    """Whether objective and log-likelihood are those of the parameters as they are."""
    with np.errstate(over="ignore"):
        penalty = float(penalty_of(clf.coef_, problem.penalty_factors, problem.C))
    allowed = UNTRUE * here + noise
    if not abs(clf.objective_ - here) <= allowed:
        return False
    own = UNTRUE * clf.objective_ + NOTHING
    if not abs(clf.objective_ + clf.log_likelihood_ - penalty) <= own:
        return False
    return bool(clf.log_likelihood_ <= 0 <= clf.objective_ and clf.optimality_gap_ >= 0)


def of_predictions(problem: Problem, clf: Any) -> Counter:
    X, y, w = (problem.passed[name] for name in ("X", "y", "sample_weight"))
    faults = Counter()
    logit_noise = _noise_of_logits(problem, clf)
    offset = problem.with_offset
    P, L = clf.predict_proba(X, **offset), clf.predict_log_proba(X, **offset)
    Z = clf.decision_function(X, **offset)
    finite = np.isfinite(P).all() and not np.isnan(L).any()
    faults["predictions"] = not (finite and np.allclose(P.sum(axis=1), 1, rtol=0, atol=1e-12))
    rows = np.column_stack([np.zeros(len(Z)), Z]) if Z.ndim == 1 else Z
    faults["logits"] = not np.allclose(log_softmax(rows, axis=1), L, rtol=1e-12, atol=1e-12)
    predicted = clf.predict(X, **offset)
    chosen = P[np.asarray(predicted)[:, None] == clf.classes_]
    faults["labels"] = not (chosen >= P.max(axis=1) - 1e-12).all()
    faults["classes"] = clf.classes_.tolist() != problem.labels.tolist()
    plain = clf.log_likelihood(X, y, w, **offset)
    metric = categorical_cross_entropy(
        y, Z, from_logits=True, labels=clf.classes_, sample_weight=w, reduction="sum"
    )
    faults["metric"] = plain != -metric
    own = float(losses_of(*_present(problem.w[:, None] * problem.Y, rows)))
    faults["likelihood"] = not abs(plain + own) <= 1e-12 * own + TINY
    if problem.parameters["class_weight"] is None:
        allowed = UNTRUE * abs(plain) + _rounding(problem, clf)
        faults["log_likelihood_"] = not abs(clf.log_likelihood_ - plain) <= allowed
    if y is problem.passed["y"] and problem.Y.shape != np.shape(y):
        right = problem.w @ (problem.labels[problem.Y.argmax(axis=1)] == predicted)
        faults["score"] = not np.isclose(
            clf.score(X, y, w, **offset), right / problem.w.sum(), rtol=1e-9
        )
    if np.isfinite(clf.intercept_).all() and not offset:
        # Columns of several types, or of pandas's own, are objects to LogisticRegression in 1.7.
        numbers = X.astype("float64") if hasattr(X, "iloc") else X
        off = np.abs(clf.to_sklearn().predict_proba(numbers) - P).max(axis=1)
        faults["to_sklearn"] = not (off <= 1e-12 + logit_noise).all()
    return faults


def _present(T: np.ndarray, Z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    some = ~np.isneginf(Z).any(axis=0)
    return T[:, some], Z[:, some]


def problem_of(seed: int) -> Problem:
    """The problem of a seed."""
    rng = np.random.default_rng([31, seed])
    return draw(lambda _, options: options[int(rng.integers(len(options)))])


def main() -> None:
    """Judge a slice of the problems."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=0, help="the first")
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--solver", default="auto")
    parser.add_argument(
        "--by", default="family,weights,C,wrapper,factors,offset", help="choices to count by"
    )
    arguments = parser.parse_args()
    tried: Counter = Counter()
    found: Counter = Counter()
    for seed in range(arguments.seeds, arguments.seeds + arguments.count):
        problem = problem_of(seed)
        faults = judged(problem, arguments.solver)
        for name in arguments.by.split(","):
            tried[name, str(problem.choices[name])] += 1
        found += Counter(dict.fromkeys(faults, 1))
        if faults:
            print(f"{seed}: {'; '.join(faults)} | {problem.choices}", flush=True)
    for (name, choice), count in sorted(tried.items()):
        print(f"{name} {choice}: {count}")
    print(f"{arguments.count} fits, faults: {dict(found) or 'none'}")


if __name__ == "__main__":
    main()
