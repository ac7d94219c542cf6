"""Arrays of other libraries: as NumPy's in value, check and message; nothing leaves a device."""

import os
import subprocess
import sys

import array_api_strict as strict
import numpy as np
import pandas as pd
import pytest
from sklearn import __version__, config_context
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skxent import (
    CrossEntropySum,
    ZeroProbabilityWarning,
    bce_scorer,
    binary_cross_entropy,
    categorical_cross_entropy,
    cce_scorer,
    cce_sum_scorer,
    compare,
    compare_cv,
    cross_entropy,
    cross_entropy_report,
    decompose_cross_entropy,
    discrimination_scorer,
    entropy,
    kl_divergence,
    make_cross_entropy_scorer,
    mean_loss_interval,
)
from skxent.inputs.namespaces import first_true, library_of, moved, namespace_of, to_numpy, widened
from skxent.metrics import device_losses, probability_losses

N, K = 60, 4
EXACT = {"rtol": 1e-14, "atol": 0.0}


# From this release on scikit-learn's logistic regression computes where its X is.
knows_arrays = pytest.mark.skipif(
    tuple(map(int, __version__.split(".")[:2])) < (1, 9), reason="scikit-learn 1.9"
)


class Strict:
    """array-api-strict on its second device, where NumPy cannot read."""

    device = strict.Device("device1")

    def array(self, values):
        return strict.asarray(np.asarray(values), device=self.device)

    def has(self, x):
        return isinstance(x, type(strict.zeros(1))) and x.device == self.device


class Torch:
    """Tensors that record gradients, which NumPy cannot read either."""

    def __init__(self):
        self.torch = pytest.importorskip("torch")

    def array(self, values):
        tensor = self.torch.asarray(np.array(values))
        return tensor.requires_grad_() if tensor.is_floating_point() else tensor

    def has(self, x):
        return isinstance(x, self.torch.Tensor) and x.device.type == "cpu" and not x.requires_grad


@pytest.fixture(params=[Strict, Torch])
def library(request):
    with config_context(array_api_dispatch=True):
        yield request.param()


@pytest.fixture(params=["float64", "float32"])
def dtype(request):
    return request.param


def problem(seed=0):
    """Labels, soft rows, logits from tiny to huge, probabilities, weights with zeros among them."""
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(N, K)) * np.geomspace(0.1, 300.0, N)[:, None]
    Z[3], Z[4, 1:], Z[5, 2] = 0.0, Z[4, 1], -np.inf
    P = rng.dirichlet(np.ones(K), size=N)
    y = rng.integers(K, size=N)
    y[:K], y[5], y[7] = np.arange(K), 0, 1
    P[7] = [1.0, 0.0, 0.0, 0.0]
    Y = rng.dirichlet(np.ones(K), size=N)
    Y[:20] = np.eye(K)[y[:20]]
    Y[5] = [0.5, 0.25, 0.0, 0.25]
    w = rng.random(N)
    w[[1, 8]] = 0.0
    return y, Y, Z, P, w


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


# ------------------------------------------------------------------ values


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


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision(dtype):
    torch = pytest.importorskip("torch")
    z = torch.tensor([[1.0, 2.0], [0.5, -3.0]], dtype=getattr(torch, dtype))
    p = torch.tensor([[0.3, 0.7], [0.9, 0.1]], dtype=getattr(torch, dtype))
    y, wide = torch.tensor([0, 1]), p.double().numpy()
    with config_context(array_api_dispatch=True):
        found = categorical_cross_entropy(y, p)
        logits = categorical_cross_entropy(y, z, from_logits=True)
    assert found == pytest.approx(-np.log([wide[0, 0], wide[1, 1]]).mean(), rel=1e-14)
    assert logits == categorical_cross_entropy([0, 1], z.double().numpy(), from_logits=True)


@pytest.mark.filterwarnings("ignore::skxent.ZeroProbabilityWarning")
def test_device_without_float64():
    y, Y, Z, P, w = problem()
    device = strict.Device("no_float64")
    with config_context(array_api_dispatch=True):
        for target, given in ((y, y), (Y, Y), (y, strict.asarray(y, device=device))):
            for x, from_logits in ((P, False), (Z, True)):
                options = {"from_logits": from_logits, "eps": 1e-6, "sample_weight": w}
                expected = categorical_cross_entropy(
                    target.astype("float32"), x.astype("float32"), **options
                )
                theirs = strict.asarray(x.astype("float32"), device=device)
                found = categorical_cross_entropy(given, theirs, **options)
                assert found == pytest.approx(expected, rel=1e-5)


