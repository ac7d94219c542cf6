"""Labels that do not count: as if their samples were left out, to the last bit."""

import warnings

import numpy as np
import pandas as pd
import pytest
from fixed_predictions import Fixed
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.semi_supervised import SelfTrainingClassifier

from skxent.metrics import (
    CrossEntropySum,
    ZeroProbabilityWarning,
    binary_cross_entropy,
    categorical_cross_entropy,
    compare,
    cross_entropy_report,
    make_cross_entropy_scorer,
)

K = 3
NAMES = np.array(["ant", "bee", "cow"])
ROUTES = ("mean", "sum", "none", "pair")


def problem(n):
    """Logits, codes of which a third is -100, and weights."""
    rng = np.random.default_rng(n)
    codes = rng.integers(K, size=n)
    codes[:K] = range(K)
    codes[K:][rng.random(n - K) < 0.4] = -100
    return 3 * rng.normal(size=(n, K)), codes, rng.uniform(0, 2, size=n)


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


# ------------------------------------------------------------------ errors

HALF = np.full((3, 2), 0.5)
WRONG = {
    "none left": (lambda: categorical_cross_entropy([7] * 3, HALF, ignore_label=7), "every label"),
    "none left of a sum": (
        lambda: binary_cross_entropy([7] * 3, HALF, ignore_label=7, reduction="sum"),
        r"every label in y_true is ignore_label.*the pair \(0, 0\)",
    ),
    "no weight left": (
        lambda: categorical_cross_entropy([0, 1, 7], HALF, ignore_label=7, sample_weight=[0, 0, 1]),
        "sample_weight is zero for every sample whose label is not ignore_label",
    ),
    "a bad weight": (
        lambda: categorical_cross_entropy(
            [0, 1, 7], HALF, ignore_label=7, sample_weight=[1, 1, np.nan]
        ),
        r"sample_weight\[2\] is nan",
    ),
    "a class": (
        lambda: categorical_cross_entropy([0, 1, 0], HALF, ignore_label=0, labels=[0, 1]),
        r"ignore_label=0 is a class in labels, \[0, 1\].*sample_weight",
    ),
    "a column": (
        lambda: categorical_cross_entropy(
            ["a", "b", "a"], pd.DataFrame(HALF, columns=["a", "b"]), ignore_label="b"
        ),
        "ignore_label='b' is a class in the column names of y_pred",
    ),
    "a column of text": (
        lambda: categorical_cross_entropy(
            [5, 6, 5], pd.DataFrame(HALF, columns=["5", "6"]), ignore_label=5
        ),
        "ignore_label=5 is a class in the column names",
    ),
    "yes": (
        lambda: binary_cross_entropy([0, 7, 0], HALF, ignore_label=7, pos_label=7),
        "pos_label=7 is ignore_label too",
    ),
    "one-hot rows": (
        lambda: categorical_cross_entropy(np.eye(2), HALF[:2], ignore_label=0),
        r"y_true has shape \(2, 2\): one-hot and soft rows hold no labels. Pass sample_weight",
    ),
    "outcomes": (
        lambda: binary_cross_entropy(np.eye(2), HALF[:2], ignore_label=0),
        r"y_true has shape \(2, 2\): .*Score each column",
    ),
    "another kind": (
        lambda: categorical_cross_entropy(["a", "b", "a"], HALF, ignore_label=-100),
        "convert one to the type of the other",
    ),
    "an unknown label": (
        lambda: categorical_cross_entropy([7, 0, 9], HALF, ignore_label=7, labels=[0, 1]),
        r"y_true\[2\] is 9, which is not in labels",
    ),
    "NaN in a row that does not count": (
        lambda: categorical_cross_entropy(
            [0, 1, 7], [[0.5, 0.5], [0.5, 0.5], [np.nan, 1]], ignore_label=7
        ),
        "y_pred has NaN or infinity in row 2",
    ),
    "too few classes": (
        lambda: categorical_cross_entropy([0, 7, 0], HALF, ignore_label=7),
        "y_true holds 1 classes",
    ),
}


@pytest.mark.parametrize("call, message", WRONG.values(), ids=WRONG)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_nan_is_refused_where_the_weight_is_zero_too():
    """Rows that do not count are checked as rows of weight 0 are."""
    rows = [[0.5, 0.5], [0.5, 0.5], [np.nan, 1]]
    for options in ({"sample_weight": [1, 1, 0]}, {"ignore_label": 0, "labels": [1, 2]}):
        y = [1, 2, 0] if "labels" in options else [1, 2, 1]
        with pytest.raises(ValueError, match="y_pred has NaN or infinity in row 2"):
            categorical_cross_entropy(y, rows, **options)


def test_nothing_that_counts_is_an_empty_pair_and_zeros():
    y = [7, 7, 7]
    assert CrossEntropySum.of(y, HALF, ignore_label=7) == CrossEntropySum()
    assert CrossEntropySum.of(y, HALF, ignore_label=7, sample_weight=[1, 2, 3]).weight == 0
    np.testing.assert_array_equal(
        categorical_cross_entropy(y, HALF, ignore_label=7, reduction="none"), np.zeros(3)
    )


