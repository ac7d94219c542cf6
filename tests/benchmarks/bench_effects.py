"""Time of marginal effects with standard errors, at n = 100,000, K = 5, d = 50.

Three ways are timed in turns: the formula with a derivative for each sample, feature and parameter
(here, one product of matrices for each class), `marginal_effects` with slopes, and the same if all
features are zeros and ones. Medians are printed, and of statsmodels a single time for fewer
samples. Run ``OPENBLAS_NUM_THREADS=1 python tests/benchmarks/bench_effects.py``.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import statsmodels.api as sm
from scipy.special import softmax

from skxent import LikelihoodInference, SoftmaxClassifier, infer


def inference(n: int, K: int, d: int, binary: bool) -> tuple[LikelihoodInference, np.ndarray]:
    """Inference from drawn samples, and their labels."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, d))
    X = (X > 0).astype(float) if binary else X
    y = (X @ rng.normal(scale=0.3, size=(d, K)) + rng.gumbel(size=(n, K))).argmax(axis=1)
    return infer(SoftmaxClassifier(C=np.inf).fit(X, y), X, y), y


def by_sample(result: LikelihoodInference) -> tuple[np.ndarray, np.ndarray]:
    """Slopes and errors from the derivatives of the effects of every sample."""
    at = result._estimate
    (K, p), d = at.theta.shape, len(at.mean)
    W, free, j = at.theta[:, :d], np.arange(K)[at.free], np.arange(d)
    effects, slope = np.zeros((K, d)), np.zeros((K, d, K - 1, p))
    for _, x in at.batches(at.data.X, 3 * K * p):
        P = softmax(x @ at.theta.T, axis=1)
        D = W - (P @ W)[:, None, :]
        others = (P[:, free, None] * D[:, free]).reshape(len(x), -1)
        for k in range(K):
            moved = (free == k) - P[:, free]
            effect = P[:, k, None] * D[:, k]
            effects[k] += effect.sum(axis=0)
            change = (moved[:, :, None] * effect[:, None, :]).reshape(len(x), -1).T @ x
            change -= others.T @ (P[:, k, None] * x)
            slope[k] += change.reshape(K - 1, d, p).swapaxes(0, 1)
            slope[k, j, :, j] += P[:, k] @ moved
    slope = slope.reshape(K, d, -1)
    variance = ((slope @ at.covariance) * slope).sum(axis=2)
    n = at.data.X.shape[0]
    return effects / n, np.sqrt(variance) / n


def seconds(function: Callable[[], Any]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def main() -> None:
    """Print medians of times and the largest difference of the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=100_000)
    parser.add_argument("--repeat", type=int, default=7)
    options = parser.parse_args()
    K, d = 5, 50
    slopes, _ = inference(options.n, K, d, binary=False)
    differences, _ = inference(options.n, K, d, binary=True)
    found, (effects, errors) = slopes.marginal_effects(), by_sample(slopes)
    print(
        f"largest differences: effects {np.abs(found.estimate - effects).max():.1e}, "
        f"errors {np.abs(found.standard_errors / errors - 1).max():.1e} relative"
    )
    ways = {
        "derivatives of every sample": lambda: by_sample(slopes),
        "marginal_effects, slopes": slopes.marginal_effects,
        "marginal_effects, differences": differences.marginal_effects,
    }
    times = np.array([[seconds(way) for way in ways.values()] for _ in range(options.repeat)])
    for name, column in zip(ways, times.T, strict=True):
        ratio = np.median(times[:, 0] / column)
        print(f"{name:31s} {1e3 * np.median(column):8.1f} ms, {ratio:5.1f} times faster")
    n = options.n // 50
    small, y = inference(n, K, d, binary=False)
    model = sm.MNLogit(y, np.column_stack([small._estimate.data.X, np.ones(n)]))
    oracle = model.fit(method="newton", disp=False)
    theirs, ours = seconds(oracle.get_margeff), seconds(small.marginal_effects)
    print(f"{n} samples: statsmodels {1e3 * theirs:.0f} ms, marginal_effects {1e3 * ours:.1f} ms")


if __name__ == "__main__":
    main()
