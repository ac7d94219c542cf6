"""Arguments of the wrong kind: the message names the argument and says what to pass instead."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from metric_samples import MODEL, K, N, P, X, Y, problem
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skxent.metrics import (
    CrossEntropySum,
    binary_cross_entropy,
    categorical_cross_entropy,
    cce_scorer,
    compare,
    compare_cv,
    compare_losses,
    cross_entropy,
    cross_entropy_report,
    decompose_cross_entropy,
    discrimination_scorer,
    entropy,
    mean_loss_interval,
)

# Functions of a truth and a prediction.
OF_A_PAIR = {
    "loss": categorical_cross_entropy,
    "sum": CrossEntropySum.of,
    "report": cross_entropy_report,
    "decomposition": decompose_cross_entropy,
    "compare": lambda y, p: compare(y, {"a": p, "b": p}, baseline="a"),
}


# ------------------------------------------------------------------ labels for probabilities


@pytest.mark.parametrize("function", OF_A_PAIR.values(), ids=OF_A_PAIR)
@pytest.mark.parametrize("kind", [int, float, str, "U1", object, np.dtypes.StringDType()], ids=str)
@pytest.mark.parametrize("wrap", [np.asarray, list, lambda y: y[:, None]])
def test_predicted_labels_are_no_prediction(function, kind, wrap):
    y, predicted = Y.astype(kind), np.roll(Y, 1).astype(kind)
    with pytest.raises(ValueError, match="y_pred holds labels: pass probabilities"):
        function(y, wrap(predicted))


@pytest.mark.parametrize("predicted", [np.array(["n", "y"] * 3), np.array([1, 2] * 3)])
def test_predicted_labels_are_no_prediction_of_a_binary_loss(predicted):
    with pytest.raises(ValueError, match="y_pred holds labels: pass probabilities"):
        binary_cross_entropy(predicted[::-1], predicted)


@pytest.mark.parametrize("function", OF_A_PAIR.values(), ids=OF_A_PAIR)
@pytest.mark.parametrize("seed", range(3))
def test_truth_and_prediction_in_each_others_place(function, seed):
    P, y = problem(seed)
    half = np.column_stack([P[:, 0], 1 - P[:, 0]])
    for truth, prediction in [(P, y), (P[:, 0], (y > 0).astype(int)), (half, (y > 0).astype(int))]:
        with pytest.raises(ValueError, match="the truth comes first"):
            function(truth, prediction)


def test_errors_about_other_things_do_not_speak_of_labels():
    for bad in (P * 2, P[:, :2], P[:-1], np.eye(K)[Y] * 3):
        with pytest.raises(ValueError, match="y_") as caught:
            categorical_cross_entropy(Y, bad)
        assert "labels: pass" not in str(caught.value)
        assert "the truth comes first" not in str(caught.value)


# ------------------------------------------------------------------ models, lazy frames, dicts


LAZY = pl.DataFrame(P).lazy()
WRONG = {
    "model": (MODEL, r"is a GaussianNB: pass .*predict_proba\(X\)"),
    "pipeline": (make_pipeline(StandardScaler(), MODEL), r"is a Pipeline: pass .*predict_proba"),
    "lazy frame": (LAZY, r"is a LazyFrame, .*\.collect\(\)"),
    "dict": ({"a": 1.0}, "is a dict: pass an array"),
    "set": ({0.5, 0.25}, "is a set: pass an array"),
}
# The place of an array -> what is called with something else there.
PLACES = {
    "y_true": lambda x: categorical_cross_entropy(x, P),
    "y_pred": lambda x: categorical_cross_entropy(Y, x),
    "sample_weight": lambda x: categorical_cross_entropy(Y, P, sample_weight=x),
    "labels": lambda x: categorical_cross_entropy(Y, P, labels=x),
    "y_preds": lambda x: compare(Y, {"a": P, "b": x}, baseline="a"),
    "groups": lambda x: compare(Y, {"a": P, "b": P}, baseline="a", groups=x),
    "by": lambda x: cross_entropy_report(Y, P, by=x),
    "losses": lambda x: mean_loss_interval(x),
    "losses.*'b'": lambda x: compare_losses({"a": [1.0, 2.0], "b": x}, baseline="a"),
    "weight": lambda x: CrossEntropySum.of_losses([1.0, 2.0], weight=x),
    "p": lambda x: entropy(x),
    "q": lambda x: cross_entropy(P, x),
}


@pytest.mark.parametrize("wrong, message", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("place", PLACES)
def test_what_is_no_array_is_named(place, wrong, message):
    with pytest.raises(TypeError, match=f"{place}.*{message}"):
        PLACES[place](wrong)


def test_models_are_compared_by_compare_cv_and_predictions_by_compare():
    with pytest.raises(TypeError, match=r"y_preds\['b'\] is a GaussianNB.*compare_cv"):
        compare(Y, {"a": P, "b": MODEL}, baseline="a")
    with pytest.raises(TypeError, match=r"estimators\['b'\] is a ndarray.*skxent\.compare"):
        compare_cv({"a": MODEL, "b": P}, X, Y, baseline="a")
    with pytest.raises(TypeError, match="y_true is a LazyFrame"):
        cce_scorer(MODEL, X, pl.DataFrame({"y": Y}).lazy())


@pytest.mark.parametrize("y_true, y_pred, name", [(None, P, "y_true"), (Y, None, "y_pred")])
@pytest.mark.parametrize("function", OF_A_PAIR.values(), ids=OF_A_PAIR)
def test_none_and_scalars_are_named(function, y_true, y_pred, name):
    with pytest.raises((TypeError, ValueError), match=name):
        function(y_true, y_pred)
    with pytest.raises(ValueError, match=name):
        function(*(0.5 if x is None else x for x in (y_true, y_pred)))


def test_the_sum_of_nothing_at_all_is_an_error_and_of_empty_chunks_is_none():
    for bad in [(None, None), (1, 0.5), (object(), object())]:
        with pytest.raises((TypeError, ValueError), match="y_"):
            CrossEntropySum.of(*bad)
    for empty in [([], []), (np.empty(0), np.empty((0, 3))), (pd.Series([]), pl.DataFrame())]:
        assert CrossEntropySum.of(*empty) == CrossEntropySum()


# ------------------------------------------------------------------ weights and options


OF_WEIGHTS = {
    "loss": lambda w: categorical_cross_entropy(Y, P, sample_weight=w),
    "binary": lambda w: binary_cross_entropy(Y > 0, P[:, 0], sample_weight=w),
    "sum": lambda w: CrossEntropySum.of(Y, P, sample_weight=w),
    "report": lambda w: cross_entropy_report(Y, P, sample_weight=w),
    "decomposition": lambda w: decompose_cross_entropy(Y, P, sample_weight=w),
    "compare": lambda w: compare(Y, {"a": P, "b": P}, baseline="a", sample_weight=w),
    "compare_cv": lambda w: compare_cv(
        {"a": MODEL, "b": MODEL}, X, Y, baseline="a", sample_weight=w
    ),
    "interval": lambda w: mean_loss_interval(np.ones(N), sample_weight=w),
    "scorer": lambda w: cce_scorer(MODEL, X, Y, sample_weight=w),
    "part": lambda w: discrimination_scorer(MODEL, X, Y, sample_weight=w),
}


@pytest.mark.parametrize("function", OF_WEIGHTS.values(), ids=OF_WEIGHTS)
@pytest.mark.parametrize(
    "weight", [2.0, True, np.float64(1), {1, 2}, {"a": 1}, "abc", object(), np.ones((N, 1)), []]
)
def test_weights_that_are_no_array_of_n_are_named(function, weight):
    with pytest.raises((TypeError, ValueError), match="sample_weight"):
        function(weight)


def test_labels_of_string_dtype_are_cross_validated():
    text = Y.astype(str)
    models = {"a": MODEL, "b": GaussianNB(var_smoothing=0.1)}
    one, other = (
        compare_cv(models, X, y, baseline="a") for y in (text, text.astype(np.dtypes.StringDType()))
    )
    np.testing.assert_array_equal(one.difference, other.difference)


@pytest.mark.parametrize("dtype", [int, float, object])
@pytest.mark.parametrize("labels", [[1, 2, 3], [0, 1, 3], [5, 7, 5]])
def test_labels_of_odd_and_even_numbers_are_known_as_labels(labels, dtype):
    predicted = np.array(labels, dtype=dtype)
    with pytest.raises(ValueError, match="y_pred holds labels: pass probabilities"):
        categorical_cross_entropy(labels, predicted)


@pytest.mark.parametrize("predicted", [[0.5, 1.5, 2.0], [0.25, np.nan, 1.0], [np.inf, 0.0, 1.0]])
@pytest.mark.parametrize("dtype", [float, object])
def test_fractions_are_not_called_labels(predicted, dtype):
    with pytest.raises(ValueError, match="y_pred") as caught:
        categorical_cross_entropy([0, 1, 1], np.array(predicted, dtype=dtype))
    assert "labels: pass probabilities" not in str(caught.value)


@pytest.mark.parametrize("kind", [int, bool])
def test_whole_numbers_are_a_prediction_of_one_hot_rows_alone(kind):
    predicted = np.array([0, 1, 1]).astype(kind)
    rows = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    assert categorical_cross_entropy(rows, predicted) == 0.0
    for row in ([0.5, 0.5], [0.999, 0.001]):
        rows[1] = row
        with pytest.raises(ValueError, match="y_pred holds whole numbers and y_true holds soft"):
            categorical_cross_entropy(rows, predicted)
        assert np.isfinite(categorical_cross_entropy(rows, predicted * 0.5 + 0.25))


@pytest.mark.parametrize("kind", [str, object])
@pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
def test_predicted_names_are_known_as_labels(kind, shape):
    names = np.array(["ant", "bee", "cow"], dtype=kind)
    for function in (categorical_cross_entropy, cross_entropy_report, decompose_cross_entropy):
        with pytest.raises(ValueError, match="y_pred holds labels: pass probabilities"):
            function(names, names.reshape(shape))


@pytest.mark.parametrize("function", [cross_entropy_report, decompose_cross_entropy])
def test_a_column_of_labels_is_their_array(function):
    y, P = np.array(["bee", "ant", "bee", "cow"]), np.full((4, 3), 1 / 3)
    P[:2] = [0.2, 0.7, 0.1], [0.5, 0.25, 0.25]
    assert str(function(y[:, None], P)) == str(function(y, P))
