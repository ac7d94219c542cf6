"""Random samples of rows, which estimate the objective of all rows and its curvature.

A sample has fewer rows with larger weights, so that the objective and the Hessian on the sample are
unbiased estimates of those on all rows. There is one exception: a second draw is made only if the
first draw missed a column, which biases the estimates. This bias does no harm, because a sample
only gives a starting point and a model of the curvature. Rows are drawn where they are stored, and
only drawn rows are transferred.
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

Scores = Any  # a score for each row: an (n,) array, or one array on each Dask partition
Drawn = TypeVar("Drawn", bound=RowArrays, covariant=True)


class Drawable(Protocol[Drawn]):
    """A row source that rows can be drawn from."""

    def total_score(self, scores: Scores) -> object:
        """Sum of the scores over all rows; partitions return it lazily."""
        ...

    def column_scores(self, columns: np.ndarray, centre: np.ndarray, moment: np.ndarray) -> Scores:
        """Return each row's part in second moments, see the function `column_scores`."""
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
    """Draw about `size` rows that represent every class and every column; subtract `centre`.

    Each row is kept or not, independently of the others, and the weight of a kept row is divided by
    the probability of keeping it. Without scores, this probability is the row's weight times a rate
    for its class, see `_class_rates`. With scores, most rows are drawn in proportion to their
    scores, and the rest by class. Either way the sample may miss columns that are nonzero in few
    rows (a rare indicator, an outlier). If the second moment of a column in the sample differs by a
    large factor from that of all rows, more rows are drawn, in proportion to their contributions to
    the second moments of such columns.
    """
    moment = moments.mean_square(centre)
    rate = size * _class_rates(moments)
    shares: list[object] = []
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
    # The second draw uses the same random numbers, so it contains all rows of the first draw. An
    # independent draw might miss another column.
    shares += [tuning.DRAWN_BY_COLUMN * size, columns, data.total_score(columns)]
    return data.draw(centre, rate, *shares)


def _class_rates(moments: Moments) -> np.ndarray:
    """Expected number of drawn rows per unit of weight in each class, for a sample of size 1, (K,).

    The share of a class in the sample is its share of the total weight, but at least 1 / (8 K).
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
    """Draw rows at random, at a rate for each class plus rates in proportion to scores.

    Parameters
    ----------
    data : RowArrays
    centre : (d,) array
    rate : (K,) array
        Probability of keeping a row of weight one, for each class.
    *shares : amount, scores, total, ...
        Three arguments for each kind of scores: the number of rows to draw in proportion to these
        scores, the scores (n,), and their sum over all rows of the fit.
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
    known = data.beside_X(rows)
    weight = 1.0 if data.weight is None else known["weight"]
    known["weight"] = weight / np.minimum(keep[rows], 1.0)
    return replace(data, X=_gather(data.X, rows, centre), part=0, **known)


def column_scores(
    data: RowArrays, columns: np.ndarray, centre: np.ndarray, moment: np.ndarray
) -> np.ndarray:
    """Return each row's part in the second moments of the given columns, (n,).

    The part is the weighted sum of (x - centre)^2 / moment over the given columns.
    """
    part = np.empty(data.n_rows)
    for rows in _batches(data):
        x = _gather(data.X, rows, centre)[:, columns]
        part[rows] = np.square(x) @ (1 / moment[columns])
    return part if data.weight is None else part * data.weight


def _batches(data: RowArrays) -> Iterator[slice]:
    step = max(1, tuning.RUN_ELEMENTS // data.n_features)
    return (slice(start, start + step) for start in range(0, data.n_rows, step))


def _gather(X: Matrix, rows: np.ndarray | slice, centre: np.ndarray) -> np.ndarray:
    """The given rows of X less the centre, dense; X is copied only once.

    Rows of a dense float32 X are float32: each entry is rounded once, after it is centred.
    """
    x = X[rows]
    if not isinstance(x, np.ndarray):
        x = x.toarray().astype(np.float64, copy=False)
    elif isinstance(rows, slice):  # x is a view of X, which must not be changed
        return np.subtract(x, centre, dtype=np.float64)
    elif x.dtype != np.float32:
        x = x.astype(np.float64, copy=False)
    return np.subtract(x, centre, out=x, dtype=np.float64, casting="same_kind")
