"""What tasks do with one partition of the samples of a fit: read, check, look, encode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.utils import assert_all_finite, check_array

from skxent.inputs.errors import check_kind
from skxent.inputs.features import FLOATS, columns_named
from skxent.inputs.fit_targets import FitTargets
from skxent.inputs.labels import as_labels, locate
from skxent.inputs.targets import as_weights
from skxent.likelihood.sources.arrays import canonical


def as_block(x: Any) -> Any:
    """Samples, dense or CSR with indices sorted; those that are good stay what they are."""
    check_kind(x, "X")
    if _is_ready(x):
        return x
    with columns_named(x):
        x = check_array(x, accept_sparse="csr", dtype=FLOATS, ensure_min_samples=0, input_name="X")
    return canonical(x)


def _is_ready(x: Any) -> bool:
    if issparse(x):
        return x.format == "csr" and x.dtype in FLOATS and x.has_canonical_format
    return isinstance(x, np.ndarray) and x.dtype in FLOATS


def read_block(index: int, x: Any) -> Any:
    """`as_block` as a task."""
    return as_block(x)


def read_targets(index: int, y: Any, weight: Any) -> FitTargets | None:
    """Targets, by their own classes; None where there are none."""
    n = len(y)
    if weight is not None and len(weight) != n:
        raise ValueError(f"y has {n} samples but sample_weight has {len(weight)}.")
    return FitTargets.read(y, None, n) if n else None


@dataclass(frozen=True)
class Look:
    """What is to be known of one partition: its size, its classes and their weights."""

    n_rows: int
    n_bytes: int
    sparse: bool
    classes: NDArray[Any]
    totals: NDArray[np.float64]
    soft: bool


def look(index: int, x: Any, targets: FitTargets | None, weight: Any, n_features: int) -> Look:
    """Check that the samples of a partition belong together and are numbers."""
    x = as_block(x)  # Dask may have been told what it is not
    if x.ndim != 2 or x.shape[1] != n_features:
        raise ValueError(f"X has a block of shape {x.shape}, and {n_features} columns in all.")
    n = 0 if targets is None else len(targets.values)
    if x.shape[0] != n:
        raise ValueError(
            f"X has {x.shape[0]} samples but y has {n}: cut both alike, as columns of one frame "
            "are, or pass arrays whose chunk sizes are known."
        )
    if targets is None:
        return Look(0, 0, issparse(x), np.empty(0), np.empty(0), False)
    assert_all_finite(x.data if issparse(x) else x, input_name="X")
    weight = as_weights(weight, n, zero=True)
    n_bytes = x.data.nbytes + x.indices.nbytes if issparse(x) else x.nbytes
    soft = targets.values.ndim == 2
    return Look(n, n_bytes, issparse(x), targets.classes, targets.totals(weight), soft)


def encode(
    index: int, targets: FitTargets | None, weight: Any, classes: NDArray[Any], factors: Any
) -> tuple[Any, Any]:
    """Targets by the classes of all, and weights with the factors of the classes."""
    if targets is None:
        return None, None
    if targets.values.ndim == 1:
        codes = locate(as_labels(targets.classes, "y"), as_labels(classes, "classes"))
        targets = FitTargets(classes, codes[targets.values])
    weight = as_weights(weight, len(targets.values), zero=True)
    if factors is not None:
        targets, weight = targets.times(factors, weight)
    return targets.values, weight
