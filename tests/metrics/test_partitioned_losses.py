"""Metrics of Dask collections are those of their rows in memory, however they are cut."""

import pickle
import warnings

import numpy as np
import pytest
from scipy.special import softmax

dask = pytest.importorskip("dask")
import dask.array as da  # noqa: E402
from cut_samples import (  # noqa: E402
    CHUNKS,
    CODES,
    EVENTS,
    NAMES,
    SOFT,
    YES,
    K,
    N,
    P,
    W,
    X,
    Z,
    array,
    cuts,
    few_cuts,
    frame,
    memory,
    other,
    unknown,
    with_row,
)
from fixed_predictions import Fixed  # noqa: E402

from skxent import SoftmaxClassifier  # noqa: E402
from skxent.metrics import (  # noqa: E402
    CrossEntropySum,
    ZeroProbabilityWarning,
    binary_cross_entropy,
    categorical_cross_entropy,
    cce_scorer,
)

pytestmark = pytest.mark.usefixtures("synchronous_dask")


# ------------------------------------------------------------------ losses


@cuts
@pytest.mark.thinned(3)
def test_categorical(cut):
    same(categorical_cross_entropy, cut, CODES, P)
    same(categorical_cross_entropy, cut, NAMES[CODES], P)
    same(categorical_cross_entropy, cut, SOFT, P)


@few_cuts
@pytest.mark.thinned(3)
def test_categorical_forms(cut):
    same(categorical_cross_entropy, cut, CODES, Z, from_logits=True)
    same(categorical_cross_entropy, cut, CODES, Z[:, ::-1], from_logits=True, labels=[2, 1, 0])
    same(categorical_cross_entropy, cut, SOFT, Z, from_logits=True, labels=NAMES)
    same(categorical_cross_entropy, cut, NAMES[YES], P[:, 1])
    same(categorical_cross_entropy, cut, NAMES[YES], P[:, [1]], labels=["ant", "bee"])
    same(categorical_cross_entropy, cut, SOFT[:, :2] / SOFT[:, :2].sum(1)[:, None], P[:, 0])


@cuts
@pytest.mark.thinned(3)
def test_binary(cut):
    loss = binary_cross_entropy
    same(loss, cut, YES, P[:, 1])
    same(loss, cut, NAMES[YES], P[:, 1])
    same(loss, cut, SOFT[:, 1], P[:, 1])
    same(loss, cut, EVENTS, P)


@pytest.mark.parametrize("options", [{"base": 2}, {"eps": 0.2}, {"eps": 0, "base": 10}], ids=str)
@pytest.mark.filterwarnings("ignore::skxent.metrics.ZeroProbabilityWarning")
@pytest.mark.usefixtures("threaded_dask")
def test_options(options):
    for cut in ((other, array, frame), (frame, memory, array)):
        same(categorical_cross_entropy, cut, CODES, P, **options)
        same(categorical_cross_entropy, cut, SOFT, P, **options)
        same(binary_cross_entropy, cut, YES, P[:, 1], **options)
        same(binary_cross_entropy, cut, EVENTS, P, **options)


@few_cuts
@pytest.mark.thinned(3)
def test_binary_forms(cut):
    loss = binary_cross_entropy
    two = softmax(Z[:, :2], axis=1)
    same(loss, cut, NAMES[YES], Z[:, 1], from_logits=True)
    same(loss, cut, NAMES[YES], two, pos_label="ant")
    same(loss, cut, YES.astype(float), two)
    same(loss, cut, 2 * YES - 1, two)
    same(loss, cut, YES.astype(bool), Z[:, :2], from_logits=True)
    same(loss, cut, 2.0 * YES, P[:, 1])
    same(loss, cut, SOFT, Z, from_logits=True)
    same(loss, cut, np.ones(N, dtype=int), P[:, 0])
    same(loss, cut, np.full(N, "ant"), P[:, 0], pos_label="bee")


