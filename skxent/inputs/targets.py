"""Every form of truth and prediction -> one canonical form; all validation of the metrics.

Canonical forms: a prediction is (n, K) rows, or (n,) for the second of two classes; a target is
codes (n,) or soft rows (n, K). Large arrays are not checked here as a whole: `read_probabilities`
and `read_logits` check one block of rows while it is in cache, just before its losses are computed.
"""

from __future__ import annotations

import math
import numbers
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
from skxent.inputs.errors import (
    raise_distribution,
    raise_logits,
    raise_nan_logit,
    raise_no_weight,
    raise_outcome,
)
from skxent.inputs.labels import (
    Codes,
    Labels,
    as_array,
    as_labels,
    locate,
    shorten,
)
from skxent.inputs.namespaces import first_true
from skxent.inputs.shapes import check_length, one_or_two_dimensional

Floats = NDArray[np.float64]

# Numbers in a block of rows: 256 kB, so that a block and its temporaries stay in the L2 cache.
_BLOCK_SIZE = 1 << 15


def row_blocks(shape: tuple[int, ...], size: int = _BLOCK_SIZE) -> Iterator[slice]:
    """Cut the rows of an array into slices of about `size` numbers, a cache-sized block."""
    n, width = shape[0], math.prod(shape[1:])
    step = max(1, size // max(1, width))
    return (slice(start, min(start + step, n)) for start in range(0, n, step))


def as_reals(values: ArrayLike, name: str) -> NDArray[Any]:
    """Return an array of real numbers of at most eight bytes each, of any shape."""
    array = as_array(values, name)
    if array.dtype.kind == "c":
        raise ValueError(f"{name} is complex: pass real numbers.")
    if array.dtype.kind in "biuf" and array.dtype.itemsize <= 8:
        return array
    if array.dtype.kind == "f":
        return array.astype(np.float64)
    if array.dtype.kind == "O":
        return np.fromiter(_floats(array, name), np.float64, array.size).reshape(array.shape)
    raise ValueError(f"{name} does not hold numbers only: its dtype is {array.dtype}.")


def _floats(array: NDArray[Any], name: str) -> Iterator[float]:
    """Read objects one by one; the first that is no number is named. Text is none."""
    for place, value in np.ndenumerate(array):
        try:
            if isinstance(value, str | bytes):
                raise TypeError("text is no number")
            yield float(value)
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueError(
                f"{name} does not hold numbers only: {value!r} at {list(place)}: {error}."
            ) from error


def as_numbers(values: ArrayLike, name: str) -> NDArray[Any]:
    """Return real numbers of one or two dimensions, a single column as one dimension."""
    return one_or_two_dimensional(as_reals(values, name), name)


def tolerance(array: NDArray[Any]) -> float:
    """Return how far from 1 a row of probabilities may sum: sqrt of the machine epsilon."""
    dtype = array.dtype if array.dtype.kind == "f" else np.dtype(np.float64)
    return float(np.sqrt(np.finfo(dtype).eps))


# ------------------------------------------------------------------ blocks of predictions


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
    raise_distribution(block[i], start + i, limit, name)


def read_outcomes(p: NDArray[Any], rows: slice, name: str = "y_pred") -> Floats:
    """Return a block of probabilities of yes/no outcomes in float64, each in [0, 1]."""
    block = np.ascontiguousarray(p[rows], dtype=np.float64)
    limit = 1.0 + tolerance(p)
    if not (block.min() >= 0.0 and block.max() <= limit):
        i = np.argwhere(~((block >= 0.0) & (block <= limit)))[0]
        raise_outcome(block[tuple(i)], rows.start + i[0], name)
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
        raise_logits(top[i], rows.start + i, name)
    return block


def read_single_logits(z: NDArray[Any], rows: slice, name: str = "y_pred") -> Floats:
    """Return a block of logits of yes/no outcomes in float64; infinite ones are certain."""
    block = np.ascontiguousarray(z[rows], dtype=np.float64)
    if np.isnan(block.min()):
        i = np.argwhere(np.isnan(block))[0]
        raise_nan_logit(rows.start + i[0], name)
    return block


# ------------------------------------------------------------------ targets


@dataclass(frozen=True)
class Classes:
    """What is known about the columns of a prediction before the target is read."""

    count: int
    labels: Labels | None = None
    all_names: list[Any] | None = None

    @property
    def names(self) -> list[Any] | None:
        """Names of the columns that say something about classes."""
        return None if self.all_names is None else telling(self.all_names)

    @classmethod
    def of(cls, y_pred: Any, prediction: NDArray[Any], labels: ArrayLike | None) -> Classes:
        """Read what the prediction and `labels` say about the columns."""
        count = 2 if prediction.ndim == 1 else prediction.shape[1]
        names = all_column_names(y_pred) if prediction.ndim == 2 else None
        if labels is None:
            return cls(count, None, names)
        known = as_labels(labels, "labels")
        check_distinct(known)
        if len(known) != count:
            raise ValueError(
                f"labels names {len(known)} classes but y_pred has {count} columns: name every "
                "column once, in the order of the columns."
            )
        found = cls(count, known, names)
        check_order("y_pred", found.names, "labels", known.source.tolist())
        return found


def categorical_target(y_true: ArrayLike, classes: Classes, n: int) -> Codes | NDArray[Any]:
    """Return the codes (n,) of labels, or soft rows (n, K) as they were given."""
    array = as_array(y_true, "y_true")
    if array.ndim == 2 and array.shape[1] > 1:
        soft = as_numbers(array, "y_true")
        check_soft_rows(soft, classes, n)
        check_orders(y_true, "y_true", classes.all_names, "y_pred")
        if classes.labels is not None:
            order = classes.labels.source.tolist()
            check_order("y_true", column_names(y_true), "labels", order)
        return soft
    truth = as_labels(array, "y_true")
    return codes_of(truth, classes, n)


def check_soft_rows(soft: NDArray[Any], classes: Classes, n: int) -> None:
    """Require one row for each sample and one column for each class."""
    check_length("y_true", soft.shape[0], n)
    if soft.shape[1] != classes.count:
        raise ValueError(
            f"y_true has {soft.shape[1]} columns but y_pred has {classes.count}: one-hot and "
            "soft rows have one column per class."
        )


def codes_of(truth: Labels, classes: Classes, n: int) -> Codes:
    """Return the column of each of n labels."""
    check_length("y_true", len(truth), n)
    known = classes.labels or classes_from(truth, classes)
    codes = locate(truth, known)
    # where the labels found are the known ones, in their order, there is nothing to look for
    row = None if codes is truth.codes else first_true(codes < 0)
    if row is not None:
        label = truth.distinct.tolist()[int(truth.codes[row])]
        raise ValueError(
            f"y_true[{row}] is {label!r}, which is not in {known.name} "
            f"{shorten(known.source.tolist())}: correct it, or name every class in labels=."
        )
    return codes


def classes_from(truth: Labels, classes: Classes) -> Labels:
    """Name the columns by the data frame's own names, else by the sorted distinct labels."""
    found = truth.distinct
    if classes.names is not None:
        named = named_labels(classes.names, found.tolist(), "y_pred")
        if named is not None:
            return classes_named(named, "y_pred")
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
        check_no_pos_label(pos_label)
        outcomes = as_numbers(array, "y_true")
    else:
        outcomes = _outcomes(array, pos_label)
    check_length("y_true", len(outcomes), n)
    return outcomes


def check_no_pos_label(pos_label: Any) -> None:
    """Refuse a label that means yes, where rows say yes and no."""
    if pos_label is not None:
        raise ValueError("pos_label is for labels of shape (n,): rows of outcomes are 0 or 1.")


def check_outcome_columns(y_true: Any, y_pred: Any, outcomes: NDArray[Any]) -> None:
    """Refuse data frames whose column names contradict the order in which the columns are read."""
    names = column_names(y_pred)
    if names is None or outcomes.ndim == 2:
        check_orders(y_true, "y_true", all_column_names(y_pred), "y_pred")
    elif len(names) == 2:
        labels = np.asarray(y_true).ravel()
        yes, no = (set(labels[outcomes == outcome].tolist()) for outcome in (1, 0))
        check_outcome_order(names, yes, no)


def _outcomes(array: NDArray[Any], pos_label: Any) -> NDArray[Any]:
    """Return 1 for the positive label and 0 for the other, or probabilities as they are."""
    flat = array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array
    is_number = flat.ndim == 1 and flat.size and flat.dtype.kind in "biuf"
    if pos_label is None and is_number and flat.min() >= 0 and flat.max() <= 1:
        return flat
    return are_yes(as_labels(flat, "y_true"), pos_label)


def are_yes(truth: Labels, pos_label: Any) -> NDArray[Any]:
    """Tell which samples have the positive one of two labels."""
    yes = positive_label(truth.distinct.tolist(), pos_label)
    return locate(truth, as_labels([yes], "pos_label")) == 0


def positive_label(found: list[Any], pos_label: Any) -> Any:
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
                f"pos_label={pos_label!r} is not one of the labels in y_true, {found}."
            )
        return pos_label
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
    check_weights(weight, n, zero)
    return weight


