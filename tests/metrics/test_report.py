"""Reports: rows that add up, the same for every form of target, and as text, HTML and frame."""

import math
import sys

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from sklearn.metrics import d2_log_loss_score

from skxent import (
    ZeroProbabilityWarning,
    categorical_cross_entropy,
    cross_entropy_report,
    entropy,
    mean_loss_interval,
)

NAMES = np.array(["ant", "bee", "cow", "dog"])


@pytest.fixture(params=[False, True], ids=["probabilities", "logits"])
def problem(request):
    """Labels of four classes, predictions, and how to read them."""
    rng = np.random.default_rng(0)
    Z = 3 * rng.normal(size=(200, 4))
    codes = np.r_[np.arange(4), rng.integers(4, size=196)]
    options = {"labels": NAMES, "from_logits": request.param}
    return codes, Z if request.param else softmax(Z, axis=1), options


@pytest.fixture
def weights():
    return np.random.default_rng(1).integers(0, 4, size=200).astype(float)


def soft_rows(codes):
    rng = np.random.default_rng(2)
    return 0.5 * np.eye(4)[codes] + 0.5 * rng.dirichlet(np.ones(4), size=len(codes))


COLUMNS = ("n", "weight", "sum", "mean", "share", "standard_error", "normalised")
TOTALS = ("total_n", "total_sum", "total_weight", "total_mean", "total_standard_error")


def assert_same(left, right, rtol=1e-12, names=(*COLUMNS, *TOTALS, "base_rate_loss")):
    for name in names:
        np.testing.assert_allclose(getattr(left, name), getattr(right, name), rtol, err_msg=name)


# ------------------------------------------------------------------ sums


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("by", ["class", "group"])
def test_rows_add_up_to_the_last_bit(problem, weights, soft, weighted, by):
    codes, prediction, options = problem
    truth = soft_rows(codes) if soft else NAMES[codes]
    options = options | {"sample_weight": weights * math.pi if weighted else None}
    split = "class" if by == "class" else np.arange(200) % 7
    report = cross_entropy_report(truth, prediction, by=split, **options)
    assert math.fsum(report.sum) == report.total_sum
    total = categorical_cross_entropy(truth, prediction, reduction="sum", **options)
    np.testing.assert_allclose(report.total_sum, total, rtol=1e-13)
    mean = categorical_cross_entropy(truth, prediction, **options)
    np.testing.assert_allclose(report.total_mean, mean, rtol=1e-13)
    np.testing.assert_allclose(report.share.sum(), 1.0, rtol=1e-13)
    np.testing.assert_allclose(report.weight.sum(), report.total_weight, rtol=1e-13)
    np.testing.assert_allclose(report.weight @ report.mean, report.total_sum, rtol=1e-13)


def test_a_row_is_the_exact_sum_of_its_losses(problem):
    codes, prediction, options = problem
    losses = categorical_cross_entropy(NAMES[codes], prediction, reduction="none", **options)
    report = cross_entropy_report(NAMES[codes], prediction, **options)
    assert list(report.names) == list(NAMES)
    for k in range(4):
        assert report.sum[k] == math.fsum(losses[codes == k])
        assert report.n[k] == np.count_nonzero(codes == k)


def test_sums_that_float64_would_lose():
    """A thousand small losses beside a large one: added one by one they would vanish."""
    Z = np.zeros((1001, 2))
    Z[0] = 0.0, 4e16
    report = cross_entropy_report(np.zeros(1001, int), Z, labels=[0, 1], from_logits=True)
    assert report.sum[0] == math.fsum([4e16, *[math.log(2)] * 1000]) != 4e16


