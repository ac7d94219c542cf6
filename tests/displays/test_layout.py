"""What all displays have in common: scikit-learn's convention, and no state left behind."""

import inspect
import re
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

import skxent
from skxent import (
    CoefficientDisplay,
    ConvergenceDisplay,
    LossDistributionDisplay,
    LossShareDisplay,
    ProfileDisplay,
    RegularizationDisplay,
    ReliabilityDisplay,
    SoftmaxClassifier,
    SoftmaxClassifierCV,
)

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def draw(iris, cancer):
    """A call for each display that draws it on the axes given."""
    X, y = load_wine(return_X_y=True)
    compared = SoftmaxClassifierCV(Cs=[1e-2, 1e-1, 1.0, 10.0]).fit(X, y)
    clf = SoftmaxClassifier(C=np.inf).fit(X[y > 0][:, :4], y[y > 0])
    inference = skxent.infer(clf, X[y > 0][:, :4], y[y > 0])
    return {
        "coefficients": lambda ax: CoefficientDisplay.from_inference(inference, ax=ax),
        "convergence": lambda ax: ConvergenceDisplay.from_estimator(clf, ax=ax),
        "loss_distribution": lambda ax: LossDistributionDisplay.from_estimator(*iris, ax=ax),
        "loss_share": lambda ax: LossShareDisplay.from_estimator(*iris, ax=ax),
        "profile_display": lambda ax: ProfileDisplay.from_inference(inference, "x3", ax=ax),
        "regularization": lambda ax: RegularizationDisplay.from_estimator(compared, ax=ax),
        "reliability": lambda ax: ReliabilityDisplay.from_estimator(*cancer, ax=ax),
    }


DISPLAYS = [getattr(skxent.displays, name) for name in skxent.displays.__all__]
ROOMS = sorted(display.__module__.rpartition(".")[2] for display in DISPLAYS)
every = pytest.mark.parametrize("name", ROOMS)


def test_every_display_is_tested(draw):
    assert sorted(draw) == ROOMS
    assert len(skxent.displays.__all__) == len(ROOMS)


@every
def test_on_axes_of_the_caller(draw, axes, name):
    before, settings = plt.get_fignums(), dict(mpl.rcParams)
    random = np.random.get_state()[1].copy()  # noqa: NPY002
    ax = axes()
    display = draw[name](ax)
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    assert plt.get_fignums() == before
    assert dict(mpl.rcParams) == settings
    assert np.array_equal(np.random.get_state()[1], random)  # noqa: NPY002
    ax.figure.canvas.draw()


@every
def test_documented_attributes_are_there(draw, axes, name):
    display = draw[name](axes())
    text = inspect.getdoc(type(display)).split("Attributes\n-----")[1].split("\n\n")[0]
    documented = {
        part for line in re.findall(r"^(\w.*) :", text, re.M) for part in line.split(", ")
    }
    assert {"ax_", "figure_"} < documented
    for attribute in documented:
        assert hasattr(display, attribute), attribute
    kept = {attribute for attribute in vars(display) if attribute.endswith("_")}
    assert {attribute for attribute in kept if not attribute.startswith("_")} <= documented


@every
def test_a_new_figure_is_legible(draw, assert_legible, name):
    display = draw[name](None)
    assert plt.get_fignums() == [display.figure_.number]
    assert display.plot() is display
    assert_legible(display.figure_)


@every
def test_axes_of_a_subfigure(draw, name):
    parts = Figure(figsize=(12, 5), layout="constrained").subfigures(1, 2)
    display = draw[name](parts[1].subplots())
    assert display.figure_ is parts[1]
    parts[1].figure.canvas.draw()


@every
def test_pictures_need_no_colour(draw, name):
    """Curves of one picture differ by marker, line or width."""
    display = draw[name](None)
    styles = [
        (line.get_linestyle(), line.get_marker(), line.get_linewidth())
        for line in display.ax_.get_lines()
        if not line.get_label().startswith("_")
    ]
    assert len(styles) == len(set(styles))


