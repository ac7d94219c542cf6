"""Fits of float32 data against fits of the same numbers in float64: time, passes and results.

Run ``python tests/benchmarks/bench_float32.py``. The two fits run in turn, and ratios are medians
over turns. For one thread the time is processor time, for two it is elapsed time.
"""

from __future__ import annotations

import statistics
import time

import numpy as np
from problems import generated

from skxent import SoftmaxClassifier

SHAPES = ((1_000_000, 20, 2), (200_000, 100, 2), (200_000, 100, 10), (200_000, 100, 50))
TURNS = 3


def compare(n: int, d: int, K: int, n_threads: int) -> str:
    """One line: ratios of seconds, of seconds per pass, and how far the optima are apart."""
    X, y = generated(n, d, K)
    narrow = X.astype(np.float32)
    wide = narrow.astype(np.float64)
    clock = time.process_time if n_threads == 1 else time.perf_counter
    seconds: list[tuple[float, float]] = []
    for _ in range(TURNS + 1):  # the first turn is not counted
        fits, taken = [], []
        for data in (wide, narrow):
            begin = clock()
            fits.append(SoftmaxClassifier(n_jobs=n_threads).fit(data, y))
            taken.append(clock() - begin)
        seconds.append((taken[0], taken[1]))
    of_wide, of_narrow = fits
    whole = statistics.median(b / a for a, b in seconds[1:])
    per_pass = whole * of_wide.n_passes_ / of_narrow.n_passes_
    apart = (of_narrow.objective_ - of_wide.objective_) / of_wide.target_gap_
    return (
        f"{n:>8d} x {d:<4d} K {K:<3d} {n_threads} threads  float64 "
        f"{statistics.median(a for a, _ in seconds[1:]):6.2f} s, {of_wide.n_passes_:5.1f} passes  "
        f"float32 {of_narrow.n_passes_:5.1f} passes  seconds {whole:.2f}  "
        f"per pass {per_pass:.2f}  objectives differ by {apart:+.3f} target gaps, "
        f"gap {of_narrow.optimality_gap_ / of_narrow.target_gap_:.3f}"
    )


if __name__ == "__main__":
    for n_threads in (1, 2):
        for shape in SHAPES:
            print(compare(*shape, n_threads), flush=True)
