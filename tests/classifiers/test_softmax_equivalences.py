"""Fits that are the same: other orders of rows, columns, classes; copies; other units and forms."""

import warnings

import dask.array as da
import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.exceptions import ConvergenceWarning

from skxent import SoftmaxClassifier, categorical_cross_entropy

KINDS = ["normal", "correlated", "raw", "outlier", "heavy", "mostly zero"]
SHAPES = [(60, 4, 2), (80, 3, 4), (25, 40, 3)]
PENALTIES = [1e-2, 1.0, 1e3]


def make(generate, shape, kind, seed):
    X, y = generate(*shape, kind="normal" if kind == "raw" else kind, seed=seed, strength=1.0)
    if kind == "raw":
        X = X * np.logspace(-2, 3, X.shape[1]) + np.linspace(-50, 900, X.shape[1])
    return X, y, np.random.default_rng(seed).integers(0, 4, len(X)).astype(float)


def fit(X, y, weight=None, **settings):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return SoftmaxClassifier(**{"tol": 1e-9, **settings}).fit(X, y, sample_weight=weight)


def assert_same(one, other, P, Q):
    assert other.converged_ == one.converged_
    if not one.converged_:
        assert np.isinf(one.C)  # separated, and told of both
        return
    assert other.objective_ == pytest.approx(one.objective_, rel=1e-8, abs=1e-8)
    np.testing.assert_allclose(Q, P, atol=3e-4)


@pytest.mark.parametrize("C", [*PENALTIES, np.inf])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.thinned(3)
def test_log_likelihood_is_the_metric(generate, shape, kind, C):
    X, y, weight = make(generate, shape, kind, 0)
    for truth in (y, 0.9 * np.eye(shape[2])[y] + 0.1 / shape[2]):
        for w in (None, weight):
            clf = fit(X, truth, w, C=C)
            own = clf.log_likelihood(X, truth, w)
            Z = clf.decision_function(X)
            total = categorical_cross_entropy(
                truth, Z, from_logits=True, sample_weight=w, reduction="sum"
            )
            assert own == -total
            assert clf.log_likelihood_ == pytest.approx(own, rel=1e-9, abs=1e-12)
            P = clf.predict_proba(X)
            if P.min() > 1e-12:
                plain = categorical_cross_entropy(truth, P, sample_weight=w, reduction="sum")
                assert own == pytest.approx(-plain, rel=1e-9)


@pytest.mark.parametrize("C", PENALTIES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_orders_of_rows_columns_and_classes(generate, shape, kind, C):
    X, y, weight = make(generate, shape, kind, 1)
    rng = np.random.default_rng(0)
    rows, columns, names = (rng.permutation(m) for m in (*X.shape, shape[2]))
    one = fit(X, y, weight, C=C)
    P = one.predict_proba(X)
    other = fit(X[rows], y[rows], weight[rows], C=C)
    assert_same(one, other, P, other.predict_proba(X))
    other = fit(X[:, columns], y, weight, C=C)
    assert_same(one, other, P, other.predict_proba(X[:, columns]))
    other = fit(X, names[y], weight, C=C)
    assert_same(one, other, P, other.predict_proba(X)[:, names])


@pytest.mark.parametrize("C", PENALTIES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_weight_is_a_number_of_copies(generate, shape, kind, C):
    X, y, weight = make(generate, shape, kind, 2)
    copies = np.repeat(np.arange(len(y)), weight.astype(int))
    one, other = fit(X, y, weight, C=C), fit(X[copies], y[copies], C=C)
    if len(np.unique(y[copies])) == shape[2]:
        assert_same(one, other, one.predict_proba(X), other.predict_proba(X))


@pytest.mark.parametrize("kind", ["normal", "correlated", "raw"])
@pytest.mark.parametrize("shape", [(200, 4, 2), (300, 3, 4)], ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_units_and_origins_without_penalty(generate, seed, shape, kind):
    """Columns a x + b have coefficients of 1 / a, whatever their units."""
    X, y, _ = make(generate, shape, kind, seed)
    rng = np.random.default_rng(seed)
    unit = 10.0 ** rng.integers(-6, 7, X.shape[1])
    moved = X * unit + 10 * X.std(axis=0) * unit * rng.normal(size=X.shape[1])
    one, other = fit(X, y, C=np.inf), fit(moved, y, C=np.inf)
    assert_same(one, other, one.predict_proba(X), other.predict_proba(moved))
    size = X.std(axis=0)
    np.testing.assert_allclose(other.coef_ * unit * size, one.coef_ * size, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("m", [2, 3, 7])
@pytest.mark.parametrize("C", PENALTIES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_column_m_times_is_C_times_m(generate, shape, kind, C, m):
    """The sum of m equal coefficients s / m pays s^2 / m: the fit of one column with m C."""
    X, y, weight = make(generate, shape, kind, 3)
    many, one = np.tile(X, m), fit(X, y, weight, C=m * C)
    copies = fit(many, y, weight, C=C)
    assert_same(one, copies, one.predict_proba(X), copies.predict_proba(many))
    parts = copies.coef_.reshape(len(one.coef_), m, -1)
    size = 1e-3 * np.abs(parts).max(axis=(0, 1))
    np.testing.assert_allclose(parts, np.broadcast_to(parts[:, :1], parts.shape), atol=size.max())
    np.testing.assert_allclose(parts.sum(axis=1), one.coef_, atol=m * size.max())


@pytest.mark.parametrize("C", [*PENALTIES, np.inf])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES[:2], ids=str)
@pytest.mark.thinned(3)
def test_dense_sparse_and_partitions(generate, shape, kind, C):
    X, y, weight = make(generate, shape, kind, 4)
    one = fit(X, y, weight, C=C)
    for form in (sp.csr_array, sp.csc_array, np.asfortranarray):
        other = fit(form(X), y, weight, C=C)
        assert_same(one, other, one.predict_proba(X), other.predict_proba(form(X)))
    rows = {"chunks": 23}
    parts = [da.from_array(X, chunks=(23, -1)), *(da.from_array(a, **rows) for a in (y, weight))]
    other = fit(*parts, C=C)
    assert_same(one, other, one.predict_proba(X), other.predict_proba(parts[0]).compute())


@pytest.mark.parametrize("gap", [1e-2, 1e-4, 1e-6, 1e-8])
@pytest.mark.parametrize("C", PENALTIES)
@pytest.mark.parametrize("kind", KINDS)
def test_the_gap_of_a_fit_of_d_above_n(optimum, generate, kind, C, gap):
    """Within ten times of the exact gap, in the space of the rows too."""
    X, y, _ = make(generate, (25, 40, 3), kind, 5)
    best = optimum(X, y, C=C)
    clf = SoftmaxClassifier(C=C, tol=gap)
    try:
        clf.fit(X, y)
    except ConvergenceWarning:
        pytest.fail("no convergence on small data")
    true = best.gap_of(clf)
    if true > 1e-9 * max(1.0, clf.objective_):
        assert 0.1 * true <= clf.optimality_gap_ <= 10 * true
