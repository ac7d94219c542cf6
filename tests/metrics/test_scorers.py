"""Scorers: aligned by classes_, equal to the losses, at home wherever scoring= is taken."""

import pickle
import warnings
from copy import deepcopy

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_iris, make_multilabel_classification
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_selection import RFECV, SequentialFeatureSelector
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.metrics import check_scoring
from sklearn.mixture import GaussianMixture
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
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, RadiusNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from skxent.metrics import (
    ZeroProbabilityWarning,
    bce_scorer,
    bce_sum_scorer,
    binary_cross_entropy,
    categorical_cross_entropy,
    cce_scorer,
    cce_sum_scorer,
    make_cross_entropy_scorer,
)

SCORERS = [cce_scorer, bce_scorer, cce_sum_scorer, bce_sum_scorer]
EPS = np.finfo(np.float64).eps


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    return X[order], np.array(["setosa", "versicolor", "virginica"])[y[order]]


@pytest.fixture(scope="module")
def two_classes(iris):
    X, y = iris
    keep = y != "setosa"
    return X[keep], y[keep]


class Fixed(ClassifierMixin, BaseEstimator):
    """Predicts the same rows whatever X says."""

    def __init__(self, classes, rows):
        self.classes = classes
        self.rows = rows

    def fit(self, X, y):
        self.classes_ = np.asarray(self.classes)
        return self

    def predict_proba(self, X):
        return np.asarray(self.rows)[: len(X)]


def fixed(classes, rows):
    return Fixed(classes, rows).fit(None, None)


# ------------------------------------------------------------------ the number


@pytest.mark.parametrize("weighted", [False, True])
def test_equals_the_loss(iris, weighted):
    X, y = iris
    w = np.random.default_rng(1).random(len(y)) if weighted else None
    model = GaussianNB().fit(X, y)
    for reduction, scorer in (("mean", cce_scorer), ("sum", cce_sum_scorer)):
        loss = categorical_cross_entropy(
            y, model.predict_proba(X), sample_weight=w, reduction=reduction
        )
        assert scorer(model, X, y, sample_weight=w) == -loss


def test_binary_equals_the_loss_and_the_categorical(two_classes):
    X, y = two_classes
    model = GaussianNB().fit(X, y)
    p = model.predict_proba(X)[:, 1]
    np.testing.assert_allclose(bce_scorer(model, X, y), -binary_cross_entropy(y, p), rtol=1e-12)
    assert bce_scorer(model, X, y) == cce_scorer(model, X, y)
    assert bce_sum_scorer(model, X, y) == cce_sum_scorer(model, X, y)


def test_perfect_score_is_zero_not_minus_zero():
    score = cce_scorer(fixed(["a", "b"], np.eye(2)), np.ones((2, 1)), ["a", "b"])
    assert score == 0
    assert not np.signbit(score)


def test_base_and_eps():
    model, X = fixed(["a", "b"], [[0.25, 0.75], [0.0, 1.0]]), np.ones((2, 1))
    bits = make_cross_entropy_scorer(base=2, reduction="sum")
    assert bits(model, X[:1], ["a"]) == -2
    assert make_cross_entropy_scorer(eps=0)(model, X, ["a", "a"]) == -np.inf
    with pytest.warns(ZeroProbabilityWarning, match="1 of 2 samples .* eps=0.001"):
        score = make_cross_entropy_scorer(eps=1e-3)(model, X, ["b", "a"])
    np.testing.assert_allclose(score, (np.log(0.75) + np.log(1e-3)) / 2)


def test_eps_zero_takes_logarithms_where_there_are_any():
    """The tail of naive Bayes is far below the smallest float64, its logarithm is not."""
    X, y = np.array([[0.0], [1.0], [1e3], [1.001e3]]), [0, 0, 1, 1]
    model, far = GaussianNB().fit(X, y), np.array([[500.0]])
    logarithms = model.predict_log_proba(far)[0]
    exact = make_cross_entropy_scorer(eps=0)
    assert logarithms.min() < -1000
    for label in (0, 1):
        assert exact(model, far, [label]) == logarithms[label]
    soft = np.array([[0.5, 0.5]])
    np.testing.assert_allclose(exact(model, far, soft), logarithms.mean())
    tree = RandomForestClassifier(5, random_state=0).fit(X, y)  # log of 0, without a warning
    assert exact(tree, X[:1], [1]) == -np.inf
    pipe = make_pipeline(StandardScaler(), KNeighborsClassifier(1)).fit(X, y)  # has none
    assert exact(pipe, X[:1], [1]) == -np.inf


