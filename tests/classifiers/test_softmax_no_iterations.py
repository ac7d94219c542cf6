"""max_iter=0: the fit measures where it begins, as scikit-learn's LogisticRegression does."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from skxent import LogisticClassifier, SoftmaxClassifier

FORMS = {
    "small": (80, 3, 3, np.asarray),
    "two classes": (80, 3, 2, np.asarray),
    "wide": (20, 60, 3, np.asarray),
    "sparse": (300, 40, 3, sp.csr_array),
    "sampled": (60_000, 20, 3, np.asarray),  # other fits of this size begin at a sample's minimum
}


@pytest.fixture(params=FORMS)
def problem(request, generate):
    n, d, K, form = FORMS[request.param]
    X, y = generate(n, d, K)
    return form(X), y


@pytest.mark.parametrize("weighted", [False, True])
def test_stays_at_zero(problem, optimum, weighted):
    X, y = problem
    weight = 0.5 + np.arange(len(y)) % 3 if weighted else np.ones(len(y))
    clf = SoftmaxClassifier(max_iter=0)
    with pytest.warns(ConvergenceWarning, match="stopped after 0 iterations.*raise max_iter"):
        clf.fit(X, y, weight)
    rival = LogisticRegression(max_iter=0, solver="newton-cholesky")
    with pytest.warns(ConvergenceWarning):
        rival.fit(X, y, weight)
    K = len(clf.classes_)
    assert clf.coef_.shape == rival.coef_.shape
    assert not clf.coef_.any()
    assert not rival.coef_.any()
    assert np.abs(clf.intercept_).max() < 1e-12
    assert clf.n_iter_ == rival.n_iter_[0] == 0
    assert not clf.converged_
    assert clf.objective_ == pytest.approx(weight.sum() * np.log(K), rel=1e-12)
    assert -clf.log_likelihood_ == pytest.approx(clf.objective_, rel=1e-12)
    assert clf.objective_curve_.shape == (0, 2)
    assert clf.optimality_gap_ > 1.0


def test_stays_at_the_warm_start(problem):
    X, y = problem
    clf = SoftmaxClassifier(warm_start=True, tol=1e-9).fit(X, y)
    coef, intercept = clf.coef_ + 0.5, clf.intercept_
    coef -= coef.mean(axis=0) if len(coef) > 1 else 0.0
    clf.coef_ = coef
    clf.set_params(max_iter=0)
    if len(coef) == 1:  # the move would be no move otherwise, and the fit be at its optimum
        with pytest.warns(ConvergenceWarning, match="after 0 iterations"):
            clf.fit(X, y)
        assert not clf.converged_
    else:
        clf.fit(X, y)
        assert clf.converged_
    if X.shape[0] > X.shape[1]:
        np.testing.assert_allclose(clf.coef_, coef, rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(clf.intercept_, intercept, rtol=1e-5, atol=1e-6)
    assert clf.n_iter_ == 0


def test_a_binary_classifier_too(generate):
    X, y = generate(50, 3, 2)
    with pytest.warns(ConvergenceWarning, match="after 0 iterations"):
        clf = LogisticClassifier(max_iter=0).fit(X, y)
    np.testing.assert_array_equal(clf.predict_proba(X), 0.5)
