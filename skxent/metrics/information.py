"""Entropy, cross-entropy and Kullback-Leibler divergence of distributions given as rows.

Only the three functions `_..._terms` distinguish NumPy arrays from arrays of other libraries.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import entr, rel_entr, xlogy

from skxent.inputs.array_arguments import as_reals, reals_of
from skxent.inputs.class_names import axis_names, check_orders
from skxent.inputs.namespaces import (
    AnyArray,
    Array,
    Floats,
    library_of,
    moved,
    namespace_of,
    widened,
)
from skxent.inputs.options import unit
from skxent.inputs.partitions import is_dask
from skxent.inputs.predictions import check_distributions
from skxent.inputs.shapes import check_broadcast, check_last_axis


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
    cross_entropy : The expected loss of predicting q where p is true.
    kl_divergence : The part of the cross-entropy that a better prediction would avoid.

    Notes
    -----
    .. math:: H(p) = -\sum_k p_k \log p_k, \qquad 0 \log 0 = 0.

    The result for a Dask collection is a lazy Dask array; so are the results of `cross_entropy` and
    `kl_divergence`.

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
        return _lazily(entropy, p, base=base)
    return _per_row(_entropy_terms(_distributions(p, "p", p)), scale)


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
        The cross-entropy of each row, infinite where q gives probability 0 to a class that p
        allows. No probability is floored here.

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
        return _lazily(cross_entropy, p, q, base=base)
    return _per_row(_cross_entropy_terms(*_pair(p, q)), scale)


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
        The divergence of each row, infinite where q gives probability 0 to a class that p allows.

    Raises
    ------
    ValueError
        If a row is not a distribution, the numbers of classes differ, or column names (or the index
        of a pandas series) have one class in different places.

    Notes
    -----
    .. math:: D(p \| q) = \sum_k p_k \log \frac{p_k}{q_k} = H(p, q) - H(p).

    For soft targets it is the deviance: the cross-entropy without the target's own entropy, which
    no prediction can avoid. Terms of both signs cancel in the sum, so the value is exact to
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
        return _lazily(kl_divergence, p, q, base=base)
    return _per_row(_divergence_terms(*_pair(p, q)), scale, least=0.0)


def _entropy_terms(p: Array) -> Array:
    return entr(p) if isinstance(p, np.ndarray) else 0.0 - _times_log(p, p)


def _cross_entropy_terms(p: Array, q: Array) -> Array:
    return -xlogy(p, q) if isinstance(p, np.ndarray) else 0.0 - _times_log(p, q)


def _divergence_terms(p: Array, q: Array) -> Array:
    """Return p log(p / q).

    On a device: by log1p where p and q are close, by two logarithms where p / q is extreme.
    """
    if isinstance(p, np.ndarray):
        return rel_entr(p, q)
    xp = library_of(p)
    info = xp.finfo(q.dtype)
    with np.errstate(all="ignore"):  # array-api-strict computes with NumPy
        ratio = p / q
        near = (ratio > 0.5) & (ratio < 2.0)
        plain = (ratio > float(info.smallest_normal)) & (ratio < float(info.max))
        logs = xp.where(plain, xp.log(ratio), xp.log(p) - xp.log(q))
        terms = p * xp.where(near, xp.log1p((p - q) / q), logs)
    return xp.where(p + xp.zeros_like(q) > 0, terms, xp.zeros_like(terms))


def _times_log(p: Array, q: Array) -> Array:
    """Return p log q, where 0 log 0 = 0."""
    xp = library_of(p)
    with np.errstate(all="ignore"):
        terms = p * xp.log(q)
    return xp.where(p + xp.zeros_like(q) > 0, terms, xp.zeros_like(terms))


def _per_row(terms: Array, scale: float, least: float = -np.inf) -> float | Floats:
    """Sum the terms of each row, in the requested unit; a single row gives a float."""
    xp = library_of(terms)
    total = xp.clip(xp.sum(terms, axis=-1), least, np.inf) / scale
    return float(total) if total.ndim == 0 else total


def _pair(p: ArrayLike, q: ArrayLike) -> tuple[Array, Array]:
    """Return both arguments checked, with the same number of classes and shapes that broadcast."""
    left, right = _distributions(p, "p", q), _distributions(q, "q", q)
    check_broadcast(left, right)
    return left, right


def _distributions(values: ArrayLike, name: str, like: AnyArray) -> Array:
    """Return rows of probabilities in the library of `like`, each checked to be a distribution."""
    on_host = namespace_of(like) is None
    array: Array = as_reals(values, name) if on_host else moved(reals_of(values, name), like)
    check_last_axis(array, name)
    check_distributions(library_of(array).reshape(array, (-1, array.shape[-1])), name)
    return widened(array)


def _lazily(
    function: Callable[..., float | Floats], *values: object, base: float | None
) -> AnyArray:
    """Return ``function(*values, base=base)`` of Dask collections as a lazy array."""
    from dask import array

    arrays = [each.to_dask_array() if hasattr(each, "to_dask_array") else each for each in values]
    if len(arrays) > 1:  # an array of unknown shape cannot be broadcast
        arrays = [_of_known_shape(each) for each in arrays]
    signature = ",".join(["(k)"] * len(arrays)) + "->()"
    return array.apply_gufunc(
        partial(_unless_empty, function),
        signature,
        *arrays,
        base=base,
        output_dtypes=np.float64,
        allow_rechunk=True,
    )


def _unless_empty(
    function: Callable[..., float | Floats], *values: np.ndarray, base: float | None
) -> float | Floats:
    shape = np.broadcast_shapes(*[each.shape[:-1] for each in values])
    return function(*values, base=base) if 0 not in shape else np.empty(shape)


def _of_known_shape(array: AnyArray) -> AnyArray:
    unknown = any(n != n for n in getattr(array, "shape", ()))
    return array.copy().compute_chunk_sizes() if unknown else array
