"""Wald tests of linear hypotheses."""

import numpy as np
import pandas as pd
import pytest
from inferences import inference_of


def test_wald_test_of_one_coefficient_is_its_z(named_data):
    found = inference_of(*named_data[3])
    for j in range(8):
        test = found.wald_test(np.eye(8)[j])
        assert test.statistic == pytest.approx(found.z.ravel()[j] ** 2, rel=1e-10)
        assert test.p_value == pytest.approx(found.p_values.ravel()[j], rel=1e-9)
        assert found.wald_test(np.eye(8)[j], found.coef.ravel()[j]).p_value == pytest.approx(1)


def test_wald_test_does_not_depend_on_the_rows_of_hypotheses(named_data):
    found = inference_of(*named_data[3])
    rng = np.random.default_rng(0)
    R, mix = rng.normal(size=(3, 8)), rng.normal(size=(3, 3)) * [[1e6], [1], [1e-6]]
    expected = found.wald_test(R, [0.1, 0.2, 0.3]).statistic
    again = found.wald_test(mix @ R, mix @ [0.1, 0.2, 0.3]).statistic
    assert again == pytest.approx(expected, rel=1e-6)


def test_wald_test_of_what_is_no_hypothesis(named_data):
    X, y = named_data[3]
    found = inference_of(X, y)
    for R, r, match in (
        (np.eye(7), 0, r"R has shape \(7, 7\): .* with a column for each of the 8"),
        (np.eye(8)[[0, 0]], 0, "rows that depend on each other"),
        (np.eye(8)[[0, 1]] * [[1], [0]], 0, "rows that depend on each other"),
        (np.ones((1, 2, 8)), 0, r"R has shape \(1, 2, 8\)"),
        (
            np.eye(8)[[0, 1]],
            [1, 2, 3],
            r"r is \[1, 2, 3\]: pass a finite number, or one for each of the 2 rows",
        ),
        (np.eye(8)[[0, 1]], [1, np.nan], r"r is \[1, nan\]: pass a finite number"),
    ):
        with pytest.raises(ValueError, match=match):
            found.wald_test(R, r)
    few = inference_of(X, y, covariance="cluster", groups=np.arange(300) % 5)
    assert few.wald_test(np.eye(8)[:4]).df == 4
    with pytest.raises(ValueError, match="as many rows as the covariance has groups"):
        few.wald_test(np.eye(8)[:6])


BAD_R = {
    "text": ("a", TypeError),
    "nested text": ([["a"] * 8], TypeError),
    "none": (None, ValueError),
    "complex": (np.ones((1, 8)) * 1j, TypeError),
    "empty": (np.empty((0, 8)), ValueError),
    "wide": (np.ones((1, 9)), ValueError),
    "deep": (np.ones((1, 1, 8)), ValueError),
    "nan": (np.full((1, 8), np.nan), ValueError),
    "infinite": (np.full((1, 8), np.inf), ValueError),
    "zero": (np.zeros((1, 8)), ValueError),
    "repeated": (np.ones((2, 8)), ValueError),
    "an object": ([[object()] * 8], TypeError),
}


@pytest.mark.parametrize(("R", "error"), BAD_R.values(), ids=BAD_R)
def test_hypotheses_that_are_none(fitted, R, error):
    with pytest.raises(error, match=r"^R\b"):
        fitted[3].wald_test(R)


@pytest.mark.parametrize("r", ["a", None, [1.0, 2.0], np.nan, np.inf, 1j, [[1.0]], object()])
def test_right_hand_sides_that_are_none(fitted, r):
    with pytest.raises((TypeError, ValueError), match=r"^r\b"):
        fitted[3].wald_test(np.eye(8)[0], r)


@pytest.mark.parametrize("factor", [1e-300, 1e-200, 3.0, 1e160, 1e300, 5e-324])
@pytest.mark.parametrize("seed", range(3))
def test_a_hypothesis_times_a_number_is_the_same(fitted, factor, seed):
    rng = np.random.default_rng(seed)
    R, r = rng.integers(-3, 4, (2, 8)).astype(float), rng.integers(0, 2, 2).astype(float)
    R[:, seed] += [7.0, 0.0]
    one = fitted[3].wald_test(R, r)
    for rows in (R * factor, pd.DataFrame(R * factor)):
        other = fitted[3].wald_test(rows, r * factor)
        assert other.statistic == pytest.approx(one.statistic, rel=1e-10)
        assert other.df == one.df == 2
