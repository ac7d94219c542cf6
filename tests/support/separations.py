"""Separation by its definition, and data to find it in."""

from collections import namedtuple

import numpy as np
import scipy.sparse
from scipy.optimize import linprog

from skxent.likelihood.existence.separation import find_separation
from skxent.likelihood.sources.local_rows import LocalRows

Truth = namedtuple("Truth", ["kind", "pairs", "margins"])


def find(X, y, weight=None, K=None, fit_intercept=True, **hints):
    y = np.asarray(y)
    K = K or (y.shape[1] if y.ndim == 2 else int(y.max()) + 1)
    return find_separation(LocalRows(X, y, weight, K, fit_intercept), **hints)


def constraints(X, Y, weight, fit_intercept):
    """Rows of all margins of Theta, flat, and which of them must be zero, from the definition."""
    n, K = Y.shape
    samples = np.column_stack([X, np.ones(n)]) if fit_intercept else X
    rows, names, tied = [], [], []
    for i in range(n) if weight is None else np.flatnonzero(weight):
        a = np.flatnonzero(Y[i])[0]
        for k in set(range(K)) - {a}:
            row = np.zeros((K, samples.shape[1]))
            row[a], row[k] = samples[i], -samples[i]
            rows.append(row.ravel())
            names.append((int(i), int(a), k))
            tied.append(Y[i, k] > 0)
    return np.array(rows), names, np.array(tied)


def truth(X, Y, weight=None, fit_intercept=True):
    """Which margins can be above zero: one linear programme for each, without any box."""
    rows, names, tied = constraints(X, Y, weight, fit_intercept)
    above, equal = rows[~tied], rows[tied]
    clear = np.zeros(len(above), dtype=bool)
    for j in range(len(above)):
        if clear[j]:
            continue
        result = linprog(
            -above[j],
            A_ub=np.vstack([-above, above[j : j + 1]]),
            b_ub=np.append(np.zeros(len(above)), 1.0),
            A_eq=equal,
            b_eq=np.zeros(len(equal)),
            bounds=(None, None),
            method="highs",
        )
        clear |= above @ result.x > 1e-6
    if not clear.any():
        return None
    found = {name for name, tie in zip(names, tied, strict=True) if not tie}
    found = {name for name, c in zip(sorted(found, key=names.index), clear, strict=True) if c}
    pairs = tuple(sorted({(min(a, k), max(a, k)) for _, a, k in found}))
    return Truth("complete" if clear.all() and not tied.any() else "quasi-complete", pairs, found)


def integers(seed):
    """Small tables full of ties: some separable, with soft rows, weights and dependent columns."""
    rng = np.random.default_rng(seed)
    K, d = rng.integers(2, 5), rng.integers(1, 5)
    n = rng.integers(K, 22)
    X = rng.integers(-2, 3, size=(n, d)).astype(float)
    for j in range(d):
        kind = rng.random()
        if kind < 0.4:
            X[:, j] = rng.random(n) < 0.2 if kind < 0.2 else X[:, 0] if kind < 0.3 else 3.0
    noise = rng.uniform(0, 1.5) * rng.gumbel(size=(n, K)) + rng.integers(-1, 2, size=K)
    Y = np.eye(K)[(X @ rng.integers(-2, 3, size=(K, d)).T + noise).argmax(axis=1)]
    if rng.random() < 0.3:
        soft = rng.random(n) < 0.3
        Y[soft] = (rng.random((n, K)) * (rng.random((n, K)) < 0.6))[soft]
        Y[Y.sum(axis=1) == 0, 0] = 1
        Y /= Y.sum(axis=1, keepdims=True)
    weight = np.where(rng.random(n) < 0.3, 0.0, 10.0 ** rng.uniform(-6, 6, size=n))
    weight = weight if weight.any() and rng.random() < 0.4 else None
    return X, Y, weight, bool(rng.random() < 0.7)


def sparse(X):
    return scipy.sparse.csr_array(X)


def same(found, want):
    if want is None or found is None:
        return found is want
    n_samples = len({i for i, _, _ in want.margins})
    return (found.kind, found.pairs, found.n_samples) == (want.kind, want.pairs, n_samples)


def touching(d, K, gap, n_pairs=60):
    """Samples on both sides of the borders between classes, `gap` apart; below zero, across."""
    rng = np.random.default_rng([d, K])
    W = rng.normal(size=(K, d))
    X, y = rng.normal(size=(300, d)), []
    y = (X @ W.T).argmax(axis=1)
    rows, labels = [X], [y]
    for x in X[:n_pairs]:
        b, a = np.argsort(W @ x)[-2:]
        w = W[a] - W[b]
        middle = x - w * (w @ x) / (w @ w)
        if (W @ middle).max() > W[a] @ middle + 1e-9:
            continue  # another class comes between
        step = 0.5 * gap * w / np.linalg.norm(w)
        rows.append([middle + step, middle - step])
        labels.append([a, b])
    return np.vstack(rows), np.concatenate(labels)
