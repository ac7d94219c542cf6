"""Partitions of Dask collections: asked, and what they answer added up.

A question is a function and its parameters. It goes to all partitions at once, as one graph with
the parameters in it a single time, and one answer comes back: a round trip. The parameters are part
of the graph, not scattered beforehand, so that a worker that is lost takes nothing along that
could not be made again. Dask runs the graph with whatever scheduler or client is current.

Dask is imported where a collection has been passed, and nowhere else.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import reduce
from itertools import islice
from typing import Any

import numpy as np

Block = Any  # a Delayed
WIDTH = 8  # terms that one task adds


def is_dask(*values: object) -> bool:
    """Whether any of some arguments is a Dask collection."""
    if "dask" not in sys.modules:
        return False
    return any(hasattr(type(value), "__dask_graph__") and _is_lazy(value) for value in values)


def _is_lazy(value: object) -> bool:
    """Ask Dask itself, since what may hold a collection has the method and need not hold one."""
    from dask import is_dask_collection

    return bool(is_dask_collection(value))


class Each(list[Any]):
    """One thing for each partition, left where the partition is."""

    def take(self, which: Sequence[int]) -> Each:
        """Those of some partitions."""
        return Each(self[i] for i in which)


def map_partitions(parts: list[Any], function: Callable[..., Any], *args: object) -> Each:
    """``function(index, part, *args)`` of each partition, lazily.

    Of an argument that is an `Each` a partition gets its own; all get what is lazy otherwise, and
    what is not goes along once.
    """
    from dask import delayed

    lazy = {i: arg for i, arg in enumerate(args) if isinstance(arg, Each) or is_dask(arg)}
    plain = [None if i in lazy else arg for i, arg in enumerate(args)]
    # A task of its own, and no literal, of which every other task would get a copy on its way.
    common = delayed(_together, pure=False)(delayed((function, plain), traverse=False))
    call = delayed(_call, pure=False)
    return Each(
        call(
            i, part, common, list(lazy), [x[i] if isinstance(x, Each) else x for x in lazy.values()]
        )
        for i, part in enumerate(parts)
    )


def _together(values: object) -> Any:
    return values


def _call(index: int, part: Any, common: Any, places: list[int], values: list[Any]) -> Any:
    """Do on a worker what was asked of one partition."""
    function, args = common[0], list(common[1])
    for place, value in zip(places, values, strict=True):
        args[place] = value
    try:
        return function(index, part, *args)
    except Exception as error:
        raise _with_place(error, index) from None


def _with_place(error: Exception, index: int) -> Exception:
    """The error with its partition named."""
    where = f"in partition {index}"
    if type(error) in (ValueError, TypeError):
        error.args = (f"{where}: {error}",)
    else:
        error.add_note(where)
    return error


def tree_reduce(each: Each, add: Callable[[Any, Any], Any]) -> Any:
    """Add up, lazily, in a tree whose shape depends on the number of partitions alone."""
    from dask import delayed

    terms, together = list(each), delayed(reduce, pure=False)
    while len(terms) > 1:
        terms = [together(add, terms[i : i + WIDTH]) for i in range(0, len(terms), WIDTH)]
    return terms[0]


def compute(parts: Sequence[Any], lazy: object) -> Any:
    """Compute something made from partitions: one round trip."""
    import dask

    with _place_named(parts):
        return dask.compute(list(lazy) if isinstance(lazy, Each) else lazy)[0]


def persist(*several: Each) -> list[Each]:
    """Let partitions stay in the memory of their workers, or of this process."""
    import dask

    with _place_named(list(zip(*several, strict=True))):
        kept = iter(dask.persist(*(part for each in several for part in each)))
    return [Each(islice(kept, len(each))) for each in several]


@contextmanager
def _place_named(parts: Sequence[Any]) -> Iterator[None]:
    """Let an error name the partition, also one of a task that made the partition."""
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
    """Whether the partition itself cannot be had, for that kind of error."""
    import dask

    try:
        dask.compute(dask.delayed(_nothing)(part))
    except Exception as error:
        return type(error) is kind
    return False


def _nothing(part: object) -> None:
    """Come back with nothing once the partition is there."""


def memory() -> tuple[float, bool]:
    """Bytes that partitions can be kept in, and whether that is on the workers of a client."""
    try:
        from distributed import get_client
        from distributed.system import MEMORY_LIMIT
    except ImportError:  # nobody tells: nothing is kept
        return 0.0, False
    try:
        workers = get_client().scheduler_info(n_workers=-1)["workers"].values()
    except ValueError:  # no client
        return float(MEMORY_LIMIT), False
    return float(sum(worker["memory_limit"] or np.inf for worker in workers)), True
