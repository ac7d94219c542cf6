"""Entropy, cross-entropy and Kullback-Leibler divergence of distributions given as rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import entr, rel_entr, xlogy

from skxent.inputs.array_arguments import as_reals
from skxent.inputs.class_names import axis_names, check_orders
from skxent.inputs.namespaces import Floats, namespace_of
from skxent.inputs.options import unit
from skxent.inputs.partitions import is_dask
from skxent.inputs.predictions import read_probabilities, row_blocks
from skxent.inputs.shapes import check_broadcast, check_last_axis
from skxent.metrics import device_information as _array_api
from skxent.metrics.partitioned_information import by_rows


def entropy(p: ArrayLike, *, base: float | None = None) -> float | Floats:
    r"""Entropy of each distribution, the least cross-entropy that any prediction of it can have.

    Parameters
    ----------
    p : array-like of shape (..., K)
        Probabilities of K classes along the last axis; each row sums to 1.
    base : float, default=None
        Base of the logarithm. None gives nats, 2 gives bits.

    Returns
    -------
    float, ndarray or dask.array of shape (...,)
        The entropy of each row, from 0 (one class is certain) to log K (all are equal).

    Raises
    ------
    ValueError
        If a row is not a distribution: NaN, a negative value, or a sum other than 1.

    See Also
    --------
    cross_entropy : The cost of predicting q where p is true.
    kl_divergence : The part of the cost that a better prediction would avoid.

    Notes
    -----
    .. math:: H(p) = -\sum_k p_k \log p_k, \qquad 0 \log 0 = 0.

    Of a Dask collection the result is a Dask array, lazily; so it is in the other functions here.

    References
    ----------
    .. [1] C. E. Shannon, "A mathematical theory of communication", Bell System Technical Journal
       27 (1948). :doi:`10.1002/j.1538-7305.1948.tb01338.x`

    Examples
    --------
    >>> from skxent import entropy
    >>> entropy([0.5, 0.25, 0.25], base=2)
    1.5
    >>> entropy([[0.5, 0.5], [1.0, 0.0]], base=2)
    array([1., 0.])
    """
    scale = unit(base)
    if is_dask(p):
        return by_rows(entropy, p, base=base)
    if namespace_of(p) is not None:
        return _array_api.entropy(p, scale)
    return _per_row(entr(_distributions(p, "p")), scale)


def cross_entropy(p: ArrayLike, q: ArrayLike, *, base: float | None = None) -> float | Floats:
    r"""Cross-entropy of each prediction q where p is true; the smaller the better, at least H(p).

    Parameters
    ----------
    p : array-like of shape (..., K)
        The true distributions along the last axis; each row sums to 1.
    q : array-like of shape (..., K)
        The predicted distributions. The shapes of p and q are broadcast.
    base : float, default=None
        Base of the logarithm. None gives nats, 2 gives bits.

    Returns
    -------
    float, ndarray or dask.array of shape (...,)
        The cross-entropy of each row, infinite where q rules out what p allows. No probability is
        floored here.

    Raises
    ------
    ValueError
        If a row is not a distribution, the numbers of classes differ, or column names (or the index
        of a pandas series) have one class in different places.

    See Also
    --------
    categorical_cross_entropy : The same for samples, from labels or soft targets, with weights.

    Notes
    -----
    .. math:: H(p, q) = -\sum_k p_k \log q_k = H(p) + D(p \| q).

    Examples
    --------
    >>> from skxent import cross_entropy, entropy, kl_divergence
    >>> p, q = [0.5, 0.5], [0.25, 0.75]
    >>> round(cross_entropy(p, q), 6)
    0.836988
    >>> round(entropy(p) + kl_divergence(p, q), 6)
    0.836988
    """
    scale = unit(base)
    check_orders(p, "p", axis_names(q), "q")
    if is_dask(p, q):
        return by_rows(cross_entropy, p, q, base=base)
    if namespace_of(q) is not None:
        return _array_api.cross_entropy(p, q, scale)
    p, q = _pair(p, q)
    return _per_row(-xlogy(p, q), scale)


def kl_divergence(p: ArrayLike, q: ArrayLike, *, base: float | None = None) -> float | Floats:
    r"""Kullback-Leibler divergence of each q from p, also relative entropy; 0 where they are equal.

    Parameters
    ----------
    p : array-like of shape (..., K)
        The true distributions along the last axis; each row sums to 1.
    q : array-like of shape (..., K)
        The predicted distributions. The shapes of p and q are broadcast.
    base : float, default=None
        Base of the logarithm. None gives nats, 2 gives bits.

    Returns
    -------
    float, ndarray or dask.array of shape (...,)
        The divergence of each row, infinite where q rules out what p allows.

    Raises
    ------
    ValueError
        If a row is not a distribution, the numbers of classes differ, or column names (or the index
        of a pandas series) have one class in different places.

    Notes
    -----
    .. math:: D(p \| q) = \sum_k p_k \log \frac{p_k}{q_k} = H(p, q) - H(p).

    It is what soft targets call a deviance: the cross-entropy without the target's own entropy,
    which no prediction can avoid. Terms of both signs cancel in the sum, so the value is exact to
    about the machine epsilon, not to full relative accuracy; it is never returned below 0.

    References
    ----------
    .. [1] S. Kullback, R. A. Leibler, "On information and sufficiency", Annals of Mathematical
       Statistics 22 (1951). :doi:`10.1214/aoms/1177729694`

    Examples
    --------
    >>> from skxent import kl_divergence
    >>> kl_divergence([0.5, 0.5], [0.25, 0.75])
    0.143841036225890...
    >>> kl_divergence([1.0, 0.0], [0.0, 1.0])
    inf
    """
    scale = unit(base)
    check_orders(p, "p", axis_names(q), "q")
    if is_dask(p, q):
        return by_rows(kl_divergence, p, q, base=base)
    if namespace_of(q) is not None:
        return _array_api.kl_divergence(p, q, scale)
    p, q = _pair(p, q)
    return _per_row(rel_entr(p, q), scale, least=0.0)


def _per_row(terms: Floats, scale: float, least: float = -np.inf) -> float | Floats:
    """Sum the terms of each row, in the unit asked for; one row gives a float."""
    total = np.maximum(terms.sum(axis=-1), least) / scale
    return float(total) if total.ndim == 0 else total


def _pair(p: ArrayLike, q: ArrayLike) -> tuple[Floats, Floats]:
    """Return both arguments checked, with the same number of classes and shapes that broadcast."""
    left, right = _distributions(p, "p"), _distributions(q, "q")
    check_broadcast(left, right)
    return left, right


def _distributions(values: ArrayLike, name: str) -> Floats:
    """Return rows of probabilities in float64, each checked to be a distribution."""
    array = as_reals(values, name)
    check_last_axis(array, name)
    rows = array.reshape(-1, array.shape[-1])
    for block in row_blocks(rows.shape):
        read_probabilities(rows, block, name)
    return array.astype(np.float64, copy=False)
