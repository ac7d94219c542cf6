"""Every form of input that is taken, and a clear message for every one that is not."""

import re
from enum import Enum
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse

from skxent.inputs.labels import as_labels, locate
from skxent.metrics import binary_cross_entropy, categorical_cross_entropy

P = np.array([[0.5, 0.25, 0.25], [0.125, 0.75, 0.125], [0.1, 0.1, 0.8], [0.25, 0.5, 0.25]])
CODES = np.array([0, 1, 2, 1])
LOSSES = -np.log([0.5, 0.75, 0.8, 0.5])
NAMES = np.array(["ant", "bee", "cow"])


def losses(y, p=P, **options):
    return categorical_cross_entropy(y, p, reduction="none", **options)


# ------------------------------------------------------------------ labels


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


# ------------------------------------------------------------------ predictions


@pytest.mark.parametrize(
    "wrap",
    [
        lambda p: p.tolist(),
        np.asfortranarray,
        lambda p: np.repeat(np.repeat(p, 2, axis=0), 2, axis=1)[::2, ::2],
        lambda p: p.astype(object),
        lambda p: p.astype(np.longdouble),
        lambda p: p.astype(">f8"),
        lambda p: pd.DataFrame(p, index=[3, 3, 0, -1]),
        lambda p: pd.DataFrame(p, columns=["u", "v", "w"]),
        lambda p: pd.DataFrame(p).astype("Float64"),
        lambda p: pl.DataFrame(p),
        np.ma.masked_array,
    ],
)
@pytest.mark.parametrize("y", [CODES, np.eye(3)[CODES]], ids=["labels", "one-hot"])
def test_containers_of_probabilities(wrap, y):
    np.testing.assert_allclose(losses(y, wrap(P)), LOSSES)
    logits = wrap(np.log(P) + 3)
    np.testing.assert_allclose(losses(y, logits, from_logits=True), LOSSES)


@pytest.mark.parametrize("wrap", [pd.DataFrame, pl.DataFrame, np.asfortranarray, list])
def test_containers_of_rows_of_targets(wrap):
    np.testing.assert_allclose(losses(wrap(np.eye(3)[CODES])), LOSSES)


@pytest.mark.parametrize(("dtype", "rtol"), [(np.float32, 1e-6), (np.float16, 2e-3)])
def test_short_floats(dtype, rtol):
    np.testing.assert_allclose(losses(CODES, P.astype(dtype)), LOSSES, rtol=rtol)
    np.testing.assert_allclose(losses(P.astype(dtype), P), losses(P), rtol=rtol)


def test_integers_and_booleans_are_numbers():
    eye = np.eye(3, dtype=int)
    assert categorical_cross_entropy([0, 1, 2], eye) == 0
    assert categorical_cross_entropy([0, 1, 2], eye.astype(bool)) == 0
    np.testing.assert_allclose(
        categorical_cross_entropy([0, 1, 2], 5 * eye, from_logits=True), np.log1p(2 * np.exp(-5))
    )


def test_one_column_is_one_dimension():
    y, p = np.array([0, 1, 1]), np.array([0.25, 0.5, 0.75])
    for loss in (categorical_cross_entropy, binary_cross_entropy):
        expected = loss(y, p)
        for form in (p[:, None], pd.DataFrame(p), pd.Series(p, index=[2, 2, 2]), pl.Series(p)):
            assert loss(y, form) == expected
            assert loss(y[:, None], form) == expected


def test_one_sample():
    assert losses(["bee"], P[:1], labels=NAMES) == [np.log(4)]
    assert isinstance(categorical_cross_entropy(["bee"], P[:1], labels=NAMES), float)


def test_inputs_are_not_changed():
    y, p, w, Y = CODES.copy(), P.copy(), np.arange(4.0), np.eye(3)[CODES]
    for array in (y, p, w, Y):
        array.flags.writeable = False
    for target in (y, Y):
        categorical_cross_entropy(target, p, sample_weight=w)
        categorical_cross_entropy(target, p, from_logits=True, sample_weight=w)
    binary_cross_entropy(Y, p, sample_weight=w)
    binary_cross_entropy(Y, p, from_logits=True, sample_weight=w)
    np.testing.assert_array_equal(p, P)


# ------------------------------------------------------------------ which column is which class


