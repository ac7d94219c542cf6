"""The objective with an offset: derivatives by central differences, and a minimum from mpmath."""

import mpmath as mp
import numpy as np
import pytest
import scipy.sparse

from skxent import SoftmaxClassifier
from skxent.likelihood.objective import Objective
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.arrays import balanced_offset
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import compute_moments


def objective_of(K, form, size):
    rng = np.random.default_rng(K)
    X, Y = rng.normal(size=(40, 3)), rng.dirichlet(np.ones(K), size=40)
    offset = balanced_offset(size * rng.normal(size=(K, 40)))
    rows = LocalRows(form(X), Y, rng.uniform(0.5, 2, size=40), K, offset=offset)
    moments = compute_moments(rows)
    return Objective(rows, moments, Penalty.of_C(2.0, None), np.zeros(3)), rng


@pytest.mark.parametrize("size", [1.0, 30.0])
@pytest.mark.parametrize("form", [np.asarray, scipy.sparse.csr_array])
@pytest.mark.parametrize("K", [2, 3, 10])
def test_derivatives(K, form, size):
    objective, rng = objective_of(K, form, size)
    shape = (1 if K == 2 else K), 4
    theta, along = rng.normal(size=(2, *shape))
    h = 1e-5
    ahead, behind = objective(theta + h * along), objective(theta - h * along)
    slope = (ahead.value - behind.value) / (2 * h)
    assert np.vdot(objective(theta).gradient, along) == pytest.approx(slope, rel=1e-6)
    change = (ahead.gradient - behind.gradient) / (2 * h)
    product = objective.hessian_product(theta, along)
    np.testing.assert_allclose(product, change, rtol=1e-6, atol=1e-6)


# Samples (x, y, offset) of two classes. Some offsets settle a sample, right or wrong; two cancel.
FAR = [(0.5, 1, 1e4), (-1.0, 0, -1e4), (0.3, 0, 1e4), (1.5, 1, 0.0), (-0.7, 0, 0.5), (2.0, 0, -1.0)]
FAR += [(-2.0, 1, 0.3), (1.0, 1, -0.2)]


def least_objective(C):
    """Minimum by Newton's method with 60 digits, over the coefficient and the intercept."""
    with mp.workdps(60):

        def loss(w, b, x, y, o):
            z = (w * mp.mpf(x) + b + mp.mpf(o)) * (1 if y else -1)
            return mp.log1p(mp.exp(-z)) if z > 0 else mp.log1p(mp.exp(z)) - z

        def value(w, b):
            return mp.fsum(loss(w, b, *one) for one in FAR) + w**2 / (2 * mp.mpf(C))

        w = b = mp.mpf(0)
        for _ in range(40):
            gradient, H = mp.matrix([w / C, 0]), mp.matrix([[1 / mp.mpf(C), 0], [0, 0]])
            for x, y, o in FAR:
                p = 1 / (1 + mp.exp(-(w * mp.mpf(x) + b + mp.mpf(o))))
                row = mp.matrix([mp.mpf(x), 1])
                gradient += (p - y) * row
                H += p * (1 - p) * row * row.T
            step = mp.lu_solve(H, gradient)
            while value(w - step[0], b - step[1]) > value(w, b):
                step /= 2
                if mp.norm(step) < mp.mpf(10) ** -25:
                    return value(w, b)
            w, b = w - step[0], b - step[1]
        return value(w, b)


@pytest.mark.parametrize("columns", [1, 2])
@pytest.mark.parametrize("C", [0.1, 1.0, 100.0])
def test_the_minimum_with_offsets_of_ten_thousand(C, columns):
    x, y, o = map(np.array, zip(*FAR, strict=True))
    offset = o if columns == 1 else np.column_stack([-o, 0 * o])
    clf = SoftmaxClassifier(C, tol=1e-12).fit(x[:, None], y, offset=offset)
    least = least_objective(C)
    above = float(mp.mpf(clf.objective_) - least)
    assert abs(above) < 1e-15 * float(least) * len(FAR)
    assert above <= clf.optimality_gap_ + 1e-15 * float(least) * len(FAR)
