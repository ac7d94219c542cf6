"""Fits to Dask collections equal the fits to the same samples in memory."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from dask_partitions import CHUNKS, CLUSTER_WARNINGS, N, collections, samples

from skxent import SoftmaxClassifier, SoftmaxClassifierCV, infer
from skxent.classifiers import partitioned_training

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
dd = pytest.importorskip("dask.dataframe")


pytestmark = CLUSTER_WARNINGS


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
