"""Dask collections as arguments: cut into matching blocks of rows, or computed in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import numpy as np

from skxent.inputs import partitions
from skxent.inputs.namespaces import AnyArray, Label, namespace_of, to_numpy
from skxent.inputs.partitions import Block, Each, is_dask, map_partitions


def computed(*values: object) -> tuple[AnyArray, ...]:
    """Return the arguments, with all Dask collections computed in one round trip.

    All collections become `Delayed` objects first, because Dask warns of frames that are computed
    together with arrays. Each result comes with its position: `dask.compute` returns arrays and
    delayed objects in another order than they were passed in (seen in 2025.7 to 2026.8).
    """
    if not is_dask(*values):
        return values
    import dask

    tagged = dask.delayed(_tagged, pure=False)
    lazy = [tagged(i, *_pieces(value)) for i, value in enumerate(values) if is_dask(value)]
    found = dict(dask.compute(*lazy, traverse=False))
    return tuple(found.get(i, value) for i, value in enumerate(values))


def _pieces(value: AnyArray) -> tuple[object, ...]:
    """Return the arguments from which `_tagged` puts a collection together.

    For a Dask array, the arguments are its delayed blocks, the function that joins the blocks, and
    the options of this function. Any other collection is the only argument. The graphs of arrays
    are not optimised yet, because arrays that are optimised one by one no longer share tasks.
    """
    if not _is_array(value):
        return (value,)
    blocks = value.to_delayed(optimize_graph=False)
    return blocks.tolist() if value.ndim else [blocks.item()], *value.__dask_postcompute__()


def _tagged(
    position: int,
    found: object,
    join: Callable[..., object] | None = None,
    options: Iterable[object] = (),
) -> tuple[int, object]:
    return position, found if join is None else join(found, *options)


def match(**collections: AnyArray) -> list[Each]:
    """Return the blocks of rows of some arguments, all cut at the same rows.

    The first Dask collection among the arguments is the leader. An argument that is in memory, or
    has blocks of other lengths, is cut into blocks of the lengths of the leader's. An argument that
    is None has None for every block.

    If two collections differ and the rows of a block are not known, a round trip counts them.
    Collections with equal numbers of blocks, all of unknown length, are not counted, because they
    mostly are columns of one frame. The functions that read the blocks check the lengths.
    """
    blocks = {
        name: _blocks(name, values) for name, values in collections.items() if is_dask(values)
    }
    rows = {name: row_counts(collections[name]) for name in blocks}
    leader = next(iter(blocks))
    n_blocks = len(blocks[leader])
    given = [name for name, values in collections.items() if values is not None]
    amiss = [
        name
        for name in given
        if len(blocks.get(name, ())) != n_blocks or rows[name] != rows[leader]
    ]
    for name in [leader, *amiss] if amiss else []:
        if name in blocks and rows[name] is None:
            rows[name] = partitions.compute(blocks[name], map_partitions(blocks[name], _count))
    for name in amiss:
        blocks[name] = _cut(name, collections[name], blocks, rows, leader)
    return [blocks.get(name, Each([None] * n_blocks)) for name in collections]


def row_counts(values: AnyArray) -> list[int] | None:
    """Return the number of rows of each block of a collection, or None if they are not known."""
    if not _is_array(values) or np.isnan(values.chunks[0]).any():
        return None
    return [int(n) for n in values.chunks[0]]


def _is_array(values: object) -> bool:
    return hasattr(type(values), "chunks")  # not the object: a frame may have a column "chunks"


def _count(index: int, block: AnyArray) -> int:
    return int(block.shape[0])


def check_collection(name: str, values: AnyArray) -> None:
    """Require a Dask collection with rows."""
    if not hasattr(values, "_meta"):
        raise TypeError(
            f"{name} is a {type(values).__name__}: pass a Dask array or data frame, as "
            "dask.array.from_delayed or to_dataframe() makes them."
        )
    if not values.ndim:
        raise ValueError(f"{name} has shape (): pass one entry for each sample.")


def _blocks(name: str, values: AnyArray) -> Each:
    """Return the blocks of rows of an array, or the partitions of a frame."""
    from dask import delayed

    check_collection(name, values)
    frame = not _is_array(values)
    if values.ndim > 1 and not frame:
        values = values.rechunk(dict.fromkeys(range(1, values.ndim), -1))
    # The graph is not optimised, so that a task that two arguments share runs once.
    blocks = values.to_delayed(optimize_graph=False)
    if frame and values.ndim == 2:
        check, columns = delayed(_in_order, pure=False), list(values.columns)
        return Each(check(block, name, columns) for block in blocks)
    return Each(blocks if frame else blocks.ravel().tolist())


def _in_order(block: AnyArray, name: str, columns: list[Label]) -> AnyArray:
    """Return a partition; raise if its columns differ from the frame's, which Dask would accept."""
    if list(block.columns) != columns:
        raise ValueError(
            f"the columns of {name} are {list(block.columns)}, and {columns} in the whole frame: "
            "bring all partitions to one order."
        )
    return block


def _cut(
    name: str, values: AnyArray, blocks: dict[str, Each], rows: dict[str, Any], leader: str
) -> Each:
    """Divide the rows of an argument into blocks of the same lengths as those of `leader`."""
    from dask import delayed

    if namespace_of(values) is not None:  # `array_api_dispatch` is off in tasks
        values = to_numpy(values)
    if name not in blocks and not hasattr(values, "shape"):
        values = np.asarray(values)
    n, expected = sum(rows.get(name) or values.shape[:1]), sum(rows[leader])
    if n != expected:
        raise ValueError(f"{name} has {n} samples but {leader} has {expected}: pass equal lengths.")
    edges = pairwise(np.cumsum([0, *rows[leader]]).tolist())
    if name in blocks:
        starts = np.cumsum([0, *rows[name]])
        return Each(_between(blocks[name], starts, a, b) for a, b in edges)
    return Each(delayed(_take(values, a, b), traverse=False, pure=False) for a, b in edges)


def _between(blocks: Each, starts: np.ndarray, a: int, b: int) -> Block:
    """Return rows a to b, joined from the blocks that hold them."""
    from dask import delayed

    first = min(int(np.searchsorted(starts, a, "right")), len(blocks)) - 1
    end = max(int(np.searchsorted(starts, b)), first + 1)
    take, joined = delayed(_take, pure=False), delayed(_joined, pure=False)
    pieces = [
        take(blocks[i], max(a - int(starts[i]), 0), b - int(starts[i])) for i in range(first, end)
    ]
    return pieces[0] if len(pieces) == 1 else joined(pieces)


def _take(block: AnyArray, a: int, b: int) -> AnyArray:
    return block.iloc[a:b] if hasattr(block, "iloc") else block[a:b]


def _joined(pieces: list[AnyArray]) -> AnyArray:
    """Join the pieces of one block; pieces of a data frame become a data frame."""
    if not hasattr(pieces[0], "iloc"):
        masked = any(map(np.ma.isMaskedArray, pieces))
        return (np.ma if masked else np).concatenate(pieces)
    import pandas

    return pandas.concat(pieces)
