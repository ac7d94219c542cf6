"""Value, gradient and Hessian products against plain formulas and central differences."""

from dataclasses import replace

import numpy as np
import pytest

from skxent.likelihood import tuning
from skxent.likelihood.objective import Objective
from skxent.likelihood.optimise import preconditioners
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import compute_moments

FORMS = [
    {},
    {"sparse": True},
    {"dtype": np.float32},
    {"order": "F"},
    {"dtype": np.float32, "order": "F"},
]
kinds = pytest.mark.parametrize("K", [2, 3, 6])
intercepts = pytest.mark.parametrize("fit_intercept", [True, False])
forms = pytest.mark.parametrize("form", FORMS, ids=str)


@kinds
@intercepts
@forms
@pytest.mark.parametrize("soft", [False, True])
def test_value_is_the_formula(make_case, K, fit_intercept, form, soft):
    case = make_case(K, fit_intercept=fit_intercept, soft=soft)
    theta = case.theta()
    assert case.objective(**form)(theta).value == pytest.approx(case.value(theta), rel=1e-13)


@kinds
@intercepts
@pytest.mark.parametrize("alpha", [0.0, 0.5, 1e3])
def test_gradient_by_central_differences(make_case, K, fit_intercept, alpha):
    case = make_case(K, fit_intercept=fit_intercept, alpha=alpha, soft=True)
    objective, theta = case.objective(), case.theta()
    here = objective(theta)
    gradient, h = here.gradient, 1e-6
    for index in np.ndindex(theta.shape):
        step = np.zeros_like(theta)
        step[index] = h
        slope = (objective(theta + step).value - objective(theta - step).value) / (2 * h)
        # the value's rounding over h, with room for the sums of its terms
        assert gradient[index] == pytest.approx(slope, rel=1e-7, abs=8 * here.rounding / h)


@kinds
@intercepts
@forms
def test_hessian_product_is_the_explicit_hessian(make_case, K, fit_intercept, form):
    case = make_case(K, fit_intercept=fit_intercept)
    theta, direction = case.theta(), case.theta(seed=1)
    product = case.objective(**form).hessian_product(theta, direction)
    expected = (case.hessian(theta) @ direction.ravel()).reshape(theta.shape)
    np.testing.assert_allclose(product, expected, rtol=1e-11, atol=1e-12 * np.abs(expected).max())


@forms
@kinds
@pytest.mark.parametrize("kept", [0, 1 << 20])
def test_hessian_products_at_one_point_share_no_more_than_that(
    make_case, K, form, kept, monkeypatch
):
    """What is kept for one point is not taken for another, nor touched by a product."""
    monkeypatch.setattr("skxent.likelihood.tuning.KEPT_PROBABILITIES", kept)
    case = make_case(K)
    points, direction = [case.theta(), case.theta(seed=2)], case.theta(seed=1)
    objective = case.objective(**form)
    for point in (0, 0, 1, 0, 1, 1):
        fresh = case.objective(**form).hessian_product(points[point], direction)
        shared = objective.hessian_product(points[point], direction)
        assert shared.tolist() == fresh.tolist()


@kinds
def test_hessian_product_by_central_differences(make_case, K):
    objective, case = make_case(K).objective(), make_case(K)
    theta, direction = case.theta(), case.theta(seed=1)
    h = 1e-6
    ends = [objective(theta + s * h * direction).gradient for s in (1, -1)]
    slope = (ends[0] - ends[1]) / (2 * h)
    product = objective.hessian_product(theta, direction)
    np.testing.assert_allclose(product, slope, rtol=1e-7, atol=1e-8 * np.abs(slope).max())


@forms
@kinds
def test_forms_of_x_agree(make_case, K, form):
    """float32, Fortran-ordered and sparse X give what float64 in C order gives."""
    case = make_case(K)
    theta = case.theta()
    plain, other = case.objective()(theta), case.objective(**form)(theta)
    assert other.value == pytest.approx(plain.value, rel=1e-14)
    np.testing.assert_allclose(
        other.gradient, plain.gradient, rtol=1e-12, atol=1e-13 * np.abs(plain.gradient).max()
    )


@pytest.mark.parametrize("K", [3, 6])
def test_moving_all_classes_alike_changes_nothing(make_case, K):
    case = make_case(K)
    objective, theta = case.objective(), case.theta()
    shift = np.random.default_rng(5).normal(size=theta.shape[1])
    here, there = objective(theta), objective(theta + shift)
    assert there.value == pytest.approx(here.value, rel=1e-13)
    np.testing.assert_allclose(there.gradient, here.gradient, atol=1e-11)
    np.testing.assert_allclose(here.gradient.sum(axis=0), 0, atol=1e-11)


