"""Arguments that are Dask collections of different kinds keep their places, whatever the mixture.

`dask.compute` returns arrays, and frames or delayed objects, in another order than they were passed
in (seen in Dask 2025.7 to 2026.8), so each function is called with every mixture of kinds.
"""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from sklearn.datasets import make_classification
from sklearn.naive_bayes import GaussianNB

dask = pytest.importorskip("dask")

import dask.array as da  # noqa: E402
import dask.bag as db  # noqa: E402
import dask.dataframe as dd  # noqa: E402

from skxent import (  # noqa: E402
    LogisticClassifier,
    LossDistributionDisplay,
    LossShareDisplay,
    ReliabilityDisplay,
    SoftmaxClassifier,
    infer,
)
from skxent.inputs.dask_arguments import computed  # noqa: E402
from skxent.metrics import (  # noqa: E402
    CrossEntropySum,
    binary_cross_entropy,
    categorical_cross_entropy,
    cce_scorer,
    compare,
    compare_cv,
    cross_entropy_report,
    decompose_cross_entropy,
    discrimination_scorer,
    kl_divergence,
    mean_loss_interval,
    miscalibration_scorer,
)

N = 24
rng = np.random.default_rng(5)
Y = rng.integers(2, size=N)
# Predictions of two models, and weights and groups, are valid in each other's place, so that only
# the result can tell whether they have been swapped.
P, Q = rng.uniform(0.05, 0.95, size=(2, N))
W, GROUPS = rng.integers(1, 6, size=(2, N))
SOFT, ROWS, OTHER = softmax(rng.normal(size=(3, N, 3)), axis=2)


@pytest.fixture(autouse=True)
def scheduler():
    with dask.config.set(scheduler="synchronous"):
        yield


def array(values):
    return da.from_array(values, chunks=(7, *values.shape[1:]))


def frame(values):
    shape = {1: pd.Series, 2: pd.DataFrame}[values.ndim]
    return dd.from_pandas(shape(values), npartitions=3)


def lazy(values):
    return dask.delayed(np.copy)(values)


def bag(values):
    return db.from_sequence(values.tolist(), npartitions=3)


def memory(values):
    return values


KINDS = [array, frame, lazy, bag, memory]
PARTITIONED = [array, frame, memory]


def mixtures(kinds, number):
    """All mixtures of so many arguments with a Dask collection among them."""
    found = [mix for mix in product(kinds, repeat=number) if set(mix) != {memory}]
    return pytest.mark.parametrize(
        "kinds", found, ids=["-".join(kind.__name__ for kind in mix) for mix in found]
    )


def same(found, expected):
    for name, value in vars(expected).items():
        got = getattr(found, name)
        if isinstance(value, np.ndarray | float) and np.asarray(value).dtype.kind in "iuf":
            np.testing.assert_allclose(got, value, rtol=1e-12, err_msg=name)
        elif isinstance(value, tuple):
            for one, two in zip(got, value, strict=True):
                np.testing.assert_allclose(one, two, rtol=1e-12, err_msg=name)
        else:
            assert np.all(got == value), name


@mixtures(KINDS, 3)
def test_here(kinds):
    given = np.arange(5.0), np.arange(5.0) + 10, np.arange(5.0) + 20
    found = computed(*(kind(values) for kind, values in zip(kinds, given, strict=True)), None, "x")
    assert found[3:] == (None, "x")
    for got, expected in zip(found, given, strict=False):
        np.testing.assert_array_equal(got, expected)


@mixtures(KINDS, 3)
@pytest.mark.thinned(4)
def test_compare(kinds):
    y, p, q = (kind(values) for kind, values in zip(kinds, (Y, P, Q), strict=True))
    same(compare(y, {"p": p, "q": q}, baseline="p"), compare(Y, {"p": P, "q": Q}, baseline="p"))


@mixtures([array, frame, lazy], 3)
def test_compare_with_weights_and_groups(kinds):
    p, w, g = (kind(values) for kind, values in zip(kinds, (P, W, GROUPS), strict=True))
    expected = compare(Y, {"p": P, "q": Q}, baseline="q", sample_weight=W, groups=GROUPS)
    for y in array(Y), frame(Y), Y:
        found = compare(y, {"p": p, "q": Q}, baseline="q", sample_weight=w, groups=g)
        same(found, expected)


@mixtures(KINDS, 3)
@pytest.mark.thinned(4)
def test_mean_loss_interval(kinds):
    losses, w, g = (kind(values) for kind, values in zip(kinds, (P, W, GROUPS), strict=True))
    expected = mean_loss_interval(P, sample_weight=W, groups=GROUPS)
    same(mean_loss_interval(losses, sample_weight=w, groups=g), expected)


@mixtures(KINDS, 3)
@pytest.mark.thinned(4)
def test_report_and_decomposition(kinds):
    y, p, w = (kind(values) for kind, values in zip(kinds, (Y, P, W), strict=True))
    for function in cross_entropy_report, decompose_cross_entropy:
        same(function(y, p, sample_weight=w), function(Y, P, sample_weight=W))


@mixtures([array, frame, lazy], 4)
def test_report_by_group(kinds):
    given = (kind(values) for kind, values in zip(kinds, (Y, P, W, GROUPS), strict=True))
    y, p, w, by = given
    expected = cross_entropy_report(Y, P, sample_weight=W, by=GROUPS)
    same(cross_entropy_report(y, p, sample_weight=w, by=by), expected)


