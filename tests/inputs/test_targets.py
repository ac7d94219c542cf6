"""Every form of prediction and target that a loss takes."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from four_samples import CODES, LOSSES, NAMES, P, losses

from skxent.metrics import binary_cross_entropy, categorical_cross_entropy

# ------------------------------------------------------------------ predictions


@pytest.mark.parametrize(
    "wrap",
    [
        lambda p: p.tolist(),
        np.asfortranarray,
        lambda p: np.repeat(np.repeat(p, 2, axis=0), 2, axis=1)[::2, ::2],
        lambda p: p.astype(object),
        lambda p: p.astype(np.longdouble),
        lambda p: p.astype(">f8"),
        lambda p: pd.DataFrame(p, index=[3, 3, 0, -1]),
        lambda p: pd.DataFrame(p, columns=["u", "v", "w"]),
        lambda p: pd.DataFrame(p).astype("Float64"),
        lambda p: pl.DataFrame(p),
        np.ma.masked_array,
    ],
)
@pytest.mark.parametrize("y", [CODES, np.eye(3)[CODES]], ids=["labels", "one-hot"])
def test_containers_of_probabilities(wrap, y):
    np.testing.assert_allclose(losses(y, wrap(P)), LOSSES)
    logits = wrap(np.log(P) + 3)
    np.testing.assert_allclose(losses(y, logits, from_logits=True), LOSSES)


@pytest.mark.parametrize("wrap", [pd.DataFrame, pl.DataFrame, np.asfortranarray, list])
def test_containers_of_rows_of_targets(wrap):
    np.testing.assert_allclose(losses(wrap(np.eye(3)[CODES])), LOSSES)


@pytest.mark.parametrize(("dtype", "rtol"), [(np.float32, 1e-6), (np.float16, 2e-3)])
def test_short_floats(dtype, rtol):
    np.testing.assert_allclose(losses(CODES, P.astype(dtype)), LOSSES, rtol=rtol)
    np.testing.assert_allclose(losses(P.astype(dtype), P), losses(P), rtol=rtol)


def test_integers_and_booleans_are_numbers():
    eye = np.eye(3, dtype=int)
    assert categorical_cross_entropy([0, 1, 2], eye) == 0
    assert categorical_cross_entropy([0, 1, 2], eye.astype(bool)) == 0
    np.testing.assert_allclose(
        categorical_cross_entropy([0, 1, 2], 5 * eye, from_logits=True), np.log1p(2 * np.exp(-5))
    )


def test_one_column_is_one_dimension():
    y, p = np.array([0, 1, 1]), np.array([0.25, 0.5, 0.75])
    for loss in (categorical_cross_entropy, binary_cross_entropy):
        expected = loss(y, p)
        for form in (p[:, None], pd.DataFrame(p), pd.Series(p, index=[2, 2, 2]), pl.Series(p)):
            assert loss(y, form) == expected
            assert loss(y[:, None], form) == expected


def test_one_sample():
    assert losses(["bee"], P[:1], labels=NAMES) == [np.log(4)]
    assert isinstance(categorical_cross_entropy(["bee"], P[:1], labels=NAMES), float)


def test_inputs_are_not_changed():
    y, p, w, Y = CODES.copy(), P.copy(), np.arange(4.0), np.eye(3)[CODES]
    for array in (y, p, w, Y):
        array.flags.writeable = False
    for target in (y, Y):
        categorical_cross_entropy(target, p, sample_weight=w)
        categorical_cross_entropy(target, p, from_logits=True, sample_weight=w)
    binary_cross_entropy(Y, p, sample_weight=w)
    binary_cross_entropy(Y, p, from_logits=True, sample_weight=w)
    np.testing.assert_array_equal(p, P)


# ------------------------------------------------------------------ binary labels


@pytest.mark.parametrize(
    ("labels", "pos_label"),
    [
        ([0, 1], None),
        ([-1, 1], None),
        ([3, 8], None),
        (["no", "yes"], None),
        (["yes", "zzz"], "zzz"),
        ([1, 0], 0),
        (["b", "a"], "a"),
        ([2.0, 1.0], 1),
        ([True, False], False),
    ],
)
def test_positive_label(labels, pos_label):
    p, y = np.array([0.25, 0.5, 0.75]), np.asarray(labels)[[0, 1, 1]]
    expected = -np.log([0.75, 0.5, 0.75])
    options = {"pos_label": pos_label, "reduction": "none"}
    np.testing.assert_allclose(binary_cross_entropy(y, p, **options), expected)
    np.testing.assert_allclose(
        binary_cross_entropy(y, np.column_stack([1 - p, p]), **options), expected
    )
    logits = np.log(p / (1 - p))
    np.testing.assert_allclose(
        binary_cross_entropy(y, logits, from_logits=True, **options), expected
    )


@pytest.mark.parametrize(
    ("y", "pos_label", "expected"),
    [([0, 0], None, 0.75), ([1, 1], None, 0.25), ([-1, -1], None, 0.75), (["a", "a"], "b", 0.75)],
)
def test_one_label_only(y, pos_label, expected):
    loss = binary_cross_entropy(y, [0.25, 0.25], pos_label=pos_label)
    np.testing.assert_allclose(loss, -np.log(expected))


def test_probabilities_of_yes_as_targets():
    y = [0.25, 1.0, 0.0]
    expected = np.log(2)
    np.testing.assert_allclose(binary_cross_entropy(y, [0.5] * 3), expected)
    np.testing.assert_allclose(binary_cross_entropy(y, [[0.5, 0.5]] * 3), expected)


# ------------------------------------------------------------------ refusals


def test_tolerance_of_row_sums_goes_by_dtype():
    off = P * (1 + 1e-5)
    with pytest.raises(ValueError, match=r"tolerance is 1.5e-08"):
        categorical_cross_entropy(CODES, off)
    categorical_cross_entropy(CODES, off.astype(np.float32))
    with pytest.raises(ValueError, match=r"tolerance is 3.5e-04"):
        categorical_cross_entropy(CODES, (P * 1.001).astype(np.float32))
