"""Steps with a length for each class: derivatives, minima, and fits that struggle."""

import numpy as np
import pytest
from scipy.optimize import minimize

from skxent import SoftmaxClassifier
from skxent.likelihood import tuning
from skxent.likelihood.optimise import class_subspace, preconditioners
from skxent.likelihood.optimise.class_subspace import ClassSubspace, Direction, LogitSpace
from skxent.likelihood.optimise.preconditioners import PreconditionedPoint


@pytest.fixture(params=[(3, False, True), (5, True, True), (4, True, False)])
def space(request, make_case):
    """The objective, a point, three directions, and the objective over their lengths."""
    K, soft, fit_intercept = request.param
    objective = make_case(K, soft=soft, fit_intercept=fit_intercept).objective()
    return space_at(objective, 0.7)


def space_at(objective, scale):
    rng = np.random.default_rng(1)
    theta, *steps = scale * rng.normal(size=(4, *objective.shape))
    subspace = ClassSubspace.of(objective)
    subspace.logits = objective.rows.logits(theta)
    directions = [Direction(step, objective.rows.logits(step)) for step in steps]
    return objective, theta, steps, LogitSpace(subspace, theta, directions)


def at(theta, steps, lengths):
    """The parameters at lengths (K m,), those of the first class first."""
    t = lengths.reshape(len(theta), len(steps))
    return theta + sum(t[:, [j]] * step for j, step in enumerate(steps))


def test_value_and_gradient_are_those_of_the_objective(space):
    objective, theta, steps, lengths_space = space
    penalty = objective.penalty(theta[:, : objective.n_features])[0]
    lengths = np.random.default_rng(2).normal(size=len(theta) * 3)
    value, residuals = lengths_space.value(lengths)
    there = objective(at(theta, steps, lengths))
    assert value + penalty == pytest.approx(there.value, rel=1e-12)
    gradient, _ = lengths_space.derivatives(lengths, residuals)
    along = np.array([(there.gradient * step).sum(axis=1) for step in steps])  # (m, K)
    np.testing.assert_allclose(gradient, along.T.ravel(), rtol=1e-9, atol=1e-9)


def test_hessian_by_differences_of_the_gradient(space, monkeypatch):
    monkeypatch.setattr(class_subspace, "UNSEEN_CURVATURE", 0.0)
    _, theta, _, lengths_space = space
    lengths = 0.3 * np.random.default_rng(3).normal(size=len(theta) * 3)

    def gradient(t):
        return lengths_space.derivatives(t, lengths_space.value(t)[1])[0]

    H = lengths_space.derivatives(lengths, lengths_space.value(lengths)[1])[1]
    for j, unit in enumerate(np.eye(len(lengths))):
        column = (gradient(lengths + 1e-5 * unit) - gradient(lengths - 1e-5 * unit)) / 2e-5
        np.testing.assert_allclose(H[j:, j], column[j:], rtol=1e-6, atol=1e-6)


def test_minimum_against_a_general_minimiser(make_case, monkeypatch):
    monkeypatch.setattr(class_subspace, "SMALL_SLOPE", 1e-9)
    monkeypatch.setattr(class_subspace, "NEWTON_STEPS", 100)
    objective, theta, steps, lengths_space = space_at(make_case(4).objective(), 0.7)
    lengths = lengths_space.minimise().ravel()

    def value_and_gradient(t):
        value, residuals = lengths_space.value(t)
        return value, lengths_space.derivatives(t, residuals)[0]

    reference = minimize(value_and_gradient, 0 * lengths, jac=True, options={"gtol": 1e-9})
    assert lengths_space.value(lengths)[0] <= reference.fun + 1e-6 * abs(reference.fun)
    assert objective(at(theta, steps, lengths)).value < objective(theta).value


def test_far_from_the_minimum_the_objective_still_falls(make_case):
    """Most samples are wrong and certain, and have next to no curvature."""
    objective, theta, steps, lengths_space = space_at(make_case(4).objective(), 10.0)
    lengths = lengths_space.minimise().ravel()
    assert objective(at(theta, steps, lengths)).value < 0.9 * objective(theta).value


def test_the_same_direction_twice_is_no_trouble(make_case):
    objective, theta, _, _ = space_at(make_case(3).objective(), 0.7)
    subspace = ClassSubspace.of(objective)
    subspace.logits = objective.rows.logits(theta)
    step = -objective(theta).gradient
    twice = [Direction(step, objective.rows.logits(step))] * 2
    lengths = LogitSpace(subspace, theta, twice).minimise()
    assert np.abs(lengths).max() < 1e3
    assert objective(at(theta, [step, step], lengths.ravel())).value < objective(theta).value


@pytest.mark.parametrize("kind", [preconditioners.class_blocks, preconditioners.diagonal])
def test_steps_reach_the_minimum(make_case, kind):
    """Logits are carried along, earlier steps are kept, and the gap is no overestimate."""
    objective = make_case(5, n=200, d=6).objective()
    subspace, point, values = ClassSubspace.of(objective), objective(np.zeros(objective.shape)), []
    gaps = []
    for _ in range(12):
        model = kind(objective, point.theta)
        there, gap = subspace.step(PreconditionedPoint.of(model, point))
        if there is None:
            break
        values.append(point.value)
        gaps.append(gap)
        point = there
        np.testing.assert_allclose(
            subspace.logits, objective.rows.logits(point.theta), rtol=1e-9, atol=1e-9
        )
        assert subspace.earlier[0].step == pytest.approx(point.theta - subspace_start(subspace))
        assert len(subspace.earlier) <= class_subspace.EARLIER
    assert values == sorted(values, reverse=True)
    lowest = minimum_of(objective)
    assert point.value - lowest < 1e-8
    early = [(v - lowest, g) for v, g in zip(values, gaps, strict=True) if v - lowest > 1e-6]
    assert all(0.2 * true < gap < 5 * true for true, gap in early)


