"""Losses of rows of logits, with full relative accuracy. Arguments are not validated.

Conventions
-----------
``Z`` : (n, K) float64 logits, each row with a finite maximum; ``-inf`` means probability 0.
``codes`` : (n,) integers in 0..K-1. ``Y`` : (n, K) targets, each row a distribution over classes.
``z``, ``y`` : logits and targets of yes/no outcomes, any one shape.

Accuracy
--------
With m = max_j Z_ij, attained by class a, the loss of class k is

    lse(Z_i) - Z_ik = (m - Z_ik) + log1p(s),    s = sum_{j != a} exp(Z_ij - m).

Both terms are non-negative, so nothing cancels, and both have a relative error of a few epsilons:
the loss of a class at the maximum is log1p(s), however small s is. Two sources of error remain, and
both are reduced: the rounding of Z_ij - m, which exp turns into a relative error of up to 6e-14, is
corrected, and the K terms are added pairwise.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def categorical_losses(Z: Floats, codes: NDArray[np.intp]) -> Floats:
    """Cross-entropy of softmax(Z_i) with the label `codes[i]`, in nats, shape (n,)."""
    if Z.shape[1] == 2:
        first, second = map(np.ascontiguousarray, Z.T)
        below, above = np.minimum(first, second), np.maximum(first, second)
        gap, odds = _gap_and_odds(below, above)
        return _losses_of_two(gap, odds, (second >= first) != codes)
    Zt, top, log_rest = _class_major(Z)
    with np.errstate(over="ignore"):
        return (top - Zt[codes, np.arange(codes.size)]) + log_rest


def soft_losses(Z: Floats, Y: Floats) -> Floats:
    """Cross-entropy of softmax(Z_i) with the distribution Y_i, in nats, shape (n,)."""
    Zt, top, log_rest = _class_major(Z)
    Yt = np.array(Y.T, order="C")  # always a copy, because it is summed in place
    # A class with target 0 and logit -inf adds nothing; 0 * inf would be NaN.
    shortfall = np.zeros_like(Zt)
    with np.errstate(over="ignore"):
        np.subtract(top, Zt, out=shortfall, where=Yt != 0)
        shortfall *= Yt
    return _sum_over_classes(shortfall) + log_rest * _sum_over_classes(Yt)


def binary_losses(z: Floats, y: Floats) -> Floats:
    """Cross-entropy of sigmoid(z) with the outcome y in [0, 1], in nats, the shape of z.

    The loss is |z| w + log1p(exp(-|z|)), where w is the target of the less probable outcome: 1 - y
    for z >= 0, y for z < 0. This equals max(z, 0) - y z + log1p(exp(-|z|)), but subtracts nothing.
    """
    size = np.abs(z)
    return _losses_of_two(-size, np.exp(-size), np.abs((z >= 0) - y))


def _losses_of_two(gap: Floats, odds: Floats, denied: Floats | NDArray[np.bool_]) -> Floats:
    """Losses of two classes whose logits differ by `gap` <= 0, with odds exp(gap).

    `denied` is the target of the less probable class.
    """
    with np.errstate(invalid="ignore"):  # a target of 0 and a logit of -inf cost 0
        return np.fmax(-gap * denied, 0.0) + np.log1p(odds)


def _class_major(Z: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the transpose of Z, the maximum m of each row, and log1p(s) as defined above."""
    Zt = np.ascontiguousarray(Z.T)
    top = Zt.max(axis=0)
    gap, odds = _gap_and_odds(Zt, top)
    # One class at the maximum is left out of the sum; each other class at the maximum adds 1. A row
    # with a NaN, from a start or a step of the optimiser, has no class there: its loss is NaN.
    ties = np.maximum(np.count_nonzero(gap == 0, axis=0), 1) - 1
    return Zt, top, np.log1p(_sum_over_classes(np.where(gap < 0, odds, 0.0)) + ties)


def _gap_and_odds(Z: Floats, top: Floats) -> tuple[Floats, Floats]:
    """Return Z - m, and exp(Z - m) with the rounding of Z - m corrected.

    An infinite difference has no rounding, but odds of 0.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        gap, lost = _two_difference(Z, top)
        return gap, np.fmax(np.exp(gap) * (1.0 + lost), 0.0)


def _two_difference(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Return d = fl(a - b) and the part rounded away, so that a - b = d + lost exactly (Knuth)."""
    d = a - b
    minus_b = d - a
    lost = (a - (d - minus_b)) - (b + minus_b)
    return d, lost


def _sum_over_classes(T: Floats) -> Floats:
    """Sum T (K, n) over classes, pairwise and in place; the error grows with log2 K, not K."""
    width = len(T)
    while width > 1:
        half = width // 2
        T[:half] += T[width - half : width]
        width -= half
    return T[0]


def target_losses(logits: Floats, targets: NDArray) -> Floats:
    """Losses (n,) of logits (n, R) for targets: codes (n,) or soft rows (n, K).

    R is K, or one for two classes. Soft rows are divided by their sums.
    """
    if targets.ndim == 2:
        targets = targets / targets.sum(axis=1, keepdims=True, dtype=np.float64)
        targets = targets[:, 1] if logits.shape[1] == 1 else targets
    if logits.shape[1] == 1:
        return binary_losses(logits[:, 0], targets.astype(np.float64))
    if targets.ndim == 1:
        return categorical_losses(logits, targets)
    return soft_losses(logits, targets)
