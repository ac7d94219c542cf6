"""How often 95 % intervals hold the truth, by simulation: between 93 and 97 % they should.

Samples of 500 are drawn from a known model, two thousand times. Of every kind of interval the
smallest and largest coverage among its numbers is printed; a coverage of 95 % is known to a
standard error of 0.5. Where samples come in pairs that are alike there are half as many as it
seems. Run ``python tests/benchmarks/bench_coverage.py``.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict

import numpy as np
from scipy.special import softmax

from skxent import SoftmaxClassifier, infer

TRUTH = np.array([[0.0, 0.0, 0.0, 0.0], [0.8, -0.5, 0.0, 0.3], [-0.4, 0.6, 0.5, -0.2]])
UNIT = np.array([1.0, 100.0, 1.0])  # of the features
LOW, HIGH = 0.93, 0.97


def design(rng: np.random.Generator, n: int) -> np.ndarray:
    """A normal, a skewed and a rare feature."""
    x = [rng.normal(size=n), rng.exponential(size=n) - 1, 2.0 * (rng.random(n) < 0.2)]
    return np.column_stack(x) * UNIT


def draw(rng: np.random.Generator, X: np.ndarray, W: np.ndarray, group: int) -> np.ndarray:
    """Labels; those of a group of samples are drawn with one random number, and have their law."""
    P = softmax(logits(X, W), axis=1).cumsum(axis=1)
    u = np.repeat(rng.random(len(X) // group), group)
    return (u[:, None] > P[:, :-1]).sum(axis=1)


def logits(X: np.ndarray, W: np.ndarray) -> np.ndarray:
    """Of samples, from contrasts per unit."""
    return (X / UNIT) @ W[:, :-1].T + W[:, -1]


def effects(X: np.ndarray, W: np.ndarray) -> np.ndarray:
    """True average marginal effects."""
    P, B = softmax(logits(X, W), axis=1), W[:, :-1] / UNIT
    return np.mean(P[:, :, None] * (B - (P @ B)[:, None, :]), axis=0)


def at_values(X: np.ndarray, W: np.ndarray, column: int, values: list[float]) -> np.ndarray:
    """True mean probabilities with a column at each of some values."""
    changed = [X.copy() for _ in values]
    for part, value in zip(changed, values, strict=True):
        part[:, column] = value
    return np.stack([softmax(logits(part, W), axis=1).mean(axis=0) for part in changed])


def holds(low: np.ndarray, high: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Which intervals hold the truth."""
    return (low <= truth) & (truth <= high)


def simulate(K: int, n: int, draws: int, group: int = 1) -> dict[str, np.ndarray]:
    """Coverage of every number, by kind of interval."""
    rng = np.random.default_rng([K, n, group])
    W, found = TRUTH[:K], defaultdict(list)
    raw = W[1:] / np.append(UNIT, 1.0)
    new = design(np.random.default_rng(0), 5)
    chances = softmax(logits(new, W), axis=1)
    groups = np.arange(n) // group
    for _ in range(draws):
        X = design(rng, n)
        if group > 1:
            X = np.repeat(X[::group], group, axis=0)
        y = draw(rng, X, W, group)
        clf = SoftmaxClassifier(C=np.inf, n_jobs=1).fit(X, y)
        kinds = ["observed", "robust"] if group == 1 else ["observed", "cluster"]
        for kind in kinds:
            result = infer(clf, X, y, covariance=kind, groups=groups if kind == "cluster" else None)
            interval = result.confint()
            found[f"coefficients, {kind}"].append(holds(interval[..., 0], interval[..., 1], raw))
        if group == 1:
            part = result.marginal_effects(discrete=[2])
            truth = effects(X, W)
            ends = at_values(X, W, 2, [0.0, 2.0])
            truth[:, 2] = ends[1] - ends[0]
            held = holds(part.low, part.high, truth)
            found["marginal effects, robust"].append(held[:, :2])
            found["differences, robust"].append(held[:, 2])
            part = result.adjusted_predictions({0: [-1.0, 2.0]})
            truth = at_values(X, W, 0, [-1.0, 2.0])
            found["adjusted predictions, robust"].append(holds(part.low, part.high, truth))
            part = result.predict_proba_interval(new)
            found["probabilities, robust"].append(holds(part.low, part.high, chances))
    return {name: np.mean(values, axis=0) for name, values in found.items()}


def main() -> None:
    """Run the simulations; the exit status tells whether all coverages are as they should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--n", type=int, default=500)
    options = parser.parse_args()
    wrong = False
    for K in (2, 3):
        for group in (1, 2):
            for name, coverage in simulate(K, options.n, options.draws, group).items():
                inside = bool(coverage.min() >= LOW and coverage.max() <= HIGH)
                # Of samples that come in pairs the observed information knows nothing.
                wrong |= not inside and (group == 1 or "cluster" in name)
                print(
                    f"{K} classes, groups of {group}, {name:28s}: {100 * coverage.min():5.1f} to "
                    f"{100 * coverage.max():5.1f} %{'' if inside else '  outside'}",
                    flush=True,
                )
    sys.exit(wrong)


if __name__ == "__main__":
    main()
