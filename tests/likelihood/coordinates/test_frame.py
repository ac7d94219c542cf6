"""Which coordinates a fit is made in, and the way there and back."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse

from skxent.likelihood import tuning
from skxent.likelihood.coordinates.changes import SomeColumns, leave
from skxent.likelihood.coordinates.frame import Frame
from skxent.likelihood.coordinates.independent_columns import IndependentColumns
from skxent.likelihood.coordinates.units import Units
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.solution import Solution
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import compute_moments
from skxent.likelihood.sources.row_space import RowSpace, ScaledRowSpace

RNG = np.random.default_rng(0)
TALL = RNG.normal(size=(60, 3))
TWICE = np.column_stack([TALL, TALL[:, 0] + TALL[:, 1]])
NEARLY = np.column_stack([TALL, TALL[:, 0] + 1e-7 * TALL[:, 1]])
WIDE = RNG.normal(size=(8, 20))
SMALL = TALL * [1.0, 1e-200, 1.0]


def data_of(X, form=np.asarray, **options):
    return LocalRows(form(X), np.arange(len(X)) % 3, None, 3, **options)


def kinds(frame):
    return [type(change) for change in frame.changes]


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("form", [np.asarray, scipy.sparse.csr_array])
@pytest.mark.parametrize(
    ("X", "alpha", "expected"),
    [
        (TALL, 0.0, []),
        (TALL, 1.0, []),
        (TWICE, 0.0, [IndependentColumns]),
        (TWICE, 1e-12, []),
        (TWICE, 1e-20, [IndependentColumns]),
        (WIDE, 0.0, [RowSpace]),
        (SMALL, 0.0, [Units]),
        (SMALL[:8].repeat(2, axis=1)[:, [0, 2, 3, 4, 5] * 4], 0.0, [Units, RowSpace]),
        (np.column_stack([SMALL, SMALL[:, 1]]), 0.0, [Units, IndependentColumns]),
        (np.zeros((9, 2)), 0.0, []),
    ],
)
def test_coordinates(X, alpha, expected, form, fit_intercept):
    frame = Frame.of(data_of(X, form, fit_intercept=fit_intercept), Penalty(alpha)).identified()
    assert kinds(frame) == expected
    assert frame.certain == (not expected)
    assert frame.first.mean.shape == (X.shape[1],)
    assert frame.data.n_features == frame.moments.mean.size
    if expected:
        assert frame.data is frame.changes[-1].data
    np.testing.assert_allclose(
        frame.moments.variance, compute_moments(frame.data).variance, rtol=1e-6
    )


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_more_features_than_rows_with_a_penalty_are_certain(fit_intercept):
    """Rows as they are, with the penalty's help: parameters there and back are the same."""
    frame = Frame.of(data_of(WIDE, fit_intercept=fit_intercept), Penalty(1.0)).identified()
    assert kinds(frame) == [RowSpace]
    assert frame.certain
    assert frame.penalty == Penalty(1.0)
    assert frame.data.n_features == 8


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize(
    ("X", "zeros", "expected", "factors"),
    [
        (TALL, [], [], [1.0, 2.0, 3.0]),
        (TALL, [1], [], [1.0, 0.0, 3.0]),
        (TWICE, [3], [], [1.0, 2.0, 3.0, 0.0]),
        (TWICE, [0, 1, 3], [SomeColumns], [0.0, 0.0, 3.0]),
        (NEARLY, [0, 3], [SomeColumns], [0.0, 0.0, 2.0, 3.0]),
        (np.column_stack([TALL, np.ones(60)]), [3], [], None),
        (WIDE, [], [ScaledRowSpace], "none"),
        (WIDE, [2, 5], [ScaledRowSpace], [1.0] * 8 + [0.0] * 2),
        (WIDE, range(13), [ScaledRowSpace], [0.0] * 8 + [14.0, 15, 16, 17, 18, 19, 20]),
        (SMALL, [1], [Units], [1.0, 0.0, 3.0]),
    ],
)
def test_coordinates_with_factors(X, zeros, expected, factors, fit_intercept):
    """Unpenalised columns are made independent; the row space is that of the penalised ones."""
    given = 1.0 + np.arange(X.shape[1])
    given[list(zeros)] = 0.0
    data = data_of(X, fit_intercept=fit_intercept)
    frame = Frame.of(data, Penalty(1.0, given)).identified()
    assert kinds(frame) == expected
    assert frame.data.n_features == frame.moments.mean.size
    np.testing.assert_array_equal(frame.unpenalised, given == 0)
    np.testing.assert_allclose(
        frame.moments.variance, compute_moments(frame.data).variance, rtol=1e-6
    )
    if factors == "none":
        assert frame.penalty == Penalty(1.0)
    elif factors is not None:
        found = frame.penalty.factors
        assert len(found) == frame.data.n_features
        np.testing.assert_array_equal(np.trim_zeros(found, "f"), np.trim_zeros(factors, "f"))
    rng = np.random.default_rng(1)
    A, a = rng.normal(size=(3, frame.data.n_features)), np.arange(3.0) * fit_intercept
    if expected == [Units]:
        A[:, 1] = 0.0
    coef, intercept = leave(frame.changes, (A, a))
    before, after = X @ coef.T + intercept, frame.data.X @ A.T + a
    np.testing.assert_allclose(before, after, atol=1e-6)
    for change in frame.changes:
        coef, intercept = change.enter(coef, intercept)
    np.testing.assert_allclose(coef, A, atol=1e-6)
    np.testing.assert_allclose(intercept, a, atol=1e-6)


