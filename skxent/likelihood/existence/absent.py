r"""Separation that sums of columns show: a class that is absent where a column is positive.

Let a column be nowhere negative, such as the indicator of a category, and let its sum over the
samples of class k be zero. Class k is then absent wherever the column is positive. If the
coefficient of class k goes to minus infinity, no loss rises, and the losses of the other samples
with this category fall: classes are separated, see `separation`. Without a penalty the coefficient
is infinite, however many samples there are, and a search could only follow it.

In the limit the category rules class k out. A sample for which all classes but one are ruled out
has a loss of zero and tells nothing more about other coefficients. Without these samples, class k
may be absent from further categories, and so on: each **level** of such pairs (class, column) comes
from the samples that the levels before have left. A level separates only if the coefficients of the
levels before are larger, so that they are doubled.

A fit begins far along this direction, where the probabilities of the classes that are ruled out
are lost in float64. It then minimises over the other coefficients, which may be finite.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse

from skxent.likelihood import tuning
from skxent.likelihood.existence.separation import Separation
from skxent.likelihood.penalty import centred
from skxent.likelihood.sources.base import RowSource
from skxent.likelihood.sources.first_sums import Moments
from skxent.likelihood.sources.local_rows import LocalRows

SIZES = 1e-100, 1e100  # sizes of columns whose coefficients and squares stay within float64
LEVELS = 4  # largest number of levels; the coefficients of the first are eight times the last ones


@dataclass(frozen=True)
class Absent:
    """Classes that are absent where columns are positive.

    Parameters
    ----------
    coef : (R, d) array
        The coefficients of the direction that separates. The smallest that is not zero moves the
        logits of a typical sample by one.
    separation : Separation
        The direction, as a fit reports it.
    n_passes : float
        Number of reads of X that found the classes.
    """

    coef: np.ndarray
    separation: Separation
    n_passes: float

    @classmethod
    def of(cls, source: RowSource, moments: Moments, free: np.ndarray) -> Absent | None:
        """Find absent classes; None if there are none, or if the rows are not in this process.

        Parameters
        ----------
        source : RowSource
        moments : Moments
            Moments of these rows.
        free : (d,) array of bool
            Mask of the columns without a penalty.
        """
        if not free.any():
            return None
        sums = moments.class_sums
        some = free & (moments.origin == 0) & (sums == 0).any(axis=0) & (sums != 0).any(axis=0)
        data = source.in_memory() if some.any() else None
        if data is None or data.n_rows * data.n_classes > tuning.ABSENT_NUMBERS:
            return None
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            size = moments.mean_square() / moments.mean  # the typical size of entries above zero
        least, most = SIZES
        free = free & (size > least) & (size < most) & ~_negative_columns(data)
        found = _levels(data, free)
        unit = np.divide(1.0, size, out=np.zeros_like(size), where=free)
        while found:
            coef = sum(-float(2**i) * level * unit for i, level in enumerate(reversed(found)))
            # Without an intercept a constant column separates, too.
            spread = moments.variance if data.fit_intercept else moments.mean_square()
            separation = _separation(data, coef, np.sqrt(spread))
            if separation is not None:
                n_passes = 2.0 + 3.0 * len(found)  # signs, margins, and three sums for each level
                own = coef[1:] - coef[:1] if len(coef) == 2 else coef
                return cls(own, separation, n_passes)
            found.pop()  # columns of uneven numbers: the first level separates in any case
        return None

    def start(self, start: tuple[np.ndarray, np.ndarray] | None) -> tuple[np.ndarray, np.ndarray]:
        """Return the parameters `start`, or zero, with the infinite coefficients far away."""
        coef = np.zeros_like(self.coef) if start is None else np.array(start[0])
        intercept = np.zeros(len(coef)) if start is None else start[1]
        infinite = self.coef != 0
        far = tuning.ABSENT_LOGIT * self.coef
        others = np.sum(coef * ~infinite, axis=0) / np.maximum((~infinite).sum(axis=0), 1)
        return np.where(infinite, others + far, coef), intercept


def _negative_columns(data: LocalRows) -> np.ndarray:
    """Return the mask of the columns with a negative entry in a sample of positive weight, (d,)."""
    result = np.zeros(data.n_features, dtype=bool)
    step = max(1, tuning.RUN_ELEMENTS // max(1, data.n_features))
    for start in range(0, data.n_rows, data.n_rows if data.sparse else step):
        x = data.X[start:] if data.sparse else data.X[start : start + step]
        if data.weight is not None:
            x = x[data.weight[start : start + x.shape[0]] > 0]
        if data.sparse:
            result[x.indices[x.data < 0]] = True
        else:
            result |= (x < 0).any(axis=0)
    return result


def _levels(data: LocalRows, free: np.ndarray) -> list[np.ndarray]:
    """Return the pairs of an absent class and a column for each level, (K, d) arrays of bool."""
    Y = _positive_targets(data)
    weighted = np.count_nonzero(Y, axis=1)[:, None] > 0
    possible = np.repeat(weighted, data.n_classes, axis=1)  # classes that are not ruled out
    found: list[np.ndarray] = []
    columns = np.flatnonzero(free)
    X = data.X[:, columns] if data.sparse else data.X
    while len(found) < LEVELS:
        several = np.count_nonzero(possible, axis=1)[:, None] > 1
        seen, ruled_in = (_sums(X, rows & several) for rows in (Y, possible))
        new = (seen == 0) & (ruled_in > 0)
        if not data.sparse:
            new &= free
        if not new.any():
            break
        possible &= ~(np.asarray(X @ new.T.astype(X.dtype)) > 0)
        level = np.zeros((data.n_classes, data.n_features), dtype=bool)
        level[:, columns if data.sparse else slice(None)] = new
        found.append(level)
    return found


def _sums(X: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the sums of columns over the rows in each column of a mask (n, K), (K, d)."""
    if scipy.sparse.issparse(X):
        return np.asarray((scipy.sparse.csr_array(rows.T.astype(X.dtype)) @ X).toarray())
    return np.asarray(rows.T.astype(X.dtype) @ X)


