"""The minimum of a softmax regression with offsets, by damped Newton steps."""

import numpy as np
from scipy.special import log_softmax, softmax


def least_objective(X, Y, O, C=1.0, weight=None, fit_intercept=True):
    """Minimum of the objective for targets Y and offsets O, both (n, K).

    For two classes C is that of the model with one logit. Levenberg's damping of the Hessian makes
    the steps safe where offsets of 1e4 leave no curvature; they end when the objective no longer
    falls.
    """
    n, K = Y.shape
    A = np.column_stack([X, np.ones(n)]) if fit_intercept else X
    w = np.ones(n) if weight is None else weight
    p = A.shape[1]
    ridge = np.full(p, 1 / (C / 2 if K == 2 else C))  # two rows +-v/2 have half the squares of v
    ridge[X.shape[1] :] = 0
    across = np.kron(np.eye(K) - 1 / K, np.diag(ridge))

    def value(T):
        losses = -np.where(Y > 0, Y * log_softmax(A @ T.T + O, axis=1), 0).sum(axis=1)
        T = T[:, ridge > 0]
        return w @ losses + 0.5 * (ridge[ridge > 0] * (T - T.mean(axis=0)) ** 2).sum()

    T = np.zeros((K, p))
    F = value(T)
    for _ in range(400):
        P = softmax(A @ T.T + O, axis=1)
        gradient = ((P - Y) * w[:, None]).T @ A + ridge * (T - T.mean(axis=0))
        H = hessian(A, P, w) + across
        damping, fall = 1e-12 * np.trace(H) + 1e-300, 0.0
        while fall <= 0 and damping < 1e12:
            step = np.linalg.lstsq(H + damping * np.eye(K * p), gradient.ravel())[0]
            trial = T - step.reshape(K, p)
            fall, damping = F - value(trial), max(10 * damping, 1e-10)
        if not fall > 1e-15 * F:
            return F
        T, F = trial, F - fall
    raise AssertionError("the reference did not converge: this problem tests nothing")


def hessian(A, P, w):
    """Hessian (K p, K p) of the loss of samples A with probabilities P and weights w."""
    p, K = A.shape[1], P.shape[1]
    H = np.empty((K, p, K, p))
    for k in range(K):
        for j in range(K):
            c = w * P[:, k] * ((k == j) - P[:, j])
            H[k, :, j] = A.T @ (c[:, None] * A)
    return H.reshape(K * p, K * p)


def decrement(clf, X, y, O):
    """The gap of a fit of labels with an intercept near its minimum, half of g' H^-1 g."""
    K = O.shape[1]
    two = np.array([[-0.5], [0.5]])
    W, b = (two * clf.coef_, two[:, 0] * clf.intercept_) if K == 2 else (clf.coef_, clf.intercept_)
    A, T = np.column_stack([X, np.ones(len(X))]), np.column_stack([W, b])
    ridge = np.append(np.full(X.shape[1], 1 / (clf.C / 2 if K == 2 else clf.C)), 0)
    P = softmax(A @ T.T + O, axis=1)
    g = ((P - np.eye(K)[y]).T @ A + ridge * T).ravel()
    H = hessian(A, P, np.ones(len(X))) + np.kron(np.eye(K) - 1 / K, np.diag(ridge))
    return 0.5 * g @ np.linalg.pinv(H, hermitian=True) @ g
