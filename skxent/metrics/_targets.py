"""Every form of truth and prediction -> one canonical form; all validation of the metrics.

Canonical forms: a prediction is (n, K) rows, or (n,) for the second of two classes; a target is
codes (n,) or soft rows (n, K). Large arrays are not checked here as a whole: `read_probabilities`
and `read_logits` check one block of rows while it is in cache, just before its losses are computed.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skxent.metrics._labels import (
    Codes,
    Labels,
    as_array,
    as_labels,
    first_repeated,
    locate,
    shorten,
)

Floats = NDArray[np.float64]

# Numbers in a block of rows: 256 kB, so that a block and its temporaries stay in the L2 cache.
_BLOCK_SIZE = 1 << 15


def row_blocks(shape: tuple[int, ...]) -> Iterator[slice]:
    """Cut the rows of an array into slices of about a cache-sized block."""
    n, width = shape[0], math.prod(shape[1:])
    step = max(1, _BLOCK_SIZE // max(1, width))
    return (slice(start, min(start + step, n)) for start in range(0, n, step))


def as_reals(values: ArrayLike, name: str) -> NDArray[Any]:
    """Return an array of real numbers of at most eight bytes each, of any shape."""
    array = as_array(values, name)
    if array.dtype.kind == "c":
        raise ValueError(f"{name} is complex: pass real numbers.")
    if array.dtype.kind in "biuf" and array.dtype.itemsize <= 8:
        return array
    reason = f"its dtype is {array.dtype}"
    if array.dtype.kind in "fO":
        try:
            return array.astype(np.float64)
        except (TypeError, ValueError) as error:
            reason = f"{_first_not_a_number(array)}: {error}"
    raise ValueError(f"{name} does not hold numbers only: {reason}.")


def _first_not_a_number(array: NDArray[Any]) -> str:
    """Tell which of some objects is the first that float() does not take."""
    for place, value in np.ndenumerate(array):
        try:
            float(value)
        except (TypeError, ValueError):
            return f"{value!r} at {list(place)}"
    return "not numbers"


def as_numbers(values: ArrayLike, name: str) -> NDArray[Any]:
    """Return real numbers of one or two dimensions, a single column as one dimension."""
    array = as_reals(values, name)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim not in (1, 2):
        raise ValueError(f"{name} has shape {array.shape}: pass (n,) or (n, K).")
    if array.size == 0:
        raise ValueError(f"{name} has shape {array.shape}, it is empty: pass at least one sample.")
    return array


def tolerance(array: NDArray[Any]) -> float:
    """Return how far from 1 a row of probabilities may sum: sqrt of the machine epsilon."""
    dtype = array.dtype if array.dtype.kind == "f" else np.dtype(np.float64)
    return float(np.sqrt(np.finfo(dtype).eps))


def check_length(name: str, length: int, n: int) -> None:
    """Require one entry per sample."""
    if length != n:
        raise ValueError(f"{name} has {length} samples but y_pred has {n}: pass equal lengths.")


# ------------------------------------------------------------------ blocks of predictions

# What to do about rows that are not distributions, by argument.
_CURES = {
    "y_pred": "Divide each row by its sum if that is what you mean, pass float32 results as "
    "float32, or pass from_logits=True if they are logits.",
    "y_true": "Independent yes/no outcomes go to binary_cross_entropy.",
    "y": "Soft targets are distributions over classes; independent yes/no outcomes want one "
    "classifier each, as in sklearn.multioutput.MultiOutputClassifier.",
}


def read_probabilities(
    P: NDArray[Any], rows: slice, name: str = "y_pred", empty_rows: bool = False
) -> Floats:
    """Return a block of rows in float64, each checked to be a distribution over classes.

    `empty_rows` lets rows of zeros pass.
    """
    block = np.ascontiguousarray(P[rows], dtype=np.float64)
    _check_rows(block, tolerance(P), rows.start, name, empty_rows)
    return block


def read_log_probabilities(
    L: NDArray[Any], rows: slice, name: str = "y_pred", empty_rows: bool = False
) -> Floats:
    """Return a block of logarithms in float64, each row checked to be that of a distribution."""
    block = np.ascontiguousarray(L[rows], dtype=np.float64)
    _check_rows(np.exp(block), tolerance(L), rows.start, name, empty_rows)
    return block


def _check_rows(block: Floats, limit: float, start: int, name: str, empty_rows: bool) -> None:
    """Raise for the first row that is not a distribution.

    NaN and infinity come out in the row sums, and no value exceeds 1 where none is negative and no
    sum exceeds 1: two sweeps over the block check everything.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        sums = block @ np.ones(block.shape[1])
    off = np.abs(sums - 1.0)
    if empty_rows:
        off[sums == 0.0] = 0.0
    if off.max() <= limit and block.min() >= 0.0:
        return
    i = int((~(off <= limit) | (block < 0).any(axis=1)).argmax())
    row, values, cure = start + i, block[i], _CURES.get(name, "")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} has NaN or infinity in row {row}: probabilities are finite.")
    low, high = values.min(), values.max()
    if low < 0 or high > 1 + limit:
        worst = low if low < 0 else high
        raise ValueError(f"{name} has {worst:.6g} in row {row}, outside [0, 1]. {cure}".rstrip())
    raise ValueError(
        f"{name} does not sum to 1 in row {row}: the sum is {values.sum():.9g}, the tolerance is "
        f"{limit:.1e}, and nothing is renormalised here. {cure}".rstrip()
    )


