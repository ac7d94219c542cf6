"""Arguments that are rare, and the message or number that each of them gives."""

import uuid

import numpy as np
import pandas as pd
import pytest
from fixed_predictions import Fixed
from sklearn.dummy import DummyClassifier
from sklearn.naive_bayes import GaussianNB

from skxent import (
    bce_scorer,
    binary_cross_entropy,
    categorical_cross_entropy,
    cce_scorer,
    compare,
    compare_cv,
    cross_entropy_report,
    decompose_cross_entropy,
)

LOSS = np.log(2)


def test_soft_columns_of_one_name_are_refused_by_scorers():
    model = Fixed(np.full((2, 2), 0.5), np.array(["ant", "bee"]))
    soft = pd.DataFrame(np.full((2, 3), 1 / 3), columns=["ant", "bee", "ant"])
    with pytest.raises(ValueError, match="y_true has two columns 'ant': name each class once"):
        cce_scorer(model, np.zeros((2, 1)), soft)


def test_labels_of_other_types_are_matched_by_their_text():
    ids = sorted(uuid.uuid5(uuid.NAMESPACE_DNS, name) for name in ("a", "b"))
    P = pd.DataFrame([[0.25, 0.75], [0.5, 0.5]], columns=[str(ids[1]), str(ids[0])])
    losses = categorical_cross_entropy(ids, P, reduction="none")
    np.testing.assert_allclose(losses, -np.log([0.75, 0.5]))
    P.columns = ["first", "second"]
    with pytest.raises(
        ValueError, match=r"columns of y_pred, \['first', 'second'\], are not the t"
    ):
        categorical_cross_entropy(ids, P)


@pytest.mark.parametrize(
    ("labels", "names", "wrong"),
    [
        ([True, True], ["True", "False"], None),
        ([True, True], ["True", "maybe"], "maybe"),
        ([True, True], ["True", "0"], "0"),
        ([1, 1], ["1", "2"], None),
        ([1, 1], ["1", "other"], "other"),
        ([1, 1], ["1", "02"], "02"),
        ([1, 1], ["1", "2.0"], "2.0"),
    ],
)
def test_further_names_are_texts_of_labels_of_the_same_type(labels, names, wrong):
    P = pd.DataFrame(np.full((2, 2), 0.5), columns=names)
    if wrong is None:
        assert categorical_cross_entropy(labels, P) == pytest.approx(LOSS)
    else:
        with pytest.raises(ValueError, match=f"have a name '{wrong}', and labels are like"):
            categorical_cross_entropy(labels, P)


def test_names_of_both_types_are_matched_as_they_are():
    P = pd.DataFrame(np.array([[0.25, 0.75], [0.25, 0.75]]), columns=[1, "0"])
    np.testing.assert_allclose(
        categorical_cross_entropy([1, 1], P, reduction="none"), -np.log([0.25, 0.25])
    )


def test_labels_without_an_order_are_refused():
    with pytest.raises(ValueError, match="y_true holds labels that cannot be sorted: '<' not supp"):
        categorical_cross_entropy([object(), object()], np.full((2, 2), 0.5))


class OnDevice:
    """An array of a library that NumPy cannot read."""

    shape = (2,)

    def __array__(self, dtype=None, copy=None):
        raise TypeError("can't convert device memory to numpy.")

    def __dlpack__(self, **options):
        raise RuntimeError("not here")


def test_arrays_on_a_device_are_named_with_the_cure():
    message = (
        r"^y_true cannot be read as a NumPy array: can't convert device memory to numpy\. Turn the "
        r"array API on, .* y_true\.detach\(\)\.cpu\(\)\.$"
    )
    with pytest.raises(TypeError, match=message):
        categorical_cross_entropy(OnDevice(), [0.5, 0.5])


def test_other_errors_of_reading_are_passed_on():
    class Broken:
        def __array__(self, dtype=None, copy=None):
            raise TypeError("out of order")

    with pytest.raises(TypeError, match="out of order"):
        categorical_cross_entropy(Broken(), [0.5, 0.5])


@pytest.mark.parametrize(
    ("classes", "shape", "message"),
    [
        ([0, 1], (2,), r"has an output of shape \(2,\) for classes_ \[0, 1\]"),
        ([0, 1], (2, 3), r"has an output of shape \(2, 3\) for classes_ \[0, 1\]"),
        ([0], (2, 2), r"has an output of shape \(2, 2\) for classes_ \[0\]"),
        ([0, 2], (2, 2), r"predicts the classes \[0, 2\], but yes/no outcomes are 0 and 1"),
        ([-1, 1], (2, 2), r"predicts the classes \[-1, 1\], but yes/no outcomes are 0 and 1"),
    ],
)
def test_outputs_of_other_shapes_and_classes_are_refused(classes, shape, message):
    fine = np.array([[0.5, 0.5], [0.25, 0.75]])
    model = Fixed([fine, np.full(shape, 0.5)], [np.array([0, 1]), np.array(classes)])
    with pytest.raises(ValueError, match=rf"^Fixed\.predict_proba\(X\) {message}"):
        bce_scorer(model, np.zeros((2, 1)), [[0, 1], [1, 1]])


