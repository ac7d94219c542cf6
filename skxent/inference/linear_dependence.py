"""Columns that are linear combinations of others, within a model or between nested models."""

from __future__ import annotations

import numpy as np
from scipy.linalg import lapack, solve_triangular

from skxent.inference.information_matrix import SINGULAR
from skxent.inference.likelihood_estimate import LikelihoodEstimate, batches
from skxent.likelihood.objective import EPS
from skxent.likelihood.sources.first_sums import Moments
from skxent.likelihood.sources.local_rows import LocalRows

# Largest squared fraction of a column that may be rounding. Messages name the columns that have at
# least this coefficient in a linear combination.
DEPENDENT = 1e-6
# Squared norm of the part of a column outside the span of other columns, as a fraction of the
# column's squared norm, up to which this part may be rounding.
NESTED = 1e-9


def dependent_columns(data: LocalRows, moments: Moments) -> list[tuple[int, list[int]]]:
    """Return the columns that are linear combinations of others on the samples with weight.

    Returns
    -------
    list of (column, others)
        `column` is a linear combination of `others`, where the number d means the intercept. For a
        constant column `others` is the intercept alone. For a zero column of a model without
        intercept it is empty.
    """
    d = data.X.shape[1]
    middle = moments.mean if data.fit_intercept else np.zeros(d)
    deviation = np.sqrt(moments.variance + (moments.mean - middle) ** 2)
    constant = deviation <= 4 * EPS * np.abs(middle)
    others = np.flatnonzero(~constant)
    found = [(int(j), [d] if data.fit_intercept else []) for j in np.flatnonzero(constant)]
    if not len(others):
        return found
    # The rounding error of a column is epsilon times its mean, perhaps large against its deviation.
    noise = (np.finfo(data.X.dtype).eps * np.abs(middle[others]) / deviation[others]) ** 2
    least = float(np.clip(4 * noise.max(), SINGULAR, DEPENDENT))
    unit = np.where(constant, 0.0, 1.0 / np.where(constant, 1.0, deviation))
    A = np.zeros((d, d))
    for rows, x in batches(data.X, middle, False, 2 * d):
        x *= unit
        A += x.T @ (x if data.weight is None else x * data.weight[rows][:, None])
    A = A[np.ix_(others, others)] / moments.class_weight.sum()
    L, order, rank, _ = lapack.dpstrf(A, tol=least, lower=1)
    order = others[order - 1]
    head = np.tril(L[:rank, :rank])
    for row, column in enumerate(order[rank:], start=rank):
        parts = solve_triangular(head, L[row, :rank], lower=True, trans="T")
        involved = order[:rank][np.abs(parts) > DEPENDENT]
        found.append((int(column), [*sorted(int(j) for j in involved)]))
    return sorted(found)


def outside(larger: LikelihoodEstimate, smaller: LikelihoodEstimate) -> np.ndarray:
    """Return the columns of the smaller model outside the span of the larger model's columns.

    Columns are numbered as in the smaller model: the features first, then the intercept.
    """
    widths = larger.theta.shape[1], smaller.theta.shape[1]
    gram = np.zeros((sum(widths), sum(widths)))
    one = larger.batches(larger.data.X, 2 * sum(widths))
    X, intercept = smaller.data.X, smaller.data.fit_intercept
    other = batches(X, smaller.mean, intercept, 2 * sum(widths))
    for (rows, x), (_, x0) in zip(one, other, strict=True):
        both = np.hstack([x, x0])
        if larger.data.weight is not None:
            both *= (larger.data.weight[rows] > 0)[:, None]
        gram += both.T @ both
    unit = 1.0 / np.sqrt(np.diagonal(gram))
    gram *= unit * unit[:, None]
    L = np.linalg.cholesky(gram[: widths[0], : widths[0]])
    explained = solve_triangular(L, gram[: widths[0], widths[0] :], lower=True)
    return np.flatnonzero(1.0 - (explained**2).sum(axis=0) > NESTED)
