"""Fits without penalty on designs of every rank, against an independent reference.

Run ``python tests/benchmarks/bench_unpenalised_designs.py --count 2000``; a slice begins at
``--seeds``. A design is made from its seed alone: normal columns, one-hot columns, products of 0/1
columns, low rank, more columns than rows, or repeated columns; two to five classes, labels or soft
targets, with or without weights and intercept, dense or sparse.

The reference shares no code with the package. It takes a basis of the columns by a singular value
decomposition of columns of one size, asks HiGHS on that basis whether some direction separates, and
makes Newton's steps there. What is counted of the fits:

* wrong: a log-likelihood that is not the maximum, or less than where a separated one can be;
* false, missing: a warning where a finite maximum exists, none where there is none;
* untrue: `log_likelihood_` is not `log_likelihood(X, y)`, or is above zero;
* long: coefficients with a part that moves no logit, so that another solution has a smaller norm;
* slow: more than 30 seconds; failed: an exception.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy.linalg
import scipy.sparse
from scipy.optimize import linprog
from scipy.special import log_softmax, softmax
from sklearn.exceptions import ConvergenceWarning

from skxent import SoftmaxClassifier

FAMILIES = "normal", "one-hot", "products", "low rank", "wide", "repeated"
RANK = 1e-10  # of the largest singular value of columns of one size; no family comes near it
SEPARATES = 1e-5  # sum of margins in the unit box that is more than the tolerance of HiGHS
SLOW = 30.0  # seconds
OFF = 2e-6, 2e-9  # nats, and of the log-likelihood: twice what a fit is asked for
SHORT = 1e-4  # nats; where classes separate a fit ends where float64 sees next to nothing to gain
UNTRUE = 1e-9  # nats, and of the log-likelihood
LONG = 1e-6  # of the norm of the coefficients


@dataclass(frozen=True)
class Design:
    """A data set; `Y` are soft targets or one-hot rows, `y` what the fit gets."""

    family: str
    X: np.ndarray
    Y: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None
    fit_intercept: bool
    sparse: bool

    @property
    def samples(self) -> np.ndarray:
        """Columns of one size, centred where there is an intercept, and the constant one."""
        size = np.sqrt(np.mean(self.centred**2, axis=0))
        scale = np.divide(1.0, size, out=np.zeros_like(size), where=size > 0)
        left, value, _ = np.linalg.svd(self.centred * scale, full_matrices=False)
        basis = left[:, value > RANK * max(value.max(initial=0.0), 1e-300)] * np.sqrt(len(self.X))
        ones = np.ones((len(self.X), int(self.fit_intercept)))
        return np.column_stack([basis, ones])

    @property
    def centred(self) -> np.ndarray:
        """X less its means, with zeros for constant columns, where there is an intercept."""
        if not self.fit_intercept:
            return self.X
        centred = self.X - self.X.mean(axis=0)
        return np.where(np.ptp(self.X, axis=0) > 0, centred, 0.0)


def design(seed: int) -> Design:
    """The design of a seed."""
    rng = np.random.default_rng([13, seed])
    family = FAMILIES[seed % len(FAMILIES)]
    K = int(rng.integers(2, 6))
    n = int(rng.integers(15, 60)) if family == "wide" else int(rng.integers(30, 400))
    X = _columns(family, n, rng)
    weight = rng.uniform(0.2, 3.0, n) if rng.random() < 0.4 else None
    fit_intercept, sparse = bool(rng.random() < 0.85), bool(rng.random() < 0.3)
    strength = rng.choice([0.0, 0.5, 1.5, 6.0])
    size = np.maximum(X.std(axis=0), 1e-300)
    Z = (X / size) @ rng.normal(size=(X.shape[1], K)) * strength / np.sqrt(X.shape[1])
    P = softmax(Z + 0.5 * rng.normal(size=K), axis=1)
    if rng.random() < 0.35:
        Y = 0.7 * P + 0.3 * rng.dirichlet(np.ones(K), size=n)
        y = Y = Y / Y.sum(axis=1, keepdims=True)
    else:
        y = (rng.random((n, 1)) > P.cumsum(axis=1)[:, :-1]).sum(axis=1)
        classes, y = np.unique(np.append(y[: n - 2], [0, 1]), return_inverse=True)
        Y = np.eye(len(classes))[y]
    return Design(family, X, Y, y, weight, fit_intercept, sparse)


def _columns(family: str, n: int, rng: np.random.Generator) -> np.ndarray:
    if family == "one-hot":
        counts = rng.integers(2, 9, size=rng.integers(2, 7))
        return np.hstack([np.eye(m)[rng.integers(0, m, n)] for m in counts])
    if family == "products":
        B = (rng.random((n, rng.integers(3, 9))) < rng.uniform(0.1, 0.6)).astype(float)
        i, j = np.triu_indices(B.shape[1])
        return B[:, i] * B[:, j]
    if family == "low rank":
        rank, d = rng.integers(1, 9), rng.integers(10, 120)
        return rng.normal(size=(n, rank)) @ rng.normal(size=(rank, d))
    if family == "wide":
        d = n + int(rng.integers(1, 120))
        X = rng.normal(size=(n, d))
        if rng.random() < 0.5:  # of low rank, or with repeated rows
            some = int(rng.integers(2, max(3, n // 3)))
            X = X[rng.integers(0, some, n)]
        return X
    d = int(rng.integers(1, 25))
    X = rng.normal(size=(n, d))
    if family == "normal":
        return X * np.exp(3 * rng.normal(size=d)) + rng.choice([0.0, 30.0]) * rng.normal(size=d)
    copies = X[:, rng.integers(0, d, size=rng.integers(1, 20))]
    return np.hstack([X, copies * rng.choice([1.0, -2.0, 1e4])])


def separable(design: Design) -> bool:
    """Whether a direction exists along which no margin falls and one grows, by HiGHS."""
    x, Y = design.samples, design.Y
    (n, p), K = x.shape, Y.shape[1]
    rows = np.arange(n)
    label = Y.argmax(axis=1)
    above, equal = [], []
    for k in range(K):
        other = rows[label != k]
        block = np.zeros((len(other), K, p))
        block[np.arange(len(other)), label[other]] = x[other]
        block[:, k] -= x[other]
        block = block.reshape(len(other), K * p)[:, : (K - 1) * p]  # the last class stands still
        tied = Y[other, k] > 0
        above.append(block[~tied])
        equal.append(block[tied])
    A, E = np.vstack(above), np.vstack(equal)
    if not len(A):
        return False
    result = linprog(
        -A.sum(axis=0),
        A_ub=-A,
        b_ub=np.zeros(len(A)),
        A_eq=E,
        b_eq=np.zeros(len(E)),
        bounds=(-1.0, 1.0),
        method="highs",
    )
    assert result.status == 0, result.message
    return bool(-result.fun > SEPARATES)


def maximum(design: Design) -> float:
    """The largest log-likelihood, by Newton's steps on the basis; where separated, one near it."""
    x, Y = design.samples, design.Y
    w = np.ones(len(x)) if design.weight is None else design.weight
    (n, p), K = x.shape, Y.shape[1]
    theta = np.zeros((K - 1, p))

    def value(theta: np.ndarray) -> tuple[float, np.ndarray]:
        logits = np.column_stack([x @ theta.T, np.zeros(n)])
        L = log_softmax(logits, axis=1)
        return float(w @ (Y * L).sum(axis=1)), np.exp(L)

    best, P = value(theta)
    for _ in range(60):
        R = (w[:, None] * (Y - P))[:, :-1]
        g = (R.T @ x).ravel()
        H = np.zeros((K - 1, p, K - 1, p))
        for a in range(K - 1):
            for b in range(K - 1):
                h = w * (P[:, a] * (a == b) - P[:, a] * P[:, b])
                H[a, :, b, :] = (x * h[:, None]).T @ x
        H = H.reshape(g.size, g.size)
        H.flat[:: len(H) + 1] += 1e-12 * n
        step = scipy.linalg.solve(H, g, assume_a="pos").reshape(theta.shape)
        length = 1.0
        while True:
            trial, P_trial = value(theta + length * step)
            if trial > best or length < 1e-10:
                break
            length *= 0.5
        if not trial > best + 1e-13 * abs(best):
            break
        theta, best, P = theta + length * step, trial, P_trial
    return best


