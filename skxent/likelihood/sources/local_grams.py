"""Sums over samples that make a curvature: of products of entries, weighted by probabilities."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from skxent.likelihood.sources.blocks import product
from skxent.likelihood.sources.local_sums import LocalSums

ROUNDING = 1e-13  # of the terms of a sum that cancels
PACKED = 96  # sample entries up to which outer products of rows are formed and multiplied at once
PACKED_RATIO = 3.5  # and how many of them for each class weight: forming them is to pay
PACKED_SPACE = 1 << 19  # elements of the outer products of one batch

ClassWeights = Callable[[np.ndarray, np.ndarray | None], np.ndarray]


def pair_gram(rows: LocalSums, theta: np.ndarray, caution: float) -> np.ndarray:
    """Sums of x x' with the weights of the full model, one for each pair of classes k <= l.

    Of the classes but the last, (K - 1) K / 2 pairs; `unpacked` gives the (p, p) matrices.
    """
    n = max(rows.shape[0] - 1, 1)
    k, l = pairs(n)
    own = k == l

    def pair_weights(P: np.ndarray, residual: np.ndarray | None) -> np.ndarray:
        C = P[k] * P[l]
        np.negative(C, out=C)
        C[own] += P[:n]
        if residual is not None:
            C += caution * residual[k] * residual[l]
        return C

    return _gram(rows, theta, pair_weights, caution, len(k))


def own_gram(rows: LocalSums, theta: np.ndarray, caution: float) -> np.ndarray:
    """Sums of x x' with the weights of the class blocks, one for each row of theta."""

    def own_weights(P: np.ndarray, residual: np.ndarray | None) -> np.ndarray:
        return own_curvature(P, residual, caution)

    return _gram(rows, theta, own_weights, caution, len(theta))


def drawn_own_gram(
    rows: LocalSums, theta: np.ndarray, caution: float, per_leverage: np.ndarray
) -> np.ndarray:
    """`own_gram`, (R, p, p), from a draw of rows for each class.

    A class needs the rows that it is uncertain of, and another class other rows. One is kept with
    the probability class weight times squared entries times `per_leverage` (R, p), one at most,
    and weighs the reciprocal of that.
    """
    blocks, shape = rows.blocks, (len(theta), theta.shape[1], theta.shape[1])

    def sums(segment: list[slice]) -> np.ndarray:
        buffer, total = blocks.buffer(), np.zeros(shape)
        kept: list[list[np.ndarray]] = [[] for _ in theta]
        space = blocks.rows_space("samples", blocks.run_rows, shape[1])
        for block in blocks.runs(segment):
            P = rows.probabilities(theta, blocks.read(block, buffer))
            residual = rows.residuals(P, block) if caution else None
            C = rows.weigh(own_curvature(P, residual, caution), block)
            x = rows.samples(block, buffer, space)
            keep = np.minimum(C * (per_leverage @ np.square(x).T), 1.0)
            draw = np.random.default_rng((rows.data.part, block.start)).random(len(x))
            for k, gram in enumerate(total):
                i = np.flatnonzero(draw < keep[k])
                kept[k].append(x[i] * np.sqrt(C[k, i] / keep[k, i])[:, None])
                if sum(map(len, kept[k])) >= shape[1]:  # large products are fast, and memory dear
                    _add_squares(gram, kept[k])
        for gram, roots in zip(total, kept, strict=True):
            _add_squares(gram, roots)
        return total

    gram: np.ndarray = sum(blocks.map(sums, theta.size * theta.shape[1]))
    return gram


def _add_squares(gram: np.ndarray, roots: list[np.ndarray]) -> None:
    """Add root' root of what was kept, and keep it no longer."""
    if roots:
        root = np.concatenate(roots)
        gram += root.T @ root
        roots.clear()


