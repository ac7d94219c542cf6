"""Marginal effects and adjusted predictions of pipelines, in terms of the pipeline's X."""

import copy
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from inferences import assert_close
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    PolynomialFeatures,
    StandardScaler,
)

from skxent import SoftmaxClassifier, infer

NAMES = ("estimate", "standard_errors", "low", "high")


@pytest.fixture(scope="module")
def survey(generate):
    """Frames with numbers and a colour, and targets of two and three classes."""
    made = {}
    for K in (2, 3):
        X, y = generate(300, 2, K, seed=1)
        rng = np.random.default_rng(0)
        colour = np.array(["red", "blue", "green"])[rng.integers(0, 3, 300)]
        sex = np.array(["female", "male"])[rng.integers(0, 2, 300)]
        frame = pd.DataFrame({"age": X[:, 0], "colour": colour, "income": 1e3 * X[:, 1]})
        made[K] = frame.assign(sex=sex, owner=rng.integers(0, 2, 300)), y
    return made


def columns(scale_all=False, **settings):
    numbers = StandardScaler()
    encoder = OneHotEncoder(**{"drop": "first", "sparse_output": False, **settings})
    parts = ColumnTransformer(
        [("num", numbers, ["age", "income", "owner"]), ("cat", encoder, ["colour", "sex"])]
    )
    return make_pipeline(parts, StandardScaler()) if scale_all else parts


def inference_of(survey, K, transformer, covariance="observed", **settings):
    X, y = survey[K]
    pipe = make_pipeline(transformer, SoftmaxClassifier(**{"C": np.inf, **settings})).fit(X, y)
    return infer(pipe, X, y, covariance=covariance)


