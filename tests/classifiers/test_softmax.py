"""The minimiser: the same as scikit-learn's and statsmodels', for every form of data and target."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
import statsmodels.api as sm
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_iris, load_wine
from sklearn.linear_model import LogisticRegression

import skxent
from skxent import LogisticClassifier, SoftmaxClassifier, cce_sum_scorer


@pytest.fixture(scope="module")
def data(generate):
    """Some 200 samples with 2, 3 or 7 classes."""
    return {K: generate(200, 5, K, seed=1) for K in (2, 3, 7)}


def minimiser(X, y, sample_weight=None, **settings):
    """Coefficients of LogisticRegression as near to the minimum as it goes."""
    clf = LogisticRegression(solver="newton-cholesky", tol=1e-12, max_iter=500, **settings)
    return clf.fit(X, y, sample_weight)


def assert_same_model(clf, other, atol=1e-6):
    """Within 1e-6; the intercepts of scikit-learn's softmax do not sum to zero."""
    np.testing.assert_array_equal(clf.classes_, other.classes_)
    centre = (lambda a: a - a.mean(axis=0)) if len(clf.coef_) > 1 else np.asarray
    np.testing.assert_allclose(clf.coef_, centre(other.coef_), rtol=0, atol=atol)
    np.testing.assert_allclose(
        clf.intercept_, centre(np.broadcast_to(other.intercept_, len(clf.coef_))), rtol=0, atol=atol
    )


WEIGHTS = {"none": None, "weights": np.random.default_rng(0).uniform(0, 3, size=200)}


@pytest.mark.parametrize("weight", WEIGHTS.values(), ids=WEIGHTS)
@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 0.3, 1: 4.0}], ids=str)
@pytest.mark.parametrize("C", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("K", [2, 3, 7])
def test_same_minimiser_as_scikit_learn(data, K, C, class_weight, weight):
    X, y = data[K]
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


# ------------------------------------------------------------------ targets and weights


@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 0.5, 2: 3.0}], ids=str)
@pytest.mark.parametrize("weight", WEIGHTS.values(), ids=WEIGHTS)
def test_labels_are_one_hot_rows(data, class_weight, weight):
    X, y = data[3]
    clf = SoftmaxClassifier(class_weight=class_weight)
    labels = clone(clf).fit(X, y, weight)
    rows = clone(clf).fit(X, np.eye(3)[y], weight)
    np.testing.assert_allclose(rows.coef_, labels.coef_, rtol=1e-9, atol=1e-10)
    assert rows.objective_ == pytest.approx(labels.objective_, rel=1e-13)


@pytest.mark.parametrize("class_weight", [None, {0: 0.5, 1: 1.0, 2: 3.0}], ids=str)
@pytest.mark.parametrize("K", [2, 3])
def test_a_soft_row_is_its_shares_of_each_class(data, K, class_weight):
    """(0.3, 0.7) is 0.3 of a sample of the first class and 0.7 of one of the second."""
    X, _ = data[K]
    soft = np.random.default_rng(0).dirichlet(np.ones(K), size=len(X))
    if class_weight is not None:
        class_weight = {k: class_weight[k] for k in range(K)}
    clf = SoftmaxClassifier(class_weight=class_weight).fit(X, soft)
    copies = SoftmaxClassifier(class_weight=class_weight)
    copies.fit(np.tile(X, (K, 1)), np.repeat(np.arange(K), len(X)), soft.T.ravel())
    np.testing.assert_allclose(clf.coef_, copies.coef_, rtol=1e-8, atol=1e-9)
    assert clf.objective_ == pytest.approx(copies.objective_, rel=1e-12)


def test_soft_targets_with_names(data):
    X, _ = data[3]
    soft = np.random.default_rng(0).dirichlet(np.ones(3), size=len(X))
    plain = SoftmaxClassifier().fit(X, soft)
    assert plain.classes_.tolist() == [0, 1, 2]
    names = SoftmaxClassifier().fit(X, soft, classes=["c", "a", "b"])
    assert names.classes_.tolist() == ["c", "a", "b"]  # columns are the same everywhere
    np.testing.assert_allclose(names.coef_, plain.coef_, rtol=1e-12, atol=1e-13)
    assert names.log_likelihood(X, soft) == pytest.approx(names.log_likelihood_)
    assert -cce_sum_scorer(names, X, soft) == pytest.approx(-names.log_likelihood_)
    assert set(names.predict(X)) <= {"a", "b", "c"}
    for form in (pd.DataFrame, pl.DataFrame, np.asfortranarray):
        again = SoftmaxClassifier().fit(X, form(soft))
        np.testing.assert_allclose(again.coef_, plain.coef_, rtol=1e-12, atol=1e-13)