def own_squares(rows: LocalSums, theta: np.ndarray, caution: float) -> np.ndarray:
    """The diagonals of those, (R, p).

    Sums of h (x - c)^2 are taken as h x^2 - 2 c h x + c^2 h, which keeps a sparse x sparse.
    """
    blocks, c = rows.blocks, rows.centre

    def sums(segment: list[slice]) -> np.ndarray:
        total, buffer = np.zeros(theta.shape), blocks.buffer()
        for block in segment:
            x = blocks.read(block, buffer)
            P = rows.probabilities(theta, x)
            residual = rows.residuals(P, block) if caution else None
            h = rows.weigh(own_curvature(P, residual, caution), block)
            squares = x.astype(np.float64, copy=False).power(2) if blocks.sparse else np.square(x)
            part = product(h, squares)
            h_sum = h.sum(axis=1, keepdims=True)
            if c is not None:
                largest = part + h_sum * c**2
                part = largest - 2 * c * product(h, x)
                part[part < ROUNDING * largest] = 0.0  # all that is left of a constant column
            total[:, : blocks.n_features] += part
            total[:, blocks.n_features :] += h_sum
        return total

    squares: np.ndarray = sum(blocks.map(sums, theta.size))
    return squares


def own_curvature(P: np.ndarray, residual: np.ndarray | None, caution: float) -> np.ndarray:
    """Curvature of each class for itself, (R, m)."""
    h = P * (1.0 - P)
    return h if residual is None else h + caution * residual**2


def _gram(
    rows: LocalSums, theta: np.ndarray, class_weights: ClassWeights, caution: float, n: int
) -> np.ndarray:
    """Sum over samples of c_q x x' for class weights c = class_weights(P), (n, m).

    (n, p, p), or for samples that are not long (n, p (p + 1) / 2), each entry once.
    """
    blocks, p = rows.blocks, theta.shape[1]
    packed = packs(n, p)

    def sums(segment: list[slice]) -> np.ndarray:
        buffer, total = blocks.buffer(), np.zeros(0)
        space = blocks.rows_space("samples", blocks.run_rows, p)
        scaled = blocks.rows_space("scaled", blocks.run_rows, p)
        for block in blocks.runs(segment):
            P = rows.probabilities(theta, blocks.read(block, buffer))
            C = class_weights(P, rows.residuals(P, block) if caution else None)
            x = rows.samples(block, buffer, space)
            C = rows.weigh(C, block)
            part = _packed_gram(rows, C, x) if packed else _each_gram(C, x, scaled[: len(x)])
            total = np.add(total, part, out=total) if total.size else part
        return total

    gram: np.ndarray = sum(blocks.map(sums, n * p * (p + 1) // 2))
    return gram


def packs(n: int, p: int) -> bool:
    """Whether outer products of p entries are formed once for all n class weights."""
    return p <= min(PACKED, PACKED_RATIO * n)


def unpacked(gram: np.ndarray, p: int) -> np.ndarray:
    """Matrices (n, p, p) of what `_gram` gives."""
    if gram.ndim == 3:
        return gram
    matrices = np.empty((len(gram), p, p))
    i, j = pairs(p)
    matrices[:, i, j] = gram
    matrices[:, j, i] = gram
    return matrices


@cache
def pairs(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices k <= l below n."""
    return np.triu_indices(n)


def _packed_gram(rows: LocalSums, C: np.ndarray, x: np.ndarray) -> np.ndarray:
    """All class weights times all products of two entries, (q, p (p + 1) / 2): one product.

    The products of few rows, which are one block, are kept: they are the same at every point.
    """
    m, p = x.shape
    n_products = p * (p + 1) // 2
    batch = max(PACKED_SPACE // n_products, 16)
    if rows.written_out and m <= batch:
        if rows.products is None:
            rows.products = _products(x, np.empty((n_products, m)))
        return C @ rows.products.T
    total = np.zeros((len(C), n_products))
    space = np.empty((n_products, min(batch, m)))
    for start in range(0, m, batch):
        products = _products(x[start : start + batch], space)
        total += product(C[:, start : start + batch], products.T)
    return total


def _products(x: np.ndarray, space: np.ndarray) -> np.ndarray:
    """Products of two entries of each row, each once, (p (p + 1) / 2, m)."""
    columns = np.ascontiguousarray(x.T)
    products = space[:, : columns.shape[1]]
    row = 0
    for i in range(len(columns)):
        np.multiply(columns[i], columns[i:], out=products[row : row + len(columns) - i])
        row += len(columns) - i
    return products


def _each_gram(C: np.ndarray, x: np.ndarray, scaled: np.ndarray) -> np.ndarray:
    """The same, one symmetric product a class weight, for samples too long to pack.

    A class weight that does not change its sign makes a square, which BLAS forms in half the time.
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
