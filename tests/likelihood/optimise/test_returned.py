"""The objective at the parameters that a fit returns, against sums of losses by mpmath."""

from dataclasses import replace

import mpmath as mp
import numpy as np
import pytest
import scipy.sparse

from skxent.likelihood.optimise.returned import EPS, as_returned
from skxent.likelihood.optimise.solver import minimise
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.solution import Solution, target_gap
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import compute_moments

kinds = pytest.mark.parametrize("K", [2, 3, 5])


def problem(K, *, soft=False, weighted=False, form=np.asarray, n=30):
    rng = np.random.default_rng(K)
    X = rng.normal(size=(n, 2))
    y = (X @ rng.normal(size=(2, K)) + rng.gumbel(size=(n, K))).argmax(axis=1)
    y[:K] = np.arange(K)
    targets = rng.dirichlet(np.ones(K), size=n) if soft else y
    return LocalRows(form(X), targets, rng.uniform(0, 2, size=n) if weighted else None, K)


def exact(data, coef, intercept):
    """Weighted sum of the losses, 40 digits."""
    X = data.X.toarray() if data.sparse else data.X
    Y = data.targets if data.targets.ndim == 2 else np.eye(data.n_classes)[data.targets]
    weight = np.ones(len(X)) if data.weight is None else data.weight
    total = mp.mpf(0)
    with mp.workdps(40):
        for x, y, w in zip(X, Y, weight, strict=True):
            if not w:
                continue
            z = [
                mp.fdot(x.tolist(), c.tolist()) + mp.mpf(float(b))
                for c, b in zip(coef, intercept, strict=True)
            ]
            z = [mp.mpf(0), *z] if len(z) == 1 else z
            A = mp.log(mp.fsum(mp.exp(v) for v in z))
            total += mp.mpf(float(w)) * mp.fsum(
                mp.mpf(float(t)) * (A - v) for t, v in zip(y, z, strict=True)
            )
        return float(total)


def parameters(data, size=1.0):
    rng = np.random.default_rng(9)
    return rng.normal(size=(data.n_outputs, 2)) * size, rng.normal(size=data.n_outputs)


@kinds
@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("form", [np.asarray, scipy.sparse.csr_array])
@pytest.mark.parametrize("size", [1.0, 30.0])
def test_sum_of_losses(K, soft, weighted, form, size):
    data = problem(K, soft=soft, weighted=weighted, form=form)
    found = data.sum_of_losses(*parameters(data, size))
    assert found == pytest.approx(exact(data, *parameters(data, size)), rel=1e-12)
    threads = replace(data, n_threads=2).sum_of_losses(*parameters(data, size))
    assert threads == found


@kinds
@pytest.mark.parametrize("soft", [False, True])
def test_rows_without_weight_may_cost_infinitely_much(K, soft):
    data = problem(K, soft=soft, weighted=True)
    coef, intercept = parameters(data)
    data.weight[3] = 0.0
    before = data.sum_of_losses(coef, intercept)
    data.X[3] = 1e300 * np.sign(coef[0])
    assert np.isfinite(before)
    assert data.sum_of_losses(coef, intercept) == pytest.approx(before, rel=1e-14)


def test_soft_rows_count_by_their_shares():
    """Rows of 0.1 and 0.3 are those of 0.25 and 0.75, and float32 is no other target."""
    data = problem(3, soft=True)
    at = parameters(data)
    expected = data.sum_of_losses(*at)
    doubled = replace(data, targets=data.targets * np.arange(1, 31)[:, None])
    assert doubled.sum_of_losses(*at) == pytest.approx(expected, rel=1e-13)
    narrow = data.targets.astype(np.float32)
    wide = narrow / narrow.sum(axis=1, keepdims=True, dtype=np.float64)
    assert replace(data, targets=narrow).sum_of_losses(*at) == pytest.approx(
        replace(data, targets=wide).sum_of_losses(*at), rel=1e-13
    )
    two = replace(problem(2, soft=True), n_classes=2)
    at = parameters(two)
    assert replace(two, targets=two.targets * 3).sum_of_losses(*at) == pytest.approx(
        two.sum_of_losses(*at), rel=1e-13
    )


def fitted(data, alpha=0.5, tol=1e-9):
    return minimise(data, penalty=Penalty(alpha), start=None, tol=tol, max_iter=200)


def again(data, solution, alpha=0.5, **options):
    return as_returned(data, compute_moments(data), Penalty(alpha), solution, **options)


@kinds
@pytest.mark.parametrize("certain", [True, False])
def test_nothing_changes_where_nothing_is_lost(K, certain):
    data = problem(K)
    solution = fitted(data)
    found = again(data, solution, certain=certain)
    if certain:
        assert found is solution
    else:
        assert found.n_passes == solution.n_passes + 1
        assert found.gap <= max(solution.gap, solution.target)
        assert found.converged
    assert found.value == pytest.approx(solution.value, rel=1e-13)
    assert found.log_likelihood == pytest.approx(solution.log_likelihood, rel=1e-13)


