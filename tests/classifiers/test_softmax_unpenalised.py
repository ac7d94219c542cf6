"""Fits without penalty, or next to none, where columns or rows depend on others."""

import array_api_strict as strict
import dask.array as da
import numpy as np
import pytest
import scipy.sparse
from scipy.special import softmax
from sklearn import config_context
from sklearn.exceptions import ConvergenceWarning

from skxent import SoftmaxClassifier
from skxent.inputs.namespaces import to_numpy

PENALTIES = [np.inf, 1e300, 1e100, 1e30]
SEEDS = range(3)


def on_device(X):
    return strict.asarray(X)


def in_partitions(X):
    return da.from_array(X, chunks=(max(1, -(-len(X) // 3)), *X.shape[1:]))


def fit(form, X, y, weight=None, **parameters):
    """The classifier, and its probabilities on the host."""
    rest = form if form in (on_device, in_partitions) else np.asarray
    weight = None if weight is None else rest(weight)
    with config_context(array_api_dispatch=form is on_device):
        clf = SoftmaxClassifier(**parameters).fit(form(X), rest(y), sample_weight=weight)
        P = clf.predict_proba(form(X))
        assert clf.log_likelihood_ <= 0 <= clf.objective_
        total = float(clf.log_likelihood(form(X), rest(y), sample_weight=weight))
    assert clf.log_likelihood_ == pytest.approx(total, rel=1e-12, abs=1e-12)
    return clf, to_numpy(P.compute() if hasattr(P, "compute") else P)


def repeated_rows(d, seed):
    """Six points of which five samples each are labelled 3:2, or 3:1:1."""
    return np.repeat(np.random.default_rng(seed).normal(size=(6, d)), 5, axis=0)


FORMS = [np.asarray, scipy.sparse.csr_array, on_device, in_partitions]


@pytest.mark.parametrize("C", PENALTIES)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("d", [3, 8, 29, 30, 40])
@pytest.mark.parametrize("labels", [(0, 0, 0, 1, 1), (0, 0, 0, 1, 2)], ids=str)
@pytest.mark.thinned(4)
def test_repeated_rows_have_the_frequencies_of_their_labels(labels, d, form, C):
    X, y = repeated_rows(d, d), np.tile(labels, 6)
    clf, P = fit(form, X, y, C=C)
    frequencies = np.bincount(labels) / 5
    np.testing.assert_allclose(P, np.tile(frequencies, (30, 1)), atol=1e-9)
    assert clf.converged_
    np.testing.assert_allclose(to_numpy(clf.coef_), 0, atol=1e-9)


@pytest.mark.parametrize("C", PENALTIES)
@pytest.mark.parametrize("K", [2, 3, 5])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.thinned(3)
def test_soft_targets_of_more_columns_than_rows_are_met(seed, form, K, C):
    """n points, n - 1 directions and an intercept: the probabilities are the targets."""
    rng = np.random.default_rng(seed)
    X, Y = rng.normal(size=(20, 35)), rng.dirichlet(np.full(K, 2.0), size=20)
    clf, P = fit(form, X, Y, C=C, tol=1e-12)
    np.testing.assert_allclose(P, Y, atol=1e-6)
    logits = np.log(Y)
    logits -= logits.mean(axis=1, keepdims=True)
    logits = logits if K > 2 else logits[:, 1:] - logits[:, :1]
    centred = X - X.mean(axis=0)
    least = np.linalg.lstsq(centred, logits - logits.mean(axis=0), rcond=1e-10)[0].T
    np.testing.assert_allclose(to_numpy(clf.coef_), least, atol=1e-5)


def dependent(kind, n, rng):
    if kind == "one-hot":
        return np.hstack([np.eye(m)[rng.integers(0, m, n)] for m in (3, 4, 2)])
    if kind == "copies":
        X = rng.normal(size=(n, 4))
        return X[:, [0, 1, 2, 3, 0, 0, 2]] * [1, 1, 1, 1, 2, 1e4, -1]
    rank = 1 if kind == "one column" else 4
    return rng.normal(size=(n, rank)) @ rng.normal(size=(rank, 70))


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("kind", ["one-hot", "copies", "low rank", "one column"])
@pytest.mark.parametrize("n", [69, 300])
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.thinned(4)
def test_a_very_weak_penalty_is_none(seed, n, kind, soft):
    """The limit of weaker and weaker penalties, whatever the form, for d > n and n > d."""
    rng = np.random.default_rng([seed, n])
    X = dependent(kind, n, rng)
    P = softmax(X[:, :3] / X[:, :3].std(axis=0) + 0.5 * rng.normal(size=(n, 3)), axis=1)
    P = 0.5 * P + 1 / 6
    y = P if soft else (P.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)
    weight = rng.uniform(0.5, 2.0, size=n)
    clf, P = fit(np.asarray, X, y, weight, C=np.inf, tol=1e-10)
    penalised = SoftmaxClassifier(C=1e7, tol=1e-12).fit(X, y, sample_weight=weight)
    size = np.abs(clf.coef_).max()
    np.testing.assert_allclose(clf.coef_, penalised.coef_, atol=1e-3 * size)
    assert -1e-9 < clf.log_likelihood_ - penalised.log_likelihood_ < 1e-4
    others = [(form, np.inf) for form in FORMS[1:]] + [(np.asarray, C) for C in PENALTIES[1:]]
    for form, C in others:
        other, Q = fit(form, X, y, weight, C=C, tol=1e-10)
        np.testing.assert_allclose(Q, P, atol=1e-6)
        np.testing.assert_allclose(to_numpy(other.coef_), clf.coef_, atol=1e-6 * size)
        assert other.converged_


@pytest.mark.parametrize("C", PENALTIES[:2])
@pytest.mark.parametrize("shape", [(30, 50, 50), (80, 40, 5), (80, 5, 5)], ids=str)
def test_separation_is_told_where_no_penalty_is_seen(shape, C):
    n, d, rank = shape
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, rank)) @ rng.normal(size=(rank, d)) if rank < d else None
    X = rng.normal(size=(n, d)) if X is None else X
    y = X[:, :3].argmax(axis=1)
    advice = "a finite C" if np.isinf(C) else "a smaller C"
    with pytest.warns(ConvergenceWarning, match=f"no finite maximum .* Pass {advice}"):
        fit(np.asarray, X, y, C=C)


@pytest.mark.parametrize("C", [1e-3, 1.0, 1e6, np.inf])
@pytest.mark.parametrize("copies", [51, 60, 200])
@pytest.mark.parametrize("seed", SEEDS)
def test_one_column_in_many_copies(seed, copies, C):
    """As one column with the coefficients' sum, whose penalty is that much weaker."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(50, 1))
    y = (x[:, 0] + 2 * rng.normal(size=50) > 0).astype(int)
    many, P = fit(np.asarray, np.repeat(x, copies, axis=1), y, C=C)
    one, Q = fit(np.asarray, x, y, C=C * copies)
    np.testing.assert_allclose(P, Q, atol=1e-5)
    np.testing.assert_allclose(many.coef_ * copies, one.coef_[:, :1] + np.zeros(copies), rtol=1e-3)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("exponents", [(-530, 0, 3), (-700, -530, 500), (0, 600, 0)], ids=str)
def test_units_whose_squares_are_beyond_float64(exponents, form):
    """Powers of two change no digit of a fit without penalty."""
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(90, 3)), rng.integers(0, 3, 90)
    exponents = np.array(exponents)
    plain, P = fit(form, X, y, C=np.inf)
    scaled, Q = fit(form, np.ldexp(X, exponents), y, C=np.inf)
    np.testing.assert_allclose(Q, P, rtol=1e-9)
    coef = np.ldexp(to_numpy(scaled.coef_), exponents)
    np.testing.assert_allclose(coef, to_numpy(plain.coef_), rtol=1e-6)


@pytest.mark.parametrize("exponent", [-530, 600])
def test_separation_by_columns_whose_squares_are_beyond_float64(exponent):
    X = np.random.default_rng(0).normal(size=(60, 3))
    y = (X[:, 1] > 0).astype(int)
    X[:, 1] = np.ldexp(X[:, 1], exponent)
    with pytest.warns(ConvergenceWarning, match="because x1 separates 0 from 1 in all 60"):
        fit(np.asarray, X, y, C=np.inf)


def test_small_columns_with_a_penalty():
    """The coefficient of a column whose squares vanish is its gradient over alpha."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(80, 2)), rng.integers(0, 2, 80)
    X[:, 1] *= 1e-180
    clf, P = fit(np.asarray, X, y, C=2.0)
    gradient = (y - P[:, 1]) @ X[:, 1]
    assert clf.coef_[0, 1] == pytest.approx(2.0 * gradient, rel=1e-6)
    assert clf.converged_


@pytest.mark.parametrize(
    ("exponent", "C", "said"),
    [
        (-1060, np.inf, "so small that their coefficient"),
        (600, 1.0, "squares overflow: rescale the column"),
    ],
)
def test_units_beyond_float64_are_refused_by_column(exponent, C, said):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(80, 2)), rng.integers(0, 2, 80)
    X[:, 1] = np.ldexp(X[:, 1], exponent)
    with pytest.raises(ValueError, match=f"column 1.*{said}"):
        SoftmaxClassifier(C=C).fit(X, y)


@pytest.mark.parametrize("K", [2, 3, 4])
@pytest.mark.parametrize("weight", [1e-6, 1.0, 1e6, 1e12])
@pytest.mark.parametrize("seed", SEEDS)
def test_no_likelihood_is_above_zero(seed, weight, K):
    """Separated samples that weigh much: the difference of large sums was negative."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, 4))
    y = (X @ rng.normal(size=(4, K))).argmax(axis=1)
    with pytest.warns(ConvergenceWarning, match="no finite maximum"):
        clf, _ = fit(np.asarray, X, y, np.full(60, weight), C=np.inf)
    assert clf.optimality_gap_ <= clf.objective_


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("C", [1.0, np.inf])
@pytest.mark.parametrize("shape", [(40, 3), (300, 5), (40, 80)], ids=str)
def test_objective_is_that_of_the_parameters_as_returned(shape, C, seed):
    """Beside a row of sentinels, and with columns far from zero."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=shape)
    X[0, :2] = 1e9
    X[:, 2] += 1e10
    y = (X[:, 1] + rng.normal(size=len(X)) > 0).astype(int)
    clf = SoftmaxClassifier(C=C)
    try:
        clf.fit(X, y)
    except ConvergenceWarning:
        with pytest.warns(ConvergenceWarning):
            clf.fit(X, y)
    loss = -clf.log_likelihood(X, y)
    penalty = 0.0 if np.isinf(C) else np.sum(clf.coef_**2) / (2 * C)
    assert clf.log_likelihood_ == pytest.approx(-loss, rel=1e-9, abs=1e-12)
    assert clf.objective_ == pytest.approx(loss + penalty, rel=1e-9, abs=1e-12)


def test_a_warm_start_in_other_coordinates():
    rng = np.random.default_rng(0)
    for X in (rng.normal(size=(30, 4)) @ rng.normal(size=(4, 50)), rng.normal(size=(99, 3))):
        X = np.hstack([X, X[:, :2]])
        y = rng.integers(0, 3, len(X))
        clf = SoftmaxClassifier(C=np.inf, warm_start=True).fit(X, y)
        coef, n_iter = clf.coef_, clf.n_iter_
        clf.fit(X, y)
        assert clf.n_iter_ <= min(n_iter, 2)
        np.testing.assert_allclose(clf.coef_, coef, atol=1e-7)
