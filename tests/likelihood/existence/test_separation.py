"""Separation against its definition, at its limits, and where nothing about it may change."""

import numpy as np
import pytest
import scipy.sparse
from scipy.optimize import OptimizeResult
from separations import constraints, find, integers, same, sparse, truth
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine

from skxent.likelihood import tuning
from skxent.likelihood.existence import programmes
from skxent.likelihood.existence.separation import Separation, Undecided, find_separation
from skxent.likelihood.objective import Objective
from skxent.likelihood.optimise import preconditioners
from skxent.likelihood.optimise.preconditioners import PreconditionedPoint
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import compute_moments


@pytest.mark.parametrize("start", range(0, 120, 20))
@pytest.mark.thinned(9)
def test_definition(start):
    """Kind, classes and samples; the features suffice, and none is superfluous."""
    kinds = set()
    for seed in range(start, start + 20):
        X, Y, weight, fit_intercept = integers(seed)
        want = truth(X, Y, weight, fit_intercept)
        rng = np.random.default_rng(seed)
        units = 10.0 ** rng.integers(-6, 7, size=X.shape[1])
        away = rng.integers(-300, 301, size=X.shape[1]) * (fit_intercept and seed % 2)
        raw = (X + away) * units
        raw = sparse(raw) if seed % 3 == 0 else raw
        found = find(raw, Y, weight, fit_intercept=fit_intercept)
        assert same(found, want), seed
        kinds.add(want and want.kind)
        if want is None:
            continue
        own = list(found.features)
        assert truth(X[:, own], Y, weight, fit_intercept) == want, seed
        for j in own:
            less = [other for other in own if other != j]
            if less or fit_intercept:
                assert truth(X[:, less], Y, weight, fit_intercept) != want, seed
    assert kinds == {None, "complete", "quasi-complete"}


@pytest.mark.parametrize("seed", range(40))
def test_the_direction_separates(seed):
    """In raw units, with its features alone, and rows that sum to zero."""
    X, Y, weight, fit_intercept = integers(seed)
    found = find(X * 1e3, Y, weight, fit_intercept=fit_intercept)
    if found is None:
        return
    K = Y.shape[1]
    direction = found.direction
    assert direction.shape == (1 if K == 2 else K, X.shape[1] + 1)
    assert fit_intercept or not direction[:, -1].any()
    if K == 2:
        direction = np.vstack([-direction, direction]) / 2
    eps = np.finfo(float).eps
    np.testing.assert_allclose(direction.sum(axis=0), 0, atol=4 * eps * np.abs(direction).max())
    assert set(np.flatnonzero(np.ptp(direction[:, :-1], axis=0))) == set(found.features)
    rows, _, tied = constraints(X * 1e3, Y, weight, True)
    margins = rows @ direction.ravel()
    size = np.abs(rows) @ np.abs(direction).ravel() + 1
    assert np.all(margins[~tied] >= -1e-13 * size[~tied])
    assert np.all(np.abs(margins[tied]) <= 1e-13 * size[tied])
    assert margins.max() > 1e-3


# Classic cases
def test_an_empty_cell():
    """A two by two table with a zero: its log odds ratio is infinite."""
    X = np.repeat([[0.0], [0.0], [1.0]], [10, 7, 5], axis=0)
    y = np.repeat([0, 1, 1], [10, 7, 5])
    found = find(X, y)
    assert (found.kind, found.n_samples, found.n_total) == ("quasi-complete", 5, 22)
    assert found.direction[0, 0] > 0.5
    assert found.direction[0, 1] == 0
    assert find(np.append(X, [[1.0]], axis=0), np.append(y, 0)) is None


@pytest.mark.parametrize(
    ("shift", "kind"), [(0.1, "complete"), (0.0, "quasi-complete"), (-0.1, None)]
)
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_two_intervals(shift, kind, fit_intercept):
    """Apart, touching, overlapping; without intercept they meet at zero."""
    left = np.linspace(-1, -shift / 2, 20)
    X = np.concatenate([left, -left])[:, None] + (7.0 if fit_intercept else 0.0)
    found = find(X, np.repeat([0, 1], 20), fit_intercept=fit_intercept)
    assert (found and found.kind) == kind
    if kind:
        assert found.n_samples == (40 if shift else 38)


