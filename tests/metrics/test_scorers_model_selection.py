"""Scorers wherever scikit-learn takes scoring=, with weights that are routed."""

import warnings

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_selection import RFECV, SequentialFeatureSelector
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.metrics import check_scoring
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    KFold,
    RandomizedSearchCV,
    StratifiedKFold,
    TunedThresholdClassifierCV,
    cross_val_score,
    cross_validate,
    learning_curve,
    permutation_test_score,
    validation_curve,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from skxent.metrics import (
    categorical_cross_entropy,
    cce_scorer,
    cce_sum_scorer,
    make_cross_entropy_scorer,
)


class SoftPrior(ClassifierMixin, BaseEstimator):
    """Predicts the mean of the soft targets it was fitted on."""

    def fit(self, X, y):
        self.classes_ = np.arange(y.shape[1])
        self.prior_ = y.mean(axis=0)
        return self

    def predict_proba(self, X):
        return np.tile(self.prior_, (len(X), 1))


def test_soft_targets_in_cross_val_score():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(40, 2)), rng.dirichlet(np.ones(4), size=40)
    scores = cross_val_score(SoftPrior(), X, Y, scoring=cce_scorer, cv=KFold(4))
    for score, (train, test) in zip(scores, KFold(4).split(X), strict=True):
        expected = (Y[test] @ np.log(Y[train].mean(axis=0))).mean()
        np.testing.assert_allclose(score, expected)


@pytest.mark.parametrize("scorer", [cce_scorer, cce_sum_scorer], ids=["mean", "sum"])
def test_cross_validation_alone_and_in_a_dict(iris, scorer):
    X, y = iris
    model, cv = make_pipeline(StandardScaler(), GaussianNB()), KFold(4)
    expected = []
    for train, test in cv.split(X):
        fitted = clone(model).fit(X[train], y[train])
        expected.append(scorer(fitted, X[test], y[test]))
    np.testing.assert_array_equal(cross_val_score(model, X, y, scoring=scorer, cv=cv), expected)
    scoring = {"ours": scorer, "bits": make_cross_entropy_scorer(base=2), "theirs": "accuracy"}
    result = cross_validate(model, X, y, scoring=scoring, cv=cv, return_train_score=True)
    np.testing.assert_array_equal(result["test_ours"], expected)
    assert np.isfinite(result["train_bits"]).all()
    assert check_scoring(model, scorer) is scorer


def test_equals_neg_log_loss_where_that_is_defined(iris):
    X, y = iris
    np.testing.assert_allclose(
        cross_val_score(LogisticRegression(), X, y, scoring=cce_scorer),
        cross_val_score(LogisticRegression(), X, y, scoring="neg_log_loss"),
        rtol=1e-12,
    )


@pytest.mark.parametrize("search", [GridSearchCV, HalvingGridSearchCV, RandomizedSearchCV])
def test_searches(iris, search):
    X, y = iris
    options = {"n_iter": 2} if search is RandomizedSearchCV else {}
    grid = {"var_smoothing": [1e-9, 1e3]}
    fitted = search(GaussianNB(), grid, scoring=cce_scorer, cv=3, **options).fit(X, y)
    assert fitted.best_params_ == {"var_smoothing": 1e-9}
    assert (
        fitted.score(X, y) == cce_scorer(fitted.best_estimator_, X, y) == cce_scorer(fitted, X, y)
    )
    assert search(**clone(fitted).get_params(deep=False)).scoring is not None


def test_search_over_two_scorers(iris):
    X, y = iris
    scoring = {"mean": cce_scorer, "sum": cce_sum_scorer}
    search = GridSearchCV(
        GaussianNB(), {"var_smoothing": [1e-9, 1e3]}, scoring=scoring, refit="sum"
    )
    results = search.fit(X, y).cv_results_
    np.testing.assert_allclose(results["mean_test_sum"], 30 * results["mean_test_mean"])


@pytest.mark.filterwarnings("ignore::skxent.metrics.ZeroProbabilityWarning")
def test_curves_importance_and_selection(iris, two_classes):
    X, y = iris
    _, train, test = learning_curve(GaussianNB(), X, y, scoring=cce_scorer, cv=3)
    assert np.isfinite(train).all()
    assert np.isfinite(test).all()
    validation_curve(
        GaussianNB(), X, y, param_name="var_smoothing", param_range=[1e-9], scoring=cce_scorer
    )
    model = GaussianNB().fit(X, y)
    for scoring in (cce_scorer, {"a": cce_scorer}):
        importance = permutation_importance(model, X, y, scoring=scoring, random_state=0)
        assert (
            importance if scoring is cce_scorer else importance["a"]
        ).importances_mean.max() > 0.1
    permutation_test_score(GaussianNB(), X, y, scoring=cce_scorer, n_permutations=2, cv=2)
    RFECV(LogisticRegression(max_iter=500), scoring=cce_scorer, cv=2).fit(X, y)
    SequentialFeatureSelector(GaussianNB(), scoring=cce_scorer, cv=2).fit(X, y)
    TunedThresholdClassifierCV(GaussianNB(), cv=2).fit(*two_classes)