# ------------------------------------------------------------------ alignment


def test_columns_follow_classes_whatever_their_order():
    model, X = fixed(["c", "a", "b"], [[0.5, 0.3, 0.2]] * 3), np.ones((3, 1))
    scores = [float(np.exp(cce_scorer(model, X[:1], [label]))) for label in "abc"]
    np.testing.assert_allclose(scores, [0.3, 0.2, 0.5])


@pytest.mark.parametrize("kind", [str, int, float, bool, object, "category", "Int64"])
def test_labels_of_every_type(iris, kind):
    X, y = iris
    codes = np.unique(y, return_inverse=True)[1]
    if kind is bool:
        labels = codes > 0
    elif kind in (str, object):
        labels = y.astype(kind)
    elif kind == "category":
        labels = pd.Series(pd.Categorical(y))
    else:
        labels = pd.Series(codes, dtype=kind) if kind == "Int64" else codes.astype(kind)
    model = GaussianNB().fit(X, labels)
    truth = codes > 0 if kind is bool else codes
    expected = np.log(model.predict_proba(X)[np.arange(len(y)), truth.astype(int)]).mean()
    np.testing.assert_allclose(cce_scorer(model, X, labels), expected, rtol=1e-12)


def test_fold_that_lacks_a_class(iris):
    X, y = iris
    model = GaussianNB().fit(X, y)
    for label in np.unique(y):
        only = y == label
        expected = np.log(model.predict_proba(X)[only, list(model.classes_).index(label)]).mean()
        np.testing.assert_allclose(cce_scorer(model, X[only], y[only]), expected)


def test_unseen_label_has_probability_zero(iris):
    """And it is not mistaken for another, though the counts of classes match."""
    X, y = iris
    model = GaussianNB().fit(X[y != "versicolor"], y[y != "versicolor"])
    test = y != "setosa"
    p = model.predict_proba(X[test])
    assert p.shape[1] == len(np.unique(y[test])) == 2
    true = np.where(y[test] == "virginica", p[:, 1], 0.0)
    with pytest.warns(ZeroProbabilityWarning, match=f"{(true < EPS).sum()} of 100 samples"):
        score = cce_scorer(model, X[test], y[test])
    np.testing.assert_allclose(score, np.log(np.maximum(true, EPS)).mean())
    assert make_cross_entropy_scorer(eps=0)(model, X[test], y[test]) == -np.inf


@pytest.mark.parametrize("scorer", [cce_scorer, bce_scorer])
def test_estimator_that_saw_one_class(scorer):
    model = DummyClassifier().fit(np.ones((3, 1)), ["b", "b", "b"])
    X = np.ones((2, 1))
    assert scorer(model, X, ["b", "b"]) == 0
    for other in ("a", "c"):
        with pytest.warns(ZeroProbabilityWarning, match="1 of 2 samples"):
            assert scorer(model, X, ["b", other]) == np.log(EPS) / 2


# ------------------------------------------------------------------ rows that are no distributions


def test_row_of_zeros_gives_every_label_probability_zero():
    model, X = fixed(["a", "b"], [[0.0, 0.0], [0.5, 0.5]]), np.ones((2, 1))
    with pytest.warns(ZeroProbabilityWarning, match="1 of 2 samples"):
        score = cce_scorer(model, X, ["a", "b"])
    np.testing.assert_allclose(score, (np.log(EPS) + np.log(0.5)) / 2)
    assert make_cross_entropy_scorer(eps=0)(model, X, ["a", "b"]) == -np.inf


def test_radius_neighbors_without_neighbors():
    model = RadiusNeighborsClassifier(radius=1.0, outlier_label="most_frequent")
    model.fit([[0.0], [0.5], [0.6]], ["a", "b", "b"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        model.set_params(outlier_label="c").fit([[0.0], [0.5], [0.6]], ["a", "b", "b"])
        rows = model.predict_proba([[0.0], [99.0]])
    assert not rows[1].any()
    with pytest.warns(UserWarning) as caught:
        score = cce_scorer(model, [[0.0], [99.0]], ["b", "b"])
    assert ZeroProbabilityWarning in {warning.category for warning in caught}
    np.testing.assert_allclose(score, (np.log(2 / 3) + np.log(EPS)) / 2)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[0.5, 0.5], [0.4, 0.5]], r"Fixed.predict_proba\(X\) does not sum to 1 in row 1"),
        ([[0.5, 0.5], [np.nan, 0.5]], r"Fixed.predict_proba\(X\) has NaN or infinity in row 1"),
        ([[-0.5, 1.5], [0.5, 0.5]], r"Fixed.predict_proba\(X\) has -0.5 in row 0"),
        ([[1.0], [1.0]], r"has shape \(2, 1\) but classes_ names 2 classes"),
        ([0.5, 0.5], r"has shape \(2,\) but classes_ names 2 classes"),
    ],
)
def test_other_rows_are_refused(rows, message):
    with pytest.raises(ValueError, match=message):
        cce_scorer(fixed(["a", "b"], rows), np.ones((2, 1)), ["a", "b"])


