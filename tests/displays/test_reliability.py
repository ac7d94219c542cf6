"""Curves are isotonic regressions, titles are decompositions, bands hold what is calibrated."""

import numpy as np
import pandas as pd
import pytest
from sklearn.isotonic import IsotonicRegression

from skxent import (
    ReliabilityDisplay,
    SoftmaxClassifier,
    ZeroProbabilityWarning,
    decompose_cross_entropy,
)


@pytest.fixture(scope="module")
def binary():
    """Labels, and probabilities that are too sure."""
    rng = np.random.default_rng(0)
    p = rng.beta(0.7, 0.7, 500).round(3)
    y = (rng.random(500) < 0.5 + 0.5 * (p - 0.5)).astype(int)
    return y, p


def curve(display, i=0):
    return display.lines_[i].get_xdata(), display.lines_[i].get_ydata()


def bins(display, i=0):
    """Counts in the histograms, up to a factor."""
    others, own = display.histograms_[i]
    return others.get_data().values ** 2, (1.0 - own.get_data().values) ** 2


@pytest.mark.parametrize("weighted", [False, True])
def test_curve_is_isotonic_regression(binary, axes, weighted):
    y, p = binary
    weight = np.arange(500) % 4 if weighted else np.ones(500)
    display = ReliabilityDisplay.from_predictions(
        y, p, sample_weight=weight if weighted else None, ax=axes()
    )
    x, r = curve(display)
    assert np.array_equal(x, np.unique(p[weight > 0]))
    wanted = IsotonicRegression(y_min=0, y_max=1).fit(p, y, weight).predict(x)
    assert np.allclose(r, wanted, rtol=0, atol=1e-12)
    assert 5 < len(np.unique(r)) < 60


@pytest.mark.parametrize("base", [None, 2])
def test_title_is_the_decomposition(binary, axes, base):
    y, p = binary
    parts = decompose_cross_entropy(y, p, base=base)
    display = ReliabilityDisplay.from_predictions(y, p, base=base, ax=axes())
    unit = "bits" if base else "nats"
    assert display.ax_.get_title() == (
        f"1\nloss {parts.loss:.4f} {unit} = miscalibration {parts.miscalibration:.4f}\n"
        f"− discrimination {parts.discrimination:.4f} + uncertainty {parts.uncertainty:.4f}"
    )
    assert display.decomposition.loss == parts.loss


def test_the_other_class_is_the_mirror_image(binary, axes):
    y, p = binary
    one = ReliabilityDisplay.from_predictions(y, p, ax=axes())
    other = ReliabilityDisplay.from_predictions(y, p, pos_label=0, ax=axes())
    x, r = curve(one)
    assert np.allclose(curve(other)[0], 1 - x[::-1], atol=1e-15)
    assert np.allclose(curve(other)[1], 1 - r[::-1], atol=1e-12)
    assert other.ax_.get_title().split("\n")[1:] == one.ax_.get_title().split("\n")[1:]
    assert other.ax_.get_title().split("\n")[0] == "0"


def test_histograms_hold_all_weight(binary, axes):
    y, p = binary
    weight = 1.0 + np.arange(500) % 3
    display = ReliabilityDisplay.from_predictions(y, p, sample_weight=weight, ax=axes())
    edges = display.histograms_[0][0].get_data().edges
    for drawn, side in zip(bins(display), (y == 0, y == 1), strict=True):
        wanted = np.histogram(p[side], edges, weights=weight[side])[0]
        assert np.allclose(drawn / drawn.sum(), wanted / wanted.sum(), atol=1e-12)
    assert max(np.max(drawn) for drawn in bins(display)) == pytest.approx(0.15**2)
    assert display.curves[0].counts.sum() == weight.sum()


def test_forms_draw_the_same(binary, axes):
    y, p = binary
    x, r = curve(ReliabilityDisplay.from_predictions(y, p, ax=axes()))
    named = pd.Series(np.where(y == 1, "yes", "no"))
    rows = np.column_stack([1 - p, p])
    z = np.log(p.clip(1e-9)) - np.log((1 - p).clip(1e-9))
    for truth, prediction, options in [
        (named, pd.DataFrame(rows, columns=["no", "yes"]), {}),
        (named, rows.astype(np.float32), {}),
        (y, z, {"from_logits": True}),
        (y, np.column_stack([z, 2 * z]), {"from_logits": True}),
        (np.eye(2)[y], rows, {}),
    ]:
        display = ReliabilityDisplay.from_predictions(truth, prediction, ax=axes(), **options)
        assert np.allclose(curve(display)[0], x, atol=1e-6)
        assert np.allclose(curve(display)[1], r, atol=1e-9)


def test_logits_tell_apart_what_probabilities_do_not(axes):
    """Where probabilities are 1 but logits differ the curve is vertical, and still ascending."""
    z = np.array([-1.0, 0.0, 50.0, 60.0])
    display = ReliabilityDisplay.from_predictions([0, 1, 0, 1], z, from_logits=True, ax=axes())
    x, r = curve(display)
    assert np.array_equal(x[-2:], [1.0, 1.0])
    assert np.array_equal(r, [0.0, 0.5, 0.5, 1.0])
    assert (np.diff(x) >= 0).all()


