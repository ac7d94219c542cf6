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
    parts = people.map(at(case), lambda runs: [(x.copy(), weight) for x, weight in runs], width=10)
    parts = [run for part in parts for run in part]
    assert max(len(x) for x, _ in parts) == 5 if small else len(parts) == 1
    expected = case.samples.copy()
    expected[:, 1] = 7.0 - (case.centre[1] if fit_intercept else 0.0)
    np.testing.assert_allclose(np.vstack([x for x, _ in parts]), expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(np.concatenate([w for _, w in parts]), case.weight)
    np.testing.assert_array_equal(X.toarray() if form is csr_array else X, case.X)
