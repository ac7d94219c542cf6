"""How often intervals hold the truth, and how often tests find a difference where there is none.

Seeded simulations through the public functions: each line draws samples afresh, many times. At a
level of 95 % an interval shall hold the true mean 93 to 97 times of 100, and a test at 5 % find a
difference between equals 3 to 7 times of 100. Lines that are known to miss are there to be seen.

    python tests/benchmarks/bench_intervals.py
"""

from __future__ import annotations

import time
import warnings

import numpy as np
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import RepeatedStratifiedKFold

from skxent import compare, compare_cv, decompose_cross_entropy, mean_loss_interval

N = 500
GROUPS = np.repeat(np.arange(50), N // 50)


# ------------------------------------------------------------------ means


def exponential(rng):
    """Losses of an exponential distribution."""
    return rng.exponential(size=N), {}


def bernoulli(rng, slope):
    """Losses of predictions whose logits are `slope` times the true ones."""
    z = rng.normal(scale=2.0, size=N)
    y = rng.random(N) < expit(z)
    return np.logaddexp(0.0, np.where(y, -slope * z, slope * z)), {}


def log_normal(rng, sigma):
    """Losses of a log-normal distribution."""
    return rng.lognormal(sigma=sigma, size=N), {}


def disasters(rng):
    """One loss in 200 is that of a class that was ruled out, the others are exponential."""
    return np.where(rng.random(N) < 0.005, 36.04, rng.exponential(size=N)), {}


def weighted(rng):
    """Losses with importances that are no counts; half of the samples weigh five times as much."""
    return rng.exponential(size=N), {"sample_weight": rng.choice([0.5, 2.5], size=N)}


def clustered(rng, robust=True):
    """Losses of 50 groups of 10, a third of the variance between groups."""
    level = rng.gamma(2.0, 0.5, size=50)[GROUPS]
    return level * rng.exponential(size=N), {"groups": GROUPS} if robust else {}


def unequal_clusters(rng):
    """Losses of 50 groups of 1 to 28 samples."""
    groups = np.repeat(np.arange(50), rng.geometric(0.15, size=50).clip(max=28))
    level = rng.gamma(2.0, 0.5, size=50)[groups]
    return level * rng.exponential(size=len(groups)), {"groups": groups}


def true_mean(draw):
    """Mean loss over many samples."""
    rng = np.random.default_rng(1)
    return np.mean([draw(rng)[0].mean() for _ in range(20_000)])


MEANS = {
    "exponential losses": (exponential, 1.0),
    "calibrated probabilities": (lambda rng: bernoulli(rng, 1.0), None),
    "overconfident probabilities": (lambda rng: bernoulli(rng, 2.0), None),
    "log-normal losses, sigma = 1": (lambda rng: log_normal(rng, 1.0), np.exp(0.5)),
    "importances 0.5 and 2.5": (weighted, 1.0),
    "50 groups of 10, by group": (clustered, 1.0),
    "50 groups of 1 to 28, by group": (unequal_clusters, 1.0),
    "the same groups of 10, ignored": (lambda rng: clustered(rng, robust=False), 1.0),
    "log-normal losses, sigma = 1.5": (lambda rng: log_normal(rng, 1.5), np.exp(1.125)),
    "1 in 200 costs 36 nats": (disasters, 0.995 + 0.005 * 36.04),
}


def misses(draw, mean, rng):
    """Whether the interval is below, and whether it is above the true mean."""
    losses, options = draw(rng)
    found = mean_loss_interval(losses, **options)
    return found.high < mean, found.low > mean


# ------------------------------------------------------------------ differences


def two_views(rng, n=N, between=0.0):
    """Labels, and probabilities by two models, each of which sees the logit through its own noise.

    `between` is the part of the noise that a group shares.
    """
    z = rng.normal(scale=1.5, size=n)
    y = (rng.random(n) < expit(z)).astype(int)
    y[:2] = 0, 1
    noise = np.sqrt(1 - between) * rng.normal(size=(2, n))
    noise += np.sqrt(between) * rng.normal(size=(2, 50))[:, GROUPS[:n]]
    return y, {"one": expit(z + noise[0]), "other": expit(z + noise[1])}


def paired(rng):
    """p-value of the paired test of two such models."""
    y, P = two_views(rng)
    return compare(y, P, baseline="one").p_value[0]


def paired_by_group(rng, robust=True):
    """The same where half of the noise is that of the group."""
    y, P = two_views(rng, between=0.5)
    groups = GROUPS if robust else None
    return compare(y, P, baseline="one", groups=groups).p_value[0]


def several(rng):
    """The least adjusted p-value of four models, all as good as the baseline."""
    z = rng.normal(scale=1.5, size=N)
    y = (rng.random(N) < expit(z)).astype(int)
    P = {str(k): expit(z + rng.normal(size=N)) for k in range(5)}
    return compare(y, P, baseline="0").p_adjusted.min()


# ------------------------------------------------------------------ cross-validation


class Gaussian(ClassifierMixin, BaseEstimator):
    """Linear discriminant analysis of two classes on some columns, in closed form."""

    def __init__(self, columns):
        self.columns = columns

    def fit(self, X, y):
        x, yes = X[:, self.columns], y == 1
        no_mean, yes_mean = x[~yes].mean(axis=0), x[yes].mean(axis=0)
        rest = x - np.where(yes[:, None], yes_mean, no_mean)
        self.coef_ = np.linalg.solve(rest.T @ rest / (len(y) - 2), yes_mean - no_mean)
        odds = np.log(yes.mean() / (1 - yes.mean()))
        self.intercept_ = odds - 0.5 * (no_mean + yes_mean) @ self.coef_
        self.classes_ = np.array([0, 1])
        return self

    def predict_proba(self, X):
        p = expit(X[:, self.columns] @ self.coef_ + self.intercept_)
        return np.column_stack([1 - p, p])


def cross_validated(rng, cv=None, strength=0.75, noise=1, common=False):
    """p-value of one learner against itself, with other columns: views of the class, and noise.

    With `common` both have the same view, and nothing but their noise is their own.
    """
    n = 80
    y = np.arange(n) % 2
    views = strength * (2.0 * y - 1.0)[:, None] + rng.normal(size=(n, 2))
    if common:
        views[:, 1] = views[:, 0]
    X = np.column_stack([views, rng.normal(size=(n, 2 * noise))])
    columns = np.arange(X.shape[1])
    models = {"one": Gaussian(columns[::2]), "other": Gaussian(columns[1::2])}
    return compare_cv(models, X, y, baseline="one", cv=cv).p_value[0]


REPEATED = RepeatedStratifiedKFold(n_splits=5, n_repeats=5, random_state=0)

TESTS = {
    "one test set, n = 500": (paired, 2000),
    "one test set, 50 groups": (paired_by_group, 2000),
    "four models, any of them, Holm": (several, 1000),
    "the same groups, ignored": (lambda rng: paired_by_group(rng, robust=False), 2000),
    "15 splits, own views": (cross_validated, 1000),
    "15 splits, own views, 4 of noise": (lambda rng: cross_validated(rng, noise=4), 1000),
    "5 times 5 folds, own views": (lambda rng: cross_validated(rng, cv=REPEATED), 500),
    "5 folds, own views": (lambda rng: cross_validated(rng, cv=5), 1000),
    "15 splits, own noise only": (lambda rng: cross_validated(rng, common=True), 1000),
}


# ------------------------------------------------------------------ decompositions


def calibrated(rng, n, K):
    """Labels, and the probabilities that they were drawn with."""
    P = rng.dirichlet(np.ones(K), size=n)
    y = (P.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    return y, P


def bias(rng, n, K, repeats=300):
    """Mean miscalibration of predictions without any, by each map, in units of 1 / (2n)."""
    maps = ("isotonic", "scaling") if K == 2 else ("scaling",)
    found = {name: [] for name in maps}
    for _ in range(repeats):
        y, P = calibrated(rng, n, K)
        for name in maps:
            parts = decompose_cross_entropy(y, P, labels=np.arange(K), calibration=name)
            found[name].append(parts.miscalibration)
    return {name: 2 * n * np.mean(values) for name, values in found.items()}


def main():
    """Print the tables."""
    print(f"{'95 % intervals of a mean, n = 500':36} {'hold':>7} {'below':>7} {'above':>7}")
    for name, (draw, mean) in MEANS.items():
        rng, mean = np.random.default_rng(0), true_mean(draw) if mean is None else mean
        below, above = np.mean([misses(draw, mean, rng) for _ in range(2000)], axis=0)
        print(f"{name:36} {1 - below - above:7.1%} {below:7.1%} {above:7.1%}", flush=True)
    print(f"\n{'tests at 5 %, no difference':36} {'found':>7} {'repeats':>8} {'seconds':>8}")
    for name, (test, repeats) in TESTS.items():
        rng, start = np.random.default_rng(0), time.perf_counter()
        found = np.mean([test(rng) < 0.05 for _ in range(repeats)])
        seconds = time.perf_counter() - start
        print(f"{name:36} {found:7.1%} {repeats:8} {seconds:8.1f}", flush=True)
    print(f"\n{'miscalibration of calibrated, × 2n':36} {'isotonic':>9} {'scaling':>9}")
    for n, K in ((100, 2), (1000, 2), (10_000, 2), (100, 5), (1000, 5), (10_000, 5)):
        found = bias(np.random.default_rng(0), n, K)
        cells = " ".join(
            f"{found[name]:9.2f}" if name in found else f"{'-':>9}"
            for name in ("isotonic", "scaling")
        )
        print(f"{f'n = {n}, K = {K}':36} {cells}", flush=True)


if __name__ == "__main__":
    warnings.simplefilter("error")
    main()
