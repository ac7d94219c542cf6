"""Labels that do not count: as if their samples were left out, to the last bit."""

import warnings

import numpy as np
import pandas as pd
import pytest
from ignored_samples import K, problem
from scipy.special import softmax

from skxent.metrics import (
    CrossEntropySum,
    ZeroProbabilityWarning,
    binary_cross_entropy,
    categorical_cross_entropy,
)

NAMES = np.array(["ant", "bee", "cow"])
ROUTES = ("mean", "sum", "none", "pair")


def value(route, loss, y, prediction, weight=None, **options):
    if route == "pair":
        return CrossEntropySum.of(y, prediction, loss=loss, sample_weight=weight, **options)
    return loss(y, prediction, sample_weight=weight, reduction=route, **options)


def check_left_out(loss, y, prediction, weight, label, as_given=np.asarray, **options):
    """Whatever the reduction, the result has the bits that it has without the samples."""
    kept = np.asarray(y) != label
    assert 0 < kept.sum() < len(kept)
    for w in (None, weight):
        for route in ROUTES:
            found = value(route, loss, as_given(y), prediction, w, ignore_label=label, **options)
            rest = None if w is None else w[kept]
            expected = value(route, loss, y[kept], prediction[kept], rest, **options)
            if route == "none":
                np.testing.assert_array_equal(found[kept], expected)
                np.testing.assert_array_equal(found[~kept], 0)
            else:
                assert found == expected


# ------------------------------------------------------------------ equal to dropping the rows


@pytest.mark.parametrize("n", [5, 60, 70_001])  # 70,001 rows are seven blocks
@pytest.mark.parametrize("from_logits", [False, True])
def test_labels(n, from_logits):
    Z, codes, w = problem(n)
    prediction = Z if from_logits else softmax(Z, axis=1)
    check_left_out(categorical_cross_entropy, codes, prediction, w, -100, from_logits=from_logits)
    names = np.where(codes < 0, "pad", NAMES[np.maximum(codes, 0)])
    options = {"from_logits": from_logits, "labels": NAMES}
    for as_given in (np.asarray, list, pd.Series, lambda y: y.astype(object)[:, None]):
        check_left_out(categorical_cross_entropy, names, prediction, w, "pad", as_given, **options)


@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("columns", [1, 2])
def test_two_classes(from_logits, columns):
    Z, codes, w = problem(40_000)
    y = np.where(codes == 2, 0, codes)
    z = np.column_stack([np.zeros(len(y)), Z[:, 0]])
    prediction = z if from_logits else softmax(z, axis=1)
    prediction = prediction[:, 1] if columns == 1 else prediction
    options = {"from_logits": from_logits}
    check_left_out(categorical_cross_entropy, y, prediction, w, -100, **options)
    if columns == 1 or not from_logits:
        check_left_out(binary_cross_entropy, y, prediction, w, -100, **options)
        check_left_out(binary_cross_entropy, y.astype(float), prediction, w, -100, **options)
        names = np.where(y < 0, "?", np.array(["no", "yes"])[np.maximum(y, 0)])
        check_left_out(binary_cross_entropy, names, prediction, w, "?", **options)
        check_left_out(binary_cross_entropy, names, prediction, w, "?", pos_label="no", **options)
        soft = np.where(y < 0, -100.0, softmax(Z, axis=1)[:, 1])
        check_left_out(binary_cross_entropy, soft, prediction, w, -100, **options)


def test_base_and_eps():
    Z, codes, w = problem(60)
    P = np.round(softmax(4 * Z, axis=1), 1)
    P /= P.sum(axis=1, keepdims=True)
    check_left_out(categorical_cross_entropy, codes, P, w, -100, eps=0, base=2)
    with pytest.warns(ZeroProbabilityWarning):
        check_left_out(categorical_cross_entropy, codes, P, w, -100, eps=0.1)


def test_sums_beyond_the_safe_range():
    """A sum that overflows is computed again from all losses, of which only some count."""
    z = np.array([[0.0, 1.5e308], [0.0, 1.7e308], [0.0, 1.5e308], [1.0, 0.0]])
    y, w = np.array([0, -100, 0, 1]), np.array([2.0, 1.0, 2.0, 0.5])
    options = {"from_logits": True, "labels": [0, 1]}
    for weight, rest in ((None, None), (w, w[y >= 0])):
        found = categorical_cross_entropy(y, z, sample_weight=weight, ignore_label=-100, **options)
        kept = y >= 0
        assert 0 < found < np.inf
        assert found == categorical_cross_entropy(y[kept], z[kept], sample_weight=rest, **options)


