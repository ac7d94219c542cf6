"""Fitted maps are at the optimum of their family, and no fit claims a finite one wrongly."""

import mpmath
import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax, logsumexp

from skxent.metrics.calibration_maps import fit_map

METHODS = ["temperature", "bias", "vector"]


def draw(K, n=200, seed=0, sharp=2.0):
    """Log-probabilities that are too sharp and have a class too often, and labels."""
    rng = np.random.default_rng([seed, K])
    Z = rng.normal(size=(n, K))
    y = (Z + rng.gumbel(size=(n, K))).argmax(axis=1)
    y[:K] = range(K)
    return log_softmax(sharp * Z + np.linspace(0, 1, K), axis=1), y, rng.random(n) + 0.1


def centred(method, L):
    """The log-probabilities that the slopes multiply."""
    return L if method == "vector" and L.shape[1] == 2 else L - L.mean(axis=1, keepdims=True)


def losses(method, theta, L, Y):
    """Losses of a map in the plainest parameters; `theta` holds slopes and then intercepts."""
    K = L.shape[1]
    L = centred(method, L)
    n_slopes = K if method == "vector" else 1
    b = np.append(0.0, theta[n_slopes:]) if method != "temperature" else 0.0
    U = theta[:n_slopes] * L + b
    return logsumexp(U, axis=1) - (Y * U).sum(axis=1)


def reference(method, L, Y, w):
    """Smallest weighted sum of losses, by a quasi-Newton method."""
    K = L.shape[1]
    n = {"temperature": 1, "bias": K, "vector": 2 * K - 1}[method]
    start = np.append(np.ones(K if method == "vector" else 1), np.zeros(K))[:n]
    bounds = [(0, None)] + [(None, None)] * (n - 1) if method != "vector" else None
    options = {"maxiter": 5000, "maxfun": 10**6, "ftol": 1e-15, "gtol": 1e-9}
    return minimize(
        lambda t: w @ losses(method, t, L, Y),
        start,
        method="L-BFGS-B",
        bounds=bounds,
        options=options,
    ).fun


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("K", [2, 3, 7])
@pytest.mark.parametrize("method", METHODS)
def test_a_map_is_at_its_optimum(method, K, soft):
    L, y, w = draw(K)
    target = np.random.default_rng(1).dirichlet(np.ones(K), len(y)) if soft else y
    fitted = fit_map(method, L, target, w, tol=1e-6)
    Y = target if soft else np.eye(K)[y]
    expected = reference(method, L, Y, w)
    assert fitted.finite
    assert w.sum() * fitted.gap <= 1e-6
    assert w.sum() * fitted.value == pytest.approx(expected, abs=3e-6)
    log_q = log_softmax(fitted.map.logits(L), axis=1)
    assert -w @ (Y * log_q).sum(axis=1) == pytest.approx(w.sum() * fitted.value, rel=1e-12)
    slope, intercept = fitted.map.parameters
    np.testing.assert_allclose(
        log_softmax(slope * centred(method, L) + intercept, axis=1), log_q, atol=1e-10
    )


def test_a_temperature_to_thirty_digits():
    """The slope at which the derivative is zero, by mpmath's root finding."""
    L, y, w = draw(3, n=12)
    mpmath.mp.dps = 30
    rows = [[mpmath.mpf(float(x)) for x in row] for row in L]

    def slope(a):
        total = mpmath.mpf(0)
        for row, code, weight in zip(rows, y, w, strict=True):
            e = [mpmath.exp(a * x) for x in row]
            mean = sum(x * p for x, p in zip(row, e, strict=True)) / sum(e)
            total += mpmath.mpf(float(weight)) * (mean - row[code])
        return total

    expected = float(mpmath.findroot(slope, (0.1, 2.0), solver="anderson"))
    found = fit_map("temperature", L, y, w).map.parameters[0][0]
    assert found == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("K", [2, 4])
def test_larger_families_have_smaller_losses(K):
    L, y, w = draw(K)
    values = [fit_map(method, L, y, w).value for method in METHODS]
    same = -np.average(L[np.arange(len(y)), y], weights=w)
    assert same > values[0] > values[1] > values[2]


