r"""A bound of the gap by duality, for intercepts with next to no curvature.

With offsets of thousands, every probability may be 0 or 1 up to exp(-30). The intercepts then have
next to no curvature. The Newton step changes logits by one or more, however near the minimum is,
and certifies nothing. Duality gives a bound that needs no curvature. For any distribution q over
classes, :math:`A(z) \ge q^\top z + h(q)` with the entropy h. With one q for each sample, the
minimum of the right-hand side over all parameters is finite if intercepts change nothing,

.. math:: \sum_i w_i (q_i - y_i) = 0 ,

and has a closed form if every coefficient is penalised. The objective is above this minimum, and
therefore above its own minimum, by at most

.. math:: \sum_i w_i\, \mathrm{KL}(q_i \| p_i)
          + \frac{1}{2\alpha} \Big\|\alpha W + \sum_i w_i (q_i - y_i)\, x_i^\top\Big\|^2 .

For q = p this is the bound of `Penalty.gap_bound`, which requires that the gradient e with respect
to the intercepts is zero. If it is not, let :math:`N_k` be the total weight of the targets of class
k. A class with :math:`e_k > 0` gives the fraction :math:`e_k / (N_k + e_k)` of its probability in
each sample to the classes with :math:`e_k < 0`, in proportion to :math:`-e_k`. The bound then grows
by about :math:`|e|` times a difference of two logits.
"""

from __future__ import annotations

import numpy as np
from scipy.special import log_softmax, xlogy

from skxent.likelihood.objective import Objective, Point


def dual_gap_bound(objective: Objective, point: Point) -> float | None:
    """Return the bound of the gap, in nats, from one read of X.

    Return None if no bound is known: there are no intercepts, a feature is not penalised, or the
    rows are not in this process.
    """
    rows, d = objective.rows.in_memory(), objective.n_features
    if rows is None or not (objective.data.fit_intercept and objective.penalty.is_definite):
        return None
    excess = point.gradient[:, -1]
    if len(excess) == 1:
        excess = np.append(-excess, excess)
    more, less = np.maximum(excess, 0.0), np.maximum(-excess, 0.0)
    share = more / (objective.class_weight + more)
    to = less / max(float(less.sum()), np.finfo(float).tiny)
    objective.n_passes += 1.0
    divergence, moved = 0.0, np.zeros_like(point.gradient)
    buffer = rows.blocks.buffer()
    for block in rows.blocks.all:
        x = rows.samples(block, buffer)
        Z = rows.data.add_offset(point.theta @ x.T, block)
        L = log_softmax(np.vstack([np.zeros_like(Z), Z]) if len(Z) == 1 else Z, axis=0)
        P = np.exp(L)
        given = share[:, None] * P
        change = to[:, None] * given.sum(axis=0) - given
        Q = P + change
        terms = xlogy(Q, Q) - Q * L - change  # the changes of a sample add up to zero
        divergence += float(rows.weigh(terms.sum(axis=0), block).sum())
        moved += rows.weigh(change[-len(Z) :], block) @ x
    gradient = point.gradient[:, :d] + moved[:, :d]
    return max(divergence, 0.0) + objective.penalty.gap_bound(gradient)