# ------------------------------------------------------------------ reports, comparisons, scorers


def test_reports_and_comparisons_leave_them_out():
    Z, codes, w = problem(200)
    P, Q, kept = softmax(Z, axis=1), softmax(Z / 2, axis=1), codes >= 0
    groups = np.arange(200) % 7
    for weight in (None, np.round(w), w):
        rest = None if weight is None else weight[kept]
        for by in ("class", groups):
            found = cross_entropy_report(codes, P, by=by, sample_weight=weight, ignore_label=-100)
            of = by if isinstance(by, str) else by[kept]
            expected = cross_entropy_report(codes[kept], P[kept], by=of, sample_weight=rest)
            assert str(found).split("Costliest")[0] == str(expected).split("Costliest")[0]
            for name in ("n", "weight", "sum", "mean", "standard_error", "total_mean", "total_n"):
                np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
            for ours, theirs in zip(found.worst, expected.worst, strict=True):
                np.testing.assert_array_equal(ours, np.flatnonzero(kept)[theirs])
        for given in (None, groups):
            found = compare(
                codes, {"P": P, "Q": Q}, baseline="P", sample_weight=weight, groups=given,
                ignore_label=-100,
            )  # fmt: skip
            expected = compare(
                codes[kept],
                {"P": P[kept], "Q": Q[kept]},
                baseline="P",
                sample_weight=rest,
                groups=None if given is None else given[kept],
            )
            assert str(found) == str(expected)
            assert found.p_value == expected.p_value
    for call in (
        lambda y: cross_entropy_report(y, P, ignore_label=-100),
        lambda y: compare(y, {"P": P, "Q": Q}, baseline="P", labels=range(K), ignore_label=-100),
    ):
        with pytest.raises(ValueError, match="every label in y_true is ignore_label"):
            call(np.full(200, -100))


@pytest.mark.parametrize("loss", ["categorical", "binary"])
@pytest.mark.parametrize("eps", [None, 0])
def test_scorers(loss, eps):
    Z, codes, w = problem(200)
    y = codes if loss == "categorical" else np.where(codes == 2, 0, codes)
    P = softmax(Z if loss == "categorical" else Z[:, :2], axis=1)
    kept, names = y >= 0, np.arange(P.shape[1])
    for reduction in ("mean", "sum"):
        plain = make_cross_entropy_scorer(loss, reduction=reduction, eps=eps)
        scorer = make_cross_entropy_scorer(loss, reduction=reduction, eps=eps, ignore_label=-100)
        assert "ignore_label=-100" in repr(scorer)
        for weight in (None, w):
            found = scorer(Fixed(P, names), None, y, weight)
            rest = None if weight is None else weight[kept]
            assert found == plain(Fixed(P[kept], names), None, y[kept], rest)
    with pytest.raises(ValueError, match=r"ignore_label=1 is a class in classes_"):
        make_cross_entropy_scorer(loss, ignore_label=1)(Fixed(P, names), None, y)
    with pytest.raises(ValueError, match="every label in y_true is ignore_label"):
        scorer(Fixed(P, names), None, np.full(200, -100))
    with pytest.raises(ValueError, match="ignore_label is for labels"):
        scorer(Fixed(P, names), None, P)
    with pytest.raises(ValueError, match="pass one label"):
        make_cross_entropy_scorer(loss, ignore_label=[1])


def test_scorers_of_dask_partitions():
    da = pytest.importorskip("dask.array")
    Z, codes, w = problem(200)
    P = softmax(Z, axis=1)
    codes[:50] = -100
    lazy = da.from_array(codes, chunks=50)
    for loss, y, p in [
        ("categorical", lazy, P),
        ("binary", da.minimum(lazy, 1), softmax(Z[:, :2], axis=1)),
    ]:
        scorer = make_cross_entropy_scorer(loss, ignore_label=-100)
        model = Fixed(da.from_array(p, chunks=(50, p.shape[1])), np.arange(p.shape[1]))
        expected = scorer(Fixed(p, np.arange(p.shape[1])), None, y.compute(), w)
        found = scorer(model, None, y, da.from_array(w, chunks=50))
        assert found == pytest.approx(expected, rel=1e-14)


def test_samples_without_a_label_in_semi_supervised_learning():
    """scikit-learn marks them by -1; the classifier never learns that as a class."""
    rng = np.random.default_rng(0)
    truth = rng.integers(K, size=150)
    X = rng.normal(size=(150, 2)) + 2 * truth[:, None]
    y = np.where(rng.random(150) < 0.5, -1, truth)
    cv = StratifiedKFold(3)
    model = SelfTrainingClassifier(LogisticRegression(), criterion="k_best", k_best=5)
    scorer = make_cross_entropy_scorer(ignore_label=-1)
    scores = cross_val_score(model, X, y, scoring=scorer, cv=cv)
    for score, (train, test) in zip(scores, cv.split(X, y), strict=True):
        fitted = model.fit(X[train], y[train])
        test = test[y[test] >= 0]
        P = fitted.predict_proba(X[test])
        assert score == -categorical_cross_entropy(y[test], P, labels=fitted.classes_)