def test_float32_rows_have_their_own_tolerance():
    rows = np.array([[0.5, 0.50001]] * 2)
    with pytest.raises(ValueError, match="does not sum to 1"):
        cce_scorer(fixed([0, 1], rows), np.ones((2, 1)), [0, 1])
    cce_scorer(fixed([0, 1], rows.astype(np.float32)), np.ones((2, 1)), [0, 1])


def test_wrong_estimators_and_targets(iris, two_classes):
    X, y = iris
    with pytest.raises(TypeError, match=r"LinearSVC has no predict_proba.*CalibratedClassifierCV"):
        cce_scorer(LinearSVC().fit(X, y), X, y)
    model = GaussianNB().fit(X, y)
    with pytest.raises(TypeError, match=r"GaussianMixture has no classes_.*fitted classifier"):
        cce_scorer(GaussianMixture().fit(X), X, y)
    with pytest.raises(ValueError, match=r"takes two classes, but here are 3.*cce_scorer"):
        bce_scorer(model, X, y)
    with pytest.raises(ValueError, match="takes two classes, but here are 3"):
        bce_scorer(GaussianNB().fit(*two_classes), X, y)
    with pytest.raises(ValueError, match="y_true holds labels like 0 but classes_ holds"):
        cce_scorer(model, X, np.zeros(len(y), int))
    with pytest.raises(ValueError, match="y_true has 3 samples"):
        cce_scorer(model, X, y[:3])
    with pytest.raises(ValueError, match="sample_weight is zero"):
        cce_scorer(model, X, y, sample_weight=np.zeros(len(y)))
    with pytest.raises(ValueError, match=r"soft rows have one column for each of classes_"):
        cce_scorer(model, X, np.full((len(y), 4), 0.25))
    with pytest.raises(ValueError, match=r"y_true does not sum to 1 in row 0"):
        cce_scorer(model, X, np.ones((len(y), 3)))


def test_a_score_is_a_number_to_arrays_and_frames(iris):
    X, y = iris
    score = cce_scorer(GaussianNB().fit(X, y), X, y)
    assert np.array([score, score]).shape == (2,)
    assert np.asarray(score).shape == ()
    frame = pd.DataFrame({"a": score}, index=["row"])
    frame.loc["row", "b"] = score
    assert frame.to_numpy().tolist() == [[score, score]]
    assert pl.DataFrame({"a": score}).rows() == [(score,)]


def test_wrong_options():
    for options, message in (
        ({"loss": "hinge"}, "loss='hinge'"),
        ({"reduction": "none"}, "reduction='none'"),
        ({"base": 0}, "base=0"),
        ({"base": "e"}, "base='e': pass a number"),
        ({"eps": "auto"}, "eps='auto': pass a number"),
        ({"eps": 2}, "eps=2"),
    ):
        with pytest.raises(ValueError, match=message):
            make_cross_entropy_scorer(**options)


# ------------------------------------------------------------------ soft and multilabel targets


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


def test_soft_targets_of_an_estimator_that_lacks_classes():
    X, Y = np.ones((2, 1)), np.array([[0.5, 0.0, 0.25, 0.25], [0.0, 0.0, 1.0, 0.0]])
    model = fixed([2, 0], [[0.75, 0.25], [1.0, 0.0]])
    with pytest.warns(ZeroProbabilityWarning, match="1 of 2 samples"):
        score = cce_scorer(model, X, Y)
    first = 0.5 * np.log(0.25) + 0.25 * np.log(0.75) + 0.25 * np.log(EPS)
    np.testing.assert_allclose(score, first / 2)


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
@pytest.mark.parametrize("eps", [None, 0])
def test_soft_targets_follow_classes_by_name(frame, eps):
    X, scorer = np.ones((1, 1)), make_cross_entropy_scorer(eps=eps)
    Y = frame({"c": [0.5], "a": [0.25], "b": [0.25]})
    score = scorer(fixed(["a", "b", "c"], [[0.1, 0.2, 0.7]]), X, Y)
    np.testing.assert_allclose(score, np.log([0.1, 0.2, 0.7]) @ [0.25, 0.25, 0.5])
    lacking = fixed(["b", "c"], [[0.2, 0.8]])
    if eps == 0:
        assert scorer(lacking, X, Y) == -np.inf
    else:
        with pytest.warns(ZeroProbabilityWarning):
            score = scorer(lacking, X, Y)
        np.testing.assert_allclose(score, np.log([EPS, 0.2, 0.8]) @ [0.25, 0.25, 0.5])
    other = frame({"x": [0.5], "y": [0.25], "z": [0.25]})  # names of something else
    score = scorer(fixed(["a", "b", "c"], [[0.1, 0.2, 0.7]]), X, other)
    np.testing.assert_allclose(score, np.log([0.1, 0.2, 0.7]) @ [0.5, 0.25, 0.25])


