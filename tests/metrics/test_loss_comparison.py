"""Comparisons of losses that others have computed: paired by token, and by document per byte."""

import math
from collections import Counter
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from skxent import (
    CrossEntropySum,
    categorical_cross_entropy,
    compare,
    compare_losses,
    mean_loss_interval,
)

COLUMNS = (
    *("mean", "difference", "standard_error", "low", "high"),
    *("t_statistic", "p_value", "p_adjusted"),
)
CUTS = [5, 30, 31, 60, 110]
LENGTHS = np.diff([0, *CUTS, 150])


@pytest.fixture
def truth():
    return np.r_[0, 1, 2, np.random.default_rng(0).integers(3, size=147)]


@pytest.fixture
def models():
    rng = np.random.default_rng(1)
    return {name: rng.dirichlet([1.0, 2.0, 3.0], size=150) for name in ("base", "one", "two")}


@pytest.fixture
def losses(truth, models):
    return {
        name: categorical_cross_entropy(truth, P, reduction="none") for name, P in models.items()
    }


def assert_same(left, right, rtol=1e-12):
    for name in COLUMNS:
        np.testing.assert_allclose(getattr(left, name), getattr(right, name), rtol, err_msg=name)
    assert left.df == pytest.approx(right.df, rel=1e-12)


def by_document(losses):
    return {name: np.split(values, CUTS) for name, values in losses.items()}


# ------------------------------------------------------------------ the same tokens


