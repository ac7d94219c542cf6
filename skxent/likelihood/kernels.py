"""Rows of logits -> losses. Pure mathematics: no validation, no scikit-learn.

Conventions
-----------
``Z`` : (n, K) float64 logits, each row with a finite maximum; ``-inf`` is an impossible class.
``codes`` : (n,) integers in 0..K-1. ``Y`` : (n, K) targets, each row a distribution over classes.
``z``, ``y`` : logits and targets of yes/no outcomes, any one shape.

Losses with full relative accuracy
----------------------------------
With m = max_j Z_ij, attained by class a, the loss of class k is

    lse(Z_i) - Z_ik = (m - Z_ik) + log1p(s),    s = sum_{j != a} exp(Z_ij - m).

Both terms are non-negative, so nothing cancels, and both are accurate to a few roundings: a class
at the maximum costs log1p(s) alone, however small s is. Two sources of error are left, and both are
treated: rounding Z_ij - m, which exp turns into a relative error up to 6e-14, and adding up K
terms.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# exp(x) is zero in float64 below -745.2; differences below there are moved up to here, -inf too.
_EXP_IS_ZERO = -800.0


def categorical_losses(Z: Floats, codes: NDArray[np.intp]) -> Floats:
    """Cross-entropy of each row's softmax at one class, in nats, shape (n,)."""
    Zt, top, log_rest = _class_major(Z)
    with np.errstate(over="ignore"):
        return (top - Zt[codes, np.arange(codes.size)]) + log_rest


def soft_losses(Z: Floats, Y: Floats) -> Floats:
    """Cross-entropy of each row's softmax with a distribution over classes, in nats, shape (n,)."""
    Zt, top, log_rest = _class_major(Z)
    Yt = np.array(Y.T, order="C")  # a copy, also of a single row, since it is summed in place
    # an impossible class that the target does not ask for: 0 * inf is 0 here
    shortfall = np.zeros_like(Zt)
    with np.errstate(over="ignore"):
        np.subtract(top, Zt, out=shortfall, where=Yt != 0)
        shortfall *= Yt
    return _sum_over_classes(shortfall) + log_rest * _sum_over_classes(Yt)


def binary_losses(z: Floats, y: Floats) -> Floats:
    """Cross-entropy of sigmoid(z) with the outcome y in [0, 1], in nats, the shape of z.

    It is |z| w + log1p(exp(-|z|)), where w is the part of the target on the side that z denies: 1 -
    y where z >= 0, y where z < 0. Equal to max(z, 0) - y z + log1p(exp(-|z|)), without the
    difference.
    """
    size = np.abs(z)
    denied = np.where(z >= 0, 1.0 - y, y)
    losses = np.zeros_like(size)
    np.multiply(size, denied, out=losses, where=denied != 0)
    return losses + np.log1p(np.exp(-size))


