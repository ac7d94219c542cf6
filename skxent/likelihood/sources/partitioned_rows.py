"""Rows in the partitions of Dask collections, as a row source.

A question is the name of a method of `LocalRows` or `LocalSums`, with its arguments. Dask calls the
method on every partition, and adds up the results on the workers: one round trip. A partition
builds its `LocalRows` and its `LocalSums` once, and keeps them on its worker in a `Slot`. If the
worker is lost or the partition moves, the slot is empty and the next question builds them again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import count
from sys import float_info
from threading import Lock
from typing import Any, ClassVar, Self

import numpy as np

from skxent.inputs import partitions
from skxent.inputs.features import AnyArray
from skxent.inputs.partitions import Each
from skxent.likelihood.sources import sampling
from skxent.likelihood.sources.arrays import RowShape, joined
from skxent.likelihood.sources.blocks import Matrix, add, fit_one_block
from skxent.likelihood.sources.first_sums import FirstSums, Moments
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.local_sums import LocalSums
from skxent.likelihood.sources.row_space import AnyRowSpace
from skxent.likelihood.sources.sampling import Scores
from skxent.likelihood.sources.thread_limits import one_blas_thread

Add = Callable[[Any, Any], Any]
Question = str | Callable[..., Any]  # a method's name, or a function of local rows
# The samples of a partition, and its targets, weights and offsets.
Part = tuple[AnyArray, tuple[np.ndarray, np.ndarray | None, np.ndarray | None]]

_tokens = count()  # a number for each step, which identifies its result in a slot


@dataclass(frozen=True)
class Step:
    """A method that builds rows from rows, or sums from rows.

    Parameters
    ----------
    name : str
        Name of a method of `LocalRows`.
    args : tuple
    token : int or None
        Key of the result in the slot; None if the result is not kept.
    """

    name: str
    args: tuple[object, ...]
    token: int | None


class Slot:
    """Results of the steps of a partition, kept while the partition stays on one worker.

    A pickled slot is empty: if a partition moves or is spilled to disk, its rows are built again.
    """

    def __init__(self) -> None:
        self.built: list[tuple[int | None, LocalRows | LocalSums]] = []
        self._lock = Lock()  # several tasks may use the slot of one partition at the same time

    def __reduce__(self) -> tuple[type[Slot], tuple[()]]:
        return Slot, ()

    def build(self, rows: Callable[[], LocalRows], steps: Sequence[Step]) -> LocalRows | LocalSums:
        """Apply `steps` in turn, starting from `rows()`; results in the slot are reused."""
        with self._lock:
            done = 0
            for step, (token, _) in zip(steps, self.built, strict=False):
                if token != step.token:
                    del self.built[done:]
                    break
                done += 1
            result: Any = self.built[done - 1][1] if done else rows()
            for step in steps[done:]:
                result = getattr(result, step.name)(*step.args)
                if step.token is not None:
                    self.built.append((step.token, result))
            return result


@dataclass(frozen=True)
class Recipe:
    """How a partition builds its local rows or sums.

    Parameters
    ----------
    read : function
        Function that turns the samples of a partition into a matrix for `LocalRows`.
    n_classes : int
        Number of classes of the targets before any step.
    fit_intercept : bool
    steps : tuple of Step
    """

    read: Callable[[AnyArray], Matrix]
    n_classes: int
    fit_intercept: bool
    steps: tuple[Step, ...] = ()

    def then(self, kept: bool, name: str, *args: object) -> Recipe:
        """The recipe with another step, kept if `kept` is true and all earlier steps are kept."""
        kept = kept and all(step.token is not None for step in self.steps)
        step = Step(name, args, next(_tokens) if kept else None)
        return replace(self, steps=(*self.steps, step))

    def build(self, index: int, part: Part, slot: Slot) -> LocalRows | LocalSums:
        """Local rows or sums of one partition."""
        x, (targets, weight, offset) = part

        def rows() -> LocalRows:
            return LocalRows(
                X=self.read(x),
                targets=targets,
                weight=weight,
                n_classes=self.n_classes,
                fit_intercept=self.fit_intercept,
                part=index,
                offset=offset,
            )

        return slot.build(rows, self.steps)


@dataclass(frozen=True)
class Partitions:
    """The partitions of the rows, and methods that compute the answers of all partitions.

    Parameters
    ----------
    parts : Each
        Lazy pairs (x, (targets, weight, offset)), none of them empty.
    slots : Each
        A lazy `Slot` for each partition.
    recipe : Recipe
    """

    parts: Each
    slots: Each
    recipe: Recipe

    def each(self, question: Question, *args: object) -> Each:
        """Lazy answers of the partitions to a question.

        An argument of type `Each` holds one value for each partition.
        """
        return partitions.map_partitions(
            self.parts, _answer, self.slots, self.recipe, question, *args
        )

    def sum(self, question: Question, *args: object, add: Add = add) -> Any:
        """Sum of the answers of the partitions, or their reduction by `add`; one round trip."""
        answers = self.each(question, *args)
        return partitions.compute(self.parts, partitions.tree_reduce(answers, add))

    def gather(self, question: Question, *args: object) -> list[Any]:
        """List of the answers of the partitions; one round trip."""
        return list(partitions.compute(self.parts, self.each(question, *args)))

    def one(self, part: int, question: Question, *args: object) -> Any:
        """Answer of one partition; one round trip."""
        return partitions.compute(self.parts, self.each(question, *args)[part])


def new_slots(x: Each, held: bool) -> Each:
    """An empty slot for the results of each partition.

    If the partitions are held in memory (`held`), the slots are stored on the workers.
    """
    if not held:
        return Each(Slot() for _ in x)
    (slots,) = partitions.persist(partitions.map_partitions(x, _new_slot))
    return slots


def _new_slot(index: int, x: object) -> Slot:
    return Slot()


def _answer(
    index: int, part: Part, slot: Slot, recipe: Recipe, question: Question, *args: object
) -> object:
    """Answer of one partition, computed on its worker."""
    with closing(one_blas_thread()) as limit, limit:
        built = recipe.build(index, part, slot)
        try:
            if callable(question):
                return question(built, *args)
            return getattr(built, question)(*args)
        finally:
            if isinstance(built, LocalSums):
                built.close()  # the scratch space of all partitions would need as much memory as X


@dataclass(frozen=True)
class PartitionedRows(Partitions, RowShape):
    """Rows, targets and weights that stay on their workers; implements `RowSource`.

    Parameters
    ----------
    lengths : sequence of int
        Numbers of rows of the partitions.
    width, sparse, n_classes, fit_intercept
        As in `LocalRows`; `width` is the number of columns.
    n_threads : int
        Number of threads for rows copied into this process; each partition uses one thread.
    spare : float or None
        Bytes on the workers for copies of rows in slots. None if the partitions are not held in
        memory; the partitions are then read again for each question, and no result is kept.
    """

    lengths: Sequence[int]
    width: int
    sparse: bool
    n_classes: int
    fit_intercept: bool
    n_threads: int
    spare: float | None = None
    can_sample: ClassVar[bool] = True
    eps: ClassVar[float] = float_info.epsilon

    @property
    def n_rows(self) -> int:
        """Number of rows, n."""
        return sum(self.lengths)

    @property
    def n_features(self) -> int:
        """Number of columns of X, d."""
        return self.width

    def in_memory(self) -> None:
        """Return None, because the rows are on the workers."""

    def first_sums(self) -> FirstSums:
        """Compute the sums that determine the moments, in one read of X."""
        first: FirstSums = self.sum("first_sums")
        return first

    def weight_range(self) -> tuple[float, float]:
        """Smallest and largest positive weight."""
        least, most = self.sum("weight_range", add=_wider)
        return least, most

    def sum_of_losses(self, coef: np.ndarray, intercept: np.ndarray) -> float:
        """Weighted sum of losses without cancellation; parameters are those for uncentred rows."""
        return float(self.sum("sum_of_losses", coef, intercept))

    def largest_distance(self, columns: np.ndarray, origin: np.ndarray) -> np.ndarray:
        """Largest distance from `origin` in each given column, over rows with positive weight."""
        return np.asarray(self.sum("largest_distance", columns, origin, add=np.maximum))

    def column_products(
        self, centre: np.ndarray, scale: np.ndarray, V: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Weighted X' E and E' E for the centred and scaled X; E is X V, or X if V is None."""
        with_X, own = self.sum("column_products", centre, scale, V)
        return with_X, own

    def first_row(self, columns: np.ndarray) -> np.ndarray:
        """Entries of the first row in the given columns, in float64."""
        return np.asarray(self.gather("first_row", columns)[0])

    def power_sums(
        self, columns: np.ndarray, origin: np.ndarray, shift: np.ndarray, power: int
    ) -> np.ndarray:
        """Weighted sum over rows of ((x - origin) - shift)^power, for each given column."""
        return np.asarray(self.sum("power_sums", columns, origin, shift, power))

    def with_classes(self, mask: np.ndarray) -> Self:
        """The same rows with only the classes in `mask`; rows of other classes must weigh zero."""
        recipe = self.recipe.then(self.spare is not None, "with_classes", mask)
        return replace(self, recipe=recipe, n_classes=int(np.count_nonzero(mask)))

    def with_columns(self, columns: np.ndarray, exponents: np.ndarray | None = None) -> Self:
        """The same rows with only the given columns, each multiplied by 2^exponent."""
        kept, spare = self._room(8.0 * self.n_rows * len(columns))
        recipe = self.recipe.then(kept, "with_columns", columns, exponents)
        return replace(self, recipe=recipe, width=len(columns), spare=spare)

    def without_row(self, part: int, row: int) -> Self:
        """The same rows; one row of a partition has weight zero."""
        return replace(self, recipe=self.recipe.then(False, "without_row", part, row))

    def without_far_unweighted(self) -> Self:
        """Return these rows, because the sums of a partition skip rows of weight zero."""
        return self

    def total_score(self, scores: Each) -> object:
        """Sum of scores over all rows, lazily."""
        return partitions.tree_reduce(self.each("total_score", scores), add)

    def column_scores(self, columns: np.ndarray, centre: np.ndarray, moment: np.ndarray) -> Each:
        """Return each row's part in the second moments of the given columns, lazily.

        See `sampling.column_scores`.
        """
        return self.each("column_scores", columns, centre, moment)

    def draw(self, centre: np.ndarray, rate: np.ndarray, *shares: object) -> LocalRows:
        """Draw rows on the workers and copy the drawn rows into this process.

        See `sampling.draw_rows`.
        """
        return joined(self.gather("draw", centre, rate, *shares), self.n_threads)

    def sample(
        self, moments: Moments, centre: np.ndarray, size: int, scores: Scores | None = None
    ) -> LocalRows:
        """Draw about `size` rows into this process, see `sampling.draw_sample`."""
        return sampling.draw_sample(self, moments, centre, size, scores)

    def row_space(
        self, moments: Moments, independent: bool, scale: np.ndarray | None = None
    ) -> AnyRowSpace[LocalRows]:
        """Copy all rows into this process and change to row-space coordinates.

        See `RowSource.row_space`.
        """
        rows = joined(self.gather("in_memory"), self.n_threads)
        return rows.row_space(moments, independent, scale)

    def sums(self, centre: np.ndarray | None, far: bool) -> PartitionedSums:
        """Sums over the rows less `centre`."""
        p = self.theta_shape[1]
        written_out = [n for n in self.lengths if fit_one_block(n, p, self.n_outputs)]
        kept, _ = self._room(0.0 if self.sparse else 8.0 * p * sum(written_out))
        recipe = self.recipe.then(kept, "sums", centre, far)
        return PartitionedSums(self.parts, self.slots, recipe)

    def _room(self, n_bytes: float) -> tuple[bool, float | None]:
        """Whether a copy of `n_bytes` fits into the slots, and the bytes that are then left."""
        if self.spare is None or n_bytes > self.spare:
            return False, self.spare
        return True, self.spare - n_bytes