def test_rows_are_those_of_the_samples_alone(problem, weights):
    codes, prediction, options = problem
    groups = np.array(["x", "y", "z"])[np.arange(200) % 3]
    report = cross_entropy_report(
        NAMES[codes], prediction, by=groups, sample_weight=weights, **options
    )
    for name, row in zip("xyz", range(3), strict=True):
        rows = groups == name
        losses = categorical_cross_entropy(
            NAMES[codes[rows]], prediction[rows], reduction="none", **options
        )
        found = mean_loss_interval(losses, sample_weight=weights[rows])
        np.testing.assert_allclose(report.mean[row], found.mean, rtol=1e-13)
        np.testing.assert_allclose(report.standard_error[row], found.standard_error, rtol=1e-12)
        assert (report.n[row], report.weight[row]) == (found.n, weights[rows].sum())


# ------------------------------------------------------------------ equivalences


def test_labels_one_hot_and_soft_rows_are_split_alike(problem, weights):
    codes, prediction, options = problem
    options = options | {"sample_weight": weights}
    report = cross_entropy_report(NAMES[codes], prediction, **options)
    for dtype in (float, int, bool, np.float32):
        rows = cross_entropy_report(np.eye(4, dtype=dtype)[codes], prediction, **options)
        assert_same(report, rows)
        for left, right in zip(report.worst, rows.worst, strict=True):
            np.testing.assert_array_equal(left, right)


def test_soft_rows_are_split_by_their_shares(problem, weights):
    codes, prediction, options = problem
    Y = soft_rows(codes)
    report = cross_entropy_report(Y, prediction, sample_weight=weights, **options)
    log_q = np.log(softmax(prediction, axis=1) if options["from_logits"] else prediction)
    np.testing.assert_allclose(report.sum, -(weights[:, None] * Y * log_q).sum(axis=0), rtol=1e-12)
    np.testing.assert_allclose(report.weight, weights @ Y, rtol=1e-12)


def test_a_soft_row_is_its_labels_with_weights(problem):
    """Sums and weights are those of each label once with its share; counts and errors are not."""
    codes, prediction, options = problem
    Y = soft_rows(codes)
    report = cross_entropy_report(Y, prediction, **options)
    spread = cross_entropy_report(
        np.tile(NAMES, 200), np.repeat(prediction, 4, axis=0), sample_weight=Y.ravel(), **options
    )
    assert_same(report, spread, names=("weight", "sum", "mean", "share", "normalised"))


def test_weights_are_copies(problem, weights):
    codes, prediction, options = problem
    index = np.repeat(np.arange(200), weights.astype(int))
    for truth in (NAMES[codes], soft_rows(codes)):
        weighted = cross_entropy_report(truth, prediction, sample_weight=weights, **options)
        assert_same(weighted, cross_entropy_report(truth[index], prediction[index], **options))


def test_two_classes_in_one_column():
    rng = np.random.default_rng(3)
    p, y = rng.random(60), rng.integers(2, size=60)
    for truth in (y, np.column_stack([0.25 + 0.5 * y, 0.75 - 0.5 * y])):
        one = cross_entropy_report(truth, p)
        assert_same(one, cross_entropy_report(truth, np.column_stack([1 - p, p])), rtol=1e-10)
        z = np.log(p / (1 - p))
        assert_same(one, cross_entropy_report(truth, z, from_logits=True), rtol=1e-10)


def test_bits_are_nats_divided_by_log_2(problem):
    codes, prediction, options = problem
    nats = cross_entropy_report(NAMES[codes], prediction, **options)
    bits = cross_entropy_report(NAMES[codes], prediction, base=2, **options)
    assert (nats.unit, bits.unit) == ("nats", "bits")
    assert math.fsum(bits.sum) == bits.total_sum
    for name in ("sum", "mean", "standard_error", "total_mean", "base_rate_loss"):
        np.testing.assert_allclose(getattr(bits, name) * math.log(2), getattr(nats, name))
    np.testing.assert_allclose(bits.normalised, nats.normalised)


