"""Numbers and words of results that are rare: tiny sums, no error, many names, partitions."""

import re
import uuid

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier

from skxent import (
    CrossEntropySum,
    ZeroProbabilityWarning,
    categorical_cross_entropy,
    cce_scorer,
    compare,
    compare_cv,
    cross_entropy_report,
)
from skxent.inputs.labels import shorten


@pytest.mark.parametrize("logit", [600.0, 680.0, 700.0])
def test_tiny_weighted_sums_keep_their_digits(logit):
    z, w = np.full(2, logit), np.array([2.0, 3.0])
    total = categorical_cross_entropy(
        [1, 1], z, labels=[0, 1], from_logits=True, sample_weight=w, reduction="sum"
    )
    assert total == pytest.approx(5.0 * np.exp(-logit), rel=1e-13, abs=0)


def test_a_difference_without_an_error_has_no_p_value():
    found = compare([0, 1], {"a": [0.5, 0.5], "b": [0.25, 0.75]}, baseline="a")
    line = str(found).splitlines()[4].split()
    assert line == ["b", "0.2877", "-0.4055", "0.0000", "-0.4055", "-0.4055", "n/a", "n/a"]


def test_weights_of_another_length_are_named():
    models = {"a": [0.5, 0.5], "b": [0.25, 0.75]}
    with pytest.raises(ValueError, match=r"^sample_weight has 3 samples but y_true has 2: pass"):
        compare([0, 1], models, baseline="a", sample_weight=[1, 1, 1])


def test_rows_that_are_not_shown_have_their_share():
    P = np.full((52, 26), 1.0 / 26)
    text = " ".join(str(cross_entropy_report(np.arange(52) % 26, P)).split())
    assert "1 rows of smaller sums, 3.8 % in all, are left out." in text


def test_lists_of_names_are_cut_after_ten():
    assert shorten(list(range(10))) == str(list(range(10)))
    assert shorten(list(range(11))) == "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ...]"
    assert shorten([1, 2, 3], 2) == "[1, 2, ...]"


def test_one_object_for_all_labels_is_named():
    P = pd.DataFrame(np.full((2, 2), 0.5), columns=["first", "second"])
    label = uuid.uuid5(uuid.NAMESPACE_DNS, "a")
    with pytest.raises(ValueError, match=re.escape(f"are not the texts of labels like {label!r}")):
        categorical_cross_entropy([label, label], P)


@pytest.mark.parametrize("labels", [None, ["ant", "bee", "cow"]])
def test_the_floor_names_the_class_of_a_soft_row(labels):
    P = pd.DataFrame([[0.5, 0.5, 0.0]], columns=["ant", "bee", "cow"])
    y = [[0.5, 0.0, 0.5]]
    with pytest.warns(ZeroProbabilityWarning, match=r"row 0 \(class 'cow', exact cost inf nats\)"):
        categorical_cross_entropy(y, P, labels=labels)
    if labels:
        with pytest.warns(ZeroProbabilityWarning, match=r"row 0 \(class 'cow', exact cost inf"):
            categorical_cross_entropy(y, P.to_numpy(), labels=labels)


def test_one_class_with_two_columns_scores():
    class One:
        classes_ = np.array(["ant"])

        def fit(self, X, y):
            return self

        def predict_proba(self, X):
            return np.tile([0.75, 0.25], (len(X), 1))

    assert cce_scorer(One(), np.zeros((3, 1)), ["ant"] * 3) == pytest.approx(np.log(0.75))


def test_scorers_name_soft_targets_that_are_no_numbers():
    model = DummyClassifier(strategy="uniform").fit([[0], [0]], [0, 1])
    with pytest.raises(ValueError, match=r"^y_true does not hold numbers only"):
        cce_scorer(model, [[0.0]], [["a", "b"]])


def test_weights_of_partitions_count():
    array = pytest.importorskip("dask.array")
    y, p, w = np.array([0, 1, 1, 0]), np.array([0.5, 0.25, 0.75, 0.5]), np.array([1.0, 2, 3, 0])
    lazy = [array.from_array(x, chunks=2) for x in (y, p, w)]
    found = CrossEntropySum.of(*lazy[:2], sample_weight=lazy[2], labels=[0, 1])
    expected = CrossEntropySum.of(y, p, sample_weight=w, labels=[0, 1])
    assert (found.total, found.weight) == (pytest.approx(expected.total), 6.0)
    model = DummyClassifier().fit(np.zeros((4, 1)), [0, 1, 1, 1])
    score = cce_scorer(model, np.zeros((4, 1)), lazy[0], sample_weight=lazy[2])
    assert score == pytest.approx((np.log(0.25) + 5 * np.log(0.75)) / 6)


def test_labels_that_are_no_array_are_named_by_folds_and_outputs():
    models = {"a": DummyClassifier(), "b": DummyClassifier(strategy="uniform")}
    with pytest.raises(ValueError, match=r"^y is not a rectangular array"):
        compare_cv(models, np.zeros((2, 1)), [[0], [0, 1]], baseline="a")


def test_means_of_tiny_losses_whose_weights_add_up_to_infinity():
    z, w = [40.0, 41.0], [1.5e308, 1.5e308]
    mean = categorical_cross_entropy([1, 1], z, labels=[0, 1], from_logits=True, sample_weight=w)
    assert mean == pytest.approx((np.exp(-40.0) + np.exp(-41.0)) / 2, rel=1e-13, abs=0)


def test_one_sample_of_a_label_that_a_model_of_one_class_never_saw():
    model = DummyClassifier().fit([[0.0]], ["ant"])
    with pytest.warns(ZeroProbabilityWarning, match="1 of 1 samples"):
        score = cce_scorer(model, [[0.0]], ["bee"])
    assert score == np.log(np.finfo(float).eps)