def test_labels_name_the_columns_in_any_order():
    np.testing.assert_allclose(
        losses(NAMES[CODES], P[:, ::-1], labels=["cow", "bee", "ant"]), LOSSES
    )


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_column_names_that_are_labels_name_the_columns(frame):
    P_named = frame(dict(zip(["cow", "ant", "bee"], P[:, [2, 0, 1]].T, strict=True)))
    np.testing.assert_allclose(losses(NAMES[CODES], P_named), LOSSES)
    np.testing.assert_allclose(losses(NAMES[CODES][:2], P_named[:2]), LOSSES[:2])
    np.testing.assert_allclose(losses(NAMES[CODES], P_named, labels=["cow", "ant", "bee"]), LOSSES)
    with pytest.raises(ValueError, match=r"columns of y_pred.* not in the order of labels"):
        losses(NAMES[CODES], P_named, labels=NAMES)
    rows = frame(dict(zip(NAMES, np.eye(3)[CODES].T, strict=True)))
    with pytest.raises(ValueError, match=r"columns of y_true.* not in the order of y_pred"):
        losses(rows, P_named)
    with pytest.raises(ValueError, match=r"columns of y_true.* not in the order of labels"):
        losses(rows, P, labels=["bee", "ant", "cow"])
    with pytest.raises(ValueError, match=r"y_true\[0\] is .*dog.* not in the columns of y_pred"):
        losses(["dog", "ant", "bee", "cow"], P_named)


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_column_names_of_binary_predictions(frame):
    p = np.array([0.25, 0.5])
    right, wrong = frame({"no": 1 - p, "yes": p}), frame({"yes": p, "no": 1 - p})
    y = np.array(["no", "yes"])
    assert binary_cross_entropy(y, right) == categorical_cross_entropy(y, wrong)
    assert binary_cross_entropy(y, wrong, pos_label="no") == binary_cross_entropy(y, right)
    with pytest.raises(ValueError, match=r"columns of y_pred.* not in the order no, yes"):
        binary_cross_entropy(y, wrong)
    Y = frame({"a": [1, 0], "b": [0, 1]})
    P_named = frame({"a": [0.5, 0.5], "b": [0.5, 0.25]})
    assert binary_cross_entropy(Y, P_named, base=2, reduction="sum") == pytest.approx(5, rel=1e-15)
    with pytest.raises(ValueError, match=r"columns of y_true.* not in the order of y_pred"):
        binary_cross_entropy(Y[["b", "a"]], P_named)


def test_repeated_column_names_are_refused():
    frame = pd.DataFrame(P, columns=["ant", "bee", "bee"])
    with pytest.raises(ValueError, match="'bee' is twice in the columns of y_pred"):
        losses(NAMES[[0, 1, 1, 1]], frame)


def test_default_column_numbers_are_not_names():
    frame = pd.DataFrame(P)  # columns 0, 1, 2, as predict_proba comes wrapped
    np.testing.assert_allclose(losses(CODES + 1, frame), LOSSES)
    with pytest.raises(ValueError, match="pass labels="):
        losses([1, 2, 1, 2], frame)


# ------------------------------------------------------------------ binary labels


@pytest.mark.parametrize(
    ("labels", "pos_label"),
    [
        ([0, 1], None),
        ([-1, 1], None),
        ([3, 8], None),
        (["no", "yes"], None),
        (["yes", "zzz"], "zzz"),
        ([1, 0], 0),
        (["b", "a"], "a"),
        ([2.0, 1.0], 1),
        ([True, False], False),
    ],
)
def test_positive_label(labels, pos_label):
    p, y = np.array([0.25, 0.5, 0.75]), np.asarray(labels)[[0, 1, 1]]
    expected = -np.log([0.75, 0.5, 0.75])
    options = {"pos_label": pos_label, "reduction": "none"}
    np.testing.assert_allclose(binary_cross_entropy(y, p, **options), expected)
    np.testing.assert_allclose(
        binary_cross_entropy(y, np.column_stack([1 - p, p]), **options), expected
    )
    logits = np.log(p / (1 - p))
    np.testing.assert_allclose(
        binary_cross_entropy(y, logits, from_logits=True, **options), expected
    )


@pytest.mark.parametrize(
    ("y", "pos_label", "expected"),
    [([0, 0], None, 0.75), ([1, 1], None, 0.25), ([-1, -1], None, 0.75), (["a", "a"], "b", 0.75)],
)
def test_one_label_only(y, pos_label, expected):
    loss = binary_cross_entropy(y, [0.25, 0.25], pos_label=pos_label)
    np.testing.assert_allclose(loss, -np.log(expected))


