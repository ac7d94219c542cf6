"""Reading factors of the penalty: arrays, dictionaries by feature name, and wrong ones."""

import array_api_strict as strict
import numpy as np
import pandas as pd
import pytest
from sklearn import config_context

from skxent.inputs.penalty_factors import penalty_factors


class Model:
    """An estimator that knows three features."""

    n_features_in_ = 3

    def __init__(self, penalty_factor, names=None):
        self.penalty_factor = penalty_factor
        if names is not None:
            self.feature_names_in_ = np.array(names, dtype=object)


NAMES = ["age", "dose", "sex"]


@pytest.mark.parametrize(
    "given",
    [
        [1, 0, 2.5],
        (1.0, 0.0, 2.5),
        np.array([1, 0, 2.5], dtype=np.float32),
        np.array([1, 0, 2.5], dtype=object),
        pd.Series([1, 0, 2.5]),
        pd.Series([1, 0, 2.5], index=NAMES),
        {"dose": 0, "sex": 2.5},
        {"sex": 2.5, "dose": np.float64(0.0), "age": 1},
    ],
    ids=lambda given: type(given).__name__,
)
def test_values(given):
    factors = penalty_factors(Model(given, NAMES), 1.0)
    assert factors.dtype == np.float64
    np.testing.assert_array_equal(factors, [1.0, 0.0, 2.5])


def test_an_array_on_a_device():
    with config_context(array_api_dispatch=True):
        factors = penalty_factors(Model(strict.asarray([1.0, 0.0, 2.5])), 1.0)
    np.testing.assert_array_equal(factors, [1.0, 0.0, 2.5])


@pytest.mark.parametrize("given", [None, [1, 1, 1], {}, {"age": 1.0}], ids=str)
def test_factors_of_one_are_none(given):
    assert penalty_factors(Model(given, NAMES), 1.0) is None


def test_the_argument_is_not_changed():
    given = np.array([1.0, 0.0, 2.5])
    penalty_factors(Model(given), 1.0)[0] = 7.0
    assert given[0] == 1.0


WRONG = {
    "short": ([1, 2], "has shape (2,), but X has 3 features: pass a finite number"),
    "two dimensions": ([[1, 2, 3]], "has shape (1, 3), but X has 3 features"),
    "a number": (2.0, "has shape (), but X has 3 features"),
    "negative": ([1, -2, 1], "is -2 at index 1: pass a finite number, 0 or more"),
    "infinite": ([1, 1, np.inf], "is inf at index 2: pass a finite number, 0 or more"),
    "missing": ([np.nan, 1, 1], "is nan at index 0: pass a finite number, 0 or more"),
    "text": (["1", "2", "3"], "is ['1', '2', '3']: pass a finite number"),
    "nothing": ([1, None, "x"], "is [1, None, 'x']: pass a finite number"),
    "complex": ([1j, 1, 1], "is [1j, 1, 1]: pass a finite number"),
    "overflow": ([1, 1, 1e308], "is 1e+308 at index 2: its quotient by C=0.01 overflows"),
    "names without names": ({"age": 0}, "is a dict of feature names, but X has no feature names"),
}


@pytest.mark.parametrize(("given", "message"), WRONG.values(), ids=WRONG.keys())
def test_wrong_factors(given, message):
    with pytest.raises(ValueError, match=r"^penalty_factor ") as error:
        penalty_factors(Model(given), 0.01)
    assert message in str(error.value)


NAMED = {
    "unknown": ({"weight": 0}, "has the key 'weight', which is no feature of X: pass keys among"),
    "negative": ({"dose": -1}, "is -1 for feature 'dose': pass a finite number, 0 or more"),
    "another order": (pd.Series([0, 1, 2], index=NAMES[::-1]), "in another order than X"),
}


@pytest.mark.parametrize(("given", "message"), NAMED.values(), ids=NAMED.keys())
def test_wrong_factors_by_name(given, message):
    with pytest.raises(ValueError, match=r"^penalty_factor ") as error:
        penalty_factors(Model(given, NAMES), 1.0)
    assert message in str(error.value)
