"""Sums over rows on a device at given parameters, the counterpart of `LocalSums`."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

import numpy as np

from skxent.inputs.features import AnyArray
from skxent.likelihood import tuning
from skxent.likelihood.sources.device_arrays import DeviceArrays, received, runs
from skxent.likelihood.sources.device_kernels import (
    log_partition,
    losses_and_residuals,
    moved_probabilities,
    undecided_range,
)
from skxent.likelihood.sources.grams import class_weights, packs, pairs

HOST_EPS = float(np.finfo(float).eps)

ClassWeights = Callable[[AnyArray, AnyArray | None], AnyArray]


class DeviceSums:
    """Sums over samples, which are rows less a centre; implements `RowSums`.

    Rows are copied if they must be converted to another type, if the device has no float64, or if
    `far` (computing logits from rows that are not centred would lose digits). The copy is centred.
    It is kept if all rows fit one batch.
    """

    def __init__(self, data: DeviceArrays, centre: np.ndarray | None, far: bool) -> None:
        self.data, self.xp = data, data.xp
        self.centre, self._subtracted, self._kept = centre, None, None
        if far or data.X.dtype != data.dtype or data.eps > HOST_EPS:
            self.centre = None
            self._subtracted = data.sent(np.zeros(data.n_features) if centre is None else centre)
            if len(batches := data.batches()) == 1:
                self._kept = self._read(batches[0])

    def in_memory(self) -> None:
        """Return None, because the rows are on the device."""

    def close(self) -> None:
        """Do nothing, because a device has no threads to end."""

    def log_partition(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Sum of the weighted log-partition A, and its gradient."""
        parameters, weigh = self._for_batches(theta), self.data.weigh

        def sums(rows: slice) -> tuple[AnyArray, AnyArray]:
            x = self._read(rows)
            A, P = log_partition(self.xp, self._logits(parameters, x, rows))
            return self.xp.sum(weigh(A, rows)), self._outer(weigh(P, rows), x)

        partition, gradient = self.data.total_of(sums)
        return float(partition), self._recentred(gradient)

    def losses(self, theta: np.ndarray) -> tuple[float, float, np.ndarray]:
        """Sum of the weighted losses, its sensitivity and its gradient, see `LocalSums.losses`."""
        parameters, weigh = self._for_batches(theta), self.data.weigh

        def sums(rows: slice) -> tuple[AnyArray, AnyArray, AnyArray]:
            x, Y = self._read(rows), self.data.target_block(rows)
            Z = self._logits(parameters, x, rows)
            losses, R = losses_and_residuals(self.xp, Z, Y[1:, :] if Z.shape[0] == 1 else Y)
            R = weigh(R, rows)
            sensitivity = self.xp.sum(self.xp.abs(R * Z))
            if self.data.offset is not None:
                sensitivity = sensitivity + self.xp.sum(self.xp.abs(R * self.data.offset[:, rows]))
            return self.xp.sum(weigh(losses, rows)), sensitivity, self._outer(R, x)

        loss, sensitivity, gradient = self.data.total_of(sums)
        return float(loss), float(sensitivity), self._recentred(gradient)

    def hessian_product(self, theta: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """Hessian of the weighted log-partition at `theta`, times `direction`, (R, p)."""
        at, along = self._for_batches(theta), self._for_batches(direction)

        def sums(rows: slice) -> AnyArray:
            x = self._read(rows)
            Q = moved_probabilities(self.xp, self._logits(at, x, rows), self._changes(along, x))
            return self._outer(self.data.weigh(Q, rows), x)

        return self._recentred(self.data.total_of(sums))

    def max_logit_range(self, direction: np.ndarray, theta: np.ndarray | None = None) -> float:
        """Largest change of a logit, relative to others, see `RowSums.max_logit_range`."""
        xp, along, most = self.xp, self._for_batches(direction), 0.0
        at = None if theta is None else self._for_batches(theta)
        for rows in self.data.batches():
            x = self._read(rows)
            Q = self._changes(along, x)
            moves = xp.max(Q, axis=0) - xp.min(Q, axis=0) if Q.shape[0] > 1 else xp.abs(Q[0, :])
            if at is not None:
                moves = undecided_range(xp, self._logits(at, x, rows), Q)
            if self.data.weight is not None:
                moves = xp.where(self.data.weight[rows] > 0, moves, xp.zeros_like(moves))
            most = max(most, float(xp.max(moves)))
        return most

    def slopes(self, theta: np.ndarray, direction: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Slopes along `direction` of the weighted log-partition at theta + length * direction."""
        xp, at, along = self.xp, self._for_batches(theta), self._for_batches(direction)

        def sums(rows: slice) -> AnyArray:
            x = self._read(rows)
            Z, Q = self._logits(at, x, rows), self._changes(along, x)
            P = [log_partition(xp, Z + float(length) * Q)[1] for length in lengths]
            return xp.stack([xp.sum(self.data.weigh(p * Q, rows)) for p in P])

        return received(self.data.total_of(sums))

    def hessian_gram(self, theta: np.ndarray, residual_weight: float) -> np.ndarray:
        """Blocks of the Hessian for pairs of classes, see `LocalSums.hessian_gram`."""
        n = max(theta.shape[0] - 1, 1)
        k, l = (self.data.index(i) for i in pairs(n))
        same = self.xp.astype(k == l, self.data.dtype)[:, None]

        def pair_weights(P: AnyArray, residual: AnyArray | None) -> AnyArray:
            take = self.xp.take
            C = take(P, k, axis=0) * (same - take(P, l, axis=0))
            if residual is None:
                return C
            return C + residual_weight * take(residual, k, axis=0) * take(residual, l, axis=0)

        return self._gram(theta, residual_weight, pair_weights, n * (n + 1) // 2)

    def class_block_grams(
        self, theta: np.ndarray, residual_weight: float, per_leverage: np.ndarray | None = None
    ) -> np.ndarray:
        """Diagonal blocks of the Hessian, computed from all rows; `per_leverage` is ignored."""

        def weights(P: AnyArray, residual: AnyArray | None) -> AnyArray:
            return class_weights(P, residual, residual_weight)

        return self._gram(theta, residual_weight, weights, len(theta))

    def hessian_diagonal(self, theta: np.ndarray, residual_weight: float) -> np.ndarray:
        """Diagonal of the Hessian, (R, p)."""

        def squares(
            samples: AnyArray, P: AnyArray, residual: AnyArray | None, rows: slice
        ) -> AnyArray:
            h = self.data.weigh(class_weights(P, residual, residual_weight), rows)
            return self.xp.matmul(h, samples * samples)

        return self._curvature(theta, squares, residual_weight)

    def sampling_scores(
        self, theta: np.ndarray, per_leverage: np.ndarray | None = None
    ) -> NoReturn:
        """Raise NotImplementedError, because rows on a device cannot be sampled."""
        raise NotImplementedError("rows on a device cannot be sampled")

    def _gram(
        self, theta: np.ndarray, residual_weight: float, weights: ClassWeights, n: int
    ) -> np.ndarray:
        """Sums over samples of c_q x x' for n class weights c_q, packed if p is small."""
        packed = packs(n, theta.shape[1])

        def gram(
            samples: AnyArray, P: AnyArray, residual: AnyArray | None, rows: slice
        ) -> AnyArray:
            C = self.data.weigh(weights(P, residual), rows)
            return self._packed_gram(C, samples) if packed else self._each_gram(C, samples)

        return self._curvature(theta, gram, residual_weight)

    def _curvature(
        self, theta: np.ndarray, function: Callable[..., AnyArray], residual_weight: float
    ) -> np.ndarray:
        """Sum of ``function(samples, P, residual, rows)`` over batches.

        Samples are (m, p), probabilities and residuals P - Y are (R, m). Residuals are None if
        `residual_weight` is zero.
        """
        parameters = self._for_batches(theta)

        def part(rows: slice) -> AnyArray:
            x = self._read(rows)
            P = log_partition(self.xp, self._logits(parameters, x, rows))[1]
            P = P + 0.5 if P.shape[0] == 1 else P
            residual = None
            if residual_weight:
                Y = self.data.target_block(rows)
                residual = P - (Y[1:, :] if P.shape[0] == 1 else Y)
            return function(self._samples(x), P, residual, rows)

        return received(self.data.total_of(part))

    def _packed_gram(self, C: AnyArray, samples: AnyArray) -> AnyArray:
        """Upper triangles of the q Gram matrices, (q, p (p + 1) / 2)."""
        xp = self.xp
        i, j = (self.data.index(entries) for entries in pairs(samples.shape[1]))
        total: AnyArray = 0.0
        for some in runs(samples.shape[0], max(tuning.DEVICE_PACKED_SPACE // i.shape[0], 16)):
            x = samples[some, :].T
            products = xp.take(x, i, axis=0) * xp.take(x, j, axis=0)
            total = total + xp.matmul(C[:, some], products.T)
        return total

    def _each_gram(self, C: AnyArray, samples: AnyArray) -> AnyArray:
        """The q Gram matrices, (q, p, p), one matrix product for each."""
        xp = self.xp
        grams = [xp.matmul((samples * C[q, :][:, None]).T, samples) for q in range(C.shape[0])]
        return xp.stack(grams)

    def _samples(self, x: AnyArray) -> AnyArray:
        """Centred samples of a batch, (m, p)."""
        if self.centre is not None:
            x = x - self.data.sent(self.centre)
        if not self.data.fit_intercept:
            return x
        return self.xp.concat([x, self.xp.ones_like(x[:, :1])], axis=1)

    def _read(self, rows: slice) -> AnyArray:
        """Rows of a batch, (m, d); already centred if `self.centre` is None."""
        return self.data.read(rows, self._subtracted) if self._kept is None else self._kept

    def _for_batches(self, theta: np.ndarray) -> AnyArray:
        """Copy parameters to the device, converted to those for the rows that `_read` returns."""
        if self.centre is not None:
            theta = theta.copy()
            theta[:, -1] -= theta[:, :-1] @ self.centre
        return self.data.sent(theta)

    def _logits(self, parameters: AnyArray, x: AnyArray, rows: slice) -> AnyArray:
        """Logits of a batch, (R, m): those of the parameters, and the offset."""
        return self.data.with_offset(self._changes(parameters, x), rows)

    def _changes(self, parameters: AnyArray, x: AnyArray) -> AnyArray:
        """Changes of the logits of a batch along a direction of the parameters, (R, m)."""
        d = self.data.n_features
        Z = self.xp.matmul(parameters[:, :d], x.T)
        return Z + parameters[:, d:] if self.data.fit_intercept else Z

    def _outer(self, R: AnyArray, x: AnyArray) -> AnyArray:
        """Sum over samples of r x', with a last column for the intercept."""
        sums = self.xp.matmul(R, x)
        if not self.data.fit_intercept:
            return sums
        return self.xp.concat([sums, self.xp.sum(R, axis=1, keepdims=True)], axis=1)

    def _recentred(self, sums: AnyArray) -> np.ndarray:
        """Convert sums over rows of r x' to sums of r (x - centre)'."""
        result = received(sums)
        if self.centre is not None:
            result[:, :-1] -= np.outer(result[:, -1], self.centre)
        return result
