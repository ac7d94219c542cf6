"""The label of samples that do not count: how it is found, and what is refused."""

import datetime

import numpy as np
import pandas as pd
import pytest

from skxent.inputs.ignored_labels import as_ignored, counted, probabilities_without, without
from skxent.inputs.labels import as_labels

DAY = datetime.date(2026, 1, 1)
OF_EVERY_KIND = {
    "integers": (np.array([3, -100, 5, 3]), -100),
    "NumPy's own": (np.array([3, -100, 5, 3], dtype=np.int16), np.int8(-100)),
    "unsigned": (np.array([3, 255, 5, 3], dtype=np.uint8), 255),
    "floats": (np.array([3.0, -100.0, 5.0, 3.0]), -100),
    "a whole float": (np.array([3, -100, 5, 3]), -100.0),
    "far apart": (np.array([3, -(2**62), 5, 3]), -(2**62)),
    "booleans": (np.array([True, False, True, True]), False),
    "text": (np.array(["bee", "", "cow", "bee"]), ""),
    "objects": (np.array(["bee", "pad", "cow", "bee"], dtype=object), "pad"),
    "bytes": (np.array([b"bee", b"pad", b"cow", b"bee"]), b"pad"),
    "dates": (np.array(["2026-02-01", "2026-01-01", "2026-03-01"] * 2, dtype="M8[D]"), DAY),
    "a list": (["bee", "pad", "cow"], "pad"),
    "pandas": (pd.Series(["bee", "pad", "cow"], index=[7, 7, 8]), "pad"),
    "categories": (pd.Series(["bee", "pad", "cow"], dtype="category"), "pad"),
}


@pytest.mark.parametrize("values, label", OF_EVERY_KIND.values(), ids=OF_EVERY_KIND)
def test_labels_without_one_of_them(values, label):
    everything = as_labels(values, "y_true")
    found, kept = without(everything, label)
    mask = np.array([value != label for value in np.asarray(values).tolist()])
    np.testing.assert_array_equal(kept, mask)
    np.testing.assert_array_equal(counted(np.asarray(values), label), mask)
    rest = as_labels(np.asarray(values)[mask], "y_true")
    assert found.distinct.tolist() == rest.distinct.tolist()
    np.testing.assert_array_equal(found.codes[mask], rest.codes)
    np.testing.assert_array_equal(found.codes[~mask], 0)


@pytest.mark.parametrize("label", [None, -100, 4, 10**30])
def test_all_labels_count_if_none_is_ignored(label):
    labels = as_labels([3, 5, 3], "y_true")
    assert without(labels, label) == (labels, None)
    assert counted(np.array([3.0, 5.0]), label) is None


def test_unsigned_labels_are_not_compared_modulo_256():
    assert counted(np.array([156, 3], dtype=np.uint8), -100) is None


def test_no_label_is_left():
    found, kept = without(as_labels([-1, -1], "y_true"), -1)
    assert found.distinct.size == 0
    np.testing.assert_array_equal(kept, [False, False])
    np.testing.assert_array_equal(found.codes, [0, 0])


@pytest.mark.parametrize(
    "label, message",
    [
        (np.nan, "nan: missing values are no labels"),
        (pd.NA, "<NA>: missing values are no labels"),
        (pd.NaT, "NaT: missing values are no labels"),
        ([-100], "pass one label"),
        (np.array([-100, 1]), "pass one label"),
        ({-100}, "pass one label"),
        (0.5, r"ignore_label\[0\] is 0.5, not a label"),
        ("pad", "ignore_label holds labels like 'pad' but y_true holds labels like 3"),
    ],
)
def test_what_is_no_label_is_refused(label, message):
    with pytest.raises(ValueError, match=message):
        without(as_labels([3, 5], "y_true"), label)


def test_probabilities_of_yes():
    values, kept = probabilities_without(np.array([0.25, -1.0, 1.0]), -1)
    np.testing.assert_array_equal(values, [0.25, 0, 1])
    np.testing.assert_array_equal(kept, [True, False, True])
    values, kept = probabilities_without(np.array([0.0, 1.0]), 0)  # two labels
    np.testing.assert_array_equal(kept, [False, True])
    with pytest.raises(ValueError, match="y_true holds probabilities, and ignore_label=0 is one"):
        probabilities_without(np.array([0.0, 0.3]), 0)


def test_strings_of_length_one_and_zero_are_labels():
    for label in ("", "?", b""):
        assert as_ignored(label).source.tolist() == [label]
