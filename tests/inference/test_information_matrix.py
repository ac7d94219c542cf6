"""Observed information: the Hessian, scores and slopes against explicit loops and differences."""

import mpmath
import numpy as np
import pytest
from estimates import at, differences
from scipy.special import logit, softmax

from skxent.inference import information_matrix, likelihood_estimate, linear_dependence
from skxent.likelihood.penalty import Penalty
from skxent.likelihood.sources.local_rows import LocalRows
from skxent.likelihood.sources.moments import compute_moments

CASES = [(K, intercept) for K in (2, 3, 5) for intercept in (True, False)]


# ------------------------------------------------------------------ the Hessian


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("alpha", [0.0, 0.5])
@pytest.mark.parametrize(("K", "fit_intercept"), CASES)
def test_information_is_the_hessian(make_case, K, fit_intercept, alpha, sparse):
    """Against the loop over samples, of the free classes: its inverse, without any jitter."""
    case = make_case(K, n=60, alpha=alpha, fit_intercept=fit_intercept)
    theta = case.theta()
    H = case.hessian(theta)
    q = max(K - 1, 1) * theta.shape[1]
    model = information_matrix.information(case.objective(sparse=sparse), theta)
    np.testing.assert_allclose(information_matrix.inverse(model) @ H[:q, :q], np.eye(q), atol=1e-11)


@pytest.mark.parametrize(("K", "fit_intercept"), CASES)
def test_hessian_by_central_differences(make_case, K, fit_intercept):
    """Of the gradient of the objective; the last of K >= 3 classes stands still."""
    case = make_case(K, n=60, alpha=0.0, fit_intercept=fit_intercept)
    objective, theta = case.objective(), case.theta()
    free = slice(0, max(K - 1, 1)) if K > 2 else slice(0, 1)
    slope = differences(lambda t: objective(t).gradient[free], theta, free)
    inverse = information_matrix.inverse(information_matrix.information(objective, theta))
    np.testing.assert_allclose(
        inverse @ slope.reshape(len(inverse), -1), np.eye(len(inverse)), atol=1e-7
    )


def test_no_jitter(make_case):
    """Columns that are nearly dependent: the jitter of a curvature would be some percent of 1e-11.

    Against 50 digits.
    """
    case = make_case(2, n=60, alpha=0.0, fit_intercept=False)
    case.X[:, 2] = case.X[:, 0] + 1e-5 * case.X[:, 2]
    theta = 0.1 * case.theta()
    model = information_matrix.information(case.objective(), theta)
    P = case.probabilities(theta)
    with mpmath.workdps(50):
        X = mpmath.matrix(case.X.tolist())
        D = mpmath.diag((case.weight * P[:, 0] * P[:, 1]).tolist())
        exact = np.array(mpmath.inverse(X.T * D * X).tolist(), dtype=float)
    np.testing.assert_allclose(information_matrix.inverse(model), exact, rtol=1e-5)


@pytest.mark.parametrize("what", ["dependent", "constant", "certain"])
@pytest.mark.parametrize("K", [2, 3])
def test_no_information(make_case, K, what):
    case = make_case(K, alpha=0.0)
    theta = case.theta()
    if what == "dependent":
        case.X[:, 2] = case.X[:, 0] - 2 * case.X[:, 1]
    if what == "constant":
        case.X[:, 2] = 0.1
    if what == "certain":  # all probabilities are 0 or 1 in float64
        theta[:, :3] *= 1e6
    assert information_matrix.information(case.objective(), theta) is None


@pytest.mark.parametrize("K", [2, 3])
def test_effective_df(make_case, K):
    """tr(H^-1 J), of the Hessians with and without the penalty by the loop."""
    case = make_case(K, n=60, alpha=3.0)
    theta = case.theta()
    q = max(K - 1, 1) * theta.shape[1]
    H = case.hessian(theta)[:q, :q]
    J = make_case(K, n=60, alpha=0.0).hessian(theta)[:q, :q]
    model = information_matrix.information(case.objective(), theta)
    found = information_matrix.effective_df(
        model, information_matrix.inverse(model), Penalty(case.alpha), 3
    )
    assert found == pytest.approx(np.trace(np.linalg.solve(H, J)), rel=1e-12)
    assert 0 < found < q


# ------------------------------------------------------------------ scores


@pytest.mark.parametrize("space", [1, 1 << 20])
@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize(("K", "fit_intercept"), CASES)
def test_sandwich(make_case, K, fit_intercept, grouped, soft, space, monkeypatch):
    """Against scores by central differences of losses; in batches of one row or of all."""
    monkeypatch.setattr(likelihood_estimate, "SPACE", space)
    case = make_case(K, n=40, fit_intercept=fit_intercept, soft=soft)
    estimate = at(case)

    def losses(theta):
        return -np.sum(case.Y * np.log(softmax(case.samples @ theta.T, axis=1)), axis=1)

    S = differences(losses, estimate.theta, estimate.free)
    groups = np.random.default_rng(0).integers(0, 7, size=40)
    if grouped:
        sums = np.array([case.weight[groups == g] @ S[groups == g] for g in range(7)])
        B = sums.T @ sums
    else:
        B = (S * case.weight[:, None]).T @ S
    expected = estimate.covariance @ B @ estimate.covariance
    found = likelihood_estimate.sandwich(estimate, case.weight, groups if grouped else None)
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9 * np.abs(expected).max())