def test_probabilities_of_yes_as_targets():
    y = [0.25, 1.0, 0.0]
    expected = np.log(2)
    np.testing.assert_allclose(binary_cross_entropy(y, [0.5] * 3), expected)
    np.testing.assert_allclose(binary_cross_entropy(y, [[0.5, 0.5]] * 3), expected)


# ------------------------------------------------------------------ refusals


def bad(**changes):
    """Arguments that are right but for these."""
    return {"y_true": CODES, "y_pred": P, **changes}


def spoiled(row, value, column=0):
    p = P.copy()
    p[row, column] = value
    return p


BAD_CATEGORICAL = {
    "negative": (bad(y_pred=spoiled(2, -0.1)), r"y_pred has -0.1 in row 2, outside \[0, 1\]"),
    "above one": (bad(y_pred=spoiled(1, 1.5)), r"y_pred has 1.5 in row 1, outside .*from_logits"),
    "nan": (bad(y_pred=spoiled(3, np.nan)), "y_pred has NaN or infinity in row 3"),
    "inf": (bad(y_pred=spoiled(3, np.inf)), "y_pred has NaN or infinity in row 3"),
    "inf - inf": (
        bad(y_pred=[[np.inf, -np.inf, 1], *P[1:].tolist()]),
        "y_pred has NaN or infinity in row 0",
    ),
    "row sum": (bad(y_pred=spoiled(2, 0.2)), "y_pred does not sum to 1 in row 2: the sum is 1.1"),
    "small negative": (
        bad(y_pred=[[1 + 1e-9, -1e-9, 0], *P[1:].tolist()]),
        "y_pred has -1e-09 in row 0",
    ),
    "row sum beyond float64 tolerance": (
        bad(y_pred=spoiled(2, 0.1 + 1e-7)),
        "in row 2: .*pass float32 results as float32",
    ),
    "target sum": (
        bad(y_true=[[1, 0, 0], [0, 1, 1], [0, 0, 1], [1, 0, 0]]),
        r"y_true does not sum to 1 in row 1.*binary_cross_entropy",
    ),
    "target negative": (
        bad(y_true=[[1, 0, 0], [2, -1, 0], [0, 0, 1], [1, 0, 0]]),
        "y_true has -1 in row 1",
    ),
    "target nan": (bad(y_true=spoiled(1, np.nan)), "y_true has NaN or infinity in row 1"),
    "target sum with logits": (
        bad(y_true=spoiled(1, 0.9), from_logits=True),
        "y_true does not sum to 1 in row 1",
    ),
    "target sum with one logit": (
        {"y_true": [[0.5, 0.5], [0.5, 0.6]], "y_pred": [0.5, 0.5]},
        "y_true does not sum to 1 in row 1",
    ),
    "target columns": (
        bad(y_true=np.eye(4)),
        "y_true has 4 columns but y_pred has 3",
    ),
    "length of labels": (bad(y_true=[0, 1, 2]), "y_true has 3 samples but y_pred has 4"),
    "length of rows": (bad(y_true=np.eye(3)), "y_true has 3 samples but y_pred has 4"),
    "missing class": (bad(y_true=[0, 1, 1, 0]), r"holds 2 classes, \[0, 1\], .*pass labels="),
    "one class": (
        {"y_true": [1, 1], "y_pred": [0.5, 0.5]},
        r"holds 1 classes, \[1\].*pass labels=",
    ),
    "too many classes": (bad(y_true=[0, 1, 2, 3]), "holds 4 classes.*y_pred has 3 columns"),
    "labels count": (bad(labels=[0, 1]), "labels names 2 classes but y_pred has 3 columns"),
    "labels twice": (bad(labels=[0, 1, 1]), "1 is twice in labels"),
    "unknown label": (
        bad(labels=[0, 1, 5]),
        r"y_true\[2\] is 2, which is not in labels \[0, 1, 5\]",
    ),
    "unknown name": (
        bad(y_true=["a", "b", "x", "b"], labels=["a", "b", "c"]),
        r"y_true\[2\] is .*'x'.*not in labels",
    ),
    "labels of other type": (bad(labels=["0", "1", "2"]), "y_true holds labels like 0 but labels"),
    "mixed labels": (bad(y_true=np.array([0, "b", 2, 1], dtype=object)), "mixes .* 'b' in row 1"),
    "fraction": (bad(y_true=[0, 1, 0.5, 2]), r"y_true\[2\] is 0.5, not a label.*shape \(n, K\)"),
    "label nan": (bad(y_true=[0, np.nan, 1, 2]), r"y_true\[1\] is nan: leave out"),
    "label None": (bad(y_true=["a", None, "b", "c"]), r"y_true\[1\] is None: leave out"),
    "object nan": (
        bad(y_true=np.array(["a", "b", np.nan, "c"], dtype=object)),
        r"y_true\[2\] is nan: leave out",
    ),
    "label NA": (
        bad(y_true=pd.Series([0, 1, None, 2], dtype="Int64")),
        r"y_true\[2\] is (<NA>|nan): leave out",
    ),
    "masked label": (
        bad(y_true=np.ma.masked_array(CODES, mask=[0, 0, 1, 0])),
        r"y_true\[2\] is masked",
    ),
    "masked probability": (
        bad(y_pred=np.ma.masked_array(P, mask=P > 0.78)),
        r"y_pred\[2, 2\] is masked",
    ),
    "unhashable": (
        bad(y_true=np.array([[0], [1], [2], None], dtype=object)[:, None][:, 0]),
        "cannot be a label",
    ),
    "unsortable": (bad(y_true=[*Enum("E", "A B C"), 0]), "cannot be sorted|mixes"),
    "numbers as text": (bad(y_pred=P.astype(str)), "y_pred does not hold numbers only: its dtype"),
    "weight scalar": (bad(sample_weight=2.0), r"sample_weight has shape \(\): pass one weight per"),
    "complex labels": (bad(y_true=CODES + 0j), "y_true is complex"),
    "complex": (bad(y_pred=P + 0j), "y_pred is complex"),
    "text": (bad(y_pred=P.astype(str).astype(object) + "x"), "y_pred does not hold numbers only"),
    "NA": (
        bad(y_pred=pd.DataFrame(P, dtype="Float64").mask(P > 0.78)),
        "y_pred (does not hold numbers only|has NaN or infinity in row 2)",
    ),
    "3-D": (bad(y_pred=P[None]), r"y_pred has shape \(1, 4, 3\)"),
    "scalar": (bad(y_pred=0.5), r"y_pred has shape \(\)"),
    "scalar label": (bad(y_true=1), r"y_true has shape \(\)"),
    "3-D target": (bad(y_true=np.ones((4, 3, 1))), r"y_true has shape \(4, 3, 1\)"),
    "ragged": (bad(y_pred=[[0.5, 0.5], [1.0]]), "y_pred is not a rectangular array"),
    "empty": ({"y_true": [], "y_pred": np.empty((0, 3))}, "y_pred has shape .* empty"),
    "empty target": (bad(y_true=[]), "y_true is empty"),
    "nan logit": (bad(y_pred=spoiled(2, np.nan), from_logits=True), "y_pred has NaN.* in row 2"),
    "inf logit": (
        bad(y_pred=spoiled(2, np.inf), from_logits=True),
        "has NaN or .infinity in row 2",
    ),
    "no finite logit": (
        bad(y_pred=np.where(np.arange(4)[:, None] == 1, -np.inf, P), from_logits=True),
        "no finite logit in row 1",
    ),
    "reduction": (bad(reduction="average"), "reduction='average': pass"),
    "base": (bad(base=1), "base=1: pass"),
    "eps": (bad(eps=-1e-3), "eps=-0.001: pass"),
    "eps one": (bad(eps=1), "eps=1: pass"),
    "weight negative": (bad(sample_weight=[1, -2, 1, 1]), r"sample_weight\[1\] is -2"),
    "weight nan": (bad(sample_weight=[1, 1, np.nan, 1]), r"sample_weight\[2\] is nan"),
    "weight inf": (bad(sample_weight=[np.inf, 1, 1, 1]), r"sample_weight\[0\] is inf"),
    "weights zero": (bad(sample_weight=np.zeros(4)), "sample_weight is zero for every sample"),
    "weight length": (bad(sample_weight=[1, 1]), "sample_weight has 2 samples but y_pred has 4"),
    "weight 2-D": (bad(sample_weight=np.ones((4, 2))), r"sample_weight has shape \(4, 2\)"),
    "weight text": (bad(sample_weight=list("abcd")), "sample_weight does not hold numbers"),
    "missing value": (
        bad(y_pred=pd.DataFrame(P).astype("Float64").mask(np.arange(12).reshape(4, 3) == 5)),
        r"y_pred does not hold numbers only: <NA> at \[1, 2\]",
    ),
    "many labels": (
        {"y_true": [999], "y_pred": np.full((1, 500), 1 / 500), "labels": np.arange(500)},
        r"not in labels \[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, \.\.\.\]",
    ),
    "weight ignored but wrong": (
        bad(sample_weight=[1, -2, 1, 1], reduction="none"),
        r"sample_weight\[1\] is -2",
    ),
}