def check_weights(weight: Any, n: int, zero: bool) -> None:
    """Require n weights, of any library, and unless `zero` one that is not 0."""
    if weight.ndim != 1:
        shape = tuple(weight.shape)
        raise ValueError(f"sample_weight has shape {shape}: pass one weight per sample.")
    check_length("sample_weight", weight.shape[0], n)
    if n and isinstance(weight, np.ndarray) and 0 < weight.max() < np.inf and weight.min() >= 0:
        return  # the usual case, without a mask
    row = first_true(~((weight >= 0) & (weight < np.inf)))
    if row is not None:
        value = float(weight[row])
        raise ValueError(f"sample_weight[{row}] is {value}: weights are finite and not negative.")
    if not zero and first_true(weight > 0) is None:
        raise_no_weight()


def check_weight_range(largest: float, wide: bool = True) -> None:
    """Refuse weights that are too large or too small to be added without losing digits.

    Parameters
    ----------
    largest : float
        The largest weight, or the sum of all weights.
    wide : bool
        Whether sums are float64, else float32.
    """
    limit = 1e290 if wide else 1e30
    if largest > 0 and not 1.0 / limit <= largest <= limit:
        raise ValueError(
            f"sample_weight is too {'large' if largest > 1 else 'small'}: the largest weight, or "
            f"the sum of all, is {largest:.3g}, and sums of losses overflow or lose digits. "
            "Multiply all weights by one number that brings them between "
            f"{1.0 / limit:.0e} and {limit:.0e}."
        )


def unit(base: float | None) -> float:
    """Return the nats in one unit of the logarithm's base."""
    if base is None:
        return 1.0
    if not isinstance(base, numbers.Real) or not 1 < base <= sys.float_info.max:
        raise ValueError(f"base={base!r}: pass a number above 1, or None for nats.")
    return math.log(base)


def ceiling(eps: float | None) -> float:
    """Return the most that a class can cost, -log(eps): a floor under the probability."""
    if eps is None:
        eps = float(np.finfo(np.float64).eps)
    if not isinstance(eps, numbers.Real) or not 0 <= eps < 1:
        raise ValueError(f"eps={eps!r}: pass a number in [0, 1), or None for machine epsilon.")
    return -math.log(eps) if eps else np.inf
