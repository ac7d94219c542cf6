"""Labels of any type -> codes into their distinct values, one form for all.

Each type has its own way there: whole numbers by a table over their range, fixed-width text
character by character, other objects by a dict. What follows looks at the distinct values only,
which are few.
"""

from __future__ import annotations

import datetime
import numbers
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skxent.inputs.collections import here
from skxent.inputs.errors import check_kind, raise_label
from skxent.inputs.namespaces import namespace_of, to_numpy

Codes = NDArray[np.intp]

# Above this many entries (plus four per label) a table of whole numbers would be mostly holes.
_TABLE_SIZE = 1 << 16


@dataclass(frozen=True)
class Labels:
    """Labels as codes into their sorted distinct values, and the argument they were given as."""

    source: NDArray[Any]
    distinct: NDArray[Any]
    codes: Codes
    name: str

    def __len__(self) -> int:
        return self.codes.shape[0]

    def at(self, table: NDArray[Any]) -> NDArray[Any]:
        """Return each sample's entry of a table over the distinct labels."""
        return table[self.codes]


def as_array(values: ArrayLike, name: str) -> NDArray[Any]:
    """Return `values` as a NumPy array, or say why they cannot be one."""
    if type(values) is np.ndarray:
        return values if values.dtype.kind != "T" else values.astype(object)
    (values,) = here(values)
    if hasattr(values, "toarray"):
        raise TypeError(f"{name} is a sparse matrix: pass a dense array, {name}.toarray().")
    check_kind(values, name)
    try:
        array = np.asarray(values)
        if array.dtype.kind == "T" or (array.dtype.kind == "U" and _is_mixed(values)):
            return np.asarray(values, dtype=object)  # NumPy would turn numbers to text
        return array
    except ValueError as error:
        raise ValueError(f"{name} is not a rectangular array: {error}") from error
    except (TypeError, RuntimeError) as error:
        return _host_copy(values, name, error)


def _is_mixed(values: Any) -> bool:
    """Tell whether a list of text has other things in it."""
    if not isinstance(values, list | tuple):
        return False
    return not all(issubclass(kind, str | list | tuple) for kind in set(map(type, values)))


def _host_copy(values: Any, name: str, error: Exception) -> NDArray[Any]:
    """Bring an array that NumPy cannot see to the host, if scikit-learn's switch allows it."""
    if namespace_of(values) is not None:
        return to_numpy(values)
    if not hasattr(values, "__dlpack__"):
        raise error
    reason = str(error).rstrip(".")
    raise TypeError(
        f"{name} cannot be read as a NumPy array: {reason}. Turn the array API on, "
        "sklearn.set_config(array_api_dispatch=True), or pass a copy on the host, such as "
        f"{name}.detach().cpu()."
    ) from error


def as_labels(values: ArrayLike, name: str) -> Labels:
    """Code one-dimensional (or one-column) labels."""
    source = one_dimensional(as_array(values, name), name)
    kind = source.dtype.kind
    if kind == "c":
        raise ValueError(f"{name} is complex: labels are strings, booleans or whole numbers.")
    if kind == "f":
        source = _whole(source, name)
    if kind in "biuf":
        distinct, codes = _code_integers(source)
    elif kind == "U":
        distinct, codes = _code_text(source)
    else:
        source = _in_one_unit(source)
        objects = source.tolist()
        if kind_of(objects[0]) == "time":
            objects = [as_time(value) for value in objects]
            source = np.fromiter(objects, dtype=object, count=len(objects))
        if all(issubclass(t, numbers.Real | np.bool_) for t in {type(value) for value in objects}):
            as_numbers = np.asarray(objects)
            if as_numbers.dtype.kind in "biuf":
                return as_labels(as_numbers, name)
        distinct, codes = _code_objects(objects, name)
    return Labels(source, distinct, codes, name)


def one_dimensional(source: NDArray[Any], name: str) -> NDArray[Any]:
    """Return labels of shape (n,), which they must have, n above 0; (n, 1) will do."""
    if source.ndim == 2 and source.shape[1] == 1:
        source = source[:, 0]
    if source.ndim != 1:
        raise ValueError(f"{name} has shape {tuple(source.shape)}, but labels have shape (n,).")
    if source.shape[0] == 0:
        raise ValueError(f"{name} is empty: pass at least one label.")
    return source


def locate(labels: Labels, classes: Labels) -> Codes:
    """Return the position of each label in `classes`, -1 where it is not there."""
    known, held = classes.source.tolist(), labels.distinct.tolist()
    if kind_of(known[0]) != kind_of(held[0]):
        raise ValueError(
            f"{labels.name} holds labels like {held[0]!r} but {classes.name} holds labels like "
            f"{known[0]!r}: convert one to the type of the other."
        )
    if held == known:
        return labels.codes
    code_of = {label: code for code, label in enumerate(known)}
    return labels.at(np.array([code_of.get(label, -1) for label in held], dtype=np.intp))