BAD_BINARY = {
    "three labels": ({"y_true": CODES, "y_pred": P[:, 0]}, "holds 3 classes.*categorical"),
    "one name": ({"y_true": ["a", "a"], "y_pred": [0.1, 0.2]}, "only 'a': pass pos_label="),
    "pos_label": (
        {"y_true": ["a", "b"], "y_pred": [0.1, 0.2], "pos_label": "c"},
        "pos_label='c' is not one of the labels",
    ),
    "pos_label for rows": (
        {"y_true": np.eye(2), "y_pred": np.eye(2), "pos_label": 1},
        "pos_label is for labels of shape",
    ),
    "shapes": ({"y_true": [0, 1, 1, 0], "y_pred": P}, r"y_true has shape \(4,\) but y_pred"),
    "multilabel shapes": ({"y_true": np.eye(4), "y_pred": P}, r"y_true has shape \(4, 4\) but"),
    "no columns": ({"y_true": np.empty((2, 0)), "y_pred": [0.5] * 2}, r"y_true has shape \(2, 0\)"),
    "huge": ({"y_true": [0, 1], "y_pred": [[1e308] * 2] * 2}, r"y_pred has 1e.308 in row 0"),
    "length": ({"y_true": [0, 1], "y_pred": [0.5] * 3}, "y_true has 2 samples but y_pred has 3"),
    "above one": ({"y_true": [0, 1], "y_pred": [0.5, 1.5]}, "y_pred has 1.5 in row 1.*from_logits"),
    "negative": ({"y_true": [0, 1], "y_pred": [0.5, -0.5]}, "y_pred has -0.5 in row 1"),
    "nan": ({"y_true": [0, 1], "y_pred": [np.nan, 0.5]}, "y_pred has nan in row 0"),
    "nan logit": (
        {"y_true": [0, 1], "y_pred": [0.5, np.nan], "from_logits": True},
        "y_pred has NaN in row 1",
    ),
    "outcome": ({"y_true": [[0, 2], [1, 0]], "y_pred": np.eye(2)}, "y_true has 2 in row 0"),
    "fraction": ({"y_true": [0.5, 1.5], "y_pred": [0.5, 0.5]}, r"y_true\[0\] is 0.5, not a label"),
    "two columns": (
        {"y_true": [0, 1], "y_pred": [[0.5, 0.5], [0.5, 0.6]]},
        "y_pred does not sum to 1 in row 1",
    ),
}


