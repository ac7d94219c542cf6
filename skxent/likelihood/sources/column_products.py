"""Inner products of centred and scaled columns of X, which determine the rank of X."""

from __future__ import annotations

import numpy as np
import scipy.sparse

from skxent.likelihood import tuning
from skxent.likelihood.sources.arrays import RowArrays
from skxent.likelihood.sources.blocks import Matrix, add

Products = tuple[np.ndarray, np.ndarray]


def column_products(
    data: RowArrays, centre: np.ndarray, scale: np.ndarray, V: np.ndarray | None
) -> Products:
    """Weighted X' E and E' E for the centred and scaled X; E is X V, or X if V is None."""
    blocks = data.blocks(None)
    products = _sparse_products if blocks.sparse else _dense_products

    def sums(segment: list[slice]) -> Products:
        with_X, own = np.zeros(()), np.zeros(())
        for rows in blocks.runs(segment):
            weight = np.ones(rows.stop - rows.start) if data.weight is None else data.weight[rows]
            with_X, own = add((with_X, own), products(data.X[rows], centre, scale, V, weight))
        return with_X, own

    try:
        parts = blocks.map(sums, len(scale) ** 2)
    finally:
        blocks.close()
    with_X, own = (sum(part) for part in zip(*parts, strict=True))
    return with_X, own


def _dense_products(
    x: np.ndarray, centre: np.ndarray, scale: np.ndarray, V: np.ndarray | None, weight: np.ndarray
) -> Products:
    x = np.subtract(x, centre, dtype=np.float64)
    x *= scale
    if V is None:
        x *= np.sqrt(weight)[:, None]
        gram = x.T @ x
        return gram, gram
    E = x @ V
    weighted = E * weight[:, None]
    return (x.T @ weighted, E.T @ weighted)


def _sparse_products(
    x: Matrix, centre: np.ndarray, scale: np.ndarray, V: np.ndarray | None, weight: np.ndarray
) -> Products:
    """Products of sparse rows; the means are subtracted from the sums, not from the rows."""
    x = scipy.sparse.csr_array(x, dtype=np.float64, copy=True)
    x, centre = _near(x, centre, scale)
    x.data *= scale[x.indices]
    centre = centre * scale
    weighted = x.copy()
    weighted.data *= np.repeat(weight, np.diff(x.indptr))
    sums = weighted.sum(axis=0)
    if V is None:
        gram = (x.T @ weighted).toarray() - np.outer(centre, sums)
        gram -= np.outer(sums - weight.sum() * centre, centre)
        return gram, gram
    E = x @ V - centre @ V
    with_X = weighted.T @ E - np.outer(centre, weight @ E)
    return with_X, E.T @ (E * weight[:, None])


def _near(x: Matrix, centre: np.ndarray, scale: np.ndarray) -> tuple[Matrix, np.ndarray]:
    """Subtract the centres that are far from zero; return the rows and the remaining centres."""
    far = np.flatnonzero(np.abs(centre * scale) > tuning.FAR_SPARSE_COLUMN)
    if not len(far):
        return x, centre
    x = x.tolil()
    x[:, far] = x[:, far].toarray() - centre[far]
    left = centre.copy()
    left[far] = 0.0
    return x.tocsr(), left
