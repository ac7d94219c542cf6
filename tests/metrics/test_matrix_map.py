"""The map with a slope for each pair of classes is a softmax regression with an offset."""

import numpy as np
import pytest
from scipy.special import log_softmax

from skxent import SoftmaxClassifier
from skxent.metrics.matrix_map import MatrixProblem


def draw(K, n=300):
    rng = np.random.default_rng(K)
    Z = rng.normal(size=(n, K))
    y = (Z @ (np.eye(K) + 0.3 * rng.normal(size=(K, K))) + rng.gumbel(size=(n, K))).argmax(axis=1)
    return log_softmax(2 * Z, axis=1), y, rng.random(n) + 0.1


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("K", [2, 3, 6])
def test_it_is_a_fit_with_an_offset(K, soft):
    L, y, w = draw(K)
    target = np.random.default_rng(0).dirichlet(np.ones(K), len(y)) if soft else y
    problem = MatrixProblem.of(L, target, w, 1e-9, 0.6)
    fitted = problem.fitted(problem.fit(0.2))
    X = np.append(problem.frame.coordinates(L), np.ones((len(L), 1)), axis=1)
    # Two classes have one row of coefficients, whose squares count half.
    C = 0.4 if K == 2 else 0.2
    clf = SoftmaxClassifier(C=C, fit_intercept=False, tol=1e-10)
    clf.fit(X, target, w, offset=0.6 * L)
    expected = clf.predict_log_proba(X, offset=0.6 * L)
    found = log_softmax(fitted.map.logits(L), axis=1)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    Y = target if soft else np.eye(K)[y]
    loss = -np.average((Y * found).sum(axis=1), weights=w)
    assert fitted.value == pytest.approx(loss, rel=1e-9)
    slope, intercept = fitted.map.parameters
    Z = L - L.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(log_softmax(Z @ slope.T + intercept, axis=1), found, atol=1e-10)
    assert 0 <= fitted.gap <= fitted.target
    assert fitted.finite


def test_a_strong_penalty_leaves_the_reference():
    L, y, w = draw(4)
    problem = MatrixProblem.of(L, y, w, 1e-9, 0.6)
    slope, intercept = problem.fitted(problem.fit(1e-10)).map.parameters
    np.testing.assert_allclose(slope, 0.6 * np.eye(4), atol=1e-6)
    np.testing.assert_allclose(intercept - intercept.mean(), 0.0, atol=1e-6)


def test_start_at_another_penalty():
    L, y, w = draw(3)
    problem = MatrixProblem.of(L, y, w, 1e-9, 0.6)
    first = problem.fit(10.0)
    again = problem.fit(0.1, first)
    np.testing.assert_allclose(again.coef, problem.fit(0.1).coef, atol=1e-5)
