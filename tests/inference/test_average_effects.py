"""Average slopes and differences of probabilities, against explicit averages and differences."""

import dataclasses

import mpmath
import numpy as np
import pytest
from estimates import at, differences
from scipy.sparse import csr_array
from scipy.special import softmax

from skxent.inference import average_effects, population
from skxent.inference.average_slopes import AverageSlopes
from skxent.inference.contrasts import Contrast
from skxent.inference.population import Population
from skxent.likelihood import tuning

CASES = [(K, intercept) for K in (2, 3, 5) for intercept in (True, False)]
ENDS = [{}, {1: (0.0, 1.0)}, {0: (-1.0, 2.5), 2: (0.0, 1.0)}, dict.fromkeys(range(3), (0.0, 1.0))]


def contrasts_of(ends):
    return {j: Contrast.of_column(j, values) for j, values in ends.items()}


def average(estimate, people, ends):
    return average_effects.average_effects(estimate, people, contrasts_of(ends))


def mean_effects(case, ends, fixed, h=1e-4):
    """Return a function of theta: averages of differences of probabilities, (K, d)."""
    mean = np.zeros(case.X.shape[1]) if case.centre is None else case.centre

    def probabilities(theta, j, values):
        samples = case.samples.copy()
        for column, value in fixed.items():
            samples[:, column] = value - mean[column]
        samples[:, j] = values(samples[:, j])
        return softmax(samples @ theta.T, axis=1)

    def effects(theta):
        columns = []
        for j in range(case.X.shape[1]):
            if j in ends:
                low, high = (
                    probabilities(theta, j, lambda x, end=end, j=j: end - mean[j] + 0 * x)
                    for end in ends[j]
                )
                change = high - low
            else:
                low, high = (
                    probabilities(theta, j, lambda x, step=step: x + step) for step in (-h, h)
                )
                change = (high - low) / (2 * h)
            columns.append(np.average(change, axis=0, weights=case.weight))
        return np.stack(columns, axis=1)

    return effects


def check(case, estimate, ends, fixed=None, X=None):
    fixed = fixed or {}
    people = Population(estimate.data.X if X is None else X, case.weight, fixed)
    found, error = average(estimate, people, ends)
    effects = mean_effects(case, ends, fixed)
    np.testing.assert_allclose(found, effects(estimate.theta), rtol=1e-6, atol=1e-8)
    slope = differences(effects, estimate.theta, estimate.free, h=1e-3)
    variance = np.einsum("kja,ab,kjb->kj", slope, estimate.covariance, slope)
    np.testing.assert_allclose(error, np.sqrt(variance), rtol=1e-4)
    np.testing.assert_allclose(found.sum(axis=0), 0, atol=1e-14)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("ends", ENDS)
@pytest.mark.parametrize(("K", "fit_intercept"), CASES)
def test_average_effects(make_case, K, fit_intercept, ends, sparse):
    """Fewer columns of slopes than free classes, and more: both orders of the products."""
    case = make_case(K, n=30, fit_intercept=fit_intercept)
    check(case, at(case, sparse=sparse), ends)


@pytest.mark.parametrize("fixed", [{0: 0.3}, {1: 2.0, 2: -1.0}])
@pytest.mark.parametrize(("K", "fit_intercept"), CASES)
def test_fixed_columns(make_case, K, fit_intercept, fixed):
    case = make_case(K, n=30, fit_intercept=fit_intercept)
    before = case.X.copy()
    check(case, at(case), {1: (0.0, 1.0)}, fixed)
    np.testing.assert_array_equal(case.X, before)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("space", [1, 1 << 20])
@pytest.mark.parametrize("K", [2, 5])
def test_runs_and_blocks(make_case, K, space, sparse, monkeypatch):
    """One sample at a time or all at once, in one block or several, in one thread or two."""
    case = make_case(K, n=600)
    estimate, fixed = at(case, sparse=sparse), {0: 0.3}
    people = Population(estimate.data.X, case.weight, fixed)
    ends = {2: (0.0, 1.0)}
    expected = average(estimate, people, ends)
    monkeypatch.setattr(population, "SPACE", space)
    for name in ("ONE_BLOCK_ELEMENTS", "BLOCK_ELEMENTS", "RUN_ELEMENTS", "SPARSE_BLOCK_ENTRIES"):
        monkeypatch.setattr(tuning, name, 1)
    found = []
    for n_threads in (1, 2):
        data = dataclasses.replace(estimate.data, n_threads=n_threads)
        other = dataclasses.replace(estimate, data=data)
        found.append(average(other, people, ends))
        for ours, theirs in zip(found[-1], expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-15)
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("batch", [1, 7])
def test_products_in_batches(make_case, batch, monkeypatch):
    case = make_case(5, n=30, d=6)
    estimate = at(case)
    people = Population(case.X, case.weight)
    expected = average(estimate, people, {})
    monkeypatch.setattr(AverageSlopes, "batch", batch)
    for ours, theirs in zip(average(estimate, people, {}), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


@pytest.mark.parametrize("K", [2, 4])
def test_weights_are_copies(make_case, K):
    case = make_case(K, n=30)
    weight = np.arange(30) % 3
    estimate, rows = at(case), np.repeat(np.arange(30), weight)
    one = Population(case.X, weight.astype(float))
    other = Population(csr_array(case.X[rows]), np.ones(len(rows)))
    for ours, theirs in zip(
        *(average(estimate, p, {1: (0.0, 1.0)}) for p in (one, other)),
        strict=True,
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_nearly_certain_samples(make_case):
    """The effects of samples with probabilities near 0 and 1, against 50 digits."""
    case = make_case(3, n=6, fit_intercept=False)
    estimate = at(case)
    theta = estimate.theta * 25
    estimate = dataclasses.replace(estimate, theta=theta)
    found, _ = average(estimate, Population(case.X, case.weight), {})
    with mpmath.workdps(50):
        expected = mpmath.zeros(3, 3)
        for x, weight in zip(case.X, case.weight, strict=True):
            terms = [mpmath.exp(mpmath.fdot(row.tolist(), x.tolist())) for row in theta]
            p = [term / mpmath.fsum(terms) for term in terms]
            for j in range(3):
                mean = mpmath.fdot(p, theta[:, j].tolist())
                for k in range(3):
                    expected[k, j] += weight * p[k] * (theta[k, j] - mean)
        expected = np.array(expected.tolist(), dtype=float) / case.weight.sum()
    np.testing.assert_allclose(found, expected, rtol=1e-9)
