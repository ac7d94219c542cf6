"""From which columns of X the steps of a pipeline compute a feature."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    OneHotEncoder,
    PolynomialFeatures,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)

from skxent.inference.column_origins import origins

N = 60
rng = np.random.default_rng(0)
X = rng.normal(size=(N, 3))
FRAME = pd.DataFrame(X, columns=["age", "age_2", "income"]).assign(
    colour=np.array(["red", "blue", "green"])[rng.integers(0, 3, N)],
    car=np.array(["no", "yes"])[rng.integers(0, 2, N)],
)
Y = rng.integers(0, 3, N)


class Nameless(TransformerMixin, BaseEstimator):
    """A transformer without names of its output."""

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        return np.hstack([X, X])


@pytest.mark.parametrize("data", [X, FRAME[["age", "age_2", "income"]]], ids=["array", "frame"])
@pytest.mark.parametrize(
    ("transformer", "expected"),
    [
        ("passthrough", [(0,), (1,), (2,)]),
        (StandardScaler(), [(0,), (1,), (2,)]),
        (FunctionTransformer(np.abs, feature_names_out="one-to-one"), [(0,), (1,), (2,)]),
        (
            PolynomialFeatures(2, interaction_only=True, include_bias=False),
            [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2)],
        ),
        (
            PolynomialFeatures(2, include_bias=False),
            [(0,), (1,), (2,), (0,), (0, 1), (0, 2), (1,), (1, 2), (2,)],
        ),
        (
            SplineTransformer(n_knots=2, include_bias=False),
            [(j,) for j in (0, 1, 2) for _ in "abc"],
        ),
        (KBinsDiscretizer(3, strategy="uniform"), [(j // 3,) for j in range(9)]),
        (TargetEncoder(), [(j,) for j in (0, 1, 2) for _ in range(3)]),
        (PCA(2), [None, None]),
        (Nameless(), None),
        (FunctionTransformer(np.abs), None),
        (
            make_pipeline(StandardScaler(), PolynomialFeatures((2, 2), include_bias=False)),
            [(0,), (0, 1), (0, 2), (1,), (1, 2), (2,)],
        ),
        (make_pipeline(PCA(2), StandardScaler()), [None, None]),
        (make_pipeline(StandardScaler(), Nameless()), None),
        (
            FeatureUnion(
                [("a", StandardScaler()), ("b", "drop"), ("c", PCA(1)), ("d", "passthrough")]
            ),
            [(0,), (1,), (2,), None, (0,), (1,), (2,)],
        ),
        (FeatureUnion([("a", Nameless())]), None),
    ],
    ids=str,
)
def test_origins(transformer, expected, data):
    if transformer != "passthrough":
        transformer.fit(data, Y)
    assert origins(transformer, 3) == expected


def test_selected_columns():
    chosen = SelectKBest(k=2).fit(X, Y)
    expected = [(int(j),) for j in chosen.get_support(indices=True)]
    assert origins(chosen, 3) == expected
    chain = make_pipeline(chosen, PolynomialFeatures(2, interaction_only=True, include_bias=False))
    (a,), (b,) = expected
    assert origins(chain.fit(X, Y), 3) == [(a,), (b,), (a, b)]


def test_missing_values_have_columns_of_their_own():
    data = X.copy()
    data[3, 1] = np.nan
    imputer = SimpleImputer(add_indicator=True).fit(data)
    assert origins(imputer, 3) == [(0,), (1,), (2,), (1,)]


NUMBERS = ["age", "age_2", "income"]
TEXTS = [3, 3, 3, 4]  # columns of three colours, and of one answer without the other


@pytest.mark.parametrize(
    ("numbers", "texts"),
    [
        (NUMBERS, ["colour", "car"]),
        ([0, 1, 2], [3, 4]),
        ([0, 1, -3], [-2, -1]),
        (slice(0, 3), slice(3, None)),
        (slice("age", "income"), slice("colour", None)),
        ([True, True, True, False, False], np.array([False, False, False, True, True])),
        (make_column_selector(dtype_include=float), make_column_selector(dtype_exclude=float)),
    ],
    ids=["names", "indices", "negative", "slices", "slices of names", "masks", "selectors"],
)
def test_column_transformers(numbers, texts):
    encoder = OneHotEncoder(drop="if_binary")
    parts = [
        ("text", encoder, texts),
        ("none", "drop", [0]),
        ("numbers", StandardScaler(), numbers),
    ]
    found = ColumnTransformer(parts).fit(FRAME)
    assert origins(found, 5) == [(j,) for j in [*TEXTS, 0, 1, 2]]


def test_column_transformers_with_a_remainder():
    for remainder, rest in (("passthrough", [0, 2]), (StandardScaler(), [0, 2]), ("drop", [])):
        parts = [
            ("text", OneHotEncoder(drop="if_binary"), ["colour", "car"]),
            ("x", "drop", ["age_2"]),
        ]
        found = ColumnTransformer(parts, remainder=remainder).fit(FRAME)
        assert origins(found, 5) == [(j,) for j in [*TEXTS, *rest]]


def test_column_transformers_within_pipelines_within_column_transformers():
    inner = ColumnTransformer([("b", "passthrough", ["income"]), ("a", "passthrough", ["age"])])
    chain = make_pipeline(inner, PolynomialFeatures(2, include_bias=False))
    outer = ColumnTransformer(
        [
            ("words", CountVectorizer(), "colour"),
            ("unknown", Nameless(), ["age", "income"]),
            ("known", Nameless(), ["age_2"]),
            ("chain", chain, ["age", "age_2", "income"]),
            ("nothing", StandardScaler(), []),
        ]
    ).fit(FRAME)
    assert origins(outer, 5) == [
        *[(3,)] * 3,
        *[None] * 4,
        *[(1,)] * 2,
        *[(2,), (0,), (2,), (0, 2), (0,)],
    ]


def test_output_as_frames():
    """Inner transformers have names of features, which must not hide the marks."""
    columns = ColumnTransformer(
        [("text", OneHotEncoder(sparse_output=False), ["colour"])], remainder="passthrough"
    )
    chain = make_pipeline(
        columns.set_output(transform="pandas"), SelectKBest(k=3).set_output(transform="pandas")
    )
    data = FRAME.drop(columns="car")
    chain.fit(data, Y)
    support = chain[-1].get_support()
    expected = np.array([3, 3, 3, 0, 1, 2])[support]
    assert origins(chain, 4) == [(int(j),) for j in expected]
    assert chain[-1].feature_names_in_[0] == "text__colour_blue"
