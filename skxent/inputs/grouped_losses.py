"""Losses, weights, groups and units of statistics, read into NumPy arrays (n,).

A list of arrays, one for each document, is read as their concatenation, and the documents are its
groups unless others are given.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from skxent.inputs.array_arguments import as_reals
from skxent.inputs.given_losses import (
    Place,
    check_not_nested,
    check_parts,
    check_weights,
    counted_losses,
    is_list_of_arrays,
    place_in,
    rounding_of,
)
from skxent.inputs.labels import Labels, as_labels
from skxent.inputs.namespaces import Codes, Floats, first_true
from skxent.inputs.shapes import check_length
from skxent.inputs.weights import as_weights, raise_no_weight

MOST_UNITS = 1e100  # of one loss or document; sums of squares of larger units could overflow


@dataclass(frozen=True)
class GivenLosses:
    """The losses of one model.

    Parameters
    ----------
    values : (n,) array
        In float64; 0 where the weight is 0.
    weight : (n,) array or None
    lengths : (D,) array or None
        Numbers of losses of the documents, if the losses were a list of arrays.
    name : str
        The argument, for messages.
    """

    values: Floats
    weight: Floats | None
    lengths: Codes | None
    name: str

    @classmethod
    def read(
        cls, losses: Any, sample_weight: Any, name: str = "losses", *, signed: bool = False
    ) -> Self:
        """Read losses and weights; `signed` allows negative numbers, such as differences."""
        if isinstance(losses, Iterator):
            raise TypeError(f"{name} is a {type(losses).__name__}: pass a list.")
        if not is_list_of_arrays(losses):
            check_not_nested(losses, name)
            values = _flat(losses, name)
            weight = as_weights(sample_weight, len(values), of=name)
            place = place_in(name, values.shape)
            return cls(_checked(values, weight, place, signed), weight, None, name)
        n = len(losses)
        names = [f"{name}[{i}]" for i in range(n)]
        parts = [_flat(part, own, empty=True) for part, own in zip(losses, names, strict=True)]
        lengths = np.array([len(part) for part in parts], dtype=np.intp)
        if not lengths.sum():
            raise ValueError(f"{name} holds no losses: pass at least one.")
        weights = cls._weights(sample_weight, lengths, name)
        each: list[Floats | None] = [None] * n if weights is None else list(weights)
        checked = [
            _checked(part, own, place_in(where, part.shape), signed)
            for part, own, where in zip(parts, each, names, strict=True)
        ]
        weight = np.concatenate(weights) if weights else None
        if weight is not None and not weight.any():
            raise_no_weight()
        return cls(np.concatenate(checked), weight, lengths, name)

    @staticmethod
    def _weights(sample_weight: Any, lengths: Codes, name: str) -> list[Floats] | None:
        """Read the weights of losses that are a list of arrays."""
        if sample_weight is None:
            return None
        what, found = "sample_weight", []
        for i, own in enumerate(check_parts(sample_weight, len(lengths), what, name)):
            weight = _flat(own, f"{what}[{i}]", empty=True).astype(np.float64)
            check_length(f"{what}[{i}]", len(weight), int(lengths[i]), f"{name}[{i}]")
            check_weights(weight, place_in(f"{what}[{i}]", weight.shape))
            found.append(weight)
        return found

    def __len__(self) -> int:
        return len(self.values)

    @property
    def n_rows(self) -> int:
        """Number of labels of groups that go with these losses: one a loss, or one a document."""
        return len(self) if self.lengths is None else len(self.lengths)

    @property
    def documents(self) -> Codes | None:
        """The document of each loss (n,), or None if the losses were one array."""
        return None if self.lengths is None else self.by_loss(np.arange(len(self.lengths)))

    @property
    def positions(self) -> Positions:
        """The places of the losses in the list, as text such as "[2][7]"."""
        return Positions(np.array([len(self)]) if self.lengths is None else self.lengths)

    def by_loss(self, rows: Any) -> Any:
        """Return an entry for each loss, from an entry for each loss or for each document."""
        return rows if self.lengths is None else np.repeat(rows, self.lengths)

    def labels(self, groups: Any, name: str = "groups") -> Labels:
        """Read labels of groups, one for each loss, or for each document of a list."""
        labels = as_labels(groups, name)
        check_length(name, len(labels), self.n_rows, self.name)
        return labels

    def codes(self, groups: Any) -> Codes | None:
        """Return the group of each loss as a code (n,), or None if there are no groups."""
        if groups is None:
            return self.documents
        codes: Codes = self.by_loss(self.labels(groups).codes)
        return codes

    def units(self, units: Any, name: str = "units") -> tuple[Floats, bool]:
        """Read units, such as bytes: of each loss, or of each document, and which of the two."""
        if self.lengths is not None and is_list_of_arrays(units):
            parts = check_parts(units, len(self.lengths), name, self.name)
            found = []
            for i, part in enumerate(parts):
                own = _flat(part, f"{name}[{i}]", empty=True)
                check_length(f"{name}[{i}]", len(own), int(self.lengths[i]), f"{self.name}[{i}]")
                found.append(own.astype(np.float64))
            positions = self.positions
            return self._checked(np.concatenate(found), lambda i: name + positions[i]), False
        values = _flat(units, name).astype(np.float64)
        check_length(name, len(values), self.n_rows, self.name)
        place = place_in(name, values.shape)
        if self.lengths is None:
            return self._checked(values, place), False
        return _checked_units(values, place), True

    def _checked(self, units: Floats, place: Place) -> Floats:
        """Return the units of each loss, 0 where the weight is 0."""
        kept = True if self.weight is None else self.weight > 0
        return _checked_units(np.where(kept, units, 0.0), place)


class Positions(Sequence[str]):
    """Places of losses in a list of arrays, as text such as "[2][7]", made when asked for."""

    def __init__(self, lengths: Codes) -> None:
        self._ends = np.cumsum(lengths)
        self._lengths = lengths

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitem__(self, rows: Any) -> Any:
        """Return the text of one place, or an array of the texts of several."""
        documents = np.searchsorted(self._ends, rows, side="right")
        entries = rows - (self._ends - self._lengths)[documents]
        if np.ndim(rows) == 0:
            return f"[{documents}][{entries}]"
        pairs = zip(documents, entries, strict=True)
        return np.array([f"[{document}][{entry}]" for document, entry in pairs], dtype=object)


def check_mask(given: GivenLosses) -> None:
    """Require weights of 0 and 1, since units of documents cannot be counted several times."""
    weight = given.weight
    if weight is not None and not ((weight == 0) | (weight == 1)).all():
        raise ValueError(
            "units has one entry for each document, so sample_weight must be a mask of 0 and 1: "
            "pass the units of each loss, or no weights."
        )


def _flat(values: Any, name: str, empty: bool = False) -> np.ndarray:
    """Return an argument as an array (n,); a column of a data frame has the shape (n, 1)."""
    array = as_reals(values, name)
    if array.ndim == 2 and array.shape[1] == 1 and hasattr(values, "columns"):
        array = array[:, 0]
    if array.ndim != 1 or not (array.size or empty):
        raise ValueError(
            f"{name} has shape {array.shape}: pass one entry for each sample, (n,), or a list of "
            "such arrays, one for each document."
        )
    return array


def _checked(values: np.ndarray, weight: Floats | None, place: Place, signed: bool) -> Floats:
    """Return losses in float64, 0 where the weight is 0; refuse those that have no mean."""
    rounding, values = rounding_of(values), values.astype(np.float64)
    kept = np.ones(len(values), dtype=bool) if weight is None else weight > 0
    row = first_true(~np.isfinite(values) & kept)
    if row is not None:
        raise ValueError(
            f"{place(row)} is {values[row]}: the mean of such losses has no interval. Losses from "
            "probabilities are finite unless eps=0. An entry of weight 0 may have any value."
        )
    return (
        np.where(kept, values, 0.0) if signed else counted_losses(values, weight, rounding, place)
    )


def _checked_units(units: Floats, place: Place) -> Floats:
    row = first_true(~((units == 0) | ((units >= 1.0 / MOST_UNITS) & (units <= MOST_UNITS))))
    if row is not None:
        raise ValueError(
            f"{place(row)} is {units[row]:g}: pass numbers of bytes, characters or words, each 0 "
            f"or between {1.0 / MOST_UNITS:g} and {MOST_UNITS:g}."
        )
    return units
