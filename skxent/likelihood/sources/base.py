"""Where rows are: what a fit asks of them, wherever that is.

The engine asks a place for sums over its rows: a function goes to every part of the rows with the
parameters, and one sum comes back. Rows in this process are one part, see `Here`; the partitions of
a cluster are many, see `dask`. The functions are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from sys import float_info
from typing import Any, Protocol, Self

import numpy as np

Function = Callable[..., Any]
Add = Callable[[Any, Any], Any]


def add(a: Any, b: Any) -> Any:
    """Add two sums, tuples of them element by element."""
    if isinstance(a, tuple):
        return tuple(add(*pair) for pair in zip(a, b, strict=True))
    return a + b


class Asked(Protocol):
    """Rows in parts, of which each can be asked."""

    def map(self, function: Function, *args: Any) -> Any:
        """Ask each part for ``function(part, *args)``.

        What comes back stays where it is, and may be an argument of another call: each part gets
        its own.
        """
        ...

    def total(self, each: Any, add: Add = add) -> Any:
        """The sum of what `map` gave, left where it is, also an argument for all parts."""
        ...

    def gather(self, each: Any) -> list[Any]:
        """What `map` gave, here."""
        ...

    def sum(self, function: Function, *args: Any, add: Add = add) -> Any:
        """The sum of ``function(part, *args)``, here."""
        ...

    def close(self) -> None:
        """Let go of what was needed to ask."""
        ...


class RowSource(Asked, Protocol):
    """Rows with their targets and weights, the data of a fit."""

    @property
    def n_classes(self) -> int:
        """K."""
        ...

    @property
    def fit_intercept(self) -> bool:
        """Whether samples have a constant entry."""
        ...

    @property
    def n_threads(self) -> int:
        """Threads for what is done here."""
        ...

    @property
    def n_rows(self) -> int:
        """Number of samples."""
        ...

    @property
    def n_features(self) -> int:
        """Number of columns of X."""
        ...

    @property
    def sparse(self) -> bool:
        """Whether X is."""
        ...

    @property
    def n_outputs(self) -> int:
        """Rows of logits: K, or one for two classes."""
        ...

    @property
    def theta_shape(self) -> tuple[int, int]:
        """Shape of the parameters, (R, p)."""
        ...

    @property
    def immovable(self) -> bool:
        """Whether rows must stay where they are, so that no sample of them is drawn."""
        ...

    @property
    def eps(self) -> float:
        """Relative rounding error of sums."""
        ...

    def of_classes(self, mask: Any) -> Any:
        """The same rows for some of the classes; rows of the others have no weight."""
        ...

    def prepared(self, kind: Function, *args: Any) -> Any:
        """The same parts, each as ``kind(part, *args)``, to be asked as these."""
        ...

    def with_columns(self, columns: np.ndarray, exponents: np.ndarray | None = None) -> Self:
        """The same rows with some of their columns, each times 2^exponent."""
        ...

    def here(self) -> Any:
        """All rows in this process, as `LocalRows`, or in one part where they are immovable."""
        ...


class Here:
    """All rows in this process: a place of one part, itself."""

    immovable = False
    eps = float_info.epsilon

    def prepared(self, kind: Function, *args: Any) -> Any:
        """Call the function."""
        return kind(self, *args)

    def map(self, function: Function, *args: Any) -> Any:
        """Call the function."""
        return function(self, *args)

    def total(self, each: Any, add: Add = add) -> Any:
        """The sum of one term."""
        return each

    def gather(self, each: Any) -> list[Any]:
        """The one result."""
        return [each]

    def sum(self, function: Function, *args: Any, add: Add = add) -> Any:
        """Call the function."""
        return function(self, *args)

    def close(self) -> None:
        """Nothing is held."""
