"""The warning that the floor `eps` under probabilities acted, and the samples that it names."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from skxent.inputs.namespaces import Codes
from skxent.inputs.roles import hard_advice
from skxent.inputs.stacklevel import users_stacklevel

N_NAMED = 3  # samples that the warning names, at most


class ZeroProbabilityWarning(UserWarning):
    """A target had a probability below the floor `eps`, and was charged -log(eps) instead.

    Pass ``eps=0`` to a loss or scorer for the exact cost, infinity where the probability is 0.
    """


@dataclass(frozen=True)
class FlooredSample:
    """A sample that the floor acted on: its row, exact loss in nats, and class.

    `column` is the column of the class or outcome, or None if there is one outcome. `name` and
    `partition` are None if they are not known.
    """

    row: int
    loss: float
    column: int | None
    name: str | None = None
    partition: int | None = None

    def __str__(self) -> str:
        where = f"row {self.row}"
        if self.partition is not None:
            where += f" of partition {self.partition}"
        name = self.name
        if name is None and self.column is not None:
            name = f"column {self.column}"
        return f"{where} ({name + ', ' if name else ''}exact cost {self.loss:.4g} nats)"


class Floored(NamedTuple):
    """The number of samples that the floor acted on, and the first few of them.

    On a device only the number is known.
    """

    n: int = 0
    samples: tuple[FlooredSample, ...] = ()

    def plus(self, other: Floored) -> Floored:
        """Add the samples of a later block or partition."""
        if not other.n:
            return self
        return Floored(self.n + other.n, (*self.samples, *other.samples)[:N_NAMED])

    def placed(self, start: int = 0, partition: int | None = None) -> Floored:
        """Return the samples of a block as those of its array or partition.

        `start` is the row at which the block begins.
        """
        if not self.samples:
            return self
        samples = (
            replace(each, row=each.row + start, partition=partition) for each in self.samples
        )
        return self._replace(samples=tuple(samples))

    def among(self, rows: Codes) -> Floored:
        """Return the samples of a selection of rows as those of all rows."""
        samples = (replace(each, row=int(rows[each.row])) for each in self.samples)
        return self._replace(samples=tuple(samples))

    def warn(self, of: int, eps: float | None, hard: str | None = None) -> None:
        """Warn the user if the floor acted on any of `of` samples, and name the first ones.

        `hard` is the name of a prediction whose entries are all 0 or 1.
        """
        if not self.n:
            return
        floor = float(np.finfo(np.float64).eps) if eps is None else eps
        first = ", ".join(map(str, self.samples))
        which = f": {first}{', ...' if self.n > len(self.samples) else ''}" if first else ""
        warnings.warn(
            f"{self.n} of {of} samples have a target whose probability is below "
            f"eps={floor:.3g}{which}. Each is charged -log(eps), {-np.log(floor):.4g} nats. Pass "
            "eps=0 for the exact cost, infinity where the probability is 0."
            f"{f' {hard_advice(hard)}' if hard else ''}",
            ZeroProbabilityWarning,
            stacklevel=users_stacklevel(),
        )


NONE_FLOORED = Floored()
