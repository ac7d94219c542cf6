"""The label of samples that do not count, and which samples have another label.

Samples that count are marked by an (n,) mask of booleans, or by None if all samples count.
"""

from __future__ import annotations

from typing import NoReturn

import numpy as np

from skxent.inputs.labels import Labels, as_labels, kind_of, labels_of, locate, shorten
from skxent.inputs.namespaces import (
    A,
    AnyArray,
    Array,
    Label,
    detached,
    dtype_kind,
    library_of,
)
from skxent.inputs.shapes import has_rows, one_dimensional


def as_ignored(ignore_label: object) -> Labels:
    """Return `ignore_label` as the only label of an argument."""
    columns = hasattr(ignore_label, "__len__") or hasattr(ignore_label, "collect")
    if columns and not isinstance(ignore_label, str | bytes):
        raise ValueError(f"ignore_label={ignore_label!r}: pass one label.")
    if type(ignore_label).__name__ in ("NAType", "NaTType") or ignore_label != ignore_label:
        raise ValueError(
            f"ignore_label={ignore_label!r}: missing values are no labels. Leave these samples "
            "out, or fill in a label that no class has, and pass that label."
        )
    return as_labels([ignore_label], "ignore_label")


def without(labels: Labels, ignore_label: Label) -> tuple[Labels, AnyArray]:
    """Return labels without the one to ignore, and which samples count.

    The codes of samples that do not count are 0. If no sample counts, there are no distinct labels.
    """
    if ignore_label is None:
        return labels, None
    distinct = labels.distinct
    known = Labels(distinct, distinct, np.arange(len(distinct)), labels.name)
    place = int(locate(as_ignored(ignore_label), known)[0])
    if place < 0:
        return labels, None
    codes = np.arange(len(distinct))
    table = np.where(codes == place, 0, codes - (codes > place))
    kept = Labels(labels.source, np.delete(distinct, place), labels.at(table), labels.name)
    return kept, labels.codes != place


def counted(values: Array, ignore_label: Label) -> AnyArray:
    """Return which of n labels, or of n probabilities of yes, count."""
    if ignore_label is None:
        return None
    flat = one_dimensional(values, "y_true")
    if not may_be_probabilities(flat, ignore_label):
        return without(labels_of(flat, "y_true"), ignore_label)[1]
    mask = detached(flat) != as_ignored(ignore_label).source.tolist()[0]
    return None if bool(library_of(mask).all(mask)) else mask


def probabilities_without(flat: A, ignore_label: Label) -> tuple[A, AnyArray]:
    """Return numbers with 0 in place of the label to ignore, and which of them count."""
    kept = counted(flat, ignore_label)
    if kept is None:
        return flat, None
    xp, values = library_of(flat), filled(detached(flat), kept)
    (label,) = as_ignored(ignore_label).source.tolist()
    if label in (0, 1) and bool(xp.any((values > 0) & (values < 1))):
        raise ValueError(
            f"y_true holds probabilities, and ignore_label={label!r} is one of them: mark samples "
            "that do not count by a number outside [0, 1], or by sample_weight=0."
        )
    return values, kept


def filled(values: A, kept: AnyArray) -> A:
    """Return numbers with 0 in place of those that do not count."""
    if kept is None:
        return values
    xp = library_of(values)
    return xp.where(kept, values, xp.zeros_like(values))


def may_be_probabilities(flat: Array, ignore_label: Label) -> bool:
    """Tell whether numbers beside a label to ignore may be probabilities: floats beside a number.

    Other numbers are labels, and compared by their codes: nothing overflows or changes its type.
    """
    if ignore_label is None:
        return True
    return dtype_kind(flat) == "f" and kind_of(as_ignored(ignore_label).source[0]) == "number"


def check_no_rows(array: Array, ignore_label: Label, outcomes: bool = False) -> None:
    """Raise for targets that are rows, since a row is no label."""
    if ignore_label is None or not has_rows(array):
        return
    shape = tuple(array.shape)
    if outcomes:
        raise ValueError(
            f"ignore_label is for labels of shape (n,), but y_true has shape {shape}: a sample "
            "whose outcomes count in part has no loss that compares with others. Score each "
            "column with its own ignore_label, and add up the results of CrossEntropySum.of."
        )
    raise ValueError(
        f"ignore_label is for labels of shape (n,), but y_true has shape {shape}: one-hot and soft "
        "rows hold no labels. Pass sample_weight, with 0 for the samples that do not count."
    )


def check_no_class(ignore_label: Label, names: list[Label] | None, where: str) -> None:
    """Raise if the label to ignore is the name of a class; text stands for the same label."""
    if ignore_label is None or names is None:
        return
    (label,) = as_ignored(ignore_label).source.tolist()
    if label in names or str(label) in [name for name in names if isinstance(name, str)]:
        raise ValueError(
            f"ignore_label={label!r} is a class in {where}, {shorten(names)}: a class has a "
            "column, and its probability is part of every row. Ignore a label that is no class, "
            "or pass sample_weight, with 0 for the samples that do not count."
        )


def raise_none_counts() -> NoReturn:
    """Say that all labels are ignored."""
    raise ValueError(
        "every label in y_true is ignore_label, so there is no loss to sum or average: pass at "
        "least one sample that counts. CrossEntropySum.of takes such a chunk, and gives the pair "
        "(0, 0)."
    )
