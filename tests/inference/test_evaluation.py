"""Values at which effects are evaluated, and discrete features: labels and errors."""

import numpy as np
import pytest
from inferences import inference_of


@pytest.fixture(scope="module")
def mixed(named_data):
    """Inference with three classes from "age", a smoker of 0 and 1, and a sex of 1 and 2."""
    X, y = named_data[3]
    X = X.rename(columns={"income": "smoker", "a & b": "sex"})
    X = X.assign(smoker=(X["smoker"] > 0) * 1.0, sex=1.0 + (X["sex"] > 0))
    return X, y, inference_of(X, y)


def test_grid(mixed):
    X, _, found = mixed
    grid = found.adjusted_predictions({"age": [-1, 0.5], "smoker": np.array([0, 1])})
    assert grid.rows == [
        "age=-1.0, smoker=0",
        "age=-1.0, smoker=1",
        "age=0.5, smoker=0",
        "age=0.5, smoker=1",
    ]
    assert grid.columns == found.classes
    assert grid.estimate.shape == (4, 3)
    for i, (age, smoker) in enumerate([(-1, 0), (-1, 1), (0.5, 0), (0.5, 1)]):
        P = found.predict_proba_interval(X.assign(age=age, smoker=smoker)).estimate
        np.testing.assert_allclose(grid.estimate[i], P.mean(axis=0), rtol=1e-12)
    by_index = found.adjusted_predictions({0: [-1, 0.5], np.int64(1): (0, 1)})
    np.testing.assert_array_equal(by_index.low, grid.low)
    assert found.adjusted_predictions({"sex": 2}).rows == ["sex=2"]


def test_labels_of_populations(mixed):
    _, _, found = mixed
    assert found.adjusted_predictions().rows == ["overall"]
    assert found.adjusted_predictions({}).rows == ["overall"]
    assert found.adjusted_predictions("mean").rows == ["mean"]


def test_discrete(mixed):
    _, _, found = mixed
    auto, none = found.marginal_effects(), found.marginal_effects(discrete=None)
    both = found.marginal_effects(discrete=["sex", 1])
    assert auto.comparisons == ["slope", "0 to 1", "slope"]
    assert none.comparisons == ["slope", "slope", "slope"]
    assert both.comparisons == ["slope", "0 to 1", "1 to 2"]
    assert found.marginal_effects(discrete=[]).comparisons == none.comparisons
    np.testing.assert_allclose(both.estimate[:, 1], auto.estimate[:, 1], rtol=1e-12)
    np.testing.assert_allclose(auto.estimate[:, 0], none.estimate[:, 0], rtol=1e-12)
    P = found.adjusted_predictions({"sex": [1, 2]}).estimate
    np.testing.assert_allclose(both.estimate[:, 2], P[1] - P[0], rtol=1e-11)


def test_columns_of_zeros_and_ones_are_those_of_the_training_samples(mixed):
    """A sample to predict does not change what an effect is, and one without weight neither."""
    X, y, found = mixed
    assert found.marginal_effects(X=X[:1]).comparisons == ["slope", "0 to 1", "slope"]
    other = X.copy()
    other.loc[0, "smoker"] = 0.5
    weight = np.ones(300)
    assert inference_of(other, y, weight).marginal_effects().comparisons == ["slope"] * 3
    weight[0] = 0.0
    assert inference_of(other, y, weight).marginal_effects().comparisons[1] == "0 to 1"


@pytest.mark.parametrize("at", ["median", None, 3, ["age"], {"age"}, np.zeros(3)])
def test_no_place(mixed, at):
    for method in (mixed[2].marginal_effects, mixed[2].adjusted_predictions):
        with pytest.raises(
            ValueError, match=r"at is .*: pass 'overall', 'mean', or a dict with the"
        ):
            method(at=at)


@pytest.mark.parametrize("key", ["Age", "intercept", 3, -1, True, None, 0.0, ("age",)])
def test_no_feature(mixed, key):
    match = r"has .*, which is no column: pass some of 'age', 'smoker', 'sex'\."
    for method in (mixed[2].marginal_effects, mixed[2].adjusted_predictions):
        with pytest.raises(ValueError, match=match):
            method(at={key: 1.0})
    with pytest.raises(ValueError, match=match):
        mixed[2].marginal_effects(discrete=[key])


@pytest.mark.parametrize("value", ["old", None, [], [[1.0]], 1j, ["1"]])
def test_no_number(mixed, value):
    with pytest.raises(ValueError, match=r"at\['age'\] is .*: pass a number, or a list of"):
        mixed[2].adjusted_predictions({"age": value})


@pytest.mark.parametrize("value", [np.nan, np.inf, [0.0, -np.inf]])
def test_no_finite_number(mixed, value):
    with pytest.raises(ValueError, match=r"at\['age'\] is .*: pass finite numbers"):
        mixed[2].adjusted_predictions({"age": value})


def test_one_feature_twice(mixed):
    with pytest.raises(ValueError, match="at has two values for one column"):
        mixed[2].adjusted_predictions({"age": 1, 0: 2})


def test_effects_at_several_values(mixed):
    with pytest.raises(ValueError, match="at has 4 combinations of values: pass one value for"):
        mixed[2].marginal_effects(at={"age": [0, 1], "sex": [1, 2]})
    one = mixed[2].marginal_effects(at={"age": [1.0]})
    np.testing.assert_array_equal(one.low, mixed[2].marginal_effects(at={"age": 1}).low)


@pytest.mark.parametrize("discrete", ["all", "smoker", 1, True, {"smoker": 1}])
def test_no_features(mixed, discrete):
    with pytest.raises(ValueError, match=r"discrete is .*: pass 'auto', None, or a list of"):
        mixed[2].marginal_effects(discrete=discrete)


def test_more_than_two_values(mixed):
    match = "discrete has 'age', which does not have exactly two values in the training samples"
    with pytest.raises(ValueError, match=match):
        mixed[2].marginal_effects(discrete=["smoker", "age"])