@pytest.mark.parametrize(("classes", "yes"), [([0, 1], 0.75), ([1, 0], 0.25), ([1], 1.0), ([0], 0)])
def test_outputs_are_read_by_their_classes(classes, yes):
    columns = np.array([[0.25, 0.75]] * 2) if len(classes) == 2 else np.ones((2, 1))
    model = Fixed([np.full((2, 2), 0.5), columns], [np.array([0, 1]), np.array(classes)])
    score = bce_scorer(model, np.zeros((2, 1)), [[0, int(yes > 0)], [1, int(yes > 0)]])
    assert score == pytest.approx(-LOSS + (np.log(yes) if yes else 0.0))


def test_a_sum_beyond_float64_is_infinite_and_its_mean_is_not():
    z = np.array([[1.5e308, 0.0], [0.0, 1.5e308]])
    report = cross_entropy_report([1, 0], z, from_logits=True)
    np.testing.assert_array_equal(report.sum, [1.5e308, 1.5e308])
    assert (report.total_sum, report.total_mean) == (np.inf, 1.5e308)


def test_numbers_beside_texts_name_the_classes_of_their_text():
    P = pd.DataFrame([[0.25, 0.75], [0.5, 0.5]])
    P.columns = pd.Index(["ant", 2], dtype=object)
    found = categorical_cross_entropy(["ant", "2"], P, reduction="none")
    np.testing.assert_allclose(found, -np.log([0.25, 0.5]))


def test_names_that_are_no_dates_say_nothing_about_dates():
    days = np.array(["2020-02-28", "2020-02-29"], dtype="M8[D]")
    P = pd.DataFrame([[0.25, 0.75], [0.5, 0.5]], columns=["first", "second"])
    found = categorical_cross_entropy(days, P, reduction="none")
    np.testing.assert_allclose(found, -np.log([0.25, 0.5]))


def test_one_column_of_yes_and_no_is_their_array():
    y, p = np.array(["no", "yes", "yes"]), [0.25, 0.5, 0.75]
    expected = -np.log([0.75, 0.5, 0.75])
    for options in ({}, {"pos_label": "yes"}):
        found = binary_cross_entropy(y[:, None], p, reduction="none", **options)
        np.testing.assert_allclose(found, expected)
    with pytest.raises(ValueError, match="y_true has 3 samples"):
        binary_cross_entropy(y, p[:2])
    with pytest.raises(ValueError, match="y_true holds 3 classes"):
        binary_cross_entropy(["a", "b", "c"], p)


def test_what_can_be_collected_and_read_is_read():
    class Both:
        def collect(self):
            raise AssertionError("not asked for")

        def __array__(self, dtype=None, copy=None):
            return np.array([0, 1])

    assert categorical_cross_entropy(Both(), [0.5, 0.5]) == pytest.approx(LOSS)


@pytest.mark.parametrize("exponent", [0, 480, 520, 660])
def test_differences_of_losses_of_any_size(exponent):
    z = np.ldexp(np.array([[-3.0, -1.0, -2.0, -2.5], [-2.0, -2.0, -4.0, -3.0]]), 10 + exponent)
    unit = compare([1] * 4, {"a": z[0], "b": z[1]}, baseline="a", labels=[0, 1], from_logits=True)
    assert unit.difference[0] == np.ldexp(0.625, 10 + exponent)
    moved = np.array([-1.0, 1.0, 2.0, 0.5]) - 0.625
    error = np.sqrt((moved**2).sum() / 3 / 4)
    assert unit.standard_error[0] == pytest.approx(np.ldexp(error, 10 + exponent), rel=1e-14)
    assert unit.t_statistic[0] == pytest.approx(0.625 / error, rel=1e-14)
    same = {"a": z[0], "b": z[0] * (1 + 2.0**-52)}  # differ by rounding alone
    twin = compare([1] * 4, same, baseline="a", labels=[0, 1], from_logits=True)
    assert twin.standard_error[0] == 0.0


def test_logits_whose_difference_overflows_are_decomposed():
    z = np.array([[-1.5e308, 1.5e308], [1.5e308, -1.5e308], [1.0, 0.0], [0.0, 1.0]])
    found = decompose_cross_entropy([1, 0, 0, 1], z, from_logits=True)
    assert found.discrimination == found.uncertainty == pytest.approx(LOSS)


@pytest.mark.parametrize(
    ("train", "test", "message"),
    [
        ([0, 1, 40], [2, 3], "cv has training indices in fold 1 like 40, but there are 40 samples"),
        ([0, 1, 2], [3, -41], "cv has test indices in fold 1 like -41, but there are 40 samples"),
        ([0, 1, 2], [3.0], "cv has test indices in fold 1 of shape .* and dtype float64"),
        ([0, 1, 2], [True] * 39, "cv has test indices in fold 1 of shape .* and dtype bool"),
    ],
)
def test_folds_with_other_indices_are_named(train, test, message):
    X, y = np.arange(40.0)[:, None], np.arange(40) % 2
    models = {"a": DummyClassifier(), "b": GaussianNB()}
    half = (np.arange(20), np.arange(20, 40))
    with pytest.raises(ValueError, match=f"^{message}"):
        compare_cv(models, X, y, baseline="a", cv=[half, (np.array(train), np.array(test))])
    forms = [half, (half[0] - 40, np.arange(40) >= 20)]
    found = compare_cv(models, X, y, baseline="a", cv=forms)
    assert found.n == 40
    assert found.standard_error[0] == pytest.approx(0.0, abs=1e-12)
