"""The sums of `grams` over rows on a device."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from skxent.inputs.namespaces import to_numpy
from skxent.likelihood.sources.local_grams import own_curvature, packs, pairs

if TYPE_CHECKING:
    from skxent.likelihood.sources.device_rows import DeviceSums

PACKED_SPACE = 1 << 20  # elements of the outer products of some rows

Array = Any  # of the standard
ClassWeights = Callable[[Array, Array], Array]


def pair_gram(rows: DeviceSums, theta: np.ndarray, caution: float) -> np.ndarray:
    """Sums of x x' with the weights of the full model, see `grams.pair_gram`."""
    n = max(theta.shape[0] - 1, 1)
    k, l = (_index(rows, i) for i in pairs(n))
    same = rows.xp.astype(k == l, rows.data.dtype)[:, None]

    def pair_weights(P: Array, residual: Array) -> Array:
        take = rows.xp.take
        C = take(P, k, axis=0) * (same - take(P, l, axis=0))
        if residual is None:
            return C
        return C + caution * take(residual, k, axis=0) * take(residual, l, axis=0)

    return _gram(rows, theta, pair_weights, caution, n * (n + 1) // 2)


def own_gram(rows: DeviceSums, theta: np.ndarray, caution: float) -> np.ndarray:
    """Sums of x x' with the weights of the class blocks, see `grams.own_gram`."""

    def own_weights(P: Array, residual: Array) -> Array:
        return own_curvature(P, residual, caution)

    return _gram(rows, theta, own_weights, caution, len(theta))


def own_squares(rows: DeviceSums, theta: np.ndarray, caution: float) -> np.ndarray:
    """The diagonals of those, (R, p)."""

    def squares(samples: Array, P: Array, residual: Array, batch: slice) -> Array:
        h = rows.data.weigh(own_curvature(P, residual, caution), batch)
        return rows.xp.matmul(h, samples * samples)

    return _sum(rows, theta, squares, caution)


def _gram(
    rows: DeviceSums, theta: np.ndarray, class_weights: ClassWeights, caution: float, n: int
) -> np.ndarray:
    """Sums of c x x' for n class weights c, packed as those of `grams` are."""
    packed = packs(n, theta.shape[1])

    def gram(samples: Array, P: Array, residual: Array, batch: slice) -> Array:
        C = rows.data.weigh(class_weights(P, residual), batch)
        return _packed_gram(rows, C, samples) if packed else _each_gram(rows, C, samples)

    return _sum(rows, theta, gram, caution)


def _sum(
    rows: DeviceSums, theta: np.ndarray, function: Callable[..., Array], caution: float
) -> np.ndarray:
    """Sum of ``function(samples, P, residual, batch)`` over batches.

    Samples are (m, p), probabilities and P - Y (R, m); that is None without caution.
    """
    parameters = rows.for_batches(theta)

    def part(batch: slice) -> Array:
        x = rows.read(batch)
        P = rows.probabilities(parameters, x)
        residual = None
        if caution:
            Y = rows.data.target_block(batch)
            residual = P - (Y[1:, :] if P.shape[0] == 1 else Y)
        return function(_samples(rows, x), P, residual, batch)

    return np.array(to_numpy(rows.data.total_of(part)), dtype=np.float64)


def _samples(rows: DeviceSums, x: Array) -> Array:
    """Centred samples of a batch, (m, p)."""
    if rows.centre is not None:
        x = x - rows.data.sent(rows.centre)
    if not rows.data.fit_intercept:
        return x
    return rows.xp.concat([x, rows.xp.ones_like(x[:, :1])], axis=1)


def _packed_gram(rows: DeviceSums, C: Array, samples: Array) -> Array:
    """All class weights times all products of two entries, (q, p (p + 1) / 2)."""
    xp = rows.xp
    i, j = (_index(rows, entries) for entries in pairs(samples.shape[1]))
    total = 0.0
    for some in runs(samples.shape[0], max(PACKED_SPACE // i.shape[0], 16)):
        x = samples[some, :].T
        products = xp.take(x, i, axis=0) * xp.take(x, j, axis=0)
        total = total + xp.matmul(C[:, some], products.T)
    return total


def _each_gram(rows: DeviceSums, C: Array, samples: Array) -> Array:
    """The same, one product a class weight, for samples too long to pack, (q, p, p)."""
    xp = rows.xp
    grams = [xp.matmul((samples * C[q, :][:, None]).T, samples) for q in range(C.shape[0])]
    return xp.stack(grams)


def runs(n: int, most: int) -> list[slice]:
    """Slices of about one length, `most` at most, that together are n long."""
    step = -(-n // -(-n // most))
    return [slice(a, min(a + step, n)) for a in range(0, n, step)]


def _index(rows: DeviceSums, places: np.ndarray) -> Array:
    return rows.xp.asarray(places, device=rows.data.X.device)
