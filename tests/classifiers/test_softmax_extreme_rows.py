"""Rows with placeholders: other rows keep their digits, or the fit says that they do not.

The reference is Newton's method in long double, in orthonormal columns made by Gram-Schmidt.
"""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.exceptions import ConvergenceWarning

from skxent import SoftmaxClassifier
from skxent.likelihood.optimise.row_factor import Extreme
from skxent.likelihood.sources.local_rows import LocalRows

WIDE = np.longdouble

pytestmark = pytest.mark.skipif(
    np.finfo(WIDE).eps > 1e-18, reason="the reference needs a long double of 64 bits or more"
)


class Reference:
    """Two classes, with an intercept."""

    def __init__(self, X, y, C):
        self.A = np.column_stack([np.ones(len(X), WIDE), X.astype(WIDE)])
        self.sign, self.C = np.where(y == 1, 1, -1).astype(WIDE), WIDE(C)
        p = self.A.shape[1]
        # The constant comes last, so that the placeholder is in one of the other directions alone.
        order = [*range(1, p), 0]
        self.Q, R = np.zeros_like(self.A), np.zeros((p, p), WIDE)
        for j in range(p):
            v = self.A[:, order[j]].copy()
            for i in [*range(j)] * 3:  # three times over is orthogonal
                s = self.Q[:, i] @ v
                R[i, j] += s
                v = v - s * self.Q[:, i]
            R[j, j] = np.sqrt(v @ v)
            self.Q[:, j] = v / R[j, j]
        inverse = np.column_stack([_backward(R, e) for e in np.eye(p, dtype=WIDE)])
        self.M = inverse[:-1].T @ inverse[:-1] / self.C

    def losses(self, logits):
        z = self.sign * logits
        return np.log1p(np.exp(-np.abs(z))) + np.maximum(-z, 0)

    def objective(self, clf):
        """Of a fitted classifier's parameters."""
        parameters = np.append(clf.intercept_, clf.coef_).astype(WIDE)
        penalty = (parameters[1:] ** 2).sum() / (2 * self.C)
        return self.losses(self.A @ parameters).sum() + penalty

    @property
    def minimum(self):
        g = np.zeros(self.A.shape[1], WIDE)
        value = self.value(g)
        for _ in range(300):
            z = self.sign * (self.Q @ g)
            e = np.exp(-np.abs(z))
            slope = self.M @ g - self.Q.T @ (self.sign * np.where(z > 0, e, 1) / (1 + e))
            H = (self.Q * (e / (1 + e) ** 2)[:, None]).T @ self.Q + self.M
            step = -_solve(H + np.eye(len(g)) * WIDE(1e-30), slope)
            t = WIDE(1)
            while t > 1e-12 and not self.value(g + t * step) <= value:
                t /= 2
            g = g + t * step
            value = min(value, self.value(g))
            if -slope @ step < 1e-22:
                break
        return value

    def value(self, g):
        return self.losses(self.Q @ g).sum() + g @ self.M @ g / 2


def _backward(R, b):
    x = np.zeros_like(b)
    for i in range(len(b) - 1, -1, -1):
        x[i] = (b[i] - R[i, i + 1 :] @ x[i + 1 :]) / R[i, i]
    return x


def _solve(H, b):
    """Cholesky in long double, which LAPACK does not have."""
    n = len(b)
    L, u = np.zeros_like(H), np.zeros_like(b)
    for j in range(n):
        L[j, j] = np.sqrt(H[j, j] - L[j, :j] @ L[j, :j])
        for i in range(j + 1, n):
            L[i, j] = (H[i, j] - L[i, :j] @ L[j, :j]) / L[j, j]
        u[j] = (b[j] - L[j, :j] @ u[:j]) / L[j, j]
    return _backward(L.T, u)


def data(seed, n_rows, n_columns, value):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(30, 4))
    y = (X[:, 0] + rng.logistic(size=30) > 0).astype(int)
    X[:n_rows, :n_columns] = value
    if n_rows > 1:
        y[:n_rows] = np.arange(n_rows) % 2
    return X, y


