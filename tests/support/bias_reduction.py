"""Data and numbers of bias-reduced regressions by R, and a plain form of the objective."""

import json
from pathlib import Path

import numpy as np

TABLES = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
ENDOMETRIAL, ALLIGATORS = TABLES["endometrial"], TABLES["alligators"]


def endometrial():
    """X and y; y is separated by the first column where it is 1."""
    X = np.column_stack([ENDOMETRIAL[name] for name in ("NV", "PI", "EH")])
    return X.astype(float), np.array(ENDOMETRIAL["HG"])


def alligators():
    """X, y and counts of five classes, some of which a lake lacks."""
    lakes = ["Oklawaha", "Trafford", "George"]
    rows = [
        ([size == ">2.3", *(lake == other for other in lakes)], food, count)
        for lake, sizes in ALLIGATORS["freq"].items()
        for size, counts in sizes.items()
        for food, count in enumerate(counts)
    ]
    X, y, count = zip(*rows, strict=True)
    return np.array(X, dtype=float), np.array(y), np.array(count)


def probabilities(coef, intercept, X, offset=0.0):
    """Softmax of the logits of fitted parameters, (n, K)."""
    Z = X @ coef.T + intercept
    Z = np.column_stack([np.zeros(len(Z)), Z[:, 0]]) if Z.shape[1] == 1 else Z
    Z = Z + offset
    P = np.exp(Z - Z.max(axis=1, keepdims=True))
    return P / P.sum(axis=1, keepdims=True)


def log_prior(P, X, weight=None, fit_intercept=True):
    """Half the log-determinant of the information, sample by sample, with the last class fixed."""
    A = np.column_stack([X, np.ones(len(X))]) if fit_intercept else X
    weight = np.ones(len(X)) if weight is None else weight
    information = sum(
        w * np.kron(np.diag(p[:-1]) - np.outer(p[:-1], p[:-1]), np.outer(a, a))
        for w, p, a in zip(weight, P, A, strict=True)
    )
    return 0.5 * np.linalg.slogdet(information)[1]


def objective(coef, intercept, X, y, weight=None, fit_intercept=True):
    """The objective of `FirthClassifier` at fitted parameters, for labels 0 to K - 1."""
    P = probabilities(coef, intercept, X)
    losses = -np.log(P[np.arange(len(y)), y])
    total = losses.sum() if weight is None else weight @ losses
    return total - log_prior(P, X, weight, fit_intercept)


def separated(n, d, K):
    """Samples of K classes, each in the class of its largest linear score."""
    rng = np.random.default_rng(0)
    while True:
        X = rng.normal(size=(n, d))
        y = (X @ rng.normal(size=(d, K))).argmax(axis=1)
        if np.bincount(y, minlength=K).min() > 2:
            return X, y
