"""A warning about pandas objects that hold the same samples in another order.

Samples are paired by their position, as everywhere in scikit-learn, and the index of a data frame
is not read. If two indices have the same labels in another order, the pairs are most likely wrong.
"""

from __future__ import annotations

import warnings
from typing import Any

from skxent.inputs.stacklevel import users_stacklevel


def warn_of_row_order(samples: object, name: str, **others: object) -> None:
    """Warn of each of `others` whose index has the labels of `samples` in another order.

    Parameters
    ----------
    samples : object
        The argument `name`. Only pandas objects have an index.
    name : str
    **others : object
        Further arguments of one entry for each sample, by their names.
    """
    index = _index_of(samples)
    if index is None:
        return
    for other, values in others.items():
        row = _first_moved(index, _index_of(values))
        if row is not None:
            warnings.warn(
                f"{other} has the index of {name} in another order, but samples are paired by "
                f"their position: row {row} of {name} has the label {_shown(index, row)}, and row "
                f"{row} of {other} has {_shown(_index_of(values), row)}. Pass "
                f"{other}.loc[{name}.index], or {other}.to_numpy() if the positions are right.",
                UserWarning,
                stacklevel=users_stacklevel(),
            )


def _index_of(values: object) -> Any:
    """Return the index of a pandas series or data frame, or None for other objects."""
    kind = type(values)
    if kind.__module__.partition(".")[0] != "pandas" or not hasattr(kind, "iloc"):
        return None
    return getattr(values, "index", None)


def _first_moved(index: Any, other: Any) -> int | None:
    """Return the first row with another label, or None if one index is no reordered other."""
    if other is None or len(index) != len(other) or index.equals(other):
        return None
    if not (index.is_unique and other.is_unique):
        return None
    # Plain labels, since methods of an index fail beside an index of another type or more levels.
    labels, others = index.tolist(), other.tolist()
    if set(labels) != set(others):
        return None
    pairs = zip(labels, others, strict=True)
    return next((row for row, (label, its) in enumerate(pairs) if label != its), None)


def _shown(index: Any, row: int) -> str:
    return repr(index[row : row + 1].tolist()[0])
