"""Means with their standard errors, and the two values of C that rules choose."""

import numpy as np
import pytest
from sklearn.datasets import load_iris, load_wine
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skxent import RegularizationDisplay, SoftmaxClassifierCV


@pytest.fixture(scope="module", params=[None, 3], ids=["leave-one-out", "folds"])
def clf(request):
    return SoftmaxClassifierCV(Cs=10, cv=request.param).fit(*load_wine(return_X_y=True))


def bars(display):
    """Places, and both ends of error bars."""
    segments = np.array(display.errorbar_.lines[2][0].get_segments())
    return segments[:, 0, 0], segments[:, 0, 1], segments[:, 1, 1]


def test_bars_are_means_and_standard_errors(clf, axes):
    display = RegularizationDisplay.from_estimator(clf, ax=axes())
    line = display.errorbar_.lines[0]
    assert np.array_equal(line.get_xdata(), clf.Cs_)
    assert np.array_equal(line.get_ydata(), clf.mean_loss_)
    places, low, high = bars(display)
    assert np.array_equal(places, clf.Cs_)
    assert np.allclose(high - clf.mean_loss_, clf.loss_standard_error_, rtol=1e-10)
    assert np.allclose(clf.mean_loss_ - low, clf.loss_standard_error_, rtol=1e-10)
    assert "nats" in display.ax_.get_ylabel()


def test_a_pipeline_is_drawn_like_its_classifier(axes):
    pipe = make_pipeline(StandardScaler(), SoftmaxClassifierCV(Cs=5, cv=3))
    pipe.fit(*load_wine(return_X_y=True))
    display = RegularizationDisplay.from_estimator(pipe, ax=axes())
    assert np.array_equal(display.Cs, pipe[-1].Cs_)
    assert np.array_equal(display.mean_loss, pipe[-1].mean_loss_)
    assert np.array_equal(display.fold_losses, pipe[-1].loss_path_)
    assert display.C == pipe[-1].C_


def test_lines_are_the_values_chosen(clf, axes):
    display = RegularizationDisplay.from_estimator(clf, ax=axes())
    assert display.chosen_line_.get_xdata()[0] == clf.C_
    best = clf.mean_loss_.argmin()
    limit = clf.mean_loss_[best] + clf.loss_standard_error_[best]
    simpler = clf.Cs_[clf.mean_loss_ <= limit].min()
    assert display.one_standard_error_C == simpler < clf.C_
    assert display.one_standard_error_line_.get_xdata()[0] == simpler
    low, high = display.band_.get_y(), display.band_.get_y() + display.band_.get_height()
    assert (low, high) == pytest.approx((clf.mean_loss_[best], limit))


def test_the_rule_is_that_of_the_classifier(clf, axes):
    display = RegularizationDisplay.from_estimator(clf, ax=axes())
    rule = SoftmaxClassifierCV(Cs=10, cv=clf.cv, one_standard_error=True)
    assert display.one_standard_error_C == rule.fit(*load_wine(return_X_y=True)).C_


def test_folds_are_lines(clf, axes):
    display = RegularizationDisplay.from_estimator(clf, ax=axes())
    if clf.cv is None:
        assert display.fold_lines_ == []
    else:
        drawn = np.array([line.get_ydata() for line in display.fold_lines_])
        assert np.array_equal(drawn, clf.loss_path_.T)


def test_no_penalty_is_on_the_right(axes, assert_legible):
    X, y = load_iris(return_X_y=True)
    clf = SoftmaxClassifierCV(Cs=[0.1, 1.0, 10.0, np.inf], cv=3).fit(X[:, :1], y)
    display = RegularizationDisplay.from_estimator(clf)
    assert np.isfinite(clf.mean_loss_).all()
    assert np.array_equal(display.errorbar_.lines[0].get_xdata(), [0.1, 1.0, 10.0, 100.0])
    labels = [label.get_text() for label in display.ax_.get_xticklabels()]
    assert labels == ["0.1", "1", "10", "∞"]
    assert np.array_equal(display.ax_.get_xticks(), [0.1, 1.0, 10.0, 100.0])
    assert len(display.ax_.get_xticks(minor=True)) == 0
    assert_legible(display.figure_)


def test_infinite_means_are_marked(axes):
    display = RegularizationDisplay(
        Cs=np.array([1.0, 10.0, np.inf]),
        mean_loss=np.array([0.5, 0.4, np.inf]),
        standard_error=np.array([0.05, 0.2, np.nan]),
        C=10.0,
    ).plot(ax=axes())
    assert np.array_equal(display.errorbar_.lines[0].get_xdata(), [1.0, 10.0])
    assert np.array_equal(display.infinite_[0].get_xdata(), [100.0])
    assert display.one_standard_error_C == 1.0
    display.figure_.canvas.draw()


def test_one_fold_has_no_standard_error(axes):
    display = RegularizationDisplay(
        Cs=np.array([1.0, 10.0]),
        mean_loss=np.array([0.5, 0.4]),
        standard_error=np.array([np.nan, np.nan]),
        C=10.0,
        fold_losses=np.array([[0.5], [0.4]]),
    ).plot(ax=axes())
    assert display.one_standard_error_C == 10.0
    display.figure_.canvas.draw()
