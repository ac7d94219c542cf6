"""What scikit-learn asks of every classifier."""

import pickle

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import skxent
from skxent import LogisticClassifier, SoftmaxClassifier

ESTIMATORS = [SoftmaxClassifier(), LogisticClassifier()]
OTHER_SOLVERS = [
    kind(solver=solver)
    for kind in (SoftmaxClassifier, LogisticClassifier)
    for solver in ("lbfgs", "newton")
]
# scikit-learn 1.7 hands pytest a generator, which pytest 9 deprecates.
checks = parametrize_with_checks(ESTIMATORS + OTHER_SOLVERS)
names, cases = checks.args


@pytest.mark.parametrize(names, list(cases), **checks.kwargs)
@pytest.mark.thinned(2)
def test_check_estimator(estimator, check):
    check(estimator)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=str)
def test_clone_and_repr(estimator):
    changed = clone(estimator).set_params(C=3.0, class_weight={0: 2.0, 1: 1.0}, tol=1e-3)
    copy = clone(changed)
    assert copy.get_params() == changed.get_params()
    assert (
        repr(copy)
        == f"{type(estimator).__name__}(C=3.0, class_weight={{0: 2.0, 1: 1.0}}, tol=0.001)"
    )
    assert repr(estimator) == f"{type(estimator).__name__}()"
    assert "C" in copy._repr_html_()


def test_pickle(iris):
    X, y = iris
    clf = SoftmaxClassifier().fit(X, y)
    again = pickle.loads(pickle.dumps(clf))
    assert np.array_equal(again.predict_log_proba(X), clf.predict_log_proba(X))
    assert again.optimality_gap_ == clf.optimality_gap_


def test_pipeline_and_search(iris):
    X, y = iris
    pipe = make_pipeline(StandardScaler(), SoftmaxClassifier())
    grid = {"softmaxclassifier__C": [1e-2, 1.0, 1e2]}
    search = GridSearchCV(pipe, grid, scoring=skxent.cce_scorer, cv=3).fit(X, y)
    assert search.best_params_["softmaxclassifier__C"] > 1e-2
    assert search.score(X, y) == skxent.cce_scorer(search.best_estimator_, X, y)


def test_search_in_processes_gives_the_same(iris):
    X, y = iris
    runs = [
        cross_validate(SoftmaxClassifier(), X, y, scoring=skxent.cce_scorer, n_jobs=n)["test_score"]
        for n in (1, 2)
    ]
    assert np.array_equal(*runs)


def test_metadata_routing(iris):
    """Weights and names of classes reach fit through a search; weights as copies of samples."""
    X, y = iris
    weight = 1.0 + (np.arange(150) % 3 == 0)
    with sklearn.config_context(enable_metadata_routing=True):
        clf = SoftmaxClassifier().set_fit_request(sample_weight=True)
        clf.set_score_request(sample_weight=False)
        search = GridSearchCV(clf, {"C": [1.0]}, cv=3).fit(X, y, sample_weight=weight)
        soft = make_pipeline(SoftmaxClassifier().set_fit_request(classes=True))
        soft.fit(X, np.eye(3)[y], classes=["a", "b", "c"])
    direct = SoftmaxClassifier().fit(X, y, sample_weight=weight)
    assert np.array_equal(search.best_estimator_.coef_, direct.coef_)
    assert not np.allclose(direct.coef_, SoftmaxClassifier().fit(X, y).coef_)
    assert soft[-1].classes_.tolist() == ["a", "b", "c"]


def test_a_parameter_is_not_changed_by_fit(iris):
    X, y = iris
    class_weight = {0: 2.0, 1: 1.0, 2: 1.0}
    clf = SoftmaxClassifier(class_weight=class_weight)
    before = clf.get_params()
    weight = np.ones(150)
    clf.fit(X, y, sample_weight=weight)
    assert clf.get_params() == before
    assert clf.class_weight is class_weight == {0: 2.0, 1: 1.0, 2: 1.0}
    assert (weight == 1).all()


def test_fitted_attributes(iris):
    X, y = iris
    clf = SoftmaxClassifier().fit(X, y)
    assert clf.coef_.shape == (3, 4)
    assert clf.intercept_.shape == (3,)
    np.testing.assert_allclose(clf.coef_.sum(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(clf.intercept_.sum(), 0, atol=1e-11)
    penalty = np.sum(clf.coef_**2) / 2
    assert clf.objective_ == pytest.approx(penalty - clf.log_likelihood_, rel=1e-13)
    assert clf.objective_curve_.shape == (clf.n_iter_, 2)
    passes, values = clf.objective_curve_.T
    assert (np.diff(passes) > 0).all()
    assert (np.diff(values) <= 0).all()
    assert values[-1] >= clf.objective_ - 1e-9
    assert clf.n_passes_ >= passes[-1]
    assert clf.converged_ is True or clf.converged_ is np.True_
    assert 0 <= clf.optimality_gap_ < 1e-6
    two = SoftmaxClassifier().fit(X[:100], y[:100])
    assert two.coef_.shape == (1, 4)
    assert two.intercept_.shape == (1,)


def test_logistic_is_softmax_for_two_classes(iris):
    X, y = iris
    a, b = (make().fit(X[:100], y[:100]) for make in (LogisticClassifier, SoftmaxClassifier))
    assert np.array_equal(a.coef_, b.coef_)
    assert a.predict_proba(X).shape == (150, 2)
