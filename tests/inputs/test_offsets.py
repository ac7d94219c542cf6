"""Offsets of every shape and kind are read, and bad ones are errors that name the first bad row."""

import dask.array as da
import numpy as np
import pandas as pd
import pytest

from skxent.inputs.offsets import LARGEST, predicted_offset, read_offset

TWO, THREE = np.array(["no", "yes"]), np.array(["a", "b", "c"])
MANY = np.array([[0.0, 1.0, -3.0], [2.5, 0.0, 1e4], [0.0, 0.0, 0.0], [-1e4, 7.0, 1.0]])


class Model:
    classes_ = THREE
    has_offset_ = True


@pytest.mark.parametrize("kind", [list, tuple, np.asarray, pd.Series, da.from_array])
def test_one_logit_of_two_classes(kind):
    found = read_offset(kind([0.5, -2.0, 3.0]), 3, TWO)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, [[0.5], [-2.0], [3.0]])


def test_columns_of_two_classes():
    columns = MANY[:, :2]
    np.testing.assert_array_equal(read_offset(columns[:, :1], 4, TWO), columns[:, :1])
    difference = columns[:, 1:] - columns[:, :1]
    np.testing.assert_array_equal(read_offset(columns, 4, TWO), difference)


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int8, object])
def test_columns_of_more_classes_and_no_change_of_the_argument(dtype):
    offset = np.round(MANY).clip(-100, 100).astype(dtype)
    before = offset.copy()
    found = read_offset(offset, 4, THREE)
    found += 1
    np.testing.assert_array_equal(offset, before)
    np.testing.assert_array_equal(found - 1, before.astype(float))


def test_none_is_no_offset():
    assert read_offset(None, 4, THREE) is None


@pytest.mark.parametrize(
    ("shape", "classes", "message"),
    [
        ((4,), THREE, r"shape \(4,\), and there are 3 classes: pass \(n, 3\)"),
        ((4, 2), THREE, r"pass \(n, 3\), one column for each class"),
        ((4, 3), TWO, r"shape \(4, 3\), and there are 2 classes: pass \(n,\), or \(n, 2\)"),
        ((4, 1, 1), TWO, r"shape \(4, 1, 1\)"),
        ((), TWO, r"shape \(\)"),
        ((5,), TWO, "X has 4 samples but offset has 5"),
        ((3, 3), THREE, "X has 4 samples but offset has 3"),
    ],
)
def test_shapes(shape, classes, message):
    with pytest.raises(ValueError, match=message):
        read_offset(np.zeros(shape), 4, classes)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_the_first_row_that_is_not_finite(value):
    offset = MANY.copy()
    offset[2:, 1] = value
    with pytest.raises(ValueError, match=rf"offset has {value:g} in row 2: offsets are finite"):
        read_offset(offset, 4, THREE)


def test_the_first_row_that_is_too_large():
    offset = MANY[:, 0].copy()
    offset[1] = -1.5 * LARGEST
    with pytest.raises(ValueError, match=r"-1.5e\+100 in row 1: .* of size 1e\+100 at most"):
        read_offset(offset, 4, TWO)
    offset[1] = -LARGEST
    assert read_offset(offset, 4, TWO)[1, 0] == -LARGEST


@pytest.mark.parametrize(
    ("offset", "message"),
    [
        (np.array(["1", "x"]), "does not hold numbers only"),
        (np.array([1j, 2]), "offset is complex"),
        (np.ma.masked_array([1.0, 2.0], [False, True]), r"offset\[1\] is masked"),
    ],
)
def test_values_that_are_no_numbers(offset, message):
    with pytest.raises(ValueError, match=message):
        read_offset(offset, 2, TWO)


def test_columns_of_a_frame_are_in_the_order_of_the_classes():
    frame = pd.DataFrame(MANY, columns=THREE)
    np.testing.assert_array_equal(read_offset(frame, 4, THREE), MANY)
    np.testing.assert_array_equal(read_offset(pd.DataFrame(MANY), 4, THREE), MANY)
    with pytest.raises(ValueError, match=r"columns of offset.*classes_"):
        read_offset(frame[["b", "a", "c"]], 4, THREE)
    with pytest.raises(ValueError, match="columns of offset have the default names"):
        read_offset(pd.DataFrame(MANY), 4, np.array([2, 0, 1]))


def test_a_model_with_an_offset_needs_one():
    message = r"this Model was fitted with an offset, and predict\(\) got none: pass .* or offset=0"
    with pytest.raises(ValueError, match=message) as error:
        predicted_offset(Model(), None, 4, "predict")
    assert "set_predict_request(offset=True)" in str(error.value)
    for zero in (0, 0.0, np.float32(0), np.int64(0)):
        assert predicted_offset(Model(), zero, 4, "predict") is None
    np.testing.assert_array_equal(predicted_offset(Model(), MANY, 4, "predict"), MANY)
    with pytest.raises(ValueError, match=r"shape \(\)"):
        predicted_offset(Model(), 1.0, 4, "predict")