def test_the_mean_is_not_that_of_the_means_of_chunks():
    y, p = array(CODES), array(P)
    means = [
        categorical_cross_entropy(CODES[a:b], P[a:b], labels=range(K))
        for a, b in ((0, 20), (20, 27), (27, 28), (28, 60))
    ]
    loss = categorical_cross_entropy(y, p)
    assert abs(loss - np.mean(means)) > 0.01
    assert loss == pytest.approx(categorical_cross_entropy(CODES, P), rel=1e-14)


def test_losses_are_lazy_and_cut_as_the_prediction_is():
    def fail(block):
        raise AssertionError("computed")

    p = array(P).map_blocks(fail, dtype=float, meta=np.empty((0, 0)))
    losses = categorical_cross_entropy(other(SOFT), p, reduction="none")
    assert losses.chunks == (CHUNKS,) and losses.dtype == float
    losses = categorical_cross_entropy(other(CODES), P, reduction="none")
    assert losses.chunks == ((3, 50, 7),)
    np.testing.assert_array_equal(
        losses[50:].compute(), categorical_cross_entropy(CODES, P, reduction="none")[50:]
    )
    assert np.isnan(categorical_cross_entropy(CODES, frame(P), reduction="none").shape[0])


def test_two_round_trips_at_most(monkeypatch):
    trips = []
    compute = dask.compute
    monkeypatch.setattr(
        dask, "compute", lambda *args, **kw: trips.append(1) or compute(*args, **kw)
    )
    w = array(W)
    for expected, call in [
        (2, lambda: categorical_cross_entropy(other(CODES), array(P), sample_weight=w)),
        (2, lambda: categorical_cross_entropy(frame(CODES), frame(P), sample_weight=frame(W))),
        (1, lambda: categorical_cross_entropy(array(CODES), array(P), labels=range(K))),
        (1, lambda: categorical_cross_entropy(array(SOFT), array(P))),
        (1, lambda: categorical_cross_entropy(CODES, array(P), sample_weight=W)),
        (2, lambda: categorical_cross_entropy(CODES, unknown(P))),
        (
            2,
            lambda: categorical_cross_entropy(unknown(CODES), unknown(P), sample_weight=unknown(W)),
        ),
        (3, lambda: categorical_cross_entropy(unknown(CODES), array(P))),  # counts rows
        (0, lambda: categorical_cross_entropy(CODES, array(P), reduction="none")),
        (1, lambda: categorical_cross_entropy(array(CODES), array(P), reduction="none")),
        (0, lambda: categorical_cross_entropy(SOFT, array(P), reduction="none")),
        (2, lambda: binary_cross_entropy(array(YES), other(P[:, 1]), sample_weight=w)),
        (1, lambda: binary_cross_entropy(array(EVENTS), other(P))),
        (2, lambda: CrossEntropySum.of(array(CODES), array(P))),
    ]:
        trips.clear()
        call()
        assert len(trips) == expected


# ------------------------------------------------------------------ errors and warnings


def test_an_error_names_the_partition_and_the_row_in_it():
    bad = P.copy()
    bad[24, 0] = 2
    for y in (array(CODES), other(CODES), CODES, array(SOFT)):
        with pytest.raises(ValueError, match=r"in partition 2: y_pred has 2 in row 4, outside"):
            categorical_cross_entropy(y, array(bad))
        losses = categorical_cross_entropy(y, array(bad), reduction="none")
        with pytest.raises(ValueError, match=r"in partition 2: y_pred has 2 in row 4, outside"):
            losses.compute()
        np.testing.assert_array_equal(losses[:20], -np.log(1) + losses[:20])
    with pytest.raises(ValueError, match=r"in partition 2: y_pred has 2 in row 4, outside"):
        binary_cross_entropy(array(YES), array(bad[:, 0]))


