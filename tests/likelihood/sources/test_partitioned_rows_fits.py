"""Fits to rows in partitions equal the fits to the same rows in memory, whatever a worker does."""

import gc
import os
import signal
import time
import warnings

import numpy as np
import pytest
import scipy.sparse
from dask_partitions import CLUSTER_WARNINGS, assert_same, collections, samples

from skxent import SoftmaxClassifier
from skxent.inputs import partitions

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
distributed = pytest.importorskip("distributed")


pytestmark = CLUSTER_WARNINGS


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("K", [2, 10])
@pytest.mark.thinned(4)
def test_on_a_cluster_as_in_memory(client, K, sparse):
    X, y, weight = samples(K, sparse)
    there = SoftmaxClassifier(tol=1e-12).fit(*collections(X, y, weight, sparse))
    here = SoftmaxClassifier(tol=1e-12).fit(scipy.sparse.csr_array(X) if sparse else X, y, weight)
    assert_same(there, here, X)
    assert there.converged_


@pytest.mark.parametrize("scheduler", ["synchronous", "threads"])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"class_weight": "balanced"},
        {"class_weight": {0: 3.0}},
        {"fit_intercept": False},
        {"C": np.inf},
    ],
    ids=str,
)
def test_without_a_cluster(scheduler, changes):
    X, y, weight = samples(3)
    here = SoftmaxClassifier(tol=1e-12, **changes).fit(X, y, weight)
    with dask.config.set(scheduler=scheduler):
        there = SoftmaxClassifier(tol=1e-12, **changes).fit(*collections(X, y, weight))
    assert_same(there, here, X)


@pytest.mark.parametrize("which", ["gram", "row space", "class blocks"])
def test_models_of_every_size(which, monkeypatch):
    rng = np.random.default_rng(0)
    n, d, K = {"gram": (900, 3, 3), "row space": (60, 90, 2), "class blocks": (4000, 90, 40)}[which]
    X, y = rng.normal(size=(n, d)), np.arange(n) % K
    here = SoftmaxClassifier(tol=1e-12).fit(X, y)
    there = SoftmaxClassifier(tol=1e-12).fit(da.from_array(X, chunks=(n // 4, d)), y)
    assert_same(there, here, X)


@pytest.mark.parametrize("which", ["first", "most"])
def test_rows_without_weight_may_hold_anything(which):
    """A placeholder of -1e9 in rows that weigh nothing must not be what sums are taken from."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(2000, 2)), rng.integers(2, size=2000)
    weight = np.ones(2000)
    gone = slice(500) if which == "first" else rng.permutation(2000)[:1300]
    X[gone], weight[gone] = -999_999_999, 0
    clf = SoftmaxClassifier(tol=1e-12)
    there = clf.fit(*collections(X, y, weight, chunks=(500,) * 4)).objective_
    here = clf.fit(X, y, weight).objective_
    without = clf.fit(X[weight > 0], y[weight > 0]).objective_
    assert there == pytest.approx(without, rel=1e-13)
    assert here == pytest.approx(without, rel=1e-13)


def test_at_most_35_round_trips(monkeypatch):
    trips = []
    compute = partitions.compute
    monkeypatch.setattr(partitions, "compute", lambda *args: trips.append(1) or compute(*args))
    X, y, weight = samples(2)
    clf = SoftmaxClassifier().fit(*collections(X, y, weight))
    assert clf.converged_
    assert 0 < len(trips) <= 35


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.thinned(2)
def test_nothing_is_left_on_the_cluster(client, fails):
    X, y, weight = samples(2)
    if fails:
        X[-1] = np.inf
    try:
        SoftmaxClassifier().fit(*collections(X, y, weight))
    except ValueError:
        assert fails
    client.submit(int).result()  # the client's own thread holds on to what it waited for last
    deadline = time.monotonic() + 10
    while client.futures and time.monotonic() < deadline:
        gc.collect()
        time.sleep(0.05)
    assert not client.futures


@pytest.mark.slow
def test_a_lost_worker_changes_nothing(monkeypatch):
    X, y, weight = samples(3)
    here = SoftmaxClassifier(tol=1e-12).fit(X, y, weight)
    fetch, calls = partitions.compute, []

    def fetch_and_kill(parts, lazy):
        calls.append(1)
        if len(calls) == 6:
            pids = client.run(os.getpid)
            os.kill(min(pids.values()), signal.SIGKILL)
        return fetch(parts, lazy)

    monkeypatch.setattr("skxent.inputs.partitions.compute", fetch_and_kill)
    with (
        warnings.catch_warnings(),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        warnings.simplefilter("ignore")
        there = SoftmaxClassifier(tol=1e-12).fit(*collections(X, y, weight))
    assert len(calls) > 6
    assert_same(there, here, X)
