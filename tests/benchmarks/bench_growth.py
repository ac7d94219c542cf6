"""Seconds against rows, features and classes: time should grow in proportion to the rows.

Run ``python tests/benchmarks/bench_growth.py``; with ``--out NAME`` it also draws NAME.png.
"""

from __future__ import annotations

import argparse
import time

from problems import generated

from skxent import SoftmaxClassifier

SWEEPS = {
    "rows": [(n, 20, 2) for n in (10_000, 30_000, 100_000, 300_000, 1_000_000, 2_000_000)],
    "features": [(20_000, d, 3) for d in (10, 30, 100, 300, 1000, 2000)],
    "classes": [(30_000, 20, K) for K in (2, 4, 10, 30, 100, 300, 1000)],
}


def main() -> None:
    """Run the sweeps."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", default="")
    out = parser.parse_args().out
    table: dict[str, list[tuple[int, float]]] = {}
    for i, (name, shapes) in enumerate(SWEEPS.items()):
        table[name] = []
        for shape in shapes:
            X, y = generated(*shape)
            begin = time.perf_counter()
            clf = SoftmaxClassifier().fit(X, y)
            seconds = time.perf_counter() - begin
            size = shape[i]
            table[name].append((size, seconds))
            print(
                f"{name:9s} {size:>8d}: {seconds:8.3f} s, {clf.n_passes_:5.1f} passes, "
                f"{1e6 * seconds / size:8.2f} microseconds each",
                flush=True,
            )
    if out:
        import matplotlib.pyplot as plt

        _, axes = plt.subplots(1, 3, figsize=(12, 3.5))
        for ax, (name, points) in zip(axes, table.items(), strict=True):
            ax.loglog(*zip(*points, strict=True), "o-")
            ax.set(xlabel=name, ylabel="seconds")
        plt.tight_layout()
        plt.savefig(f"{out}.png", dpi=80)


if __name__ == "__main__":
    main()
