"""Sums of arrays of other libraries, held against those of `LocalSums` on the same numbers."""

from dataclasses import replace

import array_api_strict as strict
import numpy as np
import pytest

from skxent.inputs.namespaces import to_numpy
from skxent.likelihood import tuning
from skxent.likelihood.objective import Objective
from skxent.likelihood.optimise.choices import Kind, plan
from skxent.likelihood.optimise.solver import minimise
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.arrays import balanced_offset
from skxent.likelihood.sources.device_rows import DeviceRows
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import compute_moments


@pytest.fixture(params=[1 << 21, 300], ids=["one batch", "batches"])
def batches(request, monkeypatch):
    monkeypatch.setattr(tuning, "DEVICE_BATCH_ELEMENTS", request.param)
    monkeypatch.setattr(tuning, "DEVICE_PACKED_SPACE", 16 * request.param)


def moved(data, library):
    """The same data on a device."""
    X, targets = library.array(data.X), library.array(data.targets)
    weight = None if data.weight is None else library.array(data.weight)
    offset = None if data.offset is None else library.array(data.offset)
    return DeviceRows(X, targets, weight, data.n_classes, data.fit_intercept, offset)


def make(
    K,
    n=60,
    d=5,
    soft=False,
    weighted=True,
    fit_intercept=True,
    far=0.0,
    dtype=float,
    offset=0.0,
):
    rng = np.random.default_rng([K, n, d])
    X = (rng.normal(size=(n, d)) + far).astype(dtype)
    targets = rng.dirichlet(np.ones(K), size=n) if soft else rng.integers(K, size=n)
    weight = np.where(np.arange(n) % 7, rng.uniform(0, 3, size=n), 0.0) if weighted else None
    rows = LocalRows(X, targets, weight, K, fit_intercept)
    known = balanced_offset(offset * rng.normal(size=(K, n))) if offset else None
    return replace(rows, offset=known)


CASES = {
    "two classes": dict(K=2),
    "classes": dict(K=4),
    "soft rows of two": dict(K=2, soft=True, weighted=False),
    "soft rows": dict(K=3, soft=True),
    "no weights": dict(K=4, weighted=False),
    "no intercept": dict(K=3, fit_intercept=False),
    "no intercept, two classes": dict(K=2, fit_intercept=False, dtype=np.float32),
    "float32": dict(K=3, dtype=np.float32),
    "far": dict(K=3, far=1e5),
    "long samples": dict(K=5, n=150, d=110),
    "offset, two classes": dict(K=2, offset=3.0),
    "offset": dict(K=4, soft=True, offset=3.0),
    "offset, far": dict(K=3, far=1e5, weighted=False, offset=3.0),
    "one row": dict(K=3, n=1, weighted=False),
    "one column": dict(K=2, d=1),
}


@pytest.fixture(params=CASES.values(), ids=CASES.keys())
def pair(request, library, batches):
    """One objective of NumPy's arrays, and the same of a library's; parameters and a direction."""
    data = make(**request.param)
    there = moved(data, library)
    moments = compute_moments(data)
    centre = moments.mean if data.fit_intercept else None
    here, other = (Objective(place, moments, Penalty(0.5), centre) for place in (data, there))
    rng = np.random.default_rng(0)
    return here, other, rng.normal(size=here.shape), rng.normal(size=here.shape)


def same(actual, expected, rtol=1e-13):
    scale = np.abs(expected).max()
    np.testing.assert_allclose(actual, expected, rtol=0, atol=rtol * scale)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_first_read(case, library, batches):
    data = make(**case)
    here, there = compute_moments(data), compute_moments(moved(data, library))
    for name in ("class_weight", "mean", "variance"):
        same(getattr(there, name), getattr(here, name))
    # class sums are of x - origin, and the origin is another
    sums = [m.class_sums + np.outer(m.class_weight, m.origin) for m in (there, here)]
    same(*sums)


def test_a_constant_column_has_no_variance(library, batches):
    data = make(K=3)
    data.X[:, 2] = 0.1
    there = compute_moments(moved(data, library))
    assert there.variance[2] == 0
    assert there.mean[2] == 0.1


def test_value_and_gradient(pair):
    here, there, theta, _ = pair
    same(there(theta).value, here(theta).value)
    same(there(theta).gradient, here(theta).gradient)
    assert there(theta).rounding == pytest.approx(here(theta).rounding)


def test_hessian_product(pair):
    here, there, theta, direction = pair
    same(there.hessian_product(theta, direction), here.hessian_product(theta, direction))


def test_slopes(pair):
    here, there, theta, direction = pair
    lengths = np.array([0.0, 0.5, 4.0])
    found = there.slopes(there(theta), direction, lengths)
    same(found, here.slopes(here(theta), direction, lengths))
    assert not there.keeps_lines


def test_max_logit_range(pair):
    here, there, theta, direction = pair
    same(there.max_logit_range(direction), here.max_logit_range(direction))
    for far in (300.0 * theta, 1e4 * theta):  # where some samples are decided, or nearly all
        same(there.max_logit_range(direction, far), here.max_logit_range(direction, far))


