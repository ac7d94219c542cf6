"""The classes and the positive label of Dask arguments, which depend on all partitions together.

One round trip collects the distinct labels of all partitions. Each partition checks everything else
by itself, because it has all columns and their names.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from skxent.inputs.array_arguments import as_array, as_numbers
from skxent.inputs.dask_arguments import check_collection, match
from skxent.inputs.ignored_labels import check_no_rows, counted, may_be_probabilities, without
from skxent.inputs.labels import Labels, as_labels
from skxent.inputs.namespaces import AnyArray, Label
from skxent.inputs.partitions import compute, is_dask, map_partitions
from skxent.inputs.shapes import has_rows, one_dimensional
from skxent.inputs.targets import Classes, check_classes, classes_from, positive_label


def known_classes(
    y_true: object, y_pred: object, labels: ArrayLike | None, ignore_label: Label = None
) -> np.ndarray | None:
    """Return the class of each column of the prediction.

    Return None if `labels` is None and `y_true` holds soft rows or no samples that count.
    """
    prediction, truth = one_row(y_pred, "y_pred"), one_row(y_true, "y_true")
    check_no_rows(truth, ignore_label)
    classes = Classes.of(y_pred, as_numbers(prediction, "y_pred"), labels)
    check_classes(classes, ignore_label)
    if classes.labels is not None:
        return classes.labels.source
    found = None if has_rows(truth) else all_labels(y_true, ignore_label)
    return None if found is None else classes_from(found, classes).source


def known_yes(
    y_true: object, y_pred: object, pos_label: Label, ignore_label: Label = None
) -> Label:
    """Return the label that means yes.

    If `y_true` holds probabilities, rows of outcomes or no samples that count, return `pos_label`
    as it is.
    """
    as_numbers(one_row(y_pred, "y_pred"), "y_pred")
    truth = one_row(y_true, "y_true")
    check_no_rows(truth, ignore_label, outcomes=True)
    return pos_label if has_rows(truth) else _yes_among_labels(y_true, pos_label, ignore_label)


def one_row(values: AnyArray, name: str) -> np.ndarray:
    """Return one row of zeros with as many columns as an argument has."""
    if not is_dask(values):
        shape = as_array(values, name).shape
    else:  # `_meta` of a Dask frame has all its columns, `_meta` of a Dask array has none
        check_collection(name, values)
        shape = values.shape if hasattr(type(values), "chunks") else values._meta.shape
    if any(np.isnan(width) for width in shape[1:]):
        raise ValueError(
            f"{name} has an unknown number of columns: call compute_chunk_sizes() on it first."
        )
    return np.zeros((1, *shape[1:]) if shape else ())


def all_labels(y_true: object, ignore_label: Label = None) -> Labels | None:
    """Return the distinct labels of all partitions, or None if no sample counts."""
    if is_dask(y_true):
        (parts,) = match(y_true=y_true)
        held = _together(compute(parts, map_partitions(parts, _distinct)))
    else:
        held = as_labels(y_true, "y_true")
    found = None if held is None else without(held, ignore_label)[0]
    return None if found is None or not len(found.distinct) else found


def _distinct(index: int, y_true: AnyArray) -> list[Label]:
    return as_labels(y_true, "y_true").distinct.tolist() if y_true.shape[0] else []


def _together(found: list[list[Label]]) -> Labels | None:
    """Code the labels of all partitions together; refuse strings beside numbers."""
    kinds = _first(isinstance(each[0], str) if each else None for each in found)
    if True in kinds and False in kinds:
        text, other = kinds[True], kinds[False]
        raise ValueError(
            f"y_true mixes strings and numbers: {found[text][0]!r} in partition {text}, "
            f"{found[other][0]!r} in partition {other}. Convert all labels to one type."
        )
    held = [label for each in found for label in each]
    if not held:
        return None
    return as_labels(np.fromiter(held, dtype=object, count=len(held)), "y_true")


def _first(values: Iterable[Label]) -> dict[Label, int]:
    """Return the index at which each value appears first."""
    places: dict[Label, int] = {}
    for i, value in enumerate(values):
        places.setdefault(value, i)
    return places


def _yes_among_labels(y_true: object, pos_label: Label, ignore_label: Label) -> Label:
    if is_dask(y_true):
        (parts,) = match(y_true=y_true)
        seen = compute(parts, map_partitions(parts, _look_for_yes, ignore_label))
    else:
        seen = [_look_for_yes(0, as_array(y_true, "y_true"), ignore_label)]
    kinds = _first(kind for _, kind in seen)
    if "labels" in kinds and "probabilities" in kinds:
        raise ValueError(
            f"y_true holds labels in partition {kinds['labels']} but probabilities in partition "
            f"{kinds['probabilities']}: pass one of them."
        )
    found = _together([labels for labels, _ in seen])
    if found is None:
        return pos_label
    if "labels" not in kinds and pos_label is None:
        return None
    return positive_label(found.distinct.tolist(), pos_label)


def _look_for_yes(index: int, y_true: AnyArray, ignore_label: Label) -> tuple[list[Label], str]:
    """Return the distinct labels of a partition, and whether it holds labels or probabilities.

    Of probabilities only those that are 0 or 1 are returned. If all are, the kind is "certain",
    since 0 and 1 may be labels too.
    """
    if not y_true.shape[0]:
        return [], "certain"
    y = one_dimensional(as_array(y_true, "y_true"), "y_true")
    if may_be_probabilities(y, ignore_label):
        kept = counted(y, ignore_label)
        y = y if kept is None else y[kept]
        if not y.size:
            return [], "certain"
    if y.dtype.kind != "f" or not (y.min() >= 0 and y.max() <= 1):
        return without(as_labels(y, "y_true"), ignore_label)[0].distinct.tolist(), "labels"
    certain = y[(y == 0) | (y == 1)]
    kind = "certain" if certain.size == y.size else "probabilities"
    return np.unique(certain).tolist(), kind
