"""Rows in the partitions of Dask collections: matched, asked, added up."""

import operator

import numpy as np
import pandas as pd
import polars as pl
import pytest

dask = pytest.importorskip("dask")
import dask.array as da  # noqa: E402
import dask.bag as db  # noqa: E402
import dask.dataframe as dd  # noqa: E402

from skxent.inputs.dask_arguments import computed, match  # noqa: E402
from skxent.inputs.partitions import compute, is_dask, map_partitions, tree_reduce  # noqa: E402

N = 12
X = np.arange(2.0 * N).reshape(N, 2)
Y = np.array(list("abcabcaabbcc"))
FRAME = pd.DataFrame({"chunks": np.arange(N), "b": X[:, 1]}, index=np.arange(N)[::-1])


@pytest.fixture(autouse=True, params=["synchronous", "threads"])
def scheduler(request):
    with dask.config.set(scheduler=request.param):
        yield


def blocks(**collections):
    """The blocks of each argument, computed."""
    return [dask.compute(*each) for each in match(**collections)]


def unknown(array):
    """The same array, of blocks whose numbers of rows nobody knows."""
    return array[da.ones(array.shape[0], chunks=array.chunks[0], dtype=bool)]


def frame(parts=3):
    return dd.from_pandas(FRAME, npartitions=parts, sort=False)


# ------------------------------------------------------------------ matching


LEADERS = {
    "array": da.from_array(X, chunks=((5, 0, 4, 3), (1, 1))),
    "array, unknown": unknown(da.from_array(X, chunks=((5, 4, 3), 2))),
    "array of one dimension": da.from_array(X[:, 0], chunks=4),
    "frame": frame(),
    "frame of one partition": frame(1),
    "series": frame()["b"],
}
OTHERS = {
    "array": da.from_array(Y, chunks=((5, 0, 4, 3),)),
    "array, cut differently": da.from_array(Y, chunks=((1, 0, 9, 0, 2),)),
    "array, one block": da.from_array(Y, chunks=N),
    "array, unknown": unknown(da.from_array(Y, chunks=((1, 0, 9, 0, 2),))),
    "array, as many blocks": da.from_array(Y, chunks=((1, 1, 10),)),
    "series": dd.from_pandas(pd.Series(Y, index=np.arange(N) % 3), npartitions=2, sort=False),
    "memory": Y,
    "list": Y.tolist(),
    "series in memory": pd.Series(Y, index=np.arange(N) % 3),
    "polars in memory": pl.Series(Y),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=list(OTHERS))
@pytest.mark.parametrize("leader", LEADERS.values(), ids=list(LEADERS))
def test_blocks_match_row_for_row(leader, other):
    lead, follow = blocks(a=leader, b=other)
    assert [len(block) for block in lead] == [len(block) for block in follow]
    np.testing.assert_array_equal(np.concatenate(lead), np.asarray(computed(leader)[0]))
    np.testing.assert_array_equal(np.concatenate(follow), Y)


@pytest.mark.parametrize("other", OTHERS.values(), ids=list(OTHERS))
def test_the_first_collection_leads_wherever_it_is(other):
    for leader in LEADERS.values():
        first, second, third = blocks(memory=X, nothing=None, lazy=leader)
        assert second == (None,) * len(third)
        assert [len(block) for block in first] == [len(block) for block in third]
        np.testing.assert_array_equal(np.concatenate(first), X)


def test_what_fits_is_not_touched():
    x, y = da.from_array(X, chunks=(5, 2)), da.from_array(Y, chunks=5)
    for collection, matched in zip((x, y), match(x=x, y=y), strict=True):
        keys = [block.key for block in collection.to_delayed().ravel()]
        assert [block.key for block in matched] == keys


def test_unknown_numbers_of_rows_are_counted_only_where_they_must_be(monkeypatch):
    trips = []
    monkeypatch.setattr(
        "skxent.inputs.partitions.compute", lambda *args: trips.append(1) or compute(*args)
    )
    few = unknown(da.from_array(X, chunks=(4, 2)))
    match(a=few, b=unknown(da.from_array(Y, chunks=4)), c=few, d=None)
    match(a=da.from_array(X, chunks=4), b=Y, c=da.from_array(Y, chunks=5))
    assert not trips
    match(a=few, b=Y, c=da.from_array(Y, chunks=5))
    assert len(trips) == 1
    match(a=da.from_array(X, chunks=(4, 2)), b=unknown(da.from_array(Y, chunks=(3, 5, 4))))
    assert len(trips) == 2


@pytest.mark.parametrize("leader", LEADERS.values(), ids=list(LEADERS))
def test_columns_keep_their_names_and_types(leader):
    mixed = FRAME.assign(b=Y)
    for rows in (mixed, dd.from_pandas(mixed, npartitions=5, sort=False)):
        for block in blocks(a=leader, b=rows)[1]:
            assert list(block.columns) == ["chunks", "b"]
            assert block["chunks"].dtype == np.int64


def test_lengths_that_differ_are_refused():
    x = da.from_array(X, chunks=5)
    short, lazy = Y[1:], da.from_array(Y[1:], chunks=3)
    for weight in (short, short.tolist(), pd.Series(short), lazy, unknown(lazy)):
        with pytest.raises(ValueError, match="weight has 11 samples but x has 12: pass equal"):
            match(x=x, y=None, weight=weight)
    with pytest.raises(ValueError, match="memory has 12 samples but lazy has 11"):
        match(memory=Y, lazy=x[1:])


