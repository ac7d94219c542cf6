"""Any data of a fit: the right numbers against plain formulas, or an error that names an argument.

The reference has its Hessian and scores written out sample by sample, at the coefficients found.
"""

import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.special import expit, logsumexp, softmax, xlogy
from scipy.stats import norm

from skxent import SoftmaxClassifier, infer

SETTINGS = settings(
    deadline=None,
    derandomize=True,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
# What a fit of random data may end in: no maximum, no convergence, nothing to estimate.
EXPECTED = (
    "clf has not converged",
    "No finite maximum of the likelihood",
    "The maximum of the likelihood is finite, but out of reach",
    "X has columns whose coefficients cannot be identified",
    "the Hessian of the objective is singular",
    "has no weight",
    "groups has one group only",
    "leave no degrees of freedom",
    "clf is too far from its optimum",
)
FORMS = {
    "array": lambda X: X,
    "csr": sp.csr_array,
    "csc": sp.csc_matrix,
    "frame": lambda X: pd.DataFrame(X, columns=[f"x{j}" for j in range(X.shape[1])]),
    "fortran": np.asfortranarray,
    "reversed": lambda X: X[::-1][::-1],
}


@st.composite
def problems(draw):
    """Data of a fit, its settings, and what to ask for."""
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    K, d, n = draw(st.integers(2, 5)), draw(st.integers(1, 4)), draw(st.integers(8, 60))
    X = rng.normal(size=(n, d)) * 10.0 ** draw(st.integers(-3, 3))
    X += draw(st.sampled_from([0.0, 1.0, 1e3]))
    if draw(st.booleans()):
        X = np.round(X)
    logits = rng.normal(size=(n, K)) + (X - X.mean(axis=0)) @ rng.normal(size=(d, K))
    codes = (logits + rng.gumbel(size=(n, K))).argmax(axis=1)
    codes[:K] = np.arange(K)
    soft = draw(st.booleans()) and draw(st.booleans())
    weight = draw(st.sampled_from(["none", "counts", "importances", "light", "heavy"]))
    return {
        "X": X,
        "Y": rng.dirichlet(np.ones(K), n) if soft else np.eye(K)[codes],
        "y": None if soft else codes,
        "weight": {
            "none": None,
            "counts": rng.integers(0, 4, n).astype(float),
            "importances": rng.uniform(0.1, 3, n),
            "light": rng.uniform(0.1, 3, n) * 1e-8,
            "heavy": rng.integers(1, 4, n) * 1e8,
        }[weight],
        "C": draw(st.sampled_from([np.inf, np.inf, 1e-3, 1.0, 1e3])),
        "fit_intercept": draw(st.booleans()),
        "covariance": draw(st.sampled_from(["observed", "robust", "cluster"])),
        "groups": rng.integers(0, max(2, n // 4), n),
        "reference": draw(st.integers(0, K - 1)),
        "form": draw(st.sampled_from(sorted(FORMS))),
        "rng": rng,
    }


def result_of(case):
    """The inference, or None where the data have none, as the message must say."""
    X = FORMS[case["form"]](case["X"])
    y = case["Y"] if case["y"] is None else case["y"]
    groups = case["groups"] if case["covariance"] == "cluster" else None
    clf = SoftmaxClassifier(C=case["C"], fit_intercept=case["fit_intercept"], max_iter=3000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        clf.fit(X, y, case["weight"])
        try:
            return infer(
                clf,
                X,
                y,
                case["weight"],
                covariance=case["covariance"],
                groups=groups,
                reference=case["reference"],
            )
        except ValueError as error:
            assert any(text in str(error) for text in EXPECTED), error
            return None


class Plain:
    """Probabilities, Hessian and covariance of contrasts, one sample after the other."""

    def __init__(self, case, found):
        self.K, self.d = case["Y"].shape[1], case["X"].shape[1]
        n = len(case["X"])
        self.S = np.column_stack([case["X"], np.ones(n)]) if case["fit_intercept"] else case["X"]
        self.others = [k for k in range(self.K) if k != case["reference"]]
        self.w = np.ones(n) if case["weight"] is None else case["weight"]
        self.b = found.coef.ravel()
        P = self.probabilities(self.b)
        q = len(self.b)
        H, scores = np.zeros((q, q)), np.zeros((n, q))
        for i in range(n):
            p = P[i, self.others]
            H += self.w[i] * np.kron(np.diag(p) - np.outer(p, p), np.outer(self.S[i], self.S[i]))
            scores[i] = np.kron(p - case["Y"][i, self.others], self.S[i])
        across = np.eye(self.K - 1) - (1 / self.K if self.K > 2 else 0)
        features = np.zeros(self.S.shape[1])
        features[: self.d] = 1 / case["C"]
        penalty = np.kron(across, np.diag(features))
        self.gradient = self.w @ scores + penalty @ self.b
        unit = 1 / np.sqrt(np.diag(H + penalty))
        scaled = (H + penalty) * np.outer(unit, unit)
        self.condition = np.linalg.cond(scaled)
        self.inverse = np.linalg.inv(scaled) * np.outer(unit, unit)
        self.log_likelihood = float(self.w @ xlogy(case["Y"], P).sum(axis=1))
        self.covariance = self._covariance(case, scores)

    def logits(self, b, S):
        Z = np.zeros((len(S), self.K))
        Z[:, self.others] = S @ b.reshape(self.K - 1, -1).T
        return Z

    def probabilities(self, b, S=None):
        return softmax(self.logits(b, self.S if S is None else S), axis=1)

    def _covariance(self, case, scores):
        if case["covariance"] == "observed":
            return self.inverse
        whole = bool((self.w == np.round(self.w)).all())
        copies = self.w if whole else (self.w > 0) * 1.0
        self.n_observations = copies.sum()
        if case["covariance"] == "robust":
            influences = scores * (np.sqrt(copies) if whole else self.w)[:, None] @ self.inverse
            return influences.T @ influences
        kept = self.w > 0
        labels = np.unique(case["groups"][kept])
        sums = np.array([self.w @ (scores * (case["groups"] == g)[:, None]) for g in labels])
        influences, G, N = sums @ self.inverse, len(labels), copies.sum()
        return influences.T @ influences * G / (G - 1) * (N - 1) / (N - len(self.b))

    def slopes(self, function):
        """Derivatives of a function of the coefficients, by central differences."""
        step = 1e-5 / np.tile(np.abs(self.S).max(axis=0), self.K - 1).clip(1e-300)
        columns = [
            (function(self.b + h * e) - function(self.b - h * e)) / (2 * h)
            for h, e in zip(step, np.eye(len(self.b)), strict=True)
        ]
        return np.stack([column.ravel() for column in columns], axis=1)


def spread(slopes, covariance):
    return np.sqrt(np.maximum(np.einsum("aj,jk,ak->a", slopes, covariance, slopes), 0))


@SETTINGS
@given(problems())
def test_standard_errors(case):
    found = result_of(case)
    if found is None:
        return
    plain = Plain(case, found)
    tolerance = 1e-6 + 1e-13 * plain.condition
    if tolerance > 1e-3:
        return
    scale = np.sqrt(np.diag(plain.inverse))
    gap = 0.5 * plain.gradient @ plain.inverse @ plain.gradient
    assert gap <= 1e-9 * max(-plain.log_likelihood, 1e-300) + 1e-12 * plain.w.mean()
    # Scores that cancel leave an error of zero, which is one on the scale of the inverse Hessian.
    true = np.sqrt(np.diag(plain.covariance))
    off = np.abs(found.standard_errors.ravel() - true)
    assert (off <= tolerance * true + 1e-7 * scale).all()
    assert found.log_likelihood == pytest.approx(plain.log_likelihood, rel=1e-6)
    assert np.array_equal(found.covariance, found.covariance.T)
    low, high = np.moveaxis(found.confint(0.9), -1, 0)
    half = norm.ppf(0.95) * found.standard_errors
    np.testing.assert_allclose(
        high - low, 2 * half, rtol=1e-6, atol=1e-12 * np.abs(found.coef).max()
    )


@SETTINGS
@given(problems())
def test_marginal_effects_and_intervals_of_probabilities(case):
    found = result_of(case)
    if found is None:
        return
    plain = Plain(case, found)
    if plain.condition > 1e6:
        return
    w = plain.w / plain.w.sum()

    def effects(b):
        B = np.zeros((plain.K, plain.S.shape[1]))
        B[plain.others] = b.reshape(plain.K - 1, -1)
        P = plain.probabilities(b)
        own = B[None, :, : plain.d] - (P @ B[:, : plain.d])[:, None, :]
        return np.einsum("i,ik,ikj->kj", w, P, own)

    def log_odds(b):
        Z = plain.logits(b, plain.S[:5])
        rest = [logsumexp(np.delete(Z, k, axis=1), axis=1) for k in range(plain.K)]
        return Z - np.stack(rest, axis=1)

    marginal = found.marginal_effects()
    largest = np.abs(found.coef[:, : plain.d]).max()
    np.testing.assert_allclose(marginal.estimate, effects(plain.b), rtol=1e-5, atol=1e-8 * largest)
    slopes = plain.slopes(effects)
    errors = spread(slopes, plain.covariance)
    least = 1e-3 * errors.max() + 1e-6 * spread(slopes, plain.inverse).max()
    np.testing.assert_allclose(marginal.standard_errors.ravel(), errors, rtol=1e-2, atol=least)
    X = FORMS[case["form"]](case["X"])
    interval = found.predict_proba_interval(X[:5], 0.9)
    np.testing.assert_allclose(
        interval.estimate, plain.probabilities(plain.b, plain.S[:5]), rtol=1e-5, atol=1e-12
    )
    half = norm.ppf(0.95) * spread(plain.slopes(log_odds), plain.covariance).reshape(-1, plain.K)
    middle = log_odds(plain.b)
    low = expit(middle - half)
    np.testing.assert_allclose(interval.low, low, rtol=2e-2, atol=1e-9)
    assert (interval.low <= interval.estimate).all()
    assert (interval.estimate <= interval.high).all()


@SETTINGS
@given(problems())
def test_every_method_answers_or_refuses(case):
    found = result_of(case)
    if found is None:
        return
    assert max(map(len, found.summary().split("\n"))) <= 80
    frame = found.to_frame()
    assert np.isfinite(frame[["estimate", "std_error", "conf_low", "conf_high"]].to_numpy()).all()
    assert (found.standard_errors >= 0).all()
    R = np.eye(found.coef.size)[:1]
    if found.penalised:
        for call in (lambda: found.wald_test(R), found.likelihood_ratio_test):
            with pytest.raises(ValueError, match=r"fit with C=numpy\.inf"):
                call()
        return
    test = found.likelihood_ratio_test()
    assert test.statistic >= 0
    assert 0 <= test.p_value <= 1
    if found.standard_errors.ravel()[0] > 1e-9 * np.abs(found.coef).max():
        wald = found.wald_test(R)
        assert wald.statistic == pytest.approx(found.z.ravel()[0] ** 2, rel=1e-6)


@SETTINGS
@given(problems(), st.integers(0, 10**6))
def test_other_data_are_told_from_those_of_the_fit(case, seed):
    """Shuffled targets, scaled or shifted columns: nothing is inferred, and the reason is said."""
    rng = np.random.default_rng(seed)
    X, y = case["X"], case["Y"] if case["y"] is None else case["y"]
    clf = SoftmaxClassifier(C=1.0, fit_intercept=case["fit_intercept"], max_iter=3000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        clf.fit(X, y)
        if not clf.converged_:
            return
        assert np.isfinite(infer(clf, X, y).coef).all()
        order = rng.permutation(len(X))
        others = [
            (X * 1.5, y),
            (X, y[order]),
            (X[:, ::-1], y),
            (X[: len(X) // 2], y[: len(X) // 2]),
        ]
        for X1, y1 in others:
            if np.ndim(y1) == 1 and len(np.unique(y1)) < case["Y"].shape[1]:
                continue
            own = SoftmaxClassifier(**(clf.get_params() | {"tol": 1e-8})).fit(X1, y1)
            here = (clf.coef_**2).sum() / 2 - clf.log_likelihood(X1, y1)
            if here - own.objective_ < 5e-3 or here < 2e-2:
                continue
            with pytest.raises(ValueError, match="the optimum of these data: its log-likelihood"):
                infer(clf, X1, y1)
