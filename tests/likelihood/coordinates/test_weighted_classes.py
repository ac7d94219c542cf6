"""Fits without the classes that have no weight: the same logits, penalty and limit."""

import numpy as np
import pytest
from scipy.special import softmax

from skxent.likelihood.coordinates.frame import minimise_after
from skxent.likelihood.coordinates.weighted_classes import OneClassError, Present
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.solution import Solution
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import compute_moments

MASKS = [[1, 0, 1], [0, 1, 1], [1, 1, 0, 1], [1, 1, 1, 0, 1], [0, 1, 0, 1, 0]]
masks = pytest.mark.parametrize("mask", MASKS, ids=str)


def present_of(mask):
    return Present(np.array(mask, dtype=bool))


def parameters(present, seed=0):
    """Of the classes that are fitted: one row for two, else rows that sum to zero."""
    R = 1 if present.two else np.count_nonzero(present.mask)
    rng = np.random.default_rng(seed)
    coef, intercept = rng.normal(size=(R, 4)), rng.normal(size=R)
    return (coef - coef.mean(axis=0), intercept - intercept.mean()) if R > 1 else (coef, intercept)


@masks
def test_all_classes_have_the_probabilities_of_those_that_are_fitted(mask):
    present = present_of(mask)
    coef, intercept = parameters(present)
    all_coef, all_intercept = present.leave(coef, intercept)
    X = np.random.default_rng(1).normal(size=(9, 4))
    P = softmax(X @ all_coef.T + all_intercept, axis=1)
    Z = X @ coef.T + intercept
    Z = np.column_stack([np.zeros(9), Z]) if present.two else Z
    assert not P[:, ~present.mask].any()
    np.testing.assert_allclose(P[:, present.mask], softmax(Z, axis=1), rtol=1e-13)
    np.testing.assert_allclose(all_coef.sum(axis=0), 0, atol=1e-14)
    assert (all_intercept[~present.mask] == -np.inf).all()
    assert not all_coef[~present.mask].any()


@masks
def test_the_way_back(mask):
    present = present_of(mask)
    coef, intercept = parameters(present)
    again = present.enter(*present.leave(coef, intercept))
    np.testing.assert_allclose(again[0], coef, rtol=1e-14)
    np.testing.assert_allclose(again[1], intercept, rtol=1e-14)
    assert again[0].shape == coef.shape
    assert again[1].shape == intercept.shape


@masks
@pytest.mark.parametrize("how_many", [1, 2])
def test_a_start_with_an_infinite_intercept_is_left_out(mask, how_many):
    present = present_of(mask)
    coef, intercept = present.leave(*parameters(present))
    intercept[np.flatnonzero(mask)[:how_many]] = -np.inf
    starts = []

    def fit(start, report):
        starts.append(start)
        return solution_of(*parameters(present))

    minimise_after([present], fit, (coef, intercept), None)
    assert starts == [None]


@masks
def test_the_penalty_is_that_of_all_classes(mask):
    """Alpha' |w|^2 of the classes that are fitted is alpha |W|^2 of all."""
    present = present_of(mask)
    coef, intercept = parameters(present)
    W = present.leave(coef, intercept)[0]
    assert present.penalty(Penalty(0.3)).alpha * np.sum(coef**2) == pytest.approx(
        0.3 * np.sum(W**2), rel=1e-14
    )


@masks
def test_logits(mask):
    present = present_of(mask)
    coef, intercept = parameters(present)
    X = np.random.default_rng(1).normal(size=(9, 4))
    Z = present.logits(X @ coef.T + intercept)
    assert Z.shape == (9, len(mask))
    assert (Z[:, ~present.mask] == -np.inf).all()
    all_coef, all_intercept = present.leave(coef, intercept)
    expected = X @ all_coef.T + all_intercept
    np.testing.assert_allclose(softmax(Z, axis=1), softmax(expected, axis=1), rtol=1e-13)


def test_infinite_logits_of_two_classes():
    """An infinite logit leaves the winner at zero: infinity less infinity is no probability."""
    Z = present_of([1, 0, 1]).logits(np.array([[np.inf], [-np.inf], [2.0]]))
    assert Z[0].tolist() == [-np.inf, -np.inf, 0.0]
    assert Z[1].tolist() == [0.0, -np.inf, -np.inf]
    assert Z[2, 2] - Z[2, 0] == 2.0


def data_of(weight, K, fit_intercept=True):
    X = np.random.default_rng(0).normal(size=(len(weight), 2))
    data = LocalRows(X, np.arange(len(weight)) % K, np.asarray(weight, float), K, fit_intercept)
    return data, compute_moments(data)


@pytest.mark.parametrize("K", [2, 3, 5])
def test_which_classes_are_fitted(K):
    every, one = np.ones(4 * K), np.ones(4 * K)
    assert Present.of(*data_of(every, K)) is None
    one[np.arange(4 * K) % K != 1] = 0
    with pytest.raises(OneClassError, match="only class 1 has") as caught:
        Present.of(*data_of(one, K))
    assert caught.value.code == 1
    if K == 2:
        return
    some = np.where(np.arange(4 * K) % K == K - 1, 0.0, 1e-300)
    assert Present.of(*data_of(some, K)).mask.tolist() == [True] * (K - 1) + [False]
    assert Present.of(*data_of(some, K, fit_intercept=False)) is None


def solution_of(coef, intercept):
    return Solution(coef, intercept, 7.0, -6.0, 0.0, 1e-6, True, False, False, 1, 1.0, ())


@masks
@pytest.mark.parametrize("started", [False, True])
@pytest.mark.parametrize("reported", [False, True])
def test_fit(mask, started, reported):
    """The fit gets start and report of its classes; the solution is of all."""
    present = present_of(mask)
    coefs, seen = parameters(present), []
    start = present.leave(*parameters(present, 1)) if started else None

    def report(coef, intercept, value):
        seen.append((coef, intercept, value))
        return True

    def fit(start, report):
        if started:
            np.testing.assert_allclose(start[0], parameters(present, 1)[0], rtol=1e-14)
        else:
            assert start is None
        if reported:
            assert report(*coefs, 2.5) is True
        else:
            assert report is None
        return solution_of(*coefs)

    found = minimise_after([present], fit, start, report if reported else None)
    expected = present.leave(*coefs)
    np.testing.assert_array_equal(found.coef, expected[0])
    np.testing.assert_array_equal(found.intercept, expected[1])
    assert found.value == 7.0
    if reported:
        ((coef, intercept, value),) = seen
        np.testing.assert_array_equal(coef, expected[0])
        np.testing.assert_array_equal(intercept, expected[1])
        assert value == 2.5


@masks
def test_rows_of_the_other_classes_stay(mask):
    """Codes of the classes that are fitted, in their order."""
    codes = np.flatnonzero(mask)[np.arange(12) % sum(mask)]
    few = LocalRows(np.ones((12, 4)), codes, None, len(mask)).with_classes(present_of(mask).mask)
    assert few.n_classes == sum(mask)
    assert few.targets.tolist() == (np.arange(12) % sum(mask)).tolist()
