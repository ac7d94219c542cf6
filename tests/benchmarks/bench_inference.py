"""Coverage of profile and Wald intervals and size of term tests, in small samples.

Usage: python tests/benchmarks/bench_inference.py [--draws 2000]

Each draw has new samples and labels of a softmax model. A draw whose classes are separated has no
maximum of the likelihood; it is left out, and its number is printed. Standard errors of the
percentages are about 0.5 with 2,000 draws.

Coverage: percentage of the 95 % intervals of slopes that contain the true slope. Intervals of
slopes that are not zero miss it on two sides: the interval may be too near zero, or too far from
zero. Size: percentage of tests at 5 % that reject a term of two features whose coefficients are
zero.
"""

import argparse
from collections import defaultdict

import numpy as np

from skxent import SoftmaxClassifier, infer

LEVEL = 0.95
KINDS = ("likelihood_ratio", "wald", "score")
# Slopes by class (rows; the first class has zeros) of four features; the last two have no effect.
SLOPES = {2: [[1.0, -2.0, 0.0, 0.0]], 3: [[1.0, -1.0, 0.0, 0.0], [0.0, 1.5, 0.0, 0.0]]}
INTERCEPTS = {2: [-1.5], 3: [0.0, -0.5]}


def draw(rng, n, K):
    """Samples with one feature of zeros and ones and three normal features."""
    X = rng.normal(size=(n, 4))
    X[:, 0] = rng.random(n) < 0.3
    logits = np.zeros((n, K))
    logits[:, 1:] = X @ np.transpose(SLOPES[K]) + INTERCEPTS[K]
    return X, (logits + rng.gumbel(size=(n, K))).argmax(axis=1)


def inference_of(X, y):
    """The inference, or None without a finite maximum of the likelihood."""
    try:
        return infer(SoftmaxClassifier(C=np.inf).fit(X, y), X, y)
    except (ValueError, RuntimeWarning):
        return None


def simulate(n, K, n_draws):
    rng = np.random.default_rng([n, K])
    counts, used = defaultdict(float), 0
    truth = np.array(SLOPES[K])
    for _ in range(n_draws):
        X, y = draw(rng, n, K)
        inference = inference_of(X, y) if len(np.unique(y)) == K else None
        if inference is None:
            continue
        used += 1
        for method in ("wald", "profile"):
            low, high = np.moveaxis(inference.confint(LEVEL, method)[:, :4], -1, 0)
            effect, sign = truth != 0, np.sign(truth)
            inside = (low <= truth) & (truth <= high)
            near = np.where(sign > 0, high < truth, low > truth)
            counts["coverage", method, "zero slopes"] += inside[~effect].mean()
            counts["coverage", method, "other slopes"] += inside[effect].mean()
            counts["too near zero", method] += near[effect].mean()
            counts["too far from zero", method] += (~inside & ~near)[effect].mean()
        for kind in KINDS:
            test = inference.term_tests(kind, {"none": [2, 3]})["none"]
            counts["size", kind] += test.p_value < 1 - LEVEL
    return {key: 100 * value / used for key, value in counts.items()}, used


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=2000)
    n_draws = parser.parse_args().draws
    for K in (2, 3):
        for n in (50, 75, 100):
            shares, used = simulate(n, K, n_draws)
            print(f"K = {K}, n = {n}, {n_draws - used} of {n_draws} draws separated")
            for key, share in shares.items():
                print(f"  {', '.join(key):<36}{share:6.1f} %", flush=True)


if __name__ == "__main__":
    import warnings

    warnings.simplefilter("ignore")  # separated draws are counted
    main()
