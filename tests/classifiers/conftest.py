"""Samples of tests of classifiers, and the tests whose small fits are searches."""

import pytest
from sklearn.datasets import load_iris

from skxent.likelihood.optimise import solver

# Modules with tests of what the search does. Their data are small, and by default plain fits of
# small data are not searches, see `small_fits`. The other modules fit as users do.
SEARCHED = {
    "test_messages",
    "test_softmax_class_without_weight",
    "test_softmax_constant_columns",
    "test_softmax_gap",
    "test_softmax_hard_columns",
    "test_softmax_invariants",
    "test_softmax_penalty_factor",
    "test_softmax_solvers",
    "test_softmax_unpenalised",
}


@pytest.fixture(autouse=True)
def searches(request, monkeypatch):
    """Let every fit of the modules above be a search."""
    if request.module.__name__.rpartition(".")[2] in SEARCHED:
        monkeypatch.setattr(solver, "fit_small", lambda *arguments: None)


@pytest.fixture(scope="module")
def two_hundred_samples(generate):
    """Some 200 samples with 2, 3 or 7 classes."""
    return {K: generate(200, 5, K, seed=1) for K in (2, 3, 7)}


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)
