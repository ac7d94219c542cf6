"""Comparisons by cross-validation: the corrected test, folds that lack classes, weights."""

import numpy as np
import pytest
import sklearn
from joblib import parallel_config
from scipy import stats
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedKFold,
    cross_val_score,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from skxent import ZeroProbabilityWarning, cce_scorer, cce_sum_scorer, compare, compare_cv

COLUMNS = ("mean", "difference", "standard_error", "low", "high", "t_statistic", "p_value")
MODELS = {"rates": DummyClassifier(), "bayes": GaussianNB(), "wide": GaussianNB(var_smoothing=1.0)}


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    return X[order], np.array(["setosa", "versicolor", "virginica"])[y[order]]


def assert_same(left, right, rtol=1e-12):
    for name in COLUMNS:
        np.testing.assert_allclose(getattr(left, name), getattr(right, name), rtol, err_msg=name)


# ------------------------------------------------------------------ the test


def test_is_the_corrected_resampled_t_test(iris):
    """Nadeau and Bengio's formula, written out, where all test sets have one size."""
    X, y = iris
    cv = ShuffleSplit(12, test_size=30, random_state=0)
    found = compare_cv(MODELS, X, y, baseline="rates", cv=cv, level=0.9)
    base = cross_val_score(MODELS["rates"], X, y, cv=cv, scoring=cce_scorer)
    for i, name in enumerate(found.names):
        d = base - cross_val_score(MODELS[name], X, y, cv=cv, scoring=cce_scorer)
        error = np.sqrt((1 / 12 + 30 / 120) * d.var(ddof=1))
        np.testing.assert_allclose(found.difference[i], d.mean(), rtol=1e-12)
        np.testing.assert_allclose(found.standard_error[i], error, rtol=1e-12)
        p = 2 * stats.t.sf(abs(d.mean() / error), 11)
        np.testing.assert_allclose(found.p_value[i], p, rtol=1e-9)
        half = stats.t.isf(0.05, 11) * error
        np.testing.assert_allclose(found.high[i] - found.low[i], 2 * half, rtol=1e-12)
    assert (found.n, found.df) == (360, 11)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("cv", [KFold(7), 4, None], ids=["unequal", "integer", "default"])
def test_difference_is_that_of_the_pooled_means(iris, cv, weighted):
    X, y = iris
    weight = np.random.default_rng(1).random(len(y)) if weighted else None
    found = compare_cv(MODELS, X, y, baseline="rates", cv=cv, sample_weight=weight)
    np.testing.assert_allclose(
        found.difference, found.mean - found.baseline_mean, rtol=0, atol=1e-13
    )


def test_means_are_those_of_all_held_out_predictions(iris):
    X, y = iris
    found = compare_cv(MODELS, X, y, baseline="rates", cv=KFold(7))
    for mean, name in zip(found.mean, found.names, strict=True):
        sums = cross_val_score(MODELS[name], X, y, cv=KFold(7), scoring=cce_sum_scorer)
        np.testing.assert_allclose(mean, -sums.sum() / len(y), rtol=1e-13)


def test_folds_of_unequal_size_count_by_their_size(iris):
    X, y = iris
    found = compare_cv(MODELS, X, y, baseline="rates", cv=KFold(7))
    sizes = np.array([len(test) for _, test in KFold(7).split(X)])
    assert len(set(sizes)) > 1
    means = {
        name: -cross_val_score(model, X, y, cv=KFold(7), scoring=cce_scorer)
        for name, model in MODELS.items()
    }
    d = means["bayes"] - means["rates"]
    mean = np.average(d, weights=sizes)
    variance = 7 / 6 * np.average((d - mean) ** 2, weights=sizes)
    error = np.sqrt((1 / 7 + 1 / 6) * variance)
    np.testing.assert_allclose(found.standard_error[0], error, rtol=1e-12)


def test_no_fold_is_drawn_twice(iris):
    """A splitter without a seed draws other folds each time; all estimators shall meet the same."""
    X, y = iris
    cv = ShuffleSplit(5)
    models = {"one": GaussianNB(), "same": GaussianNB()}
    found = compare_cv(models, X, y, baseline="one", cv=cv)
    assert (found.difference[0], found.p_value[0]) == (0.0, 1.0)