def judged(design: Design) -> tuple[Counter, float]:
    """What is wrong with a fit of the design, and the seconds that it took."""
    X = scipy.sparse.csr_array(design.X) if design.sparse else design.X
    clf = SoftmaxClassifier(C=np.inf, fit_intercept=design.fit_intercept)
    begin = time.perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            clf.fit(X, design.y, sample_weight=design.weight)
        except Exception as error:
            return Counter({f"failed: {error}": 1}), time.perf_counter() - begin
    seconds = time.perf_counter() - begin
    warned = any(issubclass(w.category, ConvergenceWarning) for w in caught)
    said = any("no finite maximum" in str(w.message) for w in caught)
    separated, best = separable(design), maximum(design)
    found = clf.log_likelihood(X, design.y, sample_weight=design.weight)
    allowed = SHORT if separated else OFF[0] + OFF[1] * abs(best)
    wrong = found < best - allowed or (not separated and found > best + allowed)
    untrue = abs(found - clf.log_likelihood_) > UNTRUE * (1.0 + abs(found))
    faults = Counter()
    faults["wrong"] = bool(wrong)
    faults["false"] = warned and not separated
    faults["missing"] = separated and not said
    faults["untrue"] = bool(untrue or clf.log_likelihood_ > 0 or clf.objective_ < 0)
    faults["long"] = not separated and _excess(design, clf.coef_) > LONG
    faults["slow"] = seconds > SLOW
    return +faults, seconds