def fitted(X, y, **settings):
    """The classifier, and the message of its warning if there was one."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        clf = SoftmaxClassifier(**settings).fit(X, y)
    return clf, " ".join(str(w.message) for w in caught)


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array], ids=["dense", "sparse"])
@pytest.mark.parametrize("C", [1.0, np.inf])
@pytest.mark.parametrize("value", [1e3, 1e7, -1e9, 1e12])
@pytest.mark.parametrize(("n_rows", "n_columns"), [(1, 1), (1, 4), (3, 2), (3, 4)])
@pytest.mark.thinned(3)
def test_a_placeholder_costs_the_other_rows_no_digits(n_rows, n_columns, value, C, form):
    for seed in range(4):
        X, y = data(seed, n_rows, n_columns, value)
        reference = Reference(X, y, C)
        clf, _ = fitted(form(X), y, C=C)
        assert abs(reference.objective(clf) - reference.minimum) <= 5e-6, seed


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array], ids=["dense", "sparse"])
@pytest.mark.parametrize("C", [1.0, np.inf])
@pytest.mark.parametrize("n_rows", [1, 3])
def test_a_placeholder_beyond_float64_is_named(n_rows, C, form):
    for seed in range(4):
        X, y = data(seed, n_rows, 4, 1e15)
        reference = Reference(X, y, C)
        clf, message = fitted(form(X), y, C=C)
        gap = float(reference.objective(clf) - reference.minimum)
        if gap > 1e-5:
            assert not clf.converged_
            assert clf.optimality_gap_ >= gap
            assert "X has 1e+15 in row" in message
            assert "impute it" in message


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array], ids=["dense", "sparse"])
@pytest.mark.parametrize("C", [1.0, 1e3, np.inf])
@pytest.mark.parametrize("n_columns", [2, 3, 4])
@pytest.mark.thinned(3)
def test_placeholders_that_no_order_of_adding_resolves_are_told(n_columns, C, form):
    """Terms of 1e14 cancel in the logits of three rows, where the classes are mixed."""
    for seed in range(12):
        X, y = data(seed, 3, n_columns, 1e15)
        reference = Reference(X, y, C)
        clf, message = fitted(form(X), y, C=C)
        gap = float(reference.objective(clf) - reference.minimum)
        assert not clf.converged_, seed
        assert "X has 1e+15 in row" in message, seed
        assert clf.optimality_gap_ >= gap, seed


@pytest.mark.parametrize("C", [1.0, 1e3, np.inf])
@pytest.mark.parametrize("value", [1e9, 1e12])
@pytest.mark.parametrize("K", [3, 4])
def test_more_classes(generate, value, K, C):
    """The row cannot make the others cost less, and the order of columns tells nothing."""
    X, y = generate(80, 3, K)
    alone = SoftmaxClassifier(C=C).fit(X[1:], y[1:])
    X[0] = value
    with_row, _ = fitted(X, y, C=C)
    own = -with_row.log_likelihood(X[:1], y[:1])
    rest = with_row.objective_ - own
    assert rest >= alone.objective_ - 1e-6
    again, _ = fitted(X[:, ::-1], y, C=C)
    assert again.objective_ == pytest.approx(with_row.objective_, rel=1e-6)


@pytest.mark.parametrize("value", [1e5, 1e9, 1e13])
@pytest.mark.parametrize("C", [1.0, np.inf])
def test_the_objective_is_that_of_the_parameters_returned(value, C):
    for seed in range(4):
        X, y = data(seed, 1, 4, value)
        clf, _ = fitted(X, y, C=C)
        penalty = np.square(clf.coef_).sum() / (2 * C)
        recomputed = penalty - clf.log_likelihood(X, y)
        assert clf.objective_ == pytest.approx(recomputed, rel=1e-9)
        if len(clf.objective_curve_):
            assert clf.objective_curve_[-1, 1] == clf.objective_


@pytest.mark.parametrize("C", [1e8, 1e12])
@pytest.mark.parametrize("value", [1e6, 1e10])
@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize(("n", "d"), [(30, 4), (9, 12)])
def test_a_far_row_that_others_predict_surely_changes_no_fit(n, d, K, value, C):
    """No loss is negative, so the minimum is that of the other rows alone."""
    for seed in range(4):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(n, d))
        y = (X @ rng.normal(size=(d, K))).argmax(axis=1)
        y[1 : 1 + K] = np.arange(K)
        others, message = fitted(X[1:], y[1:], C=C)
        assert not message
        X[0, rng.integers(d)] = value
        y[0] = others.predict(X[:1])[0]
        if others.log_likelihood(X[:1], y[:1]) < -1e-20:
            continue
        clf, message = fitted(X, y, C=C)
        gap = clf.objective_ - others.objective_
        assert gap <= (clf.optimality_gap_ if message else 2 * clf.target_gap_), seed


@pytest.mark.parametrize("max_iter", [1, 1000])
@pytest.mark.parametrize("value", [1e6, 1e9])
def test_the_objective_is_that_of_the_parameters_where_columns_are_many(value, max_iter):
    for seed in range(6):
        rng = np.random.default_rng(seed)
        X, y = rng.normal(size=(26, 30)), np.arange(26) % 2
        X[rng.integers(26), rng.integers(30)] = value
        clf, _ = fitted(X, y, C=4e3, max_iter=max_iter)
        coef = clf.coef_[0].astype(WIDE)
        logits = np.where(y == 1, 1, -1) * (X.astype(WIDE) @ coef + clf.intercept_)
        losses = np.log1p(np.exp(-np.abs(logits))) + np.maximum(-logits, 0)
        objective = float(losses.sum() + (coef**2).sum() / WIDE(8e3))
        assert clf.objective_ == pytest.approx(objective, rel=3e-12), seed


def test_the_extreme_entry_is_found():
    X, y = data(0, 1, 1, 3e8)
    X = X[::-1].copy()
    extreme = Extreme.of(LocalRows(X, y, None, 2))
    assert (extreme.row, extreme.column, extreme.value) == (29, 0, 3e8)
    weight = np.ones(30)
    weight[29] = 0.0
    assert Extreme.of(LocalRows(X, y, weight, 2)) is None
    assert Extreme.of(LocalRows(X[:29], y[:29], None, 2)) is None


def test_no_certificate_by_curvature_that_has_gone():
    """Before, the fit converged 18 nats above the minimum: the row had left a tie of classes.

    A preconditioner from a sample still held the curvature of the row, 1e17 times too much, and
    conjugate gradients did not see the gradient along the column.
    """
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20_000, 40))
    W = rng.normal(size=(4, 40)) / np.sqrt(10)
    y = (X @ W.T + rng.gumbel(size=(len(X), 4))).argmax(axis=1)
    X[5, 0] = 1e9
    clf = SoftmaxClassifier().fit(X, y)
    # The gap of 18 nats was along this coefficient, which may fall without harm to the row.
    moved = clf.coef_.copy()
    moved[3, 0] -= 1e-2
    logits = X @ moved.T + clf.intercept_
    logits -= logits.max(axis=1, keepdims=True)
    losses = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(y)), y]
    assert clf.converged_
    assert clf.objective_ < losses.sum() + 0.5 * np.square(moved - moved.mean(axis=0)).sum()
