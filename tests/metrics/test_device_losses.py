"""Arrays of other libraries: as NumPy's in value, check and message; nothing leaves a device."""

import numpy as np
import pytest
from extreme_samples import N, problem

from skxent import binary_cross_entropy, categorical_cross_entropy
from skxent.inputs.namespaces import to_numpy

EXACT = {"rtol": 1e-14, "atol": 0.0}


def check(function, library, *arrays, **options):
    """Compare a function's results on NumPy's arrays and on the library's, in every reduction."""
    theirs = [library.array(x) for x in arrays]
    weight = options.pop("sample_weight", None)
    for reduction in ("mean", "sum", "none"):
        expected = function(*arrays, sample_weight=weight, reduction=reduction, **options)
        for w in (weight, None if weight is None else library.array(weight)):
            found = function(*theirs, sample_weight=w, reduction=reduction, **options)
            if reduction == "none":
                assert library.has(found)
                assert str(found.dtype).endswith("float64")
                found = to_numpy(found)
            else:
                assert type(found) is float
            np.testing.assert_allclose(found, expected, **EXACT)


@pytest.mark.filterwarnings("ignore::skxent.ZeroProbabilityWarning")
@pytest.mark.parametrize("options", [{}, {"eps": 0}, {"eps": 1e-3}, {"base": 2}], ids=str)
@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("from_logits", [False, True])
def test_categorical(library, dtype, soft, from_logits, options):
    y, Y, Z, P, w = problem()
    prediction = (Z if from_logits else P).astype(dtype)
    target = Y.astype(dtype) if soft else y
    options = options | {"sample_weight": w, "from_logits": from_logits}
    check(categorical_cross_entropy, library, target, prediction, **options)


@pytest.mark.filterwarnings("ignore::skxent.ZeroProbabilityWarning")
@pytest.mark.parametrize("from_logits", [False, True])
def test_binary_and_multilabel(library, dtype, from_logits):
    rng = np.random.default_rng(1)
    p = np.array([0.0, 1.0, 0.5, 1e-30, 1e-3, 0.25, *rng.random(N - 6)]).astype(dtype)
    z = np.array([0.0, np.inf, -np.inf, 800.0, -1e-9, *10 * rng.normal(size=N - 5)]).astype(dtype)
    prediction, y, w = z if from_logits else p, rng.integers(2, size=N), rng.random(N)
    options = {"from_logits": from_logits, "sample_weight": w}
    for target in (y, 2 * y - 1, y == 1, y.astype(dtype), rng.random(N).astype(dtype), y[:, None]):
        check(binary_cross_entropy, library, target, prediction, **options)
    check(binary_cross_entropy, library, y + 5, prediction, pos_label=5, **options)
    check(binary_cross_entropy, library, y + 5, prediction[:, None], eps=0, base=2, **options)
    several = np.stack([prediction, prediction[::-1], prediction], axis=1)
    targets = np.stack([y, y[::-1], 1 - y], axis=1)
    for target in (targets, targets == 1, targets * dtype_of(dtype)(0.5)):
        check(binary_cross_entropy, library, target, several, **options)


def dtype_of(name):
    return np.dtype(name).type


@pytest.mark.filterwarnings("ignore::skxent.ZeroProbabilityWarning")
def test_two_classes_in_both_forms(library, dtype):
    y, _, Z, P, w = problem()
    p, target = P[:, 1].astype(dtype), y % 2
    rows, soft = np.stack([1 - p, p], axis=1), np.stack([1 - P[:, 0], P[:, 0]], axis=1)
    for form, t in ((p, target), (p, soft), (rows, target), (rows, soft), (rows, target == 1)):
        check(categorical_cross_entropy, library, t, form, sample_weight=w)
    check(categorical_cross_entropy, library, target, Z[:, 0].astype(dtype), from_logits=True)
    check(binary_cross_entropy, library, target, rows)
    check(binary_cross_entropy, library, target, Z[:, :2].astype(dtype), from_logits=True)


def test_full_relative_accuracy_from_logits(library):
    Z = library.array([[40.0, 0.0], [0.0, 400.0]])
    losses = categorical_cross_entropy([0, 1], Z, from_logits=True, reduction="none")
    np.testing.assert_allclose(to_numpy(losses), [4.248354255291589e-18, np.exp(-400.0)], **EXACT)


@pytest.mark.filterwarnings("ignore::skxent.ZeroProbabilityWarning")
@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64", "uint64", "float32", "bool"])
def test_labels_of_every_type(library, dtype):
    y, _, _, P, _ = problem()
    y, P = (y % 2, P[:, :2] + P[:, 2:]) if dtype == "bool" else (y, P)
    options = {"eps": 0}
    check(categorical_cross_entropy, library, y.astype(dtype), P, **options)
    if dtype != "bool":
        names, order = np.array([3, 9, 41, 100]).astype(dtype), [2, 0, 3, 1]
        check(categorical_cross_entropy, library, names[y], P, **options)
        options["labels"] = names[order]
        check(categorical_cross_entropy, library, names[y][:9], P[:9][:, order], **options)
        theirs = library.array(names[order])
        a = categorical_cross_entropy(library.array(names[y]), library.array(P), **options)
        options["labels"] = theirs
        assert a == categorical_cross_entropy(library.array(names[y]), library.array(P), **options)
