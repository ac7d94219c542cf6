"""Samples as classifiers read them on the host: numbers, dense or CSR."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import validate_data

from skxent.inputs.class_names import all_column_names
from skxent.inputs.dask_arguments import computed
from skxent.inputs.errors import check_kind
from skxent.inputs.namespaces import AnyArray, library_of, namespace_of

FLOATS = [np.dtype(np.float64), np.dtype(np.float32)]
SHOWN = 5  # columns that an error names


def read_X(estimator: Any, X: AnyArray, *, reset: bool) -> AnyArray:
    """Read and check samples in this process; `reset` stores their columns.

    Returns a dense array, or a CSR matrix with sorted indices. Dask collections are computed.
    """
    raise_if_on_device(X)
    (X,) = computed(X)
    return canonical(read_rows(estimator, X, reset=reset))


def canonical(X: AnyArray) -> AnyArray:
    """Return samples with the indices of each sparse row sorted and distinct; copy if needed."""
    if issparse(X) and not X.has_canonical_format:
        X = X.copy()  # the user's matrix stays as it is
        X.sum_duplicates()
    return X


def read_rows(estimator: Any, X: AnyArray, *, reset: bool) -> AnyArray:
    """Check samples; `reset` stores their columns, else they must be the columns of the fit."""
    if _is_plain(estimator, X, reset):
        if reset:
            estimator.n_features_in_ = X.shape[1]
        return X
    check_kind(X, "X")
    check_columns(X)
    with columns_named(X):
        return validate_data(estimator, X, accept_sparse="csr", dtype=FLOATS, reset=reset)


def check_columns(X: object) -> None:
    """Refuse dates, which NumPy would convert to numbers, and frames without usable names."""
    names = None if issparse(X) else all_column_names(X)
    if names is not None:
        if not names:
            raise ValueError("X has no columns: pass at least one feature.")
        if len(set(names)) < len(names):
            repeated = next(name for i, name in enumerate(names) if name in names[:i])
            raise ValueError(
                f"X has two columns with the name {repeated!r}: give each column a name of its own."
            )
    dtype = _common_dtype(X, framed=names is not None)
    if dtype is not None and dtype.kind in "mM":
        raise TypeError(
            f"X is {'a data frame' if names is not None else 'an array'} of {dtype}: pass numbers, "
            "for example days since a date of your choice, or leave such columns out."
        )


def _common_dtype(X: Any, *, framed: bool) -> np.dtype[Any] | None:
    """Return the dtype of an array, or that of a frame as an array; None for other objects."""
    if isinstance(X, np.ndarray):
        return X.dtype
    first = next(iter(getattr(X, "dtypes", ())), None) if framed else None
    if getattr(first, "kind", "M") not in "mM":  # a frame is one of dates only if each column is
        return None
    return np.asarray(X[:0]).dtype if framed and hasattr(X, "__array__") else None


def _is_plain(estimator: Any, X: AnyArray, reset: bool) -> bool:
    """Whether X is an array of finite floats that `validate_data` would return as it is.

    `validate_data` also asks whether X is a data frame of some library, which takes longer than all
    checks of a small array. It reads, or refuses, every X that is not plain.
    """
    if type(X) is not np.ndarray or X.dtype not in FLOATS or X.ndim != 2 or not X.size:
        return False
    if hasattr(estimator, "feature_names_in_"):
        return False
    known = reset or X.shape[1] == getattr(estimator, "n_features_in_", None)
    with np.errstate(over="ignore", invalid="ignore"):
        return known and bool(np.isfinite(X.sum()))


@contextmanager
def columns_named(X: object) -> Iterator[None]:
    """Add a note to errors about values of X: which columns are not numeric, and what to do."""
    try:
        yield
    except (TypeError, ValueError) as error:
        amiss = list(_amiss(X))
        if amiss:
            more = f" and {len(amiss) - SHOWN} more" if len(amiss) > SHOWN else ""
            error.add_note(
                f"Not finite numbers in X: {', '.join(amiss[:SHOWN])}{more}. Impute what is "
                "missing and encode what is text or a date, for example with SimpleImputer and "
                "OneHotEncoder in a ColumnTransformer, or leave these columns out."
            )
        raise


def _amiss(X: object) -> Iterator[str]:
    """Describe each column with a value that is not a finite number, and its first such value."""
    for name, values in _columns(X):
        row = _first_amiss(values)
        if row is not None:
            yield f"column {name!r} ({str(values[row])!r} in row {row})"


def _columns(X: AnyArray) -> Iterator[tuple[object, np.ndarray]]:
    """Yield each column of a frame with its name, or of an array of objects with its index."""
    if all(hasattr(X, name) for name in ("__array__", "dtypes", "columns")):
        columns = ((name, np.asarray(X[name])) for name in X.columns)
        yield from ((name, values) for name, values in columns if values.ndim == 1)
    elif isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind in "OUS":
        yield from enumerate(X.T)


def _first_amiss(values: np.ndarray) -> int | None:
    if values.dtype.kind in "biufc":
        good = np.isfinite(values)
        return None if good.all() else int(good.argmin())
    return next((row for row, value in enumerate(values) if not _is_finite(value)), None)


def _is_finite(value: Any) -> bool:
    if isinstance(value, np.datetime64 | np.timedelta64):  # NumPy would convert these to numbers
        return False
    try:
        return bool(np.isfinite(np.float64(value)))
    except (TypeError, ValueError):
        return False


def place_of(x: AnyArray) -> str:
    """Return the library and device of an array as words for a message."""
    if isinstance(x, np.ndarray) or not hasattr(x, "__dlpack__"):
        return "on the host, for NumPy"
    return f"of {library_of(x).__name__.rpartition('.')[2]} on {x.device}"


def raise_if_on_device(X: object) -> None:
    """Refuse an array of a library other than NumPy."""
    if namespace_of(X) is not None:
        raise TypeError(
            f"X is {place_of(X)}, where only fit and predictions of SoftmaxClassifier and "
            "LogisticClassifier work: bring X, y and sample_weight to the host, as NumPy arrays."
        )
