"""The calibrators beside those of scikit-learn and probmetrics: test losses on real data, seconds.

Run ``python tests/benchmarks/bench_calibrators.py losses`` or ``... seconds``. Both print Markdown.

**losses.** A third of each data set, of at most 9,000 samples, trains a classifier. The second
third calibrates its predictions, and the rest tests them. The columns give the mean cross-entropy
of the test samples in nats. The last column is the best of our methods less the best of the others,
with the 95 % interval of the paired difference. Both are chosen by their test losses, so each of
them is a little better than it would be on new data. Probabilities below 2.2e-16 count as 2.2e-16.

**seconds.** The processor time of one fit to logits that are twice too large, not smoothed; fits
below half a second count by the median of three. A fit that takes longer than `FIT_LIMIT` seconds
is stopped.

Structured matrix scaling is "logistic" of probmetrics, which is affine scaling for two classes.
It is left out if probmetrics cannot be imported.
"""

from __future__ import annotations

import argparse
import signal
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import scipy.sparse as sp
from problems import _flights, _xy, problems
from scipy.special import expit, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

from skxent import LogitCalibrator, SoftmaxClassifier

try:
    import torch
    from probmetrics.calibrators import get_calibrator

    torch.set_num_threads(1)
    HAS_PROBMETRICS = True
except ImportError as missing:
    print(f"structured matrix scaling: left out, {missing}\n")
    HAS_PROBMETRICS = False

OURS = "temperature", "bias", "vector", "matrix"
SCIKIT_LEARN = "sigmoid", "isotonic", "temperature"
STRUCTURED = "structured matrix scaling"
FLOOR = 2.0**-52
ROWS = 9_000
FEWEST = 15  # samples of a class; classes with fewer are left out
FIT_LIMIT = 20.0
CLASSES, SIZES = (2, 10, 100, 1000), (1_000, 10_000, 100_000)
LARGEST = 2 * 10**7  # numbers in the predictions

CASES = {
    "breast_cancer": ("forest", "bayes", "svm"),
    "wa_churn": ("boosting", "bayes", "mlp"),
    "lending_club": ("boosting", "bayes"),
    "cells": ("forest", "svm", "boosting"),
    "fertility": ("forest", "bayes"),
    "flights_delay": ("forest", "mlp", "bayes"),
    "military_branch": ("bayes", "softmax"),
    "digits": ("bayes", "forest", "svm"),
    "mnist5k": ("softmax", "forest", "bayes"),
    "diamonds": ("boosting", "forest", "bayes"),
    "flights_carrier, std": ("mlp", "forest", "boosting"),
    "leaf_id_flavia, std": ("forest", "softmax", "bayes"),
    "newsgroups, C=1": ("svm", "bayes"),
    "reuters52": ("bayes", "svm", "forest"),
    "flights_destination": ("forest", "mlp", "bayes"),
}


def flights_destination() -> tuple[np.ndarray, np.ndarray]:
    """The destination, from the carrier, the time in the air and the schedule."""
    f = _flights().dropna(subset=["air_time"])
    numbers = f[["sched_dep_time", "sched_arr_time", "air_time", "month"]]
    return _xy(numbers.join(f[["origin", "carrier", "dest"]].astype(str)), "dest")


LEARNERS: dict[str, Callable[[bool, int], Any]] = {
    "forest": lambda _sparse, _K: RandomForestClassifier(random_state=0),
    "boosting": lambda _sparse, _K: HistGradientBoostingClassifier(random_state=0),
    "bayes": lambda sparse, _K: MultinomialNB() if sparse else GaussianNB(),
    "svm": lambda sparse, _K: LinearSVC() if sparse else make_pipeline(StandardScaler(), SVC()),
    "mlp": lambda _sparse, _K: make_pipeline(
        StandardScaler(), MLPClassifier((50,), max_iter=60, random_state=0)
    ),
    "softmax": lambda _sparse, _K: SoftmaxClassifier(C=100.0),
}


