"""Errors of fits to Dask collections name the partition, and leave nothing behind."""

import numpy as np
import pandas as pd
import pytest
from dask_partitions import CHUNKS, CLUSTER_WARNINGS, N, collections, samples

from skxent import SoftmaxClassifier, SoftmaxClassifierCV

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
dd = pytest.importorskip("dask.dataframe")


pytestmark = CLUSTER_WARNINGS


class TestErrors:
    """They name the place, and nothing is left behind."""

    @pytest.mark.parametrize("cv", [6, "all", True])
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

    @pytest.mark.parametrize("where", ["threads", pytest.param("cluster", marks=pytest.mark.slow)])
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
