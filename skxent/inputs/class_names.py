"""Column names of data frames: the class that each column stands for.

A name matches a label if the two are equal. It also matches if one of the two is a string and is
the text of the other, because files and polars have strings for all column names. A name that only
resembles a label ("2.0" for 2, "Yes" for "yes") does not match. Such a name raises an error if no
other name matches, or if the names put classes in another order than the columns are read in.
"""

from __future__ import annotations

import datetime
import numbers
from contextlib import suppress
from typing import NoReturn

import numpy as np

from skxent.inputs.labels import Labels, as_labels, as_time, first_repeated, kind_of, shorten
from skxent.inputs.namespaces import AnyArray, Label
from skxent.inputs.partitions import is_dask


def all_column_names(values: object) -> list[Label] | None:
    """Return the column names of a table (pandas, polars, PyArrow, Dask), or None for an array."""
    if isinstance(values, np.ndarray):
        return None
    kind = type(values)  # not the object: an entry "columns" of a series is its attribute
    if hasattr(kind, "collect"):  # a lazy frame, which `check_kind` refuses
        return None
    for attribute in ("column_names", "columns"):
        if hasattr(kind, attribute):
            return list(getattr(values, attribute))
    return None


def column_names(values: object) -> list[Label] | None:
    """Return the column names of a table, or None for an array and for default names.

    The default names 0, 1, ..., K - 1 say nothing about classes.
    """
    names = all_column_names(values)
    return None if names is None else telling(names)


def telling(names: list[Label]) -> list[Label] | None:
    """Return the names, or None if they are the default names 0, 1, ..., K - 1."""
    return None if _are_default(names) else names


def _are_default(names: list[Label]) -> bool:
    return all(isinstance(x, numbers.Integral) and x == i for i, x in enumerate(names))


def named_labels(names: list[Label], labels: list[Label], name: str) -> list[Label] | None:
    """Return column names in the type of `labels`, or None if no name matches a label.

    A name that matches a label is replaced by the label, and other names are converted.

    Parameters
    ----------
    names : list
        Column names of the argument `name`.
    labels : list
        Some distinct labels, perhaps not all.
    name : str
        Argument with these columns, for messages.
    """
    matched = _matched(names, labels, name)
    return None if matched is None else [_of_kind(value, labels, name) for value in matched]


def classes_named(names: list[Label], name: str) -> Labels:
    """Return column names as the labels of classes; refuse a name that appears twice."""
    if any(isinstance(value, tuple) for value in names):
        raise ValueError(
            f"the columns of {name} have several levels, {shorten(names)}: name each column by one "
            "label."
        )
    values = np.fromiter(names, dtype=object, count=len(names))
    classes = as_labels(values, f"the columns of {name}")
    check_distinct(classes)
    return classes


def name_array(classes: Labels) -> np.ndarray:
    """Return labels in the given order, as an array of their own type."""
    return np.asarray(classes.source.tolist())


def check_distinct(classes: Labels) -> None:
    """Refuse a class with two columns."""
    repeated = first_repeated(classes)
    if repeated is not None:
        raise ValueError(f"{repeated!r} is twice in {classes.name}: name each class once.")


def check_order(
    name: str, columns: list[Label] | None, other: str, order: list[Label] | None
) -> None:
    """Refuse two lists of classes that have the same class in different places."""
    if columns is None or order is None:
        return
    keys, places = [_key(value) for value in columns], {_key(v): i for i, v in enumerate(order)}
    if len(set(keys)) < len(keys) or len(places) < len(order):
        return  # a list with equal names defines no order
    moved = next((i for i, key in enumerate(keys) if places.get(key, i) != i), None)
    if moved is None:
        return
    if set(keys) == set(places):
        _raise_order(name, columns, other, order)
    raise ValueError(
        f"column {moved} of {name} is {columns[moved]!r}, which is in place {places[keys[moved]]} "
        f"in {other}, {shorten(order)}: bring them to one order."
    )


def axis_names(values: AnyArray) -> list[Label] | None:
    """Return the names along the last axis: columns of a table, or the index of a pandas series."""
    kind = type(values)
    if hasattr(kind, "iloc") and hasattr(kind, "index") and not hasattr(kind, "columns"):
        return None if is_dask(values) else list(values.index)
    return all_column_names(values)


def check_orders(values: object, name: str, order: list[Label] | None, other: str) -> None:
    """Refuse a table with columns in another order than those of another table."""
    columns = axis_names(values)
    if columns is None or order is None:
        return
    if _are_default(columns) != _are_default(order) and {*map(_key, columns)} != {
        *map(_key, order)
    }:
        return  # default names name no classes, unless the others are the same numbers
    check_order(name, columns, other, order)


