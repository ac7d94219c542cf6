"""Samples of tests of classifiers."""

import pytest
from sklearn.datasets import load_iris


@pytest.fixture(scope="module")
def two_hundred_samples(generate):
    """Some 200 samples with 2, 3 or 7 classes."""
    return {K: generate(200, 5, K, seed=1) for K in (2, 3, 7)}


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)