def test_two_columns_that_separate_together():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 5))
    y = (X[:, 1] - X[:, 3] > 0).astype(int)
    found = find(X, y)
    assert (found.kind, found.features.tolist()) == ("complete", [1, 3])


def test_setosa():
    X, y = load_iris(return_X_y=True)
    for labels, kind in ((y, "quasi-complete"), ((y > 0).astype(int), "complete")):
        found = find(X, labels)
        assert found.kind == kind
        assert found.features.tolist() in ([2], [3])  # the petals, in length or in width
        assert found.pairs == (((0, 1), (0, 2)) if kind != "complete" else ((0, 1),))
        assert found.n_samples == 150
    assert find(X[50:], y[50:] - 1) is None


def test_wine_and_breast_cancer():
    wine, cancer = (find(*load(return_X_y=True)) for load in (load_wine, load_breast_cancer))
    assert (wine.kind, wine.pairs) == ("complete", ((0, 1), (0, 2), (1, 2)))
    assert cancer.kind == "complete"
    assert len(wine.features) <= 7
    assert 15 < len(cancer.features) < 30


def test_one_class_of_three_in_some_samples():
    """A category of one class, in data that overlap: that class from both others."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(300, 4))
    y = rng.integers(3, size=300)
    X[:, 2] = (y == 1) & (rng.random(300) < 0.1)
    found = find(X, y)
    assert (found.kind, found.pairs) == ("quasi-complete", ((0, 1), (1, 2)))
    assert found.features.tolist() == [2]
    assert found.n_samples == X[:, 2].sum() > 3
    X[:, 2] = (y != 1) & (rng.random(300) < 0.1)  # and one that class 1 lacks: 1 falls behind
    found = find(X, y)
    assert (found.pairs, found.n_samples) == (((0, 1), (1, 2)), X[:, 2].sum())


def test_more_columns_than_samples():
    X = np.random.default_rng(0).normal(size=(12, 30))
    found = find(X, np.arange(12) % 3)
    assert found.kind == "complete"
    assert len(found.features) < 12


# Targets and weights
def test_classes_that_share_a_soft_row_move_together():
    X = np.array([[0.0], [1.0], [2.0], [3.0]])
    Y = np.eye(3)[[0, 0, 1, 2]]
    assert find(X, Y).kind == "complete"
    Y[3] = [0, 0.5, 0.5]
    found = find(X, Y)
    assert (found.kind, found.pairs) == ("quasi-complete", ((0, 1), (0, 2), (1, 2)))
    Y[0] = [0.2, 0.3, 0.5]  # x = 3 and x = 0 leave 1 and 2 together everywhere, and 0 at x = 0
    assert same(find(X, Y), truth(X, Y))
    assert find(X, np.full((4, 3), 1 / 3)) is None


def test_a_share_is_a_share_however_small():
    X, Y = np.array([[0.0], [1.0]]), np.eye(2)
    assert find(X, Y).kind == "complete"
    Y[:] = [[1, 1e-300], [0, 1]]
    assert find(X, Y).kind == "quasi-complete"
    Y[1] = [1e-300, 1]
    assert find(X, Y) is None


def test_rows_without_weight_do_not_count():
    X, y = np.arange(20.0)[:, None], np.repeat([0, 1], 10)
    y[15] = 0
    weight = np.full(20, 1e-9)
    assert find(X, y, weight) is None
    weight[15] = 0
    found = find(X, y, weight)
    assert (found.kind, found.n_samples, found.n_total) == ("complete", 19, 19)


@pytest.mark.parametrize("K", [2, 3])
def test_a_class_without_weight(K):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 2)), rng.integers(K, size=60)
    found = find(X, y, (y != 1).astype(float))
    assert found.features.size == 0
    assert found.pairs == tuple((a, b) for a, b in ((0, 1), (1, 2)) if b < K)
    # through the origin nothing holds it back either, unless samples lie on all sides
    assert find(X, y, (y != 1).astype(float), fit_intercept=False) is None or K == 2


# What must not change anything
@pytest.fixture
def mixed():
    """A category of class 1 among three that overlap, and its separation."""
    rng = np.random.default_rng(5)
    X = rng.normal(size=(400, 4))
    y = (X @ rng.normal(size=(4, 3)) + rng.gumbel(size=(400, 3))).argmax(axis=1)
    X[:, 3] = (y == 1) & (rng.random(400) < 0.1)
    found = find(X, y)
    assert (found.features.tolist(), found.pairs) == ([3], ((0, 1), (1, 2)))
    return X, y, found.n_samples


def read_only(X):
    X.setflags(write=False)
    return X


FORMS = [np.asfortranarray, read_only, sparse, scipy.sparse.csr_matrix, np.float32]


@pytest.mark.parametrize("form", [*FORMS, lambda X: sparse(np.float32(X))])
def test_forms_of_x(mixed, form):
    X, y, n_samples = mixed
    found = find(form(X), y)
    assert (found.features.tolist(), found.n_samples) == ([3], n_samples)


@pytest.mark.parametrize("form", [np.asarray, sparse])
@pytest.mark.parametrize("far", [1e9, 1e12, 1e15])
def test_units_and_offsets(mixed, form, far):
    """Where a column's digits are lost it is no use, and does not get in the way."""
    X, y, n_samples = mixed
    raw = X * [1e-140, 1.0, 1e100, 1e-3] + [0, far, -1e103, 7.0]
    found = find(form(raw), y)
    assert (found.features.tolist(), found.n_samples) == ([3], n_samples)
    coef = found.direction[:, 3] * 1e-3
    assert np.all(coef[1] > coef[[0, 2]] + 0.1)


