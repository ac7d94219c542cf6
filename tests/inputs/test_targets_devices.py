"""Targets and weights of every library, and the same messages about wrong ones as in NumPy."""

import sys

import array_api_strict as strict
import numpy as np
import pandas as pd
import pytest
from extreme_samples import K, N, message, problem, spoiled
from sklearn import config_context

from skxent import binary_cross_entropy, categorical_cross_entropy, cross_entropy


def containers(values):
    yield values
    yield values.tolist()
    yield pd.DataFrame(values) if values.ndim == 2 else pd.Series(values, index=range(5, N + 5))
    yield strict.asarray(values, device=strict.Device("device2"))
    if "torch" in sys.modules:
        yield sys.modules["torch"].tensor(values)
    frozen = values[::-1][::-1]
    frozen.flags.writeable = False
    yield frozen
    yield values.astype(values.dtype.newbyteorder(">"))


@pytest.mark.filterwarnings("ignore::skxent.ZeroProbabilityWarning")
def test_targets_and_weights_of_any_library(library):
    y, Y, _, P, w = problem()
    p = library.array(P)
    for target in (y, Y):
        expected = categorical_cross_entropy(target, P, sample_weight=w)
        for t, weight in zip(containers(target), containers(w), strict=True):
            found = categorical_cross_entropy(t, p, sample_weight=weight)
            assert found == pytest.approx(expected, rel=1e-14)
    expected = binary_cross_entropy(y > 1, P[:, 0])
    for t in containers(y > 1):
        assert binary_cross_entropy(t, p[:, 0]) == pytest.approx(expected, rel=1e-14)


def test_prediction_decides(library):
    y, _, Z, P, w = problem()
    options = {"from_logits": True, "reduction": "none"}
    weight = library.array(w)
    found = categorical_cross_entropy(library.array(y), Z, sample_weight=weight, **options)
    np.testing.assert_array_equal(found, categorical_cross_entropy(y, Z, **options))
    assert library.has(categorical_cross_entropy(y.tolist(), library.array(Z), **options))
    assert library.has(cross_entropy(P[8:], library.array(P[8:])))
    assert isinstance(cross_entropy(library.array(P[8:]), P[8:]), np.ndarray)
    with pytest.raises(ValueError, match="y_pred has NaN or infinity in row 2"):
        categorical_cross_entropy(library.array(y), spoiled(P, 2, np.nan))


def test_names_of_classes(library):
    y, _, Z, _, _ = problem()
    names = np.array(["ant", "bee", "cow", "dog"])
    expected = categorical_cross_entropy(y, Z, from_logits=True)
    for given in (names[y], names[y].tolist(), pd.Series(names[y], dtype="category")):
        for labels in (None, names):
            found = categorical_cross_entropy(
                given, library.array(Z), labels=labels, from_logits=True
            )
            assert found == pytest.approx(expected, rel=1e-14)


