"""Schedulers of Dask: in the process of the tests, and a cluster of two processes."""

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


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
    ) as cluster:
        yield cluster


@pytest.fixture
def client(cluster):
    """A client of a cluster; Dask computes there."""
    distributed = pytest.importorskip("distributed")
    with distributed.Client(cluster) as client:
        yield client