def test_parallel_cross_validation(iris):
    X, y = iris
    one, two = (
        cross_val_score(GaussianNB(), X, y, scoring=cce_scorer, n_jobs=jobs) for jobs in (1, 2)
    )
    np.testing.assert_array_equal(one, two)


def test_errors_are_handled_as_scikit_learn_does(iris):
    X, y = iris
    with pytest.warns(UserWarning, match="has no predict_proba"):
        scores = cross_val_score(LinearSVC(), X, y, scoring=cce_scorer, cv=2)
    assert np.isnan(scores).all()
    with pytest.raises(TypeError, match="has no predict_proba"):
        cross_val_score(LinearSVC(), X, y, scoring=cce_scorer, cv=2, error_score="raise")


def test_scoring_monitor(iris):
    callback = pytest.importorskip("sklearn.callback")
    X, y = iris
    monitor = callback.ScoringMonitor(scoring={"score": cce_scorer})
    model = LogisticRegression(max_iter=5, tol=1e-12)
    if not hasattr(model, "set_callbacks"):
        pytest.skip("LogisticRegression of this release takes no callbacks")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.set_callbacks(monitor).fit(X, y)
    logged = monitor.get_logs().data
    assert len(logged) >= 1
    assert all(isinstance(entry["score"], float) for entry in logged)
    np.testing.assert_allclose(logged[-1]["score"], cce_scorer(model, X, y), rtol=1e-6)


def weighted_reference(X, y, w, cv):
    for train, test in cv.split(X, y):
        model = GaussianNB().fit(X[train], y[train], w[train])
        P = model.predict_proba(X[test])
        yield -categorical_cross_entropy(y[test], P, labels=model.classes_, sample_weight=w[test])


@pytest.mark.parametrize("alias", [True, "importance"])
@pytest.mark.parametrize("in_dict", [False, True])
def test_weights_are_routed(iris, alias, in_dict):
    X, y = iris
    w, cv = np.random.default_rng(2).uniform(0.1, 5, size=len(y)), StratifiedKFold(3)
    name = "sample_weight" if alias is True else alias
    with sklearn.config_context(enable_metadata_routing=True):
        model = GaussianNB().set_fit_request(sample_weight=alias)
        scorer = cce_scorer.set_score_request(sample_weight=alias)
        scoring = {"ours": scorer} if in_dict else scorer
        scores = cross_validate(model, X, y, scoring=scoring, cv=cv, params={name: w})
        np.testing.assert_allclose(
            scores["test_ours" if in_dict else "test_score"],
            list(weighted_reference(X, y, w, cv)),
            rtol=1e-12,
        )
        search = GridSearchCV(model, {"var_smoothing": [1e-9]}, scoring=scorer, cv=cv)
        search.fit(X, y, **{name: w})
        np.testing.assert_allclose(search.best_score_, scores[sorted(scores)[-1]].mean())


def test_weights_that_nobody_asked_about_are_an_error(iris):
    X, y = iris
    with sklearn.config_context(enable_metadata_routing=True):
        model = GaussianNB().set_fit_request(sample_weight=True)
        params = {"sample_weight": np.ones(len(y))}
        with pytest.raises(ValueError, match=r"make_cross_entropy_scorer\(\).set_score_request"):
            cross_validate(model, X, y, scoring=cce_scorer, params=params)
        unweighted = cce_scorer.set_score_request(sample_weight=False)
        plain = cross_val_score(model, X, y, scoring=cce_scorer)
        np.testing.assert_allclose(
            cross_validate(model, X, y, scoring=unweighted, params=params)["test_score"], plain
        )


def test_weights_reach_the_scorers_of_scikit_learn_estimators(iris):
    X, y = iris
    w = np.random.default_rng(3).uniform(0.1, 5, size=len(y))
    with sklearn.config_context(enable_metadata_routing=True):
        scorer = cce_scorer.set_score_request(sample_weight=True)
        model = (
            LogisticRegressionCV(
                Cs=[1.0],
                scoring=scorer,
                cv=3,
                max_iter=1000,
                use_legacy_attributes=False,
                l1_ratios=(0,),
            )
            if "use_legacy_attributes" in LogisticRegressionCV().get_params()
            else None
        )
        if model is None:
            pytest.skip("written for LogisticRegressionCV of scikit-learn 1.8 and later")
        model.fit(X, y, sample_weight=w)
        np.testing.assert_allclose(
            model.score(X, y, sample_weight=w), cce_scorer(model, X, y, sample_weight=w)
        )


def test_weights_without_routing_in_a_dict(iris):
    X, y = iris
    w = np.random.default_rng(4).random(len(y))
    model = GaussianNB().fit(X, y)
    both = check_scoring(model, {"a": cce_scorer, "b": "accuracy"})
    assert both(model, X, y, sample_weight=w)["a"] == cce_scorer(model, X, y, sample_weight=w)
