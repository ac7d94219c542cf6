"""Bars are the sums of a report, and add up to its total."""

import math

import numpy as np
import pytest

from skxent import (
    LossShareDisplay,
    categorical_cross_entropy,
    cross_entropy_report,
)


@pytest.fixture
def report(iris):
    clf, X, y = iris
    return cross_entropy_report(y, clf.predict_proba(X), labels=clf.classes_)


def widths(display):
    return np.array([bar.get_width() for bar in display.bars_])


def marks(display):
    return np.array([segment[0][0] for segment in display.expected_.get_segments()])


def texts(display):
    return [text.get_text() for text in display.ax_.texts]


def test_bars_are_the_sums(report, iris, axes):
    clf, X, y = iris
    losses = categorical_cross_entropy(
        y, clf.predict_proba(X), labels=clf.classes_, reduction="none"
    )
    display = LossShareDisplay.from_report(report, ax=axes())
    sums = np.array([losses[y == name].sum() for name in clf.classes_])
    assert np.allclose(np.sort(widths(display))[::-1], widths(display), rtol=0)
    assert np.allclose(widths(display), sums[np.argsort(-sums)], rtol=1e-13)
    assert math.fsum(widths(display)) == report.total_sum
    names = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert names == [f"{clf.classes_[k]}  (n = 20)" for k in np.argsort(-sums)]


def test_order_of_the_report(report, axes):
    display = LossShareDisplay.from_report(report, sort=False, ax=axes())
    assert np.array_equal(widths(display), report.sum)
    assert np.array_equal(display.order_, [0, 1, 2])


def test_marks_are_shares_of_the_weight(report, axes):
    display = LossShareDisplay.from_report(report, sort=False, ax=axes())
    assert np.allclose(marks(display), report.total_sum / 3, rtol=1e-14)
    assert display.ax_.get_xlim()[1] > max(marks(display).max(), widths(display).max())


def test_the_axis_ends_just_beyond_the_longest_bar_or_mark(report, axes):
    display = LossShareDisplay.from_report(report, ax=axes())
    longest = max(marks(display).max(), widths(display).max())
    assert display.ax_.get_xlim() == pytest.approx((0.0, 1.05 * longest), rel=1e-12)
    assert longest != 1.0


def test_shares_and_means_are_written(report, axes):
    display = LossShareDisplay.from_report(report, sort=False, ax=axes())
    written = texts(display)
    assert written[0] == "share"
    assert written[4] == "mean"
    for k in range(3):
        assert written[1 + k] == f"{100 * report.share[k]:.1f} %"
        assert written[5 + k].startswith(f"{report.mean[k]:.4f} ± {report.standard_error[k]:.4f}")
    assert f"{report.total_sum:.6g} nats in all" in display.ax_.get_title(loc="left")


def test_ways_to_draw_agree(report, iris, axes):
    clf, X, y = iris
    one = LossShareDisplay.from_report(report, ax=axes())
    other = LossShareDisplay.from_estimator(clf, X, y, ax=axes())
    third = LossShareDisplay.from_predictions(
        y, clf.decision_function(X), labels=clf.classes_, from_logits=True, ax=axes()
    )
    assert np.array_equal(widths(one), widths(other))
    assert np.allclose(widths(one), widths(third), rtol=1e-12)


def test_groups_weights_and_bits(iris, axes):
    clf, X, y = iris
    groups, weight = np.arange(len(y)) % 4, np.arange(len(y)) % 5
    display = LossShareDisplay.from_estimator(
        clf, X, y, weight, by=groups, base=2, sort=False, ax=axes()
    )
    losses = categorical_cross_entropy(
        y, clf.predict_proba(X), labels=clf.classes_, reduction="none", base=2
    )
    assert np.allclose(widths(display), np.bincount(groups, weight * losses), rtol=1e-13)
    total = weight @ losses / weight.sum()
    assert np.allclose(marks(display), np.bincount(groups, weight) * total, rtol=1e-13)
    assert display.ax_.get_xlabel() == "sum of losses, bits"


def test_keywords_reach_the_bars(report, axes):
    display = LossShareDisplay.from_report(report, ax=axes(), hatch="//", height=0.5)
    assert display.bars_[0].get_hatch() == "//"
    assert display.bars_[0].get_height() == 0.5


def test_infinite_sums_end_at_the_edge_and_are_hatched(axes):
    Z = np.array([[-np.inf, 0.0], [0.0, 1.0], [1.0, 0.0]])
    display = LossShareDisplay.from_predictions([0, 1, 0], Z, from_logits=True, ax=axes())
    assert widths(display)[0] == display.ax_.get_xlim()[1]
    assert display.bars_[0].get_hatch() and not display.bars_[1].get_hatch()
    assert "n/a" in texts(display)[1]
    assert not any(len(segment) for segment in display.expected_.get_segments())
    display.figure_.canvas.draw()


def test_nothing_lost(axes):
    display = LossShareDisplay.from_predictions([0, 1], [[1.0, 0.0], [0.0, 1.0]], ax=axes())
    assert (widths(display) == 0).all()
    display.figure_.canvas.draw()


def test_fifty_classes_are_legible(fifty, assert_legible):
    y, Z, names = fifty
    display = LossShareDisplay.from_predictions(y, Z, labels=names, from_logits=True)
    assert len(display.bars_) == 50
    assert_legible(display.figure_)


def test_losses_that_others_have_computed(iris, axes):
    clf, X, y = iris
    P = clf.predict_proba(X)
    losses = categorical_cross_entropy(y, P, labels=clf.classes_, reduction="none")
    found = LossShareDisplay.from_losses(losses, by=y, base=2, sort=False, ax=axes())
    expected = LossShareDisplay.from_predictions(
        y, P, labels=clf.classes_, by=y, base=2, sort=False, ax=axes()
    )
    np.testing.assert_allclose(widths(found), widths(expected), rtol=1e-12)
    assert texts(found) == texts(expected)
    documents = LossShareDisplay.from_losses(np.split(losses, [10, 30]), sort=False, ax=axes())
    sums = [part.sum() for part in np.split(losses, [10, 30])]
    np.testing.assert_allclose(widths(documents), sums, rtol=1e-12)
