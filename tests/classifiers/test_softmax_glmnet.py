"""Factors of the penalty against R's glmnet 4.1-6: penalty.factor, alpha=0, standardize=FALSE.

glmnet divides the losses by n, and rescales the factors f to a sum of d: lambda = sum(f) / (d C n).
The numbers are from `thresh=1e-20` and a path of 17 values that ends at this lambda.
"""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_wine

from skxent import SoftmaxClassifier


def test_two_classes():
    """lambda = sum(f) / (6 * 10 * 569), the last of a path of 17 values."""
    X, y = load_breast_cancer(return_X_y=True)
    clf = SoftmaxClassifier(10, penalty_factor=[0, 1, 0.5, 3, 0.01, 0], tol=1e-12)
    clf.fit(X[:, :6], y)
    coef = [4.9708065871, -0.3198375042, -0.4182039595, -0.0393549391, -80.5067490558]
    np.testing.assert_allclose(clf.coef_[0], [*coef, -10.0071091327], rtol=2e-7)
    assert clf.intercept_[0] == pytest.approx(8.5642952396, rel=2e-7)


def test_three_classes():
    """lambda = sum(f) / (6 * 178), family="multinomial"."""
    X, y = load_wine(return_X_y=True)
    clf = SoftmaxClassifier(penalty_factor=[1, 0, 2, 0.5, 0.1, 4], tol=1e-12).fit(X[:, :6], y)
    expected = [
        [1.5199045234, 0.0904212596, 1.0584106359, -0.3719967559, 0.0225506168, 0.9995445843],
        [
            -2.0409425755,
            -0.5552303286,
            -1.1552156185,
            0.1881127779,
            -0.0260964045,
            0.3773249335,
        ],
        [0.5210380520, 0.4648090690, 0.0968049826, 0.1838839780, 0.0035457877, -1.3768695178],
    ]
    np.testing.assert_allclose(clf.coef_, expected, rtol=1e-7)
    intercept = [-19.9867628155, 28.9448570232, -8.9580942077]
    np.testing.assert_allclose(clf.intercept_, intercept, rtol=1e-8)