@mixtures([array, frame], 3)
def test_soft_rows(kinds):
    y, p, w = (kind(values) for kind, values in zip(kinds, (SOFT, ROWS, W), strict=True))
    for function in cross_entropy_report, decompose_cross_entropy:
        same(function(y, p, sample_weight=w), function(SOFT, ROWS, sample_weight=W))
    models = {"p": p, "q": OTHER}
    expected = compare(SOFT, {"p": ROWS, "q": OTHER}, baseline="q", sample_weight=W)
    same(compare(y, models, baseline="q", sample_weight=w), expected)


@mixtures(PARTITIONED, 3)
@pytest.mark.thinned(2)
def test_losses(kinds):
    y, p, w = (kind(values) for kind, values in zip(kinds, (Y, P, W), strict=True))
    for loss in categorical_cross_entropy, binary_cross_entropy:
        expected = loss(Y, P, sample_weight=W)
        assert loss(y, p, sample_weight=w) == pytest.approx(expected, rel=1e-14)
        pair = CrossEntropySum.of(y, p, sample_weight=w, loss=loss)
        assert pair.mean == pytest.approx(expected, rel=1e-14)


@mixtures(PARTITIONED, 2)
def test_divergence(kinds):
    p, q = (kind(values) for kind, values in zip(kinds, (SOFT, ROWS), strict=True))
    np.testing.assert_allclose(kl_divergence(p, q), kl_divergence(SOFT, ROWS), rtol=1e-14)


X, LABELS = make_classification(90, 4, n_informative=3, n_redundant=0, flip_y=0.2, random_state=1)
WEIGHT = rng.uniform(0.5, 2, size=len(X))
CLUSTERS = rng.integers(20, size=len(X))
MODEL = LogisticClassifier(C=np.inf).fit(X, LABELS, WEIGHT)


@mixtures(PARTITIONED, 3)
@pytest.mark.parametrize("scorer", [cce_scorer, miscalibration_scorer, discrimination_scorer])
@pytest.mark.thinned(4)
def test_scorers(kinds, scorer):
    x, y, w = (kind(values) for kind, values in zip(kinds, (X, LABELS, WEIGHT), strict=True))
    for model in MODEL, GaussianNB().fit(X, LABELS):
        if kinds[0] is not memory and model is not MODEL:
            continue  # predicts no collection
        expected = scorer(model, X, LABELS, WEIGHT)
        assert scorer(model, x, y, w) == pytest.approx(expected, rel=1e-12)


@mixtures(PARTITIONED, 3)
@pytest.mark.thinned(4)
def test_fits(kinds):
    x, y, w = (kind(values) for kind, values in zip(kinds, (X, LABELS, WEIGHT), strict=True))
    found = LogisticClassifier(tol=1e-12).fit(x, y, w)
    expected = LogisticClassifier(tol=1e-12).fit(X, LABELS, WEIGHT)
    np.testing.assert_allclose(found.coef_, expected.coef_, rtol=1e-5)


@mixtures(PARTITIONED, 3)
def test_inference(kinds):
    x, y, w = (kind(values) for kind, values in zip(kinds, (X, LABELS, WEIGHT), strict=True))
    options = {"covariance": "cluster", "groups": CLUSTERS}
    expected = infer(MODEL, X, LABELS, sample_weight=WEIGHT, **options)
    found = infer(MODEL, x, y, sample_weight=w, **options)
    np.testing.assert_allclose(found.standard_errors, expected.standard_errors, rtol=1e-10)


@mixtures([array, frame, memory], 4)
@pytest.mark.thinned(4)
def test_compare_cv(kinds):
    given = X, LABELS, CLUSTERS, WEIGHT
    models = {"strong": SoftmaxClassifier(C=1.0), "weak": SoftmaxClassifier(C=0.001)}
    x, y, g, w = (kind(values) for kind, values in zip(kinds, given, strict=True))
    options = {"baseline": "weak", "cv": 2}
    expected = _expected_comparison()
    same(compare_cv(models, x, y, groups=g, sample_weight=w, **options), expected)


def _expected_comparison(found=[]):  # noqa: B006 - computed once for all mixtures
    if not found:
        models = {"strong": SoftmaxClassifier(C=1.0), "weak": SoftmaxClassifier(C=0.001)}
        options = {"groups": CLUSTERS, "sample_weight": WEIGHT, "baseline": "weak", "cv": 2}
        found.append(compare_cv(models, X, LABELS, **options))
    return found[0]


@mixtures([array, frame], 3)
@pytest.mark.thinned(4)
def test_displays(kinds):
    pytest.importorskip("matplotlib")
    plt = pytest.importorskip("matplotlib.pyplot")
    y, p, w = (kind(values) for kind, values in zip(kinds, (Y, P, W), strict=True))
    found = LossDistributionDisplay.from_predictions(y, p, sample_weight=w)
    expected = LossDistributionDisplay.from_predictions(Y, P, sample_weight=W)
    np.testing.assert_array_equal(found.losses, expected.losses)
    found = ReliabilityDisplay.from_predictions(y, p, sample_weight=w)
    expected = ReliabilityDisplay.from_predictions(Y, P, sample_weight=W)
    same(found.decomposition, expected.decomposition)
    found = LossShareDisplay.from_predictions(y, p, sample_weight=w)
    same(found.report, LossShareDisplay.from_predictions(Y, P, sample_weight=W).report)
    plt.close("all")
