"""Classes of labels and names of columns in partitions are read from all partitions together."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

dask = pytest.importorskip("dask")
import dask.array as da  # noqa: E402
import dask.dataframe as dd  # noqa: E402
from cut_samples import (  # noqa: E402
    CODES,
    EVENTS,
    NAMES,
    SOFT,
    YES,
    K,
    N,
    P,
    W,
    Z,
    array,
    frame,
    unknown,
    with_row,
)

from skxent.metrics import (  # noqa: E402
    binary_cross_entropy,
    categorical_cross_entropy,
)

pytestmark = pytest.mark.usefixtures("synchronous_dask")


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