@pytest.mark.parametrize("case", BAD_CATEGORICAL)
def test_bad_input_of_categorical(case):
    arguments, message = BAD_CATEGORICAL[case]
    with pytest.raises(ValueError, match=re.compile(message, flags=re.DOTALL)):
        categorical_cross_entropy(**arguments)


@pytest.mark.parametrize("case", BAD_BINARY)
def test_bad_input_of_binary(case):
    arguments, message = BAD_BINARY[case]
    with pytest.raises(ValueError, match=re.compile(message, flags=re.DOTALL)):
        binary_cross_entropy(**arguments)


@pytest.mark.parametrize(
    "make",
    [sparse.csr_matrix, sparse.csr_array, sparse.coo_array, sparse.dok_array, sparse.dok_matrix],
)
def test_sparse_is_refused(make):
    with pytest.raises(TypeError, match=r"y_pred is a sparse matrix: .*toarray"):
        categorical_cross_entropy(CODES, make(P))
    with pytest.raises(TypeError, match=r"y_true is a sparse matrix: .*toarray"):
        categorical_cross_entropy(make(np.eye(3)[CODES]), P)


def test_tolerance_of_row_sums_goes_by_dtype():
    off = P * (1 + 1e-5)
    with pytest.raises(ValueError, match=r"tolerance is 1.5e-08"):
        categorical_cross_entropy(CODES, off)
    categorical_cross_entropy(CODES, off.astype(np.float32))
    with pytest.raises(ValueError, match=r"tolerance is 3.5e-04"):
        categorical_cross_entropy(CODES, (P * 1.001).astype(np.float32))
