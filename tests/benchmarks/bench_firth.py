"""Bias and coverage of Firth's estimate near separation, beside a ridge penalty, by simulation.

Classes depend on a normal feature and on a rare one of zeros and ones, which separates classes in
many draws. Of each coefficient the bias, the root of the mean squared error and the coverage of
95 % intervals are printed. The ridge penalty has C = 1, and its intervals are posterior intervals.
A coverage of 95 % is known to a standard error of 0.7 from a thousand draws.
Run ``python tests/benchmarks/bench_firth.py``.
"""

from __future__ import annotations

import argparse
import warnings
from collections import defaultdict

import numpy as np
from scipy.special import softmax

from skxent import FirthClassifier, InferenceWarning, SoftmaxClassifier, infer

# Contrasts with the first class: the normal feature, the rare feature, the intercept.
TRUTH = np.array([[1.0, 2.0, -0.5], [-0.5, 1.5, -0.5]])
RARE = 0.15  # frequency of the rare feature


def draw(rng: np.random.Generator, n: int, K: int) -> tuple[np.ndarray, np.ndarray]:
    """Samples and labels; each class has two samples at least."""
    while True:
        X = np.column_stack([rng.normal(size=n), rng.random(n) < RARE]).astype(float)
        W = np.vstack([np.zeros(3), TRUTH[: K - 1]])
        P = softmax(X @ W[:, :2].T + W[:, 2], axis=1).cumsum(axis=1)
        y = (rng.random((n, 1)) > P[:, :-1]).sum(axis=1)
        if np.bincount(y, minlength=K).min() > 1 and X[:, 1].any():
            return X, y


def is_separated(X: np.ndarray, y: np.ndarray) -> bool:
    """Whether the likelihood has no finite maximum."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return not SoftmaxClassifier(C=np.inf, n_jobs=1).fit(X, y).converged_


def simulate(n: int, K: int, draws: int) -> tuple[float, dict[str, np.ndarray], dict]:
    """Share of separated draws, errors by estimator, and coverage by kind of interval."""
    rng = np.random.default_rng([n, K])
    truth, separated = TRUTH[: K - 1], 0
    errors, covered = defaultdict(list), defaultdict(list)
    for _ in range(draws):
        X, y = draw(rng, n, K)
        separated += is_separated(X, y)
        firth = infer(FirthClassifier().fit(X, y), X, y)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", InferenceWarning)
            ridge = infer(SoftmaxClassifier(n_jobs=1).fit(X, y), X, y)
        intervals = {
            "Firth, profile": firth.confint(method="profile"),
            "Firth, Wald": firth.confint(),
            "ridge, C = 1": ridge.confint(),
        }
        for name, ends in intervals.items():
            covered[name].append((ends[..., 0] <= truth) & (truth <= ends[..., 1]))
        errors["Firth"].append(firth.coef - truth)
        errors["ridge, C = 1"].append(ridge.coef - truth)
    return separated / draws, dict(errors), dict(covered)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=1000)
    draws = parser.parse_args().draws
    for n in (50, 100):
        for K in (2, 3):
            share, errors, covered = simulate(n, K, draws)
            print(f"\nn = {n}, K = {K}: {100 * share:.0f} % of the draws are separated")
            print(f"  truth            {TRUTH[: K - 1].ravel()}")
            for name, values in errors.items():
                print(f"  bias, {name:15}{np.mean(values, axis=0).ravel().round(2)}")
                root = np.sqrt(np.mean(np.square(values), axis=0)).ravel()
                print(f"  rmse, {name:15}{root.round(2)}")
            for name, values in covered.items():
                print(f"  coverage, {name:15}{100 * np.mean(values, axis=0).ravel().round(3)}")


if __name__ == "__main__":
    main()