def _class_major(Z: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the transpose of Z, its maximum over classes, and log1p(s) of the module's formula."""
    Zt = np.ascontiguousarray(Z.T)
    top = Zt.max(axis=0)
    with np.errstate(over="ignore", invalid="ignore"):
        gap, lost = _two_difference(Zt, top)
    lost[gap < _EXP_IS_ZERO] = 0.0
    at_top = gap == 0
    rest = np.exp(np.maximum(gap, _EXP_IS_ZERO))
    rest *= 1.0 + lost
    # One of the classes at the maximum stays out of the sum, the others bring exactly 1 each.
    rest[at_top] = 0.0
    ties = np.count_nonzero(at_top, axis=0) - 1
    return Zt, top, np.log1p(_sum_over_classes(rest) + ties)


def _two_difference(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Return d = fl(a - b) and the part rounded away, so that a - b = d + lost exactly (Knuth)."""
    d = a - b
    minus_b = d - a
    lost = (a - (d - minus_b)) - (b + minus_b)
    return d, lost


def _sum_over_classes(T: Floats) -> Floats:
    """Sum (K, n) over classes by halves, in place: the error grows with log2 K, not with K."""
    width = len(T)
    while width > 1:
        half = width // 2
        T[:half] += T[width - half : width]
        width -= half
    return T[0]


# The fused kernels of a fit: class-major blocks (R, m) that stay in cache, R = 1 for two classes.
# Here the sum counts, in absolute accuracy; a loss of 1e-18 may come out as 0.

# Sums of exponentials within these bounds need no shift by the maximum: nothing that matters in
# them over- or underflowed. They stay far from float64's limits, so that quotients are normal too.
_SAFE = (1e-200, 1e200)
_FEW = 4096  # numbers whose logarithms take no longer than the calls that would spare them


def log_partition(Z: Floats, P: Floats, weight: Floats | None) -> float:
    """Weighted sum of A(z) over a block; P becomes the weighted gradient of A.

    A(z) = log sum_k exp(z_k) and P = w softmax(z); for one logit, measured from the midpoint,
    A(z) = log(2 cosh(z / 2)) and P = w (sigmoid(z) - 1/2). Z is overwritten.
    """
    total = _symmetric_partition(Z, P, weight) if len(Z) == 1 else _softmax(Z, P, weight)
    if weight is not None:
        P *= weight
    return total


def losses_and_residuals(Z: Floats, Y: Floats) -> tuple[Floats, Floats]:
    """Losses (m,) with full relative accuracy, and residuals p - y (R, m), of class-major logits.

    Y are the targets (R, m), of the second class where there is one logit. `log_partition` is
    faster, but next to the sum of its terms a sum of tiny losses has no digits.
    """
    if len(Z) == 1:
        z, y = Z[0], Y[0]
        e = np.exp(-np.abs(z))
        unlikely = e / (1.0 + e)
        residual = np.where(z >= 0, (1.0 - y) - unlikely, unlikely - y)
        return binary_losses(z, y), residual[None]
    P = np.empty_like(Z)
    _softmax(Z.copy(), P, None)
    # The residual of a sure label is minus the probabilities of the other classes.
    sure = Y == 1
    others = np.where(sure, 0.0, P).sum(axis=0)
    return soft_losses(Z.T, Y.T), np.where(sure, -others, P - Y)


def _symmetric_partition(Z: Floats, P: Floats, weight: Floats | None) -> float:
    """|z| / 2 + log(1 + e), e = exp(-|z|), summed, and (1 / (1 + e) - 1/2) with the sign of z."""
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
    """Sum of log(x), 1 <= x <= 2: the logarithm of products, 512 of which are below 2^512."""
    if len(x) < _FEW:
        return float(np.log(x).sum())
    whole = len(x) // 512 * 512
    products = np.multiply.reduce(x[:whole].reshape(512, -1), axis=0)
    return float(np.log(products).sum() + np.log(x[whole:]).sum())


def _weighted_sum(x: Floats, weight: Floats | None) -> float:
    return float(x.sum() if weight is None else x @ weight)


def _softmax(Z: Floats, P: Floats, weight: Floats | None) -> float:
    """Log-partition of the columns of Z, summed, and P = softmax(Z)."""
    shift = None
    with np.errstate(over="ignore"):
        np.exp(Z, out=P)
        total = P.sum(axis=0)
    if not (total.min() > _SAFE[0] and total.max() < _SAFE[1]):
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


def curvature(Z: Floats, P: Floats) -> None:
    """What `move_probabilities` needs of the logits: P becomes softmax(Z), or p (1 - p) for one.

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
    """Turn moves of the logits Q into weighted moves of the probabilities, in place.

    (diag p - p p') q = p * (q - p'q); for one logit p (1 - p) q. P is what `curvature` made; the
    space, as large, is overwritten.
    """
    if len(P) > 1:
        np.multiply(P, Q, out=space)
        Q -= space.sum(axis=0)
    Q *= P
    if weight is not None:
        Q *= weight
