"""Sums of losses that others have computed: forms, cuts, masks, errors, text and back."""

import json
import math
import tracemalloc
from functools import partial
from itertools import pairwise

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy.special import logsumexp

hypothesis = pytest.importorskip("hypothesis")
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from skxent import CrossEntropySum, binary_cross_entropy, categorical_cross_entropy  # noqa: E402

of_losses = CrossEntropySum.of_losses
few = settings(deadline=None, derandomize=True, max_examples=80)


@pytest.fixture
def losses():
    return np.random.default_rng(0).exponential(size=60)


@pytest.fixture
def weight():
    return np.random.default_rng(1).choice([0.0, 0.5, 1.0, 3.0], size=60)


def expected(losses, weight=None):
    weight = np.ones(np.shape(losses)) if weight is None else np.asarray(weight, dtype=float)
    kept = weight > 0
    terms = np.asarray(losses, dtype=float)[kept] * weight[kept]
    return CrossEntropySum(math.fsum(terms), math.fsum(weight[kept]))


# ------------------------------------------------------------------ the same sums in every form


FORMS = {
    "list": list,
    "tuple": tuple,
    "float32": lambda x: x.astype(np.float32),
    "float16": lambda x: x.astype(np.float16),
    "long double": lambda x: x.astype(np.longdouble),
    "big-endian": lambda x: x.astype(">f8"),
    "reversed": lambda x: x[::-1].copy()[::-1],
    "strided": lambda x: np.repeat(x, 3)[::3],
    "objects": lambda x: x.astype(object),
    "one column": lambda x: x[:, None],
    "rows": lambda x: x.reshape(6, 10),
    "columns": lambda x: np.asfortranarray(x.reshape(6, 10)),
    "cube": lambda x: x.reshape(3, 4, 5),
    "series": pd.Series,
    "frame": lambda x: pd.DataFrame({"loss": x}),
    "nullable": lambda x: pd.Series(x, dtype="Float64"),
    "arrow series": lambda x: pd.Series(x, dtype="double[pyarrow]"),
    "polars": pl.Series,
    "polars frame": lambda x: pl.DataFrame({"loss": x}),
    "pyarrow": pa.array,
    "pyarrow chunks": lambda x: pa.chunked_array([x[:20], x[20:]]),
    "numbers of numpy": lambda x: [np.float64(value) for value in x],
    "documents": lambda x: np.split(x, [1, 1, 40]),
    "lists": lambda x: [part.tolist() for part in np.split(x, [1, 1, 40])],
    "documents of series": lambda x: [pd.Series(part) for part in np.split(x, [30])],
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form_gives_the_same_sums(losses, weight, form, weighted):
    rounding = 1e-3 if form is FORMS["float16"] else 1e-7 if form is FORMS["float32"] else 1e-15
    weight = weight if weighted else None
    found = of_losses(form(losses), weight=None if weight is None else form(weight))
    reference = expected(losses, weight)
    assert found.total == pytest.approx(reference.total, rel=rounding)
    assert found.weight == reference.weight
    assert type(found.total) is type(found.weight) is float


def test_whole_numbers_and_read_only_arrays():
    values = np.arange(10)
    values.flags.writeable = False
    assert of_losses(values, weight=values % 2 == 0) == CrossEntropySum(20.0, 5.0)
    assert of_losses(values.astype(np.uint8)) == CrossEntropySum(45.0, 10.0)


@pytest.mark.parametrize("weighted", [False, True])
def test_arrays_of_other_libraries_are_summed_on_their_device(library, losses, weight, weighted):
    array = library.array
    reference = expected(losses, weight if weighted else None)
    for form in (lambda x: array(x), lambda x: array(x.reshape(6, 10))):
        assert of_losses(form(losses), weight=form(weight) if weighted else None) == reference
    # A mask of NumPy goes to the device, and tensors may be a list of documents.
    mask = losses > 0.3
    assert of_losses(array(losses), weight=mask) == expected(losses, mask)
    parts = [array(losses[:7]), array(losses[7:])]
    assert of_losses(parts) == expected(losses)
    single = losses.astype(np.float32)
    found = of_losses(array(single))
    assert found.total == pytest.approx(expected(single).total, rel=1e-15)
    with pytest.raises(ValueError, match=r"losses\[2\] is nan"):
        of_losses(array(np.array([1.0, 2.0, np.nan])))
    with pytest.raises(ValueError, match=r"weight\[1, 0\] is -1"):
        of_losses(array(np.ones((2, 2))), weight=array(np.array([[1.0, 0.0], [-1.0, 1.0]])))


def test_half_precision_of_torch(torch):
    values = torch.asarray([0.5, 1.25, -0.004], dtype=torch.bfloat16)
    assert of_losses(values) == CrossEntropySum(1.75, 3.0)


def test_partitions_report_their_sums(losses, weight, threaded_dask):
    da = pytest.importorskip("dask.array")
    dd = pytest.importorskip("dask.dataframe")
    frame = dd.from_pandas(pd.DataFrame({"loss": losses, "weight": weight}), npartitions=4)
    for lazy, own in (
        (da.from_array(losses, chunks=7), da.from_array(weight, chunks=7)),
        (da.from_array(losses, chunks=7), weight),
        (losses, da.from_array(weight, chunks=25)),
        (frame["loss"], frame["weight"]),
        (frame[["loss"]], frame["weight"]),
        (da.from_array(losses.reshape(6, 10), chunks=(2, 5)), weight.reshape(6, 10)),
    ):
        found, reference = of_losses(lazy, weight=own), expected(losses, weight)
        assert found.total == pytest.approx(reference.total, rel=1e-15)
        assert found.weight == reference.weight
    assert of_losses(da.from_array(losses, chunks=7)).weight == 60.0
    losses[50] = -1
    with pytest.raises(ValueError, match=r"in partition 7: losses\[1\] is -1: a cross-entropy is"):
        of_losses(da.from_array(losses, chunks=7))


@few
@given(st.integers(0, 2**32 - 1), st.integers(0, 3000), st.integers(1, 40), st.booleans())
def test_any_cut_adds_up_to_the_whole(seed, n, k, weighted):
    """Chunks, their order and lists of them: to 1e-15 times the number of chunks."""
    rng = np.random.default_rng(seed)
    values = rng.exponential(size=n) * 10.0 ** rng.uniform(-8, 8, size=n)
    weight = rng.choice([0.0, 1e-6, 0.3, 1.0, 1e6], size=n) if weighted else None
    cuts = [0, *np.sort(rng.integers(0, n + 1, size=k - 1)), n]
    whole = of_losses(values, weight=weight)
    chunks = [
        of_losses(values[a:b], weight=None if weight is None else weight[a:b])
        for a, b in pairwise(cuts)
    ]
    chunks = [chunks[i] for i in rng.permutation(k)]
    terms = values if weight is None else values * weight
    assert whole.total == pytest.approx(math.fsum(terms), rel=2.5e-16, abs=0)
    for added in (sum(chunks), sum(chunks, CrossEntropySum())):
        assert added.total == pytest.approx(whole.total, rel=1e-15 * k, abs=0)
        assert added.weight == pytest.approx(whole.weight, rel=1e-15 * k, abs=0)
    parts = [values[a:b] for a, b in pairwise(cuts)]
    own = None if weight is None else [weight[a:b] for a, b in pairwise(cuts)]
    listed = of_losses(parts, weight=own)
    assert listed.total == pytest.approx(whole.total, rel=1e-15, abs=0)


def test_is_the_mean_of_the_loss_functions():
    rng = np.random.default_rng(2)
    y, Z = rng.integers(5, size=300), rng.normal(size=(300, 5))
    losses = logsumexp(Z, axis=1) - Z[np.arange(300), y]
    options = {"from_logits": True, "labels": range(5)}
    found = of_losses(losses)
    assert found.mean == pytest.approx(categorical_cross_entropy(y, Z, **options), rel=1e-14)
    both = found + CrossEntropySum.of(y, Z, **options)
    assert both.mean == pytest.approx(found.mean, rel=1e-14)


# ------------------------------------------------------------------ masks, infinity, rounding


BAD = [np.nan, np.inf, -np.inf, -1.0, -1e300]


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("dtype", [bool, int, float])
def test_entries_of_weight_zero_are_absent(losses, bad, dtype):
    mask = np.arange(60) % 3 > 0
    padded = np.where(mask, losses, bad)
    assert of_losses(padded, weight=mask.astype(dtype)) == expected(losses[mask])
    rows = padded.reshape(4, 15), mask.reshape(4, 15)
    assert of_losses(rows[0], weight=rows[1]) == expected(losses[mask])
    assert of_losses([bad], weight=[0]) == CrossEntropySum()


def test_an_infinite_loss_is_an_infinite_sum():
    found = of_losses([1.0, np.inf, 2.0], weight=[1, 0.5, 1])
    assert (found.total, found.weight) == (math.inf, 2.5)
    assert found.mean == found.perplexity == found.bits_per(3) == math.inf
    assert (found + of_losses([1.0])).mean == math.inf


@pytest.mark.parametrize("rounding", [-0.0, -1e-17, -1.1920929e-07, np.float32(-1.1920929e-07)])
def test_negative_by_rounding_is_zero(rounding):
    assert of_losses([rounding, 1.0]) == CrossEntropySum(1.0, 2.0)
    assert math.copysign(1, of_losses([rounding]).total) == 1


def test_no_losses_are_the_neutral_element(losses):
    for empty in ([], [[]], np.empty(0), np.empty((0, 7)), np.empty((7, 0)), [np.empty(0)] * 2):
        assert of_losses(empty) == CrossEntropySum()
    assert of_losses(losses, weight=np.zeros(60)) == CrossEntropySum()


@pytest.mark.parametrize(
    ("losses", "weight", "message"),
    [
        ([1.0, np.nan], None, r"losses\[1\] is nan: give it weight 0, or leave it out"),
        ([1.0, -0.5], None, r"losses\[1\] is -0.5: a cross-entropy is not negative.*densities"),
        ([1.0, -2e-6], None, r"losses\[1\] is -2e-06"),
        ([[1.0, 2.0], [3.0, -np.inf]], [[1, 1], [1, 1]], r"losses\[1\]\[1\] is -inf"),
        (np.array([[1.0, 2.0], [3.0, -4.0]]), None, r"losses\[1, 1\] is -4"),
        (np.arange(100_000.0)[::-1] - 1, None, r"losses\[99999\] is -1"),
        ([1.0, 2.0], [1.0], r"weight has shape \(1,\) but losses has shape \(2,\)"),
        (np.ones((2, 3)), np.ones(2), r"weight has shape \(2,\) but losses has shape \(2, 3\)"),
        ([[1.0], [2.0]], [[1.0]], r"weight has 1 entries but losses has 2 arrays"),
        ([[1.0], [2.0]], [[1.0], [1, 2]], r"weight\[1\] has shape \(2,\) but losses\[1\] has"),
        ([1.0, 2.0], [1.0, -1.0], r"weight\[1\] is -1.0: weights are finite and not negative"),
        ([1.0, 2.0], [1.0, np.nan], r"weight\[1\] is nan"),
        ([1.0, 2.0], [np.inf, 1.0], r"weight\[0\] is inf"),
        ([1.0, 2.0], [1e300, 1.0], r"weight is too large"),
        ([1e308, 1e308], None, "sum of the losses is larger than the largest float"),
        (["a", "b"], None, "losses does not hold numbers only"),
        ([1j], None, "losses is complex"),
        (1.5, None, r"losses has shape \(\)"),
        (np.ma.masked_invalid([1.0, np.nan]), None, r"losses\[1\] is masked"),
    ],
)
def test_what_is_refused(losses, weight, message):
    with pytest.raises(ValueError, match=message):
        of_losses(losses, weight=weight)


def test_kinds_that_are_refused():
    with pytest.raises(TypeError, match=r"losses is a generator: pass a list, or add up the sums"):
        of_losses(part for part in ([1.0], [2.0]))
    with pytest.raises(TypeError, match="weight is a int: pass a list of 2 arrays"):
        of_losses([[1.0], [2.0]], weight=1)
    with pytest.raises(TypeError, match="losses is a dict: pass an array"):
        of_losses({"a": [1.0]})
    for column in (pd.Series([[1.0, 2.0], [3.0]]), pl.Series([[1.0, 2.0], [3.0]])):
        with pytest.raises(TypeError, match=r"losses is a column of lists: pass losses.to_list"):
            of_losses(column)


# ------------------------------------------------------------------ perplexity, bits per unit


def test_perplexity_and_bits():
    found = of_losses(np.log([2.0, 8.0, 4.0]))
    assert found.perplexity == pytest.approx(4.0, rel=1e-15)
    assert found.bits_per(12) == pytest.approx(0.5, rel=1e-15)
    assert of_losses([0.0]).perplexity == 1.0
    assert of_losses([1e3]).perplexity == math.inf
    for units in (0, -1, math.nan, math.inf, "12", None, True):
        with pytest.raises(ValueError, match=r"units=.*: pass a number of bytes, characters or w"):
            found.bits_per(units)
    for read in (lambda s: s.mean, lambda s: s.perplexity, lambda s: s.bits_per(3)):
        with pytest.raises(ValueError, match="the weight of this sum is 0"):
            read(CrossEntropySum())


def test_bits_and_nats_are_kept_apart():
    """The exponential of a mean in bits would be a wrong perplexity that looks right."""
    y, p = [0, 1, 1], [0.5, 0.25, 0.75]
    nats = CrossEntropySum.of(y, p)
    bits = CrossEntropySum.of(y, p, base=2)
    assert repr(bits).endswith(", base=2)") and "base" not in repr(nats)
    assert bits.perplexity == pytest.approx(nats.perplexity, rel=1e-15)
    assert bits.bits_per(7) == pytest.approx(nats.bits_per(7), rel=1e-15)
    assert bits.mean == pytest.approx(nats.mean / math.log(2), rel=1e-15)
    with pytest.raises(ValueError, match="one sum is in nats, the other in bits"):
        _ = nats + bits
    assert CrossEntropySum() + bits == bits + CrossEntropySum() == bits
    assert (bits + bits).base == 2
    e = CrossEntropySum.of(y, p, base=math.e)
    assert (nats + e).total == 2 * nats.total
    multilabel = CrossEntropySum.of([[1, 0]], [[0.5, 0.5]], loss=binary_cross_entropy, base=2)
    assert multilabel.perplexity == pytest.approx(4.0, rel=1e-15)


def test_options_of_a_partial_function_are_read(threaded_dask):
    """With the base unread, bits would be taken for nats."""
    da = pytest.importorskip("dask.array")
    bits = partial(categorical_cross_entropy, base=2)
    y, P = [0, 1, -1], np.array([[0.5, 0.5], [0.75, 0.25], [1.0, 0.0]])
    expected = CrossEntropySum.of(y, P, base=2, ignore_label=-1)
    for values, like in ((y, P), (da.from_array(np.array(y), chunks=2), P)):
        found = CrossEntropySum.of(values, like, loss=partial(bits, ignore_label=-1))
        assert found == expected == CrossEntropySum(3.0, 2.0, 2)
        assert CrossEntropySum.of(values, like, loss=bits, ignore_label=-1) == expected
    with pytest.raises(TypeError, match=r"loss=<function .*: pass categorical_cross_entropy"):
        CrossEntropySum.of(y, P, loss=lambda *args, **options: 0)
    nats = CrossEntropySum.of(y, P, loss=bits, base=None, ignore_label=-1)
    assert nats == CrossEntropySum.of(y, P, ignore_label=-1)


def test_partitions_keep_the_base(synchronous_dask):
    da = pytest.importorskip("dask.array")
    y, p = da.from_array([0, 1, 1], chunks=2), da.from_array([0.5, 0.25, 0.75], chunks=2)
    assert CrossEntropySum.of(y, p, base=2).base == 2


# ------------------------------------------------------------------ text and back


@few
@given(
    st.floats(0, allow_nan=False), st.floats(1e-290, 1e290), st.sampled_from([None, 2, 10.0, 1.5])
)
def test_text_and_back_is_exact(total, weight, base):
    pair = CrossEntropySum(total, weight, base)
    assert CrossEntropySum.from_json(pair.to_json()) == pair
    assert CrossEntropySum.from_dict(pair.to_dict()) == pair
    assert "\n" not in pair.to_json()
    json.loads(pair.to_json(), parse_constant=pytest.fail)  # no Infinity, which JSON lacks


def test_numbers_of_numpy_are_written():
    pair = CrossEntropySum(np.float64(0.1), np.float32(3), np.int64(2))
    assert pair.to_json() == '{"total": 0.1, "weight": 3.0, "base": 2.0}'
    assert CrossEntropySum.from_json(pair.to_json().encode()) == CrossEntropySum(0.1, 3.0, 2.0)
    assert CrossEntropySum.from_dict({"total": 1, "weight": 2}) == CrossEntropySum(1.0, 2.0)


def test_workers_report_in_a_file(tmp_path, losses):
    file = tmp_path / "sums.jsonl"
    for part in np.array_split(losses, 7):
        with file.open("a") as lines:
            print(of_losses(part).to_json(), file=lines)
    with file.open() as lines:
        found = sum(map(CrossEntropySum.from_json, lines))
    assert found.mean == pytest.approx(losses.mean(), rel=1e-14)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"total": 1.0}, "values lacks the key 'weight'"),
        ({"total": 1.0, "weight": 1.0, "mean": 1.0}, "values has the key 'mean'"),
        ({"total": "1.0", "weight": 1.0}, "total is '1.0'"),
        ({"total": True, "weight": 1.0}, "total is True"),
        ({"total": -1.0, "weight": 1.0}, "total is -1.0: pass a number that is not negative"),
        ({"total": math.nan, "weight": 1.0}, "total is nan"),
        ({"total": None, "weight": 1.0}, "total is None"),
        ({"total": 1.0, "weight": "inf"}, "weight is inf: a sum of weights is finite"),
        ({"total": 1.0, "weight": 0.0}, "total is 1.0 but weight is 0"),
        ({"total": 1.0, "weight": 1.0, "base": 0}, "base=0"),
    ],
)
def test_what_is_not_a_pair(values, message):
    with pytest.raises(ValueError, match=message):
        CrossEntropySum.from_dict(values)


def test_text_that_is_not_a_pair():
    with pytest.raises(ValueError, match="Expecting"):
        CrossEntropySum.from_json("total: 3")
    with pytest.raises(TypeError, match="values is a list: pass a dict"):
        CrossEntropySum.from_json("[1.0, 2.0]")


# ------------------------------------------------------------------ memory


@pytest.mark.parametrize("mask", [False, True])
def test_memory_is_that_of_a_few_blocks(tmp_path, mask):
    """Four million losses in single precision, of which a block of 0.5 MB is widened at a time."""
    n = 4_000_000
    values = np.memmap(tmp_path / "losses", dtype=np.float32, mode="w+", shape=n)
    values[:] = np.linspace(0, 5, n, dtype=np.float32)
    weight = np.memmap(tmp_path / "mask", dtype=bool, mode="w+", shape=n) if mask else None
    if weight is not None:
        weight[:] = True
    of_losses(values[:10])
    tracemalloc.start()
    found = of_losses(values, weight=weight)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.mean == pytest.approx(2.5, rel=1e-6)
    assert peak < 6e6  # all losses in float64 would take 32 MB