def subspace_start(subspace):
    return subspace.theta - subspace.earlier[0].step


def minimum_of(objective):
    """The lowest value, by exact Newton steps."""
    point = objective(np.zeros(objective.shape))
    for _ in range(30):
        here = PreconditionedPoint.of(preconditioners.full(objective, point.theta), point)
        trial = objective(point.theta + here.newton_step)
        point = min(point, trial, key=lambda each: each.value)
    return point.value


def test_a_point_from_elsewhere_costs_a_read_of_its_logits(make_case):
    objective = make_case(3, n=100).objective()
    subspace = ClassSubspace.of(objective)
    for _ in range(2):
        theta = np.random.default_rng(4).normal(size=objective.shape)
        point = objective(theta)
        before = objective.n_passes
        model = preconditioners.class_blocks(objective, theta)
        there, _ = subspace.step(PreconditionedPoint.of(model, point))
        first = objective.n_passes - before
        before = objective.n_passes
        model = preconditioners.class_blocks(objective, there.theta)
        subspace.step(PreconditionedPoint.of(model, there))
        assert first <= class_subspace.PRODUCTS + 3
        assert objective.n_passes - before <= class_subspace.PRODUCTS + 2


def test_changes_of_logits_from_a_product(make_case, monkeypatch):
    """Also with rows in several blocks, and sparse ones."""
    monkeypatch.setattr(tuning, "BLOCK_ELEMENTS", 64)
    monkeypatch.setattr(tuning, "ONE_BLOCK_ELEMENTS", 1)
    case = make_case(3, n=100)
    for sparse in (False, True):
        objective = case.objective(sparse=sparse)
        theta, step = case.theta(), case.theta(seed=1)
        changes = np.full((3, 100), np.nan)
        product = objective.hessian_product(theta, step, changes)
        np.testing.assert_array_equal(product, objective.hessian_product(theta, step))
        np.testing.assert_allclose(changes, step @ case.samples.T, rtol=1e-9, atol=1e-9)


def test_where_the_steps_are_not_for(make_case, monkeypatch):
    assert ClassSubspace.of(make_case(2).objective()) is None
    assert ClassSubspace.of(make_case(class_subspace.MOST_CLASSES + 1).objective()) is None
    assert ClassSubspace.of(make_case(3).objective()) is not None
    monkeypatch.setattr(tuning, "KEPT_PROBABILITIES", 100)
    assert ClassSubspace.of(make_case(3).objective()) is None


@pytest.fixture(scope="module")
def raw_classes():
    """Twenty classes that are nearly separated, on columns of very different sizes."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((500, 80))
    W = rng.standard_normal((80, 20)) * 20 / np.sqrt(80)
    y = (X @ W + rng.standard_normal(20) + rng.gumbel(size=(500, 20))).argmax(axis=1)
    return X * np.logspace(-2, 2, 80), np.unique(y, return_inverse=True)[1]


def counted(monkeypatch, result=lambda found: found):
    """Count the steps, and replace their results."""
    calls, step = [], ClassSubspace.step

    def counting(self, here):
        calls.append(here)
        return result(step(self, here))

    monkeypatch.setattr(ClassSubspace, "step", counting)
    return calls


def test_a_fit_that_struggles_takes_fewer_passes(raw_classes, monkeypatch):
    steps = counted(monkeypatch)
    found = SoftmaxClassifier(C=100.0).fit(*raw_classes)
    assert len(steps) > 2
    n_steps = len(steps)
    other = SoftmaxClassifier(C=100.0, solver="lbfgs").fit(*raw_classes)
    assert len(steps) == n_steps  # "lbfgs" takes steps of L-BFGS only
    assert found.converged_ and other.converged_
    assert found.n_passes_ < 0.92 * other.n_passes_
    exact = SoftmaxClassifier(C=100.0, solver="lbfgs", tol=1e-12).fit(*raw_classes)
    assert found.objective_ - exact.objective_ <= found.target_gap_
    assert found.objective_ - exact.objective_ <= 2 * found.optimality_gap_ + 1e-9


def test_weights_count_as_copies(raw_classes):
    X, y = raw_classes
    weight = np.random.default_rng(5).integers(0, 3, len(y))
    found = SoftmaxClassifier(C=100.0).fit(X, y, sample_weight=weight)
    copies = SoftmaxClassifier(C=100.0).fit(np.repeat(X, weight, axis=0), np.repeat(y, weight))
    target = found.target_gap_ + copies.target_gap_
    assert found.objective_ == pytest.approx(copies.objective_, abs=target)


def test_a_step_that_does_not_fall_leaves_the_fit_to_lbfgs(raw_classes, monkeypatch):
    steps = counted(monkeypatch, lambda found: (None, found[1]))
    found = SoftmaxClassifier(C=100.0).fit(*raw_classes)
    assert steps
    assert found.converged_
    exact = SoftmaxClassifier(C=100.0, solver="lbfgs", tol=1e-12).fit(*raw_classes)
    assert found.objective_ - exact.objective_ <= found.target_gap_
