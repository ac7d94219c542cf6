"""Everything that X and y of a fit may be passed as: labels, frames, layouts, sparse formats."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import scipy.sparse as sp
from sklearn.preprocessing import StandardScaler

LABELS = {
    "codes": np.arange(5),
    "int8": np.array([-100, -3, 0, 7, 100], dtype="int8"),
    "uint64": np.arange(5, dtype="uint64") + np.uint64(2**63),
    "wide": np.array([-(2**62), -1, 0, 1, 2**62]),
    "whole": np.arange(5, dtype="float32"),
    "text": np.array(["", "10", "2", "a b", "ü"]),
    "objects": np.array(["a", "b", "c", "d", "e"], dtype=object),
    "StringDType": np.array(["a", "b", "c", "d", "e"]).astype(np.dtypes.StringDType()),
    "bool": np.array([False, True]),
}
INDICES = [
    lambda n: pd.RangeIndex(n, 0, -1),
    lambda n: pd.MultiIndex.from_arrays([["r"] * n, range(n)]),
    lambda n: pd.date_range("2020", periods=n),
    lambda n: pd.Index([7] * n),
]


def frame(X: np.ndarray) -> pd.DataFrame:
    """A data frame with an odd index."""
    n, d = X.shape
    return pd.DataFrame(X, INDICES[(n + d) % len(INDICES)](n), [f"x{j}" for j in range(d)])


def mixed(X: np.ndarray) -> pd.DataFrame:
    """A data frame whose columns have different types."""
    table = frame(X)
    for j, name in enumerate(table.columns):
        column = X[:, j].astype(float)
        whole = bool((column == np.round(column)).all() and np.abs(column).max() < 2**53)
        kinds = ["float64", "Float64", "double[pyarrow]", "object"]
        kinds += ["int64", "Int64", "int64[pyarrow]"] * whole
        table[name] = table[name].astype(kinds[(j + len(X)) % len(kinds)])
    return table


def on_disk(X: np.ndarray) -> np.ndarray:
    """A read-only memory map of a file that has no name any more."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "X.npy"
        np.save(path, X)
        return np.load(path, mmap_mode="r")


def read_only(X: np.ndarray) -> np.ndarray:
    """A copy that cannot be written to."""
    X = X.copy()
    X.flags.writeable = False
    return X


def repeated(X: np.ndarray) -> sp.csr_array:
    """Sparse rows with each entry twice, so that halves add up, and zeros that are stored."""
    half = sp.coo_array(X / 2)
    zeros = sp.coo_array(X == 0)
    row = np.concatenate([half.coords[0], half.coords[0], zeros.coords[0]])
    column = np.concatenate([half.coords[1], half.coords[1], zeros.coords[1]])
    value = np.concatenate([half.data, half.data, np.zeros(zeros.nnz)])
    order = np.lexsort((-column, row))  # columns within a row descend
    indptr = np.append(0, np.cumsum(np.bincount(row, minlength=len(X))))
    return sp.csr_array((value[order], column[order], indptr), shape=X.shape)


def wide_indices(X: np.ndarray) -> sp.csr_array:
    """Sparse rows with indices of int64."""
    rows = sp.csr_array(X)
    rows.indices, rows.indptr = rows.indices.astype("int64"), rows.indptr.astype("int64")
    return rows


WRAPPERS: dict[str, Callable[[np.ndarray], Any]] = {
    "array": np.asarray,
    "Fortran": np.asfortranarray,
    "strided": lambda X: np.repeat(np.repeat(X, 2, axis=0), 3, axis=1)[::2, ::3],
    "reversed": lambda X: X[::-1, ::-1].copy()[::-1, ::-1],
    "read-only": read_only,
    "on disk": on_disk,
    "list": lambda X: X.tolist(),
    "big-endian": lambda X: X.astype(">f8"),
    "longdouble": lambda X: X.astype(np.longdouble),
    "objects": lambda X: X.astype(object),
    "pandas": frame,
    "mixed": mixed,
    "nullable": lambda X: frame(X).astype("Float64"),
    "arrow": lambda X: frame(X).astype("double[pyarrow]"),
    "polars": lambda X: pl.DataFrame({f"x{j}": column for j, column in enumerate(X.T)}),
    "csr": sp.csr_array,
    "csc": sp.csc_matrix,
    "coo": sp.coo_array,
    "csr matrix": sp.csr_matrix,
    "lil": sp.lil_array,
    "dok": sp.dok_array,
    "int64 indices": wide_indices,
    "repeated entries": repeated,
}
# Frames whose names of columns scikit-learn reads; version 1.7 does not read those of polars 2.
NAMED = {
    name
    for name in ("pandas", "mixed", "nullable", "arrow", "polars")
    if hasattr(StandardScaler().fit(WRAPPERS[name](np.eye(2))), "feature_names_in_")
}
SPARSE = set(list(WRAPPERS)[list(WRAPPERS).index("csr") :])
OF_LABELS: dict[str, Callable[[np.ndarray], Any]] = {
    "array": np.asarray,
    "list": lambda y: y.tolist(),
    "strided": lambda y: np.repeat(y, 2)[::2],
    "read-only": read_only,
    "series": lambda y: pd.Series(y.astype(object) if y.dtype.kind == "T" else y),
    "categorical": lambda y: pd.Series(y.tolist(), dtype="category"),
}
