"""Samples of rows that stand for all of them.

A sample is the same kind of thing as the whole: `LocalRows` with fewer rows and larger
weights, so that the objective on it estimates the objective on all rows without bias, as does its
curvature. (Where the first draw missed a column, the second knows of it, and what is due to that
column is biased: no matter for a place to start from, and a model of the curvature.) Rows are drawn
where they are, and those that are drawn come here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from skxent.likelihood.sources.base import RowSource
from skxent.likelihood.sources.blocks import RUN_ELEMENTS
from skxent.likelihood.sources.local_rows import LocalRows, joined
from skxent.likelihood.sources.moments import Moments

SEED = 20150101  # the same sample every time


def sample(
    data: RowSource,
    moments: Moments,
    centre: np.ndarray,
    size: int,
    importance: Any = None,
) -> LocalRows:
    """About `size` rows, less `centre`, drawn so that no class and no column is missed.

    Every row is kept with its own probability and its weight divided by that probability: part of
    it uniform within a class, where each class gets its share, and the most of it in proportion to
    `importance`, (n,) left where the rows are, where that is given. A uniform sample is blind to
    columns that live in few rows (a rare indicator, an outlier); where the second moment of a
    column in the sample is far from that of all rows, its rows are drawn in proportion to their
    part in it.
    """
    moment = moments.variance + (moments.mean - centre) ** 2
    rate = size * _class_rates(moments)
    total = None
    if importance is not None:
        rate, total = 0.2 * rate, data.total(data.map(_sum, importance))
    known = centre, rate, 0.8 * size, importance, total
    small = joined(data.gather(data.map(_draw, *known)), data.n_threads)
    estimate = _second_moments(small) / moments.class_weight.sum()
    missed = np.flatnonzero((estimate < moment / 3) | (estimate > 3 * moment))
    if len(missed) == 0:
        return small
    part = data.map(_part, missed, centre, moment)
    # The same draw, so that no row is lost: another column may live on it.
    both = 0.5 * size, part, data.total(data.map(_sum, part))
    return joined(data.gather(data.map(_draw, *known, *both)), data.n_threads)


def _class_rates(moments: Moments) -> np.ndarray:
    """Probability of keeping a row of each class, for a size of one.

    Each class has at least an eighth of a fair share.
    """
    weight = moments.class_weight
    share = np.maximum(weight / weight.sum(), 1 / (8 * len(weight)))
    return np.divide(share, weight, out=np.zeros_like(share), where=weight > 0)


def _second_moments(data: LocalRows) -> np.ndarray:
    """Weighted, summed over rows."""
    assert data.weight is not None
    result: np.ndarray = np.einsum("i,ij,ij->j", data.weight, data.X, data.X)
    return result


def _sum(data: LocalRows, values: np.ndarray) -> float:
    return float(values.sum())


def _draw(
    data: LocalRows,
    centre: np.ndarray,
    rate: np.ndarray,
    size: float,
    importance: np.ndarray | None,
    total: float | None,
    more: float = 0.0,
    part: np.ndarray | None = None,
    part_total: float | None = None,
) -> LocalRows:
    """Draw rows of one part: by the rates of their classes, and in proportion to what is given.

    That is about `size` rows by importance and `more` by their part in some columns, both (n,), of
    totals over all parts.
    """
    codes = data.targets if data.targets.ndim == 1 else data.targets.argmax(axis=1)
    keep: np.ndarray = rate[codes]
    if data.weight is not None:
        keep *= data.weight
    for amount, values, whole in ((size, importance, total), (more, part, part_total)):
        if values is not None and whole is not None and whole > 0:
            for batch in _batches(data):
                keep[batch] += amount / whole * values[batch]
    draw = np.random.default_rng(SEED + data.part).random(len(keep), dtype=np.float32)
    rows = np.flatnonzero(draw < keep)
    weight = 1.0 if data.weight is None else data.weight[rows]
    weight = weight / np.minimum(keep[rows], 1.0)
    x = _gather(data.X, rows, centre)
    return LocalRows(x, data.targets[rows], weight, data.n_classes, data.fit_intercept)


def _part(
    data: LocalRows, columns: np.ndarray, centre: np.ndarray, moment: np.ndarray
) -> np.ndarray:
    """Weighted part of each row in the second moments of some columns, (n,)."""
    part = np.empty(data.n_rows)
    for rows in _batches(data):
        x = _gather(data.X, rows, centre)[:, columns]
        part[rows] = np.square(x) @ (1 / moment[columns])
    return part if data.weight is None else part * data.weight


def _batches(data: LocalRows) -> Iterator[slice]:
    step = max(1, RUN_ELEMENTS // data.n_features)
    return (slice(start, start + step) for start in range(0, data.n_rows, step))


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
