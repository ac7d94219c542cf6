"""Time and peak memory of categorical_cross_entropy against sklearn.metrics.log_loss.

A second table compares two classes in one column (binary_cross_entropy) and in two columns.

Both check the range, the row sums, finiteness and labels. The two take turns, so that other load on
the machine hits both; medians of wall time are printed, and the ratio of medians.

    python tests/benchmarks/bench_losses.py
"""

from __future__ import annotations

import time
import tracemalloc
from functools import partial

import numpy as np
from sklearn.metrics import log_loss

from skxent.metrics import binary_cross_entropy, categorical_cross_entropy

SHAPES = [(100, 3), (1_000_000, 2), (1_000_000, 10), (100_000, 1000)]


def problem(n, n_classes, seed=0):
    """Labels and probabilities, a row sum within rounding of 1."""
    rng = np.random.default_rng(seed)
    P = rng.random((n, n_classes))
    P /= P.sum(axis=1, keepdims=True)
    y = rng.integers(n_classes, size=n)
    y[:n_classes] = np.arange(n_classes)
    return y, P


def seconds(function, *args):
    """Wall time of one call."""
    start = time.perf_counter()
    function(*args)
    return time.perf_counter() - start


def peak(function, *args):
    """Most bytes allocated during one call."""
    tracemalloc.start()
    function(*args)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def row(name, y, P, repeats):
    """One line of the table: both functions on the same input, in turns."""
    ours, theirs = categorical_cross_entropy, log_loss
    difference = abs(ours(y, P) - theirs(y, P))
    pairs = [(seconds(ours, y, P), seconds(theirs, y, P)) for _ in range(repeats)]
    fast, slow = np.median(pairs, axis=0)
    small, large = peak(ours, y, P), peak(theirs, y, P)
    return (
        f"{name:28} {fast * 1e3:10.3f} {slow * 1e3:10.3f} {slow / fast:7.1f}"
        f" {small / 2**20:10.2f} {large / 2**20:10.2f} {small / large:8.4f} {difference:9.1e}"
    )


def two_classes(n=1_000_000, repeats=11):
    """Lines of the table of two classes: one column of numbers beside two, in turns."""
    y, P = problem(n, 2)
    Z = np.log(P)
    one, two = binary_cross_entropy, categorical_cross_entropy
    for name, column, columns, options in (
        ("probabilities", P[:, 1].copy(), P, {}),
        ("logits", Z[:, 1] - Z[:, 0], Z, {"from_logits": True}),
    ):
        calls = partial(one, y, column, **options), partial(two, y, columns, **options)
        pairs = [[seconds(call) for call in calls] for _ in range(repeats)]
        fast, slow = np.median(pairs, axis=0)
        yield f"{name:28} {fast * 1e3:10.3f} {slow * 1e3:10.3f} {fast / slow:7.2f}"


def main():
    """Print the tables."""
    print(
        f"{'labels, shape':28} {'skxent ms':>10} {'sklearn ms':>10} {'ratio':>7}"
        f" {'skxent MB':>10} {'sklearn MB':>10} {'memory':>8} {'|diff|':>9}"
    )
    for n, n_classes in SHAPES:
        y, P = problem(n, n_classes)
        repeats = 200 if n <= 1000 else 5 if n_classes == 1000 else 9
        print(row(f"int, ({n}, {n_classes})", y, P, repeats), flush=True)
        if n_classes == 10:
            print(row(f"float, ({n}, {n_classes})", y.astype(float), P, 5), flush=True)
            names = np.array([f"class {k}" for k in range(n_classes)])
            print(row(f"str, ({n}, {n_classes})", names[y], P, 3), flush=True)
            text = names.astype(object)[y]
            print(row(f"object, ({n}, {n_classes})", text, P, 3), flush=True)
    print(f"\n{'two classes, 1e6 samples':28} {'(n,) ms':>10} {'(n, 2) ms':>10} {'ratio':>7}")
    for line in two_classes():
        print(line, flush=True)


if __name__ == "__main__":
    main()
