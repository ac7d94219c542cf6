"""Changes of coordinates: several in order, and changes of some columns only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from skxent.likelihood.sources.base import RowSource

Parameters = tuple[np.ndarray, np.ndarray]


class Coordinates(Protocol):
    """A change of coordinates: parameters are transformed so that logits stay the same."""

    def enter(self, coef: np.ndarray, intercept: np.ndarray) -> Parameters:
        """Parameters before the change -> parameters after the change."""
        ...

    def leave(self, coef: np.ndarray, intercept: np.ndarray) -> Parameters:
        """Parameters after the change -> parameters before the change."""
        ...


def leave(changes: Sequence[Coordinates], parameters: Parameters) -> Parameters:
    """Parameters after some changes of coordinates -> parameters before the first change."""
    for change in reversed(changes):
        parameters = change.leave(*parameters)
    return parameters


class Change(Coordinates, Protocol):
    """A change of coordinates that also holds the transformed rows."""

    @property
    def data(self) -> RowSource:
        """The rows after the change."""
        ...


@dataclass(frozen=True)
class SomeColumns:
    """Changes of coordinates of some columns; the other columns follow unchanged.

    Parameters
    ----------
    data : RowSource
        The rows with the new columns and then the other columns.
    changes : tuple of Coordinates
        The changes of coordinates of the columns in the mask, in order.
    mask : (d,) array of bool
    """

    data: RowSource
    changes: tuple[Coordinates, ...]
    mask: np.ndarray

    def enter(self, coef: np.ndarray, intercept: np.ndarray) -> Parameters:
        """Parameters of the original columns -> parameters of the new and the other columns."""
        others = coef[:, ~self.mask]
        coef = coef[:, self.mask]
        for change in self.changes:
            coef, intercept = change.enter(coef, intercept)
        return np.column_stack([coef, others]), intercept

    def leave(self, coef: np.ndarray, intercept: np.ndarray) -> Parameters:
        """Parameters of the new and the other columns -> parameters of the original columns."""
        n_new = coef.shape[1] - np.count_nonzero(~self.mask)
        all_coef = np.empty((len(coef), len(self.mask)))
        all_coef[:, ~self.mask] = coef[:, n_new:]
        all_coef[:, self.mask], intercept = leave(self.changes, (coef[:, :n_new], intercept))
        return all_coef, intercept
