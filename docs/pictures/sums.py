"""Sums of chunks as areas: a bar's width is the weight, its height the mean."""

import numpy as np

from skxent import CrossEntropySum


def draw(figure):
    rng = np.random.default_rng(0)
    P = rng.dirichlet([4, 1, 1], size=100)
    y = rng.integers(3, size=100)
    y[:80] = 0
    axes = figure.subplots()
    edges, parts = [0, 50, 85, 100], []
    for start, stop, colour in zip(edges, edges[1:], ("C0", "C2", "C3"), strict=False):
        part = CrossEntropySum.of(y[start:stop], P[start:stop], labels=[0, 1, 2])
        axes.bar(start, part.mean, part.weight, align="edge", color=colour, alpha=0.35)
        axes.text((start + stop) / 2, 0.2, f"sum\n{part.total:.1f}", ha="center", va="center")
        parts.append(part)
    right, wrong = sum(parts).mean, np.mean([part.mean for part in parts])
    axes.axhline(right, color="C1")
    axes.text(1, right + 0.03, f"mean of all, {right:.3f}", color="C1")
    axes.axhline(wrong, color="C4", linestyle="--")
    axes.text(1, wrong + 0.03, f"mean of the means, {wrong:.3f}: wrong", color="C4")
    axes.set_xticks(edges)
    axes.set(xlabel="samples", ylabel="mean loss, in nats", xlim=(0, 100), ylim=(0, 1.85))
