"""Newton's method on functions whose minimum is known."""

import numpy as np
import pytest
from scipy.sparse.linalg import LinearOperator

from skxent.metrics.newton import CONVERGED, Minimum, minimise


class Function:
    """A sum of f(a_i @ x) with the derivatives of f, as `minimise` asks for them."""

    def __init__(self, A, f, x, product=False):
        self.A, self.f, self.x, self.product = (
            np.asarray(A, float),
            f,
            np.asarray(x, float),
            product,
        )
        self.values, self.slopes, self.bends = f(self.A @ self.x)
        self.value = float(self.values.sum())
        self.gradient = self.A.T @ self.slopes

    def hessian(self):
        H = self.A.T @ (self.bends[:, None] * self.A)
        return LinearOperator(H.shape, lambda v: H @ v, dtype=float) if self.product else H

    def hessian_diagonal(self):
        return (self.A**2).T @ self.bends

    def hessian_root(self, V):
        return np.sqrt(self.bends)[:, None] * (self.A @ V)

    def gradient_rounding(self):
        return 8 * np.finfo(float).eps * np.abs(self.A).T @ np.abs(self.slopes)

    def moved(self, step):
        return Function(self.A, self.f, self.x + step, self.product)

    def change(self, step):
        return float(np.abs(self.A @ step).max())


def square(b):
    return lambda t: (0.5 * (t - b) ** 2, t - b, np.ones_like(t))


def softplus_less(share):
    """log(1 + e^t) - share t, with its minimum at the logit of the share."""

    def f(t):
        p = np.exp(-np.logaddexp(0.0, -t))
        return np.logaddexp(0.0, t) - share * t, p - share, p * (1.0 - p)

    return f


@pytest.mark.parametrize("product", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_least_squares(seed, product):
    rng = np.random.default_rng(seed)
    A, b = rng.normal(size=(12, 4)) * 10.0 ** np.arange(-4, 4, 2), rng.normal(size=12)
    found = minimise(Function(A, square(b), np.zeros(4), product))
    expected = np.linalg.lstsq(A, b)[0]
    np.testing.assert_allclose(found.point.x, expected, rtol=1e-6, atol=1e-12)
    assert found.converged
    assert found.decrement <= 1e-14 * found.point.value


@pytest.mark.parametrize("product", [False, True])
def test_a_column_of_zeros_stays_where_it_was(product):
    A = [[1.0, 0.0], [2.0, 0.0]]
    found = minimise(Function(A, square(np.array([1.0, 3.0])), [0.0, 7.0], product))
    np.testing.assert_allclose(found.point.x, [1.4, 7.0])


def test_copied_columns_reach_the_minimum_all_the_same():
    A = np.repeat([[1.0], [2.0], [-1.0]], 3, axis=1)
    found = minimise(Function(A, square(np.array([1.0, 3.0, 0.0])), np.zeros(3)))
    assert found.converged
    assert found.point.x.sum() == pytest.approx(7 / 6)


@pytest.mark.parametrize("product", [False, True])
@pytest.mark.parametrize("start", [0.0, 5.0, -12.0, 12.0, -30.0, 200.0])
@pytest.mark.parametrize("share", [0.5, 0.01, 1e-6])
def test_logits_are_found_from_far_away(start, share, product):
    # far out the curvature is e^-|t|: a Newton step is much too long or, on the other side, short
    found = minimise(Function([[1.0]], softplus_less(np.array([share])), [start], product))
    assert found.converged
    assert found.point.x[0] == pytest.approx(np.log(share / (1 - share)), abs=1e-3)


def test_at_the_minimum_nothing_moves():
    start = Function([[1.0]], square(np.array([2.0])), [2.0])
    found = minimise(start)
    assert found.point is start
    assert found.decrement == 0.0


def test_the_decrement_is_the_distance_of_a_quadratic(monkeypatch):
    monkeypatch.setattr("skxent.metrics.newton.MOST_STEPS", 1)
    A, b = np.diag([1.0, 10.0]), np.array([3.0, -4.0])
    found = minimise(Function(A, square(b), np.zeros(2)))
    assert found.decrement == pytest.approx(12.5)  # what the one step is to bring
    assert not found.converged


def test_convergence_is_a_decrement_of_a_billionth_of_a_nat():
    assert [Minimum(None, CONVERGED * factor).converged for factor in (0, 1, 1.001)] == [
        True,
        True,
        False,
    ]
    assert CONVERGED == 1e-9


@pytest.mark.parametrize("noise", [0.0, 1e-11, 1e-9, 1e-6])
@pytest.mark.parametrize("seed", range(3))
def test_nearly_copied_columns_reach_the_least_squares(seed, noise):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(40, 1)) + noise * rng.normal(size=(40, 20))
    b = 3.0 * A[:, 0] + rng.normal(size=40)
    found = minimise(Function(A, square(b), np.zeros(20)))
    basis = np.linalg.qr(A if noise else A[:, :1])[0]
    least = 0.5 * np.sum((b - basis @ (basis.T @ b)) ** 2)
    rounding = 1e-14 / noise if noise else 0.0  # of the basis
    assert found.point.value == pytest.approx(least, abs=1e-9 + rounding)
