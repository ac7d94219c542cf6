"""The model without features, with an offset."""

import numpy as np
import pytest
from offset_newton import least_objective
from scipy.special import log_softmax

from skxent.inference.null_model import null_log_likelihood
from skxent.likelihood.sources.arrays import balanced_offset
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import compute_moments


def rows(K, size, soft, fit_intercept):
    """Return samples as rows, and their targets and offsets as arrays (n, K)."""
    rng = np.random.default_rng([K, soft])
    O, weight, y = (
        size * rng.normal(size=(200, K)),
        rng.uniform(0.5, 2, 200),
        rng.integers(0, K, 200),
    )
    Y = rng.dirichlet(np.ones(K), 200) if soft else np.eye(K)[y]
    X, targets = rng.normal(size=(200, 2)), Y if soft else y
    data = LocalRows(X, targets, weight, K, fit_intercept, offset=balanced_offset(O.T))
    return data, Y, O


def found(data):
    return null_log_likelihood(data, compute_moments(data).class_weight)


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("size", [1.0, 30.0, 1e3, 1e4])
@pytest.mark.parametrize("K", [2, 3, 5])
def test_intercepts_are_fitted_beside_the_offset(K, size, soft):
    data, Y, O = rows(K, size, soft, True)
    exact = -least_objective(np.zeros((200, 1)), Y, O, weight=data.weight)
    assert found(data) == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("K", [2, 3, 5])
def test_without_an_intercept_logits_are_the_offset(K, soft):
    data, Y, O = rows(K, 3.0, soft, False)
    exact = data.weight @ (Y * log_softmax(O, axis=1)).sum(axis=1)
    assert found(data) == pytest.approx(exact, rel=1e-12)
