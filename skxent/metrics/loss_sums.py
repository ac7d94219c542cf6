"""Sums of losses that others have computed, block by block, wherever the losses are."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from skxent.inputs.dask_arguments import match
from skxent.inputs.given_losses import (
    arrays_of,
    blocks_of,
    check_parts,
    check_weights,
    counted_losses,
    is_list_of_arrays,
    place_in,
    rounding_of,
)
from skxent.inputs.namespaces import AnyArray, largest
from skxent.inputs.partitions import compute, is_dask, map_partitions, tree_reduce
from skxent.metrics.compensated_sums import CompensatedSum

NAMES = ("losses", "weight")


class LossSums(NamedTuple):
    """The sum of weighted losses, the sum of weights, and the largest loss that has weight."""

    total: float = 0.0
    weight: float = 0.0
    largest: float = 0.0

    def plus(self, other: LossSums) -> LossSums:
        """Add the sums of other losses."""
        return LossSums(
            self.total + other.total,
            self.weight + other.weight,
            max(self.largest, other.largest),
        )


def loss_sums(losses: object, weight: object, names: tuple[str, str] = NAMES) -> LossSums:
    """Return the sums of losses of any form that `CrossEntropySum.of_losses` takes."""
    if is_dask(losses, weight):
        return _of_partitions(losses, weight)
    if not is_list_of_arrays(losses):
        return _of_array(losses, weight, names)
    assert isinstance(losses, list | tuple)
    total, weights, top = CompensatedSum(), CompensatedSum(), 0.0
    for i, (part, own) in enumerate(
        zip(losses, check_parts(weight, len(losses), names[1], names[0]), strict=True)
    ):
        found = loss_sums(part, own, (f"{names[0]}[{i}]", f"{names[1]}[{i}]"))
        total.add(found.total)
        weights.add(found.weight)
        top = max(top, found.largest)
    return LossSums(total.value, weights.value, top)


def _of_array(losses: object, weight: object, names: tuple[str, str]) -> LossSums:
    values, weights = arrays_of(losses, weight, names)
    shape, rounding = tuple(values.shape), rounding_of(values)
    total, total_weight, top = CompensatedSum(), CompensatedSum(), 0.0
    for start, block, own in blocks_of(values, weights):
        if own is not None:
            check_weights(own, place_in(names[1], shape, start))
            total_weight.add_all(own)
        block = counted_losses(block, own, rounding, place_in(names[0], shape, start))
        top = max(top, largest(block))
        with np.errstate(over="ignore", invalid="ignore"):
            terms = block if own is None else counted_losses(block * own, own, 0.0, str)
        total.add_all(terms)
    if weights is None:
        total_weight.add(float(np.prod(shape)))
    return LossSums(total.value, total_weight.value, top)


def _of_partitions(losses: AnyArray, weight: AnyArray) -> LossSums:
    """Return the sums over all partitions, in one round trip."""
    parts = list(zip(*match(losses=losses, weight=weight), strict=True))
    found: LossSums = compute(parts, tree_reduce(map_partitions(parts, _of_part), LossSums.plus))
    return found


def _of_part(index: int, part: tuple[AnyArray, AnyArray]) -> LossSums:
    return _of_array(*part, NAMES)