def read_outcomes(p: NDArray[Any], rows: slice, name: str = "y_pred") -> Floats:
    """Return a block of probabilities of yes/no outcomes in float64, each in [0, 1]."""
    block = np.ascontiguousarray(p[rows], dtype=np.float64)
    limit = 1.0 + tolerance(p)
    if not (block.min() >= 0.0 and block.max() <= limit):
        i = np.argwhere(~((block >= 0.0) & (block <= limit)))[0]
        hint = " If they are logits, pass from_logits=True." if name == "y_pred" else ""
        raise ValueError(
            f"{name} has {block[tuple(i)]:.6g} in row {rows.start + i[0]}, outside [0, 1]: "
            f"pass probabilities.{hint}"
        )
    return np.minimum(block, 1.0)


def read_logits(Z: NDArray[Any], rows: slice, name: str = "y_pred") -> Floats:
    """Return a block of rows of logits in float64, each with a finite maximum and no NaN."""
    block = np.ascontiguousarray(Z[rows], dtype=np.float64)
    fine = block.max() < np.inf
    if fine and block.min() > -np.inf:
        return block
    top = block.max(axis=1)
    bad = ~np.isfinite(top)
    if bad.any():
        i = int(bad.argmax())
        what = "no finite logit" if top[i] == -np.inf else "NaN or +infinity"
        raise ValueError(
            f"{name} has {what} in row {rows.start + i}: logits are finite, or -inf for an "
            "impossible class, with at least one finite in each row."
        )
    return block


def read_single_logits(z: NDArray[Any], rows: slice, name: str = "y_pred") -> Floats:
    """Return a block of logits of yes/no outcomes in float64; infinite ones are certain."""
    block = np.ascontiguousarray(z[rows], dtype=np.float64)
    if np.isnan(block.min()):
        i = np.argwhere(np.isnan(block))[0]
        raise ValueError(f"{name} has NaN in row {rows.start + i[0]}: logits are numbers.")
    return block


# ------------------------------------------------------------------ targets


def column_names(values: Any) -> list[Any] | None:
    """Return the column names of a data frame, or None where there are none worth reading.

    The default names 0, 1, ..., K - 1 say nothing about classes.
    """
    columns = getattr(values, "columns", None)
    names = None if columns is None else list(columns)
    return None if names is None or names == list(range(len(names))) else names


@dataclass(frozen=True)
class Classes:
    """What is known about the columns of a prediction before the target is read."""

    count: int
    labels: Labels | None = None
    names: list[Any] | None = None

    @classmethod
    def of(cls, y_pred: Any, prediction: NDArray[Any], labels: ArrayLike | None) -> Classes:
        count = 2 if prediction.ndim == 1 else prediction.shape[1]
        names = column_names(y_pred) if prediction.ndim == 2 else None
        if labels is None:
            return cls(count, None, names)
        known = as_labels(labels, "labels")
        _refuse_repeated(known)
        if len(known) != count:
            raise ValueError(
                f"labels names {len(known)} classes but y_pred has {count} columns: name every "
                "column once, in the order of the columns."
            )
        _check_order("y_pred", names, "labels", known.source.tolist())
        return cls(count, known, names)


def _refuse_repeated(classes: Labels) -> None:
    repeated = first_repeated(classes)
    if repeated is not None:
        raise ValueError(f"{repeated!r} is twice in {classes.name}: name each class once.")


def _check_order(name: str, columns: list[Any] | None, other: str, order: list[Any] | None) -> None:
    """Refuse two lists of the same classes in different orders."""
    if columns is None or order is None or columns == order:
        return
    try:
        same = set(columns) == set(order)
    except TypeError:  # names that cannot be hashed are no labels
        return
    if same:
        raise ValueError(
            f"the columns of {name}, {columns}, are not in the order of {other}, {order}: "
            f"reorder them, {name}[{order}]."
        )


def categorical_target(y_true: ArrayLike, classes: Classes, n: int) -> Codes | NDArray[Any]:
    """Return the codes (n,) of labels, or soft rows (n, K) as they were given."""
    array = as_array(y_true, "y_true")
    if array.ndim == 2 and array.shape[1] > 1:
        soft = as_numbers(array, "y_true")
        check_length("y_true", len(soft), n)
        if soft.shape[1] != classes.count:
            raise ValueError(
                f"y_true has {soft.shape[1]} columns but y_pred has {classes.count}: one-hot and "
                "soft rows have one column per class."
            )
        names = column_names(y_true)
        _check_order("y_true", names, "y_pred", classes.names)
        if classes.labels is not None:
            _check_order("y_true", names, "labels", classes.labels.source.tolist())
        return soft
    truth = as_labels(array, "y_true")
    check_length("y_true", len(truth), n)
    known = classes.labels or classes_from(truth, classes)
    codes = locate(truth, known)
    if codes.min() < 0:
        row = int((codes < 0).argmax())
        raise ValueError(
            f"y_true[{row}] is {truth.source.tolist()[row]!r}, which is not in {known.name} "
            f"{shorten(known.source.tolist())}: correct it, or name every class in labels=."
        )
    return codes


