"""Sums over rows in this process at given parameters; rows are read block by block.

Conventions are those of `objective`: theta is (R, p), arrays over samples are class-major (R, m).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import numpy as np

from skxent.likelihood import kernels, tuning
from skxent.likelihood.sources import grams
from skxent.likelihood.sources.arrays import RowArrays
from skxent.likelihood.sources.block_samples import BlockSamples
from skxent.likelihood.sources.blocks import Matrix, add_outer, in_order, write_logits
from skxent.likelihood.sources.kept_logits import KeptBlocks, KeptLine, same

ClassWeights = Callable[[np.ndarray, np.ndarray | None, float], np.ndarray]

# Largest number of probabilities of a pass that are kept for the Hessian at the same point: one
# megabyte. More would leave the cache, and most passes over many rows precede no Hessian.
KEPT_PASS = 1 << 17


class LocalSums(BlockSamples):
    """Sums over samples; implements `RowSums`. `StoredSums` is faster for few samples."""

    def __init__(self, data: RowArrays, centre: np.ndarray | None, far: bool) -> None:
        super().__init__(data, centre, far)
        self._keeps = data.n_rows * data.n_outputs <= tuning.KEPT_PROBABILITIES
        self._forget()

    def _forget(self) -> None:
        self._pass: KeptBlocks | None = None  # results of `kernels.log_partition`, unweighted
        self._curvature: KeptBlocks | None = None  # results of `kernels.curvature`
        self._line: KeptLine | None = None

    def close(self) -> None:
        """End the threads, and free all arrays that are kept for further sums."""
        self.blocks.close()
        self._forget()

    def in_memory(self) -> Self:
        """Return these sums."""
        return self

    def log_partition(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Sum of the weighted log-partition A, and its gradient."""
        keeps = self.data.weight is None and theta.shape[0] * self.data.n_rows <= KEPT_PASS
        self._pass = kept = KeptBlocks.at(theta, self._pass) if keeps else None
        sums = self.blocks.map(lambda part: self._log_partition(theta, part, kept), theta.size)
        partition = sum(total for total, _ in sums)
        return partition, self._recentre(in_order(g for _, g in sums))

    def losses(self, theta: np.ndarray) -> tuple[float, float, np.ndarray]:
        """Sum of the weighted losses, its sensitivity and its gradient, without cancellation.

        The losses are added sample by sample. The sensitivity is the weighted sum of |residual *
        logit|, plus that of |residual * offset|. Rounding of the logits changes the sum of the
        losses by about epsilon times the sensitivity.
        """

        def sums(segment: list[slice]) -> tuple[float, float, np.ndarray]:
            W, intercept = self._for_blocks(theta)
            space, buffer = self._space(1), self.blocks.buffer()
            total, sensitivity, gradient = 0.0, 0.0, np.zeros(self.shape)
            for rows in segment:
                x = self.blocks.read(rows, buffer)
                (Z,) = self._shaped(space, rows)
                self._write_logits(W, x, intercept, rows, Z)
                Y = self.data.target_block(rows)
                losses, R = kernels.losses_and_residuals(Z, Y[1:] if len(Z) == 1 else Y)
                total += float(self.weigh(losses, rows).sum())
                R = self.weigh(R, rows)
                sensitivity += float(np.abs(R * Z).sum())
                if self.data.offset is not None:
                    sensitivity += float(np.abs(R * self.data.offset[:, rows]).sum())
                add_outer(gradient, R, x)
            return total, sensitivity, gradient

        loss, sensitivity, gradient = zip(*self.blocks.map(sums, theta.size), strict=True)
        return sum(loss), sum(sensitivity), self._recentre(in_order(gradient))

    def hessian_product(
        self, theta: np.ndarray, direction: np.ndarray, changes: np.ndarray | None = None
    ) -> np.ndarray:
        """Hessian of the weighted log-partition at `theta`, times `direction`, (R, p).

        If `changes`, (R, n), is given, the changes of the logits are written to it.
        """
        kept = self._curvature_at(theta) if self._keeps else None

        def products(segment: list[slice]) -> np.ndarray:
            V, shift = self._for_blocks(direction)
            space, buffer = self._space(3), self.blocks.buffer()
            total = np.zeros(self.shape)
            for rows in segment:
                x = self.blocks.read(rows, buffer)
                Z, P, Q = self._shaped(space, rows)
                P = self._curvature_of(theta, rows, x, Z, P, kept)
                write_logits(V, x, shift, Q)
                if changes is not None:
                    changes[:, rows] = Q
                kernels.move_probabilities(P, Q, Z, self._weight(rows))
                add_outer(total, Q, x)
            return total

        return self._recentre(in_order(self.blocks.map(products, theta.size)))

    def max_logit_range(self, direction: np.ndarray, theta: np.ndarray | None = None) -> float:
        """Largest change of a logit, relative to others, see `RowSums.max_logit_range`."""
        V, shift = self._for_blocks(direction)
        at = None if theta is None else self._for_blocks(theta)

        def largest(segment: list[slice]) -> float:
            buffer, most = self.blocks.buffer(), 0.0
            space = self._space(1 if at is None else 2)
            for rows in segment:
                x, (Q, *Z) = self.blocks.read(rows, buffer), self._shaped(space, rows)
                write_logits(V, x, shift, Q)
                if at is not None:
                    self._write_logits(at[0], x, at[1], rows, Z[0])
                    moves = kernels.undecided_range(Z[0], Q)
                else:
                    moves = np.abs(Q[0]) if len(Q) == 1 else Q.max(axis=0) - Q.min(axis=0)
                if self.data.weight is not None:
                    moves *= self.data.weight[rows] > 0
                most = max(most, float(moves.max()))
            return most

        return max(self.blocks.map(largest))

    def slopes(self, theta: np.ndarray, direction: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Slopes along `direction` of the weighted log-partition at theta + length * direction."""
        self._line = line = KeptLine.of(theta, direction, self._line)
        W, intercept = self._for_blocks(theta)
        V, shift = self._for_blocks(direction)

        def sums(segment: list[slice]) -> np.ndarray:
            space, buffer = self._space(4), self.blocks.buffer()
            total = np.zeros(len(lengths))
            for rows in segment:
                moved, P, Z, Q = self._shaped(space, rows)
                if rows.start in line.blocks:
                    Z, Q = line.blocks[rows.start]
                else:
                    x = self.blocks.read(rows, buffer)
                    self._write_logits(W, x, intercept, rows, Z)
                    write_logits(V, x, shift, Q)
                    if self._keeps:
                        line.blocks[rows.start] = Z.copy(), Q.copy()
                total += kernels.slopes(Z, Q, lengths, moved, P, self._weight(rows))
            return total

        return np.asarray(sum(self.blocks.map(sums, len(lengths))))

    def hessian_gram(self, theta: np.ndarray, residual_weight: float) -> np.ndarray:
        """Blocks (k, l), k <= l, of the Hessian without the last class.

        The shape is (q, p, p) for the q = K (K - 1) / 2 pairs of classes, or (q, p (p + 1) / 2) if
        p is small; see `grams.unpacked`. For two classes there is one block.
        """
        n = max(self.shape[0] - 1, 1)
        n_pairs = n * (n + 1) // 2
        return self._gram(theta, residual_weight, grams.pair_weights, n_pairs)

    def class_block_grams(
        self, theta: np.ndarray, residual_weight: float, per_leverage: np.ndarray | None = None
    ) -> np.ndarray:
        """Diagonal blocks of the Hessian, one for each row of theta, shaped as in `hessian_gram`.

        If `per_leverage`, (R, p), is given, the blocks are (R, p, p) and are estimated from rows
        drawn for each class, see `grams.DrawnGrams`.
        """
        if per_leverage is None:
            return self._gram(theta, residual_weight, grams.class_weights, len(theta))
        blocks, p = self.blocks, theta.shape[1]

        def sums(segment: list[slice]) -> np.ndarray:
            buffer, drawn = blocks.buffer(), grams.DrawnGrams(per_leverage)
            space = blocks.rows_space("samples", blocks.run_rows, p)
            for run in blocks.runs(segment):
                P, residual = self._at(theta, residual_weight, run, blocks.read(run, buffer))
                C = self.weigh(grams.class_weights(P, residual, residual_weight), run)
                x = self.samples(run, buffer, space)
                draw = np.random.default_rng((self.data.part, run.start)).random(len(x))
                drawn.add(C, x, draw)
            return drawn.finish()

        total: np.ndarray = sum(blocks.map(sums, theta.size * p))
        return total

    def hessian_diagonal(self, theta: np.ndarray, residual_weight: float) -> np.ndarray:
        """Diagonal of the Hessian, (R, p)."""
        blocks = self.blocks

        def sums(segment: list[slice]) -> np.ndarray:
            total, buffer = np.zeros(theta.shape), blocks.buffer()
            for rows in segment:
                x = blocks.read(rows, buffer)
                P, residual = self._at(theta, residual_weight, rows, x)
                h = self.weigh(grams.class_weights(P, residual, residual_weight), rows)
                total[:, : blocks.n_features] += grams.centred_squares(h, x, self.centre)
                total[:, blocks.n_features :] += h.sum(axis=1, keepdims=True)
            return total

        squares: np.ndarray = sum(blocks.map(sums, theta.size))
        return squares

    def sampling_scores(
        self, theta: np.ndarray, per_leverage: np.ndarray | None = None
    ) -> np.ndarray:
        """Contribution of each row to the curvature, or its leverage, (n,), see `RowSums`."""
        result = np.empty(self.blocks.n_rows)

        def fill(segment: list[slice]) -> None:
            buffer = self.blocks.buffer()
            for rows in segment:
                P, R = self._at(theta, 1.0, rows, self.blocks.read(rows, buffer))
                assert R is not None
                result[rows] = (P * (1.0 - P) + R * R).sum(axis=0)

        def fill_leverages(segment: list[slice]) -> None:
            assert per_leverage is not None
            buffer = self.blocks.buffer()
            space = self.blocks.rows_space("samples", self.blocks.run_rows, theta.shape[1])
            for run in self.blocks.runs(segment):
                P = self._probabilities(theta, run, self.blocks.read(run, buffer))
                x = self.samples(run, buffer, space)
                of_class = per_leverage @ np.square(x).T
                result[run] = (P * (1.0 - P) * of_class).sum(axis=0)

        self.blocks.map(fill if per_leverage is None else fill_leverages)
        return result if self.data.weight is None else result * self.data.weight

    def _at(
        self, theta: np.ndarray, residual_weight: float, rows: slice, x: Matrix
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Probabilities P of a block x, and residuals P - Y (None if their weight is zero)."""
        P = self._probabilities(theta, rows, x)
        return P, self.residuals(P, rows) if residual_weight else None

    def _probabilities(self, theta: np.ndarray, rows: slice, x: Matrix) -> np.ndarray:
        """Probabilities (R, m) of a run; for two classes, those of the second class.

        They are those of the last pass, if it was at the same point and kept them.
        """
        kept = self._pass
        if kept is not None and same(kept.theta, theta):
            begin = rows.start % self.blocks.block_rows
            start, end = rows.start - begin, begin + rows.stop - rows.start
            if start in kept.known:
                P = kept.blocks[start][:, begin:end]
                return P + 0.5 if len(P) == 1 else P
        W, intercept = self._for_blocks(theta)
        Z, P = np.empty((2, self.shape[0], x.shape[0]), self.dtype)
        self._write_logits(W, x, intercept, rows, Z)
        kernels.log_partition(Z, P, None)
        return P + 0.5 if len(P) == 1 else P

    def _gram(
        self, theta: np.ndarray, residual_weight: float, class_weights: ClassWeights, n: int
    ) -> np.ndarray:
        """Sums over samples of c_q x x' for n class weights c_q, packed if p is small."""
        blocks, p = self.blocks, theta.shape[1]
        packed = grams.packs(n, p)

        def sums(segment: list[slice]) -> np.ndarray:
            buffer, total = blocks.buffer(), np.zeros(0)
            space = blocks.rows_space("samples", blocks.run_rows, p)
            scaled = blocks.rows_space("scaled", blocks.run_rows, p)
            for run in blocks.runs(segment):
                P, residual = self._at(theta, residual_weight, run, blocks.read(run, buffer))
                C = class_weights(P, residual, residual_weight)
                x = self.samples(run, buffer, space)
                C = self.weigh(C, run)
                if packed:
                    part = grams.packed_gram(C, x)
                else:
                    in_place = n == 1 and np.may_share_memory(x, space)
                    part = grams.each_gram(C, x, x if in_place else scaled[: len(x)])
                total = np.add(total, part, out=total) if total.size else part.astype(total.dtype)
            return total

        gram: np.ndarray = sum(blocks.map(sums, n * p * (p + 1) // 2))
        return gram

    def _log_partition(
        self, theta: np.ndarray, segment: list[slice], kept: KeptBlocks | None
    ) -> tuple[float, np.ndarray]:
        W, intercept = self._for_blocks(theta)
        space, buffer = self._space(2), self.blocks.buffer()
        total, gradient = 0.0, np.zeros(self.shape)
        for rows in segment:
            x = self.blocks.read(rows, buffer)
            Z, P = self._shaped(space, rows)
            if kept is not None:
                kept.known.discard(rows.start)
                P = kept.blocks.setdefault(rows.start, np.empty_like(P))
            self._write_logits(W, x, intercept, rows, Z)
            total += kernels.log_partition(Z, P, self._weight(rows))
            add_outer(gradient, P, x)
            if kept is not None:
                kept.known.add(rows.start)
        return total, gradient

    def _curvature_at(self, theta: np.ndarray) -> KeptBlocks:
        """The `KeptBlocks` at `theta`; a new one reuses the arrays of the last one."""
        self._curvature = KeptBlocks.at(theta, self._curvature)
        return self._curvature

    def _curvature_of(
        self,
        theta: np.ndarray,
        rows: slice,
        x: Matrix,
        Z: np.ndarray,
        P: np.ndarray,
        kept: KeptBlocks | None,
    ) -> np.ndarray:
        """`kernels.curvature` of a block; Z is scratch space for logits, P for the result."""
        if kept is not None:
            if rows.start in kept.known:
                return kept.blocks[rows.start]
            P = kept.blocks.setdefault(rows.start, np.empty_like(P))
        W, intercept = self._for_blocks(theta)
        self._write_logits(W, x, intercept, rows, Z)
        kernels.curvature(Z, P)
        if kept is not None:
            kept.known.add(rows.start)
        return P
