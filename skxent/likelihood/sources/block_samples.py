"""Centred samples and their logits, read block by block from the rows of this process."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from skxent.likelihood.sources.arrays import RowArrays
from skxent.likelihood.sources.blocks import Blocks, Float, Matrix, write_logits


class BlockSamples:
    """Samples, which are rows less a centre, and their logits.

    Parameters
    ----------
    data : RowArrays
    centre : (d,) array or None
        Subtracted from each row; None subtracts nothing.
    far : bool
        Whether some column has a centre many standard deviations from zero.

    Notes
    -----
    Usually X is read without centring, and the logits are z = W x + (a - W centre). If `far`, the
    two terms would cancel, so each block of a dense X is centred while it is in cache.

    If dense rows fit one block, the samples are stored once: the centred rows with the entry one
    for the intercept. Every product is then a single call, see `StoredSums`.

    Blocks, logits and products are in `dtype`, which `SingleSums` sets to float32.
    """

    dtype: ClassVar[Float] = np.float64

    def __init__(self, data: RowArrays, centre: np.ndarray | None, far: bool) -> None:
        self.data = data
        self.shape = data.theta_shape
        in_cache = far and not data.sparse
        self.blocks = data.blocks(centre if in_cache else None, self.dtype)
        self.centre = centre
        if centre is not None and self.blocks.centre is not None:
            rest = centre - self.blocks.centre  # what float32 cannot hold
            self.centre = rest if rest.any() else None
        # Samples, with p entries each, are stored if they fit one block, as in `StoredSums`.
        self.written_out = data.are_one_block
        if self.written_out:
            samples = self.samples(slice(0, len(data.X)), self.blocks.buffer())
            self.blocks = Blocks(samples, n_outputs=data.n_outputs, dtype=self.dtype)
            self.centre = None

    def samples(
        self, rows: slice, buffer: np.ndarray | None, space: np.ndarray | None = None
    ) -> np.ndarray:
        """Centred samples of a block, dense, (m, p); a copy is written to `space` if given."""
        return self._as_samples(self.blocks.read(rows, buffer), space)

    def samples_at(self, rows: np.ndarray) -> np.ndarray:
        """Centred samples with the given indices, dense, (m, p)."""
        x = self.blocks.X[rows]
        if self.blocks.centre is not None:
            x = np.subtract(x, self.blocks.centre, dtype=np.float64)
        return self._as_samples(x)

    def _as_samples(self, x: Matrix, space: np.ndarray | None = None) -> np.ndarray:
        x = x.toarray() if self.blocks.sparse else x
        if x.shape[1] == self.shape[1] and self.centre is None:
            return x.astype(self.dtype, copy=False)  # else products would have the dtype of X
        if space is None:
            shape = x.shape[0], self.shape[1]
            space = np.empty(shape, self.dtype, order="F" if self.blocks.by_column else "C")
        samples = space[: x.shape[0]]
        centre = 0.0 if self.centre is None else self.centre.astype(self.dtype, copy=False)
        np.subtract(x, centre, out=samples[:, : x.shape[1]])
        if self.data.fit_intercept:
            samples[:, -1] = 1.0
        return samples

    def logits(self, theta: np.ndarray) -> np.ndarray:
        """Logits of all samples, class-major (R, n)."""
        Z = np.empty((self.shape[0], self.blocks.n_rows), self.dtype)
        W, intercept = self._for_blocks(theta)

        def fill(segment: list[slice]) -> None:
            buffer = self.blocks.buffer()
            for rows in segment:
                x = self.blocks.read(rows, buffer)
                self._write_logits(W, x, intercept, rows, Z[:, rows])

        self.blocks.map(fill)
        return Z

    def residuals(self, P: np.ndarray, rows: slice) -> np.ndarray:
        """P - Y of a block, (R, m)."""
        Y = self.data.target_block(rows)
        return (P - (Y[1:] if len(P) == 1 else Y)).astype(self.dtype, copy=False)

    def weigh(self, values: np.ndarray, rows: slice) -> np.ndarray:
        """Multiply by the weights of a block, in place; samples run along the last axis."""
        if self.data.weight is not None:
            values *= self.data.weight[rows]
        return values

    def _weight(self, rows: slice) -> np.ndarray | None:
        return None if self.data.weight is None else self.data.weight[rows]

    def _write_logits(
        self, W: np.ndarray, x: Matrix, intercept: np.ndarray | None, rows: slice, out: np.ndarray
    ) -> None:
        """Write the logits of a block x to `out`: those of the parameters, and the offset."""
        write_logits(W, x, intercept, out)
        self.data.add_offset(out, rows)

    def _for_blocks(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Weights and intercepts that give the same logits from the rows of `self.blocks`."""
        W = np.ascontiguousarray(theta[:, : self.blocks.n_features], dtype=self.dtype)
        if self.blocks.n_features == theta.shape[1]:
            return W, None
        a = theta[:, -1]
        shift = a if self.centre is None else a - W @ self.centre
        return W, shift.astype(self.dtype, copy=False)

    def _recentre(self, gradient: np.ndarray) -> np.ndarray:
        """Convert sums over rows of r x' to sums of r (x - centre)', in place."""
        if self.centre is not None:
            gradient[:, :-1] -= np.outer(gradient[:, -1], self.centre)
        return gradient

    def _space(self, n: int) -> list[np.ndarray]:
        size = self.shape[0] * self.blocks.block_rows
        return [self.blocks.space(1 + i, (size,)) for i in range(n)]

    def _shaped(self, space: list[np.ndarray], rows: slice) -> list[np.ndarray]:
        shape = (self.shape[0], rows.stop - rows.start)
        return [flat[: shape[0] * shape[1]].reshape(shape) for flat in space]
