"""Sums over samples of outer products x x' with weights that depend on probabilities.

These functions take arrays: samples x are (m, p), probabilities P and residuals P - Y are (R, m),
and class weights C are (q, m), one row for each matrix that is summed.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from skxent.inputs.namespaces import Array
from skxent.likelihood import tuning
from skxent.likelihood.sources.blocks import Matrix, product


@cache
def pairs(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices k <= l below n, in the order of packed matrices."""
    return np.triu_indices(n)


def pair_weights(P: np.ndarray, residual: np.ndarray | None, residual_weight: float) -> np.ndarray:
    """Weights of the full Hessian, one row for each pair of classes but the last.

    They are the entries of diag(p) - p p', and `residual_weight` times those of r r'.
    """
    n = max(len(P) - 1, 1)
    k, l = pairs(n)
    C = P[k] * P[l]
    np.negative(C, out=C)
    C[k == l] += P[:n]
    if residual is not None:
        C += residual_weight * residual[k] * residual[l]
    return C


def class_weights(P: Array, residual: Array | None, residual_weight: float) -> Any:
    """Weights of the diagonal class blocks of the Hessian, p (1 - p), (R, m)."""
    h = P * (1.0 - P)
    return h if residual is None else h + residual_weight * residual**2


def packs(n: int, p: int) -> bool:
    """Whether outer products of p entries are formed once for all n class weights."""
    return p <= min(tuning.PACKED_WIDTH, tuning.PACKED_RATIO * n)


def unpacked(gram: np.ndarray, p: int) -> np.ndarray:
    """Matrices (q, p, p), from packed ones or as they are."""
    if gram.ndim == 3:
        return gram
    matrices = np.empty((len(gram), p, p))
    i, j = pairs(p)
    matrices[:, i, j] = gram
    matrices[:, j, i] = gram
    return matrices


def packed_products(x: np.ndarray) -> np.ndarray | None:
    """All products of two entries of each row, (p (p + 1) / 2, m); None if they are too many."""
    m, p = x.shape
    n_products = p * (p + 1) // 2
    return _products(x, np.empty((n_products, m))) if m <= _batch(n_products) else None


def packed_gram(C: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Sums of all products of two entries, each product once, (q, p (p + 1) / 2)."""
    m, p = x.shape
    n_products = p * (p + 1) // 2
    batch = _batch(n_products)
    total = np.zeros((len(C), n_products))
    space = np.empty((n_products, min(batch, m)))
    for start in range(0, m, batch):
        products = _products(x[start : start + batch], space)
        total += product(C[:, start : start + batch], products.T)
    return total


def _batch(n_products: int) -> int:
    """Rows whose products are formed at a time."""
    return max(tuning.PACKED_SPACE // n_products, 16)


def _products(x: np.ndarray, space: np.ndarray) -> np.ndarray:
    columns = np.ascontiguousarray(x.T)
    products = space[:, : columns.shape[1]]
    row = 0
    for i in range(len(columns)):
        np.multiply(columns[i], columns[i:], out=products[row : row + len(columns) - i])
        row += len(columns) - i
    return products


def each_gram(C: np.ndarray, x: np.ndarray, scaled: np.ndarray) -> np.ndarray:
    """Sums of x x', (q, p, p), one symmetric product for each class weight.

    A class weight of one sign makes a product of a matrix with itself, for which BLAS takes half
    the time. `scaled` is space as large as x.
    """
    grams = np.empty((len(C), x.shape[1], x.shape[1]))
    for c, gram in zip(C, grams, strict=True):
        negative = c.min() < 0
        if negative and c.max() > 0:
            gram[...] = product(x.T, np.multiply(x, c[:, None], out=scaled))
            continue
        np.multiply(x, np.sqrt(np.abs(c) if negative else c)[:, None], out=scaled)
        gram[...] = product(scaled.T, scaled)
        if negative:
            np.negative(gram, out=gram)
    return grams


def centred_squares(h: np.ndarray, x: Matrix, centre: np.ndarray | None) -> np.ndarray:
    """Sums of h (x - c)^2 over the rows of a block as they are, dense or sparse, (R, d).

    They are computed as sums of h x^2 - 2 c h x + c^2 h, which keep a sparse x sparse.
    """
    dense = isinstance(x, np.ndarray)
    part = product(h, np.square(x) if dense else x.astype(np.float64, copy=False).power(2))
    if centre is not None:
        largest = part + h.sum(axis=1, keepdims=True) * centre**2
        part = largest - 2 * centre * product(h, x)
        # The sum of a constant column is zero.
        part[part < tuning.CANCELLED_SQUARES * largest] = 0.0
    return part


class DrawnGrams:
    """Sums of x x' for each class from rows drawn for this class, (R, p, p).

    A class needs the rows that it is uncertain of, which differ from class to class. A row is kept
    with probability min(1, class weight times the squared entries times `per_leverage`), and its
    weight is divided by this probability.
    """

    def __init__(self, per_leverage: np.ndarray) -> None:
        R, p = per_leverage.shape
        self.per_leverage = per_leverage
        self.total = np.zeros((R, p, p))
        self._kept: list[list[np.ndarray]] = [[] for _ in range(R)]

    def add(self, C: np.ndarray, x: np.ndarray, draw: np.ndarray) -> None:
        """Add some rows; `draw` holds a uniform number for each row."""
        keep = np.minimum(C * (self.per_leverage @ np.square(x).T), 1.0)
        for k, (gram, roots) in enumerate(zip(self.total, self._kept, strict=True)):
            i = np.flatnonzero(draw < keep[k])
            roots.append(x[i] * np.sqrt(C[k, i] / keep[k, i])[:, None])
            if sum(map(len, roots)) >= x.shape[1]:  # one large product is faster than small ones
                _add_squares(gram, roots)

    def finish(self) -> np.ndarray:
        """The sums, with the rows that have not been multiplied yet."""
        for gram, roots in zip(self.total, self._kept, strict=True):
            _add_squares(gram, roots)
        return self.total


def _add_squares(gram: np.ndarray, roots: list[np.ndarray]) -> None:
    """Add root' root of the rows that were kept, and forget the rows."""
    if roots:
        root = np.concatenate(roots)
        gram += root.T @ root
        roots.clear()
