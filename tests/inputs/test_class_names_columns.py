"""Names of columns say which column is which class."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from four_samples import CODES, LOSSES, NAMES, P, losses

from skxent.metrics import binary_cross_entropy, categorical_cross_entropy


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
