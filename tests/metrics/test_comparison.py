"""Comparisons on one test set: paired differences, their tests, and Holm's adjustment."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import expit, softmax
from statsmodels.stats.multitest import multipletests

from skxent import ZeroProbabilityWarning, categorical_cross_entropy, compare, mean_loss_interval
from skxent.metrics.comparison import holm

COLUMNS = (
    *("mean", "difference", "standard_error", "low", "high"),
    *("t_statistic", "p_value", "p_adjusted"),
)


@pytest.fixture
def truth():
    return np.r_[0, 1, 2, np.random.default_rng(0).integers(3, size=147)]


@pytest.fixture
def models(truth):
    rng = np.random.default_rng(1)
    sharp = 2.0 * np.eye(3)[truth]
    return {
        "base": softmax(rng.normal(size=(150, 3)), axis=1),
        "same": softmax(rng.normal(size=(150, 3)), axis=1),
        "better": softmax(sharp + rng.normal(size=(150, 3)), axis=1),
        "worse": softmax(2 * rng.normal(size=(150, 3)), axis=1),
    }


@pytest.fixture
def losses(truth, models):
    return {
        name: categorical_cross_entropy(truth, P, reduction="none") for name, P in models.items()
    }


def assert_same(left, right, rtol=1e-12, names=COLUMNS):
    for name in names:
        np.testing.assert_allclose(getattr(left, name), getattr(right, name), rtol, err_msg=name)


# ------------------------------------------------------------------ oracles, identities


def test_is_the_paired_t_test(truth, models, losses):
    found = compare(truth, models, baseline="base")
    assert list(found.names) == ["same", "better", "worse"]
    for i, name in enumerate(found.names):
        expected = stats.ttest_rel(losses[name], losses["base"])
        np.testing.assert_allclose(found.t_statistic[i], expected.statistic, rtol=1e-11)
        np.testing.assert_allclose(found.p_value[i], expected.pvalue, rtol=1e-10)
        ends = tuple(expected.confidence_interval(0.95))
        np.testing.assert_allclose((found.low[i], found.high[i]), ends, rtol=1e-11)
    assert (found.n, found.df) == (150, 149)


@pytest.mark.parametrize("weighted", [False, True])
def test_difference_is_that_of_the_means(truth, models, weighted):
    weight = np.random.default_rng(2).random(150) if weighted else None
    found = compare(truth, models, baseline="better", sample_weight=weight)
    means = {
        name: categorical_cross_entropy(truth, P, sample_weight=weight)
        for name, P in models.items()
    }
    np.testing.assert_allclose(found.baseline_mean, means["better"], rtol=1e-13)
    np.testing.assert_allclose(found.mean, [means[name] for name in found.names], rtol=1e-13)
    np.testing.assert_allclose(
        found.difference, found.mean - found.baseline_mean, rtol=0, atol=1e-14
    )


def test_is_the_interval_of_the_differences(truth, models, losses):
    weight = np.random.default_rng(3).integers(0, 3, size=150)
    groups = np.arange(150) % 11
    found = compare(truth, models, baseline="base", sample_weight=weight, groups=groups, level=0.8)
    for i, name in enumerate(found.names):
        expected = mean_loss_interval(
            losses[name] - losses["base"], sample_weight=weight, groups=groups, level=0.8
        )
        assert found.difference[i] == expected.mean
        assert found.standard_error[i] == expected.standard_error
        assert (found.low[i], found.high[i]) == (expected.low, expected.high)
        p = 2 * stats.t.sf(abs(expected.mean / expected.standard_error), expected.df)
        assert found.df == expected.df
        np.testing.assert_allclose(found.p_value[i], p, rtol=1e-12)
    assert "11 groups" in found.method


def test_holm_is_that_of_statsmodels(truth, models):
    found = compare(truth, models, baseline="base")
    expected = multipletests(found.p_value, method="holm")[1]
    np.testing.assert_allclose(found.p_adjusted, expected, rtol=1e-14)
    single = compare(truth, models, baseline="base", correction=None)
    np.testing.assert_array_equal(single.p_adjusted, found.p_value)
    for p in np.random.default_rng(4).random((20, 6)) ** 3:
        np.testing.assert_allclose(holm(p), multipletests(p, method="holm")[1], rtol=1e-14)


def test_tails_do_not_underflow():
    """A p-value as 2 (1 - cdf) would be 0 from 1e-16 on."""
    rng = np.random.default_rng(5)
    y = rng.integers(2, size=500)
    p = np.clip(0.5 + 0.2 * (2 * y - 1) + 0.15 * rng.normal(size=500), 0.05, 0.95)
    found = compare(y, {"coin": np.full(500, 0.5), "good": p}, baseline="coin")
    assert 0 < found.p_value[0] < 1e-50


# ------------------------------------------------------------------ equivalences, invariances


def test_the_baseline_on_the_other_side_changes_signs(truth, models):
    two = {name: models[name] for name in ("base", "better")}
    one, other = (compare(truth, two, baseline=name) for name in two)
    np.testing.assert_allclose(one.difference, -other.difference, rtol=1e-13)
    np.testing.assert_allclose((one.low, one.high), (-other.high, -other.low), rtol=1e-12)
    np.testing.assert_allclose(one.p_value, other.p_value, rtol=1e-12)
    np.testing.assert_allclose(one.mean, other.baseline_mean, rtol=1e-15)


def test_bits_and_nats(truth, models):
    nats = compare(truth, models, baseline="base")
    bits = compare(truth, models, baseline="base", base=2)
    assert (nats.unit, bits.unit) == ("nats", "bits")
    np.testing.assert_allclose(bits.difference * np.log(2), nats.difference, rtol=1e-14)
    np.testing.assert_allclose(bits.standard_error * np.log(2), nats.standard_error, rtol=1e-14)
    assert_same(nats, bits, names=("t_statistic", "p_value", "difference_nats", "difference_bits"))
    np.testing.assert_allclose(nats.difference_bits, bits.difference, rtol=1e-14)


def test_weights_are_copies(truth, models):
    weight = np.random.default_rng(6).integers(0, 4, size=150)
    index = np.repeat(np.arange(150), weight)
    copied = {name: P[index] for name, P in models.items()}
    found = compare(truth, models, baseline="base", sample_weight=weight)
    expected = compare(truth[index], copied, baseline="base", labels=[0, 1, 2])
    assert_same(found, expected, rtol=1e-10)
    assert (found.n, found.df) == (expected.n, expected.df)


def test_every_form_of_truth_and_prediction(truth, models):
    names = np.array(["ant", "bee", "cow"])
    found = compare(truth, models, baseline="base")
    logits = {name: np.log(P) + 5.0 for name, P in models.items()}
    frames = {name: pd.DataFrame(P, columns=names) for name, P in models.items()}
    assert_same(found, compare(names[truth], frames, baseline="base"))
    assert_same(found, compare(np.eye(3)[truth], models, baseline="base"))
    with_logits = compare(truth, logits, baseline="base", from_logits=True)
    assert_same(found, with_logits, rtol=1e-9)
    turned = {name: P[:, ::-1] for name, P in models.items()}
    assert_same(found, compare(truth, turned, baseline="base", labels=[2, 1, 0]))
    single = {name: P.astype(np.float32) for name, P in models.items()}
    assert_same(found, compare(truth, single, baseline="base"), rtol=1e-3)


# ------------------------------------------------------------------ limits


def test_the_same_predictions_are_no_difference(truth, models):
    P = models["base"]
    found = compare(truth, {"base": P, "again": P.copy()}, baseline="base")
    assert (found.difference[0], found.t_statistic[0], found.p_value[0]) == (0.0, 0.0, 1.0)


def test_one_and_the_same_difference_has_no_p_value():
    """Five equal differences, but for rounding: they do not show how far others may be."""
    p = {"base": np.full(5, 0.5), "one": np.full(5, 0.3), "two": np.array([0.3] * 4 + [0.4])}
    found = compare([0] * 5, p, baseline="base", labels=[0, 1])
    assert found.standard_error[0] == 0
    assert np.isnan(found.p_value[0])
    assert np.isnan(found.p_adjusted[0])
    assert np.isfinite(found.p_value[1])
    assert "n/a" in str(found)


def test_rounding_of_large_losses_is_no_spread():
    Z = np.array([[0.0, 1e9 + 1.0], [0.0, 1e9], [0.0, 1e9 + 3.0]])
    with_noise = Z + np.array([[0.0, 1e-7], [0.0, 0.0], [0.0, 1e-7]])
    found = compare(
        [0, 0, 0], {"a": Z, "b": with_noise}, baseline="a", labels=[0, 1], from_logits=True
    )
    assert found.standard_error[0] == 0


def test_infinite_losses_are_refused_unless_they_have_no_weight():
    Z = {"a": np.zeros((3, 2)), "b": np.array([[-np.inf, 0.0], [0.0, 1.0], [1.0, 0.0]])}
    options = {"baseline": "a", "from_logits": True, "labels": [0, 1]}
    with pytest.raises(ValueError, match=r"y_preds\['b'\]: the loss of row 0 is infinite"):
        compare([0, 1, 1], Z, **options)
    found = compare([0, 1, 1], Z, sample_weight=[0, 1, 1], **options)
    expected = compare([1, 1], {name: z[1:] for name, z in Z.items()}, **options)
    assert_same(found, expected)


def test_the_floor_warns_its_caller():
    P = {"a": [[0.5, 0.5], [0.5, 0.5]], "b": [[1.0, 0.0], [1.0, 0.0]]}
    with pytest.warns(ZeroProbabilityWarning, match="1 of 2 samples") as caught:
        compare([0, 1], P, baseline="a")
    assert caught[0].filename == __file__


P = [[0.5, 0.5], [0.25, 0.75]]


@pytest.mark.parametrize(
    ("models", "options", "message"),
    [
        ({"a": P, "b": P}, {"baseline": "c"}, r"baseline='c' is not in y_preds, \['a', 'b'\]"),
        ({"a": P}, {"baseline": "a"}, r"y_preds holds nothing but the baseline"),
        ({"a": P, "b": [[2, 0], [0, 1]]}, {}, r"y_preds\['b'\]: y_pred has 2 in row 0"),
        ({"a": P, "b": P[:1]}, {}, r"y_preds\['b'\]: y_true has 2 samples but y_pred has 1"),
        ({"a": P, "b": P}, {"correction": "bh"}, r"correction='bh'"),
        ({"a": P, "b": P}, {"level": 1.0}, r"level=1.0"),
        ({"a": P, "b": P}, {"base": 0}, r"base=0"),
        ({"a": P, "b": P}, {"groups": [1, 1]}, r"one group has no standard error"),
        ({"a": P, "b": P}, {"groups": [1]}, r"groups has 1 samples but y_true has 2"),
        ({"a": P, "b": P}, {"sample_weight": [1]}, r"sample_weight has 1 samples but y_true"),
        ({"a": P, "b": P}, {"sample_weight": [1, 0]}, r"one sample has no standard error"),
    ],
)
def test_what_is_refused(models, options, message):
    with pytest.raises(ValueError, match=message):
        compare([0, 1], models, **{"baseline": "a", **options})


def test_a_list_of_predictions_is_refused():
    with pytest.raises(TypeError, match="y_preds is a list: pass a dict"):
        compare([0, 1], [P, P], baseline=0)


# ------------------------------------------------------------------ as text, HTML and frame


def test_text_html_and_frame(truth, models):
    models = {"<i>" + name if name == "worse" else name * 20: P for name, P in models.items()}
    found = compare(truth, models, baseline="base" * 20)
    assert max(map(len, found.summary().splitlines())) <= 80
    assert "by chance alone" in found.summary()
    assert "&lt;i&gt;worse" in found._repr_html_()
    frame = found.to_frame()
    assert list(frame.index) == list(found.names)
    expected = {
        "mean": found.mean,
        "difference": found.difference,
        "std_error": found.standard_error,
        "statistic": found.t_statistic,
        "p_value": found.p_value,
        "p_adjusted": found.p_adjusted,
        "conf_low": found.low,
        "conf_high": found.high,
    }
    assert list(frame) == list(expected)
    for name, values in expected.items():
        np.testing.assert_array_equal(frame[name], values)


# ------------------------------------------------------------------ how often it errs


def test_finds_a_difference_between_equals_as_often_as_it_says():
    """tests/benchmarks/bench_intervals.py has more of these, with more repetitions."""
    rng, p = np.random.default_rng(0), []
    for _ in range(400):
        z = rng.normal(scale=1.5, size=300)
        y = (rng.random(300) < expit(z)).astype(int)
        models = {name: expit(z + rng.normal(size=300)) for name in "ab"}
        p.append(compare(y, models, baseline="a").p_value[0])
    assert 0.02 <= np.mean(np.array(p) < 0.05) <= 0.08
    assert 0.4 <= np.mean(p) <= 0.6