def classes_from(truth: Labels, classes: Classes) -> Labels:
    """Name the columns by the data frame's own names, else by the sorted distinct labels."""
    found = truth.distinct
    if classes.names is not None and not set(found.tolist()).isdisjoint(classes.names):
        named = as_labels(np.asarray(classes.names, dtype=object), "the columns of y_pred")
        _refuse_repeated(named)
        return named
    if len(found) != classes.count:
        raise ValueError(
            f"y_true holds {len(found)} classes, {shorten(found.tolist())}, but y_pred has "
            f"{classes.count} columns: pass labels= to name the class of each column."
        )
    return as_labels(found, "y_true")


def binary_target(y_true: ArrayLike, pos_label: Any, n: int) -> NDArray[Any]:
    """Return outcomes in [0, 1] of shape (n,), or (n, m) for m independent ones."""
    array = as_array(y_true, "y_true")
    if array.ndim == 2 and array.shape[1] > 1:
        if pos_label is not None:
            raise ValueError("pos_label is for labels of shape (n,): rows of outcomes are 0 or 1.")
        outcomes = as_numbers(array, "y_true")
    else:
        outcomes = _outcomes(array, pos_label)
    check_length("y_true", len(outcomes), n)
    return outcomes


def check_outcome_columns(y_true: Any, y_pred: Any, outcomes: NDArray[Any]) -> None:
    """Refuse data frames whose column names contradict the order in which the columns are read."""
    names = column_names(y_pred)
    if names is None or outcomes.ndim == 2:
        _check_order("y_true", column_names(y_true), "y_pred", names)
    elif len(names) == 2:
        labels = np.asarray(y_true).ravel()
        yes, no = (set(labels[outcomes == outcome].tolist()) for outcome in (1, 0))
        if names[0] in yes or names[1] in no:
            raise ValueError(
                f"the columns of y_pred, {names}, are not in the order no, yes: reorder them, or "
                "pass pos_label."
            )


def _outcomes(array: NDArray[Any], pos_label: Any) -> NDArray[Any]:
    """Return 1 for the positive label and 0 for the other, or probabilities as they are."""
    flat = array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array
    is_float = flat.ndim == 1 and flat.size and flat.dtype.kind == "f"
    if pos_label is None and is_float and flat.min() >= 0 and flat.max() <= 1:
        return flat
    truth = as_labels(flat, "y_true")
    found = truth.distinct.tolist()
    if len(found) > 2:
        raise ValueError(
            f"y_true holds {len(found)} classes, {shorten(found)}: binary_cross_entropy takes "
            "two; use categorical_cross_entropy."
        )
    if pos_label is None:
        pos_label = _positive(found)
    elif len(found) == 2 and pos_label not in found:
        raise ValueError(f"pos_label={pos_label!r} is not one of the labels in y_true, {found}.")
    return locate(truth, as_labels([pos_label], "pos_label")) == 0


def _positive(found: list[Any]) -> Any:
    if set(found) <= {0, 1} or set(found) <= {-1, 1}:
        return 1
    if len(found) == 1:
        raise ValueError(f"y_true holds only {found[0]!r}: pass pos_label= to say if that is yes.")
    return found[1]


# ------------------------------------------------------------------ weights and options


def as_weights(sample_weight: ArrayLike | None, n: int, zero: bool = False) -> Floats | None:
    """Return the weights in float64, or None; `zero` allows all of them to be 0."""
    if sample_weight is None:
        return None
    weight = as_reals(sample_weight, "sample_weight").astype(np.float64, copy=False)
    if weight.ndim != 1:
        raise ValueError(f"sample_weight has shape {weight.shape}: pass one weight per sample.")
    check_length("sample_weight", len(weight), n)
    bad = ~((weight >= 0) & (weight < np.inf))
    if bad.any():
        row = int(bad.argmax())
        raise ValueError(
            f"sample_weight[{row}] is {weight[row]}: weights are finite and not negative."
        )
    if not zero and not weight.any():
        raise ValueError("sample_weight is zero for every sample: give at least one some weight.")
    return weight


def unit(base: float | None) -> float:
    """Return the nats in one unit of the logarithm's base."""
    if base is None:
        return 1.0
    if not isinstance(base, numbers.Real) or not 1 < base < np.inf:
        raise ValueError(f"base={base!r}: pass a number above 1, or None for nats.")
    return math.log(base)


def ceiling(eps: float | None) -> float:
    """Return the most that a class can cost, -log(eps): a floor under the probability."""
    if eps is None:
        eps = float(np.finfo(np.float64).eps)
    if not isinstance(eps, numbers.Real) or not 0 <= eps < 1:
        raise ValueError(f"eps={eps!r}: pass a number in [0, 1), or None for machine epsilon.")
    return -math.log(eps) if eps else np.inf
