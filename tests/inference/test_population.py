"""Populations: means of samples, and samples read in parts."""

import numpy as np
import pytest
from estimates import at
from scipy.sparse import csr_array

from skxent.inference import population
from skxent.inference.population import Population
from skxent.likelihood import tuning


@pytest.mark.parametrize("form", [np.array, csr_array, np.float32, np.asfortranarray])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_mean(make_case, fit_intercept, form):
    case = make_case(3, n=50, fit_intercept=fit_intercept)
    mean = Population(form(case.X), case.weight).at_mean(at(case))
    assert mean.X.shape == (1, 3)
    np.testing.assert_allclose(
        mean.X[0], np.average(case.X, axis=0, weights=case.weight), rtol=1e-12
    )
    assert mean.weight == [1.0]


@pytest.mark.parametrize("form", [np.array, csr_array, np.float32, np.asfortranarray])
@pytest.mark.parametrize("small", [False, True])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_runs(make_case, fit_intercept, form, small, monkeypatch):
    """All samples once, in order, centred, with fixed columns; X stays as it is."""
    case = make_case(3, n=700, fit_intercept=fit_intercept)
    if small:
        monkeypatch.setattr(population, "SPACE", 50)
        for name in ("ONE_BLOCK_ELEMENTS", "BLOCK_ELEMENTS", "RUN_ELEMENTS"):
            monkeypatch.setattr(tuning, name, 1)
    X = form(case.X)
    people = Population(X, case.weight, {1: 7.0})
    estimate = at(case)
    parts = people.map(estimate, lambda runs: [tuple(map(np.copy, run)) for run in runs], width=10)
    parts = [run for part in parts for run in part]
    assert max(len(x) for x, *_ in parts) == 5 if small else len(parts) == 1
    expected = case.samples.copy()
    expected[:, 1] = 7.0 - (case.centre[1] if fit_intercept else 0.0)
    np.testing.assert_allclose(np.vstack([x for x, *_ in parts]), expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(np.concatenate([w for _, w, _ in parts]), case.weight)
    logits = np.hstack([Z for *_, Z in parts])
    np.testing.assert_allclose(logits, estimate.theta @ expected.T, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(X.toarray() if form is csr_array else X, case.X)


@pytest.mark.parametrize("small", [False, True])
@pytest.mark.parametrize("K", [2, 3])
def test_offset(make_case, K, small, monkeypatch):
    """Is added to the logits of each sample, and its mean to those of the mean."""
    case = make_case(K, n=700)
    if small:
        monkeypatch.setattr(population, "SPACE", 50)
        for name in ("ONE_BLOCK_ELEMENTS", "BLOCK_ELEMENTS", "RUN_ELEMENTS"):
            monkeypatch.setattr(tuning, name, 1)
    estimate = at(case)
    offset = np.random.default_rng(0).normal(size=(1 if K == 2 else K, 700))
    people = Population(case.X, case.weight, offset=offset)

    def logits(people):
        parts = people.map(estimate, lambda runs: [Z for *_, Z in runs], width=10)
        return np.hstack([Z for part in parts for Z in part])

    every = np.vstack([np.zeros(700), offset]) if K == 2 else offset
    expected = estimate.theta @ case.samples.T + every
    np.testing.assert_allclose(logits(people), expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(
        logits(people.at_mean(estimate))[:, 0],
        np.average(expected, axis=1, weights=case.weight),
        rtol=1e-9,
    )
