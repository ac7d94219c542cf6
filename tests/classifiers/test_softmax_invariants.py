"""What must hold of every fit, over small data of all kinds."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.exceptions import ConvergenceWarning

from skxent import SoftmaxClassifier
from skxent.likelihood.solution import target_gap

KINDS = ["normal", "raw", "outlier", "heavy", "lognormal", "mostly zero"]
SHAPES = [(40, 3, 2), (60, 4, 3), (90, 3, 5)]
ENDS = [{}, {"tol": 1e-2}, {"max_iter": 1}, {"max_iter": 2}, {"max_iter": 4}, {"max_iter": 8}]


def make(generate, shape, kind, seed):
    X, y = generate(*shape, kind="normal" if kind == "raw" else kind, seed=seed, strength=4.0)
    if kind == "raw":
        X = X * np.logspace(-3, 4, X.shape[1]) + np.linspace(-50, 900, X.shape[1])
    return X, y


def fit(X, y, weight=None, **settings):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return SoftmaxClassifier(**settings).fit(X, y, sample_weight=weight)


@pytest.mark.parametrize("w", [1e-8, 1e-3, 1.0, 1e8])
@pytest.mark.parametrize("C", [1e-3, 1.0, 1e3, 1e6])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.thinned(3)
def test_the_gap_is_the_gap_or_a_bound(optimum, generate, shape, kind, C, w):
    """A fit with weights w and C is w times the one with C w."""
    X, y = make(generate, shape, kind, 0)
    if C * w > 1e12:
        pytest.skip("the reference does not see so weak a penalty")
    best = optimum(X, y, C=C * w)
    form = sp.csr_array if kind == "mostly zero" else np.asarray
    for settings in ENDS:
        clf = fit(form(X), y, np.full(len(y), w), C=C, **settings)
        true = w * best.gap_of(clf)
        what = f"{settings}: true gap {true:.3g}, claimed {clf.optimality_gap_:.3g}"
        assert clf.optimality_gap_ >= 0
        if true > max(1e-9 * min(1.0, clf.objective_), 1e-11 * clf.objective_):
            assert clf.optimality_gap_ >= (0.1 if clf.converged_ else 0.99) * true, what
            if clf.converged_:
                assert clf.optimality_gap_ <= 10 * true, what


@pytest.mark.parametrize("w", [1e-8, 1.0, 1e8])
@pytest.mark.parametrize("C", [1e-3, 1.0, 1e6, np.inf])
@pytest.mark.parametrize("kind", KINDS)
def test_the_objective_recomputed(generate, kind, C, w):
    X, y = make(generate, (60, 4, 3), kind, 1)
    weight = np.full(len(y), w)
    for settings in ENDS:
        clf = fit(X, y, weight, C=C, **settings)
        likelihood = clf.log_likelihood(X, y, sample_weight=weight)
        penalty = np.square(clf.coef_).sum() / 2 / C
        assert clf.objective_ == pytest.approx(penalty - likelihood, rel=1e-9)
        assert clf.log_likelihood_ == pytest.approx(likelihood, rel=1e-9)
        assert clf.objective_ >= 0
        assert clf.log_likelihood_ <= 0
        if len(clf.objective_curve_):
            assert clf.objective_curve_[-1, 1] == clf.objective_


@pytest.mark.parametrize("w", [1e-6, 1.0, 1e6, 1e12])
@pytest.mark.parametrize("K", [2, 3])
def test_separable_rows_of_any_weight(w, K):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(60, 3))
        y = (X @ rng.normal(size=(3, K)) * 50).argmax(axis=1)
        with pytest.warns(ConvergenceWarning, match="no finite maximum"):
            clf = SoftmaxClassifier(C=np.inf).fit(X, y, sample_weight=np.full(60, w))
        assert clf.objective_ >= 0
        assert clf.log_likelihood_ <= 0


@pytest.mark.parametrize("factor", [1e-9, 1e-3])
@pytest.mark.parametrize("strength", [1.0, 50.0])
def test_small_weights_have_the_same_fit(generate, strength, factor):
    """Weights and 1 / C times one factor: the objective is, and so is the target of the gap."""
    X, y = generate(40, 3, 3, strength=strength)
    weight = np.full(40, 1e-3)
    one = fit(X, y, weight, C=1e6)
    other = fit(X, y, weight * factor, C=1e6 / factor)
    np.testing.assert_allclose(other.coef_, one.coef_, rtol=1e-4)
    assert other.target_gap_ == pytest.approx(factor * one.target_gap_, rel=1e-6)


@pytest.mark.parametrize(
    ("value", "nats"), [(1e-9, 1e-9), (0.5, 0.5), (1.0, 1.0), (900.0, 1.0), (1e6, 1e3)]
)
def test_what_tol_is_a_part_of(value, nats):
    assert target_gap(1.0, value) == pytest.approx(nats)


def test_target_gap(generate):
    X, y = generate(200, 3, 3)
    clf = SoftmaxClassifier(tol=1e-5).fit(X, y)
    assert clf.target_gap_ == pytest.approx(target_gap(1e-5, clf.objective_))
    assert clf.converged_ == (clf.optimality_gap_ <= clf.target_gap_)
