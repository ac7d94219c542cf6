"""Rows, targets and weights of a fit, as arrays in this process."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Any, Self, TypeVar

import numpy as np
import scipy.sparse

from skxent.inputs.namespaces import A, library_of
from skxent.likelihood import tuning
from skxent.likelihood.sources.blocks import Blocks, Float, Matrix, fit_one_block

EVERYTHING = slice(None)


class RowShape:
    """Shapes that are computed from the numbers of classes and features."""

    n_classes: int
    fit_intercept: bool

    @property
    @abstractmethod
    def n_features(self) -> int:
        """Number of columns of X, d."""

    @property
    def n_outputs(self) -> int:
        """Number of logits of a sample, R: K, or one for two classes."""
        return 1 if self.n_classes == 2 else self.n_classes

    @property
    def theta_shape(self) -> tuple[int, int]:
        """Shape of the parameters, (R, p)."""
        return self.n_outputs, self.n_features + self.fit_intercept

    def single_sums(self, moments: Any, centre: np.ndarray | None, *, small: bool = False) -> Any:
        """Sums with products in float32, see `RowSource.single_sums`; here there are none."""
        return None


@dataclass(frozen=True)
class RowArrays(RowShape):
    """Rows, targets and weights.

    Parameters
    ----------
    X : (n, d) array or CSR matrix
    targets : (n,) or (n, K) array
        Class codes, or soft rows that sum to one.
    weight : (n,) array or None
    n_classes : int
    fit_intercept : bool
    n_threads : int
    part : int
        Index of the partition that holds these rows; 0 if they are not in partitions.
    offset : (R, n) array or None
        Known parts of the logits, which are added to those of the parameters. For K >= 3 their sum
        over classes is zero for each row.
    """

    X: Matrix
    targets: np.ndarray
    weight: np.ndarray | None
    n_classes: int
    fit_intercept: bool = True
    n_threads: int = 1
    part: int = 0
    offset: np.ndarray | None = None

    @property
    def n_rows(self) -> int:
        """Number of rows, n."""
        return int(self.X.shape[0])

    @property
    def n_features(self) -> int:
        """Number of columns of X, d."""
        return int(self.X.shape[1])

    @property
    def sparse(self) -> bool:
        """Whether X is a sparse matrix."""
        return bool(scipy.sparse.issparse(self.X))

    @property
    def are_one_block(self) -> bool:
        """Whether the rows are dense, and so few that all their samples fit one block."""
        return not self.sparse and fit_one_block(self.n_rows, self.theta_shape[1], self.n_outputs)

    @property
    def weighted(self) -> np.ndarray:
        """Mask of the rows with positive weight, (n,)."""
        return np.ones(self.n_rows, dtype=bool) if self.weight is None else self.weight > 0

    def blocks(self, centre: np.ndarray | None, dtype: Float = np.float64) -> Blocks:
        """The rows of X less `centre`, to be read block by block."""
        R, n_threads = self.n_outputs, self.n_threads
        return Blocks(self.X, centre=centre, n_outputs=R, n_threads=n_threads, dtype=dtype)

    def add_offset(self, logits: np.ndarray, rows: slice = EVERYTHING) -> np.ndarray:
        """Add the offset of a block to the class-major logits (R, m) in place, if there is one."""
        if self.offset is not None:
            logits += self.offset[:, rows]
        return logits

    def dense(self) -> np.ndarray:
        """X as a dense array; a dense X is not copied."""
        X: np.ndarray = self.X.toarray() if self.sparse else self.X
        return X

    def target_block(self, rows: slice | np.ndarray) -> np.ndarray:
        """Targets of a block as distributions over classes, class-major (K, m)."""
        targets = self.targets[rows]
        if targets.ndim == 2:
            return (targets / targets.sum(axis=1, keepdims=True, dtype=np.float64)).T
        Y = np.empty((self.n_classes, len(targets)))
        if self.n_classes <= tuning.FEW_CLASSES:
            Y[...] = targets == np.arange(self.n_classes)[:, None]
        else:
            Y.fill(0.0)
            Y[targets, np.arange(len(targets))] = 1.0
        return Y

    def with_classes(self, mask: np.ndarray) -> Self:
        """The same rows with only the classes in `mask`; rows of other classes must weigh zero."""
        if self.targets.ndim == 1:
            targets = np.maximum(np.cumsum(mask) - 1, 0)[self.targets]
        else:
            targets = self.targets[:, mask]
            # These rows have weight zero: their target is not used, but must be a distribution.
            targets[~targets.any(axis=1), 0] = 1.0
        n_classes = int(np.count_nonzero(mask))
        offset = self.offset_among(mask)
        return replace(self, targets=targets, n_classes=n_classes, offset=offset)

    def offset_among(self, mask: np.ndarray) -> np.ndarray | None:
        """Offset of a model with only the classes in `mask`, (R, n), if there is one."""
        if self.offset is None or mask.all():
            return self.offset
        return balanced_offset(self.offset[mask])

    def of_rows(self, rows: np.ndarray | slice) -> Self:
        """Some of the rows, given by their indices or as a slice."""
        return replace(self, X=self.X[rows], **self.beside_X(rows))

    def beside_X(self, rows: np.ndarray | slice) -> dict[str, Any]:
        """Return the targets, weights and offsets of some rows, by the names of the fields."""
        return {
            "targets": self.targets[rows],
            "weight": None if self.weight is None else self.weight[rows],
            "offset": None if self.offset is None else self.offset[:, rows],
        }

    def with_columns(self, columns: np.ndarray, exponents: np.ndarray | None = None) -> Self:
        """A copy with only the given columns, each multiplied by 2^exponent."""
        X = self.X[:, columns]
        if exponents is not None and self.sparse:
            X = X.astype(np.float64)
            X.data = np.ldexp(X.data, exponents[X.indices])
        elif exponents is not None:
            X = np.ldexp(X.astype(np.float64, copy=False), exponents)
        return replace(self, X=X)

    def scaled_columns(self, columns: np.ndarray, centre: np.ndarray, scale: np.ndarray) -> Self:
        """A dense copy of some columns, less `centre` and times `scale`."""
        X = np.subtract(self.with_columns(columns).dense(), centre, dtype=np.float64)
        X *= scale
        return replace(self, X=X)

    def with_more_columns(self, others: RowArrays, columns: np.ndarray) -> Self:
        """A dense copy of these rows with some columns of other rows appended."""
        return replace(self, X=np.column_stack([self.X, others.with_columns(columns).dense()]))


def balanced_offset(offset: A) -> A:
    """Offsets (R, n) in the form of the engine, from an offset for each class, (K, n), or (1, n).

    The offset of two classes is their difference. For more classes the mean over classes is
    subtracted, which changes no probability. The result is in the library of `offset`.
    """
    if offset.shape[0] == 2:
        return offset[1:, :] - offset[:1, :]
    xp = library_of(offset)
    mean = xp.mean(offset, axis=0) if offset.shape[0] > 1 else 0.0
    return xp.asarray(offset - mean, order="C") if xp is np else offset - mean


Rows = TypeVar("Rows", bound=RowArrays)


def joined(parts: list[Rows], n_threads: int) -> Rows:
    """Concatenate the rows of dense parts; a single part is not copied."""
    first = parts[0]
    if len(parts) == 1:
        return replace(first, n_threads=n_threads)
    X = np.concatenate([part.X for part in parts])
    targets = np.concatenate([part.targets for part in parts])
    weights = [part.weight for part in parts if part.weight is not None]
    weight = np.concatenate(weights) if weights else None
    offsets = [part.offset for part in parts if part.offset is not None]
    offset = np.concatenate(offsets, axis=1) if offsets else None
    return replace(first, X=X, targets=targets, weight=weight, offset=offset, n_threads=n_threads)
