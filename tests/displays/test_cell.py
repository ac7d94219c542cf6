"""Pictures can be read in light and dark styles, and on plain axes of the caller."""

import itertools

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from sklearn.datasets import load_wine

import skxent
from skxent import (
    CoefficientDisplay,
    ConvergenceDisplay,
    LossDistributionDisplay,
    LossShareDisplay,
    RegularizationDisplay,
    ReliabilityDisplay,
    SoftmaxClassifier,
    SoftmaxClassifierCV,
)

STYLES = ["default", "dark_background", "grayscale", "ggplot", "Solarize_Light2"]
NAMES = ["a class with a long name", "another class with a long name", "two"]


@pytest.fixture(scope="module")
def draw():
    """A call for each display that draws it on the axes given."""
    X, y = load_wine(return_X_y=True)
    names = np.array(NAMES)[y]
    compared = SoftmaxClassifierCV(Cs=[1e-2, 1e-1, 1.0, 10.0]).fit(X, names)
    P = compared.predict_proba(X)
    plain = SoftmaxClassifier(C=np.inf).fit(X[:, :4], names)
    inference = skxent.infer(plain, X[:, :4], names)
    kept = {"classes": NAMES[2:], "units": X[:, :4].std(axis=0)}
    return {
        "distribution": lambda ax: LossDistributionDisplay.from_predictions(names, P, ax=ax),
        "share": lambda ax: LossShareDisplay.from_predictions(names, P, ax=ax),
        "reliability": lambda ax: ReliabilityDisplay.from_predictions(y == 0, P[:, 0], ax=ax),
        "convergence": lambda ax: ConvergenceDisplay.from_estimator(plain, ax=ax),
        "regularization": lambda ax: RegularizationDisplay.from_estimator(compared, ax=ax),
        "coefficients": lambda ax: CoefficientDisplay.from_inference(inference, ax=ax, **kept),
    }


EVERY = ["distribution", "share", "reliability", "convergence", "regularization", "coefficients"]
GRIDS = list(itertools.combinations(EVERY, 4))[::2]
GRIDS[1:-1] = [pytest.param(names, marks=pytest.mark.slow) for names in GRIDS[1:-1]]


@pytest.mark.parametrize("size", [(9, 8), (13, 9)])
@pytest.mark.parametrize("names", GRIDS)
@pytest.mark.thinned(3)
def test_plain_axes_in_a_grid(draw, assert_legible, names, size):
    """Nothing is cut, and no text runs into the next axes."""
    figure, axes = plt.subplots(2, 2, figsize=size)
    for name, ax in zip(names, axes.flat, strict=True):
        draw[name](ax)
    assert_legible(figure)
    before = [ax.get_window_extent().extents for ax in axes.flat]
    figure.canvas.draw()
    after = [ax.get_window_extent().extents for ax in axes.flat]
    np.testing.assert_allclose(after, before, atol=1)


@pytest.mark.parametrize("name", EVERY)
def test_axes_keep_their_place_beside_a_plain_plot(draw, assert_legible, name):
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 5))
    left.plot([0, 1], [0, 1])
    place = right.get_position(original=True).extents
    draw[name](right)
    left.set(xlabel="an abscissa", ylabel="an ordinate")
    assert_legible(figure)
    np.testing.assert_array_equal(right.get_position(original=True).extents, place)
    assert not left.get_tightbbox().overlaps(right.get_tightbbox())
    assert right.get_window_extent().width > 100


@pytest.mark.parametrize("name", EVERY)
def test_a_layout_is_left_to_do_its_work(draw, assert_legible, name):
    """Also one that is set after drawing."""
    figure, axes = plt.subplots(1, 2, figsize=(12, 5))
    draw[name](axes[1])
    figure.set_layout_engine("constrained")
    assert_legible(figure)
    figure, axes = plt.subplots(1, 2, figsize=(12, 5), layout="constrained")
    draw[name](axes[1])
    assert_legible(figure)


def luminance(colour):
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    """Ratio of luminances as the Web Content Accessibility Guidelines define it, 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("style", STYLES)
def test_marks_stand_out_from_the_background(draw, style):
    with plt.style.context(style):
        paper = mpl.rcParams["axes.facecolor"]
        marks = {}
        display = draw["distribution"](None)
        marks["median"] = display.boxes_["medians"][0].get_color()
        marks["whisker"] = display.boxes_["whiskers"][0].get_color()
        marks["box"] = display.boxes_["boxes"][0].get_color()
        marks["mean"] = display.boxes_["means"][0].get_markeredgecolor()
        marks["ring"] = display.worst_points_.get_edgecolor()[0][:3]
        marks["expected"] = draw["share"](None).expected_.get_color()[0][:3]
        marks["diagonal"] = draw["reliability"](None).ax_.lines[0].get_color()
        marks["chosen"] = draw["regularization"](None).chosen_line_.get_color()
        marks["zero"] = draw["coefficients"](None).reference_lines_[0].get_color()
        marks["target"] = draw["convergence"](None).target_lines_[0].get_color()
    for mark, colour in marks.items():
        assert contrast(colour, paper) > 3, (mark, colour, paper)


@pytest.mark.parametrize("transparent", ["axes.facecolor", "figure.facecolor", "both"])
def test_transparent_backgrounds(draw, transparent):
    both = ["axes.facecolor", "figure.facecolor"]
    with plt.style.context("dark_background"), mpl.rc_context():
        for name in both if transparent == "both" else [transparent]:
            mpl.rcParams[name] = "none"
        display = draw["share"](None)
        assert contrast(display.expected_.get_color()[0][:3], "black") > 3