@pytest.mark.parametrize("values", [dask.delayed(X), dask.delayed(sum)([1, 2])])
def test_other_collections_are_refused(values):
    with pytest.raises(TypeError, match=r"y is a Delayed\w*: .* dask\.array\.from_delayed"):
        match(x=da.from_array(X), y=values)


def test_what_has_no_rows_is_refused():
    with pytest.raises(ValueError, match=r"y has shape \(\)"):
        match(x=da.from_array(X), y=da.ones(3).sum())


# ------------------------------------------------------------------ asking and adding


def position(index, part, factor, own, common):
    return index, part.sum() * factor + own, common


def test_a_question_reaches_every_partition_with_its_own_and_common_arguments():
    (parts,) = match(x=da.from_array(X[:, 0], chunks=5))
    own = map_partitions(parts, lambda index, part: index * 1000)
    answers = compute(
        parts, map_partitions(parts, position, 2, own, da.from_array(X, chunks=4).sum())
    )
    sums = [X[:5, 0].sum(), X[5:10, 0].sum(), X[10:, 0].sum()]
    assert answers == [(i, 2 * sums[i] + 1000 * i, X.sum()) for i in range(3)]


@pytest.mark.parametrize("n", [1, 2, 8, 9, 70])
def test_answers_are_added_in_the_order_of_partitions(n):
    (parts,) = match(x=da.from_array(np.arange(n), chunks=1))
    letters = map_partitions(parts, lambda index, part: [int(part[0])])
    assert compute(parts, tree_reduce(letters, operator.add)) == list(range(n))


def test_the_tree_is_the_same_at_every_call():
    values = np.random.default_rng(0).normal(size=(50, 3)) * 10.0 ** np.arange(50)[:, None]
    (parts,) = match(x=da.from_array(values, chunks=(1, 3)))
    sums = {
        float(
            compute(parts, tree_reduce(map_partitions(parts, lambda i, x: x.sum()), operator.add))
        )
    }
    for _ in range(5):
        sums.add(
            float(
                compute(
                    parts, tree_reduce(map_partitions(parts, lambda i, x: x.sum()), operator.add)
                )
            )
        )
    assert len(sums) == 1


@pytest.mark.parametrize("error", [ValueError, TypeError, KeyError])
def test_an_error_names_its_partition(error):
    def refuse(index, part):
        if 7 in part:
            raise error("seven is here")
        return part

    (parts,) = match(x=da.from_array(np.arange(N), chunks=5))
    with pytest.raises(error, match="seven is here") as caught:
        compute(parts, map_partitions(parts, refuse))
    told = str(caught.value) + "".join(getattr(caught.value, "__notes__", ()))
    assert told.count("in partition 1") == 1


def test_an_error_of_the_users_own_tasks_names_its_partition():
    def read(block):
        if 7 in block:
            raise OSError("the file is gone")
        return block

    x = da.from_array(np.arange(N), chunks=5).map_blocks(read, meta=np.empty(0))
    for graph in (x, dd.from_dask_array(x)):
        (parts,) = match(x=graph)
        with pytest.raises(OSError, match="the file is gone") as caught:
            compute(parts, map_partitions(parts, lambda index, part: part.sum()))
        assert caught.value.__notes__ == ["in partition 1"]


# ------------------------------------------------------------------ collections and what is none


def test_only_collections_are_dask():
    class MayHold:
        """What may hold a collection, as xarray's arrays do, has the method and says None."""

        def __dask_graph__(self):
            return None

    assert is_dask(None, da.ones(3)) and is_dask(frame()) and is_dask(frame()["b"])
    assert not is_dask(None, X, FRAME, [da], da.Array, MayHold())


def test_collections_come_here_together():
    reads = []
    x = da.from_delayed(dask.delayed(lambda: reads.append(1) or X)(), X.shape, dtype=float)
    nothing, memory, total, largest = computed(None, Y, x.sum(), x.max())
    assert nothing is None and memory is Y and (total, largest) == (X.sum(), X.max())
    assert len(reads) == 1


def test_every_collection_comes_here():
    lazy = frame(), frame()["b"], frame()["b"].sum(), dask.delayed(Y), db.from_sequence([1, 2])
    whole, series, total, labels, bag = computed(*lazy)
    pd.testing.assert_frame_equal(whole, FRAME)
    pd.testing.assert_series_equal(series, FRAME["b"])
    assert total == FRAME["b"].sum() and labels is Y and list(bag) == [1, 2]


@pytest.mark.parametrize("values", [X, X[:, 0], X[0, 0], np.ma.masked_greater(X, 0.5)], ids=str)
@pytest.mark.parametrize("rows", [1, 2, -1])
def test_arrays_come_here_as_they_are_computed(values, rows):
    lazy = da.from_array(values, chunks=(rows,) * values.ndim)
    (found,) = computed(lazy)
    expected = lazy.compute(scheduler="synchronous")
    assert type(found) is type(expected)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(np.ma.getmask(found), np.ma.getmask(expected))
    if values.ndim:
        first = lazy if values.ndim == 1 else lazy[:, 0]
        (few,) = computed(lazy[first > np.inf])
        assert len(few) == 0
