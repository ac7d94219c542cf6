"""Leave-one-out from one fit against n fits, and the time to choose C against LogisticRegressionCV.

The first table has the mean loss of samples left out by `SoftmaxClassifierCV` and by as many fits
as there are samples, on its default grid: the largest relative difference, and both choices. The
second times it against 5-fold `LogisticRegressionCV` on the same grid, in turns, with as many
threads as each takes by itself, and with one; there also with the rival at the same distance from
its minimum.

    python tests/benchmarks/bench_leave_one_out.py
"""

from __future__ import annotations

import time
import warnings

import numpy as np
from problems import generated
from sklearn import datasets
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegressionCV
from threadpoolctl import threadpool_limits

from skxent import SoftmaxClassifier, SoftmaxClassifierCV, categorical_cross_entropy

CAP = -np.log(np.finfo(float).eps)
REPEATS = 3


def problems():
    """Small sets, raw."""
    for name in ("iris", "wine", "breast_cancer"):
        yield name, *getattr(datasets, f"load_{name}")(return_X_y=True)
    X, y = datasets.load_digits(return_X_y=True)
    rows = np.random.default_rng(0).permutation(len(y))[:250]
    yield "digits, 250 of them", X[rows], y[rows]
    yield "100 x 1000, generated", *generated(100, 1000, 3)


def exact(X, y, C):
    """Loss of each sample in a fit without it."""
    n, losses = len(y), np.empty(len(y))
    clf = SoftmaxClassifier(C, tol=1e-10, warm_start=True).fit(X, y)
    for i in range(n):
        keep = np.arange(n) != i
        Z = clf.fit(X[keep], y[keep]).decision_function(X[[i]])
        losses[i] = categorical_cross_entropy(y[[i]], Z, from_logits=True, labels=clf.classes_)
    return np.minimum(losses, CAP)


def accuracy():
    """Print the first table."""
    print(f"{'data':24} {'difference':>10} {'at C':>8} {'C':>8} {'exact C':>8} {'s':>7} {'s':>7}")
    for name, X, y in problems():
        begin = time.perf_counter()
        clf = SoftmaxClassifierCV().fit(X, y)
        middle = time.perf_counter()
        truth = np.array([exact(X, y, C).mean() for C in clf.Cs_])
        end = time.perf_counter()
        difference = clf.loo_loss_ / truth - 1
        worst = np.abs(difference).argmax()
        print(
            f"{name:24} {difference[worst]:+10.2%} {clf.Cs_[worst]:8.1e} {clf.C_:8.1e} "
            f"{clf.Cs_[truth.argmin()]:8.1e} {middle - begin:7.2f} {end - middle:7.2f}",
            flush=True,
        )


def seconds(make, X, y, threads=None):
    """Wall time of a fit, and the C that it chose."""
    with threadpool_limits(threads), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", FutureWarning)
        begin = time.perf_counter()
        clf = make().fit(X, y)
        return time.perf_counter() - begin, float(np.ravel(clf.C_)[0])


def rival(**settings):
    """LogisticRegressionCV on the same grid, by the same measure."""
    return LogisticRegressionCV(Cs=10, cv=5, scoring="neg_log_loss", **settings)


def speed():
    """Print the second table."""
    print(f"\n{'20,000 x 50, 3 classes':40} {'ours, s':>8} {'theirs':>8} {'ratio':>7} {'C':>17}")
    for name, raw, threads, settings in (
        ("as they are generated", False, None, {}),
        ("as they are generated, one thread", False, 1, {}),
        ("the same, tol=1e-8 for the rival", False, 1, {"tol": 1e-8, "max_iter": 1000}),
        ("columns scaled and shifted", True, None, {}),
        ("columns scaled and shifted, one thread", True, 1, {}),
    ):
        X, y = generated(20_000, 50, 3, raw=raw)
        runs = []
        for _ in range(REPEATS):
            ours, C = seconds(SoftmaxClassifierCV, X, y, threads)
            theirs, other = seconds(lambda s=settings: rival(**s), X, y, threads)
            runs.append((ours, theirs, theirs / ours))
        a, b, ratio = np.median(runs, axis=0)
        print(f"{name:40} {a:8.2f} {b:8.2f} {ratio:7.1f} {C:8.1e} {other:8.1e}", flush=True)


if __name__ == "__main__":
    accuracy()
    speed()
