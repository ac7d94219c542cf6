"""Fits reach the minimum that scikit-learn and statsmodels reach, for every form of X."""

import numpy as np
import pytest
import scipy.sparse as sp
import statsmodels.api as sm
from reference_fits import WEIGHTS, assert_same_model, minimiser
from sklearn.datasets import load_breast_cancer, load_iris, load_wine

from skxent import LogisticClassifier, SoftmaxClassifier


@pytest.mark.parametrize("weight", WEIGHTS.values(), ids=WEIGHTS)
@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 0.3, 1: 4.0}], ids=str)
@pytest.mark.parametrize("C", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("K", [2, 3, 7])
def test_same_minimiser_as_scikit_learn(two_hundred_samples, K, C, class_weight, weight):
    X, y = two_hundred_samples[K]
    settings = {"C": C, "class_weight": class_weight}
    clf = SoftmaxClassifier(**settings).fit(X, y, weight)
    assert_same_model(clf, minimiser(X, y, weight, **settings))


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array, sp.csc_matrix, sp.coo_array])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("C", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("K", [2, 3, 7])
def test_same_minimiser_sparse_and_without_intercept(generate, K, C, fit_intercept, form):
    X, y = generate(300, 8, K, kind="mostly zero")
    settings = {"C": C, "fit_intercept": fit_intercept}
    clf = SoftmaxClassifier(**settings).fit(form(X), y)
    assert_same_model(clf, minimiser(X, y, **settings))
    assert np.array_equal(clf.predict(form(X)), clf.predict(X))


@pytest.mark.parametrize("name", ["breast cancer", "heart-like"])
def test_two_classes_like_statsmodels(name, generate):
    if name == "breast cancer":  # all thirty columns are separable
        X, y = load_breast_cancer(return_X_y=True)
        X = X[:, [0, 1, 4]]
    else:
        X, y = generate(300, 5, 2, kind="correlated")
    X = (X - X.mean(axis=0)) / X.std(axis=0)  # for statsmodels' sake
    oracle = sm.Logit(y, sm.add_constant(X)).fit(method="newton", tol=1e-10, disp=False)
    clf = LogisticClassifier(C=np.inf).fit(X, y)
    np.testing.assert_allclose(
        np.append(clf.intercept_, clf.coef_), oracle.params, rtol=1e-7, atol=1e-7
    )
    assert clf.log_likelihood_ == pytest.approx(oracle.llf, rel=1e-12)


@pytest.mark.parametrize("K", [3, 5])
def test_many_classes_like_statsmodels(K, generate):
    X, y = generate(400, 4, K)
    oracle = sm.MNLogit(y, sm.add_constant(X)).fit(method="newton", tol=1e-10, disp=False)
    clf = SoftmaxClassifier(C=np.inf).fit(X, y)
    theta = np.column_stack([clf.intercept_, clf.coef_])
    # statsmodels counts from the first class
    np.testing.assert_allclose(theta[1:] - theta[0], oracle.params.T, rtol=1e-7, atol=1e-7)
    assert clf.log_likelihood_ == pytest.approx(oracle.llf, rel=1e-12)


# ------------------------------------------------------------------ invariances


def test_order_of_classes(two_hundred_samples):
    X, y = two_hundred_samples[3]
    clf = SoftmaxClassifier().fit(X, y)
    other = SoftmaxClassifier().fit(X, 2 - y)
    np.testing.assert_allclose(other.coef_[::-1], clf.coef_, rtol=1e-9, atol=1e-10)
    X, y = two_hundred_samples[2]
    clf, other = SoftmaxClassifier().fit(X, y), SoftmaxClassifier().fit(X, 1 - y)
    np.testing.assert_allclose(other.coef_, -clf.coef_, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("K", [2, 3])
def test_units_of_features_without_penalty(two_hundred_samples, K):
    X, y = two_hundred_samples[K]
    unit, origin = np.logspace(-6, 6, 5), np.array([0, 3e-6, 1e3, 1e-3, 1e8])
    clf = SoftmaxClassifier(C=np.inf).fit(X, y)
    other = SoftmaxClassifier(C=np.inf).fit(X * unit + origin, y)
    assert other.objective_ == pytest.approx(clf.objective_, rel=1e-12)
    np.testing.assert_allclose(other.coef_ * unit, clf.coef_, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("K", [2, 3])
def test_order_of_rows(two_hundred_samples, K):
    X, y = two_hundred_samples[K]
    order = np.random.default_rng(0).permutation(len(y))
    clf, other = SoftmaxClassifier().fit(X, y), SoftmaxClassifier().fit(X[order], y[order])
    np.testing.assert_allclose(other.coef_, clf.coef_, rtol=1e-9, atol=1e-10)


def test_two_classes_are_a_softmax_of_two():
    """Three classes, the third without weight, are two; both rows share the penalty of one.

    With logits (-w x / 2, w x / 2) the softmax pays ||w||^2 / (4 C): half of what one logit pays.
    """
    X, y = load_iris(return_X_y=True)
    X, y = X[:100], y[:100]
    soft = np.column_stack([np.eye(2)[y], np.zeros(100)])
    with pytest.warns(UserWarning, match="class 2 has no weight"):
        three = SoftmaxClassifier(C=0.5, tol=1e-10).fit(X, soft)
    two = SoftmaxClassifier(C=1.0, tol=1e-10).fit(X, y)
    np.testing.assert_allclose(three.coef_[1] - three.coef_[0], two.coef_[0], rtol=1e-4)


# ------------------------------------------------------------------ forms of X


@pytest.mark.parametrize("K", [2, 3])
def test_forms_of_x(two_hundred_samples, K, tmp_path):
    X, y = two_hundred_samples[K]
    X = X.astype(np.float32)
    wide = X.astype(np.float64)
    reference = SoftmaxClassifier().fit(wide, y)
    read_only = wide.copy()
    read_only.flags.writeable = False
    np.save(tmp_path / "X.npy", wide)
    np.save(tmp_path / "X32.npy", X)
    forms = {
        "float32": X,
        "Fortran": np.asfortranarray(wide),
        "Fortran float32": np.asfortranarray(X),
        "read-only": read_only,
        "memory-mapped": np.load(tmp_path / "X.npy", mmap_mode="r"),
        "memory-mapped float32": np.load(tmp_path / "X32.npy", mmap_mode="r"),
        "strided": np.repeat(wide, 2, axis=1)[:, ::2],
        "reversed": np.ascontiguousarray(wide[::-1])[::-1],
        "sparse": sp.csr_array(wide),
        "sparse float32": sp.csr_array(X),
    }
    for name, form in forms.items():
        clf = SoftmaxClassifier().fit(form, y)
        np.testing.assert_allclose(clf.coef_, reference.coef_, rtol=1e-9, atol=1e-10, err_msg=name)
        assert clf.coef_.dtype == np.float64
        P = clf.predict_proba(form)
        # float32 logits would do for float32 samples
        np.testing.assert_allclose(P, reference.predict_proba(wide), rtol=1e-5, err_msg=name)
    assert np.array_equal(X, wide)  # nothing was written to


@pytest.mark.parametrize("index", [np.int32, np.int64])
def test_sparse_read_only_unsorted_and_64_bit(two_hundred_samples, index):
    X, y = two_hundred_samples[3]
    matrix = sp.csr_array(X)
    matrix.indices = np.ascontiguousarray(matrix.indices.reshape(-1, 5)[:, ::-1].ravel(), index)
    matrix.data = np.ascontiguousarray(matrix.data.reshape(-1, 5)[:, ::-1].ravel())
    matrix.indptr = matrix.indptr.astype(index)
    matrix.has_sorted_indices = False
    for part in (matrix.data, matrix.indices, matrix.indptr):
        part.flags.writeable = False
    clf = SoftmaxClassifier().fit(matrix, y)
    np.testing.assert_allclose(
        clf.coef_, SoftmaxClassifier().fit(X, y).coef_, rtol=1e-9, atol=1e-10
    )
    assert matrix.indices[:5].tolist() == [4, 3, 2, 1, 0]


def test_sparse_with_entries_given_twice(two_hundred_samples):
    """Entries of one place add up: 3x - 2x is x, and squares are of the sum."""
    X, y = two_hundred_samples[3]
    matrix = sp.csr_array(
        (
            np.repeat(X, 2, axis=1).ravel() * np.tile([3.0, -2.0], X.size),
            np.tile(np.repeat(np.arange(5), 2), len(X)),
            np.arange(len(X) + 1) * 10,
        ),
        shape=X.shape,
    )
    assert matrix.nnz == 2 * X.size
    clf = SoftmaxClassifier().fit(matrix, y)
    np.testing.assert_allclose(
        clf.coef_, SoftmaxClassifier().fit(X, y).coef_, rtol=1e-9, atol=1e-10
    )
    assert matrix.nnz == 2 * X.size


# ------------------------------------------------------------------ output


def test_verbose_prints_each_iteration(capsys):
    X, y = load_wine(return_X_y=True)
    clf = SoftmaxClassifier(verbose=1).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == clf.n_iter_
    values = [float(line.split()[-2]) for line in lines]
    np.testing.assert_allclose(values, clf.objective_curve_[:, 1], rtol=1e-8)
    SoftmaxClassifier().fit(X, y)
    assert capsys.readouterr().out == ""
