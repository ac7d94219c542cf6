"""Metrics of Dask collections are those of their rows in memory, however they are cut."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

dask = pytest.importorskip("dask")

import dask.array as da  # noqa: E402
import dask.dataframe as dd  # noqa: E402

from skxent import LossDistributionDisplay, SoftmaxClassifier  # noqa: E402
from skxent.metrics import (  # noqa: E402
    CrossEntropySum,
    ZeroProbabilityWarning,
    bce_scorer,
    binary_cross_entropy,
    categorical_cross_entropy,
    cce_scorer,
    cce_sum_scorer,
    compare,
    compare_cv,
    cross_entropy,
    cross_entropy_report,
    decompose_cross_entropy,
    discrimination_scorer,
    entropy,
    kl_divergence,
    make_cross_entropy_scorer,
    mean_loss_interval,
    miscalibration_scorer,
)

N, K = 60, 3
rng = np.random.default_rng(0)
Z = rng.normal(scale=2, size=(N, K))
P = softmax(Z, axis=1)
NAMES = np.array(["ant", "bee", "cow"])
# Sorted, so that partitions lack classes.
CODES = np.sort(rng.integers(K, size=N))
SOFT = rng.dirichlet(np.ones(K), size=N)
W = rng.uniform(0.1, 3, size=N)
W[:20] = 0.0  # all of the first partition
YES = (CODES == 1).astype(int)
EVENTS = rng.integers(2, size=(N, K))
CHUNKS = (20, 0, 7, 1, 32)
REDUCTIONS = ["mean", "sum", "none"]


@pytest.fixture(autouse=True)
def scheduler():
    with dask.config.set(scheduler="synchronous"):
        yield


@pytest.fixture
def threads(scheduler):
    with dask.config.set(scheduler="threads"):
        yield


def array(values, rows=CHUNKS):
    """The rows in partitions, and the columns in chunks of one."""
    return da.from_array(values, chunks=(rows, *[1] * (values.ndim - 1)))


def uncut(values):
    return da.from_array(values, chunks=values.shape)


def other(values):
    return array(values, (3, 50, 7))


def unknown(values):
    """The rows in partitions whose numbers of rows nobody knows."""
    lazy = array(values)
    return lazy[da.ones(N, chunks=(CHUNKS,), dtype=bool)]


def frame(values, parts=4):
    shape = {1: pd.Series, 2: pd.DataFrame}[values.ndim]
    return dd.from_pandas(shape(values, index=np.arange(N) % 7), npartitions=parts, sort=False)


def with_row(row, values, value):
    """The same values but in one row."""
    values = np.array(values, dtype=float)
    values[row] = value
    return values


def memory(values):
    return values


CUTS = [
    (array, array, array),
    (array, other, uncut),
    (uncut, array, memory),
    (array, memory, frame),
    (memory, array, other),
    (memory, memory, array),
    (unknown, unknown, unknown),
    (unknown, array, memory),
    (other, unknown, array),
    (frame, frame, frame),
    (frame, array, unknown),
    (array, frame, memory),
    (frame, memory, frame),
]
# For the rarer forms of arguments; the common forms are tested with all of `CUTS`.
FEW_CUTS = [(array, frame, memory), (frame, array, unknown), (other, unknown, array)]


def named_cut(cut):
    return " ".join(f.__name__ for f in cut)


cuts = pytest.mark.parametrize("cut", CUTS, ids=named_cut)
few_cuts = pytest.mark.parametrize(
    "cut",
    FEW_CUTS + [pytest.param(cut, marks=pytest.mark.slow) for cut in CUTS if cut not in FEW_CUTS],
    ids=named_cut,
)


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


# ------------------------------------------------------------------ losses


@cuts
def test_categorical(cut):
    same(categorical_cross_entropy, cut, CODES, P)
    same(categorical_cross_entropy, cut, NAMES[CODES], P)
    same(categorical_cross_entropy, cut, SOFT, P)


@few_cuts
def test_categorical_forms(cut):
    same(categorical_cross_entropy, cut, CODES, Z, from_logits=True)
    same(categorical_cross_entropy, cut, CODES, Z[:, ::-1], from_logits=True, labels=[2, 1, 0])
    same(categorical_cross_entropy, cut, SOFT, Z, from_logits=True, labels=NAMES)
    same(categorical_cross_entropy, cut, NAMES[YES], P[:, 1])
    same(categorical_cross_entropy, cut, NAMES[YES], P[:, [1]], labels=["ant", "bee"])
    same(categorical_cross_entropy, cut, SOFT[:, :2] / SOFT[:, :2].sum(1)[:, None], P[:, 0])


@cuts
def test_binary(cut):
    loss = binary_cross_entropy
    same(loss, cut, YES, P[:, 1])
    same(loss, cut, NAMES[YES], P[:, 1])
    same(loss, cut, SOFT[:, 1], P[:, 1])
    same(loss, cut, EVENTS, P)


@pytest.mark.parametrize("options", [{"base": 2}, {"eps": 0.2}, {"eps": 0, "base": 10}], ids=str)
@pytest.mark.filterwarnings("ignore::skxent.metrics.ZeroProbabilityWarning")
@pytest.mark.usefixtures("threads")
def test_options(options):
    for cut in ((other, array, frame), (frame, memory, array)):
        same(categorical_cross_entropy, cut, CODES, P, **options)
        same(categorical_cross_entropy, cut, SOFT, P, **options)
        same(binary_cross_entropy, cut, YES, P[:, 1], **options)
        same(binary_cross_entropy, cut, EVENTS, P, **options)


@few_cuts
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


# ------------------------------------------------------------------ classes are those of the whole


def test_data_frames_name_their_columns():
    named = pd.DataFrame(P, columns=NAMES)
    lazy = dd.from_pandas(named, npartitions=3)
    y = NAMES[np.minimum(CODES, 1)]  # nobody is a cow
    expected = categorical_cross_entropy(y, named)
    for truth in (y, array(y), frame(y)):
        assert categorical_cross_entropy(truth, lazy) == pytest.approx(expected, rel=1e-14)
    assert categorical_cross_entropy(array(y), named) == pytest.approx(expected, rel=1e-14)
    with pytest.raises(ValueError, match=r"columns of y_pred.* not in the order of labels"):
        categorical_cross_entropy(array(y), lazy, labels=NAMES[::-1])
    shuffled = pd.DataFrame(SOFT, columns=NAMES[::-1])
    for truth in (shuffled, dd.from_pandas(shuffled, npartitions=5)):
        for other_names in (lazy, named):
            if truth is not shuffled or other_names is lazy:
                with pytest.raises(ValueError, match=r"columns of y_true.* order of y_pred"):
                    categorical_cross_entropy(truth, other_names)
        with pytest.raises(ValueError, match=r"columns of y_true.* not in the order of labels"):
            categorical_cross_entropy(truth, array(P), labels=NAMES)
        with pytest.raises(ValueError, match=r"columns of y_true.* order of y_pred"):
            binary_cross_entropy(truth, lazy)


def test_columns_in_the_order_yes_no_are_refused():
    two = pd.DataFrame(softmax(Z[:, :2], axis=1), columns=["bee", "ant"])
    lazy = dd.from_pandas(two, npartitions=3)
    y = NAMES[YES]
    expected = binary_cross_entropy(y, two, pos_label="ant")
    for truth in (y, array(y), frame(y)):
        with pytest.raises(ValueError, match="not in the order no, yes"):
            binary_cross_entropy(truth, lazy)
        found = binary_cross_entropy(truth, lazy, pos_label="ant")
        assert found == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    ("error", "y", "options"),
    [
        ("y_true holds 2 classes, .* but y_pred has 3 columns", YES, {}),
        (r"in partition 4: y_true\[\d+\] is 2, which is not in", CODES, {"labels": [5, 0, 1]}),
        ("labels names 2 classes but y_pred has 3 columns", CODES, {"labels": [0, 1]}),
        ("y_true has 2 columns but y_pred has 3", SOFT[:, :2], {}),
        (r"in partition 2: y_true\[4\] is 0.5, not a label", with_row(24, np.ones(N), 0.5), {}),
        ("in partition 4: y_true does not sum to 1 in row 31", with_row(59, SOFT, 1), {}),
    ],
)
def test_truths_that_do_not_fit(error, y, options):
    with pytest.raises(ValueError, match=error):
        categorical_cross_entropy(array(y), array(P), **options)


def test_labels_of_two_types_are_refused_with_their_partitions():
    mixed = np.where(CODES == 2, "cow", CODES.astype(object))
    mixed[:20] = 0
    with pytest.raises(ValueError, match="mixes strings and numbers: 'cow' in partition 1, 0 in"):
        categorical_cross_entropy(array(np.repeat(np.array([0, "cow"], object), 30), (30, 30)), P)
    with pytest.raises(ValueError, match="in partition 0: y_true mixes strings and numbers"):
        categorical_cross_entropy(array(mixed, (N,)), P)


@pytest.mark.parametrize(
    ("error", "y", "options"),
    [
        ("y_true holds 3 classes", CODES, {}),
        ("y_true holds 3 classes", CODES, {"pos_label": 1}),
        ("pos_label='dog' is not one of the labels", NAMES[YES], {"pos_label": "dog"}),
        ("pos_label=2 is not one of", np.repeat([0.0, 1.0], [20, 40]), {"pos_label": 2}),
        ("y_true holds only 'ant': pass pos_label", np.full(N, "ant"), {}),
        (
            "labels in partition 0 but probabilities in partition 2",
            np.repeat([2.0, 0.5], [20, 40]),
            {},
        ),
        (r"in partition 2: y_true\[4\] is 0.5", with_row(24, YES, 0.5), {"pos_label": 1}),
        (r"in partition 2: y_true\[4\] is nan", with_row(24, YES, np.nan), {}),
        ("pos_label is for labels", EVENTS, {"pos_label": 1}),
        (r"in partition \d: y_true has shape", EVENTS[:, :2], {}),
    ],
)
def test_outcomes_that_do_not_fit(error, y, options):
    prediction = P if y.ndim == 2 else P[:, 1]
    for cut in (array, unknown):
        with pytest.raises(ValueError, match=error):
            binary_cross_entropy(cut(y), array(prediction), **options)


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
        lambda: cce_scorer(Fixed(array(sure)), None, array(CODES)),
        lambda: cce_scorer(Fixed(sure), None, array(CODES)),
        lambda: cce_scorer(Fixed(sure), array(X), CODES),
        lambda: cce_scorer(Fixed(sure), X, CODES),
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


# ------------------------------------------------------------------ scorers


class Fixed:
    """Predicts what it is told to."""

    classes_ = np.arange(K)

    def __init__(self, prediction):
        self.prediction = prediction

    def predict_proba(self, X):
        return self.prediction


X = Z @ rng.normal(size=(K, 4))


@pytest.mark.parametrize(
    "scorer",
    [cce_scorer, cce_sum_scorer, make_cross_entropy_scorer(base=2, eps=0), discrimination_scorer,
     miscalibration_scorer],
    ids=repr,
)  # fmt: skip
@pytest.mark.parametrize("soft", [False, True])
def test_scorers(scorer, soft):
    y = SOFT if soft else NAMES[CODES]
    model = SoftmaxClassifier(C=1.0).fit(X, NAMES[CODES])
    sklearns = LogisticRegression().fit(X, NAMES[CODES])
    expected = [scorer(model, X, y), scorer(model, X, y, W), scorer(sklearns, X, y, W)]
    for of_x, of_y, of_w in CUTS:
        if of_x is of_y is memory:
            continue
        rows, truth, weight = of_x(X), of_y(y), of_w(W)
        found = [scorer(model, rows, truth), scorer(model, rows, truth, weight)]
        if of_x is not frame:
            found.append(scorer(sklearns, of_x(X), truth, weight))
        np.testing.assert_allclose(found, expected[: len(found)], rtol=1e-9)


def test_scorers_read_columns_by_their_names():
    model = SoftmaxClassifier(C=1.0).fit(X, NAMES[CODES])
    soft = pd.DataFrame(SOFT, columns=NAMES[::-1])
    expected = cce_scorer(model, X, soft)
    for y in (soft, dd.from_pandas(soft, npartitions=4)):
        for rows in (array(X), unknown(X), other(X)):
            assert cce_scorer(model, rows, y) == pytest.approx(expected, rel=1e-14)


def test_binary_scorer():
    model = SoftmaxClassifier(C=1.0).fit(X, NAMES[YES])
    expected = bce_scorer(model, X, NAMES[YES], W)
    for rows, y in [
        (array(X), other(NAMES[YES])),
        (X, array(NAMES[YES])),
        (unknown(X), NAMES[YES]),
    ]:
        assert bce_scorer(model, rows, y, W) == pytest.approx(expected, rel=1e-14)
    with pytest.raises(ValueError, match="the binary loss takes two classes, but here are 3"):
        bce_scorer(model, array(X), array(NAMES[CODES]))
    known = Fixed(array(np.ones((N, 1))))
    known.classes_ = [0]
    with pytest.raises(ValueError, match="the binary loss takes two classes, but here are 3"):
        bce_scorer(known, None, array(np.repeat([1, 2], [28, 32])))


def test_multilabel_scorer():
    columns = [np.column_stack([1 - p, p]) for p in P.T]
    many = Fixed(columns)
    many.classes_ = [np.array([0, 1])] * K
    expected = bce_scorer(Fixed(P), X, EVENTS, W)
    for model in (Fixed(P), Fixed(array(P)), Fixed(frame(P)), many):
        for y in (array(EVENTS), other(EVENTS), frame(EVENTS)):
            assert bce_scorer(model, X, y, array(W)) == pytest.approx(expected, rel=1e-14)


def test_what_is_wrong_with_predictions_is_said_with_the_estimators_name():
    bad = with_row(24, P, 0.5)
    with pytest.raises(ValueError, match=r"in partition 2: Fixed.predict_proba\(X\) does not sum"):
        cce_scorer(Fixed(array(bad)), array(X), CODES)
    with pytest.raises(ValueError, match=r"Fixed.predict_proba\(X\) has shape .* names 3"):
        cce_scorer(Fixed(array(P[:, :2])), array(X), CODES)
    nameless = Fixed(array(P))
    nameless.classes_ = None
    with pytest.raises(TypeError, match="Fixed has no classes_"):
        cce_scorer(nameless, array(X), CODES)
    with pytest.raises(TypeError, match="int has no predict_proba"):
        cce_scorer(1, array(X), CODES)


def test_labels_that_the_estimator_never_saw():
    model = Fixed(array(P))
    model.classes_ = NAMES
    y = NAMES[CODES].astype(object)
    y[[3, 30]] = "dog"
    with pytest.warns(ZeroProbabilityWarning, match="^2 of 60 samples"):
        lazy = cce_scorer(model, None, array(y))
    model.prediction = P
    with pytest.warns(ZeroProbabilityWarning, match="^2 of 60 samples"):
        assert lazy == pytest.approx(cce_scorer(model, None, y), rel=1e-14)


# ------------------------------------------------------------------ all other metrics


def equal(found, expected):
    """Results whose numbers agree, field by field."""
    assert type(found) is type(expected)
    for name, value in vars(expected).items():
        for one, two in zip(
            np.atleast_1d(getattr(found, name))
            if not isinstance(value, tuple)
            else getattr(found, name),
            np.atleast_1d(value) if not isinstance(value, tuple) else value,
            strict=True,
        ):
            np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("cut", [array, other, unknown, frame])
def test_metrics_that_bring_samples_here(cut):
    groups = np.arange(N) % 11
    y, p, w, by = cut(NAMES[CODES]), cut(P), cut(W), cut(groups)
    truth = pd.Series(NAMES[CODES], index=np.arange(N) % 7) if cut is frame else NAMES[CODES]
    equal(
        cross_entropy_report(y, p, by=by, sample_weight=w),
        cross_entropy_report(truth, P, by=groups, sample_weight=W),
    )
    equal(
        decompose_cross_entropy(y, p, sample_weight=w),
        decompose_cross_entropy(NAMES[CODES], P, sample_weight=W),
    )
    losses = categorical_cross_entropy(y, p, reduction="none")
    equal(
        mean_loss_interval(losses, groups=by, sample_weight=w),
        mean_loss_interval(
            categorical_cross_entropy(NAMES[CODES], P, reduction="none"),
            groups=groups,
            sample_weight=W,
        ),
    )
    Q = np.full((N, K), 1 / K)
    equal(
        compare(y, {"p": p, "q": cut(Q)}, baseline="q", groups=by, sample_weight=w),
        compare(NAMES[CODES], {"p": P, "q": Q}, baseline="q", groups=groups, sample_weight=W),
    )


def test_predictions_are_computed_once():
    reads = []
    p = array(P, (N,)).rechunk(-1).map_blocks(lambda b: reads.append(1) or b, meta=np.empty((0, 0)))
    for call in (cross_entropy_report, decompose_cross_entropy):
        reads.clear()
        call(array(CODES), p)
        assert len(reads) == 1
    reads.clear()
    compare(CODES, {"p": p, "q": P}, baseline="q")
    assert len(reads) == 1


def test_compare_cv():
    models = {"strong": SoftmaxClassifier(C=1.0), "weak": SoftmaxClassifier(C=0.001)}
    expected = compare_cv(models, X, CODES, baseline="weak", cv=3)
    equal(compare_cv(models, array(X), other(CODES), baseline="weak", cv=3), expected)


def test_displays():
    pytest.importorskip("matplotlib")
    model = SoftmaxClassifier(C=1.0).fit(X, CODES)
    expected = LossDistributionDisplay.from_estimator(model, X, CODES).losses
    for cut in (array, frame):
        found = LossDistributionDisplay.from_estimator(model, array(X), cut(CODES)).losses
        np.testing.assert_allclose(found, expected, rtol=1e-12)
        y, p = cut(CODES), cut(P)
        found = LossDistributionDisplay.from_predictions(y, p, sample_weight=cut(W)).losses
        expected_of_p = categorical_cross_entropy(CODES, P, reduction="none")
        np.testing.assert_array_equal(found, expected_of_p)


@pytest.mark.parametrize("base", [None, 2])
def test_information(base):
    for cut in (array, other, unknown, frame):
        found = entropy(cut(P), base=base)
        assert isinstance(found, da.Array)
        np.testing.assert_array_equal(found, entropy(P, base=base))
        for function in (cross_entropy, kl_divergence):
            expected = function(SOFT, P, base=base)
            np.testing.assert_array_equal(function(cut(SOFT), cut(P), base=base), expected)
            if cut is not unknown and cut is not frame:
                np.testing.assert_array_equal(function(cut(SOFT), P, base=base), expected)
                np.testing.assert_array_equal(function(SOFT, cut(P), base=base), expected)
            expected = function(SOFT, P[0], base=base)
            np.testing.assert_array_equal(function(cut(SOFT), P[0], base=base), expected)
    cube = P.reshape(5, 12, K)
    np.testing.assert_array_equal(entropy(da.from_array(cube, chunks=2)), entropy(cube))
    assert float(entropy(da.from_array(P[0], chunks=2))) == entropy(P[0])
    with pytest.raises(ValueError, match="p does not sum to 1 in row 4"):
        entropy(array(with_row(24, P, 0.5))).compute()
    with pytest.raises(ValueError, match="base=1"):
        entropy(array(P), base=1)


# ------------------------------------------------------------------ a cluster


def test_masks_outlast_another_cut():
    masked = da.ma.masked_array(array(CODES), mask=array(np.arange(N) == 22))
    with pytest.raises(ValueError, match="masked"):
        categorical_cross_entropy(masked, da.from_array(P, chunks=(15, K)), labels=range(K))


@pytest.mark.parametrize("truth", [SOFT, CODES], ids=["soft", "labels"])
def test_columns_that_differ_between_partitions(truth):
    whole = pd.DataFrame(P, columns=[2, 0, 1])
    parts = [whole[:30], whole[30:][[0, 2, 1]]]
    lazy = dd.from_map(lambda i: parts[i], range(2), meta=whole[:0])
    with pytest.raises(ValueError, match="in partition 1: the columns of y_pred are"):
        categorical_cross_entropy(da.from_array(truth, chunks=30), lazy)


def test_columns_of_one_frame_are_read_together():
    loads = []

    def load(i):
        loads.append(i)
        rows = slice(20 * i, 20 * i + 20)
        return pd.DataFrame(P[rows], columns=["a", "b", "c"]).assign(y=CODES[rows], w=W[rows])

    lazy = dd.from_map(load, range(3), meta=load(0)[:0])
    loads.clear()
    found = categorical_cross_entropy(
        lazy["y"], lazy[["a", "b", "c"]], sample_weight=lazy["w"], labels=range(K)
    )
    assert found == pytest.approx(categorical_cross_entropy(CODES, P, sample_weight=W), rel=1e-14)
    assert sorted(loads) == [0, 1, 2]


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
