"""Leave-one-out on Dask collections: the losses of samples in memory, to rounding.

Few samples are copied into this process. Most tests forbid the copy, so that each partition leaves
out its own samples.
"""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.datasets import load_iris

from skxent import SoftmaxClassifierCV, ZeroProbabilityWarning
from skxent.classifiers import gathered_samples
from skxent.inference import leave_one_out

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
dd = pytest.importorskip("dask.dataframe")

GRID = [0.1, 10.0]
CHUNKS = (70, 1, 89, 80)
N = sum(CHUNKS)


@pytest.fixture(autouse=True)
def one_thread():
    """The data are so small that threads of Dask would only wait for each other."""
    with dask.config.set(scheduler="synchronous"):
        yield


@pytest.fixture
def on_workers(monkeypatch):
    """No samples are so few that they are copied."""
    monkeypatch.setattr(gathered_samples, "FEW_BYTES", -1)


def drawn(K=3, seed=0):
    rng = np.random.default_rng([K, seed])
    X = rng.normal(size=(N, 4)) * [1, 1, 3, 0.3] + [0, 5, 0, 1]
    # Classes that overlap: few samples need a fit of their own, which takes long in partitions.
    Z = 0.4 * (X - X.mean(axis=0)) @ rng.normal(size=(4, K))
    return X, (Z + rng.gumbel(size=Z.shape)).argmax(axis=1)


def lazy(values):
    """An array in the partitions of the tests."""
    values = np.asarray(values)
    return da.from_array(values, chunks=(CHUNKS, *((size,) for size in values.shape[1:])))


def weights(seed=0):
    """Weights of the samples, a tenth of them zero."""
    rng = np.random.default_rng(seed)
    return rng.uniform(0.5, 2.0, size=N) * (rng.random(N) > 0.1)


def assert_same(there, here, rtol=1e-9):
    np.testing.assert_allclose(there.loo_loss_, here.loo_loss_, rtol=rtol)
    np.testing.assert_allclose(there.loss_standard_error_, here.loss_standard_error_, rtol=rtol)
    np.testing.assert_allclose(there.coef_, here.coef_, rtol=1e-6, atol=1e-8)
    assert there.C_ == here.C_
    assert there.n_left_out_ == here.n_left_out_
    assert np.array_equal(there.n_refits_, here.n_refits_)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.thinned(3)
def test_labels(K, fit_intercept, on_workers):
    X, y = drawn(K)
    here = SoftmaxClassifierCV(GRID, fit_intercept=fit_intercept).fit(X, y)
    there = SoftmaxClassifierCV(GRID, fit_intercept=fit_intercept).fit(lazy(X), lazy(y))
    assert_same(there, here)


@pytest.mark.parametrize("settings", [{}, {"class_weight": "balanced"}], ids=str)
@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.thinned(6)
def test_weights(K, settings, on_workers):
    (X, y), weight = drawn(K), weights()
    here = SoftmaxClassifierCV(GRID, **settings).fit(X, y, weight)
    there = SoftmaxClassifierCV(GRID, **settings).fit(lazy(X), lazy(y), lazy(weight))
    assert_same(there, here)
    assert here.n_left_out_ == np.count_nonzero(weight)


@pytest.mark.parametrize("settings", [{}, {"class_weight": {0: 2.0, 1: 0.5, 2: 1.0}}], ids=str)
def test_soft_targets(settings, on_workers):
    X, y = drawn()
    Y = 0.7 * np.eye(3)[y] + 0.1
    here = SoftmaxClassifierCV(GRID, **settings).fit(X, Y, weights())
    there = SoftmaxClassifierCV(GRID, **settings).fit(lazy(X), lazy(Y), lazy(weights()))
    assert_same(there, here)


def test_sparse(on_workers):
    X, y = drawn()
    X = np.where(np.abs(X) > 1, X, 0.0)
    here = SoftmaxClassifierCV(GRID).fit(X, y)
    there = SoftmaxClassifierCV(GRID).fit(
        lazy(X).map_blocks(scipy.sparse.csr_array, dtype=X.dtype), lazy(y)
    )
    assert_same(there, here, rtol=1e-7)


@pytest.mark.parametrize("K", [2, 3])
def test_offsets(K, on_workers):
    X, y = drawn(K)
    O = np.random.default_rng(1).normal(size=(N, K))
    here = SoftmaxClassifierCV(GRID).fit(X, y, offset=O)
    there = SoftmaxClassifierCV(GRID).fit(lazy(X), lazy(y), offset=lazy(O))
    assert_same(there, here)


@pytest.mark.parametrize("Cs", [GRID, [1.0, np.inf]], ids=str)
def test_factors_of_the_penalty(Cs, on_workers):
    X, y = drawn()
    settings = {"penalty_factor": [0.0, 1.0, 2.0, 0.5]}
    here = SoftmaxClassifierCV(Cs, **settings).fit(X, y)
    assert_same(SoftmaxClassifierCV(Cs, **settings).fit(lazy(X), lazy(y)), here, rtol=1e-8)