@pytest.fixture
def run():
    def script(text):
        command = [sys.executable, "-W", "error", "-c", text]
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        return done.stdout.split("\n")

    return script


def test_import_leaves_matplotlib_alone(run):
    out = run("import sys, skxent, skxent.displays\nprint('matplotlib' in sys.modules)")
    assert out[0] == "False"


def test_without_matplotlib_the_extra_is_named(run):
    script = """
import sys
sys.modules["matplotlib"] = None
import numpy as np, skxent
X, y = np.arange(6.0)[:, None], np.array([0, 0, 1, 0, 1, 1])
clf = skxent.SoftmaxClassifierCV(Cs=[0.1, 1.0]).fit(X, y)
report = skxent.cross_entropy_report(y, clf.predict_proba(X))
for call in (
    lambda: skxent.LossDistributionDisplay.from_estimator(clf, X, y),
    lambda: skxent.LossShareDisplay.from_estimator(clf, X, y),
    lambda: skxent.LossShareDisplay.from_report(report),
    lambda: skxent.ReliabilityDisplay.from_estimator(clf, X, y),
    lambda: skxent.ReliabilityDisplay.from_calibrated(clf, X, y),
    lambda: skxent.ConvergenceDisplay.from_estimator(clf),
    lambda: skxent.RegularizationDisplay.from_estimator(clf),
    lambda: skxent.CoefficientDisplay.from_estimator(clf, X, y),
):
    try:
        call()
    except ImportError as error:
        print(error)
"""
    lines = run(script)[:-1]
    assert len(lines) == 8
    for line in lines:
        assert "matplotlib" in line
        assert line.endswith("python -m pip install matplotlib")


@pytest.mark.parametrize("display", [LossDistributionDisplay, LossShareDisplay, ReliabilityDisplay])
def test_classifiers_without_probabilities_are_refused(display, iris):
    _, X, y = iris
    with pytest.raises(TypeError, match=r"LinearSVC has no predict_proba .*CalibratedClassifierCV"):
        display.from_estimator(LinearSVC().fit(X, y), X, y)


@pytest.mark.parametrize(
    ("display", "needs"),
    [(ConvergenceDisplay, "SoftmaxClassifier"), (RegularizationDisplay, "SoftmaxClassifierCV")],
)
def test_other_estimators_are_refused(display, needs, iris):
    _, X, y = iris
    pipe = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    with pytest.raises(TypeError, match=rf"pass a fitted {needs}, or a pipeline that ends in one"):
        display.from_estimator(pipe)
    with pytest.raises(NotFittedError, match=f"This {needs} instance is not fitted yet"):
        display.from_estimator(getattr(skxent, needs)())


@pytest.mark.parametrize("display", [LossDistributionDisplay, LossShareDisplay, ReliabilityDisplay])
def test_unfitted_classifiers_are_refused_as_such(display, iris):
    _, X, y = iris
    for clf in (
        SoftmaxClassifier(),
        RandomForestClassifier(),
        make_pipeline(StandardScaler(), SoftmaxClassifier()),
        GridSearchCV(SoftmaxClassifier(), {"C": [1.0]}),
    ):
        with pytest.raises(NotFittedError, match="not fitted"):
            display.from_estimator(clf, X, y)


def test_a_figure_that_is_not_legible_would_be_found(assert_legible, axes):
    crowded = axes()
    crowded.set_xticks([0.5, 0.51], labels=["one name", "another name"])
    with pytest.raises(AssertionError, match="'one name' and 'another name' overlap"):
        assert_legible(crowded.figure)
    cut = axes(size=(3, 3))
    cut.figure.set_layout_engine("none")
    cut.set_yticks([0.5], labels=["a name that is too long for this figure"])
    with pytest.raises(AssertionError, match="is cut"):
        assert_legible(cut.figure)
    covered = axes()
    covered.plot([0, 1], label="data")
    covered.legend(loc="center")
    with pytest.raises(AssertionError):
        assert_legible(covered.figure)