def test_order_of_classes_and_samples(mixed):
    X, y, n_samples = mixed
    order = np.random.default_rng(0).permutation(len(y))
    found = find(X[order], np.array([2, 0, 1])[y][order])
    assert (found.features.tolist(), found.n_samples) == ([3], n_samples)
    assert found.pairs == ((0, 1), (0, 2))


def test_useless_columns(mixed):
    """Constant, repeated and dependent columns take no part."""
    X, y, n_samples = mixed
    more = np.column_stack([np.full(400, 0.1), X[:, 0], X, X[:, 1] + X[:, 2], 1 - X[:, 3]])
    found = find(more, y)
    assert found.features.tolist() in ([5], [7])
    assert found.n_samples == n_samples
    assert find(more[:, [0, 1, 2, 3, 4, 6]], y) is None


def test_one_hot_columns():
    """All levels of a factor, which add up to the intercept: the level is named, not its rest."""
    rng = np.random.default_rng(2)
    level, y = rng.integers(6, size=300), rng.integers(2, size=300)
    y[level == 4] = 1
    for X in (np.eye(6)[level], sparse(np.eye(6)[level])):
        found = find(X, y)
        assert (found.features.tolist(), found.n_samples) == ([4], np.sum(level == 4))
        assert found.direction[0, 4] > 0
    reduced = find(np.eye(6)[level][:, [0, 1, 2, 3, 5]], y)  # level 4 is the one left out
    assert reduced.n_samples == np.sum(level == 4)


def test_one_hot_labels_moments_and_blocks(mixed, monkeypatch):
    X, y, n_samples = mixed
    data = LocalRows(X, np.eye(3)[y], None, 3)
    monkeypatch.setattr(tuning, "RUN_ELEMENTS", 100)
    found = find_separation(data, moments=compute_moments(data))
    assert (found.features.tolist(), found.n_samples) == ([3], n_samples)


