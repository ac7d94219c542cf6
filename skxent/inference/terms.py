"""Terms: groups of features that are tested together, and the terms that contain others.

A term is a product of factors. A term contains another if it has all factors of the other and more,
as the interaction of a and b contains a.
"""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

# What `term_tests` takes: names or indices of features by the name of their term, or a model matrix
# of formulaic, which has no types.
Terms: TypeAlias = Mapping[str, Any] | Any


@dataclass(frozen=True)
class Term:
    """A group of features.

    Parameters
    ----------
    name : str
    columns : tuple of int
        Indices of its features, ascending.
    above : tuple of int
        Indices of the features of terms that contain this term, ascending.
    """

    name: str
    columns: tuple[int, ...]
    above: tuple[int, ...]


Factors = frozenset[str]
Group = tuple[str, Factors, Sequence[int]]  # name, factors and columns of a term


def read_terms(
    terms: Terms | None, features: list[str], origins: list[tuple[str, ...]]
) -> list[Term]:
    """Read the terms of `term_tests`.

    Parameters
    ----------
    terms : mapping, model matrix of formulaic, or None
        None means the terms that `origins` tells.
    features : list of str
        Names of the features.
    origins : list of tuple of str
        For each feature the columns of X that it is computed from.
    """
    if terms is None:
        groups = _of_origins(origins)
    elif isinstance(terms, Mapping):
        groups = [_of_item(name, value, features) for name, value in terms.items()]
    elif hasattr(getattr(terms, "model_spec", terms), "term_indices"):
        groups = _of_formula(getattr(terms, "model_spec", terms), features)
    else:
        raise TypeError(
            f"terms is a {type(terms).__name__}: pass a dict of the names of terms and their "
            "features, or the model matrix of formulaic that X was made with."
        )
    if not groups:
        raise ValueError("terms has no terms: pass at least one, or None for every column of X.")
    return [_related(group, groups) for group in groups]


def _related(group: Group, groups: list[Group]) -> Term:
    """Make a term from its group, with the columns of the groups that contain it."""
    name, factors, columns = group
    above = {j for _, others, more in groups if factors < others for j in more}
    return Term(name, tuple(sorted(columns)), tuple(sorted(above - set(columns))))


def _of_origins(origins: list[tuple[str, ...]]) -> list[Group]:
    columns: dict[tuple[str, ...], list[int]] = {}
    for j, origin in enumerate(origins):
        columns.setdefault(origin, []).append(j)
    return [(":".join(origin), frozenset(origin), own) for origin, own in columns.items()]


def _of_item(name: object, value: object, features: list[str]) -> Group:
    """Read an item of a dict; the name "a:b" is that of an interaction of a and b."""
    if not isinstance(name, str):
        raise TypeError(f"terms has the key {name!r}: pass names of terms as keys.")
    single = isinstance(value, str | numbers.Integral) or not isinstance(value, Iterable)
    listed: list[object] = [value] if single else list(value)  # type: ignore[call-overload]
    columns = [_column(name, entry, features) for entry in listed]
    if not columns or len(set(columns)) < len(columns):
        raise ValueError(f"terms[{name!r}] is {value!r}: pass some features, each of them once.")
    return name, frozenset(name.split(":")), columns


def _column(name: str, entry: object, features: list[str]) -> int:
    """Return the index of a feature that is given by its name or index."""
    if isinstance(entry, str) and features.count(entry) == 1:
        return features.index(entry)
    index = int(entry) if isinstance(entry, numbers.Integral) else -1
    if 0 <= index < len(features) and not isinstance(entry, bool):
        return index
    raise ValueError(
        f"terms[{name!r}] has {entry!r}: pass names of features, or indices from 0 to "
        f"{len(features) - 1}."
    )


def _of_formula(spec: Any, features: list[str]) -> list[Group]:
    """Read the terms of a formula; the column of the intercept may not be among the features."""
    found = [
        (str(term), frozenset(map(str, term.factors)), list(columns))
        for term, columns in spec.term_indices.items()
    ]
    names = [str(name) for name in spec.column_names]
    constant = [j for name, _, columns in found if name == "1" for j in columns]
    kept = list(range(len(names)))
    if len(names) == len(features) + len(constant):
        kept = [j for j in kept if j not in constant]
    if len(kept) != len(features):
        raise ValueError(
            f"terms has {len(names)} columns, but the classifier was fitted with {len(features)} "
            "features: pass the model matrix that X was made with."
        )
    same = sorted(names[j] for j in kept) == sorted(features)
    place = {j: features.index(names[j]) if same else i for i, j in enumerate(kept)}
    return [
        (name, factors, [place[j] for j in columns])
        for name, factors, columns in found
        if name != "1" and columns
    ]
