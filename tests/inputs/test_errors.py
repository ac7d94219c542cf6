"""Every wrong argument is an error that names the argument, the first bad row and the cure."""

import re
from enum import Enum

import numpy as np
import pandas as pd
import pytest
from four_samples import CODES, P
from scipy import sparse

from skxent.metrics import binary_cross_entropy, categorical_cross_entropy


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
    "one class, one column": (
        {"y_true": [0, 0], "y_pred": [[1.0], [1.0]]},
        "y_pred has one column, that of the second of two classes: pass labels=",
    ),
    "one label, one column": (
        {"y_true": [0, 0], "y_pred": [[1.0], [1.0]], "labels": [0]},
        "labels names 1 classes but y_pred has one column, that of the second of two",
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