@dataclass(frozen=True)
class Scores:
    """Predictions for samples of known classes.

    Parameters
    ----------
    values : (n, K) or (n,) array
    y : (n,) array
        Codes.
    logits : bool
        Whether the predictions are decision values instead of probabilities.
    """

    values: np.ndarray
    y: np.ndarray
    logits: bool

    @property
    def probabilities(self) -> np.ndarray:
        """The probabilities (n, K), not below the floor."""
        P = self.values
        if self.logits:
            P = np.column_stack([expit(-P), expit(P)]) if P.ndim == 1 else softmax(P, axis=1)
        return np.maximum(P, FLOOR)


class PredictedProbabilities(ClassifierMixin, BaseEstimator):
    """A fitted classifier whose features are its probabilities."""

    def __init__(self, n_classes: int) -> None:
        self.n_classes = n_classes
        self.classes_ = np.arange(n_classes)

    def fit(self, _X: Any, _y: Any) -> Any:
        """Do nothing."""
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the most probable classes."""
        return X.argmax(axis=1) if X.shape[1] > 1 else (X[:, 0] > 0).astype(int)

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return the features."""
        return X


class PredictedLogits(PredictedProbabilities):
    """A fitted classifier whose features are its decision values."""

    predict_proba = property()  # type: ignore[assignment]

    def decision_function(self, X: np.ndarray) -> np.ndarray:
        """Return the features, one-dimensional for two classes."""
        return X[:, 0] if X.shape[1] == 1 else X


class FitLimit(Exception):
    """A fit takes too long."""


def _stop(_signal: int, _frame: Any) -> None:
    raise FitLimit


def ours(method: str, held: Scores, K: int, smooth: bool = True) -> Callable[[Scores], np.ndarray]:
    """Fit a calibrator of this package; return its predictions as a function of scores.

    Decision values are smoothed, as those of `CalibratedClassifier` are.
    """
    smoothing = "loo" if held.logits and smooth else "auto"
    calibrator = LogitCalibrator(method, from_logits=held.logits, smoothing=smoothing)
    calibrator.fit(held.values, held.y, classes=np.arange(K))
    return lambda scores: calibrator.predict_proba(scores.values)


def of_scikit_learn(method: str, held: Scores, K: int) -> Callable[[Scores], np.ndarray]:
    """Fit a calibrator of scikit-learn."""
    frozen = FrozenEstimator((PredictedLogits if held.logits else PredictedProbabilities)(K))
    clf = CalibratedClassifierCV(frozen, method=method)
    clf.fit(held.values.reshape(len(held.y), -1), held.y)
    return lambda scores: clf.predict_proba(scores.values.reshape(len(scores.y), -1))


def structured(held: Scores, _K: int) -> Callable[[Scores], np.ndarray]:
    """Fit structured matrix scaling."""
    calibrator = get_calibrator("logistic")
    calibrator.fit(held.probabilities, held.y)
    return lambda scores: np.asarray(calibrator.predict_proba(scores.probabilities))


METHODS: dict[str, Callable[[Scores, int], Callable[[Scores], np.ndarray]]] = {
    **{method: partial(ours, method) for method in OURS},
    **{f"sklearn {method}": partial(of_scikit_learn, method) for method in SCIKIT_LEARN},
    **({STRUCTURED: structured} if HAS_PROBMETRICS else {}),
}
RAW = {method: partial(ours, method, smooth=False) for method in OURS}
OTHERS = tuple(method for method in METHODS if method not in OURS)