def test_band_holds_calibrated_curves(axes):
    """Pointwise, about nine curves of ten; and few of those that are too sure."""
    rng = np.random.default_rng(1)
    inside, outside = [], []
    for _ in range(20):
        p = rng.random(400)
        u = rng.random(400)
        for truth, found in [(u < p, inside), (u < 0.5 + 0.4 * (p - 0.5), outside)]:
            display = ReliabilityDisplay.from_predictions(truth.astype(int), p, ax=axes())
            at, low, high = display.curves[0].band
            r = np.interp(at, *curve(display))
            found.append(np.mean((low <= r) & (r <= high)))
    assert 0.85 < np.mean(inside) < 0.95
    assert np.mean(outside) < 0.6


def test_band_level_and_random_state(binary, axes):
    y, p = binary

    def band(**options):
        return ReliabilityDisplay.from_predictions(y, p, ax=axes(), **options).curves[0].band

    assert np.array_equal(band(), band(random_state=0))
    assert not np.array_equal(band(), band(random_state=1))
    narrow, wide = band(level=0.5), band(level=0.95)
    assert (wide[1] <= narrow[1]).all() and (narrow[2] <= wide[2]).all()
    assert (wide[2] - wide[1]).mean() > 1.5 * (narrow[2] - narrow[1]).mean()
    plain = ReliabilityDisplay.from_predictions(y, p, level=None, ax=axes())
    assert plain.bands_ == [] and plain.curves[0].band is None
    with pytest.raises(ValueError, match="level is 90"):
        band(level=90)


def test_soft_targets_have_no_band(axes):
    Y = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]])
    display = ReliabilityDisplay.from_predictions(Y, [0.2, 0.3, 0.9], ax=axes())
    assert display.bands_ == []
    assert np.array_equal(curve(display)[1], [0.1, 0.6, 0.8])


def test_three_classes_have_three_panels(iris):
    clf, X, y = iris
    P = clf.predict_proba(X)
    display = ReliabilityDisplay.from_estimator(clf, X, y)
    assert len(display.axes_) == len(display.figure_.axes) == 3
    for k, name in enumerate(clf.classes_):
        x, r = curve(display, k)
        truth = (y == name).astype(float)
        assert np.array_equal(x, np.unique(P[:, k]))
        wanted = IsotonicRegression(y_min=0, y_max=1).fit(P[:, k], truth).predict(x)
        assert np.allclose(r, wanted, atol=1e-12)
        parts = decompose_cross_entropy(truth.astype(int), P[:, k])
        names = ("loss", "miscalibration", "discrimination", "uncertainty")
        numbers = "{:.3f} = {:.3f} − {:.3f} + {:.3f}".format(*(getattr(parts, n) for n in names))
        assert display.axes_[k].get_title() == f"{name}\n{numbers}"
    whole = decompose_cross_entropy(y, P, labels=clf.classes_)
    title = display.figure_.get_suptitle()
    assert f"loss {whole.loss:.4f} nats = miscalibration {whole.miscalibration:.4f}" in title


def test_one_class_of_three(iris, axes):
    clf, X, y = iris
    whole = ReliabilityDisplay.from_estimator(clf, X, y)
    ax = axes()
    one = ReliabilityDisplay.from_estimator(clf, X, y, pos_label="virginica", ax=ax)
    assert one.axes_.tolist() == [ax]
    assert np.array_equal(curve(one), curve(whole, 2))
    with pytest.raises(ValueError, match=r"pos_label is 'tulip': pass one of .*'setosa'"):
        ReliabilityDisplay.from_estimator(clf, X, y, pos_label="tulip", ax=ax)


def test_axes_of_the_caller(iris, axes):
    panels = axes(4)
    display = ReliabilityDisplay.from_estimator(*iris, ax=panels)
    assert display.axes_.tolist() == panels[:3].tolist()
    assert not panels[3].lines and not panels[3].patches
    with pytest.raises(ValueError, match="ax holds 1 Axes but 3 panels"):
        ReliabilityDisplay.from_estimator(*iris, ax=axes())


def test_classes_never_seen_are_drawn(iris):
    clf, X, y = iris
    y = np.where(np.arange(len(y)) == 7, "other", y)
    with pytest.warns(ZeroProbabilityWarning) as caught:
        display = ReliabilityDisplay.from_estimator(clf, X, y)
    assert len(caught) == 1
    x, r = curve(display, 3)
    assert np.array_equal(x, [0.0])
    assert np.allclose(r, 1 / 60)


def test_one_probability_only(axes):
    display = ReliabilityDisplay.from_predictions([0, 1, 1, 1], [0.5] * 4, ax=axes())
    assert np.array_equal(curve(display), [[0.5], [0.75]])
    display.figure_.canvas.draw()


def test_fifty_classes_are_legible(fifty, assert_legible):
    y, Z, names = fifty
    display = ReliabilityDisplay.from_predictions(y, Z, labels=names, from_logits=True, level=None)
    assert len(display.figure_.axes) == 50
    assert_legible(display.figure_)


def test_weights_of_zero_are_absent(iris):
    clf, X, y = iris
    kept = np.arange(len(y)) % 3 > 0
    clf = SoftmaxClassifier(C=0.5).fit(X, y)
    one = ReliabilityDisplay.from_estimator(clf, X, y, kept.astype(float))
    other = ReliabilityDisplay.from_estimator(clf, X[kept], y[kept])
    for k in range(3):
        assert np.allclose(curve(one, k), curve(other, k), atol=1e-14)
        assert np.allclose(one.curves[k].band, other.curves[k].band, atol=1e-14)