def test_a_label_that_is_not_there_changes_nothing():
    Z, codes, w = problem(60)
    codes = np.maximum(codes, 0)
    for route in ROUTES:
        for weight in (None, w):
            plain = value(route, categorical_cross_entropy, codes, softmax(Z, axis=1), weight)
            found = value(
                route, categorical_cross_entropy, codes, softmax(Z, axis=1), weight, ignore_label=9
            )
            np.testing.assert_array_equal(found, plain)


# ------------------------------------------------------------------ equal to PyTorch

LOGITS = [[1.5, -0.25, 0.75], [0.125, 2.0, -1.0], [-0.5, 0.5, 0.25], [3.0, 1.0, 2.0], [0.0] * 3]
TARGETS = [0, -100, 2, 1, -100]
# torch.nn.functional.cross_entropy(LOGITS, TARGETS, reduction=...) in float64, of torch 2.13.0.
OF_TORCH = {
    "mean": "0x1.4e80e05183178p+0",
    "sum": "0x1.f5c1507a44a34p+1",
    "none": [
        *("0x1.fe6556ed6a9fbp-2", "0x0.0p+0", "0x1.03906dea3d2c2p+0"),
        *("0x1.342c6ea778b94p+1", "0x0.0p+0"),
    ],
}


@pytest.mark.parametrize("reduction", OF_TORCH)
def test_numbers_of_torch(reduction):
    expected = OF_TORCH[reduction]
    expected = list(map(float.fromhex, [expected] if isinstance(expected, str) else expected))
    options = {"from_logits": True, "ignore_label": -100, "reduction": reduction}
    found = categorical_cross_entropy(TARGETS, LOGITS, **options)
    np.testing.assert_allclose(np.ravel(found), expected, rtol=1e-15)


@pytest.mark.parametrize("reduction", OF_TORCH)
def test_equals_torch(reduction, torch):
    Z, codes, _ = problem(5000)
    Z, y = torch.asarray(Z), torch.asarray(codes)
    expected = torch.nn.functional.cross_entropy(Z, y, reduction=reduction)
    for prediction, truth in ((Z, y), (Z, codes), (Z.numpy(), y), (Z.requires_grad_(), y)):
        found = categorical_cross_entropy(
            truth, prediction, from_logits=True, ignore_label=-100, reduction=reduction
        )
        # torch's losses have cancelled: their error is that of numbers of the size of logits
        np.testing.assert_allclose(np.asarray(found), expected.numpy(), rtol=1e-13, atol=4e-15)


# ------------------------------------------------------------------ other arrays


@pytest.mark.parametrize("from_logits", [False, True])
def test_arrays_of_other_libraries(library, from_logits):
    Z, codes, w = problem(500)
    prediction = Z if from_logits else softmax(Z, axis=1)
    cases = [
        (categorical_cross_entropy, codes, prediction, -100),
        (categorical_cross_entropy, codes.astype(float), prediction, -100),
        (categorical_cross_entropy, np.full(500, -100), prediction, -100),
        (binary_cross_entropy, np.minimum(codes, 1), prediction[:, 0], -100),
        (binary_cross_entropy, np.where(codes < 0, -1.0, 0.25), prediction[:, 0], -1),
    ]
    for loss, y, p, label in cases:
        options = {"from_logits": from_logits, "ignore_label": label}
        if loss is categorical_cross_entropy:
            options["labels"] = range(K)
        for truth in (library.array(y), y, y.tolist()):
            for weight in (None, w):
                given = None if weight is None else library.array(weight)
                for route in ROUTES if (y >= 0).any() else ("none", "pair"):
                    found = value(route, loss, truth, library.array(p), given, **options)
                    expected = value(route, loss, y, p, weight, **options)
                    if route == "none":
                        assert library.has(found)
                        found = np.asarray([float(x) for x in found])
                    if route == "pair":
                        found, expected = ([each.total, each.weight] for each in (found, expected))
                    np.testing.assert_allclose(found, expected, rtol=1e-13)
    with pytest.raises(ValueError, match="every label in y_true is ignore_label"):
        categorical_cross_entropy(
            library.array(np.full(500, -100)),
            library.array(prediction),
            from_logits=from_logits,
            ignore_label=-100,
        )


