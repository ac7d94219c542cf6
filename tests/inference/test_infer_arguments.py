"""Arguments of the methods of an inference: the right answer, or an error that names them."""

import numpy as np
import pandas as pd
import pytest

from skxent import SoftmaxClassifier, infer


@pytest.fixture(scope="module")
def fitted(generate):
    X, y = generate(200, 3, 3)
    clf = SoftmaxClassifier(C=np.inf).fit(X, y)
    return clf, X, y, infer(clf, X, y)


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


def test_a_model_to_compare_that_is_none(fitted):
    clf, _, _, found = fitted
    for other in (clf, 1.0, "a", [found]):
        with pytest.raises(TypeError, match=r"^other is a .*: pass what infer returns"):
            found.likelihood_ratio_test(other)


@pytest.mark.parametrize("reference", [np.array([1, 2]), [1], {}, np.nan, "1", 7, (1,)])
def test_references_that_are_no_class(fitted, reference):
    clf, X, y, _ = fitted
    with pytest.raises(ValueError, match=r"^reference is .*: pass one of the classes \[0, 1, 2\]"):
        infer(clf, X, y, reference=reference)


@pytest.mark.parametrize("covariance", [None, "HC0", ["robust"], np.array(["robust"]), 1])
def test_covariances_that_are_none(fitted, covariance):
    clf, X, y, _ = fitted
    with pytest.raises(ValueError, match=r"^covariance is .*: pass one of \('observed'"):
        infer(clf, X, y, covariance=covariance)