@kinds
@pytest.mark.parametrize("alpha", [0.0, 0.5])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("what", ["objective", "likelihood", "centre", "uncertain"])
def test_the_objective_is_that_of_the_parameters(K, alpha, weighted, what):
    """An impossible value, a column far from zero, and another search: all are looked at."""
    data = problem(K, weighted=weighted)
    solution = fitted(data, alpha)
    loss = exact(data, solution.coef, solution.intercept)
    W = solution.coef - solution.coef.mean(axis=0) if K > 2 else solution.coef
    if what == "objective":
        wrong, certain = replace(solution, value=-1e-3), True
    elif what == "likelihood":
        wrong, certain = replace(solution, log_likelihood=1e-3), True
    elif what == "centre":
        shift = 1e12
        data = replace(data, X=np.round(data.X * 1e3) / 1e3 + [shift, 0])
        intercept = solution.intercept - solution.coef[:, 0] * shift
        wrong, certain = replace(solution, intercept=intercept), True
        loss = data.sum_of_losses(solution.coef, intercept)
    else:
        wrong, certain = replace(solution, value=solution.value + 5), False
    found = again(data, wrong, alpha, certain=certain)
    assert found.value == pytest.approx(loss + alpha / 2 * np.sum(W**2), rel=1e-11)
    assert found.log_likelihood == pytest.approx(-loss, rel=1e-11)
    assert found.n_passes == wrong.n_passes + 1
    assert found.log_likelihood <= 0 <= found.value
    np.testing.assert_array_equal(found.coef, wrong.coef)


def lost(data, solution, nats, **changes):
    """A fit that says its objective is lower than that of its parameters."""
    claimed = replace(solution, value=solution.value - nats, **changes)
    return again(data, claimed, certain=False)


@kinds
def test_what_rounding_costs_is_added_to_the_gap(K):
    data = problem(K)
    solution = fitted(data, tol=1e-6)
    target = solution.target
    little = lost(data, solution, 0.9 * target)
    assert little.converged
    assert solution.gap <= little.gap <= solution.gap + 0.9 * target * (1 + 1e-6)
    assert little.gap > solution.gap
    much = lost(data, solution, target_gap(1e-2, solution.value))
    assert not much.converged
    assert much.gap == much.value == pytest.approx(solution.value, rel=1e-12)
    gain = lost(data, solution, -0.3)
    assert gain.converged
    assert gain.gap == pytest.approx(solution.gap, rel=1e-12)
    never = lost(data, solution, 0.0, converged=False)
    assert not never.converged
    assert never.gap == never.value


@kinds
def test_rounding_that_no_parameters_avoid_is_forgiven(K):
    """Logits that are known to eps times 1e12: the fit converged as far as float64 allows."""
    data = problem(K)
    solution = fitted(data, tol=1e-12)
    far = replace(data, X=data.X + np.array([1e12, 0]))
    solution = replace(solution, intercept=solution.intercept - solution.coef[:, 0] * 1e12)
    value = again(far, solution).value
    doubt = EPS * np.abs(solution.coef[:, 0]).max() * 1e12
    for part, forgiven in ((0.9, True), (2.0, False)):
        allowed = max(min(8 * doubt * value, target_gap(1e-3, value)), solution.target / 4)
        found = again(far, replace(solution, value=value - part * allowed, target=1e-12))
        assert found.converged == forgiven
        if forgiven:
            assert found.gap <= max(solution.gap, 1e-12)
        else:
            assert found.gap == found.value


@pytest.mark.parametrize("converged", [False, True])
def test_the_extreme_entry_is_named_where_the_fit_failed(converged):
    """A placeholder in a column that moves no logit changes nothing else."""
    data = problem(3)
    data.X[5, 1] = 1e9
    fit = fitted(problem(3))
    coef = fit.coef * np.array([1.0, 0.0])
    value = data.sum_of_losses(coef, fit.intercept) + 0.25 * np.sum(coef**2)
    fit = replace(fit, coef=coef, value=value, converged=converged)
    found = again(data, fit, certain=False)
    assert found.value == pytest.approx(value, rel=1e-13)
    if converged:
        assert found.extreme is None
    else:
        assert (found.extreme.row, found.extreme.column) == (5, 1)
        kept = again(data, replace(fit, extreme="known"), certain=False)
        assert kept.extreme == "known"


@kinds
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
def test_parameters_that_are_worse_than_none_are_replaced(K, fit_intercept, weighted):
    """Logits of the classes' shares, or zero, are what a fit without features has."""
    data = replace(problem(K, weighted=weighted), fit_intercept=fit_intercept)
    fit = fitted(data)
    found = again(data, replace(fit, coef=-30.0 * np.sign(fit.coef)), certain=False)
    weight = np.ones(30) if data.weight is None else data.weight
    share = np.bincount(data.targets, weight, K) / weight.sum()
    share = share if fit_intercept else np.full(K, 1 / K)
    assert found.value == pytest.approx(-weight @ np.log(share[data.targets]), rel=1e-12)
    assert found.log_likelihood == -found.value
    assert found.gap == found.value
    assert not found.coef.any()
    assert not found.converged
    expected = np.log(share)
    expected = expected - expected.mean() if K > 2 else expected[1:] - expected[:1]
    np.testing.assert_allclose(found.intercept, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("value", "nats"),
    [(0.0, 0.0), (1e-9, 1e-9), (0.5, 0.5), (1.0, 1.0), (2.0, 1.0), (999.0, 1.0), (5000.0, 5.0)],
)
def test_target_gap(value, nats):
    assert target_gap(1.0, value) == pytest.approx(nats, rel=1e-14)


@pytest.mark.parametrize("converged", [False, True])
@pytest.mark.parametrize("unbounded", [False, True])
@pytest.mark.parametrize("decided", [False, True])
@pytest.mark.parametrize("gap", [0.5, 1.0, 2.0])
def test_short(converged, unbounded, decided, gap):
    """Where existence is open and the gap within the target, nothing is known to be short."""
    ends = Solution(
        np.zeros((1, 1)), np.zeros(1), 1.0, -1.0, gap, 1.0, converged, unbounded, False, 1, 1.0, ()
    )
    short = replace(ends, decided=decided).short
    assert short == (not converged and not unbounded and (decided or gap == 2.0))