def test_soft_targets_follow_classes_by_position():
    X, Y = np.ones((1, 1)), np.array([[0.25, 0.75]])
    score = cce_scorer(fixed(["a", "b"], [[0.5, 0.5]]), X, Y)
    np.testing.assert_allclose(score, np.log(0.5))


@pytest.mark.parametrize(
    "model",
    [
        KNeighborsClassifier(),
        RandomForestClassifier(10, random_state=0),
        MultiOutputClassifier(GaussianNB()),
        ClassifierChain(GaussianNB()),
        OneVsRestClassifier(GaussianNB()),
        MLPClassifier(max_iter=5, random_state=0),
    ],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::skxent.metrics.ZeroProbabilityWarning")
def test_multilabel(model):
    X, Y = make_multilabel_classification(n_samples=80, n_classes=3, random_state=0)
    model.fit(X[:60], Y[:60])
    prediction = model.predict_proba(X[60:])
    if isinstance(prediction, list):
        prediction = np.column_stack([columns[:, 1] for columns in prediction])
    expected = -binary_cross_entropy(Y[60:], prediction)
    assert bce_scorer(model, X[60:], Y[60:]) == expected


def test_multilabel_outcome_that_was_never_seen():
    X, Y = np.arange(6.0)[:, None], np.array([[0, 1, 0], [0, 1, 1]] * 3)
    model = KNeighborsClassifier(2).fit(X, Y)
    assert [list(classes) for classes in model.classes_] == [[0], [1], [0, 1]]
    assert bce_scorer(model, X, [[0, 1, 0]] * 6) == -np.log(2)
    with pytest.warns(ZeroProbabilityWarning):
        bce_scorer(model, X, [[1, 1, 0]] * 6)
    with pytest.raises(ValueError, match=r"is a list.*use bce_scorer"):
        cce_scorer(model, X, [0] * 6)


# ------------------------------------------------------------------ wherever scoring= is taken


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


@pytest.mark.parametrize("scoring", [cce_scorer, {"score": cce_scorer}], ids=["alone", "dict"])
def test_scoring_monitor(iris, scoring):
    callback = pytest.importorskip("sklearn.callback")
    X, y = iris
    monitor = callback.ScoringMonitor(scoring=scoring)
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


# ------------------------------------------------------------------ weights and routing


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


def test_shared_scorers_do_not_change():
    routed = cce_scorer.set_score_request(sample_weight=True)
    assert cce_scorer.request is None
    assert routed.request is True
    with pytest.raises(AttributeError):
        cce_scorer.eps = 0


# ------------------------------------------------------------------ as objects


@pytest.mark.parametrize("scorer", [*SCORERS, cce_scorer.set_score_request(sample_weight="w")])
@pytest.mark.parametrize("copy", [clone, deepcopy, lambda s: pickle.loads(pickle.dumps(s))])
def test_copies_are_equal(scorer, copy):
    assert copy(scorer) == scorer
    assert hash(copy(scorer)) == hash(scorer)
    assert len({*SCORERS}) == 4


@pytest.mark.parametrize("scorer", [*SCORERS, make_cross_entropy_scorer("binary", base=2, eps=0)])
def test_repr_is_the_call_that_makes_it(scorer):
    scope = {"make_cross_entropy_scorer": make_cross_entropy_scorer}
    assert eval(repr(scorer), scope) == scorer
    routed = scorer.set_score_request(sample_weight=True)
    assert eval(repr(routed), scope) == routed


def test_score_is_a_float_for_everyone(iris):
    X, y = iris
    score = cce_scorer(GaussianNB().fit(X, y), X, y)
    assert type(score) is float
    assert pd.Series([score]).dtype == np.float64
