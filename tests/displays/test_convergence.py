"""Ordinates are gaps, abscissae are passes."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skxent import ConvergenceDisplay, SoftmaxClassifier


@pytest.fixture(scope="module")
def fits():
    return {
        "iris": SoftmaxClassifier().fit(*load_iris(return_X_y=True)),
        "wine": SoftmaxClassifier(C=100.0, tol=1e-4).fit(*load_wine(return_X_y=True)),
    }


def test_curves_are_the_gaps(fits, axes):
    display = ConvergenceDisplay.from_estimators(fits, ax=axes())
    for line, fit in zip(display.lines_, fits.values(), strict=True):
        passes, values = fit.objective_curve_.T
        assert np.array_equal(line.get_xdata(), passes)
        assert np.array_equal(line.get_ydata(), values - (fit.objective_ - fit.optimality_gap_))
    assert display.ax_.get_yscale() == "log"
    labels = [line.get_label() for line in display.lines_]
    assert labels[0] == f"iris: {fits['iris'].optimality_gap_:.1g} nats at the end"
    targets = [fit.target_gap_ for fit in fits.values()]
    assert [line.get_ydata()[0] for line in display.target_lines_] == sorted(targets)


def test_one_fit(fits, axes):
    display = ConvergenceDisplay.from_estimator(fits["iris"], ax=axes(), color="black")
    assert [line.get_label().split(":")[0] for line in display.lines_] == ["SoftmaxClassifier"]
    assert display.lines_[0].get_color() == "black"
    named = ConvergenceDisplay.from_estimator(fits["iris"], name="irises", ax=axes())
    assert named.lines_[0].get_label().startswith("irises: ")


def test_pipelines_and_searches_are_drawn_like_their_classifiers(axes):
    X, y = load_wine(return_X_y=True)
    pipe = make_pipeline(StandardScaler(), SoftmaxClassifier()).fit(X, y)
    search = GridSearchCV(pipe, {"softmaxclassifier__C": [0.1]}, cv=2).fit(X, y)
    for model, clf in ((pipe, pipe[-1]), (search, search.best_estimator_[-1])):
        expected = ConvergenceDisplay.from_estimator(clf, ax=axes())
        display = ConvergenceDisplay.from_estimator(model, ax=axes())
        assert np.array_equal(display.gaps, expected.gaps)
        assert display.targets == expected.targets
        assert display.names == ["SoftmaxClassifier"]
    display = ConvergenceDisplay.from_estimators([pipe, search], ax=axes())
    assert display.names == ["SoftmaxClassifier()", "SoftmaxClassifier(C=0.1)"]
    with pytest.raises(NotFittedError):
        ConvergenceDisplay.from_estimator(make_pipeline(StandardScaler(), SoftmaxClassifier()))


def test_fits_of_a_list_are_named_as_they_print(fits, axes):
    display = ConvergenceDisplay.from_estimators(list(fits.values()), ax=axes())
    names = [line.get_label().split(":")[0] for line in display.lines_]
    assert names == ["SoftmaxClassifier()", "SoftmaxClassifier(C=100.0, tol=0.0001)"]


def test_a_minimum_that_is_better_known(axes):
    X, y = load_digits(return_X_y=True)
    full = SoftmaxClassifier().fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        short = SoftmaxClassifier(max_iter=5).fit(X, y)
    minimum = full.objective_ - full.optimality_gap_
    display = ConvergenceDisplay.from_estimator(short, minimum=minimum, ax=axes())
    assert np.array_equal(display.lines_[0].get_ydata(), short.objective_curve_[:, 1] - minimum)
    assert display.final_gaps == [short.objective_ - minimum]


def test_targets_are_what_was_asked_for(axes):
    """`tol`, or its thousandths of a large objective."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(4000, 2)), rng.integers(0, 2, 4000)
    clf = SoftmaxClassifier(tol=1e-5).fit(X, y)
    display = ConvergenceDisplay.from_estimator(clf, ax=axes())
    assert display.targets == [pytest.approx(1e-8 * clf.objective_)]
    assert display.targets[0] > 2e-5


@pytest.mark.parametrize("total", [0.5, 1e-6])
def test_the_target_line_is_target_gap_for_small_weights(axes, total):
    """The target is `tol` times the objective if the weights add up to less than one."""
    X, y = load_iris(return_X_y=True)
    weight = np.full(len(y), total / len(y))
    clf = SoftmaxClassifier(C=10.0 / total).fit(X, y, weight)
    display = ConvergenceDisplay.from_estimator(clf, ax=axes())
    (line,) = display.target_lines_
    assert list(line.get_ydata()) == [clf.target_gap_] * 2
    assert display.targets == [clf.target_gap_]
    assert clf.target_gap_ == pytest.approx(1e-6 * clf.objective_, rel=1e-4)
    assert clf.target_gap_ < 1e-6 * total


def test_a_fit_that_began_at_its_minimum_has_no_curve(axes):
    X, y = load_iris(return_X_y=True)
    clf = SoftmaxClassifier(warm_start=True).fit(X, y).fit(X, y).fit(X, y)
    assert len(clf.objective_curve_) <= 1
    display = ConvergenceDisplay.from_estimator(clf, ax=axes())
    display.figure_.canvas.draw()
    assert "nats at the end" in display.lines_[0].get_label()


def test_a_gap_lost_to_rounding_leaves_the_axes(axes):
    gaps = np.array([10.0, 1e-3, 1e-20, 0.0, -1e-15])
    display = ConvergenceDisplay(
        passes=[np.arange(5.0)],
        gaps=[gaps],
        final_gaps=[0.0],
        targets=[1e-6],
        rounding=1e-14,
        names=["fit"],
    ).plot(ax=axes())
    assert np.array_equal(display.lines_[0].get_ydata(), gaps)
    assert 1e-15 < display.ax_.get_ylim()[0] <= 1e-14
    display.figure_.canvas.draw()


def test_nothing_to_draw():
    with pytest.raises(ValueError, match="estimators is empty"):
        ConvergenceDisplay.from_estimators([])


def test_many_curves_differ_without_colour(fits, axes, assert_legible):
    display = ConvergenceDisplay.from_estimators({f"fit {i}": fits["iris"] for i in range(8)})
    styles = {(line.get_linestyle(), line.get_marker()) for line in display.lines_}
    assert len(styles) == 8
    assert_legible(display.figure_)
