"""Schedulers of Dask that run in the process of the tests."""

import pytest


@pytest.fixture
def synchronous_dask():
    """Dask computes in the calling thread."""
    dask = pytest.importorskip("dask")
    with dask.config.set(scheduler="synchronous"):
        yield


@pytest.fixture
def threaded_dask(synchronous_dask):
    """Dask computes in a pool of threads."""
    dask = pytest.importorskip("dask")
    with dask.config.set(scheduler="threads"):
        yield
