"""Losses that others have computed: how often intervals by document hold, and memory of sums.

    python tests/benchmarks/bench_tokens.py                the intervals, some minutes
    python tests/benchmarks/bench_tokens.py memory [n]     n = 100,000,000 losses on disk, one read

An interval at 95 % shall hold the true mean 93 to 97 times of 100. The naive interval takes tokens
of a document as independent. Documents have log-normal numbers of tokens. Losses of a token are
exponential, times a level of its document; the standard deviation of the level is a fraction of it.
"""

import argparse
import resource
import tempfile
import time
import tracemalloc
from pathlib import Path

import numpy as np

from skxent import CrossEntropySum, compare_losses, mean_loss_interval

REPEATS = 1000
MEAN = 3.0
# documents, standard deviation of the logarithm of their lengths, and of the level of a document
CASES = [
    (50, 0.0, 0.25),
    (50, 0.5, 0.25),
    (50, 1.0, 0.25),
    (50, 1.3, 0.25),
    (50, 1.0, 0.5),
    (20, 1.0, 0.25),
]


def documents(rng, n, spread, sigma):
    """Losses of the tokens of each document, and the bytes of each: about four a token."""
    lengths = np.maximum(1, np.exp(rng.normal(4, spread, size=n))).astype(int)
    level = MEAN * np.exp(rng.normal(0, sigma, size=n) - sigma**2 / 2)
    losses = [a * rng.exponential(size=k) for a, k in zip(level, lengths, strict=True)]
    return losses, np.array([rng.integers(2, 7, size=k).sum() for k in lengths])


def holds(rng, n, spread, sigma):
    """Whether each interval holds the true mean, and the test finds no difference of equals."""
    losses, size = documents(rng, n, spread, sigma)
    # A second model of the same text: other tokens, other losses of the same expectation.
    others = [
        part.mean()
        * rng.exponential(size=max(1, len(part) // 2))
        * len(part)
        / max(1, len(part) // 2)
        for part in losses
    ]
    found = (
        (mean_loss_interval(losses), MEAN),
        (mean_loss_interval(np.concatenate(losses)), MEAN),
        (mean_loss_interval(losses, units=size), MEAN / 4),
    )
    compared = compare_losses({"a": losses, "b": others}, baseline="a", units=size)
    return [own.low <= mean <= own.high for own, mean in found] + [compared.p_value[0] >= 0.05]


def intervals():
    """Print how often intervals hold."""
    heads = ("by document", "naive", "per byte", "difference")
    print(f"{'documents, spread, level':28}" + "".join(f"{head:>13}" for head in heads))
    for case in CASES:
        rng = np.random.default_rng(0)
        share = np.mean([holds(rng, *case) for _ in range(REPEATS)], axis=0)
        print(f"{case!s:28}" + "".join(f"{value:13.1%}" for value in share), flush=True)


def memory(n):
    """Print the peak of memory and the time of the sum of n losses in single precision."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "losses"
        rng = np.random.default_rng(0)
        with path.open("wb") as file:
            for start in range(0, n, 1_000_000):
                rng.exponential(size=min(1_000_000, n - start)).astype(np.float32).tofile(file)
        losses = np.memmap(path, dtype=np.float32, mode="r")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        tracemalloc.start()
        start, processor = time.perf_counter(), time.process_time()
        found = CrossEntropySum.of_losses(losses)
        wall, processor = time.perf_counter() - start, time.process_time() - processor
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        start = time.process_time()
        plain = float(losses.sum(dtype=np.float64))
        numpy = time.process_time() - start
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(f"{n} losses, {path.stat().st_size / 1e6:.0f} MB on disk, mean {found.mean:.6f}")
        print(
            f"peak {peak / 1e6:.1f} MB allocated; resident {(after - before) / 1e3:.0f} MB more, "
        )
        print("which are the pages of the file that the system keeps")
        print(f"{wall:.2f} s, {processor:.2f} s of the processor; numpy's sum {numpy:.2f} s")
        print(f"differs from numpy's sum by {abs(found.total - plain) / plain:.1e}")


def main():
    """Run what was asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", nargs="?", default="intervals", choices=["intervals", "memory"])
    parser.add_argument("n", nargs="?", type=int, default=100_000_000)
    options = parser.parse_args()
    if options.what == "memory":
        memory(options.n)
    else:
        intervals()


if __name__ == "__main__":
    main()