def test_weights_are_checked():
    y, p = array(CODES), array(P)
    for wrong, error in [
        (with_row(24, W, -1), r"in partition 2: sample_weight\[4\] is -1"),
        (with_row(24, W, np.nan), r"in partition 2: sample_weight\[4\] is nan"),
        (W[:, None], r"in partition \d: sample_weight has shape"),
        (np.zeros(N), "sample_weight is zero for every sample"),
        (W[1:], "sample_weight has 59 samples but y_pred has 60"),
    ]:
        rows = (len(wrong) - 40, 0, 7, 1, 32)
        for weight in (wrong, array(wrong, rows)):
            with pytest.raises(ValueError, match=error):
                categorical_cross_entropy(y, p, sample_weight=weight)
    assert CrossEntropySum.of(y, p, sample_weight=np.zeros(N)) == CrossEntropySum()
    losses = categorical_cross_entropy(y, p, sample_weight=-W, reduction="none")
    with pytest.raises(ValueError, match="sample_weight"):
        losses.compute()


def test_lengths_that_nobody_knows_are_checked_where_the_rows_are():
    y = unknown(CODES)
    for rows in ((19, 0, 7, 1, 32), (20, 0, 7, 1, 31)):
        short = array(P[1:], rows)
        for truth in (y, CODES, array(CODES)):
            with pytest.raises(ValueError, match="y_true has 60 samples but y_pred has 59"):
                categorical_cross_entropy(truth, short)
        short = short[da.ones(59, chunks=(rows,), dtype=bool)]
        with pytest.raises(ValueError, match=r"in partition \d: y_true has \d+ samples but y_pred"):
            categorical_cross_entropy(y, short)
    # as many partitions as those of a frame, whose lengths nobody knows, but other ones
    expected = categorical_cross_entropy(CODES, P)
    for truth, prediction in ((frame(CODES, 5), array(P)), (array(CODES), frame(P, 5))):
        found = categorical_cross_entropy(truth, prediction)
        assert found == pytest.approx(expected, rel=1e-14)


def test_options_are_checked_before_anything_is_computed():
    def fail(block):
        raise AssertionError("computed")

    y = array(YES).map_blocks(fail, dtype=int, meta=np.empty(0))
    for loss in (categorical_cross_entropy, binary_cross_entropy):
        for name, value in {"base": 1, "eps": 1, "reduction": "median"}.items():
            with pytest.raises(ValueError, match=f"{name}={value!r}"):
                loss(y, array(P[:, 1]), **{name: value})
    with pytest.raises(ValueError, match=r"y_pred has shape \(1, 3, 1\)"):
        categorical_cross_entropy(y, array(P)[:, :, None])
    with pytest.raises(TypeError, match="loss=<function"):
        CrossEntropySum.of(y, array(P), loss=lambda *args, **options: 0)


def test_one_warning_with_the_counts_of_all():
    sure = np.eye(K)[(CODES + (np.arange(N) % 4 == 0)) % K]
    for call in [
        lambda: categorical_cross_entropy(array(CODES), array(sure)),
        lambda: binary_cross_entropy(array(np.eye(K)[CODES]), other(sure)),
        lambda: CrossEntropySum.of(array(CODES), frame(sure)),
        lambda: cce_scorer(Fixed(array(sure), np.arange(K)), None, array(CODES)),
        lambda: cce_scorer(Fixed(sure, np.arange(K)), None, array(CODES)),
        lambda: cce_scorer(Fixed(sure, np.arange(K)), array(X), CODES),
        lambda: cce_scorer(Fixed(sure, np.arange(K)), X, CODES),
    ]:
        with pytest.warns(ZeroProbabilityWarning, match="^15 of 60 samples") as caught:
            call()
        assert len(caught) == 1
        assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lazy = categorical_cross_entropy(array(CODES), array(sure), reduction="none")
        np.testing.assert_array_equal(lazy > 36, np.arange(N) % 4 == 0)
    exact = categorical_cross_entropy(array(CODES), array(sure), eps=0)
    assert exact == np.inf


