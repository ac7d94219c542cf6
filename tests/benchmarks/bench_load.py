"""Memory and time at the sizes where a library fails, each in a process of its own, with bounds.

    python tests/benchmarks/bench_load.py                 all of them, some ten minutes
    python tests/benchmarks/bench_load.py fits classes    some

Peaks are of the resident memory of the process, less what it has with the input in memory. A case
fails if its peak or its processor time is above the bound that stands beside it. The exit status is
the number of cases that fail.
"""

import argparse
import json
import subprocess
import sys
import time

import numpy as np
import scipy.sparse as sp

import skxent
from skxent import SoftmaxClassifier

MB = 1e6


def resident():
    """Resident memory now, in bytes."""
    with open("/proc/self/status", encoding="ascii") as file:
        line = next(line for line in file if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


def reset_peak():
    """Let the peak of the resident memory begin anew (Linux)."""
    with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


def peak():
    """Largest resident memory since then, in bytes."""
    with open("/proc/self/status", encoding="ascii") as file:
        line = next(line for line in file if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def measured(function):
    """Peak above the memory at the begin, seconds twice, and what is to be said of the result."""
    before = resident()
    reset_peak()
    wall, processor = time.perf_counter(), time.process_time()
    note = function()
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    return peak() - before, processor, wall, note


def note_of(clf):
    return f"gap {clf.optimality_gap_:.1g} nats, {clf.n_passes_:.0f} passes, {clf.converged_=}"


def fits():
    """10,000 fits in a row: growth after the first thousand."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(100, 4)), rng.integers(0, 3, 100)
    for _ in range(1000):
        SoftmaxClassifier().fit(X, y)

    def run():
        before = resident()
        for _ in range(10_000):
            SoftmaxClassifier().fit(X, y)
        return f"grown by {(resident() - before) / MB:.1f} MB"

    return measured(run)


def rows():
    """10,000,000 x 10, float64: 0.8 GB of samples."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((10_000_000, 10))
    y = (X[:, 0] + rng.logistic(size=len(X)) > 0).astype(np.int8)
    return measured(lambda: note_of(SoftmaxClassifier(n_jobs=1).fit(X, y)))


def classes():
    """5,000 classes, 100,000 x 20."""
    rng = np.random.default_rng(0)
    K, n, d = 5000, 100_000, 20
    centres = rng.standard_normal((K, d))
    y = rng.integers(0, K, n)
    y[:K] = np.arange(K)
    X = centres[y] + 2.0 * rng.standard_normal((n, d))
    return measured(lambda: note_of(SoftmaxClassifier(n_jobs=1).fit(X, y)))


def features():
    """1,000,000 sparse features, 50,000 samples of 60 entries, two classes."""
    rng = np.random.default_rng(0)
    n, d, entries = 50_000, 1_000_000, 60
    columns = np.minimum((d * rng.random((n, entries)) ** 3).astype(np.int32), d - 1)
    values = rng.random((n, entries)).ravel()
    X = sp.csr_array((values, columns.ravel(), np.arange(0, n * entries + 1, entries)), (n, d))
    X.sum_duplicates()
    y = (X @ rng.standard_normal(d) + rng.logistic(size=n) > 0).astype(int)
    return measured(lambda: note_of(SoftmaxClassifier(n_jobs=1).fit(X, y)))


def losses():
    """10^8 predicted probabilities, one for each sample: mean binary cross-entropy."""
    rng = np.random.default_rng(0)
    p = rng.random(100_000_000)
    y = rng.random(len(p)) < p
    return measured(lambda: f"{skxent.binary_cross_entropy(y, p):.6f} nats, 0.5 expected")


def table():
    """10^8 logits, 10,000,000 x 10: mean categorical cross-entropy."""
    rng = np.random.default_rng(0)
    Z = rng.standard_normal((10_000_000, 10))
    y = rng.integers(0, 10, len(Z))

    def run():
        return f"{skxent.categorical_cross_entropy(y, Z, from_logits=True):.6f} nats"

    return measured(run)


# Of each case: megabytes beyond the input, seconds of the processor. A comment gives what was
# measured; the bounds are about twice that, and at least 8 MB, since a few MB of pages are noise.
# `classes`, where no figure stands, was not measured then, and its bounds are wider.
BOUNDS = {
    fits: (8, 31),  # 0 MB, 15.5 s
    rows: (420, 3),  # 211 MB, 1.4 s
    classes: (2500, 900),
    features: (720, 6),  # 357 MB, 2.6 s
    losses: (8, 7),  # 2 MB, 3.5 s
    table: (8, 2),  # 1 MB, 1.0 s
}


def main():
    cases = {case.__name__: case for case in BOUNDS}
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", choices=[*cases, []], help="cases; all if none")
    parser.add_argument("--here", action="store_true", help="one case, in this process")
    settings = parser.parse_args()
    if settings.here:
        print(json.dumps(cases[settings.names[0]]()))
        return 0
    failed = 0
    print(f"{'case':<10}{'MB':>6}{'bound':>7}{'processor s':>13}{'bound':>7}{'wall s':>8}  result")
    for name in settings.names or cases:
        run = subprocess.run(
            [sys.executable, __file__, name, "--here"], stdout=subprocess.PIPE, text=True
        )
        most, slowest = BOUNDS[cases[name]]
        if run.returncode:
            failed += 1
            print(f"{name:<10}ended with exit status {run.returncode}", flush=True)
            continue
        size, seconds, wall, note = json.loads(run.stdout)
        good = size / MB <= most and seconds <= slowest
        failed += not good
        figures = f"{size / MB:>6.0f}{most:>7}{seconds:>13.1f}{slowest:>7}{wall:>8.1f}"
        print(f"{name:<10}{figures}  {note}{'' if good else '  ABOVE ITS BOUND'}", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
