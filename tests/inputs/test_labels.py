"""Labels of every type are the same classes."""

from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pytest
from four_samples import CODES, LOSSES, NAMES, P, losses

from skxent.inputs.labels import as_labels, locate
from skxent.metrics import binary_cross_entropy


@pytest.mark.parametrize(
    "names",
    [
        [0, 1, 2],
        [-1, 0, 1],
        [5, 70, 900],
        [-(2**62), 0, 2**62],
        [2**63, 2**63 + 1, 2**64 - 1],
        [0.0, 1.0, 2.0],
        [-1e15, 0.5e15, 1e15],
        ["ant", "bee", "cow"],
        ["a", "ab", "b"],
        ["", "x", "ü"],
        ["日", "日本", "語"],
        [b"a", b"b", b"c"],
        [10**30, 10**30 + 1, 10**40],
        [Fraction(1, 3), Fraction(1, 2), Fraction(1)],
        ["2020-01-01", "2020-01-02", "2021-01-01"],
    ],
    ids=ascii,
)
@pytest.mark.parametrize("as_object", [False, True])
def test_labels_of_every_type(names, as_object):
    names = np.asarray(names, dtype=object if as_object else None)
    y = names[CODES]
    np.testing.assert_allclose(losses(y), LOSSES)
    np.testing.assert_allclose(losses(y.tolist()), LOSSES)
    np.testing.assert_allclose(losses(y[:2], P[:2], labels=names), LOSSES[:2])
    order = [2, 0, 1]
    np.testing.assert_allclose(losses(y, P[:, order], labels=names[order]), LOSSES)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint64", "float16", "float32", ">i4"])
def test_labels_of_every_number_type(dtype):
    np.testing.assert_allclose(losses(CODES.astype(dtype)), LOSSES)


def test_boolean_labels():
    y, p = np.array([False, True, True]), [0.25, 0.5, 0.75]
    expected = -np.log([0.75, 0.5, 0.75])
    for labels in (y, y.tolist(), y.astype(object), pd.Series(y, dtype="boolean"), pl.Series(y)):
        np.testing.assert_allclose(losses(labels, p), expected)
        np.testing.assert_allclose(binary_cross_entropy(labels, p, reduction="none"), expected)
    np.testing.assert_allclose(losses(y[1:], p[1:], labels=[False, True]), expected[1:])
    np.testing.assert_allclose(losses(y[1:], p[1:], labels=[0, 1]), expected[1:])


@pytest.mark.parametrize(
    "wrap",
    [
        list,
        tuple,
        lambda y: y.astype(np.dtypes.StringDType()),
        lambda y: y.astype(">U3"),
        lambda y: y[:, None],
        lambda y: pd.Series(y, index=[7, 7, 1, 3]),
        lambda y: pd.Series(y, dtype="string"),
        lambda y: pd.Series(y, dtype="category"),
        lambda y: pd.Series(pd.Categorical(y, categories=["cow", "bee", "ant", "dog"])),
        lambda y: pd.Categorical(y),
        lambda y: pd.Index(y),
        lambda y: pd.DataFrame({"y": y}),
        lambda y: pl.Series(y),
        lambda y: pl.Series(y, dtype=pl.Categorical),
        lambda y: pl.Series(y, dtype=pl.Enum(["cow", "bee", "ant"])),
        np.ma.masked_array,
    ],
)
def test_containers_of_string_labels(wrap):
    np.testing.assert_allclose(losses(wrap(NAMES[CODES])), LOSSES)


@pytest.mark.parametrize("dtype", ["Int64", "UInt8", "Float64", "category", "int64", "object"])
def test_pandas_number_labels(dtype):
    np.testing.assert_allclose(losses(pd.Series(CODES, index=list("dcba"), dtype=dtype)), LOSSES)


def test_numpy_scalars_in_lists_are_labels():
    np.testing.assert_allclose(losses([np.int64(0), 1, np.float64(2), True]), LOSSES)
    np.testing.assert_allclose(losses([np.str_("a"), "b", np.str_("c"), "b"]), LOSSES)


@pytest.mark.parametrize("n", [5, 300_000])
def test_codes_of_scattered_numbers(n):
    """Whole numbers over a range too wide for a table, beside those in one."""
    rng = np.random.default_rng(n)
    for high in (50, 10**6, 2**60):
        y = rng.integers(-high, high, size=n)
        labels = as_labels(y, "y_true")
        np.testing.assert_array_equal(labels.distinct, np.unique(y))
        np.testing.assert_array_equal(labels.distinct[labels.codes], y)
        np.testing.assert_array_equal(
            locate(labels, as_labels([int(y[0])], "labels")) == 0, y == y[0]
        )


def test_codes_of_text_come_out_sorted():
    rng = np.random.default_rng(0)
    y = np.array(
        ["".join(map(chr, rng.integers(32, 50000, size=k))) for k in rng.integers(0, 9, 999)]
    )
    labels = as_labels(y, "y_true")
    np.testing.assert_array_equal(labels.distinct, np.unique(y))
    np.testing.assert_array_equal(labels.distinct[labels.codes], y)
    strided = as_labels(y[::-3], "y_true")
    np.testing.assert_array_equal(strided.distinct[strided.codes], y[::-3])
