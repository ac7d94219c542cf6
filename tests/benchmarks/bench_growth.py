"""How time grows with rows, features, classes and non-zeros, with exponents by least squares.

Run ``python tests/benchmarks/bench_growth.py``, or ``--quick`` for small sizes. It prints tables in
markdown, those of the documentation. A fit takes one thread, and the time is processor time, the
least of three fits. An exponent b is that of seconds = a * size^b, fitted to the logarithms over
the larger sizes of a sweep, with its standard error: small fits take a constant time, that of their
calls.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.sparse
from problems import generated

from skxent import SoftmaxClassifier

Samples = tuple[Any, np.ndarray]
TURNS = 3


def dense(n: int, d: int, K: int) -> Samples:
    """Float32 samples of a linear model, generated block by block, so that they fit in memory."""
    size = 100_000
    rng = np.random.default_rng(0)
    W, a = 3.0 * rng.standard_normal((d, K)) / np.sqrt(d), rng.standard_normal(K)
    X, y = np.empty((n, d), dtype=np.float32), np.empty(n, dtype=np.int64)
    for start in range(0, n, size):
        x = rng.standard_normal((min(size, n - start), d))
        X[start : start + size] = x
        y[start : start + size] = (x @ W + a + rng.gumbel(size=(len(x), K))).argmax(axis=1)
    return X, y


def many_classes(n: int, d: int, K: int) -> Samples:
    """Float64 samples of `problems.generated`."""
    return generated(n, d, K)


def sparse(n: int, d: int, per_row: int) -> Samples:
    """Rows with `per_row` non-zeros in columns drawn by a power law, and two classes."""
    rng = np.random.default_rng(0)
    columns = (d * rng.random((n, per_row)) ** 2).astype(np.int32)
    X = scipy.sparse.csr_array(
        (np.ones(columns.size), columns.ravel(), np.arange(n + 1) * per_row), shape=(n, d)
    )
    X.sum_duplicates()
    z = X @ rng.standard_normal(d) / np.sqrt(per_row)
    return X, (z + rng.logistic(size=n) > 0).astype(np.int64)


# Sweep: what makes the samples, their shapes, which number of a shape grows, and from which size
# on the exponent is fitted.
Sweep = tuple[Callable[[int, int, int], Samples], Sequence[tuple[int, int, int]], int, int]
SWEEPS: dict[str, Sweep] = {
    "rows, 20 features, 2 classes": (
        dense,
        [(int(n), 20, 2) for n in (1e4, 3e4, 1e5, 3e5, 1e6, 3e6, 1e7)],
        0,
        100_000,
    ),
    "rows, 20 features, 10 classes": (
        dense,
        [(int(n), 20, 10) for n in (1e4, 3e4, 1e5, 3e5, 1e6, 3e6)],
        0,
        30_000,
    ),
    "features, 20,000 rows, 3 classes": (
        many_classes,
        [(20_000, d, 3) for d in (10, 30, 100, 300, 1000, 2000)],
        1,
        30,
    ),
    "classes, 20,000 rows, 20 features": (
        many_classes,
        [(20_000, 20, K) for K in (2, 4, 10, 30, 100, 300, 1000, 2000, 5000)],
        2,
        10,
    ),
    "non-zeros of a sparse row, 100,000 rows, 20,000 columns": (
        sparse,
        [(100_000, 20_000, m) for m in (3, 10, 30, 100, 300)],
        2,
        10,
    ),
    "sparse rows, 30 non-zeros, 20,000 columns": (
        sparse,
        [(n, 20_000, 30) for n in (10_000, 30_000, 100_000, 300_000, 1_000_000)],
        0,
        30_000,
    ),
}


def exponent(sizes: np.ndarray, seconds: np.ndarray) -> str:
    """The slope of the logarithms by least squares, with its standard error."""
    x, y = np.log(sizes) - np.log(sizes).mean(), np.log(seconds)
    slope = x @ y / (x @ x)
    residual = y - y.mean() - slope * x
    error = np.sqrt(residual @ residual / max(len(x) - 2, 1) / (x @ x))
    return f"{slope:.2f} ± {error:.2f}"


def measured(shape: tuple[int, int, int], make: Callable[..., Samples]) -> tuple[float, float]:
    """Seconds of the fastest of some fits, and passes."""
    X, y = make(*shape)
    seconds, begun = [], time.process_time()
    while len(seconds) < TURNS and (not seconds or time.process_time() - begun < 5):
        begin = time.process_time()
        clf = SoftmaxClassifier(n_jobs=1).fit(X, y)
        seconds.append(time.process_time() - begin)
    assert clf.converged_
    return min(seconds), clf.n_passes_


def main() -> None:
    """Run the sweeps whose name contains the argument, and print their tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    summary = []
    for name, (make, shapes, i, least) in SWEEPS.items():
        if arguments.only not in name:
            continue
        print(f"\n| {name} | seconds | passes | seconds per pass |\n|---|---|---|---|")
        table = []
        for shape in shapes[: -(-len(shapes) // 2)] if arguments.quick else shapes:
            seconds, passes = measured(shape, make)
            table.append((shape[i], seconds, seconds / passes))
            print(
                f"| {shape[i]:,} | {seconds:.3g} | {passes:.0f} | {seconds / passes:.2g} |",
                flush=True,
            )
        size, seconds, per_pass = np.array([row for row in table if row[0] >= least]).T
        summary.append((name, least, exponent(size, seconds), exponent(size, per_pass)))
    print("\n| what grows | from | exponent of seconds | of seconds per pass |\n|---|---|---|---|")
    for name, least, whole, per_pass in summary:
        print(f"| {name} | {least:,} | {whole} | {per_pass} |")


if __name__ == "__main__":
    main()
