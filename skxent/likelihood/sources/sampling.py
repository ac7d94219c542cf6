"""Samples of rows that stand for all rows.

A sample has fewer rows with larger weights, so that the objective on the sample estimates the
objective on all rows without bias, and so does its curvature. One part is biased: if the first draw
missed a column, the second draw depends on that. This does no harm, because a sample only gives a
starting point and a model of the curvature. Rows are drawn where they are; only drawn rows move.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Protocol, TypeVar

import numpy as np

from skxent.likelihood import tuning
from skxent.likelihood.sources.arrays import RowArrays, Rows
from skxent.likelihood.sources.blocks import Matrix
from skxent.likelihood.sources.first_sums import Moments

SEED = 20150101  # any number; a fixed one draws the same sample every time

Scores = Any  # a number for each row: an (n,) array, or one for each partition, left there
Drawn = TypeVar("Drawn", bound=RowArrays, covariant=True)


class Drawable(Protocol[Drawn]):
    """A row source that rows can be drawn from."""

    def total_score(self, scores: Scores) -> Any:
        """Sum of scores over all rows, left where it is computed."""
        ...

    def column_scores(self, columns: np.ndarray, centre: np.ndarray, moment: np.ndarray) -> Scores:
        """Part of each row in the second moments of some columns."""
        ...

    def draw(self, centre: np.ndarray, rate: np.ndarray, *shares: Any) -> Drawn:
        """Draw rows, see `draw_rows`."""
        ...


def draw_sample(
    data: Drawable[Drawn],
    moments: Moments,
    centre: np.ndarray,
    size: int,
    scores: Scores | None = None,
) -> Drawn:
    """Draw about `size` rows, less `centre`, that miss no class and no column.

    Each row is kept with a probability of its own, and its weight is divided by this probability.
    A class gets at least part of its share; without scores, all rows of a class are alike. With
    scores, most rows are drawn in proportion to their score. A uniform sample may miss columns that
    are nonzero in few rows (a rare indicator, an outlier). If the second moment of a column in the
    sample is far from the one of all rows, rows are also drawn in proportion to their part in it.
    """
    moment = moments.mean_square(centre)
    rate = size * _class_rates(moments)
    shares: list[Any] = []
    if scores is not None:
        rate = tuning.DRAWN_BY_CLASS * rate
        shares = [(1 - tuning.DRAWN_BY_CLASS) * size, scores, data.total_score(scores)]
    small = data.draw(centre, rate, *shares)
    estimate = _second_moments(small) / moments.class_weight.sum()
    missed = np.flatnonzero(
        (estimate < moment / tuning.MISSED_COLUMN) | (estimate > tuning.MISSED_COLUMN * moment)
    )
    if len(missed) == 0:
        return small
    columns = data.column_scores(missed, centre, moment)
    # The same draw and more rows: another column may depend on a row that was drawn.
    shares += [tuning.DRAWN_BY_COLUMN * size, columns, data.total_score(columns)]
    return data.draw(centre, rate, *shares)


def _class_rates(moments: Moments) -> np.ndarray:
    """Probability of keeping a row of weight one of each class, for a size of one, (K,).

    Each class has at least an eighth of an equal share.
    """
    weight = moments.class_weight
    share = np.maximum(weight / weight.sum(), 1 / (8 * len(weight)))
    return np.divide(share, weight, out=np.zeros_like(share), where=weight > 0)


def _second_moments(data: RowArrays) -> np.ndarray:
    """Weighted sums of squares of the columns, (d,)."""
    assert data.weight is not None
    result: np.ndarray = np.einsum("i,ij,ij->j", data.weight, data.X, data.X)
    return result


def draw_rows(data: Rows, centre: np.ndarray, rate: np.ndarray, *shares: Any) -> Rows:
    """Draw rows by the rates of their classes, and in proportion to scores.

    Parameters
    ----------
    data : RowArrays
    centre : (d,) array
    rate : (K,) array
        Probability for a row of weight one of each class.
    *shares : amount, scores, total, ...
        For each kind of scores: how many rows to draw by them, the scores (n,) and their total over
        all rows of the fit.
    """
    codes = data.targets if data.targets.ndim == 1 else data.targets.argmax(axis=1)
    keep: np.ndarray = rate[codes]
    if data.weight is not None:
        keep *= data.weight
    for amount, scores, total in zip(shares[::3], shares[1::3], shares[2::3], strict=True):
        if total > 0:
            for batch in _batches(data):
                keep[batch] += amount / total * scores[batch]
    draw = np.random.default_rng(SEED + data.part).random(len(keep), dtype=np.float32)
    rows = np.flatnonzero(draw < keep)
    weight = 1.0 if data.weight is None else data.weight[rows]
    weight = weight / np.minimum(keep[rows], 1.0)
    X = _gather(data.X, rows, centre)
    return replace(data, X=X, targets=data.targets[rows], weight=weight, part=0)


def column_scores(
    data: RowArrays, columns: np.ndarray, centre: np.ndarray, moment: np.ndarray
) -> np.ndarray:
    """Weighted part of each row in the second moments of some columns, (n,)."""
    part = np.empty(data.n_rows)
    for rows in _batches(data):
        x = _gather(data.X, rows, centre)[:, columns]
        part[rows] = np.square(x) @ (1 / moment[columns])
    return part if data.weight is None else part * data.weight


def _batches(data: RowArrays) -> Iterator[slice]:
    step = max(1, tuning.RUN_ELEMENTS // data.n_features)
    return (slice(start, start + step) for start in range(0, data.n_rows, step))


def _gather(X: Matrix, rows: np.ndarray | slice, centre: np.ndarray) -> np.ndarray:
    """Some rows of X less the centre, dense and in float64, with one copy."""
    x = X[rows]
    if not isinstance(x, np.ndarray):
        x = x.toarray()
    elif isinstance(rows, slice):  # a view
        return np.subtract(x, centre, dtype=np.float64)
    out = x if x.dtype == np.float64 else None
    return np.subtract(x, centre, out=out, dtype=np.float64)
