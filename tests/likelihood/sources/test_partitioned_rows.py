"""Rows in partitions: the sums of rows in memory, and what a partition builds and keeps."""

import pickle
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import scipy.sparse

from skxent.inputs.partitions import Each
from skxent.likelihood.sources.arrays import joined
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import compute_moments
from skxent.likelihood.sources.partitioned_rows import PartitionedRows, Recipe, Slot, new_slots

dask = pytest.importorskip("dask")

LENGTHS = 20, 1, 39


def as_it_is(x):
    return x


@pytest.fixture(autouse=True)
def in_this_process():
    with dask.config.set(scheduler="sync"):
        yield


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    X, weight = rng.normal(size=(sum(LENGTHS), 5)), rng.uniform(0.5, 2.0, size=sum(LENGTHS))
    return LocalRows(X, rng.integers(4, size=len(X)), weight, 4)


def parts_of(rows):
    edges = np.cumsum((0, *LENGTHS))
    some = [slice(a, b) for a, b in pairwise(edges)]
    return [(rows.X[part], (rows.targets[part], rows.weight[part], None)) for part in some]


def partitioned(rows, spare=1e6):
    parts = parts_of(rows)
    x = Each(dask.delayed(as_it_is)(part[0]) for part in parts)
    return PartitionedRows(
        parts=Each(zip(x, (part[1] for part in parts), strict=True)),
        slots=new_slots(x, spare is not None),
        recipe=Recipe(as_it_is, rows.n_classes, rows.fit_intercept),
        lengths=LENGTHS,
        width=rows.n_features,
        sparse=rows.sparse,
        n_classes=rows.n_classes,
        fit_intercept=rows.fit_intercept,
        n_threads=1,
        spare=spare,
    )


@pytest.fixture
def built(monkeypatch):
    """Numbers of rows of the sums that were built."""
    found = []
    original = LocalRows.sums

    def counted(data, centre, far):
        found.append(data.n_rows)
        return original(data, centre, far)

    monkeypatch.setattr(LocalRows, "sums", counted)
    return found


SUMS = {
    "log_partition": 1,
    "losses": 1,
    "hessian_product": 2,
    "max_logit_range": 2,
    "slopes": 2,
    "hessian_gram": (1, 0.1),
    "class_block_grams": (1, 0.0),
    "hessian_diagonal": (1, 0.1),
}


def asked(sums, name, theta, direction):
    what = SUMS[name]
    if isinstance(what, tuple):
        return getattr(sums, name)(theta, what[1])
    more = (np.array([0.0, 0.5, 4.0]),) if name == "slopes" else ()
    return getattr(sums, name)(*(theta, direction)[:what], *more)


@pytest.mark.parametrize("form", [np.asarray, scipy.sparse.csr_array])
@pytest.mark.parametrize("name", SUMS)
def test_sums_are_those_of_rows_in_memory(rows, name, form):
    rows = replace(rows, X=form(rows.X))
    centre = rows.dense().mean(axis=0)
    theta, direction = np.random.default_rng(1).normal(size=(2, 4, 6))
    here = asked(rows.sums(centre, False), name, theta, direction)
    there = asked(partitioned(rows).sums(centre, False), name, theta, direction)
    here, there = (found if isinstance(found, tuple) else (found,) for found in (here, there))
    for one, other in zip(here, there, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-12, atol=1e-12)


def test_answers_are_those_of_rows_in_memory(rows):
    there, columns = partitioned(rows), np.array([3, 0])
    origin, shift = np.array([0.5, -1.0]), np.array([0.1, 0.2])
    assert there.weight_range() == rows.weight_range()
    coef, intercept = np.random.default_rng(2).normal(size=(4, 5)), np.arange(4.0)
    assert there.sum_of_losses(coef, intercept) == pytest.approx(
        rows.sum_of_losses(coef, intercept), rel=1e-13
    )
    np.testing.assert_array_equal(
        there.largest_distance(columns, origin), rows.largest_distance(columns, origin)
    )
    np.testing.assert_array_equal(there.first_row(columns), rows.first_row(columns))
    np.testing.assert_allclose(
        there.power_sums(columns, origin, shift, 2), rows.power_sums(columns, origin, shift, 2)
    )
    assert there.in_memory() is None
    assert there.sums(None, False).in_memory() is None
    assert there.without_far_unweighted() is there


