"""Intervals are those of `confint`, and panels are contrasts."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from skxent import CoefficientDisplay, InferenceWarning, ProfileDisplay, SoftmaxClassifier, infer


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(400, 3)) * [1.0, 10.0, 0.1], columns=["a", "b", "c"])
    Z = X.to_numpy() @ [[1.0, -1.0, 0.0], [0.05, 0.0, 0.0], [0.0, 0.0, 3.0]]
    y = np.array(["ant", "bee", "cow"])[(Z + rng.gumbel(size=Z.shape)).argmax(axis=1)]
    return SoftmaxClassifier(C=np.inf).fit(X, y), X, y


@pytest.fixture(scope="module")
def inference(data):
    return infer(*data)


def drawn(display, i=0):
    """Coefficients, and both ends of their intervals, from top to bottom."""
    container = display.errorbars_[i]
    segments = np.array(container.lines[2][0].get_segments())
    rows = container.lines[0].get_ydata()
    assert np.array_equal(rows, np.arange(len(rows)))
    assert np.array_equal(segments[:, 0, 1], rows)
    return container.lines[0].get_xdata(), segments[:, 0, 0], segments[:, 1, 0]


def row_names(display):
    return [label.get_text() for label in display.ax_.get_yticklabels()]


@pytest.mark.parametrize("level", [0.95, 0.5])
def test_intervals_are_confint(inference, axes, level):
    display = CoefficientDisplay.from_inference(inference, level=level, ax=axes(2))
    for i, title in enumerate(["bee vs ant", "cow vs ant"]):
        coef, low, high = drawn(display, i)
        interval = inference.confint(level)[i, :3]
        assert np.array_equal(coef, inference.coef[i, :3])
        assert np.allclose(low, interval[:, 0], rtol=1e-13)
        assert np.allclose(high, interval[:, 1], rtol=1e-13)
        assert display.axes_[i].get_title() == title
        assert display.reference_lines_[i].get_xdata()[0] == 0
    assert row_names(display) == ["a", "b", "c"]
    assert display.ax_.get_xlabel() == f"coefficient, {100 * level:g} % interval"


def test_odds_ratios(inference, axes):
    display = CoefficientDisplay.from_inference(inference, odds_ratios=True, ax=axes(2))
    wanted = inference.odds_ratios()
    for i in range(2):
        for got, name in zip(drawn(display, i), ("estimate", "low", "high"), strict=True):
            assert np.allclose(got, getattr(wanted, name)[i], rtol=1e-12)
        assert display.axes_[i].get_xscale() == "log"
        assert display.reference_lines_[i].get_xdata()[0] == 1
    assert display.ax_.get_xlabel().startswith("odds ratio")


def test_terms_and_classes_can_be_chosen(inference, axes):
    ax = axes()
    display = CoefficientDisplay.from_inference(
        inference, terms=["intercept", "b"], classes=["cow"], ax=ax
    )
    assert display.ax_ is ax
    assert np.array_equal(drawn(display)[0], inference.coef[1, [3, 1]])
    assert row_names(display) == ["intercept", "b"]
    for options in ({"terms": ["d"]}, {"classes": ["ant"]}, {"terms": []}):
        with pytest.raises(ValueError, match=r"pass (some|at least one) of"):
            CoefficientDisplay.from_inference(inference, **options)
    with pytest.raises(ValueError, match="ax holds 1 Axes but 2 panels"):
        CoefficientDisplay.from_inference(inference, ax=ax)


def test_units_do_what_scaling_the_features_does(data, axes):
    clf, X, y = data
    display = CoefficientDisplay.from_estimator(clf, X, y, units=X.std(), ax=axes(2))
    scaled = X / X.std()
    other = infer(SoftmaxClassifier(C=np.inf).fit(scaled, y), scaled, y)
    for i in range(2):
        assert np.allclose(drawn(display, i)[0], other.coef[i, :3], rtol=1e-7)
        assert np.allclose(drawn(display, i)[1:], other.confint()[i, :3].T, rtol=1e-7)
    assert "units" in display.ax_.get_xlabel()
    for units in ([1.0, 2.0], [1.0, 0.0, 1.0], [1.0, np.nan, 1.0]):
        with pytest.raises(ValueError, match="a positive number for each of 3 features"):
            CoefficientDisplay.from_estimator(clf, X, y, units=units)


def test_options_of_infer(data, axes):
    clf, X, y = data
    weight = 1.0 + np.arange(len(y)) % 2
    clf = SoftmaxClassifier(C=np.inf).fit(X, y, weight)
    options = {"covariance": "robust", "reference": "cow"}
    display = CoefficientDisplay.from_estimator(clf, X, y, weight, ax=axes(2), **options)
    wanted = infer(clf, X, y, weight, **options)
    assert np.array_equal(drawn(display, 1)[0], wanted.coef[1, :3])
    assert [ax.get_title() for ax in display.axes_] == ["ant vs cow", "bee vs cow"]


def test_a_penalty_is_told(axes):
    X, y = load_iris(return_X_y=True)
    clf = SoftmaxClassifier().fit(X, y)
    with pytest.warns(InferenceWarning):
        display = CoefficientDisplay.from_estimator(clf, X, y, ax=axes(2))
    assert display.ax_.get_xlabel() == "coefficient, 95 % posterior interval"
    assert [ax.get_title() for ax in display.axes_] == ["1 vs 0", "2 vs 0"]
    assert row_names(display) == ["x0", "x1", "x2", "x3"]


def test_without_intercept_every_term_is_a_feature(data, axes):
    _, X, y = data
    clf = SoftmaxClassifier(C=np.inf, fit_intercept=False).fit(X, y)
    display = CoefficientDisplay.from_estimator(clf, X, y, units=[1, 1, 1], ax=axes(2))
    assert row_names(display) == ["a", "b", "c"]
    assert np.array_equal(drawn(display)[0], infer(clf, X, y).coef[0])


def test_a_feature_named_intercept(data, axes):
    """Without an intercept the name is the feature's own."""
    _, X, y = data
    X = X.rename(columns={"c": "intercept"})
    clf = SoftmaxClassifier(C=np.inf, fit_intercept=False).fit(X, y)
    display = CoefficientDisplay.from_estimator(clf, X, y, ax=axes(2))
    assert row_names(display) == ["a", "b", "intercept"]


