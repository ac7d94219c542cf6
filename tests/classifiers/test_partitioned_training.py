"""Fits on Dask collections are those of the same samples in memory, whatever a worker does."""

import gc
import os
import signal
import time
import warnings
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

from skxent import SoftmaxClassifier, SoftmaxClassifierCV, infer
from skxent.classifiers import partitioned_training
from skxent.inputs import partitions

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
dd = pytest.importorskip("dask.dataframe")
distributed = pytest.importorskip("distributed")

# Of distributed's own making, in its threads and at its end; looked at on 2026-11-25.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

CHUNKS = (7000, 0, 13_000, 1, 19_999)  # unequal, empty, of one sample
N = sum(CHUNKS)


def samples(K, sparse=False, d=6, n=N):
    """X, y and weights; labels are sorted, so that partitions lack classes."""
    rng = np.random.default_rng(K)
    X = rng.normal(size=(n, d)) * np.logspace(-2, 2, d)
    if sparse:
        X *= rng.random(X.shape) < 0.3
    Z = X @ (rng.normal(size=(d, K)) / np.logspace(-2, 2, d)[:, None])
    y = (Z + rng.gumbel(size=Z.shape)).argmax(axis=1)
    order = np.argsort(y, kind="stable")
    order[: n // 2] = rng.permutation(order[: n // 2])
    return X[order], y[order], rng.uniform(0, 2, size=n)


def collections(X, y, weight, sparse=False, chunks=CHUNKS):
    arrays = [da.from_array(a, chunks=(chunks, *a.shape[1:])) for a in (X, y, weight)]
    if sparse:
        arrays[0] = arrays[0].map_blocks(scipy.sparse.csr_array)
    return arrays


@pytest.fixture(scope="module")
def cluster():
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
    ) as cluster:
        yield cluster


@pytest.fixture
def client(cluster):
    with distributed.Client(cluster) as client:
        yield client


def assert_same(one, two, X):
    assert one.objective_ == pytest.approx(two.objective_, rel=1e-9)
    scale = X.std(axis=0)
    np.testing.assert_allclose(one.coef_ * scale, two.coef_ * scale, atol=1e-6)
    np.testing.assert_array_equal(one.classes_, two.classes_)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("K", [2, 10])
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
    assert len(trips) <= 35


