"""How calibrators read predictions, and the class of each column."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, log_softmax

from skxent import LogitCalibrator
from skxent.inputs.calibration_data import read_log_predictions, read_truth, truth_about
from skxent.inputs.fit_targets import FitTargets
from skxent.inputs.labels import as_labels

P = np.array([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0], [0.6, 0.2, 0.2]])


def read(X, from_logits=False):
    return read_log_predictions(LogitCalibrator(), X, from_logits=from_logits, reset=True)


def test_probabilities():
    with np.errstate(divide="ignore"):
        np.testing.assert_array_equal(read(P), np.log(P))
    np.testing.assert_allclose(read(P.astype(np.float32)), read(P), rtol=1e-6)


def test_probabilities_of_half_precision_sum_to_1_by_their_own_precision():
    """As the losses take them: 1 within the square root of float16's epsilon."""
    rows = np.random.default_rng(0).dirichlet(np.ones(5), 40).astype(np.float16)
    assert np.abs(rows.sum(axis=1, dtype=float) - 1).max() > 1e-4
    expected = np.log(rows.astype(float))
    np.testing.assert_array_equal(read(rows), expected)
    np.testing.assert_array_equal(read(pd.DataFrame(rows)), expected)
    with pytest.raises(ValueError, match="X does not sum to 1 in row 0"):
        read(rows.astype(float))


@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_one_probability_is_of_the_second_class(shape):
    p = np.array([0.25, 1e-20, 1.0])
    expected = [[np.log(0.75), np.log(0.25)], [-1e-20, np.log(1e-20)], [-np.inf, 0.0]]
    np.testing.assert_allclose(read(p.reshape(shape)), expected, rtol=1e-15)


def test_logits():
    Z = np.array([[1.0, 2.0, 800.0], [-np.inf, 0.0, 0.0]])
    np.testing.assert_array_equal(read(Z, True), log_softmax(Z, axis=1))
    z = np.array([-800.0, 0.5, np.inf])
    expected = [[0.0, -800.0], [np.log(expit(-0.5)), np.log(expit(0.5))], [-np.inf, 0.0]]
    np.testing.assert_allclose(read(z, True), expected)


@pytest.mark.parametrize(
    ("X", "from_logits", "message"),
    [
        ([[0.5, 0.6], [0.5, 0.5]], False, "X does not sum to 1 in row 0.*from_logits=True"),
        ([[0.5, 0.5], [-1.0, 2.0]], False, "X has -1 in row 1, outside"),
        ([[0.5, 0.5], [np.nan, 0.5]], False, "X has NaN or infinity in row 1"),
        ([0.5, 1.5], False, "X has 1.5 in row 1, outside"),
        ([[0.5, 0.5], [np.inf, 0.5]], True, r"X has NaN or \+infinity in row 1"),
        ([0.5, np.nan], True, "X has NaN in row 1"),
        ([["a", "b"]], True, "could not convert string"),
    ],
)
def test_bad_predictions(X, from_logits, message):
    with pytest.raises(ValueError, match=message):
        read(X, from_logits)


def truth(y, classes=None, X=P):
    found = read_truth(y, classes, X, len(X), X.shape[1])
    return found.classes.tolist(), found.values.tolist()


def test_labels_are_in_ascending_order():
    assert truth(["b", "c", "a"]) == (["a", "b", "c"], [1, 2, 0])


def test_classes_name_the_columns():
    assert truth(["b", "b", "a"], ["c", "b", "a"]) == (["c", "b", "a"], [1, 1, 2])


def test_column_names_are_classes():
    frame = pd.DataFrame(P, columns=["c", "b", "a"])
    assert truth(["b", "b", "a"], X=frame) == (["c", "b", "a"], [1, 1, 2])
    other = pd.DataFrame(P, columns=["first", "second", "third"])
    assert truth(["b", "c", "a"], X=other) == (["a", "b", "c"], [1, 2, 0])
    numbers = pd.DataFrame(P, columns=["2", "0", "1"])
    assert truth([0, 1, 1], X=numbers) == ([2, 0, 1], [1, 2, 2])


def test_soft_targets():
    assert truth(P) == ([0, 1, 2], P.tolist())
    assert truth(P, ["c", "b", "a"]) == (["c", "b", "a"], P.tolist())
    frame = pd.DataFrame(P, columns=["c", "b", "a"])
    assert truth(frame) == (["c", "b", "a"], P.tolist())
    assert truth(P, X=frame) == (["c", "b", "a"], P.tolist())
    with pytest.raises(ValueError, match="not in the order of"):
        truth(frame[["a", "b", "c"]], X=frame)


@pytest.mark.parametrize(
    ("y", "classes", "message"),
    [
        ([0, 1, 1], None, "X has predictions of 3 classes, but here are 2 classes, .*classes="),
        ([0, 1, 1], [0, 1], "X has predictions of 3 classes, but here are 2"),
        (["a", "b", "d"], ["a", "b", "c"], r"y\[2\] is 'd', which is not in classes.*no column"),
        (["a", "b", "c"], ["a", "b", "b"], "'b' is twice in classes"),
        ([0, 1, 2], ["a", "b", "c"], "convert one to the type of the other"),
        (None, None, "requires y to be passed"),
    ],
)
def test_bad_truth(y, classes, message):
    with pytest.raises(ValueError, match=message):
        truth(y, classes)


def test_truth_about_a_fitted_classifier():
    def about(y, classes):
        known = as_labels(classes, "classes_")
        found = truth_about(FitTargets.read(y, None, len(y)), y, known)
        return found.classes.tolist(), found.values.tolist()

    assert about(["b", "a"], ["c", "b", "a"]) == (["c", "b", "a"], [1, 2])
    assert about(P[:, :2] / P[:, :2].sum(axis=1, keepdims=True), [0, 1])[1][1] == [1.0, 0.0]
    frame = pd.DataFrame(P, columns=["c", "b", "a"])
    assert about(frame, ["a", "b", "c"])[1] == P[:, ::-1].tolist()
    with pytest.raises(ValueError, match=r"y\[1\] is 'd', .*the classifier lacks it"):
        about(["b", "d"], ["b", "c"])
    with pytest.raises(ValueError, match="y has 3 columns but the classifier has 2 classes"):
        about(P, [0, 2])