def test_bits_and_parallel_folds(iris):
    X, y = iris
    nats = compare_cv(MODELS, X, y, baseline="rates", cv=4)
    with parallel_config("threading"):  # starting processes takes seconds
        bits = compare_cv(MODELS, X, y, baseline="rates", cv=4, base=2, n_jobs=2)
    np.testing.assert_allclose(bits.difference * np.log(2), nats.difference, rtol=1e-14)
    np.testing.assert_allclose(bits.p_value, nats.p_value, rtol=1e-13)


def test_estimators_are_left_as_they_are(iris):
    model = GaussianNB()
    weight = np.ones(len(iris[1]))
    compare_cv({"a": model, "b": DummyClassifier()}, *iris, baseline="a", sample_weight=weight)
    assert vars(model) == vars(GaussianNB())


# ------------------------------------------------------------------ folds


def test_default_is_fifteen_stratified_splits_always_the_same(iris):
    X, y = iris
    found = compare_cv(MODELS, X, y, baseline="rates")
    assert (found.df, found.n) == (14, 15 * 15)
    assert "15 folds" in found.method
    assert_same(found, compare_cv(MODELS, X, y, baseline="rates"))


def test_a_class_too_rare_to_stratify(iris):
    X, y = iris
    tested = next(ShuffleSplit(15, test_size=0.1, random_state=0).split(X))[1]
    y = np.where(np.arange(150) == tested[0], "rare", y)
    with pytest.warns(ZeroProbabilityWarning):
        found = compare_cv(MODELS, X, y, baseline="rates")
    assert np.isfinite(found.difference).all()


@pytest.mark.filterwarnings("ignore::skxent.metrics.ZeroProbabilityWarning")
def test_folds_that_lack_a_class(iris):
    """Sorted labels, so that each fold tests a class that its training part has never seen."""
    X, y = iris
    order = np.argsort(y)
    found = compare_cv(MODELS, X[order], y[order], baseline="rates", cv=KFold(3))
    np.testing.assert_allclose(found.baseline_mean, -np.log(np.finfo(float).eps))
    np.testing.assert_array_equal(found.difference, 0.0)


def test_groups_stay_together(iris):
    X, y = iris
    groups = np.arange(150) // 5
    given = compare_cv(MODELS, X, y, baseline="rates", cv=GroupKFold(4), groups=groups)
    assert_same(given, compare_cv(MODELS, X, y, baseline="rates", cv=4, groups=groups))
    splits = list(GroupKFold(4).split(X, y, groups))
    assert_same(given, compare_cv(MODELS, X, y, baseline="rates", cv=splits))

    class Leak(ClassifierMixin, BaseEstimator):
        """Knows the groups that it was trained on."""

        def fit(self, X, y):
            self.classes_, self.seen_ = np.unique(y), set(X[:, -1])
            return self

        def predict_proba(self, X):
            assert not self.seen_ & set(X[:, -1])
            return np.full((len(X), 3), 1 / 3)

    grouped = np.column_stack([X, groups])
    compare_cv({"a": Leak(), "b": Leak()}, grouped, y, baseline="a", groups=groups)


def test_one_fold_is_refused(iris):
    with pytest.raises(ValueError, match="cv has one fold"):
        compare_cv(MODELS, *iris, baseline="rates", cv=ShuffleSplit(1))


def test_soft_targets():
    class Prior(ClassifierMixin, BaseEstimator):
        def __init__(self, power=1.0):
            self.power = power

        def fit(self, X, Y):
            self.classes_ = np.arange(Y.shape[1])
            self.rates_ = Y.mean(axis=0) ** self.power
            self.rates_ /= self.rates_.sum()
            return self

        def predict_proba(self, X):
            return np.tile(self.rates_, (len(X), 1))

    Y = np.random.default_rng(2).dirichlet([1, 2, 3], size=60)
    models = {"mean": Prior(), "sharp": Prior(5.0)}
    found = compare_cv(models, np.zeros((60, 1)), Y, baseline="mean")
    assert found.difference[0] > 0
    assert found.p_value[0] < 0.01


# ------------------------------------------------------------------ weights


def test_weights_are_in_fits_and_in_sums(iris):
    X, y = iris
    weight = np.random.default_rng(3).uniform(0.1, 3, size=len(y))
    found = compare_cv(MODELS, X, y, baseline="rates", cv=3, sample_weight=weight)
    sums, total = {name: 0.0 for name in MODELS}, 0.0
    for train, test in StratifiedKFold(3).split(X, y):
        for name, model in MODELS.items():
            fitted = sklearn.clone(model).fit(X[train], y[train], weight[train])
            sums[name] -= cce_sum_scorer(fitted, X[test], y[test], sample_weight=weight[test])
        total += weight[test].sum()
    np.testing.assert_allclose(found.baseline_mean, sums["rates"] / total, rtol=1e-12)
    np.testing.assert_allclose(found.mean, [sums[k] / total for k in found.names], rtol=1e-12)


