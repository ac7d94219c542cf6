"""The input columns that each column of a transformed X is computed from.

scikit-learn does not store this map. The parts of composite transformers are found in their public
attributes. Any other transformer is given marks as the names of its input and asked for the names
of its output. An output column is computed from the input columns whose marks are in its name:
"x0_red" of a OneHotEncoder is computed from x0, and "x0 x1" of PolynomialFeatures from x0 and x1.
The origin of a column whose name has no mark, such as "pca0", is not known.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

# Indices of the input columns of one output column, ascending; None if they are not known.
Origin = tuple[int, ...] | None
Transformer = Any  # scikit-learn has no types

MARK = re.compile("\x1e([0-9]+)\x1f")


def passes_through(step: Transformer) -> bool:
    """Tell whether a step of a pipeline or a part of a composite returns its input."""
    return step is None or (isinstance(step, str) and step == "passthrough")


def origins(transformer: Transformer, n_inputs: int) -> list[Origin] | None:
    """Return the origin of each output column of a fitted transformer.

    Parameters
    ----------
    transformer : transformer
        Fitted.
    n_inputs : int
        Number of its input columns.

    Returns
    -------
    list of tuple of int or None, or None
        An origin for each output column. None if the number of output columns is not known.
    """
    if passes_through(transformer):
        return [(j,) for j in range(n_inputs)]
    if hasattr(transformer, "steps"):
        return origins_of_chain([step for _, step in transformer.steps], n_inputs)
    if hasattr(transformer, "output_indices_"):
        return _of_columns(transformer, n_inputs)
    if hasattr(transformer, "transformer_list"):
        return _of_union(transformer, n_inputs)
    return _of_marks(transformer, n_inputs)


def origins_of_chain(transformers: Iterable[Transformer], n_inputs: int) -> list[Origin] | None:
    """Return the origins after several transformers, each applied to the output of the former."""
    found: list[Origin] = [(j,) for j in range(n_inputs)]
    for transformer in transformers:
        own = origins(transformer, len(found))
        if own is None:
            return None
        found = [_through(origin, found) for origin in own]
    return found


def _through(origin: Origin, before: Sequence[Origin]) -> Origin:
    """Return the origin of a column in the input of the transformers before."""
    if origin is None:
        return None
    parts = [before[j] for j in origin]
    known = [part for part in parts if part is not None]
    return tuple(sorted(set().union(*known))) if len(known) == len(parts) else None


def _of_columns(transformer: Transformer, n_inputs: int) -> list[Origin]:
    """Return the origins of a ColumnTransformer."""
    names = list(getattr(transformer, "feature_names_in_", []))
    outputs = transformer.output_indices_
    found: list[Origin] = [None] * max((part.stop for part in outputs.values()), default=0)
    for name, part, columns in transformer.transformers_:
        own = outputs[name]
        places = _places(columns, names, n_inputs)
        if own.stop > own.start:
            found[own] = _of_part(part, places, own.stop - own.start)
    return found


def _of_part(transformer: Transformer, places: list[int], n_outputs: int) -> list[Origin]:
    """Return the origins of one part of a ColumnTransformer, which has the columns `places`."""
    if len(places) == 1:
        return [(places[0],)] * n_outputs
    own = origins(transformer, len(places))
    if own is None or len(own) != n_outputs:
        return [None] * n_outputs
    return [_through(origin, [(place,) for place in places]) for origin in own]


def _places(columns: Any, names: list[str], n_inputs: int) -> list[int]:
    """Return the indices of columns that are given by names, indices, a mask or a slice."""
    if isinstance(columns, slice) and any(
        isinstance(end, str) for end in (columns.start, columns.stop)
    ):  # both ends of a slice of names belong to it
        start = 0 if columns.start is None else names.index(columns.start)
        stop = n_inputs if columns.stop is None else names.index(columns.stop) + 1
        columns = slice(start, stop, columns.step)
    if isinstance(columns, slice):
        return list(range(n_inputs))[columns]
    listed = np.atleast_1d(np.asarray(columns)).tolist()
    if any(isinstance(column, str) for column in listed):
        return [names.index(column) for column in listed]
    chosen: list[int] = np.arange(n_inputs)[listed].tolist() if listed else []
    return chosen


def _of_union(transformer: Transformer, n_inputs: int) -> list[Origin] | None:
    """Return the origins of a FeatureUnion."""
    found: list[Origin] = []
    for _, part in transformer.transformer_list:
        own = [] if isinstance(part, str) and part == "drop" else origins(part, n_inputs)
        if own is None:
            return None
        found += own
    return found


def _of_marks(transformer: Transformer, n_inputs: int) -> list[Origin] | None:
    """Return the origins that the names of the output tell if the input has marked names."""
    marks = np.array([f"\x1e{j}\x1f" for j in range(n_inputs)], dtype=object)
    probe = copy.copy(transformer)
    vars(probe).pop("feature_names_in_", None)  # names of the input must equal these, if any
    try:
        names = [str(name) for name in probe.get_feature_names_out(marks)]
    except (AttributeError, IndexError, KeyError, NotImplementedError, TypeError, ValueError):
        return None  # transformers of other libraries may take no names, or have none
    if n_inputs == 1:
        return [(0,)] * len(names)
    return [tuple(sorted({int(j) for j in MARK.findall(name)})) or None for name in names]
