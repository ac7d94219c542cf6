"""Problems for a fit, drawn from everything that may be passed to it, with plain arrays of each.

A problem is made from choices and from the seed of its numbers. `draw` asks a function for each
choice, so that hypothesis can make them, and shrink them, as well as a generator of random numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from drawn_forms import LABELS, NAMED, OF_LABELS, SPARSE, WRAPPERS

Choice = Callable[[str, Sequence[Any]], Any]

DTYPES = ["float64", "float64", "float32", "float16", "int8", "int64", "uint8", "bool"]
FAMILIES = [
    "normal",
    "scales",
    "offsets",
    "counts",
    "one-hot",
    "low rank",
    "copies",
    "outlier",
    "mostly zero",
    "constant",
    "huge or tiny",
]


@dataclass(repr=False)
class Problem:
    """What is passed, and what it says in plain arrays.

    Parameters
    ----------
    choices : dict
        How it was made.
    X : (n, d) array
        float64, with the values that are passed.
    Y : (n, K) array
        Distributions of the targets.
    w : (n,) array
        Weights, without class weights.
    factors : (K,) array
        Class weights.
    passed : dict
        Arguments of `fit`.
    parameters : dict
        Of the estimator.
    labels : array
        The classes, (K,).
    penalty_factors : (d,) array
        Factors of the penalty.
    offset : (n, K) array
        What is added to the logits.
    """

    choices: dict[str, Any]
    X: np.ndarray
    Y: np.ndarray
    w: np.ndarray
    factors: np.ndarray
    passed: dict[str, Any]
    parameters: dict[str, Any]
    labels: np.ndarray
    penalty_factors: np.ndarray
    offset: np.ndarray

    def __repr__(self) -> str:
        return f"draw({self.choices})"

    @property
    def C(self) -> float:
        """Inverse strength of the penalty."""
        return float(self.parameters["C"])

    @property
    def fit_intercept(self) -> bool:
        """Whether there are intercepts."""
        return bool(self.parameters["fit_intercept"])

    @property
    def unpenalised(self) -> np.ndarray:
        """Columns without a penalty, (d,)."""
        return (self.penalty_factors == 0) | np.isinf(self.C)

    @property
    def with_offset(self) -> dict[str, Any]:
        """The offset as predictions take it."""
        return {"offset": self.passed["offset"]} if "offset" in self.passed else {}

    @property
    def T(self) -> np.ndarray:
        """Weight of each class in each sample, (n, K)."""
        return self.w[:, None] * self.Y * self.factors


def draw(choose: Choice) -> Problem:
    """Make a problem of choices; `choose` gets the name of each and what there is."""
    made: dict[str, Any] = {}

    def pick(name: str, options: Sequence[Any]) -> Any:
        made[name] = choose(name, options)
        return made[name]

    seed = pick("seed", range(2**20))
    rng = np.random.default_rng([seed, 13])
    n, K = pick("n", range(4, 41)), pick("K", [2, 2, 3, 4, 5])
    K = min(K, n)
    d = pick("d", [1, 2, 3, 3, 5, 8, 13, 30, 45, 60])
    family = pick("family", FAMILIES)
    X = columns(family, n, d, rng)
    X = in_dtype(X, pick("dtype", DTYPES if family != "huge or tiny" else ["float64"]))
    Y = targets(X, K, pick("strength", [0.0, 1.0, 1.0, 5.0, 100.0]), rng)
    soft = pick("soft", [False, False, False, True])
    if soft:
        Y = 0.7 * Y + 0.3 * rng.dirichlet(np.full(K, 0.5), size=n)
        Y[rng.random(Y.shape) < pick("zeros", [0.0, 0.3])] = 0.0
        Y = np.where(Y.any(axis=1, keepdims=True), Y, 1.0)
        Y /= Y.sum(axis=1, keepdims=True)
    elif not (X.any() and n >= K):
        Y = np.eye(K)[np.arange(n) % K]
    wrapper = pick("wrapper", sorted(WRAPPERS))
    names = LABELS[pick("labels", sorted(LABELS) if K == 2 else sorted(set(LABELS) - {"bool"}))]
    labels = names[:K]
    if X.dtype == "float16" and wrapper in SPARSE:  # which SciPy does not know
        X = X.astype("float32")
    passed: dict[str, Any] = {"X": WRAPPERS[wrapper](X)}
    passed["y"] = Y if soft else OF_LABELS[pick("y", sorted(OF_LABELS))](labels[Y.argmax(axis=1)])
    labels = np.arange(K) if soft else np.sort(labels)
    w, passed["sample_weight"] = weights(pick("weights", WEIGHTS), n, rng)
    factors, class_weight = class_weights(
        pick("class_weight", [None, None, "balanced", "dict"]), labels, w @ Y, rng
    )
    parameters = {
        "C": PENALTIES[pick("C", sorted(PENALTIES))](rng),
        "fit_intercept": pick("fit_intercept", [True, True, True, False]),
        "class_weight": class_weight,
        "tol": pick("tol", [1e-6, 1e-6, 1e-6, 1e-2, 1e-10]),
        "max_iter": pick("max_iter", [1000, 1000, 1000, 1, 3]),
    }
    # Drawn last, so that problems without them are the same as before there were any.
    rng = np.random.default_rng([seed, 17])
    penalty_factors = FACTORS[pick("factors", sorted(FACTORS))](rng, d)
    if made["factors"] != "none":
        named = wrapper in NAMED and pick("factor_form", ["array", "dict"]) == "dict"
        parameters["penalty_factor"] = (
            {f"x{j}": f for j, f in enumerate(penalty_factors) if f != 1}
            if named
            else penalty_factors
        )
    offset = np.zeros((n, K))
    size = pick("offset", [0.0, 0.0, 0.0, 1.0, 30.0, 1e3])
    if size:
        offset = size * rng.normal(size=(n, K)) * ([0, 1] if K == 2 else 1)
        passed["offset"] = offset[:, 1] if K == 2 else offset
    numbers = X.astype(float), Y, w, factors
    return Problem(made, *numbers, passed, parameters, labels, penalty_factors, offset)


def columns(family: str, n: int, d: int, rng: np.random.Generator) -> np.ndarray:
    """Numbers of a family, (n, d)."""
    X = rng.normal(size=(n, d))
    if family == "scales":
        return X * np.exp(rng.choice([1.0, 3.0, 6.0]) * rng.normal(size=d))
    if family == "offsets":
        return X + 10.0 ** rng.integers(0, 10) * rng.normal(size=d)
    if family == "counts":
        return np.round(X * rng.choice([0.5, 2.0, 30.0]))
    if family == "one-hot":
        parts, left = [], d
        while left:
            m = min(left, int(rng.integers(2, 6)))
            parts.append(np.eye(m)[rng.integers(0, m, n)])
            left -= m
        return np.hstack(parts)
    if family == "low rank":
        rank = int(rng.integers(1, d + 1))
        return rng.normal(size=(n, rank)) @ rng.normal(size=(rank, d))
    if family == "copies":
        few = max(1, d // 2)
        return X[:, rng.integers(0, few, d)] * rng.choice([1.0, 1.0, -2.0, 1e4], size=d)
    if family == "outlier":
        X[rng.integers(n), rng.integers(d)] = 10.0 ** rng.integers(2, 10)
    elif family == "mostly zero":
        X = np.where(rng.random((n, d)) < 0.1, X, 0.0)
    elif family == "constant":
        X[:, rng.random(d) < 0.6] = rng.choice([0.0, 1.0, -3e5])
    elif family == "huge or tiny":
        X *= 10.0 ** rng.integers(-170, 171, size=d)
    return X


def in_dtype(X: np.ndarray, dtype: str) -> np.ndarray:
    """The numbers as near as they can be in a type."""
    if dtype == "bool":
        return np.median(X) < X
    kind = np.dtype(dtype)
    if kind.kind in "iu":
        limits = np.iinfo(kind)
        return np.clip(np.round(3 * X), max(limits.min, -(2**40)), min(limits.max, 2**40)).astype(
            kind
        )
    largest = float(np.finfo(kind).max)
    return np.clip(X, -largest, largest).astype(kind)


def targets(X: np.ndarray, K: int, strength: float, rng: np.random.Generator) -> np.ndarray:
    """One-hot rows of a softmax model, each class in some sample."""
    n, d = X.shape
    X = X.astype(float)
    size = np.abs(X).max(axis=0)
    X = np.divide(X, size, out=np.zeros_like(X), where=size > 0)
    spread = X.std(axis=0)
    scaled = np.divide(X - X.mean(axis=0), spread, out=np.zeros_like(X), where=spread > 0)
    Z = scaled @ rng.normal(size=(d, K)) * strength / np.sqrt(d)
    codes = (Z + (strength < 50) * rng.gumbel(size=(n, K))).argmax(axis=1)
    order = rng.permutation(n)[:K]
    if len(np.unique(codes)) < K:
        codes[order] = np.arange(len(order))
    return np.eye(K)[codes]


WEIGHTS = [
    "none",
    "none",
    "counts",
    "uniform",
    "six orders",
    "forty orders",
    "light",
    "heavy",
    "bool",
    "ints",
    "float32",
]


def weights(kind: str, n: int, rng: np.random.Generator) -> tuple[np.ndarray, Any]:
    """Weights as they are, and as they are passed."""
    w = {
        "none": np.ones(n),
        "counts": rng.integers(0, 4, n).astype(float),
        "uniform": rng.uniform(0.1, 3.0, n),
        "six orders": 10.0 ** rng.uniform(-3, 3, n),
        "forty orders": 10.0 ** rng.uniform(-20, 20, n) * (rng.random(n) < 0.9),
        "light": rng.uniform(0.1, 3.0, n) * 10.0 ** rng.integers(-150, -5),
        "heavy": rng.uniform(0.1, 3.0, n) * 10.0 ** rng.integers(5, 150),
        "bool": rng.random(n) < 0.8,
        "ints": rng.integers(0, 3, n),
        "float32": rng.uniform(0.1, 3.0, n).astype("float32"),
    }[kind]
    return w.astype(float), None if kind == "none" else w


def class_weights(
    kind: str | None, labels: np.ndarray, totals: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, Any]:
    """Factors of the classes, and as they are passed."""
    if kind is None:
        return np.ones(len(labels)), None
    if kind == "balanced":
        share = np.where(totals > 0, totals, np.inf)
        return totals.sum() / len(labels) / share, kind
    factors = 10.0 ** rng.uniform(-1, 1, len(labels))
    return factors, dict(zip(labels.tolist(), factors.tolist(), strict=True))


PENALTIES: dict[str, Callable[[np.random.Generator], float]] = {
    "one": lambda rng: 1.0,
    "usual": lambda rng: 10.0 ** rng.uniform(-4, 4),
    "none": lambda rng: np.inf,
    "any": lambda rng: 10.0 ** rng.uniform(-300, 300),
    "weak": lambda rng: 10.0 ** rng.uniform(4, 30),
}


FACTORS: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "none": lambda rng, d: np.ones(d),
    "positive": lambda rng, d: np.exp(rng.normal(size=d)),
    "many orders": lambda rng, d: 10.0 ** rng.uniform(-9, 5, size=d),
    "some zero": lambda rng, d: np.exp(rng.normal(size=d)) * (rng.random(d) < 0.7),
    "few positive": lambda rng, d: np.exp(rng.normal(size=d)) * (rng.random(d) < 0.3),
    "ones and zeros": lambda rng, d: rng.integers(0, 2, d).astype(float),
}
