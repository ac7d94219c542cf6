"""The samples over which effects and probabilities are averaged, read run by run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import TypeVar

import numpy as np

from skxent.inference.likelihood_estimate import SPACE, LikelihoodEstimate
from skxent.inputs.features import AnyArray
from skxent.inputs.fit_targets import Floats
from skxent.likelihood.sources.local_sums import LocalSums
from skxent.likelihood.sources.thread_limits import one_blas_thread

# Centred samples, (m, p), their weights, (m,), and their logits, (K, m).
Runs = Iterator[tuple[Floats, Floats, Floats]]
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Population:
    """Weighted samples, with some columns fixed at one value for all samples.

    Parameters
    ----------
    X : (n, d) array or CSR matrix
    weight : (n,) array
    fixed : dict of int to float
        Values of the fixed columns; the entries of X in these columns are ignored.
    offset : (R, n) array or None
        Known parts of the logits, as in `RowArrays`.
    """

    X: AnyArray
    weight: Floats
    fixed: dict[int, float] = field(default_factory=dict)
    offset: Floats | None = None

    def at_mean(self, at: LikelihoodEstimate) -> Population:
        """Return the population of one sample, the weighted mean of these samples."""
        d = len(at.mean)

        def total(runs: Runs) -> Floats:
            return reduce(np.add, (weight @ x[:, :d] for x, weight, _ in runs))

        centred = reduce(np.add, self.map(at, total, d)) / self.weight.sum()
        offset = None
        if self.offset is not None:
            offset = (self.offset @ self.weight / self.weight.sum())[:, None]
        return Population((at.mean + centred)[None], np.ones(1), offset=offset)

    def map(
        self, at: LikelihoodEstimate, function: Callable[[Runs], T], width: int, size: int = 1
    ) -> list[T]:
        """Apply `function` to the runs of each segment of the samples, in threads.

        Parameters
        ----------
        at : LikelihoodEstimate
            Samples are centred by its mean.
        function : callable
        width : int
            Size of the work arrays for one sample, in numbers.
        size : int, default=1
            Size of the result, in numbers.
        """
        targets = np.zeros(self.X.shape[0], dtype=np.intp)  # no sum needs them
        data = replace(at.data, X=self.X, targets=targets, weight=self.weight, offset=self.offset)
        with (
            closing(one_blas_thread()) as limit,
            limit,
            closing(LocalSums(data, at.mean, far=False)) as sums,
        ):
            return sums.blocks.map(
                lambda segment: function(self._runs(at, sums, segment, width)), size
            )

    def _runs(
        self, at: LikelihoodEstimate, sums: LocalSums, segment: list[slice], width: int
    ) -> Runs:
        """Yield parts of a segment that are small enough for the work arrays."""
        blocks, step = sums.blocks, max(1, SPACE // width)
        columns = list(self.fixed)
        values = np.array(list(self.fixed.values())) - at.mean[columns]
        space = blocks.rows_space("samples", blocks.run_rows, sums.shape[1])
        buffer = blocks.buffer()
        for run in blocks.runs(segment):
            x = sums.samples(run, buffer, space)
            x[:, columns] = values
            for start in range(0, len(x), step):
                part = x[start : start + step]
                rows = slice(run.start + start, run.start + start + len(part))
                Z = at.theta @ part.T
                sums.data.add_offset(Z[-sums.shape[0] :], rows)
                yield part, self.weight[rows], Z