@pytest.mark.parametrize("caution", [0.0, 0.1])
@pytest.mark.parametrize("name", ["hessian_gram", "class_block_grams", "hessian_diagonal"])
def test_grams(pair, name, caution):
    here, there, theta, _ = pair
    actual, expected = (getattr(one.rows, name)(theta, caution) for one in (there, here))
    assert actual.shape == expected.shape
    same(actual, expected)


def test_extreme_logits(library):
    """Sums stay finite and keep their digits where probabilities are 0 and 1."""
    for K in (2, 4):
        data = make(K, n=5, d=1, weighted=False, fit_intercept=False)
        moments = compute_moments(data)
        here, there = (
            Objective(x, moments, Penalty(0.5), None) for x in (data, moved(data, library))
        )
        theta = np.linspace(-1e4, 1e4, 2 * K)[: here.shape[0], None]
        same(there(theta).value, here(theta).value)
        same(there(theta).gradient, here(theta).gradient)


def test_rows_are_not_drawn(library):
    data = moved(make(K=3), library)
    assert not data.can_sample
    with pytest.raises(NotImplementedError, match="cannot be sampled"):
        data.sums(None, False).sampling_scores(np.zeros((3, 6)))
    moments = compute_moments(data)
    with pytest.raises(NotImplementedError, match="cannot be sampled"):
        data.sample(moments, moments.mean, 10)


def test_rows_are_not_in_memory(library):
    data = moved(make(K=3), library)
    assert data.in_memory() is None
    assert data.sums(None, False).in_memory() is None


def test_columns_of_a_few_numbers(library):
    """The sums that centre sparse columns that vary little: the same on a device."""
    here = make(K=3)
    there = moved(here, library)
    columns, origin, shift = np.array([3, 1]), np.array([0.5, -1.0]), np.array([1e-3, 0.25])
    same(there.first_row(columns), here.first_row(columns))
    for power in (1, 2):
        sums = (one.power_sums(columns, origin, shift, power) for one in (there, here))
        same(*sums)


SIZES = [(n, d, K) for n in (50, 2000, 10**5, 10**7) for d in (2, 40, 700) for K in (2, 5, 60)]


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_no_samples(size):
    """All models are made from all rows, from cheap to dear, and none is minimised first."""
    n, d, K = size
    X = np.broadcast_to(np.zeros(d), (n, d))
    chosen = plan(DeviceRows(X, np.zeros(n, dtype=np.intp), None, K))
    assert chosen.first_rows == ()
    assert {choice.rows for choice in chosen.choices} == {None}
    costs = [choice.passes for choice in chosen.choices]
    assert costs == sorted(costs)
    whole = plan(LocalRows(X, np.zeros(n, dtype=np.intp), None, K))
    drawn = whole.choices[-1].kind is Kind.DRAWN_CLASS_BLOCKS
    last = Kind.CLASS_BLOCKS if drawn else whole.choices[-1].kind
    assert chosen.choices[-1].kind is last
    assert chosen.choices[0].kind is Kind.DIAGONAL or chosen.choices[0].passes < 20


@pytest.mark.parametrize("scale", [None, np.linspace(-0.2, 3, 30).clip(0)], ids=["", "scaled"])
@pytest.mark.parametrize("independent", [False, True])
def test_row_space(independent, scale, library):
    """Parameters there and back are the same, and so are the logits of the rows."""
    data = make(K=3, n=8, d=30)
    space = moved(data, library).row_space(compute_moments(data), independent, scale)
    A, a = np.random.default_rng(1).normal(size=(3, space.data.n_features)), np.arange(3.0)
    coef, intercept = space.leave(A, a)
    for actual, expected in zip(space.enter(coef, intercept), (A, a), strict=True):
        np.testing.assert_allclose(actual, expected, atol=1e-13)
    L = to_numpy(space.data.X)
    np.testing.assert_allclose(data.X @ coef.T + intercept, L @ A.T + a, atol=1e-12)


@pytest.mark.parametrize("size", [(300, 4, 2), (300, 4, 5), (30, 90, 3), (4000, 30, 6)], ids=str)
def test_minimum(size, library):
    n, d, K = size
    data = make(K, n=n, d=d)
    settings = dict(penalty=Penalty(1.0), start=None, tol=1e-12, max_iter=500)
    here, there = minimise(data, **settings), minimise(moved(data, library), **settings)
    assert there.converged
    assert there.value == pytest.approx(here.value, rel=1e-11)
    same(there.coef, here.coef, rtol=1e-6)
    same(there.intercept, here.intercept, rtol=1e-6)


def test_a_device_without_float64():
    """The rounding that it has decides how near the minimum a fit can tell it is."""
    data = make(K=3, n=200, dtype=np.float32, weighted=False)
    there = strict.Device("no_float64")
    X = strict.asarray(data.X, device=there)
    targets = strict.asarray(data.targets.astype(np.int32), device=there)
    narrow = DeviceRows(X, targets, None, 3)
    assert narrow.eps == np.finfo(np.float32).eps
    settings = dict(penalty=Penalty(1.0), start=None, tol=1e-6, max_iter=500)
    here, found = minimise(data, **settings), minimise(narrow, **settings)
    assert found.converged
    assert found.target > 1e-5
    assert found.value == pytest.approx(here.value, rel=1e-5)
