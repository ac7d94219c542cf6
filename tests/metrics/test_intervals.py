"""Intervals of a mean: against statsmodels, weights as copies, groups, and how often they hold."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
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
def test_groups_of_equal_weight_are_the_clusters_of_statsmodels(losses, weighted):
    rng = np.random.default_rng(3)
    groups = rng.permutation(np.arange(120) % 15)
    weight = rng.random(120) if weighted else np.ones(120)
    weight /= np.bincount(groups, weight)[groups]
    model = sm.WLS(losses, np.ones(120), weights=weight)
    theirs = model.fit(cov_type="cluster", cov_kwds={"groups": groups}, use_t=True)
    found = mean_loss_interval(
        losses, groups=groups, sample_weight=weight if weighted else None, level=0.9
    )
    np.testing.assert_allclose(found.mean, theirs.params[0], rtol=1e-12)
    np.testing.assert_allclose(found.standard_error, theirs.bse[0], rtol=1e-12)
    assert found.df == 14
    half = stats.t.isf(0.05, found.df) * theirs.bse[0]
    np.testing.assert_allclose(found.high - found.mean, half, rtol=1e-11)


LOSSES = [2.1, 0.3, 1.7, 0.9, 3.4, 0.2, 1.1, 0.8, 2.6, 1.9, 0.05, 0.7]
GROUPS = [1, 1, 1, 1, 1, 2, 2, 3, 4, 4, 4, 5]
UNITS = [4, 3, 5, 1, 2, 6, 2, 3, 4, 4, 1, 7]
# R 4.2.2, clubSandwich 0.5.8: m <- lm(l ~ 1, weights = w),
# V <- vcovCR(m, cluster = g, type = "CR2", target = mean(w) / w, inverse_var = TRUE),
# coef_test(m, vcov = V, test = "Satterthwaite") and conf_int(m, vcov = V). The ratio is that of the
# documents' sums over their units, weighted by their units, each in two rows of half the units.
# "weights" are equal within each group: clubSandwich corrects the residuals of single samples, here
# the sum of a group is corrected. The two are equal if the weights in a group are.
CLUB_SANDWICH = {
    "equal": ({}, (1.3125, 0.25125903504869778, 2.7363773422356226, 0.4674842839824994)),
    "weights": (
        {"sample_weight": [1, 1, 1, 1, 1, 0.5, 0.5, 2.5, 0.75, 0.75, 0.75, 3]},
        (1.2045454545454544, 0.27195293648175733, 3.1679977747846801, 0.36446356545580572),
    ),
    "units": (
        {"units": UNITS},
        (0.375, 0.11133698182061298, 3.1985906844829102, 0.032801927527308483),
    ),
}


@pytest.mark.parametrize("options, expected", CLUB_SANDWICH.values(), ids=CLUB_SANDWICH)
def test_unequal_groups_are_those_of_clubsandwich(options, expected):
    found = mean_loss_interval(LOSSES, groups=GROUPS, **options)
    figures = (found.mean, found.standard_error, found.df, found.low)
    np.testing.assert_allclose(figures, expected, rtol=1e-11)


def dense_cr2(values, weight):
    """CR2 of a weighted mean of independent pieces, and its df, from the matrices of the theory.

    The projections, the working covariance and the adjustment matrices are those of Bell and
    McCaffrey (2002) and Pustejovsky and Tipton (2018), for pieces of variance 1 / weight.
    """
    n = len(values)
    X, W, working = np.ones((n, 1)), np.diag(weight), np.diag(1 / weight)
    bread = np.linalg.inv(X.T @ W @ X)
    residual = np.eye(n) - X @ bread @ X.T @ W
    spread = residual @ working @ residual.T
    adjustment = np.diag(np.sqrt(np.diag(working) / np.diag(spread)))
    parts = (bread @ X.T @ W @ adjustment).ravel()
    error = np.sqrt(np.sum((parts * (residual @ values)) ** 2))
    linear = parts[:, None] * residual  # row g maps the errors to the contribution of piece g
    mean_of_products = linear @ working @ linear.T
    df = np.trace(mean_of_products) ** 2 / np.sum(mean_of_products**2)
    return float((bread @ X.T @ W @ values)[0]), error, df


GROUP_WEIGHTS = {
    "unequal": lambda rng, groups: rng.uniform(0.1, 3.0, size=len(groups)),
    "some zero": lambda rng, groups: rng.uniform(-1.0, 3.0, size=len(groups)).clip(0),
    "a group of zeros": lambda rng, groups: rng.uniform(0.1, 3.0, len(groups)) * (groups != 2),
    "a dominant group": lambda rng, groups: np.where(groups == 2, 1e4, 1) * rng.uniform(1, 2, 120),
    "counts": lambda rng, groups: rng.integers(0, 4, size=len(groups)),
}


@pytest.mark.parametrize("alone", [False, True], ids=["groups", "groups of one"])
@pytest.mark.parametrize("weigh", GROUP_WEIGHTS.values(), ids=GROUP_WEIGHTS)
def test_groups_are_those_of_dense_matrices(losses, groups, weigh, alone):
    groups = np.arange(120) if alone else groups
    weight = weigh(np.random.default_rng(9), groups)
    found = mean_loss_interval(losses, groups=groups, sample_weight=weight)
    per_group = np.bincount(groups, weight)
    sums = np.bincount(groups, weight * losses)[per_group > 0]
    per_group = per_group[per_group > 0]
    expected = dense_cr2(sums / per_group, per_group)
    figures = (found.mean, found.standard_error, found.df)
    np.testing.assert_allclose(figures, expected, rtol=1e-9)
    # The same pieces as documents with units.
    by_unit = mean_loss_interval([[total] for total in sums], units=per_group)
    np.testing.assert_allclose(
        (by_unit.mean, by_unit.standard_error, by_unit.df), expected, rtol=1e-9
    )


@pytest.mark.parametrize("share", [1e-8, 1e-30, 1e-200, 1e-310])
def test_one_group_with_nearly_all_weight(share):
    """The standard error of two groups is sqrt(h (1 - h)) times their difference."""
    found = mean_loss_interval([1.0, 3.0], sample_weight=[1.5, 1.5 * share])
    np.testing.assert_allclose(found.mean, 1.0, rtol=2 * share + 1e-15)
    np.testing.assert_allclose(found.df, 1.0, rtol=1e-7)
    if share > 1e-300:
        np.testing.assert_allclose(found.standard_error, 2 * np.sqrt(share), rtol=1e-7)
    many = mean_loss_interval(np.arange(1.0, 5.0), sample_weight=[1.5, *[1.5 * share] * 3])
    assert 0 < many.standard_error < 10 * np.sqrt(share)


def test_importances_are_those_of_a_sandwich(losses):
    weight = np.random.default_rng(4).random(120)
    theirs = sm.WLS(losses, np.ones(120), weights=weight).fit(cov_type="HC2")
    found = mean_loss_interval(losses, sample_weight=weight)
    np.testing.assert_allclose(found.standard_error, theirs.bse[0], rtol=1e-12)
    share = weight / weight.sum()
    spread = np.diag(share) - np.outer(share, share)  # of the deviations, for equal samples
    correction = np.diag(1 / (1 - share))
    df = np.trace(correction @ spread) ** 2 / np.trace((correction @ spread) @ correction @ spread)
    np.testing.assert_allclose(found.df, df, rtol=1e-12)
    assert found.n == 120


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


@pytest.mark.parametrize("small", [1e-4, 1e-8, 1e-12, 1e-20, 1e-100])
def test_one_group_that_dominates(small):
    """The share of the others, and the deviation of the mean, are below rounding errors."""
    weight, labels = [1.0, small, 2 * small], ["a", "b", "c"]
    found = mean_loss_interval([1.0, 3.0, 5.0], sample_weight=weight, groups=labels)
    # The small groups have the deviations 2 and 2 * 4, and so the large one has -10.
    error = small * np.sqrt(2.0**2 + 8.0**2 + 10.0**2 / (3 * small))
    np.testing.assert_allclose(found.standard_error, error, rtol=max(20 * small, 1e-9))
    assert found.df == pytest.approx(1, rel=max(5 * small, 1e-12))


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


# ------------------------------------------------------------------ documents and units


def test_a_list_of_documents_has_them_as_groups(losses):
    documents = np.split(losses, [7, 30, 31, 90])
    labels = np.repeat(np.arange(5), [7, 23, 1, 59, 30])
    assert_same(mean_loss_interval(documents), mean_loss_interval(losses, groups=labels))
    assert_same(
        mean_loss_interval(documents, groups=list("abcab")),
        mean_loss_interval(losses, groups=np.array(list("abcab"))[labels]),
    )
    nested = [part.tolist() for part in documents]
    assert_same(mean_loss_interval(documents), mean_loss_interval(nested))


def test_masked_tokens_may_have_any_loss(losses):
    documents = np.split(losses, [7, 30, 31, 90])
    padded = [np.append(part, [np.nan, np.inf, -1.0]) for part in documents]
    masks = [np.arange(len(part)) < len(part) - 3 for part in padded]
    assert_same(mean_loss_interval(documents), mean_loss_interval(padded, sample_weight=masks))


def test_one_unit_for_each_loss_changes_nothing(losses, groups, counts):
    ones = np.ones(120)
    for options in (
        {},
        {"groups": groups},
        {"sample_weight": counts},
        {"sample_weight": counts + 0.25},
        {"sample_weight": counts + 0.25, "groups": groups},
    ):
        plain = mean_loss_interval(losses, **options)
        assert_same(plain, mean_loss_interval(losses, units=ones, **options), rtol=1e-11)
        bytes_ = mean_loss_interval(losses, units=4 * ones, **options)
        np.testing.assert_allclose(4 * bytes_.standard_error, plain.standard_error, rtol=1e-11)


def test_units_of_documents_are_the_sums_of_the_units_of_their_losses(losses):
    units = np.random.default_rng(7).integers(0, 6, size=120)
    cuts = [7, 30, 31, 90]
    documents, parts = np.split(losses, cuts), np.split(units, cuts)
    by_loss = mean_loss_interval(documents, units=parts)
    assert_same(by_loss, mean_loss_interval(documents, units=[part.sum() for part in parts]))
    np.testing.assert_allclose(by_loss.mean, losses.sum() / units.sum(), rtol=1e-14)


def test_weights_are_copies_of_losses_with_units(losses, counts):
    units = np.random.default_rng(8).integers(1, 6, size=120)
    index = np.repeat(np.arange(120), counts)
    weighted = mean_loss_interval(losses, sample_weight=counts, units=units)
    assert_same(weighted, mean_loss_interval(losses[index], units=units[index]), rtol=1e-11)
    one = mean_loss_interval([1.0, 2.0], units=[5, 0], sample_weight=[2, 1])
    assert_same(one, mean_loss_interval([1.0, 1.0, 2.0], units=[5, 5, 0]))


def test_units_of_losses_without_weight_are_absent(losses):
    units = np.random.default_rng(8).integers(1, 6, size=120).astype(float)
    mask = np.arange(120) % 3 > 0
    expected = mean_loss_interval(losses[mask], units=units[mask])
    units[~mask] = np.nan
    assert_same(mean_loss_interval(losses, units=units, sample_weight=mask), expected)
    cuts = [20, 70]
    listed = mean_loss_interval(
        np.split(losses, cuts), units=np.split(units, cuts), sample_weight=np.split(mask, cuts)
    )
    groups = np.searchsorted(cuts, np.arange(120), side="right")[mask]
    by_group = mean_loss_interval(losses[mask], units=np.nan_to_num(units)[mask], groups=groups)
    assert_same(listed, by_group)
    assert listed.df < 3


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
        (np.array([[1.0, 2.0]]), {}, r"losses has shape \(1, 2\)"),
        (["a", "b"], {}, r"losses does not hold numbers"),
        ([1.0], {}, r"one sample has no standard error"),
        ([1.0, 2.0], {"sample_weight": [0.0, 0.5]}, r"one sample has no standard error"),
        ([1.0, 2.0], {"groups": ["a", "a"]}, r"one group has no standard error"),
        ([1.0, 2.0], {"sample_weight": [1.0]}, r"sample_weight has 1 samples but losses has 2"),
        ([1.0, 2.0], {"sample_weight": [1.0, -1.0]}, r"sample_weight\[1\] is -1"),
        ([1.0, 2.0], {"sample_weight": [0.0, 0.0]}, r"sample_weight is zero"),
        ([1.0, 2.0], {"groups": ["a"]}, r"groups has 1 samples but losses has 2"),
        ([1.0, 2.0], {"groups": ["a", None]}, r"groups\[1\] is None"),
        ([[1.0], [2.0]], {"groups": [1, 2, 3]}, r"groups has 3 samples but losses has 2"),
        ([[1.0], [2.0]], {"sample_weight": [[1]]}, r"sample_weight has 1 entries but losses has 2"),
        ([[1.0], [2.0]], {"sample_weight": [[1], [1, 1]]}, r"sample_weight\[1\] has 2 samples"),
        ([[1.0], [np.nan]], {}, r"losses\[1\]\[0\] is nan"),
        ([[], []], {}, r"losses holds no losses"),
        ([1.0, 2.0], {"units": [1.0]}, r"units has 1 samples but losses has 2"),
        ([1.0, 2.0], {"units": [1.0, -1.0]}, r"units\[1\] is -1: pass numbers of bytes"),
        ([1.0, 2.0], {"units": [1e308, 1e308]}, r"units\[0\] is 1e\+308: .* each 0 or between"),
        ([[1.0], [2, 3]], {"units": [[1], [1, np.nan]]}, r"units\[1\]\[1\] is nan: pass numbers"),
        ([1.7e308, 1.6e308], {"units": [1, 2]}, r"the sum of the losses is too large: divide"),
        ([1.0, 2.0], {"units": [1.0, 0.0]}, r"units is 0 for all samples, or for all groups but"),
        ([[1.0], [2.0]], {"units": [1, 2], "sample_weight": [[2], [1]]}, "must be a mask of 0 and"),
        ([1.0, 2.0], {"level": 95}, r"level=95: pass a number between 0 and 1"),
        ([1.0, 2.0], {"level": np.nan}, r"level=nan"),
        ([1.0, 2.0], {"level": "0.95"}, r"level='0.95'"),
    ],
)
def test_what_is_refused(losses, options, message):
    with pytest.raises(ValueError, match=message):
        mean_loss_interval(losses, **options)


@pytest.mark.parametrize("column", [pd.Series, pl.Series])
def test_kinds_that_are_refused(column):
    with pytest.raises(TypeError, match="losses is a generator: pass a list"):
        mean_loss_interval(part for part in ([1.0], [2.0]))
    documents = column([[1.0, 2.0], [3.0]])
    with pytest.raises(TypeError, match=r"losses is a column of lists: pass losses.to_list\(\)"):
        mean_loss_interval(documents)
    assert mean_loss_interval(documents.to_list()).n == 3


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


def test_sums_beyond_all_floats_are_refused_without_a_warning_of_numpy():
    losses, weight = np.array([1e300, 2e300, 1e300]), np.array([1e12, 1.5e12, 0.5])
    for groups in (None, [0, 0, 1]):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(ValueError, match="divide all losses by one number"):
                mean_loss_interval(
                    losses, sample_weight=weight, groups=groups, units=[1.0, 2.0, 3.0]
                )