def bad_categorical():
    y, Y, Z, P, w = problem()
    logits = {"from_logits": True}
    yield (y, spoiled(P, (9, 1), np.nan)), {}
    yield (y, spoiled(P, (9, 1), -0.25)), {}
    yield (y, spoiled(P, (9, 1), 7.0)), {}
    yield (y, spoiled(P, 9, 0.3)), {}
    yield (y, spoiled(P, 0, 0.0)), {}
    yield (spoiled(Y, 11, 0.5), P), {}
    yield (spoiled(Y, (11, 0), np.inf), Z), logits
    yield (y, spoiled(Z, 12, -np.inf)), logits
    yield (y, spoiled(Z, (12, 1), np.inf)), logits
    yield (y, spoiled(Z, (12, 1), np.nan)), logits
    yield (y % 2, spoiled(Z[:, 0], 12, np.nan)), logits
    yield (y % 2, spoiled(P[:, 0], 12, 1.5)), {}
    yield (spoiled(y, 13, 8), P), {"labels": range(K)}
    yield (spoiled(y, 13, 8), P), {}
    yield (y % 3, P), {}
    yield (spoiled(y.astype(float), 14, 0.5), P), {}
    yield (spoiled(y.astype(float), 14, np.nan), P), {}
    yield (spoiled(y.astype(float), 14, 1e300), P), {}
    yield (y[:-1], P), {}
    yield (Y[:-1], P), {}
    yield (Y[:, 1:], P), {}
    yield (y, P[:0]), {}
    yield (y[:0], P), {}
    yield (y, P[None]), {}
    yield (Y[None], P), {}
    yield (y, P[0, 0]), {}
    yield (y, P.astype(complex)), {}
    yield (y.astype(complex), P), {}
    yield (y, P), {"labels": [0, 1, 2]}
    yield (y, P), {"labels": [0, 1, 2, 2]}
    yield (y, P), {"labels": list("abcd")}
    yield (y, P), {"reduction": "max"}
    yield (y, P), {"sample_weight": spoiled(w, 15, -1.0)}
    yield (y, P), {"sample_weight": spoiled(w, 15, np.nan)}
    yield (y, P), {"sample_weight": w[1:]}
    yield (y, P), {"sample_weight": 0 * w}
    yield (y, P), {"sample_weight": P}


def bad_binary():
    y, _, Z, P, _ = problem()
    yield (y, P[:, 0]), {}
    yield (y % 2, spoiled(P[:, 0], 9, -1.0)), {}
    yield (y % 2, spoiled(P[:, 0], 9, np.nan)), {}
    yield (P > 0.5, spoiled(P, (9, 2), 2.0)), {}
    yield (spoiled(P, (9, 2), 2.0), P), {}
    yield (P > 0.5, spoiled(Z, (9, 2), np.nan)), {"from_logits": True}
    yield (y[:9] * 0 + 3, P[:9, 0]), {}
    yield (y % 2, P[:, 0]), {"pos_label": 7}
    yield (P > 0.5, P), {"pos_label": 1}
    yield (y % 2, P), {}
    yield (P > 0.5, P[:, 1:]), {}
    yield (spoiled(P[:, 0], 9, 2.0), P[:, 0]), {}
    yield (y[:-1] % 2, P[:, 0]), {}


@pytest.mark.filterwarnings("ignore::skxent.ZeroProbabilityWarning")
@pytest.mark.parametrize(
    ("function", "case"),
    [
        *((categorical_cross_entropy, case) for case in bad_categorical()),
        *((binary_cross_entropy, case) for case in bad_binary()),
    ],
)
def test_messages_are_the_same(library, function, case):
    args, options = case
    expected = message(function, *args, **options)
    if "labels" not in options:
        theirs = {k: library.array(v) if k == "sample_weight" else v for k, v in options.items()}
    else:
        theirs = options
    assert message(function, *map(library.array, args), **theirs) == expected
    assert message(function, args[0], library.array(args[1]), **options) == expected


@pytest.mark.parametrize("value", [-np.inf, np.nan])
def test_labels_in_half_precision(value):
    torch = pytest.importorskip("torch")
    y = torch.tensor([0.0, value, 1.0]).half()
    dispatch = config_context(array_api_dispatch=True)
    with dispatch, pytest.raises(ValueError, match=r"y_true\[1\] is"):
        categorical_cross_entropy(y, torch.full((3, 2), 0.5), labels=[0, 1])


def test_short_floats_beside_a_prediction_of_numpy():
    torch = pytest.importorskip("torch")
    weight = torch.tensor([1.0, 2.0, 0.5])
    P = np.array([[0.5, 0.5], [0.25, 0.75], [0.5, 0.5]])
    expected = categorical_cross_entropy([0, 1, 1], P, sample_weight=weight.numpy())
    with config_context(array_api_dispatch=True):
        for form in (weight.bfloat16(), torch._neg_view(-weight)):
            assert categorical_cross_entropy([0, 1, 1], P, sample_weight=form) == expected