def limited(fit: Callable[[Scores, int], Any], held: Scores, K: int) -> tuple[Any, float]:
    """Return the predictions of a fit and its seconds; raise FitLimit if it takes too long."""
    signal.signal(signal.SIGPROF, _stop)
    signal.setitimer(signal.ITIMER_PROF, FIT_LIMIT)
    begin = time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            predict = fit(held, K)
        return predict, time.process_time() - begin
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def sample_losses(P: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the cross-entropy of each sample in nats."""
    return -np.log(np.maximum(P[np.arange(len(y)), y], FLOOR))


def data(name: str) -> tuple[Any, np.ndarray]:
    """Return at most `ROWS` samples of a problem, without its rarest classes."""
    loads = {problem.name: problem.load for problem in problems()}
    X, y = (loads | {"flights_destination": flights_destination})[name]()
    chosen = np.random.default_rng(0).permutation(len(y))[:ROWS]
    chosen = chosen[np.bincount(y[chosen], minlength=y.max() + 1)[y[chosen]] >= FEWEST]
    return X[chosen], np.unique(y[chosen], return_inverse=True)[1]


def scores_of(learner: str, X: Any, y: np.ndarray, floor: float) -> tuple[Scores, Scores]:
    """Train on a third; return the predictions for the thirds that calibrate and test.

    Probabilities below `floor` are raised to it.
    """
    X, X_rest, y, y_rest = train_test_split(X, y, test_size=2 / 3, stratify=y, random_state=0)
    thirds = train_test_split(X_rest, y_rest, test_size=0.5, stratify=y_rest, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        clf = LEARNERS[learner](sp.issparse(X), len(np.unique(y))).fit(X, y)
    logits = not hasattr(clf, "predict_proba")
    predict = clf.decision_function if logits else clf.predict_proba
    held, test = (predict(part) for part in thirds[:2])
    if floor and not logits:
        held, test = (np.maximum(P, floor) for P in (held, test))
        held, test = (P / P.sum(axis=1, keepdims=True) for P in (held, test))
    return Scores(held, thirds[2], logits), Scores(test, thirds[3], logits)


def losses_of(held: Scores, test: Scores, K: int) -> dict[str, np.ndarray]:
    """Return the test losses of each method that ends in time."""
    found = {"before": sample_losses(test.probabilities, test.y)}
    for name, fit in METHODS.items():
        try:
            predict, _ = limited(fit, held, K)
        except FitLimit:
            continue
        except Exception as error:  # the table shall name it, and have the other methods
            print(f"<!-- {name}: {type(error).__name__}, {error} -->")
            continue
        found[name] = sample_losses(predict(test), test.y)
    return found


def best(found: dict[str, np.ndarray], names: tuple[str, ...]) -> str:
    """Return the method of the smallest test loss."""
    return min((name for name in names if name in found), key=lambda name: found[name].mean())


def interval(difference: np.ndarray) -> tuple[float, float, float]:
    """Return the mean of paired differences, and its 95 % interval."""
    mean, half = difference.mean(), 1.96 * difference.std(ddof=1) / np.sqrt(len(difference))
    return float(mean), float(mean - half), float(mean + half)


def rounds(places: list[int]) -> Iterator[tuple[str, str]]:
    """The first classifier of each problem, then the second of each, and so on."""
    for place in places:
        for name, learners in CASES.items():
            if place < len(learners):
                yield name, learners[place]


def compare_losses(settings: argparse.Namespace) -> None:
    """Print the table of test losses, and how often the best of ours is better or worse."""
    columns = [
        "problem",
        "scores",
        "K",
        "test n",
        "before",
        *METHODS,
        "ours",
        "theirs",
        "ours - theirs",
    ]
    print("| " + " | ".join(columns) + " |\n" + "|---" * len(columns) + "|")
    begin, rows, missed = time.perf_counter(), [], []
    for name, learner in rounds(settings.rounds):
        if settings.only not in f"{name} {learner}":
            continue
        if time.perf_counter() - begin > 60 * settings.minutes:
            missed.append(f"{name} {learner}")
            continue
        X, y = data(name)
        held, test = scores_of(learner, X, y, settings.floor)
        found = losses_of(held, test, K := int(y.max()) + 1)
        our, their = best(found, OURS), best(found, OTHERS)
        difference = interval(found[our] - found[their])
        excess = interval(found["matrix"] - found["temperature"]) if "matrix" in found else None
        rows.append((f"{name} {learner}", difference, excess))
        cells = [name, learner, str(K), str(len(test.y))]
        cells += [f"{found[m].mean():.4f}" if m in found else "-" for m in ("before", *METHODS)]
        cells += [our, their, "{:+.4f} ({:+.4f} to {:+.4f})".format(*difference)]
        print("| " + " | ".join(cells) + " |", flush=True)
    summarise(rows, missed)


def summarise(rows: list[tuple[str, Any, Any]], missed: list[str]) -> None:
    """Print the counts of differences beyond their intervals, and what was not run."""
    better = [name for name, (_, _, high), _ in rows if high < 0]
    worse = [name for name, (_, low, _), _ in rows if low > 0]
    print(f"\nbest of ours better beyond the interval: {len(better)} of {len(rows)}: {better}")
    print(f"best of ours worse beyond the interval: {len(worse)}: {worse}")
    print(f"smaller test loss: {sum(mean < 0 for _, (mean, _, _), _ in rows)} of {len(rows)}")
    above = [
        (name, "{:+.4f} ({:+.4f} to {:+.4f})".format(*excess))
        for name, _, excess in rows
        if excess is not None and excess[0] > 1e-3
    ]
    print(f"matrix worse than temperature by more than 0.001 nats: {above}")
    print(f"matrix over the limit: {[name for name, _, excess in rows if excess is None]}")
    print(f"not run, out of time: {missed}")


def generated_scores(n: int, K: int) -> Scores:
    """Return logits twice too large, and classes drawn from their halves."""
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(n, K))
    y = (Z + rng.gumbel(size=Z.shape)).argmax(axis=1)
    y[:K] = np.arange(K)[: len(y)]
    Z *= 2
    return Scores(Z[:, 1] - Z[:, 0] if K == 2 else Z, y, logits=True)


def seconds_of(fit: Callable[[Scores, int], Any], held: Scores, K: int) -> float:
    """Return the seconds of a fit, infinite if it takes too long."""
    try:
        first = limited(fit, held, K)[1]
        more = [limited(fit, held, K)[1] for _ in range(2)] if first < 0.5 else []
    except FitLimit:
        return np.inf
    except Exception as error:  # the table shall have the other methods
        print(f"<!-- {type(error).__name__}, {str(error)[:100]} -->")
        return np.nan
    return statistics.median([first, *more])


def compare_seconds(minutes: float) -> None:
    """Print the table of seconds."""
    columns = ["K", "n", *METHODS]
    print("| " + " | ".join(columns) + " |\n" + "|---" * len(columns) + "|")
    begin = time.perf_counter()
    for K in CLASSES:
        over: set[str] = set()
        for n in SIZES:
            if n * K > LARGEST or time.perf_counter() - begin > 60 * minutes:
                continue
            held = generated_scores(n, K)
            cells = []
            for name, fit in (METHODS | RAW).items():
                seconds = np.inf if name in over else seconds_of(fit, held, K)
                if seconds == np.inf:
                    over.add(name)
                cells.append(f"> {FIT_LIMIT:.0f}" if seconds == np.inf else f"{seconds:.2g}")
            print("| " + " | ".join([str(K), f"{n:,}", *cells]) + " |", flush=True)


def main() -> None:
    """Compare the methods."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("losses", "seconds"))
    parser.add_argument("--minutes", type=float, default=np.inf, help="begin nothing after these")
    parser.add_argument("--only", default="", help="text in problem and classifier")
    parser.add_argument("--floor", type=float, default=0.0, help="raise smaller probabilities")
    parser.add_argument("--rounds", type=int, nargs="+", default=[0, 1, 2])
    settings = parser.parse_args()
    if settings.what == "losses":
        compare_losses(settings)
    else:
        compare_seconds(settings.minutes)


if __name__ == "__main__":
    main()
