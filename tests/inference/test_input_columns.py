"""Columns of frames and arrays, and frames and arrays with other values."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from skxent.inference.input_columns import entries, with_values

NAMES = ["age", "colour"]
DATA = {"age": [1.0, 2.0, 3.0], "colour": ["red", "blue", "red"]}


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_frames(frame):
    X = frame(DATA)
    changed = with_values(X, NAMES, {1: "blue", 0: 7.5})
    assert entries(changed, "age", 0).tolist() == [7.5, 7.5, 7.5]
    assert entries(changed, "colour", 1).tolist() == ["blue", "blue", "blue"]
    assert list(changed.columns) == NAMES
    assert entries(X, "colour", 1).tolist() == DATA["colour"]
    assert entries(with_values(X, NAMES, {}), "age", 0).tolist() == DATA["age"]


def test_arrays():
    X = np.array(list(zip(*DATA.values(), strict=True)), dtype=object)
    changed = with_values(X, NAMES, {1: "green"})
    assert entries(changed, "colour", 1).tolist() == ["green", "green", "green"]
    assert entries(changed, "age", 0).tolist() == DATA["age"]
    assert entries(X, "colour", 1).tolist() == DATA["colour"]


def test_other_kinds():
    X = [[1.0, "red"]]
    assert entries(X, "age", 0) is None
    with pytest.raises(TypeError, match="X is a list, in which at cannot set columns: pass a data"):
        with_values(X, NAMES, {0: 1.0})