def _excess(design: Design, coef: np.ndarray) -> float:
    """The part of the coefficients, of one, that moves no logit."""
    size = np.sqrt(np.mean(design.centred**2, axis=0))
    scale = np.divide(1.0, size, out=np.zeros_like(size), where=size > 0)
    _, value, right = np.linalg.svd(design.centred * scale, full_matrices=False)
    rows = right[value > RANK * max(value.max(initial=0.0), 1e-300)] * size
    order = np.argsort(-size)
    Q, _, _ = scipy.linalg.qr(rows[:, order].T, mode="economic", pivoting=True)
    coef = coef[:, order]
    norm = np.linalg.norm(coef)
    return float(np.linalg.norm(coef - coef @ Q @ Q.T) / norm) if norm > 1e-9 else 0.0


def studied(seeds: range) -> Iterator[tuple[int, Design, Counter, float]]:
    """Designs and what is wrong with their fits."""
    for seed in seeds:
        this = design(seed)
        yield seed, this, *judged(this)


def main() -> None:
    """Study a slice of the designs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=0, help="the first")
    parser.add_argument("--count", type=int, default=2000)
    arguments = parser.parse_args()
    seeds = range(arguments.seeds, arguments.seeds + arguments.count)
    total, tried, longest = Counter(), Counter(), 0.0
    for seed, this, faults, seconds in studied(seeds):
        tried[this.family] += 1
        total += faults
        longest = max(longest, seconds)
        if faults:
            shape = f"{this.X.shape[0]} x {this.X.shape[1]}, K = {this.Y.shape[1]}"
            print(f"seed {seed}: {this.family} {shape}: {', '.join(faults)}", flush=True)
    print(f"{sum(tried.values())} designs ({dict(tried)}), longest fit {longest:.2f} s")
    print(f"faults: {dict(total) or 'none'}")


if __name__ == "__main__":
    main()
