"""Inference from pipelines and searches, with the X of the pipeline."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    PolynomialFeatures,
    StandardScaler,
)

from skxent import SoftmaxClassifier, infer


@pytest.fixture(scope="module")
def survey(generate):
    """Frames with numbers and a colour, and the labels "no", "may" and "yes"."""
    made = {}
    for K in (2, 3):
        X, codes = generate(300, 2, K, seed=1)
        colour = np.array(["red", "blue", "green"])[np.random.default_rng(0).integers(0, 3, 300)]
        frame = pd.DataFrame({"age": X[:, 0], "colour": colour, "income": 1e3 * X[:, 1]})
        made[K] = frame, np.array(["no", "yes", "may"])[codes]
    return made


def columns(**settings):
    return ColumnTransformer(
        [
            ("num", StandardScaler(), ["age", "income"]),
            ("cat", OneHotEncoder(drop="first", **settings), ["colour"]),
        ]
    )


def first_three(X):
    return X[:, :3]


def names_of_first_three(transformer, names):
    return names[:3]


NAMES = ["num__age", "num__income", "cat__colour_green", "cat__colour_red", "intercept"]


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("covariance", ["observed", "robust", "cluster"])
def test_a_pipeline_is_its_last_step_on_transformed_samples(survey, K, covariance):
    X, y = survey[K]
    weight = np.random.default_rng(0).integers(1, 4, 300)
    options = {"covariance": covariance, "reference": "yes"}
    options["groups"] = np.arange(300) // 2 if covariance == "cluster" else None
    pipe = make_pipeline(columns(), SoftmaxClassifier(C=np.inf))
    pipe.fit(X, y, softmaxclassifier__sample_weight=weight)
    found = infer(pipe, X, y, weight, **options)
    features = pipe[:-1].transform(X)
    expected = infer(pipe[-1], features, y, weight, **options)
    assert found.terms == NAMES
    assert expected.terms == ["x0", "x1", "x2", "x3", "intercept"]
    for name in ("coef", "covariance", "p_values"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    for one, other in (
        (found.marginal_effects(discrete=None), expected.marginal_effects(discrete=None)),
        (found.predict_proba_interval(X[:7]), expected.predict_proba_interval(features[:7])),
    ):
        np.testing.assert_array_equal(one.low, other.low)
    assert found.likelihood_ratio_test() == expected.likelihood_ratio_test()


def test_a_pipeline_of_one_step_and_steps_that_do_nothing(survey):
    X, y = survey[3]
    numbers = X[["age", "income"]]
    clf = SoftmaxClassifier(C=np.inf)
    expected = infer(clf.fit(numbers, y), numbers, y)
    for pipe in (
        make_pipeline(clf),
        make_pipeline("passthrough", None, clf),
        make_pipeline("passthrough", make_pipeline(clf)),
    ):
        found = infer(pipe.fit(numbers, y), numbers, y)
        assert found.terms == expected.terms
        np.testing.assert_array_equal(found.coef, expected.coef)
        assert found.column_terms == {"age": [0], "income": [1]}


def test_pipelines_within_pipelines(survey):
    X, y = survey[3]
    encode = Pipeline([("columns", columns()), ("nothing", "passthrough")])
    products = PolynomialFeatures((2, 2), interaction_only=True, include_bias=False)
    first = FunctionTransformer(first_three, feature_names_out=names_of_first_three)
    inner = make_pipeline(products, first, SoftmaxClassifier(C=np.inf))
    found = infer(make_pipeline(encode, inner).fit(X, y), X, y)
    assert found.terms[:3] == [
        "num__age num__income",
        "num__age cat__colour_green",
        "num__age cat__colour_red",
    ]
    assert found.column_terms == {"age:income": [0], "age:colour": [1, 2]}
    inner.set_params(functiontransformer="passthrough")
    with pytest.raises(ValueError, match="'cat__colour_green cat__colour_red' is constant"):
        infer(make_pipeline(encode, inner).fit(X, y), X, y)


@pytest.mark.parametrize("search", [GridSearchCV, RandomizedSearchCV])
@pytest.mark.parametrize("piped", [True, False])
def test_searches(survey, search, piped):
    X, y = survey[3]
    X = X if piped else X[["age", "income"]]
    clf = SoftmaxClassifier()
    model = Pipeline([("columns", columns()), ("clf", clf)]) if piped else clf
    name = "clf__C" if piped else "C"
    settings = {"n_iter": 1} if search is RandomizedSearchCV else {}
    found = search(model, {name: [np.inf]}, cv=2, **settings).fit(X, y)
    result = infer(found, X, y)
    assert result.terms == (NAMES if piped else ["age", "income", "intercept"])
    np.testing.assert_array_equal(result.coef, infer(found.best_estimator_, X, y).coef)
    # a search as the last step of a pipeline
    if not piped:
        whole = make_pipeline(StandardScaler(), found).fit(X, y)
        assert infer(whole, X, y).coef.shape == (2, 3)


def test_terms_by_columns(survey):
    X, y = survey[3]
    pipe = make_pipeline(columns(), SoftmaxClassifier(C=np.inf)).fit(X, y)
    assert infer(pipe, X, y).column_terms == {"age": [0], "income": [1], "colour": [2, 3]}
    mixed = make_pipeline(columns(), PCA(2), SoftmaxClassifier(C=np.inf)).fit(X, y)
    assert infer(mixed, X, y).column_terms == {"pca0": [0], "pca1": [1]}
    plain = make_pipeline(PolynomialFeatures(2, include_bias=False), SoftmaxClassifier(C=np.inf))
    numbers = X[["age", "income"]].to_numpy() / [1, 1e3]
    found = infer(plain.fit(numbers, y), numbers, y)
    assert found.terms[:-1] == ["x0", "x1", "x0^2", "x0 x1", "x1^2"]
    assert found.column_terms == {"x0": [0, 2], "x1": [1, 4], "x0:x1": [3]}


def test_steps_without_names(survey):
    X, y = survey[2]
    numbers = X[["age", "income"]]
    clf = SoftmaxClassifier(C=np.inf)
    log = make_pipeline(FunctionTransformer(np.tanh), clf).fit(numbers, y)
    found = infer(log, numbers, y)
    assert found.terms == ["age", "income", "intercept"]  # the names of the frame that it returns
    log.fit(numbers.to_numpy() / [1, 1e3], y)
    found = infer(log, numbers.to_numpy() / [1, 1e3], y)
    assert found.terms == ["x0", "x1", "intercept"]
    assert found.column_terms == {"x0": [0], "x1": [1]}


@pytest.mark.parametrize("output", ["default", "pandas", "polars"])
def test_frames_between_steps(survey, output):
    if output == "polars":
        pytest.importorskip("sklearn", "1.9", reason="ColumnTransformer refuses frames of polars 2")
    X, y = survey[3]
    pipe = make_pipeline(columns(sparse_output=False), SoftmaxClassifier(C=np.inf))
    pipe[0].set_output(transform=output)
    found = infer(pipe.fit(X, y), X, y)
    assert found.terms == NAMES
    assert found.predict_proba_interval(X[:3]).estimate.shape == (3, 3)


def test_sparse_features(survey):
    X, y = survey[3]
    encoder = OneHotEncoder(drop="first")
    pipe = make_pipeline(encoder, SoftmaxClassifier(C=np.inf)).fit(X[["colour"]], y)
    assert sp.issparse(pipe[:-1].transform(X[["colour"]]))
    found = infer(pipe, X[["colour"]], y)
    assert found.terms == ["colour_green", "colour_red", "intercept"]
    # saturated: the log-odds are those of the counts
    counts = pd.crosstab(X["colour"], y)
    log = np.log(counts.div(counts["may"], axis=0))
    np.testing.assert_allclose(found.coef[:, -1], log.loc["blue", ["no", "yes"]], rtol=1e-9)
    difference = (log.loc["red"] - log.loc["blue"])[["no", "yes"]]
    np.testing.assert_allclose(found.coef[:, 1], difference, rtol=1e-8)


def test_the_pipeline_is_left_alone_and_a_later_fit_changes_nothing(survey):
    X, y = survey[3]
    pipe = make_pipeline(columns(), StandardScaler(), SoftmaxClassifier(C=np.inf)).fit(X, y)
    before = copy.deepcopy(pipe)
    found = infer(pipe, X, y)
    np.testing.assert_array_equal(pipe.predict_proba(X), before.predict_proba(X))
    assert repr(pipe) == repr(before)
    interval = found.predict_proba_interval(X[:9])
    pipe.fit(X.assign(age=7 * X["age"] + 1)[::2], y[::2])
    for again in (found, pickle.loads(pickle.dumps(found))):
        np.testing.assert_array_equal(again.predict_proba_interval(X[:9]).low, interval.low)
        assert again.column_terms == {"age": [0], "income": [1], "colour": [2, 3]}


def test_models_that_end_in_no_classifier_of_ours(survey):
    X, y = survey[2]
    for model, name in (
        (columns(), "ColumnTransformer"),
        (make_pipeline(columns(), LogisticRegression()), "Pipeline that ends in a LogisticRegr"),
        (make_pipeline(columns(), None), "Pipeline that ends in a NoneType"),
        (
            GridSearchCV(
                make_pipeline(columns(), LogisticRegression()), {}, cv=2, scoring="accuracy"
            ),
            "GridSearchCV that ends in a LogisticRegression",
        ),
        (
            GridSearchCV(make_pipeline(columns(), SoftmaxClassifier()), {}, refit=False),
            "GridSearchCV that has not fit",
        ),
        ("clf", "str"),
    ):
        if hasattr(model, "fit"):
            model = model.fit(X, y)
        with pytest.raises(TypeError, match=f"^clf is a {name}"):
            infer(model, X, y)


def test_models_that_are_not_fitted(survey):
    X, y = survey[2]
    pipe = make_pipeline(columns(), SoftmaxClassifier())
    for model in (SoftmaxClassifier(), pipe, GridSearchCV(pipe, {})):
        with pytest.raises(NotFittedError):
            infer(model, X, y)


def test_samples_that_the_steps_refuse(survey):
    X, y = survey[2]
    pipe = make_pipeline(columns(), SoftmaxClassifier(C=np.inf)).fit(X, y)
    found = infer(pipe, X, y)
    for call in (
        lambda: infer(pipe, X[["age", "income"]], y),
        lambda: infer(pipe, pipe[:-1].transform(X), y),
        lambda: found.predict_proba_interval(X[["age"]]),
    ):
        with pytest.raises(ValueError, match=r"columns|X has 4 features") as caught:
            call()
        assert "X is transformed by the steps of the pipeline" in caught.value.__notes__[-1]


def test_features_that_are_linearly_dependent_have_their_names(survey):
    X, y = survey[2]
    pipe = make_pipeline(columns(), SoftmaxClassifier(C=np.inf))
    pipe[0].transformers[1] = ("cat", OneHotEncoder(), ["colour"])
    with pytest.raises(ValueError, match=r"'cat__colour_.*' is a linear combination of 'cat__"):
        infer(pipe.fit(X, y), X, y)