def assert_difference(found, j, one, other):
    """Compare the effect of a feature with that of two adjusted samples, and its error."""
    V, theta = found.covariance, found.coef

    def mean(coef, X):
        Z = np.column_stack([found._features(X), np.ones(len(X))]) @ coef.T
        Z = np.column_stack([np.zeros(len(X)), Z])
        P = np.exp(Z - Z.max(axis=1, keepdims=True))
        return (P / P.sum(axis=1, keepdims=True)).mean(axis=0)

    def effect(coef):
        return mean(coef, one) - mean(coef, other)

    slope = []
    for i in np.ndindex(theta.shape):
        step = np.zeros_like(theta)
        step[i] = 1e-5
        slope.append((effect(theta + step) - effect(theta - step)) / 2e-5)
    slope = np.stack(slope, axis=1)
    effects = found.marginal_effects()
    np.testing.assert_allclose(effects.estimate[:, j], effect(theta), rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(
        effects.standard_errors[:, j], np.sqrt(((slope @ V) * slope).sum(axis=1)), rtol=1e-6
    )


@pytest.mark.parametrize("covariance", ["observed", "robust"])
@pytest.mark.parametrize("scale_all", [False, True])
@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.thinned(3)
def test_levels(survey, K, scale_all, covariance):
    """All samples of a level against all of the base level, also with scaled indicators."""
    X, _ = survey[K]
    found = inference_of(survey, K, columns(scale_all), covariance)
    effects = found.marginal_effects()
    assert [name.split("__")[-1] for name in effects.columns] == [
        "age",
        "income",
        "owner",
        "colour_green",
        "colour_red",
        "sex_male",
    ]
    assert list(effects.comparisons) == [
        "slope",
        "slope",
        "0 to 1",
        "blue to green",
        "blue to red",
        "female to male",
    ]
    base = X.assign(colour="blue")
    assert_difference(found, 2, X.assign(owner=1), X.assign(owner=0))
    assert_difference(found, 3, X.assign(colour="green"), base)
    assert_difference(found, 4, X.assign(colour="red"), base)
    assert_difference(found, 5, X.assign(sex="male"), X.assign(sex="female"))
    np.testing.assert_allclose(effects.estimate.sum(axis=0), 0, atol=1e-14)


def test_some_levels(survey):
    found = inference_of(survey, 3, columns())
    auto = found.marginal_effects()
    some = found.marginal_effects(discrete=["cat__colour_red", 5])
    assert list(some.comparisons) == [
        *["slope"] * 4,
        "blue to red",
        "female to male",
    ]
    np.testing.assert_array_equal(some.estimate[:, 4:], auto.estimate[:, 4:])
    assert set(found.marginal_effects(discrete=None).comparisons) == {"slope"}


def test_a_column_for_every_level(survey):
    """The base level is the first one; only a fit with a penalty has a minimum."""
    X, _ = survey[3]
    with pytest.warns(match="penalty"):
        found = inference_of(survey, 3, columns(drop=None), C=1.0)
    effects = found.marginal_effects()
    assert list(effects.comparisons[3:]) == [
        "blue to blue",
        "blue to green",
        "blue to red",
        "female to female",
        "female to male",
    ]
    np.testing.assert_array_equal(effects.estimate[:, [3, 6]], 0.0)
    np.testing.assert_array_equal(effects.standard_errors[:, [3, 6]], 0.0)
    change = [
        found.adjusted_predictions({"colour": level}).estimate[0] for level in ("blue", "red")
    ]
    np.testing.assert_allclose(effects.estimate[:, 5], change[1] - change[0], atol=1e-12)
    assert len(X) == 300


@pytest.mark.parametrize("K", [2, 3])
def test_adjusted_predictions(survey, K):
    X, _ = survey[K]
    found = inference_of(survey, K, columns())
    grid = found.adjusted_predictions({"colour": ["red", "blue"], "age": [0.5, 1]})
    assert list(grid.rows) == [
        "colour=red, age=0.5",
        "colour=red, age=1",
        "colour=blue, age=0.5",
        "colour=blue, age=1",
    ]
    for i, (colour, age) in enumerate([("red", 0.5), ("red", 1), ("blue", 0.5), ("blue", 1)]):
        changed = X.assign(colour=colour, age=age)
        P = found.predict_proba_interval(changed)
        np.testing.assert_allclose(grid.estimate[i], P.estimate.mean(axis=0), rtol=1e-12)
        same = found.adjusted_predictions(X=changed)
        for name in NAMES:
            np.testing.assert_allclose(getattr(grid, name)[i], getattr(same, name)[0], rtol=1e-12)
    one = found.adjusted_predictions({1: "red", "age": 0.5}, X=X[:1])
    alone = found.predict_proba_interval(X[:1].assign(colour="red", age=0.5))
    np.testing.assert_allclose(one.low, alone.low, rtol=1e-9)


def test_features_of_one_column_change_together(survey):
    """A column and its square: the adjusted prediction sets both."""
    X, y = survey[3]
    numbers = X[["age", "income"]].to_numpy() * [1.0, 1e-3]
    pipe = make_pipeline(
        PolynomialFeatures(2, include_bias=False), SoftmaxClassifier(C=np.inf)
    ).fit(numbers, y)
    found = infer(pipe, numbers, y)
    P = found.adjusted_predictions({"x0": [0.0, 2.0]})
    for i, value in enumerate([0.0, 2.0]):
        expected = pipe.predict_proba(np.column_stack([np.full(300, value), numbers[:, 1]]))
        assert_close(P.estimate[i], expected.mean(axis=0), 1e-6)


@pytest.mark.parametrize("at", ["mean", {"age": 0.5}])
def test_slopes_at_values(survey, at):
    """The slopes are those of the features, at the values that the transformers make."""
    X, _ = survey[3]
    found = inference_of(survey, 3, columns())
    if isinstance(at, dict):
        expected = found.marginal_effects(X=X.assign(**at))
    else:
        expected = infer_plain(found).marginal_effects(at="mean", discrete=None)
    effects = found.marginal_effects(at=at, discrete="auto" if isinstance(at, dict) else None)
    for name in NAMES:
        np.testing.assert_allclose(getattr(effects, name), getattr(expected, name), rtol=1e-9)


def infer_plain(found):
    """Inference from the last step alone."""
    data = found._estimate.data
    clf = SoftmaxClassifier(C=np.inf).fit(data.X, data.targets)
    return infer(clf, data.X, data.targets)


def test_other_kinds_of_x(survey):
    """A polars frame, and an array of objects."""
    pytest.importorskip("sklearn", "1.9", reason="ColumnTransformer refuses frames of polars 2")
    X, y = survey[3]
    expected = inference_of(survey, 3, columns())
    other = pl.DataFrame(X.to_dict(orient="list"))
    found = infer(make_pipeline(columns(), SoftmaxClassifier(C=np.inf)).fit(other, y), other, y)
    values = X.to_numpy(dtype=object)
    encoder = OneHotEncoder(drop="first", sparse_output=False)
    parts = ColumnTransformer([("num", StandardScaler(), [0, 2, 4]), ("cat", encoder, [1, 3])])
    pipe = make_pipeline(parts, SoftmaxClassifier(C=np.inf)).fit(values, y)
    for one, key in ((found, "colour"), (infer(pipe, values, y), 1)):
        effects = one.marginal_effects()
        assert effects.comparisons == expected.marginal_effects().comparisons
        assert_close(effects.low, expected.marginal_effects().low)
        assert_close(
            one.adjusted_predictions({key: ["red", "green"]}).low,
            expected.adjusted_predictions({"colour": ["red", "green"]}).low,
        )


def test_lists_are_transformed_but_not_changed(survey):
    X, y = survey[3]
    rows = X[["age", "income"]].to_numpy().tolist()
    pipe = make_pipeline(FunctionTransformer(np.asarray), SoftmaxClassifier(C=np.inf)).fit(rows, y)
    found = infer(pipe, rows, y)
    assert list(found.marginal_effects().comparisons) == ["slope", "slope"]


def test_errors(survey):
    found = inference_of(survey, 3, columns())
    with pytest.raises(ValueError, match=r"at has 'num__age', which is no column: pass some of"):
        found.adjusted_predictions({"num__age": 0.0})
    with pytest.raises(ValueError, match="at has 2 combinations of values: pass one value"):
        found.marginal_effects(at={"colour": ["red", "blue"]})
    with pytest.raises(ValueError, match=r"at\['colour'\] is \[\]: pass a value, or a list"):
        found.adjusted_predictions({"colour": []})
    with pytest.raises(ValueError, match="unknown categories"):
        found.adjusted_predictions({"colour": "mauve"})


def test_copies_keep_the_samples(survey):
    found = inference_of(survey, 2, columns())
    expected = found.adjusted_predictions({"colour": "red"}).low
    for again in (pickle.loads(pickle.dumps(found)), copy.deepcopy(found)):
        np.testing.assert_array_equal(again.adjusted_predictions({"colour": "red"}).low, expected)
