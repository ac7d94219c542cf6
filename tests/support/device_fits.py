"""Fits on a device to compare with fits of the same samples in NumPy arrays."""

import numpy as np
import pytest

from skxent.inputs.namespaces import to_numpy

METHODS = ["decision_function", "predict", "predict_proba", "predict_log_proba"]


def assert_same_fit(clf, expected, library, X, y, rtol=1e-6):
    """Everything that was fitted or is predicted is there, and equal."""
    assert clf.converged_
    assert clf.objective_ == pytest.approx(expected.objective_, rel=1e-9)
    assert clf.log_likelihood_ == pytest.approx(expected.log_likelihood_, rel=1e-6)
    for name in ("coef_", "intercept_", "objective_curve_"):
        assert library.has(getattr(clf, name))
    for name in ("coef_", "intercept_"):
        values, known = to_numpy(getattr(clf, name)), getattr(expected, name)
        np.testing.assert_allclose(values, known, rtol=0, atol=rtol * max(abs(known).max(), 1e-3))
    there = library.array(X)
    for method in METHODS:
        values, known = getattr(clf, method)(there), getattr(expected, method)(X)
        assert library.has(values)
        assert str(values.dtype).endswith(str(known.dtype))
        scale = 1.0 if method == "predict_proba" else max(np.abs(known).max(), 1.0)
        np.testing.assert_allclose(to_numpy(values), known, rtol=0, atol=1e-6 * scale)


def problem(n=150, d=4, K=3, seed=0):
    rng = np.random.default_rng([seed, n, d, K])
    X = rng.normal(size=(n, d)) * np.logspace(-1, 2, d) + np.arange(d)
    y = ((X / np.logspace(-1, 2, d)) @ rng.normal(size=(d, K)) + rng.gumbel(size=(n, K))).argmax(1)
    y[:K] = np.arange(K)
    return X, y
