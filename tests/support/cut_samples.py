"""Sixty samples of three classes, and the ways in which tests cut them into partitions of Dask."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

dask = pytest.importorskip("dask")
import dask.array as da  # noqa: E402
import dask.dataframe as dd  # noqa: E402

N, K = 60, 3
rng = np.random.default_rng(0)
Z = rng.normal(scale=2, size=(N, K))
P = softmax(Z, axis=1)
NAMES = np.array(["ant", "bee", "cow"])
# Sorted, so that partitions lack classes.
CODES = np.sort(rng.integers(K, size=N))
SOFT = rng.dirichlet(np.ones(K), size=N)
W = rng.uniform(0.1, 3, size=N)
W[:20] = 0.0  # all of the first partition
YES = (CODES == 1).astype(int)
EVENTS = rng.integers(2, size=(N, K))
CHUNKS = (20, 0, 7, 1, 32)


def array(values, rows=CHUNKS):
    """The rows in partitions, and the columns in chunks of one."""
    return da.from_array(values, chunks=(rows, *[1] * (values.ndim - 1)))


def uncut(values):
    return da.from_array(values, chunks=values.shape)


def other(values):
    return array(values, (3, 50, 7))


def unknown(values):
    """The rows in partitions whose numbers of rows nobody knows."""
    lazy = array(values)
    return lazy[da.ones(N, chunks=(CHUNKS,), dtype=bool)]


def frame(values, parts=4):
    shape = {1: pd.Series, 2: pd.DataFrame}[values.ndim]
    return dd.from_pandas(shape(values, index=np.arange(N) % 7), npartitions=parts, sort=False)


def with_row(row, values, value):
    """The same values but in one row."""
    values = np.array(values, dtype=float)
    values[row] = value
    return values


def memory(values):
    return values


CUTS = [
    (array, array, array),
    (array, other, uncut),
    (uncut, array, memory),
    (array, memory, frame),
    (memory, array, other),
    (memory, memory, array),
    (unknown, unknown, unknown),
    (unknown, array, memory),
    (other, unknown, array),
    (frame, frame, frame),
    (frame, array, unknown),
    (array, frame, memory),
    (frame, memory, frame),
]
# For the rarer forms of arguments; the common forms are tested with all of `CUTS`.
FEW_CUTS = [(array, frame, memory), (frame, array, unknown), (other, unknown, array)]


def named_cut(cut):
    return " ".join(f.__name__ for f in cut)


cuts = pytest.mark.parametrize("cut", CUTS, ids=named_cut)
few_cuts = pytest.mark.parametrize(
    "cut",
    FEW_CUTS + [pytest.param(cut, marks=pytest.mark.slow) for cut in CUTS if cut not in FEW_CUTS],
    ids=named_cut,
)
X = Z @ rng.normal(size=(K, 4))
