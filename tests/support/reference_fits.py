"""Other ways to the results of a fit, to compare with."""

import numpy as np
from sklearn.linear_model import LogisticRegression

import skxent
from skxent import SoftmaxClassifier


def minimiser(X, y, sample_weight=None, **settings):
    """Coefficients of LogisticRegression as near to the minimum as it goes."""
    clf = LogisticRegression(solver="newton-cholesky", tol=1e-12, max_iter=500, **settings)
    return clf.fit(X, y, sample_weight)


def assert_same_model(clf, other, atol=1e-6):
    """Within 1e-6; the intercepts of scikit-learn's softmax do not sum to zero."""
    np.testing.assert_array_equal(clf.classes_, other.classes_)
    centre = (lambda a: a - a.mean(axis=0)) if len(clf.coef_) > 1 else np.asarray
    np.testing.assert_allclose(clf.coef_, centre(other.coef_), rtol=0, atol=atol)
    np.testing.assert_allclose(
        clf.intercept_, centre(np.broadcast_to(other.intercept_, len(clf.coef_))), rtol=0, atol=atol
    )


WEIGHTS = {"none": None, "weights": np.random.default_rng(0).uniform(0, 3, size=200)}


def left_out_losses(X, y, C, weight=None, **settings):
    """Loss of each sample in a fit without it, by as many fits."""
    n = len(y)
    result = np.empty(n)
    for i in range(n):
        keep = np.arange(n) != i
        clf = SoftmaxClassifier(C, tol=1e-10, **settings)
        clf.fit(X[keep], y[keep], None if weight is None else weight[keep])
        result[i] = -skxent.cce_scorer(clf, X[[i]], y[[i]])
    return result
