"""Inferences of fits without penalty, and the same ones by statsmodels."""

import warnings

import numpy as np
import statsmodels.api as sm

from skxent import SoftmaxClassifier, infer

RTOL = 1e-7
# Covariance of `infer` -> `cov_type` of statsmodels.
COVARIANCES = {"observed": "nonrobust", "robust": "HC0", "cluster": "cluster"}


def fit(X, y, weight=None, **settings):
    return SoftmaxClassifier(**{"C": np.inf, **settings}).fit(X, y, weight)


def inference_of(X, y, weight=None, covariance="observed", groups=None, reference=None, **settings):
    """Fit a classifier with `settings`, without penalty by default, and infer from it."""
    groups = groups if covariance == "cluster" else None
    clf = fit(X, y, weight, **settings)
    return infer(clf, X, y, weight, covariance=covariance, groups=groups, reference=reference)


def assert_close(found, expected, rtol=RTOL):
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol * np.abs(expected).max() / 100)


def oracle_of(X, y, covariance="observed", groups=None, intercept=True):
    """Statsmodels' result, intercept last like ours."""
    model = sm.Logit if y.max() == 1 else sm.MNLogit
    exog = sm.add_constant(X, prepend=False) if intercept else X
    settings = {"groups": groups} if covariance == "cluster" else None
    with warnings.catch_warnings():  # its own keyword surprises statsmodels 0.15
        warnings.simplefilter("ignore", FutureWarning)
        return model(y, exog).fit(
            method="newton",
            tol=1e-14,
            disp=False,
            cov_type=COVARIANCES.get(covariance, covariance),
            cov_kwds=settings,
        )


def flat(values):
    """Statsmodels has a column for each class."""
    return np.asarray(values).ravel("F")
