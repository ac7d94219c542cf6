"""Logits and labels, some of which do not count."""

import numpy as np

K = 3


def problem(n):
    """Logits, codes of which a third is -100, and weights."""
    rng = np.random.default_rng(n)
    codes = rng.integers(K, size=n)
    codes[:K] = range(K)
    codes[K:][rng.random(n - K) < 0.4] = -100
    return 3 * rng.normal(size=(n, K)), codes, rng.uniform(0, 2, size=n)
