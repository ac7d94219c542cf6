"""Column names of tables: the class that each column stands for, whatever type the names have."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from skxent.metrics import (
    CrossEntropySum,
    binary_cross_entropy,
    categorical_cross_entropy,
    cce_scorer,
    compare,
    cross_entropy,
    cross_entropy_report,
    decompose_cross_entropy,
    discrimination_scorer,
    kl_divergence,
    miscalibration_scorer,
)

pyarrow = pytest.importorskip("pyarrow")
from fixed_predictions import Fixed  # noqa: E402

N, K = 40, 4
TABLES = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "pyarrow": pyarrow.table}


def problem(seed):
    """Probabilities, labels of which each class has some, and an order that moves every column."""
    rng = np.random.default_rng(seed)
    P = rng.dirichlet(np.full(K, 0.5), size=N) * 0.98 + 0.02 / K
    y = (P.cumsum(axis=1) > rng.random((N, 1))).argmax(axis=1)
    y[:K] = np.arange(K)
    order = np.roll(rng.permutation(K), 1)
    return P, y, order if (order != np.arange(K)).any() else order[::-1]


def table(make, names, columns):
    return make({str(name): column for name, column in zip(names, columns.T, strict=True)})


# A prediction and truth -> one number of theirs, by every function that reads such a pair.
MEASURES = {
    "loss": categorical_cross_entropy,
    "sum": lambda y, P: CrossEntropySum.of(y, P).total,
    "compare": lambda y, P: compare(
        y, {"model": P, "even": np.full((N, K), 1 / K)}, baseline="even"
    ).mean[0],
    "report": lambda y, P: cross_entropy_report(y, P).total_mean,
    "decomposition": lambda y, P: decompose_cross_entropy(y, P).miscalibration,
}
# Integer labels of classes 0 to K - 1, of which none, some or all are those numbers.
LABELS = {
    "codes": np.arange(K),
    "from one": np.arange(K) + 1,
    "scattered": np.array([-3, 0, 10, 2]),
    "of numbers": np.array(["10", "2", "-3", "0"]),
}


@pytest.mark.parametrize("make", TABLES.values(), ids=TABLES)
@pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
@pytest.mark.parametrize("names", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("seed", range(3))
def test_columns_are_matched_by_the_text_of_labels(make, measure, names, seed):
    P, codes, order = problem(seed)
    y, by_place = names[codes], P[:, np.argsort(names)]
    shuffled = table(make, names[order], P[:, order])
    np.testing.assert_allclose(measure(y, shuffled), measure(y, by_place), rtol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_integer_columns_are_matched_by_the_text_of_string_labels(seed):
    P, codes, order = problem(seed)
    frame = pd.DataFrame(P[:, order], columns=(10 * np.arange(K))[order])
    y = (10 * codes).astype(str)
    expected = categorical_cross_entropy(codes, P)
    np.testing.assert_allclose(categorical_cross_entropy(y, frame), expected)
    assert cross_entropy_report(y, frame).names.tolist() == [str(10 * k) for k in order]


def test_a_report_names_classes_by_labels_and_not_by_their_text():
    P, y, order = problem(0)
    kept = y != order[1]  # a class that the truth lacks gets the type of the others
    report = cross_entropy_report(y[kept], table(pl.DataFrame, order, P[kept][:, order]))
    assert report.names.tolist() == order.tolist()
    yes = y > 0
    two = table(pl.DataFrame, [True, False], np.column_stack([P[:, 0], 1 - P[:, 0]]))
    assert cross_entropy_report(yes, two).names.tolist() == [True, False]


@pytest.mark.parametrize(
    "names",
    [
        ["2.0", "0.0", "1.0", "3.0"],
        ["02", "00", "01", "03"],
        [" 2", " 0", " 1", " 3"],
    ],
    ids=str,
)
@pytest.mark.parametrize("labels", [None, range(K)])
def test_names_that_only_resemble_labels_are_refused(names, labels):
    P, y, _ = problem(1)
    with pytest.raises(ValueError, match=r"column .* of y_pred|columns of y_pred"):
        categorical_cross_entropy(y, table(pl.DataFrame, names, P), labels=labels)


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
def test_letters_in_another_case_are_refused(make):
    P = np.array([[0.9, 0.1], [0.2, 0.8]])
    frame = table(make, ["No", "Yes"], P)
    with pytest.raises(ValueError, match="column 'No' of y_pred resembles the label 'no'"):
        categorical_cross_entropy(["no", "yes"], frame)
    with pytest.raises(ValueError, match=r"columns of y_pred.* not in the order no, yes"):
        binary_cross_entropy(["no", "yes"], table(make, ["Yes", "No"], P))


def test_a_further_name_that_is_no_label_is_refused():
    P, y, _ = problem(2)
    with pytest.raises(ValueError, match="columns of y_pred have a name 'other'"):
        categorical_cross_entropy(y % 3, table(pl.DataFrame, ["0", "1", "2", "other"], P))


@pytest.mark.parametrize("names", [["column_0", "column_1", "column_2", "column_3"], list("wxyz")])
@pytest.mark.parametrize("make", TABLES.values(), ids=TABLES)
def test_names_that_are_no_labels_leave_columns_in_their_order(make, names):
    P, y, _ = problem(3)
    expected = categorical_cross_entropy(y, P)
    np.testing.assert_allclose(categorical_cross_entropy(y, table(make, names, P)), expected)


@pytest.mark.parametrize("make", TABLES.values(), ids=TABLES)
@pytest.mark.parametrize("seed", range(3))
def test_other_orders_of_names_are_refused(make, seed):
    P, y, order = problem(seed)
    shuffled = table(make, order, P[:, order])
    with pytest.raises(ValueError, match=r"columns of y_pred.*not in the order of labels"):
        categorical_cross_entropy(y, shuffled, labels=range(K))
    np.testing.assert_allclose(
        categorical_cross_entropy(y, shuffled, labels=order), categorical_cross_entropy(y, P)
    )
    for rows in (table(make, range(K), P), pd.DataFrame(P)):  # soft rows, default names too
        with pytest.raises(ValueError, match=r"columns of y_true.*not in the order of y_pred"):
            categorical_cross_entropy(rows, shuffled)
    binary = table(make, [1, 0], np.column_stack([P[:, 0], 1 - P[:, 0]]))
    with pytest.raises(ValueError, match=r"columns of y_pred.* not in the order no, yes"):
        binary_cross_entropy((y == 0).astype(int), binary)


def test_one_class_in_two_places_is_refused_although_other_names_differ():
    P, y, _ = problem(4)
    rows, prediction = pd.DataFrame(P, columns=list("abcd")), pd.DataFrame(P, columns=list("bexy"))
    with pytest.raises(
        ValueError, match="column 1 of y_true is 'b', which is in place 0 in y_pred"
    ):
        categorical_cross_entropy(rows, prediction)
    with pytest.raises(
        ValueError, match="column 0 of y_pred is 'b', which is in place 1 in labels"
    ):
        categorical_cross_entropy(y, prediction, labels=["a", "b", "c", "d"])


# ------------------------------------------------------------------ scorers


SCORERS = [cce_scorer, miscalibration_scorer, discrimination_scorer]


@pytest.mark.parametrize("scorer", SCORERS, ids=str)
@pytest.mark.parametrize("make", TABLES.values(), ids=TABLES)
@pytest.mark.parametrize("seed", range(3))
def test_scorers_match_soft_targets_by_the_text_of_classes(scorer, make, seed):
    P, y, order = problem(seed)
    Y = 0.9 * np.eye(K)[y] + 0.1 / K
    expected = scorer(Fixed(P, np.arange(K)), None, Y)
    for classes in (np.arange(K), np.arange(K).astype(str)):
        model, shuffled = Fixed(P, classes), table(make, order, Y[:, order])
        np.testing.assert_allclose(scorer(model, None, shuffled), expected, rtol=1e-6, atol=1e-12)
    with pytest.raises(ValueError, match=r"y_true has columns .* and none for"):
        scorer(Fixed(P, np.arange(K)), None, table(make, [0, 1, 2, "other"], Y))


@pytest.mark.parametrize("scorer", SCORERS, ids=str)
@pytest.mark.parametrize("kind", [int, str])
def test_default_names_do_not_name_classes_in_another_order(scorer, kind):
    P, y, order = problem(0)
    Y, model = np.eye(K)[y], Fixed(P[:, order], order.astype(kind))
    with pytest.raises(ValueError, match="columns of y_true have the default names"):
        scorer(model, None, pd.DataFrame(Y))
    in_order = scorer(model, None, Y[:, order])
    np.testing.assert_allclose(in_order, scorer(Fixed(P, np.arange(K)), None, Y), rtol=1e-6)


# ------------------------------------------------------------------ distributions


@pytest.mark.parametrize("function", [cross_entropy, kl_divergence])
@pytest.mark.parametrize("make", TABLES.values(), ids=TABLES)
@pytest.mark.parametrize("seed", range(3))
def test_distributions_with_columns_in_another_order_are_refused(function, make, seed):
    P, _, order = problem(seed)
    Q = P[::-1]
    for names in (list("abcd"), [0, 1, 2, 3]):
        p, q = table(make, names, P), table(make, np.array(names)[order], Q[:, order])
        with pytest.raises(ValueError, match=r"columns of p, .* are not in the order of q"):
            function(p, q)
    same = table(make, list("abcd"), Q)
    np.testing.assert_allclose(function(table(make, list("abcd"), P), same), function(P, Q))
    np.testing.assert_allclose(function(table(make, list("wxyz"), P), same), function(P, Q))
    np.testing.assert_allclose(function(pd.DataFrame(P), same), function(P, Q))


@pytest.mark.parametrize("function", [cross_entropy, kl_divergence])
def test_series_of_frequencies_are_refused_in_another_order(function):
    """`value_counts` sorts by frequency, so two of them rarely have one order."""
    p = pd.Series(["a", "a", "b", "c", "a"]).value_counts(normalize=True)
    q = pd.Series(["c", "c", "b", "b", "c", "a"]).value_counts(normalize=True)
    with pytest.raises(ValueError, match=r"columns of p, .* are not in the order of q"):
        function(p, q)
    np.testing.assert_allclose(function(p, q[p.index]), function(p.to_numpy(), q[p.index].array))


@pytest.mark.parametrize("function", [cross_entropy, kl_divergence])
def test_partitioned_distributions_in_another_order_are_refused(function):
    dd = pytest.importorskip("dask.dataframe")
    P, _, order = problem(0)
    p, q = (dd.from_pandas(pd.DataFrame(P, columns=list("abcd")), npartitions=3) for _ in range(2))
    np.testing.assert_allclose(function(p, q).compute(), function(P, P))
    with pytest.raises(ValueError, match=r"columns of p, .* are not in the order of q"):
        function(p, q[[*np.array(list("abcd"))[order]]])


@pytest.mark.parametrize("text", [b"\xff", b"ant\xff", b" Ant "])
def test_bytes_that_are_no_text_name_no_class(text):
    frame = pd.DataFrame([[0.5, 0.5]] * 2)
    frame.columns = pd.Index([text, b"bee"], dtype=object)
    if text.strip() == b"Ant":
        with pytest.raises(ValueError, match="resembles the label 'ant'"):
            categorical_cross_entropy(["ant", "cow"], frame)
    else:
        assert categorical_cross_entropy(["ant", "cow"], frame) == pytest.approx(np.log(2))
