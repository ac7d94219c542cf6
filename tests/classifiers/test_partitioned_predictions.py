"""Predictions for Dask collections are lazy, and equal the predictions in memory."""

import numpy as np
import pandas as pd
import pytest
from dask_partitions import CHUNKS, collections, samples

from skxent import SoftmaxClassifier

da = pytest.importorskip("dask.array")


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