def test_names_are_written_as_they_are(axes):
    """Dollars are no formulas, lines do not break, and legends leave nothing out."""
    names = np.array(["$\\bad{", "_under", "two\nlines", "$5$"])
    y, P = names[[0, 1, 2, 3]], np.full((4, 4), 0.25)
    written = [r"\$\bad{", " _under", "two lines", r"\$5\$"]
    for display in (LossDistributionDisplay, LossShareDisplay):
        drawn = display.from_predictions(y, P, labels=names, ax=axes())
        labels = [label.get_text() for label in drawn.ax_.get_yticklabels()]
        assert labels == [f"{name}  (n = 1)" for name in written]
        drawn.figure_.canvas.draw()
    drawn = ReliabilityDisplay.from_predictions(y, P, labels=names)
    assert [ax.get_title().split("\n")[0] for ax in drawn.axes_] == written
    drawn.figure_.canvas.draw()
    X = pd.DataFrame({"_$a$": np.arange(6.0)})
    clf = SoftmaxClassifier(C=np.inf).fit(X, [0, 0, 1, 0, 1, 1])
    drawn = CoefficientDisplay.from_estimator(clf, X, [0, 0, 1, 0, 1, 1], ax=axes())
    assert [label.get_text() for label in drawn.ax_.get_yticklabels()] == [r" _\$a\$"]
    drawn = ConvergenceDisplay.from_estimator(clf, name="_$a$", ax=axes())
    assert drawn.ax_.get_legend().get_texts()[0].get_text().startswith(r" _\$a\$: ")
    drawn.figure_.canvas.draw()


@pytest.mark.parametrize("display", [LossDistributionDisplay, LossShareDisplay, ReliabilityDisplay])
def test_several_outputs_are_refused(display):
    X = np.arange(8.0)[:, None]
    Y = np.column_stack([X > 3, X > 5]).astype(int)
    forest = RandomForestClassifier(2, random_state=0).fit(X, Y)
    with pytest.raises(ValueError, match="RandomForestClassifier predicts several outputs"):
        display.from_estimator(forest, X, Y[:, 0])


@pytest.mark.parametrize("display", [LossDistributionDisplay, LossShareDisplay, ReliabilityDisplay])
def test_wherever_scikit_learn_has_classifiers(display, cancer, axes):
    """Pipelines, searches, data frames with labels, read-only arrays."""
    _, X, y = cancer
    X = pd.DataFrame(X).rename(columns=str)
    X.index = y_named = pd.Series(y, index=np.arange(len(y))[::-1]).index
    pipe = make_pipeline(StandardScaler(), SoftmaxClassifier())
    search = GridSearchCV(pipe, {"softmaxclassifier__C": [0.1]}, cv=2)
    y_named = pd.Series(y, index=y_named)
    one = display.from_estimator(search.fit(X, y_named), X, y_named, ax=axes())
    P = search.predict_proba(X)
    P.flags.writeable = False
    other = display.from_predictions(y, P, ax=axes())
    assert one.ax_.get_title() == other.ax_.get_title()
    assert one.ax_.get_title(loc="left") == other.ax_.get_title(loc="left")
    if display is LossDistributionDisplay:  # whose worst samples have the index of y
        assert np.array_equal(one.worst_, other.worst_)
        return
    assert [text.get_text() for text in one.ax_.texts] == [
        text.get_text() for text in other.ax_.texts
    ]


@pytest.mark.parametrize("display", [LossDistributionDisplay, LossShareDisplay, ReliabilityDisplay])
@pytest.mark.parametrize(
    ("P", "message"),
    [
        ([[0.5, 0.6], [0.5, 0.5]], "does not sum to 1 in row 0"),
        ([[np.nan, 0.5], [0.5, 0.5]], "NaN"),
        ([[0.5, 0.5]], "y_true has 2 samples but y_pred has 1"),
    ],
)
def test_what_losses_refuse_is_not_drawn(display, P, message):
    with pytest.raises(ValueError, match=message):
        display.from_predictions([0, 1], P, labels=[0, 1])
    assert plt.get_fignums() == []
