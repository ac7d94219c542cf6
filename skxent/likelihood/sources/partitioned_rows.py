"""Rows in the partitions of Dask collections, as a place that a fit can ask."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from sys import float_info
from typing import Any, ClassVar, Self

import numpy as np

from skxent.inputs import partitions
from skxent.inputs.partitions import Each
from skxent.likelihood.sources.base import Add, Function, add
from skxent.likelihood.sources.local_rows import LocalRows, columns_of, joined
from skxent.likelihood.sources.thread_limits import one_blas_thread


@dataclass(frozen=True)
class PartitionedRows:
    """Rows, targets and weights that stay on their workers.

    Parameters
    ----------
    parts : Each
        Lazy pairs (x, (targets, weight)), none of them empty.
    read : function
        Of an x, what `LocalRows` takes.
    lengths : sequence of int
        Their numbers of rows.
    n_features, sparse, n_classes, fit_intercept, n_threads
        As in `LocalRows`; threads are for what is done here, a partition has one.
    preparation : tuple (kind, *args)
        What a function gets of a partition is ``kind(data, *args)``; `Data` itself where empty.
    present : (K,) array of bool or None
        The classes of the targets that are `n_classes`; None for all.
    """

    parts: Each
    read: Function
    lengths: Sequence[int]
    n_features: int
    sparse: bool
    n_classes: int
    fit_intercept: bool
    n_threads: int
    preparation: tuple[Any, ...] = ()
    present: np.ndarray | None = None
    immovable: ClassVar[bool] = False
    eps: ClassVar[float] = float_info.epsilon

    @property
    def n_rows(self) -> int:
        """Number of samples."""
        return sum(self.lengths)

    @property
    def n_outputs(self) -> int:
        """Rows of logits: K, or one for two classes."""
        return 1 if self.n_classes == 2 else self.n_classes

    @property
    def theta_shape(self) -> tuple[int, int]:
        """Shape of the parameters, (R, p)."""
        return self.n_outputs, self.n_features + self.fit_intercept

    def of_classes(self, mask: np.ndarray) -> Self:
        """The same rows for some of the classes; those of the others have no weight."""
        return replace(self, present=mask, n_classes=int(np.count_nonzero(mask)))

    def prepared(self, kind: Function, *args: Any) -> Self:
        """The same partitions, each as ``kind(part, *args)`` when it is asked."""
        return replace(self, preparation=(kind, *args))

    def with_columns(self, columns: np.ndarray, exponents: np.ndarray | None = None) -> Self:
        """The same partitions, of which some columns are read."""
        read = partial(_columns, self.read, columns, exponents)
        return replace(self, read=read, n_features=len(columns))

    def map(self, function: Function, *args: Any) -> Each:
        """Ask each partition, lazily."""
        settings = self.read, self.n_classes, self.fit_intercept, self.preparation, self.present
        return partitions.map_partitions(self.parts, _answer, settings, function, *args)

    def total(self, each: Each, add: Add = add) -> Any:
        """Add up what each partition answers, lazily."""
        return partitions.tree_reduce(each, add)

    def gather(self, each: Each) -> list[Any]:
        """What each partition answers."""
        result: list[Any] = partitions.compute(self.parts, each)
        return result

    def sum(self, function: Function, *args: Any, add: Add = add) -> Any:
        """Ask each partition and add up: one round trip."""
        return partitions.compute(self.parts, self.total(self.map(function, *args), add))

    def close(self) -> None:
        """Nothing is held."""

    def here(self) -> LocalRows:
        """All rows in this process."""
        return joined(self.gather(self.map(_itself)), self.n_threads)


def _columns(read: Function, columns: np.ndarray, exponents: np.ndarray | None, x: Any) -> Any:
    return columns_of(read(x), columns, exponents)


def _itself(data: LocalRows) -> LocalRows:
    return data


def _answer(index: int, part: Any, settings: Any, function: Function, *args: Any) -> Any:
    """Ask one partition, on the worker that has it."""
    x, (targets, weight) = part
    read, n_classes, fit_intercept, preparation, present = settings
    rows: Any = LocalRows(read(x), targets, weight, n_classes, fit_intercept, part=index)
    if present is not None:
        rows = rows.of_classes(present)
    with closing(one_blas_thread()) as limit, limit:
        if preparation:
            kind, *known = preparation
            rows = kind(rows, *known)
        return function(rows, *args)
