"""Cost of one pass: value and gradient on all rows, against scikit-learn's own and the products.

Run ``python tests/benchmarks/bench_pass.py``. Both sides use the same two threads, in turn; ratios
are medians over turns. The two matrix products alone are those that any gradient needs. This
script, and nothing in the package, calls private functions of scikit-learn.
"""

from __future__ import annotations

import statistics
import time

import numpy as np
from sklearn._loss import HalfBinomialLoss, HalfMultinomialLoss
from sklearn.linear_model._linear_loss import LinearModelLoss

from skxent.likelihood.objective import Objective
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import compute_moments
from skxent.likelihood.sources.thread_limits import effective_threads, one_blas_thread

SHAPES = (
    (1_000_000, 20, 2),
    (300_000, 100, 2),
    (300_000, 20, 3),
    (300_000, 20, 10),
    (100_000, 100, 10),
    (20_000, 784, 10),
    (50_000, 50, 200),
)
TURNS = 11


def compare(n: int, d: int, K: int, dtype: type) -> str:
    """One line: milliseconds of each, and the two ratios."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d)).astype(dtype)
    y = rng.integers(0, K, n)
    n_threads = effective_threads(None)
    data = LocalRows(X, y, None, K, True, n_threads)
    moments = compute_moments(data)
    objective = Objective(data, moments, Penalty(1.0), moments.mean)
    theta = 0.3 * rng.standard_normal(objective.shape)
    loss = HalfBinomialLoss() if K == 2 else HalfMultinomialLoss(n_classes=K)
    theirs = LinearModelLoss(base_loss=loss, fit_intercept=True)
    parameters = np.asfortranarray(theta.astype(dtype)).ravel(order="F")
    targets = y.astype(dtype)
    W = np.ascontiguousarray(theta[:, :-1]).astype(dtype)

    def ours() -> None:
        with one_blas_thread():
            objective(theta)

    sides = {
        "skxent": ours,
        "sklearn": lambda: theirs.loss_gradient(parameters, X, targets, None, 1.0, n_threads),
        "products": lambda: (X @ W.T).T @ X,
    }
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(TURNS):
        for name, run in sides.items():
            begin = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - begin)
    objective.close()

    def ratio(a: str, b: str) -> float:
        return statistics.median(x / y for x, y in zip(seconds[a][1:], seconds[b][1:], strict=True))

    shown = "  ".join(f"{k} {1e3 * statistics.median(v):7.1f} ms" for k, v in seconds.items())
    return (
        f"{np.dtype(dtype).name}  {n:>8d} x {d:<4d} K {K:<4d} {shown}  "
        f"sklearn/skxent {ratio('sklearn', 'skxent'):.2f}  "
        f"skxent/products {ratio('skxent', 'products'):.2f}"
    )


if __name__ == "__main__":
    for dtype in (np.float64, np.float32):
        for shape in SHAPES:
            print(compare(*shape, dtype), flush=True)
