"""Weights that are whole numbers but for rounding are counts, to every kind of standard error."""

import warnings

import numpy as np
import pytest

from skxent import InferenceWarning, SoftmaxClassifier, infer

ROUNDED = {
    "times 0.1, divided by 0.1": lambda w: w * 0.1 / 0.1,
    "times 0.7, divided by 0.7": lambda w: w * 0.7 / 0.7,
    "square of the root": lambda w: np.sqrt(w) ** 2,
    "exponential of the logarithm": lambda w: np.exp(np.log(np.maximum(w, 1e-300))) * (w > 0),
    "shares of the total": lambda w: w / w.sum() * w.sum(),
}
COVARIANCES = ["observed", "robust", "cluster"]


def infer_all(X, y, weight, C):
    clf = SoftmaxClassifier(C=C, tol=1e-10).fit(X, y, weight)
    groups = np.arange(len(y)) % 17
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InferenceWarning)
        return [
            infer(clf, X, y, weight, covariance=c, groups=groups if c == "cluster" else None)
            for c in COVARIANCES
        ]


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("C", [1.0, np.inf])
@pytest.mark.parametrize("rounded", ROUNDED.values(), ids=ROUNDED)
def test_rounding_of_counts_changes_nothing(generate, rounded, C, seed):
    X, y = generate(120, 2, 2 + seed, seed=seed)
    counts = np.random.default_rng(seed).integers(0, 6, 120).astype(float)
    counts[:3] = 1.0
    weight = rounded(counts)
    assert (weight != counts).any()
    for one, other in zip(infer_all(X, y, counts, C), infer_all(X, y, weight, C), strict=True):
        np.testing.assert_allclose(other.standard_errors, one.standard_errors, rtol=1e-9)
        assert other.n_observations == one.n_observations == counts.sum()
        assert other.bic == pytest.approx(one.bic, rel=1e-12)


@pytest.mark.parametrize("error", [1e-9, 1e-6, 1e-3])
def test_weights_that_are_not_whole_are_importances(generate, error):
    X, y = generate(120, 2, 2)
    weight = np.random.default_rng(0).integers(1, 6, 120) * (1 + error)
    assert [found.n_observations for found in infer_all(X, y, weight, np.inf)] == [120.0] * 3


def test_nested_models_of_rounded_weights(generate):
    """Are of the same data, as those of exact ones are."""
    X, y = generate(120, 3, 3)
    counts = np.random.default_rng(0).integers(1, 6, 120).astype(float)
    rounded = counts * 0.1 / 0.1
    larger = infer(SoftmaxClassifier(C=np.inf).fit(X, y, counts), X, y, counts)
    small = SoftmaxClassifier(C=np.inf).fit(X[:, :2], y, rounded)
    test = larger.likelihood_ratio_test(infer(small, X[:, :2], y, rounded))
    assert test.df == 2
    with pytest.raises(ValueError, match="other was made from other data"):
        larger.likelihood_ratio_test(infer(small.fit(X[:, :2], y), X[:, :2], y))