def kind_of(label: Any) -> str:
    """Return the kind of a label; labels of different kinds are never equal."""
    if isinstance(label, str):
        return "text"
    if isinstance(label, numbers.Number | np.bool_):
        return "number"
    if isinstance(label, bytes):
        return "bytes"
    return "time" if isinstance(label, datetime.date | np.datetime64) else "object"


def as_time(label: Any) -> Any:
    """Return a day as its first moment, so that days and times of any type are comparable."""
    if isinstance(label, np.datetime64):
        return label.astype("M8[us]").item()
    if isinstance(label, datetime.date) and not isinstance(label, datetime.datetime):
        return datetime.datetime.combine(label, datetime.time())
    return label


def _in_one_unit(source: NDArray[Any]) -> NDArray[Any]:
    """Return dates and durations in microseconds, where they are whole numbers of them.

    Equal ones of different units are then equal as labels.
    """
    if source.dtype.kind not in "mM":
        return source
    micro = source.astype(f"{source.dtype.kind}8[us]")
    return micro if (micro == source).all() else source


def shorten(values: list[Any], most: int = 10) -> str:
    """Return the text of a list for a message, cut after `most` entries."""
    return str(values) if len(values) <= most else f"{values[:most]}"[:-1] + ", ...]"


def first_repeated(labels: Labels) -> Any | None:
    """Return the first label that is there twice, or None."""
    if len(labels.distinct) == len(labels):
        return None
    values = labels.source.tolist()
    return next(value for row, value in enumerate(values) if value in values[:row])


def _whole(source: NDArray[Any], name: str) -> NDArray[np.int64]:
    """Return floats as integers, which they must be."""
    with np.errstate(invalid="ignore"):
        values = source.astype(np.int64)
    bad = values != source
    if bad.any():
        row = int(bad.argmax())
        raise_label(source[row], row, name)
    return values


def _code_integers(source: NDArray[Any]) -> tuple[NDArray[Any], Codes]:
    low, high = int(source.min()), int(source.max())
    if high - low > _TABLE_SIZE + 4 * source.size or high > np.iinfo(np.intp).max:
        return np.unique(source, return_inverse=True)
    offsets = source.astype(np.intp, copy=False)
    if low:
        offsets = offsets - low
    present = np.zeros(high - low + 1, dtype=bool)
    present[offsets] = True
    found = np.flatnonzero(present)
    distinct = (found + low).astype(source.dtype)
    if found.size == present.size:
        return distinct, offsets
    table = np.empty(present.size, dtype=np.intp)
    table[found] = np.arange(found.size)
    return distinct, table[offsets]


def _code_text(source: NDArray[np.str_]) -> tuple[NDArray[Any], Codes]:
    """Code text as numbers whose digits are its characters, renumbered after each character.

    Code points sort as text does, so the codes come out in the order of the distinct labels.
    """
    n, width = source.size, source.dtype.itemsize // 4
    codes = np.zeros(n, dtype=np.intp)
    native = np.ascontiguousarray(source, dtype=source.dtype.newbyteorder("="))
    characters = native.view(np.uint32).reshape(n, width)
    for column in characters.T:
        low, high = int(column.min()), int(column.max())
        if low != high:
            codes = codes * (high - low + 1) + (column.astype(np.intp) - low)
            codes = _code_integers(codes)[1]
    example = np.empty(int(codes.max()) + 1, dtype=np.intp)
    example[codes] = np.arange(n)
    return source[example], codes


def _code_objects(objects: list[Any], name: str) -> tuple[NDArray[Any], Codes]:
    try:
        held = list(dict.fromkeys(objects))
    except TypeError as error:
        raise ValueError(f"{name} holds what cannot be a label: {error}") from error
    for value in held:
        if value is None or type(value).__name__ in ("NAType", "NaTType") or value != value:
            row = next(i for i, other in enumerate(objects) if other is value)
            raise ValueError(f"{name}[{row}] is {value}: leave out samples without a label.")
    if isinstance(held[0], tuple):
        raise ValueError(
            f"{name} holds tuples like {held[0]!r}: labels are strings, booleans, whole numbers or "
            "dates. Join the columns or levels to one label for each sample."
        )
    kind = kind_of(held[0])
    for value in held:
        if kind_of(value) != kind:
            what = "strings and numbers" if isinstance(value, str) != (kind == "text") else "types"
            raise ValueError(
                f"{name} mixes {what}: {held[0]!r} in row 0, {value!r} in row "
                f"{objects.index(value)}. Convert all labels to one type."
            )
    try:
        held.sort()
    except TypeError as error:
        raise ValueError(f"{name} holds labels that cannot be sorted: {error}") from error
    code_of = {value: code for code, value in enumerate(held)}
    codes = np.fromiter((code_of[value] for value in objects), dtype=np.intp, count=len(objects))
    return np.asarray(held), codes
