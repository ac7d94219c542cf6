"""Partitions of Dask collections: a function is called on each, and the results are added.

One graph carries the function and its parameters to all partitions, and one result comes back: a
round trip. The graph contains the parameters once. They are not scattered beforehand, so Dask can
compute everything again after it has lost a worker. Dask runs the graph with the current scheduler
or client.

Dask is imported only if a collection has been passed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import reduce
from itertools import islice
from typing import Any, TypeAlias, TypeVar

import numpy as np

Block: TypeAlias = Any  # a Delayed
T = TypeVar("T")
WIDTH = 8  # terms that one task adds


def is_dask(*values: object) -> bool:
    """Tell whether any of the values is a Dask collection."""
    if "dask" not in sys.modules:
        return False
    return any(hasattr(type(value), "__dask_graph__") and _is_lazy(value) for value in values)


def _is_lazy(value: object) -> bool:
    """Ask Dask, because some types have the method also when they hold no collection."""
    from dask import is_dask_collection

    return bool(is_dask_collection(value))


class Each(list[Block]):
    """One lazy object for each partition; its value stays where the partition is."""

    def take(self, which: Sequence[int]) -> Each:
        """Return the objects of some partitions."""
        return Each(self[i] for i in which)


def map_partitions(parts: Sequence[object], function: Callable[..., object], *args: object) -> Each:
    """Return ``function(index, part, *args)`` of each partition, lazily.

    An argument of type `Each` passes its own entry to each partition. Any other lazy argument is
    passed to every partition. Arguments that are not lazy are in the graph once.
    """
    from dask import delayed

    lazy = {i: arg for i, arg in enumerate(args) if isinstance(arg, Each) or is_dask(arg)}
    plain = [None if i in lazy else arg for i, arg in enumerate(args)]
    # One task holds these arguments. As literals they would be copied into every other task.
    common = delayed(_together, pure=False)(delayed((function, plain), traverse=False))
    call = delayed(_call, pure=False)
    return Each(
        call(
            i, part, common, list(lazy), [x[i] if isinstance(x, Each) else x for x in lazy.values()]
        )
        for i, part in enumerate(parts)
    )


def _together(values: T) -> T:
    return values


def _call(
    index: int,
    part: object,
    common: tuple[Callable[..., T], Sequence[object]],
    places: list[int],
    values: list[object],
) -> T:
    """Call the function on one partition, in a task."""
    function, args = common[0], list(common[1])
    for place, value in zip(places, values, strict=True):
        args[place] = value
    try:
        return function(index, part, *args)
    except Exception as error:
        raise _with_place(error, index) from None


def _with_place(error: Exception, index: int) -> Exception:
    """Return the error with its partition named."""
    where = f"in partition {index}"
    if type(error) in (ValueError, TypeError):
        error.args = (f"{where}: {error}",)
    else:
        error.add_note(where)
    return error


def tree_reduce(each: Each, add: Callable[[T, T], T]) -> Block:
    """Add up lazily, in a tree whose shape depends only on the number of partitions."""
    from dask import delayed

    terms, together = list(each), delayed(reduce, pure=False)
    while len(terms) > 1:
        terms = [together(add, terms[i : i + WIDTH]) for i in range(0, len(terms), WIDTH)]
    return terms[0]


def compute(parts: Sequence[object], lazy: object) -> Any:
    """Compute lazy objects that were made from partitions, in one round trip."""
    import dask

    with _place_named(parts):
        return dask.compute(list(lazy) if isinstance(lazy, Each) else lazy)[0]


def persist(*several: Each) -> list[Each]:
    """Keep partitions in memory: on their workers, or in this process without a client."""
    import dask

    with _place_named(list(zip(*several, strict=True))):
        kept = iter(dask.persist(*(part for each in several for part in each)))
    return [Each(islice(kept, len(each))) for each in several]


@contextmanager
def _place_named(parts: Sequence[object]) -> Iterator[None]:
    """Name the partition in an error, also if a task that made the partition raised it."""
    try:
        yield
    except Exception as error:
        if "in partition" not in "".join([str(error), *getattr(error, "__notes__", ())]):
            fails = (i for i, part in enumerate(parts) if _fails(part, type(error)))
            first = next(fails, None)
            if first is not None:
                raise _with_place(error, first) from None
        raise


def _fails(part: object, kind: type[Exception]) -> bool:
    """Tell whether computing the partition itself raises an error of that type."""
    import dask

    try:
        dask.compute(dask.delayed(_nothing)(part))
    except Exception as error:
        return type(error) is kind
    return False


def _nothing(part: object) -> None:
    """Return nothing: a task of this function computes the partition and sends no data back."""


def memory() -> tuple[float, bool]:
    """Return the bytes of memory for partitions, and whether these are on workers of a client."""
    try:
        from distributed import get_client
        from distributed.system import MEMORY_LIMIT
    except ImportError:  # the size of the memory is unknown, so nothing is kept
        return 0.0, False
    try:
        workers = get_client().scheduler_info(n_workers=-1)["workers"].values()
    except ValueError:  # no client
        return float(MEMORY_LIMIT), False
    return float(sum(worker["memory_limit"] or np.inf for worker in workers)), True