def test_unsigned_labels_on_a_device_are_not_compared_modulo_256(library):
    y = np.array([156, 3, 3], dtype=np.uint8)
    P = np.array([[0.5, 0.5], [0.25, 0.75], [0.5, 0.5]])
    found = categorical_cross_entropy(library.array(y), library.array(P), ignore_label=-100)
    assert found == pytest.approx(categorical_cross_entropy(y, P), rel=1e-15)


def dask_cases():
    Z, codes, w = problem(60)
    P = softmax(Z, axis=1)
    codes[20:27] = -100  # a partition in which no sample counts
    yes = np.minimum(codes, 1)
    return [
        (categorical_cross_entropy, codes, P, w, -100),
        (categorical_cross_entropy, codes.astype(float), P, w, -100),
        (
            categorical_cross_entropy,
            np.where(codes < 0, "pad", NAMES[np.maximum(codes, 0)]),
            P,
            w,
            "pad",
        ),
        (binary_cross_entropy, yes, P[:, 0], w, -100),
        (binary_cross_entropy, yes.astype(float), P[:, 0], w, -100),
        (binary_cross_entropy, np.where(yes < 0, -1.0, P[:, 1]), P[:, 0], w, -1),
        (
            binary_cross_entropy,
            np.where(yes < 0, "?", np.array(["n", "y"])[np.maximum(yes, 0)]),
            P[:, 0],
            w,
            "?",
        ),
    ]


@pytest.mark.parametrize("loss, y, p, w, label", dask_cases())
def test_dask(loss, y, p, w, label):
    da = pytest.importorskip("dask.array")
    rows = (20, 0, 7, 1, 32)

    def cut(x):
        return da.from_array(x, chunks=(rows, *x.shape[1:]))

    for weight in (None, w):
        for route in ROUTES:
            lazy = None if weight is None else cut(weight)
            found = value(route, loss, cut(y), cut(p), lazy, ignore_label=label)
            expected = value(route, loss, y, p, weight, ignore_label=label)
            if route == "pair":
                found, expected = ([each.total, each.weight] for each in (found, expected))
            np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-14)
    nothing = cut(np.full(60, label))
    with pytest.raises(ValueError, match="every label in y_true is ignore_label"):
        loss(nothing, cut(p), ignore_label=label)
    assert CrossEntropySum.of(nothing, cut(p), loss=loss, ignore_label=label) == CrossEntropySum()
    zero = np.where(y == label, 1.0, 0.0)
    with pytest.raises(ValueError, match="zero for every sample whose label is not ignore_label"):
        loss(cut(y), cut(p), sample_weight=cut(zero), ignore_label=label)


def test_dask_refuses_what_memory_refuses():
    da = pytest.importorskip("dask.array")
    P = da.from_array(np.full((4, 2), 0.5), chunks=(2, 2))
    y = da.from_array(np.array([0, 1, 2, 1]), chunks=2)
    for call, message in [
        (lambda: categorical_cross_entropy(P, P, ignore_label=0), "one-hot and soft rows"),
        (lambda: binary_cross_entropy(P, P, ignore_label=0), "Score each column"),
        (
            lambda: categorical_cross_entropy(y, P, labels=[0, 1], ignore_label=0),
            r"ignore_label=0 is a class in labels, \[0, 1\]",
        ),
    ]:
        with pytest.raises(ValueError, match=message):
            call()


# ------------------------------------------------------------------ the floor and its warning


def test_the_floor_ignores_them_and_names_rows_of_the_whole():
    y = np.array([-1, 0, -1, 1, -1, 0])
    P = np.array([[0.0, 1.0], [0.5, 0.5], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.25, 0.75]])
    with pytest.warns(ZeroProbabilityWarning, match=r"^1 of 3 samples .*: row 3 \(class 1,"):
        categorical_cross_entropy(y, P, ignore_label=-1)
    with pytest.warns(ZeroProbabilityWarning, match=r"^1 of 3 samples .*: row 3 \(class 1,"):
        categorical_cross_entropy(y, P, ignore_label=-1, reduction="none")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        categorical_cross_entropy(np.where(y == 1, -1, y), P, ignore_label=-1, labels=[0, 1])
