"""Fits, predictions and the choice of a penalty with an offset on Dask collections."""

import numpy as np
import pandas as pd
import pytest
from dask_partitions import CHUNKS, N, collections, samples

from skxent import SoftmaxClassifier, SoftmaxClassifierCV, cce_scorer

da = pytest.importorskip("dask.array")
dd = pytest.importorskip("dask.dataframe")

METHODS = ("decision_function", "predict", "predict_proba", "predict_log_proba")
kinds = pytest.mark.parametrize("K", [2, 3])


def offset_of(K):
    return 2 * np.random.default_rng(K).normal(size=(N, K))


FORMS = {
    "the same chunks": lambda O: da.from_array(O, chunks=(CHUNKS, -1)),
    "other chunks": lambda O: da.from_array(O, chunks=(9000, 1)),
    "in memory": lambda O: O,
    "a list": lambda O: O.tolist(),
    "a frame in memory": lambda O: pd.DataFrame(O),
    "a frame": lambda O: dd.from_pandas(pd.DataFrame(O), npartitions=3),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
@kinds
@pytest.mark.thinned(3)
def test_the_same_as_in_memory(K, form):
    X, y, weight = samples(K)
    O = offset_of(K)
    lazy, offset = collections(X, y, weight), form(O)
    known = SoftmaxClassifier().fit(X, y, weight, offset=O)
    clf = SoftmaxClassifier().fit(*lazy, offset=offset)
    assert clf.has_offset_
    assert clf.objective_ == pytest.approx(known.objective_, rel=1e-8)
    for name in METHODS:
        predict = getattr(clf, name)
        there, here = predict(lazy[0], offset=offset), predict(X, offset=O)
        assert there.chunks[0] == tuple(filter(None, CHUNKS))  # Dask leaves an empty one out
        assert (there.shape, there.dtype) == (here.shape, here.dtype)
        np.testing.assert_allclose(there.compute(), here, rtol=1e-12)
    score = clf.score(X, y, weight, offset=O)
    likelihood = clf.log_likelihood(X, y, weight, offset=O)
    assert clf.score(*lazy, offset=offset) == pytest.approx(score, rel=1e-13)
    assert clf.log_likelihood(*lazy, offset=offset) == pytest.approx(likelihood, rel=1e-12)
    mean = cce_scorer(clf, X, y, weight, offset=O)
    assert cce_scorer(clf, *lazy, offset=offset) == pytest.approx(mean, rel=1e-12)
    assert cce_scorer(clf, X, y, weight, offset=offset) == pytest.approx(mean, rel=1e-12)


@kinds
def test_frames_of_unknown_length(K):
    X, y, _ = samples(K, n=600)
    O = offset_of(K)[:600]
    names = [f"o{k}" for k in range(K)]
    frame = pd.DataFrame(np.column_stack([X, O]), columns=[*"abcdef", *names]).assign(y=y)
    parts = dd.from_pandas(frame, npartitions=4)
    clf = SoftmaxClassifier().fit(parts[list("abcdef")], parts["y"], offset=parts[names])
    known = SoftmaxClassifier().fit(X, y, offset=O)
    assert clf.objective_ == pytest.approx(known.objective_, rel=1e-8)
    found = clf.predict_proba(parts[list("abcdef")], offset=parts[names])
    assert np.isnan(found.shape[0])
    here = clf.predict_proba(frame[list("abcdef")], offset=O)
    np.testing.assert_allclose(found.compute(), here, rtol=1e-12)


def test_one_column_for_two_classes():
    X, y, weight = samples(2)
    O, lazy = offset_of(2)[:, 0], collections(X, y, weight)
    one = SoftmaxClassifier().fit(*lazy, offset=da.from_array(O, chunks=8000))
    other = SoftmaxClassifier().fit(*lazy, offset=np.column_stack([0 * O, O]))
    assert one.objective_ == pytest.approx(other.objective_, rel=1e-12)


def test_sparse_rows_soft_targets_and_class_weights():
    X, y, weight = samples(3, sparse=True)
    O, Y = offset_of(3), 0.9 * np.eye(3)[y] + 1 / 30
    lazy = collections(X, Y, weight, sparse=True)
    options = {"class_weight": {0: 1.0, 1: 2.0, 2: 3.0}}
    known = SoftmaxClassifier(**options).fit(X, Y, weight, offset=O)
    clf = SoftmaxClassifier(**options).fit(*lazy, offset=O)
    assert clf.objective_ == pytest.approx(known.objective_, rel=1e-8)


@kinds
def test_the_choice_of_a_penalty(K):
    X, y, _ = samples(K, n=1200)
    shuffled = np.random.default_rng(0).permutation(1200)
    X, y, O = X[shuffled], y[shuffled], offset_of(K)[:1200]
    lazy = [da.from_array(a, chunks=(300, *a.shape[1:])) for a in (X, y, O)]
    clf = SoftmaxClassifierCV(Cs=[1e-3, 1.0], cv=4, tol=1e-9).fit(*lazy[:2], offset=lazy[2])
    folds = [
        (np.delete(np.arange(1200), slice(a, a + 300)), np.arange(a, a + 300))
        for a in range(0, 1200, 300)
    ]
    known = SoftmaxClassifierCV(Cs=[1e-3, 1.0], cv=folds, tol=1e-9).fit(X, y, offset=O)
    np.testing.assert_allclose(clf.loss_path_, known.loss_path_, rtol=1e-6)
    assert clf.C_ == known.C_
    assert clf.has_offset_


def test_a_random_source_is_read_once():
    rng = np.random.default_rng(0)
    rows = da.zeros((4000, 2), chunks=(1000, 2)).map_blocks(lambda x: rng.normal(size=x.shape))
    y = (rows.sum(axis=1) > 0).astype(int)
    clf = SoftmaxClassifier(fit_intercept=False).fit(rows[:, :1], y, offset=100 * rows[:, 1])
    assert clf.coef_[0, 0] > 50  # close to 100; rows read again would have unrelated offsets


def test_errors_name_the_partition():
    X, y, weight = samples(3, n=400)
    O = offset_of(3)[:400]
    lazy = collections(X, y, weight, chunks=(200, 200))
    clf = SoftmaxClassifier().fit(*lazy, offset=O)
    for name in METHODS:
        with pytest.raises(ValueError, match="fitted with an offset"):
            getattr(clf, name)(lazy[0])
    with pytest.raises(ValueError, match="fitted with an offset"):
        clf.score(*lazy)
    with pytest.raises(ValueError, match=r"shape \(400, 2\), and there are 3 classes"):
        clf.fit(*lazy, offset=O[:, 1:])
    with pytest.raises(ValueError, match="offset has 399 samples but X has 400"):
        clf.fit(*lazy, offset=O[1:])
    with pytest.raises(ValueError, match="columns of offset"):
        clf.fit(*lazy, offset=pd.DataFrame(O, columns=[1, 0, 2]))
    with pytest.raises(ValueError, match="columns of offset"):
        clf.predict(lazy[0], offset=pd.DataFrame(O, columns=[1, 0, 2]))
    O[207, 1] = np.nan
    with pytest.raises(ValueError, match="in partition 1: offset has nan in row 7"):
        clf.fit(*lazy, offset=O)
    with pytest.raises(ValueError, match="in partition 1: offset has nan in row 7"):
        clf.predict(lazy[0], offset=O).compute()