def test_blocks_of_rows_add_up(library, monkeypatch):
    y, Y, Z, P, _ = problem()
    arrays = [library.array(x) for x in (y, Y, Z)]
    whole = [categorical_cross_entropy(t, arrays[2], from_logits=True) for t in arrays[:2]]
    monkeypatch.setattr(device_losses, "BLOCK_SIZE", 7 * K)
    parts = [categorical_cross_entropy(t, arrays[2], from_logits=True) for t in arrays[:2]]
    assert parts == whole
    P[44] = np.nan
    with pytest.raises(ValueError, match="row 44"):
        categorical_cross_entropy(arrays[0], library.array(P))


# ------------------------------------------------------------------ the scalar results and sums


def test_warning_counts_and_points_here(library):
    y, _, _, P, _ = problem()
    with pytest.warns(ZeroProbabilityWarning, match="^1 of 60 samples") as caught:
        categorical_cross_entropy(library.array(y), library.array(P))
    assert caught[0].filename == __file__


@pytest.mark.filterwarnings("ignore::skxent.ZeroProbabilityWarning")
def test_sum_over_chunks(library):
    y, Y, _, P, w = problem()
    for target in (y, Y):
        expected = CrossEntropySum.of(target, P, sample_weight=w, labels=range(K))
        t, p = library.array(target), library.array(P)
        parts = [
            CrossEntropySum.of(
                t[i : i + 20, ...],
                p[i : i + 20, ...],
                sample_weight=weight[i : i + 20],
                labels=range(K),
            )
            for i, weight in ((0, w), (20, library.array(w)), (40, w))
        ]
        assert sum(parts).mean == pytest.approx(expected.mean, rel=1e-14)
        assert type(parts[1].total) is type(parts[1].weight) is float
    assert CrossEntropySum.of(t[:0, ...], p[:0, ...]) == CrossEntropySum()
    none = CrossEntropySum.of(y[:4], p[:4, ...], sample_weight=library.array(np.zeros(4)))
    assert none == CrossEntropySum(0.0, 0.0)
    yes = CrossEntropySum.of(library.array(y % 2), p[:, 0], loss=binary_cross_entropy)
    assert yes.mean == pytest.approx(binary_cross_entropy(y % 2, P[:, 0]), rel=1e-14)


# ------------------------------------------------------------------ several libraries at once


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


# ------------------------------------------------------------------ messages


def message(function, *args, **options):
    with pytest.raises(ValueError) as caught:
        function(*args, **options)
    return str(caught.value)


def spoiled(array, place, value):
    array = array.copy()
    array[place] = value
    return array


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


def test_first_true(library):
    mask = np.array([False, False, True, True])
    for bits in (mask, library.array(mask)):
        assert first_true(bits) == 2
        assert first_true(bits[:2]) is None
    assert first_true(mask[:0]) is None


# ------------------------------------------------------------------ distributions


@pytest.mark.parametrize("base", [None, 2])
def test_distributions(library, dtype, base):
    rng = np.random.default_rng(2)
    p = rng.dirichlet(np.ones(5), size=(3, 7)).astype(dtype)
    q = rng.dirichlet(np.ones(5), size=7).astype(dtype)
    p[0, 0], p[0, 1], q[1] = [0, 0, 1, 0, 0], q[1], [0.5, 0, 0.5, 0, 0]
    for function, args in ((entropy, (p,)), (cross_entropy, (p, q)), (kl_divergence, (p, q))):
        found = function(*map(library.array, args), base=base)
        assert library.has(found)
        expected = function(*args, base=base)
        np.testing.assert_allclose(to_numpy(found), expected, rtol=1e-14, atol=1e-15)
        rows = [x.reshape(-1, 5)[0] for x in args]
        one = function(*map(library.array, rows), base=base)
        assert type(one) is float
        assert one == pytest.approx(function(*rows, base=base), rel=1e-14)


