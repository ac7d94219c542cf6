"""Arguments of the splitter of SoftmaxClassifierCV: given directly, and by metadata routing."""

import warnings

import numpy as np
import pytest
import sklearn
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegressionCV
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    LeaveOneGroupOut,
    LeavePGroupsOut,
    StratifiedGroupKFold,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skxent
from skxent import SoftmaxClassifierCV

GRID = [0.01, 1.0, 100.0]
SPLITTERS = {
    "GroupKFold": lambda: GroupKFold(4),
    "StratifiedGroupKFold": lambda: StratifiedGroupKFold(3),
    "LeaveOneGroupOut": LeaveOneGroupOut,
    "LeavePGroupsOut": lambda: LeavePGroupsOut(2),
    "GroupShuffleSplit": lambda: GroupShuffleSplit(3, random_state=0),
}


@pytest.fixture(scope="module")
def grouped_iris():
    X, y = load_iris(return_X_y=True)
    return X, y, np.arange(150) % 7


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.fixture(params=SPLITTERS)
def splitter(request):
    return SPLITTERS[request.param]()


def by_pairs(splitter, X, y, groups, weight=None):
    """The same folds, given as pairs of indices."""
    splits = list(splitter.split(X, y, groups))
    return SoftmaxClassifierCV(Cs=GRID, cv=splits).fit(X, y, weight)


def assert_same(clf, expected):
    np.testing.assert_array_equal(clf.loss_path_, expected.loss_path_)
    np.testing.assert_array_equal(clf.coef_, expected.coef_)


def test_directly(grouped_iris, splitter):
    X, y, groups = grouped_iris
    clf = SoftmaxClassifierCV(Cs=GRID, cv=splitter).fit(X, y, groups=groups)
    assert_same(clf, by_pairs(splitter, X, y, groups))


def test_directly_with_routing(grouped_iris, splitter, routing):
    """A splitter for groups requests them without being asked to."""
    X, y, groups = grouped_iris
    weight = np.linspace(1, 2, 150)
    clf = SoftmaxClassifierCV(Cs=GRID, cv=splitter).fit(X, y, weight, groups=groups)
    assert_same(clf, by_pairs(splitter, X, y, groups, weight))


def test_through_a_pipeline(grouped_iris, splitter, routing):
    X, y, groups = grouped_iris
    clf = SoftmaxClassifierCV(Cs=GRID, cv=splitter)
    pipe = make_pipeline(StandardScaler(), clf).fit(X, y, groups=groups)
    assert_same(pipe[-1], by_pairs(splitter, StandardScaler().fit_transform(X), y, groups))


def test_through_a_pipeline_with_weights(grouped_iris, routing):
    X, y, groups = grouped_iris
    weight = np.linspace(1, 2, 150)
    clf = SoftmaxClassifierCV(Cs=GRID, cv=GroupKFold(4)).set_fit_request(sample_weight=True)
    scaler = StandardScaler().set_fit_request(sample_weight=False)
    pipe = make_pipeline(scaler, clf).fit(X, y, sample_weight=weight, groups=groups)
    X = StandardScaler().fit_transform(X)
    assert_same(pipe[-1], by_pairs(GroupKFold(4), X, y, groups, weight))


def test_under_another_name(grouped_iris, routing):
    X, y, groups = grouped_iris
    splitter = GroupKFold(4).set_split_request(groups="town")
    clf = SoftmaxClassifierCV(Cs=GRID, cv=splitter)
    expected = by_pairs(splitter, X, y, groups)
    assert_same(clf.fit(X, y, town=groups), expected)
    pipe = make_pipeline(SoftmaxClassifierCV(Cs=GRID, cv=splitter)).fit(X, y, town=groups)
    assert_same(pipe[-1], expected)


def test_inside_a_search_and_cross_validation(grouped_iris, routing):
    """Each fold's fit gets the groups of its own samples; the outer splitter those of all."""
    X, y, groups = grouped_iris
    clf = SoftmaxClassifierCV(Cs=GRID, cv=GroupKFold(3))
    outer = GroupKFold(4)
    search = GridSearchCV(clf, {"one_standard_error": [False]}, cv=outer, scoring=skxent.cce_scorer)
    search.fit(X, y, groups=groups)
    scores = cross_validate(
        clf, X, y, cv=outer, params={"groups": groups}, scoring=skxent.cce_scorer
    )["test_score"]
    expected = []
    for train, test in outer.split(X, y, groups):
        inner = by_pairs(GroupKFold(3), X[train], y[train], groups[train])
        expected.append(skxent.cce_scorer(inner, X[test], y[test]))
    np.testing.assert_allclose(scores, expected, rtol=1e-12)
    assert search.best_score_ == pytest.approx(np.mean(expected), rel=1e-12)
    assert_same(search.best_estimator_, by_pairs(GroupKFold(3), X, y, groups))


def test_without_a_splitter_that_wants_them(grouped_iris, routing):
    """LogisticRegressionCV refuses in these words."""
    X, y, groups = grouped_iris
    ours, rival = SoftmaxClassifierCV(cv=KFold(3)), LogisticRegressionCV(cv=KFold(3))
    with pytest.raises(TypeError, match=r"groups.* not routed"):
        ours.fit(X, y, groups=groups)
    assert not hasattr(ours, "classes_")
    with warnings.catch_warnings(), pytest.raises(TypeError, match=r"groups.* not routed"):
        warnings.simplefilter("ignore", FutureWarning)
        rival.fit(X, y, groups=groups)


def test_groups_are_requested_by_the_splitter_alone():
    clf = SoftmaxClassifierCV(cv=GroupKFold(3))
    routing = sklearn.config_context(enable_metadata_routing=True)
    with routing, pytest.raises(TypeError, match="groups"):
        clf.set_fit_request(groups=True)


def test_other_arguments_need_routing(grouped_iris):
    X, y, groups = grouped_iris
    with pytest.raises(TypeError, match="fit got town: enable metadata routing"):
        SoftmaxClassifierCV(cv=GroupKFold(3)).fit(X, y, town=groups)


def test_missing_groups(grouped_iris, splitter):
    X, y, _ = grouped_iris
    # StratifiedGroupKFold of scikit-learn 1.7 has no message of its own.
    with pytest.raises((ValueError, TypeError), match=r"groups|0-d array"):
        SoftmaxClassifierCV(cv=splitter).fit(X, y)
