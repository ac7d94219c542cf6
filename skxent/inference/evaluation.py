"""Arguments of effects: at which values of the features, and which of these are discrete."""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from skxent.inference.contrasts import Contrast, two_valued
from skxent.inference.likelihood_estimate import LikelihoodEstimate
from skxent.inference.population import Population

SHOWN = 5  # largest number of names in a message


def populations_at(
    at: object, names: Sequence[str], population: Population, estimate: LikelihoodEstimate
) -> dict[str, Population]:
    """Return the populations that `at` describes, by labels: one for each combination of values."""
    if isinstance(at, str) and at in ("overall", "mean"):
        return {at: population if at == "overall" else population.at_mean(estimate)}
    if not isinstance(at, Mapping):
        raise ValueError(
            f"at is {at!r}: pass 'overall', 'mean', or a dict with the values of some features."
        )
    columns = [_column(key, names, "at") for key in at]
    if len(set(columns)) < len(columns):
        raise ValueError(f"at has two values for one feature: pass each of {list(at)} once.")
    grid = product(*(_numbers(value, key) for key, value in at.items()))
    found = {}
    for values in grid:
        label = ", ".join(f"{names[j]}={value}" for j, value in zip(columns, values, strict=True))
        fixed = {j: float(value) for j, value in zip(columns, values, strict=True)}
        found[label or "overall"] = replace(population, fixed=fixed)
    return found


def one_population(
    at: object, names: Sequence[str], population: Population, estimate: LikelihoodEstimate
) -> Population:
    """Return the population that `at` describes, if it has one value for each feature."""
    found = populations_at(at, names, population, estimate)
    if len(found) > 1:
        raise ValueError(
            f"at has {len(found)} combinations of values: pass one number for each feature."
        )
    return next(iter(found.values()))


def contrasts_of(
    discrete: object, names: Sequence[str], population: Population
) -> dict[int, Contrast]:
    """Return the columns whose effect is a difference, with the values that are compared."""
    counted = population.weight > 0
    if discrete is None:
        return {}
    if isinstance(discrete, str) and discrete == "auto":
        found = two_valued(population.X, counted, range(len(names)))
        found = {j: ends for j, ends in found.items() if ends == (0.0, 1.0)}
        return {j: Contrast.of_column(j, ends) for j, ends in found.items()}
    if isinstance(discrete, str | Mapping) or not isinstance(discrete, Iterable):
        raise ValueError(f"discrete is {discrete!r}: pass 'auto', None, or a list of features.")
    columns = sorted({_column(key, names, "discrete") for key in discrete})
    found = two_valued(population.X, counted, columns)
    for j in columns:
        if j not in found:
            raise ValueError(
                f"discrete has {names[j]!r}, which does not have exactly two values in the "
                "training samples: leave it out, or compare two values with adjusted_predictions."
            )
    return {j: Contrast.of_column(j, ends) for j, ends in found.items()}


def _column(key: object, names: Sequence[str], argument: str) -> int:
    """Return the index of a feature from its name or index."""
    if isinstance(key, str) and key in names:
        return names.index(key)
    is_index = isinstance(key, numbers.Integral) and not isinstance(key, bool)
    if is_index and 0 <= int(key) < len(names):  # type: ignore[call-overload]
        return int(key)  # type: ignore[call-overload]
    some = ", ".join(map(repr, names[:SHOWN])) + ", …" * (len(names) > SHOWN)
    raise ValueError(f"{argument} has {key!r}, which is no feature: pass some of {some}.")


def _numbers(values: Any, key: object) -> list[Any]:
    """Return the numbers given for a feature, one or several."""
    array = np.asarray(values)
    if array.ndim > 1 or not array.size or array.dtype.kind not in "biuf":
        raise ValueError(f"at[{key!r}] is {values!r}: pass a number, or a list of numbers.")
    if not np.isfinite(array).all():
        raise ValueError(f"at[{key!r}] is {values!r}: pass finite numbers.")
    return np.atleast_1d(array).tolist()