def test_divergence_of_extremes(library):
    p = np.array([[1e-300, 1.0], [1.0, 1e-300], [0.5, 0.5], [0.5, 0.5 - 1e-12], [1.0, 5e-324]])
    q = np.array([[1.0, 1e-300], [1e-320, 1.0], [1.0, 0.0], [0.5 - 1e-12, 0.5], [1.0, 0.0]])
    found = to_numpy(kl_divergence(*map(library.array, (p, q))))
    np.testing.assert_allclose(found, kl_divergence(p, q), rtol=1e-14, atol=1e-16)


@pytest.mark.parametrize(
    ("p", "q"),
    [
        ([[0.5, 0.5], [0.5, 0.6]], [0.5, 0.5]),
        ([[0.5, 0.5], [np.nan, 0.5]], [0.5, 0.5]),
        ([0.5, 0.5], [0.2, 0.3, 0.5]),
        ([0.5, 0.5], 1.0),
        ([0.5, 0.5], []),
    ],
)
def test_messages_about_distributions(library, p, q):
    p, q = np.array(p), np.array(q)
    expected = message(cross_entropy, p, q)
    assert message(cross_entropy, library.array(p), library.array(q)) == expected


# ------------------------------------------------------------------ scorers


class Fixed:
    """A classifier that predicts what it was given, in a library's arrays."""

    def __init__(self, P, classes, logarithms=None):
        self.P, self.classes_ = P, classes
        if logarithms is not None:
            self.predict_log_proba = lambda X: logarithms

    def predict_proba(self, X):
        return self.P


@pytest.mark.filterwarnings("ignore::skxent.ZeroProbabilityWarning")
@pytest.mark.parametrize("scorer", [cce_scorer, cce_sum_scorer, make_cross_entropy_scorer(eps=0)])
def test_scores(library, scorer):
    y, Y, _, P, w = problem()
    P[2], seen, order = 0.0, np.array([0, 2, 3]), [0, 2, 3]
    Q = P[:, order] / np.maximum(P[:, order].sum(axis=1, keepdims=True), 1e-9)
    for matrix, classes in ((P, np.arange(K)), (Q, seen)):
        for target in (y, Y):
            expected = scorer(Fixed(matrix, classes), None, target, w)
            for c in (classes, library.array(classes)):
                model = Fixed(library.array(matrix), c)
                for t, weight in ((target, w), (library.array(target), library.array(w))):
                    assert scorer(model, None, t, weight) == pytest.approx(expected, rel=1e-14)
            assert scorer(Fixed(matrix, classes), None, library.array(target), w) == expected


def test_score_of_logarithms(library):
    y, _, _, P, _ = problem()
    with np.errstate(divide="ignore"):
        logs = np.log(P)
    exact = make_cross_entropy_scorer(eps=0)
    for rows, t in ((slice(8, None), y), (slice(None), y)):
        expected = exact(Fixed(P[rows], np.arange(K), logs[rows]), None, t[rows])
        model = Fixed(library.array(P[rows]), np.arange(K), library.array(logs[rows]))
        assert exact(model, None, library.array(t[rows])) == pytest.approx(expected, rel=1e-14)


@pytest.mark.filterwarnings("ignore::skxent.ZeroProbabilityWarning")
def test_scores_of_outcomes(library):
    y, _, _, P, w = problem()
    outcomes = (P > 0.5).astype(int)
    expected = bce_scorer(Fixed(P, None), None, outcomes, w)
    model = Fixed(library.array(P), None)
    assert bce_scorer(model, None, library.array(outcomes), w) == pytest.approx(expected, rel=1e-14)
    pairs = [np.stack([1 - p, p], axis=1) for p in P.T]
    pairs[3] = np.ones((N, 1))
    classes = [np.arange(2)] * 3 + [np.zeros(1, dtype=int)]
    expected = bce_scorer(Fixed(pairs, classes), None, outcomes)
    model = Fixed([*map(library.array, pairs)], [*map(library.array, classes)])
    assert bce_scorer(model, None, outcomes) == pytest.approx(expected, rel=1e-14)
    rows = np.stack([P[:, 0], 1 - P[:, 0]], axis=1)
    expected = bce_scorer(Fixed(rows, np.arange(2)), None, y % 2)
    model = Fixed(library.array(rows), library.array(np.arange(2)))
    assert bce_scorer(model, None, library.array(y % 2)) == pytest.approx(expected, rel=1e-14)


