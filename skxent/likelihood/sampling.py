"""Samples of rows that stand for all of them.

A sample is the same kind of thing as the whole: `Data` with fewer rows and larger weights, so that
the objective on it estimates the objective on all rows without bias, as does its curvature.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from skxent.likelihood.blocks import BLOCK_ELEMENTS
from skxent.likelihood.data import Data, Moments

SEED = 20150101  # the same sample every time


def sample(
    data: Data,
    moments: Moments,
    centre: np.ndarray | None,
    size: int,
    importance: np.ndarray | None = None,
) -> Data:
    """About `size` rows, less `centre`, drawn so that no class and no column is missed.

    Every row is kept with its own probability and its weight divided by that probability: part of
    it uniform within a class, where each class gets its share, and the most of it in proportion to
    `importance`, (n,), where that is given; it is overwritten. A uniform sample is blind to columns
    that live in few rows (a rare indicator, an outlier); where the second moment of a column in the
    sample is far from that of all rows, its rows are drawn in proportion to their part in it.
    """
    keep = _class_probability(data, moments, size)
    if importance is not None:
        keep *= 0.2
        importance *= 0.8 * size / importance.sum()
        keep += importance
    rng = np.random.default_rng(SEED)
    draw = rng.random(len(keep), dtype=np.float32)
    rows, weight = _kept(data, draw, keep)
    centre = np.zeros_like(moments.mean) if centre is None else centre
    moment = moments.variance + (moments.mean - centre) ** 2
    x = _gather(data.X, rows, centre)
    estimate = np.einsum("i,ij,ij->j", weight, x, x) / moments.class_weight.sum()
    missed = np.flatnonzero((estimate < moment / 3) | (estimate > 3 * moment))
    if len(missed):
        part = _part(data, missed, centre, moment)
        if data.weight is not None:
            part *= data.weight
        keep += 0.5 * size / part.sum() * part
        # The same draw, so that no row is lost: another column may live on it.
        rows, weight = _kept(data, draw, keep)
        x = _gather(data.X, rows, centre)
    return Data(x, data.targets[rows], weight, data.n_classes, data.fit_intercept, data.n_threads)


def _kept(data: Data, draw: np.ndarray, keep: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows that are drawn, and their weights over their probabilities."""
    rows = np.flatnonzero(draw < keep)
    weight = 1.0 if data.weight is None else data.weight[rows]
    return rows, weight / np.minimum(keep[rows], 1.0)


def _part(data: Data, columns: np.ndarray, centre: np.ndarray, moment: np.ndarray) -> np.ndarray:
    """Part of each row in the second moments of some columns, (n,)."""
    n = data.X.shape[0]
    part = np.empty(n)
    step = max(1, BLOCK_ELEMENTS // data.X.shape[1])
    for rows in (slice(start, start + step) for start in range(0, n, step)):
        x = _gather(data.X, rows, centre)[:, columns]
        part[rows] = np.square(x) @ (1 / moment[columns])
    return part


def _class_probability(data: Data, moments: Moments, size: int) -> np.ndarray:
    """Probability of keeping a row: at least an eighth of a fair share for every class."""
    total, K = moments.class_weight.sum(), data.n_classes
    share = np.maximum(moments.class_weight / total, 1 / (8 * K))
    rate = size * share / np.maximum(moments.class_weight, np.finfo(float).tiny)
    codes = data.targets if data.targets.ndim == 1 else data.targets.argmax(axis=1)
    keep: np.ndarray = rate[codes]
    return keep if data.weight is None else keep * data.weight


def _gather(X: Any, rows: Any, centre: np.ndarray) -> np.ndarray:
    """Rows of X less the centre, dense and in float64: a copy, and no second one on the way."""
    x = X[rows]
    if not isinstance(x, np.ndarray):
        x = x.toarray()
    elif isinstance(rows, slice):  # a view
        return np.subtract(x, centre, dtype=np.float64)
    return (
        np.subtract(x, centre, out=x)
        if x.dtype == np.float64
        else np.subtract(x, centre, dtype=np.float64)
    )