def test_weights_of_one_change_nothing(iris):
    X, y = iris
    plain = compare_cv(MODELS, X, y, baseline="rates", cv=3)
    weighted = compare_cv(MODELS, X, y, baseline="rates", cv=3, sample_weight=np.ones(150))
    assert_same(plain, weighted, rtol=1e-10)
    assert plain.n == weighted.n


@pytest.mark.filterwarnings("ignore::skxent.metrics.ZeroProbabilityWarning")
def test_who_takes_no_weights_is_fitted_without(iris):
    X, y = iris
    models = {"rates": DummyClassifier(), "neighbours": KNeighborsClassifier(20)}
    weight = np.random.default_rng(4).uniform(0.1, 3, size=len(y))
    found = compare_cv(models, X, y, baseline="rates", cv=3, sample_weight=weight)
    total = 0.0
    for train, test in StratifiedKFold(3).split(X, y):
        fitted = KNeighborsClassifier(20).fit(X[train], y[train])
        total -= cce_sum_scorer(fitted, X[test], y[test], sample_weight=weight[test])
    np.testing.assert_allclose(found.mean[0], total / weight.sum(), rtol=1e-12)


def test_a_pipeline_says_who_takes_weights(iris):
    X, y = iris
    weight = np.random.default_rng(5).uniform(0.1, 3, size=len(y))
    pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    models = {"rates": DummyClassifier(), "pipeline": pipeline}
    with pytest.raises(ValueError, match="not explicitly set as requested or not"):
        compare_cv(models, X, y, baseline="rates", cv=3, sample_weight=weight)
    with sklearn.config_context(enable_metadata_routing=True):
        pipeline[0].set_fit_request(sample_weight=False)
        pipeline[1].set_fit_request(sample_weight=True)
        found = compare_cv(models, X, y, baseline="rates", cv=3, sample_weight=weight)
    total = 0.0
    for train, test in StratifiedKFold(3).split(X, y):
        scaler = StandardScaler().fit(X[train])
        fitted = LogisticRegression().fit(scaler.transform(X[train]), y[train], weight[train])
        held_out = scaler.transform(X[test])
        total -= cce_sum_scorer(fitted, held_out, y[test], sample_weight=weight[test])
    np.testing.assert_allclose(found.mean[0], total / weight.sum(), rtol=1e-12)


def test_weights_that_leave_a_fold_empty(iris):
    weight = np.r_[np.zeros(50), np.ones(100)]
    with pytest.raises(ValueError, match="fold 0 of cv has no weight"):
        compare_cv(MODELS, *iris, baseline="rates", cv=KFold(3), sample_weight=weight)
    with pytest.raises(ValueError, match="sample_weight has 3 samples but y has 150"):
        compare_cv(MODELS, *iris, baseline="rates", sample_weight=[1, 2, 3])


# ------------------------------------------------------------------ what goes wrong


def test_errors_of_estimators_are_not_swallowed(iris):
    models = {"rates": DummyClassifier(), "svm": LinearSVC()}
    with pytest.raises(TypeError, match="LinearSVC has no predict_proba") as caught:
        compare_cv(models, *iris, baseline="rates", cv=3)
    assert caught.value.__notes__ == ["This is about estimators['svm']."]
    with pytest.raises(ValueError, match="baseline='dummy' is not in estimators"):
        compare_cv(models, *iris, baseline="dummy")


def test_repeated_folds_agree_with_one_test_set_on_the_size_of_the_error(iris):
    """Two stable learners: what varies is the test samples, as on one test set."""
    X, y = iris
    models = {"one": GaussianNB(var_smoothing=0.1), "other": GaussianNB(var_smoothing=1.0)}
    cv = RepeatedStratifiedKFold(n_splits=5, n_repeats=10, random_state=0)
    found = compare_cv(models, X, y, baseline="one", cv=cv)
    P = {name: model.fit(X, y).predict_proba(X) for name, model in models.items()}
    one_set = compare(y, P, baseline="one")
    assert 0.5 < found.standard_error[0] / one_set.standard_error[0] < 2.0
