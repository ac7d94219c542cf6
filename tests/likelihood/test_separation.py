"""Data without a finite maximum of the likelihood: all of them are found, and no others."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from skxent.likelihood.data import Data
from skxent.likelihood.separation import find_separation
from skxent.likelihood.solver import minimise


def data_of(X, y, weight=None, fit_intercept=True, n_classes=None):
    X = X if sp.issparse(X) else np.asarray(X)
    y = np.asarray(y)
    y = y.astype(np.intp) if y.dtype == bool else y
    K = n_classes or (y.shape[1] if y.ndim == 2 else int(y.max()) + 1)
    return Data(X, y, weight, K, fit_intercept)


def margins_of(found, data):
    """Logits of the label less those of each other class, (n, K), along the direction found."""
    X = data.X.toarray() if sp.issparse(data.X) else data.X
    Z = X @ found.direction[:, :-1].T + found.direction[:, -1]
    if Z.shape[1] == 1:
        Z = np.column_stack([np.zeros(len(Z)), Z])
    margins = Z[np.arange(len(Z)), data.targets][:, None] - Z
    return margins if data.weight is None else margins[data.weight > 0]


LINE = np.arange(10.0)[:, None]


def test_complete_on_a_line():
    data = data_of(LINE, LINE[:, 0] > 4)
    found = find_separation(data)
    assert found.kind == "complete"
    assert (found.n_samples, found.n_total) == (10, 10)
    assert found.pairs == ((0, 1),)
    assert np.delete(margins_of(found, data), 0, axis=1)[5:].min() >= 0


def test_quasi_complete_where_two_samples_touch():
    X = np.append(LINE, [[4.0]], axis=0)
    y = np.append(LINE[:, 0] > 4, True)
    found = find_separation(data_of(X, y))
    assert found.kind == "quasi-complete"
    assert found.n_samples == 9  # the two at 4 are not told apart
    y[0], y[9] = True, False
    assert find_separation(data_of(X, y)) is None


def test_a_category_of_one_class_alone():
    """The table with an empty cell."""
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=(200, 3)), rng.random(200) < 0.1])
    y = rng.integers(0, 2, 200)
    assert find_separation(data_of(X, y)) is None
    y[X[:, 3] == 1] = 1
    found = find_separation(data_of(X, y))
    assert found.kind == "quasi-complete"
    assert found.features.tolist() == [3]
    assert found.n_samples == X[:, 3].sum()


def test_one_of_three_classes():
    rng = np.random.default_rng(1)
    y = np.repeat([0, 1, 2], 40)
    X = rng.normal(size=(120, 4))
    X[:, 2] += 20 * (y == 2)
    found = find_separation(data_of(X, y))
    assert found.kind == "quasi-complete"
    assert found.pairs == ((0, 2), (1, 2))
    assert found.features.tolist() == [2]
    message = found.message(np.array(["a", "b", "c"]), ["p", "q", "r", "s"])
    assert "because r separates 'c' from 'a' and 'b' in all 120 samples" in message
    assert "quasi-complete" in message
    assert "Pass a finite C" in message


def test_classic_iris():
    from sklearn.datasets import load_iris

    X, y = load_iris(return_X_y=True)
    assert find_separation(data_of(X, y)).pairs == ((0, 1), (0, 2))
    assert find_separation(data_of(X, y == 0)).kind == "complete"
    assert find_separation(data_of(X, y == 1)) is None


def test_samples_of_no_weight_do_not_count():
    y = LINE[:, 0] > 4
    y[0] = True
    weight = np.ones(10)
    assert find_separation(data_of(LINE, y, weight)) is None
    weight[0] = 0.0
    found = find_separation(data_of(LINE, y, weight))
    assert (found.kind, found.n_total) == ("complete", 9)


def test_soft_rows_hold_their_classes_together():
    hard = np.column_stack([LINE[:, 0] <= 4, LINE[:, 0] > 4]).astype(float)
    assert find_separation(data_of(LINE, hard)).kind == "complete"
    soft = hard.copy()
    soft[4] = 0.5, 0.5
    # the boundary can lie at 4 only, where the soft row says that both are possible
    assert find_separation(data_of(LINE, soft)).kind == "quasi-complete"
    soft[7] = 0.5, 0.5
    assert find_separation(data_of(LINE, soft)) is None


def test_without_an_intercept_the_boundary_passes_through_the_origin():
    y = LINE[:, 0] > 4
    assert find_separation(data_of(LINE, y, fit_intercept=False)) is None
    assert find_separation(data_of(LINE - 4.5, y, fit_intercept=False)).kind == "complete"


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("form", ["raw", "float32", "sparse", "constant and twice"])
def test_forms_of_the_same_data(seed, form):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(100, 4)).round(3)
    y = (X[:, 1] > 0.2).astype(int)
    X[np.abs(X[:, 1] - 0.2) < 0.05, 1] = 1.0
    y = (X[:, 1] > 0.2).astype(int)
    other = y.copy()
    other[rng.choice(100, 30, replace=False)] ^= 1
    form_of = {
        "raw": lambda A: A * [1e-6, 1.0, 1e6, 1.0] + [0.0, 0.0, 0.0, 1e9],
        "float32": lambda A: A.astype(np.float32),
        "sparse": lambda A: sp.csr_array(
            np.where(np.abs(A) > 1.5, 0.0, A)[:, [1, 1, 2, 3]] * [1, 0, 1, 1]
        ),
        "constant and twice": lambda A: np.column_stack([A, A[:, 1], np.full(len(A), 7.0)]),
    }[form]
    if form != "sparse":
        assert find_separation(data_of(form_of(X), y)).kind == "complete"
    assert find_separation(data_of(form_of(X), other)) is None


@pytest.mark.parametrize("seed", range(50))
def test_no_false_alarm(seed):
    """Ten sets each: some have samples of all classes at one point, which nothing separates."""
    rng = np.random.default_rng(seed)
    for _ in range(10):
        K, d = int(rng.integers(2, 5)), int(rng.integers(1, 6))
        n = 20 * d * K
        X = rng.normal(size=(n, d)) * 10.0 ** rng.integers(-6, 7, d) + 10.0 ** rng.integers(0, 6)
        if rng.random() < 0.5:
            X[:, 0] = rng.random(n) < 0.3
        y = rng.integers(0, K, n)
        X[:K], y[:K] = X.mean(axis=0), np.arange(K)
        # the mean is inside the hull of each class, or the set is no test
        assert find_separation(data_of(X, y)) is None


@pytest.mark.parametrize("seed", range(60))
def test_agrees_with_the_fit(seed):
    rng = np.random.default_rng([seed, 7])
    K, d = int(rng.integers(2, 4)), int(rng.integers(1, 5))
    n = int(rng.integers(8, 20))
    X = rng.normal(size=(n, d)).round(1)
    y = np.append(np.arange(K), rng.integers(0, K, n - K))
    data = data_of(X, y)
    solution = minimise(data, alpha=0.0, start=None, tol=1e-6, max_iter=1000)
    found = find_separation(data)
    assert (found is None) == (not solution.unbounded)
    if found is not None:
        assert margins_of(found, data).min() > -1e-9
        assert margins_of(found, data).max() > 1e-3
        guess = replace(solution).coef, solution.intercept
        assert find_separation(data, guess=guess).kind == found.kind
