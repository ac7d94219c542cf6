"""The argument `at` of effects: values of features at which probabilities are evaluated."""

from __future__ import annotations

import numbers
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

Values = dict[int, Any]  # values by the indices of columns
SHOWN = 5  # largest number of names in a message


def combinations(
    at: object, names: Sequence[str], *, only_numbers: bool
) -> Iterator[tuple[str, Values]]:
    """Yield the combinations of the values in `at`, each with a label.

    Parameters
    ----------
    at : mapping
        A value, or several, by the names or indices of columns.
    names : sequence of str
        Names of the columns.
    only_numbers : bool
        Whether values must be finite numbers. The columns of a pipeline's X may hold any objects.
    """
    if not isinstance(at, Mapping):
        raise ValueError(
            f"at is {at!r}: pass 'overall', 'mean', or a dict with the values of some columns."
        )
    columns = [column_index(key, names, "at") for key in at]
    if len(set(columns)) < len(columns):
        raise ValueError(f"at has two values for one column: pass each of {list(at)} once.")
    read = _numbers if only_numbers else _several
    for values in product(*[read(value, key) for key, value in at.items()]):
        label = ", ".join(f"{names[j]}={value}" for j, value in zip(columns, values, strict=True))
        yield label or "overall", dict(zip(columns, values, strict=True))


def column_index(key: object, names: Sequence[str], argument: str) -> int:
    """Return the index of a column from its name or index."""
    if isinstance(key, str) and key in names:
        return names.index(key)
    if isinstance(key, numbers.Integral) and not isinstance(key, bool):
        j = int(key)
        if 0 <= j < len(names):
            return j
    some = ", ".join(map(repr, names[:SHOWN])) + ", …" * (len(names) > SHOWN)
    raise ValueError(f"{argument} has {key!r}, which is no column: pass some of {some}.")


def _several(values: object, key: object) -> list[Any]:
    """Return the values given for a column, one or several."""
    if isinstance(values, str | bytes) or np.ndim(values) == 0:  # type: ignore[arg-type]
        return [values]
    array = np.asarray(values, dtype=object)
    if array.ndim > 1 or not array.size:
        raise ValueError(f"at[{key!r}] is {values!r}: pass a value, or a list of values.")
    return [value.item() if isinstance(value, np.generic) else value for value in array]


def _numbers(values: object, key: object) -> list[Any]:
    """Return the numbers given for a feature, one or several."""
    array = np.asarray(values)
    if array.ndim > 1 or not array.size or array.dtype.kind not in "biuf":
        raise ValueError(f"at[{key!r}] is {values!r}: pass a number, or a list of numbers.")
    if not np.isfinite(array).all():
        raise ValueError(f"at[{key!r}] is {values!r}: pass finite numbers.")
    return np.atleast_1d(array).tolist()