OPTIONS = {
    "plain": {},
    "groups": {"groups": np.arange(150) % 11},
    "counts": {"sample_weight": np.arange(150) % 4},
    "importances": {"sample_weight": 0.1 + np.arange(150) % 4, "groups": np.arange(150) % 7},
    "bits": {"base": 2, "level": 0.8, "correction": None},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_is_compare_without_the_predictions(truth, models, losses, options):
    expected = compare(truth, models, baseline="base", **options)
    found = compare_losses(losses, baseline="base", **options)
    for name, value in vars(expected).items():
        np.testing.assert_array_equal(getattr(found, name), value, err_msg=name)
    assert str(found) == str(expected)


def test_documents_are_groups(losses):
    groups = np.repeat(np.arange(6), LENGTHS)
    expected = compare_losses(losses, baseline="base", groups=groups)
    assert_same(compare_losses(by_document(losses), baseline="base"), expected)
    assert "6 groups, cluster-robust" in expected.method
    authors = np.array(list("abcabc"))
    assert_same(
        compare_losses(by_document(losses), baseline="base", groups=authors),
        compare_losses(losses, baseline="base", groups=authors[groups]),
    )


def test_masked_tokens_are_left_out(losses):
    mask = np.arange(150) % 5 > 0
    padded = {name: np.where(mask, values, np.nan) for name, values in losses.items()}
    found = compare_losses(padded, baseline="base", sample_weight=mask)
    kept = {name: values[mask] for name, values in losses.items()}
    assert_same(found, compare_losses(kept, baseline="base"))
    listed = compare_losses(
        by_document(padded), baseline="base", sample_weight=np.split(mask, CUTS)
    )
    groups = np.repeat(np.arange(6), LENGTHS)[mask]
    assert_same(listed, compare_losses(kept, baseline="base", groups=groups))


def test_every_form_of_losses(losses, library):
    expected = compare_losses(losses, baseline="base")
    frame = pd.DataFrame(losses)
    assert_same(compare_losses(dict(frame.items()), baseline="base"), expected)
    arrays = {name: library.array(values) for name, values in losses.items()}
    assert_same(compare_losses(arrays, baseline="base"), expected)
    listed = {name: [library.array(x) for x in own] for name, own in by_document(losses).items()}
    assert_same(
        compare_losses(listed, baseline="base"),
        compare_losses(by_document(losses), baseline="base"),
    )
    da = pytest.importorskip("dask.array")
    lazy = {name: da.from_array(values, chunks=40) for name, values in losses.items()}
    assert_same(compare_losses(lazy, baseline="base"), expected)


# ------------------------------------------------------------------ per byte


def other_tokens(documents, seed):
    """The same total losses and units in other tokens: each is cut in up to three."""
    rng, found, units = np.random.default_rng(seed), [], []
    for part, own in documents:
        pieces = rng.integers(1, 4, size=len(part))
        found.append(np.repeat(part / pieces, pieces))
        units.append(np.repeat(own / pieces, pieces))
    return found, units


def test_is_the_ratio_of_sums_with_the_error_of_a_ratio(losses):
    size = np.random.default_rng(2).integers(20, 200, size=6).astype(float)
    documents = by_document(losses)
    found = compare_losses(documents, baseline="base", units=size)
    sums = {name: np.array([part.sum() for part in own]) for name, own in documents.items()}
    share = size / size.sum()
    spread = np.diag(1 / (1 - share)) @ (np.diag(share) - np.outer(share, share))
    df = 1 / np.trace(spread @ spread)
    for i, name in enumerate(found.names):
        d = sums[name] - sums["base"]
        ratio = d.sum() / size.sum()
        error = np.sqrt((((d - ratio * size) ** 2) / (1 - share)).sum()) / size.sum()
        assert found.difference[i] == pytest.approx(ratio, rel=1e-12)
        assert found.standard_error[i] == pytest.approx(error, rel=1e-12)
        assert found.p_value[i] == pytest.approx(2 * stats.t.sf(abs(ratio / error), df), rel=1e-11)
        assert found.mean[i] == pytest.approx(sums[name].sum() / size.sum(), rel=1e-14)
        per_byte = mean_loss_interval(documents[name], units=size)
        assert per_byte.mean == pytest.approx(found.mean[i], rel=1e-14)
    assert found.df == pytest.approx(df, rel=1e-12)
    assert (found.n, found.unit) == (150, "nats per unit")
    assert "nats per unit" in str(found)


def test_is_the_delta_method_and_the_bootstrap():
    """From the covariance of sums and units, and from documents drawn with replacement."""
    rng = np.random.default_rng(10)
    lengths = np.exp(rng.normal(4, 0.6, size=200)).astype(int) + 1
    level = np.exp(rng.normal(0, 0.3, size=200))
    documents = {
        "base": [a * rng.exponential(size=n) for a, n in zip(level, lengths, strict=True)],
        "one": [
            2 * a * rng.exponential(size=n // 2 + 1) for a, n in zip(level, lengths, strict=True)
        ],
    }
    size = 4.0 * lengths + rng.integers(9, size=200)
    found = compare_losses(documents, baseline="base", units=size, base=2)
    base, one = (np.array([part.sum() for part in own]) for own in documents.values())
    d = (one - base) / math.log(2)
    gradient = np.array([1.0, -d.mean() / size.mean()]) / size.mean()
    delta = math.sqrt(gradient @ np.cov([d, size]) @ gradient / 200)
    assert found.difference[0] == pytest.approx(d.sum() / size.sum(), rel=1e-12)
    assert found.standard_error[0] == pytest.approx(delta, rel=0.01)
    draws = rng.integers(200, size=(4000, 200))
    bootstrap = d[draws].sum(axis=1) / size[draws].sum(axis=1)
    assert found.standard_error[0] == pytest.approx(bootstrap.std(), rel=0.04)
    ends = np.quantile(bootstrap, [0.025, 0.975])
    np.testing.assert_allclose([found.low[0], found.high[0]], ends, atol=0.15 * delta)


def test_tokens_do_not_matter(losses):
    """A model that cuts tokens and shares out their losses has the same loss per byte."""
    units = np.random.default_rng(3).integers(1, 9, size=150).astype(float)
    parts = np.split(units, CUTS)
    documents = by_document(losses)
    expected = compare_losses(documents, baseline="base", units=parts)
    pairs = list(zip(documents["one"], parts, strict=True))
    cut, cut_units = other_tokens(pairs, 4)
    models = documents | {"one": cut}
    every = {"base": parts, "one": cut_units, "two": parts}
    assert_same(compare_losses(models, baseline="base", units=every), expected, rtol=1e-11)
    by_sum = compare_losses(models, baseline="base", units=[part.sum() for part in parts])
    assert_same(by_sum, expected, rtol=1e-11)
    assert by_sum.n == 6 and "n = 6" in str(by_sum)
    # The same in arrays (n,) with labels of documents for each model, in any order.
    names = np.array(["f", "a", "c", "b", "e", "d"])
    rng = np.random.default_rng(5)
    orders = {name: rng.permutation(sum(map(len, own))) for name, own in models.items()}
    flat = {name: np.concatenate(own)[orders[name]] for name, own in models.items()}
    labels = {
        name: np.repeat(names, [len(part) for part in own])[orders[name]]
        for name, own in models.items()
    }
    flat_units = {name: np.concatenate(every[name])[orders[name]] for name in models}
    found = compare_losses(flat, baseline="base", groups=labels, units=flat_units)
    assert_same(found, expected, rtol=1e-11)
    counts = CrossEntropySum.of_losses(models["one"])
    assert found.mean[0] == pytest.approx(counts.total / units.sum(), rel=1e-13)


def test_units_without_groups(losses):
    units = np.random.default_rng(6).integers(0, 9, size=150)
    found = compare_losses(losses, baseline="base", units=units)
    own = compare_losses(losses, baseline="base", units=units, groups=np.arange(150))
    assert_same(found, own)
    assert found.method == "Paired t-test"
    count = np.arange(150) % 3
    index = np.repeat(np.arange(150), count)
    copied = {name: values[index] for name, values in losses.items()}
    assert_same(
        compare_losses(losses, baseline="base", units=units, sample_weight=count),
        compare_losses(copied, baseline="base", units=units[index]),
        rtol=1e-11,
    )


def test_empty_and_masked_documents(losses):
    documents = by_document(losses)
    more = {name: [*own, np.empty(0), np.full(3, np.nan)] for name, own in documents.items()}
    masks = [*(np.ones(n) for n in LENGTHS), np.empty(0), np.zeros(3)]
    size = np.arange(1.0, 9.0)
    found = compare_losses(more, baseline="base", units=size, sample_weight=masks)
    assert_same(found, compare_losses(documents, baseline="base", units=size[:6]))
    masks = {name: [np.ones(len(part)) for part in own] for name, own in documents.items()}
    masks["one"][0][0] = 0.0
    masked = compare_losses(documents, baseline="base", units=size[:6], sample_weight=masks)
    dropped = documents | {"one": [documents["one"][0][1:], *documents["one"][1:]]}
    assert_same(masked, compare_losses(dropped, baseline="base", units=size[:6]))


# ------------------------------------------------------------------ limits


def test_the_same_losses_are_no_difference(losses):
    same = {"a": losses["one"], "b": losses["one"].copy()}
    for options in ({}, {"units": np.arange(150)}, {"groups": np.arange(150) % 7}):
        found = compare_losses(same, baseline="a", **options)
        assert (found.difference[0], found.p_value[0]) == (0.0, 1.0)


A, B = [1.0, 2.0, 3.0], [2.0, 1.0]
DOCUMENTS = {"a": [[1.0, 2.0], [3.0]], "b": [[2.0], [1.0]]}


@pytest.mark.parametrize(
    ("losses", "options", "message"),
    [
        ({"a": A}, {}, "losses holds nothing but the baseline"),
        ({"b": A, "c": A}, {}, r"baseline='a' is not in losses, \['b', 'c'\]"),
        ({"a": A, "b": B}, {}, r"losses\['a'\] has 3 losses but losses\['b'\] has 2: if they pr"),
        ({"a": A, "b": B}, {"units": [1, 2, 3]}, r"has 3 losses but .*, or groups=\{model: label"),
        (DOCUMENTS, {}, r"different numbers of losses, 3 and 2 in all: .* Pass units, such as"),
        ({"a": [A], "b": [A, B]}, {}, r"losses\['a'\] has 1 arrays but losses\['b'\] has 2"),
        ({"a": A, "b": [A]}, {}, r"losses\['a'\] is an array but losses\['b'\] is a list of ar"),
        ({"a": A, "b": [1, -2, 3]}, {}, r"losses\['b'\]\[1\] is -2: a cross-entropy is not neg"),
        ({"a": A, "b": [1, 2, np.inf]}, {}, r"losses\['b'\]\[2\] is inf"),
        ({"a": A, "b": A}, {"groups": [1, 1, 1]}, "one group has no standard error"),
        ({"a": A, "b": A}, {"groups": [1, 1]}, r"groups has 2 samples but losses\['a'\] has 3"),
        ({"a": A, "b": A}, {"groups": {"a": [1, 1, 2]}}, "groups lacks 'b': pass an entry for ea"),
        (
            {"a": A, "b": A},
            {"groups": {"a": [1, 1, 2], "b": [1, 2, 2]}},
            "groups of 'a' and 'b' differ",
        ),
        (
            {"a": A, "b": A},
            {"sample_weight": {"a": [1, 1, 0], "b": [1, 0, 1]}},
            "sample_weight of 'a' and 'b' differ, so their losses cannot be paired",
        ),
        (
            {"a": A, "b": B},
            {"groups": {"a": ["x", "x", "y"], "b": ["x", "x"]}, "units": {"a": A, "b": B}},
            "group 'y' has no losses of 'b' that have weight",
        ),
        (
            {"a": A, "b": B},
            {"groups": {"a": [7, 7, 8], "b": [7, 8]}, "units": {"a": A, "b": B}},
            "group 7 has 2 units of 'b' but 3 of 'a': the models must predict the same text",
        ),
        (DOCUMENTS, {"units": {"a": [3, 2], "c": [3, 2]}}, "units lacks 'b'"),
        (DOCUMENTS, {"units": [3, 2, 1]}, r"units has 3 samples but losses\['a'\] has 2"),
        (DOCUMENTS, {"units": [3, np.nan]}, r"units\[1\] is nan"),
        (DOCUMENTS, {"units": [3, 0]}, "units is 0 for all samples, or for all groups but one"),
        (DOCUMENTS, {"units": [3, 2], "correction": "bh"}, "correction='bh'"),
    ],
)
def test_what_is_refused(losses, options, message):
    with pytest.raises(ValueError, match=message):
        compare_losses(losses, **{"baseline": "a", **options})


def test_a_list_of_models_is_refused():
    with pytest.raises(TypeError, match="losses is a list: pass a dict"):
        compare_losses([A, A], baseline=0)


# ------------------------------------------------------------------ real text


def texts():
    """The descriptions of scikit-learn's data sets, of unequal lengths."""
    found = sorted(files("sklearn.datasets.descr").iterdir(), key=lambda path: path.name)
    found = [path.read_text(encoding="utf-8") for path in found if path.name.endswith(".rst")]
    assert len(found) >= 10
    return found


class NGrams:
    """A model of the next character given the last `order`, with one more count of each."""

    def __init__(self, order, text):
        self.order, self.alphabet = order, sorted(set(text))
        padded = " " * order + text
        grams = [padded[i : i + order + 1] for i in range(len(text))]
        self.grams, self.contexts = Counter(grams), Counter(gram[:order] for gram in grams)

    def probabilities(self, text):
        padded, K = " " * self.order + text, len(self.alphabet) + 1
        for i in range(len(text)):
            gram = padded[i : i + self.order + 1]
            yield (self.grams[gram] + 1) / (self.contexts[gram[: self.order]] + K)


def test_perplexity_of_text():
    """The definition: the inverse of the geometric mean of the probabilities."""
    whole = texts()
    train, held_out = "".join(whole[::2]), whole[1::2]
    n_bytes = sum(len(text.encode()) for text in held_out)
    perplexity = {}
    for order in range(3):
        model = NGrams(order, train)
        parts = [np.array(list(model.probabilities(text))) for text in held_out]
        found = sum(CrossEntropySum.of_losses(-np.log(part)) for part in parts)
        # The product of all probabilities as a mantissa and an exponent of two.
        mantissa, exponent = 1.0, 0
        for p in np.concatenate(parts).tolist():
            mantissa, more = math.frexp(mantissa * p)
            exponent += more
        bits = -(exponent + math.log2(mantissa))
        n = sum(map(len, parts))
        assert found.weight == n
        assert found.bits_per(n_bytes) == pytest.approx(bits / n_bytes, rel=1e-12)
        assert found.perplexity == pytest.approx(2 ** (bits / n), rel=1e-11)
        perplexity[order] = found.perplexity
    assert 15 < perplexity[1] < perplexity[0] < 35


@pytest.mark.slow
def test_intervals_by_document_cover():
    """50 documents of uneven length; tests/benchmarks/bench_tokens.py has more of these."""
    rng, held, naive = np.random.default_rng(0), 0, 0
    for _ in range(1000):
        lengths = np.maximum(1, np.exp(rng.normal(5, 1, size=50))).astype(int)
        level = np.exp(rng.normal(0, 0.25, size=50) - 0.25**2 / 2)
        documents = [3 * a * rng.exponential(size=n) for a, n in zip(level, lengths, strict=True)]
        found = mean_loss_interval(documents)
        held += found.low <= 3 <= found.high
        alone = mean_loss_interval(np.concatenate(documents))
        naive += alone.low <= 3 <= alone.high
    assert 0.93 <= held / 1000 <= 0.97
    assert naive / 1000 < 0.7