def test_order_of_samples_and_of_columns_does_not_matter(problem):
    codes, prediction, options = problem
    report = cross_entropy_report(NAMES[codes], prediction, **options)
    order = np.random.default_rng(4).permutation(200)
    assert_same(report, cross_entropy_report(NAMES[codes][order], prediction[order], **options))
    reversed_columns = options | {"labels": NAMES[::-1]}
    other = cross_entropy_report(NAMES[codes], prediction[:, ::-1], **reversed_columns)
    assert list(other.names) == list(NAMES[::-1])
    np.testing.assert_allclose(other.sum[::-1], report.sum, rtol=1e-12)


def test_float32_and_data_frames_and_what_cannot_be_written_to(problem):
    codes, prediction, options = problem
    report = cross_entropy_report(NAMES[codes], prediction, **options)
    single = cross_entropy_report(NAMES[codes], prediction.astype(np.float32), **options)
    assert_same(report, single, rtol=1e-5)
    prediction.setflags(write=False)
    codes.setflags(write=False)
    frame = pd.DataFrame(prediction, columns=NAMES)
    logits = {"from_logits": options["from_logits"]}
    by = pd.Series(NAMES[codes], dtype="category")
    assert_same(report, cross_entropy_report(pd.Series(NAMES[codes]), frame, **logits))
    assert_same(report, cross_entropy_report(NAMES[codes], frame, by=by, **logits))


# ------------------------------------------------------------------ normalised entropy


@pytest.mark.parametrize("weighted", [False, True])
def test_d2_is_that_of_scikit_learn(problem, weights, weighted):
    codes, prediction, options = problem
    weight = weights if weighted else None
    report = cross_entropy_report(
        codes, prediction, sample_weight=weight, **options | {"labels": np.arange(4)}
    )
    P = softmax(prediction, axis=1) if options["from_logits"] else prediction
    expected = d2_log_loss_score(codes, P, sample_weight=weight, labels=np.arange(4))
    np.testing.assert_allclose(report.total_d2, expected, rtol=1e-9)
    np.testing.assert_allclose(report.d2, 1 - report.mean / report.base_rate_loss, rtol=1e-12)


def test_base_rates_have_a_normalised_entropy_of_one():
    codes = np.repeat([0, 1, 2], [10, 20, 70])
    rates = np.array([0.1, 0.2, 0.7])
    report = cross_entropy_report(codes, np.tile(rates, (100, 1)))
    np.testing.assert_allclose(report.base_rate_loss, entropy(rates), rtol=1e-14)
    np.testing.assert_allclose(report.total_normalised, 1.0, rtol=1e-13)
    np.testing.assert_allclose(report.mean, -np.log(rates), rtol=1e-14)
    np.testing.assert_array_equal(report.standard_error, 0.0)


# ------------------------------------------------------------------ the costliest samples


def test_worst_samples_come_first(problem):
    codes, prediction, options = problem
    losses = categorical_cross_entropy(NAMES[codes], prediction, reduction="none", **options)
    report = cross_entropy_report(NAMES[codes], prediction, n_worst=3, **options)
    for k, (worst, costs) in enumerate(zip(report.worst, report.worst_losses, strict=True)):
        rows = np.flatnonzero(codes == k)
        expected = rows[np.argsort(-losses[rows], kind="stable")][:3]
        np.testing.assert_array_equal(worst, expected)
        np.testing.assert_allclose(costs, losses[expected])
    assert all(
        len(rows) == 0
        for rows in cross_entropy_report(NAMES[codes], prediction, n_worst=0, **options).worst
    )


def test_a_sample_of_weight_zero_is_absent():
    Z = np.array([[-np.inf, 0.0], [0.0, 1.0], [0.0, 2.0]])
    report = cross_entropy_report(
        [0, 1, 1], Z, from_logits=True, sample_weight=[0, 1, 1], labels=[0, 1]
    )
    assert_same(report, cross_entropy_report([1, 1], Z[1:], from_logits=True, labels=[0, 1]))
    assert [list(rows) for rows in report.worst] == [[], [1, 2]]


# ------------------------------------------------------------------ limits


