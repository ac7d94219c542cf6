"""Weights and groups of samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from skxent.inputs.array_arguments import array_beside, as_array, checked_reals
from skxent.inputs.errors import raise_no_weight
from skxent.inputs.ignored_labels import raise_none_counts
from skxent.inputs.labels import as_labels
from skxent.inputs.namespaces import (
    A,
    AnyArray,
    Codes,
    Floats,
    first_true,
    largest,
    moved,
    smallest,
    widened,
)
from skxent.inputs.shapes import check_length


def as_weights(
    sample_weight: ArrayLike | None, n: int, *, zero: bool = False, of: str = "y_pred"
) -> Floats | None:
    """Return n checked weights in float64, or None if there are none.

    `zero` allows all weights to be 0. `of` names the argument with the n samples, for messages.
    """
    if sample_weight is None:
        return None
    return _checked(as_array(sample_weight, "sample_weight"), n, zero, of)


def weights_beside(sample_weight: object, like: A, *, zero: bool = False) -> A:
    """Return one checked weight for each row of `like`.

    The weights are in the library and on the device of `like`. `zero` allows all of them to be 0.
    """
    weight = array_beside(sample_weight, "sample_weight", like)
    return moved(_checked(weight, like.shape[0], zero, "y_pred"), like)


def _checked(values: A, n: int, zero: bool, of: str) -> A:
    """Require n finite weights, none negative, and one positive weight unless `zero` is True."""
    weight = widened(checked_reals(values, "sample_weight"))
    if weight.ndim != 1:
        shape = tuple(weight.shape)
        raise ValueError(f"sample_weight has shape {shape}: pass one weight per sample.")
    check_length("sample_weight", weight.shape[0], n, of)
    if n and 0 < largest(weight) < np.inf and smallest(weight) >= 0:
        return weight  # the usual case, without a mask
    row = first_true(~((weight >= 0) & (weight < np.inf)))
    if row is not None:
        value = float(weight[row])
        raise ValueError(f"sample_weight[{row}] is {value}: weights are finite and not negative.")
    if not zero and first_true(weight > 0) is None:
        raise_no_weight()
    return weight


def weights_of_counted(weights: AnyArray, kept: AnyArray, *, zero: bool = False) -> AnyArray:
    """Return the weights of the samples that count, or None if there are no weights.

    Raise if no sample counts, or if no sample that counts has weight, unless `zero` is True.
    """
    if kept is None:
        return weights
    if not zero and first_true(kept) is None:
        raise_none_counts()
    if weights is None:
        return None
    weights = weights[kept]
    if not zero and first_true(weights > 0) is None:
        raise_no_weight(ignored=True)
    return weights


def weights_where_counted(weights: Floats | None, kept: np.ndarray | None) -> Floats | None:
    """Return the weights of all samples, 0 for those that do not count."""
    if kept is None:
        return weights
    weights_of_counted(weights, kept)
    return kept.astype(np.float64) if weights is None else np.where(kept, weights, 0.0)


def check_weight_range(largest: float, wide: bool = True, name: str = "sample_weight") -> None:
    """Raise if weights are so large or small that sums of weighted losses lose digits.

    Parameters
    ----------
    largest : float
        The largest weight, or the sum of all weights.
    wide : bool
        Whether sums are float64, else float32.
    name : str
        Name of the argument with the weights.
    """
    limit = 1e290 if wide else 1e30
    if largest > 0 and not 1.0 / limit <= largest <= limit:
        raise ValueError(
            f"{name} is too {'large' if largest > 1 else 'small'}: the largest weight, or "
            f"the sum of all, is {largest:.3g}, and sums of losses overflow or lose digits. "
            "Multiply all weights by one number that brings them between "
            f"{1.0 / limit:.0e} and {limit:.0e}."
        )


def check_two_pieces(n_pieces: int, groups: object) -> None:
    """Require two independent samples or groups, since one has no standard error."""
    if n_pieces < 2:
        what = "sample" if groups is None else "group"
        raise ValueError(
            f"one {what} has no standard error: pass two or more {what}s whose weights are not 0."
        )


def group_codes(groups: ArrayLike, n: int, of: str) -> Codes:
    """Return n groups as integer codes; `of` names the argument with the n samples."""
    labels = as_labels(groups, "groups")
    check_length("groups", len(labels), n, of)
    return labels.codes
