"""Weights and losses at the ends of float64: the right mean, or an error with their name."""

import math
from fractions import Fraction

import numpy as np
import pytest
from fixed_predictions import Fixed

from skxent import LogisticClassifier, SoftmaxClassifier
from skxent.metrics import (
    CrossEntropySum,
    binary_cross_entropy,
    categorical_cross_entropy,
    cce_scorer,
    cce_sum_scorer,
    compare,
    cross_entropy_report,
    decompose_cross_entropy,
    mean_loss_interval,
)

N, K = 50, 3
TOO_SMALL_OR_LARGE = "sample_weight is too (small|large)"


def problem(seed):
    rng = np.random.default_rng(seed)
    P = rng.dirichlet(np.ones(K), size=N)
    return P, np.append(np.arange(K), rng.integers(K, size=N - K)), 0.1 + 0.9 * rng.random(N)


def exact_mean(losses, weight):
    """The weighted mean by exact rational numbers, rounded once."""
    pairs = [(Fraction(float(w)), Fraction(float(l))) for w, l in zip(weight, losses, strict=True)]
    return float(sum(w * l for w, l in pairs) / sum(w for w, _ in pairs))


# Largest weights from the smallest to the largest float64 there is.
SIZES = [5e-324, 1e-320, 1e-310, 1e-305, 1e-250, 1e-20, 1.0, 1e20, 1e250, 1e300, 1.7e308]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("seed", range(3))
def test_means_are_right_for_weights_of_every_size(size, seed):
    P, y, weight = problem(seed)
    weight = weight * size
    losses = categorical_cross_entropy(y, P, reduction="none")
    expected = exact_mean(losses, weight)
    found = {
        "loss": categorical_cross_entropy(y, P, sample_weight=weight),
        "logits": categorical_cross_entropy(y, np.log(P), from_logits=True, sample_weight=weight),
        "scorer": -cce_scorer(Fixed(P, np.arange(K)), None, y, sample_weight=weight),
        "interval": mean_loss_interval(losses, sample_weight=weight).mean,
        "compare": compare(y, {"a": P, "b": P}, baseline="a", sample_weight=weight).mean[0],
    }
    for name, value in found.items():
        np.testing.assert_allclose(value, expected, rtol=1e-13, err_msg=name)
    yes = binary_cross_entropy(y > 0, 1 - P[:, 0], sample_weight=weight)
    each = binary_cross_entropy(y > 0, 1 - P[:, 0], reduction="none")
    np.testing.assert_allclose(yes, exact_mean(each, weight), rtol=1e-13)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("seed", range(2))
def test_sums_are_right_or_refused(size, seed):
    P, y, weight = problem(seed)
    weight = weight * size
    losses = categorical_cross_entropy(y, P, reduction="none")
    sums = {
        "loss": lambda: categorical_cross_entropy(y, P, sample_weight=weight, reduction="sum"),
        "scorer": lambda: -cce_sum_scorer(Fixed(P, np.arange(K)), None, y, sample_weight=weight),
        "pair": lambda: CrossEntropySum.of(y, P, sample_weight=weight).total,
    }
    means = {
        "pair": lambda: CrossEntropySum.of(y, P, sample_weight=weight).mean,
        "report": lambda: cross_entropy_report(y, P, sample_weight=weight).total_mean,
        "parts": lambda: decompose_cross_entropy(y, P, sample_weight=weight).loss,
    }
    exact = sum(
        Fraction(float(w)) * Fraction(float(l)) for w, l in zip(weight, losses, strict=True)
    )
    mean, refused = exact_mean(losses, weight), not 1e-289 < size < 1e289
    for functions, expected in ((sums, exact), (means, mean)):
        for name, function in functions.items():
            try:
                value = function()
            except ValueError as error:
                assert refused, name
                assert str(error).startswith("sample_weight is too "), error
            else:
                np.testing.assert_allclose(value, float(expected), rtol=1e-13, err_msg=name)


@pytest.mark.parametrize("classifier", [SoftmaxClassifier, LogisticClassifier])
@pytest.mark.parametrize("size", [5e-324, 1e-310, 1e300, 1.7e308])
def test_fits_refuse_weights_whose_sums_lose_digits(classifier, size):
    P, y, weight = problem(0)
    with pytest.raises(ValueError, match=TOO_SMALL_OR_LARGE):
        classifier().fit(P, y > 0, weight * size)


@pytest.mark.parametrize("size", [1e-280, 1e-100, 1e100, 1e280])
def test_fits_do_not_depend_on_the_unit_of_weights_and_penalty(size):
    P, y, weight = problem(1)
    once = SoftmaxClassifier(tol=1e-10).fit(P, y, weight)
    tol = 1e-10 * min(size, 1.0)
    again = SoftmaxClassifier(C=1 / size, tol=tol).fit(P, y, weight * size)
    np.testing.assert_allclose(again.predict_proba(P), once.predict_proba(P), rtol=1e-4)


@pytest.mark.parametrize("size", [1e-310, 1e305])
def test_partitions_refuse_weights_whose_sums_lose_digits(size):
    array = pytest.importorskip("dask.array")
    P, y, weight = problem(0)
    lazy = [array.from_array(x, chunks=20) for x in (y, P, weight * size)]
    lazy[1] = lazy[1].rechunk((20, -1))
    with pytest.raises(ValueError, match=TOO_SMALL_OR_LARGE):
        categorical_cross_entropy(*lazy[:2], sample_weight=lazy[2])
    with pytest.raises(ValueError, match=TOO_SMALL_OR_LARGE):
        SoftmaxClassifier().fit(lazy[1], lazy[0], lazy[2])


def test_weights_over_forty_orders_of_magnitude():
    for seed in range(20):
        P, y, _ = problem(seed)
        weight = 10.0 ** np.random.default_rng(seed).uniform(-20, 20, size=N)
        losses = categorical_cross_entropy(y, P, reduction="none")
        found = categorical_cross_entropy(y, P, sample_weight=weight)
        np.testing.assert_allclose(found, exact_mean(losses, weight), rtol=1e-13)


@pytest.mark.parametrize("loss", [5e-324, 1e-310, 1e-200, 1e200, 1e307, 1.79e308])
@pytest.mark.parametrize("size", [None, 1e-200, 1e200])
def test_means_of_losses_of_every_size(loss, size):
    """From logits, whose losses are exact: two classes apart by 1e308, or by log(loss)."""
    z = np.array([-loss if loss > 1 else -math.log(loss)])
    p = np.column_stack([0 * z, z]).repeat(5, axis=0)
    weight = None if size is None else np.full(5, size)
    each = categorical_cross_entropy(
        np.ones(5), p, from_logits=True, labels=[0, 1], reduction="none"
    )
    found = categorical_cross_entropy(
        np.ones(5), p, from_logits=True, labels=[0, 1], sample_weight=weight
    )
    np.testing.assert_allclose(found, each[0], rtol=1e-13)
    interval = mean_loss_interval(each, sample_weight=weight)
    np.testing.assert_allclose([interval.mean, interval.standard_error], [each[0], 0], rtol=1e-13)


def test_a_sum_beyond_the_largest_float_is_refused():
    logits = np.array([[0.0, 1.7e308]] * 3)
    with pytest.raises(ValueError, match="sum of the losses is larger than the largest float"):
        categorical_cross_entropy([0] * 3, logits, from_logits=True, labels=[0, 1], reduction="sum")
    assert categorical_cross_entropy([0], [[1.0, 0.0]], labels=[1, 0], eps=0, reduction="sum") > 0