def test_other_columns_and_classes(rows):
    """Steps may be combined, and theirs are the sums of the same steps in memory."""
    mask, columns, exponents = np.array([1, 0, 1, 1], bool), np.array([4, 1]), np.array([3, -2])
    weight = np.where(rows.targets == 1, 0.0, rows.weight)
    rows = replace(rows, weight=weight)
    here = rows.with_classes(mask).with_columns(columns, exponents)
    there = partitioned(rows).with_classes(mask).with_columns(columns, exponents)
    assert (there.theta_shape, there.n_rows) == (here.theta_shape, here.n_rows)
    theta = np.random.default_rng(3).normal(size=here.theta_shape)
    one, other = (source.sums(None, False).losses(theta) for source in (here, there))
    assert other[0] == pytest.approx(one[0], rel=1e-13)
    np.testing.assert_allclose(other[2], one[2], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("per_leverage", [(), (np.ones((4, 6)),)], ids=["", "leverage"])
def test_drawn_rows_come_here(rows, per_leverage):
    there = partitioned(rows)
    moments = compute_moments(there)
    sums = there.sums(moments.mean, False)
    scores = sums.sampling_scores(np.zeros(there.theta_shape), *per_leverage)
    sample = there.sample(moments, moments.mean, 30, scores)
    assert isinstance(sample, LocalRows)
    assert 0 < sample.n_rows < rows.n_rows
    near = np.abs(rows.X[:, None] - moments.mean - sample.X).max(axis=2)
    assert (near.min(axis=0) == 0).all()


@pytest.mark.parametrize("scale", [None, np.linspace(-0.2, 3, 80).clip(0)], ids=["", "scaled"])
@pytest.mark.parametrize("independent", [False, True])
def test_the_row_space_is_made_here(rows, independent, scale):
    X = np.random.default_rng(6).normal(size=(rows.n_rows, 80))
    here = replace(rows, X=X)
    moments = compute_moments(here)
    sources = here, partitioned(here)
    one, other = (source.row_space(moments, independent, scale) for source in sources)
    np.testing.assert_array_equal(other.data.X, one.data.X)


def test_sums_are_built_once(rows, built):
    there = partitioned(rows)
    sums = there.sums(np.zeros(5), False)
    theta = np.random.default_rng(4).normal(size=there.theta_shape)
    first = sums.log_partition(theta)
    for _ in range(3):
        partition, gradient = sums.log_partition(theta)
        assert partition == first[0]
        np.testing.assert_array_equal(gradient, first[1])
        sums.hessian_product(theta, theta)
        there.weight_range()  # rows are asked in between
    assert sorted(built) == sorted(LENGTHS)
    there.sums(np.ones(5), False).log_partition(theta)
    assert sorted(built) == sorted(2 * LENGTHS)


def test_columns_are_copied_once(rows, monkeypatch):
    copies = []
    original = LocalRows.with_columns
    monkeypatch.setattr(
        LocalRows, "with_columns", lambda *args: copies.append(1) or original(*args)
    )
    there = partitioned(rows).with_columns(np.arange(3))
    there.first_sums()
    there.sums(None, False).log_partition(np.zeros((4, 4)))
    assert len(copies) == len(LENGTHS)


@pytest.mark.parametrize("spare", [None, 100.0])
def test_what_does_not_fit_is_not_kept(rows, built, spare):
    """Nothing of partitions that are read for each pass, and no copies beyond the memory given."""
    there = partitioned(rows, spare).with_columns(np.arange(4))
    sums = there.sums(None, False)
    for _ in range(2):
        sums.log_partition(np.zeros(there.theta_shape))
    assert sorted(built) == sorted(2 * LENGTHS)
    slots = dask.compute(list(there.slots))[0]
    assert [slot.built for slot in slots] == [[], [], []]


def test_a_slot_that_moves_is_empty_and_filled_again(rows, built):
    """So a worker that is lost, or a partition that moves, costs no result."""
    there = partitioned(rows)
    sums = there.sums(np.zeros(5), False)
    theta = np.random.default_rng(5).normal(size=there.theta_shape)
    before = sums.losses(theta)
    slots = dask.compute(list(sums.slots))[0]
    assert all(slot.built for slot in slots)
    moved = [pickle.loads(pickle.dumps(slot)) for slot in slots]
    assert not any(slot.built for slot in moved)
    after = replace(sums, slots=Each(moved)).losses(theta)
    assert after[:2] == before[:2]
    np.testing.assert_array_equal(after[2], before[2])
    assert sorted(built) == sorted(2 * LENGTHS)
    assert all(slot.built for slot in moved)


def test_scratch_space_is_freed_after_each_question(rows):
    there = partitioned(rows)
    sums = there.sums(None, False)
    theta = np.zeros(there.theta_shape)
    sums.hessian_gram(theta, 0.0)
    sums.hessian_product(theta, theta)
    for slot in dask.compute(list(sums.slots))[0]:
        ((_, kept),) = slot.built
        assert not kept.blocks._spaces.__dict__
        assert kept._products is kept._last is kept._curvature is None


def test_a_slot_holds_one_chain_of_steps(rows):
    """Other steps from the same rows take the place of those before."""
    there = partitioned(rows)
    few, other = there.with_columns(np.arange(2)), there.with_columns(np.arange(3))
    for source in (few, other, few):
        assert source.first_sums().squares.shape == (source.n_features,)
    assert [len(slot.built) for slot in dask.compute(list(there.slots))[0]] == [1, 1, 1]
    assert Slot().built == []


def test_joined_rows(rows):
    parts = [LocalRows(x, *rest, 4) for x, rest in parts_of(rows)]
    whole = joined(parts, 3)
    np.testing.assert_array_equal(whole.X, rows.X)
    np.testing.assert_array_equal(whole.targets, rows.targets)
    assert whole.n_threads == 3
