"""Readers of arguments: an array of another library stays where it is, all else becomes NumPy's.

Each is named after the reader in `_labels` or `_targets` that it falls back on, with `_of` for
`as_`.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

from numpy.typing import NDArray

from skxent.inputs.errors import raise_label
from skxent.inputs.labels import Labels, as_array, as_labels, one_dimensional
from skxent.inputs.namespaces import (
    detached,
    first_true,
    library_of,
    moved,
    namespace_of,
    to_numpy,
    widened,
)
from skxent.inputs.shapes import check_length, one_or_two_dimensional
from skxent.inputs.targets import (
    Classes,
    are_yes,
    as_reals,
    as_weights,
    binary_target,
    categorical_target,
    check_no_pos_label,
    check_soft_rows,
    check_weights,
    codes_of,
)

# Whole numbers from here on, and below its negative, are no int64.
_TOO_GREAT = 2.0**63


@dataclass(frozen=True)
class DeviceLabels(Labels):
    """Labels whose source and codes are on a device, and whose distinct values are NumPy's."""

    def at(self, table: NDArray[Any]) -> Any:
        """Return each sample's entry of a NumPy table over the distinct labels."""
        return library_of(self.codes).take(moved(table, self.codes), self.codes, axis=0)


def array_of(values: Any, name: str) -> Any:
    """Return an array of any numbers or labels."""
    return as_array(values, name) if namespace_of(values) is None else values


def reals_of(values: Any, name: str) -> Any:
    """Return an array of real numbers."""
    xp = namespace_of(values)
    if xp is None:
        return as_reals(values, name)
    if xp.isdtype(values.dtype, "complex floating"):
        raise ValueError(f"{name} is complex: pass real numbers.")
    if not xp.isdtype(values.dtype, ("bool", "integral", "real floating")):
        raise ValueError(f"{name} does not hold numbers only: its dtype is {values.dtype}.")
    return detached(values)


def numbers_of(values: Any, name: str) -> Any:
    """Return an array of real numbers of shape (n,) or (n, K)."""
    return one_or_two_dimensional(reals_of(values, name), name)


def labels_of(values: Any, name: str) -> Labels:
    """Code one-dimensional (or one-column) labels."""
    xp = namespace_of(values)
    if xp is None:
        return as_labels(values, name)
    source = one_dimensional(detached(values), name)
    if xp.isdtype(source.dtype, "complex floating"):
        raise ValueError(f"{name} is complex: labels are strings, booleans or whole numbers.")
    if xp.isdtype(source.dtype, "real floating"):
        source = _whole(xp, source, name)
    distinct, codes = xp.unique_inverse(source)
    return DeviceLabels(source, to_numpy(distinct), codes, name)


def _whole(xp: ModuleType, source: Any, name: str) -> Any:
    """Return floats as integers, which they must be."""
    source = widened(source)  # the bounds are infinite in half precision
    fine = (source == xp.floor(source)) & (source >= -_TOO_GREAT) & (source < _TOO_GREAT)
    row = first_true(~fine)
    if row is not None:
        raise_label(float(source[row]), row, name)
    return xp.astype(source, xp.int64)


def class_target(y_true: Any, classes: Classes, prediction: Any) -> Any:
    """Return the codes (n,) of labels, or soft rows (n, K), beside the prediction."""
    n = prediction.shape[0]
    if namespace_of(y_true) is None:
        return moved(categorical_target(y_true, classes, n), prediction)
    array = moved(y_true, prediction)
    if not has_rows(array):
        return codes_of(labels_of(array, "y_true"), classes, n)
    soft = numbers_of(array, "y_true")
    check_soft_rows(soft, classes, n)
    return soft


def outcome_target(y_true: Any, pos_label: Any, prediction: Any) -> Any:
    """Return outcomes in [0, 1] of shape (n,), or (n, m) for m independent ones."""
    n = prediction.shape[0]
    if namespace_of(y_true) is None:
        return moved(binary_target(y_true, pos_label, n), prediction)
    array = moved(y_true, prediction)
    if has_rows(array):
        check_no_pos_label(pos_label)
        outcomes = numbers_of(array, "y_true")
    else:
        outcomes = _outcomes(array, pos_label)
    check_length("y_true", outcomes.shape[0], n)
    return outcomes


def _outcomes(array: Any, pos_label: Any) -> Any:
    """Return 1 for the positive label and 0 for the other, or probabilities as they are."""
    xp, flat = library_of(array), one_dimensional(detached(array), "y_true")
    is_float = pos_label is None and xp.isdtype(flat.dtype, "real floating")
    if is_float and first_true(~((flat >= 0) & (flat <= 1))) is None:
        return flat
    return are_yes(labels_of(flat, "y_true"), pos_label)


def has_rows(array: Any) -> bool:
    """Whether an array has several columns, so that it holds no labels."""
    return array.ndim == 2 and array.shape[1] > 1


def weights_beside(losses: Any, sample_weight: Any, zero: bool) -> Any:
    """Return the weights beside the losses, or None; `zero` allows all of them to be 0."""
    n = losses.shape[0]
    if sample_weight is None:
        return None
    if namespace_of(sample_weight) is None:
        return moved(as_weights(sample_weight, n, zero), losses)
    weight = widened(moved(reals_of(sample_weight, "sample_weight"), losses))
    check_weights(weight, n, zero)
    return weight
