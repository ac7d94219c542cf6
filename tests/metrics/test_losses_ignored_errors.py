"""Labels that do not count: what is refused, and what is left if no sample counts."""

import numpy as np
import pandas as pd
import pytest

from skxent.metrics import CrossEntropySum, binary_cross_entropy, categorical_cross_entropy

HALF = np.full((3, 2), 0.5)
WRONG = {
    "none left": (lambda: categorical_cross_entropy([7] * 3, HALF, ignore_label=7), "every label"),
    "none left of a sum": (
        lambda: binary_cross_entropy([7] * 3, HALF, ignore_label=7, reduction="sum"),
        r"every label in y_true is ignore_label.*the pair \(0, 0\)",
    ),
    "no weight left": (
        lambda: categorical_cross_entropy([0, 1, 7], HALF, ignore_label=7, sample_weight=[0, 0, 1]),
        "sample_weight is zero for every sample whose label is not ignore_label",
    ),
    "a bad weight": (
        lambda: categorical_cross_entropy(
            [0, 1, 7], HALF, ignore_label=7, sample_weight=[1, 1, np.nan]
        ),
        r"sample_weight\[2\] is nan",
    ),
    "a class": (
        lambda: categorical_cross_entropy([0, 1, 0], HALF, ignore_label=0, labels=[0, 1]),
        r"ignore_label=0 is a class in labels, \[0, 1\].*sample_weight",
    ),
    "a column": (
        lambda: categorical_cross_entropy(
            ["a", "b", "a"], pd.DataFrame(HALF, columns=["a", "b"]), ignore_label="b"
        ),
        "ignore_label='b' is a class in the column names of y_pred",
    ),
    "a column of text": (
        lambda: categorical_cross_entropy(
            [5, 6, 5], pd.DataFrame(HALF, columns=["5", "6"]), ignore_label=5
        ),
        "ignore_label=5 is a class in the column names",
    ),
    "a column of outcomes": (
        lambda: binary_cross_entropy(
            ["n", "y", "?"], pd.DataFrame(HALF, columns=["n", "?"]), ignore_label="?"
        ),
        r"ignore_label='\?' is a class in the column names of y_pred",
    ),
    "yes": (
        lambda: binary_cross_entropy([0, 7, 0], HALF, ignore_label=7, pos_label=7),
        "pos_label=7 is ignore_label too",
    ),
    "one-hot rows": (
        lambda: categorical_cross_entropy(np.eye(2), HALF[:2], ignore_label=0),
        r"y_true has shape \(2, 2\): one-hot and soft rows hold no labels. Pass sample_weight",
    ),
    "outcomes": (
        lambda: binary_cross_entropy(np.eye(2), HALF[:2], ignore_label=0),
        r"y_true has shape \(2, 2\): .*Score each column",
    ),
    "another kind": (
        lambda: categorical_cross_entropy(["a", "b", "a"], HALF, ignore_label=-100),
        "convert one to the type of the other",
    ),
    "an unknown label": (
        lambda: categorical_cross_entropy([7, 0, 9], HALF, ignore_label=7, labels=[0, 1]),
        r"y_true\[2\] is 9, which is not in labels",
    ),
    "NaN in a row that does not count": (
        lambda: categorical_cross_entropy(
            [0, 1, 7], [[0.5, 0.5], [0.5, 0.5], [np.nan, 1]], ignore_label=7
        ),
        "y_pred has NaN or infinity in row 2",
    ),
    "too few classes": (
        lambda: categorical_cross_entropy([0, 7, 0], HALF, ignore_label=7),
        "y_true holds 1 classes",
    ),
}


@pytest.mark.parametrize("call, message", WRONG.values(), ids=WRONG)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_nan_is_refused_where_the_weight_is_zero_too():
    """Rows that do not count are checked as rows of weight 0 are."""
    rows = [[0.5, 0.5], [0.5, 0.5], [np.nan, 1]]
    for options in ({"sample_weight": [1, 1, 0]}, {"ignore_label": 0, "labels": [1, 2]}):
        y = [1, 2, 0] if "labels" in options else [1, 2, 1]
        with pytest.raises(ValueError, match="y_pred has NaN or infinity in row 2"):
            categorical_cross_entropy(y, rows, **options)


def test_nothing_that_counts_is_an_empty_pair_and_zeros():
    y = [7, 7, 7]
    assert CrossEntropySum.of(y, HALF, ignore_label=7) == CrossEntropySum()
    assert CrossEntropySum.of(y, HALF, ignore_label=7, sample_weight=[1, 2, 3]).weight == 0
    np.testing.assert_array_equal(
        categorical_cross_entropy(y, HALF, ignore_label=7, reduction="none"), np.zeros(3)
    )
