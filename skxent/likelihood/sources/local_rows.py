"""The data of a fit that are here: rows, targets and weights."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import scipy.sparse

from skxent.likelihood.sources.base import Here
from skxent.likelihood.sources.blocks import Blocks

FEW_CLASSES = 16  # that a label is compared with, rather than looking up where its one belongs


@dataclass(frozen=True)
class LocalRows(Here):
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
        Which part of the whole, where these are not all rows.
    """

    X: Any
    targets: np.ndarray
    weight: np.ndarray | None
    n_classes: int
    fit_intercept: bool = True
    n_threads: int = 1
    part: int = 0

    @property
    def n_rows(self) -> int:
        """Number of samples."""
        return int(self.X.shape[0])

    @property
    def n_features(self) -> int:
        """Number of columns of X."""
        return int(self.X.shape[1])

    @property
    def sparse(self) -> bool:
        """Whether X is."""
        return bool(scipy.sparse.issparse(self.X))

    @property
    def n_outputs(self) -> int:
        """Rows of logits: K, or one for two classes."""
        return 1 if self.n_classes == 2 else self.n_classes

    @property
    def theta_shape(self) -> tuple[int, int]:
        """Shape of the parameters, (R, p)."""
        return self.n_outputs, self.n_features + self.fit_intercept

    def here(self) -> Self:
        """These rows."""
        return self

    def blocks(self, offset: np.ndarray | None) -> Blocks:
        """X in blocks, less `offset`."""
        return Blocks(self.X, offset=offset, n_outputs=self.n_outputs, n_threads=self.n_threads)

    def of_classes(self, mask: np.ndarray) -> Self:
        """The same rows for some of the classes; those of the others have no weight."""
        if self.targets.ndim == 1:
            targets = np.maximum(np.cumsum(mask) - 1, 0)[self.targets]
        else:
            targets = self.targets[:, mask]
            targets[~targets.any(axis=1), 0] = 1.0  # any distribution will do
        return replace(self, targets=targets, n_classes=int(np.count_nonzero(mask)))

    def with_columns(self, columns: np.ndarray, exponents: np.ndarray | None = None) -> Self:
        """These rows with some of their columns, times powers of two, in a copy."""
        return replace(self, X=columns_of(self.X, columns, exponents))

    def target_block(self, rows: slice) -> np.ndarray:
        """Targets of a block as distributions, class-major (K, m)."""
        targets = self.targets[rows]
        if targets.ndim == 2:
            return (targets / targets.sum(axis=1, keepdims=True, dtype=np.float64)).T
        Y = np.empty((self.n_classes, len(targets)))
        if self.n_classes <= FEW_CLASSES:
            Y[...] = targets == np.arange(self.n_classes)[:, None]
        else:
            Y.fill(0.0)
            Y[targets, np.arange(len(targets))] = 1.0
        return Y


def weight_range(data: LocalRows) -> tuple[float, float]:
    """The smallest weight above zero, and the largest."""
    if data.weight is None:
        return 1.0, 1.0
    above = data.weight[data.weight > 0]
    return float(above.min(initial=np.inf)), float(above.max(initial=0.0))


def wider(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float]:
    """The range that has two ranges in it."""
    return min(a[0], b[0]), max(a[1], b[1])


def canonical(X: Any) -> Any:
    """Rows as `Blocks` reads them: sparse ones with indices sorted, in a copy if they are not."""
    if scipy.sparse.issparse(X) and not X.has_canonical_format:
        X = X.copy()  # the caller's is not sorted for him
        X.sum_duplicates()
    return X


def columns_of(X: Any, columns: np.ndarray, exponents: np.ndarray | None = None) -> Any:
    """Some columns of X, each times a power of two, in a copy."""
    X = X[:, columns]
    if exponents is None:
        return X
    if not scipy.sparse.issparse(X):
        return np.ldexp(X.astype(np.float64, copy=False), exponents)
    X = X.astype(np.float64)
    X.data = np.ldexp(X.data, exponents[X.indices])
    return X


def joined(parts: list[LocalRows], n_threads: int) -> LocalRows:
    """Dense parts as one, without a copy where there is but one."""
    first = parts[0]
    if len(parts) == 1:
        return replace(first, n_threads=n_threads)
    X = np.concatenate([part.X for part in parts])
    targets = np.concatenate([part.targets for part in parts])
    weights = [part.weight for part in parts if part.weight is not None]
    weight = np.concatenate(weights) if weights else None
    return replace(first, X=X, targets=targets, weight=weight, n_threads=n_threads)
