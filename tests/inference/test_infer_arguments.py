"""Arguments of the methods of an inference: the right answer, or an error that names them."""

import numpy as np
import pytest

from skxent import infer


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