def test_a_class_without_samples_has_a_row():
    report = cross_entropy_report(["a", "a"], [[0.5, 0.5], [1.0, 0.0]], labels=["a", "b"])
    assert list(report.n) == [2, 0]
    assert list(report.sum) == [math.log(2), 0.0]
    assert np.isnan(report.mean[1])
    assert np.isnan(report.standard_error[1])
    assert "n/a" in str(report)


def test_no_loss_at_all():
    report = cross_entropy_report([0, 1], np.eye(2))
    assert report.total_sum == 0
    assert np.isnan(report.share).all()  # nothing to share out
    np.testing.assert_array_equal(report.d2, 1.0)


def test_an_infinite_loss_shows():
    Z = np.array([[-np.inf, 0.0], [0.0, 1.0]])
    report = cross_entropy_report([0, 1], Z, from_logits=True)
    assert list(report.sum) == [np.inf, pytest.approx(0.313261687518)]
    assert report.total_mean == np.inf
    assert np.isnan(report.total_standard_error)


def test_the_floor_warns_its_caller():
    with pytest.warns(ZeroProbabilityWarning, match="1 of 2 samples") as caught:
        report = cross_entropy_report([0, 1], [[1.0, 0.0], [1.0, 0.0]])
    assert caught[0].filename == __file__
    np.testing.assert_allclose(report.sum, [0.0, -math.log(np.finfo(float).eps)])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"by": "klass"}, r'by=.klass.: pass "class", or an array'),
        ({"by": [0]}, r"by has 1 samples but y_pred has 2"),
        ({"by": [0.0, np.nan]}, r"by\[1\] is nan"),
        ({"n_worst": -1}, r"n_worst=-1"),
        ({"n_worst": 1.5}, r"n_worst=1.5"),
        ({"base": 1}, r"base=1"),
        ({"sample_weight": [0, 0]}, r"sample_weight is zero for every sample"),
        ({"labels": ["a", "b", "c"]}, r"labels names 3 classes but y_pred has 2"),
    ],
)
def test_what_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        cross_entropy_report(["a", "b"], [[0.5, 0.5], [0.5, 0.5]], **options)


# ------------------------------------------------------------------ as text, HTML and frame


def test_text_fits_a_terminal_whatever_the_names():
    names = ["<b>bold</b>\n&", "long " * 30, "c"]
    P = np.random.default_rng(0).dirichlet(np.ones(3), size=9)
    report = cross_entropy_report(np.repeat(names, 3), P, labels=names)
    assert str(report) == repr(report) == report.summary()
    assert max(map(len, report.summary().splitlines())) <= 80
    html = report._repr_html_()
    assert "<b>" not in html
    assert "&lt;b&gt;bold&lt;/b&gt;" in html
    assert "total" in html


def test_many_rows_show_the_largest():
    P = np.random.default_rng(0).dirichlet(np.ones(60), size=600)
    codes = np.arange(600) % 60
    text = str(cross_entropy_report(codes, P))
    assert len(text.splitlines()) < 40
    assert "35 rows of smaller sums" in text
    report = cross_entropy_report(codes, P)
    first = text.splitlines()[4].split()[0]
    assert int(first) == report.sum.argmax()


def test_frame_has_all_digits(problem):
    codes, prediction, options = problem
    report = cross_entropy_report(NAMES[codes], prediction, **options)
    frame = report.to_frame()
    assert list(frame.index) == list(NAMES)
    assert frame.index.name == "class"
    tidy = {"standard_error": "std_error"}
    assert list(frame) == ["n", "weight", "sum", "share", "mean", "std_error", "normalised", "d2"]
    for name in (*COLUMNS, "d2"):
        np.testing.assert_array_equal(frame[tidy.get(name, name)], getattr(report, name))


def test_without_pandas_the_error_names_the_cure(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    report = cross_entropy_report([0, 1], [0.5, 0.5])
    with pytest.raises(ImportError, match="pip install pandas"):
        report.to_frame()


def test_results_are_frozen():
    report = cross_entropy_report([0, 1], [0.5, 0.5])
    with pytest.raises(AttributeError):
        report.total_sum = 0.0
