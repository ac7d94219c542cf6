"""Data to draw, axes that pyplot does not know of, and what a legible figure is."""

import itertools

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.model_selection import train_test_split

from skxent import SoftmaxClassifier


@pytest.fixture
def axes():
    """Axes of a figure that pyplot does not know of."""

    def make(n=1, size=(6.4, 4.8)):
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasAgg(figure)
        panels = figure.subplots(1, n)
        return panels

    return make


@pytest.fixture(scope="session")
def iris():
    """Features, names of species, and held-out probabilities of a third of the samples."""
    data = load_iris()
    X, y = data.data, data.target_names[data.target]
    train, test = train_test_split(np.arange(len(y)), stratify=y, test_size=0.4, random_state=0)
    clf = SoftmaxClassifier(C=0.5).fit(X[train], y[train])
    return clf, X[test], y[test]


@pytest.fixture(scope="session")
def cancer():
    """The same for two classes."""
    data = load_breast_cancer()
    X, y = data.data, data.target_names[data.target]
    train, test = train_test_split(np.arange(len(y)), stratify=y, test_size=0.4, random_state=0)
    clf = SoftmaxClassifier().fit(X[train], y[train])
    return clf, X[test], y[test]


@pytest.fixture(scope="session")
def fifty():
    """Labels and logits of fifty classes with names of some length."""
    rng = np.random.default_rng(0)
    codes = np.append(np.arange(50), rng.integers(0, 50, 1950))
    Z = 2.0 * rng.normal(size=(len(codes), 50))
    Z[np.arange(len(codes)), codes] += 6.0
    names = np.array([f"a class with the number {k}" for k in range(50)])
    return names[codes], Z, names


def texts_of(axis):
    """Labels of ticks that are in view."""
    low, high = sorted(axis.get_view_interval())
    for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
        if low <= tick.get_loc() <= high:
            yield from (tick.label1, tick.label2)


def texts_of_legend(legend):
    return [legend.get_title(), *legend.get_texts()]


def all_texts(figure):
    """Every text that is seen in a figure."""
    panels = [*figure.axes, *(child for ax in figure.axes for child in ax.child_axes)]
    texts = [figure._suptitle] if figure._suptitle else []
    for ax in panels:
        for axis in (ax.xaxis, ax.yaxis):
            texts += [*texts_of(axis), axis.label]
        texts += [ax.title, ax._left_title, *ax.texts]
        texts += [] if ax.get_legend() is None else texts_of_legend(ax.get_legend())
    for legend in figure.legends:
        texts += texts_of_legend(legend)
    return [text for text in texts if text.get_visible() and text.get_text().strip()]


@pytest.fixture
def assert_legible():
    """No text overlaps another one or is cut, and no legend covers the data."""

    def check(figure):
        figure.canvas.draw()
        renderer = figure.canvas.get_renderer()
        whole = figure.bbox.padded(2)
        boxes = [(text, text.get_window_extent(renderer)) for text in all_texts(figure)]
        for text, box in boxes:
            inside = whole.contains(*box.min) and whole.contains(*box.max)
            assert inside, f"{text.get_text()!r} is cut"
        for (a, one), (b, other) in itertools.combinations(boxes, 2):
            apart = one.padded(-1).overlaps(other.padded(-1))
            assert not apart, f"{a.get_text()!r} and {b.get_text()!r} overlap"
        legends = [ax.get_legend() for ax in figure.axes if ax.get_legend()] + figure.legends
        for legend in legends:
            frame = legend.get_window_extent(renderer)
            assert not any(frame.overlaps(ax.bbox) for ax in figure.axes)

    return check
