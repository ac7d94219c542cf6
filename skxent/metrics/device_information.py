"""Entropy, cross-entropy and Kullback-Leibler divergence of distributions on a device."""

from __future__ import annotations

from typing import Any

import numpy as np

from skxent.inputs.array_arguments import reals_of
from skxent.inputs.namespaces import library_of, moved, widened
from skxent.inputs.predictions import read_probabilities
from skxent.inputs.shapes import check_broadcast, check_last_axis


def entropy(p: Any, scale: float) -> Any:
    """Entropy of each row, in units of `scale` nats."""
    p = _distributions(p, "p", p)
    return _per_row(0.0 - _times_log(p, p), scale)


def cross_entropy(p: Any, q: Any, scale: float) -> Any:
    """Cross-entropy of each row q where p is true."""
    p, q = _pair(p, q)
    return _per_row(0.0 - _times_log(p, q), scale)


def kl_divergence(p: Any, q: Any, scale: float) -> Any:
    """Kullback-Leibler divergence of each row q from p."""
    p, q = _pair(p, q)
    return _per_row(_relative_entropy(p, q), scale, least=0.0)


def _times_log(p: Any, q: Any) -> Any:
    """P log q, where 0 log 0 = 0."""
    xp = library_of(p)
    with np.errstate(all="ignore"):  # array-api-strict computes with NumPy
        terms = p * xp.log(q)
    return xp.where(p + xp.zeros_like(q) > 0, terms, xp.zeros_like(terms))


def _relative_entropy(p: Any, q: Any) -> Any:
    """P log(p / q): by log1p where the two are near, by two logarithms where p / q is extreme."""
    xp = library_of(p)
    info = xp.finfo(q.dtype)
    with np.errstate(all="ignore"):
        ratio = p / q
        near = (ratio > 0.5) & (ratio < 2.0)
        plain = (ratio > float(info.smallest_normal)) & (ratio < float(info.max))
        logs = xp.where(plain, xp.log(ratio), xp.log(p) - xp.log(q))
        terms = p * xp.where(near, xp.log1p((p - q) / q), logs)
    return xp.where(p + xp.zeros_like(q) > 0, terms, xp.zeros_like(terms))


def _per_row(terms: Any, scale: float, least: float = -np.inf) -> Any:
    """Sum the terms of each row, in the unit asked for; one row gives a float."""
    xp = library_of(terms)
    total = xp.clip(xp.sum(terms, axis=-1), least, np.inf) / scale
    return float(total) if total.ndim == 0 else total


def _pair(p: Any, q: Any) -> tuple[Any, Any]:
    """Return both arguments checked and in one place."""
    left, right = _distributions(p, "p", q), _distributions(q, "q", q)
    check_broadcast(left, right)
    return left, right


def _distributions(values: Any, name: str, like: Any) -> Any:
    """Return rows of probabilities in the place of `like`, each checked to be a distribution."""
    array = moved(reals_of(values, name), like)
    check_last_axis(array, name)
    rows = library_of(array).reshape(array, (-1, array.shape[-1]))
    read_probabilities(rows, slice(0, None), name)
    return widened(array)