def test_frames_with_text_labels(on_workers):
    X, y = drawn()
    names = np.array(["ant", "bee", "cow"])
    frame = pd.DataFrame(X, columns=list("abcd")).assign(y=names[y])
    lazy_frame = dd.from_pandas(frame, npartitions=5)
    there = SoftmaxClassifierCV(GRID).fit(lazy_frame[list("abcd")], lazy_frame["y"])
    assert_same(there, SoftmaxClassifierCV(GRID).fit(frame[list("abcd")], frame["y"]))
    assert there.feature_names_in_.tolist() == list("abcd")


@pytest.mark.slow
def test_the_same_samples_are_drawn(on_workers, monkeypatch):
    monkeypatch.setattr(leave_one_out, "LEAST", 40)
    monkeypatch.setattr(leave_one_out, "WORK", 1.0)
    (X, y), weight = drawn(), weights()
    for seed in (0, 1):
        here = SoftmaxClassifierCV(GRID, random_state=seed).fit(X, y, weight)
        there = SoftmaxClassifierCV(GRID, random_state=seed)
        assert_same(there.fit(lazy(X), lazy(y), lazy(weight)), here)
        assert here.n_left_out_ == 40


def test_samples_that_need_fits_of_their_own(on_workers):
    X, y = load_iris(return_X_y=True)
    order = np.random.default_rng(0).permutation(150)
    X, y = X[order], y[order]
    here = SoftmaxClassifierCV([1.0, 1e3]).fit(X, y)
    chunks = (50, 100)
    lazy_X = da.from_array(X, chunks=(chunks, 4))
    there = SoftmaxClassifierCV([1.0, 1e3]).fit(lazy_X, da.from_array(y, chunks=(chunks,)))
    assert (here.n_refits_ > 0).all()
    assert_same(there, here, rtol=1e-5)


def test_the_only_sample_of_a_class(on_workers):
    X, y = drawn(2)
    y[75] = 2
    with pytest.warns(ZeroProbabilityWarning, match="1 held-out"):
        here = SoftmaxClassifierCV(GRID).fit(X, y)
    with pytest.warns(ZeroProbabilityWarning, match="1 held-out"):
        there = SoftmaxClassifierCV(GRID).fit(lazy(X), lazy(y))
    assert_same(there, here)


def test_a_class_without_weight(on_workers):
    (X, y), weight = drawn(2), np.ones(N)
    y[100:103], weight[100:103] = 2, 0.0
    with pytest.warns(UserWarning, match="class 2 has no weight"):
        here = SoftmaxClassifierCV(GRID).fit(X, y, weight)
    with pytest.warns(UserWarning, match="class 2 has no weight"):
        there = SoftmaxClassifierCV(GRID).fit(lazy(X), lazy(y), lazy(weight))
    assert_same(there, here)


def test_few_samples_are_copied_and_give_every_bit():
    (X, y), weight = drawn(), weights()
    here = SoftmaxClassifierCV(GRID).fit(X, y, weight)
    there = SoftmaxClassifierCV(GRID).fit(lazy(X), lazy(y), lazy(weight))
    assert np.array_equal(there.loo_loss_, here.loo_loss_)
    assert np.array_equal(there.coef_, here.coef_)


@pytest.mark.parametrize("soft", [True, False])
def test_few_sparse_samples_are_copied(soft):
    X, y = drawn()
    X = scipy.sparse.csr_array(np.where(np.abs(X) > 1, X, 0.0))
    y = 0.7 * np.eye(3)[y] + 0.1 if soft else y
    O = np.random.default_rng(1).normal(size=(N, 3))
    here = SoftmaxClassifierCV(GRID).fit(X, y, weights(), offset=O)
    blocks = lazy(X.toarray()).map_blocks(scipy.sparse.csr_array, dtype=float)
    there = SoftmaxClassifierCV(GRID).fit(blocks, lazy(y), lazy(weights()), offset=lazy(O))
    np.testing.assert_allclose(there.loo_loss_, here.loo_loss_, rtol=1e-12)


def test_more_features_than_samples_are_copied(on_workers):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(45, 150))
    y = (X @ rng.normal(size=(150, 3)) / 4 + rng.gumbel(size=(45, 3))).argmax(axis=1)
    here = SoftmaxClassifierCV([1e-2, 1.0]).fit(X, y)
    there = SoftmaxClassifierCV([1e-2, 1.0])
    there.fit(da.from_array(X, chunks=(20, -1)), da.from_array(y, chunks=20))
    assert np.array_equal(there.loo_loss_, here.loo_loss_)


def test_what_cannot_be(on_workers):
    X, y = drawn()
    with pytest.raises(ValueError, match="groups given for a splitter, but cv is None"):
        SoftmaxClassifierCV(GRID).fit(lazy(X), lazy(y), groups=np.arange(N))
    weight = np.zeros(N)
    weight[:1] = 1.0
    with pytest.raises(ValueError, match=r"only class \d has samples with a weight|needs two"):
        SoftmaxClassifierCV(GRID).fit(lazy(X), lazy(y), lazy(weight))
    wide = da.random.default_rng(0).normal(size=(6000, 2100), chunks=(3000, -1))
    labels = da.from_array(np.arange(6000) % 3, chunks=3000)
    with pytest.raises(ValueError, match="4202 parameters, and 4000 are the most: pass cv=5"):
        SoftmaxClassifierCV(GRID).fit(wide, labels)
