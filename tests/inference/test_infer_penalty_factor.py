"""Inference from fits with a factor of the penalty for each feature."""

import numpy as np
import pandas as pd
import pytest

from skxent import InferenceWarning, SoftmaxClassifier, infer

FACTORS = np.array([2.0, 0.5, 0.0])


def drawn(n=150, d=3, K=3, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    return X, (X @ rng.normal(size=(d, K)) + rng.gumbel(size=(n, K))).argmax(axis=1)


def inference_of(X, y, **settings):
    clf = SoftmaxClassifier(**settings).fit(X, y)
    with pytest.warns(InferenceWarning):
        return infer(clf, X, y)


@pytest.mark.parametrize("K", [2, 3])
def test_positive_factors_are_those_of_scaled_columns(K):
    X, y = drawn(K=K)
    root = np.sqrt([2.0, 0.5, 1.3])
    found = inference_of(X, y, C=0.3, penalty_factor=root**2)
    scaled = inference_of(X / root, y, C=0.3)
    unit = np.append(root, 1.0)
    assert found.df == pytest.approx(scaled.df, rel=1e-9)
    assert found.log_likelihood == pytest.approx(scaled.log_likelihood, rel=1e-10)
    np.testing.assert_allclose(found.coef * unit, scaled.coef, rtol=1e-7)
    np.testing.assert_allclose(found.standard_errors * unit, scaled.standard_errors, rtol=1e-7)


@pytest.mark.parametrize("K", [2, 3])
def test_effective_parameters_and_posterior_by_central_differences(K):
    """H from the objective written out; J is H without the penalty's part."""
    X, y = drawn(K=K)
    C = 0.3
    found = inference_of(X, y, C=C, penalty_factor=FACTORS)
    free, p = K - 1, 4
    S = np.column_stack([X, np.ones(len(X))])
    # Parameters of all classes but the first, which is the reference.
    across = np.eye(free) - (1 / K if K > 2 else 0)
    ridge = np.kron(across, np.diag(np.append(FACTORS, 0.0) / C))

    def loss(flat):
        Z = np.column_stack([np.zeros(len(S)), S @ flat.reshape(free, p).T])
        return (np.logaddexp.reduce(Z, axis=1) - Z[np.arange(len(y)), y]).sum()

    flat, h = found.coef.ravel(), 1e-3
    q = len(flat)
    J = np.empty((q, q))
    for i, j in np.ndindex(q, q):
        e, f = np.eye(q)[i] * h, np.eye(q)[j] * h
        ends = loss(flat + e + f) - loss(flat + e - f) - loss(flat - e + f) + loss(flat - e - f)
        J[i, j] = ends / (4 * h * h)
    H = J + ridge
    np.testing.assert_allclose(found.covariance, np.linalg.inv(H), rtol=1e-4, atol=1e-6)
    assert found.df == pytest.approx(np.trace(np.linalg.solve(H, J)), rel=1e-5)
    slope = np.array([(loss(flat + e) - loss(flat - e)) / (2 * h) for e in np.eye(q) * h])
    np.testing.assert_allclose(slope + ridge @ flat, 0.0, atol=1e-4)


def test_texts():
    X, y = drawn()
    clf = SoftmaxClassifier(penalty_factor=FACTORS).fit(X, y)
    with pytest.warns(InferenceWarning, match=r"under the prior N\(0, C / penalty_factor\)"):
        found = infer(clf, X, y)
    np.testing.assert_array_equal(found.penalty_factor, FACTORS)
    assert "prior N(0, C / penalty_factor)" in found.summary()
    assert found.penalised
    assert np.isnan(found.p_values).all()
    plain = inference_of(X, y)
    assert plain.penalty_factor is None
    assert "prior N(0, C)." in plain.summary()


def test_factors_of_zero_are_no_penalty():
    X, y = drawn()
    found = infer(SoftmaxClassifier(penalty_factor=np.zeros(3)).fit(X, y), X, y)
    plain = infer(SoftmaxClassifier(C=np.inf).fit(X, y), X, y)
    assert not found.penalised
    assert found.df == plain.df == 8
    np.testing.assert_allclose(found.p_values, plain.p_values, rtol=1e-6)
    assert found.summary() == plain.summary()


def test_dependent_columns_without_a_penalty_are_named():
    X, y = drawn()
    frame = pd.DataFrame(np.column_stack([X, X[:, 2], X[:, 0]]), columns=list("abcde"))
    clf = SoftmaxClassifier(penalty_factor={"c": 0, "d": 0}).fit(frame, y)
    with pytest.raises(ValueError, match=r"'[cd]' is a linear combination of '[cd]' and the inter"):
        infer(clf, frame, y)
    clf = SoftmaxClassifier(penalty_factor={"c": 0, "d": 1}).fit(frame, y)
    with pytest.warns(InferenceWarning):
        infer(clf, frame, y)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_separation_by_a_feature_without_a_penalty_is_named():
    X, y = drawn(K=2)
    X[:, 1] = np.abs(X[:, 1]) * np.where(y == 1, 1, -1)
    clf = SoftmaxClassifier(penalty_factor=[1.0, 0.0, 1.0]).fit(X, y)
    with pytest.raises(ValueError, match=r"x1 separates.*Pass a penalty_factor above 0 for these"):
        infer(clf, X, y)