def test_no_samples():
    y, p = da.from_array(CODES[:0], chunks=2), da.from_array(P[:0], chunks=(2, 3))
    assert CrossEntropySum.of(y, p) == CrossEntropySum.of([], []) == CrossEntropySum()
    assert CrossEntropySum.of(y, p[:, 0], loss=binary_cross_entropy) == CrossEntropySum()
    assert categorical_cross_entropy(y, p, reduction="none").compute().shape == (0,)
    for options in ({}, {"labels": NAMES}, {"sample_weight": []}):
        with pytest.raises(ValueError, match="y_pred is empty"):
            categorical_cross_entropy(y, p, **options)


# ------------------------------------------------------------------ a cluster


def test_masks_outlast_another_cut():
    masked = da.ma.masked_array(array(CODES), mask=array(np.arange(N) == 22))
    with pytest.raises(ValueError, match="masked"):
        categorical_cross_entropy(masked, da.from_array(P, chunks=(15, K)), labels=range(K))


def test_on_a_cluster(tmp_path):
    distributed = pytest.importorskip("distributed")
    with dask.config.set({"temporary-directory": str(tmp_path)}):
        options = {"n_workers": 2, "threads_per_worker": 1, "processes": False}
        with distributed.Client(**options, dashboard_address=None):
            check_on_a_cluster()


def check_on_a_cluster():
    y, p, w = array(NAMES[CODES]), array(P), frame(W)
    with dask.config.set(scheduler=None):
        expected = categorical_cross_entropy(NAMES[CODES], P, sample_weight=W)
        found = categorical_cross_entropy(y, p, sample_weight=w)
        assert found == pytest.approx(expected, rel=1e-14)
        lazy = categorical_cross_entropy(y, p, reduction="none")
        np.testing.assert_array_equal(
            lazy, categorical_cross_entropy(NAMES[CODES], P, reduction="none")
        )
        model = SoftmaxClassifier(C=1.0).fit(X, NAMES[CODES])
        score = cce_scorer(model, array(X), y, w)
        assert score == pytest.approx(cce_scorer(model, X, NAMES[CODES], W), rel=1e-14)
        bad = array(with_row(24, P, 0.5))
        with pytest.raises(ValueError, match="in partition 2: y_pred does not sum to 1 in row 4"):
            categorical_cross_entropy(y, bad)
        sure = array(np.eye(K)[(CODES + 1) % K])
        with pytest.warns(ZeroProbabilityWarning, match="60 of 60") as caught:
            categorical_cross_entropy(y, sure)
        assert len(caught) == 1
    assert pickle.loads(pickle.dumps(score)) == score


REDUCTIONS = ["mean", "sum", "none"]


def same(loss, cut, y, p, *, rtol=1e-14, **options):
    """All reductions of Dask collections are those in memory, and so is the pair."""
    of_y, of_p, of_weight = cut
    for weight in (None, W):
        lazy = of_y(y), of_p(p)
        if not any(map(dask.is_dask_collection, lazy)) and weight is None:
            continue
        lazy_weight = None if weight is None else of_weight(weight)
        for reduction in REDUCTIONS:
            found = loss(*lazy, sample_weight=lazy_weight, reduction=reduction, **options)
            expected = loss(y, p, sample_weight=weight, reduction=reduction, **options)
            assert type(found) is (da.Array if reduction == "none" else float)
            np.testing.assert_allclose(np.asarray(found), expected, rtol=rtol)
        pair = CrossEntropySum.of(*lazy, sample_weight=lazy_weight, loss=loss, **options)
        whole = CrossEntropySum.of(y, p, sample_weight=weight, loss=loss, **options)
        assert type(pair.total) is type(pair.weight) is float
        np.testing.assert_allclose([pair.total, pair.weight], [whole.total, whole.weight], rtol)
