"""Columns of the X of a pipeline, a data frame or an array: their entries, and other values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skxent.inference.evaluation import Values
from skxent.inputs.features import AnyArray


def with_values(X: AnyArray, names: Sequence[str], values: Values) -> AnyArray:
    """Return a copy of X with one value for all samples in each of some columns."""
    by_name = {names[j]: value for j, value in values.items()}
    if hasattr(X, "assign"):  # pandas
        return X.assign(**by_name)
    if hasattr(X, "with_columns"):
        import polars

        return X.with_columns(**{name: polars.lit(value) for name, value in by_name.items()})
    if not isinstance(X, np.ndarray):
        raise TypeError(
            f"X is a {type(X).__name__}, in which at cannot set columns: pass a data frame or a "
            "NumPy array to infer."
        )
    changed = X.copy()
    for j, value in values.items():
        changed[:, j] = value
    return changed


def entries(X: AnyArray, name: str, j: int) -> np.ndarray | None:
    """Return the entries of a column, (n,); None if X is neither a frame nor an array."""
    if hasattr(X, "columns") and name in list(X.columns):
        return np.asarray(X[name], dtype=object)
    return X[:, j].astype(object) if isinstance(X, np.ndarray) else None