def test_messages_of_scorers(library):
    y, Y, _, P, _ = problem()
    model = Fixed(P, np.arange(K))
    theirs = Fixed(library.array(P), np.arange(K))
    for scorer, t in ((cce_scorer, y[1:]), (bce_scorer, y), (bce_scorer, Y[:, 1:] > 0.5)):
        expected = message(scorer, model, None, t)
        assert message(scorer, theirs, None, library.array(t)) == expected
    wrong, names = spoiled(P, 9, 0.3), np.arange(K - 1)
    for bad, classes in ((wrong, np.arange(K)), (P, names)):
        expected = message(cce_scorer, Fixed(bad, classes), None, y)
        assert message(cce_scorer, Fixed(library.array(bad), classes), None, y) == expected


def blobs():
    rng = np.random.default_rng(3)
    y = rng.integers(3, size=90)
    return rng.normal(size=(90, 2)) + y[:, None], y


def without_gradients(library, values):
    x = library.array(values)
    return x.detach() if hasattr(x, "detach") else x


@knows_arrays
@pytest.mark.parametrize("scorer", [cce_scorer, cce_sum_scorer])
def test_cross_validation_of_scikit_learns_own_classifier(library, scorer):
    X, y = blobs()
    model = LogisticRegression(solver="lbfgs", tol=1e-10)
    folds = StratifiedKFold(3)
    expected = cross_val_score(model, X, y, scoring=scorer, cv=folds)
    X_there, y_there = (without_gradients(library, x) for x in (X, y))
    fitted = model.fit(X_there, y_there)
    assert namespace_of(fitted.predict_proba(X_there)) is not None
    for train, test in folds.split(X, y):
        place = without_gradients(library, train)
        take = library_of(X_there).take
        model.fit(take(X_there, place, axis=0), take(y_there, place, axis=0))
        place = without_gradients(library, test)
        score = scorer(model, take(X_there, place, axis=0), take(y_there, place, axis=0))
        assert min(abs(score - other) for other in expected) < 1e-6 * abs(score)


@knows_arrays
def test_cross_val_score_of_tensors():
    torch = pytest.importorskip("torch")
    X, y = blobs()
    model = LogisticRegression(solver="lbfgs", tol=1e-10)
    expected = cross_val_score(model, X, y, scoring=cce_scorer)
    with config_context(array_api_dispatch=True):
        found = cross_val_score(model, torch.asarray(X), torch.asarray(y), scoring=cce_scorer)
        tensors = FunctionTransformer(torch.as_tensor)
        mixed = make_pipeline(StandardScaler(), tensors, model)
        scores = cross_val_score(mixed, X, y, scoring=cce_scorer)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    np.testing.assert_allclose(scores, expected, rtol=0.2)


# ------------------------------------------------------------------ metrics that work on the host


@pytest.mark.filterwarnings("ignore::skxent.ZeroProbabilityWarning")
def test_other_metrics_bring_their_arguments_to_the_host(library):
    y, Y, Z, P, w = problem()
    group = np.arange(N) % 7
    a = library.array
    for target in (y, Y):
        t, p, weight = a(target), a(P), a(w)
        assert str(cross_entropy_report(t, p, sample_weight=weight)) == str(
            cross_entropy_report(target, P, sample_weight=w)
        )
        assert str(decompose_cross_entropy(t, p)) == str(decompose_cross_entropy(target, P))
    losses = categorical_cross_entropy(a(y), a(Z), from_logits=True, reduction="none")
    expected = mean_loss_interval(to_numpy(losses), groups=group)
    assert mean_loss_interval(losses, groups=a(group)) == expected
    predictions = {"one": P, "other": P[:, ::-1]}
    theirs = {name: a(x) for name, x in predictions.items()}
    options = {"baseline": "one"}
    assert str(compare(a(y), theirs, sample_weight=a(w), **options)) == str(
        compare(y, predictions, sample_weight=w, **options)
    )
    model = Fixed(P, np.arange(K))
    score = discrimination_scorer(Fixed(a(P), a(np.arange(K))), None, a(y), a(w))
    assert score == discrimination_scorer(model, None, y, w)


@knows_arrays
def test_compare_cv_of_tensors():
    torch = pytest.importorskip("torch")
    X, y = blobs()
    models = {"weak": LogisticRegression(C=0.01), "strong": LogisticRegression(C=10.0)}
    expected = compare_cv(models, X, y, baseline="weak").to_frame()
    with config_context(array_api_dispatch=True):
        there = torch.asarray(X), torch.asarray(y)
        found = compare_cv(models, *there, baseline="weak").to_frame()
    pd.testing.assert_frame_equal(found, expected, rtol=1e-3)