class PartitionedSums(Partitions):
    """Sums over the rows of all partitions; implements `RowSums`."""

    def in_memory(self) -> None:
        """Return None, because the rows are on the workers."""

    def close(self) -> None:
        """Do nothing: a partition ends its threads and frees its space after each question."""

    def log_partition(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Sum of the weighted log-partition A, and its gradient."""
        partition, gradient = self.sum("log_partition", theta)
        return partition, gradient

    def losses(self, theta: np.ndarray) -> tuple[float, float, np.ndarray]:
        """Sum of the weighted losses, its sensitivity and its gradient, see `LocalSums.losses`."""
        loss, sensitivity, gradient = self.sum("losses", theta)
        return loss, sensitivity, gradient

    def hessian_product(self, theta: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """Hessian of the weighted log-partition at `theta`, times `direction`, (R, p)."""
        return np.asarray(self.sum("hessian_product", theta, direction))

    def max_logit_range(self, direction: np.ndarray, theta: np.ndarray | None = None) -> float:
        """Largest change of a logit, relative to others, see `RowSums.max_logit_range`."""
        return float(self.sum("max_logit_range", direction, theta, add=max))

    def slopes(self, theta: np.ndarray, direction: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Slopes along `direction` of the weighted log-partition at theta + length * direction."""
        return np.asarray(self.sum("slopes", theta, direction, lengths))

    def hessian_gram(self, theta: np.ndarray, residual_weight: float) -> np.ndarray:
        """Blocks of the Hessian for pairs of classes, see `LocalSums.hessian_gram`."""
        return np.asarray(self.sum("hessian_gram", theta, residual_weight))

    def class_block_grams(
        self, theta: np.ndarray, residual_weight: float, per_leverage: np.ndarray | None = None
    ) -> np.ndarray:
        """Diagonal blocks of the Hessian, see `LocalSums.class_block_grams`."""
        return np.asarray(self.sum("class_block_grams", theta, residual_weight, per_leverage))

    def hessian_diagonal(self, theta: np.ndarray, residual_weight: float) -> np.ndarray:
        """Diagonal of the Hessian, (R, p)."""
        return np.asarray(self.sum("hessian_diagonal", theta, residual_weight))

    def sampling_scores(self, theta: np.ndarray, per_leverage: np.ndarray | None = None) -> Each:
        """Contribution of each row to the curvature; the result stays on the workers."""
        return self.each("sampling_scores", theta, per_leverage)


def _wider(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float]:
    """The range that contains two ranges."""
    return min(a[0], b[0]), max(a[1], b[1])
