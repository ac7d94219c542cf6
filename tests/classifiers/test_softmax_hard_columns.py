"""Columns that float64 makes hard: far from zero, nearly dependent, constant, of float32."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.exceptions import ConvergenceWarning

from skxent import SoftmaxClassifier

SEEDS = range(4)


@pytest.mark.parametrize("value", [1.0, -300.0, 1e-3])
@pytest.mark.parametrize("shape", [(30, 1), (30, 4), (10, 25)], ids=str)
@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
@pytest.mark.parametrize("seed", SEEDS)
def test_constant_columns_are_penalised_without_an_intercept(optimum, seed, form, shape, value):
    """Their variance is zero, and their squares are not."""
    rng = np.random.default_rng(seed)
    X, y = np.full(shape, value), np.maximum(rng.integers(-3, 3, shape[0]), 0)
    y[:3] = range(3)
    for C in (0.5 / value**2, 1e-4 / value**2):
        clf = SoftmaxClassifier(C=C, fit_intercept=False).fit(form(X), y)
        first = optimum(X[:, :1] * np.sqrt(shape[1]), y, C=C, fit_intercept=False)
        assert clf.objective_ == pytest.approx(float(first.value), rel=1e-9, abs=1e-6)
        assert clf.objective_ > -clf.log_likelihood_
        assert clf.converged_


def nearly_dependent(rng, n, d, part):
    X = rng.normal(size=(n, d))
    X[:, -1] = X[:, 0] - X[:, 1] + part * X[:, -1]
    return X


@pytest.mark.parametrize("part", [1e-5, 1e-6, 1e-7, 1e-8])
@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("soft", [True, False])
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.thinned(3)
def test_a_column_that_others_nearly_explain(seed, soft, intercept, form, part):
    """The maximum is that of the part which they do not explain, whatever its size."""
    rng = np.random.default_rng(seed)
    X = np.ldexp(np.round(np.ldexp(nearly_dependent(rng, 60, 4, 1.0), 8)), -8)
    X[:, -1] -= X[:, 0] - X[:, 1]
    near = X.copy()
    unit = 2.0 ** np.round(np.log2(part))
    near[:, -1] = X[:, 0] - X[:, 1] + unit * X[:, -1]  # exact: all digits fit
    y = rng.integers(0, 3, 60)
    y = 0.8 * np.eye(3)[y] + 0.2 * rng.dirichlet(np.ones(3), 60) if soft else y
    weight = rng.integers(0, 4, 60)
    settings = {"C": np.inf, "fit_intercept": intercept}
    plain = SoftmaxClassifier(**settings, tol=1e-10).fit(X, y, weight)
    clf = SoftmaxClassifier(**settings).fit(form(near), y, weight)
    assert clf.converged_
    assert clf.n_iter_ < 20
    assert clf.objective_ == pytest.approx(plain.objective_, abs=3e-6)
    np.testing.assert_allclose(clf.coef_[:, -1] * unit, plain.coef_[:, -1], atol=1e-3)
    again = SoftmaxClassifier(**settings, warm_start=True)
    again.fit(form(near), y, weight)
    again.fit(form(near), y, weight)
    assert again.n_iter_ <= 2


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("C", [1e6, 1e9, np.inf])
@pytest.mark.parametrize("seed", SEEDS)
def test_float32_has_the_curvature_of_float64(optimum, seed, C, intercept, form, dtype):
    """Parts of 1e-4 have squares that float32 does not show."""
    rng = np.random.default_rng(seed)
    X = nearly_dependent(rng, 80, 3, 1e-4).astype("float32")
    y = rng.integers(0, 2, 80)
    best = optimum(X, y, C=C, fit_intercept=intercept)
    clf = SoftmaxClassifier(C=C, fit_intercept=intercept).fit(form(X.astype(dtype)), y)
    best.assert_reached(clf)
    assert clf.n_iter_ < 20


@pytest.mark.parametrize("offset", [1e2, 1e4, 1e6, 1e7])
@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("C", [np.inf, 1e20])
@pytest.mark.parametrize("seed", SEEDS)
def test_sparse_columns_far_from_zero(seed, C, K, offset):
    """As the same numbers in a dense array, next to columns that depend on them."""
    rng = np.random.default_rng(seed)
    X = np.round(rng.normal(size=(60, 4)) * 16) / 16
    X[:, 1] += offset
    X = np.column_stack([X, X[:, 0] + X[:, 2], X[:, 1] - X[:, 0]])
    y = rng.integers(0, K, 60)
    dense = SoftmaxClassifier(C=C).fit(X, y)
    sparse = SoftmaxClassifier(C=C).fit(sp.csr_array(X), y)
    assert dense.converged_
    assert sparse.converged_
    assert sparse.objective_ == pytest.approx(dense.objective_, abs=3e-6)


@pytest.mark.parametrize("offset", [1e3, 1e5, 1e8])
@pytest.mark.parametrize("spread", [1.0, 100.0, 1e10])
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.thinned(3)
def test_more_columns_than_rows_far_from_zero(seed, spread, offset):
    """What centring leaves of a row that depends on the others is rounding, not a direction."""
    rng = np.random.default_rng(seed)
    X = np.round(rng.normal(size=(9, 45)) * 4 + offset * rng.normal(size=45))
    y = np.arange(9) % 3
    weight = spread ** rng.uniform(0, 1, 9)
    with pytest.warns(ConvergenceWarning, match="no finite maximum"):
        clf = SoftmaxClassifier(C=np.inf).fit(X, y, weight)
    assert clf.objective_ < 1e-9 * weight.sum()
    assert np.abs(clf.coef_).max() < 1e3 * spread


@pytest.mark.parametrize("C", [1.0, 1e6, np.inf])
@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
@pytest.mark.parametrize("offset", [1e9, 1e11, 1e13])
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.thinned(3)
def test_no_fit_is_worse_than_none(seed, offset, form, C):
    """Next to so large numbers coefficients lose their digits, and intercepts alone do not."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(30, 6)) + offset * rng.normal(size=6)
    y, weight = rng.integers(0, 3, 30), 10.0 ** rng.uniform(-15, 15, 30)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        clf = SoftmaxClassifier(C=C).fit(form(X), y, weight)
    total = np.bincount(y, weight)
    most = -total @ np.log(total / total.sum())
    assert clf.objective_ <= most * (1 + 1e-9)
    assert clf.optimality_gap_ <= clf.objective_
    assert clf.log_likelihood_ == pytest.approx(clf.log_likelihood(form(X), y, weight), rel=1e-9)


