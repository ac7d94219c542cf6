"""Labels of any type as codes into their distinct values.

Whole numbers are coded by a table over their range, fixed-width text character by character, and
other objects by a dict. Later steps look at the distinct values only, which are few.
"""

from __future__ import annotations

import datetime
import numbers
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skxent.inputs.array_arguments import array_of, as_array
from skxent.inputs.errors import raise_label
from skxent.inputs.namespaces import (
    AnyArray,
    Array,
    Codes,
    Label,
    detached,
    dtype_kind,
    first_true,
    library_of,
    take,
    to_numpy,
    widened,
)
from skxent.inputs.shapes import one_dimensional

# Floats of this size or more, and floats below its negative, do not fit in int64.
_TOO_GREAT = 2.0**63

_LARGEST_INDEX = int(np.iinfo(np.intp).max)
# Above this many entries (plus four per label) a table of whole numbers would be mostly empty.
_TABLE_SIZE = 1 << 16


@dataclass(frozen=True)
class Labels:
    """Labels as codes into their sorted distinct values, and the argument they were given as.

    `source` and `codes` are arrays of one library; `distinct` is NumPy's.
    """

    source: AnyArray
    distinct: np.ndarray
    codes: AnyArray
    name: str

    def __len__(self) -> int:
        return self.codes.shape[0]

    def at(self, table: np.ndarray) -> AnyArray:
        """Return each sample's entry of a table over the distinct labels."""
        return take(table, self.codes)


def as_labels(values: object, name: str) -> Labels:
    """Code labels of shape (n,) or (n, 1), with codes of NumPy."""
    return _coded(as_array(values, name), name)


def labels_of(values: object, name: str) -> Labels:
    """Code labels of shape (n,) or (n, 1), with codes in the library of the labels."""
    return _coded(array_of(values, name), name)


def _coded(array: Array, name: str) -> Labels:
    source = one_dimensional(array, name)
    kind = dtype_kind(source)
    if kind == "c":
        raise ValueError(f"{name} is complex: labels are strings, booleans or whole numbers.")
    if kind == "f":
        source = _whole(source, name)
    if not isinstance(source, np.ndarray):
        source = detached(source)
        distinct, codes = library_of(source).unique_inverse(source)
        return Labels(source, to_numpy(distinct), codes, name)
    if kind in "biuf":
        return Labels(source, *_code_integers(source), name)
    if kind == "U":
        return Labels(source, *_code_text(source), name)
    return _coded_objects(_in_one_unit(source), name)


def _coded_objects(source: np.ndarray, name: str) -> Labels:
    """Code objects by a dict, or as numbers if all of them are numbers."""
    objects = source.tolist()
    if kind_of(objects[0]) == "time":
        objects = [as_time(value) for value in objects]
        source = np.fromiter(objects, dtype=object, count=len(objects))
    if all(issubclass(t, numbers.Real | np.bool_) for t in {type(value) for value in objects}):
        as_numbers = np.asarray(objects)
        if as_numbers.dtype.kind in "biuf":
            return _coded(as_numbers, name)
    return Labels(source, *_code_objects(objects, name), name)


def locate(labels: Labels, classes: Labels) -> Codes:
    """Return the position of each label in `classes`, or -1 for a label that `classes` lacks."""
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


def agreeing(y: Array, predicted: Array, classes: Array) -> NDArray[np.bool_]:
    """Return for each sample whether its predicted label, one of `classes`, is its label in y."""
    known = as_labels(classes, "classes_")
    return locate(as_labels(y, "y"), known) == locate(as_labels(predicted, "predictions"), known)


def kind_of(label: object) -> str:
    """Return the kind of a label; labels of different kinds are never equal."""
    if isinstance(label, str):
        return "text"
    if isinstance(label, numbers.Number | np.bool_):
        return "number"
    if isinstance(label, bytes):
        return "bytes"
    return "time" if isinstance(label, datetime.date | np.datetime64) else "object"


def as_time(label: Label) -> Label:
    """Return a date as the datetime of its midnight, so that dates and times can be compared."""
    if isinstance(label, np.datetime64):
        return label.astype("M8[us]").item()
    if isinstance(label, datetime.date) and not isinstance(label, datetime.datetime):
        return datetime.datetime.combine(label, datetime.time())
    return label


def _in_one_unit(source: np.ndarray) -> np.ndarray:
    """Return dates and durations in microseconds, if all are whole numbers of microseconds.

    Equal dates in different units are then equal as labels.
    """
    if source.dtype.kind not in "mM":
        return source
    micro = source.astype(f"{source.dtype.kind}8[us]")
    return micro if (micro == source).all() else source


def shorten(values: list[Label], most: int = 10) -> str:
    """Return the text of a list for a message, cut after `most` entries."""
    return str(values) if len(values) <= most else f"{values[:most]}"[:-1] + ", ...]"


def first_repeated(labels: Labels) -> Label | None:
    """Return the first label that appears twice, or None."""
    if len(labels.distinct) == len(labels):
        return None
    values = labels.source.tolist()
    return next(value for row, value in enumerate(values) if value in values[:row])


def _whole(source: Array, name: str) -> Array:
    """Return floats as integers; the error names the first that is not a whole number."""
    if isinstance(source, np.ndarray):
        with np.errstate(invalid="ignore"):
            whole = source.astype(np.int64)
        fine: Array = whole == source
    else:
        xp, source = library_of(source), widened(source)  # 2**63 is infinite in half precision
        fine = (source == xp.floor(source)) & (source >= -_TOO_GREAT) & (source < _TOO_GREAT)
        whole = xp.astype(xp.where(fine, source, xp.zeros_like(source)), xp.int64)
    row = first_true(~fine)
    if row is not None:
        raise_label(to_numpy(source[row : row + 1])[0], row, name)
    return whole


def _code_integers(source: np.ndarray) -> tuple[np.ndarray, Codes]:
    low, high = int(source.min()), int(source.max())
    if high - low > _TABLE_SIZE + 4 * source.size or high > _LARGEST_INDEX:
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


def _code_text(source: NDArray[np.str_]) -> tuple[np.ndarray, Codes]:
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


def _code_objects(objects: list[Any], name: str) -> tuple[np.ndarray, Codes]:
    try:
        held = list(dict.fromkeys(objects))
    except TypeError as error:
        raise ValueError(f"{name} holds a value that cannot be a label: {error}") from error
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