# ------------------------------------------------------------------ slopes of what is derived


@pytest.mark.parametrize("space", [1, 1 << 20])
@pytest.mark.parametrize(("K", "fit_intercept"), CASES)
def test_log_odds(make_case, K, fit_intercept, space, monkeypatch):
    monkeypatch.setattr(likelihood_estimate, "SPACE", space)
    case = make_case(K, n=30, fit_intercept=fit_intercept)
    estimate = at(case)

    def log_odds(theta):
        return logit(softmax(case.samples @ theta.T, axis=1))

    found, error = estimate.log_odds(case.X)
    np.testing.assert_allclose(found, log_odds(estimate.theta), rtol=1e-9, atol=1e-12)
    slope = differences(log_odds, estimate.theta, estimate.free)
    variance = np.einsum("nka,ab,nkb->nk", slope, estimate.covariance, slope)
    np.testing.assert_allclose(error, np.sqrt(variance), rtol=1e-6)


def test_log_odds_of_certain_samples(make_case):
    """Probabilities that are 1 in float64 have log-odds all the same."""
    estimate = at(make_case(3))
    eta, error = estimate.log_odds(np.array([[1e3, 0.0, 0.0], [-1e4, 1e3, 0.0]]))
    assert np.isfinite(eta).all()
    assert np.isfinite(error).all()
    assert np.abs(eta).min() > 40
    assert (np.sort(eta, axis=1)[:, -1] > 0).all()


@pytest.mark.parametrize(("K", "fit_intercept"), CASES)
def test_map_to_contrasts(make_case, K, fit_intercept):
    """Logits of samples as they are, against the reference, are those of centred samples."""
    case = make_case(K, fit_intercept=fit_intercept)
    estimate = at(case)
    Z = case.samples @ estimate.theta.T
    raw = np.column_stack([case.X, np.ones(len(case.X))]) if fit_intercept else case.X
    for reference in range(K):
        contrasts = estimate.map(reference) @ estimate.theta[estimate.free].ravel()
        others = np.delete(Z, reference, axis=1) - Z[:, [reference]]
        np.testing.assert_allclose(raw @ contrasts.reshape(K - 1, -1).T, others, atol=1e-12)


# ------------------------------------------------------------------ columns


def columns(X, fit_intercept=True, weight=None):
    data = LocalRows(X, np.arange(len(X)) % 2, weight, 2, fit_intercept)
    return linear_dependence.dependent_columns(data, compute_moments(data))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_dependent_columns(dtype):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3))
    assert columns(X.astype(dtype)) == []
    # in eighths, so that float32 holds sums exactly
    X = np.round(8 * X) / 8
    X = np.column_stack([X[:, 0] - 2 * X[:, 1] + 3, X]).astype(dtype)
    ((column, others),) = columns(X)
    assert {column, *others} == {0, 1, 2}
    assert columns(X, fit_intercept=False) == []  # 3 is not among the columns
    X = np.column_stack([X, np.full(200, 3.0)]).astype(dtype)
    assert columns(X)[-1] == (4, [4 + 1])
    ((column, others),) = columns(X, fit_intercept=False)
    assert {column, *others} == {0, 1, 2, 4}


def test_columns_far_from_zero():
    """Of 1.7e9 float64 holds 2e-7: dependence is told from rounding, and spread from none."""
    rng = np.random.default_rng(0)
    X = 1.7e9 + rng.normal(size=(200, 3))
    assert columns(X) == []
    ((column, others),) = columns(np.column_stack([X, X[:, 0] + X[:, 1] * 3]))
    assert {column, *others} == {0, 1, 3}
    assert columns(np.column_stack([X, np.full(200, 1.7e9 + 0.1)])) == [(3, [4])]


def test_nearly_dependent_is_not_dependent():
    X = np.random.default_rng(0).normal(size=(200, 3))
    X[:, 2] = X[:, 0] + 1e-5 * X[:, 2]
    assert columns(X) == []
    X[:, 2] = X[:, 0] + 1e-8 * X[:, 2]
    assert len(columns(X)) == 1


def test_rows_without_weight_do_not_tell_columns_apart():
    X = np.random.default_rng(0).normal(size=(50, 2))
    X[1:, 1] = X[1:, 0]
    weight = np.ones(50)
    assert columns(X, weight=weight) == []
    weight[0] = 0
    assert columns(X, weight=weight) in ([(0, [1])], [(1, [0])])


def test_outside():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 4)) * [1, 1e6, 1, 1] + [0, 1e9, 0, 0]

    def of(X, fit_intercept=True):
        data = LocalRows(X, np.arange(100) % 2, None, 2, fit_intercept)
        mean = X.mean(axis=0) * fit_intercept
        width = X.shape[1] + fit_intercept
        return likelihood_estimate.estimate(data, mean, np.zeros((1, width)), np.eye(width))

    assert len(linear_dependence.outside(of(X), of(X[:, :2]))) == 0
    assert len(linear_dependence.outside(of(X), of((X[:, [0]] + X[:, [2]]) * 3 + 1))) == 0
    assert linear_dependence.outside(of(X[:, :3]), of(X[:, [0, 3]])).tolist() == [1]
    assert len(linear_dependence.outside(of(X), of(X[:, [0]], False))) == 0
    assert linear_dependence.outside(of(X, False), of(X[:, [0]])).tolist() == [0, 1]
