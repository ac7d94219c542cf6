"""The factor of a Hessian from the rows themselves, and the entry that is out of proportion."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse

from skxent import SoftmaxClassifier
from skxent.likelihood import tuning
from skxent.likelihood.optimise.preconditioners import PreconditionedPoint
from skxent.likelihood.optimise.row_factor import Extreme, RowFactor
from skxent.likelihood.sources.local_rows import LocalRows

kinds = pytest.mark.parametrize("K", [2, 3, 5])
intercepts = pytest.mark.parametrize("fit_intercept", [True, False])


def factor_of(case, theta, caution=0.0, sizes=None, **form):
    objective = case.objective(**form)
    sizes = np.ones(case.X.shape[1]) if sizes is None else sizes
    return objective, RowFactor.of(objective, theta, caution, sizes)


@kinds
@intercepts
@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize(("alpha", "caution"), [(0.0, 0.0), (0.5, 0.0), (0.5, 0.1)])
@pytest.mark.parametrize("form", [{}, {"sparse": True}], ids=str)
def test_the_factor_is_that_of_the_hessian(make_case, K, fit_intercept, soft, alpha, caution, form):
    case = make_case(K, fit_intercept=fit_intercept, soft=soft, alpha=alpha)
    theta, sizes = case.theta(), np.array([0.5, 3.0, 100.0])
    _, model = factor_of(case, theta, caution, sizes, **form)
    R = np.zeros((len(model.order), len(model.scale)))
    R[:, model.order] = model.R
    assert sorted(model.order) == list(range(len(model.scale)))
    expected = case.free_hessian(theta, caution)
    np.testing.assert_allclose(
        R.T @ R / model.scale / model.scale[:, None], expected, rtol=1e-10, atol=1e-11
    )
    entries = 1 / np.append(sizes, np.ones(int(fit_intercept)))
    np.testing.assert_allclose(model.scale, np.tile(entries, max(len(theta) - 1, 1)))
    assert model.certain


@kinds
@intercepts
@pytest.mark.parametrize("alpha", [0.0, 0.5])
def test_newton_step(make_case, K, fit_intercept, alpha):
    case = make_case(K, fit_intercept=fit_intercept, alpha=alpha)
    theta = case.theta()
    objective, model = factor_of(case, theta)
    view = PreconditionedPoint.of(model, objective(theta))
    H, gradient, step = case.hessian(theta), view.point.gradient, view.newton_step
    np.testing.assert_allclose(
        H @ step.ravel(), -gradient.ravel(), atol=1e-9 * np.abs(gradient).max()
    )
    decrement = 0.5 * gradient.ravel() @ np.linalg.pinv(H) @ gradient.ravel()
    assert view.decrement == pytest.approx(decrement, rel=1e-9)
    if K > 2:
        np.testing.assert_allclose(step.sum(axis=0), 0, atol=1e-12)
    assert model.gap_bound(view.gradient, 0.5, 3) is None


@kinds
def test_reach_bounds_all_moves_of_a_sample(make_case, K):
    """Over directions of decrement one half, for two classes it is the largest move."""
    case = make_case(K)
    case.weight[5] = 0.0
    theta = case.theta()
    _, model = factor_of(case, theta)
    rng = np.random.default_rng(0)
    moves = []
    for _ in range(300):
        v = rng.normal(size=len(model.order))
        Q = case.samples @ model.from_whitened(v / np.linalg.norm(v)).T
        moves.append(np.abs(Q[:, 0]) if K == 2 else np.ptp(Q, axis=1))
    used = case.weight > 0
    moves = np.max(moves, axis=0)[used]
    assert (moves <= model.reach[used] * (1 + 1e-12)).all()
    assert (moves >= model.reach[used] * (0.7 if K == 2 else 0.2)).all()
    if K == 2:
        H = case.hessian(theta)
        own = np.einsum("ij,ij->i", case.samples @ np.linalg.inv(H), case.samples)
        np.testing.assert_allclose(model.reach[used], np.sqrt(own)[used], rtol=1e-9)
    assert model.reach[5] == 0
    Z = np.sort(case.samples @ theta.T, axis=1)
    margin = np.abs(Z[:, 0]) if K == 2 else Z[:, -1] - Z[:, -2]
    np.testing.assert_allclose(model.margin[used], margin[used], rtol=1e-12, atol=1e-13)


def test_moves_that_matter(make_case):
    """A sample that stays far from the border does not count, and others do."""
    _, model = factor_of(make_case(2, n=3), make_case(2).theta())
    reach, margin = np.array([1.0, 8.0, 3.0]), np.array([0.0, 101.0, 100.0])
    some = replace(model, reach=reach, margin=margin)
    assert some.largest_change(0.5) == 3.0
    assert some.largest_change(2.0) == 6.0
    assert replace(some, margin=np.array([0.0, 15.9, 0.0])).largest_change(0.5) == 8.0
    # half of its margin is what it may move
    assert some.largest_change(0.5 * (50.4 / 8) ** 2) == pytest.approx(3 * 50.4 / 8)
    assert some.largest_change(0.5 * (50.6 / 8) ** 2) == pytest.approx(50.6)
    assert replace(some, margin=np.full(3, 1e3)).largest_change(0.5) == 0.0


@kinds
def test_a_placeholder_costs_no_digits(make_case, K):
    """The Gram matrix has lost what distinguishes columns that share one of 1e10."""
    case = make_case(K, n=60, alpha=0.0)
    plain = make_case(K, n=60, alpha=0.0)
    case.X[0] = 1e10
    case.weight[0] = 1.0
    theta = np.zeros(case.theta().shape)
    data = LocalRows(case.X, case.Y, case.weight, K)
    extreme = Extreme.of(data)
    objective = case.objective()
    objective.mean = extreme.medians
    objective.rows = data.sums(extreme.medians, True)
    model = RowFactor.of(objective, theta, 0.0, extreme.sizes)
    assert model.certain
    assert len(model.order) == len(model.scale)
    # The part of the other rows: the placeholder takes one direction, and the rest are theirs.
    v = np.random.default_rng(0).normal(size=(len(theta), 3))
    v -= v.mean(axis=1, keepdims=True)  # directions that the placeholder's row does not move
    direction = np.column_stack([v, -v @ (1e10 - extreme.medians)])
    direction -= direction.mean(axis=0) if K > 2 else 0.0
    flat = direction[: max(K - 1, 1)] - (direction[-1] if K > 2 else 0.0)
    moved = model.R @ (flat.ravel() / model.scale)[model.order]
    samples = np.column_stack([case.X - extreme.medians, np.ones(60)])
    Q = samples[1:] @ direction.T
    P = np.full((59, K), 1 / K)
    if K == 2:
        expected = case.weight[1:] @ (0.25 * Q[:, 0] ** 2)
    else:
        centred = Q - (P * Q).sum(axis=1, keepdims=True)
        expected = case.weight[1:] @ (P * centred**2).sum(axis=1)
    assert moved @ moved == pytest.approx(expected, rel=1e-3)
    assert plain.X.shape == case.X.shape


@pytest.mark.parametrize("alpha", [0.0, 0.5])
@pytest.mark.parametrize("K", [2, 3])
def test_directions_without_curvature_are_left_out(make_case, K, alpha):
    """A column twice: with a penalty all count, without one a direction is none."""
    case = make_case(K, alpha=alpha)
    case.X[:, 1] = 2 * case.X[:, 0]
    objective, model = factor_of(case, case.theta())
    missing = 0 if alpha else max(K - 1, 1)
    assert len(model.order) == len(model.scale) - missing
    assert model.certain
    assert np.isfinite(
        model.from_whitened(model.to_whitened(objective(case.theta()).gradient))
    ).all()


FORMS = [np.asarray, np.asfortranarray, scipy.sparse.csr_array]


@pytest.mark.parametrize("form", FORMS)
@intercepts
@pytest.mark.parametrize("value", [1e5, -1e7])
def test_the_extreme_entry(form, fit_intercept, value):
    X = np.random.default_rng(0).normal(size=(30, 4)) + np.array([0, 1, 2, 0])
    X[:, 3] = 0.0
    X[11, 2], X[4, 1] = value, np.sign(value) * tuning.EXTREME_RATIO * 5
    data = LocalRows(form(X), np.arange(30) % 3, None, 3, fit_intercept)
    found = Extreme.of(data)
    assert (found.row, found.column, found.value) == (11, 2, value)
    medians = np.median(X, axis=0) if fit_intercept else np.zeros(4)
    np.testing.assert_array_equal(found.medians, medians)
    distance = np.abs(X - medians)
    sizes = [np.median(column[column > 0]) if column.any() else 1.0 for column in distance.T]
    np.testing.assert_array_equal(found.sizes, sizes)


@intercepts
def test_rows_without_weight_are_not_extreme(fit_intercept):
    X, weight = np.random.default_rng(0).normal(size=(30, 3)), np.ones(30)
    X[4, 1], X[9, 2], weight[4] = 1e12, 1e7, 0.0
    found = Extreme.of(LocalRows(X, np.arange(30) % 3, weight, 3, fit_intercept))
    assert (found.row, found.column, found.value) == (9, 2, 1e7)
    if fit_intercept:
        np.testing.assert_array_equal(found.medians, np.median(np.delete(X, 4, axis=0), axis=0))
    weight[9] = 0.0
    assert Extreme.of(LocalRows(X, np.arange(30) % 3, weight, 3, fit_intercept)) is None


@pytest.mark.parametrize("ratio", [0.99, 1.01])
def test_what_counts_as_extreme(ratio):
    X = np.array([-1.0, 1.0] * 20)[:, None]
    X[7] = ratio * tuning.EXTREME_RATIO
    found = Extreme.of(LocalRows(X, np.arange(40) % 2, None, 2, False))
    assert (found is not None) == (ratio > 1)


def test_large_problems_are_not_looked_at():
    X = np.random.default_rng(0).normal(size=(10, 4000))
    X[0, 0] = 1e9
    assert Extreme.of(LocalRows(X, np.arange(10) % 3, None, 3)) is None
    assert Extreme.of(LocalRows(X[:, :10], np.arange(10) % 3, None, 3)) is not None


@pytest.mark.parametrize("K", [2, 3])
def test_the_penalty_of_a_tiny_column(K):
    """In the units of the column the square of its penalty overflows; no NumPy warning."""
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=11), 1e-300 * rng.normal(size=11)])
    X[0, 0] = 1e6
    clf = SoftmaxClassifier(100.0).fit(X, np.arange(11) % K)
    plain = SoftmaxClassifier(100.0).fit(X[:, :1], np.arange(11) % K)
    np.testing.assert_allclose(clf.coef_[:, :1], plain.coef_, rtol=1e-6)
