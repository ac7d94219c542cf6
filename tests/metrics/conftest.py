"""Arrays and samples of tests of several metrics."""

import numpy as np
import pytest
from sklearn.datasets import load_iris


@pytest.fixture
def library(library_with_gradients):
    """A library of arrays; metrics take tensors of torch that record gradients."""
    return library_with_gradients


@pytest.fixture(params=["float64", "float32"])
def dtype(request):
    return request.param


@pytest.fixture(scope="session")
def iris():
    """Shuffled iris data, with the names of the species as labels."""
    X, y = load_iris(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    return X[order], np.array(["setosa", "versicolor", "virginica"])[y[order]]


@pytest.fixture(scope="session")
def two_classes(iris):
    """The samples of iris that are no setosas."""
    X, y = iris
    keep = y != "setosa"
    return X[keep], y[keep]
