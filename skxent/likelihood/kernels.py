"""Fused kernels of a fit: log-partition, probabilities and their changes from a block of logits.

Blocks are class-major, (R, m), with R = 1 for two classes, and fit in cache. The log-partition has
a small absolute error: a loss of 1e-18 that is computed from it may be 0. Losses of `row_losses`
have a small relative error.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skxent.likelihood import tuning
from skxent.likelihood.row_losses import binary_losses, soft_losses

Floats = NDArray[np.floating[Any]]  # float64, or float32 in the sums of `SingleSums`

# If a sum of exponentials of logits is within these bounds, no term that matters has overflowed or
# underflowed, and the maximum need not be subtracted from the logits. The bounds are far from the
# limits of the floats, so that quotients are not subnormal.
_SAFE = {8: (1e-200, 1e200), 4: (1e-25, 1e25)}  # by bytes of a float
# Number of factors of a product that is at most 2 to this number, half of the largest exponent.
_FACTORS = {8: 512, 4: 64}
# For arrays shorter than this, summing logarithms is as fast as taking logarithms of products.
_FEW = 4096


def log_partition(Z: Floats, P: Floats, weight: Floats | None) -> float:
    """Return the weighted sum of A(z) over a block, and write the weighted gradient of A to P.

    A(z) = log sum_k exp(z_k) and P = w softmax(z); for one logit,
    which stands for the two logits -z / 2 and z / 2, A(z) = log(2 cosh(z / 2)) and
    P = w (sigmoid(z) - 1/2). Z is overwritten.
    """
    total = partition_and_probabilities(Z, P, weight)
    if weight is not None:
        P *= weight
    return total


def partition_and_probabilities(Z: Floats, P: Floats, weight: Floats | None) -> float:
    """As `log_partition`, but P is not multiplied by the weights."""
    return _symmetric_partition(Z, P, weight) if len(Z) == 1 else _softmax(Z, P, weight)


def losses_and_residuals(Z: Floats, Y: NDArray[np.float64]) -> tuple[Floats, Floats]:
    """Losses (m,) with full relative accuracy, and residuals p - y (R, m), from class-major logits.

    Y holds the targets (R, m); if there is one logit, those of the second class. `log_partition` is
    faster, but losses that are much smaller than the log-partition lose their digits there.
    """
    if len(Z) == 1:
        z, y = Z[0], Y[0]
        e = np.exp(-np.abs(z))
        unlikely = e / (1.0 + e)
        residual = np.where(z >= 0, (1.0 - y) - unlikely, unlikely - y)
        return binary_losses(z, y), residual[None]
    P = np.empty_like(Z)
    _softmax(Z.copy(), P, None)
    # For a target of 1 the residual p - 1 is minus the sum of the other classes' probabilities.
    sure = Y == 1
    others = np.where(sure, 0.0, P).sum(axis=0)
    losses = soft_losses(Z.T.astype(np.float64, copy=False), Y.T)
    return losses, np.where(sure, -others, P - Y)


def _symmetric_partition(Z: Floats, P: Floats, weight: Floats | None) -> float:
    """`log_partition` for one logit, where P is not weighted yet.

    With e = exp(-|z|), A = |z| / 2 + log(1 + e), and P = 1 / (1 + e) - 1/2 with the sign of z.
    """
    z, half = Z[0], P[0]
    np.copysign(z, -1.0, out=half)
    total = -0.5 * _weighted_sum(half, weight)
    np.exp(half, out=half)
    half += 1.0
    total += _sum_of_logs(half) if weight is None else _weighted_sum(np.log(half), weight)
    np.reciprocal(half, out=half)
    half -= 0.5
    np.copysign(half, z, out=half)
    return total


def _sum_of_logs(x: Floats) -> float:
    """Sum of log(x) for 1 <= x <= 2, from logarithms of products of many numbers."""
    if len(x) < _FEW:
        return float(np.add.reduce(np.log(x), dtype=np.float64))
    factors = _FACTORS[x.itemsize]
    whole = len(x) // factors * factors
    products = np.multiply.reduce(x[:whole].reshape(factors, -1), axis=0)
    rest = np.log(x[whole:]).sum(dtype=np.float64)
    return float(np.log(products).sum(dtype=np.float64) + rest)


def _weighted_sum(x: Floats, weight: Floats | None) -> float:
    return float(np.add.reduce(x, dtype=np.float64) if weight is None else x @ weight)


def _softmax(Z: Floats, P: Floats, weight: Floats | None) -> float:
    """Return the weighted sum of the log-partitions of the columns of Z; write softmax(Z) to P."""
    shift, safe = None, _SAFE[Z.itemsize]
    with np.errstate(over="ignore"):
        np.exp(Z, out=P)
        total = P.sum(axis=0)
    if not (total.min() > safe[0] and total.max() < safe[1]):
        shift = Z.max(axis=0)
        Z -= shift
        np.exp(Z, out=P)
        total = P.sum(axis=0)
    A = np.log(total)
    if shift is not None:
        A += shift
    np.reciprocal(total, out=total)
    P *= total
    return _weighted_sum(A, weight)


def undecided_range(Z: Floats, Q: Floats) -> Floats:
    """Return the largest difference of changes Q of logits, (m,), over classes that are in reach.

    A class is out of reach if its logit is below the largest by more than `tuning.DECIDED_MARGIN`,
    and by more than twice the range of all changes. Its probability stays below exp(-50), so that
    its part in the objective is linear along the change. If only one class is in reach, the sample
    is decided and the result is zero. One logit stands for itself and a logit of zero.
    """
    if len(Z) == 1:
        change = np.abs(Q[0])
        margin = np.abs(Z[0])
        return np.where((margin > tuning.DECIDED_MARGIN) & (margin > 2.0 * change), 0.0, change)
    change = Q.max(axis=0) - Q.min(axis=0)
    margin = Z.max(axis=0) - Z
    near = (margin <= tuning.DECIDED_MARGIN) | (margin <= 2.0 * change)
    largest = Q.max(axis=0, where=near, initial=-np.inf)
    result: Floats = largest - Q.min(axis=0, where=near, initial=np.inf)
    return result


def curvature(Z: Floats, P: Floats) -> None:
    """Write softmax(Z), or p (1 - p) for one logit, to P, for `move_probabilities`.

    Z is overwritten.
    """
    if len(Z) > 1:
        _softmax(Z, P, None)
        return
    np.abs(Z, out=Z)
    np.negative(Z, out=Z)
    np.exp(Z, out=Z)
    np.add(Z, 1.0, out=P)
    P *= P
    np.divide(Z, P, out=P)


def move_probabilities(P: Floats, Q: Floats, space: Floats, weight: Floats | None) -> None:
    """Replace changes Q of the logits by the weighted first-order changes of the probabilities.

    The change is (diag p - p p') q = p * (q - p'q), and p (1 - p) q for one logit. P comes from
    `curvature`; `space`, of the same shape, is overwritten.
    """
    if len(P) > 1:
        np.multiply(P, Q, out=space)
        Q -= space.sum(axis=0)
    Q *= P
    if weight is not None:
        Q *= weight


def slopes(
    Z: Floats, Q: Floats, lengths: Floats, space: Floats, P: Floats, weight: Floats | None
) -> Floats:
    """Slopes of the weighted sum of A along changes Q of the logits, at Z + length * Q.

    The slope at a length is the sum of w p'q, and of w (p - 1/2) q for one logit. `space` and P, of
    the shape of Z, are overwritten.
    """
    result = np.empty(len(lengths))
    with np.errstate(over="ignore", invalid="ignore"):  # a slope may then be infinite or NaN
        for i, length in enumerate(lengths):
            np.multiply(Q, length, out=space)
            space += Z
            log_partition(space, P, weight)
            result[i] = np.vdot(P, Q)
    return result
