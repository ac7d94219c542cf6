"""Gram matrices: weighted sums over samples of outer products x x'.

Samples x are (m, p), probabilities P and residuals P - Y are (R, m). Class weights C are (q, m):
each row holds the weights of the samples in one of q Gram matrices, computed from P.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from skxent.inputs.features import AnyArray
from skxent.inputs.namespaces import Array
from skxent.likelihood import tuning
from skxent.likelihood.sources.blocks import Matrix, product

# Largest number of multiplications of a matrix product for which OpenBLAS has kernels that do not
# copy the factors. Its product of a matrix with its own transpose always copies.
SMALL_PRODUCT = 1_000_000


@cache
def pairs(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices k <= l below n, in the order of packed matrices."""
    return np.triu_indices(n)


def pair_weights(P: np.ndarray, residual: np.ndarray | None, residual_weight: float) -> np.ndarray:
    """Weights of the blocks (k, l), k <= l, of the Hessian without the last class, (q, m).

    They are the entries of diag(p) - p p' + `residual_weight` r r', where r is the residual.
    """
    if len(P) == 1:
        return class_weights(P, residual, residual_weight)
    n = len(P) - 1
    k, l = pairs(n)
    C = P[k] * P[l]
    np.negative(C, out=C)
    C[k == l] += P[:n]
    if residual is not None:
        C += residual_weight * residual[k] * residual[l]
    return C


def class_weights(P: Array, residual: Array | None, residual_weight: float) -> AnyArray:
    """Weights of the diagonal blocks of the Hessian: p (1 - p) + `residual_weight` r^2, (R, m)."""
    h = P * (1.0 - P)
    return h if residual is None else h + residual_weight * residual**2


def packs(n: int, p: int) -> bool:
    """Whether products of two of p entries are formed once and shared by n class weights."""
    return p <= min(tuning.PACKED_WIDTH, tuning.PACKED_RATIO * n)


def unpacked(gram: np.ndarray, p: int) -> np.ndarray:
    """Full matrices (q, p, p): packed matrices are expanded, full ones returned as they are."""
    if gram.ndim == 3:
        return gram
    matrices = np.empty((len(gram), p, p))
    i, j = pairs(p)
    matrices[:, i, j] = gram
    matrices[:, j, i] = gram
    return matrices


def joined(gram: np.ndarray, R: int, p: int) -> np.ndarray:
    """The Hessian of width (K - 1) p from its blocks (k, l), k <= l, packed or not."""
    n = max(R - 1, 1)
    gram = unpacked(gram, p)
    if n == 1:
        return gram.reshape(p, p)
    k, l = pairs(n)
    H = np.empty((n, p, n, p))
    H[k, :, l, :] = gram
    H[l, :, k, :] = gram
    return H.reshape(n * p, n * p)


def packed_products(x: np.ndarray) -> np.ndarray | None:
    """All products of two entries of each row, (p (p + 1) / 2, m); None if they are too many."""
    m, p = x.shape
    n_products = p * (p + 1) // 2
    return _products(x, np.empty((n_products, m), x.dtype)) if m <= _batch(n_products) else None


def packed_gram(C: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Upper triangles of the q Gram matrices, (q, p (p + 1) / 2)."""
    m, p = x.shape
    n_products = p * (p + 1) // 2
    batch = _batch(n_products)
    total = np.zeros((len(C), n_products))
    space = np.empty((n_products, min(batch, m)), x.dtype)
    for start in range(0, m, batch):
        products = _products(x[start : start + batch], space)
        total += product(C[:, start : start + batch], products.T)
    return total


def _batch(n_products: int) -> int:
    """Number of rows in a batch, for which the products of entries are formed together."""
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
    """The q Gram matrices, (q, p, p), one matrix product for each.

    If all weights of a matrix have the same sign, x is multiplied by their square roots and then by
    its own transpose, for which BLAS takes half the time unless x is small. `scaled` is scratch
    space of the shape of x. For one matrix with weights of the same sign it may be x itself, which
    is then overwritten.
    """
    grams = np.empty((len(C), x.shape[1], x.shape[1]))
    small = scaled is not x and x.size * x.shape[1] <= SMALL_PRODUCT
    for c, gram in zip(C, grams, strict=True):
        negative = not small and c.min() < 0
        if small or (negative and c.max() > 0):
            gram[...] = product(x.T, np.multiply(x, c[:, None], out=scaled))
            continue
        np.multiply(x, np.sqrt(np.abs(c) if negative else c)[:, None], out=scaled)
        gram[...] = product(scaled.T, scaled)
        if negative:
            np.negative(gram, out=gram)
    return grams


def centred_squares(h: np.ndarray, x: Matrix, centre: np.ndarray | None) -> np.ndarray:
    """Sums of h (x - centre)^2 over the rows x of a dense or sparse block, (R, d).

    The sums are those of h x^2 - 2 c h x + c^2 h, with c the centre, so that x stays sparse.
    """
    dense = isinstance(x, np.ndarray)
    part = product(h, np.square(x) if dense else x.astype(np.float64, copy=False).power(2))
    if centre is not None:
        largest = part + h.sum(axis=1, keepdims=True, dtype=np.float64) * centre**2
        part = largest - 2 * centre * product(h, x)
        # A remainder this small is rounding error, as in a constant column, whose sum is zero.
        part[part < tuning.CANCELLED_SQUARES * largest] = 0.0
    return part


class DrawnGrams:
    """Gram matrices (R, p, p), each estimated from rows that are drawn at random for one class.

    The curvature of a class comes mostly from rows whose class probability is far from 0 and 1, and
    these rows differ from class to class. For class k, a row x with class weight c is kept with
    probability min(1, c * sum_j per_leverage[k, j] x_j^2), by which its weight is divided.
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
        """Add the rows that are still waiting, and return the Gram matrices."""
        for gram, roots in zip(self.total, self._kept, strict=True):
            _add_squares(gram, roots)
        return self.total


def _add_squares(gram: np.ndarray, roots: list[np.ndarray]) -> None:
    """Add root' root to `gram`, where root stacks the kept rows, and empty the list."""
    if roots:
        root = np.concatenate(roots)
        gram += root.T @ root
        roots.clear()
