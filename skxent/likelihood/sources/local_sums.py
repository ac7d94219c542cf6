"""Rows held here: read in blocks, and what a fit asks of each of them summed up.

Conventions are those of `objective`: theta is (R, p), arrays over samples are class-major (R, m).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from skxent.likelihood import kernels
from skxent.likelihood.sources.base import Here
from skxent.likelihood.sources.blocks import Blocks, fit_one_block, product
from skxent.likelihood.sources.local_rows import LocalRows

KEPT_LOGITS = 1 << 20  # whose curvature is kept: eight megabytes


class LocalSums(Here):
    """Samples measured from a centre, and sums over them.

    Parameters
    ----------
    data : Data
    centre : (d,) array or None
        What samples are measured from; None for the origin.
    far : bool
        Whether the centre is so far from zero, in deviations, that centred logits would cancel.

    Notes
    -----
    Centring the logits, z = W x + (a - W centre), reads X as it is; but where a column's mean is
    thousands of its deviations the two terms cancel, and the block itself is centred in cache.

    Few rows, of one block, are written out once as samples, centred and with their ones: every
    product is then one call. The probabilities of the last pass are kept for the curvature there.

    Products with the Hessian at one point share what depends on the point alone, unless it is much.
    """

    def __init__(self, data: LocalRows, centre: np.ndarray | None, far: bool) -> None:
        self.data = data
        self.shape = data.theta_shape
        in_cache = far and not data.sparse
        self.centre = None if in_cache else centre
        self.blocks = data.blocks(centre if in_cache else None)
        # By the samples' width, not X's: they are one block, or probabilities would not be theirs.
        self.written_out = not data.sparse and fit_one_block(
            data.n_rows, self.shape[1], data.n_outputs
        )
        if self.written_out:
            samples = self.samples(slice(0, len(data.X)), self.blocks.buffer())
            self.blocks, self.centre = Blocks(samples, n_outputs=data.n_outputs), None
        self.products: np.ndarray | None = None  # of their entries, kept by `grams`
        self._last: tuple[np.ndarray, np.ndarray] | None = None
        self._keeps = data.n_rows * data.n_outputs <= KEPT_LOGITS
        self._kept: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def close(self) -> None:
        """End the threads."""
        self.blocks.close()

    def log_partition(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Sum of the weighted log-partition A, and its gradient."""
        sums = self.blocks.map(lambda segment: self._log_partition(theta, segment), theta.size)
        partition = sum(total for total, _ in sums)
        return partition, self._recentre(_in_order(g for _, g in sums))

    def losses(self, theta: np.ndarray) -> tuple[float, float, np.ndarray]:
        """Sum of the weighted losses and its gradient, sample by sample, so that none cancels.

        And, between them, the sum of the sizes of logits times residuals: an epsilon of it is what
        rounding of the logits does to the sum of the losses.
        """

        def sums(segment: list[slice]) -> tuple[float, float, np.ndarray]:
            W, intercept = self._for_blocks(theta)
            space, buffer = self._space(1), self.blocks.buffer()
            total, sensitivity, gradient = 0.0, 0.0, np.zeros(self.shape)
            for rows in segment:
                x = self.blocks.read(rows, buffer)
                (Z,) = self._shaped(space, rows)
                _logits(W, x, intercept, Z)
                Y = self.data.target_block(rows)
                losses, R = kernels.losses_and_residuals(Z, Y[1:] if len(Z) == 1 else Y)
                total += float(self.weigh(losses, rows).sum())
                R = self.weigh(R, rows)
                sensitivity += float(np.abs(R * Z).sum())
                add_outer(gradient, R, x)
            return total, sensitivity, gradient

        loss, sensitivity, gradient = zip(*self.blocks.map(sums, theta.size), strict=True)
        return sum(loss), sum(sensitivity), self._recentre(_in_order(gradient))

    def moved(self, theta: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """Move of the gradient of A along `direction`."""
        sums = self.blocks.map(lambda segment: self._moved(theta, direction, segment), theta.size)
        return self._recentre(_in_order(sums))

    def largest_move(self, direction: np.ndarray) -> float:
        """Largest change of a logit relative to the others of its sample, along `direction`."""
        V, shift = self._for_blocks(direction)

        def largest(segment: list[slice]) -> float:
            buffer, most = self.blocks.buffer(), 0.0
            (space,) = self._space(1)
            for rows in segment:
                (Q,) = self._shaped([space], rows)
                _logits(V, self.blocks.read(rows, buffer), shift, Q)
                moves = np.abs(Q[0]) if len(Q) == 1 else Q.max(axis=0) - Q.min(axis=0)
                if self.data.weight is not None:
                    moves *= self.data.weight[rows] > 0
                most = max(most, float(moves.max()))
            return most

        return max(self.blocks.map(largest))

    def samples(
        self, rows: slice, buffer: np.ndarray | None, space: np.ndarray | None = None
    ) -> np.ndarray:
        """Centred samples of a block, dense, (m, p), for the curvature; in `space` if need be."""
        x = self.blocks.read(rows, buffer)
        x = x.toarray() if self.blocks.sparse else x
        if x.shape[1] == self.shape[1] and self.centre is None:
            return x.astype(np.float64, copy=False)  # products of float32 would be float32
        space = np.empty((x.shape[0], self.shape[1])) if space is None else space
        samples = space[: x.shape[0]]
        np.subtract(x, 0.0 if self.centre is None else self.centre, out=samples[:, : x.shape[1]])
        if self.data.fit_intercept:
            samples[:, -1] = 1.0
        return samples

    def probabilities(self, theta: np.ndarray, x: Any) -> np.ndarray:
        """Probabilities (R, m) of a block as read; of the second class where there are two."""
        if self._last is not None and self._last[0] is theta:
            P = self._last[1]
        else:
            W, intercept = self._for_blocks(theta)
            Z, P = np.empty((2, self.shape[0], x.shape[0]))
            _logits(W, x, intercept, Z)
            kernels.log_partition(Z, P, None)
        return P + 0.5 if len(P) == 1 else P

    def residuals(self, P: np.ndarray, rows: slice) -> np.ndarray:
        """P - Y of a block, (R, m)."""
        Y = self.data.target_block(rows)
        return P - (Y[1:] if len(P) == 1 else Y)

    def uncertainty(self, theta: np.ndarray) -> np.ndarray:
        """How much each sample matters to the curvature, (n,): sum p (1 - p) + sum (p - y)^2."""
        result = np.empty(self.blocks.n_rows)

        def fill(segment: list[slice]) -> None:
            buffer = self.blocks.buffer()
            for rows in segment:
                P = self.probabilities(theta, self.blocks.read(rows, buffer))
                R = self.residuals(P, rows)
                result[rows] = (P * (1.0 - P) + R * R).sum(axis=0)

        self.blocks.map(fill)
        return result if self.data.weight is None else result * self.data.weight

    def weigh(self, values: np.ndarray, rows: slice) -> np.ndarray:
        """Multiply by the weights of a block, in place; samples run along the last axis."""
        if self.data.weight is not None:
            values *= self.data.weight[rows]
        return values

    def _weight(self, rows: slice) -> np.ndarray | None:
        return None if self.data.weight is None else self.data.weight[rows]

    def _log_partition(self, theta: np.ndarray, segment: list[slice]) -> tuple[float, np.ndarray]:
        W, intercept = self._for_blocks(theta)
        space, buffer = self._space(2), self.blocks.buffer()
        total, gradient = 0.0, np.zeros(self.shape)
        for rows in segment:
            x = self.blocks.read(rows, buffer)
            Z, P = self._shaped(space, rows)
            _logits(W, x, intercept, Z)
            weight = self._weight(rows)
            total += kernels.log_partition(Z, P, weight)
            add_outer(gradient, P, x)
        if self.written_out and self.data.weight is None:
            self._last = theta, P
        return total, gradient

    def _moved(self, theta: np.ndarray, direction: np.ndarray, segment: list[slice]) -> np.ndarray:
        V, shift = self._for_blocks(direction)
        space, buffer = self._space(3), self.blocks.buffer()
        product = np.zeros(self.shape)
        for rows in segment:
            x = self.blocks.read(rows, buffer)
            Z, P, Q = self._shaped(space, rows)
            P = self._curvature(theta, rows, x, Z, P)
            _logits(V, x, shift, Q)
            kernels.move_probabilities(P, Q, Z, self._weight(rows))
            add_outer(product, Q, x)
        return product

    def _curvature(
        self, theta: np.ndarray, rows: slice, x: Any, Z: np.ndarray, P: np.ndarray
    ) -> np.ndarray:
        """`kernels.curvature` of a block, which many products at one point share."""
        at, kept = self._kept.get(rows.start, (None, P))
        if at is theta:
            return kept
        W, intercept = self._for_blocks(theta)
        _logits(W, x, intercept, Z)
        if self._keeps and at is None:
            kept = np.empty_like(P)
        kernels.curvature(Z, kept)
        if self._keeps:
            self._kept[rows.start] = theta, kept
        return kept

    def _for_blocks(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Weights and intercepts that give the same logits from samples that are not centred."""
        W = np.ascontiguousarray(theta[:, : self.blocks.n_features])
        if self.blocks.n_features == theta.shape[1]:
            return W, None
        a = theta[:, -1]
        return W, (a if self.centre is None else a - W @ self.centre)

    def _recentre(self, gradient: np.ndarray) -> np.ndarray:
        """Sums over x_i, turned to sums over x_i less the centre."""
        if self.centre is not None:
            gradient[:, :-1] -= np.outer(gradient[:, -1], self.centre)
        return gradient

    def _space(self, n: int) -> list[np.ndarray]:
        size = self.shape[0] * self.blocks.block_rows
        if self.written_out:  # of which the probabilities are kept
            return [np.empty(size) for _ in range(n)]
        return [self.blocks.space(1 + i, (size,)) for i in range(n)]

    def _shaped(self, space: list[np.ndarray], rows: slice) -> list[np.ndarray]:
        shape = (self.shape[0], rows.stop - rows.start)
        return [flat[: shape[0] * shape[1]].reshape(shape) for flat in space]


def add_outer(total: np.ndarray, R: np.ndarray, x: Any) -> None:
    """Add sums over samples of r x', for rows as they are; an intercept is a one they lack."""
    total[:, : x.shape[1]] += product(R, x)
    if x.shape[1] < total.shape[1]:
        total[:, -1] += R.sum(axis=1)


def _logits(W: np.ndarray, x: Any, intercept: np.ndarray | None, out: np.ndarray) -> None:
    shift = 0.0 if intercept is None else intercept[:, None]
    if not isinstance(x, np.ndarray):
        np.add((x @ W.T).T, shift, out=out)
        return
    np.matmul(W, x.T, out=out)
    if intercept is not None:
        out += shift


def _in_order(terms: Any) -> np.ndarray:
    """Sum in the order given: `math.fsum`'s job for arrays, with the same bits every time."""
    total = None
    for term in terms:
        total = term if total is None else np.add(total, term, out=total)
    assert total is not None
    return total
