"""Intervals of a mean: against statsmodels, weights as copies, groups, and how often they hold."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.weightstats import DescrStatsW

from skxent import mean_loss_interval


@pytest.fixture
def losses():
    return np.random.default_rng(0).exponential(size=120)


@pytest.fixture
def groups():
    return np.random.default_rng(1).integers(17, size=120)


@pytest.fixture
def counts():
    return np.random.default_rng(2).integers(0, 4, size=120)


def assert_same(left, right, rtol=1e-12):
    for name in ("mean", "standard_error", "low", "high", "n", "df"):
        np.testing.assert_allclose(getattr(left, name), getattr(right, name), rtol, err_msg=name)


# ------------------------------------------------------------------ oracles


@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
def test_is_the_t_interval(losses, level):
    found = mean_loss_interval(losses, level=level)
    expected = stats.ttest_1samp(losses, 0.0).confidence_interval(level)
    np.testing.assert_allclose((found.low, found.high), tuple(expected), rtol=1e-12)
    np.testing.assert_allclose(found.standard_error, stats.sem(losses), rtol=1e-13)
    assert (found.n, found.df, found.level) == (120, 119, level)


def test_counts_are_those_of_statsmodels(losses, counts):
    found = mean_loss_interval(losses, sample_weight=counts)
    theirs = DescrStatsW(losses, weights=counts)
    np.testing.assert_allclose(found.standard_error, theirs.std_mean, rtol=1e-12)
    np.testing.assert_allclose((found.low, found.high), theirs.tconfint_mean(), rtol=1e-12)
    assert found.n == counts.sum()


@pytest.mark.parametrize("weighted", [False, True])
def test_groups_are_the_clusters_of_statsmodels(losses, groups, weighted):
    weight = np.random.default_rng(3).random(120) if weighted else np.ones(120)
    model = sm.WLS(losses, np.ones(120), weights=weight)
    theirs = model.fit(cov_type="cluster", cov_kwds={"groups": groups}, use_t=True)
    found = mean_loss_interval(
        losses, groups=groups, sample_weight=weight if weighted else None, level=0.9
    )
    np.testing.assert_allclose(found.mean, theirs.params[0], rtol=1e-12)
    np.testing.assert_allclose(found.standard_error, theirs.bse[0], rtol=1e-12)
    assert found.df == len(np.unique(groups)) - 1
    half = stats.t.isf(0.05, found.df) * theirs.bse[0]
    np.testing.assert_allclose(found.high - found.mean, half, rtol=1e-11)


def test_importances_are_those_of_a_sandwich(losses):
    weight = np.random.default_rng(4).random(120)
    theirs = sm.WLS(losses, np.ones(120), weights=weight).fit(cov_type="HC1")
    found = mean_loss_interval(losses, sample_weight=weight)
    np.testing.assert_allclose(found.standard_error, theirs.bse[0], rtol=1e-12)
    assert (found.n, found.df) == (120, 119)


# ------------------------------------------------------------------ equivalences, invariances


@pytest.mark.parametrize("grouped", [False, True])
def test_weights_are_copies(losses, counts, groups, grouped):
    index = np.repeat(np.arange(120), counts)
    pick = (lambda rows: groups[rows]) if grouped else (lambda rows: None)
    weighted = mean_loss_interval(losses, sample_weight=counts, groups=pick(slice(None)))
    assert_same(weighted, mean_loss_interval(losses[index], groups=pick(index)))


def test_each_sample_a_group_of_its_own(losses, counts):
    own = np.arange(120)
    assert_same(mean_loss_interval(losses), mean_loss_interval(losses, groups=own))
    halves = mean_loss_interval(losses, sample_weight=counts / 2 + 0.25)
    grouped = mean_loss_interval(losses, sample_weight=counts / 2 + 0.25, groups=own)
    assert_same(halves, grouped)
    # what a count says more than an importance of the same size
    as_counts = mean_loss_interval(losses, sample_weight=10.0 * counts)
    as_importances = mean_loss_interval(losses, sample_weight=10.0 * counts, groups=own)
    assert as_counts.standard_error < 0.5 * as_importances.standard_error


def test_the_size_of_importances_does_not_matter(losses):
    weight = np.random.default_rng(5).random(120)
    once = mean_loss_interval(losses, sample_weight=weight)
    for factor in (1e-9, 7.3, 1e300):
        assert_same(once, mean_loss_interval(losses, sample_weight=factor * weight))


@pytest.mark.parametrize("factor", [1e-200, 1e-3, 1e200])
def test_units(losses, factor):
    once, scaled = mean_loss_interval(losses), mean_loss_interval(factor * losses)
    for name in ("mean", "standard_error", "low", "high"):
        np.testing.assert_allclose(getattr(scaled, name), factor * getattr(once, name), rtol=1e-12)


def test_names_of_groups_and_order_do_not_matter(losses, groups):
    order = np.random.default_rng(6).permutation(120)
    once = mean_loss_interval(losses, groups=groups)
    names = np.array([f"patient {group:02}" for group in groups])
    assert_same(once, mean_loss_interval(losses[order], groups=names[order]))
    assert_same(once, mean_loss_interval(pd.Series(losses), groups=pd.Series(names)))


def test_samples_of_weight_zero_are_absent(losses, groups):
    weight = np.r_[np.ones(60), np.zeros(60)]
    assert_same(
        mean_loss_interval(losses, sample_weight=weight, groups=groups),
        mean_loss_interval(losses[:60], groups=groups[:60]),
    )


# ------------------------------------------------------------------ limits


def test_equal_losses_have_no_error():
    found = mean_loss_interval(np.full(7, 0.1))
    assert (found.low, found.standard_error, found.high) == (0.1, 0.0, 0.1)


@pytest.mark.parametrize(
    ("losses", "options", "message"),
    [
        ([1.0, np.nan], {}, r"losses\[1\] is nan"),
        ([1.0, np.inf], {}, r"losses\[1\] is inf"),
        ([], {}, r"losses has shape \(0,\)"),
        ([[1.0, 2.0]], {}, r"losses has shape \(1, 2\)"),
        (["a", "b"], {}, r"losses does not hold numbers"),
        ([1.0], {}, r"one sample has no standard error"),
        ([1.0, 2.0], {"sample_weight": [0.0, 0.5]}, r"one sample has no standard error"),
        ([1.0, 2.0], {"groups": ["a", "a"]}, r"one group has no standard error"),
        ([1.0, 2.0], {"sample_weight": [1.0]}, r"sample_weight has 1 samples but losses has 2"),
        ([1.0, 2.0], {"sample_weight": [1.0, -1.0]}, r"sample_weight\[1\] is -1"),
        ([1.0, 2.0], {"sample_weight": [0.0, 0.0]}, r"sample_weight is zero"),
        ([1.0, 2.0], {"groups": ["a"]}, r"groups has 1 samples but losses has 2"),
        ([1.0, 2.0], {"groups": ["a", None]}, r"groups\[1\] is None"),
        ([1.0, 2.0], {"level": 95}, r"level=95: pass a number between 0 and 1"),
        ([1.0, 2.0], {"level": np.nan}, r"level=nan"),
        ([1.0, 2.0], {"level": "0.95"}, r"level='0.95'"),
    ],
)
def test_what_is_refused(losses, options, message):
    with pytest.raises(ValueError, match=message):
        mean_loss_interval(losses, **options)


# ------------------------------------------------------------------ how often it holds


@pytest.mark.parametrize("grouped", [False, True])
def test_holds_the_mean_as_often_as_it_says(grouped):
    """tests/benchmarks/bench_intervals.py has more of these, with more repetitions."""
    rng, held = np.random.default_rng(0), 0
    groups = np.repeat(np.arange(50), 10)
    for _ in range(400):
        losses = rng.exponential(size=500)
        if grouped:
            losses *= rng.gamma(2.0, 0.5, size=50)[groups]
        found = mean_loss_interval(losses, groups=groups if grouped else None)
        held += found.low <= 1.0 <= found.high
    assert 0.92 <= held / 400 <= 0.98
