"""Leave-one-out from one fit against n fits, and the time to choose C against LogisticRegressionCV.

The first table has the mean loss of samples left out by `SoftmaxClassifierCV` and by as many fits
as there are samples, on its default grid: the largest relative difference with refits, the largest
one without, and both choices. The
second times it against 5-fold `LogisticRegressionCV` on the same grid, in turns, with as many
threads as each takes by itself, and with one; there also with the rival at the same distance from
its minimum. It has wall time and processor time, because other processes may use the cores.

    python tests/benchmarks/bench_leave_one_out.py [accuracy | speed | correlated]
"""

from __future__ import annotations

import sys
import time
import warnings
from unittest import mock

import numpy as np
from problems import generated
from sklearn import datasets
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegressionCV
from threadpoolctl import threadpool_limits

from skxent import SoftmaxClassifier, SoftmaxClassifierCV, categorical_cross_entropy
from skxent.inference import leave_one_out

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
    print(
        f"{'data':24} {'difference':>10} {'at C':>8} {'no refits':>10} {'at C':>8} {'C':>8} "
        f"{'exact C':>8} {'s':>7} {'s':>7}"
    )
    for name, X, y in problems():
        with mock.patch.object(leave_one_out, "REFITS", 0):
            steps = SoftmaxClassifierCV().fit(X, y)
        begin = time.perf_counter()
        clf = SoftmaxClassifierCV().fit(X, y)
        middle = time.perf_counter()
        truth = np.array([exact(X, y, C).mean() for C in clf.Cs_])
        end = time.perf_counter()
        errors = []
        for found in (clf, steps):
            difference = found.loo_loss_ / truth - 1
            worst = np.abs(difference).argmax()
            errors.append(f"{difference[worst]:+10.2%} {found.Cs_[worst]:8.1e}")
        print(
            f"{name:24} {' '.join(errors)} {clf.C_:8.1e} "
            f"{clf.Cs_[truth.argmin()]:8.1e} {middle - begin:7.2f} {end - middle:7.2f}",
            flush=True,
        )


def correlated():
    """20,000 samples of 50 correlated normal features, standardised, and three classes."""
    rng = np.random.default_rng(0)
    mixing = 0.7 * rng.normal(size=(50, 50)) / np.sqrt(50) + 0.5 * np.eye(50)
    X = rng.normal(size=(20_000, 50)) @ mixing
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    Z = X @ rng.normal(scale=0.3, size=(50, 3)) + rng.normal(scale=0.3, size=3)
    return X, (Z + rng.gumbel(size=Z.shape)).argmax(axis=1)


def seconds(make, X, y, threads=None):
    """Wall time and processor time of a fit, and the C that it chose."""
    with threadpool_limits(threads), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", FutureWarning)
        begin, used = time.perf_counter(), time.process_time()
        clf = make().fit(X, y)
        took = time.perf_counter() - begin, time.process_time() - used
        return *took, float(np.ravel(clf.C_)[0])


def rival(**settings):
    """LogisticRegressionCV on the same grid, by the same measure."""
    return LogisticRegressionCV(Cs=10, cv=5, scoring="neg_log_loss", **settings)


def problems_of_speed():
    """Name, samples, threads and settings of the rival."""
    for raw, form in ((False, "as they are generated"), (True, "columns scaled and shifted")):
        X, y = generated(20_000, 50, 3, raw=raw)
        yield form, X, y, None, {}
        yield f"{form}, one thread", X, y, 1, {}
        if not raw:
            settings = {"tol": 1e-8, "max_iter": 1000}
            yield "the same, tol=1e-8 for the rival", X, y, 1, settings


def speed(problems, repeats=REPEATS):
    """Print the second table: medians of paired runs."""
    print(
        f"\n{'20,000 x 50, 3 classes':40} {'':>6} {'ours':>8} {'theirs':>8} {'ratio':>7} {'C':>17}"
    )
    for name, X, y, threads, settings in problems:
        runs = []
        for _ in range(repeats):
            *ours, C = seconds(SoftmaxClassifierCV, X, y, threads)
            *theirs, other = seconds(lambda s=settings: rival(**s), X, y, threads)
            runs.append([(a, b, b / a) for a, b in zip(ours, theirs, strict=True)])
        for clock, row in zip(("wall", "CPU"), np.median(runs, axis=0), strict=True):
            a, b, ratio = row
            print(
                f"{name:40} {clock:>6} {a:8.2f} {b:8.2f} {ratio:7.1f} {C:8.1e} {other:8.1e}",
                flush=True,
            )


if __name__ == "__main__":
    wanted = sys.argv[1:] or ["accuracy", "speed", "correlated"]
    if "accuracy" in wanted:
        accuracy()
    if "speed" in wanted:
        speed(problems_of_speed())
    if "correlated" in wanted:
        X, y = correlated()
        speed([("correlated, standardised, one thread", X, y, 1, {})], repeats=7)