@kinds
@intercepts
def test_enter_and_leave_are_inverse(make_case, K, fit_intercept):
    case = make_case(K, fit_intercept=fit_intercept)
    objective, theta = case.objective(), case.theta()
    coef, intercept = objective.leave(theta)
    # logits of samples as they are, against those of centred samples
    logits, centred = case.X @ coef.T + intercept, case.samples @ theta.T
    if K > 2:
        centred = centred - centred.mean(axis=1, keepdims=True)
        np.testing.assert_allclose(coef.sum(axis=0), 0, atol=1e-14)
    np.testing.assert_allclose(logits, centred, rtol=1e-12, atol=1e-12)
    again = objective.leave(objective.enter(coef, intercept))
    np.testing.assert_allclose(again[0], coef, rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(again[1], intercept, rtol=1e-12, atol=1e-13)


@kinds
@forms
def test_max_logit_range(make_case, K, form):
    case = make_case(K)
    direction = case.theta(seed=3)
    Q = case.samples @ direction.T
    moves = np.abs(Q[:, 0]) if K == 2 else np.ptp(Q, axis=1)
    found = case.objective(**form).max_logit_range(direction)
    assert found == pytest.approx(moves.max(), rel=1e-12)
    far = 200.0 * case.theta(seed=4)
    Z = case.samples @ far.T
    margin = np.abs(Z) if K == 2 else Z.max(axis=1, keepdims=True) - Z
    near = (margin <= 100) | (margin <= 2 * moves[:, None])
    Q = np.column_stack([0 * Q, Q]) if K == 2 else Q
    moves = [
        np.ptp(q[np.broadcast_to(some, len(q))]) if some.any() else 0.0
        for q, some in zip(Q, near, strict=True)
    ]
    found = case.objective(**form).max_logit_range(direction, far)
    assert found == pytest.approx(max(moves), rel=1e-12)


@kinds
@forms
def test_slopes_are_those_of_the_gradients(make_case, K, form):
    case = make_case(K)
    objective = case.objective(**form)
    point, step = objective(case.theta()), case.theta(seed=3)
    lengths = np.array([0.0, 0.3, 1.0, -2.0, 40.0])
    expected = [np.vdot(objective(point.theta + t * step).gradient, step) for t in lengths]
    before = objective.n_passes
    slopes = objective.slopes(point, step, lengths)
    np.testing.assert_allclose(slopes, expected, rtol=1e-9, atol=1e-9)
    assert objective.n_passes == before + 1
    assert objective.keeps_lines
    again = objective.slopes(point, step, lengths[::-1], again=True)
    np.testing.assert_array_equal(again, slopes[::-1])
    assert objective.n_passes == before + 1
    other = objective.slopes(point, -step, lengths)  # another line, not the one that was kept
    np.testing.assert_allclose(other[0], -slopes[0], rtol=1e-12)
    assert abs(other[1] + slopes[1]) > 1e-6


def test_a_sample_without_weight_does_not_move(make_case):
    case = make_case(3)
    direction = case.theta(seed=3)
    moves = np.ptp(case.samples @ direction.T, axis=1)
    case.weight[moves.argmax()] = 0.0
    found = case.objective().max_logit_range(case.theta(seed=3))
    assert found < moves.max() * (1 - 1e-6)


def test_a_column_far_from_the_origin_keeps_its_digits(make_case):
    """Logits of a Unix timestamp cancel to 1e-7 unless the block is centred before the product."""
    case, far = make_case(3, n=200), 2.0**30
    case.X[:, 1] = np.round(case.X[:, 1] * 2**20) / 2**20  # exact also after the shift
    here, theta = case.objective(), case.theta()
    there = replace(case, X=case.X + np.array([0, far, 0])).objective()
    found, moved = there(theta), theta.copy()
    # theta counts from the centre, and the far one is rounded
    moved[:, -1] += theta[:, :-1] @ (here.mean - (there.mean - [0, far, 0]))
    expected = here(moved)
    assert found.value == pytest.approx(expected.value, rel=1e-13)
    coefs = np.s_[:, [0, 2, 3]]  # the slope along column 1 moves with the centre, too
    np.testing.assert_allclose(
        found.gradient[coefs], expected.gradient[coefs], rtol=1e-10, atol=1e-11
    )


@pytest.mark.parametrize("K", [2, 4])
def test_threads_change_no_bit(K):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60_000, 12)), rng.integers(K, size=60_000)
    theta = rng.normal(size=(1 if K == 2 else K, 13))
    points = []
    for n_threads in (1, 2, 4):
        data = LocalRows(X, y, None, K, True, n_threads)
        moments = compute_moments(data)
        objective = Objective(data, moments, Penalty(1.0), moments.mean)
        assert len(objective.rows.blocks.segments(theta.size)) > 1
        point = objective(theta)
        points.append((point.value, point.gradient, objective.hessian_product(theta, theta)))
        objective.close()
    for value, gradient, product in points[1:]:
        assert value == points[0][0]
        assert np.array_equal(gradient, points[0][1])
        assert np.array_equal(product, points[0][2])


@pytest.mark.parametrize("shape", [(10_001, 50, 2), (10_000, 50, 2), (50_000, 4, 3)], ids=str)
def test_samples_written_out_are_one_block(shape):
    """Where X would be one and its samples, with their ones, no longer are.

    What is kept of the last pass, and of products of entries, would be that of one block for all.
    """
    n, d, K = shape
    rng = np.random.default_rng(0)
    data = LocalRows(rng.normal(size=(n, d)), np.sort(rng.integers(K, size=n)), None, K)
    moments = compute_moments(data)
    R = data.n_outputs
    assert n * (d + 2 * R) <= tuning.ONE_BLOCK_ELEMENTS < n * (d + 1 + 2 * R)
    objective = Objective(data, moments, Penalty(1.0), moments.mean)
    point = objective(rng.normal(size=objective.shape) * 0.1)
    direction = rng.normal(size=objective.shape)
    direction -= direction.mean(axis=0) if R > 1 else 0.0
    product = objective.hessian_product(point.theta, direction).ravel()[: -d - 1 if R > 1 else None]
    H = preconditioners.hessian(objective, point.theta)
    relative = direction[:-1] - direction[-1] if R > 1 else direction
    np.testing.assert_allclose(H @ relative.ravel(), product, rtol=1e-9, atol=1e-8)