def _positive_targets(data: LocalRows) -> np.ndarray:
    """Return the mask of classes with a positive target; no class for a weight of zero, (n, K)."""
    if data.targets.ndim == 2:
        Y = data.targets > 0
    else:
        Y = data.targets[:, None] == np.arange(data.n_classes)
    return Y if data.weight is None else Y & (data.weight > 0)[:, None]


def _separation(data: LocalRows, coef: np.ndarray, spread: np.ndarray) -> Separation | None:
    """Return the separation along coefficients (K, d); None if a loss rises along them."""
    Y = _positive_targets(data)
    Z = np.asarray(data.X @ coef.T)
    Z, Y = Z[Y.any(axis=1)], Y[Y.any(axis=1)]
    rounding = tuning.MARGIN_ROUNDING * data.n_features * np.abs(Z).max(axis=1, keepdims=True)
    least = np.where(Y, Z, np.inf).min(axis=1, keepdims=True)
    margins = least - Z
    untied = Y & (np.abs(margins) > rounding)  # classes of one soft target must change equally
    if (margins < -rounding).any() or untied.any():
        return None
    clear = margins > rounding
    apart = Y.T.astype(float) @ clear.astype(float) > 0
    direction = centred(coef) if len(coef) > 2 else coef[1:] - coef[:1]
    direction = direction / np.abs(direction * spread).max()
    return Separation(
        kind="complete" if (clear | Y).all() and (Y.sum(axis=1) == 1).all() else "quasi-complete",
        direction=np.column_stack([direction, np.zeros(len(direction))]),
        pairs=tuple((int(a), int(b)) for a, b in np.argwhere(np.triu(apart | apart.T))),
        features=np.flatnonzero(coef.any(axis=0)),
        n_samples=int(clear.any(axis=1).sum()),
        n_total=len(Y),
    )