# ------------------------------------------------------------------ without the switch


def test_without_dispatch_numpy_decides():
    torch = pytest.importorskip("torch")
    y, _, Z, _, _ = problem()
    options = {"from_logits": True, "reduction": "none"}
    found = categorical_cross_entropy(torch.tensor(y), torch.tensor(Z), **options)
    assert isinstance(found, np.ndarray)
    np.testing.assert_array_equal(found, categorical_cross_entropy(y, Z, **options))


@pytest.mark.parametrize("library", [Strict, Torch])
def test_without_dispatch_the_error_names_argument_and_cure(library):
    y, _, _, P, w = problem()
    a = library().array
    cure = r"\. Turn the array API on, .*set_config\(array_api_dispatch=True\), or .*\.cpu\(\)"
    for name, call in {
        "y_pred": lambda: categorical_cross_entropy(y, a(P)),
        "y_true": lambda: binary_cross_entropy(a(P), P),
        "sample_weight": lambda: categorical_cross_entropy(y, P, sample_weight=a(w), eps=0),
        "p": lambda: entropy(a(P)),
        r"Fixed\.predict_proba\(X\)": lambda: cce_scorer(Fixed(a(P), np.arange(K)), None, y),
    }.items():
        with pytest.raises(TypeError, match=f"^{name} cannot be read as a NumPy array: .*{cure}"):
            call()


def test_sparse_tensors_are_refused():
    torch = pytest.importorskip("torch")
    with config_context(array_api_dispatch=True), pytest.raises(TypeError, match=r"y_pred .*dense"):
        categorical_cross_entropy([0, 1], torch.eye(2).to_sparse())


def test_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "array_api_compat", None)
    with config_context(array_api_dispatch=True):
        assert categorical_cross_entropy([0, 1], pd.DataFrame(np.eye(2))) == 0.0
        with pytest.raises(ImportError, match="pip install array-api-compat"):
            categorical_cross_entropy([0, 1], strict.eye(2))


def test_lists_and_frames_are_numpys(library):
    y, _, _, P, _ = problem()
    assert namespace_of(P, P.tolist(), pd.DataFrame(P), pd.Series(y), None, 1.0, y[0]) is None
    assert namespace_of(P, library.array(P)) is library_of(library.array(P))
    with pytest.raises(TypeError):
        namespace_of(library.array(P), Other())


class Other:
    """An array of a third library."""

    def __dlpack__(self):
        raise NotImplementedError

    def __array_namespace__(self, api_version=None):
        return np


def test_arrays_move(library):
    device = strict.Device("device2")
    for values in (np.arange(3), np.arange(3.0)[::-1], np.array([True, False]), np.zeros((2, 0))):
        x = library.array(values)
        assert library.has(moved(values, like=library.array([0.0])))
        assert library.has(moved(strict.asarray(values, device=device), like=x))
        np.testing.assert_array_equal(moved(x, like=values), values)
        assert str(widened(x).dtype).endswith("float64")


def test_costs_of_both_rooms_have_the_same_names():
    names = {"categorical", "predicted", "binary", "label_costs", "soft_costs", "outcome_costs"}
    rooms = device_losses, probability_losses
    assert all(hasattr(room, name) for room in rooms for name in names)


def test_dispatch_needs_scipys_switch_which_scikit_learn_says():
    environment = {**os.environ, "SCIPY_ARRAY_API": "0"}
    script = "import sklearn; sklearn.set_config(array_api_dispatch=True)"
    run = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True
    )
    assert "SCIPY_ARRAY_API" in run.stderr


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


def test_a_device_beside_dask():
    """Threads of Dask do not know of the switch."""
    da = pytest.importorskip("dask.array")
    xp = pytest.importorskip("array_api_strict")
    y = xp.asarray([0, 1, 1], device=xp.Device("device1"))
    P = da.from_array(np.array([[0.5, 0.5], [0.25, 0.75], [0.5, 0.5]]), chunks=(2, 2))
    expected = categorical_cross_entropy([0, 1, 1], P.compute())
    with config_context(array_api_dispatch=True):
        assert categorical_cross_entropy(y, P) == pytest.approx(expected, rel=1e-15)