class TestForms:
    """What may be passed for X, y and weights."""

    def test_frames_with_names_and_text_labels(self):
        X, y, weight = samples(3)
        frame = pd.DataFrame(X, columns=list("abcdef"))
        labels = pd.Series(np.array(["lion", "ant", "cow"])[y])
        here = SoftmaxClassifier().fit(frame, labels, weight)
        parts = [dd.from_pandas(each, npartitions=4) for each in (frame, labels, pd.Series(weight))]
        there = SoftmaxClassifier().fit(*parts)
        assert there.objective_ == pytest.approx(here.objective_, rel=1e-9)
        assert list(there.feature_names_in_) == list("abcdef")
        assert list(there.classes_) == ["ant", "cow", "lion"]
        prediction = there.predict(parts[0])
        np.testing.assert_array_equal(prediction.compute(), there.predict(frame))
        with pytest.raises(ValueError, match="feature names should match"):
            there.predict(parts[0].rename(columns={"a": "z"}))

    def test_unknown_chunk_sizes(self):
        X, y, weight = samples(2)
        parts = collections(X, y, weight)
        keep = da.from_array(np.arange(N) % 3 > 0, chunks=(CHUNKS,))
        there = SoftmaxClassifier().fit(*(part[keep] for part in parts))
        kept = np.arange(N) % 3 > 0
        here = SoftmaxClassifier().fit(X[kept], y[kept], weight[kept])
        assert there.objective_ == pytest.approx(here.objective_, rel=1e-9)
        assert there.score(parts[0][keep], parts[1][keep]) == here.score(X[kept], y[kept])

    def test_several_chunks_of_columns_and_others_in_memory(self):
        X, y, weight = samples(2)
        there = SoftmaxClassifier().fit(da.from_array(X, chunks=(9000, 2)), y, weight)
        here = SoftmaxClassifier().fit(X, y, weight)
        assert there.objective_ == pytest.approx(here.objective_, rel=1e-9)

    @pytest.mark.parametrize("dtype", [np.float32, np.int16, bool])
    def test_dtypes(self, dtype):
        X, y, _ = samples(2)
        X = np.clip(X, -1e4, 1e4).astype(dtype)
        there = SoftmaxClassifier().fit(da.from_array(X, chunks=(9000, -1)), y)
        assert there.objective_ == pytest.approx(SoftmaxClassifier().fit(X, y).objective_, rel=1e-9)

    def test_soft_targets(self):
        X, y, weight = samples(3)
        Y = 0.9 * np.eye(3)[y] + 0.1 / 3
        names = ["a", "b", "c"]
        options = {"sample_weight": weight, "classes": names}
        there = SoftmaxClassifier().fit(
            da.from_array(X, chunks=(9000, -1)), da.from_array(Y, chunks=(9000, -1)), **options
        )
        here = SoftmaxClassifier().fit(X, Y, **options)
        assert there.objective_ == pytest.approx(here.objective_, rel=1e-9)
        assert list(there.classes_) == names

    @pytest.mark.parametrize("form", ["coo_matrix", "bsr_array", "csc_array"])
    def test_blocks_that_are_not_what_dask_takes_them_for(self, form):
        X, y, _ = samples(2, sparse=True)
        kind = getattr(scipy.sparse, form)
        lazy = da.from_array(X, chunks=(9000, -1)).map_blocks(kind, meta=np.empty((0, 0)))
        there = SoftmaxClassifier().fit(lazy, y)
        assert there.objective_ == pytest.approx(SoftmaxClassifier().fit(X, y).objective_, rel=1e-9)

    def test_labels_of_a_frame_beside_samples_in_memory(self):
        X, y, _ = samples(2)
        there = SoftmaxClassifier().fit(X, dd.from_pandas(pd.Series(y), npartitions=3))
        assert there.objective_ == SoftmaxClassifier().fit(X, y).objective_

    def test_a_source_that_gives_other_rows_each_time(self):
        X, y, _ = samples(2)
        both = da.from_array(np.column_stack([X, y]), chunks=(9000, -1))
        shuffled = both.map_blocks(lambda b: np.random.default_rng().permutation(b), dtype=float)
        there = SoftmaxClassifier().fit(shuffled[:, :-1], shuffled[:, -1])
        assert there.objective_ == pytest.approx(SoftmaxClassifier().fit(X, y).objective_, rel=1e-9)

    def test_sparse_matrices_with_unsorted_indices(self):
        X, y, _ = samples(2, sparse=True)

        def unsorted(x):
            x = scipy.sparse.csr_matrix(x)
            order = np.concatenate([np.arange(a, b)[::-1] for a, b in pairwise(x.indptr)])
            return scipy.sparse.csr_matrix((x.data[order], x.indices[order], x.indptr), x.shape)

        there = SoftmaxClassifier().fit(
            da.from_array(X, chunks=(9000, -1)).map_blocks(unsorted, dtype=float), y
        )
        assert there.objective_ == pytest.approx(SoftmaxClassifier().fit(X, y).objective_, rel=1e-9)


class TestPredictions:
    """Lazy, block by block, and the same as in memory."""

    @pytest.mark.parametrize("K", [2, 3])
    def test_arrays(self, K):
        X, y, weight = samples(K)
        lazy = collections(X, y, weight)
        clf = SoftmaxClassifier().fit(X, y)
        for name in ("predict", "predict_proba", "predict_log_proba", "decision_function"):
            there, here = getattr(clf, name)(lazy[0]), getattr(clf, name)(X)
            assert there.shape == here.shape
            assert there.dtype == here.dtype
            assert there.chunks[0] == CHUNKS
            np.testing.assert_allclose(there.compute(), here, rtol=1e-13)
        assert clf.score(*lazy) == pytest.approx(clf.score(X, y, weight), rel=1e-14)
        assert clf.log_likelihood(*lazy) == pytest.approx(
            clf.log_likelihood(X, y, weight), rel=1e-13
        )

    def test_names_are_looked_at_once(self):
        X, y, _ = samples(2)
        clf = SoftmaxClassifier().fit(pd.DataFrame(X, columns=list("abcdef")), y)
        with pytest.warns(UserWarning, match="does not have valid feature names") as caught:
            clf.predict(da.from_array(X, chunks=(9000, -1))).compute()
        assert len(caught) == 1

    def test_columns_must_be_as_many(self):
        X, y, _ = samples(2)
        clf = SoftmaxClassifier().fit(X, y)
        with pytest.raises(ValueError, match="6 features"):
            clf.predict_proba(da.zeros((10, 7)))


def test_folds_of_partitions():
    X, y, weight = samples(3)
    rng = np.random.default_rng(0)
    order = rng.permutation(N)
    X, y, weight = X[order], y[order], weight[order]
    edges = np.cumsum([0, 9000, 1000, 10_000, 5003, 14_997])
    parts = [np.arange(a, b) for a, b in pairwise(edges)]
    splits = [
        (
            np.concatenate([p for j, p in enumerate(parts) if j % 2 != i]),
            np.concatenate([p for j, p in enumerate(parts) if j % 2 == i]),
        )
        for i in range(2)
    ]
    options = {"Cs": [1e-4, 1e-2, 1.0], "class_weight": "balanced", "tol": 1e-10}
    here = SoftmaxClassifierCV(cv=splits, **options).fit(X, y, weight)
    lazy = collections(X, y, weight, chunks=tuple(np.diff(edges).tolist()))
    there = SoftmaxClassifierCV(cv=2, **options).fit(*lazy)
    assert there.C_ == here.C_
    np.testing.assert_allclose(there.loss_path_, here.loss_path_, rtol=1e-7)
    np.testing.assert_allclose(there.loss_standard_error_, here.loss_standard_error_, rtol=1e-5)
    assert there.objective_ == pytest.approx(here.objective_, rel=1e-9)