@pytest.mark.parametrize("zeros", [[], [2, 5]], ids=str)
def test_the_row_space_keeps_the_penalty(zeros):
    given = 1.0 + np.arange(20)
    given[zeros] = 0.0
    penalty = Penalty(0.5, given)
    frame = Frame.of(data_of(WIDE), penalty).identified()
    assert frame.certain
    A = np.random.default_rng(1).normal(size=(3, frame.data.n_features))
    coef, _ = leave(frame.changes, (A, np.zeros(3)))
    assert penalty.value(coef) == pytest.approx(frame.penalty.value(A), rel=1e-12)


def test_a_weak_penalty_with_factors_leaves_dependent_rows_out():
    """The coefficients are then the limit of penalised fits: of least penalty."""
    given = 1.0 + np.arange(20)
    X = WIDE[[0, 1, 2, 3, 0, 1, 2, 3]]
    frame = Frame.of(data_of(X), Penalty(1e-25, given)).identified()
    assert not frame.certain
    assert frame.data.n_features == 3
    coef, _ = leave(frame.changes, (np.eye(3), np.zeros(3)))
    scaled = np.linalg.svd((X - X.mean(axis=0)) / np.sqrt(given))[2]
    np.testing.assert_allclose(scaled[3:] @ (coef * np.sqrt(given)).T, 0.0, atol=1e-12)


def most_weak(X):
    return tuning.WEAK_PENALTY * len(X) * X.var(axis=0).max()


@pytest.mark.parametrize(("factor", "certain"), [(0.9, False), (1.1, True)])
def test_a_weak_penalty_leaves_dependent_rows_out(factor, certain):
    X = WIDE[[0, 1, 2, 3, 0, 1, 2, 3]]
    frame = Frame.of(data_of(X), Penalty(factor * most_weak(X))).identified()
    assert frame.certain == certain
    assert frame.data.n_features == (8 if certain else 3)


@pytest.mark.parametrize(("factor", "changed"), [(0.5, True), (2.0, False)])
def test_a_weak_penalty_leaves_dependent_columns_out(factor, changed):
    """Next to nothing is a penalty below an epsilon of the least curvature."""
    X = TWICE * 1.0
    data = data_of(X)
    basis = Frame.of(data, Penalty(0.0)).identified().changes[0].basis
    alpha = factor * tuning.NEGLIGIBLE_PENALTY * len(X) * X.var(axis=0).min() * basis.least**2
    frame = Frame.of(data, Penalty(alpha)).identified()
    assert kinds(frame) == ([IndependentColumns] if changed else [])


def test_a_shared_placeholder_makes_no_copies():
    """Columns that look alike next to 1e15 are left to the factor of the rows themselves."""
    X = np.random.default_rng(1).normal(size=(30, 3))
    X[4, :2] = 1e15
    assert kinds(Frame.of(data_of(X), Penalty(0.0)).identified()) == []
    X[4, :2] = 1e5
    X[:, 2] = X[:, 0] - X[:, 1]
    assert kinds(Frame.of(data_of(X), Penalty(0.0)).identified()) == [IndependentColumns]


@pytest.mark.parametrize("started", [False, True])
@pytest.mark.parametrize("reported", [False, True])
@pytest.mark.parametrize("X", [TALL, TWICE, WIDE, np.column_stack([SMALL, SMALL[:, 1]])])
def test_a_fit_in_other_coordinates(X, started, reported):
    """The start goes there, what is reported and the solution come back; logits are the same."""
    data = data_of(X)
    frame = Frame.of(data, Penalty(0.0)).identified()
    rng = np.random.default_rng(1)
    coef, intercept = rng.normal(size=(3, X.shape[1])) / np.abs(X).max(axis=0), np.arange(3.0)
    size = np.abs(frame.data.X).max(axis=0)
    A, a = rng.normal(size=(3, frame.data.n_features)) / size, np.arange(3.0)
    seen = []

    def report(coef, intercept, value):
        seen.append((coef, intercept, value))
        return False

    def minimise(there, translated):
        if started:
            logits = frame.data.X @ there[0].T + there[1]
            np.testing.assert_allclose(logits, X @ coef.T + intercept, rtol=1e-8, atol=1e-9)
        else:
            assert there is None
        if reported:
            assert translated(A, a, 4.5) is False
        else:
            assert translated is None
        found = Solution(A, a, 4.5, -4.5, 0.0, 1.0, True, False, False, 1, 7.0, ())
        return replace(found, extreme="of these coordinates")

    start = (coef, intercept) if started else None
    solution = frame.fit(minimise, start, report if reported else None)
    logits = frame.data.X @ A.T + a
    np.testing.assert_allclose(X @ solution.coef.T + solution.intercept, logits, atol=1e-8)
    assert solution.n_passes == 7.0 + tuning.CHANGE_PASSES * len(frame.changes)
    assert solution.extreme == (None if frame.changes else "of these coordinates")
    if reported:
        ((one, other, value),) = seen
        np.testing.assert_array_equal(one, solution.coef)
        np.testing.assert_array_equal(other, solution.intercept)
        assert value == 4.5