@pytest.mark.parametrize("C", [1e20, 1e22, 1e30])
@pytest.mark.parametrize("shape", [(60, 3), (12, 30)], ids=str)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_penalty_too_weak_to_be_seen_counts_in_the_objective(seed, shape, C):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=shape) * 1e6
    y = (X[:, 0] > 0).astype(int)
    with pytest.warns(ConvergenceWarning, match="no finite maximum"):
        clf = SoftmaxClassifier(C=C, fit_intercept=False).fit(X, y)
    penalty = np.square(clf.coef_).sum() / 2 / C
    assert penalty > 0
    assert clf.objective_ == pytest.approx(penalty - clf.log_likelihood_, rel=1e-12)
    loss = -clf.log_likelihood(X, y)
    assert clf.objective_ == pytest.approx(penalty + loss, rel=1e-9, abs=0)


@pytest.mark.parametrize("size", [1e155, 1e160, 1e250])
@pytest.mark.parametrize("intercept", [True, False])
def test_numbers_whose_squares_overflow_in_a_row_without_weight(size, intercept):
    rng = np.random.default_rng(0)
    X, y, weight = rng.normal(size=(40, 3)), rng.integers(0, 2, 40), np.ones(40)
    plain = SoftmaxClassifier(C=np.inf, fit_intercept=intercept).fit(X[1:], y[1:])
    X[0, 1], weight[0] = size, 0.0
    clf = SoftmaxClassifier(C=np.inf, fit_intercept=intercept).fit(X, y, weight)
    np.testing.assert_allclose(clf.coef_, plain.coef_, rtol=1e-6)


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
def test_rows_without_weight_of_float32(form):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 3)).astype("float32"), rng.integers(0, 2, 40)
    weight = rng.integers(0, 2, 40)
    clf, plain = SoftmaxClassifier().fit(form(X), y, weight), SoftmaxClassifier()
    plain.fit(X[weight > 0], y[weight > 0])
    np.testing.assert_allclose(clf.coef_, plain.coef_, rtol=1e-4)


@pytest.mark.parametrize("kind", ["bsr", "coo", "csc", "csr", "dia", "dok", "lil"])
@pytest.mark.parametrize("suffix", ["array", "matrix"])
def test_every_sparse_format(kind, suffix):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 4)), rng.integers(0, 3, 30)
    X[rng.random(X.shape) < 0.5] = 0.0
    form = getattr(sp, f"{kind}_{suffix}")(X)
    clf = SoftmaxClassifier().fit(form, y)
    np.testing.assert_allclose(clf.coef_, SoftmaxClassifier().fit(X, y).coef_, atol=1e-5)
    np.testing.assert_allclose(clf.predict_proba(form), clf.predict_proba(X), rtol=1e-12)


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("shape", [(120, 40), (400, 30), (60, 90)])
@pytest.mark.parametrize("K", [2, 3])
def test_float32_of_rank_five(K, shape, intercept, form, soft):
    """In numbers that float32 holds exactly: five columns say the same, and least norm decides."""
    n, d = shape
    rng = np.random.default_rng(0)
    few = rng.integers(-8, 9, size=(n, 5)) / 4
    X = (few @ (rng.integers(-8, 9, size=(5, d)) / 8)).astype("float32")
    y = rng.dirichlet(np.ones(K), n) if soft else rng.integers(0, K, n)
    settings = {"C": np.inf, "fit_intercept": intercept, "tol": 1e-10}
    clf = SoftmaxClassifier(**settings).fit(form(X), y)
    plain = SoftmaxClassifier(**settings).fit(few, y)
    assert clf.converged_
    assert clf.objective_ == pytest.approx(plain.objective_, rel=1e-9)
    beyond = np.linalg.svd(X.astype(float))[2][5:]
    np.testing.assert_allclose(clf.coef_ @ beyond.T, 0, atol=1e-12 * np.abs(clf.coef_).max())
    assert clf.log_likelihood_ == pytest.approx(clf.log_likelihood(form(X), y), rel=1e-13)


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
def test_the_rank_of_float32_is_that_of_the_numbers_as_they_are(form):
    """Rounding to float32 makes columns independent; in float64 the same numbers are as well."""
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(120, 5)) @ rng.normal(size=(5, 40))).astype("float32")
    y = rng.integers(0, 2, 120)
    narrow, wide = (
        SoftmaxClassifier(C=np.inf).fit(form(numbers), y) for numbers in (X, X.astype(float))
    )
    assert narrow.converged_ and wide.converged_
    assert narrow.objective_ == pytest.approx(wide.objective_, rel=1e-9)
    own = narrow.log_likelihood(form(X), y)
    assert narrow.log_likelihood_ == pytest.approx(own, rel=1e-12)