@pytest.mark.parametrize("method", METHODS)
def test_calibrated_predictions_stay(method):
    """The identity, of predictions from which many labels were drawn."""
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(40_000, 3))
    L, y = log_softmax(Z, axis=1), (Z + rng.gumbel(size=Z.shape)).argmax(axis=1)
    slope, intercept = fit_map(method, L, y, np.ones(len(y)), tol=1e-6).map.parameters
    np.testing.assert_allclose(slope, 1.0, atol=0.06)
    np.testing.assert_allclose(intercept - intercept.mean(), 0.0, atol=0.08)


def test_two_classes_vector_is_beta_calibration():
    """The fit of log p and -log(1 - p) as two features of a logistic regression."""
    from skxent import SoftmaxClassifier

    L, y, w = draw(2)
    clf = SoftmaxClassifier(C=np.inf, tol=1e-10).fit(np.column_stack([-L[:, 0], L[:, 1]]), y, w)
    fitted = fit_map("vector", L, y, w)
    slope, intercept = fitted.map.parameters
    np.testing.assert_allclose(slope, clf.coef_[0], rtol=1e-5)
    assert intercept[1] - intercept[0] == pytest.approx(clf.intercept_[0], rel=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_weights_are_copies(method):
    L, y, _ = draw(3)
    w = np.random.default_rng(3).integers(0, 4, len(y))
    one = fit_map(method, L, y, w.astype(float)).map.parameters
    other = fit_map(method, np.repeat(L, w, axis=0), np.repeat(y, w), np.ones(w.sum()))
    for a, b in zip(one, other.map.parameters, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-8)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("K", [2, 3])
def test_separated_samples_have_no_finite_optimum(method, K):
    rng = np.random.default_rng(K)
    Z = rng.normal(size=(30, K))
    y = Z.argmax(axis=1)
    y[:K] = range(K)
    Z[np.arange(K), range(K)] = Z.max() + 1
    fitted = fit_map(method, log_softmax(Z, axis=1), y, np.ones(30), tol=1e-6)
    assert not fitted.finite
    assert 30 * fitted.value < 1e-5
    Z[5] = -Z[5]  # one sample on the wrong side: there is a best temperature
    once = fit_map("temperature", log_softmax(Z, axis=1), y, np.ones(30), tol=1e-6)
    assert once.finite


def test_one_separated_class_has_no_finite_slope():
    """The last class has the only rows in which its column is not the smallest.

    One slope for all classes is bounded by the other classes; a slope of its own is not.
    """
    L, y, w = draw(3)
    Z = np.where(np.arange(3) == 2, -9.0, L)
    Z[y == 2] = [-5.0, -5.0, -0.1]
    assert fit_map("bias", log_softmax(Z, axis=1), y, w, tol=1e-6).finite
    assert not fit_map("vector", log_softmax(Z, axis=1), y, w, tol=1e-6).finite


@pytest.mark.parametrize("method", METHODS)
def test_predictions_that_mislead_become_constant(method):
    """The best slope is at zero, and that of "vector" is negative."""
    L, y, w = draw(3)
    wrong = log_softmax(-L, axis=1)
    fitted = fit_map(method, wrong, y, w, tol=1e-6)
    slope, intercept = fitted.map.parameters
    if method == "vector":
        assert (slope < 0).any()
        return
    assert slope[0] == 0.0
    rates = np.bincount(y, w) / w.sum()
    expected = np.full(3, 1 / 3) if method == "temperature" else rates
    np.testing.assert_allclose(np.exp(log_softmax(intercept)), expected, rtol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_constant_predictions(method):
    L = np.tile(np.log([0.2, 0.3, 0.5]), (50, 1))
    y = np.arange(50) % 3
    fitted = fit_map(method, L, y, np.ones(50), tol=1e-6)
    assert fitted.finite
    if method != "temperature":
        np.testing.assert_allclose(
            np.exp(log_softmax(fitted.map.logits(L)[0])), np.bincount(y) / 50, rtol=1e-9
        )


@pytest.mark.parametrize("K", [3, 40])
def test_many_classes_by_products(monkeypatch, K):
    from skxent.metrics import map_likelihood

    L, y, w = draw(K, n=40 * K)
    for method in METHODS:
        expected = fit_map(method, L, y, w, tol=1e-6)
        monkeypatch.setattr(map_likelihood, "MOST_IN_A_MATRIX", 0)
        found = fit_map(method, L, y, w, tol=1e-6)
        monkeypatch.undo()
        assert found.finite
        assert w.sum() * abs(found.value - expected.value) <= 2e-6
