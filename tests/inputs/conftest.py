"""Arrays that tests of arguments read."""

import pytest


@pytest.fixture
def library(library_with_gradients):
    """Metrics and their arguments are tensors of torch that record gradients."""
    return library_with_gradients