def columns_of(classes: Labels, width: int, y_true: object) -> list[int]:
    """Return each class's column in soft rows of `width` columns: by name, position or number."""
    known = classes.source.tolist()
    check_default_names(y_true, known)
    names = column_names(y_true)
    named = None if names is None else _matched(names, known, "y_true")
    if named is not None:
        if len(set(named)) < len(named):
            repeated = next(value for i, value in enumerate(named) if value in named[:i])
            raise ValueError(f"y_true has two columns {repeated!r}: name each class once.")
        absent = next((label for label in known if label not in named), None)
        if absent is None:
            return [named.index(label) for label in known]
        raise ValueError(
            f"y_true has columns {shorten(named)} and none for {absent!r} of classes_, "
            f"{shorten(known)}: soft rows have one column for each of classes_."
        )
    if len(known) == width:
        return list(range(width))
    if classes.source.dtype.kind not in "biu" or min(known) < 0 or max(known) >= width:
        raise ValueError(
            f"y_true has {width} columns but classes_ is {shorten(known)}: soft rows have one "
            f"column for each of classes_, or classes_ is a part of 0, ..., {width - 1}, or a "
            "data frame names the columns."
        )
    return [int(label) for label in known]


def check_default_names(y_true: object, known: list[Label], name: str = "y_true") -> None:
    """Refuse the default names 0, ..., K - 1 where the classes are these numbers in another order.

    The columns of an array are in the order of the classes. Those of a table with default names may
    be in the order of the classes or in that of the numbers.
    """
    names = all_column_names(y_true)
    if names is None or not _are_default(names) or len(names) < 2:
        return
    translated = _translated(names, known)
    if translated != known and set(translated) == set(known):
        raise ValueError(
            f"the columns of {name} have the default names {shorten(names)}, and classes_ is "
            f"{shorten(known)}: it is not known which column is which class. Name the columns by "
            "the classes, or pass an array with columns in the order of classes_."
        )


def check_outcome_order(names: list[Label], yes: set[Label], no: set[Label]) -> None:
    """Raise if the first name is the positive outcome or the second is the negative outcome.

    `yes` and `no` hold the labels of the positive and the negative outcome.
    """
    first, second = map(_key, names)
    if first in {*map(_key, yes)} or second in {*map(_key, no)}:
        raise ValueError(
            f"the columns of y_pred, {names}, are not in the order no, yes: reorder them, or "
            "pass pos_label."
        )


def _translated(names: list[Label], labels: list[Label]) -> list[Label]:
    """Return each name, replaced by the label that it matches, if there is one."""
    text, other = (all(isinstance(x, str) for x in values) for values in (names, labels))
    if kind_of(labels[0]) == "time":
        return [_time(value) for value in names]
    if text == other or (not text and any(isinstance(x, str) for x in names)):
        return names
    label_of = {str(label): label for label in labels}
    if len(label_of) < len(labels):
        return names  # two labels have the same text
    return [label_of.get(str(value), value) for value in names]


def _matched(names: list[Label], labels: list[Label], name: str) -> list[Label] | None:
    """Replace each name that matches a label by the label; return None if no name matches."""
    translated = _translated(names, labels)
    if not set(labels).isdisjoint(translated):
        return translated
    places = {_key(label): label for label in labels}
    alike = next((value for value in names if _key(value) in places), None)
    if alike is None and isinstance(names[0], str) and kind_of(labels[0]) == "object":
        raise ValueError(
            f"the columns of {name}, {shorten(names)}, are not the texts of labels like "
            f"{labels[0]!r}: name the columns by the labels, or pass labels=."
        )
    if alike is None:
        return None
    raise ValueError(
        f"column {alike!r} of {name} resembles the label {places[_key(alike)]!r} but equals "
        "neither it nor its text: name the columns by the labels, or pass an array, whose columns "
        "have no names."
    )


def _time(value: Label) -> Label:
    """Return a date, or a text in ISO format, as a datetime; return other values unchanged."""
    if isinstance(value, str):
        with suppress(ValueError):
            return datetime.datetime.fromisoformat(value)
    return as_time(value)


def _of_kind(value: Label, labels: list[Label], name: str) -> Label:
    """Convert the name of a class that `labels` lacks to the type of `labels`."""
    text = isinstance(labels[0], str)
    if isinstance(value, str) == text:
        return value
    if text:
        return str(value)
    for label in (True, False) if isinstance(labels[0], bool) else (_whole(str(value)),):
        if str(label) == value:
            return label
    raise ValueError(
        f"the columns of {name} have a name {value!r}, and labels are like {labels[0]!r}: "
        "name every column by the text of a label, or pass labels=."
    )


def _whole(text: str) -> int | None:
    with suppress(ValueError):
        return int(text)
    return None


def _key(value: Label) -> Label:
    """Return a key that is equal for names and labels that resemble each other."""
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    if not isinstance(value, str):
        return value
    text = value.strip().casefold()
    for read in (int, float, {"true": 1, "false": 0}.__getitem__):
        try:
            return read(text)
        except (KeyError, ValueError):
            continue
    return text


def _raise_order(name: str, columns: list[Label], other: str, order: list[Label]) -> NoReturn:
    same = columns if set(columns) != set(order) else order
    cure = f"reorder them, {name}[{order}]" if same is order else "bring them to one order"
    raise ValueError(
        f"the columns of {name}, {columns}, are not in the order of {other}, {order}: {cure}."
    )
