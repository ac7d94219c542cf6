"""Errors about arguments and their first bad entry.

Each function raises, or checks one argument. The values in the messages are NumPy's or Python's,
also if the check ran on a device.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray


def check_kind(values: object, name: str) -> None:
    """Refuse arguments that are not arrays, and arrays with masked entries."""
    if isinstance(values, np.ndarray):
        _check_masked(values, name)
        return
    kind, article = type(values), f"{name} is a {type(values).__name__}"
    if isinstance(values, list | tuple):
        if values and isinstance(values[0], np.ndarray):
            for i, row in enumerate(values):
                _check_masked(row, f"{name}[{i}]")
    # SciPy's DOK matrix is a dict, but has a shape.
    elif isinstance(values, Mapping | Set) and not hasattr(values, "shape"):
        raise TypeError(f"{article}: pass an array or a list with one entry for each sample.")
    elif hasattr(kind, "collect") and not hasattr(kind, "__array__"):
        raise TypeError(f"{article}, which holds no numbers yet: pass {name}.collect().")
    elif hasattr(kind, "get_params") and hasattr(kind, "fit"):
        raise TypeError(
            f"{article}: pass an array, which for a prediction is the model's predict_proba(X)."
        )


def _check_masked(values: object, name: str) -> None:
    """Refuse masked entries, because NumPy's functions would use the values behind the mask."""
    if np.ma.isMaskedArray(values) and np.ma.getmaskarray(values).any():
        place = ", ".join(map(str, np.argwhere(np.ma.getmaskarray(values))[0]))
        where = f"{name}[{place}]" if place else name
        raise ValueError(
            f"{where} is masked: leave out the samples with masked values, or fill them in, as "
            f"{name}.filled(value) does."
        )


def raise_no_weight(ignored: bool = False) -> NoReturn:
    """Say that all weights are zero; `ignored` says that some samples do not count anyway."""
    which = " whose label is not ignore_label" if ignored else ""
    raise ValueError(
        f"sample_weight is zero for every sample{which}: give at least one some weight."
    )


def raise_label(value: float, row: int, name: str) -> NoReturn:
    """Say why a number is not a label."""
    if not np.isfinite(value):
        raise ValueError(f"{name}[{row}] is {value}: leave out samples without a label.")
    raise ValueError(
        f"{name}[{row}] is {value}, not a label: labels are strings, booleans or "
        "whole numbers. Targets that are probabilities are rows of shape (n, K), or numbers in "
        "[0, 1] for binary_cross_entropy."
    )


def raise_loss_function(loss: object, names: list[str]) -> NoReturn:
    """Raise for a function that is no public loss, since the unit of its losses is unknown."""
    raise TypeError(f"loss={loss!r}: pass {' or '.join(names)}.")


# What to do about rows that are not distributions, by argument.
_CURES = {
    "y_pred": "Divide each row by its sum if that is what you mean, pass float32 results as "
    "float32, or pass from_logits=True if they are logits.",
    "X": "Divide each row by its sum if that is what you mean, or use "
    "LogitCalibrator(from_logits=True) if they are logits.",
    "y_true": "Independent yes/no outcomes go to binary_cross_entropy.",
    "y": "Soft targets are distributions over classes; independent yes/no outcomes need one "
    "classifier each, as in sklearn.multioutput.MultiOutputClassifier.",
}


def raise_distribution(values: NDArray[np.float64], row: int, limit: float, name: str) -> NoReturn:
    """Say why a row is not a distribution over classes."""
    cure = _CURES.get(name, "")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} has NaN or infinity in row {row}: probabilities are finite.")
    low, high = values.min(), values.max()
    if low < 0 or high > 1 + limit:
        worst = low if low < 0 else high
        raise ValueError(f"{name} has {worst:.6g} in row {row}, outside [0, 1]. {cure}".rstrip())
    raise ValueError(
        f"{name} does not sum to 1 in row {row}: the sum is {values.sum():.9g}, the tolerance is "
        f"{limit:.1e}, and rows are never renormalised here. {cure}".rstrip()
    )


def raise_outcome(value: float, row: int, name: str) -> NoReturn:
    """Say why a number is not the probability of a yes/no outcome."""
    hint = " If they are logits, pass from_logits=True." if name == "y_pred" else ""
    raise ValueError(
        f"{name} has {value:.6g} in row {row}, outside [0, 1]: pass probabilities.{hint}"
    )


def raise_logits(top: float, row: int, name: str) -> NoReturn:
    """Say why a row with this maximum does not hold logits."""
    what = "no finite logit" if top == -np.inf else "NaN or +infinity"
    raise ValueError(
        f"{name} has {what} in row {row}: logits are finite, or -inf for an "
        "impossible class, with at least one finite in each row."
    )


def raise_nan_logit(row: int, name: str) -> NoReturn:
    """Say that a logit of a yes/no outcome is NaN."""
    raise ValueError(f"{name} has NaN in row {row}: logits are numbers.")