def test_odds_ratios_beyond_numbers_are_refused(axes):
    display = CoefficientDisplay(
        coef=np.array([[800.0]]),
        low=np.array([[700.0]]),
        high=np.array([[900.0]]),
        contrasts=["b vs a"],
        terms=["x"],
    )
    with pytest.raises(ValueError, match="odds ratios are too large"):
        display.plot(ax=axes(), odds_ratios=True)


def test_pipelines(data):
    _, X, y = data
    pipe = make_pipeline(StandardScaler(), SoftmaxClassifier(C=np.inf)).fit(X, y)
    display = CoefficientDisplay.from_estimator(pipe, X, y)
    assert display.terms == ["a", "b", "c"]
    expected = CoefficientDisplay.from_estimator(pipe[-1], pipe[:-1].transform(X), y)
    np.testing.assert_array_equal(display.low, expected.low)
    with pytest.raises(TypeError, match="Pipeline that ends in a StandardScaler"):
        CoefficientDisplay.from_estimator(make_pipeline(StandardScaler()), X, y)


def test_many_panels_are_legible(assert_legible):
    rng = np.random.default_rng(0)
    coef = rng.normal(size=(11, 40))
    display = CoefficientDisplay(
        coef=coef,
        low=coef - 1,
        high=coef + 1,
        contrasts=[f"class {k} vs class 0" for k in range(1, 12)],
        terms=[f"a feature with the name {j}" for j in range(40)],
        interval="95 % interval",
    ).plot()
    assert len(display.figure_.axes) == 11
    assert_legible(display.figure_)


def test_of_a_fit_with_an_offset():
    X, y = load_iris(return_X_y=True)
    X, y, offset = X[50:, :2], y[50:], X[50:, 2]
    clf = SoftmaxClassifier(C=np.inf).fit(X, y, offset=offset)
    expected = CoefficientDisplay.from_inference(infer(clf, X, y, offset=offset))
    display = CoefficientDisplay.from_estimator(clf, X, y, offset=offset)
    for found, known in zip(drawn(display), drawn(expected), strict=True):
        np.testing.assert_array_equal(found, known)


def test_names_lack_the_prefixes_of_transformers(data, axes):
    _, X, y = data
    columns = make_column_transformer((StandardScaler(), ["a", "b"]), (MinMaxScaler(), ["c"]))
    pipe = make_pipeline(columns, SoftmaxClassifier(C=np.inf)).fit(X, y)
    display = CoefficientDisplay.from_inference(infer(pipe, X, y), ax=axes(2))
    assert display.terms == ["standardscaler__a", "standardscaler__b", "minmaxscaler__c"]
    assert row_names(display) == ["a", "b", "c"]
    curve = infer(pipe, X, y).profile("minmaxscaler__c", "bee", n_points=2)
    label = ProfileDisplay(curve).plot(axes()).ax_.get_xlabel()
    assert label == "coefficient of c, bee vs ant"