@pytest.mark.parametrize("K", [2, 3])
def test_newton_steps_are_long_where_data_separate(K):
    """They move some logits apart by one, wherever they start: the proof that most fits need."""
    rng = np.random.default_rng(K)
    X = rng.normal(size=(800, 3))
    y = rng.integers(K, size=800)
    separable, moves = np.column_stack([X, (y == 1) & (rng.random(800) < 0.02)]), {}
    assert find(separable, y) is not None
    assert find(X, y) is None
    for name, columns in (("separable", separable), ("not", X)):
        data = LocalRows(columns, y, None, K)
        objective = Objective(data, compute_moments(data), Penalty(0.0), compute_moments(data).mean)
        for scale in (0.0, 0.1, 1.0, 3.0):
            theta = rng.normal(size=objective.shape) * scale
            theta -= theta.mean(axis=0) if K > 2 else 0.0
            view = PreconditionedPoint.of(preconditioners.full(objective, theta), objective(theta))
            moves.setdefault(name, []).append(objective.max_logit_range(view.newton_step))
    assert min(moves["separable"]) >= 1
    assert min(moves["not"]) < 1


# When it cannot be told
def test_too_large():
    X, y = load_digits(return_X_y=True)
    with pytest.raises(Undecided, match="too large"):
        find(X, y)
    X = scipy.sparse.random_array((3000, 1000), density=0.002, random_state=0, format="csr")
    assert find(X, np.arange(3000) % 2).kind == "quasi-complete"  # columns of one or two samples


def test_a_guess_that_separates_all_samples():
    """Then size is no matter, and neither are features that it could do without."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 600))
    coef, intercept = rng.normal(size=(1, 600)), np.array([0.3])
    y = (X @ coef[0] + 0.3 > 0).astype(int)
    found = find(X, y, guess=(coef, intercept))
    assert (found.kind, found.n_samples, len(found.features)) == ("complete", 500, 600)
    np.testing.assert_allclose(
        found.direction / found.direction[0, -1], np.append(coef, intercept)[None] / 0.3, rtol=1e-9
    )
    with pytest.raises(Undecided):
        find(X, 1 - y, guess=(coef, intercept))


def test_a_bad_guess_changes_nothing(mixed):
    X, y, n_samples = mixed
    for size in (0.0, 1.0, 1e15):
        guess = np.full((3, 4), size) * np.arange(3)[:, None], np.zeros(3)
        found = find(X, y, guess=guess)
        assert (found.features.tolist(), found.n_samples) == ([3], n_samples)


def test_highs_may_give_up(mixed, monkeypatch):
    X, y, _ = mixed
    gave_up = OptimizeResult(x=None, status=4, message="numerical difficulties")
    monkeypatch.setattr(programmes, "linprog", lambda *args, **settings: gave_up)
    with pytest.raises(Undecided, match="numerical difficulties"):
        find(X, y)


# Messages
def separation(pairs, features=(1,), kind="quasi-complete"):
    return Separation(kind, np.zeros((1, 9)), pairs, np.array(features, dtype=int), 5, 22)


@pytest.mark.parametrize(
    ("pairs", "features", "text"),
    [
        (((0, 1),), (1,), "x1 separates 'a' from 'b' in 5 of 22 samples (quasi-complete "),
        (((0, 1),), (1, 4), "x1 and x4 separate 'a' from 'b' in"),
        (((0, 1),), range(8), "x0, x1, x2, x3, x4 and 3 more separate 'a' from 'b' in"),
        (((0, 1),), (), "the intercept alone (a class has no sample with a weight) separates"),
        (((0, 1), (1, 2)), (1,), "separates 'b' from 'a' and 'c' in"),
        (((0, 1), (0, 2), (1, 2)), (1,), "separates 'a', 'b' and 'c' from each other in"),
        (((0, 1),), (1,), "separates 'a' from 'b' in"),
        (((0, 1), (0, 2), (0, 3), (1, 2), (1, 3)), (1,), "'a', 'b' and ('c' and 'd') from each"),
    ],
)
def test_message(pairs, features, text):
    K = 1 + max(b for _, b in pairs)
    message = separation(pairs, features).message(np.array(["a", "b", "c", "d"])[:K])
    assert text in message
    assert message.startswith("no finite maximum of the likelihood exists, because ")
    assert "Pass a finite C, or drop or merge" in message


def test_message_of_pairs_and_names():
    """A class that overlaps with both others keeps them from being groups."""
    message = separation(((0, 1),)).message(np.array([3, 5, 7]), ["age", "fever"])
    assert "because fever separates 3 from 5 in 5 of 22 samples" in message
