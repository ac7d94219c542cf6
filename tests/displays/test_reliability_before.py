"""Reliability before and after calibration in one picture, with both losses and their interval."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy.special import expit
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.exceptions import NotFittedError
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from skxent import (
    CalibratedClassifier,
    LossShareDisplay,
    ReliabilityDisplay,
    ZeroProbabilityWarning,
    categorical_cross_entropy,
    compare,
    decompose_cross_entropy,
)


@pytest.fixture(scope="module")
def binary():
    """Labels, probabilities that are too sure, and calibrated ones."""
    rng = np.random.default_rng(0)
    q = rng.beta(2, 2, 600)
    y = (rng.random(600) < q).astype(int)
    p = q**3 / (q**3 + (1 - q) ** 3)
    return y, p, q


@pytest.fixture(scope="module")
def digits():
    """Naive Bayes on half of the digits, calibrated, and the other half."""
    X, y = load_digits(return_X_y=True)
    return CalibratedClassifier(GaussianNB()).fit(X[::2], y[::2]), X[1::2], y[1::2]


@pytest.fixture(scope="module")
def cancer():
    X, y = load_breast_cancer(return_X_y=True)
    svm = make_pipeline(StandardScaler(), LinearSVC())
    return CalibratedClassifier(svm, method="bias").fit(X[::2], y[::2]), X[1::2], y[1::2]


def points(line):
    return np.stack([line.get_xdata(), line.get_ydata()])


def legend_of(display):
    (legend,) = display.figure_.legends or [display.ax_.get_legend()]
    return legend.get_title().get_text(), [text.get_text() for text in legend.get_texts()]


def draw(y, q, **options):
    return ReliabilityDisplay.from_predictions(y, q, **options)


def test_both_curves_are_those_of_their_predictions(binary, axes):
    y, p, q = binary
    both = draw(y, q, before=p, ax=axes())
    before, after = draw(y, p, ax=axes()), draw(y, q, ax=axes())
    assert np.array_equal(points(both.before_lines_[0]), points(before.lines_[0]))
    assert np.array_equal(points(both.lines_[0]), points(after.lines_[0]))
    assert np.array_equal(both.curves[0].band, after.curves[0].band)
    assert after.before_lines_ == []
    title = after.ax_.get_title().replace("loss", "after: loss")
    assert both.ax_.get_title() == title


@pytest.mark.parametrize("base", [None, 2])
def test_legend_has_losses_and_the_paired_interval(binary, axes, base):
    y, p, q = binary
    weight = 1.0 + np.arange(len(y)) % 3
    display = draw(y, q, before=p, sample_weight=weight, base=base, ax=axes())
    models = {"p": p, "q": q}
    found = compare(y, models, baseline="p", sample_weight=weight, base=base)
    unit = "bits" if base else "nats"
    title, names = legend_of(display)
    minus = f"−{-found.difference[0]:.4f}"
    interval = f"−{-found.low[0]:.4f} to −{-found.high[0]:.4f}"
    assert title == f"difference of the losses {minus} {unit}\n(95 % interval {interval})"
    assert f"before: loss {found.baseline_mean:.4f} {unit}" in names
    assert f"after: loss {found.mean[0]:.4f} {unit}" in names
    assert display.comparison.difference == found.difference


def test_calibrated_classifier_before_and_after(digits):
    clf, X, y = digits
    display = ReliabilityDisplay.from_calibrated(clf, X, y)
    P = np.maximum(clf.estimator_.predict_proba(X), np.finfo(float).eps)
    loss = categorical_cross_entropy(y, P)
    logits = {"before": np.log(P), "y_pred": clf.predict_log_proba(X)}
    expected = ReliabilityDisplay.from_predictions(y, from_logits=True, **logits)
    assert len(display.lines_) == len(display.before_lines_) == 10
    for lines in ("before_lines_", "lines_"):
        for line, other in zip(getattr(display, lines), getattr(expected, lines), strict=True):
            np.testing.assert_allclose(points(line), points(other), atol=1e-12)
    assert display.comparison.baseline_mean == pytest.approx(loss)
    assert display.comparison.mean[0] == pytest.approx(
        categorical_cross_entropy(y, clf.predict_proba(X))
    )
    title, names = legend_of(display)
    assert title.startswith("difference of the losses −")
    assert names[:2] == [f"before: loss {loss:.4f} nats", f"after: loss {after_loss(display)} nats"]
    parts = decompose_cross_entropy(y, clf.predict_proba(X))
    assert display.figure_.get_suptitle().startswith(f"after: loss {parts.loss:.4f} nats = ")
    assert not display.axes_[0].get_title().split("\n")[1].startswith("after")


def after_loss(display):
    return f"{display.comparison.mean[0]:.4f}"


def test_one_class_of_several_has_the_losses_of_all(digits, axes):
    clf, X, y = digits
    display = ReliabilityDisplay.from_calibrated(clf, X, y, pos_label=8, ax=axes(size=(5, 7)))
    names = [line.get_label() for line in (*display.before_lines_, *display.lines_)]
    assert names[0].startswith("before: loss of all classes ")
    assert names[1] == f"after: loss of all classes {after_loss(display)} nats"


def test_decision_values_before_calibration(cancer, axes):
    clf, X, y = cancer
    display = ReliabilityDisplay.from_calibrated(clf, X, y, ax=axes())
    z = clf.estimator_.decision_function(X)
    loss = categorical_cross_entropy(y, z, from_logits=True)
    assert display.comparison.baseline_mean == pytest.approx(loss)
    p = display.before_lines_[0].get_xdata()
    np.testing.assert_allclose(p, np.unique(expit(z)), rtol=1e-12)


def test_weights_and_soft_targets(cancer, axes):
    clf, X, y = cancer
    weight = (np.arange(len(y)) % 3 > 0).astype(float)
    kept = weight > 0
    one = ReliabilityDisplay.from_calibrated(clf, X, y, weight, ax=axes())
    other = ReliabilityDisplay.from_calibrated(clf, X[kept], y[kept], ax=axes())
    assert np.allclose(points(one.before_lines_[0]), points(other.before_lines_[0]), atol=1e-14)
    assert legend_of(one) == legend_of(other)
    soft = ReliabilityDisplay.from_calibrated(clf, X[kept], np.eye(2)[y[kept]], ax=axes())
    assert legend_of(soft)[0] == legend_of(other)[0]
    assert soft.bands_ == []


def test_options_style_the_curve_after(binary, axes):
    y, p, q = binary
    display = draw(y, q, before=p, ax=axes(), color="C3", linewidth=4, label="mine")
    (before,), (after,) = display.before_lines_, display.lines_
    assert (after.get_color(), after.get_linewidth(), after.get_label()) == ("C3", 4, "mine")
    assert (before.get_color(), before.get_linestyle()) == ("C1", "--")
    assert before.get_label().startswith("before: loss ")


def test_pictures_are_legible(binary, digits, assert_legible):
    y, p, q = binary
    display = draw(y, q, before=p)
    assert display.plot() is display
    assert_legible(display.figure_)
    assert_legible(ReliabilityDisplay.from_calibrated(*digits).figure_)
    assert_legible(ReliabilityDisplay.from_calibrated(*digits, pos_label=8).figure_)


@pytest.mark.parametrize("size", [(9, 5), (11, 5), (13, 6)])
@pytest.mark.parametrize("layout", [None, "constrained"])
def test_beside_other_axes(digits, assert_legible, size, layout):
    figure, (left, right) = plt.subplots(1, 2, figsize=size, layout=layout)
    left.plot([0, 1], [0, 1])
    ReliabilityDisplay.from_calibrated(*digits, pos_label=8, ax=right)
    assert_legible(figure)


def test_each_prediction_of_zero_warns_once(axes):
    y, q = np.array([0, 1, 1, 0]), np.array([0.2, 0.7, 0.0, 0.5])
    with pytest.warns(ZeroProbabilityWarning) as caught:
        draw(y, q, before=[0.5, 0.0, 0.3, 0.8], ax=axes())
    rows = [str(warning.message).split(": ")[1].split(" (")[0] for warning in caught]
    assert rows == ["row 1", "row 2"]


def test_errors_name_the_predictions_before(binary):
    y, p, q = binary
    for before, message in (
        (p[:5], r"y_preds\['before'\]: .*600 samples but y_pred has 5"),
        (2 * p, r"y_preds\['before'\]: .*outside \[0, 1\]"),
        (np.column_stack([p, p, p]) / 3, r"y_preds\['before'\]"),
    ):
        with pytest.raises(ValueError, match=message):
            draw(y, q, before=before)
    assert plt.get_fignums() == []


def test_only_fitted_calibrated_classifiers_are_drawn(digits):
    clf, X, y = digits
    with pytest.raises(NotFittedError, match="CalibratedClassifier instance is not fitted yet"):
        ReliabilityDisplay.from_calibrated(CalibratedClassifier(GaussianNB()), X, y)
    with pytest.raises(TypeError, match="pass a fitted CalibratedClassifier; in a pipeline"):
        ReliabilityDisplay.from_calibrated(clf.estimator_, X, y)
    with pytest.raises(ValueError, match="is 12, which is not in labels"):
        ReliabilityDisplay.from_calibrated(clf, X, np.where(y == 3, 12, y))
    assert plt.get_fignums() == []
    assert not hasattr(LossShareDisplay, "from_calibrated")