def test_a_class_that_no_soft_row_asks_for(data):
    """The truth has three names but nobody of the third: its probability is zero."""
    X, y = data[2]
    soft = np.column_stack([np.eye(2)[y], np.zeros(len(y))])
    with pytest.warns(UserWarning, match="class 'c' has no weight"):
        clf = SoftmaxClassifier().fit(X, soft, classes=["a", "b", "c"])
    assert not clf.predict_proba(X)[:, 2].any()


@pytest.mark.parametrize("K", [2, 3])
def test_weights_are_copies(data, K):
    X, y = data[K]
    weight = np.arange(len(y)) % 4
    weighted = SoftmaxClassifier().fit(X, y, weight)
    copied = SoftmaxClassifier().fit(np.repeat(X, weight, axis=0), np.repeat(y, weight))
    np.testing.assert_allclose(weighted.coef_, copied.coef_, rtol=1e-8, atol=1e-9)
    assert weighted.objective_ == pytest.approx(copied.objective_, rel=1e-12)


def test_class_weights_are_sample_weights(data):
    X, y = data[3]
    factors = np.array([0.5, 2.0, 7.0])
    by_class = SoftmaxClassifier(class_weight=dict(enumerate(factors))).fit(X, y)
    by_sample = SoftmaxClassifier().fit(X, y, factors[y])
    assert np.array_equal(by_class.coef_, by_sample.coef_)


LABELS = {
    "str": np.array(["no", "a longer one", "Yes"]),
    "object": np.array(["no", "a longer one", "Yes"], dtype=object),
    "object of int": np.array([7, -3, 10], dtype=object),
    "int8": np.array([7, -3, 100], dtype=np.int8),
    "uint64": np.array([0, 2**60, 1], dtype=np.uint64),
    "float": np.array([1.0, -3.0, 2.0]),
}


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_labels_of_any_type(data, labels):
    X, codes = data[3]
    y = labels[codes]
    clf = SoftmaxClassifier().fit(X, y)
    assert clf.classes_.tolist() == sorted(labels.tolist())
    assert clf.classes_.dtype == labels.dtype
    order = np.argsort(labels)
    np.testing.assert_allclose(
        clf.coef_, SoftmaxClassifier().fit(X, codes).coef_[order], rtol=1e-9, atol=1e-10
    )
    assert clf.predict(X).dtype == labels.dtype
    assert np.mean(clf.predict(X) == y) > 0.5
    assert clf.log_likelihood(X, y) == pytest.approx(clf.log_likelihood_, rel=1e-12)


def test_bool_labels_and_lists(data):
    X, y = data[2]
    clf = SoftmaxClassifier().fit(X.tolist(), (y == 1).tolist())
    assert clf.classes_.dtype == bool
    assert np.array_equal(clf.coef_, SoftmaxClassifier().fit(X, y).coef_)
    assert clf.predict(X).dtype == bool


@pytest.mark.parametrize("series", [pd.Series, pl.Series, lambda y: pd.Series(y, dtype="category")])
def test_frames(data, series):
    X, codes = data[3]
    y = np.array(["no", "may", "yes"])[codes]
    frame = pl.DataFrame if series is pl.Series else pd.DataFrame
    named = frame(dict(zip("abcde", X.T, strict=True)))
    clf = SoftmaxClassifier().fit(named, series(y), sample_weight=series(np.ones(len(y))))
    # scikit-learn 1.7 does not read the names of polars
    known = hasattr(LogisticRegression().fit(named, codes), "feature_names_in_")
    assert known or frame is pl.DataFrame
    assert getattr(clf, "feature_names_in_", np.array([])).tolist() == list("abcde") * known
    # A frame's columns lie one after the other, and BLAS may add in another order.
    plain = SoftmaxClassifier().fit(X, y, np.ones(len(y)))
    np.testing.assert_allclose(clf.coef_, plain.coef_, rtol=1e-10)
    assert clf.score(named, y) > 0.5
    assert clf.log_likelihood(named, series(y)) == pytest.approx(clf.log_likelihood_)


# ------------------------------------------------------------------ invariances


