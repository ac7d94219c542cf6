"""Targets of the metrics: labels as codes, soft rows, or yes/no outcomes.

A target is an (n,) array of codes into the columns of the prediction, (n, K) soft rows, or outcomes
in [0, 1]. A target is always in the library and on the device of the prediction. Soft rows and
outcomes are not checked here as a whole: `predictions` checks one block of rows at a time. Beside
the target stands a mask of the samples that count, or None if all samples count.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from skxent.inputs.array_arguments import array_beside, numbers_of
from skxent.inputs.class_names import (
    all_column_names,
    check_distinct,
    check_order,
    check_orders,
    check_outcome_order,
    classes_named,
    column_names,
    named_labels,
    telling,
)
from skxent.inputs.ignored_labels import (
    check_no_class,
    check_no_rows,
    filled,
    may_be_probabilities,
    probabilities_without,
    without,
)
from skxent.inputs.labels import Labels, as_labels, labels_of, locate, shorten
from skxent.inputs.namespaces import (
    A,
    AnyArray,
    Array,
    Label,
    detached,
    dtype_kind,
    first_true,
    largest,
    moved,
    smallest,
    widened,
)
from skxent.inputs.shapes import check_length, has_rows


@dataclass(frozen=True)
class Classes:
    """What is known about the columns of a prediction before the target is read.

    `all_names` are the column names of a data frame, default names included. `one_column` says that
    the prediction is only the column of the second of two classes.
    """

    count: int
    labels: Labels | None = None
    all_names: list[Label] | None = None
    one_column: bool = False

    @property
    def described(self) -> str:
        """Say how many columns the prediction has, for messages."""
        if self.one_column:
            return "has one column, that of the second of two classes"
        return f"has {self.count} columns"

    @property
    def names(self) -> list[Label] | None:
        """Column names, or None if they are the default names 0, ..., K - 1."""
        return None if self.all_names is None else telling(self.all_names)

    @classmethod
    def of(cls, y_pred: object, prediction: Array, labels: ArrayLike | None) -> Classes:
        """Read what the prediction and `labels` say about the columns."""
        count = 2 if prediction.ndim == 1 else prediction.shape[1]
        names = all_column_names(y_pred) if prediction.ndim == 2 else None
        unnamed = cls(count, None, names, prediction.ndim == 1)
        if labels is None:
            return unnamed
        known = as_labels(labels, "labels")
        check_distinct(known)
        if len(known) != count:
            raise ValueError(
                f"labels names {len(known)} classes but y_pred {unnamed.described}: name every "
                "column once, in the order of the columns."
            )
        found = replace(unnamed, labels=known)
        check_order("y_pred", found.names, "labels", known.source.tolist())
        return found


def categorical_target(
    y_true: object, classes: Classes, prediction: A, ignore_label: Label = None
) -> tuple[A, AnyArray]:
    """Return codes of labels (n,), or soft rows (n, K), and which samples count.

    Both are on the device of the prediction. The code of a sample that does not count is 0.
    """
    array, n = array_beside(y_true, "y_true", prediction), prediction.shape[0]
    check_no_rows(array, ignore_label)
    if not has_rows(array):
        check_classes(classes, ignore_label)
        truth, kept = without(labels_of(array, "y_true"), ignore_label)
        codes = moved(codes_of(truth, classes, n, kept), prediction)
        return codes, None if kept is None else moved(kept, prediction)
    soft = numbers_of(array, "y_true")
    check_length("y_true", soft.shape[0], n)
    if soft.shape[1] != classes.count:
        raise ValueError(
            f"y_true has {soft.shape[1]} columns but y_pred has {classes.count}: one-hot and "
            "soft rows have one column per class."
        )
    check_orders(y_true, "y_true", classes.all_names, "y_pred")
    if classes.labels is not None:
        order = classes.labels.source.tolist()
        check_order("y_true", column_names(y_true), "labels", order)
    return moved(soft, prediction), None


def check_classes(classes: Classes, ignore_label: Label) -> None:
    """Raise if the label to ignore is a class of the prediction."""
    if classes.labels is not None:
        check_no_class(ignore_label, classes.labels.source.tolist(), classes.labels.name)
    check_no_class(ignore_label, classes.names, "the column names of y_pred")


def codes_of(truth: Labels, classes: Classes, n: int, kept: AnyArray = None) -> Array:
    """Return the column of each of n labels, and 0 for a label that does not count."""
    check_length("y_true", len(truth), n)
    if not len(truth.distinct):
        return truth.codes
    known = classes.labels or classes_from(truth, classes)
    codes = locate(truth, known)
    # `locate` returns `truth.codes` itself if the distinct labels are exactly the known ones. No
    # code is negative then.
    row = None
    if codes is not truth.codes:
        codes = filled(codes, kept)
        row = first_true(codes < 0)
    if row is not None:
        label = truth.distinct.tolist()[int(truth.codes[row])]
        raise ValueError(
            f"y_true[{row}] is {label!r}, which is not in {known.name} "
            f"{shorten(known.source.tolist())}: correct it, or name every class in labels=."
        )
    return codes


def classes_from(truth: Labels, classes: Classes) -> Labels:
    """Name the columns by the column names of a data frame, else by the sorted distinct labels."""
    found = truth.distinct
    if classes.names is not None:
        named = named_labels(classes.names, found.tolist(), "y_pred")
        if named is not None:
            return classes_named(named, "y_pred")
    if len(found) != classes.count:
        raise ValueError(
            f"y_true holds {len(found)} classes, {shorten(found.tolist())}, but y_pred "
            f"{classes.described}: pass labels= to name the class of each column."
        )
    return as_labels(found, "y_true")


def binary_target(
    y_true: object, pos_label: Label, prediction: A, ignore_label: Label = None
) -> tuple[A, AnyArray]:
    """Return outcomes in [0, 1], (n,) or (n, m), and which samples count.

    Both are on the device of the prediction. The outcome of a sample that does not count is 0.
    """
    array, kept = array_beside(y_true, "y_true", prediction), None
    check_no_rows(array, ignore_label, outcomes=True)
    if has_rows(array):
        if pos_label is not None:
            raise ValueError("pos_label is for labels of shape (n,): rows of outcomes are 0 or 1.")
        outcomes = numbers_of(array, "y_true")
    else:
        outcomes, kept = _outcomes(array, pos_label, ignore_label)
    check_length("y_true", outcomes.shape[0], prediction.shape[0])
    return moved(outcomes, prediction), None if kept is None else moved(kept, prediction)


def _outcomes(array: Array, pos_label: Label, ignore_label: Label) -> tuple[Array, AnyArray]:
    """Return 1 for the positive label and 0 for the other, or probabilities as they are.

    The second array tells which samples count.
    """
    flat = array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array
    full = flat.ndim == 1 and flat.shape[0] > 0
    if pos_label is None and full and may_be_probabilities(flat, ignore_label):
        outcomes, kept = probabilities_without(flat, ignore_label)
        if _are_probabilities(outcomes):
            return detached(outcomes), kept
    truth, kept = without(labels_of(flat, "y_true"), ignore_label)
    if not len(truth.distinct):
        return truth.codes, kept
    yes = positive_label(truth.distinct.tolist(), pos_label)
    if ignore_label is not None and yes == ignore_label:
        raise ValueError(f"pos_label={yes!r} is ignore_label too: pass the label that means yes.")
    is_yes = locate(truth, as_labels([yes], "pos_label")) == 0
    return is_yes if kept is None else is_yes & kept, kept


def _are_probabilities(flat: Array) -> bool:
    """Tell whether all values are in [0, 1]; on a device only floats can be probabilities."""
    if isinstance(flat, np.ndarray):
        return flat.dtype.kind in "biuf" and bool(flat.min() >= 0 and flat.max() <= 1)
    if dtype_kind(flat) != "f":
        return False
    wide = widened(flat)
    return smallest(wide) >= 0 and largest(wide) <= 1


def check_outcome_columns(y_true: object, y_pred: object, outcomes: Array, kept: AnyArray) -> None:
    """Raise if column names of data frames contradict the order in which columns are read."""
    names = column_names(y_pred)
    if names is None or outcomes.ndim == 2:
        check_orders(y_true, "y_true", all_column_names(y_pred), "y_pred")
    elif len(names) == 2:
        labels: np.ndarray = np.asarray(y_true).ravel()
        if kept is not None:
            labels, outcomes = labels[kept], outcomes[kept]
        yes, no = (set(labels[outcomes == outcome].tolist()) for outcome in (1, 0))
        check_outcome_order(names, yes, no)


def positive_label(found: list[Label], pos_label: Label) -> Label:
    """Return which of the distinct labels means yes, `pos_label` unless it is None."""
    if len(found) > 2:
        raise ValueError(
            f"y_true holds {len(found)} classes, {shorten(found)}: binary_cross_entropy takes "
            "two; use categorical_cross_entropy."
        )
    if pos_label is not None:
        if isinstance(pos_label, np.ndarray | list | tuple | dict | set):
            raise ValueError(f"pos_label={pos_label!r}: pass one label.")
        pos_label = as_labels([pos_label], "pos_label").source.tolist()[0]
        if len(found) == 2 and pos_label not in found:
            raise ValueError(
                f"pos_label={pos_label!r} is not one of the labels in y_true, {found}: "
                "pass one of them."
            )
        return pos_label
    if set(found) <= {0, 1} or set(found) <= {-1, 1}:
        return 1
    if len(found) == 1:
        raise ValueError(
            f"y_true holds only {found[0]!r}: pass pos_label= to say which label means yes."
        )
    return found[1]