def test_inference_brings_samples_here():
    X, y, _ = samples(2)
    frame, labels = pd.DataFrame(X, columns=list("abcdef")), pd.Series(y)
    lazy = [dd.from_pandas(each, npartitions=3) for each in (frame, labels)]
    clf = SoftmaxClassifier(C=np.inf).fit(*lazy)
    there, here = infer(clf, *lazy), infer(clf, frame, labels)
    # The memory order of a computed frame, and so the rounding, depends on the release of pandas.
    np.testing.assert_allclose(there.standard_errors, here.standard_errors, rtol=1e-12)


class TestOnDisk:
    """Files of samples, together larger than what may be kept in memory or not."""

    @pytest.fixture
    def reads(self, monkeypatch, tmp_path):
        """Parts of X as files, an array that reads them, and how often it did."""
        X, y, _ = samples(2)
        counts = []

        def read(i):
            counts.append(i)
            return np.load(tmp_path / f"{i}.npy", mmap_mode="r")

        for i, part in enumerate(np.array_split(X, 4)):
            np.save(tmp_path / f"{i}.npy", part)
        chunks = [dask.delayed(read, pure=True)(i) for i in range(4)]
        parts = [da.from_delayed(chunk, (N // 4, 6), float) for chunk in chunks]
        return da.concatenate(parts), y, SoftmaxClassifier().fit(X, y), counts

    def test_what_fits_is_read_once(self, reads):
        lazy, y, here, counts = reads
        there = SoftmaxClassifier().fit(lazy, y)
        assert there.objective_ == pytest.approx(here.objective_, rel=1e-9)
        assert sorted(counts) == [0, 1, 2, 3]

    def test_what_does_not_is_read_for_each_pass(self, reads, monkeypatch):
        monkeypatch.setattr(partitioned_training, "memory", lambda: (1e6, False))
        lazy, y, here, counts = reads
        there = SoftmaxClassifier().fit(lazy, y)
        assert there.objective_ == pytest.approx(here.objective_, rel=1e-9)
        assert there.n_passes_ - 1 <= len(counts) / 4 <= there.n_passes_ + 6

    def test_parquet(self, tmp_path):
        X, y, _ = samples(3)
        frame = pd.DataFrame(X, columns=list("abcdef")).assign(kind=np.array(["x", "y", "z"])[y])
        for i in range(4):
            frame.iloc[i * N // 4 : (i + 1) * N // 4].to_parquet(tmp_path / f"part{i}.parquet")
        lazy = dd.read_parquet(sorted(map(str, tmp_path.iterdir())))
        there = SoftmaxClassifier().fit(lazy.drop(columns="kind"), lazy["kind"])
        here = SoftmaxClassifier().fit(frame.drop(columns="kind"), frame["kind"])
        assert there.objective_ == pytest.approx(here.objective_, rel=1e-9)
        assert list(there.classes_) == ["x", "y", "z"]

    def test_a_memory_mapped_array(self, tmp_path):
        X, y, _ = samples(2)
        np.save(tmp_path / "X.npy", X)
        lazy = da.from_array(np.load(tmp_path / "X.npy", mmap_mode="r"), chunks=(9000, -1))
        there = SoftmaxClassifier().fit(lazy, y)
        assert there.objective_ == pytest.approx(SoftmaxClassifier().fit(X, y).objective_, rel=1e-9)


class TestErrors:
    """They name the place, and nothing is left behind."""

    @pytest.mark.parametrize("cv", [None, 6, "all", True])
    def test_folds_that_cannot_be(self, cv):
        X, y, weight = samples(2)
        with pytest.raises(ValueError, match="cv"):
            SoftmaxClassifierCV(cv=cv).fit(*collections(X, y, weight, chunks=(N // 4,) * 4))

    def test_a_fold_without_a_class(self):
        y = np.repeat([0, 1, 2], 100)
        X = da.from_array(np.random.default_rng(0).normal(size=(300, 2)), chunks=(100, 2))
        with pytest.raises(ValueError, match="without class 0"):
            SoftmaxClassifierCV(cv=3).fit(X, y)

    def test_not_a_number(self):
        X, y, weight = samples(2)
        X[7003, 1] = np.nan
        with pytest.raises(ValueError, match=r"in partition 2: Input X contains NaN"):
            SoftmaxClassifier().fit(*collections(X, y, weight))

    def test_a_column_of_text(self):
        frame = pd.DataFrame({"a": np.arange(90.0), "b": "1"})
        frame.loc[70, "b"] = "x"
        y = dd.from_pandas(pd.Series(np.arange(90) % 2), npartitions=3)
        with pytest.raises(ValueError, match="in partition 2: could not convert") as caught:
            SoftmaxClassifier().fit(dd.from_pandas(frame, npartitions=3), y)
        assert "column 'b' ('x' in row 10). " in caught.value.__notes__[0]

    def test_a_weight(self):
        X, y, weight = samples(2)
        weight[7003] = -1
        with pytest.raises(ValueError, match=r"in partition 2: sample_weight\[3\] is -1"):
            SoftmaxClassifier().fit(*collections(X, y, weight))

    @pytest.mark.parametrize(
        "y, message",
        [
            (np.zeros(N), "only one class"),
            (np.zeros(N - 1), "39999 samples"),
            (None, "requires y"),
            (np.full(N, np.nan), "in partition .: Input y contains NaN"),
        ],
        ids=["one class", "short", "none", "nan"],
    )
    def test_targets(self, y, message):
        X, _, _ = samples(2)
        clf = SoftmaxClassifier()
        with pytest.raises(ValueError, match=message):
            clf.fit(da.from_array(X, chunks=(CHUNKS, -1)), y)
        assert not hasattr(clf, "n_features_in_")

    @pytest.mark.parametrize("change", [["b", "a", "c", "d", "e", "f"], list("abcdez")])
    def test_columns_that_differ_between_partitions(self, change):
        X, y, _ = samples(2)
        frame = pd.DataFrame(X, columns=list("abcdef"))
        one, two = frame[: N // 2], frame[N // 2 :]
        parts = [one, two[change] if set(change) == set(frame) else two.set_axis(change, axis=1)]
        lazy = dd.from_map(lambda i: parts[i], [0, 1], meta=frame[:0])
        with pytest.raises(ValueError, match="in partition 1: the columns of X are"):
            SoftmaxClassifier().fit(lazy, y)

    def test_blocks_of_other_widths(self):
        parts = [dask.delayed(np.zeros)((10, width)) for width in (3, 2)]
        lazy = da.concatenate([da.from_delayed(part, (10, 3), float) for part in parts])
        with pytest.raises(ValueError, match=r"in partition 1: X has a block of shape \(10, 2\)"):
            SoftmaxClassifier().fit(lazy, np.arange(20) % 2)

    @pytest.mark.parametrize(
        "y, weight, message",
        [
            (np.array(["a", "b"]), None, "convert one to the type of the other"),
            (np.array([0.0, np.nan]), None, r"y\[.\] is nan"),
            (np.array([0, 1]), np.zeros(2), "zero for every sample"),
            (None, None, "requires y"),
        ],
        ids=["text", "nan", "weights", "none"],
    )
    def test_scores(self, y, weight, message):
        X, labels, _ = samples(2)
        clf = SoftmaxClassifier().fit(X, labels)
        with pytest.raises((ValueError, TypeError), match=message):
            clf.score(da.from_array(X[:2], chunks=(1, 6)), y, weight)

    def test_what_is_no_collection_of_rows(self):
        with pytest.raises(TypeError, match="X is a Delayed"):
            SoftmaxClassifier().fit(dask.delayed(np.zeros)((3, 2)), np.arange(3))

    def test_no_samples(self):
        with pytest.raises(ValueError, match="no samples"):
            SoftmaxClassifier().fit(da.zeros((0, 3)), da.zeros(0, dtype=int))

    def test_weights_that_are_all_zero(self):
        X, y, weight = samples(2)
        with pytest.raises(ValueError, match="zero for every sample"):
            SoftmaxClassifier().fit(*collections(X, y, 0 * weight))

    @pytest.mark.parametrize("where", ["cluster", "threads"])
    def test_a_task_that_raises_is_named(self, where, request):
        if where == "cluster":
            request.getfixturevalue("client")
        X, y, weight = samples(2)
        lazy = collections(X, y, weight)

        def bad(x, block_info=None):
            if block_info and block_info[0]["chunk-location"][0] == 2:
                raise ZeroDivisionError("no luck")
            return x

        with pytest.raises(ZeroDivisionError, match="no luck") as caught:
            SoftmaxClassifier().fit(lazy[0].map_blocks(bad, dtype=float), *lazy[1:])
        assert "in partition 2" in caught.value.__notes__


@pytest.mark.parametrize("fails", [False, True])
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