def test_order_of_classes(data):
    X, y = data[3]
    clf = SoftmaxClassifier().fit(X, y)
    other = SoftmaxClassifier().fit(X, 2 - y)
    np.testing.assert_allclose(other.coef_[::-1], clf.coef_, rtol=1e-9, atol=1e-10)
    X, y = data[2]
    clf, other = SoftmaxClassifier().fit(X, y), SoftmaxClassifier().fit(X, 1 - y)
    np.testing.assert_allclose(other.coef_, -clf.coef_, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("K", [2, 3])
def test_units_of_features_without_penalty(data, K):
    X, y = data[K]
    unit, origin = np.logspace(-6, 6, 5), np.array([0, 3e-6, 1e3, 1e-3, 1e8])
    clf = SoftmaxClassifier(C=np.inf).fit(X, y)
    other = SoftmaxClassifier(C=np.inf).fit(X * unit + origin, y)
    assert other.objective_ == pytest.approx(clf.objective_, rel=1e-12)
    np.testing.assert_allclose(other.coef_ * unit, clf.coef_, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("K", [2, 3])
def test_order_of_rows(data, K):
    X, y = data[K]
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
def test_forms_of_x(data, K, tmp_path):
    X, y = data[K]
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
def test_sparse_read_only_unsorted_and_64_bit(data, index):
    X, y = data[3]
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


def test_sparse_with_entries_given_twice(data):
    """Entries of one place add up: 3x - 2x is x, and squares are of the sum."""
    X, y = data[3]
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


# ------------------------------------------------------------------ predictions


@pytest.mark.parametrize("K", [2, 3])
def test_predictions_agree_with_each_other(data, K):
    X, y = data[K]
    clf = SoftmaxClassifier().fit(X, y)
    P, L, Z = clf.predict_proba(X), clf.predict_log_proba(X), clf.decision_function(X)
    assert Z.shape == ((len(X),) if K == 2 else (len(X), K))
    np.testing.assert_allclose(P.sum(axis=1), 1, rtol=1e-14)
    np.testing.assert_allclose(np.exp(L), P, rtol=1e-12)
    assert np.array_equal(clf.predict(X), clf.classes_[P.argmax(axis=1)])
    np.testing.assert_allclose(P, minimiser(X, y).predict_proba(X), rtol=1e-6)


@pytest.mark.parametrize("K", [2, 3])
def test_log_probabilities_in_the_tails(data, K):
    X, y = data[K]
    clf = SoftmaxClassifier().fit(X, y)
    far = 1e6 * X[:5]
    L = clf.predict_log_proba(far)
    assert np.isfinite(L).all()
    Z = clf.decision_function(far)
    Z = np.column_stack([np.zeros(5), Z]) if K == 2 else Z
    # differences of log-probabilities are those of logits, however small the probabilities
    np.testing.assert_allclose(L[:, 1] - L[:, 0], Z[:, 1] - Z[:, 0], rtol=1e-12)
    assert L.min() < -1e5
    assert L.max() <= 0


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("weight", WEIGHTS.values(), ids=WEIGHTS)
def test_log_likelihood(data, K, weight):
    X, y = data[K]
    clf = SoftmaxClassifier().fit(X, y, weight)
    found = clf.log_likelihood(X, y, weight)
    assert found == pytest.approx(clf.log_likelihood_, rel=1e-12)
    w = np.ones(len(y)) if weight is None else weight
    assert found == pytest.approx(w @ np.log(clf.predict_proba(X)[np.arange(len(y)), y]), rel=1e-12)
    assert found == pytest.approx(
        sum(
            clf.log_likelihood(X[rows], y[rows], w[rows]) for rows in (slice(0, 70), slice(70, 200))
        ),
        rel=1e-12,
    )
    soft = np.eye(K)[y]
    assert clf.log_likelihood(X, soft, weight) == pytest.approx(found, rel=1e-12)


def test_log_likelihood_of_a_fold_without_a_class(data):
    X, y = data[3]
    clf = SoftmaxClassifier().fit(X, y)
    only = y == 1
    expected = np.log(clf.predict_proba(X[only])[:, 1]).sum()
    assert clf.log_likelihood(X[only], y[only]) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("C", [1.0, np.inf])
@pytest.mark.parametrize("K", [2, 3])
def test_to_sklearn(data, K, C):
    X, codes = data[K]
    y = np.array(["no", "may", "yes"])[codes]
    frame = pd.DataFrame(X, columns=list("abcde"))
    clf = SoftmaxClassifier(C=C, class_weight="balanced").fit(frame, y)
    other = clf.to_sklearn()
    assert type(other) is LogisticRegression
    for method in ("predict", "predict_proba", "decision_function"):
        found, expected = (getattr(c, method)(frame) for c in (other, clf))
        if method == "predict":
            assert np.array_equal(found, expected)
        else:
            np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert other.feature_names_in_.tolist() == list("abcde")
    assert skxent.cce_scorer(other, frame, y) == pytest.approx(skxent.cce_scorer(clf, frame, y))
    other.coef_[:] = 0  # a copy
    assert clf.coef_.any()
    refit = clone(other).set_params(solver="newton-cholesky", tol=1e-10).fit(frame, y)
    assert_same_model(clf, refit)


# ------------------------------------------------------------------ warm start


@pytest.mark.parametrize("K", [2, 3])
def test_warm_start(data, K):
    X, y = data[K]
    cold = SoftmaxClassifier().fit(X, y)
    warm = SoftmaxClassifier(warm_start=True).fit(X, y)
    assert np.array_equal(warm.coef_, cold.coef_)
    passes = warm.n_passes_
    warm.fit(X, y)
    assert warm.n_passes_ < passes / 2
    np.testing.assert_allclose(warm.coef_, cold.coef_, rtol=1e-8, atol=1e-9)
    warm.set_params(C=3.0).fit(X, y)
    np.testing.assert_allclose(
        warm.coef_, SoftmaxClassifier(C=3.0).fit(X, y).coef_, rtol=1e-6, atol=1e-7
    )


def test_warm_start_where_it_does_not_fit(data):
    """Other columns, classes, or an intercept that is no more: begin anew or from what fits."""
    warm = SoftmaxClassifier(warm_start=True).fit(*data[3])
    X, y = data[2]
    np.testing.assert_allclose(warm.fit(X, y).coef_, SoftmaxClassifier().fit(X, y).coef_, atol=1e-7)
    X = X[:, :2]
    np.testing.assert_allclose(warm.fit(X, y).coef_, SoftmaxClassifier().fit(X, y).coef_, atol=1e-7)
    warm.set_params(fit_intercept=False).fit(X, y)
    plain = SoftmaxClassifier(fit_intercept=False).fit(X, y)
    np.testing.assert_allclose(warm.coef_, plain.coef_, atol=1e-7)
    assert (warm.intercept_ == 0).all()


def test_a_bad_start_is_only_slow(data):
    X, y = data[3]
    warm = SoftmaxClassifier(warm_start=True).fit(X, y)
    cold = warm.coef_
    warm.coef_ = 30.0 * np.random.default_rng(0).normal(size=cold.shape)
    np.testing.assert_allclose(warm.fit(X, y).coef_, cold, atol=1e-6)


def test_verbose_prints_each_iteration(capsys):
    X, y = load_wine(return_X_y=True)
    clf = SoftmaxClassifier(verbose=1).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == clf.n_iter_
    values = [float(line.split()[-2]) for line in lines]
    np.testing.assert_allclose(values, clf.objective_curve_[:, 1], rtol=1e-8)
    SoftmaxClassifier().fit(X, y)
    assert capsys.readouterr().out == ""


def test_a_start_worse_than_zero_is_not_taken():
    """Units of the features changed between two fits."""
    X, y = load_wine(return_X_y=True)
    clf = SoftmaxClassifier(warm_start=True).fit(X, y)
    fresh = SoftmaxClassifier().fit(X * 1e6, y)
    assert clf.fit(X * 1e6, y).objective_ == pytest.approx(fresh.objective_, abs=1e-6)
    clf.coef_ = np.full_like(clf.coef_, np.nan)
    assert clf.fit(X, y).converged_


def test_what_classes_have_in_common_does_not_pile_up(data):
    """A common part of the weights means nothing, but would cost the objective its digits."""
    X, y = data[3]
    clf = SoftmaxClassifier(warm_start=True).fit(X, y)
    best = clf.objective_
    clf.coef_ = clf.coef_ + 1e8
    assert clf.fit(X, y).objective_ == pytest.approx(best, rel=1e-12)


def test_weights_that_add_up_to_little():
    X, y = load_breast_cancer(return_X_y=True)
    weight = np.full(len(y), 1e-9 / len(y))
    light = SoftmaxClassifier(C=1e9, tol=1e-9).fit(X[:, :2], y, weight)
    plain = SoftmaxClassifier(C=1 / len(y), tol=1e-9).fit(X[:, :2], y)
    assert light.converged_
    np.testing.assert_allclose(light.coef_, plain.coef_, rtol=1e-5)


@pytest.mark.parametrize("class_weight", [None, {0: 1.0, 1: 1.0, 2: 1.0}])
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_soft_targets_of_few_digits_are_added_up_in_float64(dtype, class_weight):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30_000, 3))
    Y = rng.dirichlet([1, 1, 1], 30_000).astype(dtype)
    exact = Y / Y.sum(axis=1, keepdims=True, dtype=np.float64)
    one, two = (SoftmaxClassifier(class_weight=class_weight).fit(X, each) for each in (Y, exact))
    assert one.objective_ == pytest.approx(two.objective_, rel=1e-13)
