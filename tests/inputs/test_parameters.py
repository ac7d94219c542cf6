"""Parameters of classifiers are checked, and errors name the parameter."""

import re

import numpy as np
import pytest
from fit_samples import Y2, X

from skxent import SoftmaxClassifier

PARAMETERS = {
    "C": [0, -1.0, np.nan, "1", None, True, 1j, [1.0], 1e-320],
    "tol": [0, -1e-3, np.nan, "1", None, True],
    "max_iter": [-1, 2.5, "1", None, True],
    "fit_intercept": ["no", None, 2, 0, np.ones(2)],
    "warm_start": ["no", None, 1],
    "n_jobs": [0, 1.5, "2", True],
    "verbose": [-1, "yes", None, 0.5],
    "class_weight": [
        "Balanced",
        [1, 2],
        3,
        {"7": 1.0},
        {0: -1},
        {0: np.nan},
        {1: "a"},
        {0: 0, 1: 0},
    ],
}


@pytest.mark.parametrize(
    "name, value", [(name, value) for name, values in PARAMETERS.items() for value in values]
)
def test_bad_parameters(name, value):
    clf = SoftmaxClassifier(**{name: value})
    with pytest.raises(ValueError, match=name):
        clf.fit(X, Y2)
    assert not hasattr(clf, "n_features_in_")


def test_a_bad_parameter_is_quoted():
    with pytest.raises(ValueError, match=re.escape("C is -1: pass a positive number")):
        SoftmaxClassifier(C=-1).fit(X, Y2)


def test_good_values_of_other_types():
    """NumPy's numbers, and whole numbers where real ones are expected."""
    clf = SoftmaxClassifier(
        C=np.float32(1),
        tol=np.float64(1e-6),
        max_iter=np.int64(50),
        fit_intercept=np.True_,
        verbose=False,
    )
    plain = SoftmaxClassifier(C=1)
    assert np.array_equal(clf.fit(X, Y2).coef_, plain.fit(X, Y2).coef_)
